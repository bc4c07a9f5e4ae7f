package report

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// columns is the number of terminal columns that s takes: two for East Asian
// wide and fullwidth characters, none for combining marks. s has been escaped.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// pad fills s with spaces up to n columns.
func pad(s string, n int) string {
	if w := columns(s); w < n {
		return s + strings.Repeat(" ", n-w)
	}
	return s
}

// clip shortens s to n columns, the last one an ellipsis when something is
// cut, and never inside of an escape such as \u{1b}.
func clip(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	used, end := 0, 0
	for i := 0; i < len(s); {
		size := clusterSize(s[i:])
		w := columns(s[i : i+size])
		if used+w > n-1 {
			break
		}
		used += w
		i += size
		end = i
	}
	return s[:end] + "…"
}

// clipPath shortens a path from the left to whole elements: its end says which
// file it is. A path whose last element is too long is cut as clip cuts.
func clipPath(s string, n int) string {
	left := columns(s)
	if left <= n {
		return s
	}
	for rest := s; len(rest) > 1; {
		i := strings.IndexByte(rest[1:], '/')
		if i < 0 {
			break
		}
		left -= columns(rest[:i+1])
		rest = rest[i+1:] // starts with the slash, and is shorter than before
		if left < n {
			return "…" + rest
		}
	}
	return clip(s, n)
}

// clusterSize is the number of bytes at the start of s that belong together:
// an escape, or a character with its combining marks.
func clusterSize(s string) int {
	if strings.HasPrefix(s, `\u{`) || strings.HasPrefix(s, `\x{`) {
		if end := strings.IndexByte(s[:min(len(s), 12)], '}'); end > 0 {
			return end + 1
		}
	}
	_, n := utf8.DecodeRuneInString(s)
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r < 0x300 || !unicode.In(r, unicode.Mn, unicode.Me) {
			break
		}
		n += size
	}
	return n
}

// wrap breaks s between words into lines of at most n columns. A word that is
// longer than a line stays whole: half an id or path cannot be copied.
func wrap(s string, n int) []string {
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(s) {
		w := columns(word)
		switch {
		case line == "":
			line, used = word, w
		case used+1+w <= n:
			line += " " + word
			used += 1 + w
		default:
			lines = append(lines, line)
			line, used = word, w
		}
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// The styles: SGR parameters of ECMA-48 section 8.3.117. They repeat what words say
// already, so that nothing is lost without them.
const (
	styleCritical = "1;31"
	styleHigh     = "31"
	styleMedium   = "33"
	styleLow      = "36"
	styleDim      = "2"
	styleBold     = "1"
	stylePass     = "1;32"
	styleFail     = "1;31"
	styleWarn     = "1;33"
	styleAlarm    = "1;97;41"
)

// paint wraps s in a style when colour is on; spaces at its end stay plain.
func (p *printer) paint(style, s string) string {
	if !p.opt.Color || style == "" || s == "" {
		return s
	}
	text := strings.TrimRight(s, " ")
	return "\x1b[" + style + "m" + text + "\x1b[0m" + s[len(text):]
}
