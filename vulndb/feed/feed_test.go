package feed

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// archiveOf makes an export of one record.
func archiveOf(tb testing.TB, id, ecosystem, name string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(id + ".json")
	if err != nil {
		tb.Fatal(err)
	}
	fmt.Fprint(w, recordOf(id, ecosystem, name))
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func recordOf(id, ecosystem, name string) string {
	return fmt.Sprintf(`{"id":%q,"modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":%q,"name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}`, id, ecosystem, name)
}

// server is an export whose behaviour a test sets by path.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	handlers map[string]http.HandlerFunc
	asked    []*http.Request
}

func newServer(t *testing.T) *server {
	s := &server{handlers: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r)
	h := s.handlers[r.URL.Path]
	s.mu.Unlock()
	if h == nil {
		http.NotFound(w, r)
		return
	}
	h(w, r)
}

func (s *server) set(path string, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[path] = h
}

// requests returns the requests for a path since the last call, and forgets them.
func (s *server) requests(path string) (list []*http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = slices.DeleteFunc(s.asked, func(r *http.Request) bool {
		if r.URL.Path == path {
			list = append(list, r)
			return true
		}
		return false
	})
	return list
}

const lastModified = "Fri, 29 May 2026 10:00:00 GMT"

// serve answers as a storage bucket does.
func serve(body []byte, etag string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", lastModified)
		if etag != "" {
			w.Header().Set("ETag", etag)
		}
		if etag != "" && r.Header.Get("If-None-Match") == etag || etag == "" && r.Header.Get("If-Modified-Since") == lastModified {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
		w.Header().Add("X-Goog-Hash", "crc32c="+base64.StdEncoding.EncodeToString(sum)+",md5=x")
		w.Write(body)
	}
}

func options(from string, ecosystems ...string) Options {
	return Options{
		From: from, Ecosystems: ecosystems, Backoff: time.Millisecond,
		Now: func() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) },
	}
}

func matches(t *testing.T, dir, ecosystem, name string) int {
	t.Helper()
	db, err := vulndb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := db.Match(context.Background(), vulndb.Package{Ecosystem: ecosystem, Name: name, Version: "1.0"})
	if err != nil {
		t.Fatal(err)
	}
	return len(r.Matches)
}

// leftovers fails if a temporary file is left.
func leftovers(t *testing.T, dir string) {
	t.Helper()
	for _, pattern := range []string{"*.tmp", "*/*.tmp"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) > 0 {
			t.Errorf("left behind: %v", found)
		}
	}
}

