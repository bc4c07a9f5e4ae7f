package trust

import (
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

func TestNamesMatch(t *testing.T) {
	tests := []struct {
		pattern string
		yes     []string
		no      []string
	}{
		{"@corp/*", []string{"npm:@corp/a", "npm:@Corp/A", "npm:@corp/"}, []string{"npm:@corp-x/a", "npm:@corp", "npm:corp", "pypi:corp", "golang:@corp/a"}},
		{"@corp/lib", []string{"npm:@corp/lib"}, []string{"npm:@corp/lib2", "npm:@corp/li"}},
		{"corp-*", []string{"npm:corp-a", "pypi:corp-a", "pypi:Corp_A", "pypi:corp.a", "cargo:corp_a", "nuget:Corp-A", "gem:corp-a"}, []string{"npm:corp", "npm:@x/corp-a", "npm:xcorp-a"}},
		{"corp_*", []string{"pypi:corp-a", "pypi:corp--a", "cargo:corp-a", "npm:corp_a"}, []string{"npm:corp-a", "gem:corp-a"}},
		{"*-internal", []string{"npm:a-internal", "npm:@x/a-internal", "gem:a-internal"}, []string{"npm:internal", "npm:a-internal2"}},
		{"a*b*c", []string{"npm:abc", "npm:axbxc", "npm:abbcc", "npm:abcbc"}, []string{"npm:ab", "npm:acb", "npm:abcx"}},
		{"pypi:corp", []string{"pypi:CORP"}, []string{"npm:corp", "pypi:corp2"}},
		{"go.corp.example/*", []string{"golang:go.corp.example/a", "golang:go.corp.example/a/b/v2"}, []string{"golang:go.corp.example", "golang:go.corp.example2/a", "golang:x/go.corp.example/a"}},
		{"go.corp.example/team/...", []string{"golang:go.corp.example/team", "golang:go.corp.example/team/a"}, []string{"golang:go.corp.example/teams"}},
		{"*.corp.example", []string{"golang:git.corp.example/a/b", "golang:git.corp.example"}, []string{"golang:evil/git.corp.example/a", "golang:corp.example/a"}},
		{"golang:github.com/corp", []string{"golang:github.com/corp/a", "golang:github.com/Corp/a"}, []string{"golang:github.com/corporate/a"}},
		{"go:github.com/*/internal", []string{"golang:github.com/a/internal/x"}, []string{"golang:github.com/a/b/internal"}},
		{"com.corp:*", []string{"maven:com.corp:a", "maven:COM.corp:a"}, []string{"maven:com.corp.x:a", "maven:com.corporate:a", "npm:com.corp"}},
		{"com.corp*:lib-*", []string{"maven:com.corp.x:lib-a"}, []string{"maven:com.corp.x:a"}},
		{"com.corp", []string{"maven:com.corp:a", "maven:com.corp.x.y:a", "npm:com.corp", "nuget:Com.Corp"}, []string{"maven:com.corporate:a", "maven:x.com.corp:a"}},
		{"maven:com.corp", []string{"maven:com.corp.x:a"}, []string{"npm:com.corp"}},
	}
	for _, test := range tests {
		n, err := ParseNames([]string{test.pattern})
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		for want, list := range map[bool][]string{true: test.yes, false: test.no} {
			for _, text := range list {
				typ, name, _ := strings.Cut(text, ":")
				if got := n.Match(registry.Package{System: registry.System(typ), Name: name}); got != want {
					t.Errorf("%s: match %s = %v", test.pattern, text, got)
				}
			}
		}
	}
	if (Names{}).Match(registry.Package{System: registry.NPM, Name: "a"}) {
		t.Error("no pattern matches something")
	}
}

func TestNamesRefused(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                          "would match every name",
		"*":                         "would match every name",
		"npm:*":                     "would match every name",
		"@*/*":                      "would match every name",
		"corp-?":                    "the only wildcard is *",
		"corp-[ab]":                 "the only wildcard is *",
		"a, b":                      "one name or pattern an entry",
		"https://npm.example/@corp": "is an address",
		"npn:corp-*":                "", // as a Maven group and artifact it is well-formed
		"maven:a:b:c":               "write group:artifact",
		"com.corp:a/b":              "write group:artifact",
		"pypi:a:b":                  "begins with no known type",
		"@corp":                     "has names below it",
		"@corp/a/b":                 "has names below it",
		"npm:a/b":                   "holds a slash",
		"pypi:a/b":                  "holds a slash",
		strings.Repeat("a", 501):    "longer than",
	} {
		_, err := ParseNames([]string{"ok", pattern})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", pattern, err, want)
		}
	}
}

// TestNamesLinear asks for names and patterns that make a matcher that tries
// again take exponential time: this one is done at once.
func TestNamesLinear(t *testing.T) {
	n, err := ParseNames([]string{strings.Repeat("a*", 200) + "b", "com.*.x", "*a.corp"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{strings.Repeat("a", 1<<20), strings.Repeat("a.", 1<<19), strings.Repeat("a/", 1<<19)} {
		for _, s := range everySystem {
			n.Match(registry.Package{System: s, Name: name})
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"@corp/*", "com.corp", "a*b*c", "go.corp.example/...", "pypi:A__b", "golang://", ":", "maven:*a"} {
		f.Add(s, "com.corp:a")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		n, err := ParseNames([]string{pattern})
		if err != nil {
			return
		}
		for _, s := range everySystem {
			n.Match(registry.Package{System: s, Name: name})
		}
	})
}
