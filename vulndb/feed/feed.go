// Package feed brings OSV's export into the advisory store: from its public
// address, from a mirror with the same layout, or from a folder. Requests are
// conditional, so that an export that did not change is not fetched again; a
// download counts only when it is complete; and one ecosystem that fails takes
// no other with it.
package feed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// DefaultURL is the address of OSV's public export
// (https://google.github.io/osv.dev/data/, read 2026-11-22): a folder per
// ecosystem with all.zip in it, and ecosystems.txt.
const DefaultURL = "https://osv-vulnerabilities.storage.googleapis.com"

// Options are the settings of an update. The zero value reads every ecosystem
// of the public export.
type Options struct {
	From       string           // address or folder; empty: DefaultURL
	Ecosystems []string         // names without a release, in any case; empty: all that From lists
	Now        func() time.Time // nil: time.Now
	Jobs       int              // records parsed side by side; 0: one per CPU
	Progress   func(Progress)   // called from one goroutine at a time; may be nil

	Client   *http.Client  // nil: http.DefaultClient; redirects from https to http are refused in any case
	Timeout  time.Duration // of one download; 0: 10 minutes
	Attempts int           // tries of one download; 0: 4
	Backoff  time.Duration // wait after the first failed try, doubled each time; 0: 1 second
	MaxBytes int64         // of one export; 0: 4 GiB
}

// Progress says how far an update is.
type Progress = vulndb.Progress

// Update brings the store in dir up to date and returns what it knows then.
// The ecosystems that are not asked for stay. An ecosystem that fails stays as
// it was and is part of the error; the others are in the store, and the
// Snapshot is valid. It is the empty Snapshot if nothing was done.
func Update(ctx context.Context, dir string, o Options) (vulndb.Snapshot, error) {
	o = o.defaults()
	u, err := vulndb.Begin(ctx, dir, vulndb.Options{Now: o.Now(), Jobs: o.Jobs, Progress: o.Progress})
	if err != nil {
		return vulndb.Snapshot{}, err
	}
	defer u.Close()
	var src source = folder(o.From)
	if remote(o.From) {
		src = newExport(o, u)
	}
	ecosystems, errs := choose(ctx, src, o.Ecosystems)
	if err := ctx.Err(); err != nil {
		return u.Previous(), fmt.Errorf("update store: %w", err)
	}
	errs = append(errs, apply(ctx, src, u, ecosystems)...)
	if err := ctx.Err(); err != nil {
		return u.Previous(), fmt.Errorf("update store: %w", err)
	}
	s, err := u.Commit(ctx)
	return s, errors.Join(append(errs, err)...)
}

// source is where exports come from.
type source interface {
	// list names the ecosystems there are; the errors name those that are
	// listed and cannot be had.
	list(ctx context.Context) ([]string, []error)
	// get brings one export to this machine.
	get(ctx context.Context, ecosystem string) (got, error)
}

// got is one export, or the news that it has not changed.
type got struct {
	input     vulndb.Input
	unchanged bool
	temp      string // to remove after use
}

