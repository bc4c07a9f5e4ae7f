package vulndb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestUpdateKeepsTheOthers(t *testing.T) {
	dir := t.TempDir()
	npm := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(10, "2.0.0")...)
	pypi := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), file{"P.json", recordJSON("P", "PyPI", "p", "0", "2.0")})
	build(t, dir, Input{Ecosystem: "npm", Archive: npm})
	build(t, dir, Input{Ecosystem: "PyPI", Archive: pypi})
	db := open(t, dir)
	wantIDs(t, db, Package{Ecosystem: "npm", Name: "package-0", Version: "1.0.0"}, "GHSA-0000", "GHSA-0001")
	wantIDs(t, db, Package{Ecosystem: "PyPI", Name: "p", Version: "1.0"}, "P")

	// An input that fails leaves its ecosystem as it was, the others go in.
	pypi2 := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), file{"P.json", recordJSON("P", "PyPI", "p", "0", "3.0")})
	broken := filepath.Join(t.TempDir(), "all.zip")
	if err := os.WriteFile(broken, []byte("no zip"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Build(context.Background(), dir, []Input{{Ecosystem: "npm", Archive: broken}, {Ecosystem: "PyPI", Archive: pypi2}}, Options{Now: testNow()})
	if err == nil || !strings.Contains(err.Error(), "build npm") || len(s.Sources) != 2 {
		t.Fatalf("%v, %v", s, err)
	}
	now := open(t, dir)
	wantIDs(t, now, Package{Ecosystem: "npm", Name: "package-0", Version: "1.0.0"}, "GHSA-0000", "GHSA-0001")
	wantIDs(t, now, Package{Ecosystem: "PyPI", Name: "p", Version: "2.5"}, "P")
	wantIDs(t, db, Package{Ecosystem: "PyPI", Name: "p", Version: "2.5"}) // the DB that was open before says what it said
	if files := storeFiles(t, dir); len(files) != 4 {
		t.Errorf("old files are left: %v", files)
	}
}

func TestUnchangedWritesNothing(t *testing.T) {
	dir := t.TempDir()
	in := Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(10, "2.0.0")...), Folder: true}
	build(t, dir, in)
	times := func() (list []string) {
		for _, f := range storeFiles(t, dir) {
			st, err := os.Stat(filepath.Join(dir, f))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, f+" "+st.ModTime().String())
		}
		return list
	}
	before := times()
	time.Sleep(20 * time.Millisecond)
	build(t, dir, in)
	if after := times(); !slices.Equal(before, after) {
		t.Errorf("rewritten:\n%v\n%v", before, after)
	}
	// The same export over a damaged file builds it again.
	s := open(t, dir).Snapshot()
	path := filepath.Join(dir, ecoDir, s.Sources[0].File)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2]++
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	build(t, dir, in)
	if damages, err := Check(context.Background(), dir); err != nil || len(damages) > 0 {
		t.Error("not repaired:", damages, err)
	}
	// So does a broken snapshot.
	if err := os.WriteFile(filepath.Join(dir, snapshotName), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	build(t, dir, in)
	if damages, err := Check(context.Background(), dir); err != nil || len(damages) > 0 {
		t.Error("not repaired:", damages, err)
	}
}

func TestAsOf(t *testing.T) {
	dated := func(id, date string) file {
		return file{id + ".json", both(strings.Replace(recordJSON(id, "npm", "p", "0", "1"), "2026-01-02T03:04:05Z", date, 1))}
	}
	old := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), dated("A", "2024-01-01T00:00:00Z"))
	recent := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), dated("A", "2026-05-01T00:00:00Z"), dated("B", "2027-07-09T00:00:00Z"))
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

	// A folder is as old as the newest record in it that is not in the future.
	s := build(t, t.TempDir(), Input{Ecosystem: "npm", Archive: old, Folder: true}, Input{Ecosystem: "PyPI", Archive: recent, Folder: true})
	if !s.OldestAsOf().Equal(day(2026, 5, 1)) || !s.BuiltAt.Equal(day(2026, 5, 1)) {
		t.Errorf("folder: %v, %v", s.OldestAsOf(), s.BuiltAt)
	}
	if m := s.Sources[0].Modified; !m.Equal(day(2026, 5, 1)) {
		t.Errorf("newest record: %v", m)
	}
	// An export says its date itself.
	s = build(t, t.TempDir(), Input{Ecosystem: "npm", Archive: old, AsOf: day(2026, 5, 30)}, Input{Ecosystem: "PyPI", Archive: recent})
	if !s.Sources[1].AsOf.Equal(day(2026, 5, 30)) || !s.OldestAsOf().Equal(day(2026, 5, 1)) || !s.BuiltAt.Equal(day(2026, 5, 30)) {
		t.Errorf("export: %+v", s)
	}
	// Nothing dated is infinitely old.
	s = build(t, t.TempDir(), Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), dated("A", "soon"))})
	if !s.OldestAsOf().IsZero() {
		t.Errorf("no date: %v", s.OldestAsOf())
	}
}

