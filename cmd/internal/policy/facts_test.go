package policy

import (
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

func TestFactsGap(t *testing.T) {
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	of := func(state string, age time.Duration) *finding.Facts {
		return &finding.Facts{State: state, AsOf: now.Add(-age)}
	}
	private := &finding.Facts{State: "unknown", Private: true}
	ran := finding.Status{Check: "facts", State: finding.Ran}
	for _, tt := range []struct {
		name   string
		check  finding.Status
		demand Facts
		have   []*finding.Facts // of each component; nil: no registry has such
		want   string
	}{
		{"nothing demanded", finding.Status{}, Facts{}, nil, ""},
		{"not asked", finding.Status{Check: "facts", State: finding.Skipped, Reason: "nobody"}, Facts{Minimum: 0.1}, nil, "what registries say is not known: nobody"},
		{"never ran", finding.Status{}, Facts{Minimum: 0.1}, nil, "what registries say is not known: not part of this run"},
		{"all known", ran, Facts{Minimum: 1}, []*finding.Facts{of("known", 0), of("no-version", 0), nil}, ""},
		{"half known", ran, Facts{Minimum: 0.9}, []*finding.Facts{of("known", 0), of("unknown", 0)}, "what registries say is known of 1 of 2 packages; the policy demands 90%"},
		{"no such package", ran, Facts{Minimum: 0.9}, []*finding.Facts{of("no-package", 0), of("no-package", 0)}, "what registries say is known of 0 of 2 packages; the policy demands 90%"},
		{"a private name", ran, Facts{Minimum: 1}, []*finding.Facts{of("known", 0), private}, ""},
		{"too old", ran, Facts{Minimum: 1, MaxAge: 24 * time.Hour}, []*finding.Facts{of("known", 48*time.Hour)}, "what registries say is known of 0 of 1 package; the policy demands 100% (of 1 it is older than 24 hours)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &finding.Report{}
			if tt.check.Check != "" {
				r.Checks = append(r.Checks, tt.check)
			}
			for _, f := range tt.have {
				r.Components = append(r.Components, finding.Component{Facts: f})
			}
			if got := (&Policy{Facts: tt.demand}).factsGap(r, now); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}
