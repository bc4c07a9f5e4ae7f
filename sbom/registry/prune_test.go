package registry

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestPrune(t *testing.T) {
	now := getDay
	const hour = time.Hour
	for name, tt := range map[string]struct {
		o           Pruning
		files, kept int
	}{
		"nothing":           {Pruning{Most: -1}, 0, 4},
		"old":               {Pruning{Older: 48 * hour, Most: -1}, 2, 2},
		"counted only":      {Pruning{Older: 48 * hour, Most: -1, Dry: true}, 2, 2},
		"too much":          {Pruning{Most: 25}, 2, 2},
		"all but the young": {Pruning{Most: 0}, 3, 1},
		"either":            {Pruning{Older: 72 * hour, Most: 35}, 1, 3},
	} {
		dir := t.TempDir()
		c := &Client{Dir: dir}
		for kind, age := range map[string]time.Duration{"answers": time.Minute, "facts": 24 * hour, "extracts": 49 * hour, "archives": 96 * hour} {
			c.writeFile(kind, hash(kind), []byte("ten bytes."))
			at := now.Add(-age)
			if err := os.Chtimes(c.filePath(kind, hash(kind)), at, at); err != nil {
				t.Fatal(err)
			}
		}
		stay := []string{"note.txt", "archives/note.txt", "archives/aa/note.txt", "answers/aa/" + hash("x"), "temp/x.tmp", "other/aa/" + hash("x")}
		for _, s := range stay { // none of these is an entry
			path := filepath.Join(dir, filepath.FromSlash(s))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600), os.Chtimes(path, time.Unix(0, 0), time.Unix(0, 0))); err != nil {
				t.Fatal(err)
			}
		}
		p, err := Prune(t.Context(), dir, now, tt.o)
		if want := (Pruned{tt.files, int64(10 * tt.files), tt.kept, int64(10 * tt.kept)}); err != nil || p != want {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		left := 0
		for _, kind := range []string{"answers", "facts", "extracts", "archives"} {
			if _, ok := c.readFile(kind, hash(kind), 10); ok {
				left++
			}
		}
		if tt.o.Dry {
			left -= tt.files
		}
		if left != tt.kept {
			t.Errorf("%s: %d files are left", name, left)
		}
		for _, s := range stay {
			if _, err := os.Stat(filepath.Join(dir, s)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := Prune(t.Context(), filepath.Join(t.TempDir(), "none"), now, Pruning{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no cache: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	c := &Client{Dir: t.TempDir()}
	c.writeFile("facts", hash("x"), []byte("x"))
	if _, err := Prune(ctx, c.Dir, now.Add(1000*hour), Pruning{Most: 0}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
