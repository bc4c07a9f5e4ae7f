package codec

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// What is written here is what encoding/json writes, laid out and escaped as
// WriteJSON promises, in one pass: a night writes
// gigabytes of reports. Types that encoding/json treats in a way of their own
// (those with methods for that, interfaces, types that hold themselves) are
// left to it.

// writer writes a value. It returns false for one that JSON cannot hold.
type writer func(l *layout, v reflect.Value) bool

// writers remembers the writers of types; nil for what is left to encoding/json.
var writers sync.Map // reflect.Type -> writer

// writerOf returns the writer of a type; nil for none.
func writerOf(t reflect.Type) writer {
	if w, ok := writers.Load(t); ok {
		return w.(writer)
	}
	w := makeWriter(t, nil)
	writers.Store(t, w)
	return w
}

// makeWriter makes the writer of a type that is inside the types of above.
func makeWriter(t reflect.Type, above []reflect.Type) writer {
	if t == reflect.TypeFor[time.Time]() {
		return (*layout).time
	}
	if own(t) || slices.Contains(above, t) {
		return nil
	}
	above = append(slices.Clip(above), t)
	switch t.Kind() {
	case reflect.String:
		return func(l *layout, v reflect.Value) bool { l.string(v.String()); return true }
	case reflect.Bool:
		return func(l *layout, v reflect.Value) bool { l.out = strconv.AppendBool(l.out, v.Bool()); return true }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(l *layout, v reflect.Value) bool { l.out = strconv.AppendInt(l.out, v.Int(), 10); return true }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(l *layout, v reflect.Value) bool { l.out = strconv.AppendUint(l.out, v.Uint(), 10); return true }
	case reflect.Float64:
		return func(l *layout, v reflect.Value) bool { return l.float(v.Float()) }
	case reflect.Pointer:
		return pointerWriter(t, above)
	case reflect.Slice:
		return listWriter(t, above)
	case reflect.Map:
		return mapWriter(t, above)
	case reflect.Struct:
		return structWriter(t, above)
	}
	return nil
}

// own says whether a type says itself how it is written.
func own(t reflect.Type) bool {
	for _, by := range []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()} {
		if t.Implements(by) || t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(by) {
			return t.Kind() != reflect.Pointer || t.Elem() != reflect.TypeFor[time.Time]()
		}
	}
	return false
}

func pointerWriter(t reflect.Type, above []reflect.Type) writer {
	of := makeWriter(t.Elem(), above)
	if of == nil {
		return nil
	}
	return func(l *layout, v reflect.Value) bool {
		if v.IsNil() {
			return l.null()
		}
		return of(l, v.Elem())
	}
}

func listWriter(t reflect.Type, above []reflect.Type) writer {
	of := makeWriter(t.Elem(), above)
	if of == nil {
		return nil
	}
	bytes := t.Elem().Kind() == reflect.Uint8
	return func(l *layout, v reflect.Value) bool {
		n := v.Len()
		switch {
		case v.IsNil():
			return l.null()
		case bytes:
			l.out = append(base64.StdEncoding.AppendEncode(append(l.out, '"'), v.Bytes()), '"')
			return true
		case n == 0:
			l.out = append(l.out, "[]"...)
			return true
		}
		l.open('[')
		for i := range n {
			l.next(i == 0)
			if !of(l, v.Index(i)) {
				return false
			}
		}
		l.close(']')
		return true
	}
}

