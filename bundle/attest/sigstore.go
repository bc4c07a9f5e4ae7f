package attest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"google.golang.org/protobuf/encoding/protojson"
)

// verifySigstore checks a Sigstore bundle of version 0.1 to 0.3.
func verifySigstore(_ context.Context, req *Request, ev Evidence) []Result {
	pb := new(protobundle.Bundle)
	if err := protojson.Unmarshal(bytes.TrimPrefix(ev.Data, []byte("\ufeff")), pb); err != nil {
		if !bytes.Contains(ev.Data, []byte("dev.sigstore.bundle")) {
			return []Result{cannot(KindSigstore, StepParse, "a JSON document of no format that is read here, so no signature was found in it")}
		}
		return []Result{reject(KindSigstore, StepParse, "not a Sigstore bundle: "+err.Error())}
	}
	return []Result{checkBundle(req, pb, req.Subject)}
}

// checkBundle verifies one bundle. What a message signature is over, or what the
// subject of a statement must be, is in over: the subject of the request, or the
// document that stands between a signature and it.
func checkBundle(req *Request, pb *protobundle.Bundle, over *Subject) Result {
	b, err := bundle.NewBundle(pb)
	if errors.Is(err, bundle.ErrUnsupportedMediaType) {
		return cannot(KindSigstore, StepParse, fmt.Sprintf("a bundle of the type %q, which is not read here", pb.GetMediaType()))
	}
	if err != nil {
		return reject(KindSigstore, StepParse, "not a valid bundle: "+plain(err))
	}
	if env := pb.GetDsseEnvelope(); env != nil && len(env.GetSignatures()) != 1 {
		return differs(KindSigstore, StepParse, "the envelope in a bundle must have exactly one signature", "1 signature", count(len(env.GetSignatures()), "signature", "signatures"))
	}
	content, err := b.VerificationContent()
	if err != nil {
		return reject(KindSigstore, StepParse, "not a valid bundle: "+plain(err))
	}
	keyID := dropKeyID(b)
	if cert := content.Certificate(); cert != nil {
		return checkKeyless(req, b, cert, keyID, over)
	}
	return checkKeyed(req, b, content.PublicKey().Hint(), keyID, over)
}

// dropKeyID takes the key id out of the envelope and returns it. It is a hint that
// nobody signed (DSSE v1.0, "Signature Definition"), and the library would skip a
// signature whose id is not the one that it expects.
func dropKeyID(b *bundle.Bundle) string {
	env := b.GetDsseEnvelope()
	if env == nil {
		return ""
	}
	sig := env.GetSignatures()[0]
	b.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
		Payload: env.GetPayload(), PayloadType: env.GetPayloadType(), Signatures: []*protodsse.Signature{{Sig: sig.GetSig()}}}}
	return sig.GetKeyid()
}

// checkKeyless verifies a bundle whose signer has a short-lived certificate.
func checkKeyless(req *Request, b *bundle.Bundle, cert *x509.Certificate, keyID string, over *Subject) Result {
	trust := req.sigstoreRoot()
	if trust.err != nil {
		return cannot(KindSigstore, StepTrust, trust.err.Error())
	}
	t := req.Demand.Require.over(trust.knows())
	if t.Timestamps == 0 && t.SignedTimestamps == 0 {
		return cannot(KindSigstore, StepTime, "the certificate is valid for minutes, and neither the trust root nor the demand names a clock that says when it was used: require timestamps=1 or signed-timestamps=1")
	}
	summary, err := certificate.SummarizeCertificate(cert)
	if err != nil {
		return reject(KindSigstore, StepChain, "the signer's certificate: "+plain(err))
	}
	r := verifyEntity(req, b, trust.root, t, over, false)
	r.Identity, r.Issuer, r.KeyID = summary.SubjectAlternativeName, summary.Issuer, keyID
	r.Notes = append(r.Notes, trust.notes(req.Now)...)
	if r.Status != Verified {
		return r
	}
	said := r.Claims.PredicateType
	r.Claims = certificateClaims(summary)
	r.Claims.PredicateType = said
	r.Reason = fmt.Sprintf("the signature holds, and the signer is %s, says %s", r.Identity, cmp.Or(r.Issuer, cert.Issuer.String()))
	return identify(&req.Demand, r)
}

