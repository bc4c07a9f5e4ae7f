package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
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
		a := ask{of: by, rng: cmp.Or(by.Ranges[key], v.stated[by.PURL][key]), direct: v.graph.Direct(i)}
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

// maxStated is of how many packages a registry is asked what they take.
const maxStated = 256

// stating fills what registries say that packages take of those with findings,
// where no file of the function says it: a lockfile of pnpm names only the
// versions. It is what was published under that name and version, and so not
// asked of what came from elsewhere. Only a cancelled ctx is an error.
func (v *adviser) stating(ctx context.Context, a *Auditor) error {
	v.stated = map[string]map[string]string{}
	var questions []registry.Question
	var of []*finding.Component
	seen := map[string]bool{}
	for i := range v.rep.Components {
		c := &v.rep.Components[i]
		if len(v.about[c.PURL]) == 0 || v.steps[c.PURL].Most.To == "" {
			continue
		}
		for _, j := range v.needed[c.PURL] {
			by := v.components[j]
			p, _, ok := registry.ParsePURL(by.PURL)
			if !ok || seen[by.PURL] || by.Version == "" || len(by.Ranges) > 0 || elsewhere(by) || len(questions) == maxStated {
				continue
			}
			seen[by.PURL] = true
			questions, of = append(questions, registry.Question{Package: p, Version: by.Version}), append(of, by)
		}
	}
	if len(questions) == 0 {
		return nil
	}
	facts, err := a.Registry.Ask(ctx, questions)
	if err != nil {
		return err
	}
	for i, by := range of {
		for k := range facts[i].Versions {
			if x := &facts[i].Versions[k]; x.Version == by.Version {
				ranges := make(map[string]string, len(x.Requires))
				for name, rng := range x.Requires {
					ranges[sbom.CanonicalName(sbom.TypeOf(by.PURL), name)] = rng
				}
				v.stated[by.PURL] = ranges
			}
		}
	}
	return nil
}

// elsewhere says whether a component is known not to be what a registry has
// under its name.
func elsewhere(c *finding.Component) bool {
	return slices.ContainsFunc(c.Traits, func(t finding.Trait) bool {
		switch sbom.TraitKind(t.Kind) {
		case sbom.TraitGit, sbom.TraitFolder, sbom.TraitURL, sbom.TraitReplaced, sbom.TraitModified, sbom.TraitAlias:
			return true
		}
		return false
	})
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
