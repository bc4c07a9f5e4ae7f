package vulndb

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"time"
)

// exportMode is the mode that every member of an export has.
const exportMode = 0o644

// Export writes a store, or some of its ecosystems and its feeds, as one file: a tar archive
// of snapshot.json and then the files that it names, in its order, with fixed
// owners, modes and dates. The same snapshot gives the same bytes. It is not
// compressed, because the files are; and it is a store's folder, so that `tar
// -x` makes one as well. The digest of each file is verified while it is
// written: a damaged store is not passed on.
func Export(ctx context.Context, dir string, ecosystems []string, w io.Writer) (Snapshot, error) {
	s, b, err := Offer(dir, ecosystems)
	if err != nil {
		return Snapshot{}, fmt.Errorf("export store: %w", err)
	}
	t := tar.NewWriter(w)
	if err := t.WriteHeader(exportHeader(snapshotName, int64(len(b)), s.BuiltAt)); err != nil {
		return Snapshot{}, fmt.Errorf("write export: %w", err)
	}
	if _, err := t.Write(b); err != nil {
		return Snapshot{}, fmt.Errorf("write export: %w", err)
	}
	for _, file := range s.Files() {
		if err := exportFile(ctx, t, dir, file, s.BuiltAt); err != nil {
			return Snapshot{}, fmt.Errorf("export %s: %w", file.Of, err)
		}
	}
	if err := t.Close(); err != nil {
		return Snapshot{}, fmt.Errorf("write export: %w", err)
	}
	return s, nil
}

// Offer returns the snapshot of a store, or of some of its ecosystems, as it is
// passed on (Snapshot.Shared), and the bytes of its snapshot.json.
func Offer(dir string, ecosystems []string) (Snapshot, []byte, error) {
	all, err := ReadSnapshot(dir)
	if err != nil {
		return Snapshot{}, nil, advise(err)
	}
	s, err := all.Only(ecosystems)
	if err != nil {
		return Snapshot{}, nil, err
	}
	s = s.Shared()
	b, err := s.encode()
	return s, b, err
}

func exportHeader(name string, size int64, at time.Time) *tar.Header {
	if at.Unix() < 0 {
		at = time.Unix(0, 0)
	}
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: exportMode, ModTime: at.UTC().Truncate(time.Second)}
}

func exportFile(ctx context.Context, t *tar.Writer, dir string, src File, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := os.Open(src.Path(dir))
	if err != nil {
		return advise(fmt.Errorf("%w: %w", err, ErrDamaged))
	}
	defer f.Close()
	if err := t.WriteHeader(exportHeader(src.Name, src.Size, at)); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(t, sum), io.LimitReader(f, src.Size))
	if err != nil {
		return err
	}
	if more, _ := f.Read(make([]byte, 1)); n != src.Size || more > 0 || "sha256:"+hex.EncodeToString(sum.Sum(nil)) != src.Digest {
		return advise(damaged("%s is not what the snapshot says", path.Base(src.Name)))
	}
	return nil
}

// ErrNotExport is wrapped by the error for a file that Export did not write.
var ErrNotExport = errors.New("not an export of an advisory store")

// ImportFrom takes over what Export wrote, as Adopt does. It reads r to its end and
// accepts nothing but what Export writes: any other member, order, name or
// trailing byte is an error. digest, if not empty, is the "sha256:..." that the
// whole file must have. What is wrong with the file is found before the store
// changes.
func ImportFrom(ctx context.Context, dir string, r io.Reader, digest string, o AdoptOptions) (Snapshot, error) {
	sum := sha256.New()
	in := &importer{raw: io.TeeReader(r, sum)}
	in.tar = tar.NewReader(in.raw)
	s, err := in.snapshot()
	if err != nil {
		return Snapshot{}, fmt.Errorf("import store: %w", err)
	}
	in.rest = s.Files()
	now, err := adopt(ctx, dir, s, o, in.file, func() error {
		if err := in.end(ctx); err != nil {
			return err
		}
		if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); digest != "" && got != digest {
			return fmt.Errorf("the file's digest is %s, want %s", got, digest)
		}
		return nil
	})
	if err != nil {
		return now, fmt.Errorf("import store: %w", err)
	}
	return now, nil
}

