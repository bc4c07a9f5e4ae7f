package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// TestExplainLayer: of a component in an image it is said in which layer it
// lies, also when nothing is known against it; a zip has no layers.
func TestExplainLayer(t *testing.T) {
	for kind, want := range map[string]bool{"image": true, "zip": false} {
		r := passing("orders")
		c := component("npm", "a", "1.0.0")
		c.Origin, c.Locations = "base", []finding.Location{{Layer: digestA, Path: "x/package.json", State: "live"}}
		clean := component("npm", "b", "1.0.0")
		clean.Locations = c.Locations
		r.Components = []finding.Component{c, clean}
		r.Findings = []finding.Finding{vulnerability(c, "GHSA-1", finding.High, 7.5, "Flaw")}
		r.Artifacts = []finding.Artifact{{Ref: "orders.tar", Kind: kind, Digest: digestB}}
		doc := &finding.Document{Functions: []*finding.Report{r}}
		for _, what := range []string{"GHSA-1", clean.PURL} {
			var b bytes.Buffer
			if err := report.Explain(&b, doc, what, 0); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(b.String(), "x/package.json, from image layer "+digestA); got != want {
				t.Errorf("%s, %s:\n%s", kind, what, &b)
			}
			if what == "GHSA-1" && !strings.Contains(b.String(), "origin      base") {
				t.Errorf("no origin:\n%s", &b)
			}
		}
	}
}
