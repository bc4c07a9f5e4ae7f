package version

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// chain is one line of a golden file: versions that are each above the one
// before, or equal to it.
type chain struct {
	line     int
	versions []string
	rank     []int // equal versions share a rank
}

// readChains reads a golden file: "a < b = c" a line, "#" begins a comment.
func readChains(t *testing.T, path string) []chain {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []chain
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		c := chain{line: n}
		for i, rank := 0, 0; i < len(words); i++ {
			if i%2 == 0 {
				c.versions, c.rank = append(c.versions, words[i]), append(c.rank, rank)
				continue
			}
			switch words[i] {
			case "<":
				rank++
			case "=":
			default:
				t.Fatalf("%s:%d: %q is neither < nor =", path, n, words[i])
			}
		}
		if len(words) < 3 || len(words)%2 == 0 {
			t.Fatalf("%s:%d: no comparison", path, n)
		}
		out = append(out, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPublishedOrders holds each order against the vectors that its
// specification publishes. A file is named after the ecosystem.
func TestPublishedOrders(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d golden files", len(files))
	}
	for _, path := range files {
		ecosystem := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(ecosystem, func(t *testing.T) {
			for _, c := range readChains(t, path) {
				if err := c.holds(ecosystem); err != nil {
					t.Errorf("line %d: %v", c.line, err)
				}
			}
		})
	}
}

// holds compares every version of a chain with every other one, both ways.
func (c chain) holds(ecosystem string) error {
	parsed := make([]Version, len(c.versions))
	for i, s := range c.versions {
		v, err := Parse(ecosystem, "x", s)
		if err != nil {
			return err
		}
		parsed[i] = v
	}
	for i, a := range parsed {
		for j, b := range parsed {
			want := 0
			if c.rank[i] != c.rank[j] {
				want = 1 - 2*b2i(c.rank[i] < c.rank[j])
			}
			if got, err := a.Compare(b); err != nil || got != want {
				return fmt.Errorf("compare %s with %s: %d (%v), want %d", c.versions[i], c.versions[j], got, err, want)
			}
		}
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// FuzzOrder holds every order to what an order is: nothing panics, a version
// equals itself, and turning a comparison round turns its sign.
func FuzzOrder(f *testing.F) {
	for _, seed := range [][3]string{{"npm", "1.0.0-rc.1", "1.0.0"}, {"PyPI", "1!1.0.dev1+a", "1.0"}, {"Packagist", "1.0-b", "1.0.0.0-beta"}, {"Alpine", "1.0_cvs1-r0", "1.0"},
		{"Maven", "1-sp", "1.ga"}, {"Debian", "1:1.0~rc1-1", "1.0"}, {"Red Hat", "1.0^git1-1", "1"}, {"RubyGems", "1.2-java", "1.2.a"}, {"NuGet", "1.0-B", "1"}, {"Go", "v0.0.0-20200101000000-abcdefabcdef", "v0"}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, ecosystem, a, b string) {
		v, err := Parse(ecosystem, "x", a)
		if err != nil {
			return
		}
		if c, err := v.Compare(v); err == nil && c != 0 {
			t.Errorf("%s: %q compared with itself is %d", ecosystem, a, c)
		}
		w, err := Parse(ecosystem, "x", b)
		if err != nil {
			return
		}
		there, err1 := v.Compare(w)
		back, err2 := w.Compare(v)
		if err1 == nil && err2 == nil && there != -back {
			t.Errorf("%s: %q to %q is %d, back %d", ecosystem, a, b, there, back)
		}
	})
}
