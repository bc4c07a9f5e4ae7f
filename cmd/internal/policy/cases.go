package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// maxCases is how many cases one file may have.
const maxCases = 10_000

// Cases are the cases of one file that lies beside a policy: what it must make
// of what.
type Cases struct {
	Policy string // file of the policy, from the folder of the cases; "" the one beside them
	List   []Case
}

// Case is one of them.
type Case struct {
	Name   string
	Report string // file of a JSON report; "" when the case states what was found

	file fileCase
	at   time.Time
}

// Result is what became of a case.
type Result struct {
	Name     string          `json:"name"`
	Failures []string        `json:"failures"` // empty: it passed
	Verdict  finding.Verdict `json:"verdict"`
}

type fileCases struct {
	Version int        `yaml:"version"`
	Policy  string     `yaml:"policy"`
	At      string     `yaml:"at"`
	Cases   []fileCase `yaml:"cases"`
}

type fileCase struct {
	Name   string `yaml:"name"`
	At     string `yaml:"at"`
	Report string `yaml:"report"`
	FailOn string `yaml:"fail_on"`
	Gate   bool   `yaml:"gate"` // as the release gate judges: what a descriptor claims loosens nothing

	Function   fileFunction      `yaml:"function"`
	Findings   []caseFinding     `yaml:"findings"`
	Unknowns   []caseUnknown     `yaml:"unknowns"`
	Components []caseComponent   `yaml:"components"`
	Checks     map[string]string `yaml:"checks"`
	Coverage   *caseCoverage     `yaml:"coverage"`
	Database   caseDatabase      `yaml:"database"`

	Expect caseExpect `yaml:"expect"`
}

type fileFunction struct {
	Name       string   `yaml:"name"`
	Platform   string   `yaml:"platform"`
	Runtime    string   `yaml:"runtime"`
	Owner      string   `yaml:"owner"`
	Tags       []string `yaml:"tags"`
	Descriptor string   `yaml:"descriptor"` // that declares it; "": none does
}

type caseFinding struct {
	ID             string   `yaml:"id"`
	Aliases        []string `yaml:"aliases"`
	Kind           string   `yaml:"kind"`
	Rule           string   `yaml:"rule"`
	Severity       string   `yaml:"severity"`
	Certainty      string   `yaml:"certainty"`
	Component      string   `yaml:"component"`
	State          string   `yaml:"state"`
	Origin         string   `yaml:"origin"`
	Title          string   `yaml:"title"`
	Fixed          []string `yaml:"fixed"`
	Reach          string   `yaml:"reach"`
	KnownExploited bool     `yaml:"known_exploited"`
	ExploitedSince string   `yaml:"exploited_since"`
	Published      string   `yaml:"published"`
	FirstSeen      string   `yaml:"first_seen"`
	Baseline       bool     `yaml:"baseline"` // an earlier report has it
}

type caseUnknown struct {
	Kind      string `yaml:"kind"`
	Path      string `yaml:"path"`
	Reason    string `yaml:"reason"`
	Origin    string `yaml:"origin"`
	Component string `yaml:"component"`
	Data      bool   `yaml:"data"` // it is no code
}

type caseComponent struct {
	Component string `yaml:"component"`
	Name      string `yaml:"name"`
	Version   string `yaml:"version"`
	Ecosystem string `yaml:"ecosystem"`
}

type caseCoverage struct {
	Code    int64 `yaml:"code"`
	Unknown int64 `yaml:"unknown"`
}

type caseDatabase struct {
	Age     string `yaml:"age"`
	KEVAge  string `yaml:"kev_age"`
	Starter bool   `yaml:"starter"`
}

type caseExpect struct {
	Decision   string            `yaml:"decision"`
	Reasons    []string          `yaml:"reasons"`
	NoReasons  []string          `yaml:"no_reasons"`
	Warnings   []string          `yaml:"warnings"`
	NoWarnings []string          `yaml:"no_warnings"`
	Next       string            `yaml:"next"`
	Counts     map[string]string `yaml:"counts"`
}

