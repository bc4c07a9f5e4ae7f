package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestGlob: patterns over names of functions. Time is in the length of both.
func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"orders", "orders", true}, {"orders", "orders2", false}, {"orders-*", "orders-api", true}, {"orders-*", "orders", false},
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"*-api", "a-api-api", true}, {"a*b*c", "aXbYbZc", true}, {"a*b*c", "aXbYbZ", false},
		{"Stack/*", "Stack/Sub/Fn", true}, {"?rders", "orders", true}, {"?", "", false}, {"[a]", "a", false}, {"[a]", "[a]", true},
		{strings.Repeat("*a", 100), strings.Repeat("a", 5000) + "b", false},
	} {
		if got := glob(tt.pattern, tt.name); got != tt.want {
			t.Errorf("%.20q %.20q: %v", tt.pattern, tt.name, got)
		}
	}
}

// TestLoosens: what a wary policy takes for demanding less, rule by rule. Each
// is tried in both directions.
func TestLoosens(t *testing.T) {
	for _, tt := range []struct{ stricter, looser string }{
		{"fail: {severity: medium}", "fail: {severity: high}"},
		{"fail: {severity: low}", "fail: {severity: none}"},
		{"fail: {severity: any}", "fail: {severity: low}"},
		{"fail: {fixable: low}", "fail: {fixable: critical}"},
		{"fail: {known_exploited: true}", "fail: {known_exploited: false}"},
		{"fail: {certainty: possible}", "fail: {certainty: certain}"},
		{"fail: {absent: true}", "fail: {absent: false}"},
		{"fail: {runtime: any}", "fail: {runtime: blocked}"},
		{"fail: {runtime: soon}", "fail: {runtime: none}"},
		{"fail: {archive: low}", "fail: {archive: high}"},
		{"fail: {stale: low}", "fail: {stale: none}"},
		{"fail: {untrusted: medium}", "fail: {untrusted: critical}"},
		{"fail: {licence: low}", "fail: {licence: none}"},
		{"fail: {exposure: low}", "fail: {exposure: high}"},
		{"fail: {drift: low}", "fail: {drift: none}"},
		{"fail: {origins: {base: {fixable: high}}}", "fail: {origins: {base: {fixable: critical}}}"},
		{"fail: {origins: {app: {known_exploited: true}}}", "fail: {origins: {app: {known_exploited: false}}}"},
		{"fail: {origins: {layer: {certainty: possible}}}", "fail: {origins: {layer: {certainty: certain}}}"},
		{"unknown_severity: critical", "unknown_severity: low"},
		{"require: [facts]", "require: []"},
		{"incomplete: {unknowns: [unreadable, opaque, limit]}", "incomplete: {unknowns: [unreadable]}"},
		{"incomplete: {unmatched: [app, layer, base]}", "incomplete: {unmatched: [layer]}"},
		{"coverage: {minimum: 90%}", "coverage: {minimum: 80%}"},
		{"coverage: {bundle: 90%}", "coverage: {bundle: 0}"},
		{"facts: {minimum: 90%}", "facts: {minimum: 10%}"},
		{"facts: {max_age: 1d}", "facts: {max_age: 9d}"},
		{"signature: {missing: fail}", "signature: {missing: ignore}"},
		{"provenance: {rejected: fail}", "provenance: {rejected: warn}"},
		{"grace: {high: 1d}", "grace: {high: 2d}"},
		{"grace: {known_exploited: 0d}", "grace: {known_exploited: 1h}"},
		{"grace: {high: 1d}", "grace: {high: 1d, from: seen}"},
		{"licences: {allow: [MIT]}", "licences: {allow: [MIT, ISC]}"},
		{"licences: {deny: [MIT, ISC]}", "licences: {deny: [MIT]}"},
		{"licences: {deny: [MIT], unknown: fail}", "licences: {deny: [MIT]}"},
		{"licences: {deny: [MIT], origins: [app, layer]}", "licences: {deny: [MIT], origins: [layer]}"},
	} {
		read := func(text string) *Policy {
			p, err := Parse([]byte("version: 1\n"+text+"\n"), "p.yaml")
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			return p
		}
		stricter, looser := read(tt.stricter), read(tt.looser)
		if !loosens(stricter, looser) {
			t.Errorf("%s is not looser than %s", tt.looser, tt.stricter)
		}
		if loosens(looser, stricter) {
			t.Errorf("%s is looser than %s", tt.stricter, tt.looser)
		}
		if loosens(stricter, stricter) || loosens(looser, looser) {
			t.Errorf("%s, %s: looser than itself", tt.stricter, tt.looser)
		}
	}
	base, _ := Builtin(CI)
	for _, text := range []string{"stale: {age: 90d}", "licences: {packages: [{component: pkg:npm/a, licence: MIT, reason: r}]}"} {
		p, err := Parse([]byte("version: 1\n"+text+"\n"), "p.yaml")
		if err != nil || !loosens(base, p) {
			t.Errorf("%s: what cannot be told apart passes for no looser (%v)", text, err)
		}
	}
}

