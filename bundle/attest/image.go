package attest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

const (
	// maxAttached bounds how many signatures and statements of one image are looked at.
	maxAttached = 2000
	// maxSimple bounds in bytes a simple signing document.
	maxSimple = 1 << 20
	// maxAttachedBytes bounds in bytes all evidence of one image.
	maxAttachedBytes = 512 << 20
)

// Media types and annotations of what is attached to images (cosign's
// specs/SIGNATURE_SPEC.md, specs/BUNDLE_SPEC.md; sigstore bundle format 0.3;
// Notary Project signature specification 1.1, "OCI Signatures").
const (
	typeSimpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json"
	typeEnvelope      = "application/vnd.dsse.envelope.v1+json"
	typeBundle        = "application/vnd.dev.sigstore.bundle" // and its versions
	typeNotation      = "application/vnd.cncf.notary.signature"
	typeJWS           = "application/jose+json"
	typeCOSE          = "application/cose"

	annotationSignature   = "dev.cosignproject.cosign/signature"
	annotationCertificate = "dev.sigstore.cosign/certificate"
	annotationBundle      = "dev.sigstore.cosign/bundle"
	annotationTimestamp   = "dev.sigstore.cosign/rfc3161timestamp"
)

// ImageStore is where an image lies together with what is attached to it: a
// layout or a repository of a registry. What it returns by digest has that digest.
type ImageStore interface {
	// Attachments returns the manifests that may hold signatures of, or statements
	// about, what has one of the digests.
	Attachments(ctx context.Context, digests []bundle.Digest) ([]bundle.Attachment, error)
	// Content returns a blob of a size.
	Content(ctx context.Context, digest bundle.Digest, size int64) ([]byte, error)
}

// alsoIndex is the word for an index in Subject.Also.
const alsoIndex = "image index"

// ImageSubject makes a subject of a manifest. A signature of an index that names
// it counts, since it binds the digest of every manifest that it names.
func ImageSubject(name string, m *bundle.ImageManifest) *Subject {
	s := &Subject{Name: name}
	s.OfImage(m)
	return s
}

// OfImage makes a subject that of a manifest: one that was known only by the
// manifest's digest gets its bytes and the indexes that name it. It must come
// before any other call.
func (s *Subject) OfImage(m *bundle.ImageManifest) {
	s.Digests = map[string]string{"sha256": strings.TrimPrefix(string(m.Digest), "sha256:")}
	s.Bytes, s.Size, s.MediaType, s.Indexes, s.Also = bytes.NewReader(m.Body), int64(len(m.Body)), m.MediaType, m.Indexes, nil
	for _, i := range m.Indexes {
		if s.Also == nil {
			s.Also = map[string]string{}
		}
		s.Also[string(i.Digest)] = alsoIndex
	}
}

// Attached reads the signatures and statements that a store holds for an image.
// What cannot be read is evidence with a fault, so that it is told.
func Attached(ctx context.Context, store ImageStore, s *Subject) ([]Evidence, error) {
	sum, err := s.Digest("sha256")
	if err != nil {
		return nil, err
	}
	digests := []bundle.Digest{bundle.Digest("sha256:" + sum)}
	for _, i := range s.Indexes {
		digests = append(digests, i.Digest)
	}
	list, err := store.Attachments(ctx, digests)
	if err != nil {
		return nil, err
	}
	r := &attachedReader{store: store, digests: digests}
	for _, a := range list {
		if err := r.manifest(ctx, a); err != nil {
			return nil, err
		}
	}
	return r.found, nil
}

// attachedReader collects evidence.
type attachedReader struct {
	store   ImageStore
	digests []bundle.Digest
	found   []Evidence
	bytes   int64
}

// attachedManifest is a manifest of signatures, as far as it is read.
type attachedManifest struct {
	ArtifactType string            `json:"artifactType"`
	Config       *attachedLayer    `json:"config"`
	Layers       []attachedLayer   `json:"layers"`
	Blobs        []attachedLayer   `json:"blobs"` // of artifact manifests, which a draft of image-spec 1.1 had
	Subject      *attachedLayer    `json:"subject"`
	Annotations  map[string]string `json:"annotations"`
}

type attachedLayer struct {
	MediaType   string            `json:"mediaType"`
	Digest      bundle.Digest     `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations"`
}

