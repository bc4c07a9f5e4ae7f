package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// Stream writes a document of which only one function is there at a time, with
// the same bytes as Write. Make is safe for concurrent use; Add takes what it
// made in the order of the functions, and Close what is known at the end.
type Stream struct {
	head *finding.Document
	f    streamFormat
	used sync.Pool // of texts that were written: each new one would be garbage of the size of a report
}

// Piece is one function as a Stream wants it. It belongs to the Stream again when
// it was added.
type Piece struct {
	text *bytes.Buffer
	rep  *finding.Report // normal; nil when the text is all
	bill codec.Part      // of a bill of materials
}

// Spool is a file of its own that a Stream writes, and reads at the end. The
// caller removes it.
type Spool interface {
	io.ReadWriteSeeker
}

// streamFormat is what differs from format to format.
type streamFormat interface {
	piece(p *Piece, head *finding.Document, r *finding.Report, i int) error // p has an empty text
	add(p Piece) error
	close(doc *finding.Document) error // doc is normal, and its functions are what is left of them: name and verdict
}

// Streams says whether a format can be written function by function: all but the
// table, which of few functions shows all and of many only the verdicts.
func Streams(name string) bool {
	_, ok := lookup(name)
	return ok && name != "table"
}

// NewStream begins a document; head is what is known of its run, and may change
// until the first function is made. What it writes is complete when Close returns.
// spool makes an empty file, and is called for formats whose beginning is known at
// the end.
func NewStream(w io.Writer, name string, head *finding.Document, opt Options, spool func() (Spool, error)) (*Stream, error) {
	s := &Stream{head: head}
	var files [2]Spool
	for i := range spools(name) {
		var err error
		if files[i], err = spool(); err != nil {
			return nil, err
		}
	}
	switch name {
	case "json":
		s.f = &streamJSON{head: head, w: w}
	case "jsonl":
		s.f = &streamJSONL{w: w}
	case "junit":
		s.f = &streamJUnit{w: w}
	case "sarif":
		s.f = newStreamSARIF(w, files[0], files[1])
	case "html":
		s.f = newStreamHTML(w, files[0], opt.with(head))
	case "markdown":
		s.f = &streamShown{w: w, to: newMarkdown(maxMarkdown)}
	case "github":
		s.f = &streamShown{w: w, to: newGitHub()}
	case "ics":
		s.f = &streamICS{streamShown{w: w, to: newICS(opt.with(head))}}
	case "openvex":
		s.f = &streamVEX{w: w, opt: opt, kept: newSpooled(files[0])}
	case "osv-json":
		s.f = &streamOSV{w: w}
	case "cyclonedx-json", "spdx-json":
		bill, err := codec.NewStream(name, files[0])
		if err != nil {
			return nil, err
		}
		s.f = &streamBill{w: w, opt: opt, s: bill}
	default:
		return nil, fmt.Errorf("the format %s cannot be written function by function", name)
	}
	return s, nil
}

// spools is how many files of its own a format needs.
func spools(name string) int {
	switch name {
	case "sarif":
		return 2
	case "html", "openvex", "cyclonedx-json", "spdx-json":
		return 1
	}
	return 0
}

// Make puts the function with index i into the form of the format.
func (s *Stream) Make(r *finding.Report, i int) (Piece, error) {
	text, ok := s.used.Get().(*bytes.Buffer)
	if !ok {
		text = &bytes.Buffer{}
	}
	text.Reset()
	p := Piece{text: text}
	err := s.f.piece(&p, s.head, r, i)
	return p, err
}

// maxUsed bounds in bytes the texts that are used again.
const maxUsed = 4 << 20

// Add writes what Make returned.
func (s *Stream) Add(p Piece) error {
	err := s.f.add(p)
	if p.text.Cap() <= maxUsed {
		s.used.Put(p.text)
	}
	return err
}

// Close writes what is known at the end. Of the functions of doc only name and
// verdict are looked at.
func (s *Stream) Close(doc *finding.Document) error { return s.f.close(normal(doc)) }

