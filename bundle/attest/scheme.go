package attest

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 jars that are signed with it are around; nothing is signed here
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// scheme is how a signature is made: a hash and, for RSA, a padding.
type scheme struct {
	hash crypto.Hash // 0: the message is signed as it is (Ed25519)
	kind string      // "rsa", "rsa-pss", "ecdsa", "dsa", "ed25519"
}

// errAlgorithm says that an algorithm is not known here, so that nothing is proved
// and nothing refuted.
var errAlgorithm = errors.New("an algorithm that is not read here")

// errSignature says that a signature does not hold.
var errSignature = errors.New("the signature does not hold for this key and these bytes")

// strong refuses hashes for which two contents with one digest can be made: MD5
// and SHA-1 (NIST SP 800-131A revision 2, section 9).
func strong(h crypto.Hash) error {
	switch h {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512:
		return nil
	}
	return fmt.Errorf("the hash %s: %w", h, errWeak)
}

// hashed is the digest of b.
func hashed(h crypto.Hash, b []byte) []byte {
	w := h.New()
	w.Write(b)
	return w.Sum(nil)
}

func hashByOID(oid asn1.ObjectIdentifier) (crypto.Hash, error) {
	h, ok := map[string]crypto.Hash{
		"1.2.840.113549.2.5":     crypto.MD5,
		"1.3.14.3.2.26":          crypto.SHA1,
		"2.16.840.1.101.3.4.2.1": crypto.SHA256,
		"2.16.840.1.101.3.4.2.2": crypto.SHA384,
		"2.16.840.1.101.3.4.2.3": crypto.SHA512,
	}[oid.String()]
	if !ok {
		return 0, fmt.Errorf("hash %s: %w", oid, errAlgorithm)
	}
	return h, nil
}

// schemeByOID reads the signature algorithm of a CMS signer (RFC 3370, 5754,
// 8419). An algorithm that names a hash must name the digest's.
func schemeByOID(oid asn1.ObjectIdentifier, digest crypto.Hash) (scheme, error) {
	type named struct {
		kind string
		hash crypto.Hash // 0: the digest's
	}
	n, ok := map[string]named{
		"1.2.840.113549.1.1.1":   {"rsa", 0},
		"1.2.840.113549.1.1.4":   {"rsa", crypto.MD5},
		"1.2.840.113549.1.1.5":   {"rsa", crypto.SHA1},
		"1.2.840.113549.1.1.11":  {"rsa", crypto.SHA256},
		"1.2.840.113549.1.1.12":  {"rsa", crypto.SHA384},
		"1.2.840.113549.1.1.13":  {"rsa", crypto.SHA512},
		"1.2.840.113549.1.1.10":  {"rsa-pss", 0},
		"1.2.840.10045.2.1":      {"ecdsa", 0},
		"1.2.840.10045.4.1":      {"ecdsa", crypto.SHA1},
		"1.2.840.10045.4.3.2":    {"ecdsa", crypto.SHA256},
		"1.2.840.10045.4.3.3":    {"ecdsa", crypto.SHA384},
		"1.2.840.10045.4.3.4":    {"ecdsa", crypto.SHA512},
		"1.2.840.10040.4.1":      {"dsa", 0},
		"1.2.840.10040.4.3":      {"dsa", crypto.SHA1},
		"2.16.840.1.101.3.4.3.2": {"dsa", crypto.SHA256},
		"1.3.101.112":            {"ed25519", crypto.SHA512},
	}[oid.String()]
	if !ok {
		return scheme{}, fmt.Errorf("signature algorithm %s: %w", oid, errAlgorithm)
	}
	if n.hash != 0 && n.hash != digest {
		return scheme{}, fmt.Errorf("the signature algorithm has the hash %s, the digest %s", n.hash, digest)
	}
	if err := strong(digest); err != nil {
		return scheme{}, err
	}
	if n.kind == "ed25519" {
		digest = 0
	}
	return scheme{digest, n.kind}, nil
}

// verify returns nil when sig is by pub over message. The error wraps errAlgorithm
// when the scheme does not fit the key.
func (s scheme) verify(pub crypto.PublicKey, message, sig []byte) error {
	var digest []byte
	if s.hash != 0 {
		digest = hashed(s.hash, message)
	}
	return s.verifyDigest(pub, message, digest, sig)
}

// verifyDigest is verify for who has the digest already; only Ed25519 needs the message.
func (s scheme) verifyDigest(pub crypto.PublicKey, message, digest, sig []byte) error {
	good := false
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if tooLong(pub) {
			return fmt.Errorf("an RSA key of %d bits: %w", k.N.BitLen(), errAlgorithm)
		}
		switch s.kind {
		case "rsa":
			good = rsa.VerifyPKCS1v15(k, s.hash, digest, sig) == nil
		case "rsa-pss":
			good = rsa.VerifyPSS(k, s.hash, digest, sig, nil) == nil
		default:
			return fmt.Errorf("an RSA key for a signature of the kind %s: %w", s.kind, errAlgorithm)
		}
	case *ecdsa.PublicKey:
		if s.kind != "ecdsa" {
			return fmt.Errorf("an ECDSA key for a signature of the kind %s: %w", s.kind, errAlgorithm)
		}
		good = ecdsa.VerifyASN1(k, digest, sig)
	case ed25519.PublicKey:
		if s.kind != "ed25519" {
			return fmt.Errorf("an Ed25519 key for a signature of the kind %s: %w", s.kind, errAlgorithm)
		}
		good = len(k) == ed25519.PublicKeySize && ed25519.Verify(k, message, sig)
	case *dsa.PublicKey:
		if s.kind != "dsa" {
			return fmt.Errorf("a DSA key for a signature of the kind %s: %w", s.kind, errAlgorithm)
		}
		return verifyDSA(k, digest, sig)
	default:
		return fmt.Errorf("a key of the type %T: %w", pub, errAlgorithm)
	}
	if !good {
		return errSignature
	}
	return nil
}

// tooLong says that a key is so long that checking anything with it takes
// seconds: a key of megabytes in a message would take hours.
func tooLong(pub crypto.PublicKey) bool {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() > 16384 || k.E > 1<<31-1
	case *dsa.PublicKey:
		return k.P.BitLen() > 4096
	}
	return false
}

// verifyDSA checks a DSA signature (FIPS 186-4, section 4.7). Keys under 2,048
// bits are refused.
func verifyDSA(k *dsa.PublicKey, digest, sig []byte) error {
	if n := k.P.BitLen(); n < 2048 || n > 4096 {
		return fmt.Errorf("a DSA key of %d bits: %w", n, errWeak)
	}
	if k.Y.Cmp(k.P) >= 0 || k.G.Cmp(k.P) >= 0 {
		return errSignature
	}
	var rs struct{ R, S *big.Int }
	if err := unmarshal(sig, &rs); err != nil {
		return errSignature
	}
	if n := (k.Q.BitLen() + 7) / 8; n < len(digest) {
		digest = digest[:n]
	}
	if !dsa.Verify(k, digest, rs.R, rs.S) {
		return errSignature
	}
	return nil
}
