package catalog

import "fmt"

// readJSON reads a JSON file and checks its shape before anything decodes it.
func (a *artifact) readJSON(p string, limit int64) ([]byte, error) {
	data, err := a.read(p, limit)
	if err != nil {
		return nil, err
	}
	return data, a.checkJSON(data)
}

// checkJSON bounds nesting and number of keys of a JSON document in one linear
// pass, without deciding whether it is valid: decoders recurse per level and
// allocate per key.
func (a *artifact) checkJSON(data []byte) error {
	depth, keys := 0, 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > a.opts.MaxDepth {
				return &limitError{fmt.Sprintf("JSON nested %d deep", depth), int64(a.opts.MaxDepth)}
			}
		case '}', ']':
			depth--
		case ':', ',':
			// an array element costs as much as a key
			if keys++; keys > 2*a.opts.MaxKeys {
				return &limitError{fmt.Sprintf("JSON with more than %d keys", a.opts.MaxKeys), int64(a.opts.MaxKeys)}
			}
		}
	}
	return nil
}
