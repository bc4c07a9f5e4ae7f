package sbom

import "testing"

func TestPURL(t *testing.T) {
	for _, tt := range []struct{ typ, name, version, want string }{
		{"npm", "lodash", "4.17.21", "pkg:npm/lodash@4.17.21"},
		{"npm", "@scope/name", "1.0.0-rc.1+b", "pkg:npm/%40scope/name@1.0.0-rc.1%2Bb"},
		{"npm", "../../x", "../y", "pkg:npm/..%2F..%2Fx@..%2Fy"},
		{"npm", "unversioned", "", "pkg:npm/unversioned"},
		{"npm", "日本", "1", "pkg:npm/%E6%97%A5%E6%9C%AC@1"},
		{"pypi", "Zope.Interface_x", "5.0", "pkg:pypi/zope-interface-x@5.0"},
		{"pypi", "a--b", "1!2.0", "pkg:pypi/a-b@1%212.0"},
		{"golang", "github.com/A/b/v2", "v2.0.0+incompatible", "pkg:golang/github.com/A/b/v2@v2.0.0%2Bincompatible"},
		{"golang", "stdlib", "1.26.8", "pkg:golang/stdlib@1.26.8"},
		{"maven", "org.example:lib", "1.0", "pkg:maven/org.example/lib@1.0"},
		{"maven", "org.example/lib", "1.0", "pkg:maven/org.example/lib@1.0"},
		{"composer", "Monolog/Monolog", "2.0", "pkg:composer/monolog/monolog@2.0"},
		{"gem", "rack", "2.2", "pkg:gem/rack@2.2"},
		{"nuget", "Newtonsoft.Json", "13.0.1", "pkg:nuget/Newtonsoft.Json@13.0.1"},
		{"cargo", "serde", "1.0", "pkg:cargo/serde@1.0"},
		{"generic", "openssl", "3.0.19", "pkg:generic/openssl@3.0.19"},
		{"deb", "debian/libC6", "2:1.0~rc1", "pkg:deb/debian/libc6@2:1.0~rc1"},
		{"npm", "", "1", ""},
		{"", "x", "1", ""},
	} {
		if got := PURL(tt.typ, tt.name, tt.version); got != tt.want {
			t.Errorf("PURL(%q, %q, %q) = %q, want %q", tt.typ, tt.name, tt.version, got, tt.want)
		}
	}
}

func TestEcosystem(t *testing.T) {
	for _, tt := range []struct{ typ, distro, want string }{
		{"npm", "", "npm"}, {"pypi", "", "PyPI"}, {"golang", "", "Go"}, {"maven", "", "Maven"}, {"gem", "", "RubyGems"},
		{"cargo", "", "crates.io"}, {"nuget", "", "NuGet"}, {"composer", "", "Packagist"}, {"generic", "", ""}, {"npm", "debian-12", "npm"},
		{"deb", "debian-12", "Debian:12"}, {"deb", "debian-12.5", "Debian:12"}, {"deb", "ubuntu-22.04", "Ubuntu:22.04:LTS"}, {"deb", "ubuntu-23.10", "Ubuntu:23.10"}, {"deb", "ubuntu-21.04", "Ubuntu:21.04"},
		{"apk", "alpine-3.20.1", "Alpine:v3.20"}, {"apk", "alpine-3", ""}, {"apk", "wolfi", "Wolfi"}, {"apk", "chainguard", "Chainguard"},
		{"rpm", "rocky-9.4", "Rocky Linux:9"}, {"rpm", "almalinux-8", "AlmaLinux:8"}, {"rpm", "amzn-2023", ""}, {"deb", "", ""}, {"deb", "debian", ""},
	} {
		if got := Ecosystem(tt.typ, tt.distro); got != tt.want {
			t.Errorf("Ecosystem(%q, %q) = %q, want %q", tt.typ, tt.distro, got, tt.want)
		}
	}
}
