package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// What changed alike in many functions is said once, in the table and in a
// comment; -v says each.
func TestDeltaTogether(t *testing.T) {
	doc := htmlRescanned()
	for i, name := range []string{"api", "batch", "cron"} {
		c := doc.Delta.Changes[0]
		c.Function = name
		if i > 0 {
			c.Decision = nil
		}
		doc.Delta.Changes = append(doc.Delta.Changes, c)
	}
	tests := []struct {
		format string
		opt    report.Options
		want   []string
	}{
		{"table", report.Options{}, []string{
			"10 changes in 7 functions since ",
			"New advisory (7)\n",
			"  - 5 functions  npm/minimist@1.2.0  GHSA-xvch-5gv4-984h  critical: the store",
			"    in api, batch, cron and 2 more\n    verdict: PASS -> FAIL in api, orders\n",
			"  - media, orders  npm/minimist@1.2.0  GHSA-vh95-rmgr-6w4m  medium: the store",
		}},
		{"table", report.Options{Verbose: true}, []string{
			"  - cron  npm/minimist@1.2.0  GHSA-xvch-5gv4-984h  critical: the store",
			"  - batch  npm/minimist@1.2.0  GHSA-xvch-5gv4-984h  critical: the store",
		}},
		{"markdown", report.Options{}, []string{
			"| new-advisory | 4 |\n",
			"- new-advisory, critical: `npm/minimist@1.2.0 GHSA-xvch-5gv4-984h`: the store knows GHSA-xvch-5gv4-984h about minimist 1.2.0 now; pass to **fail** in 2 (`api`, `batch`, `cron` and 2 functions more)\n",
			"- gone: there is no report of billing any more (`billing`)\n",
		}},
	}
	for _, test := range tests {
		var b bytes.Buffer
		if err := report.Write(&b, test.format, doc, test.opt); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(strings.Fields(b.String()), " ")
		for _, want := range test.want {
			if !strings.Contains(got, strings.Join(strings.Fields(want), " ")) {
				t.Errorf("%s lacks %q:\n%s", test.format, want, b.String())
			}
		}
	}
}

// However many changes there are, the page has each thing that changed once.
func TestHTMLDeltaTogether(t *testing.T) {
	doc := htmlRescanned()
	size := func() int {
		var b bytes.Buffer
		if err := report.Write(&b, "html", doc, report.Options{}); err != nil {
			t.Fatal(err)
		}
		return b.Len()
	}
	few := size()
	c := doc.Delta.Changes[0]
	for range 5000 {
		c.Function = "orders"
		doc.Delta.Changes = append(doc.Delta.Changes, finding.Change{Function: c.Function, Cause: c.Cause, ID: c.ID, Component: c.Component, Severity: c.Severity, After: c.After, Detail: c.Detail})
	}
	if many := size(); many > few+2000 {
		t.Errorf("%d bytes became %d", few, many)
	}
}

// Where something changed, the next step is about that.
func TestNextOfDelta(t *testing.T) {
	function := func(name string, d finding.Decision) *finding.Report {
		r := finding.NewReport(name, name)
		r.Verdict.Decision, r.Verdict.Next = d, "mend "+name
		return r
	}
	for changed, want := range map[string]string{"": "mend b", "c": "mend c", "d": "mend d", "a": "mend b", "gone": "mend b"} {
		doc := &finding.Document{Functions: []*finding.Report{function("a", finding.Pass), function("b", finding.Fail), function("c", finding.Fail), function("d", finding.Incomplete)}, Delta: &finding.Delta{Changes: []finding.Change{{Function: changed}}}}
		doc.Functions[0].Verdict.Next = ""
		var b bytes.Buffer
		if err := report.Write(&b, "table", doc, report.Options{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "Next: "+want+"\n") {
			t.Errorf("%q changed: want %q in\n%s", changed, want, b.String())
		}
	}
}
