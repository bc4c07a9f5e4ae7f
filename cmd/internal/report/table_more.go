package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// every lists each finding with everything that is known about it (-v).
func (p *printer) every(heading string, fs []finding.Finding, r *finding.Report, style string) {
	if len(fs) == 0 {
		return
	}
	if heading != "" {
		p.line("  %s", p.paint(styleBold, heading))
	}
	for _, x := range gather(r, fs) {
		head := fmt.Sprintf("%s %s", show(x.name, maxPackage), show(x.version, maxName))
		if x.upgrade != noFix {
			head += " -> " + show(x.upgrade, maxName)
		}
		if x.worst.State != "" && x.worst.State != "live" {
			head += " (" + esc(x.worst.State) + ")"
		}
		p.line("  %s", p.paint(cmp.Or(style, styleBold), head))
		for _, path := range places(r, x.worst.Component, 3) {
			p.line("    %s", p.paint(styleDim, clipPath(path, p.opt.Width-4)))
		}
		for _, f := range x.findings {
			p.detail(f, style)
		}
	}
	p.line("")
}

// detail is one finding in one or two lines: severity, ids, fix, title.
func (p *printer) detail(f finding.Finding, style string) {
	rating := string(f.Severity)
	text := show(f.ID, maxName)
	if len(f.Aliases) > 0 {
		shown := f.Aliases[:min(len(f.Aliases), 6)]
		text += " " + esc(strings.Join(shown, " "))
		if n := len(f.Aliases) - len(shown); n > 0 {
			text += fmt.Sprintf(" +%d", n)
		}
	}
	var facts []string
	if f.Score > 0 {
		facts = append(facts, fmt.Sprintf("CVSS %.1f", f.Score))
	}
	if f.KEV {
		facts = append(facts, "known to be exploited")
	}
	if f.EPSS > 0 {
		facts = append(facts, fmt.Sprintf("EPSS %.1f%%", 100*f.EPSS))
	}
	if f.Certainty != finding.Certain {
		facts = append(facts, string(f.Certainty))
	}
	if f.Reach != "" && f.Reach != finding.ReachUnknown {
		facts = append(facts, f.Reach)
	}
	if len(f.Fixed) > 0 {
		facts = append(facts, "fixed in "+strings.Join(f.Fixed, ", "))
	} else {
		facts = append(facts, "no fix known")
	}
	p.wrapped("    "+p.paint(cmp.Or(style, severityStyle(f.Severity)), pad(rating, 8))+"  ", 14, 14, text+"; "+esc(strings.Join(facts, ", ")))
	if f.Title != "" {
		p.wrapped(strings.Repeat(" ", 14), 14, 14, esc(f.Title))
	}
}

// unknowns lists what could not be read or attributed, and folds what no
// advisory source covers by its reason.
func (p *printer) unknowns(r *finding.Report) {
	var gaps []finding.Unknown
	unmatched := map[string]int{}
	for _, u := range r.Unknowns {
		switch {
		case u.Waived != nil || disagreement(u):
		case platform(u.Origin) && !u.Code && !p.opt.Verbose: // counted in the platform's line
		case u.Kind != "unmatched":
			gaps = append(gaps, u)
		case platform(u.Origin) && !p.opt.Verbose: // counted in the platform's line
		default:
			unmatched[unmatchedKey(u)]++
		}
	}
	if len(gaps) > 0 {
		p.line("  %s", p.paint(styleWarn, "Could not be judged"))
		slices.SortStableFunc(gaps, func(a, b finding.Unknown) int { return cmp.Compare(unknownRank(a), unknownRank(b)) })
		most := p.most(len(gaps), maxUnknowns)
		for _, u := range gaps[:most] {
			path := cmp.Or(u.Path, "(the whole artifact)")
			if len(r.Artifacts) > 1 {
				path = place(r, u.Artifact, u.Path)
			}
			p.wrapped("    "+pad(esc(u.Kind), 12)+"  ", 18, 18, clipPath(esc(path), p.opt.Width-18)+": "+esc(u.Reason))
		}
		if more := len(gaps) - most; more > 0 {
			p.line("    and %d more (-v lists them)", more)
		}
		p.line("")
	}
	for _, key := range sortedKeys(unmatched) {
		kind, why, _ := strings.Cut(key, "\x00")
		p.wrapped("  ", 2, 4, finding.Count(unmatched[key], kind+" package", kind+" packages")+": "+esc(why))
	}
	if len(unmatched) > 0 {
		p.line("")
	}
}

