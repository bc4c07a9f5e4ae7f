package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// long skips a test of real processes that takes minutes. .ci/run sets the
// variable.
func long(t *testing.T) {
	if os.Getenv("FNAUDIT_LONG") == "" {
		t.Skip("FNAUDIT_LONG is not set: no test of real processes")
	}
}

// program builds the program.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fnaudit")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// feedState is one state of a feed: in which version each flaw is fixed tells
// it from another.
type feedState struct {
	records int
	fixed   map[int]change // by record; the others are fixed in 2.0.0
	at      int            // of its publication, see published
}

type change struct {
	version string
	at      int
}

// published is the time of a state: they are a minute apart, so that no test
// sees a week of them.
func published(n int) time.Time {
	return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)
}

func (s feedState) record(i int) (id, content string) {
	id = fmt.Sprintf("GHSA-%05d", i)
	fixed, modified := "2.0.0", "2026-01-02T03:04:05Z"
	if f, ok := s.fixed[i]; ok {
		fixed, modified = f.version, published(f.at).Format(time.RFC3339)
	}
	return id, fmt.Sprintf(`{"id":%q,"modified":%q,"summary":"flaw %d","details":%q,"affected":[{"package":{"ecosystem":"npm","name":"p-%d"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`,
		id, modified, i, strings.Repeat("long text ", 50), i, fixed)
}

// exportServer serves one state of a feed at a time.
type exportServer struct {
	*httptest.Server
	mu    sync.Mutex
	state feedState
	list  bool // serve the list of records
	zip   []byte
	lines []byte
	short bool // cut the archive in half
	asked int  // times for the archive
}

func newExportServer(t *testing.T) *exportServer {
	e := &exportServer{}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *exportServer) publish(t *testing.T, s feedState, list bool) {
	t.Helper()
	var b, lines bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range s.records {
		id, content := s.record(i)
		w, err := z.Create(id + ".json")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, content)
		a, err := vulndb.ParseRecord([]byte(content))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%s,%s\n", a.Modified.Format(time.RFC3339), id)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state, e.list, e.zip, e.lines = s, list, b.Bytes(), lines.Bytes()
}

func (e *exportServer) cut(short bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.short = short
}

// archives returns how often the archive was asked for since the last call.
func (e *exportServer) archives() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.asked
	e.asked = 0
	return n
}

func (e *exportServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w.Header().Set("Last-Modified", published(e.state.at).Format(http.TimeFormat))
	switch name := strings.TrimPrefix(r.URL.Path, "/npm/"); {
	case name == "all.zip" && e.short:
		w.Write(e.zip[:len(e.zip)/2]) // and its length says that this is all
	case name == "all.zip":
		e.asked++
		w.Write(e.zip)
	case name == "modified_id.csv" && e.list:
		w.Write(e.lines)
	case strings.HasSuffix(name, ".json") && e.list:
		var i int
		if _, err := fmt.Sscanf(name, "GHSA-%d.json", &i); err != nil || i >= e.state.records {
			http.NotFound(w, r)
			return
		}
		_, content := e.state.record(i)
		fmt.Fprint(w, content)
	default:
		http.NotFound(w, r)
	}
}

// run runs the program and returns its output and exit status.
func run(t *testing.T, program string, args ...string) (string, int) {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return string(out), exit.ExitCode()
	}
	return string(out), 0
}

// holds fails unless the store is sound and says about every package what one
// of the states says. It returns which.
func holds(t *testing.T, program, dir string, states ...feedState) int {
	t.Helper()
	if out, code := run(t, program, "db", "check", "--db", dir); code != 0 {
		t.Fatalf("db check: %d, %s", code, out)
	}
	db, err := vulndb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	could := slices.Repeat([]bool{true}, len(states))
	for i := range states[0].records {
		for _, version := range []string{"0.9.0", "1.2.0", "1.7.0", "2.2.0", "2.7.0", "3.2.0", "9.0.0"} {
			r, err := db.Match(context.Background(), vulndb.Package{Ecosystem: "npm", Name: fmt.Sprintf("p-%d", i), Version: version})
			if err != nil {
				t.Fatal(err)
			}
			for k, s := range states {
				fixed := "2.0.0"
				if f, ok := s.fixed[i]; ok {
					fixed = f.version
				}
				if (len(r.Matches) == 1) != (version < fixed) {
					could[k] = false
				}
			}
		}
	}
	k := slices.Index(could, true)
	if k < 0 {
		t.Fatal("the store says what none of the feeds says")
	}
	return k
}

