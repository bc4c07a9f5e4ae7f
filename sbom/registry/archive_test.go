package registry

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// archiveServer publishes one package in the forms of three registries.
type archiveServer struct {
	bytes []byte // of the archive, as it is sent
	dist  string // of npm; BASE is the server, SUM the digest of the right bytes
	asked []string
}

const archiveText = "the bytes of an archive"

func (s *archiveServer) answer(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.URL.Path)
	sum := sha512.Sum512([]byte(archiveText))
	base := "http://" + r.Host
	switch r.URL.Path {
	case "/lamp":
		dist := strings.NewReplacer("BASE", base, "SUM", "sha512-"+base64.StdEncoding.EncodeToString(sum[:])).Replace(s.dist)
		fmt.Fprintf(w, `{"name":"lamp","versions":{"1.0.0":{"dist":{%s}}}}`, dist)
	case "/lamp/-/lamp-1.0.0.tgz", "/files/lamp-1.0.tar.gz", "/acme.test/!lamp/@v/v1.0.0.zip":
		w.Write(s.bytes)
	case "/simple/lamp/":
		s256 := sha256.Sum256([]byte(archiveText))
		fmt.Fprintf(w, `{"name":"lamp","versions":["1.0"],"files":[{"filename":"lamp-1.0.tar.gz","url":"../../files/lamp-1.0.tar.gz#x","hashes":{"sha256":"%x"}},
			{"filename":"lamp-1.0-py3-none-any.whl","url":"https://files.acme.test/a.whl","hashes":{}},{"filename":"lamp-2.0.tar.gz","url":"x","hashes":{}}]}`, s256)
	case "/acme.test/!lamp/@v/list":
		fmt.Fprint(w, "v1.0.0\n")
	case "/acme.test/!lamp/@v/v1.0.0.info":
		fmt.Fprint(w, `{"Version":"v1.0.0","Time":"2024-01-01T00:00:00Z"}`)
	default:
		http.NotFound(w, r)
	}
}

const npmLies = `"tarball":"BASE/lamp/-/lamp-1.0.0.tgz","integrity":"SUM"`

// archiveClient returns a client that has the server for all three registries.
func archiveClient(t *testing.T, s *archiveServer) *Client {
	t.Helper()
	now := getDay
	c, _ := getClient(t, &now)
	url, _ := server(t, s.answer)
	c.Config = ReadConfig(configured(nil, m{"NPM_CONFIG_REGISTRY": url, "PIP_INDEX_URL": url + "/simple", "GOPROXY": url}))
	return c
}

