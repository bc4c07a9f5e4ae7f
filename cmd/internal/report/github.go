package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// maxAnnotations is how many annotations of one level are written: GitHub shows
// ten errors and ten warnings of a step and drops the rest
// (https://docs.github.com/en/rest/checks, "Annotations", 2026-11), so the last of
// them counts what is left.
const maxAnnotations = 10

// writeGitHub writes workflow commands
// (https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions):
// an error for each reason of a fail, a warning for each of an incomplete verdict
// and for what the policy warns of, at the line of the lockfile where one is
// known, worst first, and one notice with the counts.
func writeGitHub(w io.Writer, doc *finding.Document, _ Options) error {
	return writeShown(w, doc, newGitHub())
}

// githubGathered are the annotations of functions that are written, and how many
// there would be.
type githubGathered struct{ errors, warnings githubLevel }

// githubLevel are the annotations of one level.
type githubLevel struct {
	n    int // of all functions
	list worstFirst[[]annotation]
}

func newGitHub() *githubGathered {
	level := func() githubLevel {
		return githubLevel{list: worstFirst[[]annotation]{enough: maxAnnotations, size: func(list []annotation) int { return len(list) }}}
	}
	return &githubGathered{level(), level()}
}

// function adds a function, which is normal.
func (g *githubGathered) function(r *finding.Report) {
	var errors, warnings []annotation
	level := &errors
	if r.Verdict.Decision == finding.Incomplete {
		level = &warnings
	}
	placed := r.Verdict.Decision == finding.Fail && annotations(r, finding.Fail, &errors)
	if r.Verdict.Decision != finding.Pass && !placed {
		for _, why := range r.Verdict.Reasons {
			*level = append(*level, annotation{title: githubTitle(r), text: why})
		}
	}
	if n := len(r.Verdict.Reasons); placed && n > 0 { // what has no line, too: how much it is
		text := r.Verdict.Reasons[0]
		if n > 1 {
			text += fmt.Sprintf(" (and %d more reasons)", n-1)
		}
		errors = append(errors, annotation{title: githubTitle(r), text: text})
	}
	annotations(r, finding.Pass, &warnings)
	g.errors.add(r, errors)
	g.warnings.add(r, warnings)
}

// add keeps of a function's annotations those that may be written, in memory of
// their own: strings of a stored report keep all of its text.
func (l *githubLevel) add(r *finding.Report, list []annotation) {
	l.n += len(list)
	l.list.add(r, func() []annotation {
		own := slices.Clone(list[:min(len(list), maxAnnotations)])
		for i, a := range own {
			own[i].title, own[i].text, own[i].file = strings.Clone(a.title), strings.Clone(a.text), strings.Clone(a.file)
		}
		return own
	})
}

// all are the first annotations of all functions.
func (l *githubLevel) all() (list []annotation) {
	for _, w := range l.list.list {
		list = append(list, w.what...)
	}
	return list
}

// write writes the commands. Of the functions of doc nothing is looked at.
func (g *githubGathered) write(to io.Writer, doc *finding.Document) error {
	w := githubWriter{w: bufio.NewWriter(to)}
	warnings := g.warnings.all()
	for _, text := range doc.Warnings {
		warnings = append(warnings, annotation{title: "fnaudit", text: text})
	}
	w.all("error", g.errors.all(), g.errors.n)
	w.all("warning", warnings, g.warnings.n+len(doc.Warnings))
	if doc.Fleet != nil {
		w.command("notice", annotation{title: "fnaudit: deployed", text: githubFleet(doc.Fleet)})
	}
	s := doc.Summary
	w.command("notice", annotation{title: "fnaudit", text: fmt.Sprintf("%s: %d pass, %d fail, %d incomplete", finding.Count(s.Functions, "function", "functions"), s.Pass, s.Fail, s.Incomplete)})
	return w.w.Flush()
}

// githubFleet says what is deployed in a line, and each rule that is broken in one.
func githubFleet(f *finding.Fleet) string {
	text := fleetCounts(f)
	for _, d := range f.Drift {
		text += "\n" + finding.Count(len(d.Functions), "function", "functions") + ": " + driftTitle(d.Rule)
	}
	for _, r := range f.Runtimes {
		text += "\n" + finding.Count(r.Versions, "function", "functions") + " on " + r.Runtime + ": " + runtimeEnd(r)
	}
	return text
}

// annotation is one workflow command.
type annotation struct {
	title, text string
	file        string // "" for none
	line        int
}

func githubTitle(r *finding.Report) string {
	return "fnaudit: " + r.Name + ": " + string(r.Verdict.Decision)
}

// annotations adds one per package with findings that count as d, if each such
// finding has a line of a lockfile; else none, and false: a verdict's sentences
// say the same then.
func annotations(r *finding.Report, d finding.Decision, to *[]annotation) bool {
	at := index(r)
	var out []annotation
	byPackage := map[string]int{}
	for _, f := range r.Findings {
		if f.Counts != d {
			continue
		}
		listed := at[f.Component].Listed
		if listed == nil {
			return false
		}
		i, ok := byPackage[f.Component]
		if !ok {
			i = len(out)
			byPackage[f.Component] = i
			text := message(r, f)
			if to := at[f.Component].Upgrade; to != "" {
				text += " Upgrade to " + to + "."
			}
			out = append(out, annotation{title: githubTitle(r), text: text, file: listed.File, line: listed.Line})
			continue
		}
		if n := strings.Count(out[i].text, "\n"); n < 5 {
			out[i].text += "\n" + cmp.Or(f.Title, f.ID) + " (" + f.ID + ")"
		}
	}
	if d == finding.Fail && len(out) == 0 {
		return false
	}
	*to = append(*to, out...)
	return true
}

type githubWriter struct{ w *bufio.Writer }

// all writes the commands of one level, of which there are n in all: the last of
// them for what is left out.
func (g githubWriter) all(level string, list []annotation, n int) {
	for i, a := range list {
		if i == maxAnnotations-1 && n > maxAnnotations {
			g.command(level, annotation{title: "fnaudit", text: fmt.Sprintf("and %d more: the report has them", n-i)})
			return
		}
		g.command(level, a)
	}
}

func (g githubWriter) command(level string, a annotation) {
	var properties []string
	if a.file != "" {
		properties = append(properties, "file="+githubProperty(Escape(a.file)))
		if a.line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", a.line))
		}
	}
	properties = append(properties, "title="+githubProperty(show(a.title, 120)))
	var lines []string
	for text := range strings.SplitSeq(a.text, "\n") {
		lines = append(lines, githubData(Escape(text)))
	}
	fmt.Fprintf(g.w, "::%s %s::%s\n", level, strings.Join(properties, ","), strings.Join(lines, "%0A"))
}

// githubData and githubProperty escape as the runner's own toolkit does
// (https://github.com/actions/toolkit, packages/core/src/command.ts, 2026-11).
func githubData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func githubProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
