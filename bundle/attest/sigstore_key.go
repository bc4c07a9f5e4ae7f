package attest

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

// maxWhole bounds in bytes an artifact that is read into memory, because
// plain Ed25519 signs the bytes and not a digest of them.
const maxWhole = 256 << 20

// checkKeyed verifies a bundle that is signed by a managed key. The hint that
// names the key is not vouched for, so it only orders the keys that are tried; nor
// is the key id of an envelope.
func checkKeyed(req *Request, b *bundle.Bundle, hint, keyID string, over *Subject) Result {
	d := &req.Demand
	keys := signingKeys(d.Keys, hint)
	switch {
	case len(keys) == 0 && (d.Identity != "" || d.IdentityRegexp != "" || d.Issuer != "" || d.IssuerRegexp != ""):
		r := differs(KindSigstore, StepIdentity, "signed by a managed key, and a signer with a certificate was demanded", d.Identity+d.IdentityRegexp, "a key with the hint "+fmt.Sprintf("%q", hint))
		r.KeyID = hint
		return r
	case len(keys) == 0:
		r := cannot(KindSigstore, StepTrust, fmt.Sprintf("signed by a managed key with the hint %q, and no key was given to check it with: name its public key (--key)", hint))
		r.KeyID = hint
		return r
	}
	var first Result
	for i, k := range keys {
		r := checkByKey(req, b, k, over)
		r.KeyID = cmp.Or(keyID, hint)
		if r.Status == Verified {
			return keyDemands(d, k, hint, r)
		}
		if i == 0 || first.Step == StepSignature && r.Step != StepSignature { // a signature that holds says more
			first = r
		}
	}
	if len(keys) > 1 && first.Step == StepSignature {
		first.Notes = append(first.Notes, fmt.Sprintf("none of the %d given keys made the signature; this is what the first says", len(keys)))
	}
	return first
}

// keyDemands looks at what else the demand asks of a signer whose key is known.
func keyDemands(d *Demand, k signingKey, hint string, r Result) Result {
	fail := func(status Status, step Step, expected, found, reason string) Result {
		r.Status, r.Step, r.Reason, r.Expected, r.Found, r.Statement = status, step, reason, expected, found, nil
		return r
	}
	if d.KeyID != "" && d.KeyID != r.KeyID && d.KeyID != hint {
		return fail(Rejected, StepIdentity, d.KeyID, r.KeyID, "the signature holds, but the bundle names another key id")
	}
	if d.Runner != "" {
		return fail(Unverifiable, StepRunner, d.Runner, "", "the signature holds, but a key does not say where the build ran")
	}
	r.Reason = fmt.Sprintf("the signature holds, and it is by the key %s", k.Source)
	return r
}

// checkByKey verifies with one key.
func checkByKey(req *Request, b *bundle.Bundle, k signingKey, over *Subject) Result {
	var material root.TrustedMaterialCollection
	t, asked := req.Demand.Require, req.Demand.Require.over(false, false, false)
	var notes []string
	if req.Demand.Root.Sigstore != nil || asked.Log > 0 || asked.Timestamps > 0 || asked.SignedTimestamps > 0 {
		trust := req.sigstoreRoot()
		if trust.err != nil {
			return cannot(KindSigstore, StepTrust, trust.err.Error())
		}
		logs, _, authorities := trust.knows()
		t = t.over(logs, false, authorities) // a key has no certificate that a log could have seen
		material, notes = append(material, trust.root), trust.notes(req.Now)
	} else {
		t = asked
	}
	var last Result
	for _, v := range k.verifiers(b) {
		tried := append(slices.Clone(material), root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) { return v, nil }))
		last = verifyEntity(req, b, tried, t, over, v.whole)
		if last.Status == Verified || last.Step != StepSignature {
			break // the algorithm was the right one
		}
	}
	last.Identity, last.Notes = k.id, append(last.Notes, notes...)
	if last.Status == Verified && len(last.Times) == 0 && !k.ValidAtTime(req.Now) {
		last.Status, last.Step, last.Statement = Unverifiable, StepExpiry, nil
		last.Expected, last.Found = k.bounds(), req.Now.UTC().Format(time.RFC3339)
		last.Reason = "the signature holds, but the key is not valid now, and nobody vouches for a time at which it was made"
	}
	if pub, ok := k.pub.(*rsa.PublicKey); ok && last.Status == Verified && pub.N.BitLen() < minRSA {
		last.Status, last.Step, last.Statement = Unverifiable, StepTrust, nil
		last.Reason = fmt.Sprintf("the signature holds under %s, but an RSA key of %d bits proves nothing", k.Source, pub.N.BitLen())
	}
	return last
}

