package night

import (
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"
)

// The reading of JSON here takes a sixth of the time of encoding/json: a night
// reads gigabytes of reports, of which nearly everything are short strings. A
// value is read in one pass, and strings without an escape share the memory of
// the text. It is stricter, too: a key that stands twice in one object and
// bytes that are no UTF-8 are errors. Keys that the type has not, those in another
// spelling among them, are passed over, because later versions add some.

// maxDepth is how deep values that are passed over may be nested.
const maxDepth = 1000

// errSyntax is the error of a text that is no JSON, or not of the type.
type errSyntax struct {
	at   int // offset in bytes
	what string
}

func (e errSyntax) Error() string { return fmt.Sprintf("at byte %d: %s", e.at, e.what) }

// decode reads a JSON text into the value that to points to, which must be zero.
func decode(text string, to any) (err error) {
	if !utf8.ValidString(text) {
		return errors.New("it is no UTF-8")
	}
	p := &parser{text: text}
	defer func() {
		if r := recover(); r != nil {
			bad, ok := r.(errSyntax)
			if !ok {
				panic(r)
			}
			err = bad
		}
	}()
	v := reflect.ValueOf(to).Elem()
	p.space()
	planOf(v.Type())(p, v)
	p.space()
	if p.at < len(p.text) {
		p.fail("more than one value")
	}
	return nil
}

// reader reads a value into v.
type reader func(p *parser, v reflect.Value)

// plans remembers the readers of types.
var plans sync.Map // reflect.Type -> reader

// planOf returns the reader of a type.
func planOf(t reflect.Type) reader {
	if r, ok := plans.Load(t); ok {
		return r.(reader)
	}
	r := nullable(makePlan(t))
	plans.Store(t, r)
	return r
}

// nullable leaves a value as it is for null.
func nullable(of reader) reader {
	return func(p *parser, v reflect.Value) {
		if p.at < len(p.text) && p.text[p.at] == 'n' {
			p.literal("null")
			return
		}
		of(p, v)
	}
}

func makePlan(t reflect.Type) reader {
	if t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return func(p *parser, v reflect.Value) {
			p.word = append(p.word[:0], p.str()...) // who reads it keeps nothing of it
			if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(p.word); err != nil {
				p.fail(err.Error())
			}
		}
	}
	switch t.Kind() {
	case reflect.String:
		return func(p *parser, v reflect.Value) { v.SetString(p.str()) }
	case reflect.Bool:
		return func(p *parser, v reflect.Value) { v.SetBool(p.boolean()) }
	case reflect.Int, reflect.Int64:
		return func(p *parser, v reflect.Value) { v.SetInt(p.integer()) }
	case reflect.Float64:
		return func(p *parser, v reflect.Value) { v.SetFloat(p.float()) }
	case reflect.Pointer:
		of := planOf(t.Elem())
		return func(p *parser, v reflect.Value) {
			v.Set(reflect.New(t.Elem()))
			of(p, v.Elem())
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return func(p *parser, v reflect.Value) { v.SetBytes(p.base64()) }
		}
		return listPlan(t)
	case reflect.Map:
		return mapPlan(t)
	case reflect.Struct:
		return structPlan(t)
	}
	panic("night: no plan to read " + t.String())
}

// maxLent bounds in bytes the room for elements that is kept for the next list.
const maxLent = 1 << 20

// listPlan reads elements into room that is used again, and then copies them to
// where there is as much as they need: what a list leaves while it grows was a
// sixth of all memory of a night.
func listPlan(t reflect.Type) reader {
	of := planOf(t.Elem())
	none := reflect.MakeSlice(t, 0, 0)
	most := maxLent / max(1, int(t.Elem().Size()))
	rooms := sync.Pool{New: func() any { return &room{reflect.New(t).Elem()} }}
	return func(p *parser, v reflect.Value) {
		p.byte('[')
		if !p.more(']', true) {
			v.Set(none)
			return
		}
		r := rooms.Get().(*room)
		n := 0
		for first := true; first || p.more(']', false); first = false {
			if n == r.list.Len() {
				r.list.Grow(max(4, n))
				r.list.SetLen(r.list.Cap())
			}
			of(p, r.list.Index(n))
			n++
		}
		v.Grow(n)
		v.SetLen(n)
		reflect.Copy(v, r.list)
		if r.list.Len() <= most {
			r.list.SetLen(n)
			r.list.Clear()
			r.list.SetLen(r.list.Cap())
			rooms.Put(r)
		}
	}
}

// room is a list of zero values.
type room struct{ list reflect.Value }

