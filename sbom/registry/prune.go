package registry

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Pruning says what goes from a cache.
type Pruning struct {
	Older time.Duration // what was written longer ago than this; 0: nothing for its age
	Most  int64         // bytes that may stay, the newest first; negative: any number
	Dry   bool          // only counts
}

// Pruned is what went from a cache, or with Dry would go, and what stays.
type Pruned struct {
	Files     int   `json:"files"`
	Bytes     int64 `json:"bytes"`
	Kept      int   `json:"kept"`
	KeptBytes int64 `json:"keptBytes"`
}

// pruneGrace is how old what is removed is at the least: a run that wrote it may
// still need it.
const pruneGrace = time.Hour

// cacheEntry is a file of a cache.
type cacheEntry struct {
	path string
	size int64
	at   time.Time
}

// Prune removes from the cache in a folder what is old, and the oldest of what
// is too much. All of it can be asked for again; what another run needs
// meanwhile is to that as if it had never been there. What lies in the folder
// and is no entry stays. The error is fs.ErrNotExist when there is no cache.
func Prune(ctx context.Context, dir string, now time.Time, o Pruning) (Pruned, error) {
	if _, err := os.Stat(dir); err != nil {
		return Pruned{}, err
	}
	list, err := cacheEntries(ctx, dir)
	if err != nil {
		return Pruned{}, err
	}
	slices.SortFunc(list, func(a, b cacheEntry) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.path, b.path)) })
	var p Pruned
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return p, err
		}
		age := now.Sub(e.at)
		goes := age >= pruneGrace && (o.Older > 0 && age > o.Older || o.Most >= 0 && p.KeptBytes+e.size > o.Most)
		if !goes {
			p.Kept, p.KeptBytes = p.Kept+1, p.KeptBytes+e.size
			continue
		}
		if !o.Dry {
			if err := os.Remove(e.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return p, err
			}
		}
		p.Files, p.Bytes = p.Files+1, p.Bytes+e.size
	}
	return p, nil
}

// cacheEntries lists the files of a cache that lie where filePath puts them.
func cacheEntries(ctx context.Context, dir string) (list []cacheEntry, err error) {
	for _, kind := range []string{"answers", "facts", "archives", "extracts"} {
		folders, err := os.ReadDir(filepath.Join(dir, kind))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, f := range folders {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if !f.IsDir() || len(f.Name()) != 2 {
				continue
			}
			files, err := os.ReadDir(filepath.Join(dir, kind, f.Name()))
			if err != nil {
				return nil, err
			}
			for _, one := range files {
				name := one.Name()
				info, err := one.Info()
				if err != nil || !info.Mode().IsRegular() || hexSum("sha256", name) != name || name[:2] != f.Name() {
					continue // removed meanwhile, or none of ours
				}
				list = append(list, cacheEntry{filepath.Join(dir, kind, f.Name(), name), info.Size(), info.ModTime()})
			}
		}
	}
	return list, nil
}