// TestSwapped has exports that are whole and are not the right ones.
func TestSwapped(t *testing.T) {
	dir := t.TempDir()
	pypi := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), file{"P.json", recordJSON("P", "PyPI", "p", "0", "2.0")})
	npm := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(10, "2.0.0")...)
	older := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(9, "2.0.0")...)
	day := func(d int) time.Time { return time.Date(2026, 5, d, 0, 0, 0, 0, time.UTC) }
	in := func(archive string, asOf time.Time) Input {
		return Input{Ecosystem: "npm", Archive: archive, URL: "https://export.example/npm/all.zip", AsOf: asOf}
	}
	first := build(t, dir, in(npm, day(20)))
	for want, input := range map[string]Input{
		"it is the export of another one": in(pypi, day(21)),
		"older than before":               in(older, day(19)),
	} {
		s, err := Build(context.Background(), dir, []Input{input}, Options{Now: testNow()})
		if err == nil || !strings.Contains(err.Error(), want) || s.ID != first.ID {
			t.Errorf("%v, want %q", err, want)
		}
	}
	// Another address, a newer date, or the wish to do so.
	other := in(older, day(19))
	other.URL = "https://mirror.example/npm/all.zip"
	for i, input := range []Input{in(older, day(21)), in(npm, day(22)), other} {
		if s := build(t, dir, input); s.Sources[0].AsOf != input.AsOf {
			t.Error(i, s)
		}
	}
	build(t, dir, in(npm, day(23)))
	if s, err := Build(context.Background(), dir, []Input{in(older, day(19))}, Options{Now: testNow(), AllowOlder: true}); err != nil || s.Records() != 9 {
		t.Error(s, err)
	}
}

func TestUnreadRecords(t *testing.T) {
	files := npmFeed(20, "2.0.0")
	files = append(files, file{"broken.json", `{"id":`}, file{"README.txt", "not a record"})
	dir := t.TempDir()
	in := Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), files...)}
	for range 2 { // the second time the export has not changed, which makes the record no better
		s, err := Build(context.Background(), dir, []Input{in}, Options{Now: testNow()})
		if !errors.Is(err, ErrUnread) || !strings.Contains(err.Error(), "broken.json") {
			t.Fatal(err)
		}
		if src := s.Sources[0]; src.Records != 20 || src.Unread != 1 {
			t.Errorf("%+v", src)
		}
	}
	for i := range 5 {
		files[i].content = "{}"
	}
	_, err := Build(context.Background(), t.TempDir(), []Input{{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), files...)}}, Options{Now: testNow()})
	if !errors.Is(err, ErrUnread) || !strings.Contains(err.Error(), "6 of 22") {
		t.Errorf("a damaged export: %v", err)
	}
	_, err = Build(context.Background(), t.TempDir(), []Input{{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"))}}, Options{Now: testNow()})
	if err == nil || !strings.Contains(err.Error(), "no advisory") {
		t.Errorf("an empty export: %v", err)
	}
	for _, eco := range []string{"", "Debian:12", strings.Repeat("x", 300)} {
		if _, err := Build(context.Background(), t.TempDir(), []Input{{Ecosystem: eco, Archive: in.Archive}}, Options{}); err == nil {
			t.Errorf("built %q", eco)
		}
	}
}

// TestCorruptZip changes the bytes of an export: a record that does not have
// its checksum must not get in.
func TestCorruptZip(t *testing.T) {
	path := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(2, "2.0.0")...)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	good := build(t, t.TempDir(), Input{Ecosystem: "npm", Archive: path}).ID
	for i := 0; i < len(whole); i += 3 {
		b := slices.Clone(whole)
		b[i] ^= 0x20
		bad := filepath.Join(t.TempDir(), "all.zip")
		if err := os.WriteFile(bad, b, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Build(context.Background(), t.TempDir(), []Input{{Ecosystem: "npm", Archive: bad}}, Options{Now: testNow()})
		if err == nil && s.ID != good {
			t.Fatalf("byte %d: built something else without an error", i)
		}
	}
}

// TestReadersWhileUpdating opens and asks while the store is replaced over and
// over: each answer is that of one of the two feeds.
func TestReadersWhileUpdating(t *testing.T) {
	dir := t.TempDir()
	a := Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(60, "2.0.0")...)}
	b := Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(60, "1.0.0")...)}
	build(t, dir, a)
	var stop atomic.Bool
	var asked atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for !stop.Load() {
				db, err := Open(dir)
				if err != nil {
					t.Error(err)
					return
				}
				first := -1
				for i := range 30 {
					r, err := db.Match(context.Background(), Package{Ecosystem: "npm", Name: "package-" + itoa(i), Version: "1.5.0"})
					if err != nil {
						t.Error(err)
						return
					}
					n := len(r.Matches)
					if n != 0 && n != 2 || first >= 0 && n != first {
						t.Errorf("%d matches, %d before, in one store", n, first)
						return
					}
					first = n
				}
				db.Close()
				asked.Add(1)
			}
		})
	}
	for range 15 {
		build(t, dir, b)
		build(t, dir, a)
	}
	stop.Store(true)
	wg.Wait()
	if asked.Load() < 10 {
		t.Errorf("only %d stores were asked", asked.Load())
	}
	if files := storeFiles(t, dir); len(files) != 3 {
		t.Errorf("files are left: %v", files)
	}
}

