package vulndb

import (
	"slices"
	"strings"
)

// Coverage says what the store can know about an ecosystem. The zero value
// means that nothing is known.
type Coverage string

// The coverages. Anything but Covered means that no advisory is no evidence.
const (
	Covered  Coverage = "covered"   // the store holds that ecosystem's records
	Lacking  Coverage = "lacking"   // OSV has records of it and the store does not
	NoSource Coverage = "no-source" // no advisory source that this program reads covers it
)

// Base returns an ecosystem's name without its release: "Debian" for "Debian:12".
func Base(ecosystem string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	return base
}

// ecosystemNames lists what OSV schema 1.8.0 defines
// (https://ossf.github.io/osv-schema/, read 2026-11-22) and the two folders of
// the export that are no ecosystem of the schema. Amazon Linux is not among
// them.
func ecosystemNames() []string {
	return []string{
		"AlmaLinux", "Alpaquita", "Alpine", "Android", "Azure Linux", "BellSoft Hardened Containers", "Bioconductor",
		"Bitnami", "CRAN", "Chainguard", "CleanStart", "ConanCenter", "Debian", "Docker Hardened Images", "Echo",
		"FreeBSD", "GHC", "GIT", "GSD", "GitHub Actions", "Go", "Hackage", "Hex", "Homebrew", "Julia", "Kubernetes",
		"Linux", "Mageia", "Maven", "MinimOS", "NuGet", "OSS-Fuzz", "Packagist", "Photon OS", "Pub", "PyPI",
		"Red Hat", "Rocky Linux", "Root", "RubyGems", "SUSE", "SwiftURL", "TuxCare", "Ubuntu", "VSCode", "Wolfi",
		"crates.io", "npm", "opam", "openEuler", "openSUSE", "vcpkg",
	}
}

// Known reports whether OSV defines an ecosystem, which may carry a release. No
// package is ever of another one, so advisories of that would be found by nobody.
func Known(ecosystem string) bool { return known(Base(ecosystem)) }

// known is Known for a name without a release.
func known(base string) bool { return slices.Contains(ecosystemNames(), base) }

// Spell returns an ecosystem's name in OSV's spelling if s differs from it
// only by case ("pypi"), else s.
func Spell(s string) string {
	for _, n := range ecosystemNames() {
		if strings.EqualFold(n, s) {
			return n
		}
	}
	return s
}

// spellRelease is Spell for a name that may have a release ("debian:12"): an
// entry of "Npm" is one of npm, and would be found by nobody under its own name.
func spellRelease(s string) string {
	base := Base(s)
	if base == "" || known(base) {
		return s
	}
	if right := Spell(base); right != base {
		return right + s[len(base):]
	}
	return s
}

// NormalName returns the spelling under which a package's name is looked up.
// Registries that treat two spellings as one package are followed; all others
// are exact.
func NormalName(ecosystem, name string) string {
	switch Base(ecosystem) {
	case "PyPI":
		return pypiName(name)
	case "NuGet", "Packagist", "VSCode", "GitHub Actions":
		return strings.ToLower(name) // these registries ignore case
	case "SwiftURL", "GIT":
		return repoName(name)
	case "Go":
		switch name {
		case "go", "std":
			return "stdlib" // what cataloguers call the standard library
		case "cmd", "cmd/go":
			return "toolchain"
		}
	}
	return name
}

// pypiName follows PEP 503: lower case, runs of "-", "_", "." become one "-".
func pypiName(name string) string {
	plain := true
	for i := 0; i < len(name); i++ {
		if c := name[i]; c == '_' || c == '.' || c == '-' || 'A' <= c && c <= 'Z' || c >= 0x80 {
			plain = false
			break
		}
	}
	if plain {
		return name
	}
	name = strings.ToLower(name)
	b := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if c := name[i]; c != '_' && c != '.' && c != '-' {
			b = append(b, c)
		} else if len(b) == 0 || b[len(b)-1] != '-' {
			b = append(b, '-')
		}
	}
	return string(b)
}

// repoName strips what does not tell repositories apart.
func repoName(url string) string {
	for _, scheme := range []string{"https://", "http://", "git://"} {
		url = strings.TrimPrefix(url, scheme)
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(url, "/"), ".git"))
}

