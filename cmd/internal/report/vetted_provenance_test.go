package report

import (
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

func TestCardProvenance(t *testing.T) {
	for _, test := range []struct {
		facts finding.Facts
		want  string
	}{
		{finding.Facts{}, notKnown},
		{finding.Facts{Attested: "no"}, "none"},
		{finding.Facts{Attested: "yes"}, "attested, and not verified here"},
		{finding.Facts{Attested: "no", Attestation: &finding.DependencyProof{Status: "missing", Reason: "none"}}, "none"},
		{finding.Facts{Attested: "yes", Attestation: &finding.DependencyProof{Status: "verified", Identity: "https://git.example/a/b"}}, "verified: https://git.example/a/b"},
		{finding.Facts{Attested: "yes", Attestation: &finding.DependencyProof{Status: "rejected", Reason: "it is about other bytes"}}, "rejected: it is about other bytes"},
		{finding.Facts{Attested: "yes", Attestation: &finding.DependencyProof{Status: "unverifiable"}}, "unverifiable: " + notKnown},
	} {
		if got := cardProvenance(&finding.Report{}, &test.facts); got != test.want {
			t.Errorf("%+v: %q, want %q", test.facts, got, test.want)
		}
	}
}