func TestWritersWait(t *testing.T) {
	dir := t.TempDir()
	u, err := Begin(context.Background(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Millisecond)
	defer cancel()
	if _, err := Begin(ctx, dir, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("two writers: %v", err)
	}
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := Begin(context.Background(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := v.Commit(context.Background()); err != nil || len(s.Sources) != 0 {
		t.Error(s, err)
	}
	v.Close()
	if _, err := Open(dir); !errors.Is(err, ErrNoStore) {
		t.Errorf("an update without a source made a store: %v", err)
	}
}

// TestKilled kills a process that updates, at random moments. The store must
// hold one of the two feeds as a whole each time, and the next update must
// work and leave nothing behind.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("VULNDB_TEST_UPDATE"); dir != "" {
		in := Input{Ecosystem: "npm", Archive: os.Getenv("VULNDB_TEST_FEED")}
		fmt.Println("ready")
		for {
			for _, fixed := range []string{"", "2"} {
				next := in
				next.Archive += fixed
				if _, err := Build(context.Background(), dir, []Input{next}, Options{Now: testNow()}); err != nil {
					fmt.Println(err)
					os.Exit(3)
				}
			}
		}
	}
	dir := t.TempDir()
	feed := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(400, "2.0.0")...)
	writeZip(t, feed+"2", npmFeed(400, "1.0.0")...)
	build(t, dir, Input{Ecosystem: "npm", Archive: feed})
	left := 0
	for range 20 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "VULNDB_TEST_UPDATE="+dir, "VULNDB_TEST_FEED="+feed)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); line != "ready\n" {
			t.Fatal(line, err)
		}
		time.Sleep(time.Duration(rand.IntN(40_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(lines)
		if err := cmd.Wait(); len(rest) > 0 {
			t.Fatalf("the update failed: %s (%v)", rest, err)
		}
		left += len(storeFiles(t, dir)) - 3
		if damages, err := Check(context.Background(), dir); err != nil || len(damages) > 0 {
			t.Fatal(damages, err)
		}
		db := open(t, dir)
		first := len(matchIDs(t, db, Package{Ecosystem: "npm", Name: "package-0", Version: "1.5.0"}))
		for i := range 200 {
			if n := len(matchIDs(t, db, Package{Ecosystem: "npm", Name: "package-" + itoa(i), Version: "1.5.0"})); n != first || n != 0 && n != 2 {
				t.Fatalf("%d matches and %d in one store", n, first)
			}
		}
	}
	if left == 0 {
		t.Log("no kill hit an update in its middle")
	}
	build(t, dir, Input{Ecosystem: "npm", Archive: feed})
	if files := storeFiles(t, dir); len(files) != 3 {
		t.Errorf("left behind: %v", files)
	}
}
