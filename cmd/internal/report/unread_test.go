package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// TestUnreadIsNotUnchanged: of a report that cannot be read nobody says that
// nothing changed.
func TestUnreadIsNotUnchanged(t *testing.T) {
	since := finding.DeltaSide{JudgedAt: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)}
	changes := []finding.Change{{Function: "fn", Cause: finding.CauseTime, Detail: "time has passed"}}
	for _, c := range []struct {
		name  string
		delta finding.Delta
		want  string
	}{
		{"all", finding.Delta{Unread: 2}, "Nothing was compared: 2 reports cannot be read, and what changed in them is not known."},
		{"one", finding.Delta{Unread: 1, Before: since}, "Nothing changed since 2026-11-20, but 1 report cannot be read, and what changed in it is not known."},
		{"none", finding.Delta{Before: since}, "Nothing changed since 2026-11-20."},
		{"with changes", finding.Delta{Unread: 1, Before: since, Changes: changes, Summary: []finding.Tally{{Cause: finding.CauseTime, Count: 1}}}, "1 change in 1 function since 2026-11-20, but 1 report cannot be read, and what changed in it is not known:"},
	} {
		doc := wrapDocument(finding.NewReport("fn", "fn.json"))
		doc.Delta = &c.delta
		got := string(write(t, "table", doc, report.Options{Width: 160}))
		if first, _, _ := strings.Cut(got, "\n"); first != c.want {
			t.Errorf("%s: %q, want %q", c.name, first, c.want)
		}
		if md := string(write(t, "markdown", doc, report.Options{})); strings.Contains(md, "cannot be read") != (c.delta.Unread > 0) {
			t.Errorf("%s: Markdown says %s", c.name, md)
		}
	}
}
