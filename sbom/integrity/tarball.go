package integrity

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Limits on published archives. What is over them is left, with the reason.
const (
	maxArchive      = 256 << 20 // bytes as published
	maxArchiveFiles = 100_000
	maxUnpacked     = 1 << 30   // bytes of one archive
	maxUnpackedAll  = 8 << 30   // bytes of all archives of one run
	maxListed       = 1_000_000 // files of all archives of one run
	maxManifest     = 1 << 20   // bytes of a package.json that is looked into
)

// listing is what a published archive holds: path without its first element,
// which npm drops when it unpacks, to what is there.
type listing struct {
	files    map[string]published
	manifest []byte // package.json; nil when there is none, or a longer one than maxManifest
	unpacked int64  // bytes that had to be unpacked to list it
}

type published struct {
	sha256 string // raw bytes
	size   int64
}

// readArchive lists an archive of npm: a gzipped tar. Of a path that comes
// twice the last counts, as it does for who unpacks it. budget is how many bytes
// may be unpacked; what was is returned, also with an error.
func readArchive(ctx context.Context, a *registry.Archive, budget int64) (_ *listing, unpacked int64, err error) {
	if a.Size > maxArchive {
		return nil, 0, errArchive
	}
	return readTarball(ctx, io.NewSectionReader(a.Bytes, 0, a.Size), budget)
}

// errArchive says that an archive is larger than what is read of one.
var errArchive = fmt.Errorf("its published archive is larger than %d MiB", maxArchive>>20)

// readTarball is readArchive of bytes that come one after the other.
func readTarball(ctx context.Context, r io.Reader, budget int64) (_ *listing, unpacked int64, err error) {
	z, err := gzip.NewReader(bufio.NewReaderSize(r, 32<<10))
	if err != nil {
		return nil, 0, fmt.Errorf("its published archive cannot be unpacked: %w", err)
	}
	limit := min(maxUnpacked, budget)
	counted := &io.LimitedReader{R: z, N: limit + 1}
	l := &listing{files: map[string]published{}}
	defer func() {
		unpacked = limit + 1 - counted.N
		l.unpacked = unpacked
	}()
	h, t := sha256.New(), tar.NewReader(counted)
	for ctx.Err() == nil {
		head, err := t.Next()
		if err == io.EOF {
			return l, 0, nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, 0, unpackError(counted, err)
		}
		if head.Typeflag != tar.TypeReg {
			continue // npm unpacks files only
		}
		_, name, ok := strings.Cut(strings.TrimLeft(head.Name, "/"), "/")
		if name = path.Clean(name); !ok || !inside(name) {
			continue
		}
		if len(l.files) == maxArchiveFiles {
			return nil, 0, fmt.Errorf("its published archive holds more than %d files", maxArchiveFiles)
		}
		h.Reset()
		var keep io.Writer = io.Discard
		manifest := &limitedBuffer{left: maxManifest}
		if name == "package.json" {
			keep = manifest
		}
		n, err := io.Copy(io.MultiWriter(h, keep), t)
		if err != nil {
			return nil, 0, unpackError(counted, err)
		}
		l.files[name] = published{string(h.Sum(nil)), n}
		if name == "package.json" {
			l.manifest = manifest.bytes()
		}
	}
	return nil, 0, ctx.Err()
}

// inside reports whether a clean path leads to something in the folder that it starts in.
func inside(name string) bool {
	return name != "." && name != ".." && !strings.HasPrefix(name, "../") && !strings.HasPrefix(name, "/")
}

func unpackError(counted *io.LimitedReader, err error) error {
	if counted.N <= 0 {
		return errors.New("its published archive unpacks to more than is read")
	}
	return fmt.Errorf("its published archive cannot be unpacked: %w", err)
}

// limitedBuffer keeps what fits.
type limitedBuffer struct {
	data []byte
	left int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left >= 0 {
		b.data = append(b.data, p...)
	}
	return len(p), nil
}

// bytes returns what was written; nil when not all of it fitted.
func (b *limitedBuffer) bytes() []byte {
	if b.left < 0 {
		return nil
	}
	return b.data
}
