package trust

import (
	"strings"

	"golang.org/x/mod/module"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// The rules about what no registry knows. They judge only by a registry's "no":
// where nobody could be asked, nothing is known and nothing is said.
//
// RuleUnknownName: the registry that is asked about such packages has none of
// this name. It is an internal package, one that was taken off, or a name that
// somebody (or a language model) made up and that anybody can register
// tomorrow. Medium where a lockfile says that it came from a registry, low where
// nothing says that, a note where there is a reason: another registry of the
// policy's than the one that was asked, no registry at all, a copy inside another
// package's files. A private name is asked of its own registry only, so that one
// which is missing there came from elsewhere: medium.
//
// RuleUnknownVersion: the package is known, and this version is not. As strong
// for the systems whose tools keep the spelling of a version (npm, Cargo); low
// for the others, and nothing for Go's pseudo-versions, which no list has.
const (
	RuleUnknownName    Rule = "unknown-name"
	RuleUnknownVersion Rule = "unknown-version"
)

// unknownTo judges what a registry says that it has not.
func unknownTo(of *Of, c *sbom.Component, p registry.Package, s *registry.Standing) []Signal {
	if s == nil || p.System == registry.Go && !strings.Contains(strings.SplitN(p.Name, "/", 2)[0], ".") {
		return nil // a Go path without a dot in its first element is the toolchain's (go.dev/ref/mod#module-path)
	}
	if s.Answer == registry.Unknown || s.Answer == registry.Known && s.Version {
		return nil // which is so of nearly all
	}
	g := Signal{Component: c.PURL, Probable: true, Evidence: []Evidence{registryEvidence(s)}}
	switch {
	case s.Answer == registry.Absent:
		g.Rule, g.Title = RuleUnknownName, "is not known to "+s.Source+": no package has that name"
		if g.Weight = ofUnknown(of, c, p, s); of.Private.Match(p) {
			g.Title = "bears a private name, and its own registry has no such package: " + s.Source
		}
	case s.Answer == registry.Known && !s.Version && c.Version != "":
		if p.System == registry.Go && (module.IsPseudoVersion(c.Version) || strings.Contains(c.Version, "+")) {
			return nil
		}
		g.Rule, g.Title = RuleUnknownVersion, "is known to "+s.Source+", but not this version of it"
		if g.Weight = ofUnknown(of, c, p, s); p.System != registry.NPM && p.System != registry.Cargo {
			g.Weight = min(g.Weight, Low)
		}
	default:
		return nil
	}
	return []Signal{g}
}

// ofUnknown weighs that a registry does not know a component.
func ofUnknown(of *Of, c *sbom.Component, p registry.Package, s *registry.Standing) Weight {
	switch {
	case c.Origin == sbom.OriginBase, c.Origin == sbom.OriginRuntime, c.State == sbom.Provided:
		return Note // the platform's own build
	case local(c), marked(c, sbom.TraitURL), marked(c, sbom.TraitReplaced), !byManager(c):
		return Note
	}
	sources, own := addresses(c), of.Registries[string(p.System)]
	switch {
	case of.Private.Match(p):
		return Medium
	case len(sources) == 0:
		return Low
	case len(own) > 0 && listed(sources[0].evidence.Detail, own) && !listed(sources[0].evidence.Detail, []string{s.Source}):
		return Note // another of the policy's registries was not asked
	}
	return Medium
}

// marked says whether a component has a trait of a kind.
func marked(c *sbom.Component, kind sbom.TraitKind) bool {
	for _, t := range c.Traits {
		if t.Kind == kind {
			return true
		}
	}
	return false
}

// surelyInstalled is the confidence from which metadata beside code is that of
// an installed package. Less has that of a copy among somebody's own files.
const surelyInstalled = 0.9

// byManager says whether a package manager put a component there, or will:
// what was recognised inside other files bears whatever name they state.
func byManager(c *sbom.Component) bool {
	for _, e := range c.Evidence {
		switch e.Method {
		case sbom.MethodInstalled:
			if e.Confidence >= surelyInstalled {
				return true
			}
		case sbom.MethodLockfile, sbom.MethodBuildInfo:
			return true
		}
	}
	return false
}

func registryEvidence(s *registry.Standing) Evidence {
	return Evidence{Source: "registry", Locator: s.Source, At: s.AsOf}
}
