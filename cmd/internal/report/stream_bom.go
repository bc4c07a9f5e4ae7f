package report

import (
	"io"
	"strings"

	"github.com/google/osv-scanner/v2/pkg/models"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// streamBill writes formats "cyclonedx-json" and "spdx-json".
type streamBill struct {
	w   io.Writer
	opt Options // as it was given
	s   *codec.Stream
}

func (s *streamBill) piece(p *Piece, head *finding.Document, r *finding.Report, _ int) (err error) {
	p.bill, err = s.s.Make(p.text, documentRun(head, s.opt.with(head)), toFunction(normalReport(*r)))
	return err
}

func (s *streamBill) add(p Piece) error { return s.s.Add(p.bill) }

func (s *streamBill) close(doc *finding.Document) error {
	return s.s.Close(s.w, documentRun(doc, s.opt.with(doc)))
}

// streamVEX writes format "openvex". The identifier of the document, which stands
// before its statements, is made of all functions; so the statements wait in a file.
type streamVEX struct {
	w          io.Writer
	opt        Options // as it was given
	kept       *spooled
	statements growing
	functions  []string // what the identifier is made of
}

func (s *streamVEX) piece(p *Piece, _ *finding.Document, r *finding.Report, _ int) error {
	p.rep = normalReport(*r)
	for _, st := range vexStatements(p.rep) {
		if err := p.element(st); err != nil {
			return err
		}
	}
	return nil
}

func (s *streamVEX) add(p Piece) error {
	s.functions = append(s.functions, strings.Clone(codec.Identity(toSubject(p.rep))))
	_, err := s.kept.w.Write(s.statements.next(p.text.Bytes()))
	return err
}

func (s *streamVEX) close(doc *finding.Document) error {
	run := vexRun(doc, s.opt.with(doc), codec.SerialOf(s.functions, doc.Database.ID))
	parts, err := codec.Frame(run, "\n  \"statements\": ")
	if err != nil {
		return err
	}
	if err := s.kept.rewind(); err != nil {
		return err
	}
	if _, err := io.WriteString(s.w, parts[0]+"["); err != nil {
		return err
	}
	if _, err := io.Copy(s.w, s.kept.f); err != nil {
		return err
	}
	_, err = io.WriteString(s.w, s.statements.end()+parts[1])
	return err
}

// streamOSV writes format "osv-json".
type streamOSV struct {
	w       io.Writer
	results growing
}

func (s *streamOSV) piece(p *Piece, _ *finding.Document, r *finding.Report, _ int) error {
	src, err := osvSource(normalReport(*r))
	if err != nil || len(src.Packages) == 0 {
		return err
	}
	return p.element(src)
}

func (s *streamOSV) add(p Piece) error {
	if s.results.n == 0 && p.text.Len() > 0 {
		parts, err := s.frame()
		if err == nil {
			_, err = io.WriteString(s.w, parts[0]+"[")
		}
		if err != nil {
			return err
		}
	}
	_, err := s.w.Write(s.results.next(p.text.Bytes()))
	return err
}

func (s *streamOSV) close(*finding.Document) error {
	parts, err := s.frame()
	if err != nil {
		return err
	}
	if s.results.n == 0 {
		parts[1] = parts[0] + "[" + s.results.end() + parts[1]
	} else {
		parts[1] = s.results.end() + parts[1]
	}
	_, err = io.WriteString(s.w, parts[1])
	return err
}

func (s *streamOSV) frame() ([]string, error) {
	return codec.Frame(models.VulnerabilityResults{Results: []models.PackageSource{}}, "\n  \"results\": ")
}

// element adds an element of a list at the top of a document, behind a comma.
func (p *Piece) element(v any) error {
	const indent = "    "
	p.text.WriteString(",\n" + indent)
	return codec.Indented(p.text, v, indent)
}

// growing is a list at the top of a document that is written piece by piece.
type growing struct{ n int } // pieces that have elements

// next is the text of a piece as it is written: what stands first has no comma.
func (g *growing) next(text []byte) []byte {
	if len(text) == 0 {
		return nil
	}
	if g.n++; g.n == 1 {
		return text[1:]
	}
	return text
}

// end is what ends the list.
func (g *growing) end() string {
	if g.n == 0 {
		return "]"
	}
	return "\n  ]"
}
