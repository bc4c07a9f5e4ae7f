package integrity

import (
	"archive/zip"
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
)

// nupkgOf packs files, each "name=content", in that order.
func nupkgOf(tb testing.TB, files ...string) string {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		name, content, _ := strings.Cut(f, "=")
		e, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := e.Write([]byte(content)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.SetComment("made by a test"); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// nupkgBeside is a .nupkg.metadata of what an archive is without a signature.
func nupkgBeside(unsigned string) string {
	sum := sha512.Sum512([]byte(unsigned))
	return fmt.Sprintf(`{"version":2,"contentHash":%q,"source":"https://feed.acme.test/index.json"}`, base64.StdEncoding.EncodeToString(sum[:]))
}

func TestNupkgMetadata(t *testing.T) {
	const at, beside, signature = "p/lamp/1.0.0/lamp.1.0.0.nupkg", "p/lamp/1.0.0/.nupkg.metadata", ".signature.p7s=not looked at"
	plain := nupkgOf(t, "lamp.nuspec=<package/>", "lib/lamp.dll=MZ")
	behind := nupkgOf(t, "lamp.nuspec=<package/>", "lib/lamp.dll=MZ", signature)
	between := nupkgOf(t, "lamp.nuspec=<package/>", signature, "lib/lamp.dll=MZ")
	before := nupkgOf(t, signature, "lamp.nuspec=<package/>", "lib/lamp.dll=MZ")
	changed := nupkgOf(t, "lamp.nuspec=<package/>", "lib/lamp.dll=evil", signature)
	const differs, unread = "medium integrity-changed  " + at + "\n", "medium integrity-unread  " + beside + "\n"
	for name, tt := range map[string]struct {
		files tree
		want  string
	}{
		"right":                {tree{at: plain, beside: nupkgBeside(plain)}, ""},
		"wrong":                {tree{at: plain, beside: nupkgBeside("other")}, differs},
		"signed":               {tree{at: behind, beside: nupkgBeside(plain)}, ""},
		"signed, between":      {tree{at: between, beside: nupkgBeside(plain)}, ""},
		"signed, before":       {tree{at: before, beside: nupkgBeside(plain)}, ""},
		"signed, changed":      {tree{at: changed, beside: nupkgBeside(plain)}, differs},
		"signed, the whole":    {tree{at: behind, beside: nupkgBeside(behind)}, ""},
		"no digest in it":      {tree{at: plain, beside: `{"version":2}`}, unread},
		"no digest":            {tree{at: plain, beside: `{"contentHash":"words"}`}, unread},
		"a short digest":       {tree{at: plain, beside: `{"contentHash":"AAAA"}`}, unread},
		"of another kind":      {tree{at: plain, beside: `{"contentHash":7}`}, unread},
		"cut short":            {tree{at: plain, beside: nupkgBeside(plain)[:40]}, unread},
		"empty":                {tree{at: plain, beside: ""}, unread},
		"deep":                 {tree{at: plain, beside: strings.Repeat("[", 50_000)}, unread},
		"huge":                 {tree{at: plain, beside: nupkgBeside(plain) + strings.Repeat(" ", maxNupkgMetadata)}, unread},
		"no nupkg":             {tree{beside: nupkgBeside(plain)}, ""},
		"two nupkgs":           {tree{at: plain, "p/lamp/1.0.0/other.nupkg": "x", beside: nupkgBeside(plain)}, ""},
		"no zip":               {tree{at: "words", beside: nupkgBeside(plain)}, "medium integrity-unread  " + at + "\n"},
		"two signatures":       {tree{at: nupkgOf(t, signature, "a=b", signature), beside: nupkgBeside(plain)}, "medium integrity-unread  " + at + "\n"},
		"another digest, too":  {tree{at: plain, at + ".sha512": base64.StdEncoding.EncodeToString(make([]byte, 64)), beside: "?"}, differs},
		"right digest, unread": {tree{at: plain, at + ".sha512": sum512text(plain), beside: "?"}, unread},
	} {
		c := newCheck(Of{Function: open(t, tt.files.with("app.txt", "x")), SBOM: &sbom.SBOM{}})
		if _, got := finish(t, c); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
	}
}

func sum512text(s string) string {
	sum := sha512.Sum512([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestNupkgLastBytes(t *testing.T) {
	data := strings.Repeat("0123456789", 50_000)
	for _, limit := range []int{1, 1000, 70_000, len(data), 2 * len(data)} {
		tail, size, err := lastBytes(strings.NewReader(data), limit)
		if err != nil || size != int64(len(data)) || string(tail) != data[len(data)-min(limit, len(data)):] {
			t.Errorf("%d: %d of %d, %v", limit, len(tail), size, err)
		}
	}
}

// TestNupkgDamaged: a directory of which any byte is another is read, refused or
// that of other bytes, and never reached beyond.
func TestNupkgDamaged(t *testing.T) {
	whole := []byte(nupkgOf(t, "a=1", ".signature.p7s=x", "b=2"))
	for i := range whole {
		for _, bit := range []byte{1, 0x80, 0xff} {
			b := bytes.Clone(whole)
			b[i] ^= bit
			if z, err := parseNupkg(b, int64(len(b))); err == nil && z != nil {
				z.hash(sha512.New(), bytes.NewReader(b))
			}
		}
		parseNupkg(whole[i:], int64(len(whole)))
		parseNupkg(whole[:i], int64(i))
	}
}

func FuzzNupkg(f *testing.F) {
	f.Add([]byte(nupkgOf(f, "a=1", ".signature.p7s=x", "b=2")))
	f.Add([]byte(nupkgOf(f, "a=1")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if z, err := parseNupkg(b, int64(len(b))); err == nil && z != nil {
			if z.from < 0 || z.to <= z.from || z.start < z.to || z.start > int64(len(b)) {
				t.Errorf("%d to %d, %d of %d", z.from, z.to, z.start, len(b))
			}
			if err := z.hash(sha512.New(), bytes.NewReader(b)); err != nil {
				t.Error(err)
			}
		}
	})
}
