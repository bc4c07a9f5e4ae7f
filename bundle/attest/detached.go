package attest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
)

// maxDetached bounds in bytes a bare signature. RSA keys of 16,384 bits make 2 KiB.
const maxDetached = 16 << 10

// verifyDetached checks a bare signature over the artifact: what "openssl dgst
// -sign" and the like write, raw or in base64, by a given key or by a certificate
// that leads to a pinned root.
func verifyDetached(_ context.Context, req *Request, ev Evidence) []Result {
	sigs := bareSignatures(ev.Data)
	if len(sigs) == 0 {
		return []Result{reject(KindX509, StepParse, fmt.Sprintf("%d bytes are no bare signature, neither raw nor in base64", len(ev.Data)))}
	}
	keys := 0
	for _, k := range req.Demand.Keys {
		pub, ok := k.Public()
		if !ok {
			continue
		}
		keys++
		how, err := signedBy(req.Subject, pub, sigs)
		switch {
		case err == nil:
			r := Result{Kind: KindX509, KeyID: Fingerprint(pub)}
			return []Result{underKey(req, r, k, "scheme: "+how)}
		case !errors.Is(err, errSignature):
			return []Result{cannot(KindX509, StepDigest, err.Error())}
		}
	}
	switch {
	case keys > 0:
		return []Result{reject(KindX509, StepSignature, "the artifact is not what a given key signed: it was changed, or another key signed it")}
	case len(ev.Certificate) > 0:
		return []Result{byCertificate(req, ev, sigs)}
	}
	return []Result{cannot(KindX509, StepTrust, "a bare signature does not say whose it is: give the signer's key with --key, or the certificate with --certificate")}
}

// bareSignatures returns what the data can be: base64 of a signature, and the
// signature itself.
func bareSignatures(data []byte) (out [][]byte) {
	if len(data) == 0 || len(data) > maxDetached {
		return nil
	}
	text := bytes.Join(bytes.Fields(data), nil) // base64 comes in lines
	if raw, err := decodeBase64(string(text)); err == nil && len(raw) >= 32 {
		out = append(out, raw)
	}
	return append(out, data)
}

// signedBy tries the schemes that a key can sign with, and says which one it
// was. The error wraps errSignature when none holds; another one means that the
// artifact could not be asked.
func signedBy(s *Subject, pub crypto.PublicKey, sigs [][]byte) (how string, err error) {
	if k, ok := pub.(ed25519.PublicKey); ok {
		return signedEd25519(s, k, sigs)
	}
	tried := false
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		alg := "sha" + strconv.Itoa(8*h.Size())
		text, err := s.Digest(alg)
		if errors.Is(err, ErrNoBytes) {
			continue // another digest may be the known one
		}
		tried = true
		if err != nil {
			return "", err
		}
		digest, err := hex.DecodeString(text)
		if err != nil || len(digest) != h.Size() {
			return "", fmt.Errorf("%q is no %s digest", text, alg)
		}
		for _, sig := range sigs {
			if how := signedDigest(pub, h, digest, sig); how != "" {
				return how, nil
			}
		}
	}
	if !tried {
		return "", fmt.Errorf("no sha256, sha384 or sha512 digest of the artifact is known: %w", ErrNoBytes)
	}
	return "", errSignature
}

// signedDigest returns the scheme under which a signature holds, "" for none.
func signedDigest(pub crypto.PublicKey, h crypto.Hash, digest, sig []byte) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		for _, kind := range []string{"rsa", "rsa-pss"} {
			if (scheme{h, kind}).verifyDigest(k, nil, digest, sig) == nil {
				return kind + " with " + h.String()
			}
		}
	case *ecdsa.PublicKey:
		for _, form := range [][]byte{sig, fromP1363(k, sig)} {
			if form != nil && (scheme{h, "ecdsa"}).verifyDigest(k, nil, digest, form) == nil {
				return "ecdsa with " + h.String()
			}
		}
	default:
		if (scheme{h, "dsa"}).verifyDigest(k, nil, digest, sig) == nil {
			return "dsa with " + h.String()
		}
	}
	return ""
}