// unknownRank puts what concerns code first.
func unknownRank(u finding.Unknown) int {
	if u.Code {
		return 0
	}
	return 1
}

// unmatchedKey folds components without an advisory source by type and reason.
// The reason that names only the type is said in fewer words.
func unmatchedKey(u finding.Unknown) string {
	kind := esc(typeOf(u.PURL))
	why := finding.UnjudgedReason(u)
	if kind == "" {
		kind = "unnamed"
		if u.PURL == "" {
			kind = "unidentified"
		}
	}
	return kind + "\x00" + why
}

// platform folds what came with the base image or the runtime into one line.
func (p *printer) platform(r *finding.Report, fs []finding.Finding) {
	packages, opaque := 0, 0
	var unjudged []finding.Unknown
	what := map[string]int{}
	for _, c := range r.Components {
		if platform(c.Origin) {
			packages++
			what[c.Origin]++
		}
	}
	for _, u := range r.Unknowns {
		switch {
		case u.Waived != nil || disagreement(u) || !platform(u.Origin):
		case u.Kind == "unmatched":
			unjudged = append(unjudged, u)
		case !u.Code:
			what[u.Origin]++
			opaque++
		}
	}
	if packages == 0 && len(fs) == 0 && len(unjudged) == 0 && opaque == 0 {
		return
	}
	name := "Base image"
	switch {
	case what["base"] == 0 && what["runtime"] > 0:
		name = "Runtime"
	case what["runtime"] > 0:
		name = "Base image and runtime"
	}
	text := fmt.Sprintf("%s: %s, %s", name, finding.Count(packages, "package", "packages"), finding.Count(len(fs), "finding", "findings"))
	if len(fs) > 0 {
		count := map[string]int{}
		for _, f := range fs {
			count[string(f.Severity)]++
		}
		var parts []string
		for _, s := range []finding.Severity{finding.Critical, finding.High, finding.Medium, finding.Low, finding.None, finding.UnknownSeverity} {
			if n := count[string(s)]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, s))
			}
		}
		text += " (" + strings.Join(parts, ", ") + "; -v lists them)"
	}
	for _, why := range finding.Unjudged(unjudged) {
		text += ", " + esc(why)
	}
	if opaque > 0 {
		text += ", " + finding.Count(opaque, "file", "files") + " that no package accounts for"
	}
	p.dimmed(text)
	p.line("")
}

// absent folds the findings whose code the linker left out.
func (p *printer) absent(fs []finding.Finding) {
	if len(fs) == 0 {
		return
	}
	count := map[string]int{}
	for _, f := range fs {
		count[label(f.Component)]++
	}
	names := sortedKeys(count)
	text := ""
	for i, name := range names {
		if i == maxFolded && len(names) > maxFolded+1 {
			text += fmt.Sprintf(" and %d more packages", len(names)-i)
			break
		}
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s (%d)", show(name, maxPackage), count[name])
	}
	p.dimmed("Not linked: " + finding.Count(len(fs), "advisory", "advisories") + " about code that is not in the binary: " + text + "; -v lists them")
	p.line("")
}

// shadowed folds the findings of copies that are not loaded.
func (p *printer) shadowed(r *finding.Report, fs []finding.Finding) {
	rows := gather(r, fs)
	if len(rows) == 0 {
		return
	}
	var names []string
	for _, x := range rows {
		state := x.worst.State
		names = append(names, fmt.Sprintf("%s %s (%s, %s, %s)", show(x.name, maxPackage), show(x.version, maxName), x.worst.Severity, finding.Count(len(x.findings), "finding", "findings"), esc(state)))
	}
	more := ""
	if len(names) > maxFolded {
		more = fmt.Sprintf("; and %d more (-v lists them)", len(names)-maxFolded)
		names = names[:maxFolded]
	}
	p.dimmed("Not loaded, so not counted: " + strings.Join(names, "; ") + more)
	p.line("")
}

