package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// The parts of JUnit's XML that are written: those that the schema of its Ant
// task (https://github.com/windyroad/JUnit-Schema, JUnit.xsd) wants, in its
// order, so that strict and lenient readers take it.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

// junitSuite is one function. Its cases are the verdict's reasons, each a
// failure, or an error where something could not be judged, then the checks.
type junitSuite struct {
	ID         int             `xml:"id,attr"`
	Name       string          `xml:"name,attr"`
	Package    string          `xml:"package,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Hostname   string          `xml:"hostname,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out"`
	Err        string          `xml:"system-err"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Skipped *junitSkipped `xml:"skipped"`
	Error   *junitProblem `xml:"error"`
	Failure *junitProblem `xml:"failure"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes one test suite per function. A reader that knows nothing of
// functions still gets the exit code's meaning: a fail has a failure, what is
// incomplete has an error, and a pass has neither.
func writeJUnit(w io.Writer, doc *finding.Document, _ Options) error {
	out := junitSuites{Suites: []junitSuite{}}
	for i, r := range doc.Functions {
		out.Suites = append(out.Suites, junitOf(doc, r, i))
	}
	if doc.Fleet != nil {
		out.Suites = append(out.Suites, junitFleet(doc, len(out.Suites)))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitOf(doc *finding.Document, r *finding.Report, id int) junitSuite {
	name := esc(r.Name)
	s := junitSuite{
		ID: id, Name: name, Package: "fnaudit", Hostname: "localhost", Time: "0",
		Timestamp: doc.JudgedAt.UTC().Format("2006-01-02T15:04:05"), // ISO8601_DATETIME_PATTERN of the schema has no zone
		Properties: []junitProperty{
			{"decision", string(r.Verdict.Decision)}, {"target", esc(r.Target)}, {"policy", esc(doc.Policy.Name)},
			{"advisories", esc(doc.Database.ID)}, {"advisoriesAsOf", doc.Database.BuiltAt.UTC().Format(time.RFC3339)},
		},
	}
	for _, a := range r.Artifacts {
		s.Properties = append(s.Properties, junitProperty{"digest", esc(a.Digest)})
	}
	s.verdict(r, name)
	for _, c := range r.Checks {
		one := junitCase{Name: "check: " + esc(c.Check), Class: name, Time: "0"}
		switch c.State {
		case finding.Failed:
			one.Error = &junitProblem{Message: esc(c.Reason), Type: "check-failed"}
		case finding.Skipped:
			one.Skipped = &junitSkipped{esc(c.Reason)}
		}
		s.add(one)
	}
	s.Out = junitLog(r)
	return s
}

// junitFleet is a suite about what is deployed as a whole, for a person to read: a case
// for each rule that is broken, and each runtime that ends. None of them fails:
// what it means for a function is in the suite of that, under the policy.
func junitFleet(doc *finding.Document, id int) junitSuite {
	f := doc.Fleet
	s := junitSuite{
		ID: id, Name: "deployed", Package: "fnaudit", Hostname: "localhost", Time: "0", Timestamp: doc.JudgedAt.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"functions", strconv.Itoa(f.Functions)}, {"versions", strconv.Itoa(f.Versions)}, {"accounts", strconv.Itoa(len(f.Accounts))},
			{"exports", strconv.Itoa(len(f.Exports))}, {"scanned", strconv.Itoa(f.Scanned)},
		},
	}
	if f.GateAsked {
		s.Properties = append(s.Properties, junitProperty{"gated", strconv.Itoa(f.Gated)})
	}
	lines := []string{fleetCounts(f)}
	for _, d := range f.Drift {
		title := driftTitle(d.Rule) + ": " + finding.Count(len(d.Functions), "function", "functions")
		s.add(junitCase{Name: title, Class: "deployed", Time: "0"})
		for _, ref := range d.Functions[:min(len(d.Functions), maxJUnitRefs)] {
			lines = append(lines, driftTitle(d.Rule)+": "+refText(ref))
		}
		if more := len(d.Functions) - maxJUnitRefs; more > 0 {
			lines = append(lines, driftTitle(d.Rule)+": and "+finding.Thousands(more)+" more")
		}
	}
	for _, r := range f.Runtimes {
		s.add(junitCase{Name: "runtime " + show(r.Runtime, maxName) + ": " + finding.Count(r.Versions, "function", "functions") + ": " + runtimeEnd(r), Class: "deployed", Time: "0"})
	}
	for _, l := range f.Layers {
		if words := layerWords(l); l.Helped > 0 || l.Foreign {
			lines = append(lines, "layer "+esc(l.ARN)+": "+finding.Count(len(l.Functions), "function", "functions")+": "+words)
		}
	}
	s.Out = strings.Join(lines, "\n")
	return s
}

// maxJUnitRefs is how many functions of a rule the log of a suite names.
const maxJUnitRefs = 100

// verdict adds a case for the verdict: one for each reason, so that each has a
// line of its own where failures are listed.
func (s *junitSuite) verdict(r *finding.Report, class string) {
	if r.Verdict.Decision == finding.Pass {
		s.add(junitCase{Name: "verdict", Class: class, Time: "0"})
		return
	}
	reasons := r.Verdict.Reasons
	if len(reasons) == 0 {
		reasons = []string{"no reason given"}
	}
	for i, why := range reasons {
		one := junitCase{Name: "verdict: " + show(why, 120), Class: class, Time: "0"}
		problem := &junitProblem{Message: esc(why), Type: string(r.Verdict.Decision)}
		if i == 0 {
			problem.Text = esc(r.Verdict.Next)
		}
		if r.Verdict.Decision == finding.Fail {
			one.Failure = problem
		} else {
			one.Error = problem
		}
		s.add(one)
	}
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// junitLog is what a reader shows beside the cases: warnings, upgrades, the
// next step.
func junitLog(r *finding.Report) string {
	var lines []string
	for _, w := range r.Verdict.Warnings {
		lines = append(lines, "warning: "+esc(w))
	}
	for _, u := range r.Upgrades {
		lines = append(lines, "upgrade: "+esc(upgradeLine(u)))
	}
	if r.Verdict.Next != "" {
		lines = append(lines, "next: "+esc(r.Verdict.Next))
	}
	return strings.Join(lines, "\n")
}

// upgradeLine says one upgrade in one line: what, from, to, and how.
func upgradeLine(u finding.Upgrade) string {
	text := u.Name + " " + u.From
	if u.To != "" {
		text += " to " + u.To
	}
	if n := len(u.Clears); n > 0 {
		text += fmt.Sprintf(", clears %s", finding.Count(n, "finding", "findings"))
	}
	if n := len(u.Remains); n > 0 {
		text += fmt.Sprintf(", leaves %d", n)
	}
	if u.Command != "" {
		text += ": " + u.Command
	}
	return text
}
