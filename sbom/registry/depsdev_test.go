package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// depsDevFake answers as the deps.dev API does, from what a test wrote.
type depsDevFake struct {
	mu     sync.Mutex
	bodies map[string]string // escaped path below /v3/ -> body; absent: 404
	status map[string]int    // escaped path -> another status
	tag    bool              // answers have an ETag, of the body
	asked  []string          // escaped paths below /v3/
	same   int               // of which so many were answered with 304
}

func (d *depsDevFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/v3/")
	if !ok {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	d.asked = append(d.asked, path)
	body, ok := d.bodies[path]
	switch status := d.status[path]; {
	case status != 0:
		w.WriteHeader(status)
	case !ok:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `"package not found"`)
	case d.tag && r.Header.Get("If-None-Match") == `"`+hash(body)+`"`:
		d.same++
		w.WriteHeader(http.StatusNotModified)
	default:
		if d.tag {
			w.Header().Set("ETag", `"`+hash(body)+`"`)
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}
}

// since returns what was asked since the last call, sorted.
func (d *depsDevFake) since() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.asked
	d.asked = nil
	slices.Sort(out)
	return out
}

// set changes what a path answers.
func (d *depsDevFake) set(path, body string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bodies[path] = body
}

// packageBody is an answer of GetPackage.
func packageBody(system, name string, versions ...string) string {
	var list []map[string]any
	for i, v := range versions {
		one := map[string]any{
			"versionKey":  map[string]any{"system": system, "name": name, "version": strings.TrimSuffix(v, "!")},
			"purl":        "pkg:x/" + name,
			"publishedAt": getDay.AddDate(0, i-len(versions), 0).Format(time.RFC3339),
			"isDefault":   i == len(versions)-1, "isDeprecated": false, "deprecatedReason": "",
		}
		if strings.HasSuffix(v, "!") {
			one["isDeprecated"], one["deprecatedReason"] = true, "use\tthe\nother one"
		}
		list = append(list, one)
	}
	b, _ := json.Marshal(map[string]any{"packageKey": map[string]any{"system": system, "name": name}, "versions": list})
	return string(b)
}

// versionBody is an answer of GetVersion with a source repository.
func versionBody(project string, attestations string) string {
	return fmt.Sprintf(`{"versionKey":{"system":"NPM","name":"x","version":"1"},"publishedAt":"2025-01-01T00:00:00Z","isDefault":false,
"isDeprecated":false,"deprecatedReason":"","licenses":["MIT"],"advisoryKeys":[],
"links":[{"label":"HOMEPAGE","url":"https://home.example"},{"label":"SOURCE_REPO","url":"git+https://github.com/linked/repo.git"}],
"slsaProvenances":[],"attestations":[%s],"registries":[],
"relatedProjects":[{"projectKey":{"id":"github.com/a/issues"},"relationProvenance":"UNVERIFIED_METADATA","relationType":"ISSUE_TRACKER"},
{"projectKey":{"id":%q},"relationProvenance":"UNVERIFIED_METADATA","relationType":"SOURCE_REPO"}]}`, attestations, project)
}

const (
	projectAlive = `{"projectKey":{"id":"github.com/a/b"},"openIssuesCount":1,"scorecard":{"date":"2026-02-01T00:00:00Z","checks":[{"name":"Maintained","score":10,"reason":"30 commit(s) and 0 issue activity found in the last 90 days -- score normalized to 10"}]}}`
	projectDead  = `{"projectKey":{"id":"github.com/a/b"},"scorecard":{"checks":[{"name":"License","score":10,"reason":"license file detected"},{"name":"Maintained","score":0,"reason":"project is archived"}]}}`
	verifiedSLSA = `{"type":"https://slsa.dev/provenance/v1","url":"https://x.example","verified":true,"sourceRepository":"https://github.com/proved/repo","commit":"abc"}`
	doubtedSLSA  = `{"type":"https://slsa.dev/provenance/v1","verified":false,"sourceRepository":"https://github.com/forged/repo"}`
	otherKind    = `{"type":"https://example.com/other","verified":true,"sourceRepository":"https://github.com/other/repo"}`
)

