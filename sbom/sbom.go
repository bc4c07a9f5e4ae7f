// Package sbom holds what is known about the packages inside a function:
// components, where each one lies, what proves it, and what could not be read.
// It has types and pure functions only; the packages below it do the work.
package sbom

import "github.com/fnaudit/fnaudit/bundle"

// SBOM is the bill of materials of one function or of one artifact.
type SBOM struct {
	Subject    bundle.Digest
	Components []Component // sorted by PURL, then Ref
	Unknowns   []Unknown   // sorted by artifact, path, kind
	Coverage   *Coverage   // nil when the bytes were not there to be counted
	Absent     []Absent    // sorted by PURL, then lockfile
	Traits     []Trait     // of files that belong to no component
}

// Absent is a production package of a lockfile that is proven not to be in the
// function: every byte of the bundles that the lockfile speaks for is told, and
// none is of this package.
type Absent struct {
	PURL, Name, Version, Ecosystem string
	Lockfile                       string   // its path, as evidence names it
	Bundles                        []string // paths of the bundles that were told, sorted
}

// State says whether the platform loads a component. The zero value is not a
// state; Live is the strongest.
type State string

// The states, strongest first.
const (
	Live     State = "live"     // its bytes are there and the search order reaches them
	Shadowed State = "shadowed" // its bytes are there, but another copy wins
	Provided State = "provided" // the runtime brings it
	Declared State = "declared" // only a manifest or lockfile names it
)

// Origin tells whose component it is.
type Origin string

// The origins. The zero value means "not told apart".
const (
	OriginApp     Origin = "app"
	OriginLayer   Origin = "layer"
	OriginBase    Origin = "base"
	OriginRuntime Origin = "runtime"
)

// Component is one package of one version, with every place it lies in.
type Component struct {
	Ref           string   // stable within one SBOM; equals PURL unless two components share one
	PURL          string   // canonical package URL; without a version when it is not known
	Name          string   // as the ecosystem spells it: "@scope/name", "group:artifact"
	Version       string   // "" when not known
	Versions      []string // candidates, when several fit and Version is empty
	Disputed      bool     // Versions contradict each other: pieces of evidence say different ones; else nothing tells them apart
	Ecosystem     string   // OSV ecosystem name such as "npm" or "Debian:12"; "" when OSV has none
	Source        string   // upstream or source package name (distributions), else ""
	SourceVersion string   // of the source package, where it differs from Version; advisories about Source mean it
	Main          bool     // the function itself, not one of its dependencies
	State         State
	Origin        Origin
	Occurrences   []Occurrence
	Evidence      []Evidence        // strongest first
	Confidence    float64           // in name and version, 0 to 1: see [Confidence]; set by [Merge]
	Hashes        map[string]string // algorithm as in "sha512" -> lower-case hex
	Licenses      []string          // SPDX expressions where they parse, else as declared; sorted
	Resolved      string            // where a lockfile says it came from: URL, path, git reference
	Requires      []string          // names of the packages it declares to need, as declared; package URLs where a lockfile has several versions of one; sorted
	Ranges        map[string]string // what it declares to take of the packages in Requires, by CanonicalName; none of those that do not say
	Traits        []Trait           // how it came here; sorted
}

// Occurrence is one place where a component lies.
type Occurrence struct {
	Artifact int           // index into the function's artifacts
	Layer    bundle.Digest // of that artifact
	Path     string        // of the file that shows it, inside the artifact; nested: lib/b.jar!/x
	State    State
}

// Evidence says how a component was recognised.
type Evidence struct {
	Method     string  // "installed-metadata", "lockfile", "build-info", "version-literal", ...
	Confidence float64 // 0 to 1
	Artifact   int
	Path       string
	Detail     string
	Differs    bool // it shows the package and says another version; Detail says which
}

// The methods that this version uses.
const (
	MethodInstalled = "installed-metadata" // metadata that the package manager left beside the code
	MethodLockfile  = "lockfile"
	MethodManifest  = "manifest" // a manifest with ranges or pins and no lockfile
	MethodBuildInfo = "build-info"
	MethodBinary    = "binary-classifier" // a version string in a known binary
	MethodSBOM      = "sbom"              // another tool's document
	MethodEmbedded  = "embedded-manifest" // the manifest of an archive, which merging tools copy along
	MethodFileName  = "file-name"         // the name of an archive: artifact-version.jar
	MethodClassSet  = "class-set"         // classes that together are one library's

	MethodNamed    = "named"    // somebody asked about it, by name and version
	MethodResolved = "resolved" // what a package manager would take for a range today

	MethodModule     = "module-name"     // the name that a Python package is imported by
	MethodVersion    = "version-literal" // a version that the code states
	MethodExtension  = "extension"       // a file that the platform starts beside the function
	MethodVendorList = "vendor-list"     // the list that a package keeps of what it carries copies of
)

// UnknownKind classifies what the SBOM cannot say.
type UnknownKind string

// The kinds of unknown.
const (
	Unreadable   UnknownKind = "unreadable"   // bytes that could not be read or parsed
	Opaque       UnknownKind = "opaque"       // bytes that were read and say nothing about what is inside
	Limit        UnknownKind = "limit"        // a named limit was reached before the end
	Unattributed UnknownKind = "unattributed" // code that belongs to no component
	Unmatched    UnknownKind = "unmatched"    // a component that no advisory source covers (Code), or two accounts that disagree
)

// OfNotice returns the kind and the reason of the unknown that a notice about
// unread bytes is.
func OfNotice(n bundle.Notice) (kind UnknownKind, reason string) {
	kind, reason = Unreadable, string(n.Kind)
	if n.Kind == bundle.NoticeLimit {
		kind = Limit
	}
	if n.Detail != "" {
		reason += ": " + n.Detail
	}
	return kind, reason
}

// Unknown is one thing that the SBOM cannot say, and why.
type Unknown struct {
	Artifact int
	Path     string
	Kind     UnknownKind
	Reason   string
	Origin   Origin // whose the bytes are; "" when that was not told apart
	Code     bool   // the bytes are code or name code, so that a verdict must not pass over them
}
