package share

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// SignatureSuffix is what the name of a file's detached signature ends with.
const SignatureSuffix = ".sig"

// MaxSignature bounds a detached signature in bytes; a Sigstore bundle with its
// log entry has some 10,000.
const MaxSignature = 256 << 10

// maxEd25519 bounds in bytes the file that can be signed with an Ed25519 key:
// that needs all of it in memory at once.
const maxEd25519 = 1 << 30

// SignFile returns the detached signature of a file: base64 on one line, as
// `cosign sign-blob` writes it and `cosign verify-blob --key --signature` reads it.
func SignFile(s *Signer, f io.ReadSeeker) ([]byte, error) {
	m, err := fileMessage(f)
	if err != nil {
		return nil, err
	}
	sig, err := s.sign(m)
	if err != nil {
		return nil, err
	}
	return []byte(base64.StdEncoding.EncodeToString(sig) + "\n"), nil
}

// VerifyFile verifies a file against its detached signature, bare or in a
// Sigstore bundle as `cosign sign-blob --key --bundle` writes it, and returns the
// file's digest, "sha256:...". Whoever then reads the file again demands that
// digest, so that what is used is what was verified.
func VerifyFile(v *Verifier, f io.ReadSeeker, signature []byte) (digest string, err error) {
	if len(signature) > MaxSignature {
		return "", fmt.Errorf("verify signature: it has over %d bytes", MaxSignature)
	}
	m, err := fileMessage(f)
	if err != nil {
		return "", err
	}
	if err := v.detached(m, signature); err != nil {
		return "", fmt.Errorf("verify signature: %w", err)
	}
	return "sha256:" + hex.EncodeToString(m.digest[:]), nil
}

// detached verifies the text of a signature over a message.
func (v *Verifier) detached(m message, text []byte) error {
	if isBundle(text) {
		b, err := parseBundle(text)
		if err != nil {
			return err
		}
		return b.over(v, m)
	}
	sig, err := decode(text)
	if err != nil {
		return err
	}
	return v.verify(m, sig)
}

// FileDigest returns the digest of a file, "sha256:...".
func FileDigest(f io.ReadSeeker) (string, error) {
	m, err := fileMessage(f)
	if err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(m.digest[:]), nil
}

func fileMessage(f io.ReadSeeker) (message, error) {
	var m message
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return m, fmt.Errorf("read the file: %w", err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return m, fmt.Errorf("read the file: %w", err)
	}
	sum.Sum(m.digest[:0])
	m.all = func() ([]byte, error) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("read the file: %w", err)
		}
		b, err := io.ReadAll(io.LimitReader(f, maxEd25519+1))
		switch {
		case err != nil:
			return nil, fmt.Errorf("read the file: %w", err)
		case len(b) > maxEd25519:
			return nil, fmt.Errorf("a file of over %d bytes needs an ECDSA key", maxEd25519)
		case sha256.Sum256(b) != m.digest:
			return nil, errors.New("the file changed while it was read")
		}
		return b, nil
	}
	return m, nil
}
