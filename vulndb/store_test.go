package vulndb

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// memoryStore builds a small file and returns its bytes and what it holds.
func memoryStore(tb testing.TB, records int) ([]byte, []Package) {
	tb.Helper()
	dir := tb.TempDir()
	s := build(tb, dir, Input{Ecosystem: "npm", Archive: writeZip(tb, filepath.Join(tb.TempDir(), "all.zip"), npmFeed(records, "2.0.0")...)})
	b, err := os.ReadFile(filepath.Join(dir, ecoDir, s.Sources[0].File))
	if err != nil {
		tb.Fatal(err)
	}
	var packages []Package
	for i := range records / 2 {
		packages = append(packages, Package{Ecosystem: "npm", Name: "package-" + itoa(i), Version: "1.0.0"})
	}
	return b, packages
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// asDB makes a DB of one file in memory.
func asDB(b []byte) (*DB, error) {
	f, err := openFdb(memory(b))
	if err != nil {
		return nil, err
	}
	return &DB{snapshot: newSnapshot([]Source{{Ecosystem: f.h.ecosystem}}, false), files: map[string]*fdb{f.h.ecosystem: f}}, nil
}

// TestDamage changes every byte of a store, one at a time. Whatever it hits, a
// lookup gives the right answer or an error: never another answer, and never
// a missing advisory.
func TestDamage(t *testing.T) {
	whole, packages := memoryStore(t, 40)
	db, err := asDB(whole)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	var want []Result
	for _, p := range packages {
		r, err := db.Match(ctx, p)
		if err != nil || len(r.Matches) != 2 {
			t.Fatal(r, err)
		}
		want = append(want, r)
	}
	noticed := 0
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		db, err := asDB(b)
		if err != nil {
			noticed++
			continue
		}
		before := noticed
		for k, p := range packages {
			r, err := db.Match(ctx, p)
			if err != nil {
				if !errors.Is(err, ErrDamaged) {
					t.Fatalf("byte %d: %v", i, err)
				}
				noticed++
				break
			}
			if !reflect.DeepEqual(r, want[k]) {
				t.Fatalf("byte %d: another answer for %s: %v", i, p.Name, r)
			}
		}
		if noticed == before {
			if list, err := db.Lookup(ctx, "CVE-GHSA-0003"); err != nil {
				noticed++
			} else if len(list) != 1 {
				t.Fatalf("byte %d: %d advisories by id", i, len(list))
			}
		}
	}
	if noticed < len(whole)/2 {
		t.Errorf("%d of %d damages noticed", noticed, len(whole))
	}
	for n := range len(whole) {
		if _, err := asDB(whole[:n]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("opened the first %d bytes: %v", n, err)
		}
	}
}

