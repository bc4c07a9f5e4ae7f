package pystrip

import (
	"encoding/binary"
	"errors"
	"strconv"
)

// errCompiled is returned for compiled code that cannot be read.
var errCompiled = errors.New("not compiled Python 3.8 to 3.14, or cut off")

// The bounds of one compiled module.
const (
	maxObjects      = 500_000
	maxObjectNested = 100 // code in code; a function in a class in a function is three
)

// pycVersion returns the minor version of Python 3 that wrote a .pyc file, from
// its magic number: fifty numbers are set aside for each from 3.11 on, ten to
// twenty before (Include/internal/pycore_magic_number.h of CPython). 0 is a
// version that is not known.
func pycVersion(magic uint16) int {
	switch {
	case magic < 3400:
		return 0
	case magic < 3420:
		return 8
	case magic < 3430:
		return 9
	case magic < 3450:
		return 10
	case magic < 3700:
		return 11 + int(magic-3450)/50
	}
	return 0
}

// compiled is what is read of a module's code object.
type compiled struct {
	minor  int
	code   []byte
	consts []*value
	names  []string
}

// readCompiled reads the code object of a .pyc file. Of its constants only
// strings, numbers and tuples of them are kept.
func readCompiled(data []byte) (*compiled, error) {
	if len(data) < 16 || data[2] != '\r' || data[3] != '\n' {
		return nil, errCompiled
	}
	minor := pycVersion(binary.LittleEndian.Uint16(data))
	if minor < 8 || minor > 14 {
		return nil, errCompiled
	}
	r := &unmarshaler{data: data[16:], minor: minor}
	o := r.object(0)
	if r.bad || o.code == nil {
		return nil, errCompiled
	}
	return o.code, nil
}

// object is one marshalled object. The zero object is one of no interest.
type object struct {
	value *value    // nil: of no interest
	bytes []byte    // of a bytes object
	list  []*object // elements of a tuple
	code  *compiled
}

// unmarshaler reads the marshal format (Python/marshal.c of CPython, versions 4
// and 5): a type byte, whose highest bit says that the object is referred to
// later, and the content. Nothing is allocated by a number of the file: a
// sequence grows with the elements that are really there.
type unmarshaler struct {
	data  []byte
	minor int
	refs  []*object
	count int
	bad   bool
}

func (r *unmarshaler) take(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.bad = true
		r.data = nil
		return nil
	}
	out := r.data[:n]
	r.data = r.data[n:]
	return out
}

func (r *unmarshaler) u8() int {
	if b := r.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (r *unmarshaler) i32() int {
	if b := r.take(4); b != nil {
		return int(int32(binary.LittleEndian.Uint32(b)))
	}
	return 0
}

// object reads one object.
func (r *unmarshaler) object(depth int) *object {
	r.count++
	if r.count > maxObjects || depth > maxObjectNested {
		r.bad = true
	}
	if r.bad {
		return &object{}
	}
	t := r.u8()
	if r.bad {
		return &object{}
	}
	o := &object{}
	if t&0x80 != 0 { // the place in the list is taken before the content is read
		r.refs = append(r.refs, o)
	}
	r.fill(o, byte(t&0x7f), depth)
	return o
}

func (r *unmarshaler) fill(o *object, t byte, depth int) {
	switch t {
	case '0', 'S', '.':
	case 'N':
		o.value = none
	case 'T', 'F':
		o.value = truth(t == 'T')
	case 'i':
		o.value = &value{form: number, text: strconv.Itoa(r.i32())}
	case 'I', 'g':
		r.take(8)
	case 'y':
		r.take(16)
	case 'f':
		r.take(r.u8())
	case 'x':
		r.take(r.u8())
		r.take(r.u8())
	case 'l': // digits of 15 bits; the sign is the length's
		n := r.i32()
		r.take(2 * max(n, -n))
	case 's':
		o.bytes = r.take(r.i32())
	case 't', 'u', 'a', 'A':
		o.value = r.text(r.i32())
	case 'z', 'Z':
		o.value = r.text(r.u8())
	case ')':
		r.sequence(o, r.u8(), depth)
	case '(', '[', '<', '>':
		r.sequence(o, r.i32(), depth)
	case '{':
		r.dict(depth)
	case ':': // a slice, since 3.14
		for range 3 {
			r.object(depth + 1)
		}
	case 'r':
		r.ref(o)
	case 'c':
		o.code = r.code(depth)
	default:
		r.bad = true
	}
}

// text keeps short strings: a version, a name.
func (r *unmarshaler) text(n int) *value {
	b := r.take(n)
	if len(b) > maxTextValue {
		return nil
	}
	return &value{form: text, text: string(b)}
}

func (r *unmarshaler) sequence(o *object, n, depth int) {
	if n < 0 || n > len(r.data) { // an element has a byte at least
		r.bad = true
		return
	}
	for i := 0; i < n && !r.bad; i++ {
		o.list = append(o.list, r.object(depth+1))
	}
	if n > maxItems {
		return
	}
	v := &value{form: sequence}
	for _, item := range o.list {
		if item.value == nil || item.value.form == sequence {
			return
		}
		v.items = append(v.items, item.value)
	}
	o.value = v
}

func (r *unmarshaler) dict(depth int) {
	for !r.bad && len(r.data) > 0 {
		if r.data[0] == '0' {
			r.take(1)
			return
		}
		r.object(depth + 1)
		r.object(depth + 1)
	}
	r.bad = true
}

// ref is an object that was read before. It is copied, not followed again, so
// that objects which contain one another cost nothing.
func (r *unmarshaler) ref(o *object) {
	n := r.i32()
	if n < 0 || n >= len(r.refs) {
		r.bad = true
		return
	}
	*o = *r.refs[n]
}

// code reads a code object: its fields changed with Python 3.11.
func (r *unmarshaler) code(depth int) *compiled {
	integers := 6
	if r.minor >= 11 {
		integers = 5
	}
	r.take(4 * integers)
	c := &compiled{minor: r.minor}
	c.code = r.object(depth + 1).bytes
	consts := r.object(depth + 1)
	names := r.object(depth + 1)
	// varnames, freevars, cellvars, filename, name; since 3.11 localsplusnames,
	// localspluskinds, filename, name, qualname
	for range 5 {
		r.object(depth + 1)
	}
	r.take(4) // first line
	r.object(depth + 1)
	if r.minor >= 11 {
		r.object(depth + 1) // exception table
	}
	if depth > 0 || r.bad {
		return c // only the module's own names count
	}
	for _, o := range consts.list {
		v := o.value
		if v == nil {
			v = nothing
		}
		c.consts = append(c.consts, v)
	}
	for _, o := range names.list {
		name := ""
		if o.value != nil && o.value.form == text {
			name = o.value.text
		}
		c.names = append(c.names, name)
	}
	return c
}
