package feed

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// TestUnreachable: one that gives no answer is not asked for the other
// ecosystems, and each further attempt is told.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	var mu sync.Mutex
	var told []string
	o := options("http://"+l.Addr().String(), "npm", "PyPI", "Go")
	o.Notice = func(s string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, s)
	}
	dir := t.TempDir()
	_, err = Update(context.Background(), dir, o)
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "(4 attempts)") || !strings.Contains(err.Error(), "update PyPI, npm: not tried") {
		t.Error(err)
	}
	if len(told) != 3 || !strings.HasPrefix(told[0], "Go: http://"+l.Addr().String()+"/Go/all.zip: it cannot be reached") || !strings.Contains(told[2], "attempt 4 of 4") {
		t.Errorf("%q", told)
	}
	if _, err := vulndb.ReadSnapshot(dir); !errors.Is(err, vulndb.ErrNoStore) {
		t.Error(err)
	}
}

// dialer fails.
type dialer struct{ err error }

func (d dialer) RoundTrip(*http.Request) (*http.Response, error) { return nil, d.err }

// TestFinalAnswers: what will be the same a moment later is not tried again.
func TestFinalAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		told int
		want string
	}{
		"no such name":     {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "mirror.invalid", IsNotFound: true}}, 0, "the name mirror.invalid is not found"},
		"no name service":  {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", Name: "mirror.invalid", IsTimeout: true}}, 3, "it cannot be reached"},
		"connection reset": {&net.OpError{Op: "read", Err: errors.New("reset")}, 3, "it cannot be reached"},
	} {
		told := 0
		o := options("https://user:secret@mirror.invalid", "npm")
		o.Client = &http.Client{Transport: dialer{c.err}}
		o.Notice = func(string) { told++ }
		_, err := Update(context.Background(), t.TempDir(), o)
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || told != c.told {
			t.Errorf("%s: %d notices, %v", name, told, err)
		}
	}
	srv := httptest.NewTLSServer(http.NotFoundHandler()) // whose certificate nobody knows
	defer srv.Close()
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	o := options(srv.URL, "npm")
	o.Notice = func(s string) { t.Error(s) }
	if _, err := Update(context.Background(), t.TempDir(), o); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
}

// TestSilence: a server that says nothing is given up in time, however many
// attempts are left.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Attempts: 1000}.defaults()
		e, start := &export{o: o}, time.Now()
		err := e.retry(context.Background(), "npm", func(context.Context) error {
			time.Sleep(10 * time.Second) // as a name service does that does not answer
			return retryable(ErrUnreachable)
		})
		if took := time.Since(start); !errors.Is(err, ErrUnreachable) || took > maxSilence+15*time.Second {
			t.Error(err, took)
		}
	})
}
