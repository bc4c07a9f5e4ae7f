package cli

import (
	"strings"
	"testing"
)

func TestParsePackage(t *testing.T) {
	for in, want := range map[string][3]string{ // name as reported, name, version
		"npm:axios@1.9.0":                     {"npm:axios@1.9.0", "axios", "1.9.0"},
		"npm:axios":                           {"npm:axios", "axios", ""},
		"npm:axios@latest":                    {"npm:axios", "axios", ""},
		"npm:@scope/a@1.0.0-rc.1":             {"npm:@scope/a@1.0.0-rc.1", "@scope/a", "1.0.0-rc.1"},
		"npm:@scope/a":                        {"npm:@scope/a", "@scope/a", ""},
		"pypi:Typing_Extensions@4.1":          {"pypi:typing-extensions@4.1", "typing-extensions", "4.1"},
		"pypi:x@1!2.0+local":                  {"pypi:x@1!2.0+local", "x", "1!2.0+local"},
		"go:github.com/x/y@v1.2.3":            {"golang:github.com/x/y@v1.2.3", "github.com/x/y", "v1.2.3"},
		"golang:gopkg.in/yaml.v3":             {"golang:gopkg.in/yaml.v3", "gopkg.in/yaml.v3", ""},
		"maven:com.acme:lib@1.0":              {"maven:com.acme:lib@1.0", "com.acme:lib", "1.0"},
		"cargo:serde@1.0.219":                 {"cargo:serde@1.0.219", "serde", "1.0.219"},
		"nuget:Serilog":                       {"nuget:Serilog", "Serilog", ""},
		"gem:rack":                            {"gem:rack", "rack", ""},
		"pkg:npm/%40scope/a@1.0.0":            {"npm:@scope/a@1.0.0", "@scope/a", "1.0.0"},
		"pkg:maven/com.acme/lib@1.0":          {"maven:com.acme:lib@1.0", "com.acme:lib", "1.0"},
		"pkg:golang/github.com/x/y/v2@v2.0.0": {"golang:github.com/x/y/v2@v2.0.0", "github.com/x/y/v2", "v2.0.0"},
	} {
		got, err := parsePackage(in)
		if err != nil || got.Name != want[0] || got.Package.Name != want[1] || got.Version != want[2] {
			t.Errorf("parsePackage(%q) = %+v, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "axios", "npm:", "npm:@", "npm:@a", "npm:@a/", "npm:../x", "npm:a/../b", "npm:a/b", "npm:.hidden", "npm:a b", "npm:a\x1b[31m", "npm:a\nb", "npm:\u202ea", "npm:a\xff",
		"npm:a@", "npm:a@^1", "npm:a@>=1", "npm:a@*", "npm:a@../../x", "npm:a@1/2", "https://example.com/a", "file:///etc/passwd", "pypi:requests>=2", "pypi:-a", "pypi:a..b",
		"golang:github.com/../x", "golang:/etc/passwd", "maven:a", "maven:a:b:c", "foo:bar", "pkg:npm/a?x=y", "pkg:npm/a#b", "pkg:deb/debian/a", "pkg:npm/..", "pkg:npm/%2e%2e%2fa", "pkg:",
		"npm:" + strings.Repeat("a", 1<<20),
	} {
		got, err := parsePackage(in)
		if err == nil {
			t.Errorf("parsePackage(%.40q) = %+v, want an error", in, got)
		} else if len(err.Error()) > 300 {
			t.Errorf("parsePackage(%.40q): an error of %d bytes", in, len(err.Error()))
		}
	}
}
