package trust

import (
	"net/url"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// The rules about private names.
//
// RuleConfusion: a private name was fetched from a host that is none of the
// policy's registries of its type. Whoever publishes under that name elsewhere
// is not who the name belongs to ("dependency confusion"), so it is high and
// certain: the lockfile says where the bytes came from.
//
// RulePrivateHost: where a private name was fetched from is not known, or the
// policy names no registry to hold it against. That is no good news, and no
// evidence either: a note. Whether a public registry knows the name too cannot
// be asked, since the question would give the name away.
const (
	RuleConfusion   Rule = "dependency-confusion"
	RulePrivateHost Rule = "private-host-unknown"
)

// privateHost judges where a package with a private name came from.
func privateHost(of *Of, c *sbom.Component, p registry.Package) []Signal {
	if !of.Private.Match(p) {
		return nil
	}
	own, sources := of.Registries[string(p.System)], addresses(c)
	if c.State == sbom.Provided || local(c) {
		return nil // it was not fetched by its name
	}
	if len(own) == 0 {
		return []Signal{{Rule: RulePrivateHost, Component: c.PURL, Probable: true,
			Title:    "bears a private name, and the policy names no registry of type " + string(p.System) + " that it may come from",
			Evidence: []Evidence{{Source: "policy", Locator: "dependencies.registries"}}}}
	}
	if len(sources) == 0 {
		return []Signal{{Rule: RulePrivateHost, Component: c.PURL, Probable: true,
			Title:    "bears a private name, and no lockfile says which host it came from",
			Evidence: []Evidence{{Source: "policy", Locator: "dependencies.private"}}}}
	}
	var out []Signal
	for _, s := range sources {
		if !listed(s.evidence.Detail, own) {
			out = append(out, Signal{Rule: RuleConfusion, Weight: High, Component: c.PURL,
				Title:    "bears a private name, but came from " + s.address.Host + ", which is none of the policy's registries",
				Evidence: []Evidence{s.evidence, {Source: "policy", Locator: "dependencies.registries." + string(p.System), Detail: strings.Join(own, ", ")}}})
			break // one host too many is enough
		}
	}
	return out
}

// source is an address that a package was fetched from, and what says so.
type source struct {
	address  *url.URL
	evidence Evidence
}

// addresses returns where lockfiles say that a component was fetched from, as
// far as that are addresses of a host.
func addresses(c *sbom.Component) []source {
	var out []source
	add := func(text string, e Evidence) {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return
		}
		u.User, u.RawQuery, u.Fragment, u.RawPath = nil, "", "", "" // secrets, and other spellings of the same path
		e.Source, e.Detail = "lockfile", u.String()
		out = append(out, source{u, e})
	}
	for _, t := range c.Traits {
		if t.Kind == sbom.TraitResolved || t.Kind == sbom.TraitURL {
			add(t.Detail, Evidence{Artifact: t.Artifact, Locator: t.Path})
		}
	}
	if len(out) == 0 {
		add(c.Resolved, Evidence{})
	}
	return out
}

// local says whether a component was built here, or fetched from version
// control: the rules of origin judge that.
func local(c *sbom.Component) bool {
	for _, t := range c.Traits {
		switch t.Kind {
		case sbom.TraitFolder, sbom.TraitGit, sbom.TraitDevel:
			return true
		}
	}
	return false
}