// depsDevClient returns a client of a fake API.
func depsDevClient(t *testing.T, now *time.Time, bodies map[string]string) (*Client, *depsDevFake, func() string) {
	c, notices := getClient(t, now)
	d := &depsDevFake{bodies: bodies, status: map[string]int{}}
	c.DepsDev, _ = server(t, d.ServeHTTP)
	return c, d, notices
}

// ask asks one question.
func ask(t *testing.T, c *Client, s System, name, version string) *Facts {
	t.Helper()
	facts, err := c.Ask(t.Context(), []Question{{Package{s, name}, version}})
	if err != nil {
		t.Fatal(err)
	}
	return &facts[0]
}

func TestDepsDev(t *testing.T) {
	now := getDay
	c, d, notices := depsDevClient(t, &now, map[string]string{
		"systems/npm/packages/%40a%2Fb":                packageBody("NPM", "@a/b", "1.0.0!", "1.1.0", "2.0.0"),
		"systems/npm/packages/%40a%2Fb/versions/1.0.0": versionBody("github.com/a/b", ""),
		"systems/npm/packages/%40a%2Fb/versions/1.1.0": versionBody("github.com/a/b", verifiedSLSA),
		"projects/github.com%2Fa%2Fb":                  projectDead,
	})
	f := ask(t, c, NPM, "@a/b", "1.0.0")
	want := Facts{
		Package: Package{NPM, "@a/b"}, Answer: Known, Source: "deps.dev", AsOf: getDay, Default: "2.0.0", Archived: "github.com/a/b",
		Versions: []Version{
			{Version: "1.0.0", Published: getDay.AddDate(0, -3, 0), Deprecated: "use the other one", Repository: "github.com/a/b", Attested: Absent, Licenses: []string{"MIT"}},
			{Version: "1.1.0", Published: getDay.AddDate(0, -2, 0)},
			{Version: "2.0.0", Published: getDay.AddDate(0, -1, 0)},
		},
	}
	if !reflect.DeepEqual(*f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
	if got, want := d.since(), []string{"projects/github.com%2Fa%2Fb", "systems/npm/packages/%40a%2Fb", "systems/npm/packages/%40a%2Fb/versions/1.0.0"}; !slices.Equal(got, want) {
		t.Errorf("asked %q", got)
	}
	if again := ask(t, c, NPM, "@a/b", "1.0.0"); !reflect.DeepEqual(*again, want) {
		t.Errorf("from the cache: %+v", again)
	}
	now = now.AddDate(1, 0, 0)
	off := &Client{Dir: c.Dir, DepsDev: c.DepsDev, Now: c.Now}
	if again := ask(t, off, NPM, "@a/b", "1.0.0"); !reflect.DeepEqual(*again, want) {
		t.Errorf("offline: %+v", again)
	}
	now = getDay
	if got := d.since(); len(got) != 0 {
		t.Errorf("asked again: %q", got)
	}
	// Another version of the same package: only that is asked for, and the first one is still known.
	f = ask(t, c, NPM, "@a/b", "1.1.0")
	if v := f.Find("1.1.0"); v.Attested != Known || v.Repository != "github.com/proved/repo" {
		t.Errorf("%+v", v)
	}
	if v := f.Find("1.0.0"); v.Attested != Absent || v.Licenses != nil {
		t.Errorf("%+v", v)
	}
	if got, want := d.since(), []string{"systems/npm/packages/%40a%2Fb/versions/1.1.0"}; !slices.Equal(got, want) {
		t.Errorf("asked %q", got)
	}
	if v := ask(t, c, NPM, "@a/b", "1.0.0").Find("1.0.0"); v.Licenses == nil {
		t.Errorf("%+v", v)
	}
	// A day later the list is asked for again, and what is settled is not.
	now = getDay.AddDate(0, 0, 1)
	d.set("systems/npm/packages/%40a%2Fb", packageBody("NPM", "@a/b", "1.0.0!", "1.1.0", "2.0.0", "3.0.0"))
	if f = ask(t, c, NPM, "@a/b", "1.0.0"); f.Default != "3.0.0" || f.Find("1.0.0").Attested != Absent || f.Archived != "github.com/a/b" || !f.AsOf.Equal(now) {
		t.Errorf("%+v", f)
	}
	if got, want := d.since(), []string{"projects/github.com%2Fa%2Fb", "systems/npm/packages/%40a%2Fb"}; !slices.Equal(got, want) {
		t.Errorf("asked %q", got)
	}
	if got := notices(); got != "" {
		t.Errorf("notices %q", got)
	}
	// The project is asked about again, since that changes: it was taken up again.
	now = getDay.AddDate(0, 0, 3)
	d.set("projects/github.com%2Fa%2Fb", projectAlive)
	if f = ask(t, c, NPM, "@a/b", "1.0.0"); f.Archived != "" {
		t.Errorf("%+v", f)
	}
}

func TestDepsDevUnchanged(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{"systems/cargo/packages/x": packageBody("CARGO", "x", "1.0.0")})
	d.tag = true
	for day := range 3 {
		now = getDay.AddDate(0, 0, day)
		if f := ask(t, c, Cargo, "x", ""); f.Answer != Known || !f.AsOf.Equal(now) || len(f.Versions) != 1 {
			t.Fatalf("day %d: %+v", day, f)
		}
	}
	if d.same != 2 || len(d.since()) != 3 {
		t.Errorf("%d of the answers were that nothing changed", d.same)
	}
}

