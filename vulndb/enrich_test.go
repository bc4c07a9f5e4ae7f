package vulndb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// kevList makes a catalogue of CVE-2021-1000 and n-1 more.
func kevList(tb testing.TB, n int) *List {
	tb.Helper()
	l := NewList(FeedKEV)
	for i := range n {
		if err := l.AddExploited(fmt.Sprintf("CVE-2021-%d", 1000+i), Exploited{Added: day(1 + i%20), Due: day(21), Ransomware: i%2 == 0}); err != nil {
			tb.Fatal(err)
		}
	}
	return l
}

// epssList scores CVE-2000-1000 and n-1 more, ten thousand a year.
func epssList(tb testing.TB, n int) *List {
	tb.Helper()
	l := NewList(FeedEPSS)
	for i := range n {
		if err := l.AddScore(fmt.Sprintf("CVE-%d-%d", 2000+i/10_000, 1000+i%10_000), Score{float64(i%1000) / 1000, float64(i) / float64(n)}); err != nil {
			tb.Fatal(err)
		}
	}
	return l
}

// putFeeds puts lists into the store in dir.
func putFeeds(tb testing.TB, dir string, o Options, at time.Time, lists ...*List) (Snapshot, error) {
	tb.Helper()
	o.Now = testNow()
	u, err := Begin(context.Background(), dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	defer u.Close()
	for _, l := range lists {
		if err := u.PutFeed(l, Feed{AsOf: at, URL: "https://lists.example/" + l.name, Export: "sha256:x"}); err != nil {
			return u.Previous(), err
		}
	}
	return u.Commit(context.Background())
}

func npmStore(tb testing.TB, records int) string {
	tb.Helper()
	dir := tb.TempDir()
	build(tb, dir, Input{Ecosystem: "npm", Archive: writeZip(tb, filepath.Join(tb.TempDir(), "all.zip"), npmFeed(records, "2.0.0")...)})
	return dir
}

func TestFeeds(t *testing.T) {
	dir := npmStore(t, 4)
	bare, _ := ReadSnapshot(dir)
	s, err := putFeeds(t, dir, Options{}, day(3), kevList(t, 3), epssList(t, 1000))
	if err != nil {
		t.Fatal(err)
	}
	if s.ID == bare.ID || s.BuiltAt != bare.BuiltAt || !s.OldestAsOf().Equal(bare.OldestAsOf()) {
		t.Errorf("the id has to change, and nothing else: %+v", s)
	}
	again, err := putFeeds(t, npmStore(t, 4), Options{}, day(3), epssList(t, 1000), kevList(t, 3))
	if err != nil || again.ID != s.ID {
		t.Error("the same lists give another id", err)
	}
	db := open(t, dir)
	for _, ids := range [][]string{{"CVE-2021-1001"}, {"GHSA-x", "cve-2021-1001"}, {"CVE-2021-1001", "CVE-2021-9999", "CVE-21-1"}} {
		e, err := db.Exploited(ids)
		if err != nil || e == nil || !e.Added.Equal(day(2)) || !e.Due.Equal(day(21)) || e.Ransomware {
			t.Errorf("%v: %+v, %v", ids, e, err)
		}
	}
	if e, err := db.Exploited([]string{"CVE-2021-1001", "CVE-2021-1000"}); err != nil || !e.Added.Equal(day(1)) || !e.Ransomware {
		t.Errorf("the first day of both: %+v, %v", e, err)
	}
	if sc, err := db.Score([]string{"CVE-2000-1500", "CVE-2000-1700", "CVE-2000-1600"}); err != nil || *sc != (Score{0.7, 0.7}) {
		t.Errorf("the highest: %v, %v", sc, err)
	}
	for _, ids := range [][]string{nil, {"GHSA-x"}, {"CVE-1999-0001"}, {"CVE-2026-1"}, {"CVE-2000-1000000"}} {
		e, err := db.Exploited(ids)
		sc, err2 := db.Score(ids)
		if e != nil || sc != nil || err != nil || err2 != nil {
			t.Errorf("%v: %v, %v, %v, %v", ids, e, sc, err, err2)
		}
	}
	if damage, err := Check(context.Background(), dir); err != nil || len(damage) > 0 {
		t.Error(damage, err)
	}
	if n := len(storeFiles(t, dir)); n != 5 {
		t.Errorf("%v", storeFiles(t, dir))
	}

	// An update of the advisories leaves the lists, and another list takes the place of the old one.
	build(t, dir, Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(6, "2.0.0")...)})
	next, err := putFeeds(t, dir, Options{}, day(4), kevList(t, 2))
	if err != nil || len(next.Feeds) != 2 || len(storeFiles(t, dir)) != 5 {
		t.Fatal(next.Feeds, storeFiles(t, dir), err)
	}
	if e, err := db.Exploited([]string{"CVE-2021-1002"}); err != nil || e == nil {
		t.Error("an open store changed", err)
	}
	// Dropped, it is the store that it was.
	u, err := Begin(context.Background(), dir, Options{Now: testNow()})
	if err != nil {
		t.Fatal(err)
	}
	u.DropFeed(FeedKEV)
	u.DropFeed(FeedEPSS)
	u.SetFeedOrigin(FeedKEV, NoFeed)
	_, err = u.Commit(context.Background())
	u.Close()
	build(t, dir, Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(4, "2.0.0")...)})
	if now, _ := ReadSnapshot(dir); err != nil || now.ID != bare.ID || now.FeedOrigin(FeedKEV) != NoFeed || len(storeFiles(t, dir)) != 3 {
		t.Error(now, storeFiles(t, dir), err)
	}
	b, _ := os.ReadFile(filepath.Join(dir, snapshotName))
	if !bytes.Contains(b, []byte(`"formatVersion": 3`)) {
		t.Errorf("a store without lists is of another format than before: %s", b)
	}
}

