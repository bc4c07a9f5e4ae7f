package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestAskOnce(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{
		"systems/cargo/packages/a":                packageBody("CARGO", "a", "1.0.0", "2.0.0"),
		"systems/cargo/packages/a/versions/1.0.0": versionBody("", ""),
		"systems/cargo/packages/a/versions/2.0.0": versionBody("", ""),
		"systems/cargo/packages/b":                packageBody("CARGO", "b", "1.0.0"),
	})
	var steps []string
	c.Done = func(done, of int) { steps = append(steps, fmt.Sprintf("%d/%d", done, of)) }
	a, b, gone := Package{Cargo, "a"}, Package{Cargo, "b"}, Package{Cargo, "gone"}
	facts, err := c.Ask(t.Context(), []Question{{a, "1.0.0"}, {b, ""}, {gone, "1"}, {a, "2.0.0"}, {a, "1.0.0"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"cargo:a", "cargo:b", "cargo:gone", "cargo:a", "cargo:a"} {
		if facts[i].Package.String() != want {
			t.Errorf("%d: %v", i, facts[i].Package)
		}
	}
	if facts[2].Answer != Absent || !reflect.DeepEqual(facts[0], facts[3]) || facts[0].Find("1.0.0").Licenses == nil || facts[0].Find("2.0.0").Licenses == nil {
		t.Errorf("%+v", facts)
	}
	if got := d.since(); len(got) != 5 {
		t.Errorf("asked %q", got)
	}
	if want := []string{"1/3", "2/3", "3/3"}; !slices.Equal(steps, want) {
		t.Errorf("progress %q", steps)
	}
	if facts, err = c.Facts(t.Context(), []Package{a}); err != nil || facts[0].Find("2.0.0").Licenses == nil { // the one that is installed
		t.Errorf("%+v, %v", facts, err)
	}
	if got := d.since(); len(got) != 0 {
		t.Errorf("asked again: %q", got)
	}
}

// TestAskHostileList: a list of components that names one package over and over
// costs a few questions and little time.
func TestAskHostileList(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{"systems/cargo/packages/a": manyVersions(20_000)})
	var questions []Question
	for i := range 20_000 {
		questions = append(questions, Question{Package{Cargo, "a"}, fmt.Sprintf("0.0.%d", i)})
	}
	facts, err := c.Ask(t.Context(), questions)
	if err != nil || len(facts) != len(questions) || facts[7].Answer != Known {
		t.Fatalf("%d facts, %v", len(facts), err)
	}
	if n := len(d.since()); n > 1+maxDetailed {
		t.Errorf("%d questions", n)
	}
}

// TestAskPrivate: a private name is in no request and in no name of a file.
func TestAskPrivate(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{})
	c.Private = func(p Package) bool { return strings.HasPrefix(p.Name, "@corp/") }
	for _, online := range []bool{true, false} {
		c.Online = online
		if f := ask(t, c, NPM, "@corp/secret", "1.0.0"); f.Answer != Unknown || f.Reason != "the policy calls the name private: it is not sent anywhere" {
			t.Errorf("%+v", f)
		}
	}
	if got := d.since(); len(got) != 0 {
		t.Errorf("asked %q", got)
	}
	if files := filesIn(t, c.Dir); len(files) != 0 {
		t.Errorf("kept %q", files)
	}
}

// A name in a spelling that patterns do not see, and servers do, is asked of
// nobody: neither of deps.dev nor of a registry.
func TestAskSpelling(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{})
	c.Private = func(p Package) bool { return strings.HasPrefix(p.Name, "@corp/") }
	for _, name := range []string{"@corp%2fsecret", "%40corp/secret", "@corp//secret", "./@corp/secret", "x/../@corp/secret", "@corp\\secret", "@corp/secret ", "@c\u043erp/secret", "@corp/secret?a", "@corp/secret#a", "@corp/se\ncret"} {
		for _, s := range []System{NPM, Go, NuGet} {
			if f := ask(t, c, s, name, "1.0.0"); f.Answer != Unknown || f.Reason == "" || strings.HasPrefix(name, "@corp/") && f.Reason != ReasonPrivate && f.Reason != reasonSpelling {
				t.Errorf("%s %q: %+v", s, name, f)
			}
		}
	}
	if got := d.since(); len(got) != 0 {
		t.Errorf("asked %q", got)
	}
	for _, name := range []string{"@corp-x/a", "lodash", "JSONStream", "@types/node", "github.com/a/b/v2", "gopkg.in/yaml.v3", "org.example:a.b-c_d", "zope.interface", "github.com/a/c++", "~tilde", "a!'()*"} {
		if !spelled(name) {
			t.Errorf("%q is a name", name)
		}
	}
}

