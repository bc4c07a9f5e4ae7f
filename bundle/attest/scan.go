package attest

import (
	"encoding/json"
)

// scanner walks over JSON (RFC 8259) in a fraction of the time that
// encoding/json takes to hand out its tokens. It has no errors: at anything that
// it is not sure of it gives up, and the caller asks encoding/json, which says
// what is wrong or reads what is merely odd. What it does read it reads as
// encoding/json would, of which a fuzz test convinces.
type scanner struct {
	data []byte
	at   int
}

// next skips white space and returns the byte that follows; 0 at the end.
func (s *scanner) next() byte {
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// took says whether c follows, and goes behind it.
func (s *scanner) took(c byte) bool {
	if s.next() != c {
		return false
	}
	s.at++
	return true
}

// ended says whether nothing but white space follows.
func (s *scanner) ended() bool { return s.next() == 0 && s.at == len(s.data) }

// list goes through what is between two brackets, and leaves it to item to read each.
func (s *scanner) list(open, end byte, item func() bool) bool {
	if !s.took(open) {
		return false
	}
	if s.took(end) {
		return true
	}
	for item() {
		if !s.took(',') {
			return s.took(end)
		}
	}
	return false
}

// each goes through an object, and leaves it to member to read each value.
func (s *scanner) each(member func(name string) bool) bool {
	return s.list('{', '}', func() bool {
		name, ok := s.text()
		return ok && s.took(':') && member(name)
	})
}

// members reads the one object that a text is: the last member of each name, and
// whether a name comes twice. It is not ok for any other text.
func members(text []byte) (out map[string]json.RawMessage, twice, ok bool) {
	s := scanner{data: text}
	out = map[string]json.RawMessage{}
	ok = s.each(func(name string) bool {
		if _, there := out[name]; there {
			twice = true
		}
		value, ok := s.raw(0)
		out[name] = value
		return ok
	})
	return out, twice, ok && s.ended()
}

// value reads a value as decode does, in which no name comes twice.
func (s *scanner) value(depth int) (v any, ok bool) {
	if depth > maxDepth {
		return nil, false
	}
	switch c := s.next(); c {
	case '{':
		out := map[string]any{}
		ok = s.each(func(name string) bool {
			if _, twice := out[name]; twice {
				return false
			}
			v, ok := s.value(depth + 1)
			out[name] = v
			return ok
		})
		return out, ok
	case '[':
		out := []any{}
		ok = s.list('[', ']', func() bool {
			v, ok := s.value(depth + 1)
			out = append(out, v)
			return ok
		})
		return out, ok
	case '"':
		return s.text()
	case 't':
		return true, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return nil, s.word("null")
	}
	from := s.at
	ok = s.number()
	return json.Number(s.data[from:s.at]), ok
}

// raw goes over a value and returns how it is written.
func (s *scanner) raw(depth int) (text []byte, ok bool) {
	if depth > maxDepth {
		return nil, false
	}
	c := s.next()
	from := s.at
	switch c {
	case '{':
		ok = s.list('{', '}', func() bool {
			_, isText := s.quoted()
			if !isText || !s.took(':') {
				return false
			}
			_, ok := s.raw(depth + 1)
			return ok
		})
	case '[':
		ok = s.list('[', ']', func() bool { _, ok := s.raw(depth + 1); return ok })
	case '"':
		_, ok = s.quoted()
	case 't':
		ok = s.word("true")
	case 'f':
		ok = s.word("false")
	case 'n':
		ok = s.word("null")
	default:
		ok = s.number()
	}
	return s.data[from:s.at:s.at], ok
}

// quoted goes over a string and says whether what is between its quotes is its
// text: ASCII without an escape.
func (s *scanner) quoted() (plain, ok bool) {
	if s.next() != '"' {
		return false, false
	}
	from := s.at
	plain = true
	for s.at++; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			return plain, plain || json.Valid(s.data[from:s.at])
		case c == '\\':
			plain = false
			s.at++
		case c < ' ':
			return false, false
		case c >= 0x80:
			plain = false
		}
	}
	return false, false
}

// text reads a string.
func (s *scanner) text() (text string, ok bool) {
	s.next()
	from := s.at
	plain, ok := s.quoted()
	if !ok {
		return "", false
	}
	if plain {
		return string(s.data[from+1 : s.at-1]), true
	}
	return text, json.Unmarshal(s.data[from:s.at], &text) == nil
}

func (s *scanner) word(w string) bool {
	if len(s.data)-s.at < len(w) || string(s.data[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

// number goes over a number. One that no separator follows is no number, and the
// caller sees that.
func (s *scanner) number() bool {
	digits := func() bool {
		from := s.at
		for s.at < len(s.data) && '0' <= s.data[s.at] && s.data[s.at] <= '9' {
			s.at++
		}
		return s.at > from
	}
	is := func(set string) bool {
		for i := range len(set) {
			if s.at < len(s.data) && s.data[s.at] == set[i] {
				s.at++
				return true
			}
		}
		return false
	}
	is("-")
	if !is("0") && !digits() {
		return false
	}
	if is(".") && !digits() {
		return false
	}
	if is("eE") {
		is("+-")
		return digits()
	}
	return true
}
