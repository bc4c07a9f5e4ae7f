package policy

import "testing"

// TestComponent holds that a package URL means the same package however its
// author spells it, and no other.
func TestComponent(t *testing.T) {
	for _, c := range []struct {
		named, purl string
		want        bool
	}{
		{"pkg:npm/lodash", "pkg:npm/lodash@4.17.15", true},
		{"pkg:npm/lodash@4.17.15", "pkg:npm/lodash@4.17.15", true},
		{"pkg:npm/lodash@4.17.1", "pkg:npm/lodash@4.17.15", false},
		{"pkg:npm/@acme/lib", "pkg:npm/%40acme/lib@1.0.0", true},
		{"pkg:npm/@acme/lib@1.0.0", "pkg:npm/%40acme/lib@1.0.0", true},
		{"pkg:npm/%40acme/lib", "pkg:npm/%40acme/lib@1.0.0", true},
		{"pkg:npm/@acme/lib", "pkg:npm/lib@1.0.0", false},
		{"pkg:npm/Lodash", "pkg:npm/lodash@4.17.15", false},
		{"PKG:npm/lodash", "pkg:npm/lodash@4.17.15", false},
		{"pkg:NPM/lodash", "pkg:npm/lodash@4.17.15", true},
		{"pkg:pypi/Typing_Extensions", "pkg:pypi/typing-extensions@4.0.0", true},
		{"pkg:maven/org.acme/lib@1.0", "pkg:maven/org.acme/lib@1.0", true},
		{"pkg:golang/go.acme.example/Lib", "pkg:golang/go.acme.example/Lib@v1.0.0", true},
		{"pkg:deb/debian/curl@7.88.1-10+deb12u5", "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?arch=amd64&distro=debian-12", true},
		{"pkg:deb/debian/curl", "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?arch=amd64&distro=debian-12", true},
		{"pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?arch=amd64&distro=debian-12", "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?arch=amd64&distro=debian-12", true},
		{"pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?arch=arm64", "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?arch=amd64", false},
		{"pkg:npm/", "pkg:npm/lodash@4.17.15", false},
		{"pkg:", "pkg:npm/lodash@4.17.15", false},
		{"pkg:npm/%zz", "pkg:npm/lodash@4.17.15", false},
	} {
		if got := matchesPackage(component(c.named), c.purl); got != c.want {
			t.Errorf("%s (%s) is about %s: %v, want %v", c.named, component(c.named), c.purl, got, c.want)
		}
		if again := component(component(c.named)); again != component(c.named) {
			t.Errorf("%s: spelled %s, and that %s", c.named, component(c.named), again)
		}
	}
}
