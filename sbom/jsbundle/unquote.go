package jsbundle

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// unquote appends the value of a string literal to dst, given the text between
// its quotes (https://tc39.es/ecma262/#sec-literals-string-literals). An escape
// that is none stands for itself.
func unquote(dst, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 || i+1 >= len(text) {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		c := text[i+1]
		text = text[i+2:]
		switch c {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'v':
			dst = append(dst, '\v')
		case '0':
			dst = append(dst, 0)
		case '\r':
			text = bytes.TrimPrefix(text, []byte("\n")) // the line goes on
		case '\n':
		case 'x':
			dst, text = escape(dst, text, c, 2)
		case 'u':
			dst, text = escape(dst, text, c, 4)
		default:
			dst = append(dst, c)
		}
	}
}

// escape appends the rune of an \x or \u escape of n digits, and returns what
// is left of text.
func escape(dst, text []byte, c byte, n int) (out, rest []byte) {
	digits := text[:min(n, len(text))]
	rest = text[len(digits):]
	if c == 'u' && len(text) > 0 && text[0] == '{' {
		end := bytes.IndexByte(text[:min(len(text), 12)], '}')
		digits, rest = text[1:max(end, 1)], text[max(end+1, 0):]
	}
	v, err := strconv.ParseUint(string(digits), 16, 32)
	if err != nil {
		return append(dst, c), text
	}
	if utf16.IsSurrogate(rune(v)) && len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
		if low, err := strconv.ParseUint(string(rest[2:6]), 16, 32); err == nil {
			if r := utf16.DecodeRune(rune(v), rune(low)); r != utf8.RuneError {
				return utf8.AppendRune(dst, r), rest[6:]
			}
		}
	}
	return utf8.AppendRune(dst, rune(v)), rest
}
