package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fnaudit/fnaudit/sbom/codec"
)

// maxHTMLText is how many bytes of one text the page shows: what is longer
// tells a reader nothing that its start does not.
const maxHTMLText = 2000

// htmlCut is the start of a text that is too long for the page, and how long it was.
func htmlCut(s string) string {
	if len(s) <= maxHTMLText {
		return s
	}
	end := maxHTMLText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprintf("%s… (cut: %d bytes)", s[:end], len(s))
}

// htmlVisible writes what is not seen as \u{HEX}, as Escape does; markup and
// workflow commands stay, because the page shows text as text and the block
// that it is in is compressed.
func htmlVisible(s string) string {
	if strings.IndexFunc(s, codec.Unsafe) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if codec.Unsafe(r) {
			fmt.Fprintf(&b, `\u{%x}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// htmlJSON is v as JSON, every text in it, also those of keys, cut and made
// visible. Bytes that are not UTF-8 come out as U+FFFD, which is seen.
func htmlJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(text) <= maxHTMLText && htmlPlain(text) {
		return text, nil
	}
	out := make([]byte, 0, len(text))
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			return append(out, text...), nil
		}
		out, text = append(out, text[:i]...), text[i:]
		end := htmlQuoted(text)
		if literal := text[:end]; len(literal) <= maxHTMLText && htmlPlain(literal) {
			out = append(out, literal...)
		} else if out, err = htmlQuote(out, literal); err != nil {
			return nil, err
		}
		text = text[end:]
	}
}

// htmlPlain says whether JSON holds printable ASCII only, and no escape.
func htmlPlain(text []byte) bool {
	for _, c := range text {
		if c < 0x20 || c >= 0x7f || c == '\\' {
			return false
		}
	}
	return true
}

// htmlQuoted is the length of the JSON string that text starts with.
func htmlQuoted(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// htmlQuote appends a JSON string, made visible.
func htmlQuote(out, literal []byte) ([]byte, error) {
	var s string
	if err := json.Unmarshal(literal, &s); err != nil {
		return nil, err
	}
	quoted, err := json.Marshal(htmlVisible(htmlCut(s)))
	return append(out, quoted...), err
}
