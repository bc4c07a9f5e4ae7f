package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// npmDocument is a package as npm's own registry describes one: an old version
// without scripts, one that was taken back, a deprecated one, and one with an
// attestation, each signed by the registry.
const npmDocument = `{
  "_id": "@acme/lamp", "_rev": "7-1", "name": "@acme/lamp", "description": "a lamp",
  "dist-tags": {"latest": "1.10.0", "next": "2.0.0-rc.1"},
  "versions": {
    "1.2.0": {
      "name": "@acme/lamp", "version": "1.2.0", "license": {"type": "BSD", "url": "x"}, "repository": "acme/lamp-old",
      "deprecated": "use 1.10\u001b[31m\n please", "scripts": {"postinstall": "node setup.js", "test": "x", "preinstall": "sh a.sh"},
      "dependencies": {"left": "^1.0.0", "right": 4}, "_npmUser": {"name": "ada", "email": "ada@acme.test"},
      "dist": {"shasum": "A9993E364706816ABA3E25717850C26C9CD0D89D", "tarball": "https://files.acme.test/lamp-1.2.0.tgz",
        "signatures": [{"keyid": "SHA256:abc", "sig": "MEUC"}]}
    },
    "1.10.0": {
      "name": "@acme/lamp", "version": "1.10.0", "license": "MIT", "gypfile": true, "deprecated": false,
      "repository": {"type": "git", "url": "git+https://github.com/Acme/lamp.git", "directory": "packages/lamp"},
      "_npmUser": {"name": "bob", "email": "bob@acme.test"},
      "dist": {"integrity": "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==", "shasum": "zz",
        "tarball": "https://files.acme.test/lamp-1.10.0.tgz", "fileCount": 3, "unpackedSize": 9,
        "attestations": {"url": "https://npm.acme.test/-/npm/v1/attestations/@acme%2flamp@1.10.0", "provenance": {"predicateType": "https://slsa.dev/provenance/v1"}},
        "signatures": [{"keyid": "SHA256:abc", "sig": "MEYC"}, {"keyid": 3}]}
    },
    "2.0.0-rc.1": {"version": "2.0.0-rc.1", "licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}], "hasInstallScript": true, "dist": {"tarball": "https://files.acme.test/x.tgz"}}
  },
  "time": {"created": "2019-01-01T00:00:00.000Z", "modified": "2025-01-01T00:00:00.000Z",
    "1.2.0": "2019-01-02T03:04:05.678Z", "1.9.9": "2020-05-05T00:00:00.000Z", "1.10.0": "2024-06-01T10:00:00+02:00", "2.0.0-rc.1": "9999-12-31T00:00:00Z"},
  "maintainers": [{"name": "bob", "email": "b@acme.test"}, "ada <ada@acme.test>", {"name": "bob"}, 7],
  "readme": "# lamp", "users": {"x": true}
}`

// npmAt asks a server for one package.
func npmAt(t *testing.T, h http.HandlerFunc, name string) (Facts, error) {
	t.Helper()
	now := getDay
	c, _ := getClient(t, &now)
	c.pace = hurry
	url, _ := server(t, h)
	c.Config = ReadConfig(configured(nil, m{"NPM_CONFIG_REGISTRY": url + "/npm"}))
	p := Package{NPM, name}
	return npmFacts(t.Context(), c, p, c.Config.For(p))
}

