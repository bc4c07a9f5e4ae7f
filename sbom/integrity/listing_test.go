package integrity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// listed is a listing of files whose content is their path.
func listed(names ...string) *listing {
	l := &listing{files: map[string]published{}, manifest: []byte("{}"), unpacked: 1024}
	for _, n := range names {
		sum := sha256.Sum256([]byte(n))
		l.files[n] = published{string(sum[:]), int64(len(n))}
	}
	return l
}

func TestListing(t *testing.T) {
	none := listed()
	none.manifest = nil
	huge := listed("a")
	huge.unpacked, huge.manifest = maxUnpacked+1, bytes.Repeat([]byte("x"), maxManifest)
	for name, l := range map[string]*listing{"files": listed("a.js", "lib/b.js", "\xff", strings.Repeat("d/", 3000)+"e"), "none": none, "huge": huge} {
		got, err := parseListing(l.encode())
		if err != nil || got.unpacked != l.unpacked || !bytes.Equal(got.manifest, l.manifest) || (got.manifest == nil) != (l.manifest == nil) || !maps.Equal(got.files, l.files) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestListingRefused: whoever may write the cache may write any listing.
func TestListingRefused(t *testing.T) {
	u := func(n ...uint64) (b []byte) {
		for _, one := range n {
			b = binary.AppendUvarint(b, one)
		}
		return b
	}
	file := func(name string) []byte { return listed(name).encode()[6:] } // behind unpacked, manifest and count
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	if _, err := parseListing(join(u(0, 0, 2), file("a"), file("b"))); err != nil {
		t.Fatalf("the test is wrong: %v", err)
	}
	for name, b := range map[string][]byte{
		"nothing":                  nil,
		"more files than there":    u(0, 0, maxArchiveFiles),
		"more files than may be":   join(u(0, 0, maxArchiveFiles+1), file("a")),
		"a number without an end":  bytes.Repeat([]byte{0xff}, 20),
		"a number of 64 bits":      u(0, 0, 1<<63),
		"unpacked to too much":     u(maxUnpacked+2, 0, 0),
		"a manifest that is short": u(0, 100, 0),
		"a manifest too long":      u(0, maxManifest+2, 0),
		"a path that is short":     join(u(0, 0, 1, 100), make([]byte, 40)),
		"bytes behind":             append(listed("a").encode(), 0),
		"a path twice":             join(u(0, 0, 2), file("a"), file("a")),
		"another order":            join(u(0, 0, 2), file("b"), file("a")),
		"a path upwards":           join(u(0, 0, 1), file("../a")),
		"a path from the root":     join(u(0, 0, 1), file("/a")),
		"a path that is not clean": join(u(0, 0, 1), file("a//b")),
		"no path":                  join(u(0, 0, 1), file("")),
	} {
		if l, err := parseListing(b); err == nil {
			t.Errorf("%s: %+v", name, l)
		}
	}
	whole := listed("a", "b").encode()
	for i := range whole {
		if _, err := parseListing(whole[:i]); err == nil {
			t.Errorf("cut off at %d", i)
		}
	}
}

func FuzzListing(f *testing.F) {
	f.Add(listed("a.js", "lib/b.js").encode())
	f.Add(listed().encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := parseListing(b)
		if err != nil {
			return
		}
		again, err := parseListing(l.encode())
		if err != nil || !maps.Equal(again.files, l.files) || !bytes.Equal(again.manifest, l.manifest) || again.unpacked != l.unpacked {
			t.Errorf("%+v, then %+v, %v", l, again, err)
		}
	})
}

// TestKeptListing compares with a registry, then from the cache, whatever became
// of the files there: the same is found, or the package is left.
func TestKeptListing(t *testing.T) {
	archive := packed(t, tree{"package.json": `{"name":"demo","version":"1.0.0"}`, "a.js": "a\n", "b.js": "b\n"})
	sum := sha512.Sum512(archive)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/demo" {
			w.Write(archive)
			return
		}
		fmt.Fprintf(w, `{"name":"demo","versions":{"1.0.0":{"name":"demo","version":"1.0.0","dist":{"tarball":"http://%s/demo/-/demo-1.0.0.tgz","integrity":"sha512-%s"}}}}`, r.Host, base64.StdEncoding.EncodeToString(sum[:]))
	}))
	defer s.Close()
	dir := t.TempDir()
	const at = "node_modules/demo/"
	code := tree{at + "package.json": `{"version":"1.0.0","name":"demo"}`, at + "a.js": "a\r\n", at + "b.js": "evil"}
	f, m := open(t, code), npmComponent("demo", "1.0.0", at)
	compare := func(online bool) string {
		c := &registry.Client{Dir: dir, Online: online, Config: registry.ReadConfig(registry.Environment{Getenv: func(name string) string {
			if name == "NPM_CONFIG_REGISTRY" {
				return s.URL
			}
			return ""
		}})}
		_, got := run(t, f, c, m)
		return got
	}
	const purl = "pkg:npm/demo@1.0.0"
	const found = "high integrity-changed " + purl + " " + at + "b.js\nlow integrity-changed " + purl + " " + at + "a.js\nlow integrity-changed " + purl + " " + at + "package.json\nleft " + purl + ": files of it differ from what was published\n"
	const absent = "left " + purl + ": its published archive is not at hand (--online fetches it)\n"
	kept := func(kind string) string {
		t.Helper()
		list, err := filepath.Glob(filepath.Join(dir, kind, "*", "*"))
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %q, %v", kind, list, err)
		}
		return list[0]
	}
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(what string, online bool, want string) {
		t.Helper()
		if got := compare(online); got != want {
			t.Errorf("%s: got\n%swant\n%s", what, got, want)
		}
	}
	expect("before", false, absent)
	expect("from the registry", true, found)
	expect("from the cache", false, found)
	whole, err := os.ReadFile(kept("extracts"))
	if err != nil {
		t.Fatal(err)
	}
	write(kept("extracts"), whole[:len(whole)-1])
	expect("with a listing that is cut off", false, found)
	write(kept("archives"), archive[:len(archive)/2])
	expect("with an archive that is cut off", false, found)
	write(kept("extracts"), append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1))
	expect("with both damaged", false, absent)
	expect("from the registry again", true, found)
}

