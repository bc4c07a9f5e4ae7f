package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Where the table folds when nothing says -v.
const (
	maxFull     = 20  // functions shown in full; with more, only those that do not pass, in short
	maxReasons  = 6   // reasons of one verdict
	maxShort    = 3   // reasons of one verdict, with many functions
	maxUnknowns = 8   // unknowns of one function
	maxWarnings = 4   // warnings of one function
	maxArchive  = 3   // archive findings of one rule
	maxFolded   = 5   // packages with possible or shadowed findings
	maxName     = 60  // columns of a function's name, an id or another short fact
	maxPackage  = 100 // columns of a package's name: Maven's are long

	maxWidth = 160
	minWidth = 60
)

// printer writes lines for a person. Every text from the document goes through
// esc on its way in.
type printer struct {
	w   *bufio.Writer
	opt Options
	doc *finding.Document

	lines int // written so far
}

// writeTable writes what a person wants to read first: per function its
// verdict, what to upgrade, and what could not be judged; then the database,
// the totals and one next step.
func writeTable(w io.Writer, doc *finding.Document, opt Options) error {
	opt.Width = min(max(opt.Width, minWidth), maxWidth)
	p := &printer{w: bufio.NewWriter(w), opt: opt, doc: doc}
	switch {
	case doc.Delta != nil:
		p.delta(doc.Delta)
	case opt.Quiet:
		p.quiet()
	case len(doc.Functions) > maxFull && !opt.Verbose:
		p.short()
		p.fleet(doc.Fleet)
		p.footer()
	default:
		for _, r := range doc.Functions {
			if p.inFleet(r) {
				continue
			}
			if p.lines > 0 {
				p.line("")
			}
			p.function(r)
		}
		p.fleet(doc.Fleet)
		p.footer()
	}
	return p.w.Flush()
}

// quiet prints nothing for a pass, verdict and reasons otherwise.
func (p *printer) quiet() {
	for _, r := range p.doc.Functions {
		if r.Verdict.Decision != finding.Pass {
			p.line("%s: %s", show(r.Name, maxName), p.decision(r.Verdict.Decision))
			p.bullets(r.Verdict.Reasons, len(r.Verdict.Reasons))
		}
	}
}

// short lists the functions that do not pass, failing ones first.
func (p *printer) short() {
	for _, want := range []finding.Decision{finding.Fail, finding.Incomplete} {
		for _, r := range p.doc.Functions {
			if r.Verdict.Decision != want || p.inFleet(r) {
				continue
			}
			p.line("%s  %s", p.paint(verdictStyle(want), pad(word(want), 10)), p.paint(styleBold, show(r.Name, maxName)))
			p.bullets(r.Verdict.Reasons, maxShort)
		}
	}
}

// footer says what everything was judged with, the totals and the next step.
func (p *printer) footer() {
	if p.lines > 0 {
		p.line("")
	}
	p.database()
	if n := len(p.doc.Functions); n != 1 || p.doc.Fleet != nil || p.doc.Delta != nil { // one function alone is shown whole, with its verdict
		s := p.doc.Summary
		parts := []string{}
		for _, d := range []struct {
			n     int
			what  string
			style string
		}{{s.Fail, "fail", styleFail}, {s.Incomplete, "incomplete", styleWarn}, {s.Pass, "pass", stylePass}} {
			if d.n > 0 {
				parts = append(parts, p.paint(d.style, finding.Thousands(d.n)+" "+d.what))
			}
		}
		what := finding.Count(n, "function", "functions")
		if n > 0 && p.doc.Functions[0].Vetted != nil {
			what = finding.Count(n, "package", "packages") + " vetted" // or lockfiles, which are packages too
		}
		p.line("%s: %s", what, cmp.Or(strings.Join(parts, ", "), "nothing was judged"))
	}
	if next := p.next(); next != "" {
		p.line("")
		head := p.paint(styleBold, "Next:") + " "
		words, command := next, ""
		if i := strings.Index(next, "fnaudit "); i == 0 || i > 0 && columns(next)+6 > p.opt.Width {
			words, command = next[:i], next[i:] // a command is copied whole
		}
		if words != "" {
			p.wrapped(head, 6, 6, words)
			head = strings.Repeat(" ", 6)
		}
		if command != "" {
			p.line("%s%s", head, command)
		}
	}
}

// next is the one next step: that of the first function that fails, else of
// the first that is incomplete.
func (p *printer) next() string {
	for _, want := range []finding.Decision{finding.Fail, finding.Incomplete} {
		for _, r := range p.doc.Functions {
			if r.Verdict.Decision == want && r.Verdict.Next != "" {
				return esc(r.Verdict.Next)
			}
		}
	}
	return ""
}

