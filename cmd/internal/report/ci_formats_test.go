package report_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// checkJUnit reads a report as a CI server does, and holds the counts of each
// suite against its cases. The order of the elements is that of JUnit.xsd.
func checkJUnit(text []byte) error {
	type problem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
	}
	type suite struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Name    string    `xml:"name,attr"`
			Class   string    `xml:"classname,attr"`
			Time    string    `xml:"time,attr"`
			Failure []problem `xml:"failure"`
			Error   []problem `xml:"error"`
			Skipped []problem `xml:"skipped"`
		} `xml:"testcase"`
	}
	var doc struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []suite  `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		return err
	}
	for _, s := range doc.Suites {
		failures, errs, skipped := 0, 0, 0
		for _, c := range s.Cases {
			failures, errs, skipped = failures+len(c.Failure), errs+len(c.Error), skipped+len(c.Skipped)
			if len(c.Failure)+len(c.Error)+len(c.Skipped) > 1 {
				return fmt.Errorf("case %q has several outcomes", c.Name)
			}
			for _, p := range append(c.Failure, c.Error...) {
				if p.Type == "" {
					return fmt.Errorf("case %q: a problem without a type", c.Name)
				}
			}
			if c.Name == "" || c.Time == "" {
				return fmt.Errorf("case %q of class %q lacks an attribute that the schema wants", c.Name, c.Class)
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != failures || s.Errors != errs || s.Skipped != skipped {
			return fmt.Errorf("suite %q counts %d, %d, %d, %d and has %d, %d, %d, %d", s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, len(s.Cases), failures, errs, skipped)
		}
	}
	return nil
}

// checkMarkdown holds the limit, and that nothing in it is a link, an image or
// markup but what the writer itself puts there.
func checkMarkdown(text []byte) error {
	if len(text) > 60_000 {
		return fmt.Errorf("%d bytes", len(text))
	}
	outside := withoutCode(string(text))
	if m := regexp.MustCompile(`[^\\]\]\(|[^\\]!?\[[^\]]*[^\\]\]|[^\\]://|www\.`).FindString(outside); m != "" {
		return fmt.Errorf("a link: %q", m)
	}
	if m := regexp.MustCompile(`[^\\]@|[^&\\#]#[A-Za-z0-9]`).FindString(outside); m != "" {
		return fmt.Errorf("a mention: %q", m)
	}
	for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(outside, -1) {
		switch tag {
		case "<!-- fnaudit -->", "<details>", "</details>", "<summary>", "</summary>":
		default:
			return fmt.Errorf("HTML: %q", tag)
		}
	}
	return nil
}

// withoutCode takes the code spans out of Markdown (CommonMark 0.31.2, section
// 6.1: a run of backticks up to the next run of the same length).
func withoutCode(s string) string {
	var b strings.Builder
	run := func(s string) int { return len(s) - len(strings.TrimLeft(s, "`")) }
	for len(s) > 0 {
		n := run(s)
		if n == 0 {
			if s[0] == '\\' && len(s) > 1 {
				b.WriteString(s[:2])
				s = s[2:]
				continue
			}
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		end := -1
		for i := n; i < len(s); {
			if m := run(s[i:]); m == n {
				end = i
				break
			} else if m > 0 {
				i += m
				continue
			}
			i++
		}
		if end < 0 {
			b.WriteString(s[:n])
			s = s[n:]
			continue
		}
		b.WriteString("code")
		s = s[end+n:]
	}
	return b.String()
}

// githubCommand is a workflow command as the runner reads it.
var githubCommand = func() *regexp.Regexp {
	return regexp.MustCompile(`^::(error|warning|notice) (?:file=[^:,]+,(?:line=[0-9]+,)?)?title=[^:,]+::[^\r\n]+$`)
}

// checkGitHub wants each line to be a command of the three levels, at most ten
// of each.
func checkGitHub(text []byte) error {
	count := map[string]int{}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(text), "\n"), "\n") {
		m := githubCommand().FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("no annotation: %q", line)
		}
		if count[m[1]]++; count[m[1]] > 10 {
			return fmt.Errorf("more than ten of %s", m[1])
		}
	}
	return nil
}