// signingKey is a key of the demand that can sign a bundle.
type signingKey struct {
	Key
	pub crypto.PublicKey
	id  string // see Fingerprint
}

// signingKeys lists the keys of a demand that are public keys, the one that the
// hint names first.
func signingKeys(keys []Key, hint string) []signingKey {
	var out []signingKey
	for _, k := range keys {
		pub, ok := k.Public()
		if !ok {
			continue
		}
		one := signingKey{k, pub, Fingerprint(pub)}
		if one.id == hint {
			out = slices.Insert(out, 0, one)
		} else {
			out = append(out, one)
		}
	}
	return out
}

// ValidAtTime says whether the operator trusts the key at a time.
func (k signingKey) ValidAtTime(t time.Time) bool {
	return (k.NotBefore.IsZero() || !t.Before(k.NotBefore)) && (k.NotAfter.IsZero() || !t.After(k.NotAfter))
}

// bounds writes when the key is valid.
func (k signingKey) bounds() string {
	write := func(t time.Time) string {
		if t.IsZero() {
			return "…"
		}
		return t.UTC().Format(time.RFC3339)
	}
	return write(k.NotBefore) + " to " + write(k.NotAfter)
}

// verifiers lists the algorithms that a signature of a bundle by this key can
// have: the default of the key's type, and what older clients used. A message is
// verified by its digest, so there the digest decides.
func (k signingKey) verifiers(b *bundle.Bundle) []*keyVerifier {
	hashes := []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512}
	if alg, ok := messageDigest(b); ok {
		hashes = []crypto.Hash{map[string]crypto.Hash{"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}[alg]}
	}
	var out []*keyVerifier
	add := func(v signature.Verifier, err error) {
		if err == nil {
			out = append(out, &keyVerifier{Verifier: v, signingKey: k})
		}
	}
	switch pub := k.pub.(type) {
	case *ecdsa.PublicKey:
		if first := map[elliptic.Curve]crypto.Hash{elliptic.P384(): crypto.SHA384, elliptic.P521(): crypto.SHA512}[pub.Curve]; slices.Contains(hashes, first) {
			hashes = append([]crypto.Hash{first}, slices.DeleteFunc(hashes, func(h crypto.Hash) bool { return h == first })...)
		}
		for _, h := range hashes {
			add(signature.LoadVerifier(pub, h))
		}
	case *rsa.PublicKey:
		for _, h := range hashes {
			add(signature.LoadVerifier(pub, h))
			add(signature.LoadVerifierWithOpts(pub, options.WithHash(h), options.WithRSAPSS(&rsa.PSSOptions{Hash: h})))
		}
	case ed25519.PublicKey:
		// The digest path must never meet plain Ed25519: it would take a signature
		// over no bytes at all for one over the digest.
		if b.GetMessageSignature() != nil {
			add(signature.LoadED25519phVerifier(pub))
		}
		add(signature.LoadED25519Verifier(pub)) // never errs
		out[len(out)-1].whole = b.GetMessageSignature() != nil
	}
	return out
}

// keyVerifier is one key with one algorithm.
type keyVerifier struct {
	signature.Verifier
	signingKey
	whole bool // it needs the bytes that are signed: a digest of them does not do
}
