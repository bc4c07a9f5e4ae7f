package attest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxPredicate bounds in bytes a predicate that is read into memory as a whole:
// provenance, summaries, publish and vulnerability attestations. A predicate
// that is an SBOM is handed on as bytes.
const maxPredicate = 16 << 20

// maxDepth bounds how deep arrays and objects of a predicate are nested.
const maxDepth = 200

// errUnread says that a predicate was not read, so that nothing is known of it.
var errUnread = errors.New("not read here")

// fields reads one JSON object. Names are taken as they are written, and a name
// that comes twice is an error: encoding/json would ignore case and take the
// last one, so that two readers of one signed document could see two things.
// The values lie in data, which must not change while they are in use.
func fields(data []byte) (map[string]json.RawMessage, error) {
	if out, twice, ok := members(data); ok && !twice {
		return out, nil
	}
	return fieldsSlowly(data)
}

// fieldsSlowly is fields by the tokens of encoding/json.
func fieldsSlowly(data []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil {
		return nil, err
	} else if t != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("the field %q comes twice", name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		out[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the document")
	}
	return out, nil
}

// decode reads a JSON value under the rules of fields, all the way down:
// objects become map[string]any, numbers json.Number.
func decode(data []byte) (any, error) {
	if len(data) > maxPredicate {
		return nil, fmt.Errorf("%w: it has %d bytes, and %d is the most that is read", errUnread, len(data), maxPredicate)
	}
	s := scanner{data: data}
	if v, ok := s.value(0); ok && s.ended() {
		return v, nil
	}
	return decodeSlowly(data)
}

// decodeSlowly is decode by the tokens of encoding/json.
func decodeSlowly(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decodeNext(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the document")
	}
	return v, nil
}

func decodeNext(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		out := map[string]any{}
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, _ := k.(string)
			if _, twice := out[name]; twice {
				return nil, fmt.Errorf("the field %q comes twice", name)
			}
			if out[name], err = decodeNext(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return out, err
	case json.Delim('['):
		out := []any{}
		for d.More() {
			v, err := decodeNext(d, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		_, err := d.Token()
		return out, err
	}
	return t, nil
}

// at follows names through objects; nil when something on the way is absent or
// no object.
func at(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// textAt is the string at a path; "" when there is none.
func textAt(v any, path ...string) string {
	s, _ := at(v, path...).(string)
	return s
}

// listAt is the array at a path; nil when there is none.
func listAt(v any, path ...string) []any {
	l, _ := at(v, path...).([]any)
	return l
}

// digestAt is the digest set at a path: the values that are strings.
func digestAt(v any, path ...string) map[string]string {
	m, _ := at(v, path...).(map[string]any)
	out := map[string]string{}
	for alg, d := range m {
		if s, ok := d.(string); ok {
			out[alg] = s
		}
	}
	return out
}