// countWords are what a finding can be made of.
var countWords = []string{"fail", "incomplete", "warn", "ignored", "waived", "grace", "baseline"}

// ParseCases reads a file of cases. It is as strict as Parse: a case that is
// misspelt would hold nothing.
func ParseCases(data []byte, name string) (*Cases, error) {
	var f fileCases
	if err := decodeCases(data, &f); err != nil {
		return nil, fmt.Errorf("read cases %s: %w", name, err)
	}
	var errs []error
	if f.Version != 1 {
		errs = append(errs, fmt.Errorf("version is %d, this program knows version 1: write \"version: 1\"", f.Version))
	}
	if len(f.Cases) == 0 {
		errs = append(errs, errors.New("cases: there is none, so nothing would be tried"))
	}
	if len(f.Cases) > maxCases {
		return nil, fmt.Errorf("read cases %s: %d of them is over the limit of %d", name, len(f.Cases), maxCases)
	}
	out := &Cases{Policy: f.Policy}
	seen := map[string]bool{}
	for i, c := range f.Cases {
		one, err := c.parse(f.At)
		if err == nil && seen[c.Name] {
			err = fmt.Errorf("name: %q is here twice", clip(c.Name))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("cases[%d]: %w", i, err))
		}
		seen[c.Name] = true
		out.List = append(out.List, one)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("read cases %s: %s", name, strings.Join(flat(err), "; "))
	}
	return out, nil
}

func decodeCases(data []byte, f *fileCases) (err error) {
	if len(data) > MaxBytes {
		return fmt.Errorf("%d bytes is over the limit of %d", len(data), MaxBytes)
	}
	if err := refuse(data); err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil { // as in decode
			err = fmt.Errorf("not valid YAML: %v", r)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := dec.Decode(f); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the file is empty; start with \"version: 1\"")
		}
		return errors.New(cmp.Or(firstProblem(data, reflect.TypeFor[fileCases]()), yaml.FormatError(err, false, false)))
	}
	if err := dec.Decode(new(fileCases)); !errors.Is(err, io.EOF) {
		return errors.New("more than one YAML document; only the first would count")
	}
	if empty := emptyValue(data, reflect.TypeFor[fileCases](), false); empty != "" {
		return errors.New(empty) // an expectation without a value holds nothing
	}
	return nil
}

func (f fileCase) parse(at string) (Case, error) {
	c := Case{Name: f.Name, Report: f.Report, file: f}
	var errs []error
	if strings.TrimSpace(f.Name) == "" {
		errs = append(errs, errors.New("name is missing: say what the case shows"))
	}
	errs = append(errs, day(cmp.Or(f.At, at), &c.at, "at"))
	if c.at.IsZero() {
		errs = append(errs, errors.New("at is missing: a case has a clock, as in at: 2026-11-22"))
	}
	if f.Report != "" && (len(f.Findings)+len(f.Unknowns)+len(f.Components)+len(f.Checks) > 0 || f.Coverage != nil) {
		errs = append(errs, errors.New("report: what was found is in the report; leave findings, unknowns, components, checks and coverage out"))
	}
	if f.FailOn != "" && !new(Policy).FailOn(f.FailOn) {
		errs = append(errs, fmt.Errorf("fail_on: %q is not one of critical, high, medium, low, any, none", clip(f.FailOn)))
	}
	errs = append(errs, f.Expect.check(f))
	if f.Report == "" {
		_, err := c.stated()
		errs = append(errs, err)
	}
	_, err := c.database()
	return c, errors.Join(append(errs, err)...)
}

func (e caseExpect) check(f fileCase) error {
	var errs []error
	errs = append(errs, oneOf("expect.decision", e.Decision, []string{"pass", "fail", "incomplete"}))
	for _, id := range slices.Sorted(maps.Keys(e.Counts)) {
		errs = append(errs, oneOf("expect.counts."+clip(id), e.Counts[id], countWords))
		if f.Report == "" && !slices.ContainsFunc(f.Findings, func(x caseFinding) bool { return x.ID == id }) {
			errs = append(errs, fmt.Errorf("expect.counts: no finding of the case has the id %q", clip(id)))
		}
	}
	return errors.Join(errs...)
}

