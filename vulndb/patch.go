package vulndb

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Limits on an update record by record. What is over them costs as much as the
// whole export, or is doubtful.
const (
	maxPatch   = 2000 // records fetched one by one
	maxGone    = 20   // the store must not lose more than one record in maxGone, and maxGoneFew
	maxGoneFew = 10   // records that may go whatever the size of the store
	maxFetches = 8    // fetches side by side
)

// FullEvery is how long an ecosystem is patched before its whole export is read
// again, whatever the list of records says.
const FullEvery = 7 * 24 * time.Hour

// Listed is one record of an export as its list of records names it.
type Listed struct {
	ID       string
	Modified time.Time
}

// ErrDoubt is wrapped by the error of a Patch that could not be sure to arrive
// at what the whole export says. What to do is to read that with Put.
var ErrDoubt = errors.New("the list of records does not settle what changed")

// doubt makes an error that says why.
func doubt(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrDoubt)
}

// Patch brings what an origin says about an ecosystem up to date without its
// whole export: list is what the export holds now, every record of it with the
// time of its last change, and fetch gets one of them as JSON (at most
// MaxRecord bytes; it is called from several goroutines). A record that the
// store has with the listed time stays, one that is not listed goes, all
// others are fetched. The file that comes of it is, byte for byte, the one
// that Put would build from the export of the same content.
//
// The error wraps ErrDoubt when that is not sure: there is no intact file to
// start from, its last whole export is older than a week, too much changed,
// the list is older than the store, or a record is not what the list says.
// Nothing is put then. list is sorted by Patch.
func (u *Update) Patch(ctx context.Context, in Input, list []Listed, fetch func(ctx context.Context, id string) ([]byte, error)) error {
	base, ok := u.Part(in.Ecosystem, in.origin())
	if !ok || !u.intact(&base) {
		return doubt("patch %s: no file to start from", in.Ecosystem)
	}
	full := base.Full // set when the file was patched, or kept with the date of a newer list
	if full.IsZero() {
		full = base.AsOf
	}
	if in.AsOf.IsZero() || full.IsZero() || in.AsOf.Sub(full) > FullEvery {
		return doubt("patch %s: the last whole export is of %s", in.Ecosystem, full.Format(time.DateOnly))
	}
	p := &patch{list: list, base: &base, path: filepath.Join(u.dir, ecoDir, base.File)}
	if err := p.compare(ctx, u.opts); err != nil {
		return fmt.Errorf("patch %s: %w", in.Ecosystem, err)
	}
	if len(p.fetch) == 0 && p.gone == 0 {
		in.ETag, in.listed = base.ETag, true
		u.Keep(in)
		return nil
	}
	var report readReport
	src, err := u.compile(ctx, in.Ecosystem, base.Records+len(p.fetch), func(w *fdbWriter) (err error) {
		report, err = p.apply(ctx, u.opts, in.Ecosystem, w, fetch)
		return err
	})
	if err != nil {
		return fmt.Errorf("patch %s: %w", in.Ecosystem, err)
	}
	src.Full = full
	in.ETag = "" // that of the archive is older than this
	u.finish(src, in, report)
	return nil
}

// patch is one run of Patch.
type patch struct {
	list  []Listed // sorted by id
	base  *Source
	path  string
	kept  []atomic.Bool // by place in list: the store has it as listed
	fetch []int         // places in list
	gone  int           // records of the store that are not listed
}

// find returns the place of an id in the list.
func (p *patch) find(id string) (int, bool) {
	return slices.BinarySearchFunc(p.list, id, func(l Listed, id string) int { return strings.Compare(l.ID, id) })
}

// compare finds out what changed.
func (p *patch) compare(ctx context.Context, opts Options) error {
	slices.SortFunc(p.list, func(a, b Listed) int { return strings.Compare(a.ID, b.ID) })
	for i := range p.list {
		if checkName("id", p.list[i].ID) != nil || p.list[i].Modified.IsZero() || i > 0 && p.list[i].ID == p.list[i-1].ID {
			return doubt("the list has %q", clip(p.list[i].ID, 80))
		}
	}
	p.kept = make([]atomic.Bool, len(p.list))
	var gone atomic.Int64
	err := eachRecord(ctx, p.path, opts.Jobs, func(a *Advisory, _ string) error {
		i, ok := p.find(a.ID)
		if !ok {
			gone.Add(1)
			return nil
		}
		switch listed := seconds(p.list[i].Modified); {
		case a.Modified.Equal(listed):
			p.kept[i].Store(true)
		case a.Modified.After(listed):
			return doubt("the store has a later %s than the list", a.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range p.kept {
		if !p.kept[i].Load() {
			if p.fetch = append(p.fetch, i); len(p.fetch) > maxPatch {
				return doubt("over %d records changed", maxPatch)
			}
		}
	}
	p.gone = int(gone.Load())
	if p.gone > max(maxGoneFew, p.base.Records/maxGone) {
		return doubt("%d of %d records are not listed", p.gone, p.base.Records)
	}
	return nil
}

// seconds is a time as the store keeps it. What changed twice in one second
// may be missed, until the next whole export.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// apply adds the records that stay, and those that changed.
func (p *patch) apply(ctx context.Context, opts Options, ecosystem string, w *fdbWriter, fetch func(context.Context, string) ([]byte, error)) (readReport, error) {
	var report readReport
	var mu sync.Mutex // guards report and done
	count := func(a *Advisory) {
		mu.Lock()
		defer mu.Unlock()
		report.records++
		if !a.Modified.After(opts.Now) {
			report.modified = later(report.modified, a.Modified)
		}
	}
	err := copyRecords(ctx, p.path, opts.Jobs, 0, w, func(a *Advisory) bool {
		i, ok := p.find(a.ID)
		if ok = ok && p.kept[i].Load(); ok {
			count(a)
		}
		return ok
	})
	if err != nil {
		return report, err
	}
	var done int64
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxFetches)
	for _, i := range p.fetch {
		l := p.list[i]
		g.Go(func() error {
			b, err := fetch(gctx, l.ID)
			if err != nil {
				return doubt("fetch %s: %v", clip(l.ID, 80), err)
			}
			a, err := ParseRecord(b)
			mu.Lock()
			done++
			opts.Progress(Progress{Ecosystem: ecosystem, Stage: Fetching, Done: done, Total: int64(len(p.fetch))})
			mu.Unlock()
			switch {
			case err != nil && slices.Contains(p.base.UnreadIDs, l.ID+".json"): // it could not be read in the export either
				mu.Lock()
				defer mu.Unlock()
				report.add([]string{l.ID + ".json"})
				return nil
			case err != nil:
				return doubt("record %s: %v", clip(l.ID, 80), err)
			case a.ID != l.ID || a.Modified.Before(seconds(l.Modified)):
				return doubt("record %s is %s of %s, the list says %s", clip(l.ID, 80), a.ID, a.Modified.Format(time.RFC3339), l.Modified.Format(time.RFC3339))
			}
			count(a)
			rec := prepare(ecosystem, a, nil)
			return w.add(&rec)
		})
	}
	if err := g.Wait(); err != nil {
		return report, err
	}
	report.cut()
	return report, nil
}