func TestUpdateFromServer(t *testing.T) {
	for _, etag := range []string{`"abc"`, ""} {
		srv, dir := newServer(t), t.TempDir()
		srv.set("/ecosystems.txt", serve([]byte("npm\nRed Hat\nRed Hat:enterprise_linux:9\nGIT\n\n"), ""))
		srv.set("/npm/all.zip", serve(archiveOf(t, "A", "npm", "left"), etag))
		srv.set("/Red Hat/all.zip", serve(archiveOf(t, "B", "Red Hat", "bash"), etag))
		var said []string
		o := options(srv.URL + "/")
		o.Progress = func(p Progress) { said = append(said, p.String()) }
		s, err := Update(context.Background(), dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Sources) != 2 || s.Sources[0].Ecosystem != "Red Hat" || s.Sources[0].URL != srv.URL+"/Red%20Hat/all.zip" || s.Sources[0].Folder {
			t.Fatalf("%+v", s.Sources)
		}
		if want := time.Date(2026, 5, 29, 10, 0, 0, 0, time.UTC); !s.OldestAsOf().Equal(want) || !s.BuiltAt.Equal(want) {
			t.Errorf("as of %v", s.OldestAsOf())
		}
		if len(said) < 4 {
			t.Errorf("progress: %q", said)
		}
		if matches(t, dir, "npm", "left") != 1 || matches(t, dir, "Red Hat", "bash") != 1 {
			t.Error("not in the store")
		}
		leftovers(t, dir)

		// The second time nothing has changed: nothing is sent, nothing is written.
		srv.requests("/npm/all.zip")
		before, err := os.Stat(filepath.Join(dir, "snapshot.json"))
		if err != nil {
			t.Fatal(err)
		}
		again, err := Update(context.Background(), dir, options(srv.URL))
		if err != nil || again.ID != s.ID {
			t.Fatal(again, err)
		}
		reqs := srv.requests("/npm/all.zip")
		if len(reqs) != 1 || reqs[0].Header.Get("If-None-Match") != etag || etag == "" && reqs[0].Header.Get("If-Modified-Since") != lastModified {
			t.Errorf("%q: %d requests, %v", etag, len(reqs), reqs[0].Header)
		}
		if after, err := os.Stat(filepath.Join(dir, "snapshot.json")); err != nil || !os.SameFile(before, after) {
			t.Error("the snapshot was written again", err)
		}

		// A damaged file is fetched again, without a condition.
		path := filepath.Join(dir, "eco", s.Sources[1].File)
		if err := os.WriteFile(path, []byte("damage"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Update(context.Background(), dir, options(srv.URL, "NPM")); err != nil {
			t.Fatal(err)
		}
		if reqs := srv.requests("/npm/all.zip"); len(reqs) != 1 || reqs[0].Header.Get("If-None-Match")+reqs[0].Header.Get("If-Modified-Since") != "" {
			t.Error("a condition about a damaged file")
		}
		if matches(t, dir, "npm", "left") != 1 {
			t.Error("not repaired")
		}

		// A new export replaces the old one.
		srv.set("/npm/all.zip", serve(archiveOf(t, "C", "npm", "right"), `"def"`))
		if _, err := Update(context.Background(), dir, options(srv.URL, "npm")); err != nil {
			t.Fatal(err)
		}
		if matches(t, dir, "npm", "left") != 0 || matches(t, dir, "npm", "right") != 1 || matches(t, dir, "Red Hat", "bash") != 1 {
			t.Error("the new export is not in the store, or another one is gone")
		}
	}
}

// TestFailures has one server each that does one thing wrong. None of it gets
// into the store, and what stands at its side does.
func TestFailures(t *testing.T) {
	good := archiveOf(t, "A", "npm", "left")
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		want    string // in the error; "": it works in the end
		asked   int
	}{
		"not found": {http.NotFound, "not found", 1},
		"forbidden": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, "403", 1},
		"busy, then well": {failing(2, func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, serve(good, "")), "", 3},
		"always busy": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, "429", 4},
		"come back tomorrow": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "asks to wait 24h", 1},
		"come back at a date": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "Tue, 02 Jun 2026 00:00:00 GMT")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "asks to wait 24h", 1},
		"cut, then whole": {failing(1, func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			w.Write(good[:len(good)/2])
		}, serve(good, "")), "", 2},
		"always cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			w.Write(good[:len(good)/2])
		}, "download", 4},
		"other bytes than its checksum": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Goog-Hash", "crc32c=AAAAAA==")
			w.Write(good)
		}, "checksum", 4},
		"too large":           {func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 5000)) }, "over 4000", 1},
		"too large, streamed": {func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); w.Write(make([]byte, 5000)) }, "over 4000", 1},
		"no zip":              {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }, "zip", 1},
		"nothing changed":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, "nothing changed", 1},
		"slow":                {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "deadline", 4},
		"redirects for ever":  {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "redirects", 24},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, dir := newServer(t), t.TempDir()
			srv.set("/npm/all.zip", tt.handler)
			srv.set("/PyPI/all.zip", serve(archiveOf(t, "P", "PyPI", "p"), ""))
			o := options(srv.URL, "npm", "PyPI")
			o.MaxBytes = 4000
			if name == "slow" {
				o.Timeout = 20 * time.Millisecond
				srv.set("/PyPI/all.zip", nil)
				o.Ecosystems = []string{"npm"}
			}
			_, err := Update(context.Background(), dir, o)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if n := len(srv.requests("/npm/all.zip")); n != tt.asked {
				t.Errorf("%d requests, want %d", n, tt.asked)
			}
			leftovers(t, dir)
			if name == "slow" {
				if _, err := vulndb.Open(dir); !errors.Is(err, vulndb.ErrNoStore) {
					t.Error(err)
				}
				return
			}
			want := 0
			if tt.want == "" {
				want = 1
			}
			if n := matches(t, dir, "npm", "left"); n != want {
				t.Errorf("%d matches of npm, want %d", n, want)
			}
			if n := matches(t, dir, "PyPI", "p"); n != 1 {
				t.Errorf("%d matches of PyPI, want 1", n)
			}
		})
	}
}

