package feed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// private is a folder of records.
func private(t *testing.T, records ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, r := range records {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.json", i)), []byte(r), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// at changes the date of a record.
func at(record, date string) string {
	return strings.Replace(record, "2026-01-02T03:04:05Z", date, 1)
}

// mustUpdate returns the digest of each ecosystem's file by name.
func mustUpdate(t *testing.T, dir string, o Options) (vulndb.Snapshot, map[string]string) {
	t.Helper()
	s, err := Update(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if damages, err := vulndb.Check(context.Background(), dir); err != nil || len(damages) > 0 {
		t.Fatal(damages, err)
	}
	leftovers(t, dir)
	files := map[string]string{}
	for _, src := range s.Sources {
		files[src.Ecosystem] = src.Digest
	}
	return s, files
}

func TestSources(t *testing.T) {
	srv, dir := newServer(t), t.TempDir()
	srv.set("/npm/all.zip", serve(archiveOf(t, "GHSA-1", "npm", "left"), `"1"`))
	srv.set("/PyPI/all.zip", serve(archiveOf(t, "PYSEC-1", "PyPI", "p"), `"1"`))
	acme := private(t, recordOf("ACME-1", "npm", "left"), at(recordOf("ACME-2", "PyPI", "x"), "2026-03-01T00:00:00Z"))
	lab := private(t, at(recordOf("GHSA-1", "npm", "elsewhere"), "2020-01-01T00:00:00Z")) // an older record, and it counts all the same
	o := options(srv.URL, "npm", "PyPI", "Go")
	o.Sources = []vulndb.Origin{{Name: "acme", From: acme}}
	srv.set("/Go/all.zip", nil)
	if _, err := Update(context.Background(), dir, o); err == nil || !strings.Contains(err.Error(), "update Go") || strings.Contains(err.Error(), "acme") {
		t.Fatal(err) // the export has no Go, and that is said of the export alone
	}
	o = options(srv.URL, "npm", "PyPI")
	o.Sources = []vulndb.Origin{{Name: "acme", From: acme}, {Name: "lab", From: lab}}
	s, _ := mustUpdate(t, dir, o)
	if matches(t, dir, "npm", "left") != 1 || matches(t, dir, "npm", "elsewhere") != 1 || matches(t, dir, "PyPI", "x") != 1 || matches(t, dir, "PyPI", "p") != 1 {
		t.Error("not merged by precedence")
	}
	src, _ := s.Source("npm")
	var names []string
	for _, p := range src.Parts {
		names = append(names, p.Origin())
	}
	if !slices.Equal(names, []string{"osv", "acme", "lab"}) || src.Records != 2 {
		t.Errorf("%v, %d records", names, src.Records)
	}
	// The oldest source counts, and each folder has one date.
	if want := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC); !src.AsOf.Equal(want) || !s.OldestAsOf().Equal(want) {
		t.Errorf("as of %v", src.AsOf)
	}
	if want := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC); !src.Parts[1].AsOf.Equal(want) {
		t.Errorf("acme as of %v, want that of the folder", src.Parts[1].AsOf)
	}

	// An update without sources reads the same ones, and nothing that did not change.
	srv.requests("/npm/all.zip")
	again, files := mustUpdate(t, dir, options("", "npm", "PyPI"))
	if again.ID != s.ID || len(srv.requests("/npm/all.zip")) != 1 {
		t.Error("not the same sources")
	}
	// One source changes; the others are merged from what they said before.
	if err := os.WriteFile(filepath.Join(acme, "2.json"), []byte(recordOf("ACME-3", "npm", "third")), 0o644); err != nil {
		t.Fatal(err)
	}
	merged, now := mustUpdate(t, dir, options("", "npm", "PyPI"))
	if now["npm"] == files["npm"] || now["PyPI"] != files["PyPI"] || matches(t, dir, "npm", "third") != 1 || matches(t, dir, "npm", "elsewhere") != 1 {
		t.Error("the change is not merged")
	}
	// The same in one go gives the same bytes.
	fresh := options(srv.URL, "npm", "PyPI")
	fresh.Sources = o.Sources
	if whole, _ := mustUpdate(t, t.TempDir(), fresh); whole.ID != merged.ID {
		t.Error("merged one by one, it is something else")
	}
	// A source goes, and what it hid is back.
	o = options("", "npm", "PyPI")
	o.Drop = []string{"lab"}
	s, _ = mustUpdate(t, dir, o)
	if matches(t, dir, "npm", "left") != 2 || matches(t, dir, "npm", "elsewhere") != 0 || len(s.Origins) != 2 {
		t.Error("not dropped", s.Origins)
	}
	o.Drop = []string{"acme"}
	if s, _ = mustUpdate(t, dir, o); len(s.Sources) != 2 || len(s.Sources[1].Parts) > 0 || matches(t, dir, "npm", "left") != 1 {
		t.Errorf("%+v", s.Sources)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "eco", "*")); len(found) != 2 {
		t.Errorf("files are left: %v", found)
	}
}