// fromP1363 rewrites a signature of two numbers of fixed length, r and s (IEEE
// P1363, which JSON formats and smart cards use), as DER; nil when it is none.
func fromP1363(k *ecdsa.PublicKey, sig []byte) []byte {
	n := (k.Curve.Params().BitSize + 7) / 8
	if len(sig) != 2*n {
		return nil
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:n]), new(big.Int).SetBytes(sig[n:])})
	if err != nil {
		return nil
	}
	return der
}

func signedEd25519(s *Subject, k ed25519.PublicKey, sigs [][]byte) (string, error) {
	whole, bad := wholeOf(KindX509, s)
	if bad == nil {
		for _, sig := range sigs {
			if len(sig) == ed25519.SignatureSize && ed25519.Verify(k, whole, sig) {
				return "Ed25519", nil
			}
		}
	}
	text, err := s.Digest("sha512")
	if err != nil {
		if bad != nil {
			return "", errors.New(bad.Reason)
		}
		return "", err
	}
	digest, err := hex.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("%q is no sha512 digest", text)
	}
	for _, sig := range sigs {
		if len(sig) == ed25519.SignatureSize && ed25519.VerifyWithOptions(k, digest, sig, &ed25519.Options{Hash: crypto.SHA512}) == nil {
			return "Ed25519ph", nil
		}
	}
	if bad != nil {
		return "", errors.New(bad.Reason)
	}
	return "", errSignature
}

// byCertificate checks a signature with the key of the certificate beside it,
// and asks the pinned roots whose that is.
func byCertificate(req *Request, ev Evidence, sigs [][]byte) Result {
	fail := func(status Status, step Step, reason string) Result {
		return Result{Kind: KindX509, Status: status, Step: step, Reason: reason}
	}
	certs, err := parseCertificates(ev.Certificate)
	if err != nil {
		return fail(Rejected, StepParse, "certificate of the signature: "+err.Error())
	}
	leaf := certs[0]
	if tooLong(leaf.PublicKey) {
		return fail(Unverifiable, StepParse, "the key of the certificate is longer than any that is read")
	}
	how, err := signedBy(req.Subject, leaf.PublicKey, sigs)
	switch {
	case errors.Is(err, errSignature):
		return fail(Rejected, StepSignature, "the artifact is not what the key of this certificate signed")
	case err != nil:
		return fail(Unverifiable, StepDigest, err.Error())
	}
	r := Result{Kind: KindX509, Identity: mainName(leaf), Issuer: leaf.Issuer.String(), Notes: []string{"scheme: " + how, noteJarRevoked}}
	fail = func(status Status, step Step, reason string) Result {
		r.Status, r.Step, r.Reason = status, step, reason
		return r
	}
	roots := req.Demand.Root.X509
	switch {
	case byFulcio(leaf) && len(roots) == 0:
		return fail(Unverifiable, StepTime, "the certificate is one of a Sigstore instance, which lives for minutes, and nothing says when it was used: give the bundle")
	case len(roots) == 0:
		return fail(Unverifiable, StepTrust, "the signature holds, but nothing says whose certificate it is: give its root with --trusted-root")
	}
	err = anchored(leaf, certs[1:], roots, req.Now, x509.ExtKeyUsageCodeSigning)
	switch {
	case errors.Is(err, errOutside):
		return fail(Unverifiable, StepTime, "a bare signature has no time, and now the certificate does not hold: "+err.Error())
	case err != nil:
		r.Expected, r.Found = subjects(roots), r.Identity+", issued by "+r.Issuer
		return fail(Rejected, StepChain, "the signer's chain does not end in a pinned root: "+err.Error())
	}
	r.Status, r.Reason = Verified, "the signature holds, and the signer's chain ends in a pinned root"
	return named(req, r, leaf, slices.ContainsFunc(roots, leaf.Equal))
}
