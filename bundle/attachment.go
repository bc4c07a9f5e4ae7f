package bundle

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

const (
	// maxAttachments bounds how many manifests beside one image are looked at.
	maxAttachments = 1000
	// maxDocumentBytes bounds in bytes what is read of a layout to find manifests
	// that no index names.
	maxDocumentBytes = 512 << 20
)

// Media types of the layers in which cosign keeps signatures and attestations
// (github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md and
// specs/ATTESTATION_SPEC.md).
const (
	typeSimpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json"
	typeDSSE          = "application/vnd.dsse.envelope.v1+json"
)

// annotationKind marks the entries of index.json that cosign save writes.
const annotationKind = "kind"

// Attachment is a manifest that may hold signatures of an image or statements
// about it. That it does is its own claim, or that of whoever wrote the index.
type Attachment struct {
	Digest   Digest
	Manifest []byte // with that digest; nil with Err
	Err      error  // why it cannot be read
}

// attached is what a manifest says of what it is attached to.
type attached struct {
	MediaType string       `json:"mediaType"`
	Subject   *descriptor  `json:"subject"`
	Layers    []descriptor `json:"layers"`
}

// Attachments returns the manifests of a layout that may hold signatures of the
// image with one of some digests: those that name it as their subject (image-spec
// 1.1, manifest.md), whether an index names them or not; those under cosign's
// tags sha256-….sig and sha256-….att, or under the tag sha256-… where registries
// without referrers have an index of them; those that cosign save marks; and those
// that hold cosign signatures and are not tagged for another image. They are
// sorted by digest.
func (l *Layout) Attachments(ctx context.Context, digests []Digest) ([]Attachment, error) {
	top, err := l.top()
	if err != nil {
		return nil, err
	}
	s := &attachments{l: l, digests: digests, named: map[Digest]bool{}, others: map[Digest]bool{}, found: map[Digest]Attachment{}}
	for i := range top.Manifests {
		s.tagged(&top.Manifests[i])
	}
	if err := s.walk(ctx); err != nil {
		return nil, fmt.Errorf("look for signatures in %s: %w", l.ref, err)
	}
	for d := range s.named {
		if _, ok := s.found[d]; !ok {
			_, err := l.document(d, l.lim.MaxManifestBytes)
			s.found[d] = Attachment{Digest: d, Err: cmp.Or(err, fmt.Errorf("blob %s is no manifest: %w", d, ErrUnreadable))}
		}
	}
	if len(s.found) > maxAttachments {
		return nil, fmt.Errorf("look for signatures in %s: %d manifests beside the image, over %d: %w", l.ref, len(s.found), maxAttachments, ErrUnreadable)
	}
	out := make([]Attachment, 0, len(s.found))
	for _, a := range s.found {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Attachment) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	return out, nil
}

// Content returns a blob of a size.
func (l *Layout) Content(_ context.Context, digest Digest, size int64) ([]byte, error) {
	data, err := l.document(digest, size)
	if err == nil && int64(len(data)) != size {
		err = fmt.Errorf("blob %s has %d bytes, its descriptor says %d: %w", digest, len(data), size, ErrUnreadable)
	}
	return data, err
}

// attachments is the state of one search.
type attachments struct {
	l       *Layout
	digests []Digest
	named   map[Digest]bool // by an index, for one of digests
	others  map[Digest]bool // by an index, for other images
	found   map[Digest]Attachment
}

// tagged takes in an entry of index.json that is a signature by its name.
func (s *attachments) tagged(d *descriptor) {
	switch d.Annotations[annotationKind] {
	case "dev.cosignproject.cosign/sigs", "dev.cosignproject.cosign/atts":
		s.named[d.Digest] = true
	}
	for _, name := range d.names() {
		image, suffix := attachmentTag(name)
		switch {
		case image == "" || suffix == "sbom": // which nobody signed
		case !slices.Contains(s.digests, image):
			s.others[d.Digest] = true
		case suffix == "":
			s.fallback(d.Digest)
		default:
			s.named[d.Digest] = true
		}
	}
}

