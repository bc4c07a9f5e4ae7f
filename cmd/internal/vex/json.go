package vex

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Limits of a document. A vendor's largest has some thousands of statements, and
// a bill of materials with its vulnerabilities some megabytes.
const (
	MaxBytes = 32 << 20 // of a file
	maxDepth = 64       // objects and arrays within one another
	maxNodes = 1 << 20  // values of a document

	maxText = 500  // bytes of a text that is shown
	maxName = 4096 // bytes of an identifier
)

// node is a value of a document with its place, so that an error says where. The
// zero value is one that is not there.
type node struct {
	place string
	value any // nil, bool, json.Number, string, []any, map[string]any
}

// decode reads one JSON value: names as they are written, none twice, nothing
// behind it. encoding/json alone would ignore case and take the last of two
// names, so that two readers of one document could see two things.
func decode(data []byte) (node, error) {
	d := decoder{Decoder: json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))}
	d.UseNumber()
	v, err := d.value(0)
	if err != nil {
		return node{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return node{}, errors.New("something follows the JSON value")
	}
	return node{value: v}, nil
}

type decoder struct {
	*json.Decoder
	nodes int
}

func (d *decoder) value(depth int) (any, error) {
	if d.nodes++; d.nodes > maxNodes {
		return nil, fmt.Errorf("more than %d values", maxNodes)
	}
	t, err := d.Token()
	if err != nil {
		return nil, early(err)
	}
	open, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("values nested deeper than %d", maxDepth)
	}
	if open == '[' {
		list := []any{}
		for d.More() {
			v, err := d.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, early(err)
	}
	object := map[string]any{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, early(err)
		}
		name, _ := t.(string)
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("the name %q comes twice in one object", line(name, 100))
		}
		if object[name], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return object, early(err)
}

// early says in words what the decoder calls an end of file.
func early(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early")
	}
	return err
}

// wrong is an error about the node.
func (n node) wrong(format string, args ...any) error {
	if n.place == "" {
		return fmt.Errorf(format, args...)
	}
	return fmt.Errorf("%s: %w", n.place, fmt.Errorf(format, args...))
}

// there says whether the node is in the document and not null.
func (n node) there() bool { return n.value != nil }

// isObject says whether the node is an object.
func (n node) isObject() bool { _, ok := n.value.(map[string]any); return ok }

// at returns a member of an object; the zero value when n is none or lacks it.
func (n node) at(name string) node {
	object, _ := n.value.(map[string]any)
	place := name
	if n.place != "" {
		place = n.place + "." + name
	}
	return node{place, object[name]}
}

// list returns the elements of an array; nil when there is none.
func (n node) list() ([]node, error) {
	if !n.there() {
		return nil, nil
	}
	list, ok := n.value.([]any)
	if !ok {
		return nil, n.wrong("it must be a list")
	}
	out := make([]node, len(list))
	for i, v := range list {
		out[i] = node{n.place + "[" + strconv.Itoa(i) + "]", v}
	}
	return out, nil
}

// text returns a string; "" when there is none.
func (n node) text() (string, error) {
	if !n.there() {
		return "", nil
	}
	s, ok := n.value.(string)
	if !ok {
		return "", n.wrong("it must be text")
	}
	return s, nil
}

// name is text that identifies something, so that it is not cut but refused when
// it is too long.
func (n node) name() (string, error) {
	s, err := n.text()
	if len(s) > maxName {
		return "", n.wrong("%d bytes is over the limit of %d", len(s), maxName)
	}
	return strings.TrimSpace(s), err
}

// sentence is text that is shown: one line, cut to maxText.
func (n node) sentence() (string, error) {
	s, err := n.text()
	return line(s, maxText), err
}

// word is text that is one of some; "" when there is none.
func (n node) word(allowed ...string) (string, error) {
	s, err := n.text()
	if err != nil || s == "" && !n.there() {
		return "", err
	}
	for _, a := range allowed {
		if s == a {
			return s, nil
		}
	}
	return "", n.wrong("%q is not one of %s", line(s, 100), strings.Join(allowed, ", "))
}

// time returns a time as RFC 3339 writes it; the zero time when there is none.
func (n node) time() (time.Time, error) {
	s, err := n.text()
	if err != nil || s == "" && !n.there() {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, n.wrong("%q is no time: RFC 3339 writes it as 2026-11-22T15:04:05Z", line(s, 100))
	}
	if t.Year() < 1990 || t.Year() > 9000 {
		return time.Time{}, n.wrong("the year %d is absurd", t.Year())
	}
	return t.UTC(), nil
}

// line makes one line of at most n bytes of a text, without control characters.
func line(s string, n int) string {
	if len(s) > 8*n {
		s = s[:8*n] // nothing behind it could be left after the cut
	}
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if len(s) <= n {
		return s
	}
	cut := n - len("…")
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return strings.TrimSpace(s[:cut]) + "…"
}

// firstError is the first of some errors.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
