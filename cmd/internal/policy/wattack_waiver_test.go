package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestWaiverSmells holds that a waiver which accepts nothing as it is written says so.
func TestWaiverSmells(t *testing.T) {
	for waiver, want := range map[string]string{
		"id: opaque":                                                "names neither a component nor a path, so it accepts nothing",
		"id: CVE-2021-1, path: 'a/*'":                               "has a path, which only what is unknown has",
		"id: opaque, path: 'vendor/**'":                             "no more than *",
		"id: known-vulnerability":                                   "so it accepts nothing: name the advisory",
		"id: CVE-2021-1":                                            "it holds for every package",
		"id: CVE-2021-1, component: 'pkg:npm/a*'":                   "which is no pattern",
		"id: CVE-2021-1, component: 'pkg:pypl/a'":                   "did you mean \"pypi\"?",
		"id: CVE-2021-1, component: 'pkg:npm/a', range: '>2, <1'":   "a range that no version is in",
		"id: CVE-2021-1, component: 'pkg:npm/a', range: '>=2, <2'":  "a range that no version is in",
		"id: CVE-2021-1, component: 'pkg:npm/a', range: '1.0, 2.0'": "a range that no version is in",
		"id: CVE-2021-1, component: 'pkg:npm/a', range: '<latest'":  "\"latest\" in its range, which is no version of npm",
		"id: cve-2020-1, component: 'pkg:npm/a'":                    "is about the same as waivers[0]",
	} {
		text := "version: 1\nwaivers:\n  - {id: CVE-2020-1, component: 'pkg:npm/a', owner: o, reason: r, expires: 2027-01-01}\n  - {" + waiver + ", owner: o, reason: r, expires: 2027-01-01}\n"
		p, err := Parse([]byte(text), "p.yaml")
		if err != nil {
			t.Errorf("%s: %v", waiver, err)
			continue
		}
		if got := fmt.Sprint(p.Smells(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %q", waiver, got, want)
		}
	}
}

// TestWaiverMatchesSome holds that a waiver which can accept something is not
// told that it cannot.
func TestWaiverMatchesSome(t *testing.T) {
	for _, w := range []fileWaiver{
		{Component: "pkg:npm/a", Range: ">=1, <=1"}, {Component: "pkg:npm/a", Range: ">=1.0.0-rc.1, <2"}, {Component: "pkg:maven/g/a", Range: "<1.0.Final"},
		{Component: "pkg:deb/debian/tar", Range: "<1.34+dfsg-1"}, {Component: "pkg:golang/example.com/a", Range: ">=v1.0.0, <2.0.0"}, {Component: "pkg:pypi/a", Range: "1.0.post1"},
		{Component: "pkg:qpkg/a"}, {Component: "pkg:npm/a", Range: "=1.2.3"}, {},
	} {
		w.ID, w.Reason, w.Owner, w.Expires = "CVE-2021-1", "r", "o", "2027-01-01"
		parsed, err := w.parse()
		if why := parsed.matchesNone(); err != nil || why != "" {
			t.Errorf("%s %s: %s, %v", w.Component, w.Range, why, err)
		}
	}
}

// TestFoldedWaiver holds that what is known against a package of unknown version
// is accepted as a whole or not at all, and by no one of its advisories.
func TestFoldedWaiver(t *testing.T) {
	fold := func(ids ...string) *finding.Finding {
		f := &finding.Finding{Kind: finding.KindVulnerability, Rule: RuleVersionUnknown, ID: ids[0], Aliases: ids[1:], Component: "pkg:npm/a"}
		for _, id := range ids {
			f.Evidence = append(f.Evidence, finding.Evidence{Source: "advisory", Locator: id})
		}
		return f
	}
	for _, c := range []struct {
		waiver string
		f      *finding.Finding
		want   bool
	}{
		{"{id: CVE-2026-1, ", fold("CVE-2026-1", "CVE-2026-2"), false},
		{"{id: CVE-2026-2, ", fold("CVE-2026-1", "CVE-2026-2"), false},
		{"{id: CVE-2026-1, ", fold("CVE-2026-1"), true},
		{"{id: version-unknown, component: 'pkg:npm/a', ", fold("CVE-2026-1", "CVE-2026-2"), true},
		{"{id: version-unknown, component: 'pkg:npm/b', ", fold("CVE-2026-1", "CVE-2026-2"), false},
		{"{id: version-unknown, component: 'pkg:npm/a', range: '<9', ", fold("CVE-2026-1"), false},
	} {
		p, err := Parse([]byte("version: 1\nwaivers: ["+c.waiver+"owner: o, reason: r, expires: 2027-01-01}]\n"), "p.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Waivers[0].matchesFinding(c.f, &finding.Component{PURL: "pkg:npm/a", Name: "a", Ecosystem: "npm"}); got != c.want {
			t.Errorf("%s accepts %s: %v, want %v", c.waiver, c.f.ID, got, c.want)
		}
	}
	if _, err := Parse([]byte("version: 1\nwaivers: [{id: version-unknown, owner: o, reason: r, expires: 2027-01-01}]\n"), "p.yaml"); err == nil || !strings.Contains(err.Error(), "name it") {
		t.Errorf("without a component: %v", err)
	}
}
