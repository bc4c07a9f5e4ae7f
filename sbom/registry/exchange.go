package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pace is how long is waited for what. A zero field is the default.
type pace struct {
	header   time.Duration // for the first byte of an answer
	stall    time.Duration // in which minWindow bytes of a body must come
	whole    time.Duration // for one question with all its attempts; a large answer has longer, by minRate
	backoff  time.Duration // before the second attempt; doubled before each further one
	attempts int
}

func (p pace) filled() pace {
	p.header = cmp.Or(p.header, 15*time.Second)
	p.stall = cmp.Or(p.stall, 15*time.Second)
	p.whole = cmp.Or(p.whole, time.Minute)
	p.backoff = cmp.Or(p.backoff, 500*time.Millisecond)
	p.attempts = cmp.Or(p.attempts, 4)
	return p
}

// Limits on what a server may ask for or send.
const (
	maxRedirects  = 5
	maxRetryAfter = 20 * time.Second // a server that wants a longer pause is not asked any more in a run
	maxHeaders    = 64 << 10         // bytes
	maxValidator  = 1 << 10          // bytes of an ETag that is kept
	minWindow     = 1 << 10          // bytes; a server that lets a byte drip now and then stalls
	minRate       = 256 << 10        // bytes a second, on the average
	dialTimeout   = 5 * time.Second
)

// userAgent tells a registry's operator who asks.
const userAgent = "fnaudit (https://github.com/fnaudit/fnaudit)"

// own is the client that is used when the caller gives none.
type own struct {
	once   sync.Once
	client *http.Client
	away   *http.Client // for hosts that registries send to: it does not reach into this network
}

// client returns what requests are made with. Redirects are not its business:
// attempt follows them.
func (c *Client) client() *http.Client {
	c.own.once.Do(func() {
		one := http.Client{}
		if c.HTTP != nil {
			one = *c.HTTP
		} else {
			one.Transport = transport(&net.Dialer{Timeout: dialTimeout})
		}
		one.Jar, one.CheckRedirect = nil, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		c.own.client = &one
		away := one
		if c.HTTP == nil {
			away.Transport = transport(&net.Dialer{Timeout: dialTimeout, Control: keepOut})
		}
		c.own.away = &away
	})
	return c.own.client
}

func transport(d *net.Dialer) *http.Transport {
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: d.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 2 * dialTimeout,
		MaxConnsPerHost: maxPerHost, MaxIdleConnsPerHost: maxPerHost, IdleConnTimeout: time.Minute,
		DisableCompression: true, MaxResponseHeaderBytes: maxHeaders,
	}
}

// validators are what a server said about an answer, for the next, conditional
// request (RFC 9110, section 13). The zero value asks in any case.
type validators struct{ etag, modified string }

func validatorsOf(h http.Header) validators {
	return validators{validator(h.Get("ETag")), validator(h.Get("Last-Modified"))}
}

// validator returns a header field's value if it may be kept: it is a line of a file.
func validator(s string) string {
	if len(s) > maxValidator || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return s
}

// answer is what a server said to one request.
type answer struct {
	Document
	validators
	unchanged bool     // it is what the validators of the request are of
	next      *url.URL // it says to ask there
}

// trouble is why there is no answer.
type trouble struct {
	err    error
	weight int           // for the host: see maxFailures
	again  bool          // it may pass
	after  time.Duration // what the server asks to wait; 0: it does not say
}

func (t *trouble) Error() string { return t.err.Error() }
func (t *trouble) Unwrap() error { return t.err }

// fetch asks an address over the network, several times if it must.
func (c *Client) fetch(ctx context.Context, r Request, have validators) (answer, error) {
	u, err := parseAddress(r.URL)
	if err != nil {
		return answer{}, err
	}
	p := c.pace.filled()
	limit := p.whole + time.Duration(r.limit()/minRate)*time.Second
	whole, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for n := 1; ; n++ {
		got, err := c.attempt(whole, r, u, have)
		if err == nil {
			return got, nil
		}
		r.lane.free() // who waits for it may be whom the next attempt waits for
		if ctx.Err() != nil {
			return answer{}, ctx.Err()
		}
		if whole.Err() != nil {
			return answer{}, fmt.Errorf("%s: no complete answer in %v", asking(u), limit)
		}
		var t *trouble
		if !errors.As(err, &t) || !t.again || n >= p.attempts {
			return answer{}, err
		}
		// Half of the wait is random, so that questions that failed together do not return together.
		wait := p.backoff << (n - 1)
		if sleep(whole, wait/2+rand.N(wait/2+1)) != nil {
			return answer{}, err
		}
	}
}

func parseAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, errors.New("ask a registry: what the configuration gives is no address; it should look like https://host/path")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("ask %s: only https and http are spoken", clip(u.Host, 100))
	case u.User != nil:
		return nil, fmt.Errorf("ask %s: a name and password may not stand in the address itself", clip(u.Host, 100))
	}
	u.Fragment = ""
	return u, nil
}

// attempt asks once, and where the answer says to ask instead.
func (c *Client) attempt(ctx context.Context, r Request, u *url.URL, have validators) (answer, error) {
	at := u
	for range maxRedirects + 1 {
		got, err := c.turn(ctx, r, u, at, have)
		if err != nil || got.next == nil {
			return got, err
		}
		if err := mayFollow(u, at, got.next); err != nil {
			return answer{}, fmt.Errorf("%s: %w", asking(at), err)
		}
		if r.private && got.next.Host != u.Host {
			return answer{}, fmt.Errorf("%s: it passes a private name on to %s, which is not asked", asking(at), clip(got.next.Host, 100))
		}
		at = got.next
	}
	return answer{}, fmt.Errorf("%s: it redirects more than %d times", asking(u), maxRedirects)
}

// mayFollow says why a redirect is refused. A server on the internet must not
// make a build machine ask what only that machine can reach, such as the
// address at which a cloud hands out credentials.
func mayFollow(first, from, to *url.URL) error {
	host := clip(to.Host, 100)
	switch {
	case to.Scheme != "https" && to.Scheme != "http" || to.Host == "" || to.Opaque != "":
		return errors.New("it redirects to what is no address of a web server")
	case from.Scheme == "https" && to.Scheme != "https":
		return fmt.Errorf("it redirects from https to %s at %s", to.Scheme, host)
	case to.User != nil:
		return fmt.Errorf("it redirects to %s with a name or password", host)
	case inside(to) && to.Hostname() != first.Hostname() && !inside(first):
		return fmt.Errorf("it redirects to %s, an address inside this network", host)
	}
	return nil
}

// inside says whether an address names this machine or its own network.
func inside(u *url.URL) bool {
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return name == "localhost" || strings.HasSuffix(name, ".localhost") || strings.HasSuffix(name, ".internal")
	}
	return insideIP(ip)
}

// turn asks one host when it is its turn, and notes what becomes of it.
func (c *Client) turn(ctx context.Context, r Request, first, at *url.URL, have validators) (answer, error) {
	h := c.hosts.of(at.Host)
	if err := h.enter(ctx); err != nil {
		return answer{}, err
	}
	defer h.leave()
	got, err := c.exchange(ctx, r, first, at, have)
	if err == nil {
		h.works()
		return got, nil
	}
	var t *trouble
	if ctx.Err() != nil || !errors.As(err, &t) {
		return answer{}, err
	}
	err = fmt.Errorf("%s: %w", asking(at), err)
	weight := t.weight
	if t.after > 0 {
		weight = 0
		if t.after > maxRetryAfter || !h.pause(t.after) {
			weight, t.again = maxFailures, false
		}
	}
	if weight > 0 && h.failed(at.Host, weight, t.err) {
		c.notice(h.why())
	}
	return answer{}, err
}

