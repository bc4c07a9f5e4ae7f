package vulndb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

// DB is an open advisory store. It is safe for concurrent use. What it was
// opened with stays as it is while others update the store.
type DB struct {
	snapshot Snapshot
	files    map[string]*fdb // by ecosystem
	feeds    map[string]*listFile
	starter  *starter // instead of the two above

	mu     sync.RWMutex // read-locked by every lookup, locked by Close, which unmaps what lookups read
	closed bool
}

// ErrClosed is returned by lookups after Close.
var ErrClosed = errors.New("the store is closed")

// openRetries bounds how often Open starts again because the store was
// replaced between reading what it consists of and opening that.
const openRetries = 100

// Open opens the store in a folder. It costs microseconds whatever the store's
// size: each file is mapped and its header checked. The error wraps ErrNoStore
// when there is none, ErrFormat for a store of another version of the program,
// and ErrDamaged when bytes are not what was written; all say what to do.
func Open(dir string) (*DB, error) {
	for try := 0; ; try++ {
		s, err := ReadSnapshot(dir)
		if err != nil {
			return nil, advise(err)
		}
		db, err := openSnapshot(dir, s)
		if err == nil {
			return db, nil
		}
		// An update may have replaced the snapshot and removed the old files in
		// between. Then the snapshot is another one now.
		if errors.Is(err, os.ErrNotExist) && try < openRetries {
			if now, again := ReadSnapshot(dir); again == nil && now.ID != s.ID {
				continue
			}
		}
		if errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("%w: %w", err, ErrDamaged)
		}
		return nil, advise(fmt.Errorf("open store %s: %w", dir, err))
	}
}

// advise adds what to do next.
func advise(err error) error {
	switch {
	case errors.Is(err, ErrNoStore):
		return fmt.Errorf("%w; run `fnaudit db update` to get one", err)
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("%w; run `fnaudit db update` to build it again", err)
	case errors.Is(err, ErrFormat):
		return fmt.Errorf("%w; run `fnaudit db update` to build it again", err)
	}
	return err
}

func openSnapshot(dir string, s Snapshot) (*DB, error) {
	db := &DB{snapshot: s, files: make(map[string]*fdb, len(s.Sources)), feeds: make(map[string]*listFile, len(s.Feeds))}
	for i := range s.Sources {
		f, err := openSource(dir, &s.Sources[i])
		if err != nil {
			db.Close()
			return nil, err
		}
		db.files[s.Sources[i].Ecosystem] = f
	}
	for i := range s.Feeds {
		f, err := openFeed(s.Feeds[i].Path(dir), &s.Feeds[i])
		if err != nil {
			db.Close()
			return nil, err
		}
		db.feeds[s.Feeds[i].Name] = f
	}
	return db, nil
}

func openSource(dir string, src *Source) (f *fdb, err error) {
	b, err := openBlob(filepath.Join(dir, ecoDir, src.File))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	defer faults(&err)()
	if f, err = openFdb(b); err != nil {
		return nil, fmt.Errorf("%s: %w", src.File, err)
	}
	if f.h.ecosystem != src.Ecosystem || b.size() != src.Size || int(f.h.records) != src.Records || int(f.h.packages) != src.Packages {
		return nil, damaged("%s is not what the snapshot says", src.File)
	}
	return f, nil
}

// faults turns a fault in mapped memory into an error: the kernel raises one
// when a file was cut short after it was mapped, or when its disk fails. Use
// it deferred in every function that reads a mapped file.
func faults(err *error) func() {
	was := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(was)
		r := recover()
		if r == nil {
			return
		}
		if _, ok := r.(interface{ Addr() uintptr }); !ok {
			panic(r)
		}
		*err = damaged("the file cannot be read any more")
	}
}

