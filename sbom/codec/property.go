package codec

import (
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// The names of our own properties. fnaudit:versions is a comma list of the
// versions that fit when the version is not known.
const (
	propSnapshot      = "fnaudit:snapshot"      // id of the advisory snapshot
	propList          = "fnaudit:list"          // repeated: what was known beside the advisories, in words; never read back
	propFunction      = "fnaudit:function"      // marks the component that is a function, its name
	propPlatform      = "fnaudit:platform"      // of a function
	propRuntime       = "fnaudit:runtime"       // of a function
	propUnknown       = "fnaudit:unknown"       // of a function, repeated: one unknown as JSON
	propAbsent        = "fnaudit:absent"        // of a function, repeated: a package of a lockfile that is not there, as JSON; never read back
	propArtifact      = "fnaudit:artifact"      // of a package: the artifact that holds it; of an artifact: its index
	propKind          = "fnaudit:kind"          // of an artifact
	propSize          = "fnaudit:size"          // of an artifact, in bytes
	propDigest        = "fnaudit:digest"        // of an artifact, when it is no hash that the format knows
	propMain          = "fnaudit:main"          // "true" for the function's own package
	propState         = "fnaudit:state"         // live, shadowed, provided, declared
	propOrigin        = "fnaudit:origin"        // app, layer, base, runtime
	propVersions      = "fnaudit:versions"      // candidates, comma list
	propVersion       = "fnaudit:version"       // a version that is too long for the format's own field
	propEcosystem     = "fnaudit:ecosystem"     // OSV ecosystem
	propSource        = "fnaudit:source"        // source package name
	propSourceVersion = "fnaudit:sourceVersion" // of the source package, where it differs
	propLayer         = "fnaudit:layer"         // digest of the artifact that holds the package
	propPath          = "fnaudit:path"          // of the file that shows the package
	propRequires      = "fnaudit:requires"      // repeated: name of a package that is declared as needed
	propResolved      = "fnaudit:resolved"      // where a lockfile says it came from, when that is no URL
	propHash          = "fnaudit:hash:"         // followed by an algorithm that the format does not know
)

type properties []cdx.Property

func (p *properties) add(name, value string) { *p = append(*p, cdx.Property{Name: name, Value: value}) }

func (p *properties) addIf(name, value string) {
	if value != "" {
		p.add(name, value)
	}
}

// unknownJSON is an sbom.Unknown as it is written into a document.
type unknownJSON struct {
	Kind     string `json:"kind"`
	Artifact int    `json:"artifact"`
	Path     string `json:"path"`
	Reason   string `json:"reason"`
	Code     bool   `json:"code"`
}

// absentJSON is an sbom.Absent as it is written into a document. It is not read
// back: that something is not there has to be proven by the bytes, and a
// document may have been made by anybody.
type absentJSON struct {
	PURL     string   `json:"purl"`
	Lockfile string   `json:"lockfile"`
	Bundles  []string `json:"bundles"`
}

func absentOf(a sbom.Absent) *absentJSON {
	return &absentJSON{PURL: a.PURL, Lockfile: a.Lockfile, Bundles: a.Bundles}
}

// formatContext writes what an occurrence says beyond its path, for the
// occurrence's additionalContext: "artifact=0 state=live layer=sha256:…".
func formatContext(o sbom.Occurrence) string {
	parts := []string{"artifact=" + itoa(o.Artifact)}
	if o.State != "" {
		parts = append(parts, "state="+string(o.State))
	}
	if o.Layer != "" {
		parts = append(parts, "layer="+string(o.Layer))
	}
	return strings.Join(parts, " ")
}

// parseContext reads what formatContext wrote; what it does not know is ignored.
func parseContext(s string, o *sbom.Occurrence) {
	for _, field := range strings.Fields(s) {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "artifact":
			if n, err := strconv.Atoi(value); err == nil && n >= 0 && n < maxArtifacts {
				o.Artifact = n
			}
		case "state":
			if state(value) != "" {
				o.State = state(value)
			}
		case "layer":
			o.Layer = bundle.Digest(value)
		}
	}
}

// state returns the state that a word names, "" for any other word.
func state(word string) sbom.State {
	switch s := sbom.State(word); s {
	case sbom.Live, sbom.Shadowed, sbom.Provided, sbom.Declared:
		return s
	}
	return ""
}

// origin returns the origin that a word names, "" for any other word.
func origin(word string) sbom.Origin {
	switch o := sbom.Origin(word); o {
	case sbom.OriginApp, sbom.OriginLayer, sbom.OriginBase, sbom.OriginRuntime:
		return o
	}
	return ""
}

// unknownKind returns the kind that a word names; any other word is unreadable,
// because what a document states as unknown must not become known.
func unknownKind(word string) sbom.UnknownKind {
	switch k := sbom.UnknownKind(word); k {
	case sbom.Opaque, sbom.Limit, sbom.Unattributed, sbom.Unmatched:
		return k
	}
	return sbom.Unreadable
}
