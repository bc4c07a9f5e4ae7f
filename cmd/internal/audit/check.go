package audit

import (
	"context"
	"slices"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Check is one question about a function. A check is one file that adapts a
// library's result to findings, and one line in All.
type Check struct {
	Name string
	Need Need
	Run  func(context.Context, *Auditor, *Subject) (Result, error)
	Kept bool // it needs the bytes: of a stored report its recorded result is kept

	// Asked says whether the question is one that the policy or the function
	// poses; nil: always. One that nobody poses is not part of the report.
	Asked func(*Subject) bool
}

// All lists the checks in the order in which they run and are reported.
func All() []Check {
	return []Check{
		{Name: "archive", Need: NeedTree, Kept: true, Run: checkArchive},
		{Name: "vulnerability", Need: NeedSBOM, Run: checkVulnerability},
		{Name: "reachability", Need: NeedGo, Run: checkReachability}, // after vulnerability: it says more about its findings
		{Name: "runtime", Need: NeedSBOM, Run: checkRuntime},
		{Name: "signature", Need: NeedTree, Kept: true, Run: checkSignature},
		{Name: "provenance", Need: NeedTree, Kept: true, Run: checkProvenance},
		{Name: "facts", Need: NeedSBOM, Run: checkFacts},
		{Name: "attestation", Need: NeedSBOM, Run: checkAttestation},                                                            // by the facts
		{Name: "stale", Need: NeedSBOM, Run: checkStale},                                                                        // likewise
		{Name: "trust", Need: NeedSBOM, Run: checkTrust},                                                                        // likewise
		{Name: "licence", Need: NeedSBOM, Run: checkLicence, Asked: func(s *Subject) bool { return s.Policy.Licences.Given() }}, // by the facts, too
		{Name: "exposure", Need: NeedSBOM, Run: checkExposure, Asked: func(s *Subject) bool { return s.Declared != nil }},
		{Name: "integrity", Need: NeedDigests, Kept: true, Run: checkIntegrity},
	}
}

// Need is what a check works on.
type Need int

// The needs.
const (
	NeedSBOM    Need = iota // the components are enough
	NeedTree                // the shipped bytes
	NeedGo                  // the shipped bytes, or what an earlier report keeps of the Go binaries
	NeedDigests             // the shipped bytes, or digests of what is not in yet
)

// Subject is what the checks look at: a function with its bytes, or only a
// bill of materials.
type Subject struct {
	Name     string
	Function *bundle.Function // nil for a bill of materials
	SBOM     *sbom.SBOM

	Findings   []finding.Finding             // of the checks before
	Standings  map[string]*registry.Standing // package URL -> what registries say; nil before they were asked
	GoBinaries []finding.GoBinary            // from an earlier report

	proofs map[string][]*finding.DependencyProof // package URL -> what was verified of its published version

	affected map[string]affected // package URL -> what is known against it

	places map[int][]place // of the components of findings, by index
	signed []signed        // what verification said, by artifact; nil before it was asked

	Archives map[string]map[string]string // of a lockfile: package URL -> algorithm -> hexadecimal digest of the published archive that was opened

	Vetted   bool // a package or lockfile that is not in yet: what is asked of a shipped artifact is not asked
	Lockfile bool // it is a lockfile

	recorded *Recorded         // what an earlier report says; nil where the function itself is judged
	Policy   *policy.Policy    // as it is for this function
	Declared *finding.Declared // nil when no descriptor says anything

	Platform, Runtime string // "" when neither declared nor guessed
	RuntimeGuessed    bool
}

// Lacks says in plain words what the subject lacks for a need; "" if nothing.
func (s *Subject) Lacks(n Need) string {
	if s.Function == nil && (n == NeedTree || n == NeedGo && len(s.GoBinaries) == 0 || n == NeedDigests && !s.locked()) {
		switch {
		case s.Lockfile:
			return "nothing of what a lockfile pins is there yet"
		case s.Vetted:
			return "the published archive is not at hand"
		}
		return "only a bill of materials was given: the bytes were not looked at"
	}
	return ""
}

// locked says whether a lockfile has digests of published archives.
func (s *Subject) locked() bool {
	return s.Vetted && slices.ContainsFunc(s.SBOM.Components, func(c sbom.Component) bool {
		return slices.ContainsFunc(c.Traits, func(t sbom.Trait) bool { return t.Kind == sbom.TraitLocked })
	})
}

// Result is what one check found. It may be filled although the check failed half-way.
type Result struct {
	Findings []finding.Finding
	Unknowns []finding.Unknown
	Absent   map[string][]finding.AbsentAdvisory // purl of a package that is not there -> what would apply
	Affected map[string]affected                 // purl -> what is known against it

	Reach      map[int]Reached    // index of a finding of an earlier check -> whether its code is there
	GoBinaries []finding.GoBinary // what was looked into

	Attestations []finding.Attestation // what was verified, and what was not

	Facts    map[string]*finding.Facts // package URL -> what a registry says
	Calendar []finding.Event           // what ends, and when

	Note string // what the check could not ask, although it ran
}

// Reached says whether the code of a finding is there, and how that is known.
type Reached struct {
	State    string // as Finding.Reach
	Evidence []finding.Evidence
}

// Skipped is the error of a check that had to leave its question open although
// it had all that it needs. The check counts as skipped, not as failed.
type Skipped string

func (s Skipped) Error() string { return string(s) }
