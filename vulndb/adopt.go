package vulndb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Limits of a store that comes from elsewhere. A store of all of OSV has 50
// sources, and its largest file 100 MB.
const (
	maxSources = 1024
	maxAdopted = 16 << 30 // bytes of one ecosystem's file

	maxAdoptedFeed = 2*headerSize + maxListed*(listEntry+1) // bytes of one feed's file: entries, and rows for pages of them
)

// clockSkew is how far in the future a foreign store's date may lie: clocks
// differ. A later date would make the store look fresh for as long.
const clockSkew = time.Hour

// AdoptOptions say how a store that was built elsewhere is taken over. The
// zero value takes all of it, and refuses what is older than what is there.
type AdoptOptions struct {
	Ecosystems []string // take only these, in OSV's spelling; empty: all
	Replace    bool     // drop everything else: the ecosystems and feeds that are not taken and the sources laid over those that are; otherwise they stay as they are
	AllowOlder bool     // take also what is older than what is there
	Trusted    bool     // somebody vouches for the bytes, by a signature; otherwise each record is read before the file is let in
	Resume     bool     // fetch can go on with a file that holds what came of it before a kill
	Via        string   // where the store comes from, for Source.Via
	Now        time.Time
	Progress   func(Progress) // called from one goroutine; may be nil
}

// ErrOlder is wrapped by the error of an adoption that would set the store
// back: whoever can replay yesterday's store hides today's advisories.
var ErrOlder = errors.New("older than what the store holds")

// ParseSnapshot reads the bytes of a snapshot.json that comes from elsewhere.
func ParseSnapshot(b []byte) (Snapshot, error) {
	s, err := parseSnapshot(b)
	if err != nil {
		return Snapshot{}, err
	}
	if len(s.Sources) > maxSources {
		return Snapshot{}, damaged("%d sources", len(s.Sources))
	}
	for _, src := range s.Sources {
		if src.Size > maxAdopted {
			return Snapshot{}, damaged("the file of %s has %d bytes, over %d", src.Ecosystem, src.Size, int64(maxAdopted))
		}
	}
	for _, f := range s.Feeds {
		if f.Size > maxAdoptedFeed {
			return Snapshot{}, damaged("the file of %s has %d bytes, over %d", f.Name, f.Size, maxAdoptedFeed)
		}
	}
	return s, nil
}

// Only returns the snapshot of some of the ecosystems, in any spelling of
// upper and lower case; of all, if none is named. The feeds are small, and about
// all of them: they stay.
func (s Snapshot) Only(ecosystems []string) (Snapshot, error) {
	if len(ecosystems) == 0 {
		return s, nil
	}
	var kept []Source
	for _, name := range ecosystems {
		src, ok := s.Source(Spell(strings.TrimSpace(name)))
		if !ok {
			return Snapshot{}, fmt.Errorf("no advisories of %s there: %s", name, strings.Join(s.Ecosystems(), ", "))
		}
		if !slices.ContainsFunc(kept, func(k Source) bool { return k.Ecosystem == src.Ecosystem }) {
			kept = append(kept, src)
		}
	}
	return newSnapshot(kept, s.Starter).withFeeds(s.Feeds), nil
}

// Shared returns the snapshot as it is passed on: without what is only true
// here, so that a store that was pulled is passed on as it was made. What was
// merged from several sources is one to whoever gets it, and the places that
// the next update here would read are nobody else's business.
func (s Snapshot) Shared() Snapshot {
	sources := slices.Clone(s.Sources)
	for i := range sources {
		if parts := sources[i].Parts; len(parts) > 0 {
			sources[i].URL = parts[0].URL // those of the others are places, too
		}
		sources[i].Via, sources[i].Name, sources[i].Parts = "", "", nil
	}
	feeds := slices.Clone(s.Feeds)
	for i := range feeds {
		feeds[i].Via = ""
	}
	return newSnapshot(sources, s.Starter).withFeeds(feeds)
}

// newest returns the newest date of the sources and feeds.
func (s Snapshot) newest() time.Time {
	at := s.BuiltAt
	for _, f := range s.Feeds {
		at = later(at, f.AsOf)
	}
	return at
}

// Ecosystems names the ecosystems, sorted.
func (s Snapshot) Ecosystems() []string {
	var names []string
	for _, src := range s.Sources {
		names = append(names, src.Ecosystem)
	}
	return names
}

// Path returns where the file of a source lies in a store's folder.
func (s Source) Path(dir string) string { return filepath.Join(dir, ecoDir, s.File) }

