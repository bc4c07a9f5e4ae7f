package cli

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// testedFile is what became of one file of cases.
type testedFile struct {
	File    string          `json:"file"`
	Policy  string          `json:"policy"`
	Digest  string          `json:"digest"`
	Failed  int             `json:"failed"`
	Results []policy.Result `json:"results"`
}

// maxCaseFiles is how many files of cases one run takes.
const maxCaseFiles = 1000

func policyTestCommand(env *Env) *cobra.Command {
	var outputs []string
	var verbose, quiet bool
	cmd := &cobra.Command{
		Use:   "test [FILE|DIR]...",
		Short: "Run the cases that lie beside a policy",
		Long: `Test judges the cases of a policy and says which come out otherwise than they
should. Cases lie beside the policy, in fnaudit.test.yaml or in files that end in
_test.yaml, or in a folder tests beside it. FILE is one of these; without any the
current folder is looked through. The policy is the one that the file names, else
` + localPolicy + ` beside it, or above it for the folder tests.

A case says what was found, or names a report, and what the policy must make of it:

  version: 1
  at: 2026-11-22                        # the clock, of each case or of all
  cases:
    - name: high fails where the internet calls
      function: {name: orders, tags: [internet-facing]}   # also owner, platform, runtime
      findings:
        - {id: CVE-2026-1, severity: high, component: "pkg:npm/a@1", fixed: ["2"]}
      expect: {decision: fail, reasons: ["pkg:npm/a@1"], counts: {CVE-2026-1: fail}}
    - name: the saved report of orders passes
      report: reports/orders.json
      expect: {decision: pass, no_warnings: [waiver]}

A finding also takes kind, rule, aliases, certainty, state, origin, reach, title,
known_exploited, exploited_since, published, first_seen and baseline. Beside findings
stand unknowns, components, checks, coverage and database: {age: 8d}; "gate: true"
judges as gate does, fail_on as --fail-on. Under expect, counts says what becomes of
a finding: fail, incomplete, warn, ignored, waived, grace or baseline; reasons and
warnings are parts of sentences, next is one of the next step.

Exit status: 0 all pass, 1 one fails, 2 a file cannot be read or is not valid.`,
		Example: "  fnaudit policy test\n  fnaudit policy test policies/ -o junit=cases.xml",
		RunE: func(_ *cobra.Command, args []string) error {
			outs, err := parseOutputs(outputs, []string{"table", "json", "junit"}, "table")
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{"."}
			}
			return testPolicies(env, args, outs, verbose, quiet)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&outputs, "output", "o", nil, "`FORMAT[=FILE]`, repeatable: table, json, junit (default table)")
	f.BoolVarP(&verbose, "verbose", "v", false, "print every case")
	f.BoolVarP(&quiet, "quiet", "q", false, "print only what fails")
	return cmd
}

