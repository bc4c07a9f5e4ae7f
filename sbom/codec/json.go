package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
	var buf bytes.Buffer
	if err := json.NewEncoder(&buf).Encode(v); err != nil { // escapes HTML unless told not to
		return fmt.Errorf("encode JSON: %w", err)
	}
	_, err := w.Write(layout(buf.Bytes(), indent))
	return err
}

// layout indents compact JSON as json.Indent does, and escapes what WriteJSON
// promises, in one pass: json.Indent checks the syntax of each byte again, which
// took a third of the time of a report.
func layout(text []byte, indent bool) []byte {
	const spaces = "                                                                "
	out := make([]byte, 0, len(text)*2)
	depth := 0
	newline := func() {
		if !indent {
			return
		}
		out = append(out, '\n')
		for n := 2 * depth; n > 0; n -= len(spaces) {
			out = append(out, spaces[:min(n, len(spaces))]...)
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			end := i + 1
			for text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			out = appendString(out, text[i:end+1])
			i = end
		case '{', '[':
			out = append(out, c)
			if text[i+1] == c+2 { // the closing bracket is two after the opening one in ASCII
				out = append(out, text[i+1])
				i++
				continue
			}
			depth++
			newline()
		case '}', ']':
			depth--
			newline()
			out = append(out, c)
		case ',':
			out = append(out, c)
			newline()
		case ':':
			out = append(out, c)
			if indent {
				out = append(out, ' ')
			}
		default:
			out = append(out, c)
		}
	}
	return out
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
func startsCommand(s []byte, i int) bool {
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
		return fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
	}
	return fmt.Appendf(out, `\u%04x`, r)
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
