package catalog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	stereofile "github.com/anchore/stereoscope/pkg/file"
	"github.com/anchore/syft/syft/file"
	"github.com/bmatcuk/doublestar/v4"
)

// view is a syft file.Resolver that shows a chosen part of one artifact.
// Choosing keeps a cataloger from what it has no business with (licence texts,
// which it would scan for seconds; files that only look like packages) and
// makes globs cheap. Each file appears once, under its own path.
type view struct {
	a     *artifact
	limit int64 // bytes of one file, enforced for text
	files []string
	set   map[string]bool
	mime  map[string]string // path -> MIME type, for executables
	text  bool              // contents are small manifests: read whole, without a byte order mark

	content []byte // of the one file in view, when it was read before; nil: read it from the artifact

	// named keeps the view from matching any pattern but "**/NAME". Some
	// catalogers make patterns out of what they read in a file, to look for
	// licence texts beside it: matching those can take exponential time.
	named bool

	// reduce, when set, leaves of a text what the cataloger needs. It is for
	// parsers whose time grows with the square of what they are given.
	reduce func(p string, data []byte) []byte

	mu      sync.Mutex
	stopped bool
	failed  []failure // what could not be read
}

// failure is a file that a cataloger asked for and did not get.
type failure struct {
	path string
	err  error
}

// stop cuts off a cataloger that was given up on: it gets no more content, and
// nothing that it does reaches the artifact.
func (v *view) stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stopped = true
}

// newView shows the regular files that choose accepts, as text of at most
// limit bytes each.
func (a *artifact) newView(limit int64, choose func(p string) bool) *view {
	v := &view{a: a, limit: limit, set: map[string]bool{}, text: true}
	for i := range a.files {
		if f := &a.files[i]; choose(f.Path) {
			if f.Link != "" && !v.worthFollowing(f.Path, choose) {
				continue
			}
			v.files = append(v.files, f.Path)
			v.set[f.Path] = true
		}
	}
	return v
}

// viewOf shows one file and matches no pattern but "**/NAME". mime is that of an
// executable, "" for a text, whose content may have been read before.
func (a *artifact) viewOf(p, mime string, limit int64, content []byte) *view {
	v := &view{a: a, limit: limit, files: []string{p}, set: map[string]bool{p: true}, text: mime == "", content: content, named: true}
	if mime != "" {
		v.mime = map[string]string{p: mime}
	}
	return v
}

// worthFollowing reports whether a link leads to a file that is not in the
// view under its own name.
func (v *view) worthFollowing(p string, choose func(p string) bool) bool {
	t, err := v.a.tree.Resolve(p)
	if err != nil {
		v.a.unread(p, err)
		return false
	}
	return !choose(t.Path)
}

func (v *view) HasPath(p string) bool { return v.set[clean(p)] }

func (v *view) FilesByPath(paths ...string) ([]file.Location, error) {
	var out []file.Location
	for _, p := range paths {
		if p = clean(p); v.set[p] {
			out = append(out, file.NewLocation(p))
		}
	}
	return out, nil
}

func (v *view) FilesByGlob(patterns ...string) ([]file.Location, error) {
	var out []file.Location
	seen := map[string]bool{}
	for _, pattern := range patterns {
		pattern = strings.TrimPrefix(pattern, "/")
		if name, ok := strings.CutPrefix(pattern, "**/"); v.named && (!ok || strings.ContainsAny(name, `/*?[{\}`)) {
			continue
		}
		if dir, ok := strings.CutSuffix(pattern, "/*"); ok && !strings.HasPrefix(pattern, "**/") {
			// the folder of a package, to look for licence texts: no pattern, whatever its name
			for _, p := range v.files {
				if dirOf(p) == dir && !seen[p] {
					seen[p] = true
					out = append(out, file.NewLocation(p))
				}
			}
			continue
		}
		base := pattern[strings.LastIndexByte(pattern, '/')+1:]
		literal := !strings.ContainsAny(base, `*?[{\}`)
		for _, p := range v.files {
			if seen[p] || literal && path.Base(p) != base {
				continue
			}
			ok, err := doublestar.Match(pattern, p)
			if err != nil {
				return nil, fmt.Errorf("match glob %q: %w", pattern, err)
			}
			if ok {
				seen[p] = true
				out = append(out, file.NewLocation(p))
			}
		}
	}
	return out, nil
}

func (v *view) FilesByMIMEType(types ...string) ([]file.Location, error) {
	var out []file.Location
	for _, p := range v.files {
		if m := v.mime[p]; m != "" && slices.Contains(types, m) {
			out = append(out, file.NewLocation(p))
		}
	}
	return out, nil
}

func (v *view) RelativeFileByPath(_ file.Location, p string) *file.Location {
	if p = clean(p); v.set[p] {
		l := file.NewLocation(p)
		return &l
	}
	return nil
}

func (v *view) AllLocations(ctx context.Context) <-chan file.Location {
	ch := make(chan file.Location)
	go func() {
		defer close(ch)
		for _, p := range v.files {
			select {
			case ch <- file.NewLocation(p):
			case <-ctx.Done():
				return
			}
		}
	}()
	return ch
}

func (v *view) FileMetadataByLocation(l file.Location) (file.Metadata, error) {
	p := clean(l.RealPath)
	if !v.set[p] {
		return file.Metadata{}, fmt.Errorf("stat %s: %w", p, fs.ErrNotExist)
	}
	f := v.a.files[v.a.byPath[p]]
	return file.Metadata{
		FileInfo: stereofile.ManualInfo{NameValue: path.Base(p), SizeValue: f.Size, ModeValue: f.Mode},
		Path:     p, Type: stereofile.TypeRegular, MIMEType: v.mime[p],
	}, nil
}

func (v *view) FileContentsByLocation(l file.Location) (io.ReadCloser, error) {
	p := clean(l.RealPath)
	if !v.set[p] {
		return nil, fmt.Errorf("open %s: %w", p, fs.ErrNotExist)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stopped {
		return nil, fmt.Errorf("open %s: %w", p, fs.ErrClosed)
	}
	if !v.text {
		return v.a.native(p)
	}
	if v.content != nil {
		return &memory{*bytes.NewReader(v.content)}, nil
	}
	data, err := v.a.read(p, v.limit)
	if err == nil && strings.HasSuffix(p, ".json") {
		err = v.a.checkJSON(data)
	}
	if err != nil {
		v.failed = append(v.failed, failure{p, err}) // not every cataloger passes on what it could not open
		return nil, err
	}
	if v.reduce != nil {
		data = v.reduce(p, data)
	}
	return &memory{*bytes.NewReader(data)}, nil
}

// memory is content held in memory, with every way of reading that syft asks for.
type memory struct{ bytes.Reader }

func (*memory) Close() error { return nil }

func clean(p string) string { return strings.TrimPrefix(path.Clean("/"+p), "/") }

var _ file.Resolver = (*view)(nil)
