package registry

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const (
	lampMetadata = "Metadata-Version: 2.1\r\nName: Acme.Lamp\r\nVersion: 1.0\r\nRequires-Python: >=3.8\r\nRequires-Dist: idna (<4,\r\n  >=2.5)\r\n" +
		"requires-dist: tomli ; python_version < \"3.11\"\r\n\r\nRequires-Dist: in the description\r\n"
	lampPage = `{"name":"acme-lamp","versions":["1.0"],"files":[{"filename":"acme_lamp-1.0.tar.gz","url":"../../files/acme_lamp-1.0.tar.gz","hashes":{}},
		{"filename":"acme_lamp-1.0-py3-none-any.whl","url":"../../files/acme_lamp-1.0-py3-none-any.whl#x","hashes":{"sha256":"WHEEL"},"requires-python":">=3.8","core-metadata":META}]}`
	lampSource = `{"name":"acme-lamp","versions":["1.0"],"files":[{"filename":"acme_lamp-1.0.tar.gz","url":"f.tar.gz","hashes":{}}]}`
	lampJSON   = `{"info":{"name":"acme-lamp","version":"1.0","requires_python":">=3.7","requires_dist":["idna","x; extra == 'y'"]}}`

	lampPath, lampJSONPath = "/simple/acme-lamp/", "/pypi/acme-lamp/1.0/json"
	lampWheel              = "/files/acme_lamp-1.0-py3-none-any.whl"
)

// wheel packs files, each "name\ntext".
func wheel(files ...string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		name, text, _ := strings.Cut(f, "\n")
		w, _ := z.Create(name)
		w.Write([]byte(text))
	}
	z.Close()
	return b.String()
}