// keeping is a shelf that keeps what was taken.
type keeping struct {
	shelf
	kept map[string][]byte
}

func (k keeping) Extract(ctx context.Context, p registry.Package, version, file string, t registry.Taking) (*registry.Extract, error) {
	key := p.String() + "@" + version
	if body, ok := k.kept[key]; ok {
		return &registry.Extract{}, t.Read(body)
	}
	return k.shelf.Extract(ctx, p, version, file, registry.Taking{Form: t.Form, Read: t.Read, Make: func(a *registry.Archive) ([]byte, error) {
		body, err := t.Make(a)
		k.kept[key] = body
		return body, err
	}})
}

// BenchmarkNPM compares a package of 200 files, 4 MB, with its archive and with
// what was kept of it.
func BenchmarkNPM(b *testing.B) {
	files := tree{"package.json": `{"name":"demo","version":"1.0.0"}`}
	for i := range 200 {
		var text strings.Builder
		for k := range 700 {
			fmt.Fprintf(&text, "exports.f%d = x => x * %d;\n", k*i, i^k)
		}
		files[fmt.Sprintf("lib/%d.js", i)] = text.String()
	}
	const at = "node_modules/demo/"
	f, m := open(b, files.under(at)), npmComponent("demo", "1.0.0", at)
	reg := shelf{"npm:demo@1.0.0": packed(b, files)}
	keep := keeping{reg, map[string][]byte{}}
	run(b, f, keep, m)
	for _, one := range []struct {
		name string
		reg  Registry
	}{{"archive", reg}, {"kept", keep}} {
		b.Run(one.name, func(b *testing.B) {
			for b.Loop() {
				if _, got := run(b, f, one.reg, m); got != "" {
					b.Fatal(errors.New(got))
				}
			}
		})
	}
}