// checks lists the checks that did not run to their end, those with the same
// reason together, and what those that ran could not ask.
func (p *printer) checks(r *finding.Report) {
	var heads []string
	said := map[string][]string{} // what became of it, and why -> checks
	for _, c := range r.Checks {
		key := string(c.State) + "\n" + c.Reason
		if c.State == finding.Ran && (c.Reason == "" || !p.opt.Verbose && c.Check != "facts" && c.Check != "integrity" && c.Check != "trust") {
			continue
		}
		if said[key] == nil {
			heads = append(heads, key)
		}
		said[key] = append(said[key], esc(c.Check))
	}
	for _, key := range heads {
		state, reason, _ := strings.Cut(key, "\n")
		text := "check " + strings.Join(said[key], ", ")
		if len(said[key]) > 1 {
			text = "checks " + strings.Join(said[key], ", ")
		}
		style := styleDim
		switch finding.CheckState(state) {
		case finding.Ran:
		case finding.Failed:
			style = styleWarn
			fallthrough
		default:
			text += " " + esc(state)
		}
		p.wrapped("  "+p.paint(style, text), 2+columns(text), 4, strings.TrimSuffix(": "+esc(reason), ": "))
	}
	if len(heads) > 0 {
		p.line("")
	}
}

// most returns how many of n rows are shown where limit are by default: one more
// takes no more room than the line that would say so.
func (p *printer) most(n, limit int) int {
	if p.opt.Verbose || n == limit+1 {
		return n
	}
	return min(n, limit)
}

// warnings lists what the policy warns of, unless a section above shows it.
func (p *printer) warnings(r *finding.Report) {
	var shown []string
	for _, s := range r.Verdict.Warnings {
		if p.opt.Verbose || !shownAbove(r, s) {
			shown = append(shown, s)
		}
	}
	if len(shown) == 0 {
		return
	}
	p.line("  Warnings")
	most := p.most(len(shown), maxWarnings)
	for _, s := range shown[:most] {
		p.wrapped("    - ", 6, 6, esc(s))
	}
	if more := len(shown) - most; more > 0 {
		p.line("      and %d more (-v lists them)", more)
	}
	p.line("")
}

// shownAbove says whether a section shows what a warning says: one about a
// package starts with its purl, one about an archive with its rule;
// one about a runtime or a signature is a title.
func shownAbove(r *finding.Report, warning string) bool {
	if strings.HasPrefix(warning, "pkg:") || strings.Contains(warning, " unjudged: ") {
		return true
	}
	return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		return f.Kind == finding.KindArchive && strings.HasPrefix(warning, f.Rule+": ") || (f.Kind == finding.KindRuntime || f.OfTrust() || f.OfDependency()) && warning == f.Title ||
			f.OfDependency() && strings.HasPrefix(warning, f.Rule+": ")
	})
}

// waived counts what somebody accepted; -v says who, until when and why.
func (p *printer) waived(r *finding.Report, fs []finding.Finding) {
	var unknowns []finding.Unknown
	for _, u := range r.Unknowns {
		if u.Waived != nil {
			unknowns = append(unknowns, u)
		}
	}
	if len(fs)+len(unknowns) == 0 {
		return
	}
	if !p.opt.Verbose {
		var parts []string
		if len(fs) > 0 {
			parts = append(parts, finding.Count(len(fs), "finding", "findings"))
		}
		if len(unknowns) > 0 {
			parts = append(parts, finding.Count(len(unknowns), "unknown", "unknowns"))
		}
		p.dimmed("Waived: " + strings.Join(parts, " and ") + " (-v lists them)")
		p.line("")
		return
	}
	p.line("  %s", p.paint(styleBold, "Waived"))
	for _, f := range fs {
		p.wrapped("    ", 4, 6, esc(fmt.Sprintf("%s %s %s: %s", f.ID, label(f.Component), f.Severity, acceptance(f.Waived))))
	}
	for _, u := range unknowns {
		p.wrapped("    ", 4, 6, esc(fmt.Sprintf("%s %s: %s", u.Kind, cmp.Or(u.PURL, u.Path), acceptance(u.Waived))))
	}
	p.line("")
}

func (p *printer) dimmed(text string) {
	for i, l := range wrap(text, p.opt.Width-4) {
		if i > 0 {
			l = "  " + l
		}
		p.line("  %s", p.paint(styleDim, l))
	}
}