func oneOf(key, word string, words []string) error {
	if !slices.Contains(words, word) {
		return fmt.Errorf("%s: %q is not one of %s", key, clip(word), strings.Join(words, ", "))
	}
	return nil
}

// day reads a date or a time; "" leaves to as it is.
func day(text string, to *time.Time, key string) error {
	if text == "" {
		return nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		if t, err = time.Parse(time.RFC3339, text); err != nil {
			return fmt.Errorf("%s: %q is not a time: write it as 2026-11-22 or 2026-11-22T15:04:05Z", key, clip(text))
		}
	}
	*to = t
	return nil
}

// Run judges a case under a policy. report is the content of the file that
// Report names; nil where it names none. The policy is not changed.
func (c Case) Run(p *Policy, report []byte) Result {
	out := Result{Name: c.Name, Failures: []string{}}
	of := p.copied()
	of.Wary = c.file.Gate
	if c.file.FailOn != "" {
		of.FailOn(c.file.FailOn)
	}
	db, err := c.database()
	var reports []*finding.Report
	if err == nil && c.Report != "" {
		reports, db, err = c.read(report, db)
	} else if err == nil {
		var r *finding.Report
		r, err = c.stated()
		reports = append(reports, r)
		of.Baseline = c.earlier(r)
	}
	if err != nil {
		out.Failures = append(out.Failures, err.Error())
		return out
	}
	for _, r := range reports {
		v := of.Decide(r, db, c.at)
		out.Verdict = worse(out.Verdict, v)
	}
	out.Failures = append(out.Failures, c.file.Expect.against(out.Verdict, reports)...)
	return out
}

// worse is what two functions make together: the worse decision, and what is
// said of both.
func worse(a, b finding.Verdict) finding.Verdict {
	rank := []finding.Decision{"", finding.Pass, finding.Incomplete, finding.Fail}
	if slices.Index(rank, a.Decision) >= slices.Index(rank, b.Decision) {
		a, b = b, a
	}
	return finding.Verdict{Decision: b.Decision, Next: b.Next, Reasons: append(b.Reasons, a.Reasons...), Warnings: append(b.Warnings, a.Warnings...)}
}

// read takes the functions of a report, or the one that the case names.
func (c Case) read(data []byte, db finding.Database) ([]*finding.Report, finding.Database, error) {
	var doc finding.Document
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, db, fmt.Errorf("read report %s: %w", c.Report, err)
	}
	if doc.SchemaVersion != finding.SchemaVersion {
		return nil, db, fmt.Errorf("read report %s: schemaVersion is %q, this program knows %q", c.Report, clip(doc.SchemaVersion), finding.SchemaVersion)
	}
	var out []*finding.Report
	for _, r := range doc.Functions {
		if r != nil && (c.file.Function.Name == "" || r.Name == c.file.Function.Name) {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return nil, db, fmt.Errorf("report %s: it has no such function", c.Report)
	}
	if c.file.Database == (caseDatabase{}) {
		db = doc.Database
	}
	return out, db, nil
}

// database is the store of a case: a day old where it does not say.
func (c Case) database() (finding.Database, error) {
	db := finding.Database{Starter: c.file.Database.Starter}
	age, kev := 24*time.Hour, time.Duration(0)
	var err error
	if text := c.file.Database.Age; text != "" && text != "0" {
		err = errors.Join(err, duration(&text, &age, "database.age"))
	}
	if text := c.file.Database.KEVAge; text != "" {
		err = errors.Join(err, duration(&text, &kev, "database.kev_age"))
		db.Feeds = []finding.Feed{{Name: "kev", AsOf: c.at.Add(-kev)}}
	}
	db.Ecosystems = map[string]finding.Ecosystem{"npm": {AsOf: c.at.Add(-age)}}
	return db, err
}

