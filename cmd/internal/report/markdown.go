package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// maxMarkdown is how many bytes a Markdown report may have: a comment on GitHub
// takes 65,536 characters, and what wraps the report needs some of them.
const maxMarkdown = 60_000

// What a Markdown report shows at most; the rest is counted.
const (
	maxMarkdownRows     = 100 // functions in the overview
	maxMarkdownReasons  = 10
	maxMarkdownUpgrades = 10
	maxMarkdownChanges  = 20
	maxMarkdownText     = 300 // columns of one reason, title or name
)

// MarkdownMarker is the first line of a Markdown report, by which a later run
// finds its own comment.
const MarkdownMarker = "<!-- fnaudit -->"

// writeMarkdown writes a comment for a pull request: the overview, then what to
// do per function that does not pass, worst first. What is over the limit is
// left out as whole parts, and the last line says how much.
func writeMarkdown(w io.Writer, doc *finding.Document, _ Options) error {
	return writeShown(w, doc, newMarkdown(maxMarkdown))
}

// markdownWriter gathers what a report in at most limit bytes shows. In memory
// are the rows and parts that have room in it, and one function.
type markdownWriter struct {
	limit int
	n     int                // functions
	told  int                // of them, those that have a part
	first *finding.Report    // the only one until another comes: alone it is shown otherwise
	rows  worstFirst[string] // of the overview
	parts worstFirst[string]
}

func newMarkdown(limit int) *markdownWriter {
	limit -= 200 // for the last line
	return &markdownWriter{
		limit: limit,
		rows:  worstFirst[string]{enough: maxMarkdownRows, size: func(string) int { return 1 }},
		parts: worstFirst[string]{enough: limit, size: func(s string) int { return len(s) }},
	}
}

// function adds a function, which is normal.
func (m *markdownWriter) function(r *finding.Report) {
	if m.n++; m.n == 1 {
		m.first = r
		return
	}
	if m.first != nil {
		m.one(m.first)
		m.first = nil
	}
	m.one(r)
}

// one adds one of several functions.
func (m *markdownWriter) one(r *finding.Report) {
	m.rows.add(r, func() string { return markdownRow(r) })
	if r.Verdict.Decision == finding.Pass && len(r.Verdict.Warnings) == 0 {
		return
	}
	m.told++
	m.parts.add(r, func() string { return markdownFunction(r, false) })
}

func (m *markdownWriter) write(w io.Writer, doc *finding.Document) error {
	_, err := w.Write(m.text(doc))
	return err
}

// text is the report. Of the functions of doc only name and verdict are looked at.
func (m *markdownWriter) text(doc *finding.Document) []byte {
	var b bytes.Buffer
	b.WriteString(MarkdownMarker + "\n" + markdownHeading(doc) + "\n\n")
	b.WriteString(markdownRun(doc) + "\n")
	for _, warning := range doc.Warnings {
		part := "\n> " + mdText(warning) + "\n"
		if b.Len()+len(part) > m.limit/4 {
			break
		}
		b.WriteString(part)
	}
	if doc.Delta != nil {
		if part := markdownDelta(doc.Delta); b.Len()+len(part) <= m.limit/2 {
			b.WriteString(part)
		}
	}
	if doc.Fleet != nil {
		if part := markdownFleet(doc.Fleet); b.Len()+len(part) <= m.limit/2 {
			b.WriteString(part)
		}
	}
	told, parts := m.told, m.parts.list
	if m.first != nil {
		told, parts = 1, []worst[string]{{what: markdownFunction(m.first, true)}}
	}
	if m.n > 1 {
		m.overview(&b)
	}
	shown := 0
	for _, part := range parts {
		if b.Len()+len(part.what) > m.limit {
			break
		}
		b.WriteString(part.what)
		shown++
	}
	if left := told - shown; left > 0 {
		fmt.Fprintf(&b, "\n%s left out here: a comment has no room for them. The JSON report has all.\n", finding.Count(left, "function is", "functions are"))
	}
	return b.Bytes()
}

func markdownHeading(doc *finding.Document) string {
	s := doc.Summary
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{s.Fail, "failed"}, {s.Incomplete, "incomplete"}, {s.Pass, "passed"}} {
		if p.n > 0 {
			parts = append(parts, finding.Thousands(p.n)+" "+p.what)
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing was judged"}
	}
	if s.Functions == 1 {
		r := doc.Functions[0]
		return "## fnaudit: " + mdCode(show(r.Name, maxName)) + " " + markdownWord(r.Verdict.Decision)
	}
	return "## fnaudit: " + strings.Join(parts, ", ")
}

func markdownWord(d finding.Decision) string {
	switch d {
	case finding.Pass:
		return "passed"
	case finding.Fail:
		return "failed"
	}
	return "is incomplete"
}

