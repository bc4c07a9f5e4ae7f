package audit

import (
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// TestFactsOfPrivateNames holds that a function of private packages only has
// nothing left to ask, which is not the same as that nobody answered.
func TestFactsOfPrivateNames(t *testing.T) {
	bom := &sbom.SBOM{Components: []sbom.Component{
		{PURL: "pkg:npm/%40corp/a@1.0.0", Name: "@corp/a", Version: "1.0.0"},
		{PURL: "pkg:npm/open@1.0.0", Name: "open", Version: "1.0.0"},
	}}
	a := &Auditor{Policy: &policy.Policy{Facts: policy.Facts{Minimum: 1}}, Registry: &registry.Client{Private: func(p registry.Package) bool { return strings.HasPrefix(p.Name, "@corp/") }}}

	rep := finding.NewReport("orders", "orders.zip")
	rep.Ran("open", nil)
	a.Checks = []Check{{Name: "facts", Need: NeedSBOM, Run: checkFacts}}
	s := &Subject{SBOM: &sbom.SBOM{Components: bom.Components[:1]}}
	addSBOM(rep, s.SBOM)
	a.check(t.Context(), rep, s)
	if got := rep.Check("facts"); got.State != finding.Ran || got.Reason != registry.ReasonPrivate {
		t.Errorf("private packages only: %+v", got)
	}
	if f := rep.Components[0].Facts; f == nil || !f.Private || f.State != "unknown" {
		t.Errorf("the private package: %+v", f)
	}

	rep = finding.NewReport("orders", "orders.zip")
	rep.Ran("open", nil)
	s = &Subject{SBOM: bom}
	addSBOM(rep, bom)
	a.check(t.Context(), rep, s)
	if got := rep.Check("facts"); got.State != finding.Skipped || strings.Contains(got.Reason, "private") {
		t.Errorf("one that nobody was asked about: %+v", got)
	}
}
