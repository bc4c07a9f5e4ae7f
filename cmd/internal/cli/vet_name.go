package cli

import (
	"strings"

	"golang.org/x/mod/module"

	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// maxPackage bounds in bytes the name of a package on the command line, version
// included. npm allows 214, NuGet 100; a Go import path may be longer.
const maxPackage = 512

// vetHint says how a package is named.
const vetHint = "name packages as npm:axios@1.9.0, pypi:requests, golang:github.com/x/y@v1.2.3, maven:group:artifact@1.0, cargo:serde, nuget:Serilog, gem:rack, or by package URL"

// vetSystem is a packaging system of which packages can be vetted.
type vetSystem struct {
	system registry.System
	name   func(string) bool // reports whether a text can be the name of a package
}

// vetSystems lists the systems by the words that name them on the command line.
// What a name can be is what the registry of the system takes, and never a path
// that leads out of where its answers are kept.
func vetSystems() map[string]vetSystem {
	npm := vetSystem{registry.NPM, npmName}
	pypi := vetSystem{registry.PyPI, func(s string) bool { return spelled(s, "._-") && strings.Trim(s, "._-") == s }} // PEP 508
	golang := vetSystem{registry.Go, func(s string) bool { return module.CheckPath(s) == nil }}
	word := func(s string) bool { return spelled(s, "._-") }
	cargo, nuget, gem := vetSystem{registry.Cargo, word}, vetSystem{registry.NuGet, word}, vetSystem{registry.RubyGems, word}
	maven := vetSystem{registry.Maven, func(s string) bool {
		group, artifact, ok := strings.Cut(s, ":")
		return ok && word(group) && word(artifact)
	}}
	return map[string]vetSystem{
		"npm": npm, "pypi": pypi, "go": golang, "golang": golang, "maven": maven, "cargo": cargo, "crates": cargo, "nuget": nuget, "gem": gem,
	}
}

// npmName reports whether a text can be the name of an npm package. Capitals
// and marks are in the names of old ones.
func npmName(s string) bool {
	if scoped, ok := strings.CutPrefix(s, "@"); ok {
		scope, name, ok := strings.Cut(scoped, "/")
		return ok && spelled(scope, "._~-") && spelled(name, "._~!'()*-")
	}
	return spelled(s, "._~!'()*-")
}

// spelled reports whether a text has only letters, digits and the marks that are
// allowed, and does not start with a dot.
func spelled(s, marks string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(marks, c) >= 0) {
			return false
		}
	}
	return s != "" && s[0] != '.'
}

// maxVetVersion is how long a version may be, in bytes.
const maxVetVersion = 128

// vetVersion reports whether a text can be a version in any of the systems:
// "1!2.0+local" of Python, "v1.0.0-20260101000000-abcdefabcdef+incompatible" of
// Go. No range can.
func vetVersion(s string) bool {
	return len(s) <= maxVetVersion && spelled(s, "._+!~-") && strings.IndexByte("_+!~-", s[0]) < 0
}

// parsePackage reads how a package is named: SYSTEM:NAME, SYSTEM:NAME@VERSION,
// or a package URL. Without a version, and with @latest, it is the version that
// the registry installs when none is asked for.
func parsePackage(text string) (audit.Asked, error) {
	said := text
	if len(said) > 60 {
		said = said[:60] + "…"
	}
	bad := func(why string) (audit.Asked, error) {
		return audit.Asked{}, usage(vetHint, "package %q: %s", said, why)
	}
	switch {
	case text == "":
		return bad("the name is empty")
	case len(text) > maxPackage:
		return bad("the name is too long")
	case report.Escape(text) != text:
		return bad("the name holds characters that no package has in its name")
	}
	word, name, ok := strings.Cut(text, ":")
	switch {
	case !ok:
		return bad("the packaging system is missing")
	case word == "pkg":
		return parseVetPURL(text, bad)
	case strings.HasPrefix(name, "//"):
		return bad("a package is named, not an address")
	}
	s, ok := vetSystems()[word]
	if !ok {
		return bad("no packaging system is called " + word)
	}
	version := ""
	if i := strings.LastIndexByte(name, '@'); i > 0 {
		if name, version = name[:i], name[i+1:]; version == "" {
			return bad("the version is missing behind the @")
		}
	}
	return askedOf(s, name, version, bad)
}

// parseVetPURL reads a package URL. One with qualifiers or a subpath names
// something else than what a registry has under that name.
func parseVetPURL(text string, bad func(string) (audit.Asked, error)) (audit.Asked, error) {
	if strings.ContainsAny(text, "?#") {
		return bad("a package URL with qualifiers or a subpath is not read: name type, name and version only")
	}
	p, version, ok := registry.ParsePURL(text)
	s, known := vetSystems()[string(p.System)]
	if !ok || !known {
		return bad("not a package URL of a system that has a registry")
	}
	return askedOf(s, p.Name, version, bad)
}

func askedOf(s vetSystem, name, version string, bad func(string) (audit.Asked, error)) (audit.Asked, error) {
	if !s.name(name) || strings.Contains(name, "..") {
		return bad("no " + string(s.system) + " package can have that name")
	}
	if version == "latest" {
		version = ""
	}
	if version != "" && !vetVersion(version) {
		return bad("that is no version: name one, not a range")
	}
	name = sbom.CanonicalName(string(s.system), name)
	asked := audit.Asked{Name: string(s.system) + ":" + name, Package: registry.Package{System: s.system, Name: name}, Version: version}
	if version != "" {
		asked.Name += "@" + version
	}
	return asked, nil
}
