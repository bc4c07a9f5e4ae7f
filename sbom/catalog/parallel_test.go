package catalog

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/fnaudit/fnaudit/bundle"
)

func TestInOrder(t *testing.T) {
	for _, lent := range []int{-1, 1, 7} {
		for _, n := range []int{0, 1, 2, batch, batch + 1, 3*batch + 5} {
			h := newHelpers(lent)
			next := 0
			inOrder(t.Context(), h, n, func(i int, r *int, s *scratch) {
				s.buf = append(s.buf[:0], byte(i))
				*r += i + 1 // a result starts at zero, in every batch
			}, func(i int, r *int) {
				if i != next || *r != i+1 {
					t.Fatalf("result %d of %d: got %d for number %d", next, n, *r, i)
				}
				next++
			})
			if next != n || len(h) != 0 {
				t.Errorf("%d of %d results, %d helpers not given back", next, n, len(h))
			}
		}
	}
}

func TestInOrderPanics(t *testing.T) {
	h := newHelpers(3)
	defer func() {
		if p := fmt.Sprint(recover()); p != "number 77" {
			t.Errorf("recovered %q", p)
		}
		if len(h) != 0 {
			t.Errorf("%d helpers not given back", len(h))
		}
	}()
	inOrder(t.Context(), h, 100, func(i int, _ *int, _ *scratch) {
		if i == 77 {
			panic("number 77")
		}
	}, func(int, *int) { t.Error("results of a batch that panicked were used") })
	t.Error("the panic got lost")
}

func TestInOrderCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var worked atomic.Int64
	inOrder(ctx, newHelpers(1), 10*batch, func(i int, _ *int, _ *scratch) {
		if worked.Add(1); i == batch+3 {
			cancel()
		}
	}, func(i int, _ *int) {
		if i >= batch {
			t.Fatal("half a batch was used")
		}
	})
	if n := worked.Load(); n > 2*batch {
		t.Errorf("%d pieces of work after the run was cancelled", n-batch)
	}
}

// TestHelpersChangeNothing catalogues real and odd functions alone and with
// many helpers.
func TestHelpersChangeNothing(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/functions/*.zip")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no functions: %v", err)
	}
	for _, p := range append(paths, oddZip(t)) {
		var o bundle.Opener
		run := func(helpers int, opts Options) string {
			f, err := o.Begin(t.Context(), bundle.Spec{Ref: p})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			opts.Helpers = helpers
			s, err := New(opts).Run(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%+v\n%+v\n%+v\n%+v", s.Components, s.Unknowns, *s.Coverage, f.Notices())
		}
		for _, opts := range []Options{{}, {MaxText: 20_000, MaxUnknowns: 100}} {
			alone := run(-1, opts)
			for range 3 {
				if got := run(8, opts); got != alone {
					t.Errorf("%s, %+v:\nwith helpers %.2000s\nalone %.2000s", p, opts, got, alone)
				}
			}
		}
	}
}

// oddZip has more of everything than fits a batch: scripts, bundles, maps,
// manifests, texts that may be scripts; many of them damaged.
func oddZip(t *testing.T) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name, body string, broken bool) {
		h := &zip.FileHeader{Name: name, Method: zip.Store, CRC32: 1, UncompressedSize64: uint64(len(body)), CompressedSize64: uint64(len(body))}
		w, err := z.CreateRaw(h)
		if !broken {
			w, err = z.Create(name)
		}
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(body))
	}
	for i := range 1500 {
		broken := i%3 == 0
		put(fmt.Sprintf("src/%d.js", i), strings.Repeat("a()\n", i%40)+"//# sourceMappingURL=m.map", broken)
		put(fmt.Sprintf("lib/%d.ts", i), "var __commonJS = "+fmt.Sprint(i), broken)
		put(fmt.Sprintf("bin/%d", i), "#!/bin/sh\necho\n", broken)
		put(fmt.Sprintf("node_modules/p%d/package.json", i), fmt.Sprintf(`{"name":"p%d","version":"1.0.%d"}`, i, i), broken)
	}
	put("src/m.map", `{"sources":["node_modules/x/y.js"]}`, false)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "odd.zip")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLateDigestIsRemembered: a function that was opened before its digest was
// known serves the next one with the same digest.
func TestLateDigestIsRemembered(t *testing.T) {
	f := openZip(t, txtar.File{Name: "node_modules/a/package.json", Data: []byte(`{"name":"a","version":"1"}`)})
	digest := f.Volumes[0].Artifact.Digest
	c := New(Options{})
	late := *f
	first := *f.Volumes[0]
	first.Artifact.Digest = ""
	late.Volumes = []*bundle.Volume{&first}
	s, err := c.Run(t.Context(), &late)
	if err != nil || s.Subject != digest || first.Artifact.Digest != digest {
		t.Fatalf("subject %q, artifact %q, want %q; %v", s.Subject, first.Artifact.Digest, digest, err)
	}
	if p := c.seen[digest]; p == nil || p.err != nil || p.res == nil {
		t.Fatalf("remembered: %+v", p)
	}
	again, err := c.Run(t.Context(), f)
	if err != nil || !reflect.DeepEqual(again, s) {
		t.Errorf("got %+v, %v, want %+v", again, err, s)
	}
}
