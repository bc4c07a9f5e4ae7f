package jsbundle

import (
	"path"
	"slices"
	"strings"
)

// embedded is the rung of what packages say about themselves inside a bundle:
// their manifests, licences and version literals. It looks at every token once.
type embedded struct {
	banners   bannerReader
	manifests manifestReader
	modules   manifestModules
	literals  literalReader
}

// token looks at one token of the bundle.
func (e *embedded) token(t *Token) {
	e.banners.token(t)
	e.manifests.token(t)
	e.modules.token(t)
	e.literals.token(t)
}

// claims returns what was found, after the last token. The manifests tell more
// once all packages are known, see Pinned.
func (e *embedded) claims() ([]Claim, []Manifest) {
	e.banners.flush()
	e.manifests.loose.end(&e.manifests)
	needed := map[string]bool{}
	var manifests, clients, configurations []Claim
	for i := range e.manifests.found {
		m := &e.manifests.found[i]
		if at, own := e.modules.isOwn(m.Offset); own && !(Known(m.Name) && path.Base(path.Dir(at)) == path.Base(m.Name)) { // src/lodash/package.json is lodash's
			continue
		}
		manifests = append(manifests, m.Claim())
		if strings.HasPrefix(m.Name, clientPrefix) {
			clients = append(clients, m.Claim())
			configurations = append(configurations, configuration(m)...)
			for name := range m.Dependencies {
				needed[name] = true
			}
		}
	}
	services := e.literals.services.clients()
	clients = append(clients, services...)
	return slices.Concat(unique(e.modules.claims), e.banners.claims, unique(manifests), e.literals.claims(), services, e.literals.kit(clients, needed), unique(configurations)), e.manifests.found
}

// Embedded reads a bundle for what its packages say about themselves. The error
// is that of Lex: what was found before and after the place stands.
func Embedded(src []byte) ([]Claim, []Manifest, error) {
	var e embedded
	err := Lex(src, e.token)
	claims, found := e.claims()
	return claims, found, err
}

// Pinned returns claims for the versions of packages that are proven to be in
// the bundle without one, as far as a manifest in the bundle depends on an exact
// version: the installer had to give it that one. A dependency alone proves
// nothing: what only browsers or the compiler need is not in the bundle.
func Pinned(claims []Claim, found []Manifest) []Claim {
	known := map[string]bool{} // name -> with a version
	for _, c := range claims {
		known[c.Name] = known[c.Name] || c.Version != ""
	}
	var out []Claim
	for i := range found {
		for name, version := range found[i].Dependencies {
			if hasVersion, present := known[name]; present && !hasVersion && exact(version) != "" {
				out = append(out, Claim{Name: name, Version: version, Method: MethodManifest, Confidence: 0.85, Offset: found[i].Offset,
					Detail: "the manifest of " + found[i].Name + " in the bundle depends on this version"})
			}
		}
	}
	slices.SortStableFunc(out, byName)
	return unique(out)
}
