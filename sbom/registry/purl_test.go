package registry

import "testing"

func TestParsePURL(t *testing.T) {
	for purl, want := range map[string]string{
		"pkg:npm/%40acme/lamp@1.0.0":              "npm:@acme/lamp 1.0.0",
		"pkg:npm/lamp":                            "npm:lamp ",
		"pkg:npm/lamp@1.0.0?vcs_url=x@y#a/b":      "npm:lamp 1.0.0",
		"pkg:golang/acme.test/Lamp/v2@v2.0.0%2Bx": "golang:acme.test/Lamp/v2 v2.0.0+x",
		"pkg:golang/stdlib@1.26.8":                "",
		"pkg:npm/stdlib@1.0.0":                    "npm:stdlib 1.0.0",
		"pkg:maven/org.acme/lamp@1":               "maven:org.acme:lamp 1",
		"pkg:maven/lamp@1":                        "",
		"pkg:pypi/lamp@1":                         "pypi:lamp 1",
		"pkg:deb/debian/lamp@1":                   "",
		"pkg:npm/":                                "",
		"pkg:npm/%zz":                             "",
		"npm/lamp":                                "",
		"":                                        "",
	} {
		p, version, ok := ParsePURL(purl)
		if got := p.String() + " " + version; ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v, want %q", purl, got, ok, want)
		}
	}
}
