package attest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
)

// minRSA bounds in bits the RSA keys that are believed.
const minRSA = 2048

// verifyEnvelopeKey checks a bare DSSE envelope with the managed keys of the
// demand. The rule for several signatures is that of DSSE v1.0 ("Protocol",
// threshold one): one signature that holds under one demanded key is enough,
// and signatures of others are not looked at. The key id beside a signature is
// a hint; when the demand names one, only signatures with exactly that id are
// tried, so the id and the key must belong to the same signature.
//
// A key vouches for no time: one with a validity is judged at Request.Now.
func verifyEnvelopeKey(_ context.Context, req *Request, ev Evidence) []Result {
	if len(ev.Data) > maxEnvelope {
		return []Result{cannot(KindDSSE, StepParse, fmt.Sprintf("the envelope has %d bytes, and %d is the most that is read", len(ev.Data), maxEnvelope))}
	}
	env, err := ParseEnvelope(ev.Data)
	if err != nil {
		return []Result{reject(KindDSSE, StepParse, err.Error())}
	}
	signed, ok := checkEnvelope(req, env)
	if !ok {
		return []Result{signed}
	}
	return []Result{readEnvelope(req, env, signed)}
}

// checkEnvelope finds the signature that counts. What it returns says who
// signed, or why nobody did.
func checkEnvelope(req *Request, env *Envelope) (Result, bool) {
	d := &req.Demand
	keys := signingKeys(d.Keys, "")
	if len(keys) == 0 {
		return cannot(KindDSSE, StepTrust, "the envelope is signed with a key, and no public key is trusted: name it with --key"), false
	}
	var ids []string
	pae := PAE(env.PayloadType, env.Payload)
	for _, sig := range env.Signatures {
		if d.KeyID != "" && sig.KeyID != d.KeyID {
			ids = append(ids, fmt.Sprintf("%q", sig.KeyID))
			continue
		}
		for _, k := range keys {
			if !holds(k.pub, pae, sig.Sig) {
				continue
			}
			r := Result{Kind: KindDSSE, Identity: k.id, KeyID: sig.KeyID}
			switch rsa, isRSA := k.pub.(*rsa.PublicKey); {
			case isRSA && rsa.N.BitLen() < minRSA:
				r.Step, r.Reason = StepTrust, fmt.Sprintf("the signature holds under %s, but an RSA key of %d bits proves nothing", k.Source, rsa.N.BitLen())
			case !k.ValidAtTime(req.Now):
				r.Step, r.Expected, r.Found = StepExpiry, k.bounds(), clock(req.Now)
				r.Reason = "the signature holds, but the key is not valid now, and nobody vouches for a time at which it was made"
			default:
				return r, true
			}
			return r, false
		}
	}
	if len(ids) == len(env.Signatures) {
		return differs(KindDSSE, StepIdentity, "no signature of the envelope has the demanded key id", d.KeyID, joinFirst(ids)), false
	}
	return reject(KindDSSE, StepSignature, fmt.Sprintf("none of its %d signatures holds under a trusted key: the envelope was changed, or another key signed it", len(env.Signatures)-len(ids))), false
}

// readEnvelope reads what a signature that holds is over.
func readEnvelope(req *Request, env *Envelope, r Result) Result {
	fail := func(s Status, step Step, reason string) Result {
		r.Status, r.Step, r.Reason = s, step, reason
		return r
	}
	if env.PayloadType != payloadInToto {
		return fail(Unverifiable, StepParse, fmt.Sprintf("the signature holds, but over %q and not over an in-toto statement, so it names no artifact", env.PayloadType))
	}
	st, err := ParseStatement(env.Payload)
	if err != nil {
		return fail(Rejected, StepParse, err.Error())
	}
	digest, err := st.covers(req.Subject)
	switch {
	case errors.Is(err, errOtherBytes):
		return fail(Rejected, StepDigest, err.Error())
	case err != nil:
		return fail(Unverifiable, StepDigest, err.Error())
	}
	r.Status, r.Covers, r.Statement = Verified, digest, st
	r.Reason = "the envelope is signed with a trusted key, and is about the artifact"
	return r
}

// holds says whether a signature over a message is one of a key: Ed25519 over
// the message itself; ECDSA in ASN.1 or as r||s of equal length (IEEE P1363),
// RSA PKCS #1 v1.5 or PSS, each over its SHA-256, SHA-384 or SHA-512. The hash
// is not written down anywhere: tools take SHA-256 for every key, or the one
// that suits the curve.
func holds(pub crypto.PublicKey, message, sig []byte) bool {
	if k, ok := pub.(ed25519.PublicKey); ok {
		return ed25519.Verify(k, message, sig)
	}
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		hash := h.New()
		hash.Write(message)
		sum := hash.Sum(nil)
		switch k := pub.(type) {
		case *ecdsa.PublicKey:
			if ecdsa.VerifyASN1(k, sum, sig) || verifyP1363(k, sum, sig) {
				return true
			}
		case *rsa.PublicKey:
			if rsa.VerifyPKCS1v15(k, h, sum, sig) == nil || rsa.VerifyPSS(k, h, sum, sig, nil) == nil {
				return true
			}
		}
	}
	return false
}

// verifyP1363 checks r||s, each as long as the order of the curve.
func verifyP1363(k *ecdsa.PublicKey, sum, sig []byte) bool {
	size := (k.Curve.Params().N.BitLen() + 7) / 8
	if len(sig) != 2*size {
		return false
	}
	return ecdsa.Verify(k, sum, new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:]))
}
