package jsbundle

import (
	"errors"
	"unicode/utf8"
)

// mapping is one point of a source map: from here on the script was made from
// this place of this source.
type mapping struct {
	line, column int // in the script, counted from 0, columns in UTF-16 units
	source       int // index into the sources, -1: from none
	from, at     int // line and column in the source
}

var errMappings = errors.New("its mappings are not in the format")

// decodeMappings calls visit for each point, in the order of the text. It stops
// when visit returns false (https://tc39.es/ecma426/, section 8).
func decodeMappings(text []byte, visit func(mapping) bool) error {
	var m mapping
	source := 0
	for i := 0; i < len(text); {
		switch text[i] {
		case ';':
			m.line++
			m.column = 0
			i++
			continue
		case ',':
			i++
			continue
		}
		var field [5]int
		n := 0
		for i < len(text) && text[i] != ',' && text[i] != ';' {
			v, shift := uint64(0), 0
			for {
				if i >= len(text) || shift > 30 {
					return errMappings
				}
				d := base64Digit[text[i]]
				i++
				if d == none {
					return errMappings
				}
				v |= uint64(d&31) << shift
				shift += 5
				if d&32 == 0 {
					break
				}
			}
			if n >= len(field) {
				return errMappings
			}
			field[n] = int(v >> 1)
			if v&1 != 0 {
				field[n] = -field[n]
			}
			n++
		}
		m.column += field[0]
		m.source = -1
		switch n {
		case 1:
		case 4, 5:
			source += field[1]
			m.source = source
			m.from += field[2]
			m.at += field[3]
		default:
			return errMappings
		}
		if m.column < 0 || source < 0 || m.from < 0 || m.at < 0 {
			return errMappings
		}
		if !visit(m) {
			return nil
		}
	}
	return nil
}

const none = 0xff

// base64Digit is the value of each digit, none for what is no digit.
var base64Digit = func() (t [256]byte) {
	for i := range t {
		t[i] = none
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	return t
}()

// places turns lines and columns of a script into offsets, for points that come
// in order. Its time is linear in the length of the script.
type places struct {
	src        []byte
	line       int
	start, end int // of the line, without its end

	column, offset int // a known place of the line
	ascii          bool
}

func newPlaces(src []byte) *places {
	p := &places{src: src}
	p.enter(0)
	return p
}

// enter starts the line at offset start.
func (p *places) enter(start int) {
	p.start, p.column, p.offset = start, 0, start
	p.end, p.ascii = len(p.src), true
	for i, c := range p.src[start:] {
		if c == '\n' {
			p.end = start + i
			break
		}
		if c >= utf8.RuneSelf {
			p.ascii = false
		}
	}
}

// offsetOf returns the offset of a place; false when the script has no such
// place, or it lies before the last one.
func (p *places) offsetOf(line, column int) (int, bool) {
	if line < p.line {
		return 0, false
	}
	for p.line < line {
		if p.end >= len(p.src) {
			return 0, false
		}
		p.line++
		p.enter(p.end + 1)
	}
	if column < p.column {
		return 0, false
	}
	if p.ascii {
		p.column, p.offset = column, p.start+column
		if p.offset > p.end {
			p.column, p.offset = p.end-p.start, p.end
			return 0, false
		}
		return p.offset, true
	}
	for p.column < column {
		if p.offset >= p.end {
			return 0, false
		}
		r, n := utf8.DecodeRune(p.src[p.offset:p.end])
		p.offset += n
		p.column++
		if r > 0xffff {
			p.column++
		}
	}
	return p.offset, p.column == column
}
