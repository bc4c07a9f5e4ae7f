package bundle

import (
	"context"
	"fmt"
	"io"
	"os"
)

// Raw is the bytes of one shipped file, whatever it is: what a signature is
// over. It is safe for concurrent use. Every read gives the bytes that the
// digest was taken over, or an error.
type Raw struct {
	Ref  string
	Size int64 // bytes

	src  source
	late *digester
}

// OpenRaw reads the file that a path names. Folders are not files: they have no
// bytes to sign. The caller closes the result.
func OpenRaw(ctx context.Context, path string, lim Limits) (*Raw, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("open %s: not a regular file, so there are no bytes that a signature could be over: %w", path, ErrUnknownKind)
	}
	src, late, err := load(ctx, f, info, lim.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &Raw{Ref: path, Size: src.size(), src: src, late: late}, nil
}

// Digest is of all bytes. It waits until they are hashed.
func (r *Raw) Digest() Digest { return r.late.wait() }

// ReadAt implements [io.ReaderAt].
func (r *Raw) ReadAt(p []byte, off int64) (int, error) { return r.src.ReadAt(p, off) }

// Close releases the file.
func (r *Raw) Close() error { return r.src.close() }

// Raw returns the bytes of the artifact as they were shipped, and how many
// there are; nil for what is no single file (a directory, an image). Every read
// gives the bytes that Artifact.Digest was taken over, or an error.
func (v *Volume) Raw() (io.ReaderAt, int64) {
	if v.pack.src == nil || v.pack.root != nil || v.pack.image != nil {
		return nil, 0
	}
	return v.pack.src, v.pack.src.size()
}
