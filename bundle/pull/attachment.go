package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// maxContent bounds in bytes a blob that is read into memory.
const maxContent = 128 << 20

// Image reads the manifest that the signatures of an image are over: the one with
// a digest, or that the reference is pinned to, which may be that of an index; else
// what the tag names, and of an index the manifest that [Client.Resolve] chooses.
// A digest that the reference's own does not lead to is an error.
func (r *Repository) Image(ctx context.Context, digest string) (*bundle.ImageManifest, error) {
	pinned := r.Reference.Digest()
	if digest == "" {
		digest = pinned
	}
	if digest == "" {
		return r.tagged(ctx)
	}
	body, kind, err := r.Manifest(ctx, digest)
	if err != nil {
		return nil, err
	}
	m := &bundle.ImageManifest{Digest: bundle.Digest(digest), MediaType: documentType(body, kind), Body: body}
	if digest == r.Reference.Identifier() {
		return m, nil
	}
	index, kind, err := r.Manifest(ctx, r.Reference.Identifier())
	if err != nil {
		return nil, err
	}
	above, ok := names(index, digest)
	switch {
	case ok:
		m.Indexes = []bundle.ManifestRef{{Digest: above, MediaType: documentType(index, kind), Size: int64(len(index))}}
	case pinned != "":
		return nil, fmt.Errorf("%s does not name the manifest %s", r.Reference, digest)
	}
	return m, nil
}

// tagged reads what the tag names.
func (r *Repository) tagged(ctx context.Context) (*bundle.ImageManifest, error) {
	img, err := r.c.Resolve(ctx, r.Reference, "")
	if err != nil {
		return nil, err
	}
	m := &bundle.ImageManifest{Digest: bundle.Digest(img.Manifest.Digest), MediaType: img.Manifest.MediaType, Body: img.body, Platform: img.Manifest.Platform.String()}
	if img.Index == "" {
		return m, nil
	}
	index, kind, err := r.Manifest(ctx, string(img.Index))
	if err != nil {
		return nil, err
	}
	if _, ok := names(index, img.Manifest.Digest); ok { // an index of indexes is not followed
		m.Indexes = []bundle.ManifestRef{{Digest: img.Index, MediaType: documentType(index, kind), Size: int64(len(index))}}
	}
	return m, nil
}

// documentType is what a manifest says that it is; else what the registry says.
func documentType(body []byte, kind string) string {
	var doc struct {
		MediaType string `json:"mediaType"`
	}
	if json.Unmarshal(body, &doc) == nil && doc.MediaType != "" {
		return doc.MediaType
	}
	return kind
}

// names says whether an index names a manifest, and returns the index's digest.
func names(index []byte, digest string) (bundle.Digest, bool) {
	var doc document
	if json.Unmarshal(index, &doc) != nil || len(doc.Manifests) > maxPlatforms {
		return "", false
	}
	return bundle.Digest(digestOf(index)), slices.ContainsFunc(doc.Manifests, func(d Descriptor) bool { return d.Digest == digest })
}

// Attachments returns the manifests that may hold signatures of the image with one
// of some digests, sorted by digest: those that the registry and its mirrors list
// as referrers, and those under cosign's tags sha256-….sig and sha256-….att
// (github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md). A manifest that cannot be
// had is one with an error; a list that cannot be had is an error.
func (r *Repository) Attachments(ctx context.Context, digests []bundle.Digest) ([]bundle.Attachment, error) {
	found := map[bundle.Digest]bundle.Attachment{}
	for _, d := range digests {
		referrers, err := r.Referrers(ctx, string(d), "")
		if err != nil {
			return nil, err
		}
		for _, digest := range referrers {
			body, _, err := r.Manifest(ctx, digest)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			found[bundle.Digest(digest)] = bundle.Attachment{Digest: bundle.Digest(digest), Manifest: body, Err: err}
		}
		for _, suffix := range []string{".sig", ".att"} {
			body, _, err := r.Manifest(ctx, strings.Replace(string(d), ":", "-", 1)+suffix)
			switch {
			case err == nil:
				digest := bundle.Digest(digestOf(body))
				found[digest] = bundle.Attachment{Digest: digest, Manifest: body}
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case !errors.Is(err, fs.ErrNotExist):
				return nil, err
			}
		}
	}
	out := make([]bundle.Attachment, 0, len(found))
	for _, a := range found {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b bundle.Attachment) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	return out, nil
}

// Content returns a blob of a size that fits into memory.
func (r *Repository) Content(ctx context.Context, digest bundle.Digest, size int64) ([]byte, error) {
	if size > maxContent {
		return nil, corrupt("blob %s has %d bytes, over %d", short(string(digest)), size, maxContent)
	}
	f, err := os.CreateTemp("", "fnaudit-blob-")
	if err != nil {
		return nil, fmt.Errorf("make room for a blob: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := r.Blob(ctx, string(digest), size, f); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	if _, err := f.ReadAt(data, 0); err != nil && size > 0 {
		return nil, fmt.Errorf("read back blob %s: %w", short(string(digest)), err)
	}
	if got := digestOf(data); got != string(digest) {
		return nil, &bundle.WrongDigest{Digest: digest, Got: bundle.Digest(got)}
	}
	return data, nil
}
