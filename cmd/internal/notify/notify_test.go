package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// noon is the clock of the tests.
func noon() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) }

// secret is what the tests sign with.
func secret() []byte { return []byte("correct horse battery staple") }

// changed is a document with changes.
func changed(changes ...finding.Change) *finding.Document {
	counts := map[finding.Cause]int{}
	d := &finding.Delta{Before: finding.DeltaSide{Database: "sha256:before", JudgedAt: noon().AddDate(0, 0, -1)}, Changes: changes}
	for _, c := range changes {
		counts[c.Cause]++
	}
	for _, c := range Causes() {
		if counts[c] > 0 {
			d.Summary = append(d.Summary, finding.Tally{Cause: c, Count: counts[c]})
		}
	}
	return &finding.Document{
		Tool: finding.Tool{Name: "fnaudit", Version: "1"}, Database: finding.Database{ID: "sha256:now"}, Policy: finding.PolicyRef{Name: "builtin:ci"},
		JudgedAt: noon(), Delta: d, Summary: finding.Summary{Functions: 3, Pass: 1, Fail: 2},
	}
}

func newAdvisory(function string, s finding.Severity) finding.Change {
	return finding.Change{Function: function, Cause: finding.CauseNewAdvisory, Fingerprint: "f", ID: "GHSA-x", Component: "pkg:npm/left@1.0.0", Severity: s,
		Detail: "it is known since today", Decision: &finding.Decided{Before: finding.Pass, After: finding.Fail}}
}

// answer is one answer of a receiver.
type answer struct {
	code  int
	after string // Retry-After
	to    string // Location
	hang  bool
}

// got is one request that a receiver had.
type got struct {
	head http.Header
	path string
	body []byte
}

// listen starts a receiver that answers so, the last one again and again.
func listen(t *testing.T, answers ...answer) (address string, requests func() []got) {
	t.Helper()
	var mu sync.Mutex
	var had []got
	stop := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		a := answers[min(len(had), len(answers)-1)]
		had = append(had, got{r.Header.Clone(), r.URL.Path, body})
		mu.Unlock()
		if a.hang {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
			return
		}
		if a.after != "" {
			w.Header().Set("Retry-After", a.after)
		}
		if a.to != "" {
			w.Header().Set("Location", a.to)
		}
		w.WriteHeader(a.code)
		fmt.Fprint(w, "what the receiver says")
	}))
	t.Cleanup(func() { close(stop); srv.Close() })
	return srv.URL + "/services/T0/B0/token", func() []got {
		mu.Lock()
		defer mu.Unlock()
		return had
	}
}

func quick(o Options) Options {
	o.Backoff, o.Now, o.Secret = time.Millisecond, noon, secret()
	return o
}

func TestDelivery(t *testing.T) {
	elsewhere, strangers := listen(t, answer{code: 200})
	for name, c := range map[string]struct {
		answers []answer
		tries   int
		want    string // of the error; "" for none
	}{
		"taken":               {[]answer{{code: 200}}, 1, ""},
		"taken silently":      {[]answer{{code: 204}}, 1, ""},
		"busy":                {[]answer{{code: 429, after: "1"}, {code: 200}}, 2, ""},
		"fails, then works":   {[]answer{{code: 500}, {code: 503}, {code: 200}}, 3, ""},
		"fails for good":      {[]answer{{code: 500}}, 4, "it answers 500 Internal Server Error (4 attempts)"},
		"no longer there":     {[]answer{{code: 410}}, 1, "410 Gone"},
		"wants an hour":       {[]answer{{code: 429, after: "3600"}}, 1, "it asks to wait 1h0m0s"},
		"wants till tomorrow": {[]answer{{code: 503, after: noon().AddDate(0, 0, 1).Format(http.TimeFormat)}}, 1, "it asks to wait 24h0m0s"},
		"says nothing":        {[]answer{{hang: true}}, 4, "no answer in time (4 attempts)"},
		"moved elsewhere":     {[]answer{{code: 307, to: elsewhere}}, 1, "redirects are not followed"},
		"moved here":          {[]answer{{code: 302, to: "/other"}}, 1, "redirects are not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range []string{"webhook", "slack"} {
				address, requests := listen(t, c.answers...)
				o := quick(Options{Webhook: address, Timeout: 5 * time.Second})
				if kind == "slack" {
					o.Webhook, o.Slack = "", address
				}
				if c.answers[0].hang {
					o.Timeout = 20 * time.Millisecond
				}
				var told []string
				o.Notice = func(s string) { told = append(told, s) }
				err := Send(context.Background(), o, changed(newAdvisory("orders", finding.High)))
				if (err == nil) != (c.want == "") || err != nil && (!errors.Is(err, ErrUnsent) || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%v, want %q", err, c.want)
				}
				if n := len(requests()); n != c.tries {
					t.Errorf("%d attempts, want %d", n, c.tries)
				}
				if all := fmt.Sprint(err, told); strings.Contains(all, "token") || strings.Contains(all, "T0") || strings.Contains(all, "receiver says") {
					t.Errorf("it says too much: %s", all)
				}
				for _, r := range requests() {
					if r.head.Get("Webhook-Id") != requests()[0].head.Get("Webhook-Id") || r.path != "/services/T0/B0/token" {
						t.Error("not the same message", r)
					}
				}
			}
		})
	}
	t.Cleanup(func() {
		if len(strangers()) > 0 {
			t.Error("the message was told to somebody else")
		}
	})
}

func TestRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	taken, requests := listen(t, answer{code: 200})
	o := quick(Options{Webhook: "http://robot:password@" + l.Addr().String() + "/token?key=1", Slack: taken, Attempts: 2})
	err = Send(context.Background(), o, changed(newAdvisory("orders", finding.High)))
	if !errors.Is(err, ErrUnsent) || !strings.Contains(err.Error(), "(2 attempts)") || strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), "password") {
		t.Error(err)
	}
	if len(requests()) != 1 {
		t.Error("one that fails keeps another from being told")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Send(ctx, o, changed(newAdvisory("orders", finding.High))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestReceiver is what a receiver does to believe a message.
func TestReceiver(t *testing.T) {
	seen := map[string]bool{}
	verify := func(h http.Header, body []byte, now time.Time) error {
		id, at := h.Get("webhook-id"), h.Get("webhook-timestamp")
		seconds, err := strconv.ParseInt(at, 10, 64)
		if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
			return errors.New("too old")
		}
		mac := hmac.New(sha256.New, secret())
		io.WriteString(mac, id+"."+at+".")
		mac.Write(body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if !hmac.Equal([]byte(want), []byte(h.Get("webhook-signature"))) {
			return errors.New("not signed by them")
		}
		if seen[id] {
			return errors.New("had it")
		}
		seen[id] = true
		return nil
	}
	address, requests := listen(t, answer{code: 200})
	if err := Send(context.Background(), quick(Options{Webhook: address}), changed(newAdvisory("orders", finding.High))); err != nil {
		t.Fatal(err)
	}
	r := requests()[0]
	if err := verify(r.head, append(bytes.Clone(r.body), ' '), noon()); err == nil {
		t.Error("another body is believed")
	}
	if err := verify(r.head, r.body, noon().Add(6*time.Minute)); err == nil {
		t.Error("an old message is believed")
	}
	later := r.head.Clone()
	later.Set("Webhook-Timestamp", strconv.FormatInt(noon().Unix()+100, 10))
	if err := verify(later, r.body, noon()); err == nil {
		t.Error("another time is believed")
	}
	if err := verify(r.head, r.body, noon()); err != nil {
		t.Error(err)
	}
	if err := verify(r.head, r.body, noon()); err == nil {
		t.Error("it is believed twice")
	}
	if r.head.Get("Idempotency-Key") != r.head.Get("Webhook-Id") || r.head.Get("Content-Type") != "application/json" {
		t.Error(r.head)
	}
	var b Body
	if err := json.Unmarshal(r.body, &b); err != nil || b.Type != EventType || len(b.Data.Changes) != 1 || b.Data.Before.Database != "sha256:before" || b.Data.Summary.Fail != 2 || b.Data.Functions != 1 {
		t.Errorf("%s, %v", r.body, err)
	}
}

func TestSecret(t *testing.T) {
	raw := base64.StdEncoding.EncodeToString(secret())
	for text, want := range map[string]string{
		"whsec_" + raw + "\n": string(secret()), string(secret()): string(secret()),
		"": "", "short": "", "whsec_": "", "whsec_***************************": "",
	} {
		key, err := ParseSecret(text)
		if string(key) != want || (err == nil) != (want != "") || err != nil && len(text) > 10 && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %q, %v", text, key, err)
		}
	}
}

func TestCheck(t *testing.T) {
	good := Options{Webhook: "https://hooks.example/x", Secret: secret(), Slack: "http://localhost:1/x", Filter: Filter{Causes: []finding.Cause{finding.CauseGone}, Severity: finding.High}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Options){
		"plain http":   func(o *Options) { o.Webhook = "http://hooks.example/secret" },
		"plain, slack": func(o *Options) { o.Slack = "http://10.0.0.1/secret" },
		"like local":   func(o *Options) { o.Slack = "http://localhost.example/secret" },
		"no scheme":    func(o *Options) { o.Webhook = "hooks.example/secret" },
		"file":         func(o *Options) { o.Webhook = "file:///secret" },
		"no host":      func(o *Options) { o.Webhook = "https:///secret" },
		"no URL":       func(o *Options) { o.Slack = "https://hooks.example/%zzsecret" },
		"unsigned":     func(o *Options) { o.Secret = nil },
		"no cause":     func(o *Options) { o.Filter.Causes = []finding.Cause{"new"} },
		"not a cause":  func(o *Options) { o.Filter.Causes = []finding.Cause{"news"} },
		"no severity":  func(o *Options) { o.Filter.Severity = "highest" },
		"no rating":    func(o *Options) { o.Filter.Severity = finding.UnknownSeverity },
	} {
		o := good
		change(&o)
		err := o.Check()
		if name == "no cause" {
			if err != nil { // that is the cause of a function without an earlier report
				t.Error(err)
			}
			continue
		}
		if err == nil || strings.Contains(err.Error(), "/secret") || strings.Contains(err.Error(), "zzsecret") {
			t.Errorf("%s: %v", name, err)
		}
		if sent := Send(context.Background(), o, changed(newAdvisory("x", finding.High))); sent == nil {
			t.Errorf("%s: it was sent", name)
		}
	}
}

func TestFilter(t *testing.T) {
	low := newAdvisory("low", finding.Low)
	turned := low
	low.Decision = nil
	policy := finding.Change{Function: "p", Cause: finding.CausePolicy, Detail: "the policy"}
	unknown := newAdvisory("u", finding.UnknownSeverity)
	unknown.Decision = nil
	for name, c := range map[string]struct {
		filter  Filter
		changes []finding.Change
		want    int
	}{
		"nothing changed":      {Filter{}, nil, 0},
		"all":                  {Filter{}, []finding.Change{low, policy}, 2},
		"causes":               {Filter{Causes: []finding.Cause{finding.CausePolicy}}, []finding.Change{low, policy}, 1},
		"severity":             {Filter{Severity: finding.Medium}, []finding.Change{low, newAdvisory("h", finding.High)}, 1},
		"low, but it fails":    {Filter{Severity: finding.Critical}, []finding.Change{turned}, 1},
		"without one":          {Filter{Severity: finding.Critical}, []finding.Change{policy}, 1},
		"nobody rated it":      {Filter{Severity: finding.High}, []finding.Change{unknown}, 1},
		"nothing that is told": {Filter{Severity: finding.High}, []finding.Change{low}, 0},
	} {
		m, err := newMessage(changed(c.changes...), c.filter)
		if err != nil || (m == nil) != (c.want == 0) || m != nil && len(m.changes) != c.want {
			t.Errorf("%s: %v, %v", name, m, err)
		}
		address, requests := listen(t, answer{code: 200})
		if err := Send(context.Background(), quick(Options{Webhook: address, Filter: c.filter}), changed(c.changes...)); err != nil || len(requests()) != min(c.want, 1) {
			t.Errorf("%s: %d requests, %v", name, len(requests()), err)
		}
	}
	address, requests := listen(t, answer{code: 200})
	if err := Send(context.Background(), quick(Options{Webhook: address}), &finding.Document{}); err != nil || len(requests()) > 0 {
		t.Error("sent without a delta", err)
	}
}

func TestOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	hook, hooks := listen(t, answer{code: 200})
	channel, channels := listen(t, answer{code: 400}, answer{code: 200})
	o := quick(Options{Webhook: hook, Slack: channel, Record: path})
	doc := changed(newAdvisory("orders", finding.High))
	if err := Send(context.Background(), o, doc); !errors.Is(err, ErrUnsent) {
		t.Fatal(err)
	}
	// Whoever took it is not told again, whoever did not is; and then nobody.
	for range 2 {
		if err := Send(context.Background(), o, doc); err != nil || len(hooks()) != 1 || len(channels()) != 2 {
			t.Fatal(len(hooks()), len(channels()), err)
		}
	}
	// The same in other words and with another store is the same; of other reports, it is not.
	again := changed(newAdvisory("orders", finding.High))
	again.Delta.Changes[0].Detail, again.Database.ID, again.JudgedAt = "in other words", "sha256:other", noon().AddDate(0, 0, 1)
	if err := Send(context.Background(), o, again); err != nil || len(hooks()) != 1 {
		t.Error(len(hooks()), err)
	}
	again.Delta.Before.JudgedAt = noon()
	if err := Send(context.Background(), o, again); err != nil || len(hooks()) != 2 {
		t.Error(len(hooks()), err)
	}
	b, err := os.ReadFile(path)
	if err != nil || bytes.Contains(b, []byte("token")) || bytes.Contains(b, []byte("127.0.0.1")) {
		t.Errorf("%s %v", b, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.tmp")); len(left) > 0 {
		t.Error("left behind", left)
	}
	// A record that cannot be read is no leave to send everything again, nor to be silent.
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Send(context.Background(), o, doc); !errors.Is(err, ErrUnsent) || len(hooks()) != 2 {
		t.Error(err)
	}
	o.Record = filepath.Join(t.TempDir(), "none", "alerts.json")
	if err := Send(context.Background(), o, doc); err == nil || len(hooks()) != 3 {
		t.Error("that it could not be recorded is not said:", err)
	}
}

func TestDryRun(t *testing.T) {
	address, requests := listen(t, answer{code: 200})
	var out bytes.Buffer
	path := filepath.Join(t.TempDir(), "alerts.json")
	o := quick(Options{Webhook: address, Slack: address, DryRun: &out, Record: path})
	doc := changed(newAdvisory("orders", finding.High))
	if err := Send(context.Background(), o, doc); err != nil {
		t.Fatal(err)
	}
	_, err := os.Stat(path)
	if len(requests()) > 0 || err == nil {
		t.Error("something was sent or recorded")
	}
	o.DryRun = nil
	if err := Send(context.Background(), o, doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range requests() {
		if !bytes.Contains(out.Bytes(), r.body) {
			t.Errorf("sent, and not shown: %s", r.body)
		}
		if sig := r.head.Get(signatureHeader); sig != "" && strings.Contains(out.String(), sig) {
			t.Error("the signature is shown")
		}
	}
	for _, hidden := range []string{"token", "T0", string(secret())} {
		if strings.Contains(out.String(), hidden) {
			t.Errorf("%s is shown: %s", hidden, out.String())
		}
	}
	out.Reset()
	o.DryRun = &out
	if err := Send(context.Background(), o, changed()); err != nil || !strings.Contains(out.String(), "nothing would be sent") {
		t.Error(out.String(), err)
	}
}

func TestSlackText(t *testing.T) {
	hostile := finding.Change{Function: "<!channel> <https://evil.example|ok> @here & @all *bold*\n\u202e\x1b[31m",
		Cause: finding.CauseGone, Detail: "see https://evil.example/x\r\n<@U123> <#C1> <!subteam^S1>"}
	m, err := newMessage(changed(hostile), Filter{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.slack()
	var body slackBody
	if err != nil || json.Unmarshal(b, &body) != nil || body.UnfurlLinks || body.UnfurlMedia || body.LinkNames {
		t.Fatal(string(b), err)
	}
	for _, bad := range []string{"<", ">", "@here", "@all", "://", "evil.example", "\x1b", "\u202e", "\r", "@U123"} {
		if strings.Contains(body.Text, bad) {
			t.Errorf("%q is in %q", bad, body.Text)
		}
	}
	if strings.Count(body.Text, "\n") != 2 || !strings.Contains(body.Text, "&lt;!channel&gt;") || !strings.Contains(body.Text, "&amp;") {
		t.Errorf("%q", body.Text)
	}
	m, err = newMessage(changed(newAdvisory("orders", finding.High), newAdvisory("orders", finding.Low)), Filter{})
	want := "*fnaudit*: 2 changes in 1 function (2 new-advisory)\nNow 2 fail, 0 incomplete, 1 pass\n" +
		"• orders: pass → fail, new-advisory, high: npm/left@1.0.0 GHSA-x and 1 more: it is known since today"
	if err != nil || m.text() != want {
		t.Errorf("%q\n%q", m.text(), want)
	}
}

// TestLimits: of many and of long ones as much is told as receivers take, and
// how many are left.
func TestLimits(t *testing.T) {
	for _, long := range []int{10, 5000} {
		var changes []finding.Change
		for i := range 4000 {
			c := newAdvisory(fmt.Sprint("function-", i), finding.High)
			c.Detail = fmt.Sprint(i) + strings.Repeat("<", long)
			changes = append(changes, c)
		}
		m, err := newMessage(changed(changes...), Filter{})
		if err != nil {
			t.Fatal(err)
		}
		text := m.text()
		shown := strings.Count(text, "•")
		if len(text) > maxText+100 || shown < 3 || !strings.HasSuffix(text, fmt.Sprintf("\nand 3,%d changes more", 1000-shown)) {
			t.Errorf("%d bytes, %d shown: %s", len(text), shown, text[max(len(text)-200, 0):])
		}
		b, err := m.body()
		var body Body
		if err != nil || len(b) > maxBody || json.Unmarshal(b, &body) != nil || len(body.Data.Changes)+body.Data.More != 4000 || len(body.Data.Changes) == 0 || body.Data.Functions != 4000 {
			t.Errorf("%d bytes, %d and %d, %v", len(b), len(body.Data.Changes), body.Data.More, err)
		}
	}
}

// TestAlike: what changed alike in thousands of functions is one line.
func TestAlike(t *testing.T) {
	var changes []finding.Change
	for i := range 4000 {
		c := newAdvisory(fmt.Sprintf("function-%04d", i), finding.High)
		if i%2 == 0 {
			c.Decision = nil
		}
		changes = append(changes, c)
	}
	m, err := newMessage(changed(changes...), Filter{})
	want := "\n• function-0000, function-0001 and 3,998 functions more: pass → fail in 2,000, new-advisory, high: npm/left@1.0.0 GHSA-x: it is known since today"
	if err != nil || !strings.HasSuffix(m.text(), want) {
		t.Error(m.text(), err)
	}
}

// TestSame: the same delta is the same message.
func TestSame(t *testing.T) {
	a, _ := newMessage(changed(newAdvisory("a", finding.High), newAdvisory("b", finding.Low)), Filter{})
	b, _ := newMessage(changed(newAdvisory("a", finding.High), newAdvisory("b", finding.Low)), Filter{})
	c, _ := newMessage(changed(newAdvisory("a", finding.High), newAdvisory("b", finding.Medium)), Filter{})
	x, _ := a.body()
	y, _ := b.body()
	if a.id != b.id || !bytes.Equal(x, y) || a.text() != b.text() || a.id == c.id {
		t.Error(a.id, b.id, c.id)
	}
}

func FuzzMrkdwn(f *testing.F) {
	f.Add("<!channel> @all & https://x.example")
	f.Add("\xff\xfe\u202e@\u200bhere")
	f.Fuzz(func(t *testing.T, text string) {
		out := mrkdwn(text, 100)
		if strings.ContainsAny(out, "<>\n\r\x00\x1b") || strings.Contains(out, "://") || strings.Contains(out, "@here") || len(out) > 120 {
			t.Errorf("%q became %q", text, out)
		}
	})
}
