package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fnaudit/fnaudit/sbom/codec"
)

// Escape makes text from an artifact harmless on one line of a terminal or of
// a CI log. What it replaces is written as \u{HEX}, a byte that is not UTF-8 as
// \x{HEX}, so that a reader sees that something was there:
//
//   - control characters (so also ESC, newline and C1), bidirectional
//     overrides and other characters that are not seen: codec.Unsafe;
//   - "<" before what opens a tag in HTML (a letter, "/", "!" or "?"), because
//     logs are shown in browsers;
//   - "::" at the start of a word and "##" before a letter or "[", which start
//     a workflow command of GitHub Actions, Azure Pipelines or TeamCity.
//
// Escaping twice changes nothing.
func Escape(s string) string {
	if !needsEscape(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x{%x}`, s[i])
		case codec.Unsafe(r), command(s, i):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// needsEscape is the quick look that most texts pass.
func needsEscape(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '<' || c == ':' || c == '#' {
			return true
		}
	}
	return false
}

// command says whether the byte at i starts something that a browser or a CI
// runner would act on.
func command(s string, i int) bool {
	next := byte(0)
	if i+1 < len(s) {
		next = s[i+1]
	}
	switch s[i] {
	case '<':
		return letter(next) || next == '/' || next == '!' || next == '?'
	case ':':
		before, _ := utf8.DecodeLastRuneInString(s[:i]) // lines are broken at every kind of space, and runners trim them all
		return next == ':' && (i == 0 || unicode.IsSpace(before))
	case '#':
		return i > 0 && s[i-1] == '#' && (letter(next) || next == '[')
	}
	return false
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