// fallback takes in the index that stands for a list of referrers
// (distribution-spec 1.1, "Referrers Tag Schema").
func (s *attachments) fallback(digest Digest) {
	body, err := s.l.document(digest, s.l.lim.MaxManifestBytes)
	if err != nil {
		s.found[digest] = Attachment{Digest: digest, Err: err}
		return
	}
	m, err := parseManifest(body)
	if err != nil || !m.isIndex() {
		s.found[digest] = Attachment{Digest: digest, Err: cmp.Or(err, fmt.Errorf("manifest %s is no index: %w", digest, ErrUnreadable))}
		return
	}
	for i := range m.Manifests {
		s.named[m.Manifests[i].Digest] = true
	}
}

// attachmentTag reads the tags under which things are attached to an image:
// sha256-HEX, with .sig, .att or .sbom behind it. image is "" for other names.
func attachmentTag(name string) (image Digest, suffix string) {
	name = name[strings.LastIndexAny(name, "/:")+1:]
	sum, suffix, dot := strings.Cut(name, ".")
	if hexa, ok := strings.CutPrefix(sum, "sha256-"); ok {
		image = Digest("sha256:" + hexa)
	}
	if !image.valid() || dot && suffix != "sig" && suffix != "att" && suffix != "sbom" {
		return "", ""
	}
	return image, suffix
}

// walk reads every blob that may be a manifest.
func (s *attachments) walk(ctx context.Context) error {
	names, err := s.l.files.blobs(ctx)
	if err != nil {
		return err
	}
	left := int64(maxDocumentBytes)
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		digest := Digest("sha256:" + name)
		if !digest.valid() {
			continue
		}
		body, err := s.l.manifestLike(digest)
		if left -= int64(len(body)); left < 0 {
			return fmt.Errorf("the documents in it have more than %d bytes: %w", int64(maxDocumentBytes), ErrUnreadable)
		}
		switch {
		case err == nil && body != nil && s.about(digest, body):
			s.found[digest] = attachment(digest, body)
		case err != nil && s.named[digest]:
			s.found[digest] = Attachment{Digest: digest, Err: err}
		}
	}
	return nil
}

// attachment compares a manifest with its digest.
func attachment(digest Digest, body []byte) Attachment {
	if got := digestOfBytes(body); got != digest {
		return Attachment{Digest: digest, Err: &WrongDigest{Digest: digest, Got: got}}
	}
	return Attachment{Digest: digest, Manifest: body}
}

// manifestLike returns a blob that may be a manifest by its first byte and its
// size, unchecked; nil for another.
func (l *Layout) manifestLike(digest Digest) ([]byte, error) {
	name, err := digest.blobName()
	if err != nil {
		return nil, err
	}
	head, _, err := l.files.read(name, 64)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	body, whole, err := l.files.read(name, l.lim.MaxManifestBytes)
	if err != nil || !whole {
		return nil, err
	}
	return body, nil
}

// about says whether a manifest may hold signatures of the image.
func (s *attachments) about(digest Digest, body []byte) bool {
	if s.named[digest] {
		return true
	}
	if !bytes.Contains(body, []byte("subject")) && !bytes.Contains(body, []byte("layers")) {
		return false
	}
	var m attached
	if json.Unmarshal(body, &m) != nil {
		return false
	}
	if m.Subject != nil {
		return slices.Contains(s.digests, m.Subject.Digest)
	}
	return !s.others[digest] && signatureLayers(m.Layers)
}

// signatureLayers says whether all layers of a manifest are cosign's signatures or
// attestations.
func signatureLayers(layers []descriptor) bool {
	return allOf(layers, typeSimpleSigning, typeDSSE)
}

// besideImage says whether all layers of a manifest are what cosign attaches to
// images, bills of materials too (specs/SBOM_SPEC.md; the last is syft's).
func besideImage(layers []descriptor) bool {
	return allOf(layers, typeSimpleSigning, typeDSSE, "text/spdx", "text/spdx+json", "text/spdx+xml",
		"application/vnd.cyclonedx", "application/vnd.cyclonedx+json", "application/vnd.cyclonedx+xml", "application/vnd.syft+json")
}

// allOf says whether there are layers and each is of one of some media types.
func allOf(layers []descriptor, types ...string) bool {
	return len(layers) > 0 && !slices.ContainsFunc(layers, func(d descriptor) bool { return !slices.Contains(types, d.MediaType) })
}
