package version

import "testing"

func TestLineOf(t *testing.T) {
	for _, c := range []struct {
		ecosystem, version, line string
		pre                      bool
	}{
		{"npm", "4.17.1", "4", false}, {"npm", "v4.17.1", "4", false}, {"npm", "0.3.7", "0.3", false}, {"npm", "0", "0.0", false},
		{"npm", "5.0.0-beta.1", "5", true}, {"npm", "5.0.0+build-1", "5", false}, {"npm", "", "", false}, {"npm", "next", "", false}, {"npm", ".1", "", false},
		{"Go", "v1.2.3", "1", false}, {"Go", "v0.0.0-20200101000000-abcdefabcdef", "0", true}, {"Go", "v0.17.0", "0", false}, {"Go", "v2.0.0+incompatible", "2", false},
		{"PyPI", "2.0.0rc1", "2", true}, {"PyPI", "2.0.0.post1", "2", false}, {"PyPI", "1!2.0", "1!2", false}, {"PyPI", "2.0+cu118", "2", false},
		{"Maven", "2.17.1", "2", false}, {"Maven", "32.0.0-jre", "32", false}, {"Maven", "6.0.0-M1", "6", true}, {"Maven", "5.3.0.Final", "5", false},
		{"RubyGems", "7.0.0.rc1", "7", true}, {"RubyGems", "1.13.10", "1", false}, {"Packagist", "v6.0.0-RC1", "6", true}, {"Packagist", "1.0.0-p1", "1", false},
		{"crates.io", "0.2.0", "0.2", false}, {"NuGet", "13.0.1-beta1", "13", true}, {"npm", "00.03.1", "0.3", false},
		{"Debian:12", "1.2.3-4", "", false}, {"Alpine:v3.19", "3.1.4-r5", "", false}, {"nowhere", "1.0.0", "", false},
	} {
		l, ok := LineOf(c.ecosystem, "", c.version)
		if ok != (c.line != "") || l.Compatible != c.line || l.Prerelease != c.pre {
			t.Errorf("%s %q: %+v %v, want %q, pre-release %v", c.ecosystem, c.version, l, ok, c.line, c.pre)
		}
	}
}
