package jsbundle

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// Bounds of a source map: far above what bundlers write.
const (
	maxMapSources  = 1 << 18 // sources of all sections
	maxMapSections = 1 << 17
	maxMapDepth    = 64 // of what is skipped in it
)

// mapSection is one map with the place in the script where it starts to hold:
// the only one of a plain map, or one of an index map. All texts are JSON as it
// stands in the file, without quotes.
type mapSection struct {
	line, column int // counted from 0
	root         []byte
	sources      [][]byte // nil: null
	contents     [][]byte // nil: null or not there
	mappings     []byte
}

var errNoMap = errors.New("not a source map")

// parseMap takes a source map apart without copying what is in it
// (https://tc39.es/ecma426/, sections 9 and 10).
func parseMap(data []byte) ([]mapSection, error) {
	if bytes.HasPrefix(data, []byte(")]}'")) { // a guard against being run as a script
		data = data[max(bytes.IndexByte(data, '\n'), 0):]
	}
	p := &mapParser{cursor: cursor{data: data}}
	err := p.object(mapSection{}, false)
	if err != nil {
		return nil, err
	}
	if len(p.sections) == 0 {
		return nil, errNoMap
	}
	return p.sections, nil
}

type mapParser struct {
	cursor
	sections []mapSection
	sources  int
}

// object reads a map; inner says that it is one of an index map.
func (p *mapParser) object(s mapSection, inner bool) error {
	plain := false
	err := p.members(func(key []byte) error {
		var err error
		switch string(key) {
		case "sources":
			plain = true
			s.sources, err = p.texts(s.sources)
		case "sourcesContent":
			s.contents, err = p.texts(s.contents)
		case "sourceRoot":
			s.root, err = p.textOrNull()
		case "mappings":
			plain = true
			s.mappings, err = p.textOrNull()
		case "sections":
			if inner {
				return errors.New("an index map in an index map")
			}
			return p.list(p.section)
		default:
			return p.skip()
		}
		return err
	})
	if err == nil && plain {
		p.sections = append(p.sections, s)
	}
	return err
}

// section reads one section of an index map.
func (p *mapParser) section() error {
	if len(p.sections) >= maxMapSections {
		return fmt.Errorf("more than %d sections", maxMapSections)
	}
	var s mapSection
	known := len(p.sections)
	err := p.members(func(key []byte) error {
		switch string(key) {
		case "offset":
			return p.members(func(key []byte) error {
				n, err := p.number()
				switch string(key) {
				case "line":
					s.line = n
				case "column":
					s.column = n
				}
				return err
			})
		case "map":
			return p.object(mapSection{}, true)
		}
		return p.skip()
	})
	if err == nil && len(p.sections) == known {
		return errors.New("a section without a map")
	}
	if err == nil {
		at := &p.sections[len(p.sections)-1] // the map may come before its offset
		at.line, at.column = s.line, s.column
	}
	return err
}

// texts reads an array of strings and nulls, or null for an array that is not
// there (https://tc39.es/ecma426/, section 9: sourcesContent is optional).
func (p *mapParser) texts(out [][]byte) ([][]byte, error) {
	if p.takeNull() {
		return out, nil
	}
	err := p.list(func() error {
		if p.sources++; p.sources > 2*maxMapSources {
			return fmt.Errorf("more than %d sources", maxMapSources)
		}
		s, err := p.textOrNull()
		out = append(out, s)
		return err
	})
	return out, err
}

// cursor walks through JSON. It refuses what a parser would refuse, except
// inside of values that are skipped, where only the brackets have to match.
type cursor struct {
	data []byte
	at   int
}

var errJSON = errors.New("not valid JSON")

// peek returns the next byte that is no blank, 0 at the end.
func (c *cursor) peek() byte {
	for ; c.at < len(c.data); c.at++ {
		switch b := c.data[c.at]; b {
		case ' ', '\t', '\n', '\r':
		default:
			return b
		}
	}
	return 0
}

func (c *cursor) take(b byte) bool {
	if c.peek() != b {
		return false
	}
	c.at++
	return true
}

// members calls visit for each member of an object, with the cursor at its
// value.
func (c *cursor) members(visit func(key []byte) error) error {
	if !c.take('{') {
		return errJSON
	}
	if c.take('}') {
		return nil
	}
	for {
		key, err := c.text()
		if err != nil {
			return err
		}
		if !c.take(':') {
			return errJSON
		}
		if err := visit(key); err != nil {
			return err
		}
		if c.take('}') {
			return nil
		}
		if !c.take(',') {
			return errJSON
		}
	}
}

// list calls visit for each element of an array, with the cursor at it.
func (c *cursor) list(visit func() error) error {
	if !c.take('[') {
		return errJSON
	}
	if c.take(']') {
		return nil
	}
	for {
		if err := visit(); err != nil {
			return err
		}
		if c.take(']') {
			return nil
		}
		if !c.take(',') {
			return errJSON
		}
	}
}

// text returns what is between the quotes of a string, escaped as it is.
func (c *cursor) text() ([]byte, error) {
	if !c.take('"') {
		return nil, errJSON
	}
	start := c.at
	for {
		i := bytes.IndexByte(c.data[c.at:], '"')
		if i < 0 {
			return nil, errJSON
		}
		end := c.at + i
		c.at = end + 1
		escapes := 0
		for end-escapes > start && c.data[end-escapes-1] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return c.data[start:end:end], nil
		}
	}
}

// takeNull passes over null, if it is next.
func (c *cursor) takeNull() bool {
	if c.peek() != 'n' || !bytes.HasPrefix(c.data[c.at:], []byte("null")) {
		return false
	}
	c.at += len("null")
	return true
}

func (c *cursor) textOrNull() ([]byte, error) {
	if c.takeNull() {
		return nil, nil
	}
	s, err := c.text()
	if s == nil && err == nil {
		s = []byte{}
	}
	return s, err
}

// number reads a whole number that is not negative and fits in 31 bits.
func (c *cursor) number() (int, error) {
	c.peek()
	start := c.at
	for c.at < len(c.data) && digit(c.data[c.at]) {
		c.at++
	}
	n, err := strconv.ParseInt(string(c.data[start:min(c.at, start+20)]), 10, 32)
	if err != nil {
		return 0, errJSON
	}
	return int(n), nil
}

// skip passes over one value.
func (c *cursor) skip() error {
	depth := 0
	for {
		switch b := c.peek(); b {
		case '"':
			if _, err := c.text(); err != nil {
				return err
			}
		case '{', '[':
			if depth++; depth > maxMapDepth {
				return fmt.Errorf("more than %d levels", maxMapDepth)
			}
			c.at++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return errJSON
			}
			c.at++
		case ',', ':':
			if depth == 0 {
				return errJSON
			}
			c.at++
			continue
		case 0:
			return errJSON
		default:
			for c.at < len(c.data) && (identifier(c.data[c.at]) || c.data[c.at] == '.' || c.data[c.at] == '-' || c.data[c.at] == '+') {
				c.at++
				b = 0
			}
			if b != 0 {
				return errJSON
			}
		}
		if depth == 0 {
			return nil
		}
	}
}