// TestSourceFails has a source that cannot be read: what it said stays.
func TestSourceFails(t *testing.T) {
	from, dir := t.TempDir(), t.TempDir()
	for name, b := range map[string][]byte{"npm/all.zip": archiveOf(t, "GHSA-1", "npm", "left")} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(from, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	acme := private(t, recordOf("ACME-1", "npm", "left"), recordOf("ACME-2", "PyPI", "p"))
	o := options(from)
	o.Sources = []vulndb.Origin{{Name: "acme", From: acme}}
	first, _ := mustUpdate(t, dir, o)
	fails := func(o Options, want string) {
		t.Helper()
		s, err := Update(context.Background(), dir, o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if err == nil || s.ID != "" && s.ID != first.ID || matches(t, dir, "npm", "left") != 2 || matches(t, dir, "PyPI", "p") != 1 {
			t.Errorf("%s: the store changed", want)
		}
		if s, err := vulndb.ReadSnapshot(dir); err != nil || !slices.Equal(s.Origins, first.Origins) {
			t.Errorf("%s: the sources changed: %v, %v", want, s.Origins, err)
		}
	}
	// It lost an ecosystem, is empty, or is not there.
	second := filepath.Join(acme, "1.json")
	hidden := readAll(t, second)
	os.Remove(second)
	fails(options(""), "keeps what it had")
	os.Rename(filepath.Join(acme, "0.json"), filepath.Join(acme, "0"))
	fails(options(""), "source acme: read the export")
	os.Rename(acme, acme+"-")
	fails(options(""), "source acme: read the export")
	os.Rename(acme+"-", acme)
	os.Rename(filepath.Join(acme, "0"), filepath.Join(acme, "0.json"))
	if err := os.WriteFile(second, hidden, 0o644); err != nil {
		t.Fatal(err)
	}
	// A place that cannot be read is not remembered.
	fails(options(filepath.Join(from, "none")), "read the export")
	// The file of a source that is not read now is damaged: nothing is lost silently.
	for _, src := range first.Sources {
		for _, p := range src.Parts {
			if p.Origin() == "osv" {
				path := filepath.Join(dir, "eco", p.File)
				good := readAll(t, path)
				if err := os.WriteFile(path, []byte("damage"), 0o644); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(acme, "3.json"), []byte(recordOf("ACME-3", "npm", "third")), 0o644); err != nil {
					t.Fatal(err)
				}
				os.Rename(from, from+"-")
				fails(options(""), "merge npm")
				os.Rename(from+"-", from)
				if err := os.WriteFile(path, good, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if s, _ := mustUpdate(t, dir, options("")); s.ID == first.ID || matches(t, dir, "npm", "third") != 1 {
		t.Error("it works again, and the store is as before")
	}
}

func readAll(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSourceUsage(t *testing.T) {
	previous := vulndb.Snapshot{Origins: []vulndb.Origin{{Name: "osv", From: "https://mirror.example"}, {Name: "acme", From: "/acme"}}}
	origin := func(name, from string) []vulndb.Origin { return []vulndb.Origin{{Name: name, From: from}} }
	for name, o := range map[string]Options{
		"no name":     {Sources: origin("", "/x")},
		"no place":    {Sources: origin("x", "")},
		"osv":         {Sources: origin("osv", "/x")},
		"capitals":    {Sources: origin("Acme", "/x")},
		"long":        {Sources: origin(strings.Repeat("x", 41), "/x")},
		"twice":       {Sources: append(origin("x", "/x"), origin("x", "/y")...)},
		"drop none":   {Drop: []string{"none"}},
		"drop osv":    {Drop: []string{"osv"}},
		"drop twice":  {Drop: []string{"acme", "acme"}},
		"drop, add":   {Drop: []string{"acme"}, Sources: origin("acme", "/x")},
		"off the net": {Offline: true},
	} {
		if list, err := o.Origins(previous); err == nil {
			t.Errorf("%s: %v", name, list)
		}
	}
	o := Options{From: "https://other.example/", Sources: append(origin("acme", "/elsewhere"), origin("lab", "https://lab.example")...)}
	want := []vulndb.Origin{{Name: "osv", From: "https://other.example"}, {Name: "acme", From: "/elsewhere"}, {Name: "lab", From: "https://lab.example"}}
	if list, err := o.Origins(previous); err != nil || !slices.Equal(list, want) {
		t.Error(list, err)
	}
	if list, err := (Options{}).Origins(vulndb.Snapshot{}); err != nil || len(list) != 1 || list[0].From != DefaultURL {
		t.Error(list, err)
	}
	// A store that came from elsewhere does not say where its exports lie. The
	// current folder is not the place, nor is it one for a source of no address.
	foreign := vulndb.Snapshot{Origins: []vulndb.Origin{{Name: "osv"}, {Name: "acme"}}}
	if list, err := (Options{}).Origins(foreign); err != nil || !slices.Equal(list, []vulndb.Origin{{Name: "osv", From: DefaultURL}, {Name: "acme"}}) {
		t.Error(list, err)
	}
	if _, err := (Options{Offline: true}).Origins(vulndb.Snapshot{}); !errors.Is(err, ErrOffline) {
		t.Error(err)
	}
}

func TestFolderDate(t *testing.T) {
	acme := private(t, recordOf("ACME-1", "npm", "left"))
	for text, want := range map[string]string{
		"2026-05-30T00:00:00Z\n": "",
		"yesterday":              "not a time",
		"2027-01-01T00:00:00Z":   "future",
	} {
		if err := os.WriteFile(filepath.Join(acme, "as-of.txt"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Update(context.Background(), t.TempDir(), options(acme))
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", text, err)
			}
		} else if err != nil || !s.OldestAsOf().Equal(time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%q: %v, %v", text, s.OldestAsOf(), err)
		}
	}
}

// TestFolderOfBoth: records beside the folders of the ecosystems are not dropped
// without a word, whether or not they can be read.
func TestFolderOfBoth(t *testing.T) {
	for name, c := range map[string]struct {
		root []string
		want string
	}{
		"none":   {nil, ""},
		"one":    {[]string{recordOf("ACME-2", "PyPI", "x")}, "0.json lies beside"},
		"broken": {[]string{"{broken"}, "0.json lies beside"},
		"two":    {[]string{"{broken", recordOf("ACME-2", "PyPI", "x")}, "0.json and 1 other .json files"},
	} {
		t.Run(name, func(t *testing.T) {
			acme, base, dir := private(t, c.root...), private(t, recordOf("GHSA-1", "npm", "left")), t.TempDir()
			if err := os.Mkdir(filepath.Join(acme, "npm"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(acme, "npm", "a.json"), []byte(recordOf("ACME-1", "npm", "right")), 0o644); err != nil {
				t.Fatal(err)
			}
			o := options(base)
			o.Sources = []vulndb.Origin{{Name: "acme", From: acme}}
			_, err := Update(context.Background(), dir, o)
			if (err != nil) != (c.want != "") || err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "source acme")) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if n := matches(t, dir, "npm", "right"); n != 1 {
				t.Errorf("%d matches of the record in its folder", n)
			}
		})
	}
}

// TestEcosystemCase: a record of one's own whose ecosystem has the wrong case is
// found under the right name, in a folder of any layout.
func TestEcosystemCase(t *testing.T) {
	for name, folder := range map[string]string{"flat": "", "by ecosystem": "npm"} {
		t.Run(name, func(t *testing.T) {
			acme, base, dir := t.TempDir(), private(t, recordOf("GHSA-1", "npm", "left"), recordOf("DSA-1", "debian:12", "tool")), t.TempDir()
			if err := os.MkdirAll(filepath.Join(acme, folder), 0o755); err != nil {
				t.Fatal(err)
			}
			for i, r := range []string{recordOf("ACME-1", "Npm", "right"), recordOf("ACME-2", "npm", "other")} {
				if err := os.WriteFile(filepath.Join(acme, folder, fmt.Sprintf("%d.json", i)), []byte(r), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			o := options(base)
			o.Sources = []vulndb.Origin{{Name: "acme", From: acme}}
			mustUpdate(t, dir, o)
			for _, p := range []struct{ ecosystem, name string }{{"npm", "left"}, {"npm", "right"}, {"npm", "other"}, {"Debian:12", "tool"}} {
				if n := matches(t, dir, p.ecosystem, p.name); n != 1 {
					t.Errorf("%d matches of %s", n, p)
				}
			}
			if n := matches(t, dir, "Debian:11", "tool"); n != 0 {
				t.Errorf("%d matches in another release", n)
			}
		})
	}
}
