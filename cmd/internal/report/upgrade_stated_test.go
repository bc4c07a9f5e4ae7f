package report

import (
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestUpgradeStated: the version that clears everything is shown also where a
// record names none as its fix; without one, what the records name.
func TestUpgradeStated(t *testing.T) {
	open, fixed := finding.Finding{ID: "A"}, finding.Finding{ID: "B", Fixed: []string{"1.2.0", "2.0.0"}}
	for _, c := range []struct {
		stated string
		fs     []finding.Finding
		want   string
	}{
		{"2.0.0", []finding.Finding{open}, "2.0.0"},
		{"2.0.0", []finding.Finding{open, fixed}, "2.0.0"},
		{"", []finding.Finding{open}, ""},
		{"", []finding.Finding{fixed}, "1.2.0"},
		{"", []finding.Finding{open, fixed}, "1.2.0 (1 of 2)"},
	} {
		if got := upgrade(c.stated, c.fs); got != c.want {
			t.Errorf("%q, %d findings: %q, want %q", c.stated, len(c.fs), got, c.want)
		}
	}
}
