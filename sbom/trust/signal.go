package trust

import (
	"cmp"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Weight is how strongly a signal speaks against a package. The zero value is Note.
type Weight int

// The weights.
const (
	Note   Weight = iota // worth knowing, and usually as it should be
	Low                  // unusual
	Medium               // needs a reason
	High                 // whoever ships it should be stopped
)

// Signal is one thing that speaks against a package, or against the function
// when Component is "".
type Signal struct {
	Rule      Rule
	Weight    Weight
	Component string // package URL
	About     string // what it is about, where that is no package: the ARN of a layer, an image
	Title     string // one line in plain words, without the package's name
	Probable  bool   // the evidence allows another explanation; else it is certain
	Evidence  []Evidence
}

// Evidence is where a signal comes from.
type Evidence struct {
	Source   string // "bytes", "lockfile", "registry", "policy"
	Artifact int    // index, for a locator that is a path
	Locator  string // a path, an address
	Detail   string
	At       time.Time // when the source was current; zero for the bytes
}

// Rule names a rule. Users waive by these names: they never change.
type Rule string

// Of is what the rules look at.
type Of struct {
	Components []sbom.Component
	Traits     []sbom.Trait // of files that belong to no component
	Now        time.Time

	Standings  map[string]*registry.Standing // package URL -> what registries say; a package that is missing was never asked about
	Private    Names                         // names that are published nowhere else
	Registries map[string][]string           // package URL type -> addresses that its packages may come from; a type that is absent: any
	CoolDown   time.Duration                 // a version must have been published for so long; 0: no time
	Malware    map[string]bool               // package URLs of which an advisory says that they are malware

	// Fixes returns the id of a known-exploited vulnerability that an earlier
	// version of the component has and the component has not; "" when there is
	// none, or it is not known. nil: nobody knows.
	Fixes func(c *sbom.Component, earlier string) string
}

// Judge applies every rule that needs no bytes. The result is sorted.
func Judge(of Of) []Signal {
	var out []Signal
	for i := range of.Components {
		c := &of.Components[i]
		out = append(out, origin(c, of.Registries[typeOf(c.PURL)])...)
		out = append(out, scripts(c)...)
		out = append(out, native(c)...)
	}
	out = append(out, identity(&of)...)
	out = append(out, starts(of.Traits)...)
	return sorted(combine(&of, out))
}

func sorted(list []Signal) []Signal {
	slices.SortStableFunc(list, func(a, b Signal) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Component, b.Component), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Title, b.Title))
	})
	return list
}
