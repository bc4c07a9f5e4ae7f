package report

import (
	"io"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// writeJSON writes the document itself; schema/report.schema.json describes it.
func writeJSON(w io.Writer, doc *finding.Document, _ Options) error { return codec.WriteJSON(w, doc) }

// line is one function with the facts of its run, so that a line can be judged
// without the others.
type line struct {
	SchemaVersion string              `json:"schemaVersion"`
	Tool          finding.Tool        `json:"tool"`
	Database      finding.Database    `json:"database"`
	Policy        finding.PolicyRef   `json:"policy"`
	JudgedAt      time.Time           `json:"judgedAt"`
	VEX           []finding.VEXSource `json:"vex,omitempty"`
	*finding.Report
}

func writeJSONL(w io.Writer, doc *finding.Document, _ Options) error {
	for _, r := range doc.Functions {
		if err := writeLine(w, doc, r); err != nil {
			return err
		}
	}
	return nil
}

// Line writes one function as format "jsonl" does; head is the document that
// it belongs to, whose own functions do not count. It is for a run that writes
// each function when it is done.
func Line(w io.Writer, head *finding.Document, r *finding.Report) error {
	one := *head
	one.Functions = []*finding.Report{r}
	doc := normal(&one)
	return writeLine(w, doc, doc.Functions[0])
}

func writeLine(w io.Writer, doc *finding.Document, r *finding.Report) error {
	return codec.WriteJSONLine(w, line{
		SchemaVersion: doc.SchemaVersion, Tool: doc.Tool, Database: doc.Database, Policy: doc.Policy, JudgedAt: doc.JudgedAt, VEX: doc.VEX, Report: r,
	})
}

// WriteStored writes a document as format "json" does, on one line: it is for
// programs to read, of which a night reads thousands.
func WriteStored(w io.Writer, doc *finding.Document) error {
	return codec.WriteJSONLine(w, normal(doc))
}

// WriteJSON writes any value as the JSON formats are written: two spaces of
// indent, and no character that a terminal or a browser would act on.
func WriteJSON(w io.Writer, v any) error { return codec.WriteJSON(w, v) }
