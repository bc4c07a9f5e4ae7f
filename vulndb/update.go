package vulndb

import (
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

	"github.com/fnaudit/fnaudit/vulndb/disk"
)

// Input is one ecosystem's export, on disk.
type Input struct {
	Ecosystem string
	Archive   string    // path of a zip with one <id>.json per advisory, or of a folder with such files
	URL       string    // where it came from, as recorded; empty: Archive
	Folder    bool      // it came from a folder: AsOf is the newest `modified` of what this update reads of it, see Date
	AsOf      time.Time // Last-Modified of the export; zero: as for Folder, of this ecosystem alone
	ETag      string    // of the export; empty: none
	Origin    string    // name of the source; empty: DefaultOrigin
	Only      bool      // the folder holds records of several ecosystems: leave out those without an entry of this one
	ListETag  string    // of the list of records, see Patch; empty: none

	listed bool // the list of records says so, and not the export
}

// Options are the settings of an update. The zero value works.
type Options struct {
	Now      time.Time      // the clock that says which `modified` lies in the future; zero: time.Now
	Jobs     int            // records parsed side by side; 0: one per CPU
	Progress func(Progress) // called from one goroutine at a time; may be nil
	Stray    func(string)   // told the path of each file of a folder that is no record, see [Stray]; from any goroutine, may be nil

	AllowOlder bool // take an export that is older than the one in the store

	parts bool // keep the beginnings of files that a killed adoption left
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

// ErrBackwards is wrapped by the error for an export from the same address that
// is older than the one in the store: whoever can replay yesterday's export, or
// a mirror that fell behind, would hide today's advisories.
var ErrBackwards = errors.New("the export is older than before")

// ErrUnknownEcosystem is wrapped by the error for advisories of one's own that
// no package can match. OSV's export may have an ecosystem that is newer than
// this program; whoever writes a record by hand has misspelt one.
var ErrUnknownEcosystem = errors.New("OSV has no such ecosystem, so no package would match it; its names are those of the OSV schema, such as npm, PyPI, crates.io")

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
	origins  []Origin            // what there is to be after this update; lowest precedence first
	fresh    map[partKey]Source  // what Put made
	temps    map[string]tempFile // files that are not in place yet, by the name that they get
	syncs    errgroup.Group
	unread   []error
	adopted  map[partKey]bool     // what was taken over as it is
	fetched  []string             // files that an adoption brought and no snapshot names yet
	dates    map[string]time.Time // by origin: see Date

	feeds       []Feed            // what there is to be after this update; sorted by name
	feedOrigins []Origin          // likewise
	feedTemps   map[string]string // their files that are not in place yet, by the name that they get
}

// partKey names what one origin gives to one ecosystem.
type partKey struct{ ecosystem, origin string }

// tempFile is a file of the store under its temporary name.
type tempFile struct {
	path string
	size int64
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
		ok, err := disk.TryLock(lock)
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
	u := &Update{dir: dir, opts: opts, lock: lock, fresh: map[partKey]Source{}, temps: map[string]tempFile{}, adopted: map[partKey]bool{}, dates: map[string]time.Time{}, feedTemps: map[string]string{}}
	u.removeTemps()
	u.previous, err = ReadSnapshot(dir)
	if err != nil && !errors.Is(err, ErrNoStore) && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrFormat) {
		u.Close()
		return nil, err
	}
	u.origins, u.feeds, u.feedOrigins = slices.Clone(u.previous.Origins), slices.Clone(u.previous.Feeds), slices.Clone(u.previous.FeedOrigins)
	return u, nil
}

// SetOrigins says which sources the store is merged from after this update,
// lowest precedence first: a record replaces those with its id from sources
// before it, as a whole. What the store has from other sources goes. Without
// it the sources stay, and new ones are added as they are put.
func (u *Update) SetOrigins(list []Origin) { u.origins = slices.Clone(list) }

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

// Part returns what the previous snapshot has of an ecosystem from an origin.
func (u *Update) Part(ecosystem, origin string) (Source, bool) {
	src, ok := u.previous.Source(ecosystem)
	if !ok {
		return Source{}, false
	}
	return src.part(origin)
}

// Intact reports whether the store's file of an ecosystem and an origin is the
// one that the previous snapshot names, by its digest. Only then may its
// export be left unread because it has not changed.
func (u *Update) Intact(ecosystem, origin string) bool {
	src, ok := u.Part(ecosystem, origin)
	return ok && u.intact(&src)
}

func (u *Update) intact(src *Source) bool {
	sum, err := digestFile(filepath.Join(u.dir, ecoDir, src.File))
	if err != nil || sum != src.Digest {
		return false
	}
	f, err := openSource(u.dir, src)
	if err != nil {
		return false
	}
	f.blob.close()
	return true
}

// Keep records that an ecosystem's export has not changed since the previous
// update. in says which, and its dates and ETags, if it has any, are newer ones
// of the same content.
func (u *Update) Keep(in Input) {
	src, ok := u.Part(in.Ecosystem, in.origin())
	if !ok {
		return
	}
	src.Via = ""
	if in.listed = in.listed || in.ListETag != ""; !in.listed {
		src.Full = time.Time{}
	} else if src.Full.IsZero() {
		src.Full = src.AsOf
	}
	src.AsOf = later(src.AsOf, in.AsOf)
	if in.ETag != "" {
		src.ETag = in.ETag
	}
	if in.ListETag != "" {
		src.ListETag = in.ListETag
	}
	u.put(src)
	u.opts.Progress(Progress{Ecosystem: in.Ecosystem, Stage: Unchanged, Done: int64(src.Records), Total: int64(src.Records)})
}

