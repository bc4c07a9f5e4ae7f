package codec

import (
	"net/url"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// parsed is a package URL taken apart.
type parsed struct {
	typ        string // lower case
	name       string // with its namespace: "@scope/name", "group:artifact", "debian/tar"
	version    string
	qualifiers url.Values
}

// parsePURL takes a package URL apart as the specification says ("How to parse
// a purl string to its components"), and more leniently in one point: an
// unescaped "@" of an npm scope, which many tools write, is no version.
func parsePURL(s string) (parsed, bool) {
	s = strings.TrimSpace(s)
	if len(s) < 4 || !strings.EqualFold(s[:4], "pkg:") {
		return parsed{}, false
	}
	s, _, _ = strings.Cut(s[4:], "#")
	s, query, _ := strings.Cut(s, "?")
	typ, rest, ok := strings.Cut(strings.Trim(s, "/"), "/")
	if !ok || !isPURLType(typ) {
		return parsed{}, false
	}
	p := parsed{typ: strings.ToLower(typ)}
	if i := strings.LastIndexByte(rest, '@'); i > 0 && rest[i-1] != '/' {
		version, err := url.PathUnescape(rest[i+1:])
		if err != nil {
			return parsed{}, false
		}
		rest, p.version = rest[:i], version
	}
	var segments []string
	for segment := range strings.SplitSeq(rest, "/") {
		decoded, err := url.PathUnescape(segment)
		if err != nil {
			return parsed{}, false
		}
		if decoded != "" {
			segments = append(segments, decoded)
		}
	}
	if len(segments) == 0 {
		return parsed{}, false
	}
	base := segments[len(segments)-1]
	separator := "/"
	if p.typ == "maven" {
		separator = ":"
	}
	p.name = base
	if namespace := strings.Join(segments[:len(segments)-1], "/"); namespace != "" {
		p.name = namespace + separator + base
	}
	if q, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B")); err == nil { // a plus is a plus in a package URL
		p.qualifiers = q
	}
	return p, true
}

// isPURLType: letters, digits, ".", "+" and "-", not starting with a digit.
func isPURLType(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !(c >= 'a' && c <= 'z' || i > 0 && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' || s[i] == '+' || s[i] == '-')) {
			return false
		}
	}
	return s != ""
}

// packageName is the name by which advisories know the package: without the
// namespace for distributions, whose namespace is the distribution itself.
func (p parsed) packageName() string {
	switch p.typ {
	case "deb", "apk", "rpm", "alpm":
		return p.name[strings.LastIndexByte(p.name, '/')+1:]
	}
	return p.name
}

// ecosystem is the OSV ecosystem of the package; distro is what the document
// says elsewhere about the distribution, as "debian-12".
func (p parsed) ecosystem(distro string) string {
	if d := p.qualifiers.Get("distro"); d != "" {
		distro = d
	}
	return sbom.Ecosystem(p.typ, distro)
}

// source is the source package of a distribution's package and its version,
// where it differs: the qualifier "upstream" is NAME or NAME@VERSION, for rpm
// the source package's file name.
func (p parsed) source() (name, version string) {
	upstream := p.qualifiers.Get("upstream")
	if p.typ == "rpm" {
		return sbom.SourceRPM(upstream), ""
	}
	name, version, _ = strings.Cut(upstream, "@")
	return name, version
}

// fullVersion is the version with the epoch, which rpm's package URLs carry apart.
func (p parsed) fullVersion() string {
	if epoch := p.qualifiers.Get("epoch"); p.typ == "rpm" && p.version != "" && epoch != "" && epoch != "0" {
		return epoch + ":" + p.version
	}
	return p.version
}

// canonical is the package URL as this program writes it. The qualifiers of
// distributions are kept: they tell packages apart.
func (p parsed) canonical(version string) string {
	switch p.typ {
	case "deb", "apk", "rpm":
		kept := map[string]string{}
		for _, key := range []string{"arch", "distro", "epoch", "upstream"} {
			kept[key] = p.qualifiers.Get(key)
		}
		return sbom.QualifiedPURL(p.typ, p.name, version, kept)
	}
	return sbom.PURL(p.typ, p.name, version)
}
