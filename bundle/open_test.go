package bundle

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestOpen(t *testing.T) {
	elf := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\xb7\x00" + strings.Repeat("\x00", 40)
	zip := plain("index.js", "1", "package.json", "{}")
	dir := save(t, "orders.zip", string(zip), "layer.zip", string(plain("nodejs/node20/node_modules/x/package.json", "{}")),
		"bad.zip", "not a zip", "html.zip", "<!DOCTYPE html><html>", "app", elf, "bom.json", `{"bomFormat": "CycloneDX"}`, "bom.xml", `<bom xmlns="http://cyclonedx.org/schema/bom/1.6">`,
		"image.tar.gz", "\x1f\x8b\x08", "empty", "", "cut.zip", string(zip[:len(zip)-40]), "other.json", `{"a": 1}`, "app.jar", string(plain("META-INF/MANIFEST.MF", "", "a/B.class", "x")))
	p := func(name string) string { return filepath.Join(dir, name) }

	t.Run("zip with a layer", func(t *testing.T) {
		var o Opener
		f, err := o.Open(context.Background(), Spec{Ref: p("orders.zip"), Layers: []string{p("layer.zip")}})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		sum := Digest(fmt.Sprintf("sha256:%x", sha256.Sum256(zip)))
		if f.Name != "orders" || f.Code.Digest != sum || f.Code.Size != int64(len(zip)) || f.Code.Kind != KindZip {
			t.Errorf("%+v", f)
		}
		if f.Platform != PlatformAWS || f.Runtime != "nodejs20.x" || !slices.Equal(f.Guessed, []string{"platform", "runtime"}) {
			t.Errorf("%s, %s, guessed %v", f.Platform, f.Runtime, f.Guessed)
		}
		if len(f.Layers) != 2 || f.Layers[0].Mount != "var/task" || f.Layers[1].Mount != "opt" {
			t.Errorf("%+v", f.Layers)
		}
		if _, err := f.Tree.ReadFile("opt/nodejs/node20/node_modules/x/package.json"); err != nil {
			t.Error(err)
		}
	})
	t.Run("errors", func(t *testing.T) {
		for _, tt := range []struct {
			spec Spec
			is   error
			want string
		}{
			{Spec{Ref: p("nowhere.zip")}, fs.ErrNotExist, "nowhere.zip"},
			{Spec{Ref: "zip:" + p("nowhere.zip")}, fs.ErrNotExist, "nowhere.zip"},
			{Spec{Ref: ""}, fs.ErrNotExist, "no path"},
			{Spec{Ref: p("orders.zip"), Layers: []string{p("nowhere.zip")}}, fs.ErrNotExist, "layer"},
			{Spec{Ref: p("bad.zip")}, ErrUnknownKind, "build or fetch it again"},
			{Spec{Ref: p("html.zip")}, ErrUnknownKind, "web page"},
			{Spec{Ref: p("empty")}, ErrUnknownKind, "empty"},
			{Spec{Ref: p("cut.zip")}, ErrUnreadable, "cut off"},
			{Spec{Ref: "zip:" + p("bad.zip")}, ErrUnreadable, "no zip end record"},
			{Spec{Ref: p("bom.json")}, ErrUnknownKind, "sbom:"},
			{Spec{Ref: "sbom:" + p("bom.json")}, ErrUnknownKind, "sbom:"},
			{Spec{Ref: p("bom.xml")}, ErrUnknownKind, "XML"},
			{Spec{Ref: p("other.json")}, ErrUnknownKind, "JSON"},
			{Spec{Ref: p("image.tar.gz")}, ErrUnreadable, "read image archive"},
			{Spec{Ref: "image:registry.example/app"}, ErrUnreadable, "docker save"},
			{Spec{Ref: "oci:" + dir}, ErrUnreadable, "no container image"},
			{Spec{Ref: "dir:" + p("orders.zip")}, ErrUnknownKind, "not a folder"},
			{Spec{Ref: "zip:" + dir}, ErrUnknownKind, "a folder"},
			{Spec{Ref: "-"}, nil, "standard input"},
			{Spec{Ref: "c:" + p("orders.zip")}, fs.ErrNotExist, "c:"},
		} {
			f, err := new(Opener).Open(context.Background(), tt.spec)
			if err == nil || f != nil || (tt.is != nil && !errors.Is(err, tt.is)) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%+v: %v, error %v", tt.spec, f, err)
			}
		}
	})
	t.Run("layer that cannot be read", func(t *testing.T) {
		for _, layer := range []string{"bad.zip", "cut.zip", "bom.json", "app", "image.tar.gz"} {
			f, err := new(Opener).Open(context.Background(), Spec{Ref: p("orders.zip"), Layers: []string{p(layer)}})
			if err != nil {
				t.Errorf("%s: %v", layer, err)
				continue
			}
			n := f.Notices()
			if len(n) != 1 || n[0].Layer != 1 || !n[0].Unread || len(f.Tree.Files()) != 2 {
				t.Errorf("%s: notices %+v", layer, n)
			}
			f.Close()
		}
	})
	t.Run("binary", func(t *testing.T) {
		if f, err := new(Opener).Open(context.Background(), Spec{Ref: "binary:" + p("orders.zip")}); !errors.Is(err, ErrUnknownKind) {
			t.Errorf("a zip forced to be a binary: %+v, %v", f, err)
		}
		for _, ref := range []string{p("app"), "binary:" + p("app")} {
			f, err := new(Opener).Open(context.Background(), Spec{Ref: ref})
			if err != nil {
				t.Fatal(err)
			}
			if f.Code.Kind != KindBinary || len(f.Tree.Files()) != 1 {
				t.Errorf("%s: %+v, %+v", ref, f.Code, f.Tree.Files())
			}
			name := f.Tree.Files()[0].Path
			b, err := f.Tree.ReadFile(name)
			if err != nil || name != "app" || int64(len(b)) != f.Code.Size {
				t.Errorf("%s: %q, %d bytes, %v", ref, name, len(b), err)
			}
			if f.Arch != "arm64" {
				t.Errorf("architecture %q", f.Arch)
			}
			f.Close()
		}
	})
	t.Run("jar", func(t *testing.T) {
		f, err := new(Opener).Open(context.Background(), Spec{Ref: p("app.jar")})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Code.Kind != KindJar || f.Runtime != "java" || f.Name != "app" {
			t.Errorf("%+v", f.Code)
		}
	})
	t.Run("standard input", func(t *testing.T) {
		o := Opener{Stdin: strings.NewReader(string(zip))}
		f, err := o.Open(context.Background(), Spec{Ref: "-"})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Name != "stdin" || len(f.Tree.Files()) != 2 {
			t.Errorf("%+v", f)
		}
		o = Opener{Stdin: strings.NewReader(string(zip)), Limits: Limits{MaxStdinBytes: 10}}
		if _, err := o.Open(context.Background(), Spec{Ref: "-"}); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "MaxStdinBytes") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("artifact too large", func(t *testing.T) {
		o := Opener{Limits: Limits{MaxArtifactBytes: 10}}
		if _, err := o.Open(context.Background(), Spec{Ref: p("orders.zip")}); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "MaxArtifactBytes") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for _, ref := range []string{p("orders.zip"), save(t, "a", "1")} {
			if _, err := new(Opener).Open(ctx, Spec{Ref: ref}); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: error %v", ref, err)
			}
		}
	})
}

