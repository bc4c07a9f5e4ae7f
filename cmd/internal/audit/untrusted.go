package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/trust"
)

// checkTrust reports what speaks against the dependencies and needs no bytes.
func checkTrust(ctx context.Context, a *Auditor, s *Subject) (Result, error) {
	res := Result{}
	of, err := a.trustOf(ctx, s)
	if err != nil {
		return res, err
	}
	byPURL := components(s.SBOM)
	for _, g := range append(trust.Judge(of), trust.JudgePlatform(a.platformOf(s), s.SBOM.Components)...) {
		res.Findings = append(res.Findings, signalFinding(g, byPURL[g.Component]))
	}
	var left []string
	if n := trust.Unplaced(of); n > 0 {
		left = append(left, fmt.Sprintf("of %s nothing says where they came from, so that the policy's registries could not be held against them", finding.Count(n, "package", "packages")))
	}
	if n := trust.Undated(of); n > 0 {
		left = append(left, fmt.Sprintf("of %s it is not known when they were published, so that the policy's cool-down could not be held against them", finding.Count(n, "package", "packages")))
	}
	res.Note = strings.Join(left, "; ")
	return res, ctx.Err()
}

// trustOf is what the rules of trust look at.
func (a *Auditor) trustOf(ctx context.Context, s *Subject) (trust.Of, error) {
	d := a.Policy.Dependencies
	private, err := trust.ParseNames(d.Private)
	if err != nil {
		return trust.Of{}, fmt.Errorf("read the policy's private names: %w", err)
	}
	return trust.Of{
		Components: s.SBOM.Components, Traits: s.SBOM.Traits, Now: a.Now, Standings: s.Standings,
		Private: private, Registries: d.Registries, CoolDown: d.CoolDown,
		Malware: s.malware(), Fixes: a.fixes(ctx, s),
	}, nil
}

// malware is the packages that an advisory calls malware.
func (s *Subject) malware() map[string]bool {
	out := map[string]bool{}
	for _, f := range s.Findings {
		if f.Kind == finding.KindMalware {
			out[f.Component] = true
		}
	}
	return out
}

// fixes finds known-exploited vulnerabilities that earlier versions of a
// component have and the component has not. What cannot be matched is not known.
func (a *Auditor) fixes(ctx context.Context, s *Subject) func(*sbom.Component, string) string {
	return func(c *sbom.Component, earlier string) string {
		before := *c
		before.Version, before.Versions, before.SourceVersion = earlier, nil, ""
		found, _, err := a.matchComponent(ctx, before, map[string]affected{})
		if err != nil {
			return ""
		}
		for _, f := range found {
			if f.KEV && !slices.ContainsFunc(s.Findings, func(has finding.Finding) bool { return has.Component == c.PURL && has.ID == f.ID }) {
				return f.ID
			}
		}
		return ""
	}
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
	if g.About != "" {
		f.ID += ":" + g.About
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
