package attest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
)

// bundleV01 is the media type of the oldest bundle: the only one that may hold a
// log entry with a promise and without a proof of inclusion, as cosign kept them.
const bundleV01 = "application/vnd.dev.sigstore.bundle+json;version=0.1"

// legacyParts is a signature as cosign wrote it before there were bundles: in
// the annotations of an image layer, in the JSON of "sign-blob --bundle", or in
// files of their own. Digest and Signature, or Envelope, must be there.
type legacyParts struct {
	Digest    []byte    // sha256 of what is signed; nil with Envelope
	Signature []byte    // raw; nil with Envelope
	Envelope  *Envelope // an attestation; nil for a signature over bytes

	Certificate []byte // of the signer, in PEM, base64 of PEM, or DER; nil: signed by a managed key
	KeyHint     string // of the managed key, "" when not known
	Rekor       []byte // JSON {"SignedEntryTimestamp","Payload":{…}}: entry of the log; nil: none
	Timestamp   []byte // RFC 3161 response, in DER or as JSON {"SignedRFC3161Timestamp"}; nil: none
}

// legacyBundle writes a legacy signature as a bundle. The certificates above the
// signer's are left out: the trust root has them, and what an annotation says
// proves nothing. Nothing is verified here. The mapping is cosign's own
// (sigstore bundle format, "Legacy" in the protobuf specifications' comments).
func legacyBundle(p legacyParts) (*protobundle.Bundle, error) {
	b := &protobundle.Bundle{MediaType: bundleV01, VerificationMaterial: &protobundle.VerificationMaterial{}}
	switch {
	case p.Envelope != nil:
		env := &protodsse.Envelope{Payload: p.Envelope.Payload, PayloadType: p.Envelope.PayloadType}
		for _, s := range p.Envelope.Signatures {
			env.Signatures = append(env.Signatures, &protodsse.Signature{Sig: s.Sig, Keyid: s.KeyID})
		}
		b.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: env}
	case len(p.Signature) == 0 || len(p.Digest) != sha256.Size:
		return nil, errors.New("legacy signature: no signature over a SHA-256 digest in it")
	default:
		b.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: p.Digest},
			Signature:     p.Signature,
		}}
	}
	m := b.VerificationMaterial
	if len(p.Certificate) > 0 {
		leaf, err := legacyCertificate(p.Certificate)
		if err != nil {
			return nil, err
		}
		m.Content = &protobundle.VerificationMaterial_X509CertificateChain{X509CertificateChain: &protocommon.X509CertificateChain{
			Certificates: []*protocommon.X509Certificate{{RawBytes: leaf.Raw}}}}
	} else {
		m.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: p.KeyHint}}
	}
	if len(bytes.TrimSpace(p.Rekor)) > 0 {
		entry, err := legacyEntry(p.Rekor)
		if err != nil {
			return nil, err
		}
		m.TlogEntries = []*protorekor.TransparencyLogEntry{entry}
	}
	if len(p.Timestamp) > 0 {
		stamp, err := legacyTimestamp(p.Timestamp)
		if err != nil {
			return nil, err
		}
		m.TimestampVerificationData = &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: stamp}}}
	}
	return b, nil
}

// verifyLegacy checks a detached cosign signature that comes with its signer's
// certificate: "sign-blob --output-signature --output-certificate", or what an
// image's annotations held, when they are given.
func verifyLegacy(_ context.Context, req *Request, ev Evidence) []Result {
	digest, bad := legacyDigest(req.Subject)
	if bad != nil {
		return []Result{*bad}
	}
	return []Result{checkLegacy(req, legacyParts{Digest: digest, Signature: legacySignature(ev.Data), Certificate: ev.Certificate}, req.Subject)}
}

// verifyCosignBundle checks what "sign-blob --bundle" of cosign 1 and 2 wrote:
// {"base64Signature","cert","rekorBundle"}. The certificate is base64 of PEM; with
// a managed key it is the public key, which proves nothing and is a hint.
func verifyCosignBundle(_ context.Context, req *Request, ev Evidence) []Result {
	var doc struct {
		Signature string          `json:"base64Signature"`
		Cert      string          `json:"cert"`
		Rekor     json.RawMessage `json:"rekorBundle"`
	}
	if err := json.Unmarshal(ev.Data, &doc); err != nil {
		return []Result{reject(KindSigstore, StepParse, "not a bundle of cosign: "+err.Error())}
	}
	digest, bad := legacyDigest(req.Subject)
	if bad != nil {
		return []Result{*bad}
	}
	p := legacyParts{Digest: digest, Signature: legacySignature([]byte(doc.Signature)), Certificate: []byte(doc.Cert)}
	if string(doc.Rekor) != "null" {
		p.Rekor = doc.Rekor
	}
	if pub, ok := (Key{Data: unwrapPEM(p.Certificate)}).Public(); ok && !bytes.Contains(unwrapPEM(p.Certificate), []byte("CERTIFICATE")) {
		p.Certificate, p.KeyHint = nil, Fingerprint(pub)
	}
	return []Result{checkLegacy(req, p, req.Subject)}
}

