package registry

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// pypiSimple is a project as the Simple API has one, with all that the later
// versions of that API added.
const pypiSimple = `{
  "meta": {"api-version": "1.4", "_last-serial": 7}, "name": "Acme.Lamp", "versions": ["1.0", "1.1", "1.10", "2.0rc1", "0.9"],
  "files": [
    {"filename": "acme_lamp-1.10-py3-none-any.whl", "url": "https://files.acme.test/a.whl", "hashes": {"sha256": "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"},
     "upload-time": "2024-06-02T10:00:00.123456Z", "yanked": false, "size": 7, "core-metadata": {"sha256": "x"}, "provenance": "https://pip.acme.test/integrity/acme-lamp/1.10/a.whl/provenance"},
    {"filename": "acme-lamp-1.10.tar.gz", "url": "https://files.acme.test/a.tar.gz", "hashes": {}, "upload-time": "2024-06-01T10:00:00Z", "yanked": false, "provenance": null},
    {"filename": "Acme.Lamp-1.1.tar.gz", "url": "../../a-1.1.tar.gz", "hashes": {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}, "upload-time": "2020-01-01T00:00:00Z", "yanked": "breaks\nPython 3.8", "provenance": null},
    {"filename": "acme_lamp-2.0rc1-py3-none-any.whl", "url": "u", "hashes": {"sha256": "zz"}, "upload-time": "9999-01-01T00:00:00Z", "yanked": true},
    {"filename": "acme_lamp-2.0rc1.tar.gz", "url": "u", "hashes": [], "yanked": false},
    {"filename": "acme_lamp-0.9-py2.7.egg", "url": "u", "upload-time": "2019-01-01T00:00:00Z", "yanked": true},
    {"filename": "readme.txt"}, {"filename": 7}, 8
  ]}`

const pypiJSON = `{"info": {"name": "Acme.Lamp", "version": "1.10", "license": "long\ntext", "license_expression": null,
    "classifiers": ["Programming Language :: Python", "License :: OSI Approved :: MIT License"],
    "project_urls": {"Homepage": "https://acme.test", "Source Code": "https://github.com/Acme/Lamp/tree/main", "Bug Tracker": "https://github.com/other/bugs"},
    "requires_dist": ["idna (<4,>=2.5)", "Charset_Normalizer[x]~=3.0", "tomli; python_version < \"3.11\"", "pytest ; extra == 'test'"]},
  "ownership": {"roles": [{"role": "Owner", "user": "bob"}, {"role": "Maintainer", "user": "ada"}, 3], "organization": null},
  "releases": {
    "1.0": [], "1.10": [{"filename": "x", "upload_time_iso_8601": "2024-06-01T10:00:00.000000Z", "yanked": false, "digests": {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}, "url": "https://files.acme.test/a.tar.gz"}],
    "1.1": [{"upload_time_iso_8601": "2020-01-01T00:00:00Z", "yanked": true, "yanked_reason": null, "digests": {}}]},
  "urls": [], "vulnerabilities": []}`

// pypiAt asks one or more indexes for one project.
func pypiAt(t *testing.T, name string, indexes ...http.HandlerFunc) (Facts, string) {
	t.Helper()
	now := getDay
	c, notices := getClient(t, &now)
	c.pace = hurry
	var urls []string
	for _, h := range indexes {
		url, _ := server(t, h)
		urls = append(urls, url+"/simple/")
	}
	c.Config = ReadConfig(configured(nil, m{"PIP_INDEX_URL": urls[0], "PIP_EXTRA_INDEX_URL": strings.Join(urls[1:], " ")}))
	facts, err := c.Facts(t.Context(), []Package{{PyPI, name}})
	if err != nil {
		t.Fatal(err)
	}
	return facts[0], notices()
}

// pypiServer answers with documents by path; what is not there is 404.
func pypiServer(docs m) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := docs[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case strings.HasPrefix(body, "!"):
			w.WriteHeader(map[string]int{"!500": 500, "!429": 429, "!403": 403}[body])
		default:
			w.Header().Set("Content-Type", r.Header.Get("Accept"))
			fmt.Fprint(w, body)
		}
	}
}

const pypiPath, pypiJSONPath = "/simple/acme-lamp/", "/pypi/acme-lamp/json"

func versionsOf(f Facts) (out []string) {
	for _, v := range f.Versions {
		out = append(out, v.Version)
	}
	return out
}