func TestLambdaLimits(t *testing.T) {
	big := zipOf{entries: []ent{{name: "index.js", body: "1", size: u32(lambdaUnzippedBytes)}}}.bytes()
	dir := save(t, "f.zip", string(big), "l.zip", string(plain("x", "1")))
	layers := slices.Repeat([]string{filepath.Join(dir, "l.zip")}, 6)
	for platform, want := range map[Platform]int{PlatformAWS: 2, "": 0} {
		var o Opener
		f, err := o.Open(context.Background(), Spec{Ref: filepath.Join(dir, "f.zip"), Layers: layers, Platform: platform})
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, n := range f.Notices() {
			if n.Kind == NoticeLimit && !n.Unread {
				got++
			}
		}
		if got != want {
			t.Errorf("platform %q: %d notices, want %d: %+v", platform, got, want, f.Notices())
		}
		f.Close()
	}
}

// A layer is opened once for all functions, and what one function's reading
// showed about it does not show up with another.
func TestSharing(t *testing.T) {
	bad := zipOf{entries: []ent{{name: "x", body: "1", crc: u32(1)}}}.bytes()
	dir := save(t, "f.zip", string(plain("index.js", "1")), "l.zip", string(bad), "same.zip", string(bad))
	var o Opener
	open := func(layer string) *Function {
		f, err := o.Open(context.Background(), Spec{Ref: filepath.Join(dir, "f.zip"), Layers: []string{filepath.Join(dir, layer)}})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	a, b := open("l.zip"), open("same.zip")
	if a.Volumes[1].pack != b.Volumes[1].pack || a.Volumes[0].pack != b.Volumes[0].pack {
		t.Error("the same bytes are held twice")
	}
	if b.Volumes[1].Artifact.Ref != filepath.Join(dir, "same.zip") {
		t.Errorf("artifact %+v", b.Volumes[1].Artifact)
	}
	a.Tree.ReadFile("opt/x")
	if len(a.Notices()) != 1 || len(b.Notices()) != 0 {
		t.Errorf("notices %+v and %+v", a.Notices(), b.Notices())
	}
	a.Close()
	if _, err := b.Tree.ReadFile("var/task/index.js"); err != nil {
		t.Error("closing one function took the bytes of the other:", err)
	}
	kept := b.Volumes[1].pack
	b.Close()
	c := open("l.zip")
	if c.Volumes[1].pack != kept {
		t.Error("an idle layer was not used again")
	}
	c.Close()
	if err := os.WriteFile(filepath.Join(dir, "l.zip"), plain("new", "22"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := open("l.zip")
	defer d.Close()
	if d.Tree.Files()[0].Path != "opt/new" {
		t.Error("a changed file was taken from the cache")
	}
}

func TestOpenConcurrent(t *testing.T) {
	dir := save(t, "l.zip", string(plain("x", "1")), "bad.zip", "rubbish")
	for i := range 8 {
		os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d.zip", i)), plain("index.js", fmt.Sprint(i)), 0o644)
	}
	var o Opener
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			f, err := o.Open(context.Background(), Spec{Ref: filepath.Join(dir, fmt.Sprintf("f%d.zip", i%8)), Layers: []string{filepath.Join(dir, "l.zip"), filepath.Join(dir, "bad.zip")}})
			if err != nil {
				t.Error(err)
				return
			}
			if b, err := f.Tree.ReadFile("var/task/index.js"); string(b) != fmt.Sprint(i%8) || err != nil {
				t.Errorf("%q, %v", b, err)
			}
			if n := f.Notices(); len(n) != 1 || n[0].Layer != 2 {
				t.Errorf("notices %+v", n)
			}
			f.Close()
		})
	}
	wg.Wait()
	o.cache.mu.Lock()
	defer o.cache.mu.Unlock()
	for p, u := range o.cache.shared {
		if u.n != 0 {
			t.Errorf("%s has %d holders left", p.settled(), u.n)
		}
	}
	if len(o.cache.idle) != len(o.cache.shared) || len(o.cache.shared) != 9 {
		t.Errorf("%d idle, %d shared, want 9", len(o.cache.idle), len(o.cache.shared))
	}
}