// TestOverridesShareNothing: the policy of one function does not change that of
// another, nor the one that it is made from.
func TestOverridesShareNothing(t *testing.T) {
	p, err := Parse([]byte(`version: 1
licences: {deny: [GPL-*], packages: [{component: pkg:npm/a, licence: MIT, reason: r}]}
fail: {origins: {base: {fixable: critical}}}
functions:
  - match: {name: a}
    require: [facts]
    fail: {origins: {base: {severity: low}, app: {severity: low}}}
    licences: {packages: [{component: pkg:npm/b, licence: MIT, reason: r}]}
  - match: {name: b}
    require: [stale]
    licences: {packages: [{component: pkg:npm/c, licence: MIT, reason: r}]}
`), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("%+v", *p)
	a, _ := p.For(&finding.Report{Name: "a"})
	b, _ := p.For(&finding.Report{Name: "b"})
	c, _ := p.For(&finding.Report{Name: "c"})
	if !slices.Contains(a.Require, "facts") || slices.Contains(a.Require, "stale") || slices.Contains(b.Require, "facts") || len(b.Fail.Origins) != 1 || len(a.Licences.Packages) != 2 || b.Licences.Packages[1].Component != "pkg:npm/c" {
		t.Errorf("%+v\n%+v", a, b)
	}
	if c != p || fmt.Sprintf("%+v", *p) != before {
		t.Error("the policy changed")
	}
	p.FailOn("critical")
	a, _ = p.For(&finding.Report{Name: "a"})
	if a.Fail.Origins != nil || a.Fail.Severity != finding.Critical {
		t.Errorf("what an override says stands over the flag: %+v", a.Fail)
	}
}

// TestRemarks: what a run says of its policy does not depend on the order of
// its functions, and says nothing of what it could not look into.
func TestRemarks(t *testing.T) {
	p, err := Parse([]byte(`version: 1
fail: {known_exploited: true}
functions: [{match: {name: nobody}, grace: {high: 1d}}]
waivers:
  - {id: GHSA-1, reason: r, owner: o, expires: 2027-01-01}
  - {id: GHSA-2, component: pkg:npm/x, reason: r, owner: o, expires: 2027-01-01}
  - {id: GHSA-3, function: "a*", reason: r, owner: o, expires: 2027-01-01}
  - {id: GHSA-4, function: "z*", reason: r, owner: o, expires: 2027-01-01}
  - {id: opaque, path: dist/x.js, reason: r, owner: o, expires: 2020-01-01}
`), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	report := func(name string, opened bool, findings ...finding.Finding) *finding.Report {
		r := finding.NewReport(name, name)
		for _, check := range []string{"open", "catalog", "vulnerability"} {
			if opened {
				r.Ran(check, nil)
			}
		}
		r.Findings = findings
		return r
	}
	a := p.Use(report("a", true, finding.Finding{ID: "GHSA-1", Component: "pkg:npm/y@1"}))
	b := report("b", true)
	b.Unknowns = []finding.Unknown{{Kind: "opaque", Path: "dist/x.js"}}
	want := []string{
		"the policy speaks of what is known to be exploited, and the store has no list of that: fnaudit db update --feeds gets it",
		"nothing in this run needs the waiver of GHSA-2 by o for pkg:npm/x: remove it",
		"nothing in this run needs the waiver of GHSA-3 by o in functions named a*: remove it",
		"1 waiver is for functions that are no part of this run: GHSA-4 (z*)",
		"no function of this run is meant by functions[0] (name nobody) of the policy",
	}
	for _, uses := range [][]Use{{a, p.Use(b)}, {p.Use(b), a}} {
		if got := p.Remarks(uses, finding.Database{}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s", strings.Join(got, "\n"))
		}
	}
	kev := finding.Database{Feeds: []finding.Feed{{Name: "kev", AsOf: now}}}
	got := p.Remarks([]Use{a, p.Use(b), p.Use(report("ax", false))}, kev)
	if want := want[3:]; !reflect.DeepEqual(got, want) {
		t.Errorf("with a function that was not opened: %s", strings.Join(got, "\n"))
	}
	p.Baseline = &Baseline{}
	if got := p.Remarks([]Use{a}, kev); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "the baseline has no finding") }) {
		t.Errorf("%q", got)
	}
}