func mapPlan(t reflect.Type) reader {
	of := planOf(t.Elem())
	return func(p *parser, v reflect.Value) {
		p.byte('{')
		v.Set(reflect.MakeMap(t))
		for p.more('}', v.Len() == 0) {
			key := reflect.ValueOf(p.key()).Convert(t.Key())
			if v.MapIndex(key).IsValid() {
				p.fail(fmt.Sprintf("the key %q stands twice", clip(key.String())))
			}
			value := reflect.New(t.Elem()).Elem()
			of(p, value)
			v.SetMapIndex(key, value)
		}
	}
}

// field is a key of an object and where its value goes.
type field struct {
	name string
	text string // the key with its colon, as it is written
	at   []int
	read reader
}

// ahead is how many of the keys that may come next are looked for as they are
// written, before a key is read and looked up.
const ahead = 8

func structPlan(t reflect.Type) reader {
	fields := fieldsOf(t, nil)
	index := make(map[string]int, len(fields))
	for i, f := range fields {
		index[f.name] = i
	}
	if len(fields) > 64 || len(index) < len(fields) {
		panic("night: no plan to read " + t.String())
	}
	var once sync.Once // types need not be known before their parts are
	return func(p *parser, v reflect.Value) {
		once.Do(func() {
			for i := range fields {
				fields[i].read = planOf(v.FieldByIndex(fields[i].at).Type())
			}
		})
		p.byte('{')
		seen, next, first := uint64(0), 0, true
		for p.more('}', first) {
			first = false
			i := next // what writes reports writes the fields in their order
			for rest := p.text[p.at:]; i < len(fields) && i < next+ahead && !strings.HasPrefix(rest, fields[i].text); {
				i++
			}
			if i < len(fields) && i < next+ahead {
				p.at += len(fields[i].text)
				p.space()
			} else {
				var known bool
				if i, known = index[p.key()]; !known {
					p.skip()
					continue
				}
			}
			if seen&(1<<i) != 0 {
				p.fail(fmt.Sprintf("the key %q stands twice", fields[i].name))
			}
			seen |= 1 << i
			f := &fields[i]
			if len(f.at) == 1 {
				f.read(p, v.Field(f.at[0]))
			} else {
				f.read(p, v.FieldByIndex(f.at))
			}
			next = i + 1
		}
	}
}

// fieldsOf lists the keys of a struct; those of an embedded one are its own.
func fieldsOf(t reflect.Type, at []int) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		here := append(append([]int{}, at...), i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			out = append(out, fieldsOf(f.Type, here)...)
		case f.IsExported() && name != "-":
			if name == "" {
				name = f.Name
			}
			out = append(out, field{name: name, text: strconv.Quote(name) + ":", at: here})
		}
	}
	return out
}

// parser is a place in a text.
type parser struct {
	text string
	at   int
	word []byte // what one value is copied into
	room []byte // for strings that are no part of the text
}

func (p *parser) fail(what string) { panic(errSyntax{p.at, what}) }

func (p *parser) space() {
	i := p.at
	for i < len(p.text) {
		switch p.text[i] {
		case ' ':
			const indent = "        "
			for len(p.text)-i >= len(indent) && p.text[i:i+len(indent)] == indent {
				i += len(indent)
			}
			for i < len(p.text) && p.text[i] == ' ' {
				i++
			}
		case '\n', '\t', '\r':
			i++
		default:
			p.at = i
			return
		}
	}
	p.at = i
}

// byte takes a byte that must come now.
func (p *parser) byte(c byte) {
	if p.at >= len(p.text) || p.text[p.at] != c {
		p.fail(fmt.Sprintf("%q is missing", string(c)))
	}
	p.at++
}

// more goes to the next element of a list or object, or over its end.
func (p *parser) more(end byte, first bool) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == end {
		p.at++
		return false
	}
	if !first {
		p.byte(',')
		p.space()
	}
	return true
}

func (p *parser) key() string {
	s := p.str()
	p.space()
	p.byte(':')
	p.space()
	return s
}

func (p *parser) literal(w string) {
	if !strings.HasPrefix(p.text[p.at:], w) {
		p.fail("no value that JSON has")
	}
	p.at += len(w)
}

func (p *parser) boolean() bool {
	if p.at < len(p.text) && p.text[p.at] == 't' {
		p.literal("true")
		return true
	}
	p.literal("false")
	return false
}

// number takes a number as it is written.
func (p *parser) number() string {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.at]) >= 0 {
		p.at++
	}
	s := p.text[start:p.at]
	if digits := strings.TrimPrefix(s, "-"); digits == "" || digits[0] < '0' || digits[0] > '9' || len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		p.at = start
		p.fail("a number is missing")
	}
	return s
}

func (p *parser) integer() int64 {
	n, err := strconv.ParseInt(p.number(), 10, 64)
	if err != nil {
		p.fail("no whole number")
	}
	return n
}

