package descriptor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A document is a tree of values: nil, string (any scalar, as it is written:
// CloudFormation converts between text, numbers and booleans itself), []any
// and *mapping. Aliases of YAML share their value, so that the tree may be a
// graph without cycles: who walks it counts its steps.

// mapping is an object with its keys in the order of the document.
type mapping struct {
	keys   []string
	values map[string]any
}

func newMapping() *mapping { return &mapping{values: map[string]any{}} }

// get returns the value of a key; nil when it is absent. A nil mapping is empty.
func (m *mapping) get(key string) any {
	if m == nil {
		return nil
	}
	return m.values[key]
}

func (m *mapping) has(key string) bool {
	if m == nil {
		return false
	}
	_, ok := m.values[key]
	return ok
}

// put adds a key and reports whether it is new.
func (m *mapping) put(key string, v any) bool {
	if _, dup := m.values[key]; dup {
		return false
	}
	m.keys = append(m.keys, key)
	m.values[key] = v
	return true
}

// sub returns the mapping under a key, nil for anything else.
func (m *mapping) sub(key string) *mapping {
	s, _ := m.get(key).(*mapping)
	return s
}

// text returns the scalar under a key, "" for anything else.
func (m *mapping) text(key string) string {
	s, _ := m.get(key).(string)
	return s
}

// single returns the only key of a mapping and its value.
func (m *mapping) single() (string, any, bool) {
	if m == nil || len(m.keys) != 1 {
		return "", nil, false
	}
	return m.keys[0], m.values[m.keys[0]], true
}

// Limits of one document. A template may have 1 MB and 500 resources
// (docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html,
// 2026-11); the others are far above what one of that size holds.
const (
	maxDocument = 1 << 20 // bytes
	maxDepth    = 100     // nested lists and mappings
	maxKeys     = 5000    // keys of one mapping
	maxNodes    = 200_000 // scalars, lists and mappings
	maxAllKeys  = 60_000  // keys of all mappings
)

var (
	errDepth = fmt.Errorf("nested deeper than %d levels", maxDepth)
	errNodes = fmt.Errorf("more than %d values", maxNodes)
	errKeys  = fmt.Errorf("more than %d keys in one mapping, or %d in all", maxKeys, maxAllKeys)
)

// parse reads a document: JSON when it starts like an object, else YAML. The
// top must be a mapping.
func parse(data []byte) (*mapping, error) {
	if len(data) > maxDocument {
		return nil, fmt.Errorf("%d bytes is over the limit of %d", len(data), maxDocument)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var v any
	var err error
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) && json.Valid(data) {
		v, err = parseJSON(data) // what is not JSON may be YAML in flow style
	} else {
		v, err = parseYAML(data)
	}
	if err != nil {
		return nil, err
	}
	top, ok := v.(*mapping)
	if !ok {
		return nil, errors.New("the top of the document is not a mapping")
	}
	return top, nil
}

// parseJSON reads one JSON value. A key that comes twice is an error.
func parseJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	r := &jsonReader{dec: dec}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

type jsonReader struct {
	dec   *json.Decoder
	nodes int
}

func (r *jsonReader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if r.nodes++; r.nodes > maxNodes {
		return nil, errNodes
	}
	tok, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case string:
		return t, nil
	case json.Number:
		return t.String(), nil
	case bool:
		if t {
			return "true", nil
		}
		return "false", nil
	case json.Delim:
		if t == '[' {
			return r.list(depth)
		}
		return r.object(depth)
	}
	return nil, nil
}

func (r *jsonReader) list(depth int) (any, error) {
	list := []any{}
	for r.dec.More() {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := r.dec.Token()
	return list, err
}

func (r *jsonReader) object(depth int) (any, error) {
	m := newMapping()
	for r.dec.More() {
		tok, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := tok.(string)
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if !m.put(key, v) {
			return nil, fmt.Errorf("the key %q comes twice in one object", key)
		}
	}
	_, err := r.dec.Token()
	return m, err
}
