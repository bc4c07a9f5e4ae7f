package jsbundle

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Manifest is a package.json that a bundle holds, because the code of its
// package reads it.
type Manifest struct {
	Name, Version string
	Dependencies  map[string]string // versions and ranges by name, as declared; those for development are not among them
	Offset        int64             // of its opening brace in the bundle, or of the string that it is in
}

// Claim returns what the manifest proves: that its package is there, in this version.
func (m *Manifest) Claim() Claim {
	return Claim{Name: m.Name, Version: m.Version, Method: MethodManifest, Confidence: 0.95, Offset: m.Offset,
		Detail: "the bundle holds its package.json"}
}

// Bounds of the reader of manifests.
const (
	manifestDepth = 16      // brackets of one
	maxManifests  = 5_000   // of one bundle
	maxNeeds      = 1_000   // dependencies of one manifest
	rangeBytes    = 64      // of the range of one
	manifestBytes = 1 << 20 // of one inside a string
)

// manifestReader finds objects that hold nothing but literals, whatever the quotes,
// and takes those that are a package.json. A token that is no literal ends all
// objects that are open, so that one pass over the tokens is enough.
type manifestReader struct {
	found []Manifest
	open  []literal  // objects and arrays around the token
	last  [3]string  // the last three tokens, as far as JSON.parse( is in them
	state valueState // what may come next
	loose constants
}

type valueState byte

const (
	wantKey   valueState = iota // or the end of the object
	wantColon                   // behind a key
	wantValue                   // or the end of an array
	wantComma                   // or the end
)

// literal is an object or array that is being read.
type literal struct {
	array  bool
	key    string // of the value that comes next, as far as it matters
	fields fields
}

// fields is what is kept of an object.
type fields struct {
	name, version string
	strong, weak  int // other keys that manifests have
	private       bool
	strings       map[string]string // its short values, by keys that may be packages
	dependencies  map[string]string
	offset        int64
}

// manifest reports whether an object is the package.json of a package. A name
// and a version alone are anybody's data, and what is private was never
// published under this name.
func (f *fields) manifest() bool {
	return packageName(f.name+"/") == f.name && f.name != "" && exact(f.version) != "" && !f.private && (f.strong > 0 || f.weak > 1)
}

// count notes a key.
func (f *fields) count(key string) {
	switch key {
	case "main", "module", "license", "licenses", "repository", "dependencies", "devDependencies", "peerDependencies", "optionalDependencies",
		"scripts", "author", "contributors", "maintainers", "homepage", "bugs", "engines", "keywords", "files", "exports", "publishConfig",
		"typings", "browser", "gitHead", "sideEffects", "jsdelivr", "unpkg", "funding", "react-native", "jsnext:main":
		f.strong++
	case "description", "types", "type", "bin", "directories", "config", "dist", "_id", "_from", "_resolved", "_integrity":
		f.weak++
	}
}

// token looks at one token of the bundle.
func (m *manifestReader) token(t *Token) {
	if t.Kind == Comment {
		return
	}
	if t.Kind == String && t.Prev == '(' && m.last[2] == "(" && m.last[1] == "parse" {
		m.inString(t)
	}
	m.loose.token(t, m)
	m.remember(t)
	if len(m.open) == 0 {
		if t.Kind == Punct && t.Text[0] == '{' {
			m.push(t, false)
		}
		return
	}
	if !m.step(t) {
		m.open = m.open[:0]
		if t.Kind == Punct && t.Text[0] == '{' {
			m.push(t, false)
		}
	}
}

// remember keeps the last tokens that could be JSON.parse(.
func (m *manifestReader) remember(t *Token) {
	word := ""
	if len(t.Text) == 1 && t.Text[0] == '(' {
		word = "("
	} else if t.Kind == Name && string(t.Text) == "parse" {
		word = "parse"
	}
	m.last[0], m.last[1], m.last[2] = m.last[1], m.last[2], word
}

// push opens an object or array.
func (m *manifestReader) push(t *Token, array bool) {
	m.open = append(m.open, literal{array: array, fields: fields{offset: t.Offset}})
	m.state = wantKey
	if array {
		m.state = wantValue
	}
}

