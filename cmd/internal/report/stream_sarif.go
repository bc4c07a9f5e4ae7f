package report

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// streamSARIF writes format "sarif". Its rules stand before its results, and a
// result has the index of its rule; so notifications and results wait in files of
// their own until the rules are known. In memory are the rules and the artifacts.
type streamSARIF struct {
	w              io.Writer
	s              *sarifWriter
	notes, results *spooled
	ids            map[string]uint32 // rule id -> place in order
	order          []string
	text           bytes.Buffer // of one value
}

// How deep the lists stand in a log, in spaces.
const (
	sarifNoteIndent   = "            "
	sarifResultIndent = "        "
)

func newStreamSARIF(w io.Writer, notes, results Spool) *streamSARIF {
	return &streamSARIF{w: w, s: newSARIFWriter(), notes: newSpooled(notes), results: newSpooled(results), ids: map[string]uint32{}}
}

func (x *streamSARIF) piece(p *Piece, _ *finding.Document, r *finding.Report, _ int) error {
	p.rep = normalReport(*r)
	return nil
}

func (x *streamSARIF) add(p Piece) error {
	x.s.note(p.rep)
	suppressed, findings := x.s.suppressed, x.s.findings // of all results until now
	x.s.suppressed, x.s.findings = true, x.s.compared    // each is written as if some were, and as if all were compared
	x.s.function(p.rep)
	x.s.suppressed, x.s.findings, x.s.components = suppressed, findings, nil
	run := &x.s.run
	for _, n := range run.Invocations[0].Notifications {
		x.text.Reset()
		if err := codec.Indented(&x.text, n, sarifNoteIndent); err != nil {
			return err
		}
		if err := x.notes.put(spooledHead{}, x.text.Bytes()); err != nil {
			return err
		}
	}
	for _, r := range run.Results {
		if err := x.result(r); err != nil {
			return err
		}
	}
	run.Invocations[0].Notifications, run.Results = []sarifNotification{}, []sarifResult{}
	return nil
}

// result spools a result, and where in its text its rule's index is to be, and
// its suppressions and its baselineState are.
func (x *streamSARIF) result(r sarifResult) error {
	n, ok := x.ids[r.RuleID]
	if !ok {
		n = uint32(len(x.order))
		id := strings.Clone(r.RuleID)
		x.ids[id], x.order = n, append(x.order, id)
	}
	r.RuleIndex = 0
	x.text.Reset()
	if err := codec.Indented(&x.text, r, sarifResultIndent); err != nil {
		return err
	}
	text := x.text.Bytes()
	const index, list = "\n" + sarifResultIndent + `  "ruleIndex": `, ",\n" + sarifResultIndent + `  "suppressions": [`
	at := bytes.Index(text, []byte(index))
	from := bytes.Index(text, []byte(list))
	if at < 0 || from < 0 {
		return fmt.Errorf("a result without its rule: %s", r.RuleID)
	}
	end := from + len(list) + 1 // of an empty one
	if text[end-1] != ']' {
		const last = "\n" + sarifResultIndent + "  ]"
		i := bytes.Index(text[end:], []byte(last))
		if i < 0 {
			return fmt.Errorf("a result without an end of its list: %s", r.RuleID)
		}
		end += i + len(last)
	}
	state := end
	const compared = ",\n" + sarifResultIndent + `  "baselineState": "`
	if rest, ok := bytes.CutPrefix(text[end:], []byte(compared)); ok {
		state += len(compared) + bytes.IndexByte(rest, '"') + 1 // one of three words
	}
	return x.results.put(spooledHead{Rule: n, At: uint32(at + len(index)), From: uint32(from), End: uint32(end), State: uint32(state)}, text)
}

func (x *streamSARIF) close(doc *finding.Document) error {
	x.s.begin(doc)
	parts, err := codec.Frame(x.s.log(), "\n          \"toolExecutionNotifications\": ", "\n      \"results\": ")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(x.w, 64<<10)
	w.WriteString(parts[0]) // the first error stays until Flush
	err = x.notes.list(w, sarifNoteIndent, func(_ spooledHead, text []byte) {
		w.Write(text)
	})
	if err != nil {
		return err
	}
	w.WriteString(parts[1])
	err = x.results.list(w, sarifResultIndent, func(h spooledHead, text []byte) {
		w.Write(text[:h.At])
		fmt.Fprint(w, x.s.rules[x.order[h.Rule]])
		w.Write(text[h.At+1 : h.From])
		if x.s.suppressed {
			w.Write(text[h.From:h.End])
		}
		if x.s.states() {
			w.Write(text[h.End:h.State])
		}
		w.Write(text[h.State:])
	})
	if err != nil {
		return err
	}
	w.WriteString(parts[2])
	return w.Flush()
}

// spooled is a list of values that waits in a file.
type spooled struct {
	f Spool
	w *bufio.Writer
	n int
}

// spooledHead stands before the text of each value.
type spooledHead struct {
	Size      uint32 // of the text, in bytes
	Rule      uint32 // of a result, by number
	At        uint32 // where its rule's index is, of one byte
	From, End uint32 // where its suppressions are
	State     uint32 // where its baselineState ends, which follows them; End when it has none
}

func newSpooled(f Spool) *spooled { return &spooled{f: f, w: bufio.NewWriterSize(f, 64<<10)} }

// maxSpooled bounds in bytes what is read back as one value: a finding that is
// written has less.
const maxSpooled = 1 << 30

func (s *spooled) put(h spooledHead, text []byte) error {
	if len(text) > maxSpooled {
		return fmt.Errorf("a value of more than %d MB", maxSpooled>>20)
	}
	h.Size = uint32(len(text))
	if err := binary.Write(s.w, binary.LittleEndian, h); err != nil {
		return err
	}
	s.n++
	_, err := s.w.Write(text)
	return err
}

// list writes the values as a list whose elements are indented so.
func (s *spooled) list(w *bufio.Writer, indent string, write func(spooledHead, []byte)) error {
	if s.n == 0 {
		_, err := w.WriteString("[]")
		return err
	}
	if err := s.rewind(); err != nil {
		return err
	}
	r := bufio.NewReaderSize(s.f, 64<<10)
	var buf []byte
	for i := range s.n {
		var h spooledHead
		if err := binary.Read(r, binary.LittleEndian, &h); err != nil {
			return err
		}
		if int(h.Size) > cap(buf) {
			buf = make([]byte, h.Size)
		}
		buf = buf[:h.Size]
		if _, err := io.ReadFull(r, buf); err != nil {
			return err
		}
		before := ",\n"
		if i == 0 {
			before = "[\n"
		}
		w.WriteString(before + indent)
		write(h, buf)
	}
	_, err := w.WriteString("\n" + indent[2:] + "]")
	return err
}

func (s *spooled) rewind() error {
	if err := s.w.Flush(); err != nil {
		return err
	}
	_, err := s.f.Seek(0, io.SeekStart)
	return err
}
