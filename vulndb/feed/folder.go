package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// folder is an export on disk: ECOSYSTEM/all.zip or ECOSYSTEM/*.json for each
// ecosystem, or *.json alone, of which each record is one of the ecosystems
// that it names. A folder that has both is an error, though its folders are read.
type folder struct {
	dir string
	own bool // its records are laid over the export

	stray func(path string) // told of files that are no records
	now   time.Time

	listed     bool
	flat       bool // set by list
	ecosystems []string
}

// Names inside a folder.
const (
	dateName = "as-of.txt" // see named
	maxDate  = 100         // bytes of that
	maxFlat  = 100_000     // records of a folder without ecosystems
)

func (f *folder) list(ctx context.Context) ([]string, []error) {
	f.listed = true
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, []error{fmt.Errorf("read the export: %w", err)}
	}
	var names, others []string
	var errs []error
	for _, e := range entries {
		name := vulndb.Spell(e.Name())
		if _, err := f.archive(e.Name()); err == nil && f.unrelated(e.Name()) {
			others = append(others, filepath.Join(f.dir, e.Name()))
		} else if err == nil && !slices.Contains(names, name) {
			names = append(names, name)
		} else if err == nil {
			errs = append(errs, fmt.Errorf("read the export: %s has two folders of %s, and only one is read", f.dir, name))
		} else if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			others = append(others, filepath.Join(f.dir, e.Name()))
		}
	}
	if b, err := readSmall(filepath.Join(f.dir, listName), maxList); err == nil {
		for _, n := range parseList(b) {
			if checkName(n) != nil || !slices.Contains(names, n) {
				errs = append(errs, fmt.Errorf("update %s: %s lists it and %s has no such folder", n, listName, f.dir))
			}
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, fmt.Errorf("read the list of ecosystems: %w", err))
	}
	for _, dir := range others {
		if err := buried(ctx, dir); err != nil {
			errs = append(errs, err)
		}
	}
	if f.own {
		errs = append(errs, f.halves(ctx, names)...)
	}
	if len(names) == 0 {
		var odd []error
		names, odd = f.flatEcosystems(ctx, entries)
		errs = append(errs, odd...)
		f.flat, f.ecosystems = len(names) > 0, names
	} else if err := f.strays(entries); err != nil {
		errs = append(errs, err)
	}
	if len(names) == 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("read the export: %s has no folder with an %s in it, and no record", f.dir, archiveName))
	}
	return names, errs
}