// exchange makes one request. An error is a trouble, or of ctx.
func (c *Client) exchange(ctx context.Context, r Request, first, at *url.URL, have validators) (answer, error) {
	p := c.pace.filled()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(p.header, func() { cancel(errSilent) })
	defer watch.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return answer{}, &trouble{err: err}
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	if r.Keep { // an archive gains nothing, and its digest is of the bytes as they are
		req.Header.Set("Accept-Encoding", "identity")
	}
	if r.Accept != "" {
		req.Header.Set("Accept", r.Accept)
	}
	if have.etag != "" {
		req.Header.Set("If-None-Match", have.etag)
	}
	if have.modified != "" {
		req.Header.Set("If-Modified-Since", have.modified)
	}
	if at.Host == first.Host && at.Scheme == first.Scheme { // another host is not told who asks, even if it has a login of its own
		if header := c.Config.authorization(r.System, at); header != "" {
			req.Header.Set("Authorization", header)
		}
	}
	resp, err := c.clientFor(req, r.home(first)).Do(req)
	if err != nil {
		return answer{}, unanswered(ctx, err)
	}
	defer resp.Body.Close()
	watch.Stop()
	switch resp.StatusCode {
	case http.StatusOK:
		body, err := readBody(ctx, cancel, r, resp, p.stall)
		return answer{Document: Document{Body: body}, validators: validatorsOf(resp.Header)}, err
	case http.StatusNotModified:
		if have == (validators{}) {
			return answer{}, &trouble{err: errors.New("it says that nothing changed since an answer that was not named"), weight: 1}
		}
		return answer{unchanged: true, validators: validatorsOf(resp.Header)}, nil
	case http.StatusNotFound, http.StatusGone:
		return answer{Document: Document{Absent: true}}, nil
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		next, err := resp.Location()
		if err != nil {
			return answer{}, &trouble{err: errors.New("it redirects to no address"), weight: 1}
		}
		next.Fragment = ""
		return answer{next: next}, nil
	}
	return answer{}, c.refused(resp, p)
}

// refused makes a trouble of a status that is no answer.
func (c *Client) refused(resp *http.Response, p pace) *trouble {
	code := resp.StatusCode
	t := &trouble{err: fmt.Errorf("it answers %d %s", code, http.StatusText(code))}
	switch {
	case code == http.StatusUnauthorized: // tried with each of hundreds of packages it would lock an account
		t.weight, t.err = unreachable, fmt.Errorf("%w: it wants a name or a token that the configuration of its tool does not have, or that has expired", t.err)
	case code == http.StatusForbidden:
		t.err = fmt.Errorf("%w: whoever asks may not read this, or a proxy forbids it", t.err)
	case code == http.StatusProxyAuthRequired:
		t.weight = unreachable
	case code == http.StatusTooManyRequests:
		t.again, t.after = true, cmp.Or(c.retryAfter(resp), p.backoff)
	case code == http.StatusRequestTimeout, code >= 500 && code != http.StatusNotImplemented:
		t.weight, t.again, t.after = 1, true, c.retryAfter(resp)
	}
	if t.after > maxRetryAfter {
		t.err = fmt.Errorf("%w, and asks to wait %v", t.err, t.after)
	}
	io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	return t
}

// retryAfter reads the Retry-After header: seconds or a date (RFC 9110, section
// 10.2.3). A date is compared with the server's own clock, if it tells it.
func (c *Client) retryAfter(resp *http.Response) time.Duration {
	v := resp.Header.Get("Retry-After")
	if s, err := strconv.ParseUint(v, 10, 64); err == nil {
		return time.Duration(min(s, 1<<20)) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		now = c.now()
	}
	return min(max(at.Sub(now), 0), 1<<20*time.Second)
}

// Causes for which a request is given up.
var (
	errSilent  = errors.New("it does not answer")
	errStalled = errors.New("the answer stalls: next to nothing of it comes")
)

// unanswered makes a trouble of a request that got no answer. What the name
// service and the server's certificate say is final: both answered.
func unanswered(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause == errSilent {
		return &trouble{err: cause, weight: unreachable, again: true}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // its address may hold credentials
	}
	t := &trouble{err: err, weight: unreachable, again: true}
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		t.err, t.again = fmt.Errorf("the name %s is not found: check the network, and HTTPS_PROXY if there is a proxy", clip(dns.Name, 100)), false
	case errors.As(err, &cert):
		t.err, t.again, t.weight = fmt.Errorf("its certificate is not trusted: %w", err), false, maxFailures
	}
	return t
}