// TestCheckFindsEveryDamage changes every byte of a store on disk.
func TestCheckFindsEveryDamage(t *testing.T) {
	dir := t.TempDir()
	s := build(t, dir, Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(4, "2.0.0")...)})
	path := filepath.Join(dir, ecoDir, s.Sources[0].File)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if damages, err := Check(context.Background(), dir); err != nil || len(damages) > 0 {
		t.Fatal(damages, err)
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0x10
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		damages, err := Check(context.Background(), dir)
		if err != nil || len(damages) == 0 {
			t.Fatalf("byte %d: %v, %v", i, damages, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	damages, err := Check(context.Background(), dir)
	if err != nil || len(damages) != 1 || !strings.Contains(damages[0].String(), "missing") {
		t.Fatal(damages, err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "fnaudit db update") {
		t.Errorf("open without a file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, snapshotName), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if damages, err := Check(context.Background(), dir); err != nil || len(damages) != 1 {
		t.Fatal(damages, err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrDamaged) {
		t.Errorf("open a broken snapshot: %v", err)
	}
}

// TestSnapshotTampered says that a snapshot which names other files, or fewer,
// is damage.
func TestSnapshotTampered(t *testing.T) {
	dir := t.TempDir()
	files := npmFeed(4, "2.0.0")
	for i := range files {
		files[i].content = both(files[i].content)
	}
	zip := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), files...)
	build(t, dir, Input{Ecosystem: "npm", Archive: zip}, Input{Ecosystem: "PyPI", Archive: zip})
	path := filepath.Join(dir, snapshotName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, dir).Snapshot()
	for name, change := range map[string]func(string) string{
		"other digest":    func(s string) string { return strings.Replace(s, `"digest": "sha256:`, `"digest": "sha256:0`, 1) },
		"path":            func(s string) string { return strings.Replace(s, `"file": "`, `"file": "../`, 1) },
		"other ecosystem": func(s string) string { return strings.ReplaceAll(s, `"PyPI"`, `"Maven"`) },
		"fewer sources":   func(x string) string { return strings.Replace(x, s.ID, newSnapshot(nil, false).ID, 1) },
		"other records":   func(s string) string { return strings.Replace(s, `"records": 4`, `"records": 5`, 1) },
		"no JSON":         func(string) string { return "no" },
	} {
		changed := change(string(whole))
		if changed == string(whole) {
			t.Fatalf("%s: nothing changed", name)
		}
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		if db, err := Open(dir); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, %v", name, db, err)
		}
	}
	other := strings.Replace(string(whole), `"formatVersion": 3`, `"formatVersion": 99`, 1)
	if err := os.WriteFile(path, []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrFormat) {
		t.Errorf("another format: %v", err)
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrNoStore) || !strings.Contains(err.Error(), "fnaudit db update") {
		t.Errorf("no store: %v", err)
	}
}

// TestDeterministic builds the same records in another order, with other
// numbers of workers, and from a folder: the same bytes each time.
func TestDeterministic(t *testing.T) {
	files := npmFeed(500, "1.5.0")
	reversed := make([]file, len(files))
	for i, f := range files {
		reversed[len(files)-1-i] = f
	}
	// Two records with one id: the one modified last counts, wherever it stands.
	older := file{"a.json", strings.Replace(files[0].content, "2026-01-02", "2025-01-02", 1)}
	folder := t.TempDir()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(folder, f.name), []byte(f.content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	digests := map[string]bool{}
	for i, in := range []Input{
		{Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), files...)},
		{Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), reversed...)},
		{Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), append([]file{older}, files...)...)},
		{Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), append(reversed, older)...)},
		{Archive: folder},
	} {
		in.Ecosystem = "npm"
		s, err := Build(context.Background(), t.TempDir(), []Input{in}, Options{Now: testNow(), Jobs: i + 1})
		if err != nil {
			t.Fatal(err)
		}
		if s.Sources[0].Records != 500 || s.Sources[0].Packages != 250 {
			t.Errorf("%d records of %d packages", s.Sources[0].Records, s.Sources[0].Packages)
		}
		digests[s.ID] = true
	}
	if len(digests) != 1 {
		t.Errorf("%d snapshots of the same feed", len(digests))
	}
}

