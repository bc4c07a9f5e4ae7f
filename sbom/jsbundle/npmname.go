package jsbundle

import (
	"cmp"
	"strings"
)

// plainName reports whether s may be the name of an npm package: lower case,
// with an optional scope. The names of old that have capitals are not taken,
// because text with capitals is prose far more often.
func plainName(s string) bool {
	if len(s) == 0 || len(s) > maxPackageName {
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

// byName orders claims by name, version and place.
func byName(a, b Claim) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version), cmp.Compare(a.Offset, b.Offset))
}
