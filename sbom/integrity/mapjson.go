package integrity

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"unicode/utf8"
)

var errSourceMap = errors.New("it cannot be parsed")

// parseSourceMap reads sources and sourcesContent of a source map
// (https://tc39.es/ecma426/). A null, and what is no text, is an empty one. It
// does not look into the values of other fields: those and the texts are nearly
// all of a map, and encoding/json goes over each of them five times.
func parseSourceMap(data []byte) (sources []string, contents [][]byte, err error) {
	r := &mapReader{rest: bytes.TrimPrefix(bytes.TrimPrefix(data, []byte(")]}'")), []byte("\ufeff"))}
	if !r.take('{') {
		return nil, nil, errors.New("it is no JSON object")
	}
	var names [][]byte
	var root []byte
	for more := !r.take('}'); more && !r.bad; more = r.next('}') {
		key := r.text()
		r.must(':')
		switch string(key) {
		case "sources":
			names = r.list()
		case "sourcesContent":
			contents = r.list()
		case "sourceRoot":
			if root = nil; r.starts('"') {
				root = r.text()
			} else {
				r.skip()
			}
		case "sections":
			return nil, nil, errors.New("it consists of sections")
		default:
			r.skip()
		}
	}
	if r.bad {
		return nil, nil, errSourceMap
	}
	if len(root) > 0 {
		root = append(bytes.Clone(bytes.TrimSuffix(root, []byte("/"))), '/')
	}
	for _, name := range names {
		sources = append(sources, string(root)+string(name))
	}
	return sources, contents, nil
}

// mapReader reads JSON from its beginning. Once something was bad, all that
// follows is empty.
type mapReader struct {
	rest []byte
	bad  bool
}

func (r *mapReader) space() {
	for len(r.rest) > 0 && (r.rest[0] == ' ' || r.rest[0] == '\n' || r.rest[0] == '\t' || r.rest[0] == '\r') {
		r.rest = r.rest[1:]
	}
}

// starts reports whether a character is the next one behind white space.
func (r *mapReader) starts(c byte) bool {
	r.space()
	return !r.bad && len(r.rest) > 0 && r.rest[0] == c
}

// take reads a character, if it is the next one behind white space.
func (r *mapReader) take(c byte) bool {
	if !r.starts(c) {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *mapReader) must(c byte) {
	if !r.take(c) {
		r.bad = true
	}
}

// next reports whether another value follows, or the end.
func (r *mapReader) next(end byte) bool {
	if r.take(',') {
		return true
	}
	r.must(end)
	return false
}

// list reads a list of texts, or null.
func (r *mapReader) list() (out [][]byte) {
	if r.starts('n') {
		r.skip()
		return nil
	}
	r.must('[')
	for more := !r.take(']'); more && !r.bad; more = r.next(']') {
		if len(out) == maxSources {
			r.bad = true
			return nil
		}
		if r.starts('"') {
			out = append(out, r.text())
		} else {
			r.skip()
			out = append(out, nil)
		}
	}
	return out
}

// literal reads a text as it is written, without its quotes. escaped: something
// in it stands for something else.
func (r *mapReader) literal() (text []byte, escaped bool) {
	r.must('"')
	for i := 0; i < len(r.rest) && !r.bad; i++ {
		switch c := r.rest[i]; {
		case c == '\\':
			escaped = true
			i++
		case c == '"':
			text, r.rest = r.rest[:i], r.rest[i+1:]
			return text, escaped
		case c < ' ':
			r.bad = true
		}
	}
	r.bad = true
	return nil, false
}

// text reads a text. The usual ones are done here; encoding/json has the last
// word on the others.
func (r *mapReader) text() []byte {
	lit, escaped := r.literal()
	out, ok := lit, true
	if escaped {
		out, ok = unescape(lit)
	}
	if ok && utf8.Valid(out) {
		return out
	}
	var s string
	if err := json.Unmarshal(slices.Concat([]byte{'"'}, lit, []byte{'"'}), &s); err != nil {
		r.bad = true
		return nil
	}
	return []byte(s)
}

// unescape resolves escapes of one letter; false when there are others.
func unescape(lit []byte) ([]byte, bool) {
	out := make([]byte, 0, len(lit))
	for {
		at := bytes.IndexByte(lit, '\\')
		if at < 0 {
			return append(out, lit...), true
		}
		if at+1 == len(lit) {
			return nil, false
		}
		out = append(out, lit[:at]...)
		switch c := lit[at+1]; c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		default:
			return nil, false
		}
		lit = lit[at+2:]
	}
}

// skip reads a value that nobody wants, and sees only where it ends: brackets
// are counted, so that depth costs nothing.
func (r *mapReader) skip() {
	depth := 0
	for !r.bad {
		r.space()
		if len(r.rest) == 0 {
			r.bad = true
			return
		}
		switch r.rest[0] {
		case '"':
			r.literal()
		case '{', '[':
			depth++
			r.rest = r.rest[1:]
			continue
		case '}', ']', ',', ':':
			if depth == 0 {
				r.bad = true
				return
			}
			if c := r.rest[0]; c == '}' || c == ']' {
				depth--
			}
			r.rest = r.rest[1:]
		default:
			r.word()
		}
		if depth == 0 {
			return
		}
	}
}

// word reads a number, true, false or null.
func (r *mapReader) word() {
	end := bytes.IndexFunc(r.rest, func(c rune) bool {
		return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == 'E' || c == '+' || c == '-' || c == '.')
	})
	if end < 0 {
		end = len(r.rest)
	}
	if !json.Valid(r.rest[:end]) {
		r.bad = true
		return
	}
	r.rest = r.rest[end:]
}
