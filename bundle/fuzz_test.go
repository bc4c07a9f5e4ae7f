package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// smallLimits keep a fuzzed archive cheap.
func smallLimits() Limits {
	return Limits{MaxEntries: 200, MaxFileBytes: 1 << 16, MaxTotalBytes: 1 << 20, RatioGrace: 1 << 12, MaxNotices: 50, MaxLinks: 50, MaxDirectoryBytes: 1 << 20}
}

// FuzzEntries makes well-formed zips of fuzzed names and kinds, which random
// bytes seldom are: duplicates, links, folders and files in each other's way.
func FuzzEntries(f *testing.F) {
	f.Add("a\na/b\nl\nl/x\n../y\n%2E%2E/y\na%2F", []byte{0, 1, 2, 0, 1, 0, 0})
	f.Add("l\nl/m\nl/m/n\n./l//m\nL", []byte{2, 2, 0, 1, 3})
	f.Fuzz(func(t *testing.T, names string, kinds []byte) {
		var z zipOf
		bodies := map[string]bool{}
		for i, name := range strings.Split(names, "\n") {
			if i >= len(kinds) || i == 100 || len(name) > 5000 {
				break
			}
			e := ent{name: name, body: fmt.Sprintf("body %d", i)}
			switch kinds[i] % 4 {
			case 1:
				e.store = true
			case 2:
				e = link(name, string(names[len(names)/2:min(len(names), len(names)/2+20)]))
			case 3:
				e = link(name, strings.Repeat("../", int(kinds[i])/16)+name)
			}
			z.entries = append(z.entries, e)
			if kinds[i]%4 < 2 && !strings.HasSuffix(name, "/") {
				bodies[e.body] = true
			}
		}
		lim := smallLimits()
		lim.MaxCopies = 100
		v, err := openBytes(t, z.bytes(), lim)
		if err != nil {
			t.Fatal(err)
		}
		for at := v; at != nil; at = at.Older {
			checkFiles(t, at.Files())
			for i, file := range at.Files() {
				if file.Mode == 0 {
					b, err := at.readAll(i)
					if err != nil {
						t.Fatal(err)
					}
					delete(bodies, string(b))
				}
			}
		}
		if len(bodies) > 0 { // whatever the names are, no content may get lost
			t.Fatalf("lost %v of %q", bodies, names)
		}
		tree := v.Tree()
		for _, file := range tree.Files() {
			if f, err := tree.Resolve(file.Path); err == nil && f.Mode != 0 {
				t.Fatalf("%q resolves to a link", file.Path)
			}
		}
		checkFiles(t, Compose([]Mount{{v.Older, "m"}, {v, "m"}, {v, "m/sub"}, {v, ""}}).Files())
	})
}

func FuzzZip(f *testing.F) {
	for _, z := range []zipOf{
		{}, {entries: []ent{{name: "a", body: "1"}, {name: "b/c", body: "22", store: true}}, comment: "c"},
		{entries: []ent{{name: "a", body: "1", zip64: true, descriptor: "sig64"}}, zip64: true, prefix: "stub", after: "x"},
		{entries: []ent{link("l", "d"), {name: "l/x", body: "1"}, {name: "../y", body: "2"}, {name: "l/x", body: "3"}, link("d", "l")}},
		{entries: []ent{{name: "a", body: "1", descriptor: "bare32"}, {name: "b", sameAs: 1}, {name: "A", unlisted: true}, {name: "x", method: methodBzip2, packed: []byte("BZh9")}}},
	} {
		f.Add(z.bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := openBytes(t, b, smallLimits())
		if err != nil {
			return
		}
		for at := v; at != nil; at = at.Older {
			checkFiles(t, at.Files())
		}
		tree := v.Tree()
		for _, file := range tree.Files() {
			got, err := tree.ReadFile(file.Path)
			if len(got) > 1<<16 {
				t.Fatalf("%q: %d bytes over the limit", file.Path, len(got))
			}
			var head [64]byte
			n, perr := tree.Peek(file.Path, head[:])
			if err != nil {
				if !errors.Is(err, ErrUnreadable) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
					t.Fatalf("%q: error %v", file.Path, err)
				}
				continue
			}
			if perr != nil || !bytes.Equal(head[:n], got[:min(len(got), len(head))]) {
				t.Fatalf("%q: peek %q, %v; read %q", file.Path, head[:n], perr, got[:min(len(got), len(head))])
			}
			c, err := tree.Content(file.Path)
			if err != nil {
				t.Fatal(err)
			}
			streamed, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(streamed, got) {
				t.Fatalf("%q: streamed %d bytes, %v; read %d", file.Path, len(streamed), err, len(got))
			}
			if len(got) > 0 {
				at := make([]byte, len(got))
				if _, err := c.ReadAt(at, 0); err != nil && err != io.EOF || !bytes.Equal(at, got) {
					t.Fatalf("%q: ReadAt differs, %v", file.Path, err)
				}
			}
			c.Close()
		}
		if err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error { return err }); err != nil {
			t.Fatal(err)
		}
		mount := Compose([]Mount{{v, "var/task"}, {v.Older, "opt"}, {v, "opt"}})
		checkFiles(t, mount.Files())
		for _, file := range mount.Files() {
			mount.Resolve(file.Path)
		}
		v.Notices()
	})
}

func FuzzSniff(f *testing.F) {
	for _, s := range []string{"", "PK\x03\x04", "{\"bomFormat\"", "<html>", "\x7fELF", "MZ", "\x1f\x8b", string(plain("META-INF/MANIFEST.MF", "", "A.class", ""))} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := sniff(memory(b))
		if (k == "") != (err != nil) {
			t.Fatalf("%q, %v", k, err)
		}
		if err != nil && !errors.Is(err, ErrUnknownKind) {
			t.Fatal(err)
		}
		q, qerr := quickKind(memory(b))
		if q != k && !(q == KindZip && k == KindJar) || (qerr == nil) != (err == nil) {
			t.Fatalf("quick %q, %v; full %q, %v", q, qerr, k, err)
		}
		if k != KindZip && k != KindJar || len(b) > 1<<16 {
			return
		}
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if disk, err := Sniff(path); disk != k || err != nil {
			t.Fatalf("from disk %q, %v", disk, err)
		}
	})
}
