package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

func explainCommand(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "explain REPORT ID",
		Short: "Say why a finding is in a saved JSON report, and the smallest change that removes it",
		Long: `Explain shows the chain behind a finding: the bytes, the component, the range of
the advisory, the fix. ID is an advisory id or alias, a package URL, or a fingerprint.
Of an advisory about a package that a bundler left out it says why it does not count.
"-" reads the report from standard input.`,
		Example: "  fnaudit scan orders.zip -o json=report.json\n  fnaudit explain report.json CVE-2020-8203",
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			doc, err := readReportFrom(env, args[0])
			if err != nil {
				return err
			}
			return explain(env, doc, args[1], output{format: "table"})
		},
	}
}

// explain writes the explanation, or says that nothing has that name.
func explain(env *Env, doc *finding.Document, what string, out output) error {
	var b bytes.Buffer
	width := 0
	if out.file == "" && env.StdoutTerminal {
		width = env.Width
	}
	if err := report.Explain(&b, doc, what, width); err != nil {
		return usage("fnaudit scan -v lists the ids", "explain: %w", err)
	}
	return out.write(env, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}

// readReport reads a saved JSON report.
func readReport(name string) (*finding.Document, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, usage("", "read report: %w", err)
	}
	defer f.Close()
	return parseReport(f, name)
}

// readReportFrom is readReport; "-" is standard input.
func readReportFrom(env *Env, name string) (*finding.Document, error) {
	if name == "-" {
		return parseReport(env.Stdin, "from standard input")
	}
	return readReport(name)
}

func parseReport(f io.Reader, name string) (*finding.Document, error) {
	var doc finding.Document
	if err := json.NewDecoder(io.LimitReader(f, maxInput)).Decode(&doc); err != nil {
		return nil, usage("a report is what \"fnaudit scan -o json=report.json\" writes", "read report %s: %w", name, err)
	}
	if doc.SchemaVersion != finding.SchemaVersion {
		return nil, usage("a report is what \"fnaudit scan -o json=report.json\" writes", "read report %s: schemaVersion is %q, this program knows %q", name, doc.SchemaVersion, finding.SchemaVersion)
	}
	for i, r := range doc.Functions {
		if r == nil {
			return nil, usage("", "read report %s: function %d is null", name, i)
		}
	}
	return &doc, nil
}