func TestArchive(t *testing.T) {
	for _, one := range []struct {
		p             Package
		version, file string
	}{{Package{NPM, "lamp"}, "1.0.0", ""}, {Package{PyPI, "Lamp"}, "1.0", "lamp-1.0.tar.gz"}, {Package{Go, "acme.test/Lamp"}, "v1.0.0", ""}} {
		for _, dir := range []bool{true, false} {
			s := &archiveServer{bytes: []byte(archiveText), dist: npmLies}
			c := archiveClient(t, s)
			if !dir {
				c.Dir = ""
			}
			for round := range 2 {
				if round == 1 && dir { // the second time from the cache, without the network
					c.Online = false
				}
				a, err := c.Archive(t.Context(), one.p, one.version, one.file)
				if err != nil {
					t.Fatalf("%s, cache %v, round %d: %v", one.p, dir, round, err)
				}
				got, err := io.ReadAll(io.NewSectionReader(a.Bytes, 0, a.Size))
				s256, s512 := sha256.Sum256([]byte(archiveText)), sha512.Sum512([]byte(archiveText))
				if err != nil || string(got) != archiveText || a.SHA256 != hex.EncodeToString(s256[:]) || a.SHA512 != hex.EncodeToString(s512[:]) {
					t.Errorf("%s: %q %+v, %v", one.p, got, a, err)
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(c.Dir, "temp", "*")); dir && len(left) > 0 {
				t.Errorf("%s: left %q", one.p, left)
			}
		}
	}
}

func TestArchiveIsNotWhatIsSaid(t *testing.T) {
	right := sha1.Sum([]byte(archiveText))
	for name, c := range map[string]struct {
		bytes, dist, says string
	}{
		"changed bytes":      {"other bytes of an archive", npmLies, "was changed on the way"},
		"no bytes":           {"", npmLies, "was changed on the way"},
		"wrong weak digest":  {archiveText, npmLies + `,"shasum":"a9993e364706816aba3e25717850c26c9cd0d89d"`, "sha1 digest"},
		"weak digest only":   {archiveText, `"tarball":"BASE/lamp/-/lamp-1.0.0.tgz","shasum":"` + hex.EncodeToString(right[:]) + `"`, ""},
		"no digest":          {archiveText, `"tarball":"BASE/lamp/-/lamp-1.0.0.tgz"`, "no digest"},
		"no address":         {archiveText, `"integrity":"SUM"`, "no address"},
		"not there":          {archiveText, `"tarball":"BASE/elsewhere.tgz","integrity":"SUM"`, "not where the registry says"},
		"a file":             {archiveText, `"tarball":"file:///etc/passwd","integrity":"SUM"`, "sends elsewhere"},
		"with a login":       {archiveText, `"tarball":"http://a:b@127.0.0.1/x","integrity":"SUM"`, "sends elsewhere"},
		"not even a address": {archiveText, `"tarball":"http://[::1","integrity":"SUM"`, "no address"},
	} {
		t.Run(name, func(t *testing.T) {
			client := archiveClient(t, &archiveServer{bytes: []byte(c.bytes), dist: c.dist})
			a, err := client.Archive(t.Context(), Package{NPM, "lamp"}, "1.0.0", "")
			if c.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				a.Close()
				return
			}
			if err == nil || a != nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%+v, %v", a, err)
			}
			if left, _ := filepath.Glob(filepath.Join(client.Dir, "*", "*.tmp")); len(left) > 0 {
				t.Errorf("left %q", left)
			}
			if kept, _ := filepath.Glob(filepath.Join(client.Dir, "archives", "*", "*")); len(kept) > 0 {
				t.Errorf("kept %q", kept)
			}
		})
	}
}

func TestArchivePointedAt(t *testing.T) {
	sums := map[string]string{"sha1": "x"}
	for _, c := range []struct {
		source, address string
		ok              bool
	}{
		{"https://npm.test/", "https://npm.test/a.tgz", true},
		{"https://npm.test/", "https://files.other.test/a.tgz", true},
		{"https://npm.test/r/", "/a.tgz", true},
		{"https://npm.test/", "http://npm.test/a.tgz", false},
		{"http://npm.test/", "http://npm.test/a.tgz", true},
		{"https://npm.test/", "https://127.0.0.1/a.tgz", false},
		{"https://npm.test/", "https://[::1]/a.tgz", false},
		{"https://npm.test/", "https://169.254.169.254/latest", false},
		{"https://npm.test/", "https://10.0.0.1/a.tgz", false},
		{"https://npm.test/", "https://localhost/a.tgz", false},
		{"https://10.0.0.1/", "https://10.0.0.2/a.tgz", true},
		{"https://npm.test/", "https://u:p@npm.test/a.tgz", false},
		{"https://npm.test/", "ftp://npm.test/a.tgz", false},
		{"https://npm.test/", "data:,x", false},
	} {
		at, err := pointedAt(c.source, c.address, sums, Package{NPM, "a"}, "1.0.0")
		if (err == nil) != c.ok {
			t.Errorf("%s -> %s: %+v, %v", c.source, c.address, at, err)
		}
	}
}

// A folder that cannot be written costs the next run a question, and this one nothing.
func TestArchiveUnkept(t *testing.T) {
	s := &archiveServer{bytes: []byte(archiveText)}
	c := archiveClient(t, s)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Dir = filepath.Join(file, "facts")
	a, err := c.Archive(t.Context(), Package{Go, "acme.test/Lamp"}, "v1.0.0", "")
	if err != nil || a.Size != int64(len(archiveText)) {
		t.Fatalf("%+v, %v", a, err)
	}
	a.Close()
}

