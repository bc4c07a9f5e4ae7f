package report_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// TestFactsSchema holds what is recorded of attestations against the schema.
func TestFactsSchema(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	release := &finding.Release{Version: "1.0.0", Published: at}
	proof := &finding.DependencyProof{Status: "verified", Kind: "slsa-provenance", Identity: "i", Issuer: "i", KeyID: "k", Builder: "b", Repository: "r", Workflow: "w", Commit: "c",
		File: "f", Bound: "lock-digest", Reason: "r", Source: "s", At: at}
	text, err := json.Marshal(finding.Facts{Source: "s", State: "known", Attested: "yes", Attestation: proof, Signature: &finding.DependencyProof{Status: "missing"},
		Past: &finding.Past{Attested: release, Run: 1, Publishers: 2, Known: true}})
	if err != nil {
		t.Fatal(err)
	}
	if err := check("report", report.Schema, "#/$defs/facts", text); err != nil {
		t.Error(err)
	}
}
