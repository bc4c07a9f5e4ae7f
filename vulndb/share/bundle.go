package share

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// BundleSuffix is what the name of a file's Sigstore bundle ends with, by
// custom.
const BundleSuffix = ".sigstore.json"

// mediaBundle is the media type of a Sigstore bundle, and the artifact type of
// the manifest that carries one.
const mediaBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"

// Words of the statement that cosign signs for an image.
const (
	payloadInToto = "application/vnd.in-toto+json"
	predicateSign = "https://sigstore.dev/cosign/sign/v1"
)

// bundle is what is read of a Sigstore bundle that was signed with a key
// (https://github.com/sigstore/protobuf-specs, sigstore_bundle.proto; JSON
// spells bytes in base64). The log entries in it are not read: the key is what is
// believed.
type bundle struct {
	MediaType string `json:"mediaType"`
	Material  struct {
		PublicKey *struct{}       `json:"publicKey"`
		Leaf      json.RawMessage `json:"certificate"`
		Chain     json.RawMessage `json:"x509CertificateChain"`
	} `json:"verificationMaterial"`
	Message *struct {
		Digest struct {
			Algorithm string `json:"algorithm"`
			Digest    []byte `json:"digest"`
		} `json:"messageDigest"`
		Signature []byte `json:"signature"`
	} `json:"messageSignature"`
	Envelope *struct {
		Payload     []byte `json:"payload"`
		PayloadType string `json:"payloadType"`
		Signatures  []struct {
			Sig []byte `json:"sig"`
		} `json:"signatures"`
	} `json:"dsseEnvelope"`
}

// isBundle tells a bundle from a bare signature, which is base64.
func isBundle(b []byte) bool { return strings.HasPrefix(strings.TrimSpace(string(b)), "{") }

// parseBundle reads a bundle. The error says what it is instead.
func parseBundle(text []byte) (*bundle, error) {
	var b bundle
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, errors.New("it is not the JSON of a Sigstore bundle")
	}
	version, old := strings.CutPrefix(b.MediaType, "application/vnd.dev.sigstore.bundle+json;version=")
	switch {
	case b.MediaType == "":
		return nil, errors.New("it is no Sigstore bundle; that of cosign 1 and 2 is not read: sign with cosign 3, or with --new-bundle-format")
	case b.MediaType != mediaBundle && !(old && slices.Contains([]string{"0.1", "0.2", "0.3"}, version)):
		return nil, fmt.Errorf("its type %q is not that of a Sigstore bundle", clip(b.MediaType, 80))
	case (b.Message == nil) == (b.Envelope == nil):
		return nil, errors.New("the Sigstore bundle holds no signature, or two")
	case b.Material.Leaf != nil || b.Material.Chain != nil:
		return nil, errors.New("the Sigstore bundle was signed with a certificate, and not with a key; sign with `cosign sign-blob --key`, or `cosign sign --key`")
	}
	return &b, nil
}

// over verifies that the signature of a bundle is by the key and over a message.
func (b *bundle) over(v *Verifier, m message) error {
	if b.Message == nil {
		return errors.New("the Sigstore bundle is an attestation, and no signature over this")
	}
	d := b.Message.Digest
	if d.Algorithm != "" && d.Algorithm != "SHA2_256" {
		return fmt.Errorf("the Sigstore bundle signs a digest of the kind %q, and SHA2_256 is what is read; sign with an ECDSA key of the curve P-256", clip(d.Algorithm, 40))
	}
	if len(d.Digest) > 0 && string(d.Digest) != string(m.digest[:]) {
		return errors.New("the Sigstore bundle is that of another file")
	}
	return v.verify(m, b.Message.Signature)
}

// about verifies that a bundle is a signature by the key over the manifest with
// a digest: over its bytes, or over a statement that names it.
func (b *bundle) about(v *Verifier, digest string, body []byte) error {
	if b.Envelope == nil {
		return b.over(v, whole(body))
	}
	e := b.Envelope
	if len(e.Signatures) != 1 || e.PayloadType != payloadInToto {
		return fmt.Errorf("an envelope of %d signatures over %q", len(e.Signatures), clip(e.PayloadType, 80))
	}
	if err := v.verify(whole(preAuthentication(e.PayloadType, e.Payload)), e.Signatures[0].Sig); err != nil {
		return err
	}
	var s struct {
		Subject []struct {
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
		PredicateType string `json:"predicateType"`
	}
	if json.Unmarshal(e.Payload, &s) != nil || s.PredicateType != predicateSign {
		return fmt.Errorf("what was signed is a statement of another kind: %q", clip(s.PredicateType, 80))
	}
	for _, subject := range s.Subject {
		if "sha256:"+subject.Digest["sha256"] == digest {
			return nil
		}
	}
	return errSignature
}

// preAuthentication is what is signed of an envelope (DSSE v1, "PAE").
func preAuthentication(kind string, payload []byte) []byte {
	return append(fmt.Appendf(nil, "DSSEv1 %d %s %d ", len(kind), kind, len(payload)), payload...)
}

// bundles looks for a Sigstore bundle by the key among what refers to a
// manifest. n says how many there are; ok that one of them holds.
func bundles(ctx context.Context, reg Registry, v *Verifier, digest string, body []byte) (n int, ok bool, err error) {
	list, err := reg.Referrers(ctx, digest, mediaBundle)
	if err != nil {
		return 0, false, err
	}
	if len(list) > maxSignatures {
		return 0, false, fmt.Errorf("%w: %d signatures, over %d", ErrUnsigned, len(list), maxSignatures)
	}
	for _, d := range list {
		text, _, err := reg.Manifest(ctx, d)
		if err != nil {
			return 0, false, err
		}
		var m manifest
		if json.Unmarshal(text, &m) != nil || len(m.Layers) != 1 || m.Layers[0].MediaType != mediaBundle || m.Layers[0].Size > MaxSignature {
			continue
		}
		content, err := blob(ctx, reg, m.Layers[0], MaxSignature)
		if err != nil {
			return 0, false, err
		}
		if b, err := parseBundle(content); err == nil && b.about(v, digest, body) == nil {
			return len(list), true, nil
		}
	}
	return len(list), false, nil
}

// decode returns the bytes of a bare signature.
func decode(text []byte) ([]byte, error) {
	sig, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, errors.New("it is neither base64 of a signature nor a Sigstore bundle")
	}
	return sig, nil
}
