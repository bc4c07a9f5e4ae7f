package report

import (
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

func writeCycloneDX(w io.Writer, doc *finding.Document, opt Options) error {
	return codec.EncodeCycloneDX(w, document(doc, opt))
}

func writeSPDX(w io.Writer, doc *finding.Document, opt Options) error {
	return codec.EncodeSPDX(w, document(doc, opt))
}

// document turns a report back into bills of materials.
func document(doc *finding.Document, opt Options) codec.Document {
	out := documentRun(doc, opt)
	for _, r := range doc.Functions {
		out.Functions = append(out.Functions, toFunction(r))
	}
	return out
}

// documentRun is document without the functions.
func documentRun(doc *finding.Document, opt Options) codec.Document {
	return codec.Document{Name: "fnaudit scan", Created: opt.Created, Snapshot: doc.Database.ID, Lists: feedFacts(doc.Database.Feeds), ToolVersion: doc.Tool.Version}
}

// toSubject is what tells a function from others, in an SBOM without components.
func toSubject(r *finding.Report) codec.Function {
	f := codec.Function{Name: r.Name, Platform: r.Platform, Runtime: r.Runtime, SBOM: &sbom.SBOM{}}
	for i, a := range r.Artifacts {
		if i == 0 {
			f.SBOM.Subject = bundle.Digest(a.Digest)
		}
		f.Artifacts = append(f.Artifacts, codec.Artifact{Ref: a.Ref, Kind: bundle.Kind(a.Kind), Digest: bundle.Digest(a.Digest), Size: a.Size})
	}
	return f
}

func toFunction(r *finding.Report) codec.Function {
	f := toSubject(r)
	bom := f.SBOM
	for _, c := range r.Components {
		bom.Components = append(bom.Components, toComponent(c))
	}
	for _, t := range r.Traits {
		bom.Traits = append(bom.Traits, toTrait(t))
	}
	for _, u := range r.Unknowns {
		bom.Unknowns = append(bom.Unknowns, sbom.Unknown{
			Artifact: u.Artifact, Path: u.Path, Kind: sbom.UnknownKind(u.Kind), Reason: u.Reason, Code: u.Code,
		})
	}
	for _, a := range r.Absent {
		bom.Absent = append(bom.Absent, sbom.Absent{PURL: a.PURL, Name: a.Name, Version: a.Version, Ecosystem: a.Ecosystem, Lockfile: a.Lockfile, Bundles: a.Bundles})
	}
	for _, v := range r.Findings {
		if v.Kind == finding.KindVulnerability || v.Kind == finding.KindMalware {
			f.Vulnerabilities = append(f.Vulnerabilities, toVulnerability(v))
		}
	}
	return f
}

func toComponent(c finding.Component) sbom.Component {
	out := sbom.Component{
		Ref: c.PURL, PURL: c.PURL, Name: c.Name, Version: c.Version, Versions: c.Versions, Disputed: c.Disputed, Ecosystem: c.Ecosystem, Source: c.Source, SourceVersion: c.SourceVersion,
		Main: c.Main, State: sbom.State(c.State), Origin: sbom.Origin(c.Origin), Hashes: c.Hashes, Licenses: c.Licenses,
		Resolved: c.Resolved, Requires: c.Requires, Confidence: c.Confidence,
	}
	for _, l := range c.Locations {
		out.Occurrences = append(out.Occurrences, sbom.Occurrence{
			Artifact: l.Artifact, Layer: bundle.Digest(l.Layer), Path: l.Path, State: sbom.State(l.State),
		})
	}
	for _, t := range c.Traits {
		out.Traits = append(out.Traits, toTrait(t))
	}
	for _, e := range c.Evidence {
		out.Evidence = append(out.Evidence, sbom.Evidence{Method: e.Method, Confidence: e.Confidence, Path: e.Path, Detail: e.Detail})
	}
	return out
}

func toTrait(t finding.Trait) sbom.Trait {
	return sbom.Trait{Kind: sbom.TraitKind(t.Kind), Artifact: t.Artifact, Path: t.Path, Detail: t.Detail}
}

func toVulnerability(f finding.Finding) codec.Vulnerability {
	v := codec.Vulnerability{
		ID: f.ID, Aliases: f.Aliases, URL: advisoryURL(f), Severity: string(f.Severity), Score: f.Score, Vector: f.Vector,
		Title: f.Title, Fixed: f.Fixed, PURL: f.Component, Version: versionOf(f.Component), Published: value(f.Published), Modified: value(f.Modified),
		Facts: map[string]string{
			"certainty": string(f.Certainty), "fingerprint": f.Fingerprint, "kind": string(f.Kind), "reach": f.Reach, "state": f.State, "origin": f.Origin,
		},
	}
	if f.KEV {
		v.Facts["kev"] = "true"
	}
	if f.EPSS > 0 {
		v.Facts["epss"] = strconv.FormatFloat(f.EPSS, 'f', -1, 64)
	}
	if f.Waived != nil {
		v.Accepted = acceptance(f.Waived)
	}
	v.Analysis = analysis(f)
	return v
}

// analysis is what is known of a finding beyond that its advisory applies: what
// the bytes prove, else what a statement says.
func analysis(f finding.Finding) codec.Analysis {
	if f.Reach == finding.ReachAbsent {
		a := codec.Analysis{State: "not_affected", Justification: "code_not_present"}
		for _, e := range f.Evidence {
			if e.Source == "reach" {
				a.Detail = strings.TrimSpace(e.Locator + ": " + e.Detail)
			}
		}
		return a
	}
	v := f.VEX
	if v == nil || v.Refused != "" {
		return codec.Analysis{}
	}
	state := map[string]string{finding.VEXNotAffected: "not_affected", finding.VEXFixed: "resolved", finding.VEXAffected: "exploitable", finding.VEXInvestigated: "in_triage"}
	a := codec.Analysis{State: state[v.Status], Detail: stated(v)}
	if v.Status != finding.VEXNotAffected {
		return a
	}
	switch v.Justification {
	case finding.VEXComponentNotPresent, finding.VEXCodeNotPresent:
		a.Justification = "code_not_present"
	case finding.VEXNotExecuted:
		a.Justification = "code_not_reachable"
	case finding.VEXMitigated:
		a.Justification = "protected_by_mitigating_control"
	case finding.VEXNotControlled: // no word says that
	default:
		a.Justification = v.Justification
	}
	return a
}

// advisoryURL is the page of an advisory, "" for a finding that is none. OSV
// has a page for every id of its records; one that it lacks says so there.
func advisoryURL(f finding.Finding) string {
	if f.ID == "" || f.Rule == ruleVersionUnknown || f.Kind != finding.KindVulnerability && f.Kind != finding.KindMalware {
		return ""
	}
	return "https://osv.dev/vulnerability/" + url.PathEscape(f.ID)
}

// ruleVersionUnknown is the rule of a finding that folds the advisories of a
// package whose version is not known; its aliases are their ids.
const ruleVersionUnknown = finding.RuleVersionUnknown

// acceptance says who accepted a finding until when and why.
func acceptance(w *finding.Waived) string {
	s := "accepted"
	if w.Owner != "" {
		s += " by " + w.Owner
	}
	if !w.Expires.IsZero() {
		s += " until " + w.LastDay()
	}
	if w.Reason != "" {
		s += ": " + w.Reason
	}
	return s
}

// versionOf returns the decoded version of a purl, "" when it has none.
func versionOf(purl string) string {
	base := finding.Versionless(purl)
	rest, ok := strings.CutPrefix(purl, base+"@")
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	if v, err := url.PathUnescape(rest); err == nil {
		return v
	}
	return rest
}

// nameOf returns the name in a purl as people write it: "@scope/name",
// "group:artifact"; the purl itself when it is none.
func nameOf(purl string) string {
	rest, ok := strings.CutPrefix(finding.Versionless(purl), "pkg:")
	typ, name, found := strings.Cut(rest, "/")
	if !ok || !found || name == "" {
		return purl
	}
	if v, err := url.PathUnescape(name); err == nil {
		name = v
	}
	if typ == "maven" {
		if i := strings.LastIndexByte(name, '/'); i > 0 {
			name = name[:i] + ":" + name[i+1:]
		}
	}
	return name
}

// typeOf returns the type of a purl: "npm"; "" when it is none.
func typeOf(purl string) string {
	rest, ok := strings.CutPrefix(purl, "pkg:")
	if !ok {
		return ""
	}
	typ, _, _ := strings.Cut(rest, "/")
	return typ
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
