package codec

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// confidenceSBOM is the confidence of a component that only a document names:
// another tool saw it, and nothing here can check that.
const confidenceSBOM = 0.9

// builder gathers one function from a document.
type builder struct {
	function Function
	bom      sbom.SBOM
	distro   string // "debian-12", when the document says so somewhere
	count    *int   // components of the whole document
}

func newBuilder(name string, count *int) *builder {
	return &builder{function: Function{Name: name}, count: count}
}

// entry is one component as a document of any format states it.
type entry struct {
	ref      string // the document's own reference, for messages
	purl     string
	name     string // "" takes the name of the purl
	version  string
	main     bool
	licenses []string
	hashes   map[string]string
	resolved string
	requires []string
	direct   bool // the subject itself depends on it
	places   []sbom.Occurrence
	evidence string // tool or field that names it

	// Only from a document of ours:
	state         sbom.State
	origin        sbom.Origin
	versions      []string
	ecosystem     string
	source        string
	sourceVersion string
}

// add keeps one component. One that has no usable purl is kept and reported.
func (b *builder) add(e entry) error {
	*b.count++
	if *b.count > MaxComponents {
		return fmt.Errorf("more than %d components: %w", MaxComponents, ErrLimit)
	}
	for _, s := range []string{e.purl, e.name, e.version, e.resolved, e.source, e.sourceVersion} {
		if len(s) > maxText {
			return fmt.Errorf("component with a text of more than %d bytes: %w", maxText, ErrLimit)
		}
	}
	c := sbom.Component{
		Name: e.name, Version: e.version, Versions: e.versions, Ecosystem: e.ecosystem, Source: e.source, SourceVersion: e.sourceVersion, Main: e.main,
		State: cmp.Or(e.state, sbom.Live), Origin: e.origin, Hashes: e.hashes, Resolved: e.resolved,
		Licenses: tidyList(e.licenses), Requires: tidyList(e.requires), Occurrences: e.places,
		Evidence: []sbom.Evidence{{Method: sbom.MethodSBOM, Confidence: confidenceSBOM, Detail: e.evidence}},
	}
	if c.Version == noAssertion || strings.EqualFold(c.Version, "unknown") {
		c.Version = ""
	}
	if e.direct {
		c.Traits = []sbom.Trait{{Kind: sbom.TraitDirect}}
	}
	p, ok := parsePURL(e.purl)
	if ok {
		// The purl is what advisories are matched by: where it and the fields
		// beside it disagree, it counts.
		c.Name, c.Version = p.packageName(), cmp.Or(p.fullVersion(), c.Version)
		version := cmp.Or(p.version, c.Version)
		if len(c.Versions) > 0 {
			c.Version, version = "", ""
		}
		c.PURL = p.canonical(version)
		c.Ecosystem = cmp.Or(p.ecosystem(b.distro), e.ecosystem)
		source, sourceVersion := p.source()
		c.Source, c.SourceVersion = cmp.Or(source, e.source), cmp.Or(sourceVersion, e.sourceVersion)
	}
	if len(c.Occurrences) > maxOccurrences {
		c.Occurrences = c.Occurrences[:maxOccurrences]
	}
	for i := range c.Occurrences {
		c.Occurrences[i].State = cmp.Or(c.Occurrences[i].State, c.State)
	}
	if c.PURL == "" {
		reason := "component without a package URL"
		if e.purl != "" {
			reason = "package URL that cannot be parsed: " + truncate(e.purl, 200)
		}
		b.unknown(sbom.Unknown{Kind: sbom.Unmatched, Path: label(c, e.ref), Reason: reason, Code: true})
	}
	b.bom.Components = append(b.bom.Components, c)
	return nil
}

// unknown adds an unknown, up to a limit that says so itself.
func (b *builder) unknown(u sbom.Unknown) {
	switch n := len(b.bom.Unknowns); {
	case n < maxUnknowns:
		b.bom.Unknowns = append(b.bom.Unknowns, u)
	case n == maxUnknowns:
		b.bom.Unknowns = append(b.bom.Unknowns, sbom.Unknown{
			Kind: sbom.Limit, Reason: fmt.Sprintf("more than %d unknowns", maxUnknowns), Code: true,
		})
	}
}

// restore adds an unknown that a document of ours states.
func (b *builder) restore(u unknownJSON) {
	if u.Artifact < 0 || u.Artifact >= maxArtifacts {
		u.Artifact = 0
	}
	b.unknown(sbom.Unknown{
		Artifact: u.Artifact, Path: truncate(u.Path, maxText), Kind: unknownKind(u.Kind), Reason: truncate(u.Reason, maxText), Code: u.Code,
	})
}

// done returns the function with its bill of materials merged and sorted.
func (b *builder) done() Function {
	if len(b.function.Artifacts) > 0 && b.bom.Subject == "" {
		b.bom.Subject = b.function.Artifacts[0].Digest
	}
	b.bom.Components = sbom.Merge(b.bom.Components)
	taken := map[string]bool{}
	for i := range b.bom.Components {
		c := &b.bom.Components[i]
		c.Ref = unique(cmp.Or(c.PURL, c.Name, "component"), taken)
	}
	b.bom.Unknowns = sbom.SortUnknowns(b.bom.Unknowns)
	b.function.SBOM = &b.bom
	return b.function
}

// label names a component that has no purl.
func label(c sbom.Component, ref string) string {
	name := cmp.Or(c.Name, ref, "unnamed component")
	if c.Version != "" {
		name += "@" + c.Version
	}
	return truncate(name, maxText)
}

// algorithm maps "SHA-256" and "SHA256" to "sha256".
func algorithm(name string) string { return strings.ToLower(strings.ReplaceAll(name, "-", "")) }

// addHash keeps a hash that is hexadecimal.
func addHash(hashes map[string]string, alg, content string) map[string]string {
	content = strings.ToLower(content)
	if _, err := hex.DecodeString(content); err != nil || content == "" || alg == "" || len(content) > 128 {
		return hashes
	}
	if hashes == nil {
		hashes = map[string]string{}
	}
	hashes[alg] = content
	return hashes
}

// tidyList returns the non-empty texts, sorted and each once.
func tidyList(list []string) []string {
	var out []string
	for _, s := range list {
		if s != "" && s != noAssertion && s != "NONE" && len(s) <= maxText {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// digestOf returns the digest that a hash list gives: sha256 or nothing.
func digestOf(hashes map[string]string) bundle.Digest {
	if h := hashes["sha256"]; isHex(h, 32) {
		return bundle.Digest("sha256:" + h)
	}
	return ""
}
