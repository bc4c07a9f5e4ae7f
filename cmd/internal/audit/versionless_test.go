package audit

import (
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// TestDisputedVersions: what affects one of the versions that contradict each
// other is probable, so that it fails as if the other had not been said.
func TestDisputedVersions(t *testing.T) {
	for disputed, want := range map[bool]finding.Certainty{true: finding.Probable, false: finding.Possible} {
		rep := judge(t, npm("pad", "", func(c *sbom.Component) {
			c.Versions, c.Disputed = []string{"1.0.0", "9.0.0"}, disputed
			c.Evidence = []sbom.Evidence{{Method: sbom.MethodVersion, Confidence: 0.9}}
		}))
		if len(rep.Findings) != 1 || rep.Findings[0].Certainty != want {
			t.Errorf("disputed %v: %+v", disputed, rep.Findings)
		}
		if fails := rep.Verdict.Decision == finding.Fail; fails != disputed {
			t.Errorf("disputed %v: %s", disputed, rep.Verdict.Decision)
		}
	}
}

// TestVersionlessAdvice: what would tell the version depends on who was asked.
func TestVersionlessAdvice(t *testing.T) {
	for _, tt := range []struct {
		name     string
		evidence sbom.Evidence
		disputed bool
		want     string
	}{
		{"nobody", sbom.Evidence{Method: "path-comment"}, false, "give the lockfile it was built with"},
		{"a lockfile that does not list it", sbom.Evidence{Method: sbom.MethodLockfile, Path: "given.json", Differs: true}, false, "given.json, which was given, does not list them"},
		{"a lockfile with several versions", sbom.Evidence{Method: sbom.MethodLockfile, Path: "yarn.lock"}, false, "yarn.lock has several versions of each"},
		{"too many", sbom.Evidence{Method: "version-literal"}, true, "the evidence contradicts itself"},
	} {
		rep := judge(t, npm("pad", "", func(c *sbom.Component) {
			c.Evidence, c.Disputed = []sbom.Evidence{tt.evidence}, tt.disputed
			c.Occurrences = []sbom.Occurrence{{Path: "index.js", State: sbom.Live}}
		}))
		var said []string
		for _, u := range rep.Unknowns {
			said = append(said, u.Reason)
		}
		if got := strings.Join(said, "; "); !strings.Contains(got, tt.want) || strings.Count(got, "give the lockfile") > strings.Count(tt.want, "give the lockfile") || rep.Verdict.Decision != finding.Incomplete {
			t.Errorf("%s: %s: %s", tt.name, rep.Verdict.Decision, got)
		}
	}
}
