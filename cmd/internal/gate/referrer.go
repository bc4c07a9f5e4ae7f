package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Media types (OCI image-spec 1.1, media-types.md; the bundle's as cosign v3
// stores it: github.com/sigstore/cosign, specs/BUNDLE_SPEC.md).
const (
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaIndex    = "application/vnd.oci.image.index.v1+json"
	mediaEmpty    = "application/vnd.oci.empty.v1+json"
	mediaBundle   = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// emptyConfig is the content of a configuration that says nothing (image-spec
// 1.1, manifest.md, "Guidance for an Empty Descriptor").
const emptyConfig = "{}"

// Descriptor names a blob (image-spec 1.1, descriptor.md).
type Descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// manifest is the manifest of a referrer.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        Descriptor        `json:"config"`
	Layers        []Descriptor      `json:"layers"`
	Subject       Descriptor        `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

// referrer is an attestation as it lies in a layout or a registry: blobs, and a
// manifest that refers to the image.
type referrer struct {
	blobs    [][]byte
	manifest []byte
	desc     Descriptor // of the manifest, as an index lists it
}

// refer makes the referrer of an attestation about an image. It has no time in
// it, so that the same bundle is the same referrer.
func refer(subject Descriptor, a Attestation) (referrer, error) {
	m := manifest{
		SchemaVersion: 2, MediaType: mediaManifest, ArtifactType: mediaBundle,
		Config: describe(mediaEmpty, []byte(emptyConfig)), Layers: []Descriptor{describe(mediaBundle, a.Bundle)},
		Subject:     Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size},
		Annotations: map[string]string{"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": a.PredicateType},
	}
	body, err := json.Marshal(m)
	if err != nil {
		return referrer{}, fmt.Errorf("write the manifest of an attestation: %w", err)
	}
	d := describe(mediaManifest, body)
	d.ArtifactType, d.Annotations = mediaBundle, m.Annotations
	return referrer{blobs: [][]byte{[]byte(emptyConfig), a.Bundle}, manifest: body, desc: d}, nil
}

func describe(mediaType string, body []byte) Descriptor {
	sum := sha256.Sum256(body)
	return Descriptor{MediaType: mediaType, Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: int64(len(body))}
}

// subjectOf describes the manifest of the image that was judged. body are bytes
// that are said to be it.
func subjectOf(digest string, body []byte) (Descriptor, error) {
	var m struct {
		MediaType string `json:"mediaType"`
	}
	d := describe("", body)
	if d.Digest != digest {
		return d, fmt.Errorf("the manifest %s has become %s since it was judged", digest, d.Digest)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return d, fmt.Errorf("read manifest %s: %w", digest, err)
	}
	if d.MediaType = m.MediaType; d.MediaType == "" { // image-spec 1.0 let it be left out
		d.MediaType = mediaManifest
	}
	return d, nil
}
