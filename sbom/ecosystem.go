package sbom

import "strings"

// Ecosystem returns the OSV ecosystem name for a package URL type, "" when OSV
// has none (https://ossf.github.io/osv-schema/#affectedpackage-field, as of
// 2026-11). The distribution is needed for deb, apk and rpm: "debian-12",
// "ubuntu-22.04", "alpine-3.20.3", "opensuse-leap-15.6" (the distro qualifier of a package
// URL); for the other types it is ignored.
func Ecosystem(typ, distro string) string {
	switch strings.ToLower(typ) {
	case "npm":
		return "npm"
	case "pypi":
		return "PyPI"
	case "golang":
		return "Go"
	case "maven":
		return "Maven"
	case "gem":
		return "RubyGems"
	case "cargo":
		return "crates.io"
	case "nuget":
		return "NuGet"
	case "composer":
		return "Packagist"
	case "hex":
		return "Hex"
	case "pub":
		return "Pub"
	case "hackage":
		return "Hackage"
	case "cran":
		return "CRAN"
	case "conan":
		return "ConanCenter"
	case "swift":
		return "SwiftURL"
	case "bitnami":
		return "Bitnami"
	case "deb", "apk", "rpm":
		return distribution(distro)
	}
	return ""
}

// distribution maps the ID and VERSION_ID of /etc/os-release, joined by a dash,
// to OSV's "Name:release". What OSV does not have (Amazon Linux, Fedora, Oracle
// Linux, CentOS) stays without an ecosystem rather than with a wrong one. So
// does SUSE Linux Enterprise, of which OSV lists each product and module apart,
// and a package does not say which one it came from.
func distribution(distro string) string {
	name, version := cutDistro(strings.ToLower(distro))
	major, rest, _ := strings.Cut(version, ".")
	switch name { // those without releases
	case "wolfi":
		return "Wolfi"
	case "chainguard":
		return "Chainguard"
	case "minimos":
		return "MinimOS"
	case "opensuse-tumbleweed":
		return "openSUSE:Tumbleweed"
	}
	if version == "" {
		return ""
	}
	switch name {
	case "debian":
		return "Debian:" + major
	case "ubuntu":
		return ubuntu(version)
	case "alpine":
		minor, _, _ := strings.Cut(rest, ".")
		if minor == "" || strings.Contains(version, "_") { // 3.21.0_alpha is a snapshot of edge, which has no records
			return ""
		}
		return "Alpine:v" + major + "." + minor
	case "rocky":
		return "Rocky Linux:" + major
	case "almalinux":
		return "AlmaLinux:" + major
	case "rhel", "redhat":
		return "Red Hat:enterprise_linux:" + major
	case "opensuse-leap":
		return "openSUSE:Leap " + version
	case "photon":
		return "Photon OS:" + version
	case "mariner", "azurelinux":
		return "Azure Linux:" + major
	case "mageia":
		return "Mageia:" + major
	case "alpaquita":
		return "Alpaquita:" + version
	}
	return ""
}

// cutDistro cuts "opensuse-leap-15.6" before the release, which starts with a
// digit. Alpaquita's "stream" is the exception.
func cutDistro(s string) (name, version string) {
	if name, ok := strings.CutSuffix(s, "-stream"); ok && name == "alpaquita" {
		return name, "stream"
	}
	if i := strings.LastIndexByte(s, '-'); i > 0 && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// SourceRPM returns the name in the file name of a source package:
// "bash" of "bash-5.2.15-1.el9.src.rpm".
func SourceRPM(file string) string {
	s, ok := strings.CutSuffix(file, ".rpm")
	if !ok {
		return ""
	}
	for range 2 { // release with architecture, version
		i := strings.LastIndexByte(s, '-')
		if i <= 0 {
			return ""
		}
		s = s[:i]
	}
	return s
}

// ubuntu adds OSV's mark of a long-term release: April of an even year.
func ubuntu(version string) string {
	year, month, _ := strings.Cut(version, ".")
	month, _, _ = strings.Cut(month, ".")
	name := "Ubuntu:" + year + "." + month
	if month == "04" && len(year) == 2 && (year[1]-'0')%2 == 0 {
		return name + ":LTS"
	}
	return name
}
