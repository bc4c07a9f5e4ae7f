package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of a delivery.
const (
	maxPause  = 2 * time.Minute // a receiver that wants a longer one has failed for this run
	maxAnswer = 64 << 10        // bytes of an answer that are read, and thrown away
)

// parseAddress reads the address of a receiver. The error does not repeat it.
func parseAddress(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil, u.Host == "", u.Hostname() == "":
		return nil, errors.New("it is no address such as https://hooks.example/…")
	case u.Scheme == "https", u.Scheme == "http" && local(u.Hostname()):
		u.Fragment = ""
		return u, nil
	}
	return nil, fmt.Errorf("its scheme is %q: only https is used, and http to this machine", u.Scheme)
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// receiver is who is told.
type receiver struct {
	kind string // "webhook", "slack"
	url  *url.URL
	body []byte
	head func(at time.Time) http.Header
}

// place is what may be shown of an address.
func (r receiver) place() string { return r.url.Scheme + "://" + r.url.Host + "/…" }

// deliver posts until it works, the attempts are used up, or the answer is one
// that does not pass.
func (o Options) deliver(ctx context.Context, r receiver) error {
	wait := o.Backoff
	for n := 1; ; n++ {
		pause, again, err := o.post(ctx, r)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !again:
			return fmt.Errorf("%s: %w", r.place(), err)
		case pause > maxPause:
			return fmt.Errorf("%s: %w; it asks to wait %v", r.place(), err, pause)
		case n >= o.Attempts:
			return fmt.Errorf("%s: %w (%d attempts)", r.place(), err, n)
		}
		// Half of the wait is random, so that many that failed together do not return together.
		pause = max(pause, wait/2+rand.N(wait/2+1))
		wait *= 2
		o.Notice(fmt.Sprintf("%s: %s: %v; attempt %d of %d follows in %v", r.kind, r.place(), err, n+1, o.Attempts, pause.Round(100*time.Millisecond)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// post makes one attempt. pause is how long the receiver asks to wait, again
// whether another attempt may help.
func (o Options) post(ctx context.Context, r receiver) (pause time.Duration, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url.String(), bytes.NewReader(r.body))
	if err != nil {
		return 0, false, errors.New("it is no address") // the error repeats it
	}
	req.Header = r.head(o.Now())
	client := *o.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		var untrusted *tls.CertificateVerificationError
		return 0, !errors.As(err, &untrusted), unsent(err) // who it is does not change by asking again
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	status := fmt.Errorf("it answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return 0, false, nil
	case code >= 300 && code < 400:
		return 0, false, fmt.Errorf("%w: redirects are not followed, name the address that it leads to", status)
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code == http.StatusTooEarly, code >= 500:
		return o.retryAfter(resp), true, status
	}
	return 0, false, status
}

// unsent says why there was no answer, without the address that the error of
// net/http repeats.
func unsent(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	return err
}

// retryAfter reads the Retry-After header: seconds or a date (RFC 9110, section 10.2.3).
func (o Options) retryAfter(resp *http.Response) time.Duration {
	v := resp.Header.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return time.Duration(min(s, 1<<20)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(o.Now()), 0)
	}
	return 0
}
