package report_test

import (
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// Neither names that are not UTF-8 nor times that an OSV record cannot hold
// stop the report.
func TestOSVOddText(t *testing.T) {
	const odd = "a\xff\xfe\x00b"
	late := time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, rule := range []string{"vulnerability", "version-unknown"} {
		r := &finding.Report{Name: odd, Target: odd,
			Components: []finding.Component{{PURL: odd, Name: odd, Version: odd, Ecosystem: odd, Source: "src" + odd}},
			Findings: []finding.Finding{{Kind: finding.KindVulnerability, Rule: rule, ID: odd, Aliases: []string{odd, "CVE-1"}, Component: odd,
				Title: odd, State: odd, Severity: "high" + odd, Certainty: odd, Fingerprint: odd, Vector: "AV:" + odd, Fixed: []string{odd},
				Modified: &late, Published: &late, Evidence: []finding.Evidence{{Source: "advisory", Locator: odd}}}},
		}
		got := write(t, "osv-json", &finding.Document{Functions: []*finding.Report{r}}, report.Options{})
		if err := inert(got); err != nil {
			t.Error(err)
		}
		t.Setenv("FNAUDIT_OSV_SCHEMA", "") // its patterns know the ids that there are
		if err := validate("osv-json", got); err != nil {
			t.Errorf("%s: %v\n%s", rule, err, got)
		}
	}
}
