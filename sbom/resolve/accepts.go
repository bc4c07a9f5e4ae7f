package resolve

import (
	"strings"

	"deps.dev/util/semver"
)

// maxRange bounds a range in bytes: the time to read one grows with it.
const maxRange = 512

// Accepts says whether what a package asks of another one, as it wrote it
// ("^1.2.0", ">=1,<2"), is satisfied by a version. The kind of package is the
// type of its package URLs. known is false for what cannot be answered: a kind
// that has no rules here (Go and Maven take a higher version in any case), what
// is no range (a tag, an address, another package's name), what is no version.
//
// The rules are those of npm (https://docs.npmjs.com/cli/v11/configuring-npm/package-json#dependencies),
// PEP 440, RubyGems, Cargo, NuGet and Composer.
func Accepts(typ, rng, version string) (ok, known bool) {
	defer func() {
		if recover() != nil { // by whatever an artifact says
			ok, known = false, false
		}
	}()
	rng = strings.TrimSpace(rng)
	if len(rng) > maxRange || version == "" || len(version) > maxRange {
		return false, false
	}
	var system semver.System
	switch typ {
	case "pypi":
		return acceptsPython(rng, version)
	case "composer":
		return acceptsComposer(rng, version)
	case "npm":
		if rng == "latest" || strings.ContainsAny(rng, ":/") {
			return false, false
		}
		system = semver.NPM
	case "gem":
		system = semver.RubyGems
	case "cargo":
		system = semver.Cargo
	case "nuget":
		system = semver.NuGet
	default:
		return false, false
	}
	v, err := system.Parse(version)
	if err != nil {
		return false, false
	}
	c, err := system.ParseConstraint(rng)
	if err != nil {
		return false, false
	}
	return c.MatchVersion(v), true
}

func acceptsPython(rng, version string) (ok, known bool) {
	if inner, is := strings.CutPrefix(rng, "("); is {
		rng = strings.TrimSuffix(inner, ")")
	}
	spec, err := parsePySpec(rng)
	v, valid := parsePyVersion(version)
	if err != nil || !valid {
		return false, false
	}
	return spec.has(version, v), true
}