// failing fails the first n requests.
func failing(n int, fail func(http.ResponseWriter), then http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n--
		again := n >= 0
		mu.Unlock()
		if again {
			fail(w)
		} else {
			then(w, r)
		}
	}
}

func TestRedirectToPlain(t *testing.T) {
	plain := newServer(t)
	plain.set("/npm/all.zip", serve(archiveOf(t, "A", "npm", "left"), ""))
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusFound)
	}))
	defer secure.Close()
	o := options(secure.URL, "npm")
	o.Client, o.Attempts = secure.Client(), 1
	if _, err := Update(context.Background(), t.TempDir(), o); err == nil || !strings.Contains(err.Error(), "refuse a redirect") {
		t.Error(err)
	}
	if n := len(plain.requests("/npm/all.zip")); n != 0 {
		t.Error("the redirect was followed")
	}
}

func TestFutureDate(t *testing.T) {
	srv, dir := newServer(t), t.TempDir()
	body := archiveOf(t, "A", "npm", "left")
	srv.set("/npm/all.zip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Last-Modified", "Fri, 01 Jan 2100 00:00:00 GMT")
		w.Write(body)
	})
	s, err := Update(context.Background(), dir, options(srv.URL, "npm"))
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC); !s.OldestAsOf().Equal(want) {
		t.Errorf("as of %v, want that of the records", s.OldestAsOf())
	}
}

func TestCancelled(t *testing.T) {
	srv, dir := newServer(t), t.TempDir()
	srv.set("/npm/all.zip", serve(archiveOf(t, "A", "npm", "left"), ""))
	if _, err := Update(context.Background(), dir, options(srv.URL, "npm")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	srv.set("/npm/all.zip", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("PK"))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	if _, err := Update(ctx, dir, options(srv.URL, "npm")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	leftovers(t, dir)
	if matches(t, dir, "npm", "left") != 1 {
		t.Error("the store is not what it was")
	}
}

func TestUpdateFromFolder(t *testing.T) {
	from, dir := t.TempDir(), t.TempDir()
	write := func(name string, b []byte) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(from, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("npm/all.zip", archiveOf(t, "A", "npm", "left"))
	write("PyPI/P.json", []byte(recordOf("P", "PyPI", "p")))
	write("empty/README", []byte("no records"))
	s, err := Update(context.Background(), dir, options(from))
	if err != nil || len(s.Sources) != 2 || !s.Sources[0].Folder {
		t.Fatal(s, err)
	}
	if matches(t, dir, "npm", "left") != 1 || matches(t, dir, "PyPI", "p") != 1 {
		t.Error("not in the store")
	}
	// What the list names and the folder lacks is an error; the rest goes in.
	write("ecosystems.txt", []byte("npm\nPyPI\nMaven\n../etc\n"))
	_, err = Update(context.Background(), t.TempDir(), options(from))
	if err == nil || !strings.Contains(err.Error(), "Maven") || !strings.Contains(err.Error(), "../etc") {
		t.Error(err)
	}
	if _, err := Update(context.Background(), t.TempDir(), options(from, "Maven")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Update(context.Background(), t.TempDir(), options(from, "../npm")); err == nil {
		t.Error("left the folder")
	}
	if _, err := Update(context.Background(), t.TempDir(), options(t.TempDir())); err == nil || !strings.Contains(err.Error(), "no folder") {
		t.Error(err)
	}
	if _, err := Update(context.Background(), t.TempDir(), options(filepath.Join(from, "none"))); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
