package sbom

import (
	"maps"
	"slices"
	"strings"
)

// PURL returns the canonical package URL of a package
// (https://github.com/package-url/purl-spec, PURL-SPECIFICATION.rst and
// PURL-TYPES.rst as of 2026-11). The name is spelled as its ecosystem spells
// it, with the namespace inside: "@scope/name", "group:artifact",
// "vendor/package", "github.com/a/b". An empty version gives a URL without
// one. The result is "" when the type or the name is empty.
func PURL(typ, name, version string) string {
	typ = strings.ToLower(typ)
	namespace, base := SplitName(typ, CanonicalName(typ, name))
	if typ == "" || base == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("pkg:")
	b.WriteString(typ)
	for segment := range strings.SplitSeq(namespace, "/") {
		if segment != "" {
			b.WriteByte('/')
			escape(&b, segment)
		}
	}
	b.WriteByte('/')
	escape(&b, base)
	if version != "" {
		b.WriteByte('@')
		escape(&b, version)
	}
	return b.String()
}

// QualifiedPURL is PURL with qualifiers, sorted by key; those with an empty
// value are left out. Distributions need them: "arch", "distro", "epoch" and
// "upstream" tell packages apart and say which advisories hold.
func QualifiedPURL(typ, name, version string, qualifiers map[string]string) string {
	var b strings.Builder
	b.WriteString(PURL(typ, name, version))
	if b.Len() == 0 {
		return ""
	}
	separator := byte('?')
	for _, key := range slices.Sorted(maps.Keys(qualifiers)) {
		if value := qualifiers[key]; value != "" {
			b.WriteByte(separator)
			b.WriteString(key)
			b.WriteByte('=')
			escape(&b, value)
			separator = '&'
		}
	}
	return b.String()
}

// CanonicalName returns the name as the type's registry compares it: what two
// spellings of one package have in common.
func CanonicalName(typ, name string) string {
	switch strings.ToLower(typ) {
	case "pypi":
		return canonicalPython(name)
	case "composer", "github", "bitbucket", "deb", "apk", "hex", "pub", "alpm":
		return strings.ToLower(name)
	}
	return name
}

// canonicalPython follows PEP 503: lower case, and each run of "-", "_" and
// "." is one dash.
func canonicalPython(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	dash := false
	for i := range len(name) {
		c := name[i]
		if c == '-' || c == '_' || c == '.' {
			dash = true
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	if dash {
		b.WriteByte('-')
	}
	return b.String()
}

// SplitName cuts an ecosystem's name into the namespace and the name of a
// package URL. Types without a namespace keep their name whole.
func SplitName(typ, name string) (namespace, base string) {
	switch typ {
	case "maven":
		if group, artifact, ok := strings.Cut(name, ":"); ok {
			return group, artifact
		}
		return cutLast(name)
	case "npm":
		if strings.HasPrefix(name, "@") {
			return cutLast(name)
		}
		return "", name
	case "golang", "composer", "github", "bitbucket", "swift", "deb", "apk", "rpm", "generic", "alpm", "hex", "conan", "docker", "oci":
		return cutLast(name)
	}
	return "", name
}

func cutLast(name string) (string, string) {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return "", name
}

// escape percent-encodes what a package URL does not carry as it is: all but
// letters, digits, ".", "-", "_", "~" and ":".
func escape(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_', c == '~', c == ':':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
}