func TestPythonNeeds(t *testing.T) {
	right := wheel("acme_lamp/x.py\n", "acme_lamp-1.0.dist-info/METADATA\n"+lampMetadata)
	digest := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	page := func(meta, whl string) string {
		return strings.NewReplacer("META", meta, "WHEEL", digest(whl)).Replace(lampPage)
	}
	sum := `{"sha256":"` + digest(lampMetadata) + `"}`
	html := func(attribute string) string {
		return `<a href="` + lampWheel + `#sha256=` + digest(right) + `" data-requires-python="&gt;=3.8" ` + attribute + `>acme_lamp-1.0-py3-none-any.whl</a>`
	}
	const all, fromJSON = ">=3.8 [idna (<4, >=2.5) tomli ; python_version < \"3.11\"]", ">=3.7 [idna x; extra == 'y']"
	for _, tt := range []struct {
		name string
		docs m
		want string // what is needed, or the end of the error
	}{
		{"beside the wheel", m{lampPath: page(sum, right), lampWheel + ".metadata": lampMetadata}, all},
		{"without a digest", m{lampPath: page("true", right), lampWheel + ".metadata": lampMetadata}, all},
		{"by its older name", m{lampPath: strings.ReplaceAll(page(sum, right), "core-", "dist-info-"), lampWheel + ".metadata": lampMetadata}, all},
		{"HTML", m{lampPath: html(`data-core-metadata="sha256=` + digest(lampMetadata) + `"`), lampWheel + ".metadata": lampMetadata}, all},
		{"HTML, by its older name", m{lampPath: html(`data-dist-info-metadata="true"`), lampWheel + ".metadata": lampMetadata}, all},
		{"HTML, from the wheel", m{lampPath: html(`data-core-metadata="false"`), lampWheel: right}, all},
		{"JSON API", m{lampPath: page("false", right), lampJSONPath: lampJSON}, fromJSON},
		{"JSON API, of the source", m{lampPath: lampSource, lampJSONPath: lampJSON}, fromJSON},
		{"JSON API that does not say", m{lampPath: page("false", right), lampJSONPath: strings.Replace(lampJSON, `["idna","x; extra == 'y'"]`, "null", 1), lampWheel: right}, all},
		{"JSON API of a source that did not know", m{lampPath: lampSource, lampJSONPath: strings.Replace(lampJSON, `["idna","x; extra == 'y'"]`, "[]", 1)}, "that is not done"},
		{"JSON API of another version", m{lampPath: lampSource, lampJSONPath: strings.Replace(lampJSON, `"1.0"`, `"1.1"`, 1)}, `it is about another version, "1.1"`},
		{"JSON API that fails", m{lampPath: page("false", right), lampJSONPath: "!500", lampWheel: right}, all},
		{"only the wheel", m{lampPath: page("false", right), lampWheel: right}, all},
		{"only the source", m{lampPath: lampSource}, "there is only a source archive, which says what it needs when it is built, and that is not done"},
		{"gone, and then the wheel", m{lampPath: page(sum, right), lampWheel: right}, all},
		{"gone altogether", m{lampPath: page(sum, right)}, "it is not where the index says"},
		{"another digest", m{lampPath: page(sum, right), lampWheel + ".metadata": lampMetadata + "x", lampJSONPath: lampJSON, lampWheel: right}, "it was changed on the way or at the registry"},
		{"a digest that is none", m{lampPath: page(`{"sha256":"zz"}`, right), lampWheel + ".metadata": lampMetadata}, "the index tells no digest of it that could be one"},
		{"another wheel", m{lampPath: page("false", right), lampWheel: right + "x"}, "it was changed on the way or at the registry"},
		{"of another project", m{lampPath: page("true", right), lampWheel + ".metadata": strings.Replace(lampMetadata, "Acme.Lamp", "other", 1)}, `it is about another project, "other"`},
		{"a login page", m{lampPath: page("true", right), lampWheel + ".metadata": "<html>log in</html>"}, "it is not of the form that was expected"},
		{"nothing in it", m{lampPath: page("true", right), lampWheel + ".metadata": "\n"}, "it does not say what it is about"},
		{"huge", m{lampPath: page("true", right), lampWheel + ".metadata": lampMetadata + strings.Repeat("x", maxMetadata)}, "the answer has more than 4194304 bytes"},
		{"too many", m{lampPath: page("true", right), lampWheel + ".metadata": "Name: acme-lamp\nVersion: 1.0\n" + strings.Repeat("Requires-Dist: a\n", maxRequires+1)}, "it names over 2000 packages"},
		{"a wheel without", m{lampPath: page("false", wheel("a/METADATA\nx")), lampWheel: wheel("a/METADATA\nx")}, "it has none"},
		{"a wheel that is none", m{lampPath: page("false", "PK"), lampWheel: "PK"}, "it is not a zip archive that can be read"},
		{"an address that is none", m{lampPath: strings.ReplaceAll(page("true", right), "../../files", "ftp://x.test")}, "it redirects to what is no address of a web server"},
		{"an address with a password", m{lampPath: strings.ReplaceAll(page("true", right), "../../files", "https://me:pw@x.test")}, "it redirects to x.test with a name or password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := getDay
			c, _ := getClient(t, &now)
			c.pace = hurry
			url, asked := server(t, pypiServer(tt.docs))
			c.Config = ReadConfig(configured(nil, m{"PIP_INDEX_URL": url + "/simple"}))
			p := Package{PyPI, "Acme_lamp"}
			for range 2 { // from the network, then from the cache
				got := ""
				n, err := learnNeeds(t, c, p)
				if err != nil {
					if got = err.Error(); !strings.HasSuffix(got, tt.want) {
						t.Fatalf("%v, want %s", err, tt.want)
					}
					return
				}
				if got = n.Python + " " + fmt.Sprint(n.Requires); got != tt.want {
					t.Fatalf("%s, want %s", got, tt.want)
				}
				before := asked.Load()
				c.Online = false
				defer func() {
					if asked.Load() != before {
						t.Error("the network was asked again")
					}
				}()
			}
		})
	}
}

// learnNeeds asks for the needs of the one version of a project, wheels first.
func learnNeeds(t *testing.T, c *Client, p Package) (PythonNeeds, error) {
	t.Helper()
	all, err := c.Releases(t.Context(), p)
	if err != nil || len(all) != 1 {
		return PythonNeeds{}, fmt.Errorf("%d releases, %w", len(all), err)
	}
	slices.SortFunc(all[0].Files, func(a, b PythonFile) int { return strings.Compare(b.Name[len(b.Name)-3:], a.Name[len(a.Name)-3:]) })
	return c.Needs(t.Context(), p, all[0], true)
}