// names returns the names under which a package is looked up, most telling
// first. Records of most distributions name source packages: there the binary
// package's own name could be the name of some other source package. rpm
// distributions use either, so both are tried.
func (p Package) names() []string {
	if p.Source == "" || p.Source == p.Name {
		return []string{NormalName(p.Ecosystem, p.Name)}
	}
	switch Base(p.Ecosystem) {
	case "Alpaquita", "Alpine", "BellSoft Hardened Containers", "Chainguard", "CleanStart", "Debian", "Echo",
		"MinimOS", "Ubuntu", "Wolfi", "openEuler", "Mageia":
		return []string{NormalName(p.Ecosystem, p.Source)}
	case "AlmaLinux", "Azure Linux", "Photon OS", "Red Hat", "Rocky Linux", "SUSE", "openSUSE", "Root", "TuxCare":
		return []string{NormalName(p.Ecosystem, p.Source), NormalName(p.Ecosystem, p.Name)}
	}
	return []string{NormalName(p.Ecosystem, p.Name)}
}

// release is an ecosystem's part after the first colon in the form in which
// two of them are compared. Cataloguers write what /etc/os-release says, OSV
// what the database's authors chose.
func release(ecosystem string) string {
	base, r, _ := strings.Cut(ecosystem, ":")
	switch base {
	case "Debian", "AlmaLinux", "Rocky Linux":
		r, _, _ = strings.Cut(r, ".") // Debian:12.5 is Debian:12
	case "Alpine":
		r = strings.TrimPrefix(r, "v")
		if parts := strings.SplitN(r, ".", 3); len(parts) == 3 {
			r = parts[0] + "." + parts[1] // records are per branch: v3.20.3 is v3.20
		}
	case "Ubuntu":
		r = strings.TrimSuffix(r, ":LTS")
	}
	return r
}

// sameRelease reports whether an entry for one release holds for a package of
// another. An entry or a package without a release holds for all of them.
func sameRelease(entry, pkg string) bool {
	e, p := release(entry), release(pkg)
	if e == "" || p == "" || e == p {
		return true
	}
	// Red Hat's releases are CPEs: a package known to come from
	// enterprise_linux:9 may come from any of its repositories.
	return Base(pkg) == "Red Hat" && strings.HasPrefix(e, p+":")
}

// ubuntuPro returns the release without the "Pro:" of Ubuntu's extended
// maintenance and whether it was there.
func ubuntuPro(r string) (string, bool) { return strings.CutPrefix(r, "Pro:") }

// entries returns the indexes of the affected entries that speak about p.
//
// Ubuntu lists a release twice once its standard maintenance ended: as itself
// and as "Pro:", whose fixes only subscribers get. A record that has only the
// other of the two still says that the package is affected below that fix, so
// it is used when the release itself is not listed.
func (a *Advisory) entries(p Package, names []string) []int {
	base := Base(p.Ecosystem)
	var own, other []int
	for i := range a.Affected {
		e := &a.Affected[i]
		if !e.of(base) || !slices.Contains(names, entryName(base, e)) {
			continue
		}
		if sameRelease(e.Ecosystem, p.Ecosystem) {
			own = append(own, i)
		} else if base == "Ubuntu" {
			er, ep := ubuntuPro(release(e.Ecosystem))
			pr, pp := ubuntuPro(release(p.Ecosystem))
			if er == pr && ep != pp {
				other = append(other, i)
			}
		}
	}
	if len(own) == 0 {
		return other
	}
	return own
}

// of reports whether an entry belongs to an ecosystem. An entry without a
// package belongs to the commits of its repository.
func (e *Affected) of(base string) bool {
	return Base(e.Ecosystem) == base || e.Ecosystem == "" && e.Name == "" && base == "GIT"
}

// entryName is the name under which an affected entry is indexed. An entry of
// the GIT folder has no package; its repository stands in.
func entryName(base string, e *Affected) string {
	if e.Name == "" && base == "GIT" {
		for i := range e.Ranges {
			if e.Ranges[i].Type == Git {
				return repoName(e.Ranges[i].Repo)
			}
		}
	}
	return NormalName(base, e.Name)
}
