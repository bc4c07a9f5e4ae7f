package jsbundle

import (
	"cmp"
	"strings"
)

// Longest name and version that npm takes (validate-npm-package-name, node-semver).
const (
	nameBytes    = 214
	versionBytes = 256
)

// packageName reports whether s may be the name of an npm package: lower case,
// with an optional scope. The names of old that have capitals are not taken,
// because text with capitals is prose far more often.
func packageName(s string) bool {
	if len(s) == 0 || len(s) > nameBytes {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		scope, name, found := strings.Cut(rest, "/")
		return found && namePart(scope) && namePart(name)
	}
	return namePart(s) && s != "node_modules" && s != "favicon.ico"
}

// namePart checks a scope or a name without its scope.
func namePart(s string) bool {
	if s == "" || s[0] == '.' || s[0] == '-' || s[0] == '_' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || digit(c) || c == '-' || c == '_' || c == '.' || c == '~') {
			return false
		}
	}
	return true
}

// exactVersion reports whether s is a version as in semver.org 2.0.0: three
// numbers, then optionally a pre-release and build metadata. A range is not.
func exactVersion(s string) bool {
	if len(s) > versionBytes {
		return false
	}
	core, build, hasBuild := strings.Cut(s, "+")
	core, pre, hasPre := strings.Cut(core, "-")
	if hasBuild && !identifiers(build) || hasPre && !identifiers(pre) {
		return false
	}
	numbers := 0
	for part := range strings.SplitSeq(core, ".") {
		if numbers++; numbers > 3 || part == "" || len(part) > 16 || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return numbers == 3
}

// identifiers checks what may follow "-" and "+" in a version.
func identifiers(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		for i := range len(part) {
			if c := part[i]; c != '-' && (c == '_' || c == '$' || !identifier(c)) {
				return false
			}
		}
	}
	return true
}

// packageOf returns the package that a path such as "lodash/fp.js" or
// "@scope/name/index.js" lies in, as it stands below a folder of packages. ""
// when the path has no file, or its start is no name.
func packageOf(path string) string {
	name, rest, ok := strings.Cut(path, "/")
	if strings.HasPrefix(name, "@") {
		var second string
		second, rest, ok = strings.Cut(rest, "/")
		name += "/" + second
	}
	if !ok || rest == "" || !packageName(name) {
		return ""
	}
	return name
}

// byName orders claims by name, version and place.
func byName(a, b Claim) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version), cmp.Compare(a.Offset, b.Offset))
}
