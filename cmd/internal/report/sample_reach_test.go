package report_test

import (
	"bytes"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// reached is a function that is a Go binary: one finding whose code is there,
// one whose code is proven not to be, and one of which that is not known.
func reached() *finding.Report {
	r := passing("resize")
	r.Runtime = "provided.al2023"
	text, yaml := component("golang", "golang.org/x/text", "v0.3.5"), component("golang", "gopkg.in/yaml.v2", "v2.2.2")
	r.Components = []finding.Component{text, yaml}
	for i := range r.Components {
		c := &r.Components[i]
		c.Ecosystem, c.Locations = "Go", []finding.Location{{Path: "bootstrap", State: "live"}}
		c.Evidence = []finding.Proof{{Method: "build-info", Confidence: 1, Path: "bootstrap"}}
	}
	reach := func(f finding.Finding, state, detail string) finding.Finding {
		f.Reach = state
		f.Evidence = append(f.Evidence, finding.Evidence{Source: "reach", Locator: "bootstrap", Detail: detail})
		return f
	}
	r.Findings = []finding.Finding{
		reach(vulnerability(text, "GO-2021-0113", finding.High, 7.5, "Out-of-bounds read in language tags", "0.3.7"), finding.ReachPresent,
			"present: looked for golang.org/x/text/language.ParseAcceptLanguage; found golang.org/x/text/language.ParseAcceptLanguage; 1 of them is in the binary (GO-2021-0113)"),
		reach(vulnerability(text, "GO-2020-0015", finding.High, 7.5, "Infinite loop when decoding some inputs", "0.3.3"), finding.ReachAbsent,
			"absent: looked for golang.org/x/text/encoding/unicode.utf16Decoder.Transform; none of them is among the 2183 functions of the binary, nor inlined into one (GO-2020-0015)"),
		reach(vulnerability(yaml, "GO-2021-0061", finding.Medium, 5.5, "Denial of service when parsing hostile YAML", "2.2.8"), finding.ReachUnknown,
			"unknown: looked for gopkg.in/yaml.v2.Unmarshal; module level, symbols unknown: built before Go 1.16: its function table does not list what was inlined (GO-2021-0061)"),
	}
	r.GoBinaries = []finding.GoBinary{{Path: "bootstrap", Digest: digestA, Go: "go1.26.8", Stripped: true, Functions: 2183, Blob: []byte("blob")}}
	r.Ran("reachability", nil)
	r.Verdict = finding.Verdict{Decision: finding.Fail, Reasons: []string{"pkg:golang/golang.org/x/text@v0.3.5 high: GO-2021-0113 (fix available)"}, Next: "upgrade golang.org/x/text"}
	return r
}

func TestReachGolden(t *testing.T) {
	doc := samples()["reach"]
	golden(t, "reach.table", write(t, "table", doc, report.Options{}))
	golden(t, "reach.verbose.table", write(t, "table", doc, report.Options{Verbose: true}))
	golden(t, "reach.json", write(t, "json", doc, report.Options{}))
	golden(t, "reach.sarif", write(t, "sarif", doc, report.Options{}))
	golden(t, "reach.osv-json", write(t, "osv-json", doc, report.Options{}))
	golden(t, "reach.cyclonedx-json", write(t, "cyclonedx-json", doc, report.Options{}))
	var b bytes.Buffer
	for _, f := range doc.Functions[0].Findings {
		if err := report.Explain(&b, doc, f.ID, 0); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "reach.explain", b.Bytes())
}
