package version

import "strings"

// Scheme returns the name under which osv-scalibr's semantic package knows the
// order of an ecosystem's versions, or "" when no order is known. The release
// after the first colon does not matter, except for the ecosystems that
// rebuild packages of another one and name that one in the suffix.
func Scheme(ecosystem string) string {
	base, suffix, _ := strings.Cut(ecosystem, ":")
	switch base {
	case "AlmaLinux", "Alpaquita", "Alpine", "BellSoft Hardened Containers", "Bioconductor", "Bitnami", "CRAN",
		"Chainguard", "ConanCenter", "Debian", "Docker Hardened Images", "GHC", "Go", "Hackage", "Hex", "Julia",
		"Mageia", "Maven", "MinimOS", "NuGet", "Packagist", "Pub", "PyPI", "Red Hat", "Rocky Linux", "RubyGems",
		"SUSE", "SwiftURL", "Ubuntu", "Wolfi", "crates.io", "npm", "openEuler", "openSUSE":
		return base
	}
	return gap(base, suffix)
}

// gap fills what semantic does not know. Each line says which tool orders the
// versions of that ecosystem, by the ecosystem's documentation.
func gap(base, suffix string) string {
	switch base {
	case "Azure Linux", "Photon OS":
		return "Red Hat" // rpm packages
	case "Echo":
		return "Debian" // rebuilds Debian's packages
	case "CleanStart":
		return "Alpine" // apk packages
	case "opam":
		return "Debian" // opam orders versions as Debian does (opam manual, "Version ordering")
	case "FreeBSD":
		return "" // pkg-version(8) has an order of its own
	case "GitHub Actions", "Kubernetes", "Linux", "VSCode", "Homebrew":
		return "npm" // SemVer, or dotted numbers that SemVer's order places the same way
	case "Root", "TuxCare":
		// "Root:Alpine:3.18", "TuxCare:PyPI": packages of another ecosystem, patched.
		if inner, _, _ := strings.Cut(suffix, ":"); inner != "Root" && inner != "TuxCare" {
			return Scheme(suffix)
		}
	}
	return ""
}

// junk says why a cleaned string cannot be a version of an installed package,
// or returns "". semantic parses nearly every string as some version; "latest"
// or a Git URL would then be compared as if it were 0.0.0.
func junk(scheme, s string) string {
	if s == "" {
		return "empty"
	}
	if len(s) > MaxLength {
		return "too long"
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f {
			return "white space or a control character"
		}
	}
	switch scheme {
	case "Maven":
		// Any string orders ("Finchley.SR2", "r09"), but a property or a range is not a version.
		if strings.ContainsAny(s, "${}[](),") {
			return "a property or a range"
		}
		return ""
	case "Red Hat", "AlmaLinux", "Rocky Linux", "SUSE", "openSUSE", "openEuler", "Mageia":
		return "" // rpm orders any string
	}
	if s[0] < '0' || s[0] > '9' {
		return "does not start with a digit"
	}
	return ""
}
