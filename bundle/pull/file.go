package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
)

// Validators are what a server said about a file when it was fetched, for
// the next, conditional request (RFC 9110, section 13). The zero value asks for
// the file in any case.
type Validators struct{ ETag, LastModified string }

// maxValidator bounds in bytes what a server can make us keep.
const maxValidator = 1024

// ErrUnchanged is wrapped by the error of File when the server says that the
// file is the one that the validators are of.
var ErrUnchanged = errors.New("unchanged")

// File writes what a plain HTTPS server has at an address to an empty file, of
// at most limit bytes, unless it is still what have is of. The caller verifies
// it: there is no digest here. A name and password in the address go to its
// host only; there are no others.
func (c *Client) File(ctx context.Context, address string, limit int64, f *os.File, have Validators) (Validators, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return Validators{}, errors.New("get the file: this is no address of one")
	}
	d := &download{
		client: &http.Client{Transport: c.transport(), CheckRedirect: redirect},
		size:   -1, limit: limit, f: f, what: path.Base(u.Path), have: have,
		request: func() (*http.Request, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
			if err == nil {
				req.Header.Set("Accept-Encoding", "identity")
				req.Header.Set("User-Agent", "fnaudit")
			}
			return req, err
		},
	}
	if err := c.download(ctx, d); err != nil {
		return Validators{}, fmt.Errorf("get the file: %w", err)
	}
	return d.now, nil
}

// condition asks for a file only if it is another one than before.
func (v Validators) condition(h http.Header) {
	if v.ETag != "" {
		h.Set("If-None-Match", v.ETag)
	} else if v.LastModified != "" {
		h.Set("If-Modified-Since", v.LastModified)
	}
}

// validatorsOf reads an answer's validators.
func validatorsOf(h http.Header) (v Validators) {
	if tag := h.Get("ETag"); len(tag) <= maxValidator {
		v.ETag = tag
	}
	if at := h.Get("Last-Modified"); len(at) <= maxValidator {
		v.LastModified = at
	}
	return v
}
