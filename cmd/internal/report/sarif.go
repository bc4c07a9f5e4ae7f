package report

import (
	"cmp"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// The parts of SARIF 2.1.0 that are written
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/). They are our
// own types because go-sarif costs 2.3 MB and 1 ms at each start.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Artifacts   []sarifArtifact   `json:"artifacts"`
	Results     []sarifResult     `json:"results"`
	ColumnKind  string            `json:"columnKind"`
	Properties  map[string]any    `json:"properties"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string            `json:"name"`
	Version        string            `json:"version,omitempty"`
	InformationURI string            `json:"informationUri"`
	Rules          []sarifRule       `json:"rules"`
	Notifications  []sarifDescriptor `json:"notifications"`
}

type sarifDescriptor struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
}

type sarifRule struct {
	ID                   string         `json:"id"`
	Name                 string         `json:"name,omitempty"`
	ShortDescription     sarifText      `json:"shortDescription"`
	FullDescription      sarifText      `json:"fullDescription"`
	HelpURI              string         `json:"helpUri,omitempty"`
	Help                 sarifText      `json:"help"`
	DefaultConfiguration sarifLevel     `json:"defaultConfiguration"`
	Properties           map[string]any `json:"properties"`
}

type sarifLevel struct {
	Level string `json:"level"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifInvocation struct {
	ExecutionSuccessful bool                `json:"executionSuccessful"`
	Notifications       []sarifNotification `json:"toolExecutionNotifications"`
}

type sarifNotification struct {
	Level      string             `json:"level"`
	Message    sarifText          `json:"message"`
	Descriptor sarifDescriptorRef `json:"descriptor"`
	Locations  []sarifLocation    `json:"locations,omitempty"`
	Properties map[string]any     `json:"properties,omitempty"`
}

type sarifDescriptorRef struct {
	ID    string `json:"id"`
	Index int    `json:"index"`
}

type sarifArtifact struct {
	Location sarifURI          `json:"location"`
	Length   int64             `json:"length,omitempty"`
	Hashes   map[string]string `json:"hashes,omitempty"`
}

