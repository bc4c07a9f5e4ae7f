package version

import "strings"

// Spell returns the spelling under which a version or a bound is put in order:
// where semantic's order lacks a rule of the ecosystem's own tool, the version
// is written so that the order comes out right. Others stay as they are.
func Spell(ecosystem, s string) string { return spell(Scheme(ecosystem), s) }

func spell(scheme, s string) string {
	switch scheme {
	case "Packagist":
		return composer(s)
	case "Alpine", "Chainguard", "Wolfi":
		return alpineCVS(s)
	case "RubyGems": // Gem::Version reads a hyphen so, before it puts in order: 2.0.0.beta1 < 2.0.0-alpha
		return strings.ReplaceAll(s, "-", ".pre.")
	}
	return s
}

// alpineCVS keeps "1.0_cvs" above "1.0" (apk-package(5): alpha, beta, pre, rc,
// none, cvs, svn, git, hg, p): semantic gives a missing suffix the rank of
// "_cvs0". One more digit makes every such number larger than zero and leaves
// their order.
func alpineCVS(s string) string {
	at := strings.Index(s, "_cvs")
	if at < 0 {
		return s
	}
	end := at + len("_cvs")
	end += digits(s[end:])
	return s[:end] + "1" + s[end:]
}
