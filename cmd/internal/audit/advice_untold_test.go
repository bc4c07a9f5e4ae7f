package audit

import (
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/vulndb"
)

// TestAdviceUntold: where no file says who needs a package, the step says so and
// how to ask; not of what the function asks for itself.
func TestAdviceUntold(t *testing.T) {
	const goWords, pipenvWords = "go mod why -m", "pipenv graph --reverse"
	for _, c := range []struct {
		purl, name, lock string
		direct           bool
		want             string
	}{
		{"pkg:golang/x.example/net@v0.7.0", "x.example/net", "go.mod", false, goWords},
		{"pkg:golang/x.example/net@v0.7.0", "x.example/net", "", false, goWords},
		{"pkg:golang/x.example/net@v0.7.0", "x.example/net", "go.mod", true, ""},
		{"pkg:golang/stdlib@1.22.1", "stdlib", "", false, "build with Go 1.22.5 or newer"},
		{"pkg:pypi/urllib3@1.0", "urllib3", "Pipfile.lock", false, pipenvWords},
		{"pkg:pypi/urllib3@1.0", "urllib3", "Pipfile.lock", true, ""},
		{"pkg:pypi/urllib3@1.0", "urllib3", "poetry.lock", false, ""},
	} {
		rep := &finding.Report{
			Components: []finding.Component{{PURL: c.purl, Name: c.name, Version: "1.0.0", State: "declared", Origin: "app"}},
			Findings:   []finding.Finding{{Kind: finding.KindVulnerability, Component: c.purl, ID: "A1", Fingerprint: "f"}},
		}
		if c.lock != "" {
			rep.Components[0].Evidence = []finding.Proof{{Method: "lockfile", Path: c.lock}}
		}
		v := adviser{rep: rep, about: map[string][]*finding.Finding{c.purl: {&rep.Findings[0]}}, direct: map[string]bool{c.purl: c.direct},
			steps: map[string]vulndb.Steps{c.purl: {Most: vulndb.Step{To: "1.22.5", Clears: []string{"A1"}}}}}
		v.lockfiles()
		v.component(&rep.Components[0], v.about[c.purl])
		if note := rep.Upgrades[0].Note; !strings.Contains(note, c.want) || c.want == "" && note != "" {
			t.Errorf("%s of %q, direct %v: %q, want %q", c.name, c.lock, c.direct, note, c.want)
		}
	}
}
