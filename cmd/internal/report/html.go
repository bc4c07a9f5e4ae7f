package report

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// htmlFiles are the parts of the page that are the same in every report.
//
//go:embed html
var htmlFiles embed.FS

// htmlScripts are the parts of the page's script, in the order in which they
// are joined: each uses what is before it.
func htmlScripts() []string {
	return []string{"dom.js", "model.js", "filter.js", "list.js", "chart.js", "overview.js", "functions.js", "function.js", "sections.js", "finding.js", "findings.js", "components.js", "fleet.js", "run.js", "main.js"}
}

// maxStaticReasons is how many reasons of one function the page shows to who
// runs no scripts.
const maxStaticReasons = 12

// htmlShell is what the template page.tmpl shows.
type htmlShell struct {
	Title     string
	Version   string
	Policy    string
	Day       string // of the judgement
	Store     string // what was known
	Policies  string // of the browser: the Content-Security-Policy
	Style     template.CSS
	Start     template.JS // runs before anything is drawn
	Summary   finding.Summary
	Warnings  []string
	Functions []htmlStatic
}

// htmlStatic is a function as it is shown to who runs no scripts.
type htmlStatic struct {
	Name, Decision, Environment string
	Reasons                     []string
	More                        int // reasons that are left out
	Next                        string
}

// writeHTML writes one page that needs nothing else: no network, no other
// file. A table of the verdicts is plain HTML; everything else is data, in
// compressed blocks that the page's script opens when they are looked at, and
// shows as text only. The policy of the page allows that script and that style
// by their digests and nothing more, so that what a package calls itself could
// not act even if it came out as markup.
func writeHTML(w io.Writer, doc *finding.Document, opt Options) error {
	rows := make([]htmlStatic, 0, len(doc.Functions))
	for _, r := range doc.Functions {
		rows = append(rows, htmlStaticOf(r))
	}
	page, err := newHTMLPage(doc, rows, opt)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(w, 64<<10)
	if err := page.template.ExecuteTemplate(b, "top", page.shell); err != nil {
		return err
	}
	data := newHTMLData(b)
	for _, r := range doc.Functions {
		if err := data.function(r); err != nil {
			return err
		}
	}
	if err := data.close(doc, opt); err != nil {
		return err
	}
	if err := page.template.ExecuteTemplate(b, "bottom", template.JS(page.script)); err != nil {
		return err
	}
	return b.Flush()
}

// htmlPage is the page without its data.
type htmlPage struct {
	template *template.Template
	shell    htmlShell
	script   string
}

func newHTMLPage(doc *finding.Document, rows []htmlStatic, opt Options) (*htmlPage, error) {
	t, err := template.ParseFS(htmlFiles, "html/page.tmpl")
	if err != nil {
		return nil, err
	}
	var script strings.Builder
	script.WriteString("(() => {\n\"use strict\";\n")
	for _, name := range htmlScripts() {
		text, err := htmlFiles.ReadFile("html/" + name)
		if err != nil {
			return nil, err
		}
		script.Write(text)
	}
	script.WriteString("})();\n")
	style, err := htmlFiles.ReadFile("html/page.css")
	if err != nil {
		return nil, err
	}
	start, err := htmlFiles.ReadFile("html/start.js")
	if err != nil {
		return nil, err
	}
	p := &htmlPage{template: t, script: script.String()}
	p.shell = htmlStaticPage(doc, rows, opt)
	p.shell.Style, p.shell.Start = template.CSS(style), template.JS(start)
	p.shell.Policies = fmt.Sprintf("default-src 'none'; script-src %s %s; style-src %s; base-uri 'none'; form-action 'none'",
		htmlDigest(string(start)), htmlDigest(p.script), htmlDigest(string(style)))
	return p, nil
}

// htmlDigest names an inline script or style in a Content-Security-Policy:
// https://www.w3.org/TR/CSP3/#grammardef-hash-source.
func htmlDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// htmlStaticPage is what the page says without its script.
func htmlStaticPage(doc *finding.Document, rows []htmlStatic, opt Options) htmlShell {
	s := htmlShell{
		Version: esc(doc.Tool.Version), Policy: esc(doc.Policy.Name), Summary: doc.Summary, Functions: rows, Day: htmlDay(opt.Now),
		Store: finding.Count(doc.Database.Records, "advisory", "advisories") + " in " + finding.Count(len(doc.Database.Ecosystems), "ecosystem", "ecosystems"),
	}
	if doc.Database.Starter {
		s.Store = "the starter set of advisories only; get the full set with " + opt.UpdateCommand
	}
	switch len(doc.Functions) {
	case 1:
		s.Title = show(doc.Functions[0].Name, maxName) + ": " + string(doc.Functions[0].Verdict.Decision)
	default:
		s.Title = fmt.Sprintf("%s: %d fail, %d incomplete, %d pass", finding.Count(len(doc.Functions), "function", "functions"), doc.Summary.Fail, doc.Summary.Incomplete, doc.Summary.Pass)
	}
	for _, text := range doc.Warnings {
		s.Warnings = append(s.Warnings, htmlStaticText(text))
	}
	return s
}

// htmlStaticOf is a function without the script.
func htmlStaticOf(r *finding.Report) htmlStatic {
	f := htmlStatic{Name: htmlStaticText(r.Name), Decision: string(r.Verdict.Decision), Environment: htmlStaticText(environment(r)), Next: htmlStaticText(r.Verdict.Next)}
	shown := r.Verdict.Reasons[:min(len(r.Verdict.Reasons), maxStaticReasons)]
	for _, reason := range shown {
		f.Reasons = append(f.Reasons, htmlStaticText(reason))
	}
	f.More = len(r.Verdict.Reasons) - len(shown)
	return f
}

// htmlStaticText escapes a text as for a log, which is where a page ends that
// was written to standard output. It keeps nothing of the report that it is from.
func htmlStaticText(s string) string { return strings.Clone(esc(htmlCut(s))) }

// htmlDay is the day on which a document was judged; what it is stamped with
// can be older, so that the same input gives the same bytes.
func htmlDay(now time.Time) string {
	if now.IsZero() {
		return "an unknown day"
	}
	return now.UTC().Format(time.DateOnly)
}