// checkLegacy verifies a legacy signature as the bundle that it is worth.
func checkLegacy(req *Request, p legacyParts, over *Subject) Result {
	if len(p.Certificate) > 0 && len(p.Rekor) == 0 && len(p.Timestamp) == 0 {
		return checkUntimed(req, p, over)
	}
	b, err := legacyBundle(p)
	if err != nil {
		return reject(KindSigstore, StepParse, err.Error())
	}
	return checkBundle(req, b, over)
}

// legacyDigest is the digest that cosign signed.
func legacyDigest(s *Subject) ([]byte, *Result) {
	text, err := s.Digest("sha256")
	if err != nil {
		r := cannot(KindSigstore, StepDigest, "the signature is over the sha256 digest of the artifact: "+err.Error())
		return nil, &r
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		r := cannot(KindSigstore, StepDigest, fmt.Sprintf("%q is no sha256 digest", text))
		return nil, &r
	}
	return raw, nil
}

// fulcioOID is the arc of the certificate extensions of Sigstore's authorities.
const fulcioOID = "1.3.6.1.4.1.57264.1."

// fulcioIssued says whether a certificate says of itself that a Sigstore authority
// issued it: then the signature beside it is judged by a Sigstore trust root.
func fulcioIssued(data []byte) bool {
	if len(data) == 0 {
		return false
	}
	cert, err := legacyCertificate(data)
	return err == nil && slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool { return strings.HasPrefix(e.Id.String(), fulcioOID) })
}

// unwrapPEM takes off the base64 that cosign puts around PEM.
func unwrapPEM(data []byte) []byte {
	if raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data))); err == nil {
		return raw
	}
	return data
}

// legacyCertificate reads the signer's certificate: PEM, base64 of PEM as
// "sign-blob --output-certificate" writes it, or DER. Of several the first.
func legacyCertificate(data []byte) (*x509.Certificate, error) {
	certs, err := parseCertificates(unwrapPEM(data))
	if err != nil {
		return nil, fmt.Errorf("certificate of the signature: %w", err)
	}
	return certs[0], nil
}

// legacySignature reads a detached signature: base64, as cosign writes it, or raw.
func legacySignature(data []byte) []byte {
	if raw, err := decodeBase64(string(bytes.TrimSpace(data))); err == nil && len(raw) > 0 {
		return raw
	}
	return data
}

// legacyEntry reads a log entry as cosign keeps it: the body in base64, the id of
// the log in hexadecimal.
func legacyEntry(data []byte) (*protorekor.TransparencyLogEntry, error) {
	var doc struct {
		SignedEntryTimestamp []byte
		Payload              struct {
			Body           []byte `json:"body"`
			IntegratedTime int64  `json:"integratedTime"`
			LogIndex       int64  `json:"logIndex"`
			LogID          string `json:"logID"`
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("log entry of the signature: %w", err)
	}
	id, err := hex.DecodeString(doc.Payload.LogID)
	if err != nil || len(id) == 0 {
		return nil, fmt.Errorf("log entry of the signature: %q is no log id", doc.Payload.LogID)
	}
	var kind struct {
		Kind       string `json:"kind"`
		APIVersion string `json:"apiVersion"`
	}
	if err := json.Unmarshal(doc.Payload.Body, &kind); err != nil {
		return nil, fmt.Errorf("log entry of the signature: its body: %w", err)
	}
	return &protorekor.TransparencyLogEntry{
		LogIndex:          doc.Payload.LogIndex,
		LogId:             &protocommon.LogId{KeyId: id},
		KindVersion:       &protorekor.KindVersion{Kind: kind.Kind, Version: kind.APIVersion},
		IntegratedTime:    doc.Payload.IntegratedTime,
		InclusionPromise:  &protorekor.InclusionPromise{SignedEntryTimestamp: doc.SignedEntryTimestamp},
		CanonicalizedBody: doc.Payload.Body,
	}, nil
}

// legacyTimestamp reads an RFC 3161 response: DER, or cosign's JSON around it.
func legacyTimestamp(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return data, nil
	}
	var doc struct{ SignedRFC3161Timestamp []byte }
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("timestamp of the signature: %w", err)
	}
	if len(doc.SignedRFC3161Timestamp) == 0 {
		return nil, errors.New("timestamp of the signature: there is none in it")
	}
	return doc.SignedRFC3161Timestamp, nil
}
