package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// function prints one function: header, malware, what to upgrade, what may
// apply, what could not be judged, and the verdict with its reasons.
func (p *printer) function(r *finding.Report) {
	p.header(r)
	before := p.lines
	g := sortFindings(r)
	p.malware(r, g.malware)
	if p.opt.Verbose {
		p.every("", g.live, r, "")
		p.every("Possible: the version is not known", g.possible, r, "")
		p.every("Not linked: none of the code that the advisory names is in the binary", g.absent, r, styleDim)
		p.every("Not loaded: another copy wins, or the runtime brings it", g.shadowed, r, styleDim)
		p.every("Base image and runtime: the platform's, not yours", g.platform, r, styleDim)
		p.archive(g.archive)
		p.others(g.other)
	} else {
		p.table(r, g.live)
		p.possible(g.possible)
		p.archive(g.archive)
		p.others(g.other)
	}
	p.dependencies(r, "Untrusted", g.untrusted)
	p.dependencies(r, "Stale", g.stale)
	p.dependencies(r, "Licences", g.licence)
	p.dependencies(r, "Exposure", g.exposure)
	p.dependencies(r, "Deployed", g.drift)
	p.unknowns(r)
	p.coverage(r)
	p.disagreements(r)
	if !p.opt.Verbose {
		p.platform(r, g.platform)
		p.shadowed(r, g.shadowed)
		p.absent(g.absent)
	}
	p.leftOut(r)
	p.checks(r)
	clean := r.Verdict.Decision == finding.Pass && p.lines == before
	if clean {
		p.line("  nothing is known against its packages")
	}
	said := p.lines
	if clean && (len(r.Calendar) > 0 || len(r.Verdict.Warnings) > 0 || len(g.waived) > 0 || len(g.vex) > 0) {
		p.line("")
	}
	p.calendar(r)
	p.warnings(r)
	if p.opt.Verbose {
		p.every("In the baseline: an earlier report has it", g.old, r, styleDim)
	}
	p.waived(r, g.waived)
	p.vexed(g.vex)
	p.upgrades(r)
	if clean && p.lines == said {
		return // the header has said it
	}
	p.verdict(r)
}

// header is one line: the name, what runs it, how much is inside.
func (p *printer) header(r *finding.Report) {
	var facts []string
	for _, s := range []string{environment(r), fact(r, "architecture", r.Architecture)} {
		if s != "" {
			facts = append(facts, s)
		}
	}
	facts = append(facts, finding.Count(len(r.Components), "package", "packages"))
	if n := len(r.Artifacts) - 1; n > 0 {
		facts = append(facts, finding.Count(n, "layer", "layers"))
	}
	name := show(r.Name, maxName)
	p.wrapped(p.decision(r.Verdict.Decision)+"  "+p.paint(styleBold, name)+"  ",
		columns(word(r.Verdict.Decision))+columns(name)+4, columns(word(r.Verdict.Decision))+2, strings.Join(facts, ", "))
	if r.Target != "" && r.Target != r.Name {
		p.line("  %s", p.paint(styleDim, clipPath(esc(r.Target), p.opt.Width-2)))
	}
	p.signed(r)
	p.deployedAt(r)
	p.line("")
	if r.Vetted != nil {
		p.card(r)
	}
}

// environment is what runs the function: "nodejs20.x on aws-lambda (guessed)".
func environment(r *finding.Report) string {
	runtime, platform := fact(r, "runtime", r.Runtime), fact(r, "platform", r.Platform)
	if r.Platform == "none" {
		platform = ""
	}
	switch {
	case runtime == "" || platform == "":
		return runtime + platform
	case slices.Contains(r.Guessed, "runtime") && slices.Contains(r.Guessed, "platform"):
		runtime = show(r.Runtime, maxName)
	}
	return runtime + " on " + platform
}

// fact is a value, marked when it was guessed from the content.
func fact(r *finding.Report, what, s string) string {
	if s != "" && slices.Contains(r.Guessed, what) {
		return show(s, maxName) + " (guessed)"
	}
	return show(s, maxName)
}

// malware comes first and is never folded: nothing else about the function
// matters until it is gone.
func (p *printer) malware(r *finding.Report, fs []finding.Finding) {
	for _, f := range fs {
		p.line("  %s  %s  %s", p.paint(styleAlarm, " MALWARE "), p.paint(styleBold, show(label(f.Component), maxPackage)), show(f.ID, maxName))
		if f.Title != "" {
			p.wrapped("    ", 4, 4, esc(f.Title))
		}
		for _, path := range places(r, f.Component, 3) {
			p.line("    in %s", clipPath(path, p.opt.Width-7))
		}
		p.line("    remove it, then rotate every secret that the function could read")
		p.line("")
	}
}

// table is one line per package: what it is, what to upgrade to, and why.
func (p *printer) table(r *finding.Report, fs []finding.Finding) {
	rows := gather(r, fs)
	if len(rows) == 0 {
		return
	}
	cells := [][]string{{"SEVERITY", "PACKAGE", "INSTALLED", "UPGRADE TO", "ADVISORIES"}}
	for _, x := range rows {
		cells = append(cells, []string{string(x.worst.Severity), show(x.name, maxPackage), esc(x.version), esc(x.upgrade), x.ids()})
	}
	widths := p.fit(cells)
	p.line("  %s", p.paint(styleDim, cellLine(cells[0], widths)))
	indent := 2
	for _, w := range widths[:4] {
		indent += w + 2
	}
	for i, x := range rows {
		c := cells[i+1]
		head := "  " + p.paint(severityStyle(x.worst.Severity), pad(c[0], widths[0])) + "  "
		if columns(c[1]) > widths[1] {
			// The name is not cut to the column: its end may be all that tells two apart.
			p.line("%s%s", head, c[1])
			head, c[1] = strings.Repeat(" ", widths[0]+4), ""
		}
		head += cellLine(c[1:4], widths[1:4])
		ids := c[4] + x.marks()
		if title := p.title(x, indent+columns(ids)); title != "" {
			p.line("%s%s%s", head, ids, title)
		} else {
			p.wrapped(head, indent, indent, ids)
		}
	}
	p.line("")
}

