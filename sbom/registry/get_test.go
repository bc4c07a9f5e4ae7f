package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	urlpkg "net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// getDay is the clock of the tests: the cache is dated by it.
var getDay = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// calm is the pace of the tests; hurry that of those which wait in vain.
var (
	calm  = pace{backoff: time.Millisecond, attempts: 3}
	hurry = pace{backoff: time.Millisecond, attempts: 3, header: 300 * time.Millisecond, stall: 200 * time.Millisecond}
)

// getClient returns a client whose clock is *now and whose notices are collected.
func getClient(t *testing.T, now *time.Time) (*Client, func() string) {
	t.Helper()
	var mu sync.Mutex
	var notices []string
	c := &Client{Dir: t.TempDir(), Online: true, Now: func() time.Time { return *now }, pace: calm}
	c.Notice = func(text string) { mu.Lock(); notices = append(notices, text); mu.Unlock() }
	return c, func() string { mu.Lock(); defer mu.Unlock(); return strings.Join(notices, "\n") }
}

// server answers with h and counts the questions.
func server(t *testing.T, h http.HandlerFunc) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func TestGetAsksOnceWhileFresh(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("User-Agent"); !strings.HasPrefix(got, "fnaudit ") {
			t.Errorf("User-Agent %q", got)
		}
		if got := r.Header.Get("Accept"); got != "application/json" {
			t.Errorf("Accept %q", got)
		}
		for _, field := range []string{"Authorization", "Cookie", "Referer", "If-None-Match", "If-Modified-Since"} {
			if r.Header.Get(field) != "" {
				t.Errorf("%s was sent", field)
			}
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		io.WriteString(w, `{"a":1}`)
	})
	r := Request{URL: url + "/x", Accept: "application/json"}
	for _, at := range []time.Time{getDay, getDay.Add(11 * time.Hour), getDay.Add(-time.Minute)} {
		now = at
		doc, err := c.Get(t.Context(), r)
		if err != nil || string(doc.Body) != `{"a":1}` || !doc.Fetched.Equal(getDay) || doc.Absent {
			t.Fatalf("at %v: %+v, %v", at, doc, err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	for _, at := range []time.Time{getDay.Add(12 * time.Hour), getDay.Add(-time.Hour)} { // old; from the future
		now = at
		if doc, err := c.Get(t.Context(), r); err != nil || !doc.Fetched.Equal(at) {
			t.Errorf("at %v: %v, %v", at, doc.Fetched, err)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

func TestGetOffline(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "yes") })
	r := Request{URL: url + "/x"}
	off := &Client{Dir: c.Dir, Now: c.Now}
	if _, err := off.Get(t.Context(), r); !errors.Is(err, ErrOffline) {
		t.Fatalf("error %v", err)
	}
	if _, err := c.Get(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	now = getDay.Add(1000 * 24 * time.Hour)
	doc, err := off.Get(t.Context(), r)
	if err != nil || string(doc.Body) != "yes" || !doc.Fetched.Equal(getDay) {
		t.Errorf("%+v, %v", doc, err)
	}
	if _, err := (&Client{}).Get(t.Context(), r); !errors.Is(err, ErrOffline) {
		t.Errorf("zero client: %v", err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestGetConditional(t *testing.T) {
	for _, field := range []string{"ETag", "Last-Modified"} {
		t.Run(field, func(t *testing.T) {
			now := getDay
			c, _ := getClient(t, &now)
			value := map[string]string{"ETag": `W/"abc"`, "Last-Modified": "Sun, 01 Feb 2026 00:00:00 GMT"}[field]
			condition := map[string]string{"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[field]
			body := "one"
			url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
				if body == "one" && r.Header.Get(condition) == value {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				w.Header().Set(field, value)
				io.WriteString(w, body)
			})
			r := Request{URL: url + "/x"}
			for day := range 3 {
				now = getDay.AddDate(0, 0, day)
				doc, err := c.Get(t.Context(), r)
				if err != nil || string(doc.Body) != "one" || !doc.Fetched.Equal(now) {
					t.Fatalf("day %d: %+v, %v", day, doc, err)
				}
			}
			body, now = "two", now.AddDate(0, 0, 1)
			if doc, err := c.Get(t.Context(), r); err != nil || string(doc.Body) != "two" {
				t.Errorf("%+v, %v", doc, err)
			}
			if n := asked.Load(); n != 4 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func TestGetAbsent(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		now := getDay
		c, _ := getClient(t, &now)
		url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") != "" {
				t.Error("asked whether nothing changed")
			}
			w.Header().Set("ETag", `"none"`)
			w.WriteHeader(status)
			io.WriteString(w, "no such thing")
		})
		for _, age := range []time.Duration{0, 59 * time.Minute, 61 * time.Minute} {
			now = getDay.Add(age)
			doc, err := c.Get(t.Context(), Request{URL: url + "/x", Keep: true})
			if err != nil || !doc.Absent || len(doc.Body) != 0 {
				t.Fatalf("%d: %+v, %v", status, doc, err)
			}
		}
		if n := asked.Load(); n != 2 {
			t.Errorf("%d: asked %d times", status, n)
		}
	}
}

func TestGetKeep(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding %q", got)
		}
		w.Header().Set("Content-Encoding", "gzip") // as some servers say of archives that are gzip themselves
		io.WriteString(w, "\x1f\x8bnot really")
	})
	for _, age := range []time.Duration{0, 10000 * time.Hour} {
		now = getDay.Add(age)
		doc, err := c.Get(t.Context(), Request{URL: url + "/x", Keep: true})
		if err != nil || string(doc.Body) != "\x1f\x8bnot really" || !doc.Fetched.Equal(getDay) {
			t.Fatalf("%+v, %v", doc, err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestGetFailures: what the server does, how often it is asked, and what the
// error says.
func TestGetFailures(t *testing.T) {
	huge := strings.Repeat("a", 2000)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 100 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
	}
	for _, tt := range []struct {
		name  string
		h     http.HandlerFunc
		asked int64
		want  string
	}{
		{"400", status(400), 1, "it answers 400 Bad Request"},
		{"401", status(401), 1, "it wants a name or a token"},
		{"403", status(403), 1, "may not read this"},
		{"429", status(429), 3, "429 Too Many Requests"},
		{"500", status(500), 3, "500 Internal Server Error"},
		{"501", status(501), 1, "501 Not Implemented"},
		{"503", status(503), 3, "503 Service Unavailable"},
		{"204", status(204), 1, "204 No Content"},
		{"304 unasked", status(304), 1, "since an answer that was not named"},
		{"999", status(999), 3, "it answers 999 "},
		{"silent", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 3, "it does not answer"},
		{"stalled", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, 3, "the answer stalls"},
		{"dripping", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, "a")
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}, 3, "the answer stalls"},
		{"cut short", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "a")
		}, 3, "cut short"},
		{"aborted", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, 3, "cut short"},
		{"too long, said", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, huge) }, 1, "more than 1000 bytes"},
		{"too long, unsaid", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			io.WriteString(w, huge)
		}, 1, "more than 1000 bytes"},
		{"gzip bomb", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.(http.Flusher).Flush()
			w.Write(bomb.Bytes())
		}, 1, "more than 1000 bytes"},
		{"bad gzip", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "plain")
		}, 3, "cut short"},
		{"other coding", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			io.WriteString(w, "plain")
		}, 1, `packed as "br"`},
		{"half JSON", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"a":`) }, 3, "not the JSON"},
		{"login page", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") }, 3, "not the JSON"},
		{"not HTTP", func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			io.WriteString(conn, "\x1b[31mSSH-2.0\r\n")
			conn.Close()
		}, 3, "malformed HTTP"},
		{"hangs up", func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		}, 3, "EOF"},
		{"around", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, 6, "redirects more than 5 times"},
		{"nowhere", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(302) }, 1, "redirects to no address"},
		{"to a file", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(302)
		}, 1, "no address of a web server"},
		{"with a password", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://a:b@localhost/")
			w.WriteHeader(302)
		}, 1, "with a name or password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := getDay
			c, _ := getClient(t, &now)
			if tt.name == "silent" || tt.name == "stalled" || tt.name == "dripping" {
				c.pace = hurry
			}
			url, asked := server(t, tt.h)
			doc, err := c.Get(t.Context(), Request{URL: url + "/pkg?token=secret", Limit: 1000, Accept: "application/json"})
			if err == nil {
				t.Fatalf("no error: %+v", doc)
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "ask "+strings.TrimPrefix(url, "http://")+" for /pkg") {
				t.Errorf("error %q", err)
			}
			if strings.Contains(err.Error(), "secret") || strings.ContainsAny(err.Error(), "\x1b\r\n") {
				t.Errorf("error %q", err)
			}
			if n := asked.Load(); n != tt.asked {
				t.Errorf("asked %d times", n)
			}
			if files, _ := filepath.Glob(filepath.Join(c.Dir, "answers", "*", "*")); len(files) != 0 {
				t.Errorf("kept %v", files)
			}
		})
	}
}

func TestGetFallsBackToTheCache(t *testing.T) {
	now := getDay
	c, notices := getClient(t, &now)
	bad := false
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if bad {
			w.WriteHeader(500)
			return
		}
		io.WriteString(w, "yes")
	})
	r := Request{URL: url + "/x"}
	if _, err := c.Get(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	bad, now = true, getDay.AddDate(0, 1, 0)
	doc, err := c.Get(t.Context(), r)
	if err != nil || string(doc.Body) != "yes" || !doc.Fetched.Equal(getDay) {
		t.Fatalf("%+v, %v", doc, err)
	}
	if got := notices(); !strings.Contains(got, "500 Internal Server Error") || !strings.Contains(got, "what was said on 2026-03-01 is used") {
		t.Errorf("notices %q", got)
	}
}

func TestGetPassingTrouble(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header map[string]string
		status int
		least  time.Duration
	}{
		{"503", nil, 503, 0},
		{"429", nil, 429, 0},
		{"429, seconds", map[string]string{"Retry-After": "1"}, 429, time.Second},
		{"503, a date", map[string]string{"Date": "Sun, 01 Mar 2026 00:00:00 GMT", "Retry-After": "Sun, 01 Mar 2026 00:00:01 GMT"}, 503, time.Second},
		{"a date in the past", map[string]string{"Retry-After": "Sun, 01 Mar 2015 00:00:01 GMT"}, 503, 0},
		{"nonsense", map[string]string{"Retry-After": "soon"}, 503, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := getDay
			c, _ := getClient(t, &now)
			var n atomic.Int64
			url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) == 1 {
					for k, v := range tt.header {
						w.Header().Set(k, v)
					}
					w.WriteHeader(tt.status)
					return
				}
				io.WriteString(w, "yes")
			})
			start := time.Now()
			doc, err := c.Get(t.Context(), Request{URL: url})
			if err != nil || string(doc.Body) != "yes" {
				t.Fatalf("%+v, %v", doc, err)
			}
			if took := time.Since(start); took < tt.least {
				t.Errorf("asked again after %v", took)
			}
		})
	}
}

func TestGetGivesUpOnLongPause(t *testing.T) {
	for _, after := range []string{"3600", "18446744073709551615"} {
		now := getDay
		c, notices := getClient(t, &now)
		url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(429)
		})
		for i := range 20 {
			_, err := c.Get(t.Context(), Request{URL: fmt.Sprintf("%s/%d", url, i)})
			if err == nil || !strings.Contains(err.Error(), "asks to wait") {
				t.Fatalf("error %v", err)
			}
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		if got := notices(); strings.Count(got, "is not asked any more in this run") != 1 {
			t.Errorf("notices %q", got)
		}
	}
}

// TestGetDeadNetwork: hundreds of packages on a dead network take no longer
// than a few.
func TestGetDeadNetwork(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	now := getDay
	c, notices := getClient(t, &now)
	var failed atomic.Int64
	dials := &countedTransport{}
	c.HTTP = &http.Client{Transport: dials}
	var wg sync.WaitGroup
	for i := range 400 {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), Request{URL: fmt.Sprintf("%s/%d", dead.URL, i)}); err != nil {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	if failed.Load() != 400 {
		t.Errorf("%d failed", failed.Load())
	}
	if n := dials.n.Load(); n > maxPerHost+maxFailures/unreachable {
		t.Errorf("dialled %d times", n)
	}
	if got := notices(); strings.Count(got, "\n") != 0 || !strings.Contains(got, "refused") {
		t.Errorf("notices %q", got)
	}
}

type countedTransport struct{ n atomic.Int64 }

func (c *countedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return http.DefaultTransport.RoundTrip(r)
}

func TestGetAtMostEightAtATime(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	c.pace = pace{}
	var at, most atomic.Int64
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		n := at.Add(1)
		defer at.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
	})
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), Request{URL: fmt.Sprintf("%s/%d", url, i/2)}); err != nil { // each is asked by two
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if m := most.Load(); m > maxPerHost || m < 2 {
		t.Errorf("%d at a time", m)
	}
	if n := asked.Load(); n != 50 {
		t.Errorf("asked %d times", n)
	}
}

// TestGetBrokenServer: a host that never answers as it should is given up.
func TestGetBrokenServer(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"500":        func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
		"silent":     func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"login page": func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") },
		"401":        func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) },
	} {
		now := getDay
		c, notices := getClient(t, &now)
		c.pace = hurry
		url, asked := server(t, h)
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				if _, err := c.Get(t.Context(), Request{URL: fmt.Sprintf("%s/%d", url, i), Accept: "application/json"}); err == nil {
					t.Errorf("%s: no error", name)
				}
			})
		}
		wg.Wait()
		if n := asked.Load(); n > maxPerHost+maxFailures {
			t.Errorf("%s: asked %d times", name, n)
		}
		if got := notices(); strings.Count(got, "is not asked any more in this run") != 1 {
			t.Errorf("%s: notices %q", name, got)
		}
	}
}

// TestGetRateLimited: a host that wants a pause gets it from all, and is not
// given up for that.
func TestGetRateLimited(t *testing.T) {
	now := getDay
	c, notices := getClient(t, &now)
	var mu sync.Mutex
	var paused time.Time
	n := 0
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n++
		if n == 1 {
			paused = time.Now()
		}
		if time.Since(paused) >= 900*time.Millisecond {
			return
		}
		if n > maxPerHost { // more than can have been on their way when it was first told
			t.Errorf("asked %d times within %v of the wish for a pause", n, time.Since(paused))
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(429)
	})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), Request{URL: fmt.Sprintf("%s/%d", url, i)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := notices(); got != "" {
		t.Errorf("notices %q", got)
	}
}

// TestGetLargeAnswers: what is large is read one after the other, and all of it.
func TestGetLargeAnswers(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	c.Dir = ""
	body := bytes.Repeat([]byte("x"), largeAnswer+100)
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) { w.Write(body) })
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			doc, err := c.Get(t.Context(), Request{URL: fmt.Sprintf("%s/%d", url, i)})
			if err != nil || !bytes.Equal(doc.Body, body) {
				t.Errorf("%d bytes, %v", len(doc.Body), err)
			}
		})
	}
	wg.Wait()
	if len(c.cache.asked) != 0 {
		t.Errorf("%d locks are left", len(c.cache.asked))
	}
}

func TestMayFollow(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{"https://a.example/x", "https://a.example/y", ""},
		{"https://a.example/x", "https://b.example/y", ""},
		{"http://a.example/x", "https://b.example/y", ""},
		{"https://a.example/x", "http://a.example/y", "from https to http"},
		{"https://a.example/x", "https://169.254.169.254/latest", "inside this network"},
		{"https://a.example/x", "https://[fd00::1]/", "inside this network"},
		{"https://a.example/x", "https://[::ffff:10.0.0.1]/", "inside this network"},
		{"https://a.example/x", "https://localhost:8080/", "inside this network"},
		{"https://a.example/x", "https://LOCALHOST./", "inside this network"},
		{"http://a.example/x", "http://metadata.google.internal/", "inside this network"},
		{"https://10.0.0.1/x", "https://10.0.0.2/x", ""},
		{"https://10.0.0.1/x", "https://b.example/x", ""},
		{"https://a.example/x", "https://u:p@b.example/", "name or password"},
		{"https://a.example/x", "data:text/plain,x", "no address"},
		{"https://a.example/x", "https:///x", "no address"},
	} {
		from, err := urlpkg.Parse(tt.from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := urlpkg.Parse(tt.to)
		if err != nil {
			t.Fatal(err)
		}
		err = mayFollow(from, from, to)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s -> %s: %v", tt.from, tt.to, err)
		}
	}
}

func TestGetCancelled(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	c.pace = pace{}
	ctx, cancel := context.WithCancel(t.Context())
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if _, err := c.Get(ctx, Request{URL: url}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Get(ctx, Request{URL: url}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestGetRedirects(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
			return
		}
		io.WriteString(w, r.URL.Path)
	})
	if doc, err := c.Get(t.Context(), Request{URL: url + "/old"}); err != nil || string(doc.Body) != "/new" {
		t.Errorf("%+v, %v", doc, err)
	}
	plain, askedPlain := server(t, func(w http.ResponseWriter, r *http.Request) {})
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain, http.StatusFound)
	}))
	defer secure.Close()
	c.HTTP, c.own = secure.Client(), own{}
	if _, err := c.Get(t.Context(), Request{URL: secure.URL}); err == nil || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("error %v", err)
	}
	if askedPlain.Load() != 0 {
		t.Error("the redirect to http was followed")
	}
	c.HTTP, c.own = nil, own{}
	if _, err := c.Get(t.Context(), Request{URL: secure.URL + "/y"}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v", err)
	}
}

func TestGetRefusesAddresses(t *testing.T) {
	now := getDay
	c, _ := getClient(t, &now)
	for address, want := range map[string]string{
		"":                              "no address",
		"/path":                         "no address",
		"https:opaque":                  "no address",
		"file:///etc/passwd":            "no address",
		"ftp://host/":                   "only https and http",
		"https://user:secret@host/path": "may not stand in the address",
		"https://user:secret@ho st/":    "no address",
	} {
		_, err := c.Get(t.Context(), Request{URL: address})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestGetUnwritableFolder(t *testing.T) {
	now := getDay
	c, notices := getClient(t, &now)
	file := filepath.Join(c.Dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Dir = filepath.Join(file, "below") // nobody can make that, not even root
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "yes") })
	for range 3 {
		if doc, err := c.Get(t.Context(), Request{URL: url}); err != nil || string(doc.Body) != "yes" {
			t.Fatalf("%+v, %v", doc, err)
		}
	}
	if got := notices(); strings.Count(got, "cannot be kept") != 1 {
		t.Errorf("notices %q", got)
	}
}
