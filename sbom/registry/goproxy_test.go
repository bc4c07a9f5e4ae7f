package registry

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const goMod = `// Deprecated: use acme.test/Lamp/v2
module acme.test/Lamp

go 1.20

require (
	acme.test/wire v1.4.0
	acme.test/far v0.1.0 // indirect
)

retract (
	v1.9.9 // published by mistake
	[v1.0.0, v1.1.0]
)
`

// goDocs is a module as a proxy has one: upper case is escaped.
func goDocs() m {
	return m{
		"/acme.test/!lamp/@v/list":                                      "v1.2.0\nv1.10.0\nv1.0.0\nv1.9.9\nv1.2.0\nv2.0.0-rc.1+x\nv2.0.0-beta\n\nv1.1.0-0.20200101000000-0123456789ab\nx\n",
		"/acme.test/!lamp/@v/v1.10.0.info":                              `{"Version":"v1.10.0","Time":"2024-06-01T10:00:00Z","Origin":{"VCS":"git","URL":"https://github.com/Acme/Lamp","Hash":"01"}}`,
		"/acme.test/!lamp/@v/v1.10.0.mod":                               goMod,
		"/acme.test/!lamp/@v/v1.2.0.info":                               `{"Version":"v1.2.0","Time":"2020-06-01T10:00:00+02:00"}`,
		"/acme.test/!lamp/@v/v1.1.1-0.20210101000000-0123456789ab.info": `{"Version":"v1.1.1-0.20210101000000-0123456789ab","Time":"2021-01-01T00:00:00Z"}`,
	}
}

// goAt asks proxies for versions of a module; asked are the paths, sorted.
func goAt(t *testing.T, list string, path string, versions []string, proxies ...http.HandlerFunc) (f Facts, asked []string) {
	t.Helper()
	now := getDay
	c, _ := getClient(t, &now)
	c.pace = hurry
	var mu sync.Mutex
	for i, h := range proxies {
		url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			asked = append(asked, fmt.Sprint(i, r.URL.Path))
			mu.Unlock()
			h(w, r)
		})
		list = strings.ReplaceAll(list, fmt.Sprint("P", i), url)
	}
	c.Config = ReadConfig(configured(nil, m{"GOPROXY": list}))
	questions := []Question{{Package{Go, path}, everyVersion}}
	for _, v := range versions {
		questions = append(questions, Question{Package{Go, path}, v})
	}
	facts, err := c.Ask(t.Context(), questions)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Ask(t.Context(), questions); err != nil || fmt.Sprint(again[0]) != fmt.Sprint(facts[0]) {
		t.Errorf("from the record: %+v, %v\nat first %+v", again[0], err, facts[0])
	}
	slices.Sort(asked)
	return facts[0], asked
}

func TestGoFacts(t *testing.T) {
	f, asked := goAt(t, "P0,direct", "acme.test/Lamp", []string{"v1.2.0", "v1.1.1-0.20210101000000-0123456789ab", "v7.7.7", "(devel)"}, pypiServer(goDocs()))
	if f.Answer != Known || f.Default != "v1.10.0" || !f.AsOf.Equal(getDay) {
		t.Fatalf("%+v", f)
	}
	if got, want := versionsOf(f), []string{"v1.0.0", "v1.1.1-0.20210101000000-0123456789ab", "v1.2.0", "v1.9.9", "v1.10.0", "v2.0.0-beta"}; !slices.Equal(got, want) {
		t.Fatalf("versions %q, want %q", got, want)
	}
	for i, want := range []string{"retracted", "", "", "retracted: published by mistake", "", ""} {
		if v := f.Versions[i]; v.Yanked != want || v.Deprecated != "use acme.test/Lamp/v2" || v.Attested != Unknown {
			t.Errorf("%+v", v)
		}
	}
	last := f.Find("v1.10.0")
	if !last.Published.Equal(time.Date(2024, 6, 1, 10, 0, 0, 0, time.UTC)) || last.Repository != "github.com/acme/lamp" || fmt.Sprint(last.Requires) != "map[acme.test/wire:v1.4.0]" {
		t.Errorf("%+v", last)
	}
	if f.Find("v1.2.0").Published.Year() != 2020 || f.Find("v1.1.1-0.20210101000000-0123456789ab").Published.Year() != 2021 || !f.Find("v1.0.0").Published.IsZero() {
		t.Errorf("dates of %+v", f.Versions)
	}
	if len(asked) != 6 { // list, four .info, one .mod; a second time nothing
		t.Errorf("asked %q", asked)
	}
}

