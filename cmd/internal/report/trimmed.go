package report

import (
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Trims says whether a format writes of a report that Trimmed returned what it
// writes of the report: formats that show the verdict, what to do and what ends.
func Trims(name string) bool { return slices.Contains([]string{"markdown", "github", "ics"}, name) }

// Trimmed is what formats that Trims names need of a report, in memory of its own:
// strings of a stored report keep all of its text.
func Trimmed(r *finding.Report) *finding.Report {
	out := finding.NewReport(strings.Clone(r.Name), strings.Clone(r.Target))
	out.Owner = strings.Clone(r.Owner)
	out.Verdict = r.Verdict
	out.Verdict.Reasons, out.Verdict.Warnings, out.Verdict.Next = ownList(r.Verdict.Reasons), ownList(r.Verdict.Warnings), strings.Clone(r.Verdict.Next)
	counted := map[string]bool{} // components of findings that count
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Counts == "" {
			continue
		}
		own := ownFinding(f)
		own.State, own.Counts = strings.Clone(f.State), f.Counts
		counted[f.Component] = true
		out.Findings = append(out.Findings, own)
	}
	for i := range r.Components {
		c := &r.Components[i]
		if !counted[c.PURL] || c.Listed == nil && c.Upgrade == "" {
			continue
		}
		own := finding.Component{PURL: strings.Clone(c.PURL), Upgrade: strings.Clone(c.Upgrade)}
		if c.Listed != nil {
			own.Listed = &finding.Listed{File: strings.Clone(c.Listed.File), Line: c.Listed.Line}
		}
		out.Components = append(out.Components, own)
	}
	for _, u := range r.Upgrades {
		out.Upgrades = append(out.Upgrades, finding.Upgrade{
			Name: strings.Clone(u.Name), From: strings.Clone(u.From), To: strings.Clone(u.To), Command: strings.Clone(u.Command),
			Clears: make([]string, len(u.Clears)), // only how many
		})
	}
	out.Calendar = slices.Clone(r.Calendar)
	for i := range out.Calendar {
		e := &out.Calendar[i]
		for _, s := range []*string{&e.Date, &e.What, &e.Event, &e.Consequence, &e.Component, &e.Source} {
			*s = strings.Clone(*s)
		}
	}
	return out
}