// stated is the report that a case states. What it does not say is as in a
// function that was opened and in which every check ran and found nothing.
func (c Case) stated() (*finding.Report, error) {
	f := c.file
	r := finding.NewReport(cmp.Or(f.Function.Name, "function"), cmp.Or(f.Function.Name, "function")+".zip")
	r.Platform, r.Runtime, r.Owner, r.Tags = f.Function.Platform, f.Function.Runtime, f.Function.Owner, f.Function.Tags
	if f.Function.Descriptor != "" {
		r.Declared = &finding.Declared{Descriptor: f.Function.Descriptor, Resource: r.Name}
	}
	r.Coverage = &finding.Coverage{CodeBytes: 100, OwnBytes: 100}
	if f.Coverage != nil {
		r.Coverage = &finding.Coverage{CodeBytes: f.Coverage.Code, UnknownBytes: f.Coverage.Unknown, OwnBytes: f.Coverage.Code - f.Coverage.Unknown}
	}
	var errs []error
	errs = append(errs, f.checks(r))
	for i, x := range f.Findings {
		one, err := x.parse()
		if err != nil {
			errs = append(errs, fmt.Errorf("findings[%d].%w", i, err))
		}
		r.Findings = append(r.Findings, one)
	}
	for i, x := range f.Unknowns {
		if err := oneOf("kind", x.Kind, []string{"unreadable", "opaque", "limit", "unattributed", "unmatched"}); err != nil {
			errs = append(errs, fmt.Errorf("unknowns[%d].%w", i, err))
		}
		r.Unknowns = append(r.Unknowns, finding.Unknown{Kind: x.Kind, Path: x.Path, Reason: x.Reason, Origin: x.Origin, PURL: x.Component, Code: !x.Data})
	}
	for _, x := range f.Components {
		r.Components = append(r.Components, finding.Component{PURL: x.Component, Name: x.Name, Version: x.Version, Ecosystem: x.Ecosystem, State: "live", Origin: "app"})
	}
	return r, errors.Join(errs...)
}

// earlier is what an earlier report of the case's function has; nil for nothing.
func (c Case) earlier(r *finding.Report) *Baseline {
	var old []finding.Finding
	for i, f := range c.file.Findings {
		if f.Baseline {
			old = append(old, r.Findings[i])
		}
	}
	if old == nil {
		return nil
	}
	b := &Baseline{}
	b.Add(r.Name, old, time.Time{})
	return b
}

func (f fileCase) checks(r *finding.Report) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f.Checks)) {
		errs = append(errs, oneOf("checks", name, checkNames), oneOf("checks."+clip(name), f.Checks[name], []string{"ran", "failed", "skipped"}))
	}
	for _, name := range checkNames {
		state := finding.CheckState(cmp.Or(f.Checks[name], "ran"))
		r.Checks = append(r.Checks, finding.Status{Check: name, State: state})
	}
	return errors.Join(errs...)
}

// findingKinds are the kinds that a case may state.
var findingKinds = []string{"vulnerability", "malware", "archive", "runtime", "signature", "provenance", "stale", "untrusted", "licence", "exposure", "drift"}

