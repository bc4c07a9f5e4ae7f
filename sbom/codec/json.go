package codec

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"sync"
	"unicode"
	"unicode/utf8"
)

// WriteJSON writes v as JSON, indented by two spaces and ended by a newline,
// such that no character of it does anything where it is shown: "<", ">" and
// "&" are escaped, and so are control characters (C0, DEL, C1), bidirectional
// overrides and every other invisible format character. Bytes that are not
// UTF-8 become U+FFFD. "##" before a letter or "[" loses its second "#" to an
// escape, because the runners of Azure Pipelines and TeamCity look for commands
// ("##vso[") anywhere in a line that a step prints.
func WriteJSON(w io.Writer, v any) error { return writeJSON(w, v, true) }

// WriteJSONLine is WriteJSON on a single line.
func WriteJSONLine(w io.Writer, v any) error { return writeJSON(w, v, false) }

func writeJSON(w io.Writer, v any, indent bool) error {
	l := &layout{w: w, indent: indent}
	if l.write(v) {
		return l.err
	}
	return writeOther(w, v, indent)
}

// writeOther writes what is left to encoding/json.
func writeOther(w io.Writer, v any, indent bool) error {
	l := &layout{w: w, indent: indent}
	err := json.NewEncoder(l).Encode(v) // escapes HTML unless told not to
	switch {
	case l.err != nil:
		return l.err
	case err != nil:
		return fmt.Errorf("encode JSON: %w", err)
	}
	return nil
}

// layout writes what json.Encoder writes to it, indented as json.Indent does and
// with the escapes that WriteJSON promises, in one pass: json.Indent checks the
// syntax of each byte again, which took a third of the time of a report. It
// writes in pieces: a report has megabytes, and to touch so much new memory
// takes longer than to fill it.
type layout struct {
	w      io.Writer
	indent bool
	depth  int
	done   []*[]byte // pieces that are complete: nothing is written of what cannot be written whole
	held   []byte    // the start of a value that is not complete
	last   *[]byte   // the piece that out is
	out    []byte
	err    error // of w
}

// piece is how many bytes are written at a time, about.
const piece = 64 << 10

// Write takes compact JSON. A value ends with the only newline in it.
func (l *layout) Write(p []byte) (int, error) {
	text := p
	if len(l.held) > 0 || len(p) == 0 || p[len(p)-1] != '\n' {
		l.held = append(l.held, p...)
		text = l.held
	}
	if len(text) == 0 || text[len(text)-1] != '\n' {
		return len(p), nil
	}
	if l.out == nil {
		l.out = make([]byte, 0, min(2*len(text), piece+piece/8))
	}
	l.lay(text)
	l.held = l.held[:0]
	l.flush()
	return len(p), l.err
}

// write writes a value, and a newline. It returns false when it wrote nothing,
// because the value is left to encoding/json: its type, or what is no number or
// date, which is its error to tell.
func (l *layout) write(v any) bool {
	if v == nil {
		return false
	}
	write := writerOf(reflect.TypeOf(v))
	if write == nil {
		return false
	}
	l.begin()
	whole := write(l, reflect.ValueOf(v))
	l.out = append(l.out, '\n')
	l.end()
	for _, p := range l.done {
		if whole && l.err == nil {
			_, l.err = l.w.Write(*p)
		}
		if cap(*p) <= 2*piece { // one that grew held a value of megabytes
			pieces.Put(p)
		}
	}
	return whole
}

// pieces are those that are not in use.
var pieces = sync.Pool{New: func() any {
	p := make([]byte, 0, piece+piece/8)
	return &p
}}

// begin begins a piece.
func (l *layout) begin() {
	l.last = pieces.Get().(*[]byte)
	l.out = (*l.last)[:0]
}

// end ends a piece.
func (l *layout) end() {
	*l.last = l.out
	l.done = append(l.done, l.last)
}

func (l *layout) flush() {
	if l.err == nil {
		_, l.err = l.w.Write(l.out)
	}
	l.out = l.out[:0]
}

func (l *layout) lay(text []byte) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			end, plain := i+1, true
			for text[end] != '"' {
				if c := text[end]; c == '\\' {
					end++
				} else if c >= 0x7f || c == '#' {
					plain = false
				}
				end++
			}
			if plain {
				l.out = append(l.out, text[i:end+1]...)
			} else {
				l.out = appendString(l.out, text[i:end+1])
			}
			i = end
		case '{', '[':
			l.out = append(l.out, c)
			if text[i+1] == c+2 { // the closing bracket is two after the opening one in ASCII
				l.out = append(l.out, text[i+1])
				i++
				continue
			}
			l.depth++
			l.newline()
		case '}', ']':
			l.depth--
			l.newline()
			l.out = append(l.out, c)
		case ',':
			l.out = append(l.out, c)
			if l.newline(); len(l.out) >= piece {
				l.flush()
			}
		case ':':
			l.out = append(l.out, c)
			if l.indent {
				l.out = append(l.out, ' ')
			}
		default:
			l.out = append(l.out, c)
		}
	}
}

func (l *layout) newline() {
	const start = "\n                                                                "
	if !l.indent {
		return
	}
	n := 1 + 2*l.depth
	l.out = append(l.out, start[:min(n, len(start))]...)
	for n -= len(start); n > 0; n -= len(start) - 1 {
		l.out = append(l.out, start[1:1+min(n, len(start)-1)]...)
	}
}

// appendString appends a JSON string with what Unsafe names, and a hash that
// starts a command, replaced by \u escapes. encoding/json has escaped C0 already.
func appendString(out, s []byte) []byte {
	done := 0
	for i := 0; i < len(s); {
		if s[i] < 0x7f && (s[i] != '#' || !startsCommand(s, i)) {
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if Unsafe(r) || r == '#' {
			out = append(out, s[done:i]...)
			out = appendEscape(out, r)
			done = i + n
		}
		i += n
	}
	return append(out, s[done:]...)
}

// startsCommand says whether the hash at i is the second of two before a letter or "[".
func startsCommand[T string | []byte](s T, i int) bool {
	if i == 0 || s[i-1] != '#' || i+1 == len(s) {
		return false
	}
	next := s[i+1] | 0x20
	return s[i+1] == '[' || next >= 'a' && next <= 'z'
}

// appendEscape writes r as JSON does: UTF-16 code units, RFC 8259 section 7.
func appendEscape(out []byte, r rune) []byte {
	if r > 0xffff {
		r -= 0x10000
		return appendEscape(appendEscape(out, 0xd800+(r>>10)), 0xdc00+(r&0x3ff))
	}
	const digits = "0123456789abcdef"
	return append(out, '\\', 'u', digits[r>>12], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// Unsafe says whether a character must not be shown as it is: it moves the
// cursor, changes the direction of text, or is not seen at all, so that two
// names would look like one. Space, tab and newline are unsafe only insofar as
// they are control characters: tab and newline are.
func Unsafe(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return true // C0, DEL, C1
	case r < 0xad:
		return false
	}
	switch r {
	case 0x034f, // combining grapheme joiner
		0x115f, 0x1160, 0x3164, 0xffa0, // Hangul fillers: letters without a glyph
		0x2028, 0x2029, // line and paragraph separator
		0x2800: // Braille blank
		return true
	}
	if r >= 0xfff0 && r <= 0xfff8 || r&0xfffe == 0xfffe {
		return true // unassigned specials, noncharacters
	}
	// Cf holds the bidirectional controls, zero-width characters and tags; Co is private use.
	return unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs) || r >= 0xe0000 && r <= 0xe0fff
}
