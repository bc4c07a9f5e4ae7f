package pull

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// server is a registry that lies as a test wants.
type server struct {
	*httptest.Server
	reg http.Handler

	mu    sync.Mutex
	asked []*http.Request
	lie   func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
}

func newServer(t *testing.T) *server {
	t.Helper()
	home := t.TempDir() // nobody's credentials
	t.Setenv("HOME", home)
	t.Setenv("DOCKER_CONFIG", filepath.Join(home, ".docker"))
	t.Setenv("XDG_RUNTIME_DIR", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("REGISTRY_AUTH_FILE", "")
	quiet := log.New(io.Discard, "", 0)
	s := &server{reg: registry.New(registry.Logger(quiet))}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r)
		lie := s.lie
		s.mu.Unlock()
		if lie == nil || !lie(w, r) {
			s.reg.ServeHTTP(w, r)
		}
	}))
	s.Config.ErrorLog = quiet
	t.Cleanup(s.Close)
	return s
}

func (s *server) host() string { return strings.TrimPrefix(s.URL, "http://") }

// count returns how many requests had a method and a part of a path.
func (s *server) count(method, part string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.asked {
		if r.Method == method && strings.Contains(r.URL.Path, part) {
			n++
		}
	}
	return n
}

// blobs answers requests for blobs, after the first n were let through.
func blobs(answer func(n int, w http.ResponseWriter, r *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	n := 0
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		mu.Lock()
		n++
		k := n
		mu.Unlock()
		return answer(k, w, r)
	}
}

func quick() *Client { return &Client{Backoff: time.Millisecond, Stall: 5 * time.Second} }

func (s *server) repo(t *testing.T, c *Client) *Repository {
	t.Helper()
	ref, err := c.ParseReference(s.host() + "/team/app:v1")
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Repository(ref)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// content is a blob that does not fit into one read.
func content() []byte { return bytes.Repeat([]byte("0123456789abcdef"), 20_000) }

func put(t *testing.T, r *Repository, b []byte) string {
	t.Helper()
	d := digestOf(b)
	if _, err := r.PutBlob(context.Background(), d, int64(len(b)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }); err != nil {
		t.Fatal(err)
	}
	return d
}

// get gets a blob and returns what is in the file then.
func get(t *testing.T, r *Repository, digest string, size int) ([]byte, error) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "blob"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := r.Blob(ctx, digest, int64(size), f); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return b, nil
}

// hijack sends the head of an answer and some of its body, and hangs up.
func hijack(w http.ResponseWriter, status, length int, header, body string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s", status, length, header, body)
}

