package feed

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// npm is an export of one ecosystem whose records a test changes.
type npm struct {
	t       *testing.T
	srv     *server
	records map[string]string // modified by id
	version string            // of everything, for ETags
	date    time.Time
}

func newNpm(t *testing.T, n int) *npm {
	e := &npm{t: t, srv: newServer(t), records: map[string]string{}, date: time.Date(2026, 5, 20, 10, 0, 0, 0, time.UTC)}
	for i := range n {
		e.records[fmt.Sprintf("GHSA-%04d", i)] = "2026-01-02T03:04:05.123456Z"
	}
	e.publish("1")
	return e
}

func (e *npm) record(id string) string {
	return fmt.Sprintf(`{"id":%q,"modified":%q,"summary":"as of %s","affected":[{"package":{"ecosystem":"npm","name":"p-%s"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`,
		id, e.records[id], e.records[id], id)
}

// publish serves the records as they are now: archive, list, and each by itself.
func (e *npm) publish(version string) {
	e.version = version
	e.date = e.date.Add(time.Hour)
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	var lines []string
	for id, modified := range e.records {
		w, err := z.Create(id + ".json")
		if err != nil {
			e.t.Fatal(err)
		}
		fmt.Fprint(w, e.record(id))
		lines = append(lines, modified+","+id+"\n")
		e.srv.set("/npm/"+id+".json", e.serve([]byte(e.record(id))))
	}
	if err := z.Close(); err != nil {
		e.t.Fatal(err)
	}
	slices.Sort(lines)
	slices.Reverse(lines)
	e.srv.set("/npm/all.zip", e.serve(archive.Bytes()))
	e.srv.set("/npm/modified_id.csv", e.serve([]byte(strings.Join(lines, ""))))
}

// serve answers like serve, with the date of the export.
func (e *npm) serve(body []byte) http.HandlerFunc {
	date, etag := e.date.Format(http.TimeFormat), `"`+e.version+`"`
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", date)
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write(body)
	}
}

// update updates a store and returns how many requests it took for the
// archive, the list and single records.
func (e *npm) update(dir string) (s vulndb.Snapshot, archives, lists, records int) {
	e.t.Helper()
	s, err := Update(context.Background(), dir, options(e.srv.URL, "npm"))
	if err != nil {
		e.t.Fatal(err)
	}
	leftovers(e.t, dir)
	archives, lists = len(e.srv.requests("/npm/all.zip")), len(e.srv.requests("/npm/modified_id.csv"))
	e.srv.mu.Lock()
	defer e.srv.mu.Unlock()
	records = len(e.srv.asked)
	e.srv.asked = nil
	return s, archives, lists, records
}

// want fails unless an update of dir took these requests and led to what a
// whole build of the same export gives, byte for byte.
func (e *npm) want(dir, what string, archives, lists, records int) vulndb.Snapshot {
	e.t.Helper()
	s, a, l, r := e.update(dir)
	if a != archives || l != lists || r != records {
		e.t.Errorf("%s: %d archives, %d lists, %d records fetched, want %d, %d, %d", what, a, l, r, archives, lists, records)
	}
	whole, _, _, _ := e.update(e.t.TempDir())
	if s.ID != whole.ID {
		e.t.Errorf("%s: not what the whole export gives", what)
	}
	if !s.Sources[0].AsOf.Equal(whole.Sources[0].AsOf) || !s.Sources[0].Modified.Equal(whole.Sources[0].Modified) {
		e.t.Errorf("%s: as of %v, modified %v; the whole export %v, %v", what, s.Sources[0].AsOf, s.Sources[0].Modified, whole.Sources[0].AsOf, whole.Sources[0].Modified)
	}
	if damages, err := vulndb.Check(context.Background(), dir); err != nil || len(damages) > 0 {
		e.t.Errorf("%s: %v, %v", what, damages, err)
	}
	return s
}

func TestPatch(t *testing.T) {
	e, dir := newNpm(t, 100), t.TempDir()
	e.want(dir, "first", 1, 0, 0)
	e.want(dir, "unchanged, by the list", 0, 1, 0)
	e.want(dir, "unchanged, by the list's ETag", 0, 1, 0)

	e.records["GHSA-0001"] = "2026-05-01T00:00:00Z" // changed
	e.records["GHSA-new"] = "2026-05-02T00:00:00.5Z"
	delete(e.records, "GHSA-0002")
	e.publish("2")
	e.want(dir, "changed", 0, 1, 2)
	if matches(t, dir, "npm", "p-GHSA-new") != 1 || matches(t, dir, "npm", "p-GHSA-0002") != 0 || matches(t, dir, "npm", "p-GHSA-0003") != 1 {
		t.Error("not what the export says")
	}
	e.publish("3")
	e.want(dir, "same records, new list", 0, 1, 0)

	e.date = e.date.Add(vulndb.FullEvery)
	e.publish("4")
	e.want(dir, "after a week", 1, 1, 0)
	e.publish("5")
	e.want(dir, "and then by the list again", 0, 1, 0)

	// A file that is damaged is no base.
	s, err := vulndb.ReadSnapshot(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "eco", s.Sources[0].File), []byte("damage"), 0o644); err != nil {
		t.Fatal(err)
	}
	e.want(dir, "damaged", 1, 0, 0)
}