func TestNPMFacts(t *testing.T) {
	f, err := npmAt(t, func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/npm/@acme%2flamp" || r.Header.Get("Accept") != "application/json" {
			t.Errorf("asked %s as %s", r.RequestURI, r.Header.Get("Accept"))
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"7-1"`)
		fmt.Fprint(w, npmDocument)
	}, "@acme/lamp")
	if err != nil || f.Answer != Known || !strings.HasSuffix(f.Source, "/npm/") || !f.AsOf.Equal(getDay) {
		t.Fatalf("%+v, %v", f, err)
	}
	if f.Default != "1.10.0" || !slices.Equal(f.Maintainers, []string{"ada", "bob"}) {
		t.Errorf("default %q, maintainers %q", f.Default, f.Maintainers)
	}
	var order []string
	for _, v := range f.Versions {
		order = append(order, v.Version)
	}
	if want := []string{"1.2.0", "1.9.9", "1.10.0", "2.0.0-rc.1"}; !slices.Equal(order, want) {
		t.Fatalf("versions %q, want %q", order, want)
	}
	got, err := json.MarshalIndent(f.Versions, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	old, gone, last, next := f.Versions[0], f.Versions[1], f.Versions[2], f.Versions[3]
	for what, ok := range map[string]bool{
		"old date":            old.Published.Equal(time.Date(2019, 1, 2, 3, 4, 5, 0, time.UTC)),
		"message":             old.Deprecated == "use 1.10 [31m please",
		"old scripts":         slices.Equal(old.Scripts, []string{"preinstall: sh a.sh", "postinstall: node setup.js"}),
		"old needs":           len(old.Requires) == 1 && old.Requires["left"] == "^1.0.0",
		"old digest":          len(old.Integrity) == 1 && old.Integrity["sha1"] == "a9993e364706816aba3e25717850c26c9cd0d89d",
		"old repository":      old.Repository == "github.com/acme/lamp-old",
		"old licence":         slices.Equal(old.Licenses, []string{"BSD"}),
		"old publisher":       old.Publisher == "ada",
		"old has none":        old.Attested == Absent,
		"old signature":       slices.Equal(old.Signatures, []Signature{{"SHA256:abc", "MEUC"}}),
		"taken back":          gone.Yanked == "no longer published" && gone.Attested == Unknown && gone.Published.Year() == 2020,
		"last attested":       last.Attested == Known && last.Deprecated == "",
		"last repository":     last.Repository == "github.com/acme/lamp",
		"last digest":         len(last.Integrity) == 1 && strings.HasPrefix(last.Integrity["sha512"], "ddaf35a1"),
		"last script":         slices.Equal(last.Scripts, []string{"install: node-gyp rebuild"}),
		"last signatures":     slices.Equal(last.Signatures, []Signature{{"SHA256:abc", "MEYC"}}),
		"last date":           last.Published.Equal(time.Date(2024, 6, 1, 8, 0, 0, 0, time.UTC)),
		"archive":             last.Archive == "https://files.acme.test/lamp-1.10.0.tgz",
		"next date is absurd": next.Published.IsZero(),
		"next licences":       slices.Equal(next.Licenses, []string{"MIT", "Apache-2.0"}),
		"next script":         slices.Equal(next.Scripts, []string{"install: (the registry does not tell it)"}),
		"next has no digest":  next.Integrity == nil,
	} {
		if !ok {
			t.Errorf("%s is wrong in\n%s", what, got)
		}
	}
}

// TestNPMFactsOfMirror holds that what a mirror leaves out is unknown, never good news.
func TestNPMFactsOfMirror(t *testing.T) {
	f, err := npmAt(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"name":"a","dist-tags":{"latest":"9.9.9"},"versions":{"1.0.0":{"dist":{"tarball":"x"}}}}`)
	}, "a")
	if err != nil || len(f.Versions) != 1 {
		t.Fatalf("%+v, %v", f, err)
	}
	v := f.Versions[0]
	if v.Attested != Unknown || !v.Published.IsZero() || f.Maintainers != nil || v.Integrity != nil || f.Default != "" || v.Publisher != "" {
		t.Errorf("%+v %+v", f, v)
	}
}

