package audit

import (
	"context"
	"fmt"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/trust"
)

// checkTrust reports what speaks against the dependencies and needs no bytes.
func checkTrust(ctx context.Context, a *Auditor, s *Subject) (Result, error) {
	res := Result{}
	byPURL := components(s.SBOM)
	private, err := trust.ParseNames(a.Policy.Dependencies.Private)
	if err != nil {
		return res, fmt.Errorf("read the policy's private names: %w", err)
	}
	of := trust.Of{
		Components: s.SBOM.Components, Traits: s.SBOM.Traits, Now: a.Now, Standings: s.Standings,
		Private: private, Registries: a.Policy.Dependencies.Registries,
	}
	for _, g := range trust.Judge(of) {
		res.Findings = append(res.Findings, signalFinding(g, byPURL[g.Component]))
	}
	if n := trust.Unplaced(of); n > 0 {
		res.Note = fmt.Sprintf("of %s nothing says where they came from, so that the policy's registries could not be held against them", finding.Count(n, "package", "packages"))
	}
	return res, ctx.Err()
}

// components is an index of a bill by package URL.
func components(bom *sbom.SBOM) map[string]*sbom.Component {
	out := make(map[string]*sbom.Component, len(bom.Components))
	for i := range bom.Components {
		out[bom.Components[i].PURL] = &bom.Components[i]
	}
	return out
}

// signalFinding is a signal as a finding.
func signalFinding(g trust.Signal, c *sbom.Component) finding.Finding {
	f := finding.Finding{Kind: finding.KindUntrusted, Rule: string(g.Rule), ID: string(g.Rule), Certainty: finding.Certain, Component: g.Component, Title: g.Title,
		Severity: map[trust.Weight]finding.Severity{trust.Low: finding.Low, trust.Medium: finding.Medium, trust.High: finding.High}[g.Weight]}
	if f.Severity == "" {
		f.Severity = finding.None
	}
	if g.Probable {
		f.Certainty = finding.Probable
	}
	about(&f, c)
	for _, e := range g.Evidence {
		ev := finding.Evidence{Source: e.Source, Artifact: e.Artifact, Locator: e.Locator, Detail: e.Detail}
		if !e.At.IsZero() {
			at := e.At.UTC()
			ev.At = &at
		}
		f.Evidence = append(f.Evidence, ev)
	}
	return f
}
