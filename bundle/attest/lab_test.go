package attest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"google.golang.org/protobuf/encoding/protojson"
)

const (
	labIdentity = "https://github.com/acme/orders/.github/workflows/release.yml@refs/tags/v1.2.3"
	labIssuer   = "https://token.actions.githubusercontent.com"
)

// lab is a Sigstore instance in memory, made for one test: an authority that
// issues certificates with the extensions of a build, a log of version 1, and a
// timestamp authority.
type lab struct {
	t      *testing.T
	vs     *ca.VirtualSigstore // log, clock, and an authority of its own
	root   *x509.Certificate
	middle *x509.Certificate
	key    *ecdsa.PrivateKey // of middle
}

func newLab(t *testing.T) *lab {
	t.Helper()
	vs, err := ca.NewVirtualSigstore()
	if err != nil {
		t.Fatal(err)
	}
	rootCert, rootKey, err := ca.GenerateRootCa()
	if err != nil {
		t.Fatal(err)
	}
	middle, key, err := ca.GenerateFulcioIntermediate(rootCert, rootKey)
	if err != nil {
		t.Fatal(err)
	}
	return &lab{t, vs, rootCert, middle, key}
}

// trust is the instance's trusted_root.json. What is left out makes a private
// instance without it.
func (l *lab) trust(logs, ctlogs, authorities bool) Root {
	l.t.Helper()
	pick := func(with bool, from map[string]*root.TransparencyLog) map[string]*root.TransparencyLog {
		out := map[string]*root.TransparencyLog{}
		for id, log := range from {
			raw, err := hex.DecodeString(id) // the virtual instance holds the text of the id
			if err != nil {
				l.t.Fatal(err)
			}
			log.ID, log.SignatureHashFunc = raw, crypto.SHA256
			if with {
				out[id] = log
			}
		}
		return out
	}
	clocks := l.vs.TimestampingAuthorities()
	if !authorities {
		clocks = nil
	}
	cas := append(l.vs.FulcioCertificateAuthorities(), &root.FulcioCertificateAuthority{
		Root: l.root, Intermediates: []*x509.Certificate{l.middle}, URI: "https://ca.example",
		ValidityPeriodStart: time.Now().Add(-time.Hour), ValidityPeriodEnd: time.Now().Add(time.Hour)})
	tr, err := root.NewTrustedRoot(root.TrustedRootMediaType01, cas, pick(ctlogs, l.vs.CTLogs()), clocks, pick(logs, l.vs.RekorLogs()))
	if err != nil {
		l.t.Fatal(err)
	}
	data, err := tr.MarshalJSON()
	if err != nil {
		l.t.Fatal(err)
	}
	r, err := ParseRoot("lab root", data)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// certificate issues a short-lived certificate for a build.
func (l *lab) certificate(pub crypto.PublicKey, from, until time.Time) *x509.Certificate {
	l.t.Helper()
	san, err := url.Parse(labIdentity)
	if err != nil {
		l.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: from, NotAfter: until, URIs: []*url.URL{san},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}
	for n, text := range map[int]string{8: labIssuer, 11: "github-hosted", 12: "https://github.com/acme/orders", 13: "1f2e3d4c", 14: "refs/tags/v1.2.3",
		18: labIdentity, 21: "https://github.com/acme/orders/actions/runs/1/attempts/1"} {
		value, err := asn1.MarshalWithParams(text, "utf8")
		if err != nil {
			l.t.Fatal(err)
		}
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, n}, Value: value})
	}
	der, err := x509.CreateCertificate(rand.Reader, template, l.middle, pub, l.key)
	if err != nil {
		l.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		l.t.Fatal(err)
	}
	return cert
}

// order is what a bundle is made of. Its zero value is a keyless bundle v0.3 over
// nothing, with an entry of the log and without a timestamp.
type order struct {
	artifact  []byte // a message signature over it
	statement []byte // an envelope around it, instead
	payload   string // type of the payload; "" in-toto
	key       crypto.Signer
	keyed     bool // by the key itself, without a certificate
	hash      crypto.Hash
	noLog     bool
	stamp     bool // with a timestamp
	promise   bool // only the log's promise, in a bundle v0.1
	signedAt  time.Time
	validFrom time.Time
}

