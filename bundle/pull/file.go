package pull

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
)

// File writes what a plain HTTPS server has at an address to an empty file, of
// at most limit bytes. The caller verifies it: there is no digest here. A name
// and password in the address go to its host only; there are no others.
func (c *Client) File(ctx context.Context, address string, limit int64, f *os.File) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return fmt.Errorf("get %s: no address of a file", clip(address, 200))
	}
	err = c.download(ctx, &download{
		client: &http.Client{Transport: c.transport(), CheckRedirect: redirect},
		size:   -1, limit: limit, f: f, what: path.Base(u.Path),
		request: func() (*http.Request, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
			if err == nil {
				req.Header.Set("Accept-Encoding", "identity")
				req.Header.Set("User-Agent", "fnaudit")
			}
			return req, err
		},
	})
	if err != nil {
		return fmt.Errorf("get the file: %w", err)
	}
	return nil
}
