package integrity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/note"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// database is a checksum database of a test, and a client's cache in front of it.
type database struct {
	key    string
	server http.Handler

	mu     sync.Mutex
	cache  map[string]string
	asked  []string
	online bool
}

const dbName, dbProxy = "sums.example", "https://proxy.example/go/"

func newDatabase(tb testing.TB) *database {
	tb.Helper()
	signer, verifier, err := note.GenerateKey(rand.Reader, dbName)
	if err != nil {
		tb.Fatal(err)
	}
	ts := sumdb.NewTestServer(signer, func(path, version string) ([]byte, error) {
		if strings.Contains(path, "unknown") {
			return nil, fmt.Errorf("no such module")
		}
		return []byte(fmt.Sprintf("%s %s h1:%s\n%s %s/go.mod h1:mod\n", path, version, "published", path, version)), nil
	})
	return &database{key: verifier, server: sumdb.NewServer(ts), cache: map[string]string{}, online: true}
}

// get is registry.Client.Get: the database through a proxy.
func (d *database) get(_ context.Context, r registry.Request) (registry.Document, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if body, ok := d.cache[r.URL]; ok {
		return registry.Document{Body: []byte(body)}, nil
	}
	if !d.online {
		return registry.Document{}, registry.ErrOffline
	}
	d.asked = append(d.asked, r.URL)
	path, ok := strings.CutPrefix(r.URL, dbProxy+"sumdb/"+dbName)
	if !ok {
		return registry.Document{}, errors.New("no such host")
	}
	if path == "/supported" {
		d.cache[r.URL] = ""
		return registry.Document{}, nil
	}
	w := httptest.NewRecorder()
	d.server.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	body, _ := io.ReadAll(w.Result().Body)
	switch {
	case w.Code == http.StatusOK:
		d.cache[r.URL] = string(body)
		return registry.Document{Body: body}, nil
	case strings.Contains(string(body), "no such module"):
		return registry.Document{Absent: true}, nil
	}
	return registry.Document{}, fmt.Errorf("status %d", w.Code)
}

func (d *database) sums(setting string) sums {
	return sums{
		setting: func(path string) string {
			if strings.HasPrefix(path, "corp.example/") {
				return ""
			}
			return setting
		},
		proxies: []string{dbProxy},
		private: func(p registry.Package) bool { return strings.HasPrefix(p.Name, "secret.example/") },
		get:     d.get,
	}
}

func goModule(path, version, sum string) sbom.Component {
	return sbom.Component{PURL: "pkg:golang/" + path + "@" + version, Name: path, Version: version, State: sbom.Live, Occurrences: []sbom.Occurrence{{Path: "bootstrap"}},
		Traits: []sbom.Trait{{Kind: sbom.TraitSum, Path: "bootstrap", Detail: sum}}}
}

// lookUp compares the sums of modules.
func lookUp(t *testing.T, f func(*check), modules ...sbom.Component) string {
	t.Helper()
	c := newCheck(Of{Function: open(t, tree{"bootstrap": "x"}), SBOM: &sbom.SBOM{Components: modules}})
	f(c)
	res, err := c.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln("compared", res.Compared)
	for _, d := range res.Differences {
		got += fmt.Sprintln(d.Weight == High, d.Rule, d.Component, d.Path)
	}
	for _, l := range res.Left {
		got += fmt.Sprintln("left", l.Component, l.Reason)
	}
	return got
}

// TestSums: the sums of a build against a database of its own, online and then
// from what was kept.
func TestSums(t *testing.T) {
	d := newDatabase(t)
	modules := []sbom.Component{
		goModule("example.com/Good", "v1.0.0", "h1:published"), goModule("example.com/bad", "v1.1.0", "h1:other"), goModule("example.com/unknown", "v1.0.0", "h1:x"),
		goModule("corp.example/a", "v1.0.0", "h1:x"), goModule("secret.example/a", "v1.0.0", "h1:x"), {PURL: "pkg:golang/example.com/none@v1.0.0", Name: "example.com/none", Version: "v1.0.0", State: sbom.Live},
	}
	for i := range 40 {
		modules = append(modules, goModule(fmt.Sprintf("example.com/m%d", i), "v1.0.0", "h1:published"))
	}
	const want = "compared 41\ntrue integrity-sum pkg:golang/example.com/bad@v1.1.0 bootstrap\n" +
		"left pkg:golang/corp.example/a@v1.0.0 no checksum database may be asked about it\n" +
		"left pkg:golang/example.com/bad@v1.1.0 the source that was compiled is not the published one\n" +
		"left pkg:golang/example.com/none@v1.0.0 nothing at hand says how its files should be\n" +
		"left pkg:golang/example.com/unknown@v1.0.0 the checksum database does not know it\n" +
		"left pkg:golang/secret.example/a@v1.0.0 no checksum database may be asked about it\n"
	if got := lookUp(t, func(c *check) { c.sums = d.sums(d.key) }, modules...); got != want {
		t.Errorf("online: got\n%s", got)
	}
	for _, url := range d.asked {
		if strings.Contains(url, "secret") || strings.Contains(url, "corp.") {
			t.Errorf("a private name left: %s", url)
		}
	}
	d.online = false
	offline := strings.Replace(want, "unknown@v1.0.0 the checksum database does not know it", "unknown@v1.0.0 what the checksum database has of it is not at hand (--online asks it)", 1)
	if got := lookUp(t, func(c *check) { c.sums = d.sums(d.key) }, modules...); got != offline {
		t.Errorf("offline: got\n%s", got)
	}
	fewer := []sbom.Component{modules[0], modules[20], modules[45]}
	if got := lookUp(t, func(c *check) { c.sums = d.sums(d.key) }, fewer...); got != "compared 3\n" {
		t.Errorf("fewer of them, offline: got\n%s", got)
	}
}