// markdownRun says with what was judged.
func markdownRun(doc *finding.Document) string {
	text := "Policy " + mdCode(show(doc.Policy.Name, maxName))
	switch {
	case doc.Database.Starter:
		text += ", with the starter set of advisories only"
	case !doc.Database.BuiltAt.IsZero():
		text += fmt.Sprintf(", %s advisories as of %s", finding.Thousands(doc.Database.Records), doc.Database.BuiltAt.UTC().Format(time.DateOnly))
	}
	for _, f := range doc.Database.Feeds {
		text += fmt.Sprintf(", %s of %s", strings.ToUpper(mdText(f.Name)), f.AsOf.UTC().Format(time.DateOnly))
	}
	return text + "."
}

func markdownDelta(d *finding.Delta) string {
	var b strings.Builder
	if len(d.Summary) == 0 {
		if d.Unread > 0 {
			return "\n" + mdText(unchanged(d)) + "\n"
		}
		return "\nNothing changed since the reports before.\n"
	}
	if d.Unread > 0 {
		b.WriteString("\n" + mdText(strings.TrimPrefix(unread(d), ", but ")) + ".\n")
	}
	b.WriteString("\n| Change | Count |\n| --- | ---: |\n")
	for _, t := range d.Summary {
		fmt.Fprintf(&b, "| %s | %s |\n", mdText(string(t.Cause)), finding.Thousands(t.Count))
	}
	b.WriteString("\n")
	groups := finding.GroupChanges(d.Changes)
	for i := range groups[:min(maxMarkdownChanges, len(groups))] {
		b.WriteString(markdownChange(&groups[i]))
	}
	left := 0
	for _, g := range groups[min(maxMarkdownChanges, len(groups)):] {
		left += g.Count
	}
	if left > 0 {
		fmt.Fprintf(&b, "- and %s more\n", finding.Count(left, "change", "changes"))
	}
	return b.String()
}

// markdownChange is an item of a list: what changed, how the verdicts turned with
// it, and in which functions.
func markdownChange(g *finding.Together) string {
	about := strings.TrimSpace(strings.TrimPrefix(g.Component, "pkg:") + " " + g.ID)
	text := "- " + mdText(string(g.Cause))
	if g.Severity != "" {
		text += ", " + mdText(string(g.Severity))
	}
	if about != "" {
		text += ": " + mdCode(show(about, maxPackage))
	}
	if n := len(g.Also); n > 0 {
		text += " and " + finding.Thousands(n) + " more"
	}
	text += ": " + mdText(clip(g.Detail, maxMarkdownText))
	for _, t := range g.Turned {
		text += fmt.Sprintf("; %s to **%s**", t.Before, t.After)
		if len(t.Functions) < len(g.Functions) {
			text += " in " + finding.Thousands(len(t.Functions))
		}
	}
	var names []string
	for _, name := range g.Functions[:min(maxPlaces, len(g.Functions))] {
		names = append(names, mdCode(show(name, maxName)))
	}
	text += " (" + strings.Join(names, ", ")
	if n := len(g.Functions) - maxPlaces; n > 0 {
		text += " and " + finding.Count(n, "function", "functions") + " more"
	}
	return text + ")\n"
}

func (m *markdownWriter) overview(b *bytes.Buffer) {
	b.WriteString("\n| Verdict | Function | Why |\n| --- | --- | --- |\n")
	for i := range m.n {
		if i >= min(maxMarkdownRows, len(m.rows.list)) || b.Len()+len(m.rows.list[i].what) > m.limit/2 {
			fmt.Fprintf(b, "\nand %s more.\n", finding.Count(m.n-i, "function", "functions"))
			return
		}
		b.WriteString(m.rows.list[i].what)
	}
}

// markdownRow is the row of a function in the overview.
func markdownRow(r *finding.Report) string {
	why := r.Verdict.Reasons
	if len(why) == 0 {
		why = r.Verdict.Warnings
	}
	text := ""
	if len(why) > 0 {
		text = mdText(clip(why[0], 160))
		if n := len(why) - 1; n > 0 {
			text += fmt.Sprintf(" (and %d more)", n)
		}
	}
	return fmt.Sprintf("| %s | %s | %s |\n", r.Verdict.Decision, mdCell(show(r.Name, maxName)), text)
}

// markdownFunction says of one function why, and what to do.
func markdownFunction(r *finding.Report, alone bool) string {
	var b strings.Builder
	if !alone {
		fmt.Fprintf(&b, "\n### %s %s\n", mdCode(show(r.Name, maxName)), markdownWord(r.Verdict.Decision))
	}
	markdownList(&b, "", r.Verdict.Reasons, maxMarkdownReasons)
	if r.Verdict.Next != "" {
		command, about, _ := strings.Cut(r.Verdict.Next, "   # ")
		if strings.HasPrefix(command, "fnaudit ") {
			fmt.Fprintf(&b, "\nNext: %s", mdCode(Escape(command)))
			if about != "" {
				b.WriteString(" " + mdText(about))
			}
			b.WriteString("\n")
		} else {
			fmt.Fprintf(&b, "\nNext: %s\n", mdText(r.Verdict.Next))
		}
	}
	markdownUpgrades(&b, r)
	markdownFindings(&b, r)
	if len(r.Verdict.Warnings) > 0 {
		fmt.Fprintf(&b, "\n<details><summary>%s</summary>\n", finding.Count(len(r.Verdict.Warnings), "warning", "warnings"))
		markdownList(&b, "", r.Verdict.Warnings, maxMarkdownReasons)
		b.WriteString("\n</details>\n")
	}
	return b.String()
}