// private reports whether an input is laid over the export. A source of one's
// own may well consist of records that only take others away.
func (in *Input) private() bool { return in.origin() != DefaultOrigin }

func (in *Input) origin() string {
	if in.Origin == "" {
		return DefaultOrigin
	}
	return in.Origin
}

func (u *Update) put(src Source) {
	u.fresh[partKey{src.Ecosystem, src.Origin()}] = src
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
	if in.private() && !known(in.Ecosystem) {
		return fmt.Errorf("build %s: %w", in.Ecosystem, ErrUnknownEcosystem)
	}
	if in.URL == "" {
		in.URL = in.Archive
	}
	arch, err := openArchive(in.Archive)
	if err != nil {
		return fmt.Errorf("build %s: %w", in.Ecosystem, err)
	}
	defer arch.close()
	if prev, ok := u.Part(in.Ecosystem, in.origin()); ok && prev.Export == arch.digest && u.intact(&prev) {
		prev.URL, prev.Folder, prev.ETag, prev.ListETag, prev.Via = in.URL, in.Folder, in.ETag, in.ListETag, ""
		if !in.AsOf.IsZero() {
			prev.AsOf = in.AsOf
		}
		prev.Full = time.Time{}
		u.put(prev)
		u.opts.Progress(Progress{Ecosystem: in.Ecosystem, Stage: Unchanged, Done: int64(prev.Records), Total: int64(prev.Records)})
		return nil
	}
	var report readReport
	src, err := u.compile(ctx, in.Ecosystem, arch.count, func(w *fdbWriter) (err error) {
		report, err = arch.read(ctx, u.opts, &in, w)
		return err
	})
	if err != nil {
		return fmt.Errorf("build %s: %w", in.Ecosystem, err)
	}
	src.Export = arch.digest
	if prev, ok := u.Part(in.Ecosystem, in.origin()); ok && !u.opts.AllowOlder {
		if err := backwards(&in, &prev, report.modified); err != nil {
			return fmt.Errorf("build %s: %w", in.Ecosystem, err)
		}
	}
	u.finish(src, in, report)
	return nil
}

// backwards compares an export with the one that the store was built from: by
// its date, or without one by its newest record.
func backwards(in *Input, prev *Source, modified time.Time) error {
	is, was := in.AsOf, prev.AsOf
	if is.IsZero() {
		is, was = modified, prev.Modified
	}
	if in.Folder || prev.Folder || prev.URL != in.URL || !is.Before(was) {
		return nil
	}
	return fmt.Errorf("%w: of %s, and the store has that of %s", ErrBackwards, is.Format(time.RFC3339), was.Format(time.RFC3339))
}

// finish records a file that was compiled from an input.
func (u *Update) finish(src Source, in Input, report readReport) {
	if in.origin() != DefaultOrigin {
		src.Name = in.origin()
	}
	src.URL, src.Folder, src.ETag, src.ListETag = in.URL, in.Folder, in.ETag, in.ListETag
	src.Modified, src.Unread, src.UnreadIDs = report.modified, report.unread, report.names
	if src.AsOf = in.AsOf; src.AsOf.IsZero() {
		src.AsOf = src.Modified
	}
	u.put(src)
	u.opts.Progress(Progress{Ecosystem: in.Ecosystem, Stage: Done, Done: int64(src.Records), Total: int64(src.Records)})
}

// compile writes an ecosystem's file under a temporary name, of what fill adds
// to the writer, and starts to bring it to the disk.
func (u *Update) compile(ctx context.Context, ecosystem string, expect int, fill func(*fdbWriter) error) (src Source, err error) {
	spill, err := u.Temp()
	if err != nil {
		return src, err
	}
	defer os.Remove(spill.Name())
	defer spill.Close()
	out, err := u.Temp()
	if err != nil {
		return src, err
	}
	defer func() {
		if err != nil {
			out.Close()
			os.Remove(out.Name())
		}
	}()
	w := newFdbWriter(ecosystem, spill, expect)
	if err = fill(w); err != nil {
		return src, err
	}
	h, err := w.write(ctx, out, u.opts.Jobs)
	if err != nil {
		return src, err
	}
	if err = out.Chmod(0o644); err != nil && runtime.GOOS != "windows" {
		return src, fmt.Errorf("write store: %w", err)
	}
	digest, err := digestFile(out.Name())
	if err != nil {
		return src, fmt.Errorf("write store: %w", err)
	}
	src = Source{Ecosystem: ecosystem, File: fileName(ecosystem, digest), Digest: digest, Size: int64(h.size), Records: int(h.records), Packages: int(h.packages)}
	if old, ok := u.temps[src.File]; ok {
		os.Remove(old.path) // made twice; it is the same
	}
	u.temps[src.File] = tempFile{path: out.Name(), size: src.Size}
	u.syncs.Go(func() error {
		if err := errors.Join(out.Sync(), out.Close()); err != nil {
			return fmt.Errorf("write store: %w", err)
		}
		return nil
	})
	return src, nil
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
	patterns := []string{filepath.Join(ecoDir, "*"+tempSuffix), snapshotName + "-*" + tempSuffix}
	if !u.opts.parts {
		patterns = append(patterns, filepath.Join(ecoDir, "*"+partSuffix), filepath.Join(feedsDir, "*"+partSuffix))
	}
	for _, pattern := range patterns {
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