func TestBlob(t *testing.T) {
	b := content()
	half := len(b) / 2
	tests := map[string]struct {
		lie     func(n int, w http.ResponseWriter, r *http.Request) bool
		want    string // in the error; "" for none
		corrupt bool
		asked   int // 0: not counted
	}{
		"as it is": {lie: func(int, http.ResponseWriter, *http.Request) bool { return false }, asked: 1},
		"another digest": {lie: func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			other := bytes.Clone(b)
			other[half] ^= 1
			w.Write(other)
			return true
		}, want: "the digest of what came is sha256:", corrupt: true, asked: 1},
		"truncated": {lie: func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", fmt.Sprint(half))
			w.Write(b[:half])
			return true
		}, want: "160000 of 320000 bytes came", corrupt: true, asked: 1},
		"longer": {lie: func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.Write(append(bytes.Clone(b), 'x'))
			return true
		}, want: "more than 320000 bytes", corrupt: true, asked: 1},
		"endless": {lie: func(_ int, w http.ResponseWriter, r *http.Request) bool {
			for r.Context().Err() == nil {
				if _, err := w.Write(b); err != nil {
					break
				}
			}
			return true
		}, want: "more than 320000 bytes", corrupt: true, asked: 1},
		"cut once, goes on": {lie: func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				hijack(w, 200, len(b), "", string(b[:half]))
				return true
			}
			if got := r.Header.Get("Range"); got == "" || got == "bytes=0-319999" {
				t.Errorf("Range %q: it did not go on where it stopped", got)
			}
			return false
		}, asked: 2},
		"cut once, and the server starts again": {lie: func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				hijack(w, 200, len(b), "", string(b[:half]))
			} else {
				w.Write(b)
			}
			return true
		}, asked: 2},
		"cut, and then another blob goes on": {lie: func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				hijack(w, 200, len(b), "", string(b[:half]))
				return true
			}
			var from int
			fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(b)-1, len(b)))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(bytes.Repeat([]byte("z"), len(b)-from))
			return true
		}, want: "the digest of what came", corrupt: true},
		"cut for ever": {lie: func(n int, w http.ResponseWriter, _ *http.Request) bool {
			hijack(w, 200, len(b), "", "")
			return true
		}, want: "4 attempts"},
		"500 twice": {lie: func(n int, w http.ResponseWriter, _ *http.Request) bool {
			if n <= 2 {
				http.Error(w, "oops", 500)
			}
			return n <= 2
		}, asked: 3},
		"500 for ever": {lie: func(n int, w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, `{"errors":[{"code":"UNKNOWN","message":"disk on fire"}]}`, 500)
			return true
		}, want: "500 Internal Server Error (UNKNOWN: disk on fire)", asked: 4},
		"429, then well": {lie: func(n int, w http.ResponseWriter, _ *http.Request) bool {
			if n == 1 {
				w.Header().Set("Retry-After", "1")
				http.Error(w, "slow down", http.StatusTooManyRequests)
			}
			return n == 1
		}, asked: 2},
		"429 for an hour": {lie: func(n int, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "3600")
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return true
		}, want: "the server asks to wait 1h0m0s", asked: 1},
		"404": {lie: func(n int, w http.ResponseWriter, r *http.Request) bool {
			http.NotFound(w, r)
			return true
		}, want: "404 Not Found", asked: 1},
		"redirects for ever": {lie: func(n int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
			return true
		}, want: "too many redirects"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			r := s.repo(t, quick())
			d := put(t, r, b)
			s.lie = blobs(test.lie)
			got, err := get(t, r, d, len(b))
			if test.want == "" && (err != nil || !bytes.Equal(got, b)) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, ErrCorrupt) != test.corrupt) {
				t.Errorf("%v (corrupt: %v), want %q (corrupt: %v)", err, errors.Is(err, ErrCorrupt), test.want, test.corrupt)
			}
			if n := s.count(http.MethodGet, "/blobs/"); test.asked != 0 && n != test.asked {
				t.Errorf("asked %d times, want %d", n, test.asked)
			}
		})
	}
}

// TestBlobGoesOn: what an earlier process left of a blob is not fetched again if
// it is of the blob, whatever else it is.
func TestBlobGoesOn(t *testing.T) {
	b := content()
	half := len(b) / 2
	wrong := bytes.Clone(b[:half])
	wrong[7] ^= 1
	for name, test := range map[string]struct {
		left  []byte
		lie   func(n int, w http.ResponseWriter, r *http.Request) bool
		first string // Range of the first request
		asked int
	}{
		"half":          {b[:half], nil, fmt.Sprintf("bytes=%d-%d", half, len(b)-1), 1},
		"all but one":   {b[:len(b)-1], nil, fmt.Sprintf("bytes=%d-%d", len(b)-1, len(b)-1), 1},
		"all":           {b, nil, "", 0},
		"nothing":       {nil, nil, "", 1},
		"other bytes":   {wrong, nil, fmt.Sprintf("bytes=%d-%d", half, len(b)-1), 2},
		"all, wrong":    {append(bytes.Clone(wrong), b[half:]...), nil, "", 1},
		"more than all": {append(bytes.Clone(b), 'x'), nil, "", 1},
		"no ranges": {b[:half], func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.Write(b)
			return true
		}, fmt.Sprintf("bytes=%d-%d", half, len(b)-1), 1},
		"range refused": {b[:half], func(_ int, w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") == "" {
				return false
			}
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return true
		}, fmt.Sprintf("bytes=%d-%d", half, len(b)-1), 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			r := s.repo(t, quick())
			d := put(t, r, b)
			var ranges []string
			s.lie = blobs(func(n int, w http.ResponseWriter, r *http.Request) bool {
				ranges = append(ranges, r.Header.Get("Range"))
				return test.lie != nil && test.lie(n, w, r)
			})
			path := filepath.Join(t.TempDir(), "blob")
			if err := os.WriteFile(path, test.left, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := r.Blob(context.Background(), d, int64(len(b)), f); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, b) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if len(ranges) != test.asked || test.asked > 0 && ranges[0] != test.first {
				t.Errorf("asked for %q", ranges)
			}
		})
	}
	// What never comes right is an error all the same.
	s := newServer(t)
	r := s.repo(t, quick())
	d := put(t, r, b)
	s.lie = blobs(func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.Write(append(bytes.Clone(wrong), b[half:]...))
		return true
	})
	f, err := os.Create(filepath.Join(t.TempDir(), "blob"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Write(b[:10])
	if err := r.Blob(context.Background(), d, int64(len(b)), f); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
	if n := s.count(http.MethodGet, "/blobs/"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestStall gives up on a server that lets a byte drip, and on one that says nothing.
func TestStall(t *testing.T) {
	for name, drip := range map[string]bool{"drip": true, "silence": false} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			c := &Client{Backoff: time.Millisecond, Stall: 150 * time.Millisecond, Attempts: 2}
			r := s.repo(t, c)
			d := put(t, r, content())
			s.lie = blobs(func(_ int, w http.ResponseWriter, r *http.Request) bool {
				for r.Context().Err() == nil {
					if drip {
						w.Write([]byte("x"))
						w.(http.Flusher).Flush()
					}
					select {
					case <-r.Context().Done():
					case <-time.After(20 * time.Millisecond):
					}
				}
				return true
			})
			if _, err := get(t, r, d, len(content())); !errors.Is(err, errStalled) {
				t.Error(err)
			}
		})
	}
}