// streamJSON writes format "json".
type streamJSON struct {
	head  *finding.Document
	w     io.Writer
	begun string // what was written before the functions
}

func (s *streamJSON) piece(p *Piece, _ *finding.Document, r *finding.Report, _ int) error {
	return codec.Indented(p.text, normalReport(*r), "    ")
}

// functionsMark stands before the list of functions.
const functionsMark = "\n  \"functions\": "

func (s *streamJSON) add(p Piece) error {
	before := ","
	if s.begun == "" {
		empty := *normal(s.head)
		empty.Functions = []*finding.Report{}
		parts, err := codec.Frame(empty, functionsMark)
		if err != nil {
			return err
		}
		s.begun = parts[0]
		before = s.begun + "["
	}
	if _, err := io.WriteString(s.w, before+"\n    "); err != nil {
		return err
	}
	_, err := s.w.Write(p.text.Bytes())
	return err
}

func (s *streamJSON) close(doc *finding.Document) error {
	empty := *doc
	empty.Functions = []*finding.Report{}
	tail := &tail{w: s.w, mark: functionsMark + "[]", found: func(before string) (string, error) {
		before = strings.TrimSuffix(before, "[]")
		switch s.begun {
		case "":
			return before + "[]", nil
		case before:
			return "\n  ]", nil
		}
		return "", errors.New("the run is another at its end than at its beginning")
	}}
	return codec.WriteJSON(tail, empty)
}

// tail writes of a document what stands behind a mark; found says what comes in
// the place of all before. What changed in a night alone has many megabytes, and is
// not held.
type tail struct {
	w     io.Writer
	mark  string
	found func(before string) (string, error) // nil: it was found
	held  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	if t.found == nil {
		return t.w.Write(p)
	}
	t.held = append(t.held, p...)
	i := bytes.Index(t.held, []byte(t.mark))
	if i < 0 {
		return len(p), nil
	}
	i += len(t.mark)
	start, err := t.found(string(t.held[:i]))
	if err == nil {
		_, err = io.WriteString(t.w, start+string(t.held[i:]))
	}
	t.found, t.held = nil, nil
	return len(p), err
}

// streamJSONL writes format "jsonl".
type streamJSONL struct{ w io.Writer }

func (s *streamJSONL) piece(p *Piece, head *finding.Document, r *finding.Report, _ int) error {
	return Line(p.text, head, r)
}

func (s *streamJSONL) add(p Piece) error {
	_, err := s.w.Write(p.text.Bytes())
	return err
}

func (s *streamJSONL) close(*finding.Document) error { return nil }

// streamJUnit writes format "junit".
type streamJUnit struct {
	w      io.Writer
	suites int // that are written
}

func (s *streamJUnit) piece(p *Piece, head *finding.Document, r *finding.Report, i int) error {
	return p.suite(junitOf(head, normalReport(*r), i))
}

// suite encodes a suite as it stands in a list of them.
func (p *Piece) suite(suite junitSuite) error {
	enc := xml.NewEncoder(p.text)
	enc.Indent("  ", "  ")
	return enc.EncodeElement(suite, xml.StartElement{Name: xml.Name{Local: "testsuite"}})
}

func (s *streamJUnit) add(p Piece) error {
	before := "\n"
	if s.suites == 0 {
		before = xml.Header + "<testsuites>\n"
	}
	s.suites++
	_, err := io.WriteString(s.w, before)
	if err != nil {
		return err
	}
	_, err = s.w.Write(p.text.Bytes())
	return err
}

func (s *streamJUnit) close(doc *finding.Document) error {
	if doc.Fleet != nil {
		p := Piece{text: &bytes.Buffer{}}
		if err := p.suite(junitFleet(doc, s.suites)); err != nil {
			return err
		}
		if err := s.add(p); err != nil {
			return err
		}
	}
	end := "\n</testsuites>\n"
	if s.suites == 0 {
		end = xml.Header + "<testsuites></testsuites>\n"
	}
	_, err := io.WriteString(s.w, end)
	return err
}
