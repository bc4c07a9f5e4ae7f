package report

import (
	"cmp"
	"io"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	homepage    = "https://github.com/fnaudit/fnaudit"

	maxSARIFLocations = 10 // places of one result: viewers show the first
)

// writeSARIF writes one run for the whole document. What could not be read or
// checked is a notification of the invocation, so that a viewer can tell "no
// results" from "not judged".
func writeSARIF(w io.Writer, doc *finding.Document, _ Options) error {
	s := newSARIFWriter()
	for _, r := range doc.Functions {
		s.note(r)
	}
	s.begin(doc)
	for _, r := range doc.Functions {
		s.function(r)
	}
	return codec.WriteJSON(w, s.log())
}

func newSARIFWriter() *sarifWriter {
	return &sarifWriter{worst: map[string]finding.Finding{}, rules: map[string]int{}, artifacts: map[string]int{}, run: sarifRun{
		Invocations: []sarifInvocation{{ExecutionSuccessful: true, Notifications: []sarifNotification{}}},
		Artifacts:   []sarifArtifact{}, Results: []sarifResult{}, ColumnKind: "utf16CodeUnits",
	}}
}

// begin sets what is said of the run, when every function was noted.
func (s *sarifWriter) begin(doc *finding.Document) {
	s.run.Tool = sarifTool{Driver: sarifDriver{
		Name: cmp.Or(doc.Tool.Name, "fnaudit"), Version: doc.Tool.Version, InformationURI: homepage,
		Rules: []sarifRule{}, Notifications: notifications(),
	}}
	s.run.Properties = map[string]any{
		"advisorySnapshot": doc.Database.ID, "starterSet": doc.Database.Starter, "policy": doc.Policy.Name,
		"functions": doc.Summary.Functions, "pass": doc.Summary.Pass, "fail": doc.Summary.Fail, "incomplete": doc.Summary.Incomplete,
	}
	if len(doc.Database.Feeds) > 0 {
		s.run.Properties["feeds"] = feedFacts(doc.Database.Feeds)
	}
	if f := doc.Fleet; f != nil {
		drift := map[string]int{}
		for _, d := range f.Drift {
			drift[d.Rule] = len(d.Functions)
		}
		deployed := map[string]any{"functions": f.Functions, "versions": f.Versions, "accounts": f.Accounts, "scanned": f.Scanned, "drift": drift}
		if f.GateAsked {
			deployed["gated"] = f.Gated
		}
		s.run.Properties["deployed"] = deployed
	}
	s.setRules()
}

func (s *sarifWriter) log() sarifLog {
	return sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{s.run}}
}