// filesIn lists the files below a folder.
func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// askNPM configures a registry of npm for a test, all of it or one scope.
func askNPM(c *Client, npmrc string) {
	c.Config = ReadConfig(Environment{Home: "/home/x", ReadFile: func(path string) ([]byte, error) {
		if filepath.Base(path) == ".npmrc" {
			return []byte(npmrc), nil
		}
		return nil, os.ErrNotExist
	}})
}

// onePackument is what a registry of npm says of a package; %s is its name.
const onePackument = `{"name":"%s","dist-tags":{"latest":"1.0.0"},"time":{"1.0.0":"2026-01-01T00:00:00Z"},"versions":{"1.0.0":{"version":"1.0.0","license":"MIT","dist":{"tarball":"https://x.example/x.tgz"}}}}`

// TestAskOwnRegistry: a registry that is configured for a scope is told even
// its private names, with its credentials; nobody else is.
func TestAskOwnRegistry(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{"systems/npm/packages/x": packageBody("NPM", "x", "1.0.0")})
	c.Private = func(p Package) bool { return strings.HasPrefix(p.Name, "@corp/") || p.Name == "hidden" }
	var asked []string
	own, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.EscapedPath()+" "+r.Header.Get("Authorization"))
		if strings.HasSuffix(r.URL.Path, "gone") {
			w.WriteHeader(404)
			return
		}
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprintf(w, onePackument, "@corp/a")
	})
	askNPM(c, "@corp:registry="+own+"\n//"+strings.TrimPrefix(own, "http://")+"/:_authToken=s3cret\n")
	f := ask(t, c, NPM, "@corp/a", "1.0.0")
	if f.Answer != Known || f.Source != own+"/" || f.Find("1.0.0") == nil || f.Find("1.0.0").Licenses == nil {
		t.Errorf("%+v", f)
	}
	if f := ask(t, c, NPM, "@corp/gone", "1.0.0"); f.Answer != Absent {
		t.Errorf("%+v", f)
	}
	if f := ask(t, c, NPM, "hidden", "1.0.0"); f.Answer != Unknown || f.Reason != ReasonPrivate {
		t.Errorf("%+v", f)
	}
	if f := ask(t, c, NPM, "x", "1.0.0"); f.Answer != Known || f.Source != "deps.dev" {
		t.Errorf("%+v", f)
	}
	now = getDay.AddDate(0, 0, 1)
	if again := ask(t, c, NPM, "@corp/a", "1.0.0"); !again.AsOf.Equal(now) || !reflect.DeepEqual(again.Versions, f.Versions) || again.Default != "1.0.0" {
		t.Errorf("unchanged: %+v", again)
	}
	if want := []string{"/@corp%2fa Bearer s3cret", "/@corp%2fgone Bearer s3cret", "/@corp%2fa Bearer s3cret"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
	for _, path := range d.since() {
		if strings.Contains(path, "corp") || strings.Contains(path, "hidden") {
			t.Errorf("deps.dev was asked %q", path)
		}
	}
	for _, path := range filesIn(t, c.Dir) {
		if b, err := os.ReadFile(path); err != nil || strings.Contains(string(b), "s3cret") || strings.Contains(path, "corp") {
			t.Errorf("%s: %v, %q", path, err, b)
		}
	}
}

