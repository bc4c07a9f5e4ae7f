package jsbundle

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
)

// Code need not lie in a file that is called a script: Node loads any file as
// one, and eval takes any string. So files with other names are looked at, and
// long strings.

// HiddenBytes is the length from which a string is looked into for code.
const HiddenBytes = 64 << 10

// MayHide reports whether a file of a size that is no script by its name is
// worth a look, by its first bytes: it may be one, or be long and hold one in
// JSON or base64. A no is certain but for code behind text that is none.
func MayHide(size int64, head []byte) bool {
	text := bytes.TrimLeft(head, " \t\r\n\ufeff")
	switch {
	case bytes.IndexByte(head, 0) >= 0:
		return false
	case len(text) == 0:
		return len(head) > 0 // blanks to the end of what is seen
	case text[0] == '<' && !bytes.HasPrefix(text, []byte("<!--")), text[0] == '#' && !bytes.HasPrefix(text, []byte("#!")):
		return false
	case document(text) && mapHead(text):
		return false
	case size >= HiddenBytes && document(text), size >= HiddenBytes && encoded(text):
		return true
	}
	return slices.ContainsFunc([]string{"function", "=>", "require(", "exports", "module.", "var ", "let ", "const ", "/*", "use strict", "import{", "import {", "import *", "eval("},
		func(mark string) bool { return bytes.Contains(text, []byte(mark)) }) || bytes.HasPrefix(text, []byte("//"))
}

// Data reports whether a file starts as data do that may hold code: JSON or
// base64. Too long ones are passed over.
func Data(head []byte) bool {
	text := bytes.TrimLeft(head, " \t\r\n\ufeff")
	return document(text) || encoded(text)
}

// document reports whether a text starts as a JSON object or list does.
func document(text []byte) bool {
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return false
	}
	next := bytes.TrimLeft(text[1:], " \t\r\n")
	return len(next) > 0 && (next[0] == '"' || text[0] == '[' && (next[0] == '{' || next[0] == '[' || next[0] == '-' || digit(next[0])))
}

// mapHead reports whether a document is a source map, whose sources are no code
// that runs (https://tc39.es/ecma426/, section 9).
func mapHead(text []byte) bool {
	return bytes.Contains(text, []byte(`"version"`)) && (bytes.Contains(text, []byte(`"sources"`)) || bytes.Contains(text, []byte(`"mappings"`)) || bytes.Contains(text, []byte(`"file"`)))
}

// DetectText looks at one whole file that is no script by its name. Prose may
// speak of bundlers, and lists of licences have their comments: what counts must
// be JavaScript.
func DetectText(src []byte) Detection {
	d := Detect(src)
	if !program(src, d) || json.Valid(src) {
		return Detection{}
	}
	return d
}

// program reports whether a text in which a bundle was detected is code.
func program(src []byte, d Detection) bool {
	if !d.Bundled() || !hasCode(src) {
		return false
	}
	functions := bytes.Count(src, []byte("function")) + bytes.Count(src, []byte("=>"))
	if functions == 0 || d.Bundler == "minified" && functions < len(src)/4096 {
		return false
	}
	return Lex(src, func(*Token) {}) == nil
}

// Hidden says what code a file holds in a string, "" for none: a script in a
// long string literal, a JSON document in a value, or a text that is base64 of a
// script from end to end. The time is linear in the length of src.
func Hidden(src []byte, script bool) string {
	if len(src) < HiddenBytes {
		return ""
	}
	text := bytes.TrimSpace(src)
	switch {
	case encoded(text):
		if bundledCode(decoded(text)) {
			return "base64 of bundled JavaScript"
		}
	case script:
		if !longRun(src) {
			return ""
		}
		var h hiddenReader
		_ = Lex(src, h.token)
		h.flush()
		if len(h.gaps) > 0 {
			return h.gaps[0].Reason
		}
	case document(text):
		return hiddenInJSON(text)
	}
	return ""
}

