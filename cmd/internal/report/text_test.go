package report

import (
	"strings"
	"testing"
)

func TestClip(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"lodash", 6, "lodash"}, {"lodash", 5, "loda…"}, {"日本語", 5, "日本…"}, {"日本語", 4, "日…"},
		{"cafe\u0301s", 5, "cafe\u0301s"}, {"cafe\u0301sx", 5, "cafe\u0301…"}, {`a\u{1b}b`, 4, "a…"}, {"", 1, ""},
	} {
		if got := clip(c.in, c.n); got != c.want {
			t.Errorf("clip(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestClipPath(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"a/b/c.js", 8, "a/b/c.js"}, {"aaaa/bbbb/c.js", 10, "…/c.js"}, {"aaaa/bbbb/c.js", 11, "…/bbbb/c.js"},
		{"…/…/aaaaaaaaaaaaaaaaaaaa", 8, "…/…/aaa…"}, {"/", 0, "…"}, {"///////////", 3, "…//"}, {"a/bbbbbbbbbbbbb", 5, "a/bb…"},
	} {
		if got := clipPath(c.in, c.n); got != c.want {
			t.Errorf("clipPath(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

// Whatever a name looks like, laying it out ends and stays within bounds.
func FuzzLayout(f *testing.F) {
	f.Add("…/<svg/onload=1> a/b", 10)
	f.Add(strings.Repeat("/…", 30), 3)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if n < 1 || n > 200 {
			return
		}
		s = Escape(s)
		if got := clipPath(s, n); columns(got) > n {
			t.Fatalf("clipPath(%q, %d) = %q", s, n, got)
		}
		if got := clip(s, n); columns(got) > n {
			t.Fatalf("clip(%q, %d) = %q", s, n, got)
		}
		if got := strings.Join(wrap(s, n), " "); got != strings.Join(strings.Fields(s), " ") {
			t.Fatalf("wrap(%q, %d) loses words: %q", s, n, got)
		}
	})
}
