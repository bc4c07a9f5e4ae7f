package bundle_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
)

// packed makes a packed tar of "name=content" entries; "name>target" is a link.
func packed(t *testing.T, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range entries {
		name, content, _ := strings.Cut(e, "=")
		h := &tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644, Typeflag: tar.TypeReg}
		if n, target, ok := strings.Cut(e, ">"); ok {
			h, content = &tar.Header{Name: n, Linkname: target, Typeflag: tar.TypeSymlink}, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

func TestOpenPublished(t *testing.T) {
	var wheel bytes.Buffer
	w := zip.NewWriter(&wheel)
	f, _ := w.Create("a/__init__.py")
	f.Write([]byte("x = 1"))
	w.Close()
	whole := packed(t, "package/package.json={}", "package/lib/a.js=1")
	for _, tt := range []struct {
		name, folder string
		data         []byte
		want         string // paths, and notices by kind
	}{
		{"npm", "node_modules/@s/a", whole, "node_modules/@s/a/lib/a.js node_modules/@s/a/package.json"},
		{"another first folder", "node_modules/a", packed(t, "a-1.0/x.js=1"), "node_modules/a/x.js"},
		{"as it is", "", packed(t, "a-1.0/x.py=1"), "a-1.0/x.py"},
		{"a wheel", "", wheel.Bytes(), "a/__init__.py"},
		{"climbs out", "node_modules/a", packed(t, "package/../../../etc/passwd=x"), "package/%2E%2E/%2E%2E/%2E%2E/etc/passwd path-traversal"},
		{"a link", "node_modules/a", packed(t, "package/a.js=1", "package/b.js>/etc/passwd"), "node_modules/a/a.js special-file"},
		{"twice", "node_modules/a", packed(t, "package/a.js=1", "package/a.js=2"), "node_modules/a/a.js duplicate-name"},
		{"cut off", "node_modules/a", cut(packed(t, "package/a.js=1", "package/b.js="+strings.Repeat("no two lines are alike, ", 200)), 60), "node_modules/a/a.js truncated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := bundle.OpenPublished(t.Context(), bundle.Published{Ref: "x", Bytes: bytes.NewReader(tt.data), Size: int64(len(tt.data)), Digest: "sha256:00", Folder: tt.folder}, bundle.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var got []string
			for _, file := range f.Tree.Files() {
				got = append(got, file.Path)
				if _, err := f.Tree.ReadFile(file.Path); err != nil {
					t.Error(err)
				}
			}
			for _, n := range f.Notices() {
				got = append(got, string(n.Kind))
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
	for name, data := range map[string][]byte{"empty": nil, "text": []byte("hello"), "no tar": packedText(), "half a header": whole[:5]} {
		if f, err := bundle.OpenPublished(t.Context(), bundle.Published{Ref: "x", Bytes: bytes.NewReader(data), Size: int64(len(data))}, bundle.Limits{}); err == nil {
			f.Close()
			t.Errorf("%s: opened", name)
		} else if !errors.Is(err, bundle.ErrUnreadable) && !errors.Is(err, bundle.ErrUnknownKind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func cut(b []byte, n int) []byte { return b[:len(b)-n] }

func packedText() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(strings.Repeat("no tar at all ", 100)))
	z.Close()
	return b.Bytes()
}