func TestPythonReleases(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	c.pace = hurry
	one, _ := server(t, pypiServer(m{pypiPath: pypiSimple, "/simple/gone/": "!500", "/simple/held/": `{"name":"held","project-status":{"status":"quarantined"},"files":[]}`, "/simple/liar/": pypiSimple}))
	two, _ := server(t, pypiServer(m{pypiPath: pypiHTML}))
	c.Config = ReadConfig(configured(nil, m{"PIP_INDEX_URL": one + "/simple", "PIP_EXTRA_INDEX_URL": two + "/simple"}))
	all, err := c.Releases(t.Context(), Package{PyPI, "acme_lamp"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range all {
		s := r.Version
		for _, f := range r.Files {
			s += " " + f.Name
			if f.Yanked {
				s += "(yanked)"
			}
			s += f.Python
		}
		got = append(got, s)
	}
	want := []string{
		"1.10 acme_lamp-1.10-py3-none-any.whl acme-lamp-1.10.tar.gz acme_lamp-1.10.zip(yanked)",
		"1.1 Acme.Lamp-1.1.tar.gz(yanked) acme_lamp-1.1-py3-none-any.whl(yanked)>=3.8",
		"2.0rc1 acme_lamp-2.0rc1-py3-none-any.whl(yanked) acme_lamp-2.0rc1.tar.gz",
		"0.9 acme_lamp-0.9-py2.7.egg(yanked)",
		"1.0 acme_lamp-1.0.tar.gz",
		"2.0 acme_lamp-2.0.tar.gz",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for name, why := range map[string]string{"gone": "500", "held": "the project is quarantined", "liar": "it is about another project", "a b": "no package can be spelled so"} {
		if _, err := c.Releases(t.Context(), Package{PyPI, name}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if none, err := c.Releases(t.Context(), Package{PyPI, "nowhere"}); none != nil || err != nil {
		t.Errorf("%v %v", none, err)
	}
	c.Online = false
	if _, err := c.Releases(t.Context(), Package{PyPI, "other"}); !errors.Is(err, ErrOffline) {
		t.Error(err)
	}
}

// TestPythonPrivate holds that no index is told of a private name.
func TestPythonPrivate(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	c.Config = ReadConfig(configured(nil, m{"PIP_INDEX_URL": url + "/simple"}))
	c.Private = func(p Package) bool { return p.Name == "secret" }
	p := Package{PyPI, "secret"}
	if _, err := c.Releases(t.Context(), p); err == nil || err.Error() != ReasonPrivate {
		t.Error(err)
	}
	r := PythonRelease{Version: "1.0", Files: []PythonFile{{Name: "secret-1.0-py3-none-any.whl", index: url + "/simple/", at: pypiFile{metadata: "true", address: "x"}}}}
	if _, err := c.Needs(t.Context(), p, r, true); err == nil || err.Error() != ReasonPrivate {
		t.Error(err)
	}
	if asked.Load() != 0 {
		t.Error("the index was asked")
	}
}

// TestWheelDirectory holds that an archive whose list of files is long, or said
// to be, is not read.
func TestWheelDirectory(t *testing.T) {
	good := []byte(wheel("acme_lamp-1.0.dist-info/METADATA\n" + lampMetadata))
	read := func(b []byte) error {
		_, err := wheelMetadata(&Archive{Bytes: bytes.NewReader(b), Size: int64(len(b))}, Package{PyPI, "acme-lamp"})
		return err
	}
	if err := read(good); err != nil {
		t.Fatal(err)
	}
	long := slices.Clone(good)
	binary.LittleEndian.PutUint32(long[len(long)-6:], 0xffffffff)
	if err := read(long); err == nil || err.Error() != "its list of files is too long" {
		t.Error(err)
	}
	far := slices.Concat(make([]byte, maxDirectory+1), good)
	binary.LittleEndian.PutUint32(far[len(far)-6:], 0)
	if err := read(far); err == nil || err.Error() != "its list of files is too long" {
		t.Error(err)
	}
	bomb := wheel("acme_lamp-1.0.dist-info/METADATA\n" + lampMetadata + strings.Repeat("x", maxMetadata))
	if err := read([]byte(bomb)); err == nil || !strings.Contains(err.Error(), "it has more than") {
		t.Error(err)
	}
	twice := wheel("acme_lamp-1.0.dist-info/METADATA\n"+lampMetadata, "Acme.Lamp-1.0.dist-info/METADATA\nx")
	if err := read([]byte(twice)); err == nil || err.Error() != "it has two of them" {
		t.Error(err)
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(lampMetadata))
	f.Add([]byte(" x\n:\nName\n"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = parseMetadata(b, Package{PyPI, "acme-lamp"}, "1.0")
		_, _ = parseJSONNeeds(b, Package{PyPI, "acme-lamp"}, "1.0")
		_ = shortDirectory(bytes.NewReader(b), int64(len(b)))
	})
}
