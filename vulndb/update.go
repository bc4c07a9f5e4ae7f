package vulndb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Input is one ecosystem's export, on disk.
type Input struct {
	Ecosystem string
	Archive   string    // path of a zip with one <id>.json per advisory, or of a folder with such files
	URL       string    // where it came from, as recorded; empty: Archive
	Folder    bool      // it came from a folder: AsOf is the newest `modified` of all that this update reads from folders
	AsOf      time.Time // Last-Modified of the export; zero: as for Folder, of this ecosystem alone
	ETag      string    // of the export; empty: none
}

// Options are the settings of an update. The zero value works.
type Options struct {
	Now      time.Time      // the clock that says which `modified` lies in the future; zero: time.Now
	Jobs     int            // records parsed side by side; 0: one per CPU
	Progress func(Progress) // called from one goroutine at a time; may be nil
}

// Progress says how far an update is.
type Progress struct {
	Ecosystem string
	Stage     Stage
	Done      int64 // bytes when fetching, records when building
	Total     int64 // 0 when not known
}

// Stage is a step of an update.
type Stage string

// The stages of an update.
const (
	Fetching  Stage = "fetching"
	Building  Stage = "building"
	Unchanged Stage = "unchanged"
	Done      Stage = "done"
)

// String says it on one line: "npm: fetching 12.3 of 40.1 MB".
func (p Progress) String() string {
	switch {
	case p.Stage == Fetching && p.Total > 0:
		return fmt.Sprintf("%s: %s %.1f of %.1f MB", p.Ecosystem, p.Stage, float64(p.Done)/1e6, float64(p.Total)/1e6)
	case p.Stage == Fetching:
		return fmt.Sprintf("%s: %s %.1f MB", p.Ecosystem, p.Stage, float64(p.Done)/1e6)
	case p.Stage == Building:
		return fmt.Sprintf("%s: %s %d of %d records", p.Ecosystem, p.Stage, p.Done, p.Total)
	}
	return fmt.Sprintf("%s: %s, %d records", p.Ecosystem, p.Stage, p.Done)
}

// ErrUnread is wrapped by the error of an update that left out records which
// could not be read. All others are in the store then.
var ErrUnread = errors.New("records could not be read")

// Build puts the exports of some ecosystems into the store in dir, which is
// made if there is none, and keeps the ecosystems that are not among them. One
// input that fails leaves the others in and its ecosystem as it was, and is
// part of the error; the Snapshot is valid then. If nothing changed, nothing
// is written.
func Build(ctx context.Context, dir string, inputs []Input, opts Options) (Snapshot, error) {
	u, err := Begin(ctx, dir, opts)
	if err != nil {
		return Snapshot{}, err
	}
	defer u.Close()
	var errs []error
	for _, in := range inputs {
		if err := u.Put(ctx, in); err != nil {
			if ctx.Err() != nil {
				return Snapshot{}, err
			}
			errs = append(errs, err)
		}
	}
	s, err := u.Commit(ctx)
	return s, errors.Join(append(errs, err)...)
}

// Update is an update of a store under its lock: Begin, Put for each
// ecosystem, Commit, Close. Until Commit returns, readers see the store as it
// was; a process that dies in between changes nothing. It is not safe for
// concurrent use.
type Update struct {
	dir      string
	opts     Options
	lock     *os.File
	previous Snapshot
	fresh    map[string]Source // what Put made, by ecosystem
	temps    map[string]string // temporary file of a fresh source, by ecosystem
	syncs    errgroup.Group
	unread   []error
	adopted  map[string]bool // ecosystems whose source was taken over as it is
	fetched  []string        // files that an adoption brought and no snapshot names yet
}

// lockPoll is how often a writer looks whether the lock is free.
const lockPoll = 50 * time.Millisecond

