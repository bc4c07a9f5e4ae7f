package vulndb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// scanner reads one JSON text from front to back and hands out only what is
// asked for. encoding/json goes over a record twice and builds what the store
// then drops; for a whole feed that was half of the time (1.4 of 2.9 s of CPU
// for 26,535 records). Strings with escapes or broken UTF-8 are left to
// encoding/json, so that every accepted text means the same to both. What is
// skipped is checked for its brackets and strings, not for every rule.
//
// Once err is set, the scanner stands at the end and every read returns
// nothing.
type scanner struct {
	data  []byte
	pos   int
	depth int
	items int  // of arrays, so far
	view  bool // strings share the memory of data
	err   error
}

// Limits on the shape of a record. What a record takes in memory is bounded by
// them and by MaxRecord.
const (
	maxDepth = 64        // nesting; the schema needs 8
	maxItems = 1_000_000 // of all arrays; the largest real record has some 20,000
)

func (s *scanner) fail(what string) {
	if s.err == nil {
		s.err = fmt.Errorf("JSON: %s at byte %d", what, min(s.pos, len(s.data)))
	}
	s.pos = len(s.data)
}

// peek skips white space and returns the next byte without taking it; 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.pos++
	}
	return 0
}

func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.pos >= len(s.data) {
		return false
	}
	s.pos++
	return true
}

// null takes the word null if it is next.
func (s *scanner) null() bool {
	if s.peek() == 'n' && bytes.HasPrefix(s.data[s.pos:], []byte("null")) {
		s.pos += 4
		return true
	}
	return false
}

// object calls field with each key; field must read or skip the value. null
// counts as an object without keys.
func (s *scanner) object(field func(key []byte)) {
	if s.null() {
		return
	}
	if !s.enter('{', "no object") || s.leave('}') {
		return
	}
	for {
		key := s.key()
		if s.err == nil && !s.take(':') {
			s.fail("no colon")
		}
		if s.err != nil {
			return
		}
		field(key)
		if s.leave('}') || s.err != nil {
			return
		}
		if !s.take(',') {
			s.fail("no comma")
			return
		}
	}
}

// array calls item before each value; item must read or skip it. null counts
// as an empty array.
func (s *scanner) array(item func()) {
	if s.null() {
		return
	}
	if !s.enter('[', "no array") || s.leave(']') {
		return
	}
	for {
		if s.items++; s.items > maxItems {
			s.fail("too many items")
			return
		}
		item()
		if s.leave(']') || s.err != nil {
			return
		}
		if !s.take(',') {
			s.fail("no comma")
			return
		}
	}
}

func (s *scanner) enter(c byte, what string) bool {
	if !s.take(c) {
		s.fail(what)
		return false
	}
	if s.depth++; s.depth > maxDepth {
		s.fail("nested too deeply")
		return false
	}
	return true
}

func (s *scanner) leave(c byte) bool {
	if s.err != nil || !s.take(c) {
		return false
	}
	s.depth--
	return true
}

// token returns the next string with its quotes; nil if there is none.
func (s *scanner) token() []byte {
	if s.peek() != '"' || s.pos >= len(s.data) {
		s.fail("no string")
		return nil
	}
	for i := s.pos + 1; i < len(s.data); {
		// Jump to the next quote: most strings have no escape, and the long ones are skipped.
		j := bytes.IndexByte(s.data[i:], '"')
		if j < 0 {
			break
		}
		j += i
		// A quote after an odd number of backslashes belongs to the string.
		n := 0
		for k := j - 1; k > s.pos && s.data[k] == '\\'; k-- {
			n++
		}
		if n%2 == 0 {
			tok := s.data[s.pos : j+1]
			s.pos = j + 1
			return tok
		}
		i = j + 1
	}
	s.fail("a string does not end")
	return nil
}

// key returns an object's key.
func (s *scanner) key() []byte {
	tok := s.token()
	if len(tok) < 2 {
		return nil
	}
	if bytes.IndexByte(tok, '\\') < 0 {
		return tok[1 : len(tok)-1]
	}
	return []byte(s.unquote(tok))
}

// string returns the next string; null is "".
func (s *scanner) string() string {
	if s.null() {
		return ""
	}
	tok := s.token()
	if len(tok) < 2 {
		return ""
	}
	return s.unquote(tok)
}

// unquote returns what a token stands for.
func (s *scanner) unquote(tok []byte) string {
	body := tok[1 : len(tok)-1]
	plain, ascii := true, true
	for _, c := range body {
		if c == '\\' || c < ' ' {
			plain = false
			break
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if plain && (ascii || utf8.Valid(body)) {
		if s.view {
			return unsafe.String(unsafe.SliceData(body), len(body))
		}
		return string(body)
	}
	var v string
	if err := json.Unmarshal(tok, &v); err != nil {
		s.fail("a string is malformed")
		return ""
	}
	return v
}

// strings returns the next array of strings.
func (s *scanner) strings() []string {
	var list []string
	s.array(func() { list = append(list, s.string()) })
	return list
}

// skip passes over the next value.
func (s *scanner) skip() {
	switch c := s.peek(); {
	case c == '"':
		s.token()
	case c == '{':
		s.object(func([]byte) { s.skip() })
	case c == '[':
		s.array(s.skip)
	default:
		s.scalar()
	}
}

// scalar takes a number or a word.
func (s *scanner) scalar() []byte {
	s.peek()
	start := s.pos
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E') {
			break
		}
		s.pos++
	}
	if s.pos == start {
		s.fail("no value")
	}
	return s.data[start:min(s.pos, len(s.data))]
}

// maybeString returns the next value if it is a string, else skips it. It is
// for the free-form objects of the schema, where anything may stand.
func (s *scanner) maybeString() string {
	if s.peek() == '"' {
		return s.string()
	}
	s.skip()
	return ""
}

// maybeStrings is maybeString for an array; other items are skipped.
func (s *scanner) maybeStrings() []string {
	var list []string
	if s.peek() != '[' {
		s.skip()
		return nil
	}
	s.array(func() {
		if v := s.maybeString(); v != "" {
			list = append(list, v)
		}
	})
	return list
}

// maybeNumber returns the next value if it is a number or a string with one.
func (s *scanner) maybeNumber() float64 {
	var text string
	switch c := s.peek(); {
	case c == '"':
		text = s.string()
	case c == '-' || c >= '0' && c <= '9':
		text = string(s.scalar())
	default:
		s.skip()
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != f {
		return 0
	}
	return f
}

// maybeObject calls field with each key if the next value is an object, else skips it.
func (s *scanner) maybeObject(field func(key []byte)) {
	if s.peek() == '{' {
		s.object(field)
	} else {
		s.skip()
	}
}

// end fails unless nothing but white space is left.
func (s *scanner) end() {
	if s.peek(); s.err == nil && s.pos < len(s.data) {
		s.fail("more after the record")
	}
}
