package sbom

import "strings"

// Ecosystem returns the OSV ecosystem name for a package URL type, "" when OSV
// has none (https://ossf.github.io/osv-schema/#affectedpackage-field, as of
// 2026-11). The distribution is needed for deb, apk and rpm: "debian-12",
// "ubuntu-22.04", "alpine-3.20", "rocky-9" (the distro qualifier of a package
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

// distribution maps "name-version" to OSV's "Name:version". OSV has no
// Amazon Linux and names Red Hat and SUSE releases by product, so those stay
// without an ecosystem rather than with a wrong one.
func distribution(distro string) string {
	name, version, _ := strings.Cut(strings.ToLower(distro), "-")
	major, _, _ := strings.Cut(version, ".")
	switch name {
	case "wolfi":
		return "Wolfi"
	case "chainguard":
		return "Chainguard"
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
		parts := strings.SplitN(version, ".", 3)
		if len(parts) < 2 {
			return ""
		}
		return "Alpine:v" + parts[0] + "." + parts[1]
	case "rocky":
		return "Rocky Linux:" + major
	case "almalinux":
		return "AlmaLinux:" + major
	}
	return ""
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
