package notify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// A receiver that gives its answer byte by byte holds nobody up for longer than one
// attempt may take: what it said before that counts.
func TestDrip(t *testing.T) {
	for name, c := range map[string]struct {
		head bool // the status comes at once
		want string
	}{"the body": {true, ""}, "the head": {false, "no answer in time (2 attempts)"}} {
		var tries atomic.Int32
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				tries.Add(1)
				go func() {
					defer conn.Close()
					if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
						return
					}
					text := "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
					if c.head {
						io.WriteString(conn, text)
						text = strings.Repeat("x", 1000)
					}
					for i := range len(text) {
						if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
							return
						}
						time.Sleep(100 * time.Millisecond)
					}
				}()
			}
		}()
		o := quick(Options{Webhook: "http://" + l.Addr().String() + "/token", Timeout: time.Second, Attempts: 2})
		start := time.Now()
		err = Send(context.Background(), o, changed(newAdvisory("orders", finding.High)))
		if (err == nil) != (c.want == "") || err != nil && (!errors.Is(err, ErrUnsent) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "token")) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
		if n := tries.Load(); c.head && n != 1 {
			t.Errorf("%s: %d attempts", name, n)
		}
	}
}

// A receiver that nobody vouches for is told nothing, once.
func TestUntrustedReceiver(t *testing.T) {
	var told atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	var notices []string
	o := quick(Options{Webhook: server.URL + "/services/token", Notice: func(s string) { notices = append(notices, s) }})
	err := Send(context.Background(), o, changed(newAdvisory("orders", finding.High)))
	if !errors.Is(err, ErrUnsent) || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "token") || len(notices) > 0 || told.Load() > 0 {
		t.Errorf("%v, notices %q, told %d times", err, notices, told.Load())
	}
	o.Client = server.Client()
	if err := Send(context.Background(), o, changed(newAdvisory("orders", finding.High))); err != nil || told.Load() != 1 {
		t.Errorf("%v, told %d times", err, told.Load())
	}
}

// What is deployed is told as any change is, under a key that does not change with the
// words, and within the limits of a Slack message at any number of functions.
func TestDeployedIsTold(t *testing.T) {
	var many []finding.Change
	for i := range 4000 {
		many = append(many, finding.Change{Function: fmt.Sprint("<!channel> ", i, strings.Repeat("x", 60)), Cause: finding.CauseDeployed, ID: fmt.Sprint("drift-unscanned:x@", i), Severity: finding.High, Detail: strings.Repeat("& <https://evil.example|here> ", 40)})
	}
	m, err := newMessage(changed(many...), Filter{Causes: []finding.Cause{finding.CauseDeployed}})
	if err != nil || m == nil {
		t.Fatal(err)
	}
	text := m.text()
	if len(text) > 4000 || strings.ContainsAny(text, "<>") || strings.Contains(text, "<!channel>") || !strings.Contains(text, "4000 deployed") || !strings.Contains(text, " more") {
		t.Errorf("%d bytes: %.300s", len(text), text)
	}
	if body, err := m.body(); err != nil || len(body) > maxBody {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	for i := range many {
		many[i].Detail = "other words"
	}
	again, err := newMessage(changed(many...), Filter{Causes: []finding.Cause{finding.CauseDeployed}})
	if err != nil || again.id != m.id {
		t.Errorf("%v: another key", err)
	}
}
