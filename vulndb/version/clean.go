package version

import "strings"

// Clean returns the spelling under which a version of an installed package is
// compared: without blanks, without the "=" and "v" that npm and Composer
// allow, and for Go's own toolchain as SemVer.
func Clean(ecosystem, name, s string) string {
	s = strings.TrimSpace(s)
	base, _, _ := strings.Cut(ecosystem, ":")
	switch base {
	case "npm", "Hex", "Pub", "SwiftURL", "VSCode", "GitHub Actions", "Packagist", "NuGet", "crates.io":
		s = strings.TrimLeft(s, "= ")
		s = trimV(s)
	case "RubyGems":
		s = withoutPlatform(trimV(s))
	case "PyPI", "Julia", "ConanCenter", "Bitnami", "Kubernetes":
		s = trimV(s) // PEP 440 allows a leading v
	case "Go":
		if name == "stdlib" || name == "toolchain" {
			return goRelease(s)
		}
		s = trimV(s)
	}
	return s
}

// trimV removes one leading "v" or "V" that stands before a digit.
func trimV(s string) string {
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') && s[1] >= '0' && s[1] <= '9' {
		return s[1:]
	}
	return s
}

// withoutPlatform takes the platform off a gem's version ("1.13.0-x86_64-linux",
// "9.2.9.0-java"), which lockfiles and file names put there and which has no
// part in the order (guides.rubygems.org/gems-with-extensions). The order would
// read it as a pre-release.
func withoutPlatform(s string) string {
	version, platform, ok := strings.Cut(s, "-")
	if !ok {
		return s
	}
	cpu, _, _ := strings.Cut(platform, "-")
	switch cpu {
	case "java", "jruby", "ruby", "x86", "x64", "i386", "i486", "i586", "i686", "x86_64", "amd64", "aarch64", "arm64", "arm", "armv6", "armv7",
		"universal", "powerpc", "powerpc64le", "ppc64le", "s390x", "riscv64", "mswin32", "mswin64", "mingw32":
		return version
	}
	return s
}

// Public returns a PyPI version without its local part ("2.0.1" for
// "2.0.1+cu118") and true if there was one. PEP 440 says that a specifier
// without a local part ignores the candidate's ("<=2.0.1" holds for
// 2.0.1+cu118), while the order places the local version above.
func Public(ecosystem, s string) (string, bool) {
	base, _, _ := strings.Cut(ecosystem, ":")
	if base != "PyPI" {
		return s, false
	}
	public, _, found := strings.Cut(s, "+")
	return public, found && public != ""
}

// goRelease turns a version of the Go distribution ("go1.21.5", "go1.22rc1",
// "go1.20.3 X:boringcrypto", "go1.20.3-google", "1.21") into SemVer, as the Go
// vulnerability database writes it ("1.22.0-rc.1"). What is SemVer already, or
// looks like neither, is returned as it was.
func goRelease(s string) string {
	rest, spelled := strings.CutPrefix(s, "go")
	rest = trimV(rest)
	rest, _, _ = strings.Cut(rest, " ") // experiments that were on
	if spelled {
		rest, _, _ = strings.Cut(rest, "-") // a vendor's suffix
	}
	n := 0
	for n < len(rest) && (rest[n] == '.' || rest[n] >= '0' && rest[n] <= '9') {
		n++
	}
	release, pre := rest[:n], rest[n:]
	if release == "" {
		return s
	}
	if strings.HasPrefix(pre, "-") || strings.HasPrefix(pre, "+") {
		return rest
	}
	for strings.Count(release, ".") < 2 {
		release += ".0"
	}
	for _, word := range []string{"rc", "beta", "alpha"} {
		if k, ok := strings.CutPrefix(pre, word); ok {
			return release + "-" + word + "." + k
		}
	}
	return release + pre
}
