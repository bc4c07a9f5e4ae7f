package trust

import (
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
)

func TestPrivateHost(t *testing.T) {
	private, err := ParseNames([]string{"@corp/*", "go.corp.example/*"})
	if err != nil {
		t.Fatal(err)
	}
	registries := map[string][]string{"npm": {"https://npm.corp.example/repo", "https://other.example:8443/"}}
	resolved := func(list ...string) sbom.Component {
		c := sbom.Component{PURL: "pkg:npm/%40corp/a@1.0.0", Name: "@corp/a", Version: "1.0.0", State: sbom.Live, Origin: sbom.OriginApp}
		for _, r := range list {
			c.Traits = append(c.Traits, sbom.Trait{Kind: sbom.TraitResolved, Path: "package-lock.json", Detail: r})
		}
		return c
	}
	tests := []struct {
		name      string
		component sbom.Component
		rule      Rule
		title     string
	}{
		{"own registry", resolved("https://npm.corp.example/repo/@corp/a/-/a-1.0.0.tgz"), "", ""},
		{"own registry, usual port", resolved("https://npm.corp.example:443/repo/@corp/a/-/a-1.0.0.tgz"), "", ""},
		{"own registry, unusual port", resolved("https://other.example:8443/x.tgz"), "", ""},
		{"public registry", resolved("https://registry.example/@corp/a/-/a-1.0.0.tgz"), RuleConfusion, "came from registry.example,"},
		{"folder beside the own one", resolved("https://npm.corp.example/repository/a.tgz"), RuleConfusion, ""},
		{"climbs out of the own folder", resolved("https://npm.corp.example/repo/../public/a.tgz"), RuleConfusion, ""},
		{"host that begins like the own one", resolved("https://npm.corp.example.evil.example/repo/a.tgz"), RuleConfusion, ""},
		{"own host as a user", resolved("https://npm.corp.example:x@evil.example/repo/a.tgz?token=s3cret"), RuleConfusion, "came from evil.example,"},
		{"other port", resolved("https://npm.corp.example:8443/repo/a.tgz"), RuleConfusion, ""},
		{"two lockfiles, one of them wrong", resolved("https://npm.corp.example/repo/a.tgz", "https://registry.example/a.tgz"), RuleConfusion, ""},
		{"nobody says", resolved(), RulePrivateHost, "no lockfile says"},
		{"what is said is no address", resolved("::", "a-1.0.0.tgz"), RulePrivateHost, "no lockfile says"},
		{"a folder", sbom.Component{PURL: "pkg:npm/%40corp/a@1.0.0", Traits: []sbom.Trait{{Kind: sbom.TraitFolder, Detail: "../a"}}}, "", ""},
		{"no registry of that type", sbom.Component{PURL: "pkg:golang/go.corp.example/a@v1.0.0"}, RulePrivateHost, "names no registry of type golang"},
		{"not private", sbom.Component{PURL: "pkg:npm/a@1.0.0", Resolved: "https://registry.example/a.tgz"}, "", ""},
		{"the function", sbom.Component{PURL: "pkg:npm/%40corp/a@1.0.0", Main: true}, "", ""},
	}
	for _, test := range tests {
		got := Judge(Of{Components: []sbom.Component{test.component}, Private: private, Registries: registries})
		got = ofRules(got, RuleConfusion, RulePrivateHost)
		if test.rule == "" {
			if len(got) != 0 {
				t.Errorf("%s: %+v", test.name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Rule != test.rule || !strings.Contains(got[0].Title, test.title) {
			t.Errorf("%s: %+v, want %s %q", test.name, got, test.rule, test.title)
			continue
		}
		if high := got[0].Weight == High && !got[0].Probable; high != (test.rule == RuleConfusion) {
			t.Errorf("%s: weight %d, probable %v", test.name, got[0].Weight, got[0].Probable)
		}
		for _, e := range got[0].Evidence {
			if strings.Contains(e.Detail, "s3cret") || strings.Contains(e.Detail, "@evil") {
				t.Errorf("%s: evidence holds credentials: %s", test.name, e.Detail)
			}
		}
	}
}

// ofRules returns the signals of some rules.
func ofRules(list []Signal, rules ...Rule) []Signal {
	var out []Signal
	for _, s := range list {
		for _, r := range rules {
			if s.Rule == r {
				out = append(out, s)
			}
		}
	}
	return out
}
