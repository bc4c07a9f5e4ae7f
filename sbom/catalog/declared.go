package catalog

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// documentConfidence is the confidence in what a bill of materials says and
// nobody has checked.
const documentConfidence = 0.5

// documented compares the bills of materials with the bytes. What the bytes
// confirm gets the document as further evidence. What only the document names
// is declared, unless the packages of that kind are shipped, so that one which
// is not there is not there: then it is a disagreement. Where both have a
// package in different versions the bytes win, and the disagreement is shown.
func (c *composition) documented(results []*result) []sbom.Unknown {
	var out []sbom.Unknown
	var there byName
	for i, r := range results {
		for j := range r.documents {
			if there == nil {
				there = c.byName()
			}
			for _, u := range c.compare(i, &r.documents[j], there).unknowns() {
				c.placeUnknown(&u)
				out = append(out, u)
			}
		}
	}
	return out
}

// byName finds places by type and name, as [composition.key] spells them.
type byName map[string][]int

func (c *composition) byName() byName {
	out := byName{}
	for i := range c.places {
		if p := &c.places[i]; !p.found.main && p.found.name != "" {
			k := c.key(p.found)
			out[k] = append(out[k], i)
		}
	}
	return out
}

// comparison is one document compared with the bytes.
type comparison struct {
	doc      *document
	artifact int

	statements map[string][]*sbom.Component // by type and name
	places     byName                       // of what is there, and of what documents before this one declared
	said, true map[string]int               // by type: packages that it names, and those of them that are there

	other, missing, unlisted, foreign []string
}

func (c *composition) compare(artifact int, doc *document, there byName) *comparison {
	d := &comparison{doc: doc, artifact: artifact, statements: map[string][]*sbom.Component{}, places: there, said: map[string]int{}, true: map[string]int{}}
	for i := range doc.components {
		s := &doc.components[i]
		typ := typeOf(s.PURL)
		k := typ + " " + sbom.CanonicalName(typ, s.Name)
		d.statements[k] = append(d.statements[k], s)
	}
	for k := range d.statements {
		typ, _, _ := strings.Cut(k, " ")
		d.said[typ]++
		if slices.ContainsFunc(d.places[k], func(i int) bool { return c.places[i].state != sbom.Declared }) {
			d.true[typ]++
		}
	}
	for _, k := range slices.Sorted(maps.Keys(d.statements)) {
		c.weigh(d, k)
	}
	if !doc.part {
		c.findUnlisted(d)
	}
	return d
}

// weigh compares what a document says of one name with what is there.
func (c *composition) weigh(d *comparison, k string) {
	typ, _, _ := strings.Cut(k, " ")
	there := slices.ContainsFunc(d.places[k], func(i int) bool { return c.places[i].state != sbom.Declared })
	var absent []*sbom.Component
	agreed := false
	for _, s := range d.statements[k] {
		if c.confirm(d, k, s) {
			agreed = true
		} else {
			absent = append(absent, s)
		}
	}
	for _, s := range absent {
		label := strings.TrimSpace(s.Name + " " + s.Version)
		switch {
		case there && !agreed:
			d.other = append(d.other, label+" (the bytes: "+c.versions(d.places[k])+")")
		case there || 2*d.true[typ] > d.said[typ]:
			d.missing = append(d.missing, label)
		case s.Ecosystem == "":
			d.foreign = append(d.foreign, label)
		default:
			c.declare(d, k, s)
		}
	}
}

// confirm adds the document as evidence to what it agrees with, and reports
// whether there is such: the same version, or one that the bytes do not tell.
func (c *composition) confirm(d *comparison, k string, s *sbom.Component) bool {
	e := sbom.Evidence{Method: sbom.MethodSBOM, Confidence: documentConfidence, Artifact: d.artifact, Path: d.doc.path, Detail: clip(d.doc.tool)}
	ok := false
	for _, i := range d.places[k] {
		p := &c.places[i]
		switch {
		case p.found.version == s.Version || s.Version == "":
			e.Detail, e.Differs = clip(d.doc.tool), false
		case p.found.version == "" && !p.found.ranged:
			e.Differs = true
			e.Detail = strings.TrimPrefix(clip(d.doc.tool)+"; it says version "+clip(s.Version), "; ")
		default:
			continue
		}
		ok = true
		if len(p.also) < maxConfirmations {
			p.also = append(p.also, e)
		}
	}
	return ok
}

// declare adds what only a document names.
func (c *composition) declare(d *comparison, k string, s *sbom.Component) {
	typ, _, _ := strings.Cut(k, " ")
	f := &found{
		typ: typ, name: s.Name, version: s.Version, url: s.PURL, path: d.doc.path, method: sbom.MethodSBOM, confidence: documentConfidence, detail: clip(d.doc.tool),
		source: s.Source, sourceVersion: s.SourceVersion, ecosystem: s.Ecosystem, declared: true,
	}
	d.places[k] = append(d.places[k], len(c.places))
	c.places = append(c.places, place{found: f, artifact: d.artifact, path: path.Join(c.mount(d.artifact), d.doc.path), state: sbom.Declared})
}

// findUnlisted notes what is in the bytes of the document's artifact and of a
// kind that it has, and not in the document.
func (c *composition) findUnlisted(d *comparison) {
	for _, k := range slices.Sorted(maps.Keys(d.places)) {
		typ, _, _ := strings.Cut(k, " ")
		if d.true[typ] == 0 || d.statements[k] != nil {
			continue
		}
		for _, i := range d.places[k] {
			if p := &c.places[i]; p.state != sbom.Declared && p.artifact == d.artifact {
				d.unlisted = append(d.unlisted, strings.TrimSpace(p.found.name+" "+p.found.version))
			}
		}
	}
}

// versions lists the versions that are there.
func (c *composition) versions(places []int) string {
	var out []string
	for _, i := range places {
		if p := &c.places[i]; p.state != sbom.Declared {
			out = append(out, cmp.Or(p.found.version, "unknown"))
		}
	}
	return named(out)
}

// unknowns says where the document and the bytes disagree.
func (d *comparison) unknowns() []sbom.Unknown {
	var out []sbom.Unknown
	for _, s := range []struct {
		names []string
		what  string
	}{
		{d.other, "it names other versions than the bytes: "},
		{d.missing, "it names what is not in the bytes: "},
		{d.unlisted, "it lacks what is in the bytes: "},
		{d.foreign, "it names what no advisory source knows by that kind of package URL, and nothing in the bytes shows: "},
	} {
		if len(s.names) > 0 {
			out = append(out, sbom.Unknown{Artifact: d.artifact, Path: d.doc.path, Kind: sbom.Unmatched, Reason: s.what + named(s.names)})
		}
	}
	return out
}

// typeOf returns the type of a package URL.
func typeOf(purl string) string {
	typ, _, _ := strings.Cut(strings.TrimPrefix(purl, "pkg:"), "/")
	return typ
}
