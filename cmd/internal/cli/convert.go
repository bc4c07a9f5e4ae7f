package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

func convertCommand(env *Env) *cobra.Command {
	var o scanOptions
	cmd := &cobra.Command{
		Use:   "convert REPORT...",
		Short: "Render saved JSON reports again, in other formats",
		Long: `Convert writes what saved JSON reports say in other formats. It judges nothing
anew: verdicts are those of the reports, and so is their time. Of several
reports the functions are put into one, if all were judged with the same store
and policy. "-" reads a report from standard input.

It exits with 0 when everything was written, whatever the verdicts are.`,
		Example: "  fnaudit scan orders.zip -o json=report.json\n  fnaudit convert report.json -o html=report.html -o sarif=report.sarif\n  fnaudit convert report.json -o markdown",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return convert(env, o, args)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.outputs, "output", "o", nil, "`FORMAT[=FILE]`, repeatable: "+strings.Join(report.Formats(), ", ")+" (default table)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing for a pass, and only the verdict otherwise")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "one line per finding, and everything that is folded")
	f.BoolVar(&o.noColor, "no-color", false, "no colour (also NO_COLOR)")
	return cmd
}

func convert(env *Env, o scanOptions, args []string) error {
	outputs, err := parseOutputs(o.outputs, report.Formats(), "table")
	if err != nil {
		return err
	}
	var doc *finding.Document
	stdin := 0
	for _, name := range args {
		if name == "-" {
			if stdin++; stdin > 1 {
				return usage("", "standard input can be read once only")
			}
		}
		one, err := readReportFrom(env, name)
		if err != nil {
			return err
		}
		if doc == nil {
			doc = one
			continue
		}
		if one.Database.ID != doc.Database.ID || one.Policy != doc.Policy || !one.JudgedAt.Equal(doc.JudgedAt) {
			return usage("fnaudit rescan judges them alike", "read report %s: it was judged with another store, under another policy or at another time than %s, so that one document cannot speak for both", name, args[0])
		}
		doc.Functions = append(doc.Functions, one.Functions...)
		doc.Warnings = append(doc.Warnings, one.Warnings...)
	}
	doc.Summary = finding.Summarize(doc.Functions)
	o.now = doc.JudgedAt
	return o.write(env, doc, outputs, nil)
}

// summarize appends the Markdown report to the summary of a GitHub job, where
// the workflow commands go to its log.
func summarize(env *Env, doc *finding.Document, out output) error {
	return appendSummary(env, out, func(w io.Writer) error { return report.Write(w, "markdown", doc, report.Options{}) })
}

// summaryFile is the summary of a GitHub job that is written beside an output; ""
// for none.
func summaryFile(env *Env, out output) string {
	if out.format != "github" || out.file != "" {
		return ""
	}
	return env.Getenv("GITHUB_STEP_SUMMARY")
}

// appendSummary appends to the summary that is written beside an output, if there
// is one.
func appendSummary(env *Env, out output, produce func(io.Writer) error) error {
	file := summaryFile(env, out)
	if file == "" {
		return nil
	}
	if err := appendFile(file, produce); err != nil {
		return usage("GITHUB_STEP_SUMMARY names the file: unset it for no summary", "write the job's summary: %w", err)
	}
	return nil
}
