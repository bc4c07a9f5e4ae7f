package pystrip

// kind classifies a token of Python source.
type kind uint8

const (
	tokEnd     kind = iota // of the source
	tokNewline             // of a logical line
	tokName                // identifier or keyword
	tokNumber
	tokString
	tokOp // operator or delimiter
)

// token is one token: src[start:end].
type token struct {
	kind       kind
	start, end int
	column     int // of the first token of a logical line; -1 for the others
}

// scanner cuts Python source into tokens
// (https://docs.python.org/3/reference/lexical_analysis.html). It is no
// validator: what Python would refuse becomes some token, and each byte is
// looked at a bounded number of times. A string that its line does not close
// ends with the line, so that a mistake costs one line.
type scanner struct {
	src   []byte
	at    int
	depth int  // of open brackets, in which line ends mean nothing
	fresh bool // no token of the logical line was returned yet
}

func newScanner(src []byte) *scanner { return &scanner{src: src, fresh: true} }

// next returns the next token. Blank lines and comments are none.
func (s *scanner) next() token {
	column := 0
	for s.at < len(s.src) {
		c := s.src[s.at]
		switch {
		case c == ' ', c == '\f':
			column++
			s.at++
		case c == '\t':
			column = (column/8 + 1) * 8
			s.at++
		case c == '#':
			s.comment()
		case c == '\\' && s.lineEnd(s.at+1) > 0:
			s.at += 1 + s.lineEnd(s.at+1)
		case c == '\n' || c == '\r':
			start := s.at
			s.at += s.lineEnd(s.at)
			if s.depth == 0 && !s.fresh {
				s.fresh = true
				return token{tokNewline, start, s.at, -1}
			}
			column = 0
		default:
			return s.solid(column)
		}
	}
	if !s.fresh {
		s.fresh = true
		return token{tokNewline, s.at, s.at, -1}
	}
	return token{tokEnd, s.at, s.at, -1}
}

// lineEnd returns the length of the line end at i, 0 when there is none.
func (s *scanner) lineEnd(i int) int {
	switch {
	case i >= len(s.src):
		return 0
	case s.src[i] == '\n':
		return 1
	case s.src[i] != '\r':
		return 0
	case i+1 < len(s.src) && s.src[i+1] == '\n':
		return 2
	}
	return 1
}

func (s *scanner) comment() {
	for s.at < len(s.src) && s.src[s.at] != '\n' && s.src[s.at] != '\r' {
		s.at++
	}
}

// solid returns the token that starts here, where there is no blank.
func (s *scanner) solid(column int) token {
	t := token{start: s.at, column: -1}
	if s.fresh {
		t.column = column
		s.fresh = false
	}
	c := s.src[s.at]
	switch {
	case c == '"' || c == '\'':
		t.kind = tokString
		s.text()
	case nameByte(c) && !digit(c):
		t.kind = tokName
		for s.at < len(s.src) && nameByte(s.src[s.at]) {
			s.at++
		}
		if s.at < len(s.src) && (s.src[s.at] == '"' || s.src[s.at] == '\'') && stringPrefix(s.src[t.start:s.at]) {
			t.kind = tokString
			s.text()
		}
	case digit(c), c == '.' && s.at+1 < len(s.src) && digit(s.src[s.at+1]):
		t.kind = tokNumber
		for s.at < len(s.src) && (nameByte(s.src[s.at]) || s.src[s.at] == '.') {
			s.at++
		}
	default:
		t.kind = tokOp
		s.operator(c)
	}
	t.end = s.at
	return t
}

// operator takes one operator. Of the longer ones only those count that would
// be misread as two.
func (s *scanner) operator(c byte) {
	s.at++
	switch c {
	case '(', '[', '{':
		s.depth++
	case ')', ']', '}':
		s.depth = max(s.depth-1, 0)
	case '=', '!', '<', '>', '+', '-', '*', '/', '%', '|', '&', '^', '@', ':', '~':
		if s.at < len(s.src) && (s.src[s.at] == '=' || c == '-' && s.src[s.at] == '>' || (c == '*' || c == '/' || c == '<' || c == '>') && s.src[s.at] == c) {
			second := s.src[s.at]
			s.at++
			if second == c && c != '=' && s.at < len(s.src) && s.src[s.at] == '=' {
				s.at++
			}
		}
	}
}

// text takes a string from its first quote to behind its last. In a raw string
// a backslash keeps a quote from ending it, too.
func (s *scanner) text() {
	quote := s.src[s.at]
	if s.at+2 < len(s.src) && s.src[s.at+1] == quote && s.src[s.at+2] == quote {
		s.at += 3
		for s.at < len(s.src) {
			switch c := s.src[s.at]; {
			case c == '\\':
				s.at += 2
			case c == quote && s.at+2 < len(s.src) && s.src[s.at+1] == quote && s.src[s.at+2] == quote:
				s.at += 3
				return
			default:
				s.at++
			}
		}
		s.at = len(s.src)
		return
	}
	s.at++
	for s.at < len(s.src) {
		switch c := s.src[s.at]; {
		case c == '\\':
			s.at += 1 + max(s.lineEnd(s.at+1), 1)
		case c == quote:
			s.at++
			return
		case c == '\n' || c == '\r':
			return
		default:
			s.at++
		}
	}
	s.at = len(s.src)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// nameByte reports whether c may be in an identifier; all bytes beyond ASCII may.
func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || digit(c) || c >= 0x80
}

// stringPrefix reports whether a word in front of a quote belongs to the string.
func stringPrefix(word []byte) bool {
	if len(word) > 2 {
		return false
	}
	for _, c := range word {
		switch c | 0x20 {
		case 'r', 'b', 'u', 'f', 't':
		default:
			return false
		}
	}
	return true
}
