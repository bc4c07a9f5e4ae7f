package vulndb

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/flate"
	"golang.org/x/sync/errgroup"
)

// Limits on an export.
const (
	maxRecords     = 4_000_000 // files in one export; the largest real one has about 250,000
	maxUnreadNames = 20        // names of unreadable records that a snapshot keeps
	batchSize      = 64        // records that a worker takes at a time
)

// archive is one ecosystem's export: a zip, or a folder with the same files.
type archive struct {
	files  []archived
	digest string // "sha256:..." of the zip, or over the sorted names and contents of a folder
	closer io.Closer
}

// archived is one record of an export.
type archived struct {
	name string
	zip  *zip.File // nil: a file at path
	path string
}

func openArchive(path string) (*archive, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var a *archive
	if st.IsDir() {
		a, err = openFolder(path)
	} else {
		a, err = openZip(path)
	}
	if err != nil {
		return nil, err
	}
	if len(a.files) > maxRecords {
		a.close()
		return nil, fmt.Errorf("read %s: %d files, over %d", path, len(a.files), maxRecords)
	}
	return a, nil
}

func openZip(path string) (*archive, error) {
	digest, err := digestFile(path)
	if err != nil {
		return nil, err
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	a := &archive{digest: digest, closer: z, files: make([]archived, 0, len(z.File))}
	for _, f := range z.File {
		// Any member may be a record: a zip's directory has no checksum, and a
		// name that lost its ending must not lose the advisory.
		if !strings.HasSuffix(f.Name, "/") {
			a.files = append(a.files, archived{name: f.Name, zip: f})
		}
	}
	return a, nil
}

func openFolder(dir string) (*archive, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	a := &archive{}
	sum := sha256.New()
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") || e.IsDir() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		digest, err := digestFile(path)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(sum, "%s %s\n", digest, e.Name())
		a.files = append(a.files, archived{name: e.Name(), path: path})
	}
	a.digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return a, nil
}

func (a *archive) close() {
	if a.closer != nil {
		a.closer.Close()
	}
}

// readReport says what came of reading an export.
type readReport struct {
	modified time.Time // newest that is not in the future
	unread   int
	names    []string
}

// read parses every record, several at a time, and adds it to w. A record that
// cannot be read is counted and named. When more than one in ten cannot, it is
// the export that is damaged, and an error.
func (a *archive) read(ctx context.Context, opts Options, ecosystem string, w *fdbWriter) (readReport, error) {
	var (
		report readReport
		mu     sync.Mutex
		next   atomic.Int64
		done   int64
	)
	total := int64(len(a.files))
	g, gctx := errgroup.WithContext(ctx)
	for range opts.Jobs {
		g.Go(func() error {
			var in inflater
			batch := make([]prepared, 0, batchSize)
			for {
				start := next.Add(batchSize) - batchSize
				if start >= total {
					return nil
				}
				if err := gctx.Err(); err != nil {
					return err
				}
				batch = batch[:0]
				var newest time.Time
				var unread []string
				files := a.files[start:min(start+batchSize, total)]
				for i := range files {
					data, err := in.read(&files[i])
					if err != nil {
						return fmt.Errorf("read %s: %w", files[i].name, err)
					}
					adv, err := ParseRecord(data)
					if err != nil {
						if strings.HasSuffix(files[i].name, ".json") {
							unread = append(unread, files[i].name)
						}
						continue // a README needs no record in it
					}
					if !adv.Modified.After(opts.Now) {
						newest = later(newest, adv.Modified)
					}
					batch = append(batch, prepare(ecosystem, adv))
				}
				if err := w.add(batch); err != nil {
					return err
				}
				mu.Lock()
				report.modified = later(report.modified, newest)
				report.unread += len(unread)
				report.names = append(report.names, unread...)
				done += int64(len(files))
				opts.Progress(Progress{Ecosystem: ecosystem, Stage: Building, Done: done, Total: total})
				mu.Unlock()
			}
		})
	}
	if err := g.Wait(); err != nil {
		return report, err
	}
	slices.SortFunc(report.names, cmp.Compare[string])
	if len(w.records)+report.unread == 0 {
		return report, errors.New("there is no advisory in the export")
	}
	if int64(report.unread)*10 > total {
		return report, fmt.Errorf("%d of %d %w, such as %s", report.unread, total, ErrUnread, clip(report.names[0], 120))
	}
	report.names = report.names[:min(len(report.names), maxUnreadNames)]
	return report, nil
}

// inflater reads records and keeps its buffers between them.
type inflater struct {
	r      io.ReadCloser
	packed bytes.Buffer
	buf    bytes.Buffer
}

var errRecordSize = fmt.Errorf("over %d bytes", MaxRecord)

// read returns the content of a record, valid until the next call. Sizes and
// checksum of the zip are verified.
func (in *inflater) read(f *archived) ([]byte, error) {
	in.buf.Reset()
	if f.zip == nil {
		src, err := os.Open(f.path)
		if err != nil {
			return nil, err
		}
		defer src.Close()
		return in.fill(src)
	}
	src, err := f.zip.OpenRaw()
	if err != nil {
		return nil, err
	}
	// The inflater reads a slice faster than a file.
	in.packed.Reset()
	if n, err := in.packed.ReadFrom(io.LimitReader(src, MaxRecord+1)); err != nil {
		return nil, err
	} else if n > MaxRecord {
		return nil, errRecordSize
	}
	raw := bytes.NewReader(in.packed.Bytes())
	var b []byte
	switch f.zip.Method {
	case zip.Store:
		b, err = in.fill(raw)
	case zip.Deflate:
		if in.r == nil {
			in.r = flate.NewReader(raw)
		} else if err := in.r.(flate.Resetter).Reset(raw, nil); err != nil {
			return nil, err
		}
		b, err = in.fill(in.r)
	default:
		err = zip.ErrAlgorithm
	}
	if err != nil {
		return nil, err
	}
	if uint64(len(b)) != f.zip.UncompressedSize64 || crc32.ChecksumIEEE(b) != f.zip.CRC32 {
		return nil, zip.ErrChecksum
	}
	return b, nil
}

func (in *inflater) fill(r io.Reader) ([]byte, error) {
	n, err := in.buf.ReadFrom(io.LimitReader(r, MaxRecord+1))
	if err != nil {
		return nil, err
	}
	if n > MaxRecord {
		return nil, errRecordSize
	}
	return in.buf.Bytes(), nil
}
