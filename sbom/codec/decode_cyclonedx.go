package codec

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// The parts of CycloneDX 1.2 to 1.7 that are read. They are our own types
// because one odd field elsewhere must not make a document unreadable, and
// because each costs memory that a hostile document multiplies.
type inCycloneDX struct {
	SpecVersion string `json:"specVersion"`
	Metadata    struct {
		Timestamp string          `json:"timestamp"`
		Tools     json.RawMessage `json:"tools"` // a list until 1.4, an object since
		Component *inComponent    `json:"component"`
	} `json:"metadata"`
	Components   []inComponent `json:"components"`
	Dependencies []struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	} `json:"dependencies"`
	Compositions []struct {
		Aggregate string `json:"aggregate"`
	} `json:"compositions"`
	Properties []inProperty `json:"properties"`
}

type inComponent struct {
	BOMRef             string        `json:"bom-ref"`
	Type               string        `json:"type"`
	Group              string        `json:"group"`
	Name               string        `json:"name"`
	Version            string        `json:"version"`
	PURL               string        `json:"purl"`
	Hashes             []inHash      `json:"hashes"`
	Licenses           []inLicense   `json:"licenses"`
	Properties         []inProperty  `json:"properties"`
	Components         []inComponent `json:"components"`
	Evidence           *inEvidence   `json:"evidence"`
	ExternalReferences []struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	} `json:"externalReferences"`
}

