package audit

import (
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

func TestCertainty(t *testing.T) {
	for _, tt := range []struct {
		name     string
		evidence sbom.Evidence
		want     finding.Certainty
	}{
		{"installed", sbom.Evidence{Method: sbom.MethodInstalled, Confidence: 1}, finding.Certain},
		{"a Go binary", sbom.Evidence{Method: sbom.MethodBuildInfo, Confidence: 1}, finding.Certain},
		{"copied among the function's own files", sbom.Evidence{Method: sbom.MethodInstalled, Confidence: 0.8}, finding.Probable},
		{"the folder's name", sbom.Evidence{Method: sbom.MethodInstalled, Confidence: 0.5}, finding.Probable},
		{"a title", sbom.Evidence{Method: "licence-comment", Confidence: 0.95}, finding.Probable},
		{"none", sbom.Evidence{}, finding.Probable},
	} {
		if got := certainty(sbom.Component{Evidence: []sbom.Evidence{tt.evidence}}); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
