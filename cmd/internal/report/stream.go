package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// Stream writes a document of which only one function is there at a time, with
// the same bytes as Write. Make is safe for concurrent use; Add takes what it
// made in the order of the functions, and Close what is known at the end.
type Stream struct {
	head *finding.Document
	f    streamFormat
}

// Piece is one function as a Stream wants it.
type Piece struct {
	text []byte
	rep  *finding.Report // normal; nil when the text is all
}

// Spool is a file of its own that a Stream writes, and reads at the end. The
// caller removes it.
type Spool interface {
	io.ReadWriteSeeker
}

// streamFormat is what differs from format to format.
type streamFormat interface {
	piece(head *finding.Document, r *finding.Report, i int) (Piece, error)
	add(p Piece) error
	close(doc *finding.Document) error // doc is normal, and its functions are what is left of them: name and verdict
}

// Streams says whether a format can be written function by function. The others
// need all of a document at once.
func Streams(name string) bool {
	return slices.Contains([]string{"json", "jsonl", "junit", "sarif", "html"}, name)
}

// NewStream begins a document; head is what is known of its run. What it writes
// is complete when Close returns. spool makes an empty file, and is called for
// formats whose beginning is known at the end.
func NewStream(w io.Writer, name string, head *finding.Document, opt Options, spool func() (Spool, error)) (*Stream, error) {
	opt = opt.with(head)
	s := &Stream{head: head}
	switch name {
	case "json":
		s.f = &streamJSON{head: head, w: w}
	case "jsonl":
		s.f = &streamJSONL{w: w}
	case "junit":
		s.f = &streamJUnit{w: w}
	case "sarif":
		notes, err := spool()
		if err != nil {
			return nil, err
		}
		results, err := spool()
		if err != nil {
			return nil, err
		}
		s.f = newStreamSARIF(w, notes, results)
	case "html":
		details, err := spool()
		if err != nil {
			return nil, err
		}
		s.f = newStreamHTML(w, details, opt)
	default:
		return nil, fmt.Errorf("the format %s cannot be written function by function", name)
	}
	return s, nil
}

// Make puts the function with index i into the form of the format.
func (s *Stream) Make(r *finding.Report, i int) (Piece, error) { return s.f.piece(s.head, r, i) }

// Add writes what Make returned.
func (s *Stream) Add(p Piece) error { return s.f.add(p) }

// Close writes what is known at the end. Of the functions of doc only name and
// verdict are looked at.
func (s *Stream) Close(doc *finding.Document) error { return s.f.close(normal(doc)) }

// whole is a piece that is a report.
func whole(r *finding.Report) (Piece, error) { return Piece{rep: normalReport(*r)}, nil }

// streamJSON writes format "json".
type streamJSON struct {
	head  *finding.Document
	w     io.Writer
	begun string // what was written before the functions
}

func (s *streamJSON) piece(_ *finding.Document, r *finding.Report, _ int) (Piece, error) {
	text, err := indented(normalReport(*r), "    ")
	return Piece{text: text}, err
}

// frame is a document around its functions.
func (s *streamJSON) frame(doc *finding.Document) (before, after string, err error) {
	empty := *doc
	empty.Functions = []*finding.Report{}
	parts, err := frame(empty, "\n  \"functions\": ")
	if err != nil {
		return "", "", err
	}
	return parts[0], parts[1], nil
}

func (s *streamJSON) add(p Piece) error {
	before := ","
	if s.begun == "" {
		var err error
		if s.begun, _, err = s.frame(normal(s.head)); err != nil {
			return err
		}
		before = s.begun + "["
	}
	if _, err := io.WriteString(s.w, before+"\n    "); err != nil {
		return err
	}
	_, err := s.w.Write(p.text)
	return err
}

func (s *streamJSON) close(doc *finding.Document) error {
	before, after, err := s.frame(doc)
	switch {
	case err != nil:
		return err
	case s.begun == "":
		after = before + "[]" + after
	case s.begun != before:
		return errors.New("the run is another at its end than at its beginning")
	default:
		after = "\n  ]" + after
	}
	_, err = io.WriteString(s.w, after)
	return err
}

// indented is a value as it stands deeper in a document. No string of JSON has a
// line break of its own.
func indented(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	if err := codec.WriteJSON(&b, v); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\n"), []byte("\n"+prefix)), nil
}

// streamJSONL writes format "jsonl".
type streamJSONL struct{ w io.Writer }

func (s *streamJSONL) piece(head *finding.Document, r *finding.Report, _ int) (Piece, error) {
	var b bytes.Buffer
	err := Line(&b, head, r)
	return Piece{text: b.Bytes()}, err
}

func (s *streamJSONL) add(p Piece) error {
	_, err := s.w.Write(p.text)
	return err
}

func (s *streamJSONL) close(*finding.Document) error { return nil }

// streamJUnit writes format "junit".
type streamJUnit struct {
	w      io.Writer
	suites int // that are written
}

func (s *streamJUnit) piece(head *finding.Document, r *finding.Report, i int) (Piece, error) {
	return junitPiece(junitOf(head, normalReport(*r), i))
}

func junitPiece(suite junitSuite) (Piece, error) {
	var b bytes.Buffer
	enc := xml.NewEncoder(&b)
	enc.Indent("  ", "  ")
	err := enc.EncodeElement(suite, xml.StartElement{Name: xml.Name{Local: "testsuite"}})
	return Piece{text: b.Bytes()}, err
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
	_, err = s.w.Write(p.text)
	return err
}

func (s *streamJUnit) close(doc *finding.Document) error {
	if doc.Fleet != nil {
		p, err := junitPiece(junitFleet(doc, s.suites))
		if err == nil {
			err = s.add(p)
		}
		if err != nil {
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

// frame is a document with empty lists, cut where those are to be filled. Each
// mark must be there once.
func frame(doc any, marks ...string) ([]string, error) {
	var b strings.Builder
	if err := codec.WriteJSON(&b, doc); err != nil {
		return nil, err
	}
	rest := b.String()
	var parts []string
	for _, m := range marks {
		before, after, ok := strings.Cut(rest, m+"[]")
		if !ok {
			return nil, fmt.Errorf("there is no empty list %q", strings.TrimSpace(m))
		}
		parts = append(parts, before+m)
		rest = after
	}
	return append(parts, rest), nil
}