// TestGoFactsWithoutTags holds that a module without a tag is what the proxy calls the latest.
func TestGoFactsWithoutTags(t *testing.T) {
	const pseudo = "v0.0.0-20210101000000-0123456789ab"
	docs := m{"/acme.test/a/@v/list": "", "/acme.test/a/@latest": `{"Version":"` + pseudo + `","Time":"2021-01-01T00:00:00Z"}`,
		"/acme.test/a/@v/" + pseudo + ".mod": "module acme.test/a\n", "/acme.test/a/@v/" + pseudo + ".info": `{"Version":"` + pseudo + `","Time":"2021-01-01T00:00:00Z"}`}
	f, _ := goAt(t, "P0", "acme.test/a", []string{pseudo}, pypiServer(docs))
	if f.Answer != Known || !slices.Equal(versionsOf(f), []string{pseudo}) || f.Versions[0].Published.IsZero() || f.Default != pseudo {
		t.Errorf("%+v", f)
	}
	// A proxy that lists nothing and calls nothing the latest still has the version.
	delete(docs, "/acme.test/a/@latest")
	delete(docs, "/acme.test/a/@v/list")
	if f, _ := goAt(t, "P0", "acme.test/a", []string{pseudo}, pypiServer(docs)); f.Answer != Known || len(f.Versions) != 1 {
		t.Errorf("%+v", f)
	}
}

// TestGoFactsOfSeveral holds the rules of GOPROXY: "," goes on when there is
// no such module, "|" after any error.
func TestGoFactsOfSeveral(t *testing.T) {
	bad, none, has := pypiServer(m{"/acme.test/!lamp/@v/list": "!403"}), pypiServer(nil), pypiServer(goDocs())
	for _, c := range []struct {
		list   string
		first  http.HandlerFunc
		answer Answer
	}{
		{"P0,P1", none, Known}, {"P0|P1", none, Known}, {"P0|P1", bad, Known}, {"P0,P1", bad, Unknown}, {"P0", none, Absent}, {"P0,direct", none, Absent},
	} {
		f, asked := goAt(t, c.list, "acme.test/Lamp", nil, c.first, has)
		if f.Answer != c.answer {
			t.Errorf("%s: %v %s, asked %q", c.list, f.Answer, f.Reason, asked)
		}
		if c.answer == Known {
			continue
		}
		if slices.ContainsFunc(asked, func(s string) bool { return s[0] == '1' }) {
			t.Errorf("%s: the second was asked: %q", c.list, asked)
		}
	}
}

func TestGoFactsUnknown(t *testing.T) {
	many := strings.Repeat("v0.0.", 1)
	var b strings.Builder
	for i := range maxVersions + 1 {
		fmt.Fprintf(&b, "%s%d\n", many, i)
	}
	const list, info, mod = "/acme.test/!lamp/@v/list", "/acme.test/!lamp/@v/v1.10.0.info", "/acme.test/!lamp/@v/v1.10.0.mod"
	for name, c := range map[string]struct{ path, body string }{
		"500": {list, "!500"}, "429": {list, "!429"}, "403": {list, "!403"}, "nothing": {list, "<html>"}, "many": {list, b.String()},
		"info 500": {info, "!500"}, "info cut": {info, `{"Version":"v1.1`}, "another version": {info, `{"Version":"v1.2.0"}`}, "no version": {info, `{"Version":"../../x"}`},
		"mod 500": {mod, "!500"}, "mod of another form": {mod, "retract [\x00"},
	} {
		docs := goDocs()
		docs[c.path] = c.body
		if f, _ := goAt(t, "P0", "acme.test/Lamp", nil, pypiServer(docs)); f.Answer != Unknown || f.Reason == "" || len(f.Versions) > 0 {
			t.Errorf("%s: %v %q of %d versions", name, f.Answer, f.Reason, len(f.Versions))
		}
	}
	for _, path := range []string{"", "stdlib", "a", "../x", "acme.test/../x", "acme.test/a b", "acme.test/é", "/acme.test/a"} {
		if f, asked := goAt(t, "P0", path, nil, pypiServer(nil)); f.Answer != Unknown || len(asked) > 0 {
			t.Errorf("%q: %+v, asked %q", path, f, asked)
		}
	}
}

