package jsbundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// maxJSONDepth is how deep the accounts of bundlers may nest; webpack's nest a
// few levels for each chunk in a chunk.
const maxJSONDepth = 200

// errDepth says that a document nests deeper than that.
var errDepth = fmt.Errorf("JSON nested deeper than %d", maxJSONDepth)

// jsonReader walks a JSON document without holding it: what nobody asks for is
// passed over token by token.
type jsonReader struct {
	*json.Decoder
	depth int
}

func newJSONReader(data []byte) *jsonReader {
	return &jsonReader{Decoder: json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))}
}

// object calls visit for each key of the next value if that is an object, and
// passes over it otherwise. visit must consume the key's value.
func (r *jsonReader) object(visit func(key string) error) error {
	return r.inside('{', func() error {
		t, err := r.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		return visit(key)
	})
}

// array calls visit for each element of the next value if that is an array, and
// passes over it otherwise. visit must consume the element.
func (r *jsonReader) array(visit func() error) error {
	return r.inside('[', visit)
}

// inside calls visit in front of each member of the next value.
func (r *jsonReader) inside(open json.Delim, visit func() error) error {
	t, err := r.Token()
	if err != nil {
		return err
	}
	if d, ok := t.(json.Delim); !ok {
		return nil
	} else if d != open {
		return r.rest()
	}
	if r.depth++; r.depth > maxJSONDepth {
		return errDepth
	}
	for r.More() {
		if err := visit(); err != nil {
			return err
		}
	}
	r.depth--
	_, err = r.Token()
	return err
}

// skip passes over the next value.
func (r *jsonReader) skip() error {
	t, err := r.Token()
	if d, ok := t.(json.Delim); err == nil && ok && (d == '{' || d == '[') {
		return r.rest()
	}
	return err
}

// rest passes over what is left of the value that was just opened.
func (r *jsonReader) rest() error {
	for open := 1; open > 0; {
		t, err := r.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if open++; open > maxJSONDepth {
				return errDepth
			}
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
	return nil
}

// text reads the next value if it is a string, else "".
func (r *jsonReader) text() (string, error) {
	s, err := r.scalar()
	text, _ := s.(string)
	return text, err
}

// number reads the next value if it is a number of bytes, else -1.
func (r *jsonReader) number() (int64, error) {
	s, err := r.scalar()
	if n, ok := s.(float64); ok && n >= 0 && n <= 1<<50 {
		return int64(n), err
	}
	return -1, err
}

// scalar reads the next value if it is neither object nor array, else nil.
func (r *jsonReader) scalar() (any, error) {
	t, err := r.Token()
	if d, ok := t.(json.Delim); err == nil && ok && (d == '{' || d == '[') {
		return nil, r.rest()
	}
	return t, err
}

// end checks that nothing follows the document.
func (r *jsonReader) end() error {
	if r.More() {
		return errors.New("text behind the JSON document")
	}
	return nil
}