// TestRoundTrip stores a record with every field and gets it back.
func TestRoundTrip(t *testing.T) {
	const rec = `{"id":"GO-2099-1","modified":"2026-01-02T03:04:05.678Z","published":"2025-12-01T00:00:00Z","withdrawn":"2026-02-01T00:00:00Z",
		"aliases":["CVE-2099-1"],"related":["CVE-2099-2"],"upstream":["CVE-2099-3"],"summary":"A \"flaw\" \u00e9","details":"dropped",
		"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
		"affected":[{"package":{"ecosystem":"Go","name":"example.com/m","purl":"x"},
			"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.3"}]},{"type":"GIT","repo":"https://git.example/m","events":[{"introduced":"abc"}]}],
			"versions":["1.0.0"],"severity":[{"type":"Ubuntu","score":"low"}],
			"ecosystem_specific":{"severity":"HIGH","imports":[{"path":"example.com/m/p","symbols":["F","T.G"],"goos":["windows"],"goarch":["arm64","386"]},{"path":"example.com/m/q"}]},
			"database_specific":{"source":"dropped"}},
			{"package":{"ecosystem":"crates.io","name":"c"},"versions":["1"],"database_specific":{"informational":"unmaintained"}}],
		"references":[{"type":"FIX","url":"https://git.example/m/1"}],
		"database_specific":{"severity":"MODERATE","cwe_ids":["CWE-79",7],"cvss_v3_score":6.1,"cvss_v2_score":"9.0"},"credits":[{"name":"x"}]}`
	want := &Advisory{
		ID: "GO-2099-1", Aliases: []string{"CVE-2099-1"}, Related: []string{"CVE-2099-2"}, Upstream: []string{"CVE-2099-3"}, Summary: `A "flaw" é`,
		Severities: []Severity{{"CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}, Word: "MODERATE", Score: 6.1, ScoreType: "CVSS_V3", CWEs: []string{"CWE-79"},
		Affected: []Affected{{
			Ecosystem: "Go", Name: "example.com/m",
			Ranges:   []Range{{Type: SemVer, Events: []Event{{Introduced, "0"}, {Fixed, "1.2.3"}}}, {Type: Git, Repo: "https://git.example/m"}},
			Versions: []string{"1.0.0"}, Severities: []Severity{{"Ubuntu", "low"}}, Word: "HIGH",
			Imports: []Import{{Path: "example.com/m/p", Symbols: []string{"F", "T.G"}, GOOS: []string{"windows"}, GOARCH: []string{"arm64", "386"}}, {Path: "example.com/m/q"}},
		}, {Ecosystem: "crates.io", Name: "c", Versions: []string{"1"}, Informational: "unmaintained"}},
		References: []Reference{{"FIX", "https://git.example/m/1"}},
		Published:  time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC), Modified: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Withdrawn: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	}
	dir := t.TempDir()
	build(t, dir, Input{Ecosystem: "Go", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), file{"x.json", rec})})
	db := open(t, dir)
	for _, id := range []string{"GO-2099-1", "go-2099-1", "CVE-2099-1"} {
		got, err := db.Lookup(context.Background(), id)
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Fatalf("%s: %v\n got %+v\nwant %+v", id, err, got, want)
		}
	}
	if got, err := db.LookupName(context.Background(), "Go", "example.com/m"); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
	if got, err := db.LookupName(context.Background(), "crates.io", "c"); err != nil || len(got) != 0 {
		t.Error("a name of another ecosystem is in its own file, which is not there:", got, err)
	}
	if got, err := db.Lookup(context.Background(), "CVE-2099-2"); err != nil || len(got) != 0 {
		t.Error("a related id is no alias:", got, err)
	}
}

func TestStarter(t *testing.T) {
	db, err := Starter()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.Snapshot()
	if !s.Starter || s.Records() == 0 || s.BuiltAt.IsZero() || s.OldestAsOf().IsZero() {
		t.Errorf("%+v", s)
	}
	again, err := Starter()
	if err != nil || again.Snapshot().ID != s.ID {
		t.Error("the starter set is another one each time", err)
	}
	a := db.starter.all[0]
	if got, err := db.Lookup(context.Background(), strings.ToLower(a.ID)); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
	e := a.Affected[0]
	r, err := db.Match(context.Background(), Package{Ecosystem: e.Ecosystem, Name: e.Name})
	if err != nil || len(r.Unversioned) == 0 {
		t.Error(r, err)
	}
	if got, err := db.LookupName(context.Background(), e.Ecosystem, e.Name); err != nil || len(got) == 0 {
		t.Error(got, err)
	}
	if db.Covers(e.Ecosystem) != Covered || db.Covers("Amazon Linux:2023") != NoSource || db.Covers("Hex") != Lacking {
		t.Error("coverage of the starter set")
	}
}

func TestClosed(t *testing.T) {
	dir := t.TempDir()
	build(t, dir, Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(4, "2.0.0")...)})
	db := open(t, dir)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	if _, err := db.Match(context.Background(), Package{Ecosystem: "npm", Name: "package-0", Version: "1.0.0"}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := db.Match(ctx, Package{Ecosystem: "npm"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