// cellLine joins cells, each cut and filled to its width and followed by two spaces.
func cellLine(cells []string, widths []int) string {
	var b strings.Builder
	for i, c := range cells {
		b.WriteString(pad(clip(c, widths[i]), widths[i]+2))
	}
	return b.String()
}

// title is the worst advisory's, cut to what is left of the line, when that is
// enough to say something.
func (p *printer) title(row *row, used int) string {
	const least = 24
	left := p.opt.Width - used - 2
	if left < least || row.worst.Title == "" {
		return ""
	}
	return "  " + clip(esc(row.worst.Title), left)
}

// fit returns the widths of the columns. When a line would not fit, the long
// ones give way, each down to what still tells something.
func (p *printer) fit(cells [][]string) []int {
	widths := make([]int, len(cells[0]))
	total := 0
	for _, row := range cells {
		for j, c := range row {
			widths[j] = max(widths[j], columns(c))
		}
	}
	for _, w := range widths {
		total += w + 2
	}
	over := total - p.opt.Width
	for _, give := range []struct{ column, least int }{{3, 16}, {2, 14}, {1, 28}, {3, 12}, {2, 10}, {1, 16}, {3, 10}} {
		if cut := min(over, widths[give.column]-give.least); cut > 0 {
			widths[give.column] -= cut
			over -= cut
		}
	}
	return widths
}

// possible is one line per package whose version is not known.
func (p *printer) possible(fs []finding.Finding) {
	if len(fs) == 0 {
		return
	}
	p.line("  May apply: the version is not known, or not all candidates are affected")
	var names []string
	count, worst := map[string]int{}, map[string]finding.Finding{}
	for _, f := range fs {
		if _, ok := worst[f.Component]; !ok {
			names, worst[f.Component] = append(names, f.Component), f
		}
		count[f.Component] += advisories(f)
	}
	for i, name := range names {
		if i == maxFolded && len(names) > maxFolded+1 {
			p.line("    and %d more packages (-v lists them)", len(names)-maxFolded)
			break
		}
		f := worst[name]
		text := fmt.Sprintf("%s: %s, worst %s %s", show(label(name), maxPackage), finding.Count(count[name], "advisory", "advisories"), f.Severity, show(f.ID, maxName))
		if len(f.Fixed) > 0 && f.Rule == ruleVersionUnknown {
			text += ", all fixed in " + esc(f.Fixed[len(f.Fixed)-1])
		}
		p.wrapped("    ", 4, 6, text)
	}
	p.line("")
}

// advisories is how many advisories a finding stands for.
func advisories(f finding.Finding) int {
	if f.Rule != ruleVersionUnknown {
		return 1
	}
	n := 0
	for _, e := range f.Evidence {
		if e.Source == "advisory" {
			n++
		}
	}
	return max(n, 1)
}

// archive lists what is odd about the archives, a few of each rule.
func (p *printer) archive(fs []finding.Finding) {
	if len(fs) == 0 {
		return
	}
	p.line("  Archive")
	count := map[string]int{}
	for _, f := range fs {
		count[f.Rule]++
		if n := count[f.Rule]; n > maxArchive && !p.opt.Verbose {
			continue
		}
		p.wrapped("    "+p.paint(severityStyle(f.Severity), pad(string(f.Severity), 8))+"  ", 14, 14, esc(f.Title)+detail(f))
	}
	for _, rule := range sortedKeys(count) {
		if more := count[rule] - maxArchive; more > 0 && !p.opt.Verbose {
			p.line("    and %d more of %s (-v lists them)", more, esc(rule))
		}
	}
	p.line("")
}

// detail is what the archive itself said, when the title does not.
func detail(f finding.Finding) string {
	for _, e := range f.Evidence {
		if e.Detail != "" && !strings.Contains(f.Title, e.Detail) {
			return " (" + clip(esc(e.Detail), 120) + ")"
		}
	}
	return ""
}

// others are findings of kinds that the sections above do not know.
func (p *printer) others(fs []finding.Finding) {
	for _, f := range fs {
		text := esc(string(f.Kind)) + ": " + esc(cmp.Or(f.Title, f.ID))
		switch {
		case f.Kind == finding.KindRuntime:
			text = runtimeText(f)
		case f.OfTrust():
			text = esc(f.Title) // it starts with the kind
		}
		if f.Component != "" {
			text = show(label(f.Component), maxPackage) + ", " + text
		}
		p.wrapped("  "+p.paint(severityStyle(f.Severity), pad(string(f.Severity), 8))+"  ", 12, 12, text)
	}
	if len(fs) > 0 {
		p.line("")
	}
}

// verdict is the decision again, after everything that led to it, and why.
func (p *printer) verdict(r *finding.Report) {
	text := show(r.Name, maxName)
	if n := unjudged(r); n > 0 && r.Verdict.Decision == finding.Pass {
		text += ", " + finding.Count(n, "package", "packages") + " unjudged"
	}
	p.line("%s  %s", p.decision(r.Verdict.Decision), p.paint(styleBold, text))
	p.bullets(r.Verdict.Reasons, maxReasons)
}

// unjudged is how many packages no advisory source covers.
func unjudged(r *finding.Report) (n int) {
	for _, u := range r.Unknowns {
		if u.Kind == "unmatched" && u.Code && u.Waived == nil {
			n++
		}
	}
	return n
}
