package feed

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// Limits on what a server may ask for or send.
const (
	maxRetryAfter = 2 * time.Minute // a server that wants a longer pause has failed for this run
	maxList       = 1 << 20         // bytes of ecosystems.txt
	maxRedirects  = 5
)

// export is OSV's export at an address.
type export struct {
	o      Options
	name   string // of the origin
	update *vulndb.Update
	base   string
	client *http.Client
}

func newExport(o Options, u *vulndb.Update, origin vulndb.Origin) *export {
	client := *o.Client
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errors.New("too many redirects")
		}
		if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
			return fmt.Errorf("refuse a redirect from https to %s", req.URL.Scheme)
		}
		return nil
	}
	return &export{o: o, name: origin.Name, update: u, base: strings.TrimRight(origin.From, "/"), client: &client}
}

// list reads ecosystems.txt. What no scan can ask for is left out: records of
// commits, of the kernel and of fuzzing builds, which are a third of the export.
func (e *export) list(ctx context.Context) ([]string, []error) {
	var b []byte
	err := e.retry(ctx, listName, func(ctx context.Context) error {
		resp, err := e.request(ctx, listName, nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		b, err = e.small(resp, maxList)
		return err
	})
	if err != nil {
		return nil, []error{fmt.Errorf("read the list of ecosystems: %w", err)}
	}
	var names []string
	for _, n := range parseList(b) {
		switch n {
		case "GIT", "Linux", "OSS-Fuzz", "Android", "GSD":
		default:
			names = append(names, n)
		}
	}
	return names, nil
}

// get downloads one archive, unless the server says that it is the one that
// the store was built from.
func (e *export) get(ctx context.Context, ecosystem string) (got, error) {
	name := ecosystem + "/" + archiveName
	address := e.address(name)
	header := http.Header{}
	prev, ok := e.update.Part(ecosystem, e.name)
	conditional := ok && !prev.Folder && prev.URL == address && e.update.Intact(ecosystem, e.name)
	if conditional {
		switch {
		case prev.ETag != "":
			header.Set("If-None-Match", prev.ETag)
		case !prev.AsOf.IsZero() && prev.Full.IsZero(): // else that is the date of the list
			header.Set("If-Modified-Since", prev.AsOf.UTC().Format(http.TimeFormat))
		default:
			conditional = false
		}
	}
	var g got
	e.o.Progress(Progress{Ecosystem: ecosystem, Stage: vulndb.Fetching})
	err := e.retry(ctx, ecosystem, func(ctx context.Context) error {
		resp, err := e.request(ctx, name, header)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		g = got{input: vulndb.Input{URL: address, ETag: resp.Header.Get("ETag"), AsOf: e.lastModified(resp)}}
		if resp.StatusCode == http.StatusNotModified {
			if !conditional {
				return errors.New("the server says that nothing changed since a state that was not named")
			}
			g.unchanged = true
			return nil
		}
		g.temp, err = e.download(resp, ecosystem)
		g.input.Archive = g.temp
		return err
	})
	if err != nil {
		return got{}, err
	}
	return g, nil
}

// date: the server says for each archive how current it is.
func (e *export) date(context.Context, *vulndb.Update, string) []error { return nil }

// lastModified returns the date of an export. A date in the future is a wrong
// clock somewhere, and would make the store look fresh for as long: it counts
// as none, and the records' own dates decide.
func (e *export) lastModified(resp *http.Response) time.Time {
	t, err := http.ParseTime(resp.Header.Get("Last-Modified"))
	if err != nil || t.After(e.o.Now()) {
		return time.Time{}
	}
	return t.UTC()
}

func (e *export) address(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return e.base + "/" + strings.Join(parts, "/")
}

// request asks for a file of the export.
func (e *export) request(ctx context.Context, name string, header http.Header) (*http.Response, error) {
	resp, err := e.ask(ctx, e.address(name), header)
	if errors.Is(err, errNotFound) {
		err = fmt.Errorf("%w; names of ecosystems are those of OSV, as in npm, PyPI, crates.io", err)
	}
	return resp, err
}

var errNotFound = errors.New("not found")

// ask returns a response with status 200 or, for a conditional request, 304.
// The caller closes its body.
func (e *export) ask(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("%s is no address", bare(address))
	}
	req.Header = header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("User-Agent", "fnaudit")
	req.Header.Set("Accept-Encoding", "identity") // a zip gains nothing, and the limit is on the bytes that are stored
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, unanswered(ctx, err)
	}
	switch code := resp.StatusCode; {
	case code == http.StatusOK, code == http.StatusNotModified:
		return resp, nil
	case code == http.StatusNotFound:
		err = fmt.Errorf("%s: %w", bare(address), errNotFound)
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		err = &retryError{err: fmt.Errorf("%s: %s", bare(address), resp.Status), after: e.retryAfter(resp)}
	default:
		err = fmt.Errorf("%s: %s", bare(address), resp.Status)
	}
	io.CopyN(io.Discard, resp.Body, 64<<10)
	resp.Body.Close()
	return nil, err
}

