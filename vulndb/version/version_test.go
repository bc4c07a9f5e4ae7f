package version

import (
	"errors"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ ecosystem, name, in, want string }{
		{"npm", "x", "v1.2.3", "1.2.3"},
		{"npm", "x", "= 1.2.3", "1.2.3"},
		{"npm", "x", "=v1.2.3", "1.2.3"},
		{"npm", "x", " 1.2.3\n", "1.2.3"},
		{"npm", "x", "v", "v"},
		{"Packagist", "x", "V2.0", "2.0"},
		{"PyPI", "x", "v2.0", "2.0"},
		{"Maven", "x", "v1", "v1"}, // a qualifier there
		{"Debian:12", "x", "1:2.3-4", "1:2.3-4"},
		{"Go", "golang.org/x/net", "v0.7.0", "0.7.0"},
		{"Go", "stdlib", "go1.21.5", "1.21.5"},
		{"Go", "stdlib", "go1.21", "1.21.0"},
		{"Go", "stdlib", "1.21", "1.21.0"},
		{"Go", "stdlib", "v1.21.5", "1.21.5"},
		{"Go", "stdlib", "go1.22rc1", "1.22.0-rc.1"},
		{"Go", "toolchain", "go1.18beta2", "1.18.0-beta.2"},
		{"Go", "stdlib", "1.22.0-rc.1", "1.22.0-rc.1"},
		{"Go", "stdlib", "1.20.0-0", "1.20.0-0"},
		{"Go", "stdlib", "go1.20.3 X:boringcrypto", "1.20.3"},
		{"Go", "stdlib", "go1.20.3-google", "1.20.3"},
		{"Go", "stdlib", "devel", "devel"},
	} {
		if got := Clean(tt.ecosystem, tt.name, tt.in); got != tt.want {
			t.Errorf("Clean(%s, %s, %q) = %q, want %q", tt.ecosystem, tt.name, tt.in, got, tt.want)
		}
	}
}

// TestCompare has one line per trait that tells the orders apart.
func TestCompare(t *testing.T) {
	for _, tt := range []struct{ ecosystem, low, high string }{
		{"npm", "1.0.0-rc.1", "1.0.0"},
		{"npm", "1.0.0-alpha.9", "1.0.0-alpha.10"},
		{"npm", "1.9.0", "1.10.0"},
		{"PyPI", "1.0.dev1", "1.0a1"},
		{"PyPI", "1.0", "1.0.post1"},
		{"PyPI", "2.0.1", "2.0.1+cu118"},
		{"PyPI", "2024.1", "1!0.1"},
		{"Go", "0.0.0-20200101000000-abcdefabcdef", "0.0.0-20210101000000-abcdefabcdef"},
		{"Go", "0.0.0-20200101000000-abcdefabcdef", "0.1.0"},
		{"RubyGems", "1.0.0.pre", "1.0.0"},
		{"RubyGems", "1.0.0.rc1", "1.0.0.rc2"},
		{"Maven", "1.0-SNAPSHOT", "1.0"},
		{"Maven", "1.0-alpha-1", "1.0-beta-1"},
		{"Maven", "1.0", "1.0-sp"},
		{"Maven", "Finchley.SR1", "Finchley.SR2"},
		{"crates.io", "0.1.0-alpha", "0.1.0"},
		{"NuGet", "1.0.0.1", "1.0.0.2"},
		{"NuGet", "1.0.0-Preview", "1.0.0"},
		{"Packagist", "1.0.0-RC1", "1.0.0"},
		{"Packagist", "1.0.0", "1.0.0-p1"},
		{"Debian:12", "1.0~rc1-1", "1.0-1"},
		{"Ubuntu:22.04:LTS", "1.0-1", "1:0.1-1"},
		{"Alpine:v3.20", "1.1.1_alpha-r0", "1.1.1-r0"},
		{"Alpine:v3.20", "1.1.1c-r0", "1.1.1c-r1"},
		{"Wolfi", "1.2.3-r0", "1.2.3-r1"},
		{"Red Hat:enterprise_linux:9::baseos", "1.0-1.el9", "1.0-1.el9_2"},
		{"openSUSE:Leap 15.6", "1.0~rc1", "1.0"},
		{"GitHub Actions", "3", "4.1.2"},
		{"Azure Linux:3", "1.0-1.azl3", "1.0-2.azl3"},
		{"Echo", "1.0~rc1-1", "1.0-1"},
		{"Root:Alpine:3.18", "1.1.1c-r0", "1.1.1c-r1"},
		{"TuxCare:PyPI", "1.0.dev1", "1.0a1"},
	} {
		low, err := Parse(tt.ecosystem, "x", tt.low)
		if err != nil {
			t.Error(err)
			continue
		}
		high, err := Parse(tt.ecosystem, "x", tt.high)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, c := range []struct {
			a, b Version
			want int
		}{{low, high, -1}, {high, low, 1}, {low, low, 0}} {
			if got, err := c.a.Compare(c.b); err != nil || got != c.want {
				t.Errorf("%s: Compare(%s, %s) = %d, %v, want %d", tt.ecosystem, c.a, c.b, got, err, c.want)
			}
		}
	}
}

