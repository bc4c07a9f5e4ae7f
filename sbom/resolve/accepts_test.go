package resolve

import (
	"strings"
	"testing"
)

func TestAccepts(t *testing.T) {
	for _, c := range []struct {
		typ, rng, version string
		want              string
	}{
		{"npm", "^1.2.0", "1.2.6", "yes"},
		{"npm", "^1.2.0", "2.0.0", "no"},
		{"npm", "^0.0.8", "0.0.10", "no"},
		{"npm", "^0.2.1", "0.2.9", "yes"},
		{"npm", "~6.7.0", "6.7.3", "yes"},
		{"npm", "6.7.0", "6.7.3", "no"},
		{"npm", ">=1 <3 || ^5.1.0", "5.2.0", "yes"},
		{"npm", ">=1 <3 || ^5.1.0", "4.0.0", "no"},
		{"npm", "1.x", "1.9.0", "yes"},
		{"npm", "*", "9.0.0", "yes"},
		{"npm", "", "9.0.0", "yes"},
		{"npm", "1.0.0 - 2.0.0", "1.5.0", "yes"},
		{"npm", "^1.0.0", "1.1.0-beta.1", "no"},
		{"npm", "latest", "1.0.0", "unknown"},
		{"npm", "npm:other@^1", "1.0.0", "unknown"},
		{"npm", "git+ssh://x/y", "1.0.0", "unknown"},
		{"npm", "user/repo", "1.0.0", "unknown"},
		{"npm", "workspace:*", "1.0.0", "unknown"},
		{"npm", "^1.0.0", "none", "unknown"},
		{"pypi", ">=2.0", "3.1.6", "yes"},
		{"pypi", "(>=2.0,<3)", "3.1.6", "no"},
		{"pypi", "~=2.1", "2.9", "yes"},
		{"pypi", "==2.0.*", "2.0.7", "yes"},
		{"pypi", "", "2.0.7", "yes"},
		{"pypi", "==2.0", "2.0.1", "no"},
		{"pypi", "^2.0", "2.0.1", "unknown"},
		{"gem", "~> 2.0, >= 2.0.8", "2.2.6", "yes"},
		{"gem", "~> 2.0.8", "2.2.6", "no"},
		{"gem", ">= 0", "9", "yes"},
		{"cargo", "0.1.40", "0.1.45", "yes"},
		{"cargo", "0.1.40", "0.2.0", "no"},
		{"composer", "^1.7", "2.4.5", "no"},
		{"nuget", "[1.0.0, 2.0.0)", "2.1.0", "no"},
		{"nuget", "12.0.1", "13.0.1", "yes"},
		{"golang", "v1.0.0", "v1.2.0", "unknown"},
		{"maven", "1.0", "1.1", "unknown"},
		{"", "1.0", "1.1", "unknown"},
		{"npm", strings.Repeat("1 || ", 1000) + "1", "1.0.0", "unknown"},
		{"npm", "1\x00", "1.0.0", "unknown"},
		{"npm", ">=", "1.0.0", "unknown"},
	} {
		got := "unknown"
		if ok, known := Accepts(c.typ, c.rng, c.version); known {
			got = map[bool]string{true: "yes", false: "no"}[ok]
		}
		if got != c.want {
			t.Errorf("%s %q takes %s: %s, want %s", c.typ, c.rng, c.version, got, c.want)
		}
	}
}

func FuzzAccepts(f *testing.F) {
	f.Add("npm", "^1.2.0 || >=3 <4", "1.2.6")
	f.Add("pypi", "(>=2.0,<3)", "2.1")
	f.Add("gem", "~> 2.0, >= 2.0.8", "2.2.6")
	f.Add("nuget", "[1.0.0, 2.0.0)", "2.1.0")
	f.Add("composer", "^1.2 || 2.0 - 2.4, ~3.1@dev|4.*", "v2.1.0-RC1")
	f.Fuzz(func(t *testing.T, typ, rng, version string) {
		if ok, known := Accepts(typ, rng, version); ok && !known {
			t.Fatal("accepted, and not known")
		}
	})
}
