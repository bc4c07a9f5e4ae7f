package vex

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// thing names a function or a package. A thing that names nothing matches nothing.
type thing struct {
	purls  []packageURL
	hashes map[string]string // "sha256" -> lower-case hex
	name   string            // of a function, where nothing better is said
}

func (t thing) empty() bool { return len(t.purls) == 0 && len(t.hashes) == 0 && t.name == "" }

// exact says whether the thing names one version: by a digest, or in every one
// of its package URLs.
func (t thing) exact() bool {
	unversioned := func(p packageURL) bool { return p.version == "" && p.qualifiers["checksum"] == "" }
	return len(t.hashes) > 0 || len(t.purls) > 0 && !slices.ContainsFunc(t.purls, unversioned)
}

// product is what a statement is about: a function or a package, or with parts
// some packages in a function.
type product struct {
	thing
	parts    []thing
	versions []versionSet // of the package, where a document lists them apart; nil: any
}

// packageURL is a package URL taken apart and spelled as its type compares it.
type packageURL struct {
	typ, name  string // the name with its namespace
	version    string
	qualifiers map[string]string // nil when there is none
	subpath    string
}

// parsePURL takes a package URL apart (https://github.com/package-url/purl-spec,
// "How to parse a purl string"), but for an unescaped "@" of a scope, which many
// tools write: it is no version.
func parsePURL(s string) (packageURL, bool) {
	rest, ok := strings.CutPrefix(s, "pkg:")
	if !ok {
		return packageURL{}, false
	}
	rest, subpath, _ := strings.Cut(strings.TrimLeft(rest, "/"), "#")
	rest, query, _ := strings.Cut(rest, "?")
	typ, path, ok := strings.Cut(rest, "/")
	if !ok || typ == "" {
		return packageURL{}, false
	}
	p := packageURL{typ: strings.ToLower(typ), subpath: strings.Trim(subpath, "/")}
	var bad error
	unescape := func(s string) string {
		out, err := url.PathUnescape(s)
		if err != nil {
			bad = err
		}
		return out
	}
	if i := strings.LastIndexByte(path, '@'); i > 0 && i > strings.LastIndexByte(path, '/')+1 {
		p.version, path = unescape(path[i+1:]), path[:i]
	}
	p.name = sbom.CanonicalName(p.typ, unescape(strings.Trim(path, "/")))
	for pair := range strings.SplitSeq(query, "&") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || value == "" {
			continue
		}
		if p.qualifiers == nil {
			p.qualifiers = map[string]string{}
		}
		p.qualifiers[strings.ToLower(key)] = unescape(value)
	}
	return p, bad == nil && p.name != "" && p.name[len(p.name)-1] != '/'
}

// covers says whether a package URL of a statement is about a package. A version
// and a qualifier that it leaves out are any; what it says must be so. What only
// says how a package is fetched or packed by default says nothing.
func (p packageURL) covers(c packageURL) bool {
	if p.typ != c.typ || p.name != c.name || p.subpath != c.subpath && p.subpath != "" {
		return false
	}
	if p.version != "" && spelled(p.typ, p.version) != spelled(c.typ, c.version) {
		return false
	}
	for key, value := range p.qualifiers {
		switch {
		case key == "package-id", key == "type" && value == "jar", key == "platform" && value == "ruby", c.qualifiers[key] == value:
		default:
			return false
		}
	}
	return p.typ != "rpm" || p.version == "" || epoch(p) == epoch(c)
}

// epoch is part of an rpm's version, and not written there.
func epoch(p packageURL) string {
	if e := p.qualifiers["epoch"]; e != "0" {
		return e
	}
	return ""
}

// spelled is a version as package URLs of a type may leave out a letter of it.
func spelled(typ, version string) string {
	if typ == "golang" {
		return strings.TrimPrefix(version, "v")
	}
	return version
}

// is says whether the thing is a package.
func (t thing) is(c *pkg) bool {
	if same, known := sameHash(t.hashes, c.hashes); known {
		return same
	}
	return len(t.purls) > 0 && slices.ContainsFunc(t.purls, func(p packageURL) bool { return p.covers(c.purl) })
}

// sameHash compares by the algorithms that both sides know; known is false when
// there is none. All must agree.
func sameHash(a, b map[string]string) (same, known bool) {
	same = true
	for algorithm, value := range a {
		if other, ok := b[algorithm]; ok {
			known, same = true, same && other == value
		}
	}
	return same && known, known
}

// function is a function as statements name it.
type function struct {
	name     string
	claimed  bool                // the name is what the audited files say of themselves
	digests  []map[string]string // of its artifacts
	main     []packageURL        // the packages that are the function itself
	registry string              // where an image came from, as in "registry.example/team/app"
}