// Adopt makes the files of another store's snapshot part of the store in dir.
// For each file that is not there yet it calls fetch, in the order of the
// snapshot (Files); fetch writes the file's bytes to an empty file, or, with
// AdoptOptions.Resume, to one that holds what came of it before; and Adopt
// believes them only when they are what the snapshot says. Readers see the old store or
// the new one, and if anything fails the old one stays. What a killed Adopt has
// fetched completely is not fetched again. What it takes over counts as
// DefaultOrigin: the store's own further sources stay laid over it, unless
// AdoptOptions.Replace is set.
func Adopt(ctx context.Context, dir string, s Snapshot, o AdoptOptions, fetch func(context.Context, File, *os.File) error) (Snapshot, error) {
	return adopt(ctx, dir, s, o, fetch, func() error { return nil })
}

// adopt is Adopt with a last question before the store changes.
func adopt(ctx context.Context, dir string, s Snapshot, o AdoptOptions, fetch func(context.Context, File, *os.File) error, seal func() error) (Snapshot, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	s, err := s.Only(o.Ecosystems)
	if err != nil {
		return Snapshot{}, err
	}
	s = s.Shared()
	if len(s.Sources) == 0 {
		return Snapshot{}, errors.New("the store that was offered is empty")
	}
	if at := s.newest(); at.After(o.Now.Add(clockSkew)) {
		return Snapshot{}, fmt.Errorf("the store that was offered is dated %s, in the future: one of the two clocks is wrong", at.UTC().Format(time.RFC3339))
	}
	u, err := Begin(ctx, dir, Options{Now: o.Now, Progress: o.Progress, parts: o.Resume})
	if err != nil {
		return Snapshot{}, err
	}
	defer u.Close()
	if err := u.refuseOlder(s, o.AllowOlder); err != nil {
		return u.previous, err
	}
	u.removeParts(s)
	for _, src := range s.Sources {
		if err := u.adopt(ctx, src, o, fetch); err != nil {
			u.discard(ctx)
			return u.previous, fmt.Errorf("%s: %w", src.Ecosystem, err)
		}
	}
	if o.Replace {
		u.feeds = nil
	}
	for _, f := range s.Feeds {
		if err := u.adoptFeed(ctx, f, o, fetch); err != nil {
			u.discard(ctx)
			return u.previous, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if err := seal(); err != nil {
		u.discard(ctx)
		return u.previous, err
	}
	u.opts.parts = false // nothing is to be gone on with
	if o.Replace {
		u.previous.Sources = nil
		u.origins = slices.DeleteFunc(u.origins, func(o Origin) bool { return o.Name != DefaultOrigin })
	}
	now, err := u.Commit(ctx)
	if errors.Is(err, ErrUnread) {
		err = nil // whoever built the store was told; the reports say it too
	}
	return now, err
}

// refuseOlder compares dates ecosystem by ecosystem. The same bytes are never
// older, whatever date they carry.
func (u *Update) refuseOlder(s Snapshot, allow bool) error {
	var older []string
	for _, src := range s.Sources {
		have, ok := u.Part(src.Ecosystem, DefaultOrigin)
		if ok && have.Digest != src.Digest && src.AsOf.Before(have.AsOf) {
			older = append(older, fmt.Sprintf("%s of %s, the store has %s", src.Ecosystem, src.AsOf.UTC().Format(time.DateTime), have.AsOf.UTC().Format(time.DateTime)))
		}
	}
	for _, f := range s.Feeds {
		have, ok := u.previous.Feed(f.Name)
		if ok && have.Digest != f.Digest && f.AsOf.Before(have.AsOf) {
			older = append(older, fmt.Sprintf("%s of %s, the store has %s", f.Name, f.AsOf.UTC().Format(time.DateTime), have.AsOf.UTC().Format(time.DateTime)))
		}
	}
	if len(older) == 0 || allow {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrOlder, strings.Join(older, "; "))
}

// adopt takes over one file.
func (u *Update) adopt(ctx context.Context, src Source, o AdoptOptions, fetch func(context.Context, File, *os.File) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	have, known := u.Part(src.Ecosystem, DefaultOrigin)
	known = known && have.Digest == src.Digest
	if known && have.AsOf.After(src.AsOf) {
		src = have // the same bytes, and somebody saw later that they are still what there is
	} else {
		src.Via = o.Via
	}
	u.adopted[partKey{src.Ecosystem, DefaultOrigin}] = true
	stage := Unchanged
	if sum, err := digestFile(src.Path(u.dir)); err != nil || sum != src.Digest {
		if err := u.fetch(ctx, src.file(), fetch); err != nil {
			return err
		}
		stage = Done
	}
	if !known {
		if err := inspect(ctx, u.dir, src, !o.Trusted); err != nil {
			return err
		}
	}
	u.put(src)
	u.opts.Progress(Progress{Ecosystem: src.Ecosystem, Stage: stage, Done: int64(src.Records), Total: int64(src.Records)})
	return nil
}

// adoptFeed takes over the file of one feed.
func (u *Update) adoptFeed(ctx context.Context, f Feed, o AdoptOptions, fetch func(context.Context, File, *os.File) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	have, known := u.previous.Feed(f.Name)
	known = known && have.Digest == f.Digest
	f.Via = o.Via
	stage := Unchanged
	if sum, err := digestFile(f.Path(u.dir)); err != nil || sum != f.Digest {
		if err := os.MkdirAll(filepath.Join(u.dir, feedsDir), 0o755); err != nil {
			return fmt.Errorf("store the file: %w", err)
		}
		if err := u.fetch(ctx, f.file(), fetch); err != nil {
			return err
		}
		stage = Done
	}
	if !known {
		if err := inspectFeed(ctx, u.dir, f, !o.Trusted); err != nil {
			return err
		}
	}
	u.setFeed(f)
	u.opts.Progress(Progress{Ecosystem: f.Name, Stage: stage, Done: int64(f.Records), Total: int64(f.Records)})
	return nil
}

// inspectFeed looks whether a file is what its feed says, as inspect does.
func inspectFeed(ctx context.Context, dir string, feed Feed, whole bool) error {
	if !whole {
		f, err := openFeed(feed.Path(dir), &feed)
		if err != nil {
			return err
		}
		return f.blob.close()
	}
	found, err := checkFeed(ctx, dir, &feed)
	if err == nil && len(found) > 0 {
		err = damaged("%s", found[0].Reason)
	}
	return err
}

// fetch brings one file into the store's folder under its own name, where no
// snapshot names it yet.
func (u *Update) fetch(ctx context.Context, src File, fetch func(context.Context, File, *os.File) error) (err error) {
	f, err := u.part(src)
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil && (!u.opts.parts || ctx.Err() == nil) { // an interrupted one goes on the next time
			os.Remove(f.Name())
		}
	}()
	if err := fetch(ctx, src, f); err != nil {
		return err
	}
	if st, err := f.Stat(); err != nil {
		return fmt.Errorf("store the file: %w", err)
	} else if st.Size() != src.Size {
		return damaged("%d bytes came, the snapshot says %d", st.Size(), src.Size)
	}
	sum, err := digestFile(f.Name())
	if err != nil {
		return fmt.Errorf("store the file: %w", err)
	}
	if sum != src.Digest {
		return damaged("the digest of what came is %s, the snapshot says %s", sum, src.Digest)
	}
	if err := f.Chmod(0o644); err != nil && runtime.GOOS != "windows" {
		return fmt.Errorf("store the file: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("store the file: %w", err)
	}
	if err := rename(f.Name(), src.Path(u.dir)); err != nil {
		return fmt.Errorf("store the file: %w", err)
	}
	u.fetched = append(u.fetched, src.Name)
	return nil
}

// part opens the file that a file is fetched into. It has the name of
// what it is to become, so that whoever goes on with it knows.
func (u *Update) part(src File) (*os.File, error) {
	if !u.opts.parts {
		return u.Temp()
	}
	f, err := os.OpenFile(src.Path(u.dir)+partSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make temporary file: %w", err)
	}
	return f, nil
}

// removeParts removes the beginnings of files that are not those of a snapshot.
func (u *Update) removeParts(s Snapshot) {
	for _, dir := range []string{ecoDir, feedsDir} {
		found, _ := filepath.Glob(filepath.Join(escapeGlob(u.dir), dir, "*"+partSuffix))
		for _, p := range found {
			if !s.names(strings.TrimSuffix(filepath.Base(p), partSuffix)) {
				os.Remove(p)
			}
		}
	}
}

// inspect looks whether a file is what its source says: its header, or each
// record and each index, as Check does.
func inspect(ctx context.Context, dir string, src Source, whole bool) error {
	f, err := openSource(dir, &src)
	if err != nil {
		return err
	}
	defer f.blob.close()
	if !whole {
		return nil
	}
	c := checker{src: &src}
	if err := c.content(ctx, f.blob); err != nil {
		return err
	}
	if len(c.found) > 0 {
		return damaged("%s", c.found[0].Reason)
	}
	return nil
}

// discard removes what a failed adoption has fetched: a disk that is full
// should not stay so. What was interrupted is kept for the next one.
func (u *Update) discard(ctx context.Context) {
	if u.opts.parts && ctx.Err() != nil {
		return
	}
	for _, file := range u.fetched {
		if !u.previous.names(path.Base(file)) {
			os.Remove(filepath.Join(u.dir, filepath.FromSlash(file)))
		}
	}
	u.fetched = nil
}
