package attest

import (
	"context"
	"fmt"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// verifyEnvelope checks a bare DSSE envelope: one whose signatures bring their
// certificates, as slsa-github-generator wrote them before version 2, or one that
// is signed by a managed key.
func verifyEnvelope(ctx context.Context, req *Request, ev Evidence) []Result {
	if len(req.Demand.Keys) > 0 {
		return verifyEnvelopeKey(ctx, req, ev)
	}
	env, err := ParseEnvelope(ev.Data)
	if err != nil {
		return []Result{reject(KindDSSE, StepParse, err.Error())}
	}
	var out []Result
	for _, sig := range env.Signatures {
		if len(sig.Cert) == 0 {
			continue
		}
		one := *env
		one.Signatures = []EnvelopeSignature{sig}
		r := checkUntimed(req, legacyParts{Envelope: &one, Certificate: sig.Cert}, req.Subject)
		r.Kind, r.KeyID = KindDSSE, sig.KeyID
		out = append(out, r)
	}
	if len(out) == 0 {
		r := cannot(KindDSSE, StepTrust, "the envelope is signed by a managed key, and no key was given to check it with: name its public key (--key)")
		r.KeyID = env.Signatures[0].KeyID
		out = append(out, r)
	}
	return out
}

// checkUntimed checks what can be checked of a signature by a short-lived
// certificate for which nobody vouches when it was made: whether the signature
// holds, whether the trust root issued the certificate, whether it is about the
// artifact and by the demanded signer. When all of that holds it is unverifiable
// and not verified: the certificate was valid for minutes, and whoever got hold of
// its key since could have signed.
func checkUntimed(req *Request, parts legacyParts, over *Subject) Result {
	pb, err := legacyBundle(parts)
	if err != nil {
		return reject(KindSigstore, StepParse, err.Error())
	}
	b, err := bundle.NewBundle(pb)
	if err != nil {
		return reject(KindSigstore, StepParse, plain(err))
	}
	if n := len(pb.GetDsseEnvelope().GetSignatures()); pb.GetDsseEnvelope() != nil && n != 1 {
		return differs(KindSigstore, StepParse, "the envelope must have exactly one signature", "1 signature", count(n, "signature", "signatures"))
	}
	dropKeyID(b)
	content, err := b.VerificationContent()
	if err != nil || content.Certificate() == nil {
		return reject(KindSigstore, StepParse, "the signature has no certificate that can be read")
	}
	cert := content.Certificate()
	summary, err := certificate.SummarizeCertificate(cert)
	if err != nil {
		return reject(KindSigstore, StepChain, "the signer's certificate: "+plain(err))
	}
	trust := req.sigstoreRoot()
	if trust.err != nil {
		return cannot(KindSigstore, StepTrust, trust.err.Error())
	}
	r := Result{Kind: KindSigstore, Status: Verified, Claims: certificateClaims(summary), Notes: trust.notes(req.Now),
		Identity: summary.SubjectAlternativeName, Issuer: summary.Issuer}
	fail := func(status Status, step Step, reason string) Result {
		r.Status, r.Step, r.Reason, r.Statement, r.Claims = status, step, reason, nil, Claims{}
		return r
	}
	if _, err := verify.VerifyLeafCertificate(cert.NotBefore, cert, trust.root); err != nil {
		r.Found = "issued by " + cert.Issuer.String()
		return fail(Rejected, StepChain, "the signer's certificate does not end in the trust root")
	}
	if bad := untimedSignature(b, content, trust, over); bad != nil {
		bad.Identity, bad.Issuer = r.Identity, r.Issuer
		return *bad
	}
	if b.GetDsseEnvelope() != nil && b.GetDsseEnvelope().GetPayloadType() != payloadInToto {
		return fail(Unverifiable, StepPredicate, fmt.Sprintf("the signature holds, but over %q and not over an in-toto statement, so it names no artifact", b.GetDsseEnvelope().GetPayloadType()))
	}
	if r = aboutContent(r, b, over); r.Status != Verified {
		return r
	}
	if who := identify(&req.Demand, r); who.Status == Rejected {
		return who
	}
	r.Expected, r.Found = "a trusted time from "+validity(b), "no log entry and no timestamp"
	return fail(Unverifiable, StepTime, fmt.Sprintf("the signature holds, and its certificate is of %s, but it was valid for %s only and nothing here says, vouched for, that it was used then: a bundle with the entry of the transparency log is needed",
		r.Identity, cert.NotAfter.Sub(cert.NotBefore).Round(time.Second)))
}

// untimedSignature verifies the signature alone. It returns nil when it holds.
func untimedSignature(b *bundle.Bundle, content verify.VerificationContent, trust *sigstoreRoot, over *Subject) *Result {
	signed, err := b.SignatureContent()
	if err != nil {
		r := reject(KindSigstore, StepParse, plain(err))
		return &r
	}
	if b.GetDsseEnvelope() != nil {
		err = verify.VerifySignature(signed, content, trust.root)
	} else {
		err = verify.VerifySignatureWithArtifactDigests(signed, content, trust.root,
			[]verify.ArtifactDigest{{Algorithm: "sha256", Digest: b.GetMessageSignature().GetMessageDigest().GetDigest()}})
	}
	if err != nil {
		r := reject(KindSigstore, StepSignature, "the signature does not hold: the key of the signer did not make it over these bytes ("+plain(err)+")")
		return &r
	}
	return nil
}
