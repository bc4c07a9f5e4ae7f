package codec

import (
	"bytes"
	"fmt"
	"io"
)

// Limits of what Decode reads. A real SBOM of a function has some hundreds of
// components of 2 to 5 KB, one of a large image some thousands.
const (
	DefaultSize   = 64 << 20 // bytes of a document when the caller says nothing
	MaxDepth      = 100      // objects and arrays within one another
	MaxObjects    = 1 << 20  // objects in a document
	MaxValues     = 1 << 23  // values in a document
	MaxComponents = 100_000  // components in a document

	maxArtifacts   = 1 << 16 // index of an artifact, in a document of ours
	maxOccurrences = 1000    // places of one component; more say nothing new
	maxUnknowns    = 10_000  // unknowns of one function
	maxText        = 1 << 20 // bytes of one name, version, path or reason
)

// read returns all of r, at most limit bytes, without a byte order mark, after
// a look at its structure: an attacker pays one byte for a value that costs us
// hundreds when it is decoded, so the counts are checked first.
func read(r io.Reader, limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = DefaultSize
	}
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("more than %d bytes: %w", limit, ErrLimit)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	return text, checkStructure(text)
}

// checkStructure counts the brackets, objects and values outside of strings.
// It does not check the syntax: the decoder does.
func checkStructure(text []byte) error {
	depth, objects, values := 0, 0, 1
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			values++
			if text[i] == '{' {
				objects++
			}
			if depth > MaxDepth {
				return fmt.Errorf("values nested deeper than %d: %w", MaxDepth, ErrLimit)
			}
		case '}', ']':
			depth--
		case ',':
			values++
		}
	}
	if objects > MaxObjects {
		return fmt.Errorf("more than %d objects: %w", MaxObjects, ErrLimit)
	}
	if values > MaxValues {
		return fmt.Errorf("more than %d values: %w", MaxValues, ErrLimit)
	}
	return nil
}