func TestArchiveNotAsked(t *testing.T) {
	s := &archiveServer{bytes: []byte(archiveText), dist: npmLies}
	c := archiveClient(t, s)
	c.Online = false
	for _, p := range []Package{{NPM, "lamp"}, {PyPI, "lamp"}, {Go, "acme.test/Lamp"}} {
		if _, err := c.Archive(t.Context(), p, "1.0.0", ""); !errors.Is(err, ErrOffline) {
			t.Errorf("%s: %v", p, err)
		}
	}
	c.Online = true
	c.Private = func(p Package) bool { return p.Name == "lamp" }
	if _, err := c.Archive(t.Context(), Package{NPM, "lamp"}, "1.0.0", ""); err == nil || len(s.asked) > 0 {
		t.Errorf("%v, asked %q", err, s.asked)
	}
	c.Private = nil
	if _, err := (&Client{Online: true}).Archive(t.Context(), Package{NPM, "lamp"}, "1.0.0", ""); err == nil || !strings.Contains(err.Error(), "no registry is configured") {
		t.Error(err)
	}
	for version, says := range map[string]string{"9.9.9": "has no npm:lamp at version 9.9.9"} {
		if _, err := c.Archive(t.Context(), Package{NPM, "lamp"}, version, ""); err == nil || !strings.Contains(err.Error(), says) {
			t.Error(err)
		}
	}
	for file, says := range map[string]string{"": "2 files", "lamp-9.tar.gz": "no configured index", "lamp-1.0-py3-none-any.whl": "no digest"} {
		if _, err := c.Archive(t.Context(), Package{PyPI, "lamp"}, "1.0", file); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

// TestArchiveDamaged holds that a damaged file of the cache counts as absent.
func TestArchiveDamaged(t *testing.T) {
	s := &archiveServer{bytes: []byte(archiveText), dist: npmLies}
	c := archiveClient(t, s)
	get := func() error {
		a, err := c.Archive(t.Context(), Package{NPM, "lamp"}, "1.0.0", "")
		if err == nil {
			a.Close()
		}
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	kept, _ := filepath.Glob(filepath.Join(c.Dir, "archives", "*", "*"))
	if len(kept) != 1 {
		t.Fatalf("kept %q", kept)
	}
	if err := os.WriteFile(kept[0], []byte(strings.ToUpper(archiveText)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Online = false
	if err := get(); !errors.Is(err, ErrOffline) {
		t.Errorf("offline: %v", err)
	}
	c.Online = true
	if err := get(); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(kept[0]); !bytes.Equal(b, []byte(archiveText)) {
		t.Errorf("kept %q", b)
	}
}

// TestArchiveCutShort holds that what comes in part is asked for again from its
// beginning, and that what never comes whole is nothing.
func TestArchiveCutShort(t *testing.T) {
	for _, c := range []struct {
		fails int
		ok    bool
	}{{1, true}, {9, false}} {
		s := &archiveServer{bytes: []byte(archiveText), dist: npmLies}
		failed := 0
		now := getDay
		client, _ := getClient(t, &now)
		url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".tgz") && failed < c.fails {
				failed++
				w.Header().Set("Content-Length", fmt.Sprint(len(archiveText)))
				io.WriteString(w, archiveText[:10])
				return
			}
			s.answer(w, r)
		})
		client.Config = ReadConfig(configured(nil, m{"NPM_CONFIG_REGISTRY": url}))
		a, err := client.Archive(t.Context(), Package{NPM, "lamp"}, "1.0.0", "")
		if (err == nil) != c.ok || (a != nil) != c.ok {
			t.Errorf("%d failures: %+v, %v", c.fails, a, err)
		}
		a.Close()
		if left, _ := filepath.Glob(filepath.Join(client.Dir, "temp", "*")); len(left) > 0 {
			t.Errorf("left %q", left)
		}
	}
}