type inHash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type inLicense struct {
	Expression string `json:"expression"`
	License    struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"license"`
}

type inProperty struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type inEvidence struct {
	Occurrences []struct {
		Location string `json:"location"`
		Context  string `json:"additionalContext"`
	} `json:"occurrences"`
}

func decodeCycloneDX(text []byte) (Document, error) {
	var in inCycloneDX
	if err := json.Unmarshal(text, &in); err != nil {
		return Document{}, fmt.Errorf("read CycloneDX: %w: %w", ErrFormat, err)
	}
	if in.SpecVersion != "" && !strings.HasPrefix(in.SpecVersion, "1.") {
		return Document{}, fmt.Errorf("read CycloneDX: specVersion %q is not one of 1.x, which are read: %w", in.SpecVersion[:min(len(in.SpecVersion), 40)], ErrFormat)
	}
	doc := Document{Format: FormatCycloneDX, SpecVersion: in.SpecVersion, Created: parseTime(in.Metadata.Timestamp)}
	doc.Tool, doc.ToolVersion = cycloneDXTool(in.Metadata.Tools)
	d := &cycloneDXReader{doc: &doc, in: &in, ours: doc.Tool == toolName, requires: map[string][]string{}, direct: map[string]bool{}}
	for _, p := range in.Properties {
		if p.Name == propSnapshot {
			doc.Snapshot = p.Value
		}
	}
	d.graph()
	if err := d.read(); err != nil {
		return Document{}, fmt.Errorf("read CycloneDX: %w", err)
	}
	return doc, nil
}

type cycloneDXReader struct {
	doc      *Document
	in       *inCycloneDX
	ours     bool
	count    int
	distro   string
	requires map[string][]string // bom-ref -> names of what it depends on
	direct   map[string]bool     // bom-refs that the subject itself depends on
}

// graph turns the references of the dependency graph into names.
func (d *cycloneDXReader) graph() {
	names := map[string]string{}
	purls, several := map[string]string{}, map[string]string{}
	var walk func(cs []inComponent)
	walk = func(cs []inComponent) {
		for i := range cs {
			names[cs[i].BOMRef] = cs[i].ecosystemName()
			if p, ok := parsePURL(cs[i].PURL); ok {
				purls[cs[i].BOMRef] = p.canonical(cmp.Or(p.version, cs[i].Version))
				several[p.typ+" "+p.packageName()] = sameOr(several[p.typ+" "+p.packageName()], purls[cs[i].BOMRef])
			}
			if cs[i].Type == "operating-system" && d.distro == "" && cs[i].Version != "" {
				d.distro = cs[i].Name + "-" + cs[i].Version
			}
			walk(cs[i].Components)
		}
	}
	walk(d.in.Components)
	for _, e := range d.in.Dependencies {
		for _, ref := range e.DependsOn {
			if name := names[ref]; name != "" {
				if several[sbom.TypeOf(purls[ref])+" "+name] == severalVersions {
					name = purls[ref]
				}
				d.requires[e.Ref] = append(d.requires[e.Ref], name)
			}
			if main := d.in.Metadata.Component; main != nil && e.Ref == main.BOMRef && e.Ref != "" && ref != "" {
				d.direct[ref] = true
			}
		}
	}
}

// severalVersions stands for more than one package URL of a name.
const severalVersions = "*"

// sameOr is the package URL that a name stands for, or that there are several.
func sameOr(before, purl string) string {
	if before == "" || before == purl {
		return purl
	}
	return severalVersions
}

// read fills the document: the functions that a document of ours names, else one.
func (d *cycloneDXReader) read() error {
	main := d.in.Metadata.Component
	if d.ours && main != nil && property(main.Properties, propFunction) == "" {
		d.doc.Name = main.Name
		for i := range d.in.Components {
			c := &d.in.Components[i]
			if name := property(c.Properties, propFunction); name != "" {
				if err := d.function(name, c, c.Components); err != nil {
					return err
				}
			}
		}
		if len(d.doc.Functions) > 0 || len(d.in.Components) == 0 {
			return nil
		}
	}
	name := ""
	if main != nil {
		name = main.Name
		if d.ours {
			if n := property(main.Properties, propFunction); n != "" {
				name = n
			}
		}
	}
	return d.function(name, main, d.in.Components)
}

// function reads one function: main is its own component, nil when there is none.
func (d *cycloneDXReader) function(name string, main *inComponent, components []inComponent) error {
	b := newBuilder(name, &d.count)
	b.distro = d.distro
	if main != nil {
		if d.ours {
			d.facts(b, main)
		} else {
			b.function.Artifacts = mainArtifact(main)
			if main.PURL != "" { // the function's own package: an advisory may be about it
				if err := b.add(d.entry(main, true)); err != nil {
					return err
				}
			}
		}
	}
	if !d.ours {
		for _, c := range d.in.Compositions {
			if strings.HasPrefix(c.Aggregate, "incomplete") {
				b.unknown(sbom.Unknown{Kind: sbom.Opaque, Reason: "the document says that its list is " + truncate(c.Aggregate, 100)})
				break
			}
		}
	}
	if main != nil && !sameList(main.Components, components) {
		if err := d.walk(b, main.Components); err != nil {
			return err
		}
	}
	if err := d.walk(b, components); err != nil {
		return err
	}
	d.doc.Functions = append(d.doc.Functions, b.done())
	return nil
}

func sameList(a, b []inComponent) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// walk adds components and what is nested in them. MaxDepth bounds the recursion.
func (d *cycloneDXReader) walk(b *builder, components []inComponent) error {
	for i := range components {
		c := &components[i]
		switch {
		case c.Type == "file" && c.PURL == "":
			if d.ours {
				b.function.Artifacts = append(b.function.Artifacts, fileArtifact(c))
			}
		case c.Type == "operating-system" && c.PURL == "":
			// No package: it says which distribution the packages are of.
		default:
			if err := b.add(d.entry(c, false)); err != nil {
				return err
			}
		}
		if err := d.walk(b, c.Components); err != nil {
			return err
		}
	}
	return nil
}

// facts reads what a function of ours says about itself.
func (d *cycloneDXReader) facts(b *builder, main *inComponent) {
	b.function.Platform = property(main.Properties, propPlatform)
	b.function.Runtime = property(main.Properties, propRuntime)
	b.bom.Subject = digestOf(hashesOf(main.Hashes))
	for _, p := range main.Properties {
		if p.Name != propUnknown {
			continue
		}
		var u unknownJSON
		if err := json.Unmarshal([]byte(p.Value), &u); err != nil {
			u = unknownJSON{Kind: string(sbom.Unreadable), Reason: "an unknown that the document states cannot be read", Code: true}
		}
		b.restore(u)
	}
}

func (d *cycloneDXReader) entry(c *inComponent, main bool) entry {
	e := entry{
		ref: c.BOMRef, purl: c.PURL, name: c.ecosystemName(), version: c.Version, main: main,
		hashes: hashesOf(c.Hashes), requires: d.requires[c.BOMRef], direct: d.direct[c.BOMRef], evidence: "CycloneDX " + d.in.SpecVersion,
	}
	for _, l := range c.Licenses {
		for _, s := range []string{l.Expression, l.License.ID, l.License.Name} {
			if s != "" {
				e.licenses = append(e.licenses, s)
				break
			}
		}
	}
	for _, r := range c.ExternalReferences {
		if r.Type == "distribution" && e.resolved == "" {
			e.resolved = r.URL
		}
	}
	if c.Evidence != nil {
		for _, o := range c.Evidence.Occurrences {
			place := sbom.Occurrence{Path: o.Location}
			if d.ours {
				parseContext(o.Context, &place)
			}
			e.places = append(e.places, place)
		}
	}
	for _, p := range c.Properties {
		if p.Name == propVersions && e.version == "" { // whoever writes it says the same: several fit
			e.versions = splitVersions(p.Value)
		}
	}
	if d.ours {
		e.fromProperties(c.Properties)
	} else if len(e.places) == 0 {
		for _, p := range c.Properties {
			// Where syft and trivy write the path, as of syft 1.54 and trivy 0.70.
			if strings.HasPrefix(p.Name, "syft:location:") && strings.HasSuffix(p.Name, ":path") || p.Name == "aquasecurity:trivy:FilePath" {
				e.places = append(e.places, sbom.Occurrence{Path: strings.TrimPrefix(p.Value, "/")})
			}
		}
	}
	return e
}

// fromProperties takes what only a document of ours says.
func (e *entry) fromProperties(properties []inProperty) {
	e.requires = nil // the graph holds only what resolved; the declared names are complete
	for _, p := range properties {
		switch p.Name {
		case propMain:
			e.main = p.Value == "true"
		case propVersion:
			e.version = p.Value
		case propState:
			e.state = state(p.Value)
		case propOrigin:
			e.origin = origin(p.Value)
		case propVersions:
			e.versions = splitVersions(p.Value)
		case propEcosystem:
			e.ecosystem = p.Value
		case propSource:
			e.source = p.Value
		case propSourceVersion:
			e.sourceVersion = p.Value
		case propRequires:
			e.requires = append(e.requires, p.Value)
		case propResolved:
			e.resolved = p.Value
		default:
			if alg, ok := strings.CutPrefix(p.Name, propHash); ok {
				e.hashes = addHash(e.hashes, alg, p.Value)
			}
		}
	}
}

// ecosystemName joins group and name when there is no purl to tell.
func (c *inComponent) ecosystemName() string {
	if p, ok := parsePURL(c.PURL); ok {
		return p.packageName()
	}
	if c.Group != "" {
		return c.Group + "/" + c.Name
	}
	return c.Name
}

func property(properties []inProperty, name string) string {
	for _, p := range properties {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

func hashesOf(in []inHash) map[string]string {
	var out map[string]string
	for _, h := range in {
		out = addHash(out, algorithm(h.Algorithm), h.Content)
	}
	return out
}

// mainArtifact is the artifact that another tool's main component stands for,
// when it states a digest.
func mainArtifact(c *inComponent) []Artifact {
	if digest := digestOf(hashesOf(c.Hashes)); digest != "" {
		return []Artifact{{Ref: c.Name, Digest: digest}}
	}
	return nil
}

// fileArtifact reads an artifact that we wrote.
func fileArtifact(c *inComponent) Artifact {
	a := Artifact{Ref: c.Name, Kind: bundle.Kind(property(c.Properties, propKind)), Digest: digestOf(hashesOf(c.Hashes))}
	if a.Digest == "" {
		a.Digest = bundle.Digest(property(c.Properties, propDigest))
	}
	if n, err := strconv.ParseInt(property(c.Properties, propSize), 10, 64); err == nil && n > 0 {
		a.Size = n
	}
	return a
}

// splitVersions reads the comma list of candidate versions.
func splitVersions(s string) []string {
	var out []string
	for v := range strings.SplitSeq(s, ",") {
		out = append(out, strings.TrimSpace(v))
	}
	return tidyList(out)
}

// cycloneDXTool returns the first tool that metadata names.
func cycloneDXTool(raw json.RawMessage) (name, version string) {
	type tool struct{ Name, Version string }
	var since15 struct{ Components, Services []tool }
	var until14 []tool
	if json.Unmarshal(raw, &since15) == nil {
		until14 = append(since15.Components, since15.Services...)
	} else if json.Unmarshal(raw, &until14) != nil {
		return "", ""
	}
	if len(until14) == 0 {
		return "", ""
	}
	return truncate(until14[0].Name, 200), truncate(until14[0].Version, 200)
}

// parseTime reads an RFC 3339 time; zero when it is none.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
