package jsbundle

import (
	"bytes"
	"strings"
)

// constants finds a package.json that rollup took apart, one constant a key:
//
//	var name = "axios"; var version = "0.21.0"; var description$1 = "...";
//
// The keys keep their order, so the name comes first, and all follow each other.
type constants struct {
	fields fields
	key    string // of the constant whose value comes next
	equals bool   // behind its "="
	depth  int    // of brackets that the value has open
	after  int    // tokens since the last constant of a manifest
	pinsAt int64  // where the object of its dependencies starts
}

// constantsApart is how many tokens may lie between two constants.
const constantsApart = 4

func (c *constants) token(t *Token, m *manifestReader) {
	if c.fields.name == "" && c.key == "" && (t.Kind != Name || !bytes.HasPrefix(t.Text, []byte("name"))) {
		return // nothing is being read: most of a bundle
	}
	punct := byte(0)
	if t.Kind == Punct && len(t.Text) == 1 {
		punct = t.Text[0]
	}
	switch {
	case c.depth > 0:
		switch punct {
		case '{', '[', '(':
			c.depth++
		case '}', ']', ')':
			c.depth--
		}
		c.after = 0
		return
	case c.key != "" && punct == '=' && !c.equals:
		c.equals = true
		return
	case c.equals:
		c.set(t, punct)
		return
	}
	c.key = ""
	if t.Kind == Name {
		key, _, _ := strings.Cut(string(t.Text[:min(len(t.Text), 64)]), "$")
		if key == "name" {
			c.end(m)
		}
		if c.fits(key) {
			c.key = key
			return
		}
	}
	if c.after++; c.after > constantsApart {
		c.end(m)
	}
}

// fits reports whether key goes on with the manifest that is being read.
func (c *constants) fits(key string) bool {
	if key == "name" || c.fields.name == "" {
		return key == "name"
	}
	var probe fields
	probe.count(key)
	return key == "version" || key == "dependencies" || probe.strong+probe.weak > 0 || key == "private"
}

// set takes the value of the constant.
func (c *constants) set(t *Token, punct byte) {
	key := c.key
	c.key, c.equals, c.after = "", false, 0
	switch {
	case t.Kind == String && key == "name":
		if name := t.Value(); plainName(name) {
			c.fields = fields{name: name, offset: t.Offset}
		}
	case c.fields.name == "":
	case t.Kind == String && key == "version":
		c.fields.version = t.Value()
	case t.Kind == String:
		c.fields.count(key)
	case punct == '{' || punct == '[':
		c.depth = 1
		c.fields.count(key)
		if key == "dependencies" {
			c.pinsAt = t.Offset
		}
	case key == "private" && string(t.Text) == "true" || key == "private" && punct == '!':
		c.fields.private = true
	}
}

// end takes what was read.
func (c *constants) end(m *manifestReader) {
	if c.fields.manifest() {
		m.add(Manifest{Name: c.fields.name, Version: c.fields.version, Dependencies: c.fields.dependencies, Offset: c.fields.offset})
	}
	*c = constants{}
}