// An artifact over memoryBytes stays on disk and is checked block by block.
func TestBlocks(t *testing.T) {
	b := zipOf{entries: []ent{{name: "a", body: strings.Repeat("0123456789", 100_000), store: true}, {name: "b", body: strings.Repeat("x", 1000)}}}.bytes()
	path := filepath.Join(save(t, "f.zip", string(b)), "f.zip")
	open := func() (*blocks, *Volume) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		src, sum, err := loadBlocks(context.Background(), f, int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { src.close() })
		if want := Digest(fmt.Sprintf("sha256:%x", sha256.Sum256(b))); sum.wait() != want {
			t.Errorf("digest %s, want %s", sum.wait(), want)
		}
		p, err := openZip(context.Background(), src, Limits{}.withDefaults(), &decoders{})
		if err != nil {
			t.Fatal(err)
		}
		return src.(*blocks), newVolume(p, "")
	}
	_, v := open()
	mem := mustOpen(t, b)
	if got, want := summary(v), summary(mem); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	c, _ := v.Tree().Content("a")
	p := make([]byte, 10)
	if _, err := c.ReadAt(p, 500_003); err != nil || string(p) != "3456789012" {
		t.Errorf("%q, %v", p, err)
	}
	src, v := open()
	clear(src.cache[:])
	b[400_000] ^= 1
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Tree().ReadFile("a"); !errors.Is(err, ErrUnreadable) || !errors.Is(err, errChanged) {
		t.Errorf("a changed block: error %v", err)
	}
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	clear(src.cache[:])
	if _, err := v.Tree().ReadFile("a"); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a shorter file: error %v", err)
	}
}
