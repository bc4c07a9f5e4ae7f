package pull

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Cache is a folder of images, each an OCI layout of its own in
// DIR/<hex of the manifest's digest>, so that what is pulled once is there
// when the next run asks. Layouts share the blobs that they have in common as
// hard links where the file system has them. Processes may share a cache.
type Cache struct {
	Dir      string
	MaxBytes int64 // of all layouts together, blobs that are shared counted for each; 0: 20 GiB
	Now      func() time.Time
}

const (
	// inUse protects a layout that another process may be reading from eviction.
	inUse = time.Hour
	// pullJobs is how many blobs of an image are fetched side by side.
	pullJobs = 4

	tempPrefix = ".pull-"
)

func (c *Cache) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// Layout returns the folder of an OCI layout that holds the image and nothing
// else. Blobs that the cache has are not fetched; their digest is verified all
// the same, and those that rotted are fetched again. The error wraps
// ErrCorrupt if the registry's bytes are not those of the image.
func (c *Cache) Layout(ctx context.Context, img *Image) (string, error) {
	dir := filepath.Join(c.Dir, strings.TrimPrefix(img.Manifest.Digest, "sha256:"))
	if c.intact(ctx, dir, img) {
		now := c.now()
		_ = os.Chtimes(dir, now, now) // only for the order of eviction
		return dir, nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return "", fmt.Errorf("make the image cache: %w", err)
	}
	c.evict(img.Size)
	temp, err := os.MkdirTemp(c.Dir, tempPrefix)
	if err != nil {
		return "", fmt.Errorf("make the image cache: %w", err)
	}
	defer os.RemoveAll(temp)
	if err := c.fill(ctx, temp, img); err != nil {
		return "", fmt.Errorf("pull %s: %w", img.Reference, err)
	}
	if err := c.settle(temp, dir, img); err != nil {
		return "", fmt.Errorf("store %s: %w", img.Reference, err)
	}
	return dir, nil
}

// settle gives a filled layout its name. If another process was faster, its
// layout is as good; one that is damaged gives way.
func (c *Cache) settle(temp, dir string, img *Image) error {
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	err := os.Rename(temp, dir)
	if err == nil {
		return nil
	}
	if c.intact(context.Background(), dir, img) {
		return nil
	}
	old := temp + ".old"
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer os.RemoveAll(old)
	return os.Rename(temp, dir)
}

// intact reports whether a layout holds the image, byte by byte.
func (c *Cache) intact(ctx context.Context, dir string, img *Image) bool {
	index, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil || string(index) != string(img.index()) {
		return false
	}
	for _, d := range append([]Descriptor{img.Manifest}, img.Blobs...) {
		if ctx.Err() != nil || !holds(blobPath(dir, d.Digest), d) {
			return false
		}
	}
	return true
}

// holds reports whether a file is a blob.
func holds(path string, d Descriptor) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() || st.Size() != d.Size {
		return false
	}
	sum := newDigest()
	if _, err := io.Copy(sum, f); err != nil {
		return false
	}
	return sum.String() == d.Digest
}

func blobPath(dir, digest string) string {
	return filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
}

// index is the index.json of the layout.
func (img *Image) index() []byte {
	type index struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Manifests     []Descriptor `json:"manifests"`
	}
	b, err := json.Marshal(index{2, mediaIndex, []Descriptor{img.Manifest}})
	if err != nil {
		return nil // these types cannot fail
	}
	return b
}

// fill makes a layout: first the blobs, last the files that make it one.
func (c *Cache) fill(ctx context.Context, dir string, img *Image) error {
	if err := os.MkdirAll(filepath.Dir(blobPath(dir, img.Manifest.Digest)), 0o755); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(pullJobs)
	for _, d := range img.Blobs {
		g.Go(func() error { return c.blob(ctx, dir, img, d) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for path, b := range map[string][]byte{
		blobPath(dir, img.Manifest.Digest): img.body,
		filepath.Join(dir, "oci-layout"):   []byte(`{"imageLayoutVersion":"1.0.0"}`),
		filepath.Join(dir, "index.json"):   img.index(),
	} {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// blob brings one blob into a layout: from another layout, or the registry.
func (c *Cache) blob(ctx context.Context, dir string, img *Image, d Descriptor) error {
	path := blobPath(dir, d.Digest)
	others, _ := filepath.Glob(blobPath(filepath.Join(escapeGlob(c.Dir), "*"), d.Digest))
	for _, other := range others {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if other != path && os.Link(other, path) == nil {
			if holds(path, d) {
				return nil
			}
			os.Remove(path)
		}
	}
	f, err := os.CreateTemp(dir, "blob-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := img.repo.Blob(ctx, d.Digest, d.Size, f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// escapeGlob keeps a folder's name from being read as a pattern. On Windows,
// where a backslash separates, brackets stay one and match nothing.
func escapeGlob(dir string) string {
	if filepath.Separator == '\\' {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// evict makes room for an image of some bytes: layouts go that were not used
// for longest, and what killed pulls left behind. It does what it can.
func (c *Cache) evict(room int64) {
	limit := c.MaxBytes
	if limit <= 0 {
		limit = 20 << 30
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return
	}
	type layout struct {
		path string
		size int64
		used time.Time
	}
	var list []layout
	total := room
	for _, e := range entries {
		path := filepath.Join(c.Dir, e.Name())
		info, err := e.Info()
		if err != nil || !info.IsDir() || !strings.HasPrefix(e.Name(), tempPrefix) && !isDigest("sha256:"+e.Name()) {
			continue // nothing of ours
		}
		l := layout{path, layoutSize(path), info.ModTime()}
		total += l.size
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b layout) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	for _, l := range list {
		old := c.now().Sub(l.used)
		leftover := strings.HasPrefix(filepath.Base(l.path), tempPrefix) && old > 24*time.Hour
		if old > inUse && total > limit || leftover {
			if os.RemoveAll(l.path) == nil {
				total -= l.size
			}
		}
	}
}

// layoutSize adds up the blobs of a layout.
func layoutSize(dir string) (n int64) {
	entries, err := os.ReadDir(filepath.Join(dir, "blobs", "sha256"))
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}
