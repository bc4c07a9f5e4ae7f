package pystrip

import "strings"

// span is a part of a module's source.
type span struct{ from, to int }

// guard is a condition that a statement stands under.
type guard struct {
	not    []span // conditions of the branches before it, which do not hold
	holds  span   // its own condition; empty for "else"
	try    bool   // the body of "try": it is what was meant to run
	except bool   // what runs when that fails
}

// binding is one statement that gives a name a value.
type binding struct {
	name    string
	expr    span   // of the value
	element int    // which element of the value; -1: all of it
	add     bool   // "+=": the value comes behind the one before
	value   *value // of compiled code, in place of expr
	from    string // import: the module, with its leading dots
	what    string // import: the name in that module; "" for the module itself
	guards  []guard
}

// module is what one file of Python says at its top level: enough to work out
// the value of a name, and nothing of it is run.
type module struct {
	src      []byte
	pkg      []string            // the package that relative imports start from, below the top folder
	bindings map[string][]int    // name -> indexes into list, in order
	list     []binding           // in order of the source
	stars    []string            // modules of which everything is imported
	returns  map[string]span     // function that only returns something -> what
	funcs    map[string]bool     // functions
	busy     map[string]struct{} // names whose value is being worked out
}

// The bounds of one module.
const (
	maxBindings = 20_000 // statements that are kept; a data module has that many
	maxNesting  = 20     // conditional blocks inside one another, and branches of one
	maxExpr     = 64 << 10
)

func newModule(pkg []string) *module {
	return &module{pkg: pkg, bindings: map[string][]int{}, returns: map[string]span{}, funcs: map[string]bool{}, busy: map[string]struct{}{}}
}

// block is a compound statement whose body is being read.
type block struct {
	column int
	skip   bool   // def or class: the names inside are not the module's
	def    string // name of the function
	body   int    // statements of the function so far, without its docstring
	guard  guard
	chain  []span // conditions of this if-chain so far
}

// parser reads the statements of one module.
type parser struct {
	*scanner
	m      *module
	blocks []block
	last   block // the compound statement that "elif" or "except" may continue
}

// parseModule reads the top level of Python source. It takes anything and goes
// over it once.
func parseModule(src []byte, pkg []string) *module {
	p := &parser{scanner: newScanner(src), m: newModule(pkg)}
	p.m.src = src
	for {
		t := p.next()
		if t.kind == tokEnd {
			return p.m
		}
		p.line(t)
	}
}

// line reads one logical line; t is its first token.
func (p *parser) line(t token) {
	p.last = block{column: -1}
	for n := len(p.blocks); n > 0 && t.column >= 0 && t.column <= p.blocks[n-1].column; n = len(p.blocks) {
		if p.blocks[n-1].column == t.column {
			p.last = p.blocks[n-1]
		}
		p.blocks = p.blocks[:n-1]
	}
	if n := len(p.blocks); n > 0 && p.blocks[n-1].skip {
		p.inside(&p.blocks[n-1], t)
		return
	}
	for column := t.column; t.kind != tokNewline && t.kind != tokEnd; {
		t = p.statement(t, column)
	}
}

// inside reads a line of a function or class. Only the return of a function
// that does nothing else is of interest.
func (p *parser) inside(b *block, t token) {
	if t.kind == tokString && b.body == 0 {
		p.skipLine(t)
		return
	}
	b.body++
	end := p.skipLine(t)
	if b.def == "" || b.body > 1 {
		delete(p.m.returns, b.def)
		return
	}
	if p.word(t) == "return" && end.start-t.end <= maxExpr {
		p.m.returns[b.def] = span{t.end, end.start}
	}
}

// word returns the text of a name or operator.
func (p *parser) word(t token) string {
	if t.kind != tokName && t.kind != tokOp || t.end-t.start > maxExpr {
		return ""
	}
	return string(p.src[t.start:t.end])
}

// skipLine reads to the end of the logical line that t is in, and returns that.
func (p *parser) skipLine(t token) token {
	for t.kind != tokNewline && t.kind != tokEnd {
		t = p.next()
	}
	return t
}

// statement reads a statement that starts with t and returns the token behind
// it: the first one of another statement of the line, or the line's end.
// column is that of the line.
func (p *parser) statement(t token, column int) token {
	switch w := p.word(t); w {
	case "def", "class", "async":
		return p.define(t, w, column)
	case "if", "elif", "else", "try", "except", "finally", "for", "while", "with", "match", "case":
		return p.compound(t, w, column)
	case "from":
		return p.fromImport()
	case "import":
		return p.plainImport()
	case "@":
		return p.skipLine(t)
	}
	return p.assignment(t)
}

func (p *parser) define(t token, w string, column int) token {
	b := block{column: column, skip: true}
	if w == "async" {
		t = p.next()
		w = p.word(t)
	}
	if t.kind != tokNewline && t.kind != tokEnd {
		t = p.next()
	}
	if w == "def" && t.kind == tokName {
		b.def = p.word(t)
		p.m.funcs[b.def] = true
	}
	end := p.skipLine(t)
	p.push(b)
	return end
}

// push enters a block. What is nested too deep is passed over.
func (p *parser) push(b block) {
	b.skip = b.skip || len(p.blocks) >= maxNesting
	if n := len(p.blocks); n == 0 || !p.blocks[n-1].skip {
		p.blocks = append(p.blocks, b)
	}
}

