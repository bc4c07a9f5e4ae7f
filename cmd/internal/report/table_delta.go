package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// maxNotes is how many warnings about a run are listed.
const maxNotes = 10

// maxChanges is how many changes of one cause the table lists.
const maxChanges = 20

// causeTitles say in words why something is not what it was.
var causeTitles = []struct {
	cause finding.Cause
	title string
}{
	{finding.CauseNewAdvisory, "New advisory"},
	{finding.CauseChangedAdvisory, "Changed advisory"},
	{finding.CauseWithdrawnAdvisory, "Withdrawn advisory"},
	{finding.CauseArtifact, "Changed artifact"},
	{finding.CauseDeployed, "Deployed otherwise"},
	{finding.CausePolicy, "Policy"},
	{finding.CauseRuntime, "Runtime crossed a date"},
	{finding.CauseWaiver, "Waiver ended"},
	{finding.CauseTime, "Time"},
	{finding.CauseFixed, "Fixed"},
	{finding.CauseNew, "New function"},
	{finding.CauseGone, "Gone"},
	{finding.CauseProgram, "Other program, or edited report"},
}

// delta writes what changed since the earlier reports, by cause; then the
// functions that do not pass now.
func (p *printer) delta(d *finding.Delta) {
	if p.opt.Quiet {
		if len(d.Changes) > 0 {
			p.changes(d)
		}
		p.quietFleet(p.doc.Fleet)
		if s := p.doc.Summary; s.Pass < s.Functions {
			p.totals()
		}
		return
	}
	if len(d.Changes) == 0 && d.Before.JudgedAt.IsZero() && d.Unread == 0 && p.doc.Fleet != nil {
		// there are no reports: what is deployed says it
	} else if len(d.Changes) == 0 {
		p.wrapped("", 0, 0, unchanged(d))
	} else {
		p.line("%s in %s%s%s:", finding.Count(len(d.Changes), "change", "changes"), finding.Count(finding.ChangedFunctions(d.Changes), "function", "functions"), since(d), unread(d))
		p.line("")
		p.changes(d)
	}
	if few := p.opt.Verbose || len(p.doc.Functions) <= maxFull; few && slices.ContainsFunc(p.doc.Functions, func(r *finding.Report) bool { return r.Verdict.Decision != finding.Pass && !p.inFleet(r) }) {
		if p.lines > 0 {
			p.line("")
		}
		p.short()
	}
	p.fleet(p.doc.Fleet)
	if p.doc.Fleet != nil && len(p.doc.Warnings) > 0 {
		p.line("")
	}
	for i, w := range p.doc.Warnings {
		if i == maxNotes && !p.opt.Verbose {
			p.line("note: and %s more (-v lists them)", finding.Thousands(len(p.doc.Warnings)-i))
			break
		}
		p.wrapped("note: ", 6, 6, esc(w))
	}
	p.footer()
}

// unchanged says that nothing changed, as far as that is known.
func unchanged(d *finding.Delta) string {
	if d.Unread > 0 && d.Before.JudgedAt.IsZero() {
		return "Nothing was compared: " + strings.TrimPrefix(unread(d), ", but ") + "."
	}
	return "Nothing changed" + since(d) + unread(d) + "."
}

// unread says how many reports cannot be read, of which nobody knows what changed.
func unread(d *finding.Delta) string {
	switch d.Unread {
	case 0:
		return ""
	case 1:
		return ", but 1 report cannot be read, and what changed in it is not known"
	}
	return ", but " + finding.Thousands(d.Unread) + " reports cannot be read, and what changed in them is not known"
}

// since says of when the earlier reports are.
func since(d *finding.Delta) string {
	if d.Before.JudgedAt.IsZero() {
		return ""
	}
	return " since " + d.Before.JudgedAt.UTC().Format(time.DateOnly)
}

// changes lists changes by cause.
func (p *printer) changes(d *finding.Delta) {
	for _, c := range causeTitles {
		var list []finding.Change
		for _, ch := range d.Changes {
			if ch.Cause == c.cause {
				list = append(list, ch)
			}
		}
		if len(list) == 0 {
			continue
		}
		p.line("%s", p.paint(styleBold, fmt.Sprintf("%s (%s)", c.title, finding.Thousands(len(list)))))
		groups := p.together(list)
		most := maxChanges
		if p.opt.Verbose || len(groups) == most+1 {
			most = len(groups)
		}
		for i := range groups[:min(most, len(groups))] {
			p.change(&groups[i])
		}
		left := 0
		for _, g := range groups[min(most, len(groups)):] {
			left += g.Count
		}
		if left > 0 {
			p.line("    and %s more (-v lists them)", finding.Thousands(left))
		}
	}
}

// together groups the changes of one cause; verbose shows each by itself.
func (p *printer) together(list []finding.Change) []finding.Together {
	if !p.opt.Verbose {
		return finding.GroupChanges(list)
	}
	var out []finding.Together
	for i := range list {
		out = append(out, finding.GroupChanges(list[i:i+1])...)
	}
	return out
}

// change writes one change: functions, finding, why, and the verdicts where
// those are others; then the ids of the rest, which is about the same package.
func (p *printer) change(g *finding.Together) {
	c := &g.Change
	parts := []string{p.places(g.Functions)}
	if c.Component != "" {
		parts = append(parts, show(strings.TrimPrefix(c.Component, "pkg:"), maxPackage))
	}
	if c.ID != "" {
		parts = append(parts, show(c.ID, maxPackage))
	}
	if c.Severity != "" && c.Cause != finding.CauseGone {
		parts = append(parts, string(c.Severity))
	}
	text := strings.Join(parts, "  ") + ": " + esc(c.Detail)
	if c.Before != "" && c.After != "" && c.Before != c.After && c.Decision == nil {
		text += esc(fmt.Sprintf(" (%s -> %s)", c.Before, c.After))
	}
	if len(g.Also) > 0 {
		text += "; likewise " + listed(shown(g.Also, maxPackage), 3)
	}
	p.wrapped("  - ", 4, 4, text)
	if len(g.Functions) > maxPlaces {
		p.wrapped("    in ", 7, 7, listed(shown(g.Functions, maxName), maxPlaces))
	}
	for _, t := range g.Turned {
		where := ""
		if len(t.Functions) < len(g.Functions) {
			where = " in " + p.places(t.Functions)
		}
		p.line("    verdict: %s -> %s%s", p.decision(t.Before), p.decision(t.After), where)
	}
}

// maxPlaces is how many functions of one change are named.
const maxPlaces = 3

// places names functions, or counts them.
func (p *printer) places(names []string) string {
	if len(names) > maxPlaces {
		return finding.Count(len(names), "function", "functions")
	}
	return strings.Join(shown(names, maxName), ", ")
}

// shown is names made fit to be shown, each at most width columns.
func shown(names []string, width int) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = show(name, width)
	}
	return out
}
