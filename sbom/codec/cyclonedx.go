package codec

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/fnaudit/fnaudit/sbom"
)

// maxVersion is the longest version that the schema of 1.6 allows.
const maxVersion = 1024

// cycloneDXSchema is the "$schema" of version 1.6.
const cycloneDXSchema = "http://cyclonedx.org/schema/bom-1.6.schema.json"

// EncodeCycloneDX writes doc as CycloneDX 1.6 JSON.
//
// With one function, metadata.component is the function and the components are
// its packages. With several, metadata.component is the run, and each function
// is a component whose nested components are its packages.
func EncodeCycloneDX(w io.Writer, doc Document) error {
	e := &cycloneDX{taken: map[string]bool{}}
	bom := cycloneDXFrame(doc, Serial(doc))
	functions := sortedFunctions(doc.Functions)
	components := []cdx.Component{} // the key is always there: an empty list is a statement
	if len(functions) == 1 {
		main, packages := e.function(functions[0], "")
		bom.Metadata.Component = &main
		components = packages
	} else {
		bom.Metadata.Component = cycloneDXRun(doc)
		for i, f := range functions {
			components = append(components, e.nested(f, cycloneDXPrefix(i)+"/"))
		}
	}
	bom.Components = &components
	bom.Dependencies = optional(e.dependencies)
	bom.Compositions = optional(e.compositions)
	bom.Vulnerabilities = optional(e.vulnerabilities)
	return WriteJSON(w, bom)
}

// cycloneDXFrame is a document without its functions.
func cycloneDXFrame(doc Document, serial string) cdx.BOM {
	bom := cdx.BOM{
		JSONSchema: cycloneDXSchema, BOMFormat: cdx.BOMFormat, SpecVersion: cdx.SpecVersion1_6, Version: 1,
		SerialNumber: "urn:uuid:" + serial,
		Metadata: &cdx.Metadata{
			Timestamp: timestamp(doc.Created),
			Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{
				Type: cdx.ComponentTypeApplication, Name: toolName, Version: doc.ToolVersion,
				ExternalReferences: &[]cdx.ExternalReference{{Type: cdx.ERTypeWebsite, URL: homepage}},
			}}},
		},
	}
	var props properties
	props.addIf(propSnapshot, doc.Snapshot)
	for _, l := range doc.Lists {
		props.add(propList, l)
	}
	bom.Properties = optional([]cdx.Property(props))
	return bom
}

// cycloneDXRun is what a document of several functions is about. No reference
// of a function is its: those have a prefix with a slash.
func cycloneDXRun(doc Document) *cdx.Component {
	return &cdx.Component{Type: cdx.ComponentTypeApplication, BOMRef: "run", Name: cmp.Or(doc.Name, "functions")}
}

// cycloneDXPrefix begins the references of the function with an index in the
// sorted order, where there are several.
func cycloneDXPrefix(i int) string { return "f" + itoa(i+1) }

// cycloneDX gathers the parts of a document that are listed at its top level.
type cycloneDX struct {
	taken           map[string]bool // bom-refs
	dependencies    []cdx.Dependency
	compositions    []cdx.Composition
	vulnerabilities []cdx.Vulnerability
}

func (e *cycloneDX) unique(ref string) string { return unique(ref, e.taken) }

// nested returns the component of a function with its artifacts and packages nested.
func (e *cycloneDX) nested(f Function, prefix string) cdx.Component {
	main, packages := e.function(f, prefix)
	main.Components = optional(append(deref(main.Components), packages...))
	return main
}

// function returns the component of a function, with its artifacts nested as
// files, and the components of its packages.
func (e *cycloneDX) function(f Function, prefix string) (cdx.Component, []cdx.Component) {
	main := cdx.Component{
		Type: cdx.ComponentTypeApplication, BOMRef: e.unique(prefix + "function"), Name: cmp.Or(f.Name, "function"),
		Hashes: digestHash(subject(f)),
	}
	props := properties{}
	props.add(propFunction, cmp.Or(f.Name, "function"))
	props.addIf(propPlatform, f.Platform)
	props.addIf(propRuntime, f.Runtime)
	unknown := unknowns(f.SBOM)
	for _, u := range unknown {
		props.add(propUnknown, marshalUnknown(u))
	}
	for _, a := range absent(f.SBOM) {
		if b, err := json.Marshal(absentOf(a)); err == nil { // strings always marshal
			props.add(propAbsent, string(b))
		}
	}
	main.Properties = optional([]cdx.Property(props))

	var files []cdx.Component
	for i, a := range f.Artifacts {
		file := properties{}
		file.add(propArtifact, itoa(i))
		file.addIf(propKind, string(a.Kind))
		if a.Size > 0 {
			file.add(propSize, itoa(int(a.Size)))
		}
		if digestHash(string(a.Digest)) == nil {
			file.addIf(propDigest, string(a.Digest))
		}
		files = append(files, cdx.Component{
			Type: cdx.ComponentTypeFile, BOMRef: e.unique(prefix + "artifact-" + itoa(i)), Name: cmp.Or(a.Ref, "artifact "+itoa(i)),
			Hashes: digestHash(string(a.Digest)), Properties: optional([]cdx.Property(file)),
		})
	}
	main.Components = optional(files)

	all := list(f.SBOM, prefix, e.taken)
	packages := make([]cdx.Component, 0, len(all))
	refs := map[string]string{} // Component.Ref -> bom-ref
	for _, c := range all {
		packages = append(packages, e.component(c, f.Artifacts))
		refs[c.Ref] = c.ref
		if refs[c.PURL] == "" {
			refs[c.PURL] = c.ref
		}
	}
	e.graph(main.BOMRef, all)
	e.composition(main.BOMRef, unknown)
	for _, v := range f.Vulnerabilities {
		e.vulnerability(v, prefix, refs, main.BOMRef)
	}
	return main, packages
}

