package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

func policyCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Write a policy, check one, run the cases that hold it",
		Long: `A policy says what a team demands of its functions: a YAML file that extends
builtin:ci, builtin:release or builtin:report. "policy init" writes one with every
setting as a comment, "policy check" says what is wrong with one and what it does,
"policy test" runs the cases that lie beside it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(policyInitCommand(env), policyCheckCommand(env), policyTestCommand(env), policySchemaCommand(env))
	return cmd
}

func policyInitCommand(env *Env) *cobra.Command {
	var extends string
	var force bool
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a policy with every setting as a comment",
		Long: `Init writes a policy that judges exactly as a built-in one does, with every
setting that there is as a comment. FILE is ` + localPolicy + ` where none is named, "-" is
standard output. A file that is there is left alone, unless --force says otherwise.`,
		Example: "  fnaudit policy init\n  fnaudit policy init --extends builtin:release release.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text := policy.Template(extends)
			if text == "" {
				return usage("one of "+strings.Join(policy.Names(), ", "), "--extends %q is not a built-in policy", extends)
			}
			return writeNew(env, append(args, localPolicy)[0], force, []byte(text))
		},
	}
	f := cmd.Flags()
	f.StringVar(&extends, "extends", policy.CI, "built-in `POLICY` to start from: "+strings.Join(policy.Names(), ", "))
	f.BoolVar(&force, "force", false, "replace a file that is there")
	return cmd
}

func policySchemaCommand(env *Env) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "schema [FILE]",
		Short: "Write the JSON Schema of policies, for editors",
		Long: `Schema writes the JSON Schema of policy files. An editor that knows YAML schemas
completes and checks a policy with it when it lies beside the policy as
` + policy.SchemaFile + `, which the first line of a fresh policy names.`,
		Example: "  fnaudit policy schema " + policy.SchemaFile,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return writeNew(env, append(args, "-")[0], force, policy.Schema)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that is there")
	return cmd
}

// writeNew writes a file that is not there yet, or with force replaces it.
func writeNew(env *Env, name string, force bool, data []byte) error {
	produce := func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
	if name == "-" {
		return output{format: "policy"}.write(env, produce)
	}
	if _, err := os.Lstat(name); err == nil && !force {
		return usage("name another file, or replace it with --force", "%s is there already", name)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return usage("", "look for %s: %w", name, err)
	}
	if err := (output{file: name, format: "policy"}).write(env, produce); err != nil {
		return err
	}
	fmt.Fprintf(env.Stderr, "fnaudit: wrote %s\n", report.Escape(name))
	return nil
}

// checkedPolicy is what policy check says of one file.
type checkedPolicy struct {
	File     string            `json:"file"`
	Valid    bool              `json:"valid"`
	Digest   string            `json:"digest,omitempty"`
	Extends  string            `json:"extends,omitempty"`
	Errors   []policy.Problem  `json:"errors"`
	Warnings []policy.Sentence `json:"warnings"`
	Says     []policy.Sentence `json:"says"`
}

func policyCheckCommand(env *Env) *cobra.Command {
	var at string
	var outputs []string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "check [FILE...]",
		Short: "Say what is wrong with a policy, and what it does",
		Long: `Check reads policies as scan and gate would, lists everything that is wrong at
once, with line and column, and says in plain sentences what each policy does, and
what looks as if it was not meant. Without FILE it reads ` + localPolicy + `; a built-in
policy is explained by its name.

