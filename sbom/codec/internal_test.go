package codec

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLicenseExpression(t *testing.T) {
	for in, want := range map[string]string{
		"MIT": "MIT", "mit": "MIT", "MIT or apache-2.0": "MIT OR Apache-2.0", "(MIT OR (ISC AND 0BSD))": "(MIT OR (ISC AND 0BSD))",
		"GPL-2.0+": "GPL-2.0+", "Apache-2.0+": "Apache-2.0+", "GPL-2.0-only WITH Classpath-exception-2.0": "GPL-2.0-only WITH Classpath-exception-2.0",
		"MIT AND GPL-2.0-only with classpath-exception-2.0": "MIT AND GPL-2.0-only WITH Classpath-exception-2.0",
	} {
		if got, ok := licenseExpression(in); !ok || got != want {
			t.Errorf("licenseExpression(%q) = %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{
		"", "()", "MIT MIT", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT/X11", "BSD", "LicenseRef-x", "DocumentRef-a:LicenseRef-b", "MIT WITH", "MIT WITH MIT",
		"(MIT) WITH Classpath-exception-2.0", "MIT WITH Classpath-exception-2.0 WITH Classpath-exception-2.0", "SEE LICENSE IN x", "MIT (ISC)", strings.Repeat("(", 2000) + "MIT",
	} {
		if got, ok := licenseExpression(in); ok {
			t.Errorf("licenseExpression(%q) = %q, want none", in, got)
		}
	}
}

func TestParsePURL(t *testing.T) {
	for in, want := range map[string][3]string{
		"pkg:npm/lodash@4.17.15":                  {"npm", "lodash", "4.17.15"},
		"pkg:npm/%40scope/name@1.0.0-beta%2B1":    {"npm", "@scope/name", "1.0.0-beta+1"},
		"pkg:npm/@scope/name":                     {"npm", "@scope/name", ""},
		"pkg:npm/@scope/name@1":                   {"npm", "@scope/name", "1"},
		"PKG:Maven/org.a/b@1?type=jar#x":          {"maven", "org.a:b", "1"},
		"pkg://golang/github.com/a/b@v1.0.0":      {"golang", "github.com/a/b", "v1.0.0"},
		"pkg:deb/debian/tar@1.34+dfsg?arch=amd64": {"deb", "debian/tar", "1.34+dfsg"},
		"pkg:oci/app@sha256%3Aabc":                {"oci", "app", "sha256:abc"},
	} {
		p, ok := parsePURL(in)
		if got := [3]string{p.typ, p.name, p.version}; !ok || got != want {
			t.Errorf("parsePURL(%q) = %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "pkg:", "pkg:npm", "pkg:npm/", "npm/lodash", "pkg:/npm", "pkg:n%20m/x", "pkg:npm/%zz", "pkg:npm/a@%zz", "pkg:1npm/x", "pkg:npm/?a=b"} {
		if p, ok := parsePURL(in); ok {
			t.Errorf("parsePURL(%q) = %+v", in, p)
		}
	}
}

// laidOut is compact JSON as layout writes it, from writes of n bytes.
func laidOut(t *testing.T, text string, indent bool, n int) string {
	t.Helper()
	var b strings.Builder
	l := &layout{w: &b, indent: indent}
	text += "\n"
	for len(text) > 0 {
		n := min(n, len(text))
		if _, err := l.Write([]byte(text[:n])); err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
	out, whole := strings.CutSuffix(b.String(), "\n")
	if !whole {
		t.Errorf("%q has no newline at its end", out)
	}
	return out
}

func TestLayoutEscapes(t *testing.T) {
	for in, want := range map[string]string{
		`"a"`: `"a"`, "\"caf\u00e9 日本\"": "\"caf\u00e9 日本\"", "\"\u009b\u202e\x7f\"": `"\u009b\u202e\u007f"`, "\"\U000e0041\"": `"\udb40\udc41"`,
		`"##vso[x] ##[y] ## z ###"`: `"#\u0023vso[x] #\u0023[y] ## z ###"`,
	} {
		if got := laidOut(t, in, false, 1<<20); got != want {
			t.Errorf("layout(%q) = %q, want %q", in, got, want)
		}
	}
}

// layout indents exactly as encoding/json does.
func TestLayoutIndents(t *testing.T) {
	value := map[string]any{"a": []any{}, "b": map[string]any{}, "c": []any{1, "x\\\"{[,:", nil, true, 1.5e-9, []any{map[string]any{"d": "e"}}}, "": "#"}
	deep := any("bottom")
	for range 60 {
		deep = []any{deep}
	}
	for _, v := range []any{value, deep, "s", 1, nil, []any{}} {
		compact, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 7, 1 << 20} {
			if got := laidOut(t, string(compact), true, n); got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if got := laidOut(t, string(compact), false, n); got != string(compact) {
				t.Errorf("got\n%s\nwant\n%s", got, compact)
			}
		}
	}
}

// What is larger than a piece comes out whole, and an error of the writer is returned.
func TestLayoutPieces(t *testing.T) {
	list := make([]string, 20_000)
	for i := range list {
		list[i] = strings.Repeat("ab", i%20)
	}
	want, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := WriteJSON(&b, list); err != nil || b.String() != string(want)+"\n" {
		t.Errorf("%v, %d bytes, want %d", err, b.Len(), len(want)+1)
	}
	if err := WriteJSON(full{}, list); !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
}

var errFull = errors.New("full")

// full is a writer that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func FuzzWriteJSON(f *testing.F) {
	f.Add("\x1b\u009b<script>\u202e##vso[")
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		if err := WriteJSON(&b, s); err != nil {
			t.Fatal(err)
		}
		for _, r := range strings.TrimSuffix(b.String(), "\n") {
			if Unsafe(r) || r == '<' {
				t.Fatalf("%U in %q", r, b.String())
			}
		}
		if !utf8.ValidString(b.String()) {
			t.Fatalf("%q is not UTF-8", b.String())
		}
	})
}

func TestUUID5(t *testing.T) {
	// As python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, "https://example.com/"))' prints it.
	if got, want := uuid5("https://example.com/"), "dd2c1780-811a-5296-81c5-178a0ef488bc"; got != want {
		t.Errorf("uuid5 = %s, want %s", got, want)
	}
}

func BenchmarkDecode(b *testing.B) {
	var text strings.Builder
	text.WriteString(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[`)
	for i := range 400 {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(`{"type":"library","name":"package-` + itoa(i) + `","version":"1.2.3","purl":"pkg:npm/package-` + itoa(i) + `@1.2.3","licenses":[{"license":{"id":"MIT"}}],"properties":[{"name":"a","value":"b"}]}`)
	}
	text.WriteString(`]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(strings.NewReader(text.String()), 0); err != nil {
			b.Fatal(err)
		}
	}
}
