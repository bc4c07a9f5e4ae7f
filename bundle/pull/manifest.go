package pull

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"

	tr "github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Media types of manifests that are understood
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md, and
// docker's, which mean the same).
const (
	mediaManifest       = "application/vnd.oci.image.manifest.v1+json"
	mediaIndex          = "application/vnd.oci.image.index.v1+json"
	mediaDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	mediaDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// Manifest gets a manifest by its tag or digest. Its digest is verified when it
// is named by one. The error wraps fs.ErrNotExist when there is none.
func (r *Repository) Manifest(ctx context.Context, id string) (body []byte, mediaType string, err error) {
	err = r.each(ctx, func(e *endpoint) (err error) {
		body, mediaType, err = e.manifest(ctx, id)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("get the manifest of %s: %w", join(r.Reference.Repository(), id), err)
	}
	return body, mediaType, nil
}

func join(repository, id string) string {
	if isDigest(id) {
		return repository + "@" + id
	}
	return repository + ":" + id
}

func (e *endpoint) manifest(ctx context.Context, id string) ([]byte, string, error) {
	b, kind, err := e.document(ctx, "manifests", id, mediaManifest, mediaIndex, mediaDockerManifest, mediaDockerList)
	if err != nil {
		return nil, "", err
	}
	if got := digestOf(b); isDigest(id) && got != id {
		return nil, "", corrupt("the digest of the manifest is %s", got)
	}
	return b, kind, nil
}

// document gets what is small enough to be read at once, with its media type.
func (e *endpoint) document(ctx context.Context, what, id string, accept ...string) ([]byte, string, error) {
	client, err := e.client(ctx, tr.PullScope)
	if err != nil {
		return nil, "", err
	}
	req, err := e.request(ctx, http.MethodGet, what, id)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Accept", strings.Join(accept, ", "))
	var resp *http.Response
	var b []byte
	for failed := 1; ; failed++ {
		if resp, err = client.Do(req); err != nil {
			return nil, "", own(err)
		}
		if resp.StatusCode != http.StatusOK {
			err = e.c.statusError(resp)
			resp.Body.Close()
			return nil, "", err
		}
		b, err = io.ReadAll(io.LimitReader(resp.Body, maxManifest+1))
		resp.Body.Close()
		if err == nil {
			break
		}
		if !passing(err) || failed >= e.c.attempts() {
			return nil, "", fmt.Errorf("read the manifest: %w", err)
		}
		if err := e.c.pause(ctx, failed, 0); err != nil {
			return nil, "", err
		}
	}
	if len(b) > maxManifest {
		return nil, "", corrupt("the manifest has over %d bytes", maxManifest)
	}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return b, strings.TrimSpace(kind), nil
}

// digestOf returns the sha256 digest of bytes.
func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// digester computes a digest.
type digester struct{ hash.Hash }

func newDigest() digester { return digester{sha256.New()} }

// String returns the digest of what was written so far.
func (d digester) String() string { return "sha256:" + hex.EncodeToString(d.Sum(nil)) }

// PutManifest writes a manifest under a tag or its digest.
func (r *Repository) PutManifest(ctx context.Context, id, mediaType string, body []byte) error {
	e := r.origin()
	fail := func(err error) error {
		return fmt.Errorf("put the manifest of %s: %w", join(r.Reference.Repository(), id), err)
	}
	client, err := e.client(ctx, tr.PushScope)
	if err != nil {
		return fail(err)
	}
	req, err := e.request(ctx, http.MethodPut, "manifests", id)
	if err != nil {
		return fail(err)
	}
	setBody(req, int64(len(body)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil })
	req.Header.Set("Content-Type", mediaType)
	resp, err := client.Do(req)
	if err != nil {
		return fail(own(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated && resp.StatusCode != http.StatusOK {
		return fail(e.c.statusError(resp))
	}
	if got, want := resp.Header.Get("Docker-Content-Digest"), digestOf(body); isDigest(got) && got != want {
		return fail(corrupt("the registry says that its digest is %s, it is %s", got, want))
	}
	return nil
}

// setBody gives a request a body that can be sent more than once.
func setBody(req *http.Request, size int64, open func() (io.ReadCloser, error)) {
	req.ContentLength, req.GetBody = size, open
	req.Body = &lazyBody{open: open}
}

// lazyBody opens a body when it is read first.
type lazyBody struct {
	open func() (io.ReadCloser, error)
	rc   io.ReadCloser
}

func (l *lazyBody) Read(p []byte) (int, error) {
	if l.rc == nil {
		rc, err := l.open()
		if err != nil {
			return 0, err
		}
		l.rc = rc
	}
	return l.rc.Read(p)
}

func (l *lazyBody) Close() error {
	if l.rc == nil {
		return nil
	}
	return l.rc.Close()
}
