package vulndb

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/vulndb/disk"
)

// Commit makes what was put the store's content: what several sources say
// about an ecosystem is merged, then new files go in place, then the snapshot
// is replaced by one rename, then old files go. It returns the new snapshot;
// the error wraps ErrUnread if records had to be left out, or says which
// ecosystem could not be merged and stays as it was, and then the snapshot is
// valid nevertheless.
func (u *Update) Commit(ctx context.Context) (Snapshot, error) {
	u.settleOrigins()
	if len(u.fresh) == 0 && slices.Equal(u.origins, u.previous.Origins) && !u.feedsChanged() {
		return u.previous, ctx.Err() // everything failed, or nothing was asked for
	}
	list, errs := u.merge(ctx)
	if err := u.syncs.Wait(); err != nil {
		return u.previous, err
	}
	if err := ctx.Err(); err != nil {
		return u.previous, fmt.Errorf("update store: %w", err)
	}
	if len(list) == 0 && len(u.fresh) == 0 && len(u.previous.Sources) == 0 {
		return u.previous, nil // why there are no advisories was said, and feeds alone are no store
	}
	if len(list) == 0 {
		return u.previous, errors.Join(append(errs, errors.New("update store: it would be empty"))...)
	}
	if len(u.origins) > maxOrigins {
		return u.previous, fmt.Errorf("update store: over %d sources", maxOrigins)
	}
	s := newSnapshot(list, false).withFeeds(u.feeds)
	s.Origins, s.FeedOrigins = u.origins, u.feedOrigins
	for file, temp := range u.temps {
		if !s.names(file) {
			continue // of an ecosystem that could not be merged; Close removes it
		}
		if err := os.Rename(temp.path, filepath.Join(u.dir, ecoDir, file)); err != nil {
			return u.previous, fmt.Errorf("write store: %w", err)
		}
		delete(u.temps, file)
	}
	if err := u.placeFeeds(s); err != nil {
		return u.previous, err
	}
	if err := u.replaceSnapshot(s); err != nil {
		return u.previous, err
	}
	u.collect(s)
	return s, errors.Join(append(errs, u.unread...)...)
}

