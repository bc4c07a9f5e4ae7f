package bundle

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// ImageManifest is the manifest of a container image, or an index of several,
// by its bytes: what the signatures of images are over. Its digest was compared
// with them.
type ImageManifest struct {
	Digest    Digest
	MediaType string
	Body      []byte
	Platform  string        // "linux/amd64"; "" when not said, or of an index
	Indexes   []ManifestRef // that name it, directly or through another; sorted by digest
}

// ManifestRef names a manifest or an index as a descriptor does (image-spec 1.1,
// descriptor.md). Its digest was compared with its bytes.
type ManifestRef struct {
	Digest    Digest
	MediaType string
	Size      int64
}

// Layout reads the documents of an OCI layout: a folder, or an archive of one.
// What it returns by digest has that digest. It is not safe for concurrent use.
type Layout struct {
	ref   string
	files layoutFiles
	lim   Limits
}

// ErrNoLayout is wrapped by the error for what holds no index.json.
var ErrNoLayout = errors.New("no OCI image layout")

// OpenLayout opens the layout at a path: a folder or a tar, which may be
// compressed. The caller closes the result.
func OpenLayout(ctx context.Context, path string, lim Limits) (*Layout, error) {
	lim = lim.withDefaults()
	files, err := openLayoutFiles(ctx, path, lim)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	l := &Layout{ref: path, files: files, lim: lim}
	if _, err := files.part("index.json"); err != nil {
		files.Close()
		if errors.Is(err, fs.ErrNotExist) { // what is there is no layout: that is not a missing path
			return nil, fmt.Errorf("open %s: no index.json in it; save the image as an OCI layout or archive: %w", path, ErrNoLayout)
		}
		return nil, fmt.Errorf("open %s: read index.json: %w", path, err)
	}
	return l, nil
}

func openLayoutFiles(ctx context.Context, path string, lim Limits) (layoutFiles, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, short(err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		f.Close()
		root, err := os.OpenRoot(path)
		if err != nil {
			return nil, short(err)
		}
		return &layout{root: root, files: map[string]*part{}}, nil
	case !info.Mode().IsRegular():
		err = fmt.Errorf("neither a folder nor a file: %w", ErrUnknownKind)
	default:
		r := new(Opener).imageRead(lim, wish{})
		src := newBlocks(f, info.Size())
		if err = r.archive(ctx, src); err == nil {
			return archiveFiles{r.ps.(*archive), src}, nil
		}
	}
	f.Close()
	return nil, err
}

// IsLayout says whether a path is a folder with a layout, or looks like an archive
// of one: an uncompressed one by the names in it, a compressed one by the first
// name, since the others would mean to unpack it. [OpenLayout] knows for sure.
func IsLayout(ctx context.Context, path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	if info.IsDir() {
		kind, err := sniffFolder(path)
		return err == nil && kind == KindLayout
	}
	if !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, tarBlock)
	n, _ := f.ReadAt(head, 0)
	if !isTar(head[:n]) {
		return packedLayout(f)
	}
	a, err := listArchive(ctx, section{f, info.Size()}, Limits{}.withDefaults(), &noticeLog{max: 1})
	return err == nil && a.entries["index.json"] != nil && a.entries["oci-layout"] != nil
}

// maxSniffed bounds in bytes what is unpacked to see the first names of an archive.
const maxSniffed = 64 << 10

// packedLayout looks at the first entry of a compressed archive that is not the
// folder itself. A layout has nothing else in it than what is named here, and
// docker save adds two files.
func packedLayout(f io.Reader) bool {
	in := bufio.NewReader(f)
	var plain io.Reader
	switch head, _ := in.Peek(4); {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(in)
		if err != nil {
			return false
		}
		plain = z
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return false
		}
		defer z.Close()
		plain = z
	default:
		return false
	}
	tr := tar.NewReader(io.LimitReader(plain, maxSniffed))
	for {
		h, err := tr.Next()
		if err != nil {
			return false
		}
		switch name := strings.Trim(strings.TrimPrefix(h.Name, "./"), "/"); name {
		case "", ".":
		case "oci-layout", "index.json", "blobs", "manifest.json", "repositories":
			return true
		default:
			return strings.HasPrefix(name, "blobs/")
		}
	}
}

// Close releases the files.
func (l *Layout) Close() error { return l.files.Close() }

// Image returns the manifest that is meant: the one with a digest, which may be
// that of an index; else the one that a name means, as behind "#" in a path; else
// the only image of the layout. Signatures and other things that lie beside an
// image are none. Several images are a [SeveralImages] error.
func (l *Layout) Image(ctx context.Context, name string, digest Digest) (*ImageManifest, error) {
	m, err := l.image(name, digest)
	if err != nil {
		return nil, fmt.Errorf("find the image of %s: %w", l.ref, err)
	}
	if m.Indexes, err = l.above(ctx, m.Digest); err != nil {
		return nil, fmt.Errorf("find the image of %s: %w", l.ref, err)
	}
	return m, nil
}

