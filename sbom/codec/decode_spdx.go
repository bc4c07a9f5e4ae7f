package codec

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// The parts of SPDX 2.2 and 2.3 JSON that are read.
type inSPDX struct {
	Version      string `json:"spdxVersion"`
	Name         string `json:"name"`
	CreationInfo struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	} `json:"creationInfo"`
	Describes     []string           `json:"documentDescribes"`
	Packages      []inSPDXPackage    `json:"packages"`
	Relationships []spdxRelationship `json:"relationships"`
	Extracted     []spdxExtracted    `json:"hasExtractedLicensingInfos"`
}

type inSPDXPackage struct {
	ID               string           `json:"SPDXID"`
	Name             string           `json:"name"`
	Version          string           `json:"versionInfo"`
	FileName         string           `json:"packageFileName"`
	Purpose          string           `json:"primaryPackagePurpose"`
	DownloadLocation string           `json:"downloadLocation"`
	Checksums        []spdxChecksum   `json:"checksums"`
	LicenseConcluded string           `json:"licenseConcluded"`
	LicenseDeclared  string           `json:"licenseDeclared"`
	ExternalRefs     []spdxRef        `json:"externalRefs"`
	Annotations      []spdxAnnotation `json:"annotations"`
	facts            []spdxFact       // from our own annotations
}

func decodeSPDX(text []byte) (Document, error) {
	var in inSPDX
	if err := json.Unmarshal(text, &in); err != nil {
		return Document{}, fmt.Errorf("read SPDX: %w: %w", ErrFormat, err)
	}
	if in.Version != "" && !strings.HasPrefix(in.Version, "SPDX-2.") {
		return Document{}, fmt.Errorf("read SPDX: spdxVersion %q is not one of SPDX-2.x, which are read: %w", in.Version[:min(len(in.Version), 40)], ErrFormat)
	}
	doc := Document{Format: FormatSPDX, SpecVersion: strings.TrimPrefix(in.Version, "SPDX-"), Created: parseTime(in.CreationInfo.Created)}
	for _, c := range in.CreationInfo.Creators {
		if tool, ok := strings.CutPrefix(c, "Tool: "); ok && doc.Tool == "" {
			doc.Tool, doc.ToolVersion = splitTool(tool)
		}
	}
	d := &spdxReader{doc: &doc, in: &in, ours: doc.Tool == toolName, byID: map[string]*inSPDXPackage{}, extracted: map[string]string{}}
	if err := d.read(); err != nil {
		return Document{}, fmt.Errorf("read SPDX: %w", err)
	}
	return doc, nil
}

// splitTool cuts "syft-1.54.1" at the dash before the version.
func splitTool(s string) (name, version string) {
	s = truncate(s, 200)
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '-' && s[i+1] >= '0' && s[i+1] <= '9' {
			return s[:i], s[i+1:]
		}
	}
	if name, version, ok := strings.Cut(s, toolName+"-"); ok && name == "" {
		return toolName, version // "fnaudit-dev"
	}
	return s, ""
}

type spdxReader struct {
	doc       *Document
	in        *inSPDX
	ours      bool
	count     int
	byID      map[string]*inSPDXPackage
	requires  map[string][]string // SPDXID -> names
	contains  map[string][]string // SPDXID -> SPDXIDs
	extracted map[string]string
}

func (d *spdxReader) read() error {
	for i := range d.in.Packages {
		p := &d.in.Packages[i]
		d.byID[p.ID] = p
		if d.ours {
			p.facts = factsOf(p.Annotations)
		}
	}
	for _, x := range d.in.Extracted {
		d.extracted[x.ID] = x.Text
	}
	described := slices.Clone(d.in.Describes)
	d.requires, d.contains = map[string][]string{}, map[string][]string{}
	for _, r := range d.in.Relationships {
		from, to := r.Element, r.Related
		switch r.Type {
		case "DESCRIBES":
			described = append(described, to)
		case "DESCRIBED_BY":
			described = append(described, from)
		case "CONTAINS":
			d.contains[from] = append(d.contains[from], to)
		case "DEPENDS_ON":
			d.require(from, to)
		case "DEPENDENCY_OF", "RUNTIME_DEPENDENCY_OF", "DEV_DEPENDENCY_OF", "OPTIONAL_DEPENDENCY_OF", "PROVIDED_DEPENDENCY_OF", "BUILD_DEPENDENCY_OF":
			d.require(to, from)
		}
	}
	slices.Sort(described)
	described = slices.Compact(described)
	if d.ours {
		return d.readOurs(described)
	}
	return d.readOther(described)
}

func (d *spdxReader) require(from, to string) {
	if p := d.byID[to]; p != nil {
		d.requires[from] = append(d.requires[from], spdxName(p))
	}
}

// readOurs reads one function for each described package that says it is one.
func (d *spdxReader) readOurs(described []string) error {
	for _, id := range described {
		main := d.byID[id]
		if main == nil {
			continue
		}
		b := newBuilder(main.Name, &d.count)
		for _, f := range main.facts {
			if f.Function != "" {
				b.function.Name, b.function.Platform, b.function.Runtime = f.Function, f.Platform, f.Runtime
				d.doc.Snapshot = f.Snapshot
			}
			if f.Unknown != nil {
				b.restore(*f.Unknown)
			}
		}
		b.bom.Subject = digestOf(checksumsOf(main.Checksums))
		for _, id := range d.contains[main.ID] {
			if err := d.part(b, d.byID[id]); err != nil {
				return err
			}
		}
		d.doc.Functions = append(d.doc.Functions, b.done())
	}
	if len(d.doc.Functions) == 0 {
		return d.readOther(described)
	}
	if len(d.doc.Functions) > 1 {
		d.doc.Name = d.in.Name
	}
	return nil
}

