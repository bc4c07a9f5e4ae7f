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
		return
	}
	if len(d.Changes) == 0 && d.Before.JudgedAt.IsZero() && d.Unread == 0 && p.doc.Fleet != nil {
		// there are no reports: what is deployed says it
	} else if len(d.Changes) == 0 {
		p.wrapped("", 0, 0, unchanged(d))
	} else {
		p.line("%s%s%s:", finding.Count(len(d.Changes), "change", "changes"), since(d), unread(d))
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
		groups := byPackage(list, p.opt.Verbose)
		most := maxChanges
		if p.opt.Verbose || len(groups) == most+1 {
			most = len(groups)
		}
		for _, g := range groups[:min(most, len(groups))] {
			p.change(g[0], g[1:])
		}
		left := 0
		for _, g := range groups[min(most, len(groups)):] {
			left += len(g)
		}
		if left > 0 {
			p.line("    and %s more (-v lists them)", finding.Thousands(left))
		}
	}
}

// byPackage puts the changes of one cause that are about one package of one
// function together, unless each is to be shown: what turned the verdict first,
// else the worst.
func byPackage(list []finding.Change, each bool) [][]finding.Change {
	type about struct{ function, component string }
	var out [][]finding.Change
	at := map[about]int{}
	for _, c := range list {
		key := about{c.Function, c.Component}
		i, ok := at[key]
		switch {
		case each || !ok || c.Component == "":
			at[key] = len(out)
			out = append(out, []finding.Change{c})
		case c.Decision != nil:
			out[i] = append([]finding.Change{c}, out[i]...)
		default:
			out[i] = append(out[i], c)
		}
	}
	return out
}

// change writes one change: function, finding, why, and the verdict where that
// is another; then the ids of the rest, which is about the same package.
func (p *printer) change(c finding.Change, rest []finding.Change) {
	parts := []string{show(c.Function, maxName)}
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
	if len(rest) > 0 {
		var ids []string
		for _, r := range rest {
			ids = append(ids, show(r.ID, maxPackage))
		}
		text += "; likewise " + listed(ids, 3)
	}
	p.wrapped("  - ", 4, 4, text)
	if c.Decision != nil {
		p.line("    verdict: %s -> %s", p.decision(c.Decision.Before), p.decision(c.Decision.After))
	}
}
