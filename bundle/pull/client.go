package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Limits on what a server may ask for or send.
const (
	maxRetryAfter = 2 * time.Minute // a server that wants a longer pause has failed for this run
	maxRedirects  = 5
	maxManifest   = 4 << 20 // bytes; the distribution specification wants registries to accept no less (section "Pushing Manifests")
	maxErrorBody  = 16 << 10
	minWindow     = 1 << 10 // bytes that have to come in each Stall, or the transfer counts as stalled
)

// Client says how servers are talked to. Its zero value works; it is safe for
// concurrent use and must not be changed once it is in use.
type Client struct {
	Transport    http.RoundTripper // nil: Go's, with the proxy of the environment
	InsecureHTTP bool              // speak plain HTTP to hosts other than this machine too, where https does not work
	Mirrors      []Mirror          // where to look before the registry that a reference names; for pulls only
	Attempts     int               // tries of one request or download; 0: 4
	Backoff      time.Duration     // wait after the first failed try, doubled each time; 0: 1 second
	Stall        time.Duration     // in which something has to come; 0: 30 seconds
	Progress     func(Progress)    // may be nil; called from many goroutines
	Notice       func(string)      // told what failed and is tried again; may be nil; called from many goroutines
	Now          func() time.Time  // nil: time.Now
}

// Progress says how far a transfer is.
type Progress struct {
	What  string // short, for people
	Done  int64  // bytes
	Total int64  // 0 when not known
}

// ErrCorrupt is wrapped by every error that says that what came is not what was
// asked for: another digest, fewer or more bytes, no manifest. Other errors
// mean that nothing came.
var ErrCorrupt = errors.New("not what was asked for")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrCorrupt)
}

func (c *Client) attempts() int {
	if c.Attempts > 0 {
		return c.Attempts
	}
	return 4
}

func (c *Client) stall() time.Duration {
	if c.Stall > 0 {
		return c.Stall
	}
	return 30 * time.Second
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Client) report(p Progress) {
	if c.Progress != nil {
		c.Progress(p)
	}
}

// maxSilence is how long a server is tried, twice at least, that gives no answer at all.
const maxSilence = 30 * time.Second

// tell says that the failure of a request to a host is not the end.
func (c *Client) tell(host string, failed int, why any) {
	if c.Notice != nil {
		c.Notice(fmt.Sprintf("%s: %v; attempt %d of %d follows", host, why, failed+1, c.attempts()))
	}
}

// pause waits before the next try. Half of the wait is random, so that many
// builds that failed together do not return together.
func (c *Client) pause(ctx context.Context, failed int, after time.Duration) error {
	wait := c.Backoff
	if wait <= 0 {
		wait = time.Second
	}
	wait <<= min(failed-1, 10)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(after, wait/2+rand.N(wait/2+1))):
		return nil
	}
}

// guard is the bottom of every connection: it refuses plain HTTP, watches
// that something comes, and tries again what can be tried again.
type guard struct {
	c     *Client
	inner http.RoundTripper
}

func (c *Client) transport() http.RoundTripper {
	inner := c.Transport
	if inner == nil {
		inner = http.DefaultTransport
	}
	return &guard{c, inner}
}

// RoundTrip implements http.RoundTripper.
func (t *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !t.c.InsecureHTTP && !thisMachine(req.URL.Hostname()) {
		return nil, fmt.Errorf("refuse to speak plain HTTP to %s", req.URL.Host)
	}
	start := time.Now()
	for failed := 1; ; failed++ {
		resp, err := t.watched(req)
		again, after := t.c.retryable(resp, err)
		silent := err != nil && failed > 1 && time.Since(start) > maxSilence
		if !again || silent || failed >= t.c.attempts() || req.Body != nil && req.GetBody == nil || req.Context().Err() != nil {
			return resp, err
		}
		if after > maxRetryAfter {
			return resp, err // its status is the error; who reads it sees what the server wants
		}
		if resp != nil {
			t.c.tell(req.URL.Host, failed, resp.Status)
			io.CopyN(io.Discard, resp.Body, maxErrorBody)
			resp.Body.Close()
		} else {
			t.c.tell(req.URL.Host, failed, err)
		}
		if err := t.c.pause(req.Context(), failed, after); err != nil {
			return nil, err
		}
		if req.GetBody != nil {
			body, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			req = req.Clone(req.Context())
			req.Body = body
		}
	}
}

// retryable says whether a failure may pass, and how long the server asks to wait.
func (c *Client) retryable(resp *http.Response, err error) (bool, time.Duration) {
	if err != nil {
		return passing(err), 0
	}
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout,
		code >= 500 && code != http.StatusNotImplemented && code != http.StatusHTTPVersionNotSupported:
		return true, c.retryAfter(resp)
	}
	return false, 0
}

// passing says whether an error of the network may be gone a moment later.
func passing(err error) bool {
	if errors.Is(err, errStalled) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EPIPE) {
		return true
	}
	var n net.Error
	return errors.As(err, &n) && n.Timeout() && !errors.Is(err, context.DeadlineExceeded)
}

// retryAfter reads the Retry-After header: seconds or a date (RFC 9110, section 10.2.3).
func (c *Client) retryAfter(resp *http.Response) time.Duration {
	v := resp.Header.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return min(time.Duration(s), 1<<20) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(c.now()), 0)
	}
	return 0
}

// thisMachine reports whether a host's name cannot be anybody else.
func thisMachine(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// redirect is the rule for redirects. A registry may send us to where its
// blobs are stored, and nowhere else: not from https to http, and not into our
// own network, where its word would open doors that it cannot reach itself.
func redirect(req *http.Request, via []*http.Request) error {
	from := via[0].URL
	switch {
	case len(via) > maxRedirects:
		return errors.New("too many redirects")
	case from.Scheme == "https" && req.URL.Scheme != "https":
		return fmt.Errorf("refuse a redirect from https to %s", req.URL.Scheme)
	case inside(req.URL.Hostname()) && req.URL.Hostname() != from.Hostname() && !inside(from.Hostname()):
		return fmt.Errorf("refuse a redirect to %s, which is inside our own network", req.URL.Host)
	}
	return nil
}

// inside reports whether a host is named by an address that only this network has.
func inside(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return host == "localhost"
	}
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()
}

// StatusError is an answer that is no success. It wraps fs.ErrNotExist for 404.
type StatusError struct {
	Code   int
	URL    string // without what follows the path, which may be a secret
	Detail string // what the server says about it; may be empty
	After  time.Duration
}

// statusError makes an error of an answer and reads over its body.
func (c *Client) statusError(resp *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	u := *resp.Request.URL
	u.RawQuery, u.User, u.Fragment = "", nil, ""
	return &StatusError{Code: resp.StatusCode, URL: u.String(), Detail: detail(b), After: c.retryAfter(resp)}
}