// TestNotices: what is tried again is told, and a server that says nothing is not
// tried for ever.
func TestNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		asked := 0
		c := &Client{Attempts: 100, Notice: func(s string) { told = append(told, s) }, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			asked++
			time.Sleep(20 * time.Second)
			return nil, errStalled
		})}
		start := time.Now()
		f, err := os.Create(filepath.Join(t.TempDir(), "f"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, err = c.File(t.Context(), "https://user:secret@mirror.invalid/f?token=secret", 10, f, Validators{})
		if took := time.Since(start); !errors.Is(err, errStalled) || asked != 2 || took > time.Minute {
			t.Errorf("asked %d times in %v: %v", asked, took, err)
		}
		if len(told) != 1 || told[0] != "mirror.invalid: the connection stalled: next to nothing came; attempt 2 of 100 follows" {
			t.Errorf("%q", told)
		}
	})
}

// TestSlowIsNotStalled gets a blob that takes far longer than the limit on
// stalls, because something comes all the time.
func TestSlowIsNotStalled(t *testing.T) {
	s := newServer(t)
	r := s.repo(t, &Client{Backoff: time.Millisecond, Stall: 200 * time.Millisecond, Attempts: 1})
	b := content()
	d := put(t, r, b)
	s.lie = blobs(func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		for rest := b; len(rest) > 0; {
			n := min(len(rest), 16<<10)
			w.Write(rest[:n])
			w.(http.Flusher).Flush()
			rest = rest[n:]
			time.Sleep(40 * time.Millisecond)
		}
		return true
	})
	if got, err := get(t, r, d, len(b)); err != nil || !bytes.Equal(got, b) {
		t.Error(len(got), err)
	}
}

func TestManifest(t *testing.T) {
	s := newServer(t)
	r := s.repo(t, quick())
	body := []byte(`{"schemaVersion":2,"mediaType":"` + mediaManifest + `","config":{"mediaType":"x","digest":"` + put(t, r, []byte("{}")) + `","size":2},"layers":[]}`)
	for _, id := range []string{digestOf(body), "v1"} {
		if err := r.PutManifest(context.Background(), id, mediaManifest, body); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"v1", digestOf(body)} {
		got, kind, err := r.Manifest(context.Background(), id)
		if err != nil || !bytes.Equal(got, body) || kind != mediaManifest {
			t.Errorf("%s: %s %s %v", id, got, kind, err)
		}
	}
	if _, _, err := r.Manifest(context.Background(), "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	s.lie = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.Write([]byte("{}"))
		}
		return strings.Contains(r.URL.Path, "/manifests/")
	}
	if _, _, err := r.Manifest(context.Background(), digestOf(body)); !errors.Is(err, ErrCorrupt) {
		t.Error("another manifest for a digest:", err)
	}
	s.lie = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.Write(make([]byte, maxManifest+10))
		}
		return strings.Contains(r.URL.Path, "/manifests/")
	}
	if _, _, err := r.Manifest(context.Background(), "v1"); !errors.Is(err, ErrCorrupt) {
		t.Error("a huge manifest:", err)
	}
}