func TestPyPIFacts(t *testing.T) {
	f, _ := pypiAt(t, "acme__lamp", pypiServer(m{pypiPath: pypiSimple, pypiJSONPath: pypiJSON}))
	if f.Answer != Known || !strings.HasSuffix(f.Source, "/simple/") || !f.AsOf.Equal(getDay) || f.Default != "1.10" || f.Archived != "" {
		t.Fatalf("%+v", f)
	}
	if got, want := versionsOf(f), []string{"0.9", "1.0", "1.1", "1.10", "2.0rc1"}; !slices.Equal(got, want) {
		t.Fatalf("versions %q, want %q", got, want)
	}
	old, none, yanked, last, next := f.Versions[0], f.Versions[1], f.Versions[2], f.Versions[3], f.Versions[4]
	for what, ok := range map[string]bool{
		"maintainers":     slices.Equal(f.Maintainers, []string{"ada", "bob"}),
		"egg":             old.Yanked == "yanked" && old.Published.Year() == 2019,
		"no files":        none.Yanked == "no longer published" && none.Attested == Unknown,
		"reason":          yanked.Yanked == "breaks Python 3.8" && yanked.Attested == Absent,
		"digest":          strings.HasPrefix(yanked.Integrity["sha256"], "ba7816bf"),
		"first file":      last.Published.Equal(time.Date(2024, 6, 1, 10, 0, 0, 0, time.UTC)),
		"attested":        last.Attested == Known && last.Yanked == "",
		"several files":   last.Integrity == nil && last.Archive == "",
		"licence":         slices.Equal(last.Licenses, []string{"MIT License"}),
		"repository":      last.Repository == "github.com/acme/lamp",
		"needs":           fmt.Sprint(last.Requires) == `map[charset-normalizer:~=3.0 idna:<4,>=2.5 tomli:; python_version < "3.11"]`,
		"one file yanked": next.Yanked == "" && next.Published.IsZero(),
	} {
		if !ok {
			t.Errorf("%s is wrong in %+v", what, f)
		}
	}
}

// pypiHTML is the project in the HTML form of the Simple API, as old and
// private indexes have it.
const pypiHTML = `<!DOCTYPE html>
<html><head><meta name="pypi:repository-version" content="1.0"><title>Links for acme-lamp</title></head><body><h1>Links for acme-lamp</h1>
<!-- <a href="acme_lamp-9.9.tar.gz">acme_lamp-9.9.tar.gz</a> -->
<a href="https://files.acme.test/acme_lamp-1.0.tar.gz#sha256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" rel=internal>acme_lamp-1.0.tar.gz</a><br/>
<A HREF='../../acme_lamp-1.1-py3-none-any.whl' data-requires-python="&gt;=3.8" data-yanked="bad &amp;
wrong">acme_lamp-1.1-py3-none-any.whl</A><br/>
<a href="acme_lamp-1.10.zip#md5=00" data-yanked data-provenance="https://x.test">
 acme_lamp-1.10.zip </a>
<a href="/simple/">up</a> <a href="acme_lamp-2.0.tar.gz"></a> < a <a
`

// TestPyPIFactsOfOldIndex holds that an index without the JSON form of the
// Simple API is asked for the HTML form, and by the JSON API for the dates.
func TestPyPIFactsOfOldIndex(t *testing.T) {
	f, _ := pypiAt(t, "acme-lamp", pypiServer(m{pypiPath: pypiHTML, pypiJSONPath: pypiJSON}))
	if got, want := versionsOf(f), []string{"1.0", "1.1", "1.10"}; f.Answer != Known || !slices.Equal(got, want) {
		t.Fatalf("%v versions %q, want %q; %s", f.Answer, got, want, f.Reason)
	}
	if f.Versions[1].Yanked != "yanked" || f.Versions[0].Yanked == "" || len(f.Versions[2].Integrity) != 1 || f.Versions[2].Attested != Unknown || f.Versions[2].Published.IsZero() {
		t.Errorf("%+v", f.Versions)
	}
	f, _ = pypiAt(t, "acme-lamp", pypiServer(m{pypiPath: pypiHTML}))
	if got, want := versionsOf(f), []string{"1.0", "1.1", "1.10", "2.0"}; f.Answer != Known || !slices.Equal(got, want) {
		t.Fatalf("%v versions %q, want %q; %s", f.Answer, got, want, f.Reason)
	}
	one, bad, last := f.Versions[0], f.Versions[1], f.Versions[2]
	if one.Yanked != "" || one.Attested != Absent || !strings.HasPrefix(one.Integrity["sha256"], "ba7816bf") || !strings.HasSuffix(one.Archive, "/acme_lamp-1.0.tar.gz") || !one.Published.IsZero() {
		t.Errorf("%+v", one)
	}
	if bad.Yanked != "bad & wrong" || bad.Archive != "../../acme_lamp-1.1-py3-none-any.whl" || bad.Integrity != nil || last.Yanked != "yanked" || last.Attested != Known {
		t.Errorf("%+v\n%+v", bad, last)
	}
	if f, _ := pypiAt(t, "acme-lamp", pypiServer(m{pypiPath: `<html><form action="/login"><a href="/help">help</a>`})); f.Answer != Unknown || !strings.Contains(f.Reason, "no version") {
		t.Errorf("a login page: %+v", f)
	}
}

