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
	"time"
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
	var keys []usableKey
	var unusable string
	for _, k := range d.Keys {
		u, why := usable(k)
		if why != "" {
			unusable = why
			continue
		}
		keys = append(keys, u)
	}
	switch {
	case len(keys) > 0:
	case unusable != "":
		return cannot(KindDSSE, StepTrust, unusable), false
	default:
		return cannot(KindDSSE, StepTrust, "the envelope is signed with a key, and no key is trusted: give it with --key"), false
	}
	var ids []string
	pae := PAE(env.PayloadType, env.Payload)
	for _, sig := range env.Signatures {
		if d.KeyID != "" && sig.KeyID != d.KeyID {
			ids = append(ids, fmt.Sprintf("%q", sig.KeyID))
			continue
		}
		for _, k := range keys {
			if !holds(k.public, pae, sig.Sig) {
				continue
			}
			r := Result{Kind: KindDSSE, Identity: Fingerprint(k.public), KeyID: sig.KeyID}
			if why := k.outside(req.Now); why != "" {
				r.Status, r.Step, r.Reason = Unverifiable, StepTime, why
				return r, false
			}
			return r, true
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

// usableKey is a public key that signatures can be checked with.
type usableKey struct {
	Key
	public crypto.PublicKey
}

// usable reads a key, or says why it can check nothing.
func usable(k Key) (usableKey, string) {
	pub, ok := k.Public()
	if !ok {
		return usableKey{}, fmt.Sprintf("%s is no public key or certificate in PEM or DER", k.Source)
	}
	switch pub := pub.(type) {
	case *ecdsa.PublicKey, ed25519.PublicKey:
	case *rsa.PublicKey:
		if pub.N.BitLen() < minRSA {
			return usableKey{}, fmt.Sprintf("%s is an RSA key of %d bits, and fewer than %d prove nothing", k.Source, pub.N.BitLen(), minRSA)
		}
	default:
		return usableKey{}, fmt.Sprintf("%s is a key of a type that signs no envelopes (%T)", k.Source, pub)
	}
	return usableKey{k, pub}, ""
}

// outside says why a key does not count at a time, "" when it does.
func (k Key) outside(now time.Time) string {
	switch {
	case !k.NotBefore.IsZero() && now.Before(k.NotBefore):
		return fmt.Sprintf("the key %s counts from %s on, and nothing vouches for when it signed", k.Source, k.NotBefore.UTC().Format(time.RFC3339))
	case !k.NotAfter.IsZero() && now.After(k.NotAfter):
		return fmt.Sprintf("the key %s counted until %s, and nothing vouches for when it signed", k.Source, k.NotAfter.UTC().Format(time.RFC3339))
	}
	return ""
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
