// Package report writes a finding.Document in the formats that people and
// tools read. Write is the whole of it; each format is one file and one
// function, and formats lists them.
//
// Everything in a document may come from a hostile artifact. Escape makes text
// safe for a terminal and a CI log, codec.WriteJSON for everything that is
// JSON, and the SARIF writer escapes what its viewers would render. The HTML
// page holds its data compressed and shows it as text only.
package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/spelling"
)

// Options says how to show a document. The zero value is plain text of 80
// columns with the folds that a person wants first.
type Options struct {
	Color   bool      // escape sequences for colour, in the table only
	Width   int       // columns of the table; 0 means 80
	Verbose bool      // the table lists every finding and folds nothing
	Quiet   bool      // the table is empty for a pass, verdict and reasons otherwise
	Now     time.Time // the clock for ages in the table; zero means the document's JudgedAt
	Created time.Time // written as the time of SBOM documents; zero means the database's BuiltAt

	UpdateCommand string // gets the full advisory set; "" means "fnaudit db update"
}

// format is one way to write a document.
type format struct {
	name  string
	about string
	write func(io.Writer, *finding.Document, Options) error
}

// formats lists them in the order of the help text.
func formats() []format {
	return []format{
		{"table", "for people: what to fix, and why the verdict is what it is", writeTable},
		{"json", "everything, as the schema of the report describes it", writeJSON},
		{"jsonl", "one function a line, each with the run it belongs to", writeJSONL},
		{"sarif", "SARIF 2.1.0, for code scanning", writeSARIF},
		{"cyclonedx-json", "CycloneDX 1.6: components and vulnerabilities", writeCycloneDX},
		{"spdx-json", "SPDX 2.3: components", writeSPDX},
		{"openvex", "OpenVEX 0.2.0: what applies, and what is proven not to", writeOpenVEX},
		{"osv-json", "as osv-scanner writes it", writeOSV},
		{"html", "one page for a browser, which needs no network: charts, filters, every finding and why", writeHTML},
		{"junit", "JUnit XML: a test suite per function", writeJUnit},
		{"markdown", "for a comment on a pull request, at most 60,000 bytes", writeMarkdown},
		{"github", "annotations of a GitHub workflow; the job's summary gets the Markdown", writeGitHub},
		{"ics", "iCalendar: what ends, and when", writeICS},
	}
}

// Formats returns the names of the formats.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// About returns one line per format for a help text: name and what it is for.
func About() []string {
	var lines []string
	for _, f := range formats() {
		lines = append(lines, fmt.Sprintf("%-15s %s", f.name, f.about))
	}
	return lines
}

// FormatError is the error of Write and Check for a format that does not exist.
type FormatError struct {
	Name    string
	Nearest string // a format that looks like a misspelling of Name, "" for none
}

// Error names the formats that there are.
func (e *FormatError) Error() string {
	if e.Nearest != "" {
		return fmt.Sprintf("unknown output format %q; did you mean %q? (formats: %s)", e.Name, e.Nearest, strings.Join(Formats(), ", "))
	}
	return fmt.Sprintf("unknown output format %q (formats: %s)", e.Name, strings.Join(Formats(), ", "))
}

// Check returns a *FormatError unless name is a format, so that a command can
// refuse before it works.
func Check(name string) error {
	if _, ok := lookup(name); ok {
		return nil
	}
	return &FormatError{Name: name, Nearest: spelling.Nearest(name, Formats())}
}

// Write writes doc to w in a format. The error is a *FormatError for an unknown
// one, else that of w. doc is not changed.
func Write(w io.Writer, name string, doc *finding.Document, opt Options) error {
	f, ok := lookup(name)
	if !ok {
		return Check(name)
	}
	opt = opt.with(doc)
	if err := f.write(w, normal(doc), opt); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// with gives what is not set its value for a document.
func (opt Options) with(doc *finding.Document) Options {
	opt.UpdateCommand = cmp.Or(opt.UpdateCommand, "fnaudit db update")
	if opt.Width <= 0 {
		opt.Width = 80
	}
	if opt.Now.IsZero() {
		opt.Now = doc.JudgedAt
	}
	if opt.Created.IsZero() {
		opt.Created = doc.Database.BuiltAt
	}
	return opt
}

func lookup(name string) (format, bool) {
	for _, f := range formats() {
		if f.name == name {
			return f, true
		}
	}
	return format{}, false
}
