package attest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// simpleSigning is what a legacy cosign signature is over (the simple signing
// format of github.com/containers/image, docs/containers-signature.5.md, as cosign's
// specs/SIGNATURE_SPEC.md takes it over). What the repository is called in it
// says where it was signed, and binds nothing.
type simpleSigning struct {
	Critical struct {
		Image struct {
			Digest string `json:"docker-manifest-digest"`
		} `json:"image"`
		Type string `json:"type"`
	} `json:"critical"`
}

// simpleType is the only type that cosign writes.
const simpleType = "cosign container image signature"

// parseSimple reads a simple signing document.
func parseSimple(payload []byte) (*simpleSigning, error) {
	var doc simpleSigning
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("simple signing document: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("simple signing document: something follows it")
	}
	if doc.Critical.Type != simpleType {
		return nil, fmt.Errorf("simple signing document: its type is %q, not %q", clip(doc.Critical.Type), simpleType)
	}
	return &doc, nil
}

// legacyImageParts are the certificate and the proofs in the annotations of a layer.
func legacyImageParts(ev Evidence) legacyParts {
	return legacyParts{Certificate: []byte(ev.Annotations[annotationCertificate]),
		Rekor: []byte(ev.Annotations[annotationBundle]), Timestamp: []byte(ev.Annotations[annotationTimestamp])}
}

// verifySimple checks a legacy cosign signature of an image: the signature is over
// a document, and the document must be about the image.
func verifySimple(_ context.Context, req *Request, ev Evidence) []Result {
	sum := sha256.Sum256(ev.Payload)
	parts := legacyImageParts(ev)
	parts.Digest, parts.Signature = sum[:], ev.Data
	r := checkLegacy(req, parts, &Subject{Name: ev.Source, Bytes: bytes.NewReader(ev.Payload), Size: int64(len(ev.Payload)),
		Digests: map[string]string{"sha256": hex.EncodeToString(sum[:])}})
	r.Kind = KindCosignImage
	if r.Status == Verified {
		r = aboutImage(req.Subject, r, ev.Payload)
	}
	return []Result{r}
}

// aboutImage compares the digest in a document whose signature held.
func aboutImage(s *Subject, r Result, payload []byte) Result {
	fail := func(status Status, step Step, reason, expected, found string) Result {
		r.Status, r.Step, r.Reason, r.Expected, r.Found, r.Covers = status, step, reason, expected, found, ""
		return r
	}
	doc, err := parseSimple(payload)
	if err != nil {
		return fail(Rejected, StepParse, "the signature holds, but not over the signature document of an image: "+err.Error(), "", "")
	}
	sum, err := s.Digest("sha256")
	if err != nil {
		return fail(Unverifiable, StepDigest, err.Error(), "", "")
	}
	r.Covers = doc.Critical.Image.Digest
	if r.Covers != "sha256:"+sum && s.Also[r.Covers] == "" {
		return fail(Rejected, StepDigest, "the signature holds, but for another image", "sha256:"+sum, clip(doc.Critical.Image.Digest))
	}
	return r
}

// verifyImageStatement checks a legacy cosign attestation of an image: an envelope
// whose certificate and proofs are in the annotations of its layer.
func verifyImageStatement(_ context.Context, req *Request, ev Evidence) []Result {
	env, err := ParseEnvelope(ev.Data)
	if err != nil {
		return []Result{reject(KindCosignImage, StepParse, err.Error())}
	}
	parts := legacyImageParts(ev)
	parts.Envelope = env
	r := checkLegacy(req, parts, req.Subject)
	r.Kind = KindCosignImage
	return []Result{r}
}