// database says what was known, and as of when.
func (p *printer) database() {
	db := p.doc.Database
	if db.Starter {
		p.line("%s  only %s; get the full set: %s", p.paint(styleWarn, "STARTER SET of advisories"),
			finding.Count(db.Records, "record", "records"), p.opt.UpdateCommand)
		p.line("%s", p.paint(styleDim, Feeds(db.Feeds)))
		return
	}
	id := strings.TrimPrefix(db.ID, "sha256:")
	id = esc(truncate(cmp.Or(id, "none"), 12))
	text := fmt.Sprintf("Advisories: %s in %s, snapshot %s", finding.Count(db.Records, "record", "records"),
		finding.Count(len(db.Ecosystems), "ecosystem", "ecosystems"), id)
	if age, name, ok := p.age(); ok {
		text += fmt.Sprintf(", oldest source %s old (%s)", age, esc(name))
	}
	for _, text := range []string{text, Feeds(db.Feeds)} {
		for i, l := range wrap(text, p.opt.Width) {
			if i > 0 {
				l = "  " + l
			}
			p.line("%s", p.paint(styleDim, l))
		}
	}
}

// age is how old the oldest ecosystem of the store is.
func (p *printer) age() (string, string, bool) {
	oldest, name := time.Time{}, ""
	for eco, e := range p.doc.Database.Ecosystems {
		if name == "" || e.AsOf.Before(oldest) || e.AsOf.Equal(oldest) && eco < name {
			oldest, name = e.AsOf, eco
		}
	}
	if name == "" || p.opt.Now.IsZero() {
		return "", "", false
	}
	if oldest.IsZero() {
		return "of unknown age, not", name, true
	}
	switch d := p.opt.Now.Sub(oldest); {
	case d < time.Hour:
		return "under 1 hour", name, true
	case d < 48*time.Hour:
		return finding.Count(int(d/time.Hour), "hour", "hours"), name, true
	default:
		return finding.Count(int(d/(24*time.Hour)), "day", "days"), name, true
	}
}

// bullets lists at most n texts, and how many more there are.
func (p *printer) bullets(texts []string, n int) {
	if p.opt.Verbose || len(texts) == n+1 {
		n = len(texts) // a line that says "1 more" is as long as the one that it hides
	}
	for _, s := range texts[:min(n, len(texts))] {
		p.wrapped("  - ", 4, 4, esc(s))
	}
	if more := len(texts) - n; more > 0 {
		p.line("    and %d more (-v lists them)", more)
	}
}

// wrapped prints text in words after a prefix that takes first columns, the
// following lines indented by rest columns.
func (p *printer) wrapped(prefix string, first, rest int, text string) {
	const least = 20 // columns for the text, however long the prefix is
	for i, l := range wrap(text, max(p.opt.Width-max(first, rest), least)) {
		if i == 0 {
			p.line("%s%s", prefix, l)
		} else {
			p.line("%s%s", strings.Repeat(" ", rest), l)
		}
	}
}

// line prints one line without spaces at its end. A bufio.Writer keeps the
// first error until Flush.
func (p *printer) line(format string, args ...any) {
	p.lines++
	fmt.Fprintln(p.w, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (p *printer) decision(d finding.Decision) string { return p.paint(verdictStyle(d), word(d)) }

func word(d finding.Decision) string { return strings.ToUpper(string(d)) }

func verdictStyle(d finding.Decision) string {
	switch d {
	case finding.Pass:
		return stylePass
	case finding.Fail:
		return styleFail
	}
	return styleWarn
}

func severityStyle(s finding.Severity) string {
	switch s {
	case finding.Critical:
		return styleCritical
	case finding.High, finding.UnknownSeverity:
		return styleHigh
	case finding.Medium:
		return styleMedium
	case finding.Low:
		return styleLow
	}
	return styleDim
}

// truncate is the first n bytes of a digest.
func truncate(s string, n int) string { return s[:min(n, len(s))] }

func esc(s string) string { return Escape(s) }

// show escapes a text and cuts it to n columns. Only what is a name or an id is
// cut: a long one would push everything else out of sight.
func show(s string, n int) string { return clip(Escape(s), n) }

func of(n, all int) string { return fmt.Sprintf("%d of %d", n, all) }

// sortedKeys returns the keys of a count, the highest count first.
func sortedKeys(count map[string]int) []string {
	var keys []string
	for k := range count {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	return keys
}