// TestGoFactsKeepDates holds that dates asked for once stay known when others are asked about.
func TestGoFactsKeepDates(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	url, _ := server(t, pypiServer(goDocs()))
	c.Config = ReadConfig(configured(nil, m{"GOPROXY": url}))
	p := Package{Go, "acme.test/Lamp"}
	for _, v := range []string{"v1.2.0", "v1.10.0"} {
		f, err := c.Ask(t.Context(), []Question{{p, v}})
		if err != nil || f[0].Find(v).Published.IsZero() || f[0].Find("v1.2.0").Published.IsZero() {
			t.Errorf("%s: %+v, %v", v, f, err)
		}
		now = now.Add(24 * time.Hour)
	}
}

func FuzzModule(f *testing.F) {
	f.Add("v1.0.0\nv1.1.0\nv1.2.0-x", `{"Version":"v1.1.0","Time":"2020-01-01T00:00:00Z","Origin":{"URL":"https://github.com/a/b"}}`, goMod)
	f.Add("v1.0.0+incompatible\n\x00\nv01.0.0", `{"Version":[]}`, "module \"x\"\nretract v1\nretract [v1.0.0,\n")
	f.Fuzz(func(t *testing.T, list, info, mod string) {
		at := &goModule{path: "acme.test/a"}
		if at.readList(list) != nil {
			return
		}
		newest := goHighest(at.all)
		if one, err := parseGoInfo([]byte(info)); err == nil {
			at.note(one, getDay)
		}
		if at.readModule([]byte(mod), newest) != nil {
			return
		}
		factsSane(t, &Facts{AsOf: getDay, Versions: at.all, Default: goDefault(at.all)})
	})
}

// A go.mod comes from the first proxy that has it, is never asked for again, and
// is asked of nobody who may not be told of the module.
func TestModuleFile(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	c.pace = hurry
	var asked []string
	serve := func(docs m) string {
		url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.Path)
			text, ok := docs[r.URL.Path]
			if !ok {
				http.NotFound(w, r)
				return
			}
			fmt.Fprint(w, text)
		})
		return url
	}
	c.Config = ReadConfig(configured(nil, m{"GOPROXY": serve(m{}) + "," + serve(goDocs()), "GOPRIVATE": "secret.test"}))
	c.Private = func(p Package) bool { return p.Name == "acme.test/ours" }
	for range 2 {
		if doc, err := c.ModuleFile(t.Context(), "acme.test/Lamp", "v1.10.0"); err != nil || string(doc.Body) != goMod {
			t.Errorf("got %q, %v", doc.Body, err)
		}
		c.Online = false
	}
	if n := len(asked); n != 2 {
		t.Errorf("asked for %q", asked)
	}
	if _, err := c.ModuleFile(t.Context(), "acme.test/Lamp", "v1.11.0"); err != ErrOffline {
		t.Errorf("offline: %v", err)
	}
	c.Online = true
	if doc, err := c.ModuleFile(t.Context(), "acme.test/Lamp", "v1.11.0"); err != nil || !doc.Absent {
		t.Errorf("a version that nobody has: %v, %v", doc, err)
	}
	asked = nil
	for _, bad := range [][2]string{{"secret.test/x", "v1.0.0"}, {"acme.test/ours", "v1.0.0"}, {"../x", "v1.0.0"}, {"acme.test/lamp", "../v1.0.0"}, {"acme.test/lamp", "latest"}} {
		if _, err := c.ModuleFile(t.Context(), bad[0], bad[1]); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	if len(asked) > 0 {
		t.Errorf("asked for %q", asked)
	}
}