// step takes one token of an open object; false: it is no literal.
func (m *manifestReader) step(t *Token) bool {
	top := &m.open[len(m.open)-1]
	punct := byte(0)
	if t.Kind == Punct && len(t.Text) == 1 {
		punct = t.Text[0]
	}
	switch {
	case m.state == wantColon:
		m.state = wantValue
		return punct == ':'
	case punct == '}' && !top.array && (m.state == wantKey || m.state == wantComma),
		punct == ']' && top.array:
		m.close()
		return true
	case m.state == wantComma:
		m.state = wantKey
		if top.array {
			m.state = wantValue
		}
		return punct == ','
	case m.state == wantKey:
		m.state = wantColon
		return m.key(t, top)
	}
	return m.value(t, top, punct)
}

func (m *manifestReader) key(t *Token, top *literal) bool {
	switch t.Kind {
	case Name:
		top.key = string(t.Text)
	case String:
		top.key = t.Value()
	default:
		top.key = ""
		return t.Kind == Number
	}
	top.fields.count(top.key)
	return true
}

func (m *manifestReader) value(t *Token, top *literal, punct byte) bool {
	switch t.Kind {
	case String:
		m.state = wantComma
		top.fields.set(top, t.Value())
		return true
	case Number:
		m.state = wantComma
		if top.key == "private" && len(m.open) > 0 && t.Prev == '!' && string(t.Text) == "0" {
			top.fields.private = true
		}
		return true
	case Name:
		m.state = wantComma
		switch string(t.Text) {
		case "void": // of "void 0"
			m.state = wantValue
		case "true":
			top.fields.private = top.fields.private || top.key == "private"
		case "false", "null", "undefined":
		default:
			return false
		}
		return true
	}
	switch punct {
	case '{', '[':
		if len(m.open) >= manifestDepth {
			return false
		}
		m.push(t, punct == '[')
		return true
	case '!', '-': // of !0 and of a negative number
		return true
	}
	return false
}

// set keeps a value of the object.
func (f *fields) set(top *literal, value string) {
	switch {
	case top.array || len(top.key) > maxPackageName:
	case top.key == "name":
		f.name = value
	case top.key == "version":
		f.version = value
	case len(f.strings) < maxNeeds && len(value) <= rangeBytes && plainName(top.key):
		if f.strings == nil {
			f.strings = map[string]string{}
		}
		f.strings[top.key] = value
	}
}

// close ends an object or array: it may be a manifest, or the dependencies of one.
func (m *manifestReader) close() {
	last := m.open[len(m.open)-1]
	m.open = m.open[:len(m.open)-1]
	m.state = wantComma
	if len(m.open) == 0 && !last.array && last.fields.offset == m.loose.pinsAt {
		m.loose.fields.dependencies = last.fields.strings
	}
	if len(m.open) > 0 && !last.array {
		if around := &m.open[len(m.open)-1]; around.key == "dependencies" && !around.array {
			around.fields.dependencies = last.fields.strings
		}
	}
	if f := &last.fields; f.manifest() {
		m.add(Manifest{f.name, f.version, f.dependencies, f.offset})
	}
}

func (m *manifestReader) add(found Manifest) {
	if len(m.found) < maxManifests {
		m.found = append(m.found, found)
	}
}

// inString reads the string that JSON.parse is given.
func (m *manifestReader) inString(t *Token) {
	if len(t.Text) > manifestBytes || !bytes.Contains(t.Text, []byte("version")) || !bytes.Contains(t.Text, []byte("name")) {
		return
	}
	if found, ok := parseManifest([]byte(t.Value())); ok {
		found.Offset = t.Offset
		m.add(found)
	}
}

// parseManifest reads a package.json; false when the text is none.
func parseManifest(data []byte) (Manifest, bool) {
	var all map[string]json.RawMessage
	if json.Unmarshal(data, &all) != nil {
		return Manifest{}, false
	}
	var f fields
	read := func(key string, into any) {
		if json.Unmarshal(all[key], into) != nil {
			return // a field of another type is as good as none
		}
	}
	read("name", &f.name)
	read("version", &f.version)
	read("private", &f.private)
	for key := range all {
		f.count(key)
	}
	if !f.manifest() {
		return Manifest{}, false
	}
	var dependencies map[string]string
	read("dependencies", &dependencies)
	for name, version := range dependencies {
		if plainName(name) && len(version) <= rangeBytes && len(f.dependencies) < maxNeeds {
			if f.dependencies == nil {
				f.dependencies = map[string]string{}
			}
			f.dependencies[name] = version
		}
	}
	return Manifest{Name: f.name, Version: f.version, Dependencies: f.dependencies}, true
}

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
	if t.Kind == Name && (c.fields.name != "" || bytes.HasPrefix(t.Text, []byte("name"))) {
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