// halves returns errors about records of one's own that name a second ecosystem
// and lie in the folder of the first alone: an export has a copy in each.
func (f *folder) halves(ctx context.Context, ecosystems []string) (errs []error) {
	type copies struct {
		path         string
		named, lying []string
	}
	records := map[string]*copies{}
	for _, eco := range ecosystems {
		dir := filepath.Join(f.dir, f.spelling(eco))
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) > maxFlat {
			continue // so large is no folder that was written by hand
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if ctx.Err() != nil || e.IsDir() || !strings.HasSuffix(e.Name(), ".json") {
				continue
			}
			b, err := readSmall(path, vulndb.MaxRecord)
			if err != nil {
				continue
			}
			a, err := vulndb.ParseRecord(b)
			if err != nil || !a.Withdrawn.IsZero() {
				continue
			}
			r := records[a.ID]
			if r == nil {
				r = &copies{path: path}
				records[a.ID] = r
			}
			r.lying = append(r.lying, eco)
			for i := range a.Affected {
				if n := vulndb.Base(a.Affected[i].Ecosystem); vulndb.Known(n) && !slices.Contains(r.named, n) {
					r.named = append(r.named, n)
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(records)) {
		r := records[id]
		for _, n := range r.named {
			if !slices.Contains(r.lying, n) && slices.ContainsFunc(r.named, func(n string) bool { return slices.Contains(r.lying, n) }) && len(errs) < maxOdd {
				errs = append(errs, fmt.Errorf("read the export: %s names %s, too, and would not be found there; put a copy into the folder of %s", r.path, n, n))
			}
		}
	}
	return errs
}

// buried returns an error that names a record below the folder of an ecosystem,
// or below one of which nobody knows what it is: only what lies in the folder
// itself is read. Folders whose name begins with a dot are not looked into.
func buried(ctx context.Context, dir string) error {
	var first string
	n := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case e.IsDir() && path != dir && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case filepath.Dir(path) != dir && !e.IsDir() && (strings.HasSuffix(e.Name(), ".json") || e.Name() == archiveName):
			if n++; n == 1 {
				first = path
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the export: %w", err)
	}
	switch n {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("read the export: %s lies too deep and is not read; move it into the folder of its ecosystem", first)
	}
	return fmt.Errorf("read the export: %s and %d other files lie too deep and are not read; move them into the folders of their ecosystems", first, n-1)
}

// strays returns an error that names the records which lie beside the folders
// of the ecosystems. Nothing reads them there, and whoever put one there wants
// it to count.
func (f *folder) strays(entries []os.DirEntry) error {
	var first string
	n := 0
	for _, e := range entries {
		path := filepath.Join(f.dir, e.Name())
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".json") || isList(e.Name()) || f.passOver(path) {
			continue
		}
		if n++; n == 1 {
			first = path
		}
	}
	switch n {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("read the export: %s lies beside the folders of the ecosystems and is not read; move it into the folder of its ecosystem", first)
	}
	return fmt.Errorf("read the export: %s and %d other .json files lie beside the folders of the ecosystems and are not read; move them into the folders of their ecosystems", first, n-1)
}

// passOver reports whether a file is no record, and says so.
func (f *folder) passOver(path string) bool {
	b, err := readSmall(path, vulndb.MaxRecord)
	if err != nil || !vulndb.Stray(b) {
		return false
	}
	f.stray(path)
	return true
}

// unrelated reports whether a folder is none of an ecosystem: OSV has no such,
// and what lies in it are files that are no records. It says so of each.
func (f *folder) unrelated(name string) bool {
	if vulndb.Known(vulndb.Spell(name)) {
		return false
	}
	entries, err := os.ReadDir(filepath.Join(f.dir, name))
	if err != nil {
		return false
	}
	for _, e := range entries {
		if e.Name() == archiveName || strings.HasSuffix(e.Name(), ".json") && !f.passOver(filepath.Join(f.dir, name, e.Name())) {
			return false
		}
	}
	return true
}

// flatEcosystems returns the ecosystems that the records of a folder name. The
// errors are about records of which no package would ever be found. Those that
// cannot be read are counted when the folder is built.
func (f *folder) flatEcosystems(ctx context.Context, entries []os.DirEntry) (names []string, errs []error) {
	odd := func(format string, args ...any) {
		if len(errs) < maxOdd {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for i, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, []error{err}
		}
		if i > maxFlat {
			return nil, []error{fmt.Errorf("read the export: %s has over %d files; put them into a folder for each ecosystem", f.dir, maxFlat)}
		}
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		path := filepath.Join(f.dir, e.Name())
		b, err := readSmall(path, vulndb.MaxRecord)
		if err != nil {
			continue
		}
		a, err := vulndb.ParseRecord(b)
		if err != nil {
			continue
		}
		if len(a.Affected) == 0 {
			odd("read the export: %s names no package; put it into the folder of its ecosystem, if it is to take the place of another record", path)
		}
		for i := range a.Affected {
			switch n := vulndb.Base(a.Affected[i].Ecosystem); {
			case slices.Contains(names, n) || len(names) == maxEcosystems:
			case vulndb.Known(n):
				names = append(names, n)
			default:
				odd("read the export: %s names the ecosystem %q: %w", path, n, vulndb.ErrUnknownEcosystem)
			}
		}
	}
	return names, errs
}

// maxOdd bounds the records of a folder that an error names one by one.
const maxOdd = 5

// maxEcosystems bounds the ecosystems of a folder; OSV has about 50.
const maxEcosystems = 200

func (f *folder) get(ctx context.Context, ecosystem string) (got, error) {
	in := vulndb.Input{Archive: f.dir, URL: f.dir, Folder: true}
	if !f.listed {
		f.list(ctx) // for flat; whoever asked by name need not know what else is wrong
	}
	if f.flat && slices.Contains(f.ecosystems, ecosystem) {
		in.Only = true
	} else {
		path, err := f.archive(f.spelling(ecosystem))
		if err != nil {
			return got{}, err
		}
		if err := buried(ctx, filepath.Join(f.dir, f.spelling(ecosystem))); err != nil {
			return got{}, err
		}
		if f.own && filepath.Base(path) == archiveName && hasRecords(filepath.Dir(path)) == nil {
			return got{}, fmt.Errorf("%s lies beside .json files, and only one of the two is read; move the other away", path)
		}
		in.Archive, in.URL = path, path
	}
	date, err := f.named()
	if err != nil {
		return got{}, err
	}
	if !date.IsZero() {
		in.AsOf, in.Folder = date, false
	}
	return got{input: in}, nil
}

// date reads how current those ecosystems are that nobody asked for: the date of
// a folder must not depend on what is asked for together.
func (f *folder) date(ctx context.Context, u *vulndb.Update, origin string) []error {
	if at, err := f.named(); err != nil || !at.IsZero() {
		return nil // it says so itself; what is wrong with that was said
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil // so nothing was put
	}
	archives := []string{f.dir}
	for _, e := range entries {
		if path, err := f.archive(e.Name()); err == nil && !u.Has(vulndb.Spell(e.Name()), origin) {
			archives = append(archives, path)
		}
	}
	for _, path := range archives {
		if err := u.Date(ctx, origin, path); err != nil {
			return []error{fmt.Errorf("read the dates of %s: %w", path, err)}
		}
	}
	return nil
}

// named reads as-of.txt, if there is one: the time (RFC 3339) as of which the
// folder says all that its maintainers know. Without it a folder is as current
// as its newest record, and one of three advisories of last year makes the
// store a year old.
func (f *folder) named() (time.Time, error) {
	b, err := readSmall(filepath.Join(f.dir, dateName), maxDate)
	if errors.Is(err, os.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read the date of the export: %w", err)
	}
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(string(b)))
	if err != nil {
		return time.Time{}, fmt.Errorf("read the date of the export: %s is not a time such as 2026-05-29T10:00:00Z", dateName)
	}
	if t.After(f.now) {
		return time.Time{}, fmt.Errorf("read the date of the export: %s is in the future", dateName)
	}
	return t.UTC(), nil
}

