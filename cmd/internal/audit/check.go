package audit

import (
	"context"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// Check is one question about a function. A check is one file that adapts a
// library's result to findings, and one line in All.
type Check struct {
	Name string
	Need Need
	Run  func(context.Context, *Auditor, *Subject) (Result, error)
}

// All lists the checks in the order in which they run and are reported.
func All() []Check {
	return []Check{
		{Name: "archive", Need: NeedTree, Run: checkArchive},
		{Name: "vulnerability", Need: NeedSBOM, Run: checkVulnerability},
		{Name: "runtime", Need: NeedSBOM, Run: checkRuntime},
	}
}

// Need is what a check works on.
type Need int

// The needs.
const (
	NeedSBOM Need = iota // the components are enough
	NeedTree             // the shipped bytes
)

// Subject is what the checks look at: a function with its bytes, or only a
// bill of materials.
type Subject struct {
	Name     string
	Function *bundle.Function // nil for a bill of materials
	SBOM     *sbom.SBOM

	Platform, Runtime string // "" when neither declared nor guessed
	RuntimeGuessed    bool
}

// Lacks says in plain words what the subject lacks for a need; "" if nothing.
func (s *Subject) Lacks(n Need) string {
	if n == NeedTree && s.Function == nil {
		return "only a bill of materials was given: the bytes were not looked at"
	}
	return ""
}

// Result is what one check found. It may be filled although the check failed half-way.
type Result struct {
	Findings []finding.Finding
	Unknowns []finding.Unknown
	Upgrades map[string]string // purl -> the version that clears everything known against it, "" for none
}
