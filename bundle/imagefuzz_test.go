package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
)

// smallImage are limits that keep a fuzzed image cheap.
func smallImage() Limits {
	lim := smallLimits()
	lim.MaxLayerBytes, lim.MaxLayersBytes, lim.MaxImageBytes = 1<<20, 1<<21, 1<<22
	lim.MaxImageLayers, lim.MaxManifests, lim.MaxPathBytes, lim.MaxRereadBytes = 20, 20, 1<<16, 1<<24
	return lim
}

// checkImage opens an archive and demands what holds for any: errors say what
// they are, paths form a tree, and whatever can be read is the same each time.
func checkImage(t *testing.T, b []byte) *pack {
	t.Helper()
	o := Opener{Limits: smallImage()}
	p, err := o.openImage(context.Background(), memory(b), o.Limits.withDefaults(), wish{})
	if err != nil {
		if !errors.Is(err, ErrUnreadable) && !errors.Is(err, ErrUnknownKind) {
			t.Fatalf("error %v", err)
		}
		return nil
	}
	defer p.close()
	v := newVolume(p, "image")
	for at := v; at != nil; at = at.Older {
		checkFiles(t, at.Files())
		for i, file := range at.Files() {
			if n := at.ImageLayer(i); n < 0 || n >= len(v.Image().Layers) {
				t.Fatalf("%q is of layer %d of %d", file.Path, n, len(v.Image().Layers))
			}
			if file.Mode != 0 {
				continue
			}
			got, err := at.readAll(i)
			if err != nil {
				if !errors.Is(err, ErrUnreadable) {
					t.Fatalf("%q: %v", file.Path, err)
				}
				continue
			}
			again, err := at.readAll(i)
			if err != nil || !bytes.Equal(got, again) || int64(len(got)) != file.Size {
				t.Fatalf("%q: %d bytes of %d, then %d, %v", file.Path, len(got), file.Size, len(again), err)
			}
		}
	}
	tree := v.Tree()
	for _, file := range tree.Files() {
		if f, err := tree.Resolve(file.Path); err == nil && f.Mode != 0 {
			t.Fatalf("%q resolves to a link", file.Path)
		}
	}
	if err := fs.WalkDir(tree, ".", func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
		t.Fatal(err)
	}
	return p
}

// FuzzImageArchive opens bytes as an archive.
func FuzzImageArchive(f *testing.F) {
	l := lay{ents: append(files("a", "1", "b/c", "22", "b/.wh.d", ""), tlink("l", "b"), thard("h", "a")), pack: "gzip"}
	f.Add(oci(l).tar())
	f.Add(gzipped(oci(l).tar()))
	f.Add(docker(img{layers: []lay{{ents: l.ents}}}, "a:1").tar())
	f.Fuzz(func(t *testing.T, b []byte) { checkImage(t, b) })
}