// TestSumsRefused: a database that cannot be asked, or not be believed.
func TestSumsRefused(t *testing.T) {
	good := goModule("example.com/good", "v1.0.0", "h1:published")
	left := func(reason string) string { return "compared 0\nleft " + good.PURL + " " + reason + "\n" }
	d := newDatabase(t)
	other := newDatabase(t)
	for name, tt := range map[string]struct {
		setting string
		spoil   func(url, body string) string
		want    string
	}{
		"no key":        {dbName, nil, left("the key of the checksum database that GOSUMDB names is not known: give it as name+hash+key")},
		"not a setting": {"a b c", nil, left("GOSUMDB cannot be read, so no checksum database was asked")},
		"an address":    {d.key + " " + dbProxy + "sumdb/" + dbName, nil, "compared 1\n"},
		"another key":   {other.key, nil, "what the checksum database says cannot be verified"},
		"other sum": {d.key, func(url, body string) string {
			return strings.Replace(body, "h1:published", "h1:other", 1)
		}, "what the checksum database says cannot be verified"},
	} {
		d := &database{key: d.key, server: d.server, cache: map[string]string{}, online: true}
		s := d.sums(tt.setting)
		if tt.spoil != nil {
			s.get = func(ctx context.Context, r registry.Request) (registry.Document, error) {
				doc, err := d.get(ctx, r)
				doc.Body = []byte(tt.spoil(r.URL, string(doc.Body)))
				return doc, err
			}
		}
		if got := lookUp(t, func(c *check) { c.sums = s }, good); got != tt.want && !(strings.HasPrefix(tt.want, "what") && strings.Contains(got, "left "+good.PURL+" "+tt.want)) {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
	if got := lookUp(t, func(*check) {}, good); got != left("no checksum database may be asked about it") {
		t.Errorf("nobody: got\n%s", got)
	}
}

// TestSumPack: what the go command keeps will do, without anybody being asked.
func TestSumPack(t *testing.T) {
	d := newDatabase(t)
	good := goModule("example.com/good", "v1.0.0", "h1:published")
	lookUp(t, func(c *check) { c.sums = d.sums(d.key) }, good)
	pack := fstest.MapFS{}
	for url, body := range d.cache {
		if path, ok := strings.CutPrefix(url, dbProxy+"sumdb/"); ok {
			pack[path] = &fstest.MapFile{Data: []byte(body)}
		}
	}
	empty := &database{cache: map[string]string{}}
	s := empty.sums(d.key)
	s.pack = pack
	if got := lookUp(t, func(c *check) { c.sums = s }, good); got != "compared 1\n" {
		t.Errorf("got\n%s", got)
	}
}

// TestForkedSums: two answers, each proven, of two logs with one key.
func TestForkedSums(t *testing.T) {
	signer, verifier, err := note.GenerateKey(rand.Reader, dbName)
	if err != nil {
		t.Fatal(err)
	}
	fork := func(sum string) http.Handler {
		return sumdb.NewServer(sumdb.NewTestServer(signer, func(path, version string) ([]byte, error) {
			return []byte(fmt.Sprintf("%s %s h1:%s\n", path, version, sum)), nil
		}))
	}
	one, two := &database{key: verifier, server: fork("a"), cache: map[string]string{}, online: true}, &database{key: verifier, server: fork("b"), cache: map[string]string{}, online: true}
	s := one.sums(verifier)
	s.get = func(ctx context.Context, r registry.Request) (registry.Document, error) {
		if strings.Contains(r.URL, "example.com/b") {
			return two.get(ctx, r)
		}
		doc, err := one.get(ctx, r)
		if err != nil {
			return two.get(ctx, r)
		}
		return doc, err
	}
	got := lookUp(t, func(c *check) { c.sums = s }, goModule("example.com/a", "v1.0.0", "h1:a"), goModule("example.com/b", "v1.0.0", "h1:b"))
	if strings.Contains(got, "compared 2") {
		t.Errorf("got\n%s", got)
	}
}
