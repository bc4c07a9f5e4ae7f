package trust

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

func TestResembles(t *testing.T) {
	tests := []struct {
		system registry.System
		name   string
		like   string // "": it looks like no other
	}{
		{registry.NPM, "lodahs", "lodash"},       // swapped
		{registry.NPM, "expresss", "express"},    // doubled
		{registry.NPM, "expres", "express"},      // left out
		{registry.NPM, "axioz", "axios"},         // exchanged
		{registry.NPM, "cross-enw", "cross-env"}, // exchanged
		{registry.NPM, "crossenv", "cross-env"},  // no separator
		{registry.NPM, "body_parser", "body-parser"},
		{registry.NPM, "1odash", "lodash"},   // 1 for l
		{registry.NPM, "rnornent", "moment"}, // rn for m, twice
		{registry.NPM, "parser-body", "body-parser"},
		{registry.NPM, "express-js", "express"},
		{registry.NPM, "lodashjs", "lodash"},
		{registry.NPM, "node-lodash", "lodash"},
		{registry.NPM, "types-node", "@types/node"},
		{registry.NPM, "@tipos/node", ""}, // two edits
		{registry.NPM, "@typs/node", "@types/node"},
		{registry.NPM, "@types/expres", "@types/express"},
		{registry.PyPI, "reqeusts", "requests"},
		{registry.PyPI, "requests-py", "requests"},
		{registry.PyPI, "python3-dateutil", "python-dateutil"},
		{registry.PyPI, "Num_Py", "numpy"},
		{registry.PyPI, "urlib3", "urllib3"},

		{registry.NPM, "lodash", ""},
		{registry.NPM, "react", ""},
		{registry.NPM, "preact", ""}, // a sibling of react
		{registry.NPM, "@types/node", ""},
		{registry.NPM, "@corp/lodash", ""}, // another scope is another publisher, plainly
		{registry.NPM, "mz2", ""},          // short
		{registry.NPM, "", ""},
		{registry.NPM, strings.Repeat("lodash", 40), ""},
		{registry.PyPI, "PyYAML", ""},
		{registry.PyPI, "typing_extensions", ""},
	}
	for _, test := range tests {
		like, ok := popularNames[test.system]().resembles(spelling(test.system, test.name))
		if like.name != test.like || ok != (test.like != "") {
			t.Errorf("%s %s: looks like %q (%s), want %q", test.system, test.name, like.name, like.how, test.like)
		}
	}
}

// TestPopular holds that the lists are what the code takes them for.
func TestPopular(t *testing.T) {
	for system, load := range popularNames {
		l := load()
		if l.asOf.IsZero() || l.source == "" {
			t.Errorf("%s: as of %v, from %q", system, l.asOf, l.source)
		}
		worth := 0
		for name, imitated := range l.known {
			if imitated {
				worth++
			}
			if name == "" || name != spelling(system, name) || strings.ContainsAny(name, " \t#") {
				t.Errorf("%s: %q is no name", system, name)
			}
		}
		if worth < 2900 {
			t.Errorf("%s: %d names", system, worth)
		}
	}
}

func TestOneEdit(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"abc", "abc", false}, {"abc", "ab", true}, {"abc", "bc", true}, {"abc", "xbc", true}, {"abc", "acb", true}, {"abc", "bca", false},
		{"", "", false}, {"", "a", true}, {"", "ab", false}, {"ab", "cd", false}, {"sha1", "sha2", false}, {"a1", "ab", true}, {"abcd", "abxdc", false},
	} {
		if got := oneEdit(test.a, test.b); got != test.want {
			t.Errorf("oneEdit(%q, %q) = %v", test.a, test.b, got)
		}
		if got := oneEdit(test.b, test.a); got != test.want {
			t.Errorf("oneEdit(%q, %q) = %v", test.b, test.a, got)
		}
		if oneEdit(test.a, test.b) && bitsApart(test.a, test.b) > 2 {
			t.Errorf("%q and %q: the sets of letters rule them out", test.a, test.b)
		}
	}
}

func bitsApart(a, b string) int {
	n := 0
	for x := letterSet(a) ^ letterSet(b); x != 0; x &= x - 1 {
		n++
	}
	return n
}

// TestLookalikeCombined plants a look-alike and what raises it.
func TestLookalikeCombined(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	c := sbom.Component{PURL: "pkg:npm/lodahs@1.0.0", Name: "lodahs", Version: "1.0.0", State: sbom.Live, Origin: sbom.OriginApp}
	known := func(first time.Time) map[string]*registry.Standing {
		return map[string]*registry.Standing{c.PURL: {Answer: registry.Known, Version: true, Source: "deps.dev", First: first, Published: first, AsOf: now}}
	}
	for _, test := range []struct {
		name string
		of   Of
		want Weight
	}{
		{"alone", Of{}, Low},
		{"an old package", Of{Standings: known(now.AddDate(-5, 0, 0))}, Low},
		{"a package of last week", Of{Standings: known(now.AddDate(0, 0, -7))}, Medium},
		{"no registry knows it", Of{Standings: map[string]*registry.Standing{c.PURL: {Answer: registry.Absent}}}, Medium},
		{"nobody was asked", Of{Standings: map[string]*registry.Standing{c.PURL: {Reason: "offline"}}}, Low},
		{"malware", Of{Malware: map[string]bool{c.PURL: true}}, High},
	} {
		test.of.Now, test.of.Components = now, []sbom.Component{c}
		got := ofRules(Judge(test.of), RuleLookalike)
		if len(got) != 1 || got[0].Weight != test.want || !got[0].Probable {
			t.Errorf("%s: %+v, want weight %d", test.name, got, test.want)
		}
	}
	c.Traits = []sbom.Trait{{Kind: sbom.TraitScript, Detail: "postinstall: node setup.js"}}
	of := Of{Now: now, Components: []sbom.Component{c}, Standings: known(now.AddDate(0, 0, -80))}
	if got := ofRules(Judge(of), RuleLookalike); len(got) != 1 || got[0].Weight != High {
		t.Errorf("new, and runs a program at installation: %+v", got)
	}
	c.Origin = sbom.OriginBase
	if got := ofRules(Judge(Of{Components: []sbom.Component{c}}), RuleLookalike); len(got) != 0 {
		t.Errorf("of the base image: %+v", got)
	}
}

func BenchmarkLookalike(b *testing.B) {
	list := popularNames[registry.NPM]()
	names := slices.Collect(func(yield func(string) bool) {
		i := 0
		for name := range list.known { // 200 known, and 200 of which nothing is known
			if i++; i > 200 || !yield(name) || !yield(name+"-xyz") {
				return
			}
		}
	})
	for b.Loop() {
		for _, name := range names {
			list.resembles(name)
		}
	}
}

func BenchmarkLookalikeLoad(b *testing.B) {
	for b.Loop() {
		newNameList(registry.NPM, popularNPM)
	}
}