func TestFeedRefused(t *testing.T) {
	dir := npmStore(t, 4)
	before, err := putFeeds(t, dir, Options{}, day(3), kevList(t, 10))
	if err != nil {
		t.Fatal(err)
	}
	twice := kevList(t, 10)
	if err := twice.AddExploited("CVE-2021-1003", Exploited{Added: day(1)}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		list *List
		at   time.Time
		want error
		text string
	}{
		"twice": {twice, day(4), nil, "CVE-2021-1003 is listed twice"},
		"empty": {NewList(FeedKEV), day(4), nil, "no entry"},
		"older": {kevList(t, 10), day(2), ErrBackwards, ""},
		"fewer": {kevList(t, 4), day(4), ErrFewer, ""},
	} {
		if _, err := putFeeds(t, dir, Options{}, c.at, c.list); err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
		if s, _ := ReadSnapshot(dir); s.ID != before.ID || len(storeFiles(t, dir)) != 4 {
			t.Errorf("%s: the store changed: %v", name, storeFiles(t, dir))
		}
	}
	if s, err := putFeeds(t, dir, Options{AllowOlder: true}, day(2), kevList(t, 4)); err != nil || s.ID == before.ID {
		t.Error(err)
	}
	l := NewList(FeedEPSS)
	for _, cve := range []string{"", "CVE", "CVE-2021-1", "CVE-2021-01234", "CVE-1998-0001", "cve-2021-1234", "CVE-2021-1234567890", "CVE-2021-12a4", "CVE-20210-1234", "GHSA-2021-1234"} {
		if err := l.AddScore(cve, Score{}); err == nil {
			t.Errorf("%q is taken for a CVE", cve)
		}
	}
	for _, s := range []Score{{EPSS: math.NaN()}, {EPSS: -0.1}, {EPSS: 1.1}, {Percentile: math.Inf(1)}, {Percentile: 1.0000001}} {
		if err := l.AddScore("CVE-2021-1234", s); err == nil {
			t.Errorf("%v is taken for a score", s)
		}
	}
	for _, e := range []Exploited{{}, {Added: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)}, {Added: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, {Added: day(1), Due: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		if err := NewList(FeedKEV).AddExploited("CVE-2021-1234", e); err == nil {
			t.Errorf("%v is taken", e)
		}
	}
}

// TestScoreExact: what EPSS publishes comes out as it was written.
func TestScoreExact(t *testing.T) {
	for i := range 100_001 {
		want := float64(i) / 100_000
		v, err := packScore(Score{want, want})
		got, err2 := unpackScore(v)
		if err != nil || err2 != nil || got.EPSS != want || got.Percentile != want {
			t.Fatal(want, got, err, err2)
		}
	}
}

// TestFeedDamage changes every byte of a list, one at a time: a lookup gives the
// right answer or an error, and Check finds it.
func TestFeedDamage(t *testing.T) {
	dir := npmStore(t, 4)
	s, err := putFeeds(t, dir, Options{}, day(3), kevList(t, 300))
	if err != nil {
		t.Fatal(err)
	}
	path := s.Feeds[0].Path(dir)
	whole := readFile(t, path)
	look := func(b []byte) error {
		f, err := openList(memory(b))
		if err != nil {
			return err
		}
		for i := range 310 {
			key, _ := cveKey(fmt.Sprintf("CVE-2021-%d", 995+i))
			_, ok, err := f.value(key)
			if err != nil {
				return err
			}
			if ok != (i >= 5 && i < 305) {
				t.Fatalf("CVE-2021-%d: %v", 995+i, ok)
			}
		}
		return nil
	}
	if err := look(whole); err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		if err := look(b); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for n := range len(whole) {
		if _, err := openList(memory(whole[:n])); !errors.Is(err, ErrDamaged) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
	for _, i := range []int{0, 20, headerSize + 3, len(whole) - 1} {
		b := bytes.Clone(whole)
		b[i] ^= 1
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if damage, err := Check(context.Background(), dir); err != nil || len(damage) == 0 || !strings.HasPrefix(damage[0].File, "feeds/kev-") {
			t.Errorf("byte %d: %v, %v", i, damage, err)
		}
	}
	os.Remove(path)
	if damage, err := Check(context.Background(), dir); err != nil || len(damage) != 1 {
		t.Error(damage, err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrDamaged) {
		t.Error("opened without its list:", err)
	}
	// It is repaired by the next list, though that is the same.
	if _, err := putFeeds(t, dir, Options{}, day(3), kevList(t, 300)); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

// TestCraftedList has every checksum right and lies inside.
func TestCraftedList(t *testing.T) {
	var b bytes.Buffer
	l := &List{name: FeedEPSS, entries: []listed{{2021<<32 | 5, 1}, {2021<<32 | 4, math.MaxUint64}}}
	if _, err := l.encode(&b, day(1)); err != nil {
		t.Fatal(err)
	}
	f, err := openList(memory(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	if err := f.check(context.Background(), func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }); err != nil || len(found) != 2 {
		t.Error(found, err)
	}
}

// TestFeedsTravel exports a store with lists, and takes it over.
func TestFeedsTravel(t *testing.T) {
	from := npmStore(t, 4)
	s, err := putFeeds(t, from, Options{}, day(3), kevList(t, 3), epssList(t, 1000))
	if err != nil {
		t.Fatal(err)
	}
	good := export(t, from)
	dir := t.TempDir()
	now, err := importInto(dir, good, AdoptOptions{})
	if err != nil || now.ID != s.ID || !bytes.Equal(export(t, dir), good) {
		t.Fatal(now.ID, s.ID, err)
	}
	if e, err := open(t, dir).Exploited([]string{"CVE-2021-1000"}); err != nil || e == nil {
		t.Error(e, err)
	}
	// One without lists leaves them where they are, unless it is to replace everything.
	bare := export(t, npmStore(t, 4))
	if now, err = importInto(dir, bare, AdoptOptions{}); err != nil || now.ID != s.ID {
		t.Error(now.Feeds, err)
	}
	replaced := t.TempDir()
	if err := os.CopyFS(replaced, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if now, err = importInto(replaced, bare, AdoptOptions{Replace: true}); err != nil || len(now.Feeds) > 0 || len(storeFiles(t, replaced)) != 3 {
		t.Error(now.Feeds, storeFiles(t, replaced), err)
	}
	// An older list is refused, and nothing changes.
	old := npmStore(t, 4)
	if _, err := putFeeds(t, old, Options{}, day(2), kevList(t, 2)); err != nil {
		t.Fatal(err)
	}
	before := storeFiles(t, dir)
	if _, err := importInto(dir, export(t, old), AdoptOptions{}); !errors.Is(err, ErrOlder) || len(storeFiles(t, dir)) != len(before) {
		t.Error(err, storeFiles(t, dir))
	}
	if now, err = importInto(dir, export(t, old), AdoptOptions{AllowOlder: true}); err != nil || now.ID == s.ID {
		t.Error(err)
	}
	// A damaged list is not passed on, nor taken.
	path := s.Feeds[0].Path(from)
	b := readFile(t, path)
	b[len(b)-1] ^= 1
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Export(context.Background(), from, nil, &bytes.Buffer{}); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	at := bytes.LastIndex(good, []byte(listMagic))
	spoilt := bytes.Clone(good)
	spoilt[at+headerSize+1] ^= 1
	empty := t.TempDir()
	if _, err := importInto(empty, spoilt, AdoptOptions{}); !errors.Is(err, ErrDamaged) || len(storeFiles(t, empty)) > 1 {
		t.Error(err, storeFiles(t, empty))
	}
}

// TestHostileFeedsInSnapshot: names in a snapshot lead nowhere else.
func TestHostileFeedsInSnapshot(t *testing.T) {
	dir := npmStore(t, 4)
	s, err := putFeeds(t, dir, Options{}, day(3), kevList(t, 3))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Snapshot){
		"path":     func(s *Snapshot) { s.Feeds[0].File = "../../etc/passwd" },
		"name":     func(s *Snapshot) { s.Feeds[0].Name = "kev/../x" },
		"unknown":  func(s *Snapshot) { s.Feeds[0].Name = "other" },
		"digest":   func(s *Snapshot) { s.Feeds[0].Digest = "sha256:0" },
		"size":     func(s *Snapshot) { s.Feeds[0].Size = -1 },
		"doubled":  func(s *Snapshot) { s.Feeds = append(s.Feeds, s.Feeds[0]) },
		"other id": func(s *Snapshot) { s.ID = strings.Repeat("0", 64) },
	} {
		bad := s
		bad.Feeds = append([]Feed{}, s.Feeds...)
		change(&bad)
		if name != "other id" {
			bad.ID = bad.id()
		}
		b, err := bad.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseSnapshot(b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFeedReaders looks things up while lists are replaced: each store that is
// opened is one of those that were written.
func TestFeedReaders(t *testing.T) {
	dir := npmStore(t, 4)
	if _, err := putFeeds(t, dir, Options{}, day(1), kevList(t, 300)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				db, err := Open(dir)
				if err != nil {
					t.Error(err)
					return
				}
				f, _ := db.Snapshot().Feed(FeedKEV)
				e, err := db.Exploited([]string{fmt.Sprintf("CVE-2021-%d", 1000+f.Records-1)})
				none, err2 := db.Exploited([]string{fmt.Sprintf("CVE-2021-%d", 1000+f.Records)})
				if err != nil || e == nil || err2 != nil || none != nil {
					t.Errorf("%d records: %v, %v, %v, %v", f.Records, e, none, err, err2)
				}
				db.Close()
			}
		})
	}
	for i := range 60 {
		if _, err := putFeeds(t, dir, Options{}, day(2+i/30), kevList(t, 300+i%30)); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	wg.Wait()
}

// FuzzList opens what may be a list.
func FuzzList(f *testing.F) {
	for _, n := range []int{1, 256, 257} {
		l := kevList(f, n)
		var b bytes.Buffer
		if err := l.sort(); err != nil {
			f.Fatal(err)
		}
		if _, err := l.encode(&b, day(1)); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := openList(memory(b))
		if err != nil {
			return
		}
		l.value(2021<<32 | 1001)
		if err := l.check(context.Background(), func(string, ...any) {}); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkScore(b *testing.B) {
	dir := npmStore(b, 4)
	if _, err := putFeeds(b, dir, Options{}, day(1), kevList(b, 1500), epssList(b, 300_000)); err != nil {
		b.Fatal(err)
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			db, err := Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			db.Close()
		}
	})
	db := open(b, dir)
	ids := []string{"GHSA-1234", "CVE-2014-7777"}
	b.Run("lookup", func(b *testing.B) {
		for b.Loop() {
			if s, err := db.Score(ids); err != nil || s == nil {
				b.Fatal(s, err)
			}
		}
	})
	b.Run("open without", func(b *testing.B) {
		bare := npmStore(b, 4)
		for b.Loop() {
			db, err := Open(bare)
			if err != nil {
				b.Fatal(err)
			}
			db.Close()
		}
	})
}