func testPolicies(env *Env, args []string, outs []output, verbose, quiet bool) error {
	files, err := caseFiles(args)
	if err != nil {
		return err
	}
	all, failed := []testedFile{}, 0
	for _, name := range files {
		one, err := testFile(name)
		if err != nil {
			return err
		}
		failed += one.Failed
		all = append(all, one)
	}
	for _, out := range outs {
		err := out.write(env, func(w io.Writer) error {
			switch out.format {
			case "json":
				return codec.WriteJSON(w, map[string]any{"schemaVersion": "1", "files": all})
			case "junit":
				return writeCaseJUnit(w, all)
			}
			for _, f := range all {
				if !quiet || f.Failed > 0 {
					writeTested(w, f, verbose && !quiet)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if failed > 0 {
		return &exit{code: ExitFail}
	}
	return nil
}

// caseFiles finds the files of cases, sorted by argument and name.
func caseFiles(args []string) ([]string, error) {
	const hint = "cases lie in fnaudit.test.yaml, in files that end in _test.yaml, or in a folder tests"
	var out []string
	for _, arg := range args {
		st, err := os.Stat(arg)
		if err != nil {
			return nil, usage("", "read cases: %w", err)
		}
		if !st.IsDir() {
			out = append(out, arg)
			continue
		}
		n := len(out)
		for _, dir := range []string{arg, filepath.Join(arg, "tests")} {
			entries, err := os.ReadDir(dir)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, usage("", "look for cases: %w", err)
			}
			for _, e := range entries {
				if isCaseFile(e.Name()) && e.Type().IsRegular() {
					out = append(out, filepath.Join(dir, e.Name()))
				}
			}
		}
		if len(out) == n {
			return nil, usage(hint, "there are no cases in %s", arg)
		}
	}
	if len(out) > maxCaseFiles {
		return nil, usage("name some of them", "%d files of cases: at most %d are run at once", len(out), maxCaseFiles)
	}
	return out, nil
}

func isCaseFile(name string) bool {
	return name == "fnaudit.test.yaml" || strings.HasSuffix(name, "_test.yaml") || strings.HasSuffix(name, "_test.yml")
}

// testFile runs the cases of one file. Reports are read from the folder of the
// cases only, and no link out of it is followed: cases can come with a pull request.
func testFile(name string) (testedFile, error) {
	out := testedFile{File: name}
	data, err := readSmall(name, policy.MaxBytes)
	if err != nil {
		return out, usage("", "read cases: %w", err)
	}
	cases, err := policy.ParseCases(data, name)
	if err != nil {
		return out, usage("", "%w", err)
	}
	p, err := policyOfCases(filepath.Dir(name), cases.Policy)
	if err != nil {
		return out, err
	}
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return out, usage("", "read cases: %w", err)
	}
	defer root.Close()
	out.Policy, out.Digest = p.Name, p.Digest
	for _, c := range cases.List {
		var text []byte
		if c.Report != "" {
			if text, err = readIn(root, c.Report); err != nil {
				return out, usage("a report lies in the folder of the cases, or below it", "cases %s: %s: read report: %w", name, c.Name, err)
			}
		}
		r := c.Run(p, text)
		if len(r.Failures) > 0 {
			out.Failed++
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

func readIn(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("%s has over %d bytes", name, maxInput)
	}
	return data, err
}

// policyOfCases reads the policy that cases are about: the one that they name,
// from their folder, else the local one beside them or above the folder tests.
func policyOfCases(dir, named string) (*policy.Policy, error) {
	if strings.HasPrefix(named, "builtin:") {
		p, ok := policy.Builtin(named)
		if !ok {
			return nil, usage("one of "+strings.Join(policy.Names(), ", "), "unknown policy %q", named)
		}
		return p, nil
	}
	at := filepath.Join(dir, filepath.FromSlash(named))
	if filepath.IsAbs(named) {
		at = named
	}
	if named == "" {
		at = filepath.Join(dir, localPolicy)
		if abs, err := filepath.Abs(dir); err == nil && filepath.Base(abs) == "tests" {
			if _, err := os.Lstat(at); errors.Is(err, fs.ErrNotExist) {
				at = filepath.Join(dir, "..", localPolicy)
			}
		}
	}
	data, err := readSmall(at, policy.MaxBytes)
	if err != nil {
		return nil, usage("name it in the file of the cases, as in policy: ../release.yaml", "read policy: %w", err)
	}
	p, err := policy.Parse(data, at)
	if err != nil {
		return nil, usage("fnaudit policy check "+at+" lists everything that is wrong", "%w", err)
	}
	return p, nil
}

func writeTested(w io.Writer, f testedFile, verbose bool) {
	for _, r := range f.Results {
		if len(r.Failures) == 0 {
			if verbose {
				fmt.Fprintf(w, "--- PASS: %s (%s)\n", report.Escape(r.Name), r.Verdict.Decision)
			}
			continue
		}
		fmt.Fprintf(w, "--- FAIL: %s\n", report.Escape(r.Name))
		for _, text := range r.Failures {
			fmt.Fprintf(w, "    %s\n", report.Escape(text))
		}
	}
	word := "ok  "
	if f.Failed > 0 {
		word = "FAIL"
	}
	fmt.Fprintf(w, "%s  %s  %s", word, report.Escape(f.File), finding.Count(len(f.Results), "case", "cases"))
	if f.Failed > 0 {
		fmt.Fprintf(w, ", %d failed", f.Failed)
	}
	fmt.Fprintln(w)
}

type caseSuites struct {
	XMLName  xml.Name    `xml:"testsuites"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Suites   []caseSuite `xml:"testsuite"`
}

type caseSuite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Cases    []testCase `xml:"testcase"`
}

type testCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Failure *caseFailure `xml:"failure"`
}

type caseFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func writeCaseJUnit(w io.Writer, all []testedFile) error {
	var doc caseSuites
	for _, f := range all {
		s := caseSuite{Name: report.Escape(f.File), Tests: len(f.Results), Failures: f.Failed}
		for _, r := range f.Results {
			c := testCase{Name: report.Escape(r.Name), Class: s.Name}
			if len(r.Failures) > 0 {
				lines := slices.Clone(r.Failures)
				for i := range lines {
					lines[i] = report.Escape(lines[i])
				}
				c.Failure = &caseFailure{lines[0], strings.Join(lines, "\n")}
			}
			s.Cases = append(s.Cases, c)
		}
		doc.Tests, doc.Failures, doc.Suites = doc.Tests+s.Tests, doc.Failures+s.Failures, append(doc.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
