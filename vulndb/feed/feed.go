// Package feed brings OSV's export into the advisory store, and the lists that
// say which of the flaws are exploited and how likely that is (KEV, EPSS): from its public
// address, from a mirror with the same layout, or from a folder. Requests are
// conditional, so that an export that did not change is not fetched again; a
// download counts only when it is complete; and one ecosystem that fails takes
// no other with it.
package feed

import (
	"cmp"
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

// Options are the settings of an update. The zero value reads what the last
// update read, or every ecosystem of the public export if there was none.
type Options struct {
	From       string           // address or folder of OSV's export; empty: that of the last update, else DefaultURL
	Sources    []vulndb.Origin  // sources to lay over it, of other names; one that the last update had gets the new place
	Drop       []string         // names of sources of the last update that are no longer wanted
	AllowOlder bool             // take an export from the same address that is older than the one in the store
	Offline    bool             // a source that is not a folder is an error
	Feeds      []vulndb.Origin  // which lists to bring, too, by name; From is their place (FeedPlaces), "" that of before; nil: all lists stay as they are
	Ecosystems []string         // names without a release, in any case; empty: all that a source lists
	Default    []string         // Ecosystems of From when none are asked for and it is an address; those that the store has from it are added
	Now        func() time.Time // nil: time.Now
	Jobs       int              // records parsed side by side; 0: one per CPU
	Progress   func(Progress)   // called from one goroutine at a time; may be nil
	Notice     func(string)     // told what failed and is tried again, and what is passed over, from any goroutine; may be nil

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
	stray := o.strays()
	u, err := vulndb.Begin(ctx, dir, vulndb.Options{Now: o.Now(), Jobs: o.Jobs, Progress: o.Progress, Stray: stray, AllowOlder: o.AllowOlder})
	if err != nil {
		return vulndb.Snapshot{}, err
	}
	defer u.Close()
	origins, err := o.Origins(u.Previous())
	if err != nil {
		return vulndb.Snapshot{}, err
	}
	u.SetOrigins(origins)
	var errs []error
	silent := false
	for _, origin := range origins {
		if origin.From == "" {
			continue // it stays as it is: nobody says where it was from
		}
		for _, err := range o.read(ctx, u, origin, stray) {
			silent = silent || origin.From == DefaultURL && errors.Is(err, ErrUnreachable)
			if origin.Name != vulndb.DefaultOrigin {
				err = fmt.Errorf("source %s: %w", origin.Name, err)
			}
			errs = append(errs, err)
		}
		if err := ctx.Err(); err != nil {
			return u.Previous(), fmt.Errorf("update store: %w", err)
		}
	}
	if o.Feeds != nil {
		errs = append(errs, o.readLists(ctx, u, silent)...)
	}
	s, err := u.Commit(ctx)
	return s, errors.Join(append(errs, err)...)
}

// maxStrays is how many files that are no records are named one by one.
const maxStrays = 5

// strays returns what tells of a file that is no record, once, from any
// goroutine: a folder without ecosystems is read for each of them.
func (o Options) strays() func(path string) {
	var mu sync.Mutex
	told := map[string]bool{}
	return func(path string) {
		mu.Lock()
		defer mu.Unlock()
		if told[path] || len(told) > maxStrays || o.Feeds != nil && isList(filepath.Base(path)) {
			return
		}
		told[path] = true
		if len(told) > maxStrays {
			o.Notice("warning: more files are not OSV records, and were passed over")
			return
		}
		o.Notice("warning: " + path + " is not an OSV record (no id, modified or affected in it), and was passed over")
	}
}

// read brings what one origin says into the update.
func (o Options) read(ctx context.Context, u *vulndb.Update, origin vulndb.Origin, stray func(string)) []error {
	var src source = &folder{dir: origin.From, stray: stray, own: origin.Name != vulndb.DefaultOrigin, now: o.Now()}
	if Remote(origin.From) {
		src = newExport(o, u, origin)
	}
	asked := o.Ecosystems
	if origin.Name == vulndb.DefaultOrigin {
		if len(asked) == 0 && len(o.Default) > 0 && Remote(origin.From) {
			asked = slices.Clone(o.Default)
			for _, s := range u.Previous().Sources {
				if _, ok := u.Part(s.Ecosystem, origin.Name); ok {
					asked = append(asked, s.Ecosystem)
				}
			}
		}
		ecosystems, errs := choose(ctx, src, asked)
		for _, n := range ecosystems {
			if !vulndb.Known(n) {
				o.Notice(n + ": " + vulndb.ErrUnknownEcosystem.Error())
			}
		}
		errs = append(errs, apply(ctx, src, u, origin.Name, ecosystems)...)
		return append(errs, src.date(ctx, u, origin.Name)...)
	}
	// A source of one's own need not have every ecosystem that is asked for.
	ecosystems, errs := choose(ctx, src, nil)
	if len(asked) > 0 {
		ecosystems = slices.DeleteFunc(ecosystems, func(n string) bool {
			return !slices.ContainsFunc(asked, func(a string) bool { return strings.EqualFold(vulndb.Base(strings.TrimSpace(a)), n) })
		})
	} else if len(errs) == 0 {
		errs = append(errs, missing(u, origin.Name, ecosystems)...)
	}
	errs = append(errs, apply(ctx, src, u, origin.Name, ecosystems)...)
	return append(errs, src.date(ctx, u, origin.Name)...)
}

// missing says which ecosystems a source had at the last update and has no
// longer. They stay: an emptied folder must not look like the end of all flaws.
func missing(u *vulndb.Update, origin string, ecosystems []string) (errs []error) {
	for _, s := range u.Previous().Sources {
		if _, ok := u.Part(s.Ecosystem, origin); ok && !slices.Contains(ecosystems, s.Ecosystem) {
			errs = append(errs, fmt.Errorf("update %s: the source has none of it any more, and the store keeps what it had; drop the source to be rid of it", s.Ecosystem))
		}
	}
	return errs
}

// ErrOffline is wrapped by the error for a source that is not a folder when
// Options.Offline is set.
var ErrOffline = errors.New("it is not a folder, and the update is to stay off the network")

// Origins says what an update of a store reads, lowest precedence first: what
// the last one did, with the changes that the options ask for. An error is one
// of usage.
func (o Options) Origins(previous vulndb.Snapshot) ([]vulndb.Origin, error) {
	list := slices.Clone(previous.Origins)
	place := func(name string) int {
		return slices.IndexFunc(list, func(x vulndb.Origin) bool { return x.Name == name })
	}
	for _, name := range o.Drop {
		i := place(name)
		if name == vulndb.DefaultOrigin || i < 0 {
			return nil, fmt.Errorf("drop source %q: the store has no such source", name)
		}
		list = slices.Delete(list, i, i+1)
	}
	seen := map[string]bool{}
	for _, x := range o.Sources {
		if err := checkOrigin(x); err != nil {
			return nil, err
		}
		if seen[x.Name] || slices.Contains(o.Drop, x.Name) {
			return nil, fmt.Errorf("source %q is named twice", x.Name)
		}
		seen[x.Name] = true
		if i := place(x.Name); i >= 0 {
			list[i] = x
		} else {
			list = append(list, x)
		}
	}
	if i := place(vulndb.DefaultOrigin); i < 0 {
		list = slices.Insert(list, 0, vulndb.Origin{Name: vulndb.DefaultOrigin, From: cmp.Or(o.From, DefaultURL)})
	} else if o.From != "" || list[i].From == "" { // a store that came from elsewhere does not say where its exports lie
		list[i].From = cmp.Or(o.From, DefaultURL)
	}
	for i := range list {
		if list[i].From == "" {
			continue
		}
		if Remote(list[i].From) {
			if o.Offline {
				return nil, fmt.Errorf("update from %s: %w", list[i].From, ErrOffline)
			}
			list[i].From = strings.TrimRight(list[i].From, "/")
			continue
		}
		abs, err := filepath.Abs(list[i].From) // for the next update, which may run elsewhere
		if err != nil {
			return nil, fmt.Errorf("update from %s: %w", list[i].From, err)
		}
		list[i].From = abs
	}
	return list, nil
}

// maxOriginName is the longest name of a source, in bytes.
const maxOriginName = 40

func checkOrigin(o vulndb.Origin) error {
	if o.Name == "" || len(o.Name) > maxOriginName || strings.Trim(o.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("source %q: a name has small letters, digits and hyphens, %d at most", o.Name, maxOriginName)
	}
	if o.Name == vulndb.DefaultOrigin {
		return fmt.Errorf("source %q is the export that the others are laid over", o.Name)
	}
	if o.From == "" {
		return fmt.Errorf("source %q: no address or folder", o.Name)
	}
	return nil
}

// source is where exports come from.
type source interface {
	// list names the ecosystems there are; the errors name those that are
	// listed and cannot be had.
	list(ctx context.Context) ([]string, []error)
	// get brings one export to this machine.
	get(ctx context.Context, ecosystem string) (got, error)
	// patch says how to bring an ecosystem up to date without its export, and
	// whether that may work.
	patch(ctx context.Context, ecosystem string) (apply func(context.Context) error, ok bool)
	// date tells the update, after everything else, how current the source is
	// beyond what was asked for, if that counts.
	date(ctx context.Context, u *vulndb.Update, origin string) []error
}

// got is one export, or the news that it has not changed.
type got struct {
	input     vulndb.Input
	unchanged bool
	patch     func(context.Context) error // instead of an export; may fail with vulndb.ErrDoubt
	temp      string                      // to remove after use
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
func apply(ctx context.Context, src source, u *vulndb.Update, origin string, ecosystems []string) []error {
	type result struct {
		got got
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan result, 1)
	var rest []string // not tried; set before results is closed
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(results)
		for i, eco := range ecosystems {
			var r result
			var ok bool
			if r.got.patch, ok = src.patch(ctx, eco); !ok {
				r.got, r.err = src.get(ctx, eco)
			}
			r.got.input.Ecosystem, r.got.input.Origin = eco, origin
			select {
			case results <- r:
			case <-ctx.Done():
				return
			}
			if errors.Is(r.err, ErrUnreachable) {
				rest = ecosystems[i+1:]
				return
			}
		}
	})
	defer wg.Wait()
	var errs []error
	for r := range results {
		if err := put(ctx, src, u, r.got, r.err); err != nil {
			errs = append(errs, fmt.Errorf("update %s: %w", r.got.input.Ecosystem, err))
		}
		if ctx.Err() != nil {
			return errs
		}
	}
	if len(rest) > 0 {
		errs = append(errs, fmt.Errorf("update %s: not tried, for the same reason", strings.Join(rest, ", ")))
	}
	return errs
}

// put brings one export into the update. If a patch is in doubt, the whole
// export is fetched instead.
func put(ctx context.Context, src source, u *vulndb.Update, g got, err error) error {
	if err != nil {
		return err
	}
	if g.patch != nil {
		if err := g.patch(ctx); err == nil || ctx.Err() != nil {
			return err
		}
		in := g.input
		if g, err = src.get(ctx, in.Ecosystem); err != nil {
			return err
		}
		g.input.Ecosystem, g.input.Origin = in.Ecosystem, in.Origin
	}
	if g.temp != "" {
		defer os.Remove(g.temp)
	}
	if g.unchanged {
		u.Keep(g.input)
		return nil
	}
	return u.Put(ctx, g.input)
}

// Remote reports whether a source is at an address, and not in a folder.
func Remote(from string) bool {
	return strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://")
}

func (o Options) defaults() Options {
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
	if o.Notice == nil {
		o.Notice = func(string) {}
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
