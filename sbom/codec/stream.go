package codec

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Stream writes a document of functions of which only one is there at a time,
// with the same bytes as EncodeCycloneDX or EncodeSPDX. Both put the functions in
// the order of their names and part what belongs to one function into several
// lists; so what was made of each function waits in a file until the end. In
// memory are the names and digests of the functions, and the texts of licences
// that have no id.
type Stream struct {
	form  streamForm
	file  io.ReadWriteSeeker
	w     *bufio.Writer
	at    int64 // bytes that are written
	parts []streamPart
	equal map[string]int    // how many functions have a name and a digest
	texts map[string]string // SPDX: of licences, by their id
	first *Function         // the only one until another comes: a document of one function has another form
}

// Part is what a Stream made of a function. It belongs to the Stream again when
// it was added.
type Part struct {
	f    Function
	doc  Document
	text *bytes.Buffer
	made madePart
}

// madePart is what is made of a function: elements of lists, each element behind
// a comma and a line break, one list after another.
type madePart struct {
	sizes     [4]int            // of the lists, in bytes
	described string            // SPDX: the id of the function
	texts     map[string]string // SPDX: of licences, by their id; nil when the Stream has them
	unknowns  int
}

// streamPart is what is known of a function whose text is in the file.
type streamPart struct {
	name, subject, identity string
	at                      int64
	madePart
}

// streamForm is what differs between the formats.
type streamForm interface {
	make(text *bytes.Buffer, doc Document, f Function, ordinal int) (madePart, error)
	encode(w io.Writer, doc Document) error
	// frame is the document cut where lists are to be filled, and which list each
	// cut is for.
	frame(doc Document, parts []streamPart, texts map[string]string) (text []string, lists []int, err error)
	// place is a piece of text of the function with an index in the sorted order.
	place(text []byte, i int) []byte
}

// NewStream begins a document in one of the formats FormatCycloneDX and
// FormatSPDX; file is empty and private, and the caller removes it.
func NewStream(format string, file io.ReadWriteSeeker) (*Stream, error) {
	s := &Stream{file: file, w: bufio.NewWriterSize(file, 64<<10), equal: map[string]int{}, texts: map[string]string{}}
	switch format {
	case FormatCycloneDX:
		s.form = cycloneDXForm{mark: "f" + rand.Text()}
	case FormatSPDX:
		s.form = spdxForm{}
	default:
		return nil, fmt.Errorf("the format %s cannot be written function by function", format)
	}
	return s, nil
}

// Make puts a function into the form of the format. Of doc, which is what is known
// of the run, the functions are not looked at. text is empty, and belongs to the
// Part. It is safe for concurrent use.
func (s *Stream) Make(text *bytes.Buffer, doc Document, f Function) (Part, error) {
	made, err := s.form.make(text, doc, f, 0)
	return Part{f: f, doc: doc, text: text, made: made}, err
}

// Add writes what Make returned, in the order of the functions.
func (s *Stream) Add(p Part) error {
	part := streamPart{name: strings.Clone(p.f.Name), subject: strings.Clone(subject(p.f)), identity: strings.Clone(Identity(p.f)), at: s.at, madePart: p.made}
	key := functionKey(part.name, part.subject)
	if n := s.equal[key]; n > 0 {
		p.text.Reset()
		var err error
		if part.madePart, err = s.form.make(p.text, p.doc, p.f, n); err != nil {
			return err
		}
	}
	s.equal[key]++
	for id, text := range part.texts {
		if _, ok := s.texts[id]; !ok {
			s.texts[id] = strings.Clone(text)
		}
	}
	part.texts = nil
	s.parts = append(s.parts, part)
	s.first = nil
	if len(s.parts) == 1 {
		s.first = &p.f
	}
	n, err := s.w.Write(p.text.Bytes())
	s.at += int64(n)
	return err
}

// Close writes the document. The functions of doc are not looked at.
func (s *Stream) Close(to io.Writer, doc Document) error {
	doc.Functions = nil
	if len(s.parts) < 2 {
		if s.first != nil {
			doc.Functions = []Function{*s.first}
		}
		return s.form.encode(to, doc)
	}
	slices.SortStableFunc(s.parts, func(a, b streamPart) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.subject, b.subject))
	})
	text, lists, err := s.form.frame(doc, s.parts, s.texts)
	if err != nil {
		return err
	}
	if err := s.w.Flush(); err != nil {
		return err
	}
	w := bufio.NewWriterSize(to, 64<<10) // the first error stays until Flush
	for i, k := range lists {
		w.WriteString(text[i])
		if err := s.list(w, k); err != nil {
			return err
		}
	}
	w.WriteString(text[len(lists)])
	return w.Flush()
}

// list writes a list of all functions.
func (s *Stream) list(w *bufio.Writer, k int) error {
	empty := true
	var buf []byte
	for i, p := range s.parts {
		at := p.at
		for _, n := range p.sizes[:k] {
			at += int64(n)
		}
		buf = slices.Grow(buf[:0], p.sizes[k])[:p.sizes[k]]
		if len(buf) == 0 {
			continue
		}
		if _, err := s.file.Seek(at, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.ReadFull(s.file, buf); err != nil {
			return fmt.Errorf("read what was kept of %q: %w", p.name, err)
		}
		text := s.form.place(buf, i)
		if empty {
			w.WriteByte('[')
			text = text[1:] // without the comma
		}
		empty = false
		w.Write(text)
	}
	if empty {
		_, err := w.WriteString("[]")
		return err
	}
	_, err := w.WriteString("\n  ]")
	return err
}

// putList writes elements of a list at the top of a document, and returns how many
// bytes that are.
func putList[T any](text *bytes.Buffer, list []T) (int, error) {
	const indent = "    "
	before := text.Len()
	for _, v := range list {
		text.WriteString(",\n" + indent)
		if err := Indented(text, v, indent); err != nil {
			return 0, err
		}
	}
	return text.Len() - before, nil
}

// holds says whether a list has an element.
func holds(parts []streamPart, k int) bool {
	return slices.ContainsFunc(parts, func(p streamPart) bool { return p.sizes[k] > 0 })
}