type sarifURI struct {
	URI   string `json:"uri"`
	Index *int   `json:"index,omitempty"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifURI    `json:"artifactLocation"`
	Region   sarifRegion `json:"region"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

type sarifLogical struct {
	Name string `json:"name"`
	Full string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type sarifResult struct {
	RuleID       string              `json:"ruleId"`
	RuleIndex    int                 `json:"ruleIndex"`
	Kind         string              `json:"kind"`
	Level        string              `json:"level"`
	Message      sarifText           `json:"message"`
	Locations    []sarifLocation     `json:"locations"`
	Fingerprints map[string]string   `json:"partialFingerprints"`
	Suppressions *[]sarifSuppression `json:"suppressions,omitempty"`
	Properties   map[string]any      `json:"properties"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
}

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	homepage    = "https://github.com/fnaudit/fnaudit"

	maxSARIFLocations = 10 // places of one result: viewers show the first
)

// writeSARIF writes one run for the whole document. What could not be read or
// checked is a notification of the invocation, so that a viewer can tell "no
// results" from "not judged".
func writeSARIF(w io.Writer, doc *finding.Document, _ Options) error {
	s := &sarifWriter{rules: map[string]int{}, artifacts: map[string]int{}, run: sarifRun{
		Tool: sarifTool{Driver: sarifDriver{
			Name: cmp.Or(doc.Tool.Name, "fnaudit"), Version: doc.Tool.Version, InformationURI: homepage,
			Rules: []sarifRule{}, Notifications: notifications(),
		}},
		Invocations: []sarifInvocation{{ExecutionSuccessful: true, Notifications: []sarifNotification{}}},
		Artifacts:   []sarifArtifact{}, Results: []sarifResult{}, ColumnKind: "utf16CodeUnits",
		Properties: map[string]any{
			"advisorySnapshot": doc.Database.ID, "starterSet": doc.Database.Starter, "policy": doc.Policy.Name,
			"functions": doc.Summary.Functions, "pass": doc.Summary.Pass, "fail": doc.Summary.Fail, "incomplete": doc.Summary.Incomplete,
		},
	}}
	for _, r := range doc.Functions {
		for _, f := range r.Findings {
			s.suppressed = s.suppressed || f.Waived != nil
		}
	}
	s.collectRules(doc)
	for _, r := range doc.Functions {
		s.function(r)
	}
	return codec.WriteJSON(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{s.run}})
}

type sarifWriter struct {
	run        sarifRun
	rules      map[string]int // rule id -> index
	artifacts  map[string]int // uri -> index
	suppressed bool           // some result is: then every result says whether it is (SARIF 3.27.23)
}

// The notifications, in the order of their indexes.
const (
	noteUnknown = iota
	noteCheck
	noteVerdict
)

func notifications() []sarifDescriptor {
	return []sarifDescriptor{
		{ID: "unknown", ShortDescription: sarifText{Text: "Something could not be read, attributed or matched."}},
		{ID: "check", ShortDescription: sarifText{Text: "A check did not run to its end."}},
		{ID: "verdict", ShortDescription: sarifText{Text: "A function could not be judged completely."}},
	}
}

func (s *sarifWriter) function(r *finding.Report) {
	for i, a := range r.Artifacts {
		s.artifact(r, i, a)
	}
	for _, f := range r.Findings {
		s.result(r, f)
	}
	for _, u := range r.Unknowns {
		if u.Waived != nil {
			continue
		}
		level := "warning"
		if !u.Code {
			level = "note"
		}
		what := cmp.Or(u.PURL, u.Path, "the whole artifact")
		s.notify(noteUnknown, level, r.Name+": "+u.Kind+": "+what+": "+u.Reason, []sarifLocation{s.location(r, u.Artifact, u.Path)})
	}
	for _, c := range r.Checks {
		switch c.State {
		case finding.Failed:
			s.run.Invocations[0].ExecutionSuccessful = false
			s.notify(noteCheck, "error", r.Name+": check "+c.Check+" failed: "+c.Reason, nil)
		case finding.Skipped:
			s.notify(noteCheck, "note", r.Name+": check "+c.Check+" skipped: "+c.Reason, nil)
		}
	}
	if r.Verdict.Decision == finding.Incomplete {
		s.notify(noteVerdict, "warning", r.Name+": incomplete: "+strings.Join(r.Verdict.Reasons, "; "), nil)
	}
}

func (s *sarifWriter) notify(id int, level, text string, at []sarifLocation) {
	inv := &s.run.Invocations[0]
	inv.Notifications = append(inv.Notifications, sarifNotification{
		Level: level, Message: sarifText{Text: sarifEscape(text)}, Locations: at,
		Descriptor: sarifDescriptorRef{ID: notifications()[id].ID, Index: id},
	})
}

func (s *sarifWriter) result(r *finding.Report, f finding.Finding) {
	id := ruleID(f)
	out := sarifResult{
		RuleID: id, RuleIndex: s.rules[id], Kind: "fail", Level: level(f),
		Message:   sarifText{Text: sarifEscape(message(r, f))},
		Locations: s.locations(r, f),
		Fingerprints: map[string]string{
			"fnaudit/v1": f.Fingerprint,
			// The key that GitHub tells results apart by; there are no lines to hash.
			"primaryLocationLineHash": f.Fingerprint,
		},
		Properties: map[string]any{
			"function": r.Name, "kind": string(f.Kind), "severity": string(f.Severity), "certainty": string(f.Certainty),
			"component": f.Component, "state": f.State, "origin": f.Origin, "fixed": f.Fixed, "kev": f.KEV, "reach": f.Reach,
		},
	}
	if s.suppressed {
		out.Suppressions = &[]sarifSuppression{}
		if f.Waived != nil {
			*out.Suppressions = append(*out.Suppressions, sarifSuppression{Kind: "external", Status: "accepted", Justification: acceptance(f.Waived)})
		}
	}
	s.run.Results = append(s.run.Results, out)
}

// message says in one sentence what is wrong and what to do.
func message(r *finding.Report, f finding.Finding) string {
	var b strings.Builder
	b.WriteString(cmp.Or(f.Title, f.ID))
	if f.Component != "" {
		b.WriteString(": " + label(f.Component) + " in " + r.Name)
		if f.State != "" && f.State != "live" {
			b.WriteString(" (" + f.State + ")")
		}
	}
	switch {
	case f.Kind == finding.KindMalware:
		b.WriteString(". Remove it, then rotate every secret that the function could read.")
	case len(f.Fixed) > 0:
		b.WriteString(". Fixed in " + strings.Join(f.Fixed, ", ") + ".")
	case f.Kind == finding.KindVulnerability:
		b.WriteString(". No fix is known.")
	}
	return b.String()
}

// ruleID is the advisory for what an advisory says, else the rule.
func ruleID(f finding.Finding) string {
	if advisoryURL(f) != "" {
		return f.ID
	}
	return cmp.Or(f.Rule, f.ID, string(f.Kind))
}

// collectRules makes one rule per id, sorted, from its worst finding.
func (s *sarifWriter) collectRules(doc *finding.Document) {
	worst := map[string]finding.Finding{}
	for _, r := range doc.Functions {
		for _, f := range r.Findings {
			id := ruleID(f)
			if old, ok := worst[id]; !ok || finding.Compare(f, old) < 0 {
				worst[id] = f
			}
		}
	}
	ids := make([]string, 0, len(worst))
	for id := range worst {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for i, id := range ids {
		s.rules[id] = i
		s.run.Tool.Driver.Rules = append(s.run.Tool.Driver.Rules, rule(id, worst[id]))
	}
}

func rule(id string, f finding.Finding) sarifRule {
	title := cmp.Or(f.Title, id)
	if advisoryURL(f) == "" {
		title = ruleTitle(f) // the finding's title is about one place
	}
	text := title + "."
	markdown := "**" + markdownEscape(title) + "**"
	if page := advisoryURL(f); page != "" {
		text += " See " + page
		markdown += "\n\n- Advisory: [" + markdownEscape(f.ID) + "](" + page + ")"
		if len(f.Aliases) > 0 {
			markdown += "\n- Also known as: " + markdownEscape(strings.Join(f.Aliases, ", "))
		}
		if len(f.Fixed) > 0 {
			markdown += "\n- Fixed in: " + markdownEscape(strings.Join(f.Fixed, ", "))
		}
	}
	return sarifRule{
		ID: id, ShortDescription: sarifText{Text: sarifEscape(title)}, FullDescription: sarifText{Text: sarifEscape(title)},
		HelpURI: advisoryURL(f), Help: sarifText{Text: sarifEscape(text), Markdown: markdown},
		DefaultConfiguration: sarifLevel{level(f)},
		Properties: map[string]any{
			"security-severity": securitySeverity(f), "precision": precision(f), "tags": []string{"security", string(f.Kind)},
		},
	}
}

func ruleTitle(f finding.Finding) string {
	switch {
	case f.Rule == ruleVersionUnknown:
		return "Package with known vulnerabilities whose version is not known"
	case f.Kind == finding.KindArchive:
		title, _, _ := strings.Cut(f.Title, ": ")
		return cmp.Or(title, f.Rule)
	}
	return cmp.Or(f.Rule, string(f.Kind))
}

// level maps severity to SARIF's four; what may not apply is a note.
func level(f finding.Finding) string {
	if f.Certainty == finding.Possible && f.Kind != finding.KindMalware {
		return "note"
	}
	switch f.Severity {
	case finding.Medium:
		return "warning"
	case finding.Low, finding.None:
		return "note"
	}
	return "error" // critical, high, and what nobody rated
}

// securitySeverity is the score that GitHub ranks by, as text: over 9.0 is
// critical, from 7.0 high, from 4.0 medium. Without a score it is the middle of
// the severity's band; what nobody rated counts as high.
func securitySeverity(f finding.Finding) string {
	if f.Score > 0 {
		return strconv.FormatFloat(f.Score, 'f', 1, 64)
	}
	switch f.Severity {
	case finding.Critical:
		return "9.5"
	case finding.Medium:
		return "5.5"
	case finding.Low:
		return "2.0"
	case finding.None:
		return "0.0"
	}
	return "8.0"
}

func precision(f finding.Finding) string {
	switch f.Certainty {
	case finding.Probable:
		return "high"
	case finding.Possible:
		return "low"
	}
	return "very-high"
}

// artifact lists an artifact once, with its digest.
func (s *sarifWriter) artifact(r *finding.Report, i int, a finding.Artifact) {
	uri := artifactURI(cmp.Or(a.Ref, r.Target, r.Name))
	if _, ok := s.artifacts[uri]; ok {
		return
	}
	s.artifacts[uri] = len(s.run.Artifacts)
	out := sarifArtifact{Location: sarifURI{URI: uri}, Length: max(a.Size, 0)}
	if hex, ok := strings.CutPrefix(a.Digest, "sha256:"); ok {
		out.Hashes = map[string]string{"sha-256": hex}
	}
	s.run.Artifacts = append(s.run.Artifacts, out)
}

// locations are the places of the finding's component, else of its evidence,
// else the function's first artifact.
func (s *sarifWriter) locations(r *finding.Report, f finding.Finding) []sarifLocation {
	var out []sarifLocation
	add := func(artifact int, path string) {
		if len(out) < maxSARIFLocations {
			out = append(out, s.location(r, artifact, path))
		}
	}
	for _, c := range r.Components {
		if f.Component != "" && c.PURL == f.Component {
			for _, l := range c.Locations {
				add(l.Artifact, l.Path)
			}
		}
	}
	if len(out) == 0 {
		for _, e := range f.Evidence {
			if e.Source == "bytes" || e.Source == "archive" {
				add(e.Artifact, e.Locator)
			}
		}
	}
	if len(out) == 0 {
		add(0, "")
	}
	return out
}

// location is an artifact, and the path inside of it as a logical location:
// no viewer can open a file inside of a zip.
func (s *sarifWriter) location(r *finding.Report, artifact int, path string) sarifLocation {
	ref := cmp.Or(r.Target, r.Name)
	if artifact >= 0 && artifact < len(r.Artifacts) {
		ref = cmp.Or(r.Artifacts[artifact].Ref, ref)
	}
	uri := sarifURI{URI: artifactURI(ref)}
	if i, ok := s.artifacts[uri.URI]; ok {
		uri.Index = &i
	}
	out := sarifLocation{Physical: sarifPhysical{Artifact: uri, Region: sarifRegion{StartLine: 1}}}
	if path != "" {
		out.Logical = []sarifLogical{{Name: path[strings.LastIndexByte(path, '/')+1:], Full: ref + "!/" + path, Kind: "resource"}}
		if out.Logical[0].Name == "" {
			out.Logical[0].Name = path
		}
	}
	return out
}

// artifactURI makes a URI reference of what the user called the artifact: a
// file URI of an absolute path, a relative reference otherwise.
func artifactURI(ref string) string {
	path := strings.ReplaceAll(ref, `\`, "/")
	u := url.URL{Path: path}
	if len(path) > 2 && path[1] == ':' && path[2] == '/' && letter(path[0]) {
		u.Path = "/" + path // a Windows drive
	}
	if strings.HasPrefix(u.Path, "/") {
		u.Path, u.Scheme = "/"+strings.TrimLeft(u.Path, "/"), "file"
	}
	return u.String()
}

// sarifEscape escapes what SARIF 3.11.5 and 3.11.6 give a meaning in message
// texts (placeholders and links), and what viewers that render them as HTML would.
func sarifEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}").Replace(Escape(s))
}

// markdownEscape makes text plain in Markdown: every punctuation character of
// CommonMark 2.4 that starts something is escaped, "<" and "&" as entities.
func markdownEscape(s string) string {
	var b strings.Builder
	for _, r := range Escape(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_{}[]()#+!|~", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