func markdownList(b *strings.Builder, lead string, items []string, most int) {
	if len(items) == 0 {
		return
	}
	b.WriteString("\n" + lead)
	for i, text := range items {
		if i == most && len(items) > most+1 {
			fmt.Fprintf(b, "- and %d more\n", len(items)-most)
			return
		}
		b.WriteString("- " + mdText(clip(text, maxMarkdownText)) + "\n")
	}
}

func markdownUpgrades(b *strings.Builder, r *finding.Report) {
	if len(r.Upgrades) == 0 {
		return
	}
	b.WriteString("\n| Upgrade | From | To | Clears | How |\n| --- | --- | --- | ---: | --- |\n")
	for i, u := range r.Upgrades {
		if i == maxMarkdownUpgrades && len(r.Upgrades) > i+1 {
			fmt.Fprintf(b, "\nand %d more.\n", len(r.Upgrades)-i)
			return
		}
		to := mdCell(show(u.To, maxName))
		if u.To == "" {
			to = "no version helps"
		}
		how := ""
		if u.Command != "" {
			how = mdCell(clip(Escape(u.Command), maxMarkdownText))
		}
		fmt.Fprintf(b, "| %s | %s | %s | %d | %s |\n", mdCell(show(u.Name, maxPackage)), mdCell(show(u.From, maxName)), to, len(u.Clears), how)
	}
}

// markdownFindings folds what counts, worst first.
func markdownFindings(b *strings.Builder, r *finding.Report) {
	var counted []finding.Finding
	for _, f := range r.Findings {
		if f.Counts == finding.Fail || f.Counts == finding.Incomplete {
			counted = append(counted, f)
		}
	}
	if len(counted) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n| Severity | Finding | Package | Fixed in |\n| --- | --- | --- | --- |\n", finding.Count(len(counted), "finding that counts", "findings that count"))
	for i, f := range counted {
		if i == 2*maxMarkdownUpgrades && len(counted) > i+1 {
			fmt.Fprintf(b, "\nand %d more.\n", len(counted)-i)
			break
		}
		fixed := ""
		if len(f.Fixed) > 0 {
			fixed = mdCell(show(f.Fixed[0], maxName))
		}
		title := mdCell(show(f.ID, maxName))
		if f.Title != "" && f.Title != f.ID {
			title += " " + mdText(clip(f.Title, 100))
		}
		what := ""
		if f.Component != "" {
			what = mdCell(show(label(f.Component), maxPackage))
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f.Severity, title, what, fixed)
	}
	b.WriteString("\n</details>\n")
}

// mdCode writes text as a code span (CommonMark 0.31.2, section 6.1), in which
// nothing is markup, a link or a mention. The text has no line break.
func mdCode(s string) string {
	if s == "" {
		return ""
	}
	longest, run := 0, 0
	for _, c := range s {
		if c == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	fence := strings.Repeat("`", longest+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// mdCell is mdCode in a table, where a "|" ends the cell even in code (GFM
// 0.29, section 4.10).
func mdCell(s string) string { return strings.ReplaceAll(mdCode(s), "|", `\|`) }

// mdText writes text as text: what Markdown could take for markup is escaped
// (CommonMark 0.31.2, section 2.4), and what a forge would link by itself, a
// mention, an issue, an address, is parted by a space of no width.
func mdText(s string) string {
	s = Escape(s)
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); i++ {
		c, next := s[i], byte(0)
		if i+1 < len(s) {
			next = s[i+1]
		}
		switch {
		case c == '@' || c == '#':
			b.WriteString(`\` + string(c) + "&#8203;")
		case c == '<', c == '>', c == '&':
			b.WriteString(map[byte]string{'<': "&lt;", '>': "&gt;", '&': "&amp;"}[c])
		case strings.IndexByte("\\`*_[]|~$", c) >= 0,
			c == ':' && (next == '/' || next == '+' || next == '-' || letter(next) || next >= '0' && next <= '9'), // addresses, emoji
			(c == '.' || c == ')') && strings.Trim(s[:i], "0123456789") == "",                                     // a list
			i == 0 && strings.IndexByte("+-=", c) >= 0:
			b.WriteString(`\` + string(c))
		default:
			b.WriteByte(c)
		}
	}
	return strings.NewReplacer("GH-", "GH&#8203;-", "www", "ww&#8203;w").Replace(b.String())
}
