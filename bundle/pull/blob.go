package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	tr "github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Blob writes the blob with a digest and a size to a file, which is empty or
// holds what came of the blob at an earlier time. It goes on where a connection
// broke off, or that earlier time ended, and returns nil only when the file holds
// the blob. The file's content is undefined after an error.
func (r *Repository) Blob(ctx context.Context, digest string, size int64, f *os.File) error {
	if !isDigest(digest) || size < 0 {
		return corrupt("blob %q of %d bytes: its descriptor is none", clip(digest, 80), size)
	}
	err := r.each(ctx, func(e *endpoint) error {
		client, err := e.client(ctx, tr.PullScope)
		if err != nil {
			return err
		}
		return r.c.download(ctx, &download{
			client: client, digest: digest, size: size, f: f, what: r.Reference.Name() + " " + short(digest),
			request: func() (*http.Request, error) { return e.request(ctx, http.MethodGet, "blobs", digest) },
		})
	})
	if err != nil {
		return fmt.Errorf("get the blob %s: %w", short(digest), err)
	}
	return nil
}

func short(digest string) string {
	if isDigest(digest) {
		return digest[:len("sha256:")+12]
	}
	return clip(digest, 20)
}

// download is one transfer into a file.
type download struct {
	client  *http.Client
	request func() (*http.Request, error)
	digest  string // "" when the content is verified by the caller
	size    int64  // exact; -1 when not known
	limit   int64  // bytes, when the size is not known
	what    string
	f       *os.File
	have    Validators // of what the caller has already

	now   Validators // of what came
	old   bool       // the beginning is of an earlier time, and may be anything
	done  int64
	sum   digester
	etag  string // of the first answer, when the size is not known: it must not change in between
	total int64  // what the first answer said; -1 when not known
}

// download tries until the file is whole, each time from where it stands.
func (c *Client) download(ctx context.Context, d *download) error {
	if err := d.begin(); err != nil {
		return err
	}
	for failed := 1; ; {
		before := d.done
		err := c.attempt(d)
		if d.old && d.wrong(err) { // what lay there was no beginning of it
			if err := d.restart(); err != nil {
				return err
			}
			continue
		}
		var full *os.PathError
		var none *unanswered
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.As(err, &full) || errors.As(err, &none) || !passing(err) { // the disk, or what stays the same
			return err
		}
		if d.done > before {
			failed = 1 // it gets on: that is no failure of the same kind again
		}
		if failed >= c.attempts() {
			return fmt.Errorf("%w after %d of %s bytes (%d attempts)", err, d.done, d.expected(), failed)
		}
		c.tell(d.what, failed, fmt.Sprintf("%v after %d of %s bytes", err, d.done, d.expected()))
		if err := c.pause(ctx, failed, 0); err != nil {
			return err
		}
		failed++
	}
	if got := d.sum.String(); d.digest != "" && got != d.digest {
		return corrupt("the digest of what came is %s", got)
	}
	return nil
}

func (d *download) expected() string {
	switch {
	case d.size >= 0:
		return fmt.Sprint(d.size)
	case d.total >= 0:
		return fmt.Sprint(d.total)
	}
	return "?"
}

// begin looks what the file holds already. Only what has a digest can go on
// with that.
func (d *download) begin() error {
	st, err := d.f.Stat()
	if err != nil {
		return err
	}
	if d.digest == "" || d.size < 0 || st.Size() == 0 || st.Size() > d.size {
		return d.restart()
	}
	d.sum, d.total, d.old = newDigest(), -1, true
	if _, err := d.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	d.done, err = io.Copy(d.sum, d.f)
	return err
}

// wrong reports whether it shows, after an attempt, that what the file held
// before is of something else, or that the server has no way to add to it.
func (d *download) wrong(err error) bool {
	var status *StatusError
	if err != nil {
		return errors.As(err, &status) && status.Code == http.StatusRequestedRangeNotSatisfiable || errors.Is(err, ErrCorrupt)
	}
	return d.sum.String() != d.digest
}

// restart throws away what came.
func (d *download) restart() error {
	d.old = false
	d.done, d.sum, d.etag, d.total = 0, newDigest(), "", -1
	if err := d.f.Truncate(0); err != nil {
		return err
	}
	_, err := d.f.Seek(0, io.SeekStart)
	return err
}

