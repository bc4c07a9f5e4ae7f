package report

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// The words of OpenVEX that are used.
const (
	vexContext      = "https://openvex.dev/ns/v0.2.0"
	vexAffected     = finding.VEXAffected
	vexNotAffected  = finding.VEXNotAffected
	vexInvestigated = finding.VEXInvestigated
	vexNotPresent   = finding.VEXCodeNotPresent
)

// The parts of an OpenVEX 0.2.0 document that are written
// (https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md).
type vexDocument struct {
	Context    string         `json:"@context"`
	ID         string         `json:"@id"`
	Author     string         `json:"author"`
	Role       string         `json:"role"`
	Timestamp  string         `json:"timestamp"`
	Version    int            `json:"version"`
	Tooling    string         `json:"tooling"`
	Statements []vexStatement `json:"statements"`
}

// vexStatement is about one advisory and one component of one function. The
// published schema takes either a justification or an impact statement, so the
// evidence of a justification stands in the notes.
type vexStatement struct {
	Vulnerability   vexVulnerability `json:"vulnerability"`
	Products        []vexProduct     `json:"products"`
	Status          string           `json:"status"`
	StatusNotes     string           `json:"status_notes,omitempty"`
	Justification   string           `json:"justification,omitempty"`
	ImpactStatement string           `json:"impact_statement,omitempty"`
	ActionStatement string           `json:"action_statement,omitempty"`
}