func (l *Layout) image(name string, digest Digest) (*ImageManifest, error) {
	if digest == "" {
		c := chooser{ps: l.files, lim: l.lim}
		f, err := c.choose(wish{name: name})
		if err != nil {
			return nil, err
		}
		return &ImageManifest{Digest: f.desc.Digest, MediaType: mediaType(f.m), Body: f.raw, Platform: f.desc.Platform.String()}, nil
	}
	body, err := l.document(digest, l.lim.MaxManifestBytes)
	if err != nil {
		return nil, err
	}
	m, err := parseManifest(body)
	if err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", digest, err)
	}
	return &ImageManifest{Digest: digest, MediaType: mediaType(m), Body: body}, nil
}

// mediaType is what a manifest says that it is, or must be by its shape: the
// field is optional in those of OCI (manifest.md).
func mediaType(m *manifest) string {
	switch {
	case m.MediaType != "":
		return m.MediaType
	case m.isIndex():
		return typeOCIIndex
	}
	return typeOCIManifest
}

// document reads a blob of at most most bytes, and compares its digest.
func (l *Layout) document(digest Digest, most int64) ([]byte, error) {
	name, err := digest.blobName()
	if err != nil {
		return nil, err
	}
	data, whole, err := l.files.read(name, most)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no blob %s in it: %w", digest, ErrUnreadable)
	case err != nil:
		return nil, fmt.Errorf("read blob %s: %w", digest, err)
	case !whole:
		return nil, fmt.Errorf("blob %s has more than %d bytes: %w", digest, most, ErrUnreadable)
	}
	if got := digestOfBytes(data); got != digest {
		return nil, &WrongDigest{Digest: digest, Got: got}
	}
	return data, nil
}

// WrongDigest is the error for a blob whose content is another than its name says.
type WrongDigest struct{ Digest, Got Digest }

func (e *WrongDigest) Error() string {
	return fmt.Sprintf("blob %s has the digest %s: its content was changed", e.Digest, e.Got)
}

func (e *WrongDigest) Unwrap() error { return ErrUnreadable }

// top reads index.json.
func (l *Layout) top() (*manifest, error) {
	data, whole, err := l.files.read("index.json", l.lim.MaxManifestBytes)
	if err == nil && !whole {
		err = fmt.Errorf("over the limit MaxManifestBytes of %d: %w", l.lim.MaxManifestBytes, ErrUnreadable)
	}
	if err != nil {
		return nil, fmt.Errorf("read index.json: %w", err)
	}
	m, err := parseManifest(data)
	if err != nil {
		return nil, fmt.Errorf("read index.json: %w", err)
	}
	return m, nil
}

// above lists the indexes that lead from index.json to a manifest. An index that
// is not there or is damaged leads nowhere: then its signature counts for
// nothing below it.
func (l *Layout) above(ctx context.Context, digest Digest) ([]ManifestRef, error) {
	top, err := l.top()
	if err != nil {
		return nil, err
	}
	parents, refs := map[Digest][]Digest{}, map[Digest]ManifestRef{}
	level, seen := top.indexes(), map[Digest]bool{}
	for range maxIndexDepth {
		var next []Digest
		for _, d := range level {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if seen[d] {
				continue
			}
			if seen[d] = true; len(seen) > l.lim.MaxManifests {
				return nil, fmt.Errorf("more indexes than MaxManifests, %d: %w", l.lim.MaxManifests, ErrUnreadable)
			}
			body, err := l.document(d, l.lim.MaxManifestBytes)
			if err != nil {
				continue
			}
			m, err := parseManifest(body)
			if err != nil || !m.isIndex() {
				continue
			}
			refs[d] = ManifestRef{d, mediaType(m), int64(len(body))}
			for i := range m.Manifests {
				child := m.Manifests[i].Digest
				parents[child] = append(parents[child], d)
			}
			next = append(next, m.indexes()...)
		}
		level = next
	}
	var out []ManifestRef
	for _, d := range ancestors(parents, digest) {
		out = append(out, refs[d])
	}
	return out, nil
}

// indexes lists what an index says are indexes.
func (m *manifest) indexes() []Digest {
	var out []Digest
	for _, d := range m.Manifests {
		if d.MediaType == typeOCIIndex || d.MediaType == typeDockerList {
			out = append(out, d.Digest)
		}
	}
	return out
}

// ancestors walks up from a digest, each step once.
func ancestors(parents map[Digest][]Digest, digest Digest) []Digest {
	var out []Digest
	for todo := []Digest{digest}; len(todo) > 0; todo = todo[1:] {
		for _, p := range parents[todo[0]] {
			if p != digest && !slices.Contains(out, p) {
				out = append(out, p)
				todo = append(todo, p)
			}
		}
	}
	slices.SortFunc(out, func(a, b Digest) int { return strings.Compare(string(a), string(b)) })
	return out
}
