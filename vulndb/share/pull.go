package share

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/fnaudit/fnaudit/vulndb"
)

// ErrUnsigned is wrapped by the error of a pull whose artifact no known key
// vouches for.
var ErrUnsigned = errors.New("no valid signature")

// PullOptions are the settings of Pull.
type PullOptions struct {
	ID                    string    // tag or digest of the artifact
	Verifier              *Verifier // nil: ID has to be a digest that the caller trusts, or the next field set
	InsecureSkipSignature bool
	Adopt                 vulndb.AdoptOptions // Trusted is set here
}

// Pulled says what Pull did.
type Pulled struct {
	Digest   string          // of the artifact's manifest
	Snapshot vulndb.Snapshot // of the store afterwards
	Fetched  int             // layers that were not there already
}

// Pull makes an artifact of a registry, or some of its ecosystems, part of the
// store in dir. Nothing is believed before a key has vouched for the manifest,
// or the caller has by naming its digest.
func Pull(ctx context.Context, dir string, reg Registry, o PullOptions) (Pulled, error) {
	body, _, err := reg.Manifest(ctx, o.ID)
	if err != nil {
		return Pulled{}, fmt.Errorf("pull store: %w", err)
	}
	p := Pulled{Digest: digestOf(body)}
	pinned := p.Digest == o.ID
	switch {
	case o.Verifier != nil:
		if err := verify(ctx, reg, o.Verifier, p.Digest, body); err != nil {
			return Pulled{}, fmt.Errorf("pull store: %w", err)
		}
	case !pinned && !o.InsecureSkipSignature:
		return Pulled{}, fmt.Errorf("pull store: %w: no key is given, and the reference is not pinned to a digest", ErrUnsigned)
	}
	o.Adopt.Trusted = o.Verifier != nil || pinned
	o.Adopt.Resume = true
	m, err := parseArtifact(body)
	if err != nil {
		return Pulled{}, fmt.Errorf("pull store: %w", err)
	}
	snapshot, err := blob(ctx, reg, m.Layers[0], maxSnapshot)
	if err != nil {
		return Pulled{}, fmt.Errorf("pull store: %w", err)
	}
	s, err := vulndb.ParseSnapshot(snapshot)
	if err != nil {
		return Pulled{}, fmt.Errorf("pull store: %w", err)
	}
	if err := m.matches(s); err != nil {
		return Pulled{}, fmt.Errorf("pull store: %w", err)
	}
	p.Snapshot, err = vulndb.Adopt(ctx, dir, s, o.Adopt, func(ctx context.Context, src vulndb.File, f *os.File) error {
		p.Fetched++
		return reg.Blob(ctx, src.Digest, src.Size, f)
	})
	if err != nil {
		return Pulled{}, fmt.Errorf("pull store: %w", err)
	}
	return p, nil
}

// blob reads a small blob.
func blob(ctx context.Context, reg Registry, d descriptor, limit int64) ([]byte, error) {
	if d.Size < 0 || d.Size > limit {
		return nil, fmt.Errorf("a blob of %d bytes, where %d are the limit", d.Size, limit)
	}
	f, err := os.CreateTemp("", "fnaudit-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := reg.Blob(ctx, d.Digest, d.Size, f); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// signatures returns the manifest that holds the signatures over another one.
// The error wraps fs.ErrNotExist when there is none.
func signatures(ctx context.Context, reg Registry, digest string) (manifest, error) {
	var m manifest
	body, _, err := reg.Manifest(ctx, signatureTag(digest))
	if err != nil {
		return m, err
	}
	if json.Unmarshal(body, &m) != nil || m.MediaType != mediaManifest && m.MediaType != "" {
		return manifest{}, errors.New("what lies where its signatures should is no manifest")
	}
	return m, nil
}

// maxPayload bounds a signature's payload in bytes; one has 250.
const maxPayload = 64 << 10

// verify looks for a signature by the key over the manifest with a digest and
// its bytes, where cosign 2 put it and then where cosign 3 does. One that holds
// is enough; others may be there, by other keys.
func verify(ctx context.Context, reg Registry, v *Verifier, digest string, body []byte) error {
	m, err := signatures(ctx, reg, digest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for its signature: %w", err)
	}
	unsigned := err != nil
	if len(m.Layers) > maxSignatures {
		return fmt.Errorf("%w: %d signatures, over %d", ErrUnsigned, len(m.Layers), maxSignatures)
	}
	for _, l := range m.Layers {
		sig, err := base64.StdEncoding.DecodeString(l.Annotations[annotationSignature])
		if l.MediaType != mediaSigning || err != nil || len(sig) == 0 || len(sig) > MaxSignature {
			continue
		}
		text, err := blob(ctx, reg, l, maxPayload)
		if err != nil {
			return fmt.Errorf("get its signature: %w", err)
		}
		if v.verify(whole(text), sig) == nil && signs(text, digest) {
			return nil
		}
	}
	n, ok, err := bundles(ctx, reg, v, digest, body)
	switch {
	case err != nil:
		return fmt.Errorf("look for its signature: %w", err)
	case ok:
		return nil
	case unsigned && n == 0:
		return fmt.Errorf("%w: %s is not signed", ErrUnsigned, digest)
	}
	return fmt.Errorf("%w: none of the %d signatures over %s is by the given key", ErrUnsigned, len(m.Layers)+n, digest)
}