// download stores a body in a temporary file and checks that it is complete:
// by its length, and by the checksum that Google's storage sends.
func (e *export) download(resp *http.Response, ecosystem string) (path string, err error) {
	if resp.ContentLength > e.o.MaxBytes {
		return "", fmt.Errorf("the export has %d bytes, over %d", resp.ContentLength, e.o.MaxBytes)
	}
	f, err := e.update.Temp()
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(f.Name())
		}
	}()
	sum := newChecksum()
	counter := &counter{report: func(n int64) {
		e.o.Progress(Progress{Ecosystem: ecosystem, Stage: vulndb.Fetching, Done: n, Total: max(resp.ContentLength, 0)})
	}}
	n, err := io.Copy(io.MultiWriter(f, sum, counter), io.LimitReader(resp.Body, e.o.MaxBytes+1))
	if err != nil {
		var full *os.PathError
		if errors.As(err, &full) {
			return "", fmt.Errorf("store the download: %w", err) // the disk, not the network
		}
		return "", retryable(fmt.Errorf("download: %w", err))
	}
	if n > e.o.MaxBytes {
		return "", fmt.Errorf("the export has over %d bytes", e.o.MaxBytes)
	}
	if resp.ContentLength >= 0 && n != resp.ContentLength {
		return "", retryable(fmt.Errorf("download: %d of %d bytes", n, resp.ContentLength))
	}
	return f.Name(), checkHash(resp, sum)
}

// newChecksum is the checksum of X-Goog-Hash.
func newChecksum() hash.Hash32 { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }

// checkHash compares with X-Goog-Hash, where there is one.
func checkHash(resp *http.Response, sum hash.Hash32) error {
	for _, value := range resp.Header.Values("X-Goog-Hash") {
		for part := range strings.SplitSeq(value, ",") {
			encoded, ok := strings.CutPrefix(strings.TrimSpace(part), "crc32c=")
			if !ok {
				continue
			}
			want, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil || len(want) != 4 {
				return fmt.Errorf("read the checksum %q of the export", encoded)
			}
			if binary.BigEndian.Uint32(want) != sum.Sum32() {
				return retryable(errors.New("download: the checksum is not that of the export"))
			}
		}
	}
	return nil
}

// counter reports bytes, at most every quarter of a megabyte.
type counter struct {
	n, told int64
	report  func(int64)
}

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	if c.n-c.told >= 256<<10 || c.told == 0 {
		c.told = c.n
		c.report(c.n)
	}
	return len(b), nil
}

// retryError is a failure that may pass.
type retryError struct {
	err   error
	after time.Duration // what the server asks to wait; 0: it does not say
}

func (r *retryError) Error() string { return r.err.Error() }
func (r *retryError) Unwrap() error { return r.err }

func retryable(err error) error { return &retryError{err: err} }

// ErrUnreachable is wrapped by the error for a server that gave no answer at all.
var ErrUnreachable = errors.New("it cannot be reached")

// unanswered makes an error of a request that got no answer. What the name
// service and the server's certificate say is final: both answered.
func unanswered(ctx context.Context, err error) error {
	var u *url.Error
	if !errors.As(err, &u) || ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return retryable(err)
	}
	address, reason := u.URL, u.Err
	if parsed, bad := url.Parse(u.URL); bad == nil {
		parsed.RawQuery, parsed.User, parsed.Fragment = "", nil, ""
		address = parsed.String()
	}
	var n net.Error
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	err = fmt.Errorf("%s: %w", address, reason)
	switch {
	case errors.As(reason, &dns):
		err = fmt.Errorf("%s: %w: the name %s is not found: %w", address, ErrUnreachable, dns.Name, reason)
		if dns.IsNotFound {
			return err
		}
	case errors.As(reason, &cert):
		return fmt.Errorf("%s: %w: %w", address, ErrUnreachable, reason)
	case errors.As(reason, &op), errors.As(reason, &n) && n.Timeout():
		err = fmt.Errorf("%s: %w: %w", address, ErrUnreachable, reason)
	}
	return retryable(err)
}

// maxSilence is how long a server is tried, twice at least, that gives no answer at all.
const maxSilence = 30 * time.Second

// retry tries until it works, the attempts are used up, or the failure is one
// that does not pass. what is being fetched is for the notices.
func (e *export) retry(ctx context.Context, what string, try func(context.Context) error) error {
	wait, start := e.o.Backoff, time.Now()
	for n := 1; ; n++ {
		attempt, cancel := context.WithTimeout(ctx, e.o.Timeout)
		err := try(attempt)
		cancel()
		if ctx.Err() != nil || err == nil {
			return err
		}
		var again *retryError
		unreachable := errors.Is(err, ErrUnreachable)
		switch {
		case !errors.As(err, &again):
		case again.after > maxRetryAfter:
			err = fmt.Errorf("%w; the server asks to wait %v", err, again.after)
		case n >= e.o.Attempts, unreachable && n > 1 && time.Since(start) > maxSilence:
			err = fmt.Errorf("%w (%d attempts)", err, n)
		default:
			// Half of the wait is random, so that many builds that failed together do not return together.
			pause := max(again.after, wait/2+rand.N(wait/2+1))
			wait *= 2
			e.o.Notice(fmt.Sprintf("%s: %v; attempt %d of %d follows in %v", what, err, n+1, e.o.Attempts, pause.Round(100*time.Millisecond)))
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
			continue
		}
		return err
	}
}

// retryAfter reads the Retry-After header: seconds or a date (RFC 9110, section 10.2.3).
func (e *export) retryAfter(resp *http.Response) time.Duration {
	v := resp.Header.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return min(time.Duration(s), 1<<20) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(e.o.Now()), 0)
	}
	return 0
}
