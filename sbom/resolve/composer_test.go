package resolve

import (
	"strings"
	"testing"
)

// TestAcceptsComposer: what composer/semver 3 says of the same, asked on 2026-11-28.
func TestAcceptsComposer(t *testing.T) {
	for _, c := range []struct{ rng, version, want string }{
		{"^1.2.3", "1.9.0", "yes"}, {"^1.2.3", "1.2.2", "no"}, {"^1.2.3", "2.0.0", "no"}, {"^1.2.3", "v1.2.3", "yes"},
		{"^0.3", "0.3.9", "yes"}, {"^0.3", "0.4.0", "no"}, {"^0.0.3", "0.0.3", "yes"}, {"^0.0.3", "0.0.4", "no"}, {"^0", "0.9", "yes"}, {"^0.0", "0.1.0", "no"}, {"^v1.2", "1.3", "yes"},
		{"~1.2", "1.9", "yes"}, {"~1.2", "2.0", "no"}, {"~1.2.3", "1.2.9", "yes"}, {"~1.2.3", "1.3.0", "no"}, {"~1", "1.9", "yes"}, {"~1", "2.0", "no"}, {"~1.2.3.4", "1.2.3.9", "yes"}, {"~1.2.3.4", "1.2.4", "no"},
		{">=1.0 <2.0", "1.5", "yes"}, {">=1.0,<2.0", "2.0", "no"}, {">= 1.0, < 2.0", "1.0", "yes"}, {">1.0", "1.0", "no"}, {"<=1.0", "1.0.0.0", "yes"}, {"!=1.5", "1.5.0", "no"}, {"<>1.5", "1.6", "yes"}, {"==1.5", "1.5", "yes"}, {"=1.5", "1.5.1", "no"},
		{"1.5", "1.5.0", "yes"}, {"1.5", "1.5.1", "no"}, {"1.0.*", "1.0.9", "yes"}, {"1.0.*", "1.1.0", "no"}, {"1.x", "1.9", "yes"}, {"2.X.x", "2.1", "yes"}, {"0.*", "1.0", "no"}, {"*", "9.9", "yes"},
		{"1.0 - 2.0", "2.0.9", "yes"}, {"1.0 - 2.0", "2.1.0", "no"}, {"1.0.0 - 2.1.0", "2.1.0", "yes"}, {"1.0.0 - 2.1.0", "2.1.1", "no"},
		{"^5.4|^6.0", "6.1.0", "yes"}, {"^5.4 || ^6.0", "7.0", "no"}, {"^1.0@dev", "1.1", "yes"},
		{">=1.0", "1.0.0-beta1", "yes"}, {"^2.0", "2.0.0-RC1", "yes"}, {"<2.0", "2.0.0-RC1", "no"}, {">1.0", "1.0.0-p1", "yes"}, {"1.0.0-beta1", "1.0.0-beta.1", "yes"},
		{"dev-main", "1.0", "unknown"}, {"1.x-dev", "1.0", "unknown"}, {"2.0-dev", "2.0", "unknown"}, {"1.0 as 2.0", "1.0", "unknown"}, {"self.version", "1.0", "unknown"}, {"^1.0 || dev-main", "1.0", "unknown"},
		{"", "1.0", "unknown"}, {"^", "1.0", "unknown"}, {">= ", "1.0", "unknown"}, {"||", "1.0", "unknown"}, {"1.2.3.4.*", "1.2.3.4", "unknown"}, {">=1.*", "1.0", "unknown"},
		{"^99999999999999999999", "1.0", "unknown"}, {"^1.0", "dev-main", "unknown"}, {strings.Repeat("1.0 ", 120), "1.0", "unknown"},
	} {
		got := "unknown"
		if ok, known := Accepts("composer", c.rng, c.version); known {
			got = map[bool]string{true: "yes", false: "no"}[ok]
		}
		if got != c.want {
			t.Errorf("%q takes %q: %s, want %s", c.rng, c.version, got, c.want)
		}
	}
}
