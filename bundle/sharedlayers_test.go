package bundle

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestSharedLayers: images with a layer in common read it once, whatever they
// are packed in, and each hashes its own copy.
func TestSharedLayers(t *testing.T) {
	body := strings.Repeat("base ", 50_000)
	base := lay{ents: files("etc/os", "x", "usr/lib/base", body), pack: "gzip"}
	image := func(own string) store { return oci(base, lay{ents: files("app", own), pack: "gzip"}) }
	read := map[string]int{}
	var mu sync.Mutex
	o := Opener{Wanted: func(path string, _ int64, _ []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		read[path]++
		return path == "usr/lib/base"
	}}
	broken := image("three")
	for name, b := range broken {
		if string(b) == string(base.shipped()) {
			broken[name] = append(b[:len(b)-9:len(b)-9], "123456789"...)
		}
	}
	refs := []string{image("one").dir(t), tmp(t, "two.tar", image("two").tar()), image("four").dir(t)}
	open := func(ref string) *Function {
		f, err := o.Open(context.Background(), Spec{Ref: ref})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	for i, own := range []string{"one", "two", "four"} {
		f := open(refs[i])
		for path, want := range map[string]string{"usr/lib/base": body, "app": own} {
			if b, err := f.Tree.ReadFile(path); err != nil || string(b) != want {
				t.Errorf("%s of %s: %d bytes, %v", path, own, len(b), err)
			}
		}
	}
	if read["usr/lib/base"] != 1 || read["app"] != 3 {
		t.Errorf("read %v, want the common layer once", read)
	}
	f := open(broken.dir(t))
	if _, err := f.Tree.ReadFile("usr/lib/base"); err == nil {
		t.Error("a layer whose own bytes are not those of its digest is taken from another image")
	}
}

// TestSharedLayersAtOnce: images that are opened at the same time wait for one
// another's layers, and the one whose caller gives up spoils nothing.
func TestSharedLayersAtOnce(t *testing.T) {
	var list []lay
	for i := range 6 {
		list = append(list, lay{ents: files(fmt.Sprint("f", i), strings.Repeat(fmt.Sprint(i), 300_000)), pack: "gzip"})
	}
	dir := filepath.Dir(tmp(t, "0.tar", oci(list...).tar()))
	var o Opener
	var all sync.WaitGroup
	for i := range 8 {
		ref := tmp(t, fmt.Sprint(i, ".tar"), oci(append(list[:6:6], lay{ents: files("own", fmt.Sprint(i))})...).tar())
		all.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if i%4 == 0 {
				cancel()
			}
			f, err := o.Open(ctx, Spec{Ref: ref})
			if i%4 == 0 {
				if err == nil {
					t.Error("opened although cancelled")
				}
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			for k := range 6 {
				if b, err := f.Tree.ReadFile(fmt.Sprint("f", k)); err != nil || len(b) != 300_000 || b[0] != byte('0'+k) {
					t.Errorf("%s, f%d: %d bytes, %v", dir, k, len(b), err)
				}
			}
		})
	}
	all.Wait()
}

// TestSharedLayersBound: what is kept for later images is bounded, and what was
// pushed out is read anew.
func TestSharedLayersBound(t *testing.T) {
	var c sharedLayers
	reads := 0
	get := func(n int) *layer {
		key := Digest(fmt.Sprint("sha256:", n))
		l, err := c.read(t.Context(), key, layerOptions{count: &layerCount{}}, nil, func() (*layer, error) {
			reads++
			return &layer{blob: key, counted: counted{paths: sharedBytes / 4}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for n := range 10 {
		get(n)
	}
	if reads != 10 || len(c.recent) > 4 || len(c.known) != len(c.recent) || c.bytes > sharedBytes {
		t.Errorf("%d reads, %d and %d layers of %d bytes", reads, len(c.recent), len(c.known), c.bytes)
	}
	get(0)
	if reads != 11 {
		t.Errorf("%d reads", reads)
	}
}

// TestSharedLayersCount: a layer that is not read again counts towards the
// limits of the image all the same.
func TestSharedLayersCount(t *testing.T) {
	var ents []tent
	for i := range 40 {
		ents = append(ents, tent{name: fmt.Sprint("f", i), body: "x"})
	}
	base := lay{ents: ents, pack: "gzip"}
	o := Opener{Limits: Limits{MaxEntries: 60}}
	for i, own := range [][]tent{ents[:1], ents} {
		f, err := o.Open(context.Background(), Spec{Ref: oci(base, lay{ents: own, pack: "gzip"}).dir(t)})
		if err == nil {
			f.Close()
		}
		if (err == nil) != (i == 0) {
			t.Errorf("%d entries: %v", 40+len(own), err)
		}
	}
}