// settleOrigins adds the origins of what was put, and takes back those of which
// nothing was: a place that could not be read must not be where the next update
// looks.
func (u *Update) settleOrigins() {
	put := map[string]bool{}
	for key := range u.fresh {
		put[key.origin] = true
	}
	was := u.previous.Origins
	var list []Origin
	for _, o := range u.origins {
		i := slices.IndexFunc(was, func(x Origin) bool { return x.Name == o.Name })
		if !put[o.Name] && i < 0 {
			continue
		}
		if !put[o.Name] {
			o = was[i]
		}
		list = append(list, o)
		delete(put, o.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(put)) {
		list = append(list, Origin{Name: name})
	}
	u.origins = list
}

// names reports whether a file belongs to the snapshot, its parts included.
func (s *Snapshot) names(file string) bool {
	if slices.ContainsFunc(s.Feeds, func(f Feed) bool { return f.File == file }) {
		return true
	}
	return slices.ContainsFunc(s.Sources, func(src Source) bool {
		return src.File == file || slices.ContainsFunc(src.Parts, func(p Source) bool { return p.File == file })
	})
}

// merge returns the sources of the new snapshot. The errors name those
// ecosystems that could not be merged and stay as they were.
func (u *Update) merge(ctx context.Context) (list []Source, errs []error) {
	u.dateFolders()
	ecosystems := map[string]bool{}
	for _, src := range u.previous.Sources {
		ecosystems[src.Ecosystem] = true
	}
	for key := range u.fresh {
		ecosystems[key.ecosystem] = true
	}
	for _, eco := range slices.Sorted(maps.Keys(ecosystems)) {
		previous, had := u.previous.Source(eco)
		var parts []Source
		for _, o := range u.origins {
			if src, ok := u.fresh[partKey{eco, o.Name}]; ok {
				parts = append(parts, src)
			} else if src, ok := previous.part(o.Name); had && ok {
				parts = append(parts, src)
			}
		}
		if len(parts) == 0 {
			continue // its sources are no longer wanted
		}
		src, err := u.mergeParts(ctx, &previous, parts)
		if err != nil {
			errs = append(errs, fmt.Errorf("merge %s: %w", eco, err))
			if had {
				list = append(list, previous)
			}
			continue
		}
		list = append(list, src)
	}
	return list, errs
}

// Date reads the dates of an export that is not put, though the folder of an
// origin holds it beside those that are: a folder is as current as its newest
// record, whichever of its ecosystems an update is asked for. What cannot be
// read has no date.
func (u *Update) Date(ctx context.Context, origin, archive string) error {
	arch, err := openArchive(archive)
	if err != nil {
		return nil
	}
	defer arch.close()
	for i := range u.previous.Sources {
		for _, p := range u.previous.Sources[i].Origins() {
			if p.Export == arch.digest && !p.Modified.After(u.opts.Now) {
				u.dates[origin] = later(u.dates[origin], p.Modified)
				return nil
			}
		}
	}
	modified, err := arch.newest(ctx, u.opts)
	if err == nil {
		u.dates[origin] = later(u.dates[origin], modified)
	}
	return ctx.Err()
}

// Has reports whether an ecosystem of an origin was put or kept in this update.
func (u *Update) Has(ecosystem, origin string) bool {
	_, ok := u.fresh[partKey{ecosystem, origin}]
	return ok
}

// dateFolders gives what this update read from one folder one date, the newest
// of its records.
func (u *Update) dateFolders() {
	newest := maps.Clone(u.dates)
	for key, src := range u.fresh {
		if src.Folder && !u.adopted[key] {
			newest[key.origin] = later(newest[key.origin], src.Modified)
		}
	}
	for key, src := range u.fresh {
		if src.Folder && !u.adopted[key] {
			src.AsOf = newest[key.origin]
			u.fresh[key] = src
		}
	}
}

// mergeParts makes the source of an ecosystem from what each origin says about
// it, lowest precedence first. previous is what it was, if anything.
func (u *Update) mergeParts(ctx context.Context, previous *Source, parts []Source) (Source, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	same := slices.EqualFunc(previous.Parts, parts, func(a, b Source) bool { return a.Digest == b.Digest && a.Origin() == b.Origin() })
	var src Source
	if same && u.intact(previous) {
		src = Source{Ecosystem: previous.Ecosystem, File: previous.File, Digest: previous.Digest, Size: previous.Size, Records: previous.Records, Packages: previous.Packages}
	} else {
		var err error
		if src, err = u.compileParts(ctx, parts); err != nil {
			return Source{}, err
		}
	}
	var urls []string
	for i := range parts {
		p := &parts[i]
		p.Parts = nil // one that was itself merged, elsewhere, counts as one

		urls = append(urls, p.URL)
		if i == 0 || p.AsOf.Before(src.AsOf) {
			src.AsOf = p.AsOf
		}
		src.Modified = later(src.Modified, p.Modified)
		src.Unread += p.Unread
		src.UnreadIDs = append(src.UnreadIDs, p.UnreadIDs...)
	}
	slices.SortFunc(src.UnreadIDs, cmp.Compare[string])
	src.UnreadIDs = src.UnreadIDs[:min(len(src.UnreadIDs), maxUnreadNames)]
	src.URL = strings.Join(urls, ", ")
	src.Parts = parts
	return src, nil
}

// compileParts writes the file of an ecosystem from the files of its parts.
func (u *Update) compileParts(ctx context.Context, parts []Source) (Source, error) {
	expect := 0
	for i := range parts {
		p := &parts[i]
		if _, ok := u.temps[p.File]; !ok && !u.intact(p) {
			return Source{}, fmt.Errorf("what %s said at the last update is not there any more; update it, too: %w", p.Origin(), ErrDamaged)
		}
		expect += p.Records
	}
	return u.compile(ctx, parts[0].Ecosystem, expect, func(w *fdbWriter) error {
		for i := range parts {
			path := filepath.Join(u.dir, ecoDir, parts[i].File)
			if temp, ok := u.temps[parts[i].File]; ok {
				path = temp.path
			}
			if err := copyRecords(ctx, path, u.opts.Jobs, uint8(i), w, nil); err != nil {
				return err
			}
		}
		return nil
	})
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
	if err := disk.SyncDir(filepath.Join(u.dir, ecoDir)); err != nil {
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
	if err := disk.SyncDir(u.dir); err != nil {
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
	for dir, suffix := range map[string]string{ecoDir: fdbSuffix, feedsDir: feedSuffix} {
		entries, err := os.ReadDir(filepath.Join(u.dir, dir))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !s.names(e.Name()) && strings.HasSuffix(e.Name(), suffix) {
				os.Remove(filepath.Join(u.dir, dir, e.Name()))
			}
		}
	}
}
