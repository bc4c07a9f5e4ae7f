package share

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// Registry is a repository of a registry. Manifests are named by a tag or a
// digest, "sha256:...". Whoever implements it verifies every digest and size.
// The file of a Blob is empty, or holds what came of the blob at an earlier time;
// an error that wraps fs.ErrNotExist means that there is no such thing.
type Registry interface {
	Manifest(ctx context.Context, id string) (body []byte, mediaType string, err error)
	Blob(ctx context.Context, digest string, size int64, f *os.File) error
	PutBlob(ctx context.Context, digest string, size int64, open func() (io.ReadCloser, error)) (uploaded bool, err error)
	PutManifest(ctx context.Context, id, mediaType string, body []byte) error

	// Referrers returns the digests of the manifests with an artifactType that
	// refer to the one with a digest. None is no error.
	Referrers(ctx context.Context, digest, artifactType string) ([]string, error)
}

// PushOptions are the settings of Push.
type PushOptions struct {
	Tag        string    // empty: the artifact can only be had by its digest
	Repository string    // its full name, which a signature states
	Ecosystems []string  // empty: all
	Created    time.Time // zero: when the store's newest source is from, so that the same store is the same artifact
	Signer     *Signer   // nil: not signed
}

// Pushed says what Push did.
type Pushed struct {
	Digest   string // of the manifest: what to pin
	Snapshot vulndb.Snapshot
	Uploaded int // layers that the registry did not have
	Signed   bool
}

// Push writes the store in dir to a registry: what the registry does not have,
// then the signature, then the tag, so that whoever follows the tag finds
// everything.
func Push(ctx context.Context, dir string, reg Registry, o PushOptions) (Pushed, error) {
	s, snapshot, err := vulndb.Offer(dir, o.Ecosystems)
	if err != nil {
		return Pushed{}, fmt.Errorf("push store: %w", err)
	}
	if o.Created.IsZero() {
		o.Created = s.BuiltAt
	}
	body, err := artifact(s, snapshot, o.Created)
	if err != nil {
		return Pushed{}, err
	}
	p := Pushed{Digest: digestOf(body), Snapshot: s}
	if p.Uploaded, err = putLayers(ctx, dir, reg, s, snapshot); err != nil {
		return Pushed{}, fmt.Errorf("push store: %w", err)
	}
	if err := reg.PutManifest(ctx, p.Digest, mediaManifest, body); err != nil {
		return Pushed{}, fmt.Errorf("push store: %w", err)
	}
	if o.Signer != nil {
		if err := sign(ctx, reg, o.Signer, o.Repository, p.Digest, o.Created); err != nil {
			return Pushed{}, fmt.Errorf("sign store: %w", err)
		}
		p.Signed = true
	}
	if o.Tag != "" {
		if err := reg.PutManifest(ctx, o.Tag, mediaManifest, body); err != nil {
			return Pushed{}, fmt.Errorf("push store: %w", err)
		}
	}
	return p, nil
}

func putLayers(ctx context.Context, dir string, reg Registry, s vulndb.Snapshot, snapshot []byte) (uploaded int, err error) {
	for _, b := range [][]byte{[]byte(emptyConfig), snapshot} {
		if err := putBytes(ctx, reg, b); err != nil {
			return 0, err
		}
	}
	for _, src := range s.Files() {
		// Only what is true is passed on; the registry would refuse it later with less to say.
		if err := intact(src.Path(dir), src); err != nil {
			return uploaded, err
		}
		fresh, err := reg.PutBlob(ctx, src.Digest, src.Size, func() (io.ReadCloser, error) { return os.Open(src.Path(dir)) })
		if err != nil {
			return uploaded, fmt.Errorf("%s: %w", src.Of, err)
		}
		if fresh {
			uploaded++
		}
	}
	return uploaded, nil
}

func intact(name string, src vulndb.File) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	if n != src.Size || "sha256:"+hex.EncodeToString(sum.Sum(nil)) != src.Digest {
		return fmt.Errorf("%s is not what the snapshot says: %w", path.Base(src.Name), vulndb.ErrDamaged)
	}
	return nil
}

func putBytes(ctx context.Context, reg Registry, b []byte) error {
	_, err := reg.PutBlob(ctx, digestOf(b), int64(len(b)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil })
	return err
}

// maxSignatures bounds the signatures over one manifest: each costs a request.
const maxSignatures = 32

// sign adds a signature to those that there are over a manifest.
func sign(ctx context.Context, reg Registry, s *Signer, repository, digest string, created time.Time) error {
	text, err := newPayload(repository, digest)
	if err != nil {
		return err
	}
	sig, err := s.sign(whole(text))
	if err != nil {
		return err
	}
	layer := descriptor{MediaType: mediaSigning, Digest: digestOf(text), Size: int64(len(text)),
		Annotations: map[string]string{annotationSignature: base64.StdEncoding.EncodeToString(sig)}}
	m, err := signatures(ctx, reg, digest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	same := func(d descriptor) bool {
		return d.Digest == layer.Digest && d.Annotations[annotationSignature] == layer.Annotations[annotationSignature]
	}
	if slices.ContainsFunc(m.Layers, same) {
		return nil
	}
	if len(m.Layers) >= maxSignatures {
		return fmt.Errorf("there are %d signatures over it already", len(m.Layers))
	}
	m.Layers = append(m.Layers, layer)
	config, err := signatureConfig(m.Layers, created)
	if err != nil {
		return err
	}
	m.SchemaVersion, m.MediaType = 2, mediaManifest
	m.Config = descriptor{MediaType: "application/vnd.oci.image.config.v1+json", Digest: digestOf(config), Size: int64(len(config))}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	for _, b := range [][]byte{config, text} {
		if err := putBytes(ctx, reg, b); err != nil {
			return err
		}
	}
	return reg.PutManifest(ctx, signatureTag(digest), mediaManifest, body)
}

// signatureConfig is the image config that cosign writes for signatures:
// nothing but the digests of the payloads.
func signatureConfig(layers []descriptor, created time.Time) ([]byte, error) {
	var c struct {
		Architecture string    `json:"architecture"`
		Created      time.Time `json:"created"`
		OS           string    `json:"os"`
		RootFS       struct {
			Type    string   `json:"type"`
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
		Config struct{} `json:"config"`
	}
	c.Created = created.UTC().Truncate(time.Second)
	c.RootFS.Type = "layers"
	for _, l := range layers {
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, l.Digest)
	}
	return json.Marshal(c)
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