func TestPutBlob(t *testing.T) {
	s := newServer(t)
	r := s.repo(t, quick())
	b := content()
	failed := 0
	s.lie = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && failed == 0 {
			failed++
			io.Copy(io.Discard, r.Body)
			http.Error(w, "oops", http.StatusBadGateway)
			return true
		}
		return false
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	if fresh, err := r.PutBlob(context.Background(), digestOf(b), int64(len(b)), open); err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	uploads := s.count(http.MethodPut, "/blobs/")
	if fresh, err := r.PutBlob(context.Background(), digestOf(b), int64(len(b)), open); err != nil || fresh || s.count(http.MethodPut, "/blobs/") != uploads {
		t.Error("uploaded again:", fresh, err)
	}
	if got, err := get(t, r, digestOf(b), len(b)); err != nil || !bytes.Equal(got, b) {
		t.Error(err)
	}
	// Not what it says it is: the registry refuses, and so do we without asking again and again.
	if _, err := r.PutBlob(context.Background(), digestOf([]byte("other")), int64(len(b)), open); err == nil {
		t.Error("the registry took a blob with another digest")
	}
}

// login writes the docker configuration of somebody who is logged in.
func login(t *testing.T, host, user, password string) {
	t.Helper()
	dir := os.Getenv("DOCKER_CONFIG")
	auth := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "config.json"), fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, host, auth), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// guarded makes a server ask for credentials: basic ones, or a token of its
// own token service, which wants basic ones.
func (s *server) guarded(bearer bool) {
	s.lie = func(w http.ResponseWriter, r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		known := user == "robot" && password == "secret"
		switch {
		case bearer && r.URL.Path == "/token":
			if !known {
				http.Error(w, "no", http.StatusUnauthorized)
			} else {
				fmt.Fprintf(w, `{"token":"t-%s"}`, r.URL.Query().Get("scope"))
			}
			return true
		case bearer && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer t-repository:team/app:"), !bearer && known:
			return false
		case bearer:
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="test"`, s.URL))
		default:
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		}
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}`, http.StatusUnauthorized)
		return true
	}
}

func TestCredentials(t *testing.T) {
	for name, bearer := range map[string]bool{"basic": false, "token": true} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			b := content()
			d := put(t, s.repo(t, quick()), b)
			s.guarded(bearer)
			if _, err := get(t, s.repo(t, quick()), d, len(b)); !Denied(err) {
				t.Error("without credentials:", err)
			}
			login(t, s.host(), "robot", "wrong")
			if _, err := get(t, s.repo(t, quick()), d, len(b)); !Denied(err) || strings.Contains(err.Error(), "wrong") {
				t.Error("with wrong ones:", err)
			}
			login(t, s.host(), "robot", "secret")
			if got, err := get(t, s.repo(t, quick()), d, len(b)); err != nil || !bytes.Equal(got, b) {
				t.Error("with the right ones:", err)
			}
			login(t, "elsewhere.example", "robot", "secret")
			if _, err := get(t, s.repo(t, quick()), d, len(b)); !Denied(err) {
				t.Error("with those of another host:", err)
			}
		})
	}
}

// TestCredentialHelper runs the helper that the docker configuration names.
func TestCredentialHelper(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the helper is a shell script")
	}
	s := newServer(t)
	b := content()
	d := put(t, s.repo(t, quick()), b)
	s.guarded(false)
	bin := t.TempDir()
	script := "#!/bin/sh\nread host\n[ \"$1 $host\" = 'get " + s.host() + "' ] && echo '{\"Username\":\"robot\",\"Secret\":\"secret\"}'\n"
	if err := os.WriteFile(filepath.Join(bin, "docker-credential-fnaudit-test"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	dir := os.Getenv("DOCKER_CONFIG")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "config.json"), fmt.Appendf(nil, `{"credHelpers":{%q:"fnaudit-test"}}`, s.host()), 0o600)); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, s.repo(t, quick()), d, len(b)); err != nil || !bytes.Equal(got, b) {
		t.Error(err)
	}
}

// TestRedirectKeepsCredentials sends a blob's request to another host, which
// must not see who we are.
func TestRedirectKeepsCredentials(t *testing.T) {
	s := newServer(t)
	b := content()
	d := put(t, s.repo(t, quick()), b)
	var seen []string
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization")+r.Header.Get("Cookie"))
		w.Write(b)
	}))
	defer store.Close()
	s.guarded(false)
	ask := s.lie
	s.lie = func(w http.ResponseWriter, r *http.Request) bool {
		if ask(w, r) {
			return true
		}
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, store.URL+"/x?sig=secret", http.StatusTemporaryRedirect)
			return true
		}
		return false
	}
	login(t, s.host(), "robot", "secret")
	if got, err := get(t, s.repo(t, quick()), d, len(b)); err != nil || !bytes.Equal(got, b) {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0] != "" {
		t.Errorf("the other host was told %q", seen)
	}
	store.Close()
	if _, err := get(t, s.repo(t, &Client{Backoff: time.Millisecond, Attempts: 1}), d, len(b)); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error("the error tells what gives access:", err)
	}
}