func TestJunk(t *testing.T) {
	for _, tt := range []struct {
		ecosystem, version string
		want               error
	}{
		{"npm", "latest", ErrInvalid},
		{"npm", "git+ssh://git@host.example/x.git#abc", ErrInvalid},
		{"npm", "", ErrInvalid},
		{"npm", "1.0.0 || 2.0.0", ErrInvalid},
		{"npm", strings.Repeat("1", MaxLength+1), ErrInvalid},
		{"PyPI", "unknown", ErrInvalid},
		{"PyPI", "2004d", nil}, // a release of pytz
		{"Go", "(devel)", ErrInvalid},
		{"Maven", "${revision}", ErrInvalid},
		{"Maven", "[1.0,2.0)", ErrInvalid},
		{"Maven", "r09", nil},
		{"Packagist", "dev-master", ErrInvalid},
		{"Debian:12", "a:1-1", ErrInvalid},
		{"Hackage", "1.0-beta", ErrInvalid},
		{"FreeBSD", "1.0", ErrUnordered},
		{"Amazon Linux:2023", "1.0", ErrUnordered},
		{"Root:Root:Root", "1.0", ErrUnordered},
	} {
		_, err := Parse(tt.ecosystem, "x", tt.version)
		if !errors.Is(err, tt.want) {
			t.Errorf("Parse(%s, %q): %v, want %v", tt.ecosystem, tt.version, err, tt.want)
		}
	}
}

func TestCompareAcrossOrders(t *testing.T) {
	a, err := Parse("npm", "x", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse("PyPI", "x", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []Version{b, {}} {
		if _, err := a.Compare(w); !errors.Is(err, ErrInvalid) {
			t.Errorf("Compare(%v): %v, want an error", w, err)
		}
	}
}

// FuzzParse looks for versions that hang, panic, or have an order that
// contradicts itself.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.2.3", "v1.0.0-rc.1+build", "1!2.0.post1.dev3+local.1", "1:2.3~rc1-4ubuntu5", "1.1.1c_alpha1-r0", "Finchley.SR2", "go1.22rc1", "2004d", "0"} {
		f.Add("npm", s, "1.0.0")
		f.Add("Maven", s, "1.0.0")
	}
	f.Add("PyPI", "1.0-", "-1")
	f.Add("Debian:12", "é", "1")
	f.Fuzz(func(t *testing.T, ecosystem, a, b string) {
		v, err := Parse(ecosystem, "stdlib", a)
		if err != nil {
			return
		}
		w, err := ParseEvent(ecosystem, b)
		if err != nil {
			return
		}
		if c, err := v.Compare(v); err != nil || c != 0 {
			if errors.Is(err, ErrInvalid) {
				return
			}
			t.Fatalf("%s: %q is not equal to itself: %d, %v", ecosystem, a, c, err)
		}
		if c, err := v.Compare(w); err == nil && (c < -1 || c > 1) {
			t.Fatalf("%s: Compare(%q, %q) = %d", ecosystem, a, b, c)
		}
	})
}

func BenchmarkParseCompare(b *testing.B) {
	for _, ecosystem := range []string{"npm", "PyPI", "Go", "Maven", "RubyGems", "Debian:12"} {
		b.Run(ecosystem, func(b *testing.B) {
			for b.Loop() {
				v, err := Parse(ecosystem, "x", "1.2.3")
				if err != nil {
					b.Fatal(err)
				}
				w, err := ParseEvent(ecosystem, "1.2.10")
				if err != nil {
					b.Fatal(err)
				}
				if c, err := v.Compare(w); err != nil || c >= 0 {
					b.Fatal(c, err)
				}
			}
		})
	}
}
