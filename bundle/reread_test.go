package bundle

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// largeFiles are what does not fit the budget for contents, and small ones
// between them.
func largeFiles() []tent {
	rnd := rand.New(rand.NewPCG(5, 6))
	var ents []tent
	for i := range 16 {
		b := make([]byte, 1500_000+rnd.IntN(1_000_000))
		for j := range b { // half of it can be packed
			b[j] = byte(rnd.Uint32() & 0xf)
		}
		ents = append(ents, tent{name: fmt.Sprintf("f%02d", i*7%16), body: string(b)})
		ents = append(ents, files(fmt.Sprintf("s%02d", i), fmt.Sprint(i))...)
	}
	return ents
}

// TestRereadCost: reading what was not kept inflates little more than that, in
// a gzip layer in any order, and in the order of the layer in one of zstd, also
// when two read side by side.
func TestRereadCost(t *testing.T) {
	ents := largeFiles()
	var sum int64
	for _, e := range ents {
		sum += int64(len(e.body))
	}
	for pack, most := range map[string]float64{"gzip": 1.6, "zstd": 2.1} {
		t.Run(pack, func(t *testing.T) {
			o := Opener{Limits: Limits{MaxKeptBytes: 8 << 20}}
			f, err := o.Open(t.Context(), Spec{Ref: oci(lay{ents: ents, pack: pack}).dir(t)})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			v := f.Volumes[0]
			order := make([]int, len(v.Files()))
			for i := range order {
				order[i] = i
			}
			if pack == "zstd" {
				slices.SortFunc(order, v.Compare)
			}
			var next sync.Mutex
			var all sync.WaitGroup
			at := 0
			for range 2 {
				all.Go(func() {
					for {
						next.Lock()
						i := at
						at++
						next.Unlock()
						if i >= len(order) {
							return
						}
						p := v.Files()[order[i]].Path
						c, err := v.Tree().Content(p)
						if err != nil {
							t.Error(err)
							return
						}
						want := ents[slices.IndexFunc(ents, func(e tent) bool { return e.name == p })].body
						got := make([]byte, len(want))
						if _, err := c.ReadAt(got[:1], int64(len(want)-1)); err != nil && err != io.EOF { // the end first
							t.Errorf("%s: %v", p, err)
						}
						if _, err := c.ReadAt(got, 0); err != nil && err != io.EOF || string(got) != want {
							t.Errorf("%s: other bytes, %v", p, err)
						}
						c.Close()
					}
				})
			}
			all.Wait()
			if cost := float64(v.pack.layers.reread) / float64(sum); cost > most || cost == 0 {
				t.Errorf("inflated %.2f times what there is, want at most %.1f", cost, most)
			}
		})
	}
}

// TestHeadsAreKept: the first bytes of every file are at hand, whatever else
// took up the budget.
func TestHeadsAreKept(t *testing.T) {
	o := Opener{Limits: Limits{MaxKeptBytes: 8 << 20}}
	f, err := o.Open(t.Context(), Spec{Ref: oci(lay{ents: largeFiles(), pack: "gzip"}).dir(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var head [headBytes]byte
	for _, file := range f.Tree.Files() {
		if n, err := f.Tree.Peek(file.Path, head[:]); err != nil || int64(n) != min(file.Size, headBytes) {
			t.Errorf("%s: %d bytes, %v", file.Path, n, err)
		}
	}
	if n := f.Volumes[0].pack.layers.reread; n > 0 {
		t.Errorf("inflated %d bytes again", n)
	}
}

// TestRereadAfterClose: a reader that is late gets an error.
func TestRereadAfterClose(t *testing.T) {
	o := Opener{Limits: Limits{MaxKeptBytes: 1}}
	f, err := o.Open(t.Context(), Spec{Ref: oci(lay{ents: largeFiles()[:2], pack: "gzip"}).dir(t)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Tree.Content("f00")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if n, err := io.Copy(io.Discard, c); err == nil {
		t.Errorf("%d bytes of a closed image", n)
	}
}

// TestRecent: the last places are known, with windows of their own.
func TestRecent(t *testing.T) {
	var r recent
	if _, ok := r.before(1 << 40); ok {
		t.Error("a place in nothing")
	}
	window := []byte{0}
	for i := range 40 {
		window[0] = byte(i)
		r.put(int64(i*100), int64(i), window)
	}
	for off, want := range map[int64]int{3950: 39, 3900: 39, 3899: 38, 2400: 24, 2399: -1, 0: -1} {
		p, ok := r.before(off)
		if ok != (want >= 0) || ok && (p.out != int64(want*100) || !bytes.Equal(p.window, []byte{byte(want)})) {
			t.Errorf("before %d: %+v, %v, want %d", off, p, ok, want)
		}
	}
	got := mergePoints([]restart{{out: 5}, {out: 30}}, []restart{{out: 10}, {out: 30}, {out: 40}})
	if len(got) != 4 || got[0].out != 5 || got[1].out != 10 || got[3].out != 40 {
		t.Errorf("merged %+v", got)
	}
}

// TestCompare: files come in the order of the artifact.
func TestCompare(t *testing.T) {
	ents := append(files("z", "1", "a", "2"), files("m", "3")...)
	f, err := openImage(t, oci(lay{ents: ents, pack: "gzip"}, lay{ents: files("b", "4")}).dir(t), Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v := f.Volumes[0]
	order := []int{0, 1, 2, 3}
	slices.SortFunc(order, v.Compare)
	var got string
	for _, i := range order {
		got += v.Files()[i].Path
	}
	if got != "zamb" {
		t.Errorf("order %q", got)
	}
	if i, ok := v.Find("m"); !ok || v.Files()[i].Path != "m" {
		t.Errorf("m at %d, %v", i, ok)
	}
	if _, ok := v.Find("c"); ok {
		t.Error("c is there")
	}
}
