package bundle

import (
	"io/fs"
	"strings"
	"testing"
	"unicode"
)

func TestCleanPath(t *testing.T) {
	tests := []struct {
		name, want string
		odd        NoticeKind
	}{
		{"index.js", "index.js", ""},
		{"a/b/c.js", "a/b/c.js", ""},
		{"./a", "a", ""},
		{"a//b/./c", "a/b/c", ""},
		{"a/", "a", ""},
		{".hidden/..x/...", ".hidden/..x/...", ""},
		{"100%/a%2Fb", "100%/a%2Fb", ""},
		{"日本語/😀.js", "日本語/😀.js", ""},
		{"C", "C", ""},
		{"c:", "c%3A", NoticeTraversal},
		{"C:/x", "C%3A/x", NoticeTraversal},
		{`C:\x`, "C%3A%5Cx", NoticeTraversal},
		{"/etc/passwd", "%2Fetc/passwd", NoticeTraversal},
		{"//host/share", "%2F%2Fhost/share", NoticeTraversal},
		{`\\host\share`, "%5C%5Chost%5Cshare", NoticeTraversal},
		{"..", "%2E%2E", NoticeTraversal},
		{"a/../b", "a/%2E%2E/b", NoticeTraversal},
		{`a\..\b`, `a%5C..%5Cb`, NoticeTraversal},
		{`..\b`, `..%5Cb`, NoticeTraversal},
		{`a\b`, "a%5Cb", NoticeName},
		{"", "%", NoticeName},
		{".", "%2E", NoticeName},
		{"a\x00b", "a%00b", NoticeName},
		{"a\x7f%\n", "a%7F%25%0A", NoticeName},
		{"\x9b", "%9B", NoticeName},
		{"\u009b", "%C2%9B", NoticeName},
		{"\u202etxt", "%E2%80%AEtxt", NoticeName},
		{"\ufeffa", "%EF%BB%BFa", NoticeName},
		{strings.Repeat("d/", 300) + "x", "", NoticeLimit},
		{strings.Repeat("d", 256), "", NoticeLimit},
		{strings.Repeat("long/", 1000) + "x", "", NoticeLimit},
	}
	for _, tt := range tests {
		got, odd := CleanPath(tt.name)
		if tt.odd == NoticeLimit {
			if odd != NoticeLimit || len(got) > 600 || !fs.ValidPath(got) {
				t.Errorf("CleanPath(%.20q…) = %q, %q", tt.name, got, odd)
			}
			continue
		}
		if got != tt.want || odd != tt.odd {
			t.Errorf("CleanPath(%q) = %q, %q, want %q, %q", tt.name, got, odd, tt.want, tt.odd)
		}
	}
}

func TestShortenKeepsBase(t *testing.T) {
	a, _ := CleanPath(strings.Repeat("d/", 8000) + "package.json")
	b, _ := CleanPath(strings.Repeat("d/", 8001) + "package.json")
	if !strings.HasPrefix(a, "d/d/d/d/%~") || !strings.HasSuffix(a, "/package.json") || a == b {
		t.Errorf("%q, %q", a, b)
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, s := range []string{"a", "../a", `C:\x\..`, "\xff\u202e/\x00", strings.Repeat("a/", 300), "%2F", "/%2F"} {
		f.Add(s, "/"+s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		p, odd := CleanPath(a)
		if !fs.ValidPath(p) || p == "." {
			t.Fatalf("CleanPath(%q) = %q: not a valid path", a, p)
		}
		for _, r := range p {
			if unicode.IsControl(r) || r == '\\' || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("CleanPath(%q) = %q: has %q", a, p, r)
			}
		}
		if len(p) > 4096 {
			t.Fatalf("CleanPath gives %d bytes", len(p))
		}
		if again, o := CleanPath(p); odd == "" && (again != p || o != "") {
			t.Fatalf("CleanPath(%q) = %q, and again %q, %q", a, p, again, o)
		}
		q, oddB := CleanPath(b)
		if odd != "" && oddB != "" && p == q && squeeze(a) != squeeze(b) {
			t.Fatalf("%q and %q both become %q", a, b, p)
		}
	})
}

// squeeze drops the elements that CleanPath drops.
func squeeze(s string) string {
	lead := len(s) - len(strings.TrimLeft(s, "/"))
	var keep []string
	for _, e := range strings.Split(s, "/") {
		if e != "" && e != "." {
			keep = append(keep, e)
		}
	}
	return strings.Repeat("/", lead) + strings.Join(keep, "/")
}
