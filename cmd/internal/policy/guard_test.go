package policy

import (
	"fmt"
	"strings"
	"testing"
)

// TestGuard holds that what makes the reader of YAML slow, or a small file
// large, is refused before it is read, and that what only looks so is not.
func TestGuard(t *testing.T) {
	const n = 100_000
	for name, text := range map[string]string{
		"levels of lists":              "fail: " + strings.Repeat("[", n),
		"levels of":                    "fail: " + strings.Repeat("{a: ", n),
		"levels of lists and":          "fail:\n  " + strings.Repeat("- ", n),
		"more than 32 levels":          "fail:\n  " + strings.Repeat("? ", n),
		"more than 32":                 "fail: " + strings.Repeat(`["]",`, n),
		"names for parts":              "require: &a [open]\nfunctions:\n  - {match: {name: x}, require: *a}\n",
		"[3:3] names for parts":        "functions:\n- <<: {}\n",
		"tags (!name)":                 "fail: !!str x\n",
		"directives":                   "%YAML 1.2\n---\nfail: {}\n",
		"[2:1] control character 0x00": "extends: \"a\x00b\"\n",
		"0x1b":                         "# \x1b[2J\n",
		"[3:1] the text is not valid":  "\n# \xff\n",
		"50,000 words and marks":       "waivers:\n" + strings.Repeat("  -\n", n),
		"more than 50,000":             "waivers: [" + strings.Repeat("a,", n) + "]\n",
		"[1001:1] more than 1,000":     manyKeys(n),
		"[1003:3] more than 1,000":     "fail:\n  " + strings.TrimSuffix(strings.ReplaceAll(manyKeys(10*maxKeys), "\n", "\n  "), "  "),
	} {
		_, err := Parse([]byte("version: 1\n"+text), "p.yaml")
		if err == nil || !strings.Contains(err.Error(), name) || len(err.Error()) > 300 {
			t.Errorf("%.40q: %.300v, want %q", text, err, name)
		}
	}
	for _, text := range []string{
		"waivers:\n" + strings.Repeat("- id: CVE-1\n  owner: o\n  expires: 2027-01-01\n  reason: none\n", 1500),
		"\"waivers\": [\n" + strings.Repeat("  {\n    \"id\": \"CVE-1\", \"owner\": \"o\",\n    \"expires\": \"2027-01-01\",\n    \"reason\": \"none\"\n  },\n", 1500) + "]\n",
		"trust_roots:\n" + strings.Repeat("\n", 10) + manyRoots(500),
		"waivers:\n  - {id: CVE-1, owner: o, expires: 2027-01-01, reason: \"" + strings.Repeat("[", 99) + " & *x <<: !y %z\"}\n",
		"# & * << ! %" + strings.Repeat("[", 99) + "\n",
		"waivers:\n" + strings.Repeat("  - {id: CVE-1, component: pkg:npm/a, owner: o, expires: 2027-01-01, reason: none}\n", 2000),
		"functions:\n  - match: {name: '*-prod'}\n    fail: {severity: high}\n",
	} {
		if _, err := Parse([]byte("version: 1\n"+text), "p.yaml"); err != nil {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// manyKeys is n keys that no policy has.
func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	return b.String()
}

// manyRoots is the body of a trust_roots section with n roots.
func manyRoots(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  r%d:\n    embedded: github\n", i)
	}
	return b.String()
}