type vexVulnerability struct {
	ID      string   `json:"@id,omitempty"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
}

type vexProduct struct {
	vexComponent
	Subcomponents []vexComponent `json:"subcomponents,omitempty"`
}

type vexComponent struct {
	ID          string            `json:"@id,omitempty"`
	Identifiers map[string]string `json:"identifiers,omitempty"`
	Hashes      map[string]string `json:"hashes,omitempty"`
}

// writeOpenVEX writes what is known of each advisory: that it applies, that its
// code is proven not to be in the bytes, or that the version is not known. That
// code is there and cannot be reached is never claimed.
//
// The published schema wants at least one statement; a document about functions
// that nothing is known against has none, since there is nothing to state.
func writeOpenVEX(w io.Writer, doc *finding.Document, opt Options) error {
	out := vexRun(doc, opt, codec.Serial(document(doc, opt)))
	for _, r := range doc.Functions {
		out.Statements = append(out.Statements, vexStatements(r)...)
	}
	return codec.WriteJSON(w, out)
}

// vexRun is a document without its statements.
func vexRun(doc *finding.Document, opt Options, serial string) vexDocument {
	return vexDocument{
		Context: vexContext, ID: "https://github.com/fnaudit/fnaudit/openvex/" + serial,
		Author: "fnaudit", Role: "Document Creator", Timestamp: opt.Created.UTC().Format(time.RFC3339), Version: 1,
		Tooling: "fnaudit " + cmp.Or(doc.Tool.Version, "unknown"), Statements: []vexStatement{},
	}
}

// vexStatements are those about one function.
func vexStatements(r *finding.Report) []vexStatement {
	v := vexFunction{product: productOf(r), components: index(r)}
	for _, f := range r.Findings {
		if f.Kind == finding.KindVulnerability || f.Kind == finding.KindMalware {
			v.finding(f)
		}
	}
	for _, a := range r.Absent {
		v.absent(a)
	}
	return v.sorted()
}

// vexFunction gathers the statements about one function.
type vexFunction struct {
	product    vexComponent
	components map[string]finding.Component
	list       []vexStatement
}

// sorted returns the statements by component and advisory, without repeats.
func (v *vexFunction) sorted() []vexStatement {
	slices.SortStableFunc(v.list, func(a, b vexStatement) int {
		return cmp.Or(cmp.Compare(a.component(), b.component()), cmp.Compare(a.Vulnerability.Name, b.Vulnerability.Name),
			cmp.Compare(a.Status, b.Status), cmp.Compare(a.StatusNotes, b.StatusNotes), cmp.Compare(a.ActionStatement, b.ActionStatement),
			cmp.Compare(a.ImpactStatement, b.ImpactStatement))
	})
	return slices.CompactFunc(v.list, func(a, b vexStatement) bool {
		return a.component() == b.component() && a.Vulnerability.Name == b.Vulnerability.Name && a.Status == b.Status &&
			a.StatusNotes == b.StatusNotes && a.ActionStatement == b.ActionStatement && a.ImpactStatement == b.ImpactStatement
	})
}

func (s *vexStatement) component() string {
	if len(s.Products[0].Subcomponents) == 0 {
		return ""
	}
	c := s.Products[0].Subcomponents[0]
	return cmp.Or(c.ID, c.Identifiers["purl"])
}

func (v *vexFunction) add(s vexStatement, purl string) {
	p := vexProduct{vexComponent: v.product}
	if c := purlComponent(purl); c.ID != "" || c.Identifiers != nil {
		p.Subcomponents = []vexComponent{c}
	}
	s.Products = []vexProduct{p}
	v.list = append(v.list, s)
}

// finding states what a finding says, once per advisory that it folds.
func (v *vexFunction) finding(f finding.Finding) {
	s := vexStatement{Vulnerability: vulnerabilityOf(f.ID, f.Aliases), Status: vexAffected, StatusNotes: v.notes(f)}
	switch {
	case f.Reach == finding.ReachAbsent:
		s.Status, s.Justification = vexNotAffected, vexNotPresent
	case f.Cleared():
		s.Status = f.VEX.Status
		s.Justification, s.ImpactStatement = imported(f.VEX)
	case f.VEX != nil && f.VEX.Status == vexInvestigated, f.VEX == nil && f.Certainty == finding.Possible, f.VEX != nil && f.VEX.Refused != "" && f.Certainty == finding.Possible:
		s.Status = vexInvestigated
	default:
		s.ActionStatement = v.action(f)
	}
	if f.Rule != ruleVersionUnknown {
		v.add(s, f.Component)
		return
	}
	for _, e := range f.Evidence {
		if e.Source == "advisory" {
			s.Vulnerability = vulnerabilityOf(e.Locator, nil)
			v.add(s, f.Component)
		}
	}
}

// notes says how the status is known.
func (v *vexFunction) notes(f finding.Finding) string {
	notes := []string{string(f.Certainty)}
	if f.State != "" {
		notes = append(notes, f.State)
	}
	for _, e := range f.Evidence {
		if e.Source == "reach" || e.Source == "advisory" && e.Detail != "" && f.Reach != finding.ReachAbsent && f.Rule != ruleVersionUnknown {
			notes = append(notes, strings.TrimSpace(e.Locator+": "+e.Detail))
		}
	}
	if f.Rule == ruleVersionUnknown {
		notes = append(notes, "the version is not known")
	}
	if f.VEX != nil {
		notes = append(notes, stated(f.VEX))
	}
	if f.Waived != nil {
		notes = append(notes, acceptance(f.Waived))
	}
	return strings.Join(notes, "; ")
}

// action says what to do about a finding.
func (v *vexFunction) action(f finding.Finding) string {
	name := cmp.Or(v.components[f.Component].Name, f.Component, "the package")
	to := v.components[f.Component].Upgrade
	if to == "" && len(f.Fixed) > 0 {
		to = f.Fixed[0]
	}
	switch {
	case f.Kind == finding.KindMalware:
		return "remove " + name + ", then rotate every secret that the function could read"
	case to != "":
		return "upgrade " + name + " to " + to + " or later"
	}
	return "no fixed version of " + name + " is known: replace it, or keep what the advisory describes out of reach"
}

// absent states that a package of the lockfile is not in the bytes.
func (v *vexFunction) absent(a finding.Absent) {
	for _, adv := range a.Advisories {
		v.add(vexStatement{
			Vulnerability: vulnerabilityOf(adv.ID, adv.Aliases), Status: vexNotAffected, Justification: vexNotPresent,
			StatusNotes: leftOut(a),
		}, a.PURL)
	}
}

func listed(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %s more", strings.Join(names[:most], ", "), finding.Thousands(len(names)-most))
}

func vulnerabilityOf(id string, aliases []string) vexVulnerability {
	aliases = slices.Clone(aliases)
	slices.Sort(aliases)
	aliases = slices.DeleteFunc(slices.Compact(aliases), func(s string) bool { return s == id || s == "" })
	return vexVulnerability{ID: iri("https://osv.dev/vulnerability/" + url.PathEscape(id)), Name: id, Aliases: aliases}
}

// productOf names a function by its code: a package URL with the digest of what
// was judged (https://github.com/package-url/purl-spec).
func productOf(r *finding.Report) vexComponent {
	name, out := url.PathEscape(cmp.Or(r.Name, "function")), vexComponent{}
	purl := "pkg:generic/" + name
	if len(r.Artifacts) > 0 {
		a := r.Artifacts[0]
		if sum, ok := strings.CutPrefix(a.Digest, "sha256:"); ok && len(sum) == 64 {
			out.Hashes = map[string]string{"sha-256": sum}
			purl += "?checksum=sha256:" + sum
			if a.Kind == "image" || a.Kind == "layout" {
				purl = "pkg:oci/" + strings.ToLower(name) + "@sha256%3A" + sum
			}
		}
	}
	out.ID = iri(purl)
	return out
}

// purlComponent names a component by its purl: as the IRI that it is, or as an
// identifier when its characters make it none. "" gives the zero value.
func purlComponent(purl string) vexComponent {
	if id := iri(purl); id != "" {
		return vexComponent{ID: id}
	}
	if purl == "" {
		return vexComponent{}
	}
	return vexComponent{Identifiers: map[string]string{"purl": purl}}
}

// iri returns s if it is an absolute URI in plain characters (RFC 3986), else "".
func iri(s string) string {
	if strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"<>\\^`{|}", c) }) {
		return ""
	}
	if u, err := url.Parse(s); err != nil || u.Scheme == "" {
		return ""
	}
	return s
}