func TestMirror(t *testing.T) {
	a, m := newServer(t), newServer(t)
	b := content()
	d := put(t, a.repo(t, quick()), b)
	c := quick()
	var err error
	if c.Mirrors, err = ParseMirrors("x.example=y.example, " + a.host() + "=" + m.host()); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, a.repo(t, c), d, len(b)); err != nil || !bytes.Equal(got, b) {
		t.Error("the mirror has it not:", err)
	}
	if m.count(http.MethodGet, "/blobs/") == 0 {
		t.Error("the mirror was not asked")
	}
	put(t, m.repo(t, quick()), b)
	before := a.count(http.MethodGet, "/blobs/")
	if got, err := get(t, a.repo(t, c), d, len(b)); err != nil || !bytes.Equal(got, b) || a.count(http.MethodGet, "/blobs/") != before {
		t.Error("the mirror has it:", err)
	}
	for _, bad := range []string{"x", "x=", "=y", "a/b=y", "x=https://y"} {
		if _, err := ParseMirrors(bad); err == nil {
			t.Errorf("%q is a list of mirrors", bad)
		}
	}
}

func TestRedirectRule(t *testing.T) {
	tests := []struct {
		from, to string
		ok       bool
	}{
		{"https://r.example/v2/", "https://store.example/x", true},
		{"https://r.example/v2/", "http://store.example/x", false},
		{"https://r.example/v2/", "https://169.254.169.254/latest", false},
		{"https://r.example/v2/", "https://10.0.0.1/x", false},
		{"https://r.example/v2/", "https://localhost/x", false},
		{"https://r.example/v2/", "https://[::1]/x", false},
		{"https://r.example/v2/", "https://[::ffff:10.0.0.1]/x", false},
		{"https://10.0.0.1/v2/", "https://10.0.0.2/x", true},
		{"http://127.0.0.1:5000/v2/", "http://127.0.0.1:9000/x", true},
	}
	for _, test := range tests {
		from, _ := http.NewRequest(http.MethodGet, test.from, nil)
		to, _ := http.NewRequest(http.MethodGet, test.to, nil)
		if err := redirect(to, []*http.Request{from}); (err == nil) != test.ok {
			t.Errorf("%s -> %s: %v", test.from, test.to, err)
		}
	}
}

// TestPlainHTTP demands that nothing goes over plain HTTP to another machine
// unless that was asked for.
func TestPlainHTTP(t *testing.T) {
	for host, ok := range map[string]bool{
		"127.0.0.1:5000": true, "localhost:5000": true, "[::1]:5000": true,
		"10.0.0.1": false, "192.168.1.1:5000": false, "registry.local": false, "registry.example": false, "localhost.example": false,
	} {
		asked := false
		c := &Client{Attempts: 1, Transport: roundTrip(func(*http.Request) (*http.Response, error) { asked = true; return nil, errors.New("end") })}
		for _, insecure := range []bool{false, true} {
			asked, c.InsecureHTTP = false, insecure
			req, _ := http.NewRequest(http.MethodGet, "http://"+host+"/v2/", nil)
			_, err := c.transport().RoundTrip(req)
			if want := ok || insecure; asked != want || err == nil {
				t.Errorf("%s, insecure %v: asked %v, %v", host, insecure, asked, err)
			}
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestFile(t *testing.T) {
	b := content()
	n := 0
	changed := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 1 {
			hijack(w, 200, len(b), "ETag: \"one\"\r\n", string(b[:1000]))
			return
		}
		now := b
		etag := `"one"`
		if changed {
			now, etag = bytes.Repeat([]byte("new "), 1000), `"two"`
		}
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(now))
	}))
	defer s.Close()
	for _, changed = range []bool{false, true} {
		n = 0
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := quick().File(context.Background(), s.URL+"/db.tar", 1<<20, f, Validators{}); err != nil {
			t.Fatal(err)
		}
		got, _ := os.ReadFile(f.Name())
		if want := b; !changed && !bytes.Equal(got, want) || changed && !bytes.Equal(got, bytes.Repeat([]byte("new "), 1000)) {
			t.Errorf("changed %v: %d bytes", changed, len(got))
		}
		if _, err := quick().File(context.Background(), s.URL+"/db.tar", 100, f, Validators{}); !errors.Is(err, ErrCorrupt) {
			t.Error("over the limit:", err)
		}
	}
}

