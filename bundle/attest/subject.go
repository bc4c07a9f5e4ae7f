package attest

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"

	"github.com/fnaudit/fnaudit/bundle"
)

// Subject is what is asked about. At least a digest or the bytes must be there.
// It is safe for concurrent use and must not be copied after the first call.
type Subject struct {
	Name string // what the user called it

	// Digests are known digests: algorithm as in an in-toto DigestSet
	// ("sha256", "sha512", "gce_image_id") -> lower-case hexadecimal, or
	// whatever the algorithm writes. They are believed, so they must come from the
	// same bytes as Bytes.
	Digests map[string]string

	// Also are digests of what the subject belongs to and for which a
	// signature counts too, with a word for each: the index of a platform's image
	// manifest, for example.
	Also map[string]string // "sha256:…" -> "image index"

	Bytes     io.ReaderAt // nil: only the digests are known
	Size      int64       // of Bytes, or of the content of MediaType; 0 when not known
	MediaType string      // of an image manifest; "" otherwise

	Repository string               // of a registry that an image was pulled from; "" otherwise
	Indexes    []bundle.ManifestRef // those of Also that are image indexes

	mu   sync.Mutex
	made map[string]string
}

// ErrNoBytes says that a digest was asked for that is neither given nor can be computed.
var ErrNoBytes = errors.New("only a digest of the artifact was given, and not this one")

// Digest returns one digest of the subject, and computes it if it must.
func (s *Subject) Digest(algorithm string) (string, error) {
	if d, ok := s.Digests[algorithm]; ok {
		return d, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.made[algorithm]; ok {
		return d, nil
	}
	var h hash.Hash
	switch algorithm {
	case "sha256":
		h = sha256.New()
	case "sha384":
		h = sha512.New384()
	case "sha512":
		h = sha512.New()
	default:
		return "", fmt.Errorf("digest algorithm %q: %w", algorithm, errors.ErrUnsupported)
	}
	if s.Bytes == nil {
		return "", fmt.Errorf("%s: %w", algorithm, ErrNoBytes)
	}
	if _, err := io.Copy(h, s.Reader()); err != nil {
		return "", fmt.Errorf("read %s: %w", s.Name, err)
	}
	if s.made == nil {
		s.made = map[string]string{}
	}
	s.made[algorithm] = hex.EncodeToString(h.Sum(nil))
	return s.made[algorithm], nil
}

// Reader reads the bytes from the start; nil when there are none.
func (s *Subject) Reader() io.Reader {
	if s.Bytes == nil {
		return nil
	}
	return io.NewSectionReader(s.Bytes, 0, s.Size)
}

// ParseDigest reads "ALG:VALUE". The value of an algorithm may hold colons.
func ParseDigest(text string) (algorithm, value string, err error) {
	algorithm, value, ok := strings.Cut(text, ":")
	if !ok || algorithm == "" || value == "" {
		return "", "", fmt.Errorf("%q is no digest: write it as ALGORITHM:VALUE, as in sha256:… ", text)
	}
	sizes := map[string]int{"sha256": sha256.Size, "sha384": sha512.Size384, "sha512": sha512.Size}
	if n, known := sizes[algorithm]; known {
		value = strings.ToLower(value)
		if raw, err := hex.DecodeString(value); err != nil || len(raw) != n {
			return "", "", fmt.Errorf("%q is no digest: %s has %d hexadecimal digits", text, algorithm, 2*n)
		}
	}
	return algorithm, value, nil
}