Exit status: 0 every policy can be used, 1 one of them cannot, 2 a file cannot be read.`,
		Example: "  fnaudit policy check\n  fnaudit policy check release.yaml -o json\n  fnaudit policy check builtin:ci",
		RunE: func(_ *cobra.Command, args []string) error {
			outs, err := parseOutputs(outputs, []string{"table", "json"}, "table")
			if err != nil {
				return err
			}
			now := env.Now()
			if at != "" {
				if now, err = parseTime(at); err != nil {
					return err
				}
			}
			if len(args) == 0 {
				args = []string{localPolicy}
			}
			return checkPolicies(env, args, now, outs, quiet)
		},
	}
	f := cmd.Flags()
	f.StringVar(&at, "at", "", "the clock that tells which waivers hold: RFC 3339 `TIME` or date (default now)")
	f.StringArrayVarP(&outputs, "output", "o", nil, "`FORMAT[=FILE]`, repeatable: table, json (default table)")
	f.BoolVarP(&quiet, "quiet", "q", false, "print only what is wrong")
	return cmd
}

func checkPolicies(env *Env, files []string, now time.Time, outs []output, quiet bool) error {
	var all []checkedPolicy
	bad := 0
	for _, name := range files {
		one, err := checkPolicy(name, now)
		if err != nil {
			return err
		}
		if !one.Valid {
			bad++
		}
		all = append(all, one)
	}
	for _, out := range outs {
		err := out.write(env, func(w io.Writer) error {
			if out.format == "json" {
				return codec.WriteJSON(w, map[string]any{"schemaVersion": "1", "policies": all})
			}
			width := 80
			if out.file == "" && env.Width > 0 {
				width = min(env.Width, 110)
			}
			for i, p := range all {
				if i > 0 && !quiet {
					fmt.Fprintln(w)
				}
				writeChecked(w, p, quiet, width)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if bad > 0 {
		return &exit{code: ExitFail}
	}
	return nil
}

// checkPolicy reads one policy, and the files that it trusts.
func checkPolicy(name string, now time.Time) (checkedPolicy, error) {
	out := checkedPolicy{File: name, Errors: []policy.Problem{}, Warnings: []policy.Sentence{}, Says: []policy.Sentence{}}
	if strings.HasPrefix(name, "builtin:") {
		p, ok := policy.Builtin(name)
		if !ok {
			return out, usage("one of "+strings.Join(policy.Names(), ", "), "unknown policy %q", name)
		}
		out.Valid, out.Says = true, p.Describe(now)
		return out, nil
	}
	data, err := readSmall(name, policy.MaxBytes)
	if err != nil {
		return out, usage("fnaudit policy init writes one", "read policy: %w", err)
	}
	if out.Errors = append(out.Errors, policy.Problems(data)...); len(out.Errors) > 0 {
		return out, nil
	}
	p, err := policy.Parse(data, name)
	if err != nil {
		return out, usage("", "%w", err)
	}
	read := func(file string) ([]byte, error) { return readSmall(file, maxEvidence) }
	for root, r := range p.Trust.Roots {
		one := policy.Trust{Roots: map[string]policy.TrustRoot{root: r}}
		if _, err := audit.LoadTrust(one, filepath.Dir(name), read); err != nil {
			out.Errors = append(out.Errors, policy.At(data, err.Error()))
		}
	}
	policy.SortProblems(out.Errors)
	out.Valid, out.Digest, out.Extends = len(out.Errors) == 0, p.Digest, p.Extends
	out.Says = append(out.Says, p.Describe(now)...)
	out.Warnings = append(out.Warnings, p.Smells(now)...)
	return out, nil
}

// writeChecked writes what is known of a policy: what is wrong in the form that
// editors jump to, else what it does.
func writeChecked(w io.Writer, p checkedPolicy, quiet bool, width int) {
	for _, e := range p.Errors {
		fmt.Fprintf(w, "%s:%d:%d: %s\n", report.Escape(p.File), e.Line, e.Column, report.Escape(e.Text))
	}
	if !p.Valid {
		fmt.Fprintf(w, "%s: %s: it cannot be used\n", report.Escape(p.File), finding.Count(len(p.Errors), "error", "errors"))
		return
	}
	if quiet {
		return
	}
	fmt.Fprintf(w, "%s can be used", report.Escape(p.File))
	if p.Digest != "" {
		fmt.Fprintf(w, " (%s)", p.Digest[:min(len(p.Digest), len("sha256:")+12)])
	}
	fmt.Fprintln(w)
	for _, s := range p.Says {
		hang(w, fmt.Sprintf("  %-17s", s.Section), report.Escape(s.Text), width)
	}
	if len(p.Warnings) > 0 {
		fmt.Fprintf(w, "\n%s worth a look:\n", finding.Count(len(p.Warnings), "thing is", "things are"))
		for _, s := range p.Warnings {
			hang(w, fmt.Sprintf("  %-17s", s.Section), report.Escape(s.Text), width)
		}
	}
}

// hang writes text after a head, and what does not fit on the line below it.
func hang(w io.Writer, head, text string, width int) {
	line, indent := head, strings.Repeat(" ", len(head))
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && len([]rune(line))+1+len([]rune(word)) > width {
			fmt.Fprintln(w, line)
			line, empty = indent, true
		}
		line, empty = line+" "+word, false
	}
	fmt.Fprintln(w, line)
}
