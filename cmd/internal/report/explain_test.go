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

// TestExplainParent: where moving a direct dependency is what helps, its step is
// the fix of what it brings, and not of the direct dependency's own findings.
func TestExplainParent(t *testing.T) {
	r := passing("orders")
	low, top := component("npm", "low", "1.0.0"), component("npm", "top", "1.0.0")
	low.Upgrade, low.BroughtBy, top.Upgrade = "1.2.0", []string{top.PURL}, "1.0.5"
	r.Components = []finding.Component{low, top}
	bad, own := vulnerability(low, "GHSA-1", finding.High, 7.5, "Flaw"), vulnerability(top, "GHSA-2", finding.Low, 3, "Other flaw")
	bad.Fixed, own.Fixed = []string{"1.2.0"}, []string{"1.0.5"}
	r.Findings = []finding.Finding{bad, own}
	r.Upgrades = []finding.Upgrade{
		{Component: top.PURL, Name: "top", From: "1.0.0", To: "1.1.0", For: low.PURL, Clears: []string{bad.Fingerprint}, Command: "npm install top@1.1.0", Note: "for low 1.0.0, of which top 1.1.0 takes ^1.2.0"},
		{Component: top.PURL, Name: "top", From: "1.0.0", To: "1.0.5", Clears: []string{own.Fingerprint}, Command: "npm install top@1.0.5"},
	}
	doc := &finding.Document{Functions: []*finding.Report{r}}
	for id, want := range map[string][]string{
		"GHSA-1": {"low 1.2.0 or later clears this finding", "top 1.1.0, which brings it, in place of 1.0.0", "command     npm install top@1.1.0", "for low 1.0.0, of which top 1.1.0 takes ^1.2.0"},
		"GHSA-2": {"top 1.0.5 or later clears this finding", "command     npm install top@1.0.5"},
	} {
		var b bytes.Buffer
		if err := report.Explain(&b, doc, id, 0); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s lacks %q:\n%s", id, w, &b)
			}
		}
	}
}