// FuzzLayer reads bytes as the tar of a layer, plain and in gzip: what comes
// out must not depend on that.
func FuzzLayer(f *testing.F) {
	f.Add(tarOf(append(files("a", "1", "b/c", "22", ".wh.x", ""), tlink("l", "b"), thard("h", "a"))...))
	f.Add(tarOf(tent{name: "a", body: "1", pax: map[string]string{"comment": "x"}}, tdir("d/"), tent{name: "d/e", body: strings.Repeat("long", 1000)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := layerOptions{lim: smallImage().withDefaults(), keep: 1 << 20}
		read := func(b []byte, packed bool) *layer {
			o.count = &layerCount{}
			l, err := readLayer(context.Background(), bytes.NewReader(b), int64(len(b)), !packed, o)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		if len(b) > 4 && packedOrTar(b) != isTar(b) || unreadPacking(b) || len(b) > 1<<18 {
			return // a packed tar of a packed tar is another matter
		}
		plain, packed := read(b, false), read(gzipped(b), true)
		if len(plain.entries) != len(packed.entries) || plain.diff != packed.diff || plain.length != packed.length {
			t.Fatalf("%d entries, %d bytes; packed %d, %d", len(plain.entries), plain.length, len(packed.entries), packed.length)
		}
		for i := range plain.entries {
			x, y := plain.entries[i], packed.entries[i]
			if x.path != y.path || x.link != y.link || x.size != y.size || x.kind != y.kind || x.at != y.at {
				t.Fatalf("%+v; packed %+v", x, y)
			}
		}
	})
}

// FuzzMerge puts fuzzed names and kinds into well-formed layers, which random
// bytes seldom are.
func FuzzMerge(f *testing.F) {
	f.Add("a\na/b\nl\nl/x\n../y\n.wh.a\nb/.wh..wh..opq\nh", []byte{0, 1, 2, 0, 4, 0, 0, 3, 5})
	f.Add("lib\nlib/x\nusr/lib/x\nlib/.wh.x\nlib", []byte{2, 0, 4, 0, 4, 3})
	f.Fuzz(func(t *testing.T, names string, kinds []byte) {
		list := strings.Split(names, "\n")
		i := img{layers: []lay{{pack: "gzip"}}}
		for n, name := range list {
			if n >= len(kinds) || n == 60 || len(name) > 2000 || strings.ContainsRune(name, 0) {
				break
			}
			other := list[int(kinds[n]>>3)%len(list)]
			if strings.ContainsRune(other, 0) || len(other) > 200 || other == "" {
				other = "a"
			}
			if kinds[n]&4 != 0 {
				i.layers = append(i.layers, lay{pack: []string{"", "gzip", "zstd"}[len(i.layers)%3]})
			}
			e := tent{name: name, body: fmt.Sprint("body ", n)}
			switch kinds[n] & 3 {
			case 1:
				e = tdir(name + "/")
			case 2:
				e = tlink(name, other)
			case 3:
				e = thard(name, other)
			}
			if name == "" {
				continue
			}
			if strings.HasSuffix(name, "/") { // it is a folder, whatever the type says
				e.body = ""
			}
			last := &i.layers[len(i.layers)-1]
			last.ents = append(last.ents, e)
		}
		if len(i.layers) > 19 {
			return
		}
		s := store{}
		s.top(s.add(i))
		if p := checkImage(t, s.tar()); p == nil {
			t.Fatal("a well-formed image cannot be opened")
		}
	})
}

// FuzzManifest reads bytes as each document of an image.
func FuzzManifest(f *testing.F) {
	s := store{}
	s.top(s.index(s.add(img{platform: "linux/arm64", layers: []lay{{ents: files("a", "1")}}, config: m{"Cmd": []string{"x"}}})))
	for _, b := range s {
		f.Add(b)
	}
	f.Add(docker(img{layers: []lay{{ents: files("a", "1")}}}, "a:1")["manifest.json"])
	f.Fuzz(func(t *testing.T, b []byte) {
		if man, err := parseManifest(b); err == nil && man.isIndex() && man.isImage() {
			t.Fatal("an index and a manifest at once")
		}
		parseConfig(b)
		for _, name := range []string{"index.json", "manifest.json"} {
			s := oci(lay{ents: files("a", "1")})
			s[name] = b
			checkImage(t, s.tar())
		}
		s := store{} // behind a digest that fits
		d := s.put(b)
		s.top(m{"mediaType": typeOCIManifest, "digest": d, "size": len(b)})
		checkImage(t, s.tar())
		cfg := store{}
		c := cfg.put(b)
		blob := tarOf(files("a", "1")...)
		man, n := cfg.json(m{"schemaVersion": 2, "config": m{"digest": c, "size": len(b)}, "layers": []m{{"digest": cfg.put(blob), "size": len(blob)}}})
		cfg.top(m{"digest": man, "size": n})
		checkImage(t, cfg.tar())
	})
}

// BenchmarkOpenImage opens a layout of 64 MB unpacked in four gzip layers.
func BenchmarkOpenImage(b *testing.B) {
	data := mixed(16 << 20)
	rnd := rand.New(rand.NewPCG(5, 6))
	var i img
	for l := range 4 {
		var ents []tent
		for at, n := 0, 0; at < len(data); n++ {
			end := min(len(data), at+1+rnd.IntN(60_000))
			ents = append(ents, tent{name: fmt.Sprintf("l%d/d%d/f%d", l, n%50, n), body: string(data[at:end])})
			at = end
		}
		i.layers = append(i.layers, lay{ents: ents, pack: "gzip"})
	}
	s := store{}
	dir := s.top(s.add(i)).dir(b)
	b.SetBytes(64 << 20)
	b.ReportAllocs()
	for b.Loop() {
		var o Opener
		f, err := o.Open(context.Background(), Spec{Ref: dir})
		if err != nil || len(f.Notices()) > 0 {
			b.Fatal(err)
		}
		f.Close()
	}
}
