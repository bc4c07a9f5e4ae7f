package pystrip

import (
	"slices"
	"strconv"
)

// opcodes are the instructions by which a module binds a constant or an import
// to a name. Where the numbers moved while a version was made, the list has
// both.
type opcodes struct {
	loadConst, storeName, extended, copied, smallInt []byte
}

// opcodesOf returns the numbers of a minor version (Lib/opcode.py and
// Include/opcode_ids.h of CPython).
func opcodesOf(minor int) opcodes {
	switch {
	case minor <= 10:
		return opcodes{[]byte{100}, []byte{90}, []byte{144}, []byte{4}, nil}
	case minor <= 12:
		return opcodes{[]byte{100}, []byte{90}, []byte{144}, []byte{120}, nil}
	case minor == 13:
		return opcodes{[]byte{83}, []byte{114, 116}, []byte{71}, []byte{61}, nil}
	}
	return opcodes{[]byte{81, 82}, []byte{115, 116}, []byte{68, 69}, []byte{59, 60}, []byte{92, 94}}
}

// module turns compiled code into bindings: NAME = CONSTANT and "from MODULE
// import NAME". Conditions are not worked out, so that a name which is bound
// twice has two candidates.
func (c *compiled) module(pkg []string) *module {
	m := newModule(pkg)
	ops := opcodesOf(c.minor)
	var last *value  // the constant on top of the stack
	var depth *value // the constant below it: the level of an import
	copies := 0      // how often last may still be stored
	ext := 0
	for i := 0; i+1 < len(c.code); i += 2 {
		op, arg := c.code[i], ext<<8|int(c.code[i+1])
		ext = 0
		switch {
		case slices.Contains(ops.extended, op):
			ext = min(arg, 1<<24)
		case slices.Contains(ops.loadConst, op):
			depth, last, copies = last, c.constant(arg), 1
		case slices.Contains(ops.smallInt, op):
			depth, last, copies = last, &value{form: number, text: strconv.Itoa(arg)}, 1
		case op == 0: // a cache of the instruction before
		case copies > 0 && slices.Contains(ops.copied, op):
			copies++
		case copies > 0 && slices.Contains(ops.storeName, op):
			copies--
			c.bind(m, binding{name: c.name(arg), element: -1, value: last})
		case copies > 0 && last.form == sequence && depth != nil:
			i = c.imports(m, ops, i, arg, depth, last)
			copies, last, depth = 0, nil, nil
		default:
			copies, last, depth = 0, nil, nil
		}
	}
	return m
}

// imports reads the instructions behind the list of imported names: the
// import itself, whose argument is the module's name, and then one to fetch and
// one to store each name. It returns where the last one stands.
func (c *compiled) imports(m *module, ops opcodes, i, arg int, level, list *value) int {
	dots, ok := level.integer()
	from := c.name(arg)
	if !ok || dots < 0 || dots > maxNesting {
		return i
	}
	for range dots {
		from = "." + from
	}
	for _, item := range list.items {
		if i+5 >= len(c.code) || item.form != text || c.name(int(c.code[i+3])) != item.text || !slices.Contains(ops.storeName, c.code[i+4]) {
			return i
		}
		c.bind(m, binding{name: c.name(int(c.code[i+5])), element: -1, from: from, what: item.text})
		i += 4
	}
	return i
}

func (c *compiled) bind(m *module, b binding) {
	if b.name == "" || len(m.list) >= maxBindings || b.value == nil && b.from == "" {
		return
	}
	b.guards = []guard{{try: true}}
	m.bind(b)
}

func (c *compiled) constant(i int) *value {
	if i < len(c.consts) {
		return c.consts[i]
	}
	return nothing
}

func (c *compiled) name(i int) string {
	if i < len(c.names) {
		return c.names[i]
	}
	return ""
}