// hostileNames are what a package, a file or an advisory may be called to be
// more than text where a report is shown.
var hostileNames = []string{
	"x\n::error::forged", "x\r\n::set-output name=a::b", "%0A::error::x", "::stop-commands::t", "a,file=/etc/passwd,line=1", "a:b,c%3A",
	"@everyone", "#1", "GH-1", "[x](javascript:alert(1))", "![x](https://a.example/x.png)", "<img src=x onerror=alert(1)>", "</details><script>alert(1)</script>",
	"`x`", "``", "a`|`b", "a|b|c", "https://a.example", "www.a.example", "**b** _i_ ~s~ $x$", "1. list", "- list", "# head", "> quote", "\u202egpj.exe", "&lt;b&gt;", "]]><x>", "--><!--",
}

func TestHostileNamesInCI(t *testing.T) {
	for _, name := range hostileNames {
		r := finding.NewReport(name, name)
		r.Components = []finding.Component{{PURL: "pkg:npm/" + name, Name: name, Version: name, State: "live", Listed: &finding.Listed{File: name, Line: 3}}}
		r.Findings = []finding.Finding{{Kind: finding.KindVulnerability, ID: name, Component: "pkg:npm/" + name, Title: name, Severity: finding.High, Fixed: []string{name}, Counts: finding.Fail}}
		r.Upgrades = []finding.Upgrade{{Component: "pkg:npm/" + name, Name: name, From: name, To: name, Command: name, Clears: []string{"x"}}}
		r.Checks = []finding.Status{{Check: name, State: finding.Failed, Reason: name}}
		r.Verdict = finding.Verdict{Decision: finding.Fail, Reasons: []string{name}, Warnings: []string{name}, Next: name}
		doc := &finding.Document{Functions: []*finding.Report{r, {Name: name, Verdict: finding.Verdict{Reasons: []string{name}}}}, Warnings: []string{name}, Policy: finding.PolicyRef{Name: name}}
		for format, check := range map[string]func([]byte) error{"junit": checkJUnit, "markdown": checkMarkdown, "github": checkGitHub} {
			got := write(t, format, doc, report.Options{})
			if err := check(got); err != nil {
				t.Errorf("%s of %q: %v\n%s", format, name, err, got)
			}
			if err := inert(bytes.TrimPrefix(got, []byte("::"))); err != nil && format != "github" {
				t.Errorf("%s of %q: %v", format, name, err)
			}
		}
	}
}

// A comment never grows over what a forge takes, and says what it leaves out.
func TestMarkdownLimit(t *testing.T) {
	doc := &finding.Document{}
	for i := range 3000 {
		r := finding.NewReport(fmt.Sprintf("function-%04d", i), "x.zip")
		for j := range 30 {
			r.Verdict.Reasons = append(r.Verdict.Reasons, fmt.Sprintf("reason %d: %s", j, strings.Repeat("long ", 100)))
		}
		doc.Functions = append(doc.Functions, r)
	}
	got := write(t, "markdown", doc, report.Options{})
	if err := checkMarkdown(got); err != nil {
		t.Error(err)
	}
	if !bytes.Contains(got, []byte("left out here")) || !bytes.Contains(got, []byte("function-0000")) {
		t.Errorf("it does not say what is left out:\n%s", got[:1000])
	}
}

// Each package of a lockfile that fails is one annotation at its line; without
// a line the verdict's reasons are annotations.
func TestGitHubPlaces(t *testing.T) {
	doc := samples()["fail"]
	plain := string(write(t, "github", doc, report.Options{}))
	if !strings.Contains(plain, "::error title=") || strings.Contains(plain, "file=") {
		t.Errorf("without a lockfile:\n%s", plain)
	}
	r := *doc.Functions[0]
	r.Components, r.Findings = append([]finding.Component{}, r.Components...), append([]finding.Finding{}, r.Findings...)
	for i := range r.Components {
		r.Components[i].Listed = &finding.Listed{File: "package-lock.json", Line: 10 + i}
	}
	for i := range r.Findings {
		if r.Findings[i].Component != "" {
			r.Findings[i].Counts = finding.Fail
		}
	}
	placed := *doc
	placed.Functions = []*finding.Report{&r}
	got := string(write(t, "github", &placed, report.Options{}))
	if !strings.Contains(got, "::error file=package-lock.json,line=1") {
		t.Errorf("with a lockfile:\n%s", got)
	}
	sarif := string(write(t, "sarif", &placed, report.Options{}))
	if !strings.Contains(sarif, `"uri": "package-lock.json"`) || !strings.Contains(sarif, `"startLine": 10`) {
		t.Errorf("the results have no line of the lockfile:\n%s", sarif)
	}
}
