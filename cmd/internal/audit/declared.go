package audit

import (
	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// newReport starts the report of a function with what was declared about it.
// What a descriptor names and nobody can read here is an unknown from the
// start, whatever the rest turns out to be.
func newReport(spec bundle.Spec) *finding.Report {
	rep := finding.NewReport(spec.Name, spec.Ref)
	declare(rep, spec)
	return rep
}

func declare(rep *finding.Report, spec bundle.Spec) {
	d := spec.Declared
	rep.Owner, rep.Tags, rep.NameFound = d.Owner, d.Tags, spec.Found
	for _, g := range d.Gaps {
		rep.Unknowns = append(rep.Unknowns, finding.Unknown{Path: g.What, Kind: string(sbom.Unreadable), Reason: g.Reason, Code: true})
	}
	if d.Descriptor == "" {
		return
	}
	rep.Platform, rep.Runtime, rep.Handler, rep.Architecture = string(spec.Platform), spec.Runtime, spec.Handler, spec.Arch
	rep.Declared = &finding.Declared{
		Descriptor: d.Descriptor, Resource: d.Resource, FunctionName: d.FunctionName, URLAuth: d.URLAuth, Role: d.Role,
		Policies: d.Policies, Environment: d.Environment, CodeSigning: d.CodeSigning, SigningMode: d.SigningMode, Profiles: d.Profiles, Layers: d.Layers, Image: d.Image, Condition: d.Condition, Unresolved: d.Unresolved,
	}
	for _, t := range d.Triggers {
		rep.Declared.Triggers = append(rep.Declared.Triggers, finding.Trigger(t))
	}
}
