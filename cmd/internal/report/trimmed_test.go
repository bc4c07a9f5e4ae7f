package report_test

import (
	"bytes"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// TestTrimmedIsEnough: what is kept of a report gives the same bytes.
func TestTrimmedIsEnough(t *testing.T) {
	docs := samples()
	docs["vex"], docs["rescanned"], docs["fleet"], docs["large"], docs["deployed"] = vexDocument(), htmlRescanned(), htmlFleet(30), large(), fleet("text")
	for name, doc := range docs {
		small := *doc
		small.Functions = nil
		for _, r := range doc.Functions {
			small.Functions = append(small.Functions, report.Trimmed(r))
		}
		for _, format := range report.Formats() {
			if !report.Trims(format) && (format != "table" || len(doc.Functions) <= 20) {
				continue
			}
			if got, want := write(t, format, &small, report.Options{}), write(t, format, doc, report.Options{}); !bytes.Equal(got, want) {
				t.Errorf("%s, %s: %s\nwant %s", name, format, got, want)
			}
		}
	}
	if r := report.Trimmed(&finding.Report{Components: []finding.Component{{PURL: "pkg:npm/x@1", Upgrade: "2"}}}); len(r.Components) > 0 {
		t.Error("a package without a finding is kept")
	}
}