// TestAskCredentials: they stay with their own host, whatever a redirect says.
func TestAskCredentials(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	var mu sync.Mutex
	seen := map[string]string{}
	note := func(where string, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[where] = r.Header.Get("Authorization")
	}
	other, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		note("other", r)
		fmt.Fprintf(w, onePackument, "x")
	})
	own, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/x":
			note("first", r)
			http.Redirect(w, r, "/moved/x", http.StatusFound)
		case r.URL.Path == "/moved/x":
			note("moved", r)
			http.Redirect(w, r, other+"/x", http.StatusFound)
		}
	})
	askNPM(c, "registry="+own+"\n//"+strings.TrimPrefix(own, "http://")+"/:_authToken=s3cret\n")
	if f := ask(t, c, NPM, "x", "1.0.0"); f.Answer != Known {
		t.Errorf("%+v", f)
	}
	if want := map[string]string{"first": "Bearer s3cret", "moved": "Bearer s3cret", "other": ""}; !reflect.DeepEqual(seen, want) {
		t.Errorf("sent %q", seen)
	}
}

func TestAskRefused(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{})
	c.Config = Config{refused: map[System]string{Maven: "a mirror"}}
	if f := ask(t, c, Maven, "a:b", "1"); f.Answer != Unknown || f.Reason != "a mirror" {
		t.Errorf("%+v", f)
	}
	if f := ask(t, c, System("toys"), "a", "1"); f.Answer != Unknown || f.Reason != "deps.dev does not know packages of toys" {
		t.Errorf("%+v", f)
	}
	if got := d.since(); len(got) != 0 {
		t.Errorf("asked %q", got)
	}
}

func TestAskOffline(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{"systems/cargo/packages/a": packageBody("CARGO", "a", "1.0.0")})
	c.Online = false
	for _, f := range []*Facts{ask(t, c, Cargo, "a", ""), ask(t, &Client{}, Cargo, "a", "")} {
		if f.Answer != Unknown || f.Reason != ErrOffline.Error() {
			t.Errorf("%+v", f)
		}
	}
	c.Online = true
	ask(t, c, Cargo, "a", "")
	ask(t, c, Cargo, "gone", "")
	d.since()
	c.Online, now = false, getDay.AddDate(3, 0, 0)
	if f := ask(t, c, Cargo, "a", ""); f.Answer != Known || !f.AsOf.Equal(getDay) {
		t.Errorf("%+v", f)
	}
	if f := ask(t, c, Cargo, "gone", ""); f.Answer != Absent || !f.AsOf.Equal(getDay) {
		t.Errorf("%+v", f)
	}
	if got := d.since(); len(got) != 0 {
		t.Errorf("asked %q", got)
	}
}

func TestAskFallsBack(t *testing.T) {
	now := getDay
	c, d, notices := depsDevClient(t, &now, map[string]string{
		"systems/cargo/packages/a":                packageBody("CARGO", "a", "1.0.0", "1.1.0"),
		"systems/cargo/packages/a/versions/1.0.0": versionBody("", ""),
		"systems/cargo/packages/a/versions/1.1.0": versionBody("", ""),
	})
	ask(t, c, Cargo, "a", "1.0.0")
	ask(t, c, Cargo, "a", "1.1.0")
	now = getDay.AddDate(0, 1, 0)
	d.mu.Lock()
	d.status["systems/cargo/packages/a"] = 503
	d.mu.Unlock()
	f := ask(t, c, Cargo, "a", "1.0.0")
	if f.Answer != Known || !f.AsOf.Equal(getDay) || f.Find("1.0.0").Licenses == nil || f.Find("1.1.0").Licenses != nil {
		t.Errorf("%+v", f)
	}
	if got := notices(); !strings.Contains(got, "503 Service Unavailable; what was said on 2026-03-01 is used") {
		t.Errorf("notices %q", got)
	}
}

// TestAskNewerVersion: a version that the record does not have may have been
// published since it was made.
func TestAskNewerVersion(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{"systems/cargo/packages/a": packageBody("CARGO", "a", "1.0.0")})
	ask(t, c, Cargo, "a", "1.0.0")
	d.set("systems/cargo/packages/a", packageBody("CARGO", "a", "1.0.0", "1.1.0"))
	now = getDay.Add(10 * time.Minute)
	if f := ask(t, c, Cargo, "a", "1.1.0"); f.Find("1.1.0") != nil {
		t.Errorf("%+v", f)
	}
	now = getDay.Add(2 * time.Hour)
	if f := ask(t, c, Cargo, "a", "1.1.0"); f.Find("1.1.0") == nil {
		t.Errorf("%+v", f)
	}
}

