package share

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Signer signs with a private key.
type Signer struct{ key crypto.Signer }

// Verifier verifies with a public key.
type Verifier struct{ key crypto.PublicKey }

// ParseSigner reads a private key: PEM with PKCS #8, or SEC 1 for ECDSA.
func ParseSigner(text []byte) (*Signer, error) {
	block, err := onePEM(text)
	if err != nil {
		return nil, fmt.Errorf("read private key: %w", err)
	}
	var key any
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("read private key: it is encrypted, and encrypted keys are not read; sign with cosign instead, or use a key from `openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256`")
	case "PUBLIC KEY":
		return nil, errors.New("read private key: this is the public one")
	default:
		return nil, fmt.Errorf("read private key: PEM block %q is none", clip(block.Type, 40))
	}
	if err != nil {
		return nil, fmt.Errorf("read private key: %w", err)
	}
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		return &Signer{k}, nil
	case ed25519.PrivateKey:
		return &Signer{k}, nil
	}
	return nil, fmt.Errorf("read private key: keys of type %T are not used; ECDSA and Ed25519 are", key)
}

// ParseVerifier reads a public key: PEM with PKIX.
func ParseVerifier(text []byte) (*Verifier, error) {
	block, err := onePEM(text)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	if block.Type != "PUBLIC KEY" {
		return nil, fmt.Errorf("read public key: PEM block %q is none", clip(block.Type, 40))
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	switch key.(type) {
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return &Verifier{key}, nil
	}
	return nil, fmt.Errorf("read public key: keys of type %T are not used; ECDSA and Ed25519 are", key)
}

// onePEM returns the only block of a text: with two, nobody could say which counts.
func onePEM(text []byte) (*pem.Block, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, errors.New("it is no PEM file")
	case strings.TrimSpace(string(rest)) != "":
		return nil, errors.New("the file holds more than one key")
	}
	return block, nil
}

// Verifier returns what verifies the signer's signatures.
func (s *Signer) Verifier() *Verifier { return &Verifier{s.key.Public()} }

// message is what is signed. ECDSA signs its digest, which can be computed on
// the way; Ed25519 needs all of it.
type message struct {
	digest [sha256.Size]byte
	all    func() ([]byte, error)
}

func whole(b []byte) message {
	return message{sha256.Sum256(b), func() ([]byte, error) { return b, nil }}
}

// sign makes a signature. The same key and message give the same signature:
// ECDSA without a source of randomness follows RFC 6979.
func (s *Signer) sign(m message) ([]byte, error) {
	switch k := s.key.(type) {
	case *ecdsa.PrivateKey:
		return k.Sign(nil, m.digest[:], crypto.SHA256)
	case ed25519.PrivateKey:
		b, err := m.all()
		if err != nil {
			return nil, err
		}
		return ed25519.Sign(k, b), nil
	}
	return nil, errors.New("sign: there is no key")
}

// errSignature says that a signature is not by the key, or not over this.
var errSignature = errors.New("the signature is not by this key over these bytes")

func (v *Verifier) verify(m message, sig []byte) error {
	switch k := v.key.(type) {
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(k, m.digest[:], sig) {
			return nil
		}
	case ed25519.PublicKey:
		b, err := m.all()
		if err != nil {
			return err
		}
		if len(sig) == ed25519.SignatureSize && ed25519.Verify(k, b, sig) {
			return nil
		}
	}
	return errSignature
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
