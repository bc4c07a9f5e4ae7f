package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// Registry is a repository of a registry. Manifests are named by a tag or a
// digest, "sha256:…"; an error that wraps fs.ErrNotExist means that there is none.
type Registry interface {
	Manifest(ctx context.Context, id string) (body []byte, mediaType string, err error)
	PutBlob(ctx context.Context, digest string, size int64, open func() (io.ReadCloser, error)) (uploaded bool, err error)
	PutManifest(ctx context.Context, id, mediaType string, body []byte) error
	Referrers(ctx context.Context, digest, artifactType string) ([]string, error)
}

// Attach puts attestations into a registry, as referrers of the image with a
// digest. A registry that cannot list referrers gets the list as an index under
// the tag sha256-<hex> (distribution-spec 1.1, "Referrers Tag Schema"). The
// summary is last, and only when it is there is all well.
func Attach(ctx context.Context, reg Registry, digest string, list []Attestation) error {
	body, _, err := reg.Manifest(ctx, digest)
	if err != nil {
		return fmt.Errorf("attach the attestations: %w", err)
	}
	subject, err := subjectOf(digest, body)
	if err != nil {
		return fmt.Errorf("attach the attestations: %w", err)
	}
	for _, a := range list {
		r, err := refer(subject, a)
		if err != nil {
			return err
		}
		if err := push(ctx, reg, digest, r); err != nil {
			return fmt.Errorf("attach %s: %w", a.PredicateType, err)
		}
	}
	return nil
}

func push(ctx context.Context, reg Registry, subject string, r referrer) error {
	for _, b := range r.blobs {
		open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
		if _, err := reg.PutBlob(ctx, describe("", b).Digest, int64(len(b)), open); err != nil {
			return err
		}
	}
	if err := reg.PutManifest(ctx, r.desc.Digest, mediaManifest, r.manifest); err != nil {
		return err
	}
	listed, err := reg.Referrers(ctx, subject, mediaBundle)
	if err != nil {
		return err
	}
	if slices.Contains(listed, r.desc.Digest) {
		return nil
	}
	return list(ctx, reg, strings.Replace(subject, ":", "-", 1), r.desc)
}

// list adds a referrer to the index under the tag of a subject.
func list(ctx context.Context, reg Registry, tag string, d Descriptor) error {
	body, kind, err := reg.Manifest(ctx, tag)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		body = []byte(`{"schemaVersion":2,"mediaType":"` + mediaIndex + `","manifests":[]}`)
	case err != nil:
		return err
	case kind != mediaIndex:
		return fmt.Errorf("what the registry has under the tag %s is no list of referrers", tag)
	}
	if body, err = appendTo(body, []Descriptor{d}); err != nil {
		return err
	}
	return reg.PutManifest(ctx, tag, mediaIndex, body)
}