// verifyEntity runs the algorithm of the Sigstore client specification over a
// bundle, and looks whether what is signed is the subject. With whole it reads the
// subject into memory, for an algorithm that signs bytes and not a digest of them.
// Who signed is still to be looked at.
func verifyEntity(req *Request, b *bundle.Bundle, material root.TrustedMaterial, t Thresholds, over *Subject, whole bool) Result {
	opts := []verify.VerifierOption{verify.WithoutStatementPredicate()}
	for _, o := range []struct {
		n    int
		with func(int) verify.VerifierOption
	}{{t.Log, verify.WithTransparencyLog}, {t.SCT, verify.WithSignedCertificateTimestamps},
		{t.Timestamps, verify.WithObserverTimestamps}, {t.SignedTimestamps, verify.WithSignedTimestamps}} {
		if o.n > 0 {
			opts = append(opts, o.with(o.n))
		}
	}
	if t.Timestamps == 0 && t.SignedTimestamps == 0 {
		opts = append(opts, verify.WithNoObserverTimestamps())
	}
	v, err := verify.NewVerifier(material, opts...)
	if err != nil {
		return cannot(KindSigstore, StepPolicy, plain(err))
	}
	signed, bad := signedBytes(b, over, whole)
	if bad != nil {
		return *bad
	}
	found, err := v.Verify(b, verify.NewPolicy(signed, verify.WithoutIdentitiesUnsafe()))
	if err != nil {
		return explain(req, b, material, t, over, err)
	}
	r := Result{Kind: KindSigstore, Status: Verified}
	for _, ts := range found.VerifiedTimestamps {
		clock := "transparency log "
		if ts.Type == "TimestampAuthority" {
			clock = "timestamp authority "
		}
		at := Time{At: ts.Timestamp.UTC(), Clock: strings.TrimSpace(clock + ts.URI)}
		if !slices.Contains(r.Times, at) {
			r.Times = append(r.Times, at)
		}
	}
	return aboutContent(r, b, over)
}

// signedBytes says what the signature must be over: for a message its digest, for
// an envelope nothing yet, since the envelope is compared with its own payload and
// the statement in it afterwards (see aboutContent).
func signedBytes(b *bundle.Bundle, over *Subject, whole bool) (verify.ArtifactPolicyOption, *Result) {
	msg := b.GetMessageSignature()
	if msg == nil {
		return verify.WithoutArtifactUnsafe(), nil
	}
	if whole && (over.Bytes == nil || over.Size > maxWhole) {
		r := cannot(KindSigstore, StepSignature, "plain Ed25519 signs the bytes themselves, and they are not at hand or too many")
		return nil, &r
	}
	if whole {
		return verify.WithArtifact(over.Reader()), nil
	}
	alg, ok := messageDigest(b)
	if !ok {
		r := cannot(KindSigstore, StepDigest, fmt.Sprintf("signed over a digest of the kind %s, which is not computed here", msg.GetMessageDigest().GetAlgorithm()))
		return nil, &r
	}
	text, err := over.Digest(alg)
	if err != nil {
		r := cannot(KindSigstore, StepDigest, fmt.Sprintf("the signature is over the %s digest of the artifact: %v", alg, err))
		return nil, &r
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		r := cannot(KindSigstore, StepDigest, fmt.Sprintf("%q is no %s digest", text, alg))
		return nil, &r
	}
	return verify.WithArtifactDigest(alg, raw), nil
}

// messageDigest returns the digest algorithm of a message signature, as in-toto
// writes it.
func messageDigest(b *bundle.Bundle) (string, bool) {
	alg, ok := map[string]string{"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}[b.GetMessageSignature().GetMessageDigest().GetAlgorithm().String()]
	return alg, ok
}

// aboutContent says what a verified bundle is about: the bytes themselves, or a statement
// whose subject must be them.
func aboutContent(r Result, b *bundle.Bundle, over *Subject) Result {
	env := b.GetDsseEnvelope()
	if env == nil {
		alg, _ := messageDigest(b)
		r.Covers = alg + ":" + hex.EncodeToString(b.GetMessageSignature().GetMessageDigest().GetDigest())
		return r
	}
	return aboutStatement(r, env.GetPayload(), over)
}

// aboutStatement looks at the payload of an envelope whose signature held.
func aboutStatement(r Result, payload []byte, over *Subject) Result {
	fail := func(status Status, step Step, reason string) Result {
		r.Status, r.Step, r.Reason, r.Claims = status, step, reason, Claims{}
		return r
	}
	st, err := ParseStatement(payload)
	if err != nil {
		return fail(Rejected, StepParse, "the signature holds, but what is signed is no statement: "+err.Error())
	}
	r.Claims.PredicateType = st.PredicateType
	covers, err := st.covers(over)
	switch {
	case errors.Is(err, errOtherBytes):
		r.Expected, r.Found = digestOf(over), subjectOf(st)
		return fail(Rejected, StepDigest, "the signature holds, but the statement is not about this artifact: "+err.Error())
	case err != nil:
		return fail(Unverifiable, StepDigest, "the signature holds, but whether the statement is about this artifact cannot be told: "+err.Error())
	}
	r.Covers, r.Statement = covers, st
	return r
}

// digestOf is a digest of the artifact for a message, "" when there is none.
func digestOf(s *Subject) string {
	for _, alg := range []string{"sha256", "sha512", "sha384"} {
		if d, err := s.Digest(alg); err == nil {
			return alg + ":" + d
		}
	}
	return ""
}

// subjectOf names the first subject of a statement for a message.
func subjectOf(st *Statement) string {
	for _, alg := range []string{"sha256", "sha512", "sha384"} {
		if d := st.Subject[0].Digest[alg]; d != "" {
			return strings.TrimSpace(alg + ":" + d + " " + st.Subject[0].Name)
		}
	}
	return st.Subject[0].Name
}