// part adds an artifact or a package of a function of ours.
func (d *spdxReader) part(b *builder, p *inSPDXPackage) error {
	if p == nil {
		return nil
	}
	for _, f := range p.facts {
		if f.Artifact == nil {
			continue
		}
		a := Artifact{Ref: p.Name, Kind: bundle.Kind(f.Artifact.Kind), Digest: digestOf(checksumsOf(p.Checksums)), Size: f.Artifact.Size}
		a.Digest = cmp.Or(a.Digest, bundle.Digest(f.Artifact.Digest))
		b.function.Artifacts = append(b.function.Artifacts, a)
		return nil
	}
	return b.add(d.entry(p))
}

// readOther reads one function from another tool's document. A single
// described package without a purl is the subject that was scanned, when there
// are others; every other package is a component.
func (d *spdxReader) readOther(described []string) error {
	b := newBuilder(d.in.Name, &d.count)
	var subject *inSPDXPackage
	if len(described) == 1 {
		subject = d.byID[described[0]]
	}
	if subject != nil && len(d.in.Packages) > 1 {
		b.function.Name = cmp.Or(subject.Name, d.in.Name)
		if digest := digestOf(checksumsOf(subject.Checksums)); digest != "" {
			b.function.Artifacts = []Artifact{{Ref: b.function.Name, Digest: digest}}
		}
	} else {
		subject = nil
	}
	for i := range d.in.Packages {
		p := &d.in.Packages[i]
		e := d.entry(p)
		if p == subject {
			if e.purl == "" {
				continue
			}
			e.main = true
		}
		if e.purl == "" && (p.Purpose == "FILE" || p.Purpose == "OPERATING-SYSTEM") {
			continue // no packages, as in CycloneDX
		}
		if err := b.add(e); err != nil {
			return err
		}
	}
	d.doc.Functions = []Function{b.done()}
	return nil
}

func (d *spdxReader) entry(p *inSPDXPackage) entry {
	e := entry{
		ref: p.ID, purl: spdxPURL(p), name: p.Name, version: p.Version, hashes: checksumsOf(p.Checksums),
		requires: d.requires[p.ID], evidence: d.in.Version, licenses: []string{d.license(p)},
	}
	if p.DownloadLocation != noAssertion && p.DownloadLocation != "NONE" {
		e.resolved = p.DownloadLocation
	}
	for _, f := range p.facts {
		if f.Function != "" || f.Unknown != nil || f.Artifact != nil {
			continue
		}
		e.main, e.state, e.origin = f.Main, state(f.State), origin(f.Origin)
		e.versions, e.ecosystem, e.source, e.sourceVersion = tidyList(f.Versions), f.Ecosystem, f.Source, f.SourceVersion
		e.requires = f.Requires
		e.resolved = cmp.Or(f.Resolved, e.resolved)
		for _, l := range f.Locations {
			place := sbom.Occurrence{Artifact: l.Artifact, Layer: bundle.Digest(l.Layer), Path: l.Path, State: state(l.State)}
			if l.Artifact < 0 || l.Artifact >= maxArtifacts {
				place.Artifact = 0
			}
			e.places = append(e.places, place)
		}
	}
	return e
}

// license returns the declared licence, else the concluded one; a reference to
// a text of the document becomes that text when it stands alone.
func (d *spdxReader) license(p *inSPDXPackage) string {
	for _, s := range []string{p.LicenseDeclared, p.LicenseConcluded} {
		if s == "" || s == noAssertion || s == "NONE" {
			continue
		}
		if text := d.extracted[s]; text != "" && len(text) <= maxExpression {
			return text
		}
		return s
	}
	return ""
}

func factsOf(annotations []spdxAnnotation) []spdxFact {
	var out []spdxFact
	for _, a := range annotations {
		text, ok := strings.CutPrefix(a.Comment, spdxFacts)
		if !ok {
			continue
		}
		var f spdxFact
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			f = spdxFact{Unknown: &unknownJSON{Kind: string(sbom.Unreadable), Reason: "an annotation of the document cannot be read", Code: true}}
		}
		out = append(out, f)
	}
	return out
}

func spdxPURL(p *inSPDXPackage) string {
	first := ""
	for _, r := range p.ExternalRefs {
		if r.Type != "purl" && !strings.HasSuffix(r.Type, "/purl") {
			continue
		}
		if _, ok := parsePURL(r.Locator); ok {
			return r.Locator
		}
		first = cmp.Or(first, r.Locator)
	}
	return first
}

func spdxName(p *inSPDXPackage) string {
	if purl, ok := parsePURL(spdxPURL(p)); ok {
		return purl.packageName()
	}
	return p.Name
}

func checksumsOf(in []spdxChecksum) map[string]string {
	var out map[string]string
	for _, c := range in {
		out = addHash(out, algorithm(c.Algorithm), c.Value)
	}
	return out
}
