package vulndb

import (
	"archive/zip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// file is one member of a test feed.
type file struct{ name, content string }

// writeZip writes an export and returns its path.
func writeZip(tb testing.TB, path string, files ...file) string {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	z := zip.NewWriter(f)
	for _, m := range files {
		w, err := z.Create(m.name)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(m.content)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

// recordJSON makes a record of one package with one range.
func recordJSON(id, ecosystem, name, introduced, fixed string) string {
	return fmt.Sprintf(`{"id":%q,"modified":"2026-01-02T03:04:05Z","published":"2025-12-01T00:00:00Z","aliases":["CVE-%s"],
		"summary":"flaw of %s","affected":[{"package":{"ecosystem":%q,"name":%q},
		"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":%q},{"fixed":%q}]}]}]}`, id, id, name, ecosystem, name, introduced, fixed)
}

// npmFeed makes n records of n/2 packages.
func npmFeed(n int, fixed string) []file {
	var files []file
	for i := range n {
		id := fmt.Sprintf("GHSA-%04d", i)
		files = append(files, file{id + ".json", recordJSON(id, "npm", fmt.Sprintf("package-%d", i/2), "0", fixed)})
	}
	return files
}

// testNow is the clock of the tests.
func testNow() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }

func build(tb testing.TB, dir string, inputs ...Input) Snapshot {
	tb.Helper()
	s, err := Build(context.Background(), dir, inputs, Options{Now: testNow(), Jobs: 2})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// open opens a store and closes it when the test ends.
func open(tb testing.TB, dir string) *DB {
	tb.Helper()
	db, err := Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// ids returns the ids that match a package, sorted.
func matchIDs(tb testing.TB, db *DB, p Package) []string {
	tb.Helper()
	r, err := db.Match(context.Background(), p)
	if err != nil {
		tb.Fatal(err)
	}
	var list []string
	for _, m := range r.Matches {
		list = append(list, m.Advisory.ID)
	}
	return list
}

func wantIDs(tb testing.TB, db *DB, p Package, want ...string) {
	tb.Helper()
	if got := matchIDs(tb, db, p); !slices.Equal(got, want) {
		tb.Errorf("%s %s %s: %v, want %v", p.Ecosystem, p.Name, p.Version, got, want)
	}
}

// storeFiles lists the names in a store's folder.
func storeFiles(tb testing.TB, dir string) []string {
	tb.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			list = append(list, rel)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// both adds an entry of PyPI to a record.
func both(record string) string {
	return strings.Replace(record, `"affected":[`, `"affected":[{"package":{"ecosystem":"PyPI","name":"p"}},`, 1)
}