// choose returns the ecosystems to update, sorted and once each.
func choose(ctx context.Context, src source, asked []string) ([]string, []error) {
	var errs []error
	names := slices.Clone(asked)
	if len(asked) == 0 {
		if names, errs = src.list(ctx); len(names) == 0 && len(errs) == 0 {
			errs = append(errs, errors.New("read the list of ecosystems: it is empty"))
		}
	}
	for i, n := range names {
		names[i] = vulndb.Spell(vulndb.Base(strings.TrimSpace(n)))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	valid := names[:0]
	for _, n := range names {
		if err := checkName(n); err != nil {
			errs = append(errs, err)
		} else {
			valid = append(valid, n)
		}
	}
	return valid, errs
}

// checkName keeps a name out of paths and addresses that could lead elsewhere.
func checkName(n string) error {
	if n == "" || len(n) > 64 || strings.HasPrefix(n, ".") || strings.ContainsFunc(n, func(c rune) bool {
		return c < ' ' || c >= 0x7f || strings.ContainsRune(`/\?#%*"<>|`, c)
	}) {
		return fmt.Errorf("update %q: not the name of an ecosystem", n)
	}
	return nil
}

// apply fetches the exports one after the other and builds each while the
// next one is on its way.
func apply(ctx context.Context, src source, u *vulndb.Update, ecosystems []string) []error {
	type result struct {
		got got
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan result, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(results)
		for _, eco := range ecosystems {
			g, err := src.get(ctx, eco)
			if err != nil {
				err = fmt.Errorf("update %s: %w", eco, err)
			}
			g.input.Ecosystem = eco
			select {
			case results <- result{g, err}:
			case <-ctx.Done():
				return
			}
		}
	})
	defer wg.Wait()
	var errs []error
	for r := range results {
		switch {
		case r.err != nil:
			errs = append(errs, r.err)
		case r.got.unchanged:
			u.Keep(r.got.input.Ecosystem, r.got.input.AsOf, r.got.input.ETag)
		default:
			if err := u.Put(ctx, r.got.input); err != nil {
				errs = append(errs, err)
			}
		}
		if r.got.temp != "" {
			os.Remove(r.got.temp)
		}
		if ctx.Err() != nil {
			return errs
		}
	}
	return errs
}

func remote(from string) bool {
	return strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://")
}

func (o Options) defaults() Options {
	if o.From == "" {
		o.From = DefaultURL
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.Attempts <= 0 {
		o.Attempts = 4
	}
	if o.Backoff <= 0 {
		o.Backoff = time.Second
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 30
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if report := o.Progress; report != nil {
		var mu sync.Mutex // fetching and building overlap
		o.Progress = func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			report(p)
		}
	} else {
		o.Progress = func(Progress) {}
	}
	return o
}

// folder is an export on disk: ECOSYSTEM/all.zip, or ECOSYSTEM/*.json.
type folder string

func (f folder) list(context.Context) ([]string, []error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, []error{fmt.Errorf("read the export: %w", err)}
	}
	var names []string
	for _, e := range entries {
		if _, err := f.archive(e.Name()); err == nil {
			names = append(names, e.Name())
		}
	}
	var errs []error
	if b, err := os.ReadFile(filepath.Join(string(f), listName)); err == nil {
		for _, n := range parseList(b) {
			if checkName(n) != nil || !slices.Contains(names, n) {
				errs = append(errs, fmt.Errorf("update %s: %s lists it and %s has no such folder", n, listName, f))
			}
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, fmt.Errorf("read the list of ecosystems: %w", err))
	}
	if len(names) == 0 {
		errs = append(errs, fmt.Errorf("read the export: %s has no folder with an %s in it", f, archiveName))
	}
	return names, errs
}

func (f folder) get(_ context.Context, ecosystem string) (got, error) {
	path, err := f.archive(ecosystem)
	if err != nil {
		return got{}, err
	}
	return got{input: vulndb.Input{Archive: path, Folder: true}}, nil
}

// archive returns the path of an ecosystem's export: the zip, or the folder
// itself if it holds the records one by one.
func (f folder) archive(ecosystem string) (string, error) {
	dir := filepath.Join(string(f), ecosystem)
	zip := filepath.Join(dir, archiveName)
	if _, err := os.Stat(zip); err == nil {
		return zip, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), ".json") }) {
		return "", fmt.Errorf("%s holds neither %s nor .json files", dir, archiveName)
	}
	return dir, nil
}

// Names inside an export.
const (
	listName    = "ecosystems.txt"
	archiveName = "all.zip"
)

// parseList reads ecosystems.txt: a name a line, some with a release, which
// the archive of the name without it contains.
func parseList(b []byte) []string {
	var names []string
	for line := range strings.Lines(string(b)) {
		if n := vulndb.Base(strings.TrimSpace(line)); n != "" && n != "[EMPTY]" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}
