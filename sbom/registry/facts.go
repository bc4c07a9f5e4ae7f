package registry

import (
	"net/url"
	"strings"
	"time"
)

// System is a packaging system, by the type of its package URLs.
type System string

// The systems that registries are asked about.
const (
	NPM      System = "npm"
	PyPI     System = "pypi"
	Go       System = "golang"
	Maven    System = "maven"
	Cargo    System = "cargo"
	NuGet    System = "nuget"
	RubyGems System = "gem"
)

// Package names a package, as its system spells names: "@scope/name",
// "group:artifact", "github.com/a/b".
type Package struct {
	System System
	Name   string
}

func (p Package) String() string { return string(p.System) + ":" + p.Name }

// ParsePURL returns the package and the version that a package URL names. ok is
// false for what no registry is asked about: other types, and the standard
// library of Go, which comes with the compiler.
func ParsePURL(purl string) (p Package, version string, ok bool) {
	rest, ok := strings.CutPrefix(purl, "pkg:")
	if !ok {
		return p, "", false
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	if i := strings.LastIndexByte(rest, '@'); i > strings.LastIndexByte(rest, '/') {
		rest, version = rest[:i], rest[i+1:]
	}
	typ, path, _ := strings.Cut(rest, "/")
	name, err := unescapePart(path)
	if err != nil || name == "" {
		return p, "", false
	}
	if version, err = unescapePart(version); err != nil {
		return p, "", false
	}
	switch s := System(typ); s {
	case Maven:
		group, artifact, two := strings.Cut(name, "/")
		return Package{s, group + ":" + artifact}, version, two
	case NPM, PyPI, Go, Cargo, NuGet, RubyGems:
		return Package{s, name}, version, s != Go || name != "stdlib"
	}
	return p, "", false
}

// unescapePart is url.PathUnescape, which takes its time with what holds
// nothing to unescape.
func unescapePart(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 {
		return s, nil
	}
	return url.PathUnescape(s)
}

// Answer says what became of a question. The zero value is Unknown.
type Answer int

// The answers.
const (
	Unknown Answer = iota // nobody was asked, or nobody answered: Facts.Reason says why
	Known
	Absent // the registry knows no such package
)

// Facts is what a registry says of a package.
type Facts struct {
	Package Package
	Answer  Answer
	Reason  string    // why the answer is Unknown
	Source  string    // "deps.dev", or the registry's address without credentials
	AsOf    time.Time // when the registry last said so

	Versions    []Version // in the order of their version numbers where those can be compared, else as the registry lists them
	Default     string    // the version that is installed when none is asked for; "" when not told
	Archived    string    // the project whose repository is archived; "" when none is known to be
	Maintainers []string  // who may publish, sorted; nil when not told
}

// Version is what a registry says of one version.
type Version struct {
	Version    string
	Published  time.Time // zero: not told
	Deprecated string    // what its publisher says about not using it, or "deprecated"; "" when nothing
	Yanked     string    // why it was taken back, or "yanked"; "" when it was not

	Publisher  string // who uploaded it
	Repository string // of its source, without scheme and ".git": "github.com/a/b"
	Attested   Answer // Known: it has an attestation of its build; Absent: the registry keeps such, and has none for it
	Licenses   []string
	Integrity  map[string]string // algorithm ("sha512", "sha256", "sha1") -> lower-case hexadecimal digest of its archive
	Archive    string            // address of its archive
	Scripts    []string          // what it runs at installation: "postinstall: node setup.js"
	Requires   map[string]string // package -> range, to run
	Signatures []Signature
}

// Unpublished is Version.Yanked of a version that its registry had, and of which
// it tells nothing but the day of its publication any more.
const Unpublished = "no longer published"

// Signature is a registry's signature over a version.
type Signature struct{ KeyID, Signature string }

// Find returns the version that is spelled so; nil if the registry has none.
func (f *Facts) Find(version string) *Version {
	for i := range f.Versions {
		if f.Versions[i].Version == version {
			return &f.Versions[i]
		}
	}
	return nil
}
