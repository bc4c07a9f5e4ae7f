package policy

import (
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestBaselineCompares holds what is said of each finding against a baseline: also
// of those that count although it has them.
func TestBaselineCompares(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	vuln := func(id string, s finding.Severity) finding.Finding {
		return finding.Finding{Kind: finding.KindVulnerability, ID: id, Component: "pkg:npm/a@1", Severity: s, Certainty: finding.Certain}
	}
	malware := finding.Finding{Kind: finding.KindMalware, ID: "MAL-1", Component: "pkg:npm/b@1", Severity: finding.Critical, Certainty: finding.Certain}
	waived := vuln("GHSA-w", finding.High)
	waived.Waived = &finding.Waived{Reason: "r", Owner: "o", Expires: now}
	var b Baseline
	b.Add("fn", []finding.Finding{vuln("GHSA-a", finding.High), vuln("GHSA-b", finding.Low), malware, waived}, now.AddDate(0, 0, -1))
	other := malware
	other.ID = "MAL-2"
	newer := vuln("GHSA-a", finding.High)
	newer.Component = "pkg:npm/a@2"
	for _, tt := range []struct {
		name string
		f    finding.Finding
		want finding.Compared
		old  bool
	}{
		{"the same", vuln("GHSA-a", finding.High), finding.ComparedUnchanged, true},
		{"in another version", newer, finding.ComparedUnchanged, true},
		{"worse", vuln("GHSA-b", finding.High), finding.ComparedUpdated, false},
		{"waived then", vuln("GHSA-w", finding.High), finding.ComparedUpdated, false},
		{"another", vuln("GHSA-c", finding.Low), finding.ComparedNew, false},
		{"malware", malware, finding.ComparedUnchanged, false},
		{"other malware", other, finding.ComparedNew, false},
	} {
		r := &finding.Report{Name: "fn", Findings: []finding.Finding{tt.f}}
		p, _ := Builtin(CI)
		p.Baseline = &b
		p.Decide(r, finding.Database{}, now)
		if f := r.Findings[0]; f.Compared != tt.want || f.Baseline != tt.old {
			t.Errorf("%s: %q, %v", tt.name, f.Compared, f.Baseline)
		}
		p.Baseline = nil
		if p.Decide(r, finding.Database{}, now); r.Findings[0].Compared != "" {
			t.Errorf("%s: %q without a baseline", tt.name, r.Findings[0].Compared)
		}
	}
}
