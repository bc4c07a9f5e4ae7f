package trust

import (
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

var noveltyNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestNovelty(t *testing.T) {
	ago := func(n int) time.Time { return noveltyNow.AddDate(0, 0, -n) }
	known := func(edit func(*registry.Standing)) *registry.Standing {
		s := &registry.Standing{Answer: registry.Known, Version: true, Source: "deps.dev", AsOf: noveltyNow, First: ago(2000), Published: ago(1000)}
		edit(s)
		return s
	}
	handed := func(published time.Time, publisher, before string, maintainers ...string) *registry.Standing {
		return known(func(s *registry.Standing) {
			s.Published, s.Publisher, s.Maintainers = published, publisher, maintainers
			s.Previous = &registry.Version{Version: "0.9.0", Publisher: before}
		})
	}
	tests := []struct {
		name     string
		standing *registry.Standing
		fixes    string
		rule     Rule
		weight   Weight
		title    string
	}{
		{"old", known(func(*registry.Standing) {}), "", "", 0, ""},
		{"nobody was asked", &registry.Standing{Reason: "offline", Published: ago(1)}, "", "", 0, ""},
		{"within the cool-down", known(func(s *registry.Standing) { s.Published = ago(2) }), "", RuleVersionYoung, Medium, "2 days ago (2026-11-20), and the policy asks for 3 days"},
		{"on its last day", known(func(s *registry.Standing) { s.Published = ago(3) }), "", "", 0, ""},
		{"still to come", known(func(s *registry.Standing) { s.Published = ago(-9) }), "", RuleVersionYoung, Medium, "still to come"},
		{"no date", known(func(s *registry.Standing) { s.Published = time.Time{} }), "", "", 0, ""},
		{"fixes what is exploited", known(func(s *registry.Standing) {
			s.Published, s.Previous = ago(1), &registry.Version{Version: "0.9.0"}
		}), "CVE-2026-1", RuleVersionYoung, Note, "fixes CVE-2026-1"},
		{"first version without one before", known(func(s *registry.Standing) { s.Published = ago(1) }), "CVE-2026-1", RuleVersionYoung, Medium, ""},
		{"new package", known(func(s *registry.Standing) { s.First, s.Published = ago(20), ago(20) }), "", RulePackageYoung, Low, "20 days ago"},
		{"package of this week", known(func(s *registry.Standing) { s.First, s.Published = ago(6), ago(5) }), "", RulePackageYoung, Medium, "6 days ago"},
		{"package of a month", known(func(s *registry.Standing) { s.First, s.Published = ago(30), ago(30) }), "", "", 0, ""},
		{"changed hands", handed(ago(100), "eve", "ada", "eve"), "", RuleSoleMaintainer, Medium, "its only maintainer eve published this version, and ada the one before"},
		{"changed hands long ago", handed(ago(1000), "eve", "ada", "eve"), "", RuleSoleMaintainer, Low, ""},
		{"same publisher", handed(ago(100), "ada", "ada", "ada"), "", "", 0, ""},
		{"both may publish", handed(ago(100), "eve", "ada", "ada", "eve"), "", "", 0, ""},
		{"publisher not told", handed(ago(100), "eve", "", "eve"), "", "", 0, ""},
		{"published by a machine", handed(ago(100), "robot", "ada", "eve"), "", "", 0, ""},
	}
	for _, test := range tests {
		c := sbom.Component{PURL: "pkg:npm/left@1.0.0", Name: "left", Version: "1.0.0", State: sbom.Live, Origin: sbom.OriginApp}
		of := Of{Components: []sbom.Component{c}, Now: noveltyNow, CoolDown: 3 * day, Standings: map[string]*registry.Standing{c.PURL: test.standing},
			Fixes: func(got *sbom.Component, earlier string) string {
				if got.PURL != c.PURL || earlier != "0.9.0" {
					t.Errorf("%s: asked about %s before %s", test.name, earlier, got.PURL)
				}
				return test.fixes
			}}
		got := ofRules(Judge(of), RuleVersionYoung, RulePackageYoung, RuleSoleMaintainer)
		if test.rule == "" {
			if len(got) != 0 {
				t.Errorf("%s: %+v", test.name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Rule != test.rule || got[0].Weight != test.weight || !strings.Contains(got[0].Title, test.title) {
			t.Errorf("%s: %+v, want %s %d %q", test.name, got, test.rule, test.weight, test.title)
		}
	}
}

func TestUndated(t *testing.T) {
	of := Of{Now: noveltyNow, CoolDown: day, Components: []sbom.Component{
		{PURL: "pkg:npm/a@1.0.0"}, {PURL: "pkg:npm/b@1.0.0"}, {PURL: "pkg:npm/c@1.0.0", Main: true}, {PURL: "pkg:deb/debian/d@1"}, {PURL: "pkg:pypi/e@1", Origin: sbom.OriginRuntime},
	}, Standings: map[string]*registry.Standing{"pkg:npm/a@1.0.0": {Published: noveltyNow}}}
	if n := Undated(of); n != 1 {
		t.Errorf("%d undated, want b alone", n)
	}
	if of.CoolDown = 0; Undated(of) != 0 {
		t.Error("counted although the policy has no cool-down")
	}
}

func TestUnknown(t *testing.T) {
	private, err := ParseNames([]string{"corp-*"})
	if err != nil {
		t.Fatal(err)
	}
	installed := []sbom.Evidence{{Method: sbom.MethodInstalled, Confidence: 0.98}}
	const from = "https://registry.example/x.tgz"
	absent, noVersion := &registry.Standing{Answer: registry.Absent, Source: "deps.dev"}, &registry.Standing{Answer: registry.Known, Source: "deps.dev"}
	tests := []struct {
		name     string
		c        sbom.Component
		standing *registry.Standing
		rule     Rule
		weight   Weight
	}{
		{"installed from a registry", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Evidence: installed, Resolved: from}, absent, RuleUnknownName, Medium},
		{"only in a lockfile", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Evidence: []sbom.Evidence{{Method: sbom.MethodLockfile}}, Resolved: from}, absent, RuleUnknownName, Medium},
		{"nothing says from where", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Evidence: installed}, absent, RuleUnknownName, Low},
		{"a registry of the policy", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Evidence: installed, Resolved: "https://npm.corp.example/x.tgz"}, absent, RuleUnknownName, Note},
		{"private, and its own registry has none", sbom.Component{PURL: "pkg:npm/corp-a@1.0.0", Evidence: installed}, absent, RuleUnknownName, Medium},
		{"private, and built here", sbom.Component{PURL: "pkg:npm/corp-a@1.0.0", Evidence: installed, Traits: []sbom.Trait{{Kind: sbom.TraitFolder}}}, absent, RuleUnknownName, Note},
		{"from git", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Evidence: installed, Resolved: from, Traits: []sbom.Trait{{Kind: sbom.TraitGit}}}, absent, RuleUnknownName, Note},
		{"a workspace", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Evidence: installed, Traits: []sbom.Trait{{Kind: sbom.TraitFolder}}}, absent, RuleUnknownName, Note},
		{"a copy inside another's files", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Evidence: []sbom.Evidence{{Method: sbom.MethodEmbedded, Confidence: 0.8}}, Resolved: from}, absent, RuleUnknownName, Note},
		{"of the base image", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Evidence: installed, Resolved: from, Origin: sbom.OriginBase}, absent, RuleUnknownName, Note},
		{"version of npm", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Version: "1.0.0", Evidence: installed, Resolved: from}, noVersion, RuleUnknownVersion, Medium},
		{"version of PyPI", sbom.Component{PURL: "pkg:pypi/zzyzx@1.0.0", Version: "1.0.0", Evidence: installed, Resolved: from}, noVersion, RuleUnknownVersion, Low},
		{"version not known", sbom.Component{PURL: "pkg:npm/zzyzx", Evidence: installed, Resolved: from}, noVersion, "", 0},
		{"pseudo-version", sbom.Component{PURL: "pkg:golang/go.example/a@v0.0.0-20260101000000-0123456789ab", Version: "v0.0.0-20260101000000-0123456789ab", Evidence: installed}, noVersion, "", 0},
		{"the standard library", sbom.Component{PURL: "pkg:golang/stdlib@1.26.0", Version: "1.26.0", Evidence: installed}, absent, "", 0},
		{"nobody was asked", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Evidence: installed, Resolved: from}, &registry.Standing{Reason: "offline"}, "", 0},
		{"not among those asked about", sbom.Component{PURL: "pkg:npm/zzyzx@1.0.0", Evidence: installed, Resolved: from}, nil, "", 0},
	}
	for _, test := range tests {
		of := Of{Components: []sbom.Component{test.c}, Private: private, Registries: map[string][]string{"npm": {"https://npm.corp.example/"}}, Now: noveltyNow,
			Standings: map[string]*registry.Standing{}}
		if test.standing != nil {
			of.Standings[test.c.PURL] = test.standing
		}
		got := ofRules(Judge(of), RuleUnknownName, RuleUnknownVersion)
		if test.rule == "" && len(got) != 0 || test.rule != "" && (len(got) != 1 || got[0].Rule != test.rule || got[0].Weight != test.weight || !got[0].Probable) {
			t.Errorf("%s: %+v, want %s %d", test.name, got, test.rule, test.weight)
		}
	}
}