// TestKilledProcess kills the program 200 times at random moments of whole
// updates, of updates record by record, and of updates that merge a second
// source. Each time the store is sound and says what the feed said before or
// after, as a whole.
func TestKilledProcess(t *testing.T) {
	long(t)
	const kills, records = 200, 3000
	fnaudit, srv, dir := program(t), newExportServer(t), t.TempDir()
	acme := t.TempDir()
	state := feedState{records: records, at: 1}
	srv.publish(t, state, false)
	update := []string{"db", "update", "--quiet", "--from", srv.URL, "--ecosystem", "npm", "--db", dir}
	if out, code := run(t, fnaudit, update...); code != 0 {
		t.Fatal(out)
	}
	var lasted [3]time.Duration // of a whole run, by kind
	hit, old, now := 0, 0, 0
	for i := 0; hit < kills; i++ {
		if i == 20*kills {
			t.Fatalf("only %d of %d kills came before the end of the update", hit, i)
		}
		kind := i % 3
		next := feedState{records: records, at: i + 2, fixed: map[int]change{}}
		if kind == 0 { // everything changes
			for r := range records {
				next.fixed[r] = change{fmt.Sprintf("%d.0.0", 1+i/3%3), next.at}
			}
		} else { // a few records do
			for r, f := range state.fixed {
				next.fixed[r] = f
			}
			for range 20 {
				next.fixed[rand.IntN(records)] = change{fmt.Sprintf("%d.5.0", 1+i%3), next.at}
			}
		}
		args := slices.Clone(update)
		if kind == 2 {
			args = append(args, "--source", "acme="+acme)
			_, content := next.record(0)
			if err := os.WriteFile(filepath.Join(acme, "own.json"), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		srv.publish(t, next, kind == 1)
		if lasted[kind] == 0 { // the first of a kind runs to its end
			srv.archives()
			start := time.Now()
			if out, code := run(t, fnaudit, args...); code != 0 {
				t.Fatal(out)
			}
			lasted[kind] = time.Since(start)
			if n := srv.archives(); (n == 0) != (kind == 1) {
				t.Fatalf("kind %d: %d archives fetched", kind, n)
			}
			holds(t, fnaudit, dir, next)
			state = next
			continue
		}
		var out bytes.Buffer
		cmd := exec.Command(fnaudit, args...)
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(lasted[kind]))
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		err := cmd.Wait()
		if err == nil || cmd.ProcessState.Exited() {
			if err != nil {
				t.Fatalf("the update failed: %s", out.String())
			}
		} else {
			hit++
		}
		if holds(t, fnaudit, dir, next, state) == 0 {
			now++
			state = next
		} else {
			old++
		}
		if kind == 2 { // the second source has one record of the state that is gone
			args := append(slices.Clone(update), "--drop-source", "acme")
			srv.publish(t, state, false)
			if out, code := run(t, fnaudit, args...); code != 0 && !strings.Contains(out, "no such source") {
				t.Fatal(out)
			}
		}
	}
	t.Logf("%d kills during an update, %d stores as before, %d as after", hit, old, now)
	srv.publish(t, state, false)
	if out, code := run(t, fnaudit, update...); code != 0 {
		t.Fatal(out)
	}
	holds(t, fnaudit, dir, state)
	left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// TestBadDownload has an archive that ends early without saying so, and one
// that is whole and of last month.
func TestBadDownload(t *testing.T) {
	long(t)
	fnaudit, srv, dir := program(t), newExportServer(t), t.TempDir()
	state := feedState{records: 100, at: 20}
	srv.publish(t, state, false)
	update := []string{"db", "update", "--quiet", "--from", srv.URL, "--ecosystem", "npm", "--db", dir}
	if out, code := run(t, fnaudit, update...); code != 0 {
		t.Fatal(out)
	}
	srv.cut(true)
	srv.publish(t, feedState{records: 100, at: 21, fixed: map[int]change{1: {"1.0.0", 21}}}, false)
	if out, code := run(t, fnaudit, update...); code != 2 || !strings.Contains(out, "zip") {
		t.Errorf("truncated: %d, %s", code, out)
	}
	holds(t, fnaudit, dir, state)
	srv.cut(false)
	srv.publish(t, feedState{records: 99, at: 1}, false)
	if out, code := run(t, fnaudit, update...); code != 2 || !strings.Contains(out, "--allow-older") {
		t.Errorf("swapped: %d, %s", code, out)
	}
	holds(t, fnaudit, dir, state)
}
