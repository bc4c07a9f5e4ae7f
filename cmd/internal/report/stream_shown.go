package report

import (
	"io"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// gathering is a format that shows of many functions a few, or what they have in
// common, and keeps no more than that.
type gathering interface {
	function(r *finding.Report)                     // adds one, which is normal
	write(w io.Writer, doc *finding.Document) error // of the functions of doc at most name and verdict are looked at
}

// writeShown writes a whole document.
func writeShown(w io.Writer, doc *finding.Document, to gathering) error {
	for _, r := range doc.Functions {
		to.function(r)
	}
	return to.write(w, doc)
}

// streamShown writes formats "markdown" and "github".
type streamShown struct {
	w  io.Writer
	to gathering
}

func (s *streamShown) piece(p *Piece, _ *finding.Document, r *finding.Report, _ int) error {
	p.rep = normalReport(*r)
	return nil
}

func (s *streamShown) add(p Piece) error {
	s.to.function(p.rep)
	return nil
}

func (s *streamShown) close(doc *finding.Document) error { return s.to.write(s.w, doc) }

// streamICS writes format "ics".
type streamICS struct{ streamShown }

func (s *streamICS) piece(p *Piece, _ *finding.Document, r *finding.Report, _ int) error {
	p.rep = r // of which the calendar is as it is in a normal one
	return nil
}