// bundle makes one.
func (l *lab) bundle(o order) *protobundle.Bundle {
	l.t.Helper()
	now := time.Now()
	if o.key == nil {
		o.key = newKey(l.t, "p256")
	}
	if o.hash == 0 {
		o.hash = crypto.SHA256
	}
	if o.signedAt.IsZero() {
		o.signedAt = now
	}
	if o.validFrom.IsZero() {
		o.validFrom = now.Add(-time.Minute)
	}
	b := &protobundle.Bundle{MediaType: bundleV03, VerificationMaterial: &protobundle.VerificationMaterial{}}
	pub, err := x509.MarshalPKIXPublicKey(o.key.Public())
	if err != nil {
		l.t.Fatal(err)
	}
	verifier := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})
	if o.keyed {
		b.VerificationMaterial.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: Fingerprint(o.key.Public())}}
	} else {
		cert := l.certificate(o.key.Public(), o.validFrom, o.validFrom.Add(10*time.Minute))
		verifier = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
		b.VerificationMaterial.Content = &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: cert.Raw}}
		if o.promise {
			b.VerificationMaterial.Content = &protobundle.VerificationMaterial_X509CertificateChain{X509CertificateChain: &protocommon.X509CertificateChain{
				Certificates: []*protocommon.X509Certificate{{RawBytes: cert.Raw}, {RawBytes: l.middle.Raw}}}}
		}
	}
	var sig []byte
	var entry any
	if o.statement != nil {
		if o.payload == "" {
			o.payload = payloadInToto
		}
		sig = sign(l.t, o.key, o.hash, PAE(o.payload, o.statement))
		b.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{Payload: o.statement, PayloadType: o.payload,
			Signatures: []*protodsse.Signature{{Sig: sig, Keyid: "hint"}}}}
		entry = envelopeEntry(o.statement, sig, verifier)
	} else {
		sig = sign(l.t, o.key, o.hash, o.artifact)
		digest, alg := sum(o.hash, o.artifact)
		b.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{Signature: sig,
			MessageDigest: &protocommon.HashOutput{Algorithm: alg, Digest: digest}}}
		entry = recordEntry(digest, sig, verifier)
	}
	if !o.noLog {
		b.VerificationMaterial.TlogEntries = []*protorekor.TransparencyLogEntry{l.entry(entry, o.signedAt)}
	}
	if o.promise {
		b.MediaType = bundleV01
		b.VerificationMaterial.TlogEntries[0].InclusionProof = nil
	}
	if o.stamp {
		l.stamp(b, sig)
	}
	return b
}

// stamp adds a timestamp over a signature.
func (l *lab) stamp(b *protobundle.Bundle, sig []byte) {
	l.t.Helper()
	tsr, err := l.vs.TimestampResponse(sig)
	if err != nil {
		l.t.Fatal(err)
	}
	b.VerificationMaterial.TimestampVerificationData = &protobundle.TimestampVerificationData{
		Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: tsr}}}
}

// entry puts an entry into the log of version 1.
func (l *lab) entry(body any, at time.Time) *protorekor.TransparencyLogEntry {
	l.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		l.t.Fatal(err)
	}
	id, err := l.vs.RekorLogID()
	if err != nil {
		l.t.Fatal(err)
	}
	rawID, err := hex.DecodeString(id)
	if err != nil {
		l.t.Fatal(err)
	}
	promise, err := l.vs.RekorSignPayload(tlog.RekorPayload{Body: base64.StdEncoding.EncodeToString(text), IntegratedTime: at.Unix(), LogIndex: 1000, LogID: id})
	if err != nil {
		l.t.Fatal(err)
	}
	proof, err := l.vs.GetInclusionProof(text)
	if err != nil {
		l.t.Fatal(err)
	}
	rootHash, err := hex.DecodeString(*proof.RootHash)
	if err != nil {
		l.t.Fatal(err)
	}
	var kind struct{ Kind, APIVersion string }
	if err := json.Unmarshal(text, &kind); err != nil {
		l.t.Fatal(err)
	}
	return &protorekor.TransparencyLogEntry{
		LogIndex: 1000, LogId: &protocommon.LogId{KeyId: rawID}, KindVersion: &protorekor.KindVersion{Kind: kind.Kind, Version: kind.APIVersion},
		IntegratedTime: at.Unix(), InclusionPromise: &protorekor.InclusionPromise{SignedEntryTimestamp: promise},
		InclusionProof: &protorekor.InclusionProof{LogIndex: *proof.LogIndex, TreeSize: *proof.TreeSize, RootHash: rootHash,
			Checkpoint: &protorekor.Checkpoint{Envelope: *proof.Checkpoint}},
		CanonicalizedBody: text,
	}
}

type object map[string]any

// recordEntry is the log's entry of a message signature.
func recordEntry(digest, sig, verifier []byte) any {
	return object{"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": object{
		"data":      object{"hash": object{"algorithm": map[int]string{32: "sha256", 48: "sha384", 64: "sha512"}[len(digest)], "value": hex.EncodeToString(digest)}},
		"signature": object{"content": sig, "publicKey": object{"content": verifier}}}}
}

