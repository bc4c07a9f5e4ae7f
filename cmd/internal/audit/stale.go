package audit

import (
	"context"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/stale"
)

// checkStale reports what is past its time, by what registries say and by dated tables.
func checkStale(ctx context.Context, a *Auditor, s *Subject) (Result, error) {
	res := Result{}
	table, err := a.ends()
	if err != nil {
		return res, err
	}
	byPURL := components(s.SBOM)
	ends := table.Ends(s.SBOM.Components, a.Now)
	for i := range ends {
		if n, ok := ends[i].Note(); ok {
			res.Findings = append(res.Findings, staleFinding(n, byPURL[n.Component]))
		}
		res.Calendar = append(res.Calendar, endEvents(&ends[i], a.Now)...)
	}
	if n, ok := stale.OldTables(ends); ok {
		res.Findings = append(res.Findings, staleFinding(n, nil))
	}
	for _, n := range stale.SDKs(s.SBOM.Components, s.Standings, s.declaredRuntime(table, a.Now)) {
		res.Findings = append(res.Findings, staleFinding(n, byPURL[n.Component]))
	}
	unfixed := s.unfixed()
	for i := range s.SBOM.Components {
		c := &s.SBOM.Components[i]
		st := s.Standings[c.PURL]
		if st == nil {
			continue
		}
		limits := stale.Limits{Unmaintained: s.Policy.Stale.Unmaintained, Age: s.Policy.Stale.Age, Unfixed: unfixed[c.PURL]}
		for _, n := range stale.Judge(c, st, limits, a.Now) {
			res.Findings = append(res.Findings, staleFinding(n, c))
		}
	}
	return res, ctx.Err()
}

// unfixed is the packages with a known vulnerability that no version fixes.
func (s *Subject) unfixed() map[string]bool {
	out := map[string]bool{}
	for _, f := range s.Findings {
		if f.Kind == finding.KindVulnerability && len(f.Fixed) == 0 && f.Reach != finding.ReachAbsent {
			out[f.Component] = true
		}
	}
	return out
}

// declaredRuntime is what the table says of the runtime that somebody declared;
// nil when nobody did, or it says nothing.
func (s *Subject) declaredRuntime(table *stale.Runtimes, now time.Time) *stale.Answer {
	if answer, ok := table.Look(s.Platform, s.Runtime, now); ok && s.Runtime != "" && !s.RuntimeGuessed {
		return &answer
	}
	return nil
}

// staleFinding is a note as a finding.
func staleFinding(n stale.Note, c *sbom.Component) finding.Finding {
	f := finding.Finding{Kind: finding.KindStale, Rule: string(n.Rule), ID: string(n.Rule), Severity: finding.Severity(n.Severity), Certainty: finding.Certain,
		Component: n.Component, Title: n.Title, Fixed: n.Fixed}
	if n.Probable {
		f.Certainty = finding.Probable
	}
	if n.About != "" {
		f.ID += ":" + n.About
	}
	about(&f, c)
	if c == nil && n.Origin != "" {
		f.Origin = string(n.Origin)
	}
	ev := finding.Evidence{Source: n.From, Locator: n.Source, Detail: n.Detail}
	if !n.AsOf.IsZero() {
		at := n.AsOf.UTC()
		ev.At = &at
	}
	f.Evidence = []finding.Evidence{ev}
	return f
}

// about completes a finding about a component; nil: it is about the function.
func about(f *finding.Finding, c *sbom.Component) {
	if c == nil {
		f.Origin = string(sbom.OriginApp)
		return
	}
	f.ID += ":" + c.Name
	f.State, f.Origin = string(c.State), string(c.Origin)
}