// importer reads an export from front to back.
type importer struct {
	raw  io.Reader // what tar reads from, for what lies behind the archive
	tar  *tar.Reader
	rest []File // still to come
}

// next returns the next member, which has to be the one that Export would
// have written.
func (in *importer) next(name string, limit int64) (*tar.Header, error) {
	h, err := in.tar.Next()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%w: it ends before %s", ErrNotExport, name)
	case err != nil && !errors.Is(err, tar.ErrHeader) && !errors.Is(err, tar.ErrFieldTooLong) && !errors.Is(err, tar.ErrInsecurePath):
		return nil, fmt.Errorf("read the export: %w", err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNotExport, err)
	case h.Name != name || h.Typeflag != tar.TypeReg || h.Linkname != "":
		return nil, fmt.Errorf("%w: member %q where %s has to be", ErrNotExport, clip(h.Name, 120), name)
	case !unextended(h):
		return nil, fmt.Errorf("%w: %s is stored in an odd way", ErrNotExport, name)
	case h.Size < 0 || h.Size > limit:
		return nil, fmt.Errorf("%w: %s has %d bytes, over %d", ErrNotExport, name, h.Size, limit)
	}
	return h, nil
}

// unextended says whether a header needs no extension but that of a long name: a
// sparse file, for one, has any size without having the bytes.
func unextended(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if key != "path" {
			return false
		}
	}
	return true
}

func (in *importer) snapshot() (Snapshot, error) {
	h, err := in.next(snapshotName, maxSnapshot)
	if err != nil {
		return Snapshot{}, err
	}
	b, err := io.ReadAll(in.tar)
	if err != nil {
		return Snapshot{}, cut(err, snapshotName)
	}
	s, err := ParseSnapshot(b)
	if err != nil {
		return Snapshot{}, err
	}
	// What Export wrote is spelled in one way only, so that one snapshot has one file.
	if again, err := s.encode(); err != nil || int64(len(again)) != h.Size || !bytes.Equal(again, b) {
		return Snapshot{}, fmt.Errorf("%w: its %s is not spelled as one", ErrNotExport, snapshotName)
	}
	return s, nil
}

// file writes a file to f, and reads over those before it.
func (in *importer) file(ctx context.Context, src File, f *os.File) error {
	for len(in.rest) > 0 {
		s := in.rest[0]
		if s.Name != src.Name {
			if err := in.copy(ctx, s, io.Discard); err != nil {
				return err
			}
			continue
		}
		return in.copy(ctx, s, f)
	}
	return fmt.Errorf("%w: it has no %s", ErrNotExport, src.Name)
}

// copy reads the next member, which is s.
func (in *importer) copy(ctx context.Context, s File, w io.Writer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name := s.Name
	h, err := in.next(name, s.Size)
	if err != nil {
		return err
	}
	if h.Size != s.Size {
		return fmt.Errorf("%w: %s has %d bytes, its snapshot says %d", ErrNotExport, name, h.Size, s.Size)
	}
	in.rest = in.rest[1:]
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(w, sum), in.tar, s.Size); err != nil {
		return cut(err, name)
	}
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); got != s.Digest {
		return damaged("the digest of %s is %s", name, got)
	}
	return nil
}

// end reads what is left: the files that were not asked for, and nothing else.
func (in *importer) end(ctx context.Context) error {
	for len(in.rest) > 0 {
		if err := in.copy(ctx, in.rest[0], io.Discard); err != nil {
			return err
		}
	}
	if _, err := in.tar.Next(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: there is more in it than its snapshot names", ErrNotExport)
	}
	if n, err := io.CopyN(io.Discard, in.raw, 1); n > 0 {
		return fmt.Errorf("%w: there are bytes behind its end", ErrNotExport)
	} else if !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the export: %w", err)
	}
	return nil
}

// cut says that a file ends too early.
func cut(err error, name string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends inside %s", ErrNotExport, name)
	}
	return fmt.Errorf("read %s of the export: %w", name, err)
}
