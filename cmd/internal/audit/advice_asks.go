package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/resolve"
)

// takes says whether what brings a package accepts the version that it is to be
// moved to. The zero value is that nobody knows.
type takes int

const (
	takesUnknown takes = iota
	takesAll           // whoever asks for it accepts the version: the lockfile only has to be made anew
	takesNot           // somebody does not
)

// ask is what one package of the function declares to take of another one.
type ask struct {
	of     *finding.Component // the one that asks
	rng    string             // as it is written; "" when it does not say
	direct bool               // the function asks for it itself
	known  bool               // it can be told whether that accepts the version
	ok     bool
}

// asks are what the packages that need a component declare to take of it, and
// what that means for a version. Its direct dependencies come first.
func (v *adviser) asks(c *finding.Component, to string) (asks []ask, all takes) {
	typ := sbom.TypeOf(c.PURL)
	key := sbom.CanonicalName(typ, c.Name)
	all = takesAll
	for _, i := range v.needed[c.PURL] {
		by := v.components[i]
		a := ask{of: by, rng: by.Ranges[key], direct: v.graph.Direct(i)}
		if a.rng != "" && to != "" {
			a.ok, a.known = resolve.Accepts(typ, a.rng, to)
		}
		switch {
		case a.known && !a.ok:
			all = takesNot
		case !a.known && all == takesAll:
			all = takesUnknown
		}
		asks = append(asks, a)
	}
	if len(asks) == 0 || to == "" {
		return asks, takesUnknown
	}
	return asks, all
}

// refusing are those that do not accept the version.
func refusing(asks []ask) []ask {
	return slices.DeleteFunc(slices.Clone(asks), func(a ask) bool { return !a.known || a.ok })
}

// saying is what some packages take, in words: "express 4.16.0 takes 6.5.1 of it".
func saying(asks []ask) string {
	const most = 2
	var parts []string
	for _, a := range asks[:min(len(asks), most)] {
		s := strings.TrimSpace(a.of.Name+" "+a.of.Version) + " takes"
		if plainRange(a.rng) {
			s += " " + a.rng + " of it"
		} else {
			s += " other versions of it"
		}
		parts = append(parts, s)
	}
	text := strings.Join(parts, " and ")
	if more := len(asks) - most; more > 0 {
		text += fmt.Sprintf(", and %d more do not take it either", more)
	}
	return text
}

// plainRange says whether a range is short and made of what ranges are made of.
func plainRange(s string) bool {
	if s == "" || len(s) > 60 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(" .,+-_*^~<>=!|()[]", c) >= 0 {
			continue
		}
		return false
	}
	return true
}
