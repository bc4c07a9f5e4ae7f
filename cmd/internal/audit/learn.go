package audit

import (
	"context"
	"slices"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// Learn asks registries what later checks of a bill of materials would ask, so
// that they find it in the cache. The result has the components with what is
// known of each, and judges nothing. Only a cancelled ctx is an error.
func (a *Auditor) Learn(ctx context.Context, bom *sbom.SBOM) (*finding.Report, error) {
	rep := finding.NewReport("", "")
	addSBOM(rep, bom)
	asking := &Auditor{Policy: a.Policy, Registry: a.Registry, Trust: a.Trust, Now: a.Now,
		Checks: slices.DeleteFunc(All(), func(c Check) bool { return !slices.Contains([]string{"facts", "attestation", "attestations"}, c.Name) })}
	asking.check(ctx, rep, &Subject{SBOM: bom})
	return rep, ctx.Err()
}

// Bill returns the bill of materials that a report holds, as far as checks
// without the bytes need it.
func Bill(r *finding.Report) *sbom.SBOM {
	places, proofs := 0, 0
	for i := range r.Components {
		places, proofs = places+len(r.Components[i].Locations), proofs+len(r.Components[i].Evidence)
	}
	// One piece of memory for all of a kind: a night makes thousands of bills.
	occurrences, evidence := make([]sbom.Occurrence, 0, places), make([]sbom.Evidence, 0, proofs)
	out := &sbom.SBOM{}
	if len(r.Components) > 0 {
		out.Components = make([]sbom.Component, len(r.Components))
	}
	for i := range r.Components {
		c := &r.Components[i]
		one := &out.Components[i]
		*one = sbom.Component{
			Ref: c.PURL, PURL: c.PURL, Name: c.Name, Version: c.Version, Versions: c.Versions, Disputed: c.Disputed, Ecosystem: c.Ecosystem, Source: c.Source, SourceVersion: c.SourceVersion,
			Main: c.Main, State: sbom.State(c.State), Origin: sbom.Origin(c.Origin), Hashes: c.Hashes, Licenses: c.Licenses, Resolved: c.Resolved, Requires: c.Requires, Ranges: c.Ranges, Confidence: c.Confidence,
		}
		for _, t := range c.Traits {
			one.Traits = append(one.Traits, sbom.Trait{Kind: sbom.TraitKind(t.Kind), Artifact: t.Artifact, Path: t.Path, Detail: t.Detail})
		}
		from := len(occurrences)
		for _, l := range c.Locations {
			occurrences = append(occurrences, sbom.Occurrence{Artifact: l.Artifact, Layer: bundle.Digest(l.Layer), Path: l.Path, State: sbom.State(l.State)})
		}
		if n := len(occurrences); n > from {
			one.Occurrences = occurrences[from:n:n]
		}
		from = len(evidence)
		for _, e := range c.Evidence {
			evidence = append(evidence, sbom.Evidence{Method: e.Method, Confidence: e.Confidence, Artifact: e.Artifact, Path: e.Path, Detail: e.Detail, Differs: e.Differs})
		}
		if n := len(evidence); n > from {
			one.Evidence = evidence[from:n:n]
		}
	}
	return out
}
