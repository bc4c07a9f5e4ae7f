package report_test

import (
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// vetted is a package that is not in yet, of which a registry says everything;
// unvetted is one of which nobody says anything.
func vetted() []*finding.Report {
	r := finding.NewReport("npm:left-padder@1.0.0", "npm:left-padder@1.0.0")
	r.Vetted = &finding.Vetted{Component: "pkg:npm/left-padder@1.0.0", Archive: digestA, Opened: 11, Unopened: 1, Dependencies: 12, Direct: 2, Unresolved: 1, Tree: "registry"}
	r.Components = []finding.Component{{PURL: "pkg:npm/left-padder@1.0.0", Name: "left-padder", Version: "1.0.0", Ecosystem: "npm", State: "live", Origin: "app",
		Facts: &finding.Facts{
			Source: "http://registry.example/npm/", AsOf: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), State: "known", Published: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
			Newest: &finding.Release{Version: "2.0.0"}, Behind: 3, Licenses: []string{"MIT"}, Scripts: []string{"postinstall: node \x1b[31msetup.js"}, Repository: "github.com/example/left-padder", Publisher: "ada", Attested: "yes",
		}}}
	r.Ran("vulnerability", nil)
	r.Verdict = finding.Verdict{Decision: finding.Pass}
	un := finding.NewReport("pypi:nobody", "pypi:nobody")
	un.Vetted = &finding.Vetted{Component: "pkg:pypi/nobody", Lacks: "nothing is known of it"}
	un.Components = []finding.Component{{PURL: "pkg:pypi/nobody", Name: "nobody", Ecosystem: "PyPI", State: "declared", Origin: "app"}}
	un.Unknowns = []finding.Unknown{{Path: "pypi:nobody", PURL: "pkg:pypi/nobody", Kind: "opaque", Reason: "nothing is known of it", Code: true}}
	un.Verdict = finding.Verdict{Decision: finding.Incomplete, Reasons: []string{"1 package opaque"}, Next: "fnaudit vet --online pypi:nobody"}
	return []*finding.Report{r, un}
}

func TestVettedGolden(t *testing.T) {
	doc := *samples()["pass"]
	doc.Functions = vetted()
	doc.Summary = finding.Summarize(doc.Functions)
	golden(t, "vetted.table", write(t, "table", &doc, report.Options{}))
	got := write(t, "json", &doc, report.Options{})
	golden(t, "vetted.json", got)
	if err := validate("json", got); err != nil {
		t.Error(err)
	}
	for _, format := range report.Formats() {
		if err := inert(write(t, format, &doc, report.Options{})); err != nil && format != "ics" && format != "github" {
			t.Errorf("%s: %v", format, err)
		}
	}
}