func TestNPMFactsTakenBackAsAWhole(t *testing.T) {
	f, err := npmAt(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"name":"a","time":{"1.0.0":"2020-01-01T00:00:00Z","unpublished":{"name":"x","time":"2020-02-01T00:00:00Z","versions":["1.0.0","1.0.1"]}}}`)
	}, "a")
	if err != nil || f.Answer != Known || len(f.Versions) != 2 || f.Versions[1].Yanked == "" || f.Versions[0].Published.IsZero() {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestNPMFactsUnknown holds that no bad answer is an answer.
func TestNPMFactsUnknown(t *testing.T) {
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	many := func() string {
		var b strings.Builder
		b.WriteString(`{"name":"a","versions":{`)
		for i := range maxVersions + 2 {
			fmt.Fprintf(&b, `"1.0.%d":{},`, i)
		}
		return b.String() + `"2.0.0":{}}}`
	}
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		says string
	}{
		"500":              {say(500, "oops"), "500"},
		"429":              {say(429, "slow down"), "429"},
		"401":              {say(401, ""), "401"},
		"403":              {say(403, ""), "403"},
		"html":             {say(200, "<html>log in"), "JSON"},
		"cut short":        {say(200, npmDocument[:900]), "JSON"},
		"another package":  {say(200, npmDocument), "another package"},
		"no document":      {say(200, `{"error":"not found"}`), "another package"},
		"no versions":      {say(200, `{"name":"a","versions":{}}`), "no version"},
		"null versions":    {say(200, `{"name":"a","versions":null}`), "no version"},
		"a list":           {say(200, `[]`), "form"},
		"versions in list": {say(200, `{"name":"a","versions":["1.0.0"]}`), "form"},
		"many versions":    {say(200, many()), "over 100000 versions"},
		"slow": {func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		}, ""},
		"too long": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(int64(maxPackument)+1))
			w.WriteHeader(200)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := npmAt(t, c.h, "a")
			if err == nil || f.Answer != Unknown || !strings.Contains(err.Error(), c.says) {
				t.Errorf("answer %v of %d versions, error %v", f.Answer, len(f.Versions), err)
			}
		})
	}
	if f, err := npmAt(t, say(404, "{}"), "a"); err != nil || f.Answer != Absent {
		t.Errorf("404: %+v, %v", f, err)
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "@/a", "@a/", "@a/..", "@../a", "@a/b/c", "a b", "a\nb", strings.Repeat("a", 300)} {
		if _, err := npmAt(t, func(http.ResponseWriter, *http.Request) { t.Errorf("asked for %q", name) }, name); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
	for name, want := range map[string]string{"a?b#c%": "x/a%3Fb%23c%25", "@a/b?": "x/@a%2fb%3F", "A.b_c~'!()*": "x/A.b_c~%27%21%28%29%2A"} {
		if got, err := npmAddress("x/", name); err != nil || got != want {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

func TestRepository(t *testing.T) {
	for raw, want := range map[string]string{
		"git+https://github.com/A/b.git":             "github.com/a/b",
		"git://github.com/a/b.git#main":              "github.com/a/b",
		"git+ssh://git@github.com/a/b.git":           "github.com/a/b",
		"git@github.com:a/b.git":                     "github.com/a/b",
		"https://user:pw@github.com/a/b/tree/main/c": "github.com/a/b",
		"github:a/b":                           "github.com/a/b",
		"a/b":                                  "github.com/a/b",
		"gitlab:a/b":                           "gitlab.com/a/b",
		"https://gitlab.com/a/b/c/-/tree/main": "gitlab.com/a/b/c",
		"https://www.GitHub.com/a/b/":          "github.com/a/b",
		"github.com/a/b":                       "github.com/a/b",
		"https://git.corp.test:8443/x/Y.git":   "git.corp.test/x/Y",
		"":                                     "",
		"https://github.com":                   "",
		"javascript:alert(1)":                  "",
		"https://a.test/\x1b[0m":               "",
		"file:///etc/passwd":                   "",
		"https://a.test/" + strings.Repeat("x", 5000): "",
	} {
		if got := repository(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func FuzzPackument(f *testing.F) {
	f.Add([]byte(npmDocument))
	f.Add([]byte(`{"name":"@acme/lamp","versions":{"1.0.0":{"dist":[],"deprecated":{}},"1.0.0":7,"\u0000":{}},"time":{"unpublished":{"versions":["","x"]}}}`))
	f.Add([]byte(`{"versions":{"a":{"scripts":{"install":[1]}}},"name":"@acme/lamp","time":null,"maintainers":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		f := Facts{Package: Package{NPM, "@acme/lamp"}, AsOf: getDay}
		if err := parsePackument(strings.NewReader(string(body)), &f); err != nil {
			return
		}
		factsSane(t, &f)
	})
}

// factsSane holds what is true of facts whoever the registry is.
func factsSane(t *testing.T, f *Facts) {
	t.Helper()
	seen := map[string]bool{}
	line := func(what, s string) {
		if plain(s) != s {
			t.Errorf("%s %q is not plain", what, s)
		}
	}
	for _, v := range f.Versions {
		if seen[v.Version] || !versionText(v.Version) {
			t.Errorf("version %q", v.Version)
		}
		seen[v.Version] = true
		if !v.Published.IsZero() && (v.Published.Year() < firstYear || v.Published.After(f.AsOf.Add(maxAhead))) {
			t.Errorf("published %v", v.Published)
		}
		line("message", v.Deprecated)
		line("reason", v.Yanked)
		line("publisher", v.Publisher)
		line("repository", v.Repository)
		for _, s := range append(slices.Clone(v.Licenses), v.Scripts...) {
			line("text", s)
		}
		for alg, sum := range v.Integrity {
			if hexSum(alg, sum) != sum {
				t.Errorf("digest %s:%s", alg, sum)
			}
		}
	}
	if f.Default != "" && !seen[f.Default] {
		t.Errorf("default %q is no version", f.Default)
	}
}

// BenchmarkPackument reads a document of 2,000 versions, 6 MB.
func BenchmarkPackument(b *testing.B) {
	var doc strings.Builder
	doc.WriteString(`{"name":"a","dist-tags":{"latest":"1.0.1"},"versions":{`)
	for i := range 2000 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `"1.0.%d":{"version":"1.0.%d","scripts":{"postinstall":"x"},"description":%q,"dist":{"shasum":"a9993e364706816aba3e25717850c26c9cd0d89d"}}`, i, i, strings.Repeat("d", 2900))
	}
	doc.WriteString(`}}`)
	b.SetBytes(int64(doc.Len()))
	for b.Loop() {
		f := Facts{Package: Package{NPM, "a"}}
		if err := parsePackument(strings.NewReader(doc.String()), &f); err != nil || len(f.Versions) != 2000 {
			b.Fatal(err)
		}
	}
}