// TestAskDeadNetwork: one notice, one reason, no time.
func TestAskDeadNetwork(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	now := getDay
	c, notices := getClient(t, &now)
	c.DepsDev, c.pace = dead.URL, pace{}
	var questions []Question
	for i := range 400 {
		questions = append(questions, Question{Package{NPM, fmt.Sprint("p", i)}, "1.0.0"})
	}
	start := time.Now()
	facts, err := c.Ask(t.Context(), questions)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		if f.Answer != Unknown || !strings.Contains(f.Reason, "refused") {
			t.Fatalf("%+v", f)
		}
	}
	if got := notices(); strings.Count(got, "\n") != 0 || !strings.Contains(got, "is not asked any more in this run") {
		t.Errorf("notices %q", got)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAskCancelled(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	ctx, cancel := context.WithCancel(t.Context())
	c.DepsDev, _ = server(t, func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if _, err := c.Ask(ctx, []Question{{Package{NPM, "a"}, "1"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if files := filesIn(t, c.Dir); len(files) != 0 {
		t.Errorf("kept %q", files)
	}
}

// TestAskDamagedCache: what is not exactly a record or an answer is asked for again.
func TestAskDamagedCache(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{
		"systems/cargo/packages/a":                packageBody("CARGO", "a", "1.0.0"),
		"systems/cargo/packages/a/versions/1.0.0": versionBody("github.com/a/b", ""),
		"projects/github.com%2Fa%2Fb":             projectAlive,
	})
	want := *ask(t, c, Cargo, "a", "1.0.0")
	for name, damage := range map[string]func(path string) error{
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"half":    func(path string) error { return os.Truncate(path, 60) },
		"foreign": func(path string) error { return os.WriteFile(path, []byte("#!/bin/sh\n"), 0o600) },
		"folder":  func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"link":    func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path)) },
		"gone":    os.Remove,
	} {
		for _, path := range filesIn(t, c.Dir) {
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
		}
		d.since()
		got := *ask(t, c, Cargo, "a", "1.0.0")
		if !reflect.DeepEqual(got, want) || len(d.since()) != 3 {
			t.Errorf("%s: %+v", name, got)
		}
		os.RemoveAll(c.Dir)
		ask(t, c, Cargo, "a", "1.0.0")
	}
}

// TestCacheSharedByProcesses: clients that know nothing of each other use one
// folder at a time, and each only ever reads whole entries.
func TestCacheSharedByProcesses(t *testing.T) {
	dir := t.TempDir()
	now := func() time.Time { return getDay }
	key := hash("shared")
	var wg sync.WaitGroup
	var bad atomic.Int64
	for i := range 8 {
		wg.Go(func() {
			c := &Client{Dir: dir, Now: now}
			r := recordOf(1 + 100*i)
			for range 10 {
				c.writeFile("facts", key, r.encode(key))
				c.writeAnswer(key, stored{Document{Body: []byte(strings.Repeat("x", 10000*(i+1))), Fetched: getDay}, validators{}})
				if _, ok := c.readRecord(key, Package{}, nil); !ok {
					bad.Add(1)
				}
				if _, ok := c.readAnswer(key, 1<<20); !ok {
					bad.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if bad.Load() != 0 {
		t.Errorf("%d reads found no whole entry", bad.Load())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "temp", "*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestCacheCleansUp: what a killed process left half-written goes after a while.
func TestCacheCleansUp(t *testing.T) {
	dir := t.TempDir()
	temp := filepath.Join(dir, "temp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{"old.tmp": 2 * time.Hour, "new.tmp": time.Minute, "other": 2 * time.Hour} {
		path := filepath.Join(temp, name)
		at := time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(path, []byte("half"), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	c := &Client{Dir: dir}
	c.writeAnswer(hash("x"), stored{})
	left := []string{}
	for _, path := range filesIn(t, temp) {
		left = append(left, filepath.Base(path))
	}
	if want := []string{"new.tmp", "other"}; !slices.Equal(left, want) {
		t.Errorf("left %q", left)
	}
}