// longRun reports whether there are HiddenBytes without the end of a line, which
// a string that is not a template cannot have.
func longRun(src []byte) bool {
	for len(src) >= HiddenBytes {
		i := bytes.LastIndexByte(src[:HiddenBytes], '\n')
		if i < 0 {
			return true
		}
		src = src[i+1:]
	}
	return false
}

// hiddenInJSON looks into the long strings of a document.
func hiddenInJSON(src []byte) string {
	for at := 0; ; {
		i := bytes.IndexByte(src[at:], '"')
		if i < 0 {
			return ""
		}
		start := at + i + 1
		end := start
		for end < len(src) && src[end] != '"' {
			if src[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(src) {
			return ""
		}
		if end-start >= HiddenBytes && holdsCode(src[start:end]) {
			return fmt.Sprintf("a document whose value of %d bytes is bundled JavaScript", end-start)
		}
		at = end + 1
	}
}

// holdsCode reports whether a string, given the text between its quotes, is a
// bundle or base64 of one.
func holdsCode(text []byte) bool {
	value := text
	if bytes.IndexByte(text, '\\') >= 0 {
		value = unquote(nil, text)
	}
	if encoded(value) {
		value = decoded(value)
	}
	return bundledCode(value)
}

// bundledCode reports whether a text is code that is a bundle.
func bundledCode(value []byte) bool {
	if len(value) == 0 || bytes.IndexByte(value[:min(len(value), 512)], 0) >= 0 {
		return false
	}
	return program(value, Detect(value))
}

// encoded reports whether a text starts as base64 does, in its usual alphabet or
// that for URLs, as a data URL or without: 512 bytes without a blank but for the
// ends of lines.
func encoded(text []byte) bool {
	text = payload(text)
	if len(text) < 512 {
		return false
	}
	line := 0
	for _, c := range text[:512] {
		switch {
		case c == '\n' || c == '\r':
			line = 0
		case identifier(c) && c != '$', c == '+', c == '/', c == '-', c == '=':
			line++
		default:
			return false
		}
	}
	return true
}

// payload is a text without the head of a data URL.
func payload(text []byte) []byte {
	if bytes.HasPrefix(text, []byte("data:")) {
		if _, data, ok := bytes.Cut(text[:min(len(text), 200)], []byte(",")); ok {
			return text[len(text[:min(len(text), 200)])-len(data):]
		}
	}
	return text
}

// decoded returns what base64 stands for, nil when it is none.
func decoded(text []byte) []byte {
	text = payload(text)
	plain := make([]byte, 0, len(text))
	for _, c := range text {
		switch c {
		case '\n', '\r', '=', ' ', '\t':
		case '-':
			plain = append(plain, '+')
		case '_':
			plain = append(plain, '/')
		default:
			plain = append(plain, c)
		}
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(plain)))
	n, err := base64.RawStdEncoding.Decode(out, plain)
	if err != nil {
		return nil
	}
	return out[:n]
}

// hiddenReader finds the long strings of a script that hold code. What a
// bundler gives to eval is read with the rest of the bundle, where evals says so.
type hiddenReader struct {
	evals   bool
	pending *Gap
	gaps    []Gap
}

// maxHidden is how many strings are told of one script.
const maxHidden = 3

// token looks at one token of the script.
func (h *hiddenReader) token(t *Token) {
	if h.pending != nil {
		if h.evals && t.Eval {
			h.pending = nil
		}
		h.flush()
	}
	if t.Kind == String && len(t.Text) >= HiddenBytes && len(h.gaps) < maxHidden && holdsCode(t.Text[1:len(t.Text)-1]) {
		h.pending = &Gap{Offset: t.Offset, Reason: fmt.Sprintf("a string of %d bytes is bundled JavaScript", len(t.Text))}
	}
}

// flush takes over the last string.
func (h *hiddenReader) flush() {
	if h.pending != nil {
		h.gaps, h.pending = append(h.gaps, *h.pending), nil
	}
}
