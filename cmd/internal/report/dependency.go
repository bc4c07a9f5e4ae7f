package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Where the lines about dependencies fold.
const (
	maxOfRule = 3 // findings of one rule that get a line each
	maxListed = 6 // packages that a folded line names
)

// dependencies lists what speaks against packages besides advisories: each of
// the grave ones, a few of each other rule, and how many more there are. What
// is only worth knowing (severity none) is listed with -v.
func (p *printer) dependencies(r *finding.Report, heading string, fs []finding.Finding) {
	var shown []finding.Finding
	notes := 0
	for _, f := range fs {
		if f.Severity == finding.None && !p.opt.Verbose {
			notes++
			continue
		}
		shown = append(shown, f)
	}
	if len(shown) == 0 {
		return
	}
	p.line("  %s", heading)
	for _, group := range byRule(shown) {
		p.ofRule(r, group)
	}
	if notes > 0 {
		p.line("    and %s (-v lists them)", finding.Count(notes, "note", "notes"))
	}
	p.line("")
}

// byRule groups findings of one severity and rule, in the order of the first of each.
func byRule(fs []finding.Finding) [][]finding.Finding {
	var out [][]finding.Finding
	at := map[string]int{}
	for _, f := range fs {
		key := string(f.Severity) + " " + f.Rule
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], f)
	}
	return out
}

// ofRule prints the findings of one rule: a line each, or one for all of them
// when there are many and none is grave.
func (p *printer) ofRule(r *finding.Report, fs []finding.Finding) {
	head := "    " + p.paint(severityStyle(fs[0].Severity), pad(string(fs[0].Severity), 8)) + "  "
	grave := fs[0].Severity.Rank() >= finding.High.Rank()
	if len(fs) <= maxOfRule || p.opt.Verbose || grave && len(fs) <= maxUnknowns {
		for _, f := range fs {
			p.wrapped(head, 14, 14, dependencyText(r, f))
		}
		return
	}
	var names []string
	for _, f := range fs {
		if name := show(label(f.Component), maxPackage); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	more := ""
	if n := len(names) - maxListed; n > 0 {
		names, more = names[:maxListed], fmt.Sprintf(" and %d more (-v lists them)", n)
	}
	p.wrapped(head, 14, 14, fmt.Sprintf("%s: %s: %s%s", finding.Count(len(fs), "package", "packages"), lowerFirst(dependencyTitle(fs[0])), strings.Join(names, ", "), more))
}

// dependencyText is a finding in one line: the package, and what is wrong with it.
func dependencyText(r *finding.Report, f finding.Finding) string {
	text := esc(cmp.Or(f.Title, f.Rule))
	if f.Component != "" {
		text = show(label(f.Component), maxPackage) + " " + text
	}
	if f.State != "" && f.State != "live" && r.Vetted == nil {
		text += " (" + esc(f.State) + ")"
	}
	if f.Certainty != finding.Certain {
		text += " (" + esc(string(f.Certainty)) + ")"
	}
	if len(f.Fixed) > 0 && !speaksOf(f.Title, f.Fixed[0]) {
		text += "; go to " + esc(f.Fixed[0])
	}
	return text
}

// speaksOf says whether a title speaks of a version already.
func speaksOf(title, version string) bool {
	return slices.Contains(strings.FieldsFunc(title, func(r rune) bool { return r == ' ' || r == ';' || r == ',' }), version)
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// sentence begins a text with a capital.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// dependencyRule is what a rule about a dependency means, whatever the package.
type dependencyRule struct{ title, help string }

// dependencyTitle says what the rule of a finding is about.
func dependencyTitle(f finding.Finding) string {
	return cmp.Or(dependencyRules()[f.Rule].title, strings.ReplaceAll(f.Rule, "-", " "))
}

// dependencyHelp says what to do about it.
func dependencyHelp(f finding.Finding) string {
	if len(f.Fixed) > 0 {
		return "go to version " + f.Fixed[0] + " or later, or accept it with a waiver"
	}
	return cmp.Or(dependencyRules()[f.Rule].help, "find out why it is so; replace the package, or accept it with a waiver")
}