// TestBaselineDates: the first day counts, and none from the future.
func TestBaselineDates(t *testing.T) {
	f := finding.Finding{Kind: finding.KindVulnerability, ID: "GHSA-1", Severity: finding.High, Component: "pkg:npm/a@1"}
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	old := f
	seen := day(-9)
	old.FirstSeen = &seen
	for _, tt := range []struct {
		judged time.Time
		of     finding.Finding
		want   time.Time
	}{
		{day(-3), f, day(-3)}, {day(-3), old, seen}, {time.Time{}, old, seen}, {time.Time{}, f, time.Time{}}, {day(3), f, time.Time{}},
	} {
		b := &Baseline{}
		b.Add("orders", []finding.Finding{tt.of}, tt.judged)
		r := &finding.Report{Name: "orders", Findings: []finding.Finding{f}}
		n := b.mark(r, func(s finding.Severity) int { return s.Rank() }, now)
		got := time.Time{}
		if r.Findings[0].FirstSeen != nil {
			got = *r.Findings[0].FirstSeen
		}
		if n != 1 || !r.Findings[0].Baseline || !got.Equal(tt.want) {
			t.Errorf("judged %s: first seen %s, want %s", tt.judged, got, tt.want)
		}
		other := &finding.Report{Name: "payments", Findings: []finding.Finding{f}}
		if b.mark(other, func(s finding.Severity) int { return s.Rank() }, now) != 0 {
			t.Error("the baseline of one function is that of another")
		}
	}
}

