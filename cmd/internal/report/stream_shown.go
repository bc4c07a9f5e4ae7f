package report

import (
	"io"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// The formats here show of many functions a few, and keep no more than those.

// streamMarkdown writes format "markdown".
type streamMarkdown struct {
	w io.Writer
	m *markdownWriter
}

func (s *streamMarkdown) piece(p *Piece, _ *finding.Document, r *finding.Report, _ int) error {
	p.rep = normalReport(*r)
	return nil
}

func (s *streamMarkdown) add(p Piece) error {
	s.m.function(p.rep)
	return nil
}

func (s *streamMarkdown) close(doc *finding.Document) error {
	_, err := s.w.Write(s.m.text(doc))
	return err
}

// streamGitHub writes format "github".
type streamGitHub struct {
	w io.Writer
	g *githubGathered
}

func (s *streamGitHub) piece(p *Piece, _ *finding.Document, r *finding.Report, _ int) error {
	p.rep = normalReport(*r)
	return nil
}

func (s *streamGitHub) add(p Piece) error {
	s.g.function(p.rep)
	return nil
}

func (s *streamGitHub) close(doc *finding.Document) error { return s.g.write(s.w, doc) }

// streamICS writes format "ics". In memory is which events were written.
type streamICS struct {
	head  *finding.Document
	c     *icsWriter
	begun bool
}

func (s *streamICS) piece(p *Piece, _ *finding.Document, r *finding.Report, _ int) error {
	p.rep = r // of which the calendar is as it is in a normal one
	return nil
}

func (s *streamICS) add(p Piece) error {
	s.begin()
	s.c.function(p.rep)
	return nil
}

func (s *streamICS) begin() {
	if !s.begun {
		s.c.begin(s.head)
	}
	s.begun = true
}

func (s *streamICS) close(*finding.Document) error {
	s.begin()
	return s.c.end()
}
