package pull

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/bundle"
)

// pushImage puts an image of some layers under a tag and returns its
// descriptor. The platform is only for an index that names it.
func pushImage(t *testing.T, r *Repository, tag, platform string, layers ...[]byte) Descriptor {
	t.Helper()
	describe := func(kind string, b []byte) Descriptor {
		return Descriptor{MediaType: kind, Digest: put(t, r, b), Size: int64(len(b))}
	}
	m := document{SchemaVersion: 2, MediaType: mediaManifest}
	config := describe("application/vnd.oci.image.config.v1+json", fmt.Appendf(nil, `{"architecture":%q,"os":"linux"}`, platform))
	m.Config = &config
	for _, l := range layers {
		m.Layers = append(m.Layers, describe("application/vnd.oci.image.layer.v1.tar+gzip", l))
	}
	return pushManifest(t, r, tag, mediaManifest, platform, m)
}

func pushManifest(t *testing.T, r *Repository, tag, kind, platform string, m any) Descriptor {
	t.Helper()
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{digestOf(body), tag} {
		if err := r.PutManifest(context.Background(), id, kind, body); err != nil {
			t.Fatal(err)
		}
	}
	d := Descriptor{MediaType: kind, Digest: digestOf(body), Size: int64(len(body))}
	if platform != "" {
		d.Platform = &bundle.ImagePlatform{OS: "linux", Architecture: platform}
	}
	return d
}

func resolve(t *testing.T, c *Client, ref, platform string) (*Image, error) {
	t.Helper()
	parsed, err := c.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	return c.Resolve(context.Background(), parsed, platform)
}