// TestDecideAgain decides random reports under random rules twice: the verdict
// and the marks are the same, malware and rejected signatures fail whatever the
// baseline and the grace, and no order of the findings changes the decision.
func TestDecideAgain(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	one := func(list ...string) string { return list[rnd.IntN(len(list))] }
	for range 400 {
		text := "version: 1\nextends: builtin:" + one("ci", "release", "report") + "\n" + one("", "grace: {high: 30d, critical: 7d, known_exploited: 3d}\n") +
			one("", "fail: {severity: "+one("low", "high", "any")+", origins: {base: {severity: "+one("none", "any", "low")+"}}}\n") +
			one("", "functions: [{match: {name: 'f*'}, fail: {fixable: "+one("none", "low")+"}}]\n") +
			one("", "waivers: [{id: GHSA-1, reason: r, owner: o, expires: "+one("2026-11-01", "2026-11-25", "2027-11-01")+"}]\n")
		p, err := Parse([]byte(text), "p.yaml")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		r := finding.NewReport("f", "f.zip")
		r.Ran("open", nil)
		hard := false
		for range rnd.IntN(6) {
			f := finding.Finding{ID: one("GHSA-1", "GHSA-2", "GHSA-3"), Kind: finding.Kind(one("vulnerability", "vulnerability", "malware", "stale", "signature", "licence", "exposure", "new-kind")),
				Severity: finding.Severity(one("critical", "high", "medium", "low", "none", "unknown", "odd")), Certainty: finding.Certainty(one("certain", "probable", "possible", "")),
				Origin: one("app", "base", ""), State: one("live", "shadowed"), Component: one("pkg:npm/a@1", "pkg:npm/b@2", ""), KEV: rnd.IntN(4) == 0, Priority: rnd.IntN(3)}
			f.Rule = string(f.Kind) + "-" + one("rejected", "missing", "unknown")
			if rnd.IntN(2) == 0 {
				f.Fixed = []string{"9"}
				at := now.AddDate(0, 0, -rnd.IntN(60)+5)
				f.Published = &at
			}
			if rnd.IntN(3) == 0 {
				p.Baseline = &Baseline{}
				p.Baseline.Add("f", []finding.Finding{f}, now)
			}
			r.Findings = append(r.Findings, f)
			hard = hard || f.Kind == finding.KindMalware && f.ID != "GHSA-1"
		}
		db := finding.Database{Ecosystems: map[string]finding.Ecosystem{"npm": {AsOf: now.AddDate(0, 0, -rnd.IntN(10))}}}
		first := p.Decide(r, db, now)
		marks, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again := p.Decide(r, db, now)
		if m, _ := json.Marshal(r); !reflect.DeepEqual(first, again) || string(m) != string(marks) {
			t.Fatalf("%s\ndecides %+v, then %+v", text, first, again)
		}
		if hard && p.Fail.Malware && first.Decision != finding.Fail {
			t.Fatalf("%s\nmalware does not fail: %s", text, marks)
		}
		slices.Reverse(r.Findings)
		if turned := p.Decide(r, db, now); turned.Decision != first.Decision || len(turned.Reasons) != len(first.Reasons) {
			t.Fatalf("%s\nthe order of the findings decides: %+v, then %+v", text, first, turned)
		}
	}
}

// TestManyWaivers: thousands of waivers are not tried on each of thousands of
// findings. What is counted is what is compared, and not the time.
func TestManyWaivers(t *testing.T) {
	p := &Policy{}
	r := finding.NewReport("f", "f.zip")
	for i := range 5000 {
		p.Waivers = append(p.Waivers, Waiver{ID: fmt.Sprintf("GHSA-%d", i), Owner: "o", Expires: now.AddDate(1, 0, 0)})
		r.Findings = append(r.Findings, finding.Finding{ID: fmt.Sprintf("ghsa-%d", 5000-i), Aliases: []string{"CVE-1"}, Component: "pkg:npm/a@1"})
	}
	if n := len(p.waiversFor(r).about("pkg:npm/a@1", "ghsa-7", "CVE-1", "GHSA-7")); n != 1 {
		t.Errorf("%d waivers are tried", n)
	}
	found, refused := p.hits(r)
	if len(found) != 4999 || len(refused) != 0 {
		t.Errorf("%d waivers are about something, %d refused", len(found), len(refused))
	}
}

// TestManyWaiversOfARule holds the same of waivers of one rule for a package each,
// and that each way to name a package, or none, is still tried.
func TestManyWaiversOfARule(t *testing.T) {
	p := &Policy{}
	for i := range 5000 {
		p.Waivers = append(p.Waivers, Waiver{ID: "unmaintained", Component: fmt.Sprintf("pkg:deb/debian/p%d", i), Owner: "o", Expires: now.AddDate(1, 0, 0)})
	}
	for i, w := range []Waiver{{ID: "UNMAINTAINED"}, {ID: "unmaintained", Component: "pkg:deb/debian/p7@1"}, {ID: "unmaintained", Component: "pkg:deb/debian/p7@1?arch=amd64"}, {ID: "unmaintained", Function: "g"}} {
		p.Waivers = slices.Insert(p.Waivers, i*10, w)
	}
	index := p.waiversFor(&finding.Report{Name: "f", Findings: []finding.Finding{{Rule: "unmaintained"}}})
	if got := index.about("pkg:deb/debian/p7@1?arch=amd64", "unmaintained", "x"); !slices.Equal(got, []int{0, 8, 10, 20}) {
		t.Errorf("%v are tried", got)
	}
}
