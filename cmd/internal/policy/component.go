package policy

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// component spells a package URL of a policy file as reports spell theirs, so
// that pkg:npm/@acme/lib and pkg:pypi/Acme_Lib are what their author means. What
// is no package URL stays as it is, and so does what only looks like one, with
// a letter beyond ASCII: escaped nobody would see it.
func component(text string) string {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "pkg:")
	if !ok || strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		return text
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		end = i
	}
	typ, path, _ := strings.Cut(strings.TrimLeft(rest[:end], "/"), "/")
	version := ""
	if i := strings.LastIndexByte(path, '@'); i > strings.LastIndexByte(path, '/')+1 {
		path, version = path[:i], path[i+1:]
	}
	name, err1 := url.PathUnescape(strings.Trim(path, "/"))
	version, err2 := url.PathUnescape(version)
	purl := sbom.PURL(typ, name, version)
	if err1 != nil || err2 != nil || purl == "" {
		return text
	}
	return purl + rest[end:]
}

// packageNames are the package URLs of a policy that are about a package: they can
// leave out what only says how the package was built, and the version.
func packageNames(purl string) []string {
	bare := purl
	if i := strings.IndexAny(purl, "?#"); i >= 0 {
		bare = purl[:i]
	}
	return []string{purl, bare, finding.Versionless(purl)}
}

// matchesPackage says whether a package URL of a policy is about a package.
func matchesPackage(named, purl string) bool {
	return slices.Contains(packageNames(purl), named)
}