func TestResolve(t *testing.T) {
	s := newServer(t)
	r := s.repo(t, quick())
	name := s.host() + "/team/app"
	amd := pushImage(t, r, "amd", "amd64", []byte("layer amd"))
	arm := pushImage(t, r, "arm", "arm64", []byte("layer arm"))
	arm.Platform.Variant = "v8"
	arm.ArtifactType = "application/vnd.oci.image.config.v1+json"
	attest := Descriptor{MediaType: mediaManifest, Digest: amd.Digest, Size: amd.Size, Platform: &bundle.ImagePlatform{OS: "unknown", Architecture: "unknown"},
		Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"}}
	index := func(tag string, list ...Descriptor) Descriptor {
		return pushManifest(t, r, tag, mediaIndex, "", document{SchemaVersion: 2, MediaType: mediaIndex, Manifests: list})
	}
	both := index("both", attest, arm, amd)
	index("only-arm", arm, attest)
	index("nested", both)
	index("empty", attest)
	wrong := amd
	wrong.Size++
	index("wrong-size", wrong)
	loop := both
	for i := range 6 {
		loop = index(fmt.Sprint("deep", i), loop)
	}
	tests := []struct {
		ref, platform string
		want          string // digest
		err           string
		corrupt       bool
	}{
		{ref: ":amd", want: amd.Digest},
		{ref: "@" + arm.Digest, want: arm.Digest},
		{ref: ":both", want: amd.Digest},
		{ref: ":both@" + both.Digest, want: amd.Digest},
		{ref: ":both", platform: "linux/arm64", want: arm.Digest},
		{ref: ":nested", platform: "linux/arm64", want: arm.Digest},
		{ref: ":only-arm", want: arm.Digest},
		{ref: ":only-arm", platform: "linux/amd64", err: "no image for linux/amd64; there are linux/arm64/v8"},
		{ref: ":empty", err: "names no image"},
		{ref: ":none", err: "404"},
		{ref: ":wrong-size", err: "its index says", corrupt: true},
		{ref: ":deep5", err: "deep in one another", corrupt: true},
	}
	for _, test := range tests {
		img, err := resolve(t, quick(), name+test.ref, test.platform)
		if test.err == "" {
			if err != nil || img.Manifest.Digest != test.want {
				t.Errorf("%s: %v, want %s", test.ref, err, test.want)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.err) || errors.Is(err, ErrCorrupt) != test.corrupt {
			t.Errorf("%s: %v (corrupt: %v), want %q (corrupt: %v)", test.ref, err, errors.Is(err, ErrCorrupt), test.err, test.corrupt)
		}
	}
	if s.count(http.MethodGet, "/blobs/") != 0 {
		t.Error("looking up an image got a blob")
	}
}

func TestResolveHostile(t *testing.T) {
	s := newServer(t)
	d := "sha256:" + strings.Repeat("0", 64)
	many := `{"mediaType":"x","digest":"` + d + `","size":1}`
	for name, body := range map[string]string{
		"nothing":                          "",
		"no JSON":                          "<html>",
		"a list":                           "[]",
		"no config":                        `{"schemaVersion":2,"mediaType":"` + mediaManifest + `","layers":[]}`,
		"schema 1":                         `{"schemaVersion":1,"fsLayers":[]}`,
		"a digest that is a path":          `{"schemaVersion":2,"manifests":[{"digest":"sha256:../../x","size":1}]}`,
		"a path":                           `{"schemaVersion":2,"config":{"digest":"sha256:../../etc/passwd","size":1},"layers":[]}`,
		"negative":                         `{"schemaVersion":2,"config":{"digest":"` + d + `","size":-1},"layers":[]}`,
		"huge":                             `{"schemaVersion":2,"config":{"digest":"` + d + `","size":9223372036854775807},"layers":[` + many + `]}`,
		"another size":                     `{"schemaVersion":2,"config":{"digest":"` + d + `","size":1},"layers":[{"digest":"` + d + `","size":2}]}`,
		"sha512":                           `{"schemaVersion":2,"config":{"digest":"sha512:` + strings.Repeat("0", 128) + `","size":1},"layers":[]}`,
		"many layers":                      `{"schemaVersion":2,"config":` + many + `,"layers":[` + strings.Repeat(many+",", maxLayers) + many + `]}`,
		"many images":                      `{"schemaVersion":2,"manifests":[` + strings.Repeat(many+",", maxPlatforms) + many + `]}`,
		"size as text":                     `{"schemaVersion":2,"config":{"digest":"` + d + `","size":"1"},"layers":[]}`,
		"index of itself, by another name": `{"schemaVersion":2,"manifests":[{"digest":"` + d + `","size":100}]}`,
	} {
		s.lie = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/manifests/") {
				w.Header().Set("Content-Type", mediaManifest)
				w.Write([]byte(body))
			}
			return strings.Contains(r.URL.Path, "/manifests/")
		}
		if _, err := resolve(t, quick(), s.host()+"/team/app:v1", ""); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLayout(t *testing.T) {
	s := newServer(t)
	r := s.repo(t, quick())
	base, app := content(), bytes.Repeat([]byte("app"), 1000)
	one := pushImage(t, r, "one", "amd64", base, app, base) // a layer twice, as some builders make them
	pushImage(t, r, "two", "amd64", base, []byte("another app"))
	c := &Cache{Dir: filepath.Join(t.TempDir(), "[odd] *name")}
	layout := func(tag string) (string, error) {
		img, err := resolve(t, quick(), s.host()+"/team/app:"+tag, "")
		if err != nil {
			t.Fatal(err)
		}
		return c.Layout(context.Background(), img)
	}
	dir, err := layout("one")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		if !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	if len(names) != 6 || filepath.Base(dir) != strings.TrimPrefix(one.Digest, "sha256:") {
		t.Errorf("%s: %v", dir, names)
	}
	if got, err := os.ReadFile(blobPath(dir, digestOf(base))); err != nil || !bytes.Equal(got, base) {
		t.Error(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "index.json")); !strings.Contains(string(got), one.Digest) {
		t.Errorf("index.json: %s", got)
	}

	// Again: nothing is fetched.
	n := s.count(http.MethodGet, "/blobs/")
	if n != 3 {
		t.Errorf("%d blobs were fetched, want 3", n)
	}
	if again, err := layout("one"); err != nil || again != dir || s.count(http.MethodGet, "/blobs/") != n {
		t.Error("fetched again:", err)
	}
	// The other image has the base and the configuration in common.
	if _, err := layout("two"); err != nil || s.count(http.MethodGet, "/blobs/") != n+1 {
		t.Errorf("%d more blobs, want 1: %v", s.count(http.MethodGet, "/blobs/")-n, err)
	}
	// A blob that rotted is fetched again, and only that. The file is replaced,
	// not written to: the layouts share it.
	n = s.count(http.MethodGet, "/blobs/")
	path := blobPath(dir, digestOf(app))
	if err := errors.Join(os.Remove(path), os.WriteFile(path, bytes.Repeat([]byte("bad"), 1000), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := layout("one"); err != nil || s.count(http.MethodGet, "/blobs/") != n+1 {
		t.Errorf("%d more blobs, want 1: %v", s.count(http.MethodGet, "/blobs/")-n, err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, app) {
		t.Error("still rotten:", err)
	}
	entries, _ := os.ReadDir(c.Dir)
	if len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestLayoutOfWrongBytes(t *testing.T) {
	s := newServer(t)
	r := s.repo(t, quick())
	pushImage(t, r, "v1", "amd64", content())
	c := &Cache{Dir: t.TempDir()}
	img, err := resolve(t, quick(), s.host()+"/team/app:v1", "")
	if err != nil {
		t.Fatal(err)
	}
	s.lie = blobs(func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, digestOf(content())) {
			return false
		}
		w.Write(bytes.Repeat([]byte("x"), len(content())))
		return true
	})
	if _, err := c.Layout(context.Background(), img); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(c.Dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	s.lie = nil
	if _, err := c.Layout(context.Background(), img); err != nil {
		t.Error(err)
	}
}

// TestLayoutAfterKill finds the complete blobs that a killed pull left.
func TestLayoutAfterKill(t *testing.T) {
	s := newServer(t)
	r := s.repo(t, quick())
	pushImage(t, r, "v1", "amd64", content())
	c := &Cache{Dir: t.TempDir()}
	left := filepath.Join(c.Dir, tempPrefix+"123")
	path := blobPath(left, digestOf(content()))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content(), 0o644)); err != nil {
		t.Fatal(err)
	}
	img, err := resolve(t, quick(), s.host()+"/team/app:v1", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Layout(context.Background(), img); err != nil || s.count(http.MethodGet, "/blobs/") != 1 {
		t.Errorf("%d blobs fetched, want the configuration only: %v", s.count(http.MethodGet, "/blobs/"), err)
	}
	// A day later what is left goes.
	c.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	c.evict(0)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it is still there")
	}
}

func TestEviction(t *testing.T) {
	s := newServer(t)
	r := s.repo(t, quick())
	c := &Cache{Dir: t.TempDir(), MaxBytes: 700_000}
	foreign := filepath.Join(c.Dir, "mine")
	if err := os.Mkdir(foreign, 0o755); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	c.Now = func() time.Time { return at }
	var dirs []string
	for i := range 3 {
		pushImage(t, r, fmt.Sprint(i), "amd64", append(content(), byte(i)))
		img, err := resolve(t, quick(), fmt.Sprintf("%s/team/app:%d", s.host(), i), "")
		if err != nil {
			t.Fatal(err)
		}
		dir, err := c.Layout(context.Background(), img)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
		at = at.Add(2 * time.Hour)
	}
	there := func() (n int) {
		for _, d := range append(dirs, foreign) {
			if _, err := os.Stat(d); err == nil {
				n++
			}
		}
		return n
	}
	if _, err := os.Stat(dirs[0]); there() != 3 || err == nil {
		t.Errorf("%d are there, and the oldest: %v", there(), err)
	}
	// What was used just now stays, whatever the size.
	now := at
	for _, d := range dirs[1:] {
		os.Chtimes(d, now, now)
	}
	if c.evict(1 << 30); there() != 3 {
		t.Errorf("%d are there", there())
	}
}

func TestLayoutTwice(t *testing.T) {
	s := newServer(t)
	r := s.repo(t, quick())
	pushImage(t, r, "v1", "amd64", content(), []byte("x"))
	c := &Cache{Dir: t.TempDir()}
	var wg sync.WaitGroup
	for range 6 {
		img, err := resolve(t, quick(), s.host()+"/team/app:v1", "")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if dir, err := c.Layout(context.Background(), img); err != nil || !c.intact(context.Background(), dir, img) {
				t.Error(dir, err)
			}
		})
	}
	wg.Wait()
	if entries, _ := os.ReadDir(c.Dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"config":{"digest":"sha256:00","size":1},"layers":[]}`), "")
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"digest":"sha256:`+strings.Repeat("0", 64)+`","size":1,"platform":{"os":"linux","architecture":"amd64"}}]}`), "linux/amd64")
	f.Fuzz(func(t *testing.T, b []byte, platform string) {
		var doc document
		if json.Unmarshal(b, &doc) != nil {
			return
		}
		if d, err := choose(doc.Manifests, platform); err == nil && !isDigest(d.Digest) {
			t.Fatalf("chose %q", d.Digest)
		}
		img := &Image{}
		if img.read(&doc, b, doc.MediaType, Descriptor{}) == nil {
			for _, d := range img.Blobs {
				if !isDigest(d.Digest) || d.Size < 0 || d.Size > maxImage {
					t.Fatalf("let %q of %d bytes pass", d.Digest, d.Size)
				}
			}
		}
	})
}