// envelopeEntry is the log's entry of an envelope.
func envelopeEntry(payload, sig, verifier []byte) any {
	sum := sha256.Sum256(payload)
	hash := object{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}
	return object{"apiVersion": "0.0.1", "kind": "dsse", "spec": object{"envelopeHash": hash, "payloadHash": hash,
		"signatures": []object{{"signature": base64.StdEncoding.EncodeToString(sig), "verifier": verifier}}}}
}

// newLogBundle is a bundle whose entry is in a log of version 2, so that only a
// timestamp says when it was made. It is by an e-mail address.
func (l *lab) newLogBundle(statement []byte) *protobundle.Bundle {
	l.t.Helper()
	e, err := l.vs.AttestHashedRekordV2("ada@acme.example", "https://login.example", statement)
	if err != nil {
		l.t.Fatal(err)
	}
	content, err := e.VerificationContent()
	if err != nil {
		l.t.Fatal(err)
	}
	signed, err := e.SignatureContent()
	if err != nil {
		l.t.Fatal(err)
	}
	entries, err := e.TlogEntries()
	if err != nil {
		l.t.Fatal(err)
	}
	entry := entries[0].TransparencyLogEntry()
	entry.IntegratedTime = 0
	b := &protobundle.Bundle{MediaType: bundleV03, VerificationMaterial: &protobundle.VerificationMaterial{
		Content:     &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: content.Certificate().Raw}},
		TlogEntries: []*protorekor.TransparencyLogEntry{entry}},
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{Payload: statement, PayloadType: payloadInToto,
			Signatures: []*protodsse.Signature{{Sig: signed.Signature()}}}}}
	l.stamp(b, signed.Signature())
	return b
}

func newKey(t *testing.T, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "p256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "short rsa":
		key, err = rsa.GenerateKey(rand.Reader, 1024)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign signs a message; with Ed25519 the plain way for hash SHA-256, and the
// prehashed way for SHA-512.
func sign(t *testing.T, key crypto.Signer, hash crypto.Hash, message []byte) []byte {
	t.Helper()
	digest, _ := sum(hash, message)
	var opts crypto.SignerOpts = hash
	if _, ok := key.(ed25519.PrivateKey); ok && hash == crypto.SHA256 {
		digest, opts = message, crypto.Hash(0)
	}
	sig, err := key.Sign(rand.Reader, digest, opts)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func sum(hash crypto.Hash, message []byte) ([]byte, protocommon.HashAlgorithm) {
	switch hash {
	case crypto.SHA384:
		d := sha512.Sum384(message)
		return d[:], protocommon.HashAlgorithm_SHA2_384
	case crypto.SHA512:
		d := sha512.Sum512(message)
		return d[:], protocommon.HashAlgorithm_SHA2_512
	}
	d := sha256.Sum256(message)
	return d[:], protocommon.HashAlgorithm_SHA2_256
}

// publicKey is a key as the operator gives it.
func labPublicKey(t *testing.T, key crypto.Signer) Key {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseKey("release.pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// statementAbout writes a statement about an artifact.
func statementAbout(artifact []byte) []byte {
	return fmt.Appendf(nil, `{"_type":%q,"subject":[{"name":"orders.zip","digest":{"sha256":"%x"}}],"predicateType":"https://example.org/note/v1","predicate":{"note":"built on a Monday"}}`,
		statementV1, sha256.Sum256(artifact))
}

// subject is an artifact by its bytes.
func labSubject(artifact []byte) *Subject {
	return &Subject{Name: "orders.zip", Bytes: bytes.NewReader(artifact), Size: int64(len(artifact))}
}

// ask verifies a bundle, or other evidence, and returns the result of the signature.
func ask(t *testing.T, req Request, evidence ...any) Result {
	t.Helper()
	for _, e := range evidence {
		switch e := e.(type) {
		case *protobundle.Bundle:
			data, err := protojson.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			req.Evidence = append(req.Evidence, Evidence{Source: "orders.sigstore.json", Data: data})
		case Evidence:
			req.Evidence = append(req.Evidence, e)
		}
	}
	if req.Now.IsZero() {
		req.Now = time.Now()
	}
	out, err := Verify(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Results) == 0 {
		t.Fatal("no result")
	}
	return out.Results[0]
}

// keyless is a demand of the lab's signer.
func keyless(r Root) Demand {
	return Demand{Root: r, Identity: labIdentity, Issuer: labIssuer, Require: DefaultThresholds()}
}

// parseOne is a root of certificates, for a demand that names no Sigstore root.
func parseOne(t *testing.T, l *lab) []*x509.Certificate {
	t.Helper()
	certs, err := parseCertificates(l.root.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return certs
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