func functionOf(r *finding.Report) function {
	f := function{name: r.Name, claimed: r.NameClaimed()}
	for i, a := range r.Artifacts {
		digest := map[string]string{}
		if algorithm, value, ok := strings.Cut(a.Digest, ":"); ok {
			digest[algorithm] = strings.ToLower(value)
		}
		f.digests = append(f.digests, digest)
		if i == 0 && (a.Kind == "image" || a.Kind == "layout") {
			f.registry, _, _ = strings.Cut(strings.TrimPrefix(a.Ref, "image:"), "@")
			if i := strings.LastIndexByte(f.registry, ':'); i > strings.LastIndexByte(f.registry, '/') {
				f.registry = f.registry[:i] // a tag
			}
		}
	}
	for i := range r.Components {
		if c := &r.Components[i]; c.Main {
			if p, ok := parsePURL(c.PURL); ok {
				f.main = append(f.main, p)
			}
		}
	}
	return f
}

// isFunction says whether the thing is a function. A digest decides where one is
// given; what is left is a name, and under wary a name that the audited files
// give themselves is none.
func (t thing) isFunction(f *function, wary bool) bool {
	if len(f.digests) > 0 {
		if same, known := sameHash(t.hashes, f.digests[0]); known {
			return same
		}
	}
	if len(t.hashes) > 0 && len(t.purls) == 0 {
		return false
	}
	for _, p := range t.purls {
		if p.isFunction(f, wary) {
			return true
		}
	}
	return t.name != "" && t.name == f.name && len(t.purls) == 0 && len(t.hashes) == 0 && !(wary && f.claimed)
}

func (p packageURL) isFunction(f *function, wary bool) bool {
	if !wary && slices.ContainsFunc(f.main, p.covers) { // what a binary says of itself
		return true
	}
	sum, ok := p.digest()
	if ok {
		return len(f.digests) > 0 && f.digests[0]["sha256"] == sum
	}
	if p.version != "" || p.subpath != "" || wary && f.claimed {
		return false
	}
	for key, value := range p.qualifiers {
		if key == "repository_url" && f.registry != "" && value == f.registry || key == "tag" || key == "arch" {
			continue
		}
		return false
	}
	switch p.typ {
	case "generic":
		return p.name == f.name
	case "oci", "docker":
		return p.name == strings.ToLower(f.name) || f.registry != "" && p.name == strings.ToLower(f.registry[strings.LastIndexByte(f.registry, '/')+1:])
	}
	return false
}

// digest is the sha256 in a package URL, as its version or its checksum.
func (p packageURL) digest() (sum string, ok bool) {
	text := p.version
	if p.typ != "oci" && p.typ != "docker" {
		text = p.qualifiers["checksum"]
	}
	for one := range strings.SplitSeq(text, ",") {
		if sum, ok = strings.CutPrefix(strings.ToLower(one), "sha256:"); ok {
			return sum, true
		}
	}
	return "", text != "" && p.typ != "oci" && p.typ != "docker" // of another algorithm: no name stands in for it
}

// layerOf is the artifact beside the code that the thing is, by its digest; -1
// when it is none.
func (t thing) layerOf(f *function) int {
	for i := 1; i < len(f.digests); i++ {
		if same, _ := sameHash(t.hashes, f.digests[i]); same {
			return i
		}
		for _, p := range t.purls {
			if sum, ok := p.digest(); ok && sum != "" && f.digests[i]["sha256"] == sum {
				return i
			}
		}
	}
	return -1
}

// pkg is a package of a function as statements name it.
type pkg struct {
	*finding.Component
	purl   packageURL
	hashes map[string]string
}

// in says whether the package lies in an artifact and nowhere else.
func (c *pkg) in(artifact int) bool {
	return len(c.Locations) > 0 && !slices.ContainsFunc(c.Locations, func(l finding.Location) bool { return l.Artifact != artifact })
}

// about says whether a product is a package of a function. Without parts it is
// the package itself, or the function with all that is in it.
func (p *product) about(f *function, c *pkg, wary bool) bool {
	inside := p.isFunction(f, wary)
	if layer := p.layerOf(f); !inside && layer > 0 {
		inside = c.in(layer)
	}
	found := inside || p.is(c)
	if p.parts != nil {
		found = inside && slices.ContainsFunc(p.parts, func(t thing) bool { return t.is(c) })
	}
	return found
}

// hashesOf spells hashes as a component has them.
func hashesOf(given map[string]string) map[string]string {
	out := make(map[string]string, len(given))
	for algorithm, value := range given {
		algorithm = strings.ToLower(strings.ReplaceAll(algorithm, "-", ""))
		if raw, err := base64.StdEncoding.DecodeString(value); err == nil && (len(raw) == 64 && len(value) == 88 || len(raw) == 32 && len(value) == 44) {
			value = hex.EncodeToString(raw)
		}
		out[algorithm] = strings.ToLower(value)
	}
	return out
}