// manifest reads the layers of one manifest. Only a cancelled context and what
// goes beyond the limits are errors.
func (r *attachedReader) manifest(ctx context.Context, a bundle.Attachment) error {
	source := "manifest " + string(a.Digest)
	if a.Err != nil {
		return r.add(Evidence{Source: source, Fault: a.Err})
	}
	m, err := parseAttached(a.Manifest)
	if err != nil {
		return r.add(Evidence{Source: source, Fault: err})
	}
	if m.Subject != nil && !slices.Contains(r.digests, m.Subject.Digest) {
		return r.add(Evidence{Source: source, Fault: fmt.Errorf("it is attached to %s: %w", clip(string(m.Subject.Digest)), bundle.ErrUnreadable)})
	}
	for _, layer := range append(slices.Clone(m.Layers), m.Blobs...) {
		if err := ctx.Err(); err != nil {
			return err
		}
		format, most := m.format(layer.MediaType)
		if format == "" {
			continue
		}
		ev := Evidence{Source: fmt.Sprintf("blob %s of %s", clip(string(layer.Digest)), source), Format: format, Annotations: layer.Annotations, Image: true}
		if err := r.layer(ctx, &ev, layer, most); err != nil {
			return err
		}
	}
	return nil
}

// parseAttached reads a manifest of signatures.
func parseAttached(data []byte) (*attachedManifest, error) {
	var m attachedManifest
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("no manifest: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("no manifest: more than one JSON value")
	}
	return &m, nil
}

// format says what a layer holds, and how many bytes that may have; "" for what is
// no evidence, as an SBOM that nobody signed.
func (m *attachedManifest) format(mediaType string) (Format, int64) {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	notation := m.ArtifactType == typeNotation || m.Config != nil && m.Config.MediaType == typeNotation
	switch {
	case mediaType == typeSimpleSigning:
		return FormatSimple, maxSimple
	case mediaType == typeEnvelope:
		return FormatImageStatement, maxEnvelope
	case strings.HasPrefix(mediaType, typeBundle):
		return FormatBundle, maxEnvelope
	case mediaType == typeJWS && notation:
		return FormatJWS, maxNotation
	case mediaType == typeCOSE && notation:
		return FormatCOSE, maxNotation
	}
	return "", 0
}

// layer reads the blob of a piece of evidence.
func (r *attachedReader) layer(ctx context.Context, ev *Evidence, layer attachedLayer, most int64) error {
	if layer.Size < 0 || layer.Size > most {
		ev.Fault = fmt.Errorf("it has %d bytes, over %d: %w", layer.Size, most, bundle.ErrUnreadable)
		return r.add(*ev)
	}
	if r.bytes += layer.Size; r.bytes > maxAttachedBytes {
		return fmt.Errorf("what is attached to the image has more than %d bytes", int64(maxAttachedBytes))
	}
	data, err := r.store.Content(ctx, layer.Digest, layer.Size)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		ev.Fault = err
	case ev.Format == FormatSimple:
		ev.Payload = data
		ev.Data, err = base64.StdEncoding.DecodeString(layer.Annotations[annotationSignature])
		if err != nil || len(ev.Data) == 0 {
			ev.Fault = fmt.Errorf("there is no signature in the annotation %s", annotationSignature)
		}
	default:
		ev.Data = data
	}
	return r.add(*ev)
}

func (r *attachedReader) add(ev Evidence) error {
	if len(r.found) >= maxAttached {
		return fmt.Errorf("more than %d signatures and statements are attached to the image", maxAttached)
	}
	ev.Image = true
	r.found = append(r.found, ev)
	return nil
}

// faulty is the result of evidence that could not be read: bytes that are not
// those that their name promises are refused, what is not there is not.
func faulty(ev Evidence) Result {
	r := cannot(KindCosignImage, StepFind, "what is attached to the image cannot be read: "+ev.Fault.Error())
	if ev.Format == FormatJWS || ev.Format == FormatCOSE {
		r.Kind = KindNotation
	}
	if !ev.Image {
		r.Kind, r.Step, r.Reason = KindSigstore, StepParse, ev.Fault.Error()
	}
	var wrong *bundle.WrongDigest
	if errors.As(ev.Fault, &wrong) {
		r.Status, r.Step, r.Expected, r.Found = Rejected, StepDigest, string(wrong.Digest), string(wrong.Got)
	}
	return r
}

// ofImage says of a result about what is attached to an image that it is one, and
// whether the image itself was signed or an index that names it.
func ofImage(s *Subject, ev Evidence, r Result) Result {
	if !ev.Image {
		return r
	}
	if r.Kind == KindSigstore || r.Kind == KindDSSE {
		r.Kind = KindCosignImage
	}
	if r.Status != Verified || r.Covers == "" {
		return r
	}
	if s.Also[r.Covers] == alsoIndex {
		r.Notes = append(r.Notes, "signed is the image index "+r.Covers+", which names the manifest of this image")
	} else if isIndexType(s.MediaType) {
		r.Notes = append(r.Notes, "signed is the image index "+r.Covers+" itself")
	} else {
		r.Notes = append(r.Notes, "signed is the manifest of this image itself, not an index")
	}
	return r
}

// isIndexType tells the media type of an index from that of a manifest.
func isIndexType(mediaType string) bool {
	return mediaType == "application/vnd.oci.image.index.v1+json" || mediaType == "application/vnd.docker.distribution.manifest.list.v2+json"
}
