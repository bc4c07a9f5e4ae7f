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
func WriteJSON(w io.Writer, v any) error { return writeJSON(w, v, "  ") }

// WriteJSONLine is WriteJSON on a single line.
func WriteJSONLine(w io.Writer, v any) error { return writeJSON(w, v, "") }

func writeJSON(w io.Writer, v any, indent string) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil { // escapes HTML unless told not to
		return fmt.Errorf("encode JSON: %w", err)
	}
	_, err := w.Write(escapeJSON(buf.Bytes()))
	return err
}

// escapeJSON replaces what Unsafe names, and a hash that starts a command, by \u escapes in JSON text. Such
// characters stand inside strings only: all JSON syntax is printable ASCII and
// white space, and encoding/json has escaped C0 already.
func escapeJSON(text []byte) []byte {
	var out []byte // nil until something is replaced
	done := 0
	for i := 0; i < len(text); {
		if text[i] < 0x7f && !startsCommand(text, i) {
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if Unsafe(r) || r == '#' {
			out = append(out, text[done:i]...)
			out = appendEscape(out, r)
			done = i + n
		}
		i += n
	}
	if out == nil {
		return text
	}
	return append(out, text[done:]...)
}

func startsCommand(text []byte, i int) bool {
	if text[i] != '#' || i == 0 || text[i-1] != '#' || i+1 == len(text) {
		return false
	}
	next := text[i+1] | 0x20
	return text[i+1] == '[' || next >= 'a' && next <= 'z'
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
