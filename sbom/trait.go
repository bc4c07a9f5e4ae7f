package sbom

import (
	"cmp"
	"slices"
)

// Trait is something about a package that no advisory speaks of: how it came
// here, what it does when it is installed. The cataloger notes traits as it
// reads; whether one is wrong is judged later, by rules (package trust).
type Trait struct {
	Kind     TraitKind
	Artifact int    // index into the function's artifacts
	Path     string // of the file that shows it, inside the artifact; "" when it came with no file
	Detail   string // the value as written: a URL, a command, the name that is replaced
}

// TraitKind says what a trait is.
type TraitKind string

// The kinds of trait.
const (
	TraitGit         TraitKind = "git"           // fetched from a version control system: the reference
	TraitURL         TraitKind = "url"           // fetched from an address rather than by name and version: the address
	TraitFolder      TraitKind = "folder"        // built from a local folder or file: its path
	TraitReplaced    TraitKind = "replaced"      // stands in for another module: "github.com/a/b v1.2.3"
	TraitDevel       TraitKind = "devel"         // a build of a working tree, not of a release
	TraitAlias       TraitKind = "alias"         // installed under another name than its own: that name
	TraitNoIntegrity TraitKind = "no-integrity"  // the lockfile holds no digest of it, and could: the lockfile's entry
	TraitModified    TraitKind = "modified"      // built from a working tree with uncommitted changes, or changed by a patch of the project's
	TraitDisagrees   TraitKind = "disagrees"     // what the lockfile says of it is not what is there: both values
	TraitScript      TraitKind = "script"        // runs at installation: "postinstall: node setup.js"; or whenever the interpreter starts: "start: import x"
	TraitCalls       TraitKind = "script-calls"  // what the file does that such a script runs: "network, programs"
	TraitNative      TraitKind = "native"        // holds machine code: the file
	TraitSum         TraitKind = "sum"           // digest of its source that the build recorded: "h1:…"
	TraitLocked      TraitKind = "lock-digest"   // digest of the published archive that a lockfile records: "sha512-…"
	TraitResolved    TraitKind = "resolved-from" // where a lockfile says that it came from: the address
	TraitDirect      TraitKind = "direct"        // the function asks for it itself, and not only a dependency
)

// Details that stand for a value which is not told.
const (
	FromVendor = "built from a vendor folder" // of TraitNoIntegrity: Go then records no digest of any module
	NotTold    = "install: not told"          // of TraitScript: a lockfile says that there is one, and not what it runs
)

// sortTraits sorts traits and drops repeats.
func sortTraits(list []Trait) []Trait {
	slices.SortFunc(list, func(a, b Trait) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Detail, b.Detail))
	})
	return slices.Compact(list)
}
