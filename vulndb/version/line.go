package version

import "strings"

// Line is where a version stands among those of its package.
type Line struct {
	Compatible string // the numbers that versions share which are said to be compatible: "4" of 4.17.1, "0.3" of 0.3.7
	Prerelease bool   // made before a release, and not meant to be used in its place
}

// LineOf reads the line of a version. ok is false for an ecosystem that gives
// the numbers of a version no such meaning (the distributions), and for what
// does not start with a number.
//
// That a change of the first number may break its users, and below 1.0 that of
// the second, is how semver.org (items 4 and 8) and the ranges "^" of npm and
// Cargo have it; other ecosystems have no rule and the same custom.
func LineOf(ecosystem, name, s string) (l Line, ok bool) {
	scheme := Scheme(ecosystem)
	if !numbered(scheme) || len(s) > MaxLength {
		return Line{}, false
	}
	s = Clean(ecosystem, name, s)
	if scheme == "PyPI" {
		if epoch, rest, has := strings.Cut(s, "!"); has { // PEP 440: an epoch starts the numbers anew
			l.Compatible, s = epoch+"!", rest
		}
	}
	s = strings.TrimLeft(s, "= ")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "v"), "V")
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' && end+1 < len(s) && s[end+1] >= '0' && s[end+1] <= '9') {
		end++
	}
	if end == 0 || s[0] == '.' {
		return Line{}, false
	}
	numbers := strings.Split(s[:end], ".")
	first := trimZeros(numbers[0])
	l.Compatible += first
	if first == "0" && scheme != "Go" { // a module's path promises nothing below 1 either, and "go get" takes it for one line
		second := "0"
		if len(numbers) > 1 {
			second = trimZeros(numbers[1])
		}
		l.Compatible += "." + second
	}
	l.Prerelease = prerelease(scheme, s[end:])
	return l, true
}

// numbered says whether the first number of a version means something in the
// ecosystem whose order is that of a scheme.
func numbered(scheme string) bool {
	switch scheme {
	case "npm", "PyPI", "Go", "Maven", "crates.io", "NuGet", "RubyGems", "Packagist", "Hex", "Pub", "SwiftURL", "Hackage", "Julia":
		return true
	}
	return false
}

func trimZeros(s string) string {
	if s = strings.TrimLeft(s, "0"); s == "" {
		return "0"
	}
	return s
}

// prerelease says whether what follows the numbers of a version marks a
// pre-release.
func prerelease(scheme, rest string) bool {
	if scheme != "Maven" {
		rest, _, _ = strings.Cut(rest, "+") // build data, and Python's local versions
	}
	switch scheme {
	case "PyPI": // PEP 440: a post-release is none
		return hasWord(rest, func(w string) bool { return w != "post" && w != "rev" && w != "r" })
	case "RubyGems": // Gem::Version#prerelease?: any letter
		return hasWord(rest, func(string) bool { return true })
	case "Packagist": // https://getcomposer.org/doc/04-schema.md#version
		return hasWord(rest, func(w string) bool {
			switch w {
			case "dev", "alpha", "a", "beta", "b", "rc":
				return true
			}
			return false
		})
	case "Maven": // ComparableVersion, and what projects write besides
		return hasWord(rest, func(w string) bool {
			switch w {
			case "alpha", "a", "beta", "b", "milestone", "m", "rc", "cr", "snapshot", "pre", "pr", "preview", "ea", "eap", "dev", "nightly", "canary", "experimental":
				return true
			}
			return false
		})
	}
	return strings.HasPrefix(rest, "-") // semver.org item 9
}

// hasWord says whether f holds for a run of letters of s, in lower case.
func hasWord(s string, f func(word string) bool) bool {
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r < 'A' || 'Z' < r && r < 'a' || r > 'z' }) {
		if f(strings.ToLower(w)) {
			return true
		}
	}
	return false
}
