package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/fnaudit/fnaudit/vulndb"
)

// drip writes slowly, so that a kill finds every state of a transfer.
type drip struct{ http.ResponseWriter }

func (d drip) Write(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m, err := d.ResponseWriter.Write(b[n:min(n+8<<10, len(b))])
		if n += m; err != nil {
			return n, err
		}
		d.ResponseWriter.(http.Flusher).Flush()
		time.Sleep(time.Millisecond)
	}
	return n, nil
}

// slowly serves a handler's blobs and files with a drip, and ranges of blobs,
// which the handler does not know. resumed counts those.
func slowly(h http.Handler, resumed *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") && !strings.HasSuffix(r.URL.Path, ".tar") {
			h.ServeHTTP(w, r)
			return
		}
		rng := r.Header.Get("Range")
		r.Header.Del("Range")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		b := rec.Body.Bytes()
		var from int
		if n, _ := fmt.Sscanf(rng, "bytes=%d-", &from); n == 1 && from < len(b) && rec.Code == http.StatusOK {
			resumed.Add(1)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(b)-1, len(b)))
			w.WriteHeader(http.StatusPartialContent)
			b = b[from:]
		} else {
			w.WriteHeader(rec.Code)
		}
		_, _ = drip{w}.Write(b)
	})
}

// TestKilledTransfers kills the program at random moments of everything that
// replaces a store: each time it is sound and one of two states as a whole, and
// the run that is let through leaves nothing behind but the store.
func TestKilledTransfers(t *testing.T) {
	kills := 6
	if os.Getenv("FNAUDIT_LONG") != "" {
		kills = 100
	}
	fnaudit, err := exec.LookPath("fnaudit") // this test's own binary, which testscript puts there
	if err != nil {
		t.Fatal(err)
	}
	must := func(args ...string) {
		t.Helper()
		if out, code := run(t, fnaudit, args...); code != 0 {
			t.Fatalf("%v: %d, %s", args, code, out)
		}
	}
	var resumed atomic.Int64
	quiet := log.New(io.Discard, "", 0)
	www := t.TempDir()
	reg := httptest.NewServer(slowly(registry.New(registry.Logger(quiet)), &resumed))
	defer reg.Close()
	web := httptest.NewServer(slowly(http.FileServer(http.Dir(www)), &resumed))
	defer web.Close()
	repo := strings.TrimPrefix(reg.URL, "http://") + "/team/db:"
	feeds := newExportServer(t)

	ids := map[string]string{}  // snapshot ids by name of the state
	zips := map[string][]byte{} // their exports
	for n, name := range []string{"a", "b"} {
		state := feedState{records: 3000, at: 1, fixed: map[int]change{}}
		for r := range 3000 {
			state.fixed[r] = change{fmt.Sprintf("%d.%d.0", 1+(r*7+n)%5, r%9), 1}
		}
		feeds.publish(t, state, false)
		zips[name] = feeds.zip
		dir := t.TempDir()
		must("db", "update", "-q", "--from", feeds.URL, "--ecosystem", "npm", "--db", dir)
		must("db", "export", "-q", "--db", dir, "-o", filepath.Join(www, name+".tar"))
		must("db", "push", "-q", "--db", dir, repo+name)
		s, err := vulndb.ReadSnapshot(dir)
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = s.ID
	}
	flags := []string{"-q", "--allow-older"}
	for kind, args := range map[string]func(name string) []string{
		"import": func(name string) []string {
			return append([]string{"db", "import", filepath.Join(www, name+".tar")}, flags...)
		},
		"pull from a registry": func(name string) []string {
			return append([]string{"db", "pull", repo + name, "--insecure-skip-signature"}, flags...)
		},
		"pull from a mirror": func(name string) []string {
			return append([]string{"db", "pull", web.URL + "/" + name + ".tar", "--insecure-skip-signature"}, flags...)
		},
		"update": func(name string) []string {
			feeds.mu.Lock()
			feeds.zip = zips[name]
			feeds.mu.Unlock()
			return append([]string{"db", "update", "--from", feeds.URL, "--ecosystem", "npm"}, flags...)
		},
	} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			now, next := "a", "b"
			start := time.Now()
			must(append(args(now), "--db", dir)...)
			lasted := time.Since(start)
			hit, changed := 0, 0
			for try := 0; hit < kills; try++ {
				if try == 20*kills {
					t.Fatalf("only %d of %d kills came before the end", hit, try)
				}
				var out bytes.Buffer
				cmd := exec.Command(fnaudit, append(args(next), "--db", dir)...)
				cmd.Stdout, cmd.Stderr = &out, &out
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(rand.N(lasted))
				if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Fatal(err)
				}
				if err := cmd.Wait(); err != nil && cmd.ProcessState.Exited() {
					t.Fatalf("it failed: %s", out.String())
				} else if err != nil {
					hit++
				}
				if out, code := run(t, fnaudit, "db", "check", "--db", dir); code != 0 {
					t.Fatalf("db check: %d, %s", code, out)
				}
				s, err := vulndb.ReadSnapshot(dir)
				if err != nil || s.ID != ids[now] && s.ID != ids[next] {
					t.Fatalf("the store is neither as before nor as after: %v, %v", s.ID, err)
				}
				if s.ID == ids[next] {
					now, next = next, now
					changed++
				}
			}
			t.Logf("%d kills, %d came too late to keep the old store, %d downloads went on", hit, changed, resumed.Swap(0))
			must(append(args(next), "--db", dir)...)
			var left []string
			err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					left = append(left, e.Name())
				}
				return err
			})
			known := func(name string) bool {
				return name == "lock" || name == "snapshot.json" || name == "pulled.json" || strings.HasSuffix(name, ".fdb")
			}
			fdb := 0
			for _, name := range left {
				if strings.HasSuffix(name, ".fdb") {
					fdb++
				}
				if !known(name) {
					t.Errorf("left behind: %s", name)
				}
			}
			if err != nil || fdb != 1 {
				t.Errorf("%d files of one ecosystem: %v, %v", fdb, left, err)
			}
		})
	}
}