// TestFileUnchanged asks again for what is there, with either validator.
func TestFileUnchanged(t *testing.T) {
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for name, etag := range map[string]string{"strong": `"one"`, "weak": `W/"one"`, "only a date": ""} {
		t.Run(name, func(t *testing.T) {
			now, asked, lie := at, 0, false
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				if lie {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				if etag != "" {
					w.Header().Set("ETag", etag)
				}
				http.ServeContent(w, r, "", now, bytes.NewReader(content()))
			}))
			defer s.Close()
			f, err := os.Create(filepath.Join(t.TempDir(), "file"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			get := func(have Validators) (Validators, error) {
				return quick().File(context.Background(), s.URL+"/db.tar", 1<<20, f, have)
			}
			have, err := get(Validators{})
			if err != nil || have.ETag != etag || have.LastModified == "" {
				t.Fatal(have, err)
			}
			if _, err := get(have); !errors.Is(err, ErrUnchanged) || asked != 2 {
				t.Errorf("%v, asked %d times", err, asked)
			}
			now = at.Add(time.Hour)
			if etag != "" {
				etag = `"two"`
			}
			if again, err := get(have); err != nil || again == have {
				t.Error("the file that came in its place:", again, err)
			}
			lie = true // "unchanged" to somebody who has nothing
			if _, err := get(Validators{}); err == nil || errors.Is(err, ErrUnchanged) {
				t.Error(err)
			}
		})
	}
}

func TestParseReference(t *testing.T) {
	pin := "sha256:" + strings.Repeat("a", 64)
	for in, want := range map[string]string{
		"app":                               "index.docker.io/library/app latest ",
		"registry.example/team/app":         "registry.example/team/app latest ",
		"registry.example:5000/app:v1":      "registry.example:5000/app v1 ",
		"registry.example/app@" + pin:       "registry.example/app  " + pin,
		"registry.example/app:v1@" + pin:    "registry.example/app v1 " + pin,
		"registry.example/app@sha256:abc":   "",
		"registry.example/app@md5:" + "abc": "",
		"registry.example/App":              "",
		"":                                  "",
		"registry.example/../x":             "",
		"registry.example/app:v1:v2":        "",
	} {
		ref, err := (&Client{}).ParseReference(in)
		got := ""
		if err == nil {
			got = ref.Repository() + " " + ref.Tag() + " " + ref.Digest()
		}
		if got != want {
			t.Errorf("%q: %q (%v), want %q", in, got, err, want)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	for _, seed := range []string{"app", "registry.example:5000/team/app:v1@sha256:" + strings.Repeat("a", 64), "a/../b", "[::1]:5000/x", "x@sha256:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := (&Client{}).ParseReference(s)
		if err != nil {
			return
		}
		if ref.Identifier() == "" || ref.Digest() != "" && !isDigest(ref.Digest()) {
			t.Fatalf("%q: neither a tag nor a digest", s)
		}
		repo, err := (&Client{}).Repository(ref)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		req, err := repo.origin().request(context.Background(), http.MethodGet, "manifests", ref.Identifier())
		if err != nil {
			return
		}
		if want := "/v2/" + ref.repo.RepositoryStr() + "/manifests/" + ref.Identifier(); req.URL.Path != want || req.URL.RawQuery != "" || req.URL.User != nil {
			t.Fatalf("%q leads to %s", s, req.URL)
		}
		if strings.Contains(req.URL.Path, "/../") || strings.Contains(req.URL.Path, "/./") {
			t.Fatalf("%q climbs: %s", s, req.URL)
		}
	})
}

func FuzzParseMirrors(f *testing.F) {
	f.Add("docker.io=mirror.example/hub,ghcr.io=mirror.example")
	f.Fuzz(func(t *testing.T, s string) {
		mirrors, err := ParseMirrors(s)
		if err != nil {
			return
		}
		ref, err := (&Client{}).ParseReference("docker.io/team/app:v1")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = (&Client{Mirrors: mirrors}).Repository(ref)
	})
}
