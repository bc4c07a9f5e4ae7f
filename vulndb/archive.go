package vulndb

import (
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

	// An export may inflate to maxInflated, plus maxRatio times its own size:
	// real ones inflate 2.4 times, a zip bomb whose members share their bytes
	// without end. What is over it is no export.
	maxInflated = 256 << 20
	maxRatio    = 100
)

// archive is one ecosystem's export: a zip, or a folder with the same files.
type archive struct {
	digest string // "sha256:..." of the zip, or over the sorted names and contents of a folder
	count  int    // files in it
	size   int64  // bytes of the zip; 0 for a folder
	zip    *zipReader
	file   *os.File // of the zip
	dir    string
	names  []string // of a folder

	mu       sync.Mutex // guards next
	at       int
	inflated atomic.Int64
}

// archived is one record of an export.
type archived struct {
	name string
	zip  zipMember // when path is ""
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
	if a.count > maxRecords {
		a.close()
		return nil, fmt.Errorf("read %s: %d files, over %d", path, a.count, maxRecords)
	}
	return a, nil
}

func openZip(path string) (_ *archive, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	z, err := newZipReader(f, size)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &archive{
		digest: "sha256:" + hex.EncodeToString(sum.Sum(nil)),
		count:  int(min(z.members, maxRecords+1)), size: size, zip: z, file: f,
	}, nil
}

func openFolder(dir string) (*archive, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	a := &archive{dir: dir}
	sum := sha256.New()
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") || e.IsDir() {
			continue
		}
		digest, err := digestFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(sum, "%s %s\n", digest, e.Name())
		a.names = append(a.names, e.Name())
	}
	a.count = len(a.names)
	a.digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return a, nil
}

func (a *archive) close() {
	if a.file != nil {
		a.file.Close()
	}
}

// next fills batch with the next records and returns how many; 0 at the end.
func (a *archive) next(batch []archived) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for n < len(batch) {
		if a.zip == nil {
			if a.at == len(a.names) {
				break
			}
			name := a.names[a.at]
			batch[n] = archived{name: name, path: filepath.Join(a.dir, name)}
			a.at++
			n++
			continue
		}
		m, err := a.zip.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		// Any member may be a record: a zip's directory has no checksum, and a
		// name that lost its ending must not lose the advisory.
		if !m.folder() {
			batch[n] = archived{name: m.name, zip: m}
			n++
		}
	}
	return n, nil
}

// readReport says what came of reading an export.
type readReport struct {
	modified time.Time // newest that is not in the future
	records  int
	foreign  int // records without an entry of the ecosystem
	strays   int // files that are no records
	unread   int
	names    []string // of the unread, sorted, the first of them
}

// add counts what a worker could not read.
func (r *readReport) add(unread []string) {
	r.unread += len(unread)
	r.names = append(r.names, unread...)
	if len(r.names) > 50*maxUnreadNames { // an export of nothing but rubbish must not be kept in memory
		r.cut()
	}
}

func (r *readReport) cut() {
	slices.SortFunc(r.names, cmp.Compare[string])
	r.names = r.names[:min(len(r.names), maxUnreadNames)]
	for i, n := range r.names {
		r.names[i] = clip(n, maxName)
	}
}

// read parses every record, several at a time, and adds it to w. A record that
// cannot be read is counted and named. When more than one in ten cannot, it is
// the export that is damaged, and an error.
func (a *archive) read(ctx context.Context, opts Options, input *Input, w *fdbWriter) (readReport, error) {
	var (
		report readReport
		mu     sync.Mutex // guards report and done
		done   int64
	)
	total, ecosystem := int64(a.count), input.Ecosystem
	g, gctx := errgroup.WithContext(ctx)
	for range opts.Jobs {
		g.Go(func() error {
			in := inflater{arch: a}
			files := make([]archived, batchSize)
			var enc []byte
			for {
				n, err := a.next(files)
				if err != nil || n == 0 {
					return err
				}
				if err := gctx.Err(); err != nil {
					return err
				}
				var newest time.Time
				var unread []string
				records, foreign, strays := 0, 0, 0
				for i := range files[:n] {
					data, err := in.read(&files[i])
					if err != nil && !errors.Is(err, errRecordSize) {
						return fmt.Errorf("read %s: %w", clip(files[i].name, 120), err)
					}
					var adv *Advisory
					if err == nil {
						adv, err = parseView(data) // shares the memory of data, which ends with the next read
					}
					if err != nil {
						switch {
						case files[i].path != "" && !errors.Is(err, errRecordSize) && Stray(data):
							strays++
							if opts.Stray != nil {
								opts.Stray(files[i].path)
							}
						case strings.HasSuffix(files[i].name, ".json") || errors.Is(err, errRecordSize):
							unread = append(unread, files[i].name)
						}
						continue // a README needs no record in it
					}
					if input.Only && !slices.ContainsFunc(adv.Affected, func(e Affected) bool { return e.of(ecosystem) }) {
						continue
					}
					if input.private() {
						if err := misplaced(ecosystem, adv); err != nil {
							return fmt.Errorf("record %s: %w", clip(files[i].name, 120), err)
						}
					}
					if !adv.Modified.After(opts.Now) {
						newest = later(newest, adv.Modified)
					}
					p := prepare(ecosystem, adv, enc[:0])
					if err := w.add(&p); err != nil {
						return err
					}
					enc = p.data
					records++
					if len(p.names) == 0 {
						foreign++
					}
				}
				mu.Lock()
				report.modified = later(report.modified, newest)
				report.records += records
				report.foreign += foreign
				report.strays += strays
				report.add(unread)
				done += int64(n)
				opts.Progress(Progress{Ecosystem: ecosystem, Stage: Building, Done: done, Total: total})
				mu.Unlock()
			}
		})
	}
	if err := g.Wait(); err != nil {
		return report, err
	}
	report.cut()
	if report.records+report.unread == 0 {
		return report, errors.New("there is no advisory in the export")
	}
	// OSV's export of an ecosystem holds the records that name it. One that was
	// swapped for another's would make a store that covers all and knows nothing.
	if report.foreign*2 > report.records && !input.private() {
		return report, fmt.Errorf("%d of %d records are about other ecosystems: it is the export of another one", report.foreign, report.records)
	}
	if total -= int64(report.strays); int64(report.unread)*10 > total {
		return report, fmt.Errorf("%d of %d %w, such as %s", report.unread, total, ErrUnread, clip(report.names[0], 120))
	}
	return report, nil
}