// Close releases the files. Lookups that run finish first, later ones return
// ErrClosed. Advisories that were returned stay valid.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	var errs []error
	for _, f := range db.files {
		errs = append(errs, f.blob.close())
	}
	for _, f := range db.feeds {
		errs = append(errs, f.blob.close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// Snapshot says what the store knows, and as of when. The caller must not
// change its Sources.
func (db *DB) Snapshot() Snapshot { return db.snapshot }

// Covers says what the store can know about an ecosystem, which may carry a
// release. Records of other releases only are no knowledge about this one.
func (db *DB) Covers(ecosystem string) Coverage {
	base := Base(ecosystem)
	if base == "" {
		return NoSource
	}
	if _, ok := db.snapshot.Source(base); !ok {
		if known(base) {
			return Lacking
		}
		return NoSource
	}
	if r := release(ecosystem); r != "" && !db.coversRelease(base, ecosystem) {
		return Lacking
	}
	return Covered
}

func (db *DB) coversRelease(base, ecosystem string) bool {
	var counts map[string]int
	err := db.read(func() (err error) {
		if db.starter != nil {
			counts = db.starter.releases[base]
			return nil
		}
		counts, err = db.files[base].releaseCounts()
		return err
	})
	if err != nil {
		return false
	}
	if len(counts) == 0 {
		return true // its records name no releases
	}
	for r := range counts {
		entry := base + ":" + r
		if sameRelease(entry, ecosystem) {
			return true
		}
		if base == "Ubuntu" {
			if plain, pro := ubuntuPro(r); pro && plain == release(ecosystem) {
				return true
			}
		}
	}
	return false
}

// read runs a lookup under the read lock.
func (db *DB) read(lookup func() error) (err error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return ErrClosed
	}
	defer faults(&err)()
	return lookup()
}

// Match says which advisories hold for a package. An error means that the
// store could not be read, or that ctx is done; what the package itself makes
// impossible to judge is part of the Result. An ecosystem that the store does
// not cover gives a problem, not silence.
func (db *DB) Match(ctx context.Context, p Package) (Result, error) {
	list, problems, err := db.about(ctx, p)
	if err != nil {
		return Result{}, err
	}
	res := ask(p).answer(list)
	res.Problems = append(res.Problems, problems...)
	return res, nil
}

// about returns what the store holds on a package, whatever its version, and
// why that may not be everything.
func (db *DB) about(ctx context.Context, p Package) (list []*Advisory, problems []string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	base := Base(p.Ecosystem)
	if _, ok := db.snapshot.Source(base); !ok {
		return nil, []string{fmt.Sprintf("the store holds no advisories of ecosystem %q", clip(p.Ecosystem, 80))}, nil
	}
	if list, err = db.byNames(base, p.names()); err != nil {
		return nil, nil, advise(fmt.Errorf("look up %s %s: %w", p.Ecosystem, clip(p.Name, 120), err))
	}
	if release(p.Ecosystem) != "" && !db.coversRelease(base, p.Ecosystem) {
		problems = append(problems, fmt.Sprintf("the store holds no advisories of release %q", clip(p.Ecosystem, 80)))
	}
	return list, problems, nil
}

// byNames returns the advisories of normalised names, each once.
func (db *DB) byNames(base string, names []string) ([]*Advisory, error) {
	var list []*Advisory
	err := db.read(func() error {
		if db.starter != nil {
			for _, n := range names {
				list = append(list, db.starter.names[base][n]...)
			}
			return nil
		}
		f := db.files[base]
		if f == nil {
			return nil
		}
		var refs []ref
		for _, n := range names {
			r, err := f.packageRefs(n)
			if err != nil {
				return err
			}
			refs = append(refs, r...)
		}
		var err error
		list, err = f.advisories(refs)
		return err
	})
	return unique(list), err
}

// LookupName returns every advisory that names a package, withdrawn ones
// included, sorted by id.
func (db *DB) LookupName(ctx context.Context, ecosystem, name string) ([]*Advisory, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	list, err := db.byNames(Base(ecosystem), []string{NormalName(ecosystem, name)})
	if err != nil {
		return nil, advise(fmt.Errorf("look up %s %s: %w", ecosystem, clip(name, 120), err))
	}
	if release(ecosystem) != "" {
		q := &question{pkg: Package{Ecosystem: ecosystem}, names: []string{NormalName(ecosystem, name)}}
		list = slices.DeleteFunc(list, func(a *Advisory) bool { return len(a.entries(q.pkg, q.names)) == 0 })
	}
	return list, nil
}

// Lookup returns every advisory that has the id as its own or as an alias, in
// any ecosystem and any spelling of upper and lower case, withdrawn ones
// included, sorted by id.
func (db *DB) Lookup(ctx context.Context, id string) ([]*Advisory, error) {
	var list []*Advisory
	for i := range db.snapshot.Sources {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := db.read(func() error {
			if db.starter != nil {
				list = append(list, db.starter.all...)
				return nil
			}
			f := db.files[db.snapshot.Sources[i].Ecosystem]
			refs, err := f.idRefs(id)
			if err != nil {
				return err
			}
			found, err := f.advisories(refs)
			list = append(list, found...)
			return err
		})
		if err != nil {
			return nil, advise(fmt.Errorf("look up %s: %w", clip(id, 120), err))
		}
	}
	list = slices.DeleteFunc(list, func(a *Advisory) bool {
		return !slices.ContainsFunc(a.Names(), func(n string) bool { return strings.EqualFold(n, id) })
	})
	return unique(list), nil
}

// unique sorts by id and keeps one record of each. The export lists a record
// in the archive of each ecosystem that it names; the copies are the same, or
// the later one counts.
func unique(list []*Advisory) []*Advisory {
	slices.SortStableFunc(list, func(a, b *Advisory) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), b.Modified.Compare(a.Modified))
	})
	return slices.CompactFunc(list, func(a, b *Advisory) bool { return a.ID == b.ID })
}