// compound reads the head of a compound statement, and the rest of its line
// when the body stands there.
func (p *parser) compound(t token, w string, column int) token {
	from := t.end
	depth, to := p.depth, from
	for {
		t = p.next()
		if t.kind == tokNewline || t.kind == tokEnd || p.depth == depth && p.word(t) == ":" {
			break
		}
		if (w == "match" || w == "case") && p.depth == depth && p.word(t) == "=" {
			return p.skipLine(t) // a variable of that name
		}
		to = t.end
	}
	if to-from > maxExpr {
		to = from
	}
	b := block{column: column, guard: p.guardOf(w, span{from, to})}
	switch w {
	case "if":
		b.chain = []span{{from, to}}
	case "elif":
		b.chain = append(append([]span(nil), p.last.chain...), span{from, to})
	}
	if len(b.chain) > maxNesting {
		b.chain = b.chain[:maxNesting]
	}
	p.push(b)
	if t.kind == tokNewline || t.kind == tokEnd {
		return t
	}
	return p.next()
}

func (p *parser) guardOf(w string, cond span) guard {
	switch w {
	case "if":
		return guard{holds: cond}
	case "elif":
		return guard{not: p.last.chain, holds: cond}
	case "else":
		return guard{not: p.last.chain}
	case "try":
		return guard{try: true}
	case "except":
		return guard{except: true}
	}
	return guard{}
}

// bind records that a name gets a value.
func (p *parser) bind(b binding) {
	if b.name == "" || len(p.m.list) >= maxBindings {
		return
	}
	for i := range p.blocks {
		b.guards = append(b.guards, p.blocks[i].guard)
	}
	p.m.bind(b)
}

func (m *module) bind(b binding) {
	m.bindings[b.name] = append(m.bindings[b.name], len(m.list))
	m.list = append(m.list, b)
}

// dotted reads a module name with its leading dots, and returns the token
// behind it.
func (p *parser) dotted() (string, token) {
	var b strings.Builder
	for {
		t := p.next()
		w := p.word(t)
		if w == "import" || w == "as" || t.kind != tokName && w != "." && w != "..." || b.Len() > 1000 {
			return b.String(), t
		}
		b.WriteString(w)
	}
}

// fromImport reads "from MODULE import NAME [as NAME], ...".
func (p *parser) fromImport() token {
	from, t := p.dotted()
	if p.word(t) != "import" {
		return p.skipLine(t)
	}
	what, as, rename := "", "", false
	flush := func() {
		if what != "" {
			name := what
			if as != "" {
				name = as
			}
			p.bind(binding{name: name, element: -1, from: from, what: what})
		}
		what, as, rename = "", "", false
	}
	for {
		t = p.next()
		switch w := p.word(t); {
		case t.kind == tokNewline || t.kind == tokEnd:
			flush()
			return t
		case w == ";":
			flush()
			return p.next()
		case w == "(" || w == ")":
		case w == ",":
			flush()
		case w == "*":
			if len(p.m.stars) < maxNesting {
				p.m.stars = append(p.m.stars, from)
			}
		case w == "as":
			rename = true
		case t.kind == tokName && rename:
			as = w
		case t.kind == tokName:
			what = w
		}
	}
}

// plainImport reads "import MODULE [as NAME], ...". Without "as" the name is
// the first part of the module's.
func (p *parser) plainImport() token {
	for {
		from, t := p.dotted()
		if p.word(t) == "as" {
			t = p.next()
			p.bind(binding{name: p.word(t), element: -1, from: from})
			t = p.next()
		} else if from != "" && from[0] != '.' {
			top, _, _ := strings.Cut(from, ".")
			p.bind(binding{name: top, element: -1, from: top})
		}
		switch p.word(t) {
		case ",":
		case ";":
			return p.next()
		default:
			return p.skipLine(t)
		}
	}
}

// assignment reads "TARGET = ... = VALUE", with or without a type, and leaves
// every other statement alone.
func (p *parser) assignment(t token) token {
	depth := p.depth
	if w := p.word(t); w == "(" || w == "[" || w == "{" {
		depth--
	}
	var targets []span
	from, end, add, typed := t.start, t.end, false, -1
	for ; t.kind != tokNewline && t.kind != tokEnd; t = p.next() {
		if p.depth <= depth && t.kind == tokOp {
			w := p.word(t)
			if w == ";" {
				p.assign(targets, span{from, end}, add)
				return p.next()
			}
			if w == ":" && len(targets) == 0 && typed < 0 {
				typed = end
			}
			if (w == "=" || w == "+=") && len(targets) < 10 {
				to := end
				if typed >= 0 {
					to = typed
				}
				targets = append(targets, span{from, to})
				add = w == "+="
				from = t.end
			}
		}
		end = t.end
	}
	p.assign(targets, span{from, end}, add)
	return t
}

func (p *parser) assign(targets []span, expr span, add bool) {
	if expr.to-expr.from > maxExpr {
		// a table, or hostile: the name has a value that is not known
		expr = span{}
	}
	for _, t := range targets {
		if t.to-t.from > 200 {
			continue
		}
		text := strings.Trim(strings.TrimSpace(string(p.src[t.from:t.to])), "()")
		names := strings.Split(text, ",")
		for i, name := range names {
			name = strings.TrimSpace(name)
			if !identifier(name) {
				continue
			}
			element := -1
			if len(names) > 1 {
				element = i
			}
			p.bind(binding{name: name, expr: expr, element: element, add: add})
		}
	}
}

func identifier(s string) bool {
	for i := range len(s) {
		if !nameByte(s[i]) || i == 0 && digit(s[i]) {
			return false
		}
	}
	return s != ""
}