func mapWriter(t reflect.Type, above []reflect.Type) writer {
	of := makeWriter(t.Elem(), above)
	if of == nil || t.Key().Kind() != reflect.String || own(t.Key()) {
		return nil
	}
	return func(l *layout, v reflect.Value) bool {
		switch {
		case v.IsNil():
			return l.null()
		case v.Len() == 0:
			l.out = append(l.out, "{}"...)
			return true
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		l.open('{')
		for i, key := range keys {
			l.next(i == 0)
			l.string(key.String())
			l.colon()
			if !of(l, v.MapIndex(key)) {
				return false
			}
		}
		l.close('}')
		return true
	}
}

// member is a key of an object and where its value comes from.
type member struct {
	key   string // as it is written, with its quotes
	at    []int
	write writer
	empty func(reflect.Value) bool // it is left out; nil: never
}

func structWriter(t reflect.Type, above []reflect.Type) writer {
	members, ok := membersOf(t, nil, above)
	if !ok {
		return nil
	}
	return func(l *layout, v reflect.Value) bool {
		first := true
		for i := range members {
			m := &members[i]
			f, there := fieldAt(v, m.at)
			if !there || m.empty != nil && m.empty(f) {
				continue
			}
			if first {
				l.open('{')
			}
			l.next(first)
			first = false
			l.out = append(l.out, m.key...)
			l.colon()
			if !m.write(l, f) {
				return false
			}
		}
		if first {
			l.out = append(l.out, "{}"...)
			return true
		}
		l.close('}')
		return true
	}
}

// fieldAt is a field; there is none in an embedded struct that is nil.
func fieldAt(v reflect.Value, at []int) (reflect.Value, bool) {
	v = v.Field(at[0])
	for _, i := range at[1:] {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, true
}

// membersOf lists the keys of a struct; those of an embedded one are its own. ok
// is false when encoding/json does more with it than that.
func membersOf(t reflect.Type, at []int, above []reflect.Type) (out []member, ok bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		here := append(slices.Clip(at), i)
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" {
			in := f.Type
			if in.Kind() == reflect.Pointer {
				in = in.Elem()
			}
			if in.Kind() != reflect.Struct || own(in) || slices.Contains(above, in) {
				return nil, false
			}
			more, ok := membersOf(in, here, append(slices.Clip(above), in))
			if !ok {
				return nil, false
			}
			out = append(out, more...)
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		m := member{key: name, at: here, write: makeWriter(f.Type, above)}
		if m.key == "" {
			m.key = f.Name
		}
		if m.empty, ok = emptyOf(f.Type, options); !ok || m.write == nil || strings.ContainsFunc(m.key, func(r rune) bool { return !plainKey(r) }) {
			return nil, false
		}
		m.key = `"` + m.key + `"`
		out = append(out, m)
	}
	names := map[string]bool{}
	for _, m := range out {
		if names[m.key] {
			return nil, false // which of them is the one is a question of depth
		}
		names[m.key] = true
	}
	return out, true
}

func plainKey(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '$' || r == '@' || r == '-' || r == '.'
}

// emptyOf says when a value is left out by the options of its field; nil: never.
func emptyOf(t reflect.Type, options string) (empty func(reflect.Value) bool, ok bool) {
	switch options {
	case "":
		return nil, true
	case "omitzero":
		if t == reflect.TypeFor[time.Time]() {
			return func(v reflect.Value) bool { return timeOf(v).IsZero() }, true
		}
		if _, has := reflect.PointerTo(t).MethodByName("IsZero"); has {
			return nil, false
		}
		return reflect.Value.IsZero, true
	case "omitempty":
		switch t.Kind() {
		case reflect.String, reflect.Slice, reflect.Map:
			return func(v reflect.Value) bool { return v.Len() == 0 }, true
		case reflect.Struct:
			return nil, true // never empty
		}
		return reflect.Value.IsZero, true
	}
	return nil, false
}

func (l *layout) null() bool {
	l.out = append(l.out, "null"...)
	return true
}

func (l *layout) open(c byte) {
	l.out = append(l.out, c)
	l.depth++
}

func (l *layout) close(c byte) {
	l.depth--
	l.newline()
	l.out = append(l.out, c)
}

// next begins an element.
func (l *layout) next(first bool) {
	if !first {
		l.out = append(l.out, ',')
	}
	if len(l.out) >= piece {
		l.end()
		l.begin()
	}
	l.newline()
}

func (l *layout) colon() {
	l.out = append(l.out, ':')
	if l.indent {
		l.out = append(l.out, ' ')
	}
}

// float writes a number as encoding/json does: as JavaScript would.
func (l *layout) float(f float64) bool {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return false
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	l.out = strconv.AppendFloat(l.out, f, format, -1, 64)
	if n := len(l.out); format == 'e' && n >= 4 && l.out[n-4] == 'e' && (l.out[n-3] == '-' || l.out[n-3] == '+') && l.out[n-2] == '0' {
		l.out[n-2] = l.out[n-1] // e-09 is e-9
		l.out = l.out[:n-1]
	}
	return true
}

func timeOf(v reflect.Value) time.Time {
	if v.CanAddr() {
		return *v.Addr().Interface().(*time.Time)
	}
	return v.Interface().(time.Time)
}

// time writes a time as its MarshalJSON does.
func (l *layout) time(v reflect.Value) bool {
	out, err := timeOf(v).AppendText(append(l.out, '"'))
	if err != nil {
		return false
	}
	l.out = append(out, '"')
	return true
}

// asIs are the bytes of a string that are written as they are, whatever is
// beside them.
var asIs = func() (t [256]bool) {
	for c := 0x20; c < 0x7f; c++ {
		t[c] = !strings.ContainsRune(`"\<>&#`, rune(c))
	}
	return t
}()

func (l *layout) string(s string) {
	l.out = append(l.out, '"')
	done := 0
	for i := 0; i < len(s); {
		if asIs[s[i]] {
			i++
			continue
		}
		c := s[i]
		if c == '#' && !startsCommand(s, i) {
			i++
			continue
		}
		r, n := rune(c), 1
		if c >= utf8.RuneSelf {
			if r, n = utf8.DecodeRuneInString(s[i:]); !Unsafe(r) && (r != utf8.RuneError || n > 1) {
				i += n
				continue
			}
		}
		l.out = append(l.out, s[done:i]...)
		if short := strings.IndexByte("\"\\\b\f\n\r\t", c); short >= 0 {
			l.out = append(l.out, '\\', `"\bfnrt`[short])
		} else {
			l.out = appendEscape(l.out, r)
		}
		i += n
		done = i
	}
	l.out = append(append(l.out, s[done:]...), '"')
}