// patch: a folder is read as a whole.
func (f *folder) patch(context.Context, string) (func(context.Context) error, bool) {
	return nil, false
}

// spelling returns the name of an ecosystem's folder, which may differ from the
// ecosystem's by case.
func (f *folder) spelling(ecosystem string) string {
	if _, err := os.Stat(filepath.Join(f.dir, ecosystem)); err == nil {
		return ecosystem
	}
	entries, err := os.ReadDir(f.dir)
	if err == nil {
		for _, e := range entries {
			if vulndb.Spell(e.Name()) == ecosystem {
				return e.Name()
			}
		}
	}
	return ecosystem
}

// archive returns the path of an ecosystem's export: the zip, or the folder
// itself if it holds the records one by one.
func (f *folder) archive(ecosystem string) (string, error) {
	dir := filepath.Join(f.dir, ecosystem)
	zip := filepath.Join(dir, archiveName)
	if _, err := os.Stat(zip); err == nil {
		return zip, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	return dir, hasRecords(dir)
}

// hasRecords returns an error for a folder in which no record lies.
func hasRecords(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), ".json") && !e.IsDir() }) {
		return fmt.Errorf("%s holds neither %s nor .json files", dir, archiveName)
	}
	return nil
}

// readSmall reads a regular file that must not be larger than limit.
func readSmall(path string, limit int64) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is over %d bytes", path, limit)
	}
	return b, err
}
