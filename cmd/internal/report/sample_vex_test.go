package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// vexed is a function of which others say things: each status, a reason in words
// only, one that only CycloneDX has, and one that the bytes contradict.
func vexed() *finding.Report {
	r := passing("orders")
	text, tar, axios := component("golang", "golang.org/x/text", "v0.3.5"), component("deb", "tar", "1.34"), component("npm", "axios", "0.21.0")
	r.Components = []finding.Component{axios, text, tar}
	say := func(f finding.Finding, v finding.VEX) finding.Finding {
		v.Source, v.Author, v.At = "vex/vendor.json", "Acme Security", *f.Published
		f.VEX = &v
		return f
	}
	there := say(vulnerability(text, "GO-2021-0113", finding.High, 7.5, "Out-of-bounds read in language tags", "0.3.7"),
		finding.VEX{Status: finding.VEXNotAffected, Justification: finding.VEXCodeNotPresent, Refused: "the bytes show that the code is there"})
	there.Reach = finding.ReachPresent
	r.Findings = []finding.Finding{
		there,
		say(vulnerability(axios, "GHSA-1111-1111-1111", finding.High, 7.5, "Requests are forged", "0.21.1"), finding.VEX{Status: finding.VEXNotAffected, Justification: finding.VEXNotExecuted, Statement: "it is only used in tests"}),
		say(vulnerability(axios, "GHSA-2222-2222-2222", finding.High, 7.5, "Regular expressions take long", "0.21.2"), finding.VEX{Status: finding.VEXNotAffected, Statement: "what comes in is short"}),
		say(vulnerability(axios, "GHSA-3333-3333-3333", finding.Medium, 5.5, "Cookies leak to other hosts", "1.6.0"), finding.VEX{Status: finding.VEXNotAffected, Justification: "protected_at_perimeter"}),
		say(vulnerability(tar, "DSA-1", finding.Medium, 5.5, "Archives lead out of the folder"), finding.VEX{Status: finding.VEXFixed}),
		say(vulnerability(tar, "DSA-2", finding.Low, 2.5, "Archives are read twice and more"), finding.VEX{Status: finding.VEXInvestigated}),
		say(vulnerability(tar, "DSA-3", finding.Low, 2.5, "Names are printed as they are in it"), finding.VEX{Status: finding.VEXAffected, Statement: "wait for the next release"}),
	}
	r.Verdict = finding.Verdict{Decision: finding.Fail, Reasons: []string{"pkg:golang/golang.org/x/text@v0.3.5 high: GO-2021-0113 (fix available)"}}
	return r
}

func vexDocument() *finding.Document {
	doc := wrapDocument(vexed())
	doc.VEX = []finding.VEXSource{{Source: "vex/vendor.json", Digest: digestA, Format: "openvex", Author: "Acme Security", Statements: 7}}
	return doc
}

func TestVEXGolden(t *testing.T) {
	doc := samples()["vexed"]
	for _, format := range []string{"table", "openvex", "cyclonedx-json"} {
		golden(t, "vexed."+format, write(t, format, doc, report.Options{}))
	}
	golden(t, "vexed.verbose.table", write(t, "table", doc, report.Options{Verbose: true}))
	if got := string(write(t, "sarif", doc, report.Options{})); strings.Count(got, `"kind": "external"`) != 4 || !strings.Contains(got, `"justification": "not affected (vulnerable code not in execute path), says Acme Security in vex/vendor.json of 2021-02-19: it is only used in tests"`) {
		t.Errorf("of four suppressed results SARIF says\n%s", got)
	}
	if got := write(t, "osv-json", doc, report.Options{}); bytes.Contains(got, []byte("GHSA-")) || !bytes.Contains(got, []byte("GO-2021-0113")) {
		t.Errorf("osv-json has what was cleared, or lacks what was not\n%s", got)
	}
}
