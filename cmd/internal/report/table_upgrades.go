package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// maxUpgrades is how many upgrades the table shows when nothing says -v.
const maxUpgrades = 5

// upgrades lists what to do, the most urgent first: what to type, and what it
// clears. The rows above are in the order of severity; this is in that of the
// priority, which knows more.
func (p *printer) upgrades(r *finding.Report) {
	var worth []finding.Upgrade
	none := 0
	for _, u := range r.Upgrades {
		switch {
		case u.Priority > 0:
			worth = merged(worth, u)
		case len(u.Clears) == 0:
			none++
		}
	}
	if len(worth) == 0 {
		return
	}
	p.line("  %s", p.paint(styleBold, "What to do, the most urgent first"))
	most := p.most(len(worth), maxUpgrades)
	said := map[string]bool{}
	for _, u := range worth[:most] {
		p.upgrade(u, said)
	}
	if more := len(worth) - most; more > 0 {
		p.line("    and %d more (-v lists them)", more)
	}
	if none > 0 && p.opt.Verbose {
		p.wrapped("    ", 4, 4, finding.Count(none, "package has", "packages have")+" findings that no version clears")
	}
	p.line("")
}

// merged adds a step to others; to the one that has the same command, if there
// is one: a direct dependency may be moved for several packages that it brings.
func merged(steps []finding.Upgrade, u finding.Upgrade) []finding.Upgrade {
	i := slices.IndexFunc(steps, func(x finding.Upgrade) bool { return u.Command != "" && x.Command == u.Command && x.Layer == u.Layer })
	if i < 0 {
		return append(steps, u)
	}
	x := &steps[i]
	x.Clears, x.Remains, x.Major = slices.Concat(x.Clears, u.Clears), slices.Concat(x.Remains, u.Remains), x.Major || u.Major
	switch {
	case x.Note == "":
		x.Note = u.Note
	case u.Note != "" && u.Note != x.Note:
		x.Note += "; " + u.Note
	}
	return steps
}

// upgrade is one step: its priority, the command or the move, and in the form
// of a shell's comment what it clears. What is said of many steps with one manager
// is said once.
func (p *printer) upgrade(u finding.Upgrade, said map[string]bool) {
	const indent = 9
	head := "    " + pad(fmt.Sprint(u.Priority), 3) + "  "
	step := esc(u.Command)
	effect := "  # " + p.clears(u)
	if step == "" {
		step = move(u)
	}
	if columns(step)+columns(effect)+indent > p.opt.Width {
		p.line("%s%s", head, step)
		p.wrapped(strings.Repeat(" ", indent), indent, indent, strings.TrimPrefix(effect, "  "))
	} else {
		p.line("%s%s%s", head, step, p.paint(styleDim, effect))
	}
	if note := unsaid(u, said); note != "" && note != step {
		p.wrapped(strings.Repeat(" ", indent), indent, indent, esc(note))
	}
}

// unsaid is the note of a step without the parts that a step before, with the
// same manager, has said.
func unsaid(u finding.Upgrade, said map[string]bool) string {
	if u.Command == "" {
		return u.Note
	}
	var parts []string
	for _, part := range strings.Split(u.Note, "; ") {
		if key := u.Manager + "\n" + part; !said[key] {
			said[key] = true
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}

// clears says what a step is good for.
func (p *printer) clears(u finding.Upgrade) string {
	text := ""
	if u.Command != "" && !strings.Contains(u.Command, u.To) {
		text = esc(u.From) + " -> " + esc(u.To) + " "
	}
	text += fmt.Sprintf("clears %d", len(u.Clears))
	if n := len(u.Remains); n > 0 {
		text += fmt.Sprintf(" of %d", n+len(u.Clears))
	}
	if u.Major {
		text += ", a new major version"
	}
	if u.Layer != "" {
		text += ", in the layer " + clipPath(esc(u.Layer), maxName)
	}
	return text
}

// move says a step for which there is no command.
func move(u finding.Upgrade) string {
	switch {
	case u.Component == "": // the platform's
		if u.To == "newer" {
			return esc(u.Note)
		}
		return fmt.Sprintf("%s: move from %s to %s", esc(u.Name), show(u.From, maxName), show(u.To, maxName))
	case u.To == "":
		return fmt.Sprintf("remove %s %s", show(u.Name, maxPackage), show(u.From, maxName))
	}
	return fmt.Sprintf("upgrade %s from %s to %s", show(u.Name, maxPackage), show(orUnknown(u.From), maxName), show(u.To, maxName))
}

func orUnknown(version string) string {
	if version == "" {
		return "an unknown version"
	}
	return version
}
