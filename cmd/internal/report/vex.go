package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// stated says what a statement says, who says it and where, and whether it is
// followed.
func stated(v *finding.VEX) string {
	s := strings.ReplaceAll(v.Status, "_", " ")
	if v.Justification != "" {
		s += " (" + strings.ReplaceAll(v.Justification, "_", " ") + ")"
	}
	s += ", says " + cmp.Or(v.Author, "somebody") + " in " + v.Source
	if !v.At.IsZero() {
		s += " of " + v.At.UTC().Format(time.DateOnly)
	}
	if v.Statement != "" {
		s += ": " + v.Statement
	}
	if v.Refused != "" {
		s += " [does not count: " + v.Refused + "]"
	}
	return s
}

// imported is what a statement that clears a finding gives as its reason, of
// which OpenVEX takes one of two for not_affected, and none for fixed. A word
// that is none of its own becomes the impact.
func imported(v *finding.VEX) (justification, impact string) {
	switch {
	case v.Status != finding.VEXNotAffected:
		return "", ""
	case slices.Contains(finding.VEXJustifications(), v.Justification):
		return v.Justification, ""
	}
	return "", strings.TrimPrefix(strings.TrimSuffix(v.Justification+": "+v.Statement, ": "), ": ")
}

// vexed counts what statements clear; -v says which, and what they say.
func (p *printer) vexed(fs []finding.Finding) {
	if len(fs) == 0 {
		return
	}
	if !p.opt.Verbose {
		var sources []string
		for _, f := range fs {
			if !slices.Contains(sources, f.VEX.Source) {
				sources = append(sources, f.VEX.Source)
			}
		}
		slices.Sort(sources)
		if more := len(sources) - 3; more > 0 {
			sources = append(sources[:3], finding.Count(more, "more document", "more documents"))
		}
		p.dimmed(fmt.Sprintf("Not affected by VEX: %s (%s; -v lists them)", finding.Count(len(fs), "finding", "findings"), esc(strings.Join(sources, ", "))))
		p.line("")
		return
	}
	p.line("  %s", p.paint(styleBold, "Not affected by VEX"))
	for _, f := range fs {
		p.wrapped("    ", 4, 6, esc(fmt.Sprintf("%s %s %s: %s", f.ID, label(f.Component), f.Severity, stated(f.VEX))))
	}
	p.line("")
}