// misplaced says why a record of one's own would not be found among those of an
// ecosystem. One that names no package only takes the place of another record.
func misplaced(ecosystem string, a *Advisory) error {
	if len(a.Affected) == 0 || !a.Withdrawn.IsZero() {
		return nil
	}
	here := false
	for i := range a.Affected {
		e := &a.Affected[i]
		here = here || e.of(ecosystem)
		if base := Base(e.Ecosystem); !known(base) && !e.of("GIT") {
			return fmt.Errorf("it names the ecosystem %q: %w", clip(base, 80), ErrUnknownEcosystem)
		}
	}
	if !here {
		return fmt.Errorf("it names %s and lies among the records of %s, where nobody would find it; move it to where its ecosystem is", clip(a.Affected[0].Ecosystem, 80), ecosystem)
	}
	return nil
}

// newest returns the latest `modified` of the records that can be read and are
// not in the future.
func (a *archive) newest(ctx context.Context, opts Options) (time.Time, error) {
	times := make([]time.Time, opts.Jobs)
	g, ctx := errgroup.WithContext(ctx)
	for i := range times {
		g.Go(func() error {
			in := inflater{arch: a}
			files := make([]archived, batchSize)
			for {
				n, err := a.next(files)
				if err != nil || n == 0 {
					return err
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				for k := range files[:n] {
					data, err := in.read(&files[k])
					if errors.Is(err, errRecordSize) {
						continue
					}
					if err != nil {
						return err
					}
					if adv, err := parseView(data); err == nil && !adv.Modified.After(opts.Now) {
						times[i] = later(times[i], adv.Modified)
					}
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return time.Time{}, err
	}
	return slices.MaxFunc(times, time.Time.Compare), nil
}

// inflater reads records and keeps its buffers between them.
type inflater struct {
	arch   *archive
	r      io.ReadCloser
	packed []byte
	raw    bytes.Reader
	buf    []byte
}

var (
	errRecordSize = fmt.Errorf("over %d bytes", MaxRecord)
	errInflated   = errors.New("the export inflates to more than any export does")
	errMember     = errors.New("it does not have its size and checksum")
	errMethod     = errors.New("it is encrypted or compressed in a way that exports are not")
)

// read returns the content of a record, valid until the next call. Sizes and
// checksum of the zip are verified.
func (in *inflater) read(f *archived) ([]byte, error) {
	if f.path != "" {
		src, err := os.Open(f.path)
		if err != nil {
			return nil, err
		}
		defer src.Close()
		b, err := in.fill(src, 64<<10, MaxRecord)
		if len(b) > MaxRecord {
			return nil, errRecordSize
		}
		return b, err
	}
	m := &f.zip
	if m.size > MaxRecord || m.packed > MaxRecord {
		return nil, errRecordSize
	}
	if total := in.arch.inflated.Add(int64(m.size)); total > maxInflated+maxRatio*in.arch.size {
		return nil, errInflated
	}
	if m.flags&zipFlagEnc != 0 {
		return nil, errMethod
	}
	body, grown, err := in.arch.zip.read(m, in.packed)
	in.packed = grown
	if err != nil {
		return nil, err
	}
	b := body
	switch m.method {
	case zipStored:
	case zipDeflated:
		in.raw.Reset(body)
		if in.r == nil {
			in.r = flate.NewReader(&in.raw)
		} else if err := in.r.(flate.Resetter).Reset(&in.raw, nil); err != nil {
			return nil, err
		}
		if b, err = in.fill(in.r, int(m.size), int(m.size)); err != nil {
			return nil, err
		}
	default:
		return nil, errMethod
	}
	if uint64(len(b)) != m.size || crc32.ChecksumIEEE(b) != m.crc {
		return nil, errMember
	}
	return b, nil
}

// fill reads r into the buffer, of which size bytes are expected, to its end
// or until there are more than limit.
func (in *inflater) fill(r io.Reader, size, limit int) ([]byte, error) {
	b := slices.Grow(in.buf[:0], size+1)
	for len(b) <= limit {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		in.buf = b
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}