func (x caseFinding) parse() (finding.Finding, error) {
	f := finding.Finding{
		ID: x.ID, Aliases: x.Aliases, Kind: finding.Kind(cmp.Or(x.Kind, "vulnerability")), Rule: x.Rule,
		Severity: finding.Severity(x.Severity), Certainty: finding.Certainty(cmp.Or(x.Certainty, "certain")),
		Component: x.Component, State: cmp.Or(x.State, "live"), Origin: cmp.Or(x.Origin, "app"), Title: cmp.Or(x.Title, x.ID),
		Fixed: x.Fixed, Reach: cmp.Or(x.Reach, finding.ReachUnknown), KEV: x.KnownExploited || x.ExploitedSince != "",
	}
	f.Rule = cmp.Or(f.Rule, string(f.Kind))
	f.Fingerprint = finding.Fingerprint(f.Kind, f.Rule, "", f.Component, f.ID, f.Aliases)
	var published, seen, since time.Time
	errs := []error{
		oneOf("kind", string(f.Kind), findingKinds), oneOf("certainty", string(f.Certainty), certainties),
		oneOf("state", f.State, []string{"live", "shadowed", "provided", "declared"}), oneOf("origin", f.Origin, origins),
		oneOf("reach", f.Reach, []string{finding.ReachUnknown, finding.ReachPresent, finding.ReachCalled, finding.ReachAbsent}),
		day(x.Published, &published, "published"), day(x.FirstSeen, &seen, "first_seen"), day(x.ExploitedSince, &since, "exploited_since"),
	}
	if x.ID == "" {
		errs = append(errs, errors.New("id is missing"))
	}
	if x.Severity != "" || f.Kind == finding.KindVulnerability {
		errs = append(errs, oneOf("severity", x.Severity, append(slices.Clone(severities), "unknown")))
	}
	if !published.IsZero() {
		f.Published = &published
	}
	if !seen.IsZero() {
		f.FirstSeen = &seen
	}
	if !since.IsZero() {
		f.Exploited = &finding.Exploited{Added: since.Format(time.DateOnly)}
	}
	return f, errors.Join(errs...)
}

// against says what of an expectation does not hold.
func (e caseExpect) against(v finding.Verdict, reports []*finding.Report) []string {
	var out []string
	if string(v.Decision) != e.Decision {
		out = append(out, fmt.Sprintf("decision: %s, want %s%s", v.Decision, e.Decision, given("the reasons are", v.Reasons)))
	}
	for _, x := range []struct {
		what       string
		list       []string
		want, none []string
	}{{"reason", v.Reasons, e.Reasons, e.NoReasons}, {"warning", v.Warnings, e.Warnings, e.NoWarnings}} {
		for _, text := range x.want {
			if !slices.ContainsFunc(x.list, func(s string) bool { return strings.Contains(s, text) }) {
				out = append(out, fmt.Sprintf("no %s has %q%s", x.what, text, given("they are", x.list)))
			}
		}
		for _, text := range x.none {
			if i := slices.IndexFunc(x.list, func(s string) bool { return strings.Contains(s, text) }); i >= 0 {
				out = append(out, fmt.Sprintf("a %s has %q: %s", x.what, text, x.list[i]))
			}
		}
	}
	if !strings.Contains(v.Next, e.Next) {
		out = append(out, fmt.Sprintf("next: %q, want %q in it", v.Next, e.Next))
	}
	for _, id := range slices.Sorted(maps.Keys(e.Counts)) {
		if got := counted(id, reports); got != e.Counts[id] {
			out = append(out, fmt.Sprintf("%s: %s, want %s", id, got, e.Counts[id]))
		}
	}
	return out
}

func given(says string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "; " + says + ": " + listed(list, 5)
}

// counted says what became of the finding with an id, the worst of several.
func counted(id string, reports []*finding.Report) string {
	worst := -1
	for _, r := range reports {
		for i := range r.Findings {
			if r.Findings[i].ID == id {
				if n := slices.Index(countOrder, becameOf(&r.Findings[i])); worst < 0 || n < worst {
					worst = n
				}
			}
		}
	}
	if worst < 0 {
		return "not found"
	}
	return countOrder[worst]
}

// countOrder is countWords, the worst first.
var countOrder = []string{"fail", "incomplete", "grace", "warn", "waived", "baseline", "ignored"}

func becameOf(f *finding.Finding) string {
	switch {
	case f.Waived != nil:
		return "waived"
	case f.Baseline:
		return "baseline"
	case f.GraceUntil != nil:
		return "grace"
	case f.Counts == finding.Fail:
		return "fail"
	case f.Counts == finding.Incomplete:
		return "incomplete"
	case f.Counts == finding.Pass:
		return "warn"
	}
	return "ignored"
}
