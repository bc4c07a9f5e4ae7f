package report_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// comparedDocument has a function for each word, whose one finding has it; those
// of every second are waived.
func comparedDocument(words ...finding.Compared) *finding.Document {
	var all []*finding.Report
	for i, w := range words {
		f := finding.Finding{ID: fmt.Sprint("X-", i), Rule: "r", Fingerprint: fmt.Sprint("f", i), Component: "pkg:npm/x@1", Compared: w}
		if i%2 == 1 {
			f.Waived = &finding.Waived{Reason: "\n          \"baselineState\": \"", Owner: "o", Expires: time.Unix(1<<31, 0)}
		}
		all = append(all, &finding.Report{Name: fmt.Sprint("fn", i), Findings: []finding.Finding{f}})
	}
	return wrapDocument(all...)
}

// TestSARIFBaselineState holds that each result says whether it is new, or none
// does, and that only the words of SARIF 2.1.0 (3.27.24) come through.
func TestSARIFBaselineState(t *testing.T) {
	rescanned := comparedDocument("", "")
	rescanned.Functions[0].Findings[0].Rescanned = finding.ComparedNew
	rescanned.Functions[1].Findings[0].Rescanned = finding.ComparedUnchanged
	for name, tt := range map[string]struct {
		doc  *finding.Document
		want []string
	}{
		"baseline": {comparedDocument("new", "updated", "unchanged"), []string{"new", "updated", "unchanged"}},
		"rescan":   {rescanned, []string{"new", "unchanged"}},
		"none":     {comparedDocument("", ""), []string{"", ""}},
		"not all":  {comparedDocument("new", ""), []string{"", ""}},
		"forged":   {comparedDocument("new", "absent"), []string{"", ""}},
	} {
		var log struct {
			Runs []struct {
				Results []struct{ BaselineState string }
			}
		}
		if err := json.Unmarshal(write(t, "sarif", tt.doc, report.Options{}), &log); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range log.Runs[0].Results {
			got = append(got, r.BaselineState)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
