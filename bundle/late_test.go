package bundle

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stillHashing is a pack whose bytes are still being hashed, until end is called.
func stillHashing(body string) *pack {
	p := &pack{kind: KindZip, src: memory(body), copies: []listing{{}, {}}, late: startDigest()}
	p.late.add([]byte(body))
	return p
}

func sumOf(body string) Digest { return Digest(fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(body)))) }

func TestSettle(t *testing.T) {
	code, layer := stillHashing("code"), stillHashing("layer")
	f := &Function{}
	f.add(code, "code", &Opener{})
	f.add(layer, "layer", &Opener{})
	f.Code = f.Volumes[0].Artifact
	if f.Code.Digest != "" || f.Layers[1].Digest != "" || f.Volumes[1].Older.Artifact.Digest != "" {
		t.Error("a digest is known before the bytes are hashed")
	}
	code.late.end()
	layer.late.end()
	for range 2 {
		f.Settle()
		for i, want := range []Digest{sumOf("code"), sumOf("layer")} {
			v := f.Volumes[i]
			if v.Artifact.Digest != want || v.Older.Artifact.Digest != want || f.Layers[i].Digest != want {
				t.Errorf("artifact %d: %q, %q, %q, want %q", i, v.Artifact.Digest, v.Older.Artifact.Digest, f.Layers[i].Digest, want)
			}
		}
		if f.Code.Digest != sumOf("code") {
			t.Errorf("code %q", f.Code.Digest)
		}
	}
}

// Settling does not touch a digest that is known, such as an image's, which is
// not that of its bytes.
func TestSettleKeeps(t *testing.T) {
	p := stillHashing("archive")
	p.late.end()
	f := &Function{}
	f.add(p, "archive", &Opener{})
	f.Layers[0].Digest, f.Code.Digest = "sha256:layer", "sha256:manifest"
	f.Settle()
	if f.Layers[0].Digest != "sha256:layer" || f.Code.Digest != "sha256:manifest" {
		t.Errorf("%q, %q", f.Layers[0].Digest, f.Code.Digest)
	}
}

// The first artifact is not waited for; the second one is compared with it.
func TestSameBytesWaits(t *testing.T) {
	for _, tt := range []struct {
		second string
		shared bool
	}{{"bytes", true}, {"others", false}} {
		synctest.Test(t, func(t *testing.T) {
			var c cache
			first, second := stillHashing("bytes"), stillHashing(tt.second)
			if c.sameBytes(first) != first {
				t.Fatal("the first pack was exchanged")
			}
			second.late.end()
			got := make(chan *pack, 1)
			go func() { got <- c.sameBytes(second) }()
			synctest.Wait()
			if len(got) > 0 {
				t.Error("two artifacts were told apart before both were hashed")
			}
			first.late.end()
			want := second
			if tt.shared {
				want = first
			}
			if p := <-got; p != want {
				t.Errorf("second %q: the wrong pack", tt.second)
			}
			third := stillHashing("bytes")
			third.late.end()
			if c.sameBytes(third) != first {
				t.Error("the first pack is not found under its digest")
			}
		})
	}
}

// A first pack that is gone before it was hashed is no concern of the next.
func TestSameBytesAfterClose(t *testing.T) {
	var o Opener
	first := stillHashing("bytes")
	o.cache.sameBytes(first)
	o.cache.mu.Lock()
	o.cache.drop(first)
	o.cache.mu.Unlock()
	second := stillHashing("bytes")
	if o.cache.sameBytes(second) != second || o.cache.late != second {
		t.Error("the second pack is not the first of those that are open")
	}
	first.late.end()
	second.late.end()
}

func TestBegin(t *testing.T) {
	body := plain("index.js", strings.Repeat("x", 1<<20))
	dir := save(t, "a.zip", string(body), "b.zip", string(body))
	var o Opener
	begin := func(name string) *Function {
		f, err := o.Begin(context.Background(), Spec{Ref: filepath.Join(dir, name)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	a, b := begin("a.zip"), begin("b.zip")
	if a.Volumes[0].pack != b.Volumes[0].pack {
		t.Error("equal bytes are held twice")
	}
	a.Settle()
	b.Settle()
	if want := sumOf(string(body)); a.Code.Digest != want || b.Code.Digest != want {
		t.Errorf("%q and %q, want %q", a.Code.Digest, b.Code.Digest, want)
	}
}

// A file that is written to while it is read is no artifact, whatever came out.
func TestLoadNoticesChange(t *testing.T) {
	before := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, change := range map[string]func(path string) error{
		"same":  func(string) error { return nil },
		"grown": func(path string) error { return os.WriteFile(path, []byte("longer than before"), 0o600) },
		"other": func(path string) error {
			return errors.Join(os.WriteFile(path, []byte("AFTER!"), 0o600), os.Chtimes(path, before, before.Add(time.Second)))
		},
		"cut": func(path string) error { return os.Truncate(path, 2) },
	} {
		for _, size := range []int64{0, memoryBytes} { // in memory; on disk
			path := filepath.Join(save(t, "f", "before"), "f")
			if err := errors.Join(os.Truncate(path, size+6), os.Chtimes(path, before, before)); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			src, sum, err := load(t.Context(), f, info, Limits{}.withDefaults())
			if got := errors.Is(err, errChanged); got != (name != "same") {
				t.Errorf("%s, %d bytes: %v", name, info.Size(), err)
			}
			if err == nil {
				if size == 0 && sum.wait() != sumOf("before") {
					t.Errorf("digest %s", sum.wait())
				}
				src.close()
			}
			if f.Close() == nil {
				t.Errorf("%s, %d bytes: the file is left open", name, info.Size())
			}
		}
	}
}
