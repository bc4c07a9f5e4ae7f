package registry

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// proofClient returns a client that asks one registry of npm and one index of pip.
func proofClient(t *testing.T, base string) *Client {
	t.Helper()
	now := getDay
	c, _ := getClient(t, &now)
	c.Config = ReadConfig(Environment{Getenv: func(name string) string {
		return map[string]string{"npm_config_registry": base + "/npm/", "PIP_INDEX_URL": base + "/simple"}[name]
	}})
	return c
}

func TestProofsOfNPM(t *testing.T) {
	paths := map[string]string{
		"/npm/-/npm/v1/attestations/@acme%2fx@1.0.0": `{"attestations":[]}`,
		"/npm/-/npm/v1/attestations/x@1.0.0+a":       `{"attestations":[]}`,
		"/npm/-/npm/v1/attestations/page@1.0.0":      "<html>",
		"/npm/-/npm/v1/attestations/large@1.0.0":     `"` + strings.Repeat("x", maxProofs) + `"`,
	}
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, ok := paths[r.URL.EscapedPath()]
		if !ok {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, body)
	})
	for _, test := range []struct {
		name, version string
		answer        Answer
		reason        string
	}{
		{"@acme/x", "1.0.0", Known, ""},
		{"x", "1.0.0+a", Known, ""},
		{"y", "1.0.0", Absent, ""},
		{"page", "1.0.0", Unknown, "not the JSON"},
		{"large", "1.0.0", Unknown, "large"},
		{"x", "1.0\n", Unknown, "not a version"},
		{"x", "", Unknown, "not a version"},
		{"x/../y", "1.0.0", Unknown, "spelled"},
		{"corp-x", "1.0.0", Unknown, "private"},
	} {
		t.Run(test.name+"@"+test.version, func(t *testing.T) {
			c := proofClient(t, url)
			c.Private = func(p Package) bool { return strings.HasPrefix(p.Name, "corp-") }
			before := asked.Load()
			got, err := c.Proofs(t.Context(), Package{NPM, test.name}, test.version, nil)
			if err != nil || got.Answer != test.answer || !strings.Contains(got.Reason, test.reason) || (got.Answer == Known) != (len(got.Body) > 0) {
				t.Fatalf("%+v, %v", got, err)
			}
			if got.Answer == Unknown && got.Reason == "" || test.reason == "private" && asked.Load() != before {
				t.Errorf("%+v, asked %d times", got, asked.Load()-before)
			}
			if test.answer == Unknown {
				return
			}
			before = asked.Load()
			c.Online = false
			again, err := c.Proofs(t.Context(), Package{NPM, test.name}, test.version, nil)
			if err != nil || again.Answer != got.Answer || string(again.Body) != string(got.Body) || !again.AsOf.Equal(got.AsOf) || asked.Load() != before {
				t.Errorf("offline: %+v, %v", again, err)
			}
		})
	}
}