// TestDepsDevAddresses: how a package is named in the path.
func TestDepsDevAddresses(t *testing.T) {
	for _, tt := range []struct {
		system System
		name   string
		want   string
	}{
		{NPM, "@colors/colors", "npm/packages/%40colors%2Fcolors"},
		{PyPI, "Zope.Interface__x", "pypi/packages/zope-interface-x"},
		{Go, "github.com/Azure/go-autorest", "go/packages/github.com%2FAzure%2Fgo-autorest"},
		{Maven, "org.a:b", "maven/packages/org.a%3Ab"},
		{Cargo, "x", "cargo/packages/x"},
		{NuGet, "A.B", "nuget/packages/A.B"},
		{RubyGems, "a", "rubygems/packages/a"},
	} {
		now := getDay
		c, d, _ := depsDevClient(t, &now, nil)
		if f := ask(t, c, tt.system, tt.name, "1"); f.Answer != Absent {
			t.Errorf("%s: %+v", tt.name, f)
		}
		if got := d.since(); len(got) != 1 || got[0] != "systems/"+tt.want {
			t.Errorf("%s: asked %q", tt.name, got)
		}
	}
}

func TestDepsDevAttestations(t *testing.T) {
	for _, tt := range []struct {
		name         string
		system       System
		attestations string
		want         Answer
		repository   string
	}{
		{"none", NPM, "", Absent, "github.com/a/b"},
		{"none, where none are kept", Cargo, "", Unknown, "github.com/a/b"},
		{"verified", NPM, verifiedSLSA, Known, "github.com/proved/repo"},
		{"not verified", NPM, doubtedSLSA, Unknown, "github.com/a/b"},
		{"one of two", NPM, doubtedSLSA + "," + verifiedSLSA, Known, "github.com/proved/repo"},
		{"of another kind", NPM, otherKind, Absent, "github.com/a/b"},
	} {
		v := Version{Version: "1"}
		project, archived, err := parseDepsDevVersion([]byte(versionBody("github.com/a/b", tt.attestations)), tt.system, &v)
		if err != nil || archived || project != "github.com/a/b" || v.Attested != tt.want || v.Repository != tt.repository {
			t.Errorf("%s: %q %+v, %v", tt.name, project, v, err)
		}
	}
	v := Version{}
	if _, _, err := parseDepsDevVersion([]byte(`{"links":[{"label":"SOURCE_REPO","url":"https://github.com/linked/repo"}],"projectStatus":{"status":"deprecated","reason":"gone"}}`), PyPI, &v); err != nil || v.Repository != "github.com/linked/repo" || v.Deprecated != "the project is deprecated: gone" {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestDepsDevMarkers: what a Python project says of itself as a whole.
func TestDepsDevMarkers(t *testing.T) {
	for _, tt := range []struct {
		status, deprecated, yanked string
		archived                   bool
	}{
		{status: "", archived: false},
		{status: "active"},
		{status: "archived", archived: true},
		{status: "deprecated", deprecated: "the project is deprecated: why"},
		{status: "quarantined", yanked: "the project is quarantined: why"},
		{status: "new\\u0000word", yanked: "the project is new word: why"},
	} {
		v := Version{}
		_, archived, err := parseDepsDevVersion([]byte(`{"projectStatus":{"status":"`+tt.status+`","reason":"why"}}`), PyPI, &v)
		if err != nil || v.Deprecated != tt.deprecated || v.Yanked != tt.yanked || archived != tt.archived {
			t.Errorf("%q: %+v %v, %v", tt.status, v, archived, err)
		}
	}
}

func TestDepsDevNotTold(t *testing.T) {
	now := getDay
	c, d, notices := depsDevClient(t, &now, map[string]string{
		"systems/npm/packages/ok":                packageBody("NPM", "ok", "1.0.0"),
		"systems/npm/packages/empty":             `{}`,
		"systems/npm/packages/wrong":             `{"versions":{"a":1}}`,
		"systems/npm/packages/text":              `"nothing"`,
		"systems/npm/packages/broken":            `{"versions":[`,
		"systems/npm/packages/half":              packageBody("NPM", "half", "1.0.0"),
		"systems/npm/packages/control":           `{"versions":[{"versionKey":{"version":"1\u0000"}},{"versionKey":{"version":"1\n2"}},{"versionKey":{"version":""}}]}`,
		"systems/npm/packages/deep":              strings.Repeat("[", 20000) + strings.Repeat("]", 20000),
		"systems/npm/packages/deep2":             `{"x":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`,
		"systems/npm/packages/many":              manyVersions(maxVersions + 1),
		"systems/npm/packages/dates":             `{"versions":[{"versionKey":{"version":"1"},"publishedAt":"0000-01-01T00:00:00Z"},{"versionKey":{"version":"2"},"publishedAt":"9999-12-31T23:59:59Z"},{"versionKey":{"version":"3"},"publishedAt":"yesterday"},{"versionKey":{"version":"3"}}]}`,
		"systems/npm/packages/ok/versions/1.0.0": `{"licenses":3}`,
	})
	d.status["systems/npm/packages/half/versions/1.0.0"] = 500
	for name, want := range map[string]string{
		"empty": "it lists no version", "wrong": "cannot unmarshal", "text": "cannot unmarshal", "broken": "not the JSON",
		"control": "it lists no version", "deep": "not the JSON", "deep2": "it lists no version", "many": "more than 100000 versions",
	} {
		if f := ask(t, c, NPM, name, "1.0.0"); f.Answer != Unknown || !strings.Contains(f.Reason, want) || f.Versions != nil {
			t.Errorf("%s: %v %q", name, f.Answer, f.Reason)
		}
	}
	f := ask(t, c, NPM, "dates", "")
	for _, v := range f.Versions {
		if !v.Published.IsZero() {
			t.Errorf("%+v", v)
		}
	}
	if len(f.Versions) != 3 {
		t.Errorf("%d versions", len(f.Versions))
	}
	for _, name := range []string{"ok", "half"} { // what is not told of a version is not known; that it exists is
		f := ask(t, c, NPM, name, "1.0.0")
		if v := f.Find("1.0.0"); f.Answer != Known || v == nil || v.Attested != Unknown || v.Licenses != nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if got := notices(); !strings.Contains(got, "npm:ok 1.0.0: ") || !strings.Contains(got, "npm:half 1.0.0: ") || !strings.Contains(got, "are not known") {
		t.Errorf("notices %q", got)
	}
	d.status = map[string]int{}
	d.set("systems/npm/packages/half/versions/1.0.0", versionBody("", ""))
	if v := ask(t, c, NPM, "half", "1.0.0").Find("1.0.0"); v.Attested != Absent {
		t.Errorf("it is not asked again: %+v", v)
	}
}

// manyVersions is an answer of GetPackage with n versions.
func manyVersions(n int) string {
	var b strings.Builder
	b.WriteString(`{"versions":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"versionKey":{"version":"0.0.%d"}}`, i)
	}
	b.WriteString(`]}`)
	return b.String()
}

func TestDependencies(t *testing.T) {
	now := getDay
	c, d, _ := depsDevClient(t, &now, map[string]string{
		"systems/npm/packages/a/versions/1.0.0:dependencies": `{"nodes":[
{"versionKey":{"system":"NPM","name":"a","version":"1.0.0"},"bundled":false,"relation":"SELF","errors":[]},
{"versionKey":{"system":"NPM","name":"@b/c","version":"2.1.0"},"bundled":false,"relation":"DIRECT","errors":[]},
{"versionKey":{"system":"NPM","name":"d","version":"0.1.0"},"bundled":true,"relation":"INDIRECT","errors":["not\nfound"]}],
"edges":[{"fromNode":0,"toNode":1,"requirement":"^2.0.0"},{"fromNode":1,"toNode":2,"requirement":"*"}],"error":""}`,
	})
	want := Graph{
		AsOf: getDay,
		Nodes: []Node{
			{Package: Package{NPM, "a"}, Version: "1.0.0"},
			{Package: Package{NPM, "@b/c"}, Version: "2.1.0", Direct: true},
			{Package: Package{NPM, "d"}, Version: "0.1.0", Bundled: true, Problems: []string{"not found"}},
		},
		Edges: []Edge{{0, 1, "^2.0.0"}, {1, 2, "*"}},
	}
	got, err := c.Dependencies(t.Context(), Package{NPM, "a"}, "1.0.0")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	c.Online = false
	if got, err = c.Dependencies(t.Context(), Package{NPM, "a"}, "1.0.0"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("offline: %+v, %v", got, err)
	}
	if _, err := c.Dependencies(t.Context(), Package{NPM, "b"}, "1.0.0"); !errors.Is(err, ErrOffline) {
		t.Errorf("offline: %v", err)
	}
	c.Online = true
	if got, err := c.Dependencies(t.Context(), Package{NPM, "b"}, "1.0.0"); err != nil || !got.Absent {
		t.Errorf("%+v, %v", got, err)
	}
	d.since()
	c.Private = func(p Package) bool { return p.Name == "secret" }
	if _, err := c.Dependencies(t.Context(), Package{NPM, "secret"}, "1.0.0"); err == nil || err.Error() != ReasonPrivate {
		t.Errorf("error %v", err)
	}
	if got := d.since(); len(got) != 0 {
		t.Errorf("asked %q", got)
	}
}

func TestDependenciesHostile(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"nodes":[]}`, `[]`, `{"nodes":3}`,
		`{"nodes":[{"versionKey":{"system":"NPM","name":"a","version":"1"}}],"edges":[{"fromNode":0,"toNode":1}]}`,
		`{"nodes":[{"versionKey":{"system":"NPM","name":"a","version":"1"}}],"edges":[{"fromNode":-1,"toNode":0}]}`,
		`{"nodes":[{"versionKey":{"system":"NPM","name":"a","version":"1"}}],"edges":[{"fromNode":4294967296,"toNode":0}]}`,
		`{"nodes":[{"versionKey":{"system":"TOYS","name":"a","version":"1"}}]}`,
		`{"nodes":[{"versionKey":{"system":"NPM","name":"a\n","version":"1"}}]}`,
		`{"nodes":[{"versionKey":{"system":"NPM","name":"","version":"1"}}]}`,
		`{"nodes":[{"versionKey":{"system":"NPM","name":"a","version":"1\u001b"}}]}`,
	} {
		if err := parseGraph([]byte(body), &Graph{}); err == nil {
			t.Errorf("%s: no error", body)
		}
	}
}

func FuzzDepsDev(f *testing.F) {
	f.Add([]byte(packageBody("NPM", "a", "1.0.0!", "2.0.0")))
	f.Add([]byte(versionBody("github.com/a/b", verifiedSLSA)))
	f.Add([]byte(projectDead))
	f.Add([]byte(`{"nodes":[{"versionKey":{"system":"NPM","name":"a","version":"1"},"relation":"SELF"}],"edges":[{"fromNode":0,"toNode":0,"requirement":"1"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		facts := Facts{AsOf: getDay}
		if parseDepsDevPackage(b, &facts) == nil {
			r := record{Facts: facts}
			r.Answer = Known
			if _, _, err := parseDepsDevVersion(b, NPM, &r.Versions[0]); err == nil {
				if got, ok := decode(r.encode("key"), nil); !ok || len(got.Versions) != len(r.Versions) || got.Versions[0].Version != r.Versions[0].Version {
					t.Errorf("kept as %v %+v", ok, got)
				}
			}
		}
		parseGraph(b, &Graph{})
		reduceProject(b)
	})
}