func TestPyPIFactsByStatus(t *testing.T) {
	for status, c := range map[string]struct{ archived, deprecated, yanked string }{
		"active": {}, "archived": {archived: "acme-lamp"}, "deprecated": {deprecated: "the project is deprecated: moved"},
		"quarantined": {yanked: "the project is quarantined: moved"}, "invented-later": {yanked: "the project is invented-later: moved"},
	} {
		doc := strings.Replace(pypiSimple, `"versions"`, `"project-status": {"status": "`+status+`", "reason": "moved"}, "versions"`, 1)
		f, _ := pypiAt(t, "acme-lamp", pypiServer(m{pypiPath: doc}))
		v := f.Find("1.10")
		if v == nil || f.Archived != c.archived || v.Deprecated != c.deprecated || v.Yanked != c.yanked {
			t.Errorf("%s: archived %q, %+v", status, f.Archived, v)
		}
	}
}

// TestPyPIFactsOfSeveral holds that each index counts, as for pip.
func TestPyPIFactsOfSeveral(t *testing.T) {
	ours := `{"name":"acme-lamp","versions":["1.0"],"files":[{"filename":"acme_lamp-1.0.tar.gz","yanked":false}]}`
	theirs := `{"name":"acme-lamp","versions":["1.0","99.0"],"files":[{"filename":"acme_lamp-1.0.tar.gz","yanked":true},{"filename":"acme_lamp-99.0.tar.gz"}]}`
	f, notices := pypiAt(t, "acme-lamp", pypiServer(nil), pypiServer(m{pypiPath: ours}), pypiServer(m{pypiPath: theirs}))
	if got, want := versionsOf(f), []string{"1.0", "99.0"}; f.Answer != Known || !slices.Equal(got, want) || f.Versions[0].Yanked != "" || f.Default != "" {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(notices, "is on 2 of the configured indexes") {
		t.Errorf("notices %q", notices)
	}
	if f, _ := pypiAt(t, "acme-lamp", pypiServer(nil), pypiServer(nil)); f.Answer != Absent {
		t.Errorf("nowhere: %+v", f)
	}
	if f, _ := pypiAt(t, "acme-lamp", pypiServer(m{pypiPath: ours}), pypiServer(m{pypiPath: "!403"})); f.Answer != Unknown || f.Reason == "" {
		t.Errorf("one does not answer: %+v", f)
	}
}

func TestPyPIFactsUnknown(t *testing.T) {
	for name, body := range map[string]string{
		"500": "!500", "429": "!429", "403": "!403", "cut short": pypiSimple[:600], "another": `{"name":"other","versions":["1.0"],"files":[]}`,
		"no name": `{"versions":["1.0"]}`, "no versions": `{"name":"acme-lamp","files":[]}`, "a list": `[]`, "versions": `{"name":"acme-lamp","versions":{"1":2}}`,
	} {
		if f, _ := pypiAt(t, "acme-lamp", pypiServer(m{pypiPath: body})); f.Answer != Unknown || f.Reason == "" || len(f.Versions) > 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	for _, name := range []string{"", "-a", "a-", "..", "a/b", "a b", "ä", strings.Repeat("a", 600)} {
		if f, _ := pypiAt(t, name, func(http.ResponseWriter, *http.Request) { t.Errorf("asked for %q", name) }); f.Answer != Unknown {
			t.Errorf("%q: %+v", name, f)
		}
	}
}

func TestPyPIFileVersion(t *testing.T) {
	for file, want := range map[string]string{
		"acme_lamp-1.0-py3-none-any.whl": "1.0", "acme_lamp-1.0-1-cp311-cp311-linux_x86_64.whl": "1.0", "acme-lamp-1.0.post1.tar.gz": "1.0.post1",
		"Acme.Lamp-1.0-2.zip": "1.0-2", "acme_lamp-1.0-py2.7.egg": "1.0", "acme-lamp-1.0.win32-py2.7.exe": "1.0.win32", "other-1.0.tar.gz": "", "acme-lamp.tar.gz": "",
		"acme-lamp-1.0": "", "a-1.0.whl": "", "": "",
	} {
		if got := pypiFileVersion("acme-lamp", file); got != want {
			t.Errorf("%q: %q, want %q", file, got, want)
		}
	}
}

func FuzzProject(f *testing.F) {
	f.Add([]byte(pypiSimple), []byte(pypiJSON))
	f.Add([]byte(pypiHTML), []byte(`{}`))
	f.Add([]byte("<a href=x data-yanked=\"<meta name='pypi:project-status' content=x"), []byte(`{"info":{}}`))
	f.Add([]byte(`{"name":"acme-lamp","versions":["1","v1","1_","\u0000"],"files":[{"filename":"acme-lamp-1.zip","yanked":{}}],"project-status":{"status":"x"}}`), []byte(`{"info":[],"releases":{"1":{}}}`))
	f.Fuzz(func(t *testing.T, simple, more []byte) {
		list, err := parseSimple(simple, "acme-lamp")
		if err != nil {
			return
		}
		for _, files := range []bool{true, false} {
			d := &project{name: list.name, status: list.status, reason: list.reason, versions: map[string]*pypiVersion{}, canon: map[string]string{}}
			if d.readJSON(more, files) != nil || d.readList(list) != nil {
				continue
			}
			facts := Facts{Package: Package{PyPI, "acme-lamp"}, AsOf: getDay}
			d.facts(&facts)
			factsSane(t, &facts)
		}
	})
}
