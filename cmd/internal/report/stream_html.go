package report

import (
	"bufio"
	"html/template"
	"io"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// streamHTML writes format "html". What the page shows of one function only waits
// in a file until the totals are known, which stand at the top. In memory are a
// row for each function and, compressed, what the lists show.
type streamHTML struct {
	w       io.Writer
	opt     Options
	details *spooled
	data    *htmlData
	rows    []htmlStatic
}

func newStreamHTML(w io.Writer, details Spool, opt Options) *streamHTML {
	s := &streamHTML{w: w, opt: opt, details: newSpooled(details)}
	s.data = newHTMLData(s.details.w)
	return s
}

func (s *streamHTML) piece(p *Piece, _ *finding.Document, r *finding.Report, _ int) error {
	p.rep = normalReport(*r)
	return nil
}

func (s *streamHTML) add(p Piece) error {
	s.rows = append(s.rows, htmlStaticOf(p.rep))
	return s.data.function(p.rep)
}

func (s *streamHTML) close(doc *finding.Document) error {
	page, err := newHTMLPage(doc, s.rows, s.opt)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(s.w, 64<<10)
	if err := page.template.ExecuteTemplate(b, "top", page.shell); err != nil {
		return err
	}
	if err := s.data.close(doc, s.opt); err != nil {
		return err
	}
	if err := s.details.rewind(); err != nil {
		return err
	}
	if _, err := io.Copy(b, s.details.f); err != nil {
		return err
	}
	if err := page.template.ExecuteTemplate(b, "bottom", template.JS(page.script)); err != nil {
		return err
	}
	return b.Flush()
}