// Begin takes the store's lock, waiting until ctx ends if another update has
// it, and removes what a killed update left. A store that cannot be read is
// taken for an empty one, so that an update repairs it.
func Begin(ctx context.Context, dir string, opts Options) (*Update, error) {
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	if opts.Jobs <= 0 {
		opts.Jobs = runtime.GOMAXPROCS(0)
	}
	if opts.Progress == nil {
		opts.Progress = func(Progress) {}
	}
	if err := os.MkdirAll(filepath.Join(dir, ecoDir), 0o755); err != nil {
		return nil, fmt.Errorf("update store: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock store: %w", err)
	}
	for {
		ok, err := tryLock(lock)
		if err != nil {
			lock.Close()
			return nil, fmt.Errorf("lock store %s: %w", dir, err)
		}
		if ok {
			break
		}
		select {
		case <-ctx.Done():
			lock.Close()
			return nil, fmt.Errorf("lock store %s, which another process updates: %w", dir, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
	u := &Update{dir: dir, opts: opts, lock: lock, fresh: map[string]Source{}, temps: map[string]string{}, adopted: map[string]bool{}}
	u.removeTemps()
	u.previous, err = ReadSnapshot(dir)
	if err != nil && !errors.Is(err, ErrNoStore) && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrFormat) {
		u.Close()
		return nil, err
	}
	return u, nil
}

// Previous says what the store knew when the update began. It is empty for a
// new or unreadable store.
func (u *Update) Previous() Snapshot { return u.previous }

// Temp makes a file for a download, in the store's folder so that it is
// removed even if the process dies: by the next update.
func (u *Update) Temp() (*os.File, error) {
	f, err := os.CreateTemp(filepath.Join(u.dir, ecoDir), "*"+tempSuffix)
	if err != nil {
		return nil, fmt.Errorf("make temporary file: %w", err)
	}
	return f, nil
}

// Intact reports whether the store's file of an ecosystem is the one that the
// previous snapshot names, by its digest. Only then may its export be left
// unread because it has not changed.
func (u *Update) Intact(ecosystem string) bool {
	src, ok := u.previous.Source(ecosystem)
	if !ok {
		return false
	}
	path := filepath.Join(u.dir, ecoDir, src.File)
	sum, err := digestFile(path)
	if err != nil || sum != src.Digest {
		return false
	}
	f, err := openSource(u.dir, &src)
	if err != nil {
		return false
	}
	f.blob.close()
	return true
}

// Keep records that an ecosystem's export has not changed since the previous
// update. asOf, if not zero, is a newer date of the same content.
func (u *Update) Keep(ecosystem string, asOf time.Time, etag string) {
	src, _ := u.previous.Source(ecosystem)
	src.Via = ""
	if !asOf.IsZero() {
		src.AsOf = asOf
	}
	if etag != "" {
		src.ETag = etag
	}
	u.put(src)
	u.opts.Progress(Progress{Ecosystem: ecosystem, Stage: Unchanged, Done: int64(src.Records), Total: int64(src.Records)})
}

func (u *Update) put(src Source) {
	u.fresh[src.Ecosystem] = src
	if src.Unread > 0 {
		u.unread = append(u.unread, fmt.Errorf("%s: %d %w: %s", src.Ecosystem, src.Unread, ErrUnread, strings.Join(src.UnreadIDs, ", ")))
	}
}

// Put builds the file of one ecosystem from its export, or keeps the one that
// is there if the export is the same. The file becomes part of the store with
// Commit.
func (u *Update) Put(ctx context.Context, in Input) error {
	if Base(in.Ecosystem) != in.Ecosystem || in.Ecosystem == "" || len(in.Ecosystem) > maxEcoName {
		return fmt.Errorf("build %q: not the name of an ecosystem without a release", clip(in.Ecosystem, 80))
	}
	if in.URL == "" {
		in.URL = in.Archive
	}
	arch, err := openArchive(in.Archive)
	if err != nil {
		return fmt.Errorf("build %s: %w", in.Ecosystem, err)
	}
	defer arch.close()
	if prev, ok := u.previous.Source(in.Ecosystem); ok && prev.Export == arch.digest && u.Intact(in.Ecosystem) {
		prev.URL, prev.Folder, prev.ETag, prev.Via = in.URL, in.Folder, in.ETag, ""
		if !in.AsOf.IsZero() {
			prev.AsOf = in.AsOf
		}
		u.put(prev)
		u.opts.Progress(Progress{Ecosystem: in.Ecosystem, Stage: Unchanged, Done: int64(prev.Records), Total: int64(prev.Records)})
		return nil
	}
	src, temp, err := u.compile(ctx, in, arch)
	if err != nil {
		return fmt.Errorf("build %s: %w", in.Ecosystem, err)
	}
	if old := u.temps[in.Ecosystem]; old != "" {
		os.Remove(old)
	}
	u.temps[in.Ecosystem] = temp
	u.put(src)
	u.opts.Progress(Progress{Ecosystem: in.Ecosystem, Stage: Done, Done: int64(src.Records), Total: int64(src.Records)})
	return nil
}

// compile writes an ecosystem's file under a temporary name and starts to
// bring it to the disk.
func (u *Update) compile(ctx context.Context, in Input, arch *archive) (src Source, temp string, err error) {
	spill, err := u.Temp()
	if err != nil {
		return src, "", err
	}
	defer os.Remove(spill.Name())
	defer spill.Close()
	out, err := u.Temp()
	if err != nil {
		return src, "", err
	}
	defer func() {
		if err != nil {
			out.Close()
			os.Remove(out.Name())
		}
	}()
	w := newFdbWriter(in.Ecosystem, spill)
	report, err := arch.read(ctx, u.opts, in.Ecosystem, w)
	if err != nil {
		return src, "", err
	}
	h, err := w.write(ctx, out, u.opts.Jobs)
	if err != nil {
		return src, "", err
	}
	if err = out.Chmod(0o644); err != nil && runtime.GOOS != "windows" {
		return src, "", fmt.Errorf("write store: %w", err)
	}
	digest, err := digestFile(out.Name())
	if err != nil {
		return src, "", fmt.Errorf("write store: %w", err)
	}
	u.syncs.Go(func() error {
		if err := errors.Join(out.Sync(), out.Close()); err != nil {
			return fmt.Errorf("write store: %w", err)
		}
		return nil
	})
	src = Source{
		Ecosystem: in.Ecosystem, File: fileName(in.Ecosystem, digest), Digest: digest, Size: int64(h.size),
		Records: int(h.records), Packages: int(h.packages), URL: in.URL, Folder: in.Folder,
		AsOf: in.AsOf, Modified: report.modified, ETag: in.ETag, Export: arch.digest,
		Unread: report.unread, UnreadIDs: report.names,
	}
	if src.AsOf.IsZero() {
		src.AsOf = src.Modified
	}
	return src, out.Name(), nil
}

// Commit makes what was put the store's content: new files first, then the
// snapshot by one rename, then old files go. It returns the new snapshot; the
// error wraps ErrUnread if records had to be left out, and then the snapshot
// is valid nevertheless.
func (u *Update) Commit(ctx context.Context) (Snapshot, error) {
	if err := u.syncs.Wait(); err != nil {
		return u.previous, err
	}
	if err := ctx.Err(); err != nil {
		return u.previous, fmt.Errorf("update store: %w", err)
	}
	if len(u.fresh) == 0 {
		return u.previous, nil // everything failed, or nothing was asked for
	}
	s := newSnapshot(u.sources(), false)
	for eco, temp := range u.temps {
		if err := os.Rename(temp, filepath.Join(u.dir, ecoDir, u.fresh[eco].File)); err != nil {
			return u.previous, fmt.Errorf("write store: %w", err)
		}
		delete(u.temps, eco)
	}
	if err := u.replaceSnapshot(s); err != nil {
		return u.previous, err
	}
	u.collect(s)
	return s, errors.Join(u.unread...)
}

// sources merges what is new with what stays.
func (u *Update) sources() []Source {
	var newest time.Time // of everything that this update read from folders
	for _, src := range u.fresh {
		if src.Folder && !u.adopted[src.Ecosystem] {
			newest = later(newest, src.Modified)
		}
	}
	var list []Source
	for _, src := range u.fresh {
		if src.Folder && !u.adopted[src.Ecosystem] {
			src.AsOf = newest
		}
		list = append(list, src)
	}
	for _, src := range u.previous.Sources {
		if _, ok := u.fresh[src.Ecosystem]; !ok {
			list = append(list, src)
		}
	}
	return list
}

func (u *Update) replaceSnapshot(s Snapshot) error {
	b, err := s.encode()
	if err != nil {
		return err
	}
	path := filepath.Join(u.dir, snapshotName)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, b) {
		return nil
	}
	if err := syncDir(filepath.Join(u.dir, ecoDir)); err != nil {
		return fmt.Errorf("write store: %w", err)
	}
	f, err := os.CreateTemp(u.dir, snapshotName+"-*"+tempSuffix)
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	_, err = f.Write(b)
	if runtime.GOOS != "windows" {
		err = errors.Join(err, f.Chmod(0o644))
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write snapshot: %w", err)
	}
	if err := syncDir(u.dir); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}

// rename replaces a file. On Windows that fails for the moment in which a
// reader has the old one open, so it is tried for a while.
func rename(from, to string) error {
	for try := 0; ; try++ {
		err := os.Rename(from, to)
		if err == nil || runtime.GOOS != "windows" || try == 50 {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// collect removes files that the snapshot does not name. Readers that have one
// open keep it: on Unix an unlinked file stays mapped, on Windows the removal
// fails and the next update tries again.
func (u *Update) collect(s Snapshot) {
	entries, err := os.ReadDir(filepath.Join(u.dir, ecoDir))
	if err != nil {
		return
	}
	for _, e := range entries {
		named := slices.ContainsFunc(s.Sources, func(src Source) bool { return src.File == e.Name() })
		if !named && strings.HasSuffix(e.Name(), fdbSuffix) {
			os.Remove(filepath.Join(u.dir, ecoDir, e.Name()))
		}
	}
}

// Close releases the lock and removes what was not committed.
func (u *Update) Close() error {
	if u.lock == nil {
		return nil
	}
	u.syncs.Wait()
	u.removeTemps()
	err := u.lock.Close()
	u.lock = nil
	if err != nil {
		return fmt.Errorf("unlock store: %w", err)
	}
	return nil
}

// removeTemps removes temporary files. Only the holder of the lock makes any.
func (u *Update) removeTemps() {
	for _, pattern := range []string{filepath.Join(ecoDir, "*"+tempSuffix), snapshotName + "-*" + tempSuffix} {
		found, _ := filepath.Glob(filepath.Join(escapeGlob(u.dir), pattern))
		for _, p := range found {
			os.Remove(p)
		}
	}
}

// escapeGlob keeps a folder's name from being read as a pattern.
func escapeGlob(dir string) string {
	if runtime.GOOS == "windows" {
		return dir // a backslash separates there; brackets stay a pattern, which then matches nothing
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

func digestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}