type sarifWriter struct {
	run        sarifRun
	worst      map[string]finding.Finding   // rule id -> its worst finding
	rules      map[string]int               // rule id -> index
	artifacts  map[string]int               // uri -> index
	components map[string]finding.Component // of the function that is being written, by purl
	suppressed bool                         // some result is: then every result says whether it is (SARIF 3.27.23)

	findings, compared int // so far, and of which it is known whether they are new
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
	s.components = index(r)
	for _, a := range r.Artifacts {
		s.artifact(r, a)
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
	if f.EPSS > 0 {
		out.Properties["epss"], out.Properties["epssPercentile"] = f.EPSS, f.Percentile
	}
	if s.suppressed {
		out.Suppressions = &[]sarifSuppression{}
		if f.Waived != nil {
			*out.Suppressions = append(*out.Suppressions, sarifSuppression{Kind: "external", Status: "accepted", Justification: acceptance(f.Waived)})
		}
		if f.Cleared() {
			*out.Suppressions = append(*out.Suppressions, sarifSuppression{Kind: "external", Status: "accepted", Justification: stated(f.VEX)})
		}
	}
	if s.states() {
		out.Compared = string(comparedOf(&f))
	}
	s.run.Results = append(s.run.Results, out)
}

// states says whether results have a baselineState: each has one, or none does
// (SARIF 3.27.24). What is gone is no result with "absent": a code-scanning page
// that does not read the property would show it as there.
func (s *sarifWriter) states() bool { return s.compared == s.findings }

// comparedOf is what a finding is against the baseline, else against the report
// before; "" where that is not known.
func comparedOf(f *finding.Finding) finding.Compared {
	switch c := cmp.Or(f.Compared, f.Rescanned); c {
	case finding.ComparedNew, finding.ComparedUpdated, finding.ComparedUnchanged:
		return c
	}
	return ""
}

// message says in one sentence what is wrong and what to do.
func message(r *finding.Report, f finding.Finding) string {
	var b strings.Builder
	if f.OfDependency() { // its title is about the package
		b.WriteString(strings.TrimSpace(label(f.Component)+" "+cmp.Or(f.Title, f.ID)) + " in " + r.Name)
	} else {
		b.WriteString(cmp.Or(f.Title, f.ID))
	}
	if f.Component != "" && !f.OfDependency() {
		b.WriteString(": " + label(f.Component) + " in " + r.Name)
		if f.State != "" && f.State != "live" {
			b.WriteString(" (" + f.State + ")")
		}
	}
	switch {
	case f.Kind == finding.KindMalware:
		b.WriteString(". Remove it, then rotate every secret that the function could read.")
	case f.Kind == finding.KindRuntime && len(f.Fixed) > 0:
		b.WriteString(". Move the function to " + strings.Join(f.Fixed, " or ") + ".")
	case len(f.Fixed) > 0:
		b.WriteString(". Fixed in " + strings.Join(f.Fixed, ", ") + ".")
	case f.Kind == finding.KindVulnerability:
		b.WriteString(". No fix is known.")
	}
	return b.String()
}

// artifact lists an artifact once, with its digest.
func (s *sarifWriter) artifact(r *finding.Report, a finding.Artifact) {
	uri := artifactURI(cmp.Or(a.Ref, r.Target, r.Name))
	if _, ok := s.artifacts[uri]; ok {
		return
	}
	s.artifacts[uri] = len(s.run.Artifacts)
	out := sarifArtifact{Location: sarifURI{URI: uri}, Length: max(a.Size, 0)}
	if hex, ok := strings.CutPrefix(a.Digest, "sha256:"); ok {
		out.Hashes = map[string]string{"sha-256": strings.Clone(hex)} // of a report that need not stay
	}
	s.run.Artifacts = append(s.run.Artifacts, out)
}

// locations are the places of the finding's component, else of its evidence,
// else the function's first artifact.
func (s *sarifWriter) locations(r *finding.Report, f finding.Finding) []sarifLocation {
	type spot struct {
		artifact int
		path     string
	}
	var out []sarifLocation
	seen := map[spot]bool{} // one place can be in several layers, and the schema wants each once
	add := func(artifact int, path string) {
		if at := (spot{artifact, path}); len(out) < maxSARIFLocations && !seen[at] {
			seen[at] = true
			out = append(out, s.location(r, artifact, path))
		}
	}
	if f.Component != "" {
		if l := s.components[f.Component].Listed; l != nil { // where a person changes it, and a page can show it
			out = append(out, sarifLocation{Physical: sarifPhysical{Artifact: sarifURI{URI: artifactURI(l.File)}, Region: sarifRegion{StartLine: max(l.Line, 1)}}})
		}
		for _, l := range s.components[f.Component].Locations {
			add(l.Artifact, l.Path)
		}
	}
	if len(out) == 0 {
		for _, e := range f.Evidence {
			if e.Source == "bytes" || e.Source == "archive" {
				add(e.Artifact, e.Locator)
			}
		}
	}
	if f.Kind == finding.KindRuntime && r.Declared != nil { // where a person changes it
		return []sarifLocation{{Physical: sarifPhysical{Artifact: sarifURI{URI: artifactURI(r.Declared.Descriptor)}, Region: sarifRegion{StartLine: 1}}}}
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
