package vulndb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/vulndb/disk"
)

// Feed is what the store holds of a list beside the advisories, and where it
// came from.
type Feed struct {
	Name     string    `json:"name"`    // FeedKEV, FeedEPSS
	File     string    `json:"file"`    // name inside the store's feeds folder
	Digest   string    `json:"digest"`  // "sha256:..." of that file
	Size     int64     `json:"size"`    // bytes of that file
	Records  int       `json:"records"` // CVEs in it
	AsOf     time.Time `json:"asOf"`    // as the list itself says, to the second
	URL      string    `json:"url"`     // what was read: an address without name and password, or the path of a file
	Folder   bool      `json:"folder,omitempty"`
	Via      string    `json:"via,omitempty"`          // as that of a Source
	ETag     string    `json:"etag,omitempty"`         // of the list, for the next conditional request
	Modified string    `json:"lastModified,omitempty"` // its Last-Modified, as the server wrote it, likewise
	Export   string    `json:"export"`                 // "sha256:..." of the list itself, as it was read
}

// Path returns where the file of a feed lies in a store's folder.
func (f Feed) Path(dir string) string { return filepath.Join(dir, feedsDir, f.File) }

// NoFeed is the place of a feed that is not wanted (Snapshot.FeedOrigins).
const NoFeed = "none"

const (
	feedsDir   = "feeds"
	feedSuffix = ".feed"
	maxFeeds   = 8
)

// Feed returns what the snapshot holds of a feed.
func (s Snapshot) Feed(name string) (Feed, bool) {
	i := slices.IndexFunc(s.Feeds, func(f Feed) bool { return f.Name == name })
	if i < 0 {
		return Feed{}, false
	}
	return s.Feeds[i], true
}

// FeedOrigin returns the place of a feed that the snapshot remembers: an
// address, the absolute path of a file, or NoFeed; "" if none was named.
func (s Snapshot) FeedOrigin(name string) string {
	for _, o := range s.FeedOrigins {
		if o.Name == name {
			return o.From
		}
	}
	return ""
}

// withFeeds returns the snapshot with these feeds instead of its own.
func (s Snapshot) withFeeds(feeds []Feed) Snapshot {
	s.Feeds = slices.SortedFunc(slices.Values(feeds), func(a, b Feed) int { return strings.Compare(a.Name, b.Name) })
	s.ID = s.id()
	return s
}

// saneFeeds reports whether the feeds' names and files are what they can be, so
// that no name leads out of the store's folder.
func saneFeeds(feeds []Feed) bool {
	for i, f := range feeds {
		if f.File == "" || f.File != feedFile(f.Name, f.Digest) || f.Size < 0 || i > 0 && feeds[i-1].Name >= f.Name {
			return false
		}
	}
	return len(feeds) <= maxFeeds
}

// feedFile returns the name of a feed's file; "" for what is no feed or digest.
func feedFile(name, digest string) string {
	if name != FeedKEV && name != FeedEPSS {
		return ""
	}
	file, ok := strings.CutSuffix(fileName(name, digest), fdbSuffix)
	if !ok {
		return ""
	}
	return file + feedSuffix
}

// openFeed opens the file of a feed and holds it against what the snapshot says.
func openFeed(path string, feed *Feed) (f *listFile, err error) {
	b, err := openBlob(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	defer faults(&err)()
	if f, err = openList(b); err != nil {
		return nil, fmt.Errorf("%s: %w", feed.File, err)
	}
	if f.name != feed.Name || b.size() != feed.Size || f.records != feed.Records || !f.asOf.Equal(feed.AsOf) {
		return nil, damaged("%s is not what the snapshot says", feed.File)
	}
	return f, nil
}

// checkFeed tells what is wrong with the file of a feed, as Check does.
func checkFeed(ctx context.Context, dir string, feed *Feed) (found []Damage, err error) {
	add := func(format string, args ...any) {
		if len(found) < maxDamages {
			found = append(found, Damage{File: feedsDir + "/" + feed.File, Reason: fmt.Sprintf(format, args...)})
		}
	}
	sum, err := digestFile(feed.Path(dir))
	switch {
	case errors.Is(err, os.ErrNotExist):
		add("the file is missing")
		return found, nil
	case err != nil:
		return nil, fmt.Errorf("check store: %w", err)
	case sum != feed.Digest:
		add("its digest is %s", sum)
	}
	f, err := openFeed(feed.Path(dir), feed)
	if err != nil {
		add("%v", err)
		return found, nil
	}
	defer f.blob.close()
	if err := guarded(func() error { return f.check(ctx, add) }); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		add("%v", err)
	}
	return found, nil
}

// guarded runs what reads a mapped file.
func guarded(read func() error) (err error) {
	defer faults(&err)()
	return read()
}

// ErrFewer is wrapped by the error for a list that lost more than half of its
// entries: one that was cut off, or is another.
var ErrFewer = errors.New("the list has less than half of the entries that it had")