func (e *cycloneDX) component(c listed, artifacts []Artifact) cdx.Component {
	out := cdx.Component{
		Type: cdx.ComponentTypeLibrary, BOMRef: c.ref, Name: cmp.Or(c.Name, c.PURL, "unnamed"), Version: c.Version, PackageURL: c.PURL,
		Licenses: cycloneDXLicenses(c.Licenses), Evidence: evidence(c.Component),
	}
	props := make(properties, 0, 8+len(c.Requires))
	if len(out.Version) > maxVersion {
		out.Version = ""
		props.add(propVersion, c.Version)
	}
	if c.Main {
		out.Type = cdx.ComponentTypeApplication
		props.add(propMain, "true")
	}
	props.addIf(propEcosystem, c.Ecosystem)
	props.addIf(propSource, c.Source)
	props.addIf(propSourceVersion, c.SourceVersion)
	props.addIf(propState, string(c.State))
	props.addIf(propOrigin, string(c.Origin))
	if len(c.Versions) > 0 {
		props.add(propVersions, strings.Join(c.Versions, ","))
	}
	if len(c.Occurrences) > 0 {
		o := c.Occurrences[0]
		if o.Artifact >= 0 && o.Artifact < len(artifacts) {
			props.addIf(propArtifact, artifacts[o.Artifact].Ref)
		}
		props.addIf(propLayer, string(o.Layer))
		props.addIf(propPath, o.Path)
	}
	for _, name := range c.Requires {
		props.add(propRequires, name)
	}
	var hashes []cdx.Hash
	for _, alg := range slices.Sorted(maps.Keys(c.Hashes)) {
		if h, ok := cycloneDXHash(alg, c.Hashes[alg]); ok {
			hashes = append(hashes, h)
		} else {
			props.add(propHash+alg, c.Hashes[alg])
		}
	}
	out.Hashes = optional(hashes)
	if ref, ok := distribution(c.Resolved); ok {
		out.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeDistribution, URL: ref}}
	} else {
		props.addIf(propResolved, c.Resolved)
	}
	out.Properties = optional([]cdx.Property(props))
	return out
}

// evidence says how a component was identified: the purl by all methods, and
// the candidates when its version is one of several.
func evidence(c sbom.Component) *cdx.Evidence {
	out := cdx.Evidence{}
	if len(c.Evidence) > 0 {
		id := cdx.EvidenceIdentity{Field: cdx.EvidenceIdentityFieldTypePURL, ConcludedValue: c.PURL}
		if c.PURL == "" {
			id.Field, id.ConcludedValue = cdx.EvidenceIdentityFieldTypeName, c.Name
		}
		var methods []cdx.EvidenceIdentityMethod
		for _, m := range c.Evidence {
			value := m.Method
			for _, s := range []string{m.Path, m.Detail} {
				if s != "" {
					value += ": " + s
				}
			}
			methods = append(methods, cdx.EvidenceIdentityMethod{
				Technique: technique(m.Method), Confidence: confidence(m.Confidence), Value: value,
			})
		}
		id.Methods = &methods
		id.Confidence = confidence(cmp.Or(c.Confidence, sbom.Confidence(c.Evidence)))
		identities := []cdx.EvidenceIdentity{id}
		for _, v := range c.Versions {
			identities = append(identities, cdx.EvidenceIdentity{Field: cdx.EvidenceIdentityFieldTypeVersion, ConcludedValue: v})
		}
		out.Identity = &cdx.EvidenceIdentityChoice{Identities: &identities}
	}
	var places []cdx.EvidenceOccurrence
	for _, o := range c.Occurrences {
		if o.Path == "" {
			continue
		}
		places = append(places, cdx.EvidenceOccurrence{Location: o.Path, AdditionalContext: formatContext(o)})
	}
	out.Occurrences = optional(places)
	if out.Identity == nil && out.Occurrences == nil {
		return nil
	}
	return &out
}

// graph adds what is certain about who needs whom. The function itself depends
// on what its own manifest requires; without one, on what nobody else requires.
func (e *cycloneDX) graph(function string, all []listed) {
	needs := needsOf(all)
	required := map[string]bool{}
	var own []string
	var edges []cdx.Dependency
	hasMain := false
	for i, c := range all {
		refs := needs[i]
		if c.Main && len(refs) > 0 {
			hasMain = true
		}
		for _, ref := range refs {
			required[ref] = true
		}
		if len(refs) > 0 {
			edges = append(edges, cdx.Dependency{Ref: c.ref, Dependencies: &refs})
		}
	}
	for _, c := range all {
		if c.Main || !hasMain && !required[c.ref] {
			own = append(own, c.ref)
		}
	}
	slices.Sort(own)
	if len(own) > 0 {
		e.dependencies = append(e.dependencies, cdx.Dependency{Ref: function, Dependencies: &own})
	}
	e.dependencies = append(e.dependencies, edges...)
}

// composition states how complete the list is. It is never "complete": that
// nothing was seen that could not be read does not prove that nothing is there.
func (e *cycloneDX) composition(function string, unknown []sbom.Unknown) {
	aggregate := cdx.CompositionAggregateUnknown
	if slices.ContainsFunc(unknown, func(u sbom.Unknown) bool { return u.Kind != sbom.Unmatched }) {
		aggregate = cdx.CompositionAggregateIncomplete
	}
	refs := []cdx.BOMReference{cdx.BOMReference(function)}
	e.compositions = append(e.compositions, cdx.Composition{Aggregate: aggregate, Assemblies: &refs, Dependencies: &refs})
}