func (p *parser) float() float64 {
	f, err := strconv.ParseFloat(p.number(), 64)
	if err != nil {
		p.fail("no number that can be held")
	}
	return f
}

func (p *parser) base64() []byte {
	b, err := base64.StdEncoding.DecodeString(p.str())
	if err != nil {
		p.fail("no base64")
	}
	return b
}

// special are the bytes at which the reading of a string has to stop.
var special = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// str takes a string. Without an escape it is a part of the text.
func (p *parser) str() string {
	p.byte('"')
	start, i := p.at, p.at
	for i < len(p.text) && !special[p.text[i]] {
		i++
	}
	if i == len(p.text) {
		p.at = i
		p.fail("a string has no end")
	}
	switch p.text[i] {
	case '"':
		p.at = i + 1
		return p.text[start:i]
	case '\\':
		return p.escaped(start, i)
	}
	p.at = i
	p.fail("a control character in a string")
	return ""
}

// escaped takes the rest of a string that began at start and has its first
// escape at i.
func (p *parser) escaped(start, i int) string {
	b := p.word[:0]
	for i < len(p.text) {
		c := p.text[i]
		switch {
		case c == '"':
			p.word = append(b, p.text[start:i]...)
			p.at = i + 1
			return p.keep(p.word)
		case c < 0x20:
			p.at = i
			p.fail("a control character in a string")
		case c == '\\':
			b = append(b, p.text[start:i]...)
			p.at = i
			b = utf8.AppendRune(b, p.escape())
			i = p.at
			start = i
		default:
			i++
		}
	}
	p.at = len(p.text)
	p.fail("a string has no end")
	return ""
}

// roomy is how many bytes are taken at a time for strings that are no part of
// the text: a report has hundreds of them, and all of them live as long as it.
const roomy = 4 << 10

// keep copies a string to where it stays.
func (p *parser) keep(s []byte) string {
	if len(s) > roomy/4 {
		return string(s)
	}
	if len(s) > cap(p.room)-len(p.room) {
		p.room = make([]byte, 0, roomy)
	}
	from := len(p.room)
	p.room = append(p.room, s...)
	return unsafe.String(unsafe.SliceData(p.room[from:]), len(s)) // nothing is written there again
}

// escape takes one escape. Half of a surrogate pair is U+FFFD.
func (p *parser) escape() rune {
	if p.at+1 >= len(p.text) {
		p.fail("a string has no end")
	}
	c := p.text[p.at+1]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		p.at += 2
		return rune("\"\\/\b\f\n\r\t"[i])
	}
	if c != 'u' {
		p.fail("no escape that JSON has")
	}
	r := p.hex()
	if r >= 0xd800 && r < 0xdc00 && strings.HasPrefix(p.text[p.at:], `\u`) {
		back := p.at
		if low := p.hex(); low >= 0xdc00 && low < 0xe000 {
			return 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
		}
		p.at = back
	}
	if r >= 0xd800 && r < 0xe000 {
		return utf8.RuneError
	}
	return r
}

// hex takes \uXXXX.
func (p *parser) hex() rune {
	if p.at+6 > len(p.text) {
		p.fail("a string has no end")
	}
	n, err := strconv.ParseUint(p.text[p.at+2:p.at+6], 16, 32)
	if err != nil {
		p.fail("no escape that JSON has")
	}
	p.at += 6
	return rune(n)
}

// skip passes over a value.
func (p *parser) skip() {
	var open []byte
	for {
		p.space()
		if p.at >= len(p.text) {
			p.fail("the text ends too early")
		}
		switch c := p.text[p.at]; c {
		case '{', '[':
			if len(open) == maxDepth {
				p.fail(fmt.Sprintf("more than %d levels", maxDepth))
			}
			open = append(open, c+2) // the closing bracket is two after the opening one in ASCII
			p.at++
			if p.ends(&open) {
				break
			}
			if c == '{' {
				p.key()
			}
			continue
		case '"':
			p.str()
		case 't', 'f':
			p.boolean()
		case 'n':
			p.literal("null")
		default:
			p.number()
		}
		for len(open) > 0 && p.ends(&open) {
		}
		if len(open) == 0 {
			return
		}
		p.byte(',')
		if p.space(); open[len(open)-1] == '}' {
			p.key()
		}
	}
}

// ends takes the end of the innermost list or object, if it comes now.
func (p *parser) ends(open *[]byte) bool {
	p.space()
	last := len(*open) - 1
	if p.at >= len(p.text) || p.text[p.at] != (*open)[last] {
		return false
	}
	p.at++
	*open = (*open)[:last]
	return true
}

// clip shortens what a file says to what an error can quote.
func clip(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