// PutFeed makes a list part of the store with Commit. meta says where it came
// from; its AsOf has to be set, and what depends on the file is filled in here.
// A list of the same address must not go back in time, nor lose most of what it
// had, unless Options.AllowOlder is set. If it fails, the feed stays as it was.
func (u *Update) PutFeed(l *List, meta Feed) error {
	if err := l.sort(); err != nil {
		return err
	}
	meta.Name, meta.AsOf, meta.Records = l.name, meta.AsOf.UTC().Truncate(time.Second), len(l.entries)
	if prev, ok := u.previous.Feed(l.name); ok && prev.URL == meta.URL && !u.opts.AllowOlder {
		switch {
		case meta.AsOf.Before(prev.AsOf):
			return fmt.Errorf("%w: of %s, and the store has that of %s", ErrBackwards, meta.AsOf.Format(time.RFC3339), prev.AsOf.UTC().Format(time.RFC3339))
		case meta.Records < prev.Records/2:
			return fmt.Errorf("%w: %d, and the store has %d", ErrFewer, meta.Records, prev.Records)
		}
	}
	path, err := u.writeList(l, &meta)
	if err != nil {
		return err
	}
	stage := Done
	if old, ok := u.feedTemps[meta.File]; ok {
		os.Remove(old)
	}
	if prev, ok := u.previous.Feed(l.name); ok && prev.Digest == meta.Digest && u.IntactFeed(l.name) {
		os.Remove(path) // it is there, and somebody may have it open
		delete(u.feedTemps, meta.File)
		stage = Unchanged
	} else {
		u.feedTemps[meta.File] = path
	}
	u.setFeed(meta)
	u.opts.Progress(Progress{Ecosystem: meta.Name, Stage: stage, Done: int64(meta.Records), Total: int64(meta.Records)})
	return nil
}

// writeList writes the file of a list under a temporary name, and brings it to the disk.
func (u *Update) writeList(l *List, meta *Feed) (path string, err error) {
	out, err := u.Temp()
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			out.Close()
			os.Remove(out.Name())
		}
	}()
	if meta.Size, err = l.encode(out, meta.AsOf); err != nil {
		return "", err
	}
	if err := out.Chmod(0o644); err != nil && runtime.GOOS != "windows" {
		return "", fmt.Errorf("write store: %w", err)
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return "", fmt.Errorf("write store: %w", err)
	}
	if meta.Digest, err = digestFile(out.Name()); err != nil {
		return "", fmt.Errorf("write store: %w", err)
	}
	meta.File = feedFile(meta.Name, meta.Digest)
	return out.Name(), nil
}

// KeepFeed records that a feed's list has not changed since the previous
// update. etag and modified, if not empty, are what the server says of it now.
func (u *Update) KeepFeed(name, etag, modified string) {
	f, ok := u.previous.Feed(name)
	if !ok {
		return
	}
	f.Via = ""
	if etag != "" {
		f.ETag = etag
	}
	if modified != "" {
		f.Modified = modified
	}
	u.setFeed(f)
	u.opts.Progress(Progress{Ecosystem: name, Stage: Unchanged, Done: int64(f.Records), Total: int64(f.Records)})
}

// DropFeed takes a feed out of the store.
func (u *Update) DropFeed(name string) {
	u.feeds = slices.DeleteFunc(u.feeds, func(f Feed) bool { return f.Name == name })
}

// IntactFeed reports whether the store's file of a feed is the one that the
// previous snapshot names, by its digest.
func (u *Update) IntactFeed(name string) bool {
	feed, ok := u.previous.Feed(name)
	if !ok {
		return false
	}
	sum, err := digestFile(feed.Path(u.dir))
	if err != nil || sum != feed.Digest {
		return false
	}
	f, err := openFeed(feed.Path(u.dir), &feed)
	if err != nil {
		return false
	}
	f.blob.close()
	return true
}

// SetFeedOrigin says where the next update finds a feed, unless told otherwise:
// see Snapshot.FeedOrigin. "" forgets it.
func (u *Update) SetFeedOrigin(name, from string) {
	u.feedOrigins = slices.DeleteFunc(u.feedOrigins, func(o Origin) bool { return o.Name == name })
	if from != "" {
		u.feedOrigins = append(u.feedOrigins, Origin{Name: name, From: from})
	}
	slices.SortFunc(u.feedOrigins, func(a, b Origin) int { return strings.Compare(a.Name, b.Name) })
}

func (u *Update) setFeed(f Feed) {
	u.DropFeed(f.Name)
	u.feeds = append(u.feeds, f)
	slices.SortFunc(u.feeds, func(a, b Feed) int { return strings.Compare(a.Name, b.Name) })
}

// feedsChanged reports whether the feeds, their files, or their places are to be
// others than before.
func (u *Update) feedsChanged() bool {
	return len(u.feedTemps) > 0 || !slices.Equal(u.feedOrigins, u.previous.FeedOrigins) || !slices.EqualFunc(u.feeds, u.previous.Feeds, func(a, b Feed) bool {
		same := a.AsOf.Equal(b.AsOf)
		a.AsOf, b.AsOf = time.Time{}, time.Time{}
		return same && a == b
	})
}

// placeFeeds brings new files of feeds to their names.
func (u *Update) placeFeeds(s Snapshot) error {
	if len(s.Feeds) == 0 {
		return nil
	}
	dir := filepath.Join(u.dir, feedsDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write store: %w", err)
	}
	for _, f := range s.Feeds {
		temp, ok := u.feedTemps[f.File]
		if !ok {
			continue
		}
		if err := os.Rename(temp, f.Path(u.dir)); err != nil {
			return fmt.Errorf("write store: %w", err)
		}
		delete(u.feedTemps, f.File)
	}
	if err := disk.SyncDir(dir); err != nil {
		return fmt.Errorf("write store: %w", err)
	}
	return nil
}