func TestProofsOfNobody(t *testing.T) {
	c := &Client{Dir: t.TempDir(), Online: true}
	for _, p := range []Package{{NPM, "x"}, {PyPI, "x"}, {Cargo, "x"}, {"", ""}} {
		if got, err := c.Proofs(t.Context(), p, "1.0.0", nil); err != nil || got.Answer != Unknown || got.Reason == "" {
			t.Errorf("%v: %+v, %v", p, got, err)
		}
	}
	if got, err := c.RegistryKeys(t.Context(), Package{NPM, "x"}); err != nil || got != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestProofsOfPyPI(t *testing.T) {
	sum := func(hash string) string { return (strings.Repeat("0", 64) + hash)[len(hash):] }
	file := func(name, hash, provenance string) string {
		hash = sum(hash)
		return fmt.Sprintf(`{"filename":%q,"url":"x","hashes":{"sha256":%q}%s}`, name, hash, provenance)
	}
	at := func(address string) string { return fmt.Sprintf(`,"provenance":%q`, address) }
	var files string
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/simple/acme-x/":
			if got := r.Header.Get("Accept"); got != simpleForms {
				t.Errorf("Accept %q", got)
			}
			io.WriteString(w, `{"meta":{"api-version":"1.3"},"name":"acme-x","files":[`+files+`]}`)
		case "/integrity/a", "/integrity/b":
			io.WriteString(w, `{"version":1,"attestation_bundles":[]}`)
		default:
			http.NotFound(w, r)
		}
	})
	wheel, other, source := "acme_x-1.0-py3-none-any.whl", "acme_x-1.0-cp312-cp312-linux_x86_64.whl", "acme_x-1.0.tar.gz"
	for _, test := range []struct {
		name, files, version string
		locked               []string
		answer               Answer
		file, reason         string
	}{
		{name: "wheel for all", files: file(source, "c", at("/integrity/b")) + "," + file(other, "d", at("/integrity/b")) + "," + file(wheel, "AA", at("/integrity/a")), answer: Known, file: wheel},
		{name: "the locked one", files: file(source, "c", at("/integrity/b")) + "," + file(wheel, "e", at("/integrity/a")), locked: []string{"sha256:" + sum("c")}, answer: Known, file: source},
		{name: "only a source", files: file(source, "c", at(url+"/integrity/a")), answer: Known, file: source},
		{name: "version spelled otherwise", version: "1.0.0", files: file(wheel, "e", at("/integrity/a")), answer: Known, file: wheel},
		{name: "none for the file", files: file(wheel, "e", `,"provenance":null`), answer: Absent, file: wheel},
		{name: "an index that does not tell", files: file(wheel, "e", ""), reason: "does not tell"},
		{name: "another version", version: "1.1", files: file(wheel, "e", at("/integrity/a")), reason: "no file"},
		{name: "at another host", files: file(wheel, "e", at("https://evil.example/a")), reason: "another host"},
		{name: "by another scheme", files: file(wheel, "e", at("file:///etc/passwd")), reason: "another host"},
		{name: "with a password", files: file(wheel, "e", at(strings.Replace(url, "://", "://u:p@", 1)+"/integrity/a")), reason: "cannot be read"},
		{name: "an address that is none", files: file(wheel, "e", `,"provenance":{}`), answer: Absent, file: wheel},
		{name: "an attested file rather than another", files: file(wheel, "e", `,"provenance":null`) + "," + file(source, "c", at("/integrity/a")), answer: Known, file: source},
		{name: "the locked file rather than an attested one", files: file(wheel, "e", `,"provenance":null`) + "," + file(source, "c", at("/integrity/a")), locked: []string{"sha256:" + sum("e")}, answer: Absent, file: wheel},
		{name: "gone", files: file(wheel, "e", at("/integrity/gone")), answer: Absent, file: wheel},
		{name: "no version", version: "not a version", files: file(wheel, "e", at("/integrity/a")), reason: "no file"},
		{name: "hostile", files: `{"filename":1}`, reason: "no file"},
		{name: "names that are none", files: file("", "", "") + "," + file("-.whl", "", "") + "," + file("-1.0.tar.gz", "", "") + "," + file(strings.Repeat("-", 9)+".whl", "", ""), reason: "no file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files = test.files
			if test.version == "" {
				test.version = "1.0"
			}
			got, err := proofClient(t, url).Proofs(t.Context(), Package{PyPI, "Acme.X"}, test.version, test.locked)
			if err != nil || got.Answer != test.answer || !strings.Contains(got.Reason, test.reason) || got.File != test.file {
				t.Fatalf("%+v, %v", got, err)
			}
			if got.Answer == Unknown && got.Reason == "" || strings.Contains(got.Reason+got.Source, "u:p") || got.Digest["sha256"] != strings.ToLower(got.Digest["sha256"]) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestRegistryKeys(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/npm/-/npm/v1/keys" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		io.WriteString(w, `{"keys":[]}`)
	}
	secure := httptest.NewTLSServer(http.HandlerFunc(answer))
	defer secure.Close()
	c := proofClient(t, secure.URL)
	c.HTTP = secure.Client()
	if got, err := c.RegistryKeys(t.Context(), Package{NPM, "x"}); err != nil || string(got) != `{"keys":[]}` {
		t.Errorf("%s, %v", got, err)
	}
	plain, asked := server(t, answer)
	if got, err := proofClient(t, plain).RegistryKeys(t.Context(), Package{NPM, "x"}); err != nil || got != nil || asked.Load() != 0 {
		t.Errorf("without TLS: %s, %v", got, err)
	}
}

// TestProofFileTime reads a page of many files in a time that grows with their number.
func TestProofFileTime(t *testing.T) {
	files := make([]pypiFile, 100_000)
	for i := range files {
		files[i].name, files[i].version = fmt.Sprintf("x-%d-py3-none-any.whl", i), fmt.Sprint(i)
	}
	start := time.Now()
	if f := proofFile(files, Package{PyPI, "x"}, "99999", nil); f == nil || f.name != "x-99999-py3-none-any.whl" {
		t.Errorf("%+v", f)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}