// attempt makes one request for what is missing.
func (c *Client) attempt(d *download) error {
	req, err := d.request()
	if err != nil {
		return err
	}
	if d.size >= 0 && d.done == d.size && d.digest != "" {
		return nil // nothing to get; its digest is checked all the same
	}
	resuming := d.done > 0 && (d.size >= 0 || d.etag != "")
	if resuming {
		end := ""
		if d.size >= 0 {
			end = fmt.Sprint(d.size - 1)
		}
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%s", d.done, end))
		if d.etag != "" {
			req.Header.Set("If-Range", d.etag)
		}
	}
	conditional := d.done == 0 && d.have != Validators{}
	if conditional {
		d.have.condition(req.Header)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return &unanswered{own(err)}
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusPartialContent && resuming && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", d.done)):
	case resp.StatusCode == http.StatusOK:
		if d.done > 0 { // the server cannot go on where it stopped
			if err := d.restart(); err != nil {
				return err
			}
		}
		if d.size < 0 {
			d.total, d.now = resp.ContentLength, validatorsOf(resp.Header)
			if tag := resp.Header.Get("ETag"); !strings.HasPrefix(tag, "W/") {
				d.etag = tag
			}
		}
	case resp.StatusCode == http.StatusNotModified && conditional:
		return ErrUnchanged
	default:
		return c.statusError(resp)
	}
	return c.body(d, resp)
}

// unanswered is the failure of a request that got no answer in as many attempts
// as it may have (guard.RoundTrip).
type unanswered struct{ error }

func (u *unanswered) Unwrap() error { return u.error }

// body appends an answer's body to the file.
func (c *Client) body(d *download, resp *http.Response) error {
	limit := d.limit
	if d.size >= 0 {
		limit = d.size
	}
	report := &meter{func(n int64) {
		d.done += n
		c.report(Progress{What: d.what, Done: d.done, Total: max(d.size, d.total, 0)})
	}}
	_, err := io.Copy(io.MultiWriter(d.f, d.sum, report), io.LimitReader(resp.Body, limit-d.done))
	if err != nil {
		return err
	}
	var more [1]byte
	if n, _ := io.ReadFull(resp.Body, more[:]); n > 0 {
		return corrupt("more than %d bytes came", limit)
	}
	switch {
	case d.size >= 0 && d.done < d.size && resp.ContentLength >= 0:
		return corrupt("%d of %d bytes came", d.done, d.size) // the server meant to send no more
	case d.size >= 0 && d.done < d.size, d.size < 0 && d.total >= 0 && d.done < d.total:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// meter counts what passes.
type meter struct{ add func(int64) }

func (m *meter) Write(b []byte) (int, error) {
	m.add(int64(len(b)))
	return len(b), nil
}

// PutBlob uploads a blob unless the registry has it, and says whether it did.
func (r *Repository) PutBlob(ctx context.Context, digest string, size int64, open func() (io.ReadCloser, error)) (uploaded bool, err error) {
	e := r.origin()
	client, err := e.client(ctx, tr.PushScope)
	if err == nil {
		uploaded, err = e.put(ctx, client, digest, size, open)
	}
	if err != nil {
		return false, fmt.Errorf("put the blob %s: %w", short(digest), err)
	}
	return uploaded, nil
}

func (e *endpoint) put(ctx context.Context, client *http.Client, digest string, size int64, open func() (io.ReadCloser, error)) (bool, error) {
	for failed := 1; ; failed++ {
		there, err := e.has(ctx, client, digest, size)
		if err != nil || there {
			return failed > 1 && there, err
		}
		err = e.upload(ctx, client, digest, size, open)
		if err == nil {
			return true, nil
		}
		var status *StatusError
		passes := passing(err) || errors.As(err, &status) && status.Code >= 500
		if ctx.Err() != nil || !passes || failed >= e.c.attempts() {
			return false, err
		}
		if err := e.c.pause(ctx, failed, 0); err != nil {
			return false, err
		}
	}
}

// has asks for a blob without getting it.
func (e *endpoint) has(ctx context.Context, client *http.Client, digest string, size int64) (bool, error) {
	req, err := e.request(ctx, http.MethodHead, "blobs", digest)
	if err != nil {
		return false, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return false, own(err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusOK:
		return resp.ContentLength < 0 || resp.ContentLength == size, nil
	case resp.StatusCode == http.StatusNotFound:
		return false, nil
	}
	return false, e.c.statusError(resp)
}

// upload sends a blob in one piece (distribution specification, "Pushing a
// blob monolithically": POST, then PUT).
func (e *endpoint) upload(ctx context.Context, client *http.Client, digest string, size int64, open func() (io.ReadCloser, error)) error {
	req, err := e.request(ctx, http.MethodPost, "blobs", "uploads/")
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return own(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return e.c.statusError(resp)
	}
	to, err := resp.Request.URL.Parse(resp.Header.Get("Location"))
	if err != nil || resp.Header.Get("Location") == "" {
		return corrupt("the registry names no place for the upload")
	}
	if err := redirect(&http.Request{URL: to}, []*http.Request{{URL: resp.Request.URL}}); err != nil {
		return err
	}
	q := to.Query()
	q.Set("digest", digest)
	to.RawQuery = q.Encode()
	return e.send(ctx, client, to, size, open)
}

func (e *endpoint) send(ctx context.Context, client *http.Client, to *url.URL, size int64, open func() (io.ReadCloser, error)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, to.String(), nil)
	if err != nil {
		return err
	}
	setBody(req, size, open)
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := client.Do(req)
	if err != nil {
		return own(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return e.c.statusError(resp)
	}
	return nil
}