// TestPatchInDoubt has lists and records that are not to be believed. The
// whole archive is what counts then.
func TestPatchInDoubt(t *testing.T) {
	for name, change := range map[string]func(e *npm){
		"no list":       func(e *npm) { e.srv.set("/npm/modified_id.csv", nil) },
		"a page":        func(e *npm) { e.srv.set("/npm/modified_id.csv", e.serve([]byte("<html>"))) },
		"an empty list": func(e *npm) { e.srv.set("/npm/modified_id.csv", e.serve(nil)) },
		"a cut list": func(e *npm) {
			e.srv.set("/npm/modified_id.csv", e.serve([]byte("2026-01-02T03:04:05.123456Z,GHSA-0001\n")))
		},
		"a list of no dates": func(e *npm) { e.srv.set("/npm/modified_id.csv", e.serve([]byte("soon,GHSA-0001\n"))) },
		"a list with paths": func(e *npm) {
			e.srv.set("/npm/modified_id.csv", e.serve([]byte("2026-01-02T03:04:05Z,../../etc/passwd\n")))
		},
		"a list with a query": func(e *npm) {
			e.srv.set("/npm/modified_id.csv", e.serve([]byte("2026-01-02T03:04:05Z,a?b\n")))
		},
		"a broken connection": func(e *npm) {
			e.srv.set("/npm/modified_id.csv", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100000")
				fmt.Fprint(w, "2026-")
			})
		},
		"a list of yesterday": func(e *npm) {
			e.records["GHSA-0005"] = "2025-01-02T03:04:05.123456Z"
			e.publish("2")
			e.records["GHSA-0005"] = "2026-01-02T03:04:05.123456Z"
			e.srv.set("/npm/all.zip", nil)
			archive := *e
			archive.srv = newServer(e.t)
			archive.publish("2")
			e.srv.set("/npm/all.zip", archive.srv.handlers["/npm/all.zip"])
		},
		"no date":             func(e *npm) { e.date = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC); e.publish("2") },
		"a record is missing": func(e *npm) { e.srv.set("/npm/GHSA-new.json", nil) },
		"a record of before": func(e *npm) {
			e.srv.set("/npm/GHSA-new.json", e.serve([]byte(strings.Replace(e.record("GHSA-new"), "2026-05-02", "2026-05-01", 1))))
		},
		"another record":   func(e *npm) { e.srv.set("/npm/GHSA-new.json", e.serve([]byte(e.record("GHSA-0007")))) },
		"a page as record": func(e *npm) { e.srv.set("/npm/GHSA-new.json", e.serve([]byte("<html>"))) },
		"most records gone": func(e *npm) {
			for i := range 50 {
				delete(e.records, fmt.Sprintf("GHSA-%04d", i))
			}
			e.publish("2")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, dir := newNpm(t, 100), t.TempDir()
			e.update(dir)
			e.records["GHSA-new"] = "2026-05-02T00:00:00.5Z"
			e.publish("2")
			change(e)
			s, archives, _, _ := e.update(dir)
			if archives != 1 {
				t.Errorf("%d archives fetched", archives)
			}
			if whole, _, _, _ := e.update(t.TempDir()); s.ID != whole.ID {
				t.Error("not what the whole export gives")
			}
			if !s.Sources[0].Full.IsZero() {
				t.Error("not read as a whole")
			}
		})
	}
}

func TestPatchTooMuch(t *testing.T) {
	e, dir := newNpm(t, 10), t.TempDir()
	e.update(dir)
	for i := range 2001 {
		e.records[fmt.Sprintf("MAL-%d", i)] = "2026-05-02T00:00:00Z"
	}
	e.publish("2")
	e.want(dir, "too much", 1, 1, 0)
}

// TestPatchUnread has a record that cannot be read in the export. It is
// counted as long as it is so.
func TestPatchUnread(t *testing.T) {
	e, dir := newNpm(t, 20), t.TempDir()
	e.records["GHSA-bad"] = "2026-01-02T00:00:00Z"
	bad := func() {
		var archive bytes.Buffer
		z := zip.NewWriter(&archive)
		for id := range e.records {
			w, err := z.Create(id + ".json")
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(w, map[bool]string{false: e.record(id), true: "{"}[id == "GHSA-bad"])
		}
		z.Close()
		e.srv.set("/npm/all.zip", e.serve(archive.Bytes()))
		e.srv.set("/npm/GHSA-bad.json", e.serve([]byte("{")))
	}
	e.publish("2")
	bad()
	for i := range 3 {
		s, err := Update(context.Background(), dir, options(e.srv.URL, "npm"))
		if err == nil || !strings.Contains(err.Error(), "GHSA-bad") || s.Sources[0].Unread != 1 {
			t.Fatalf("update %d: %v, %v", i, s.Sources, err)
		}
		e.records[fmt.Sprintf("GHSA-next-%d", i)] = "2026-05-02T00:00:00Z"
		e.publish(fmt.Sprint("v", i))
		bad()
	}
	if n := len(e.srv.requests("/npm/all.zip")); n != 1 {
		t.Errorf("%d archives fetched", n)
	}
	e.srv.requests("/npm/modified_id.csv")
	e.srv.asked = nil
	e.publish("good")
	e.want(dir, "repaired", 0, 1, 2)
}

func FuzzParseModified(f *testing.F) {
	f.Add([]byte("2026-05-29T10:00:00.123Z,GHSA-a\r\n2026-05-29T10:00:00Z,MAL-1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseModified(b)
		if err != nil {
			return
		}
		for _, l := range list {
			if checkName(l.ID) != nil || strings.ContainsAny(l.ID, "/\\?#%") {
				t.Errorf("id %q", l.ID)
			}
		}
	})
}
