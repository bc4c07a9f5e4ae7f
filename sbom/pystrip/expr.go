package pystrip

import (
	"slices"
	"strconv"
	"strings"
)

// evaluator works out one expression by recursive descent
// (https://docs.python.org/3/reference/grammar.html). What it does not know is
// an unknown value; nothing is ever run.
type evaluator struct {
	w      *world
	m      *module
	src    []byte
	tokens []token
	at     int
	depth  int
	bad    bool              // the text is no expression, or too much of one
	locals map[string]*value // of a comprehension
	others []*value          // what the expression may be instead
}

func (w *world) eval(m *module, src []byte) *value {
	e := &evaluator{w: w, m: m}
	e.scan(src)
	return e.all()
}

// scan cuts the expression into tokens, as many as the world's steps allow.
func (e *evaluator) scan(src []byte) {
	e.src = src
	s := newScanner(src)
	s.depth = 1 // line ends mean nothing in an expression
	for {
		t := s.next()
		e.w.steps++
		if t.kind == tokEnd || t.kind == tokNewline {
			return
		}
		if e.w.steps > maxSteps {
			e.bad = true
			return
		}
		e.tokens = append(e.tokens, t)
	}
}

// all returns the value of the whole expression, with or without brackets
// around a tuple.
func (e *evaluator) all() *value {
	if len(e.tokens) == 0 || e.bad {
		return nothing
	}
	v := e.list("")
	if e.bad || e.at < len(e.tokens) {
		return nothing
	}
	return v
}

// word returns the text of token i when it is a name or an operator.
func (e *evaluator) word(i int) string {
	if i >= len(e.tokens) || e.tokens[i].kind != tokName && e.tokens[i].kind != tokOp {
		return ""
	}
	return string(e.src[e.tokens[i].start:e.tokens[i].end])
}

// take moves past the next token if it is one of the words.
func (e *evaluator) take(words ...string) string {
	if w := e.word(e.at); w != "" && slices.Contains(words, w) {
		e.at++
		return w
	}
	return ""
}

func (e *evaluator) need(w string) {
	if e.take(w) == "" {
		e.bad = true
	}
}

// list reads expressions up to the closing bracket, which it takes; "" is the
// end of the text. One expression without a comma is that, else a tuple.
func (e *evaluator) list(closing string) *value {
	out := &value{form: sequence}
	comma := closing == "]"
	for !e.bad {
		if e.at >= len(e.tokens) && closing == "" {
			break
		}
		if closing != "" && e.take(closing) != "" {
			return e.tuple(out, comma)
		}
		start := e.at
		star := e.take("*") != ""
		v := e.ternary()
		if e.word(e.at) == "for" {
			v = e.comprehension(start)
			if closing != "" {
				e.need(closing)
			}
			return v
		}
		if star {
			if v.form != sequence {
				v = &value{form: sequence, items: []*value{nothing}}
			}
			out.items = append(out.items, v.items...)
		} else {
			out.items = append(out.items, v)
		}
		if len(out.items) > maxItems {
			out.items = append(out.items[:0], nothing) // a table: of no interest
		}
		if e.take(",") == "" {
			if closing != "" {
				e.need(closing)
			}
			return e.tuple(out, comma)
		}
		comma = true
	}
	return e.tuple(out, comma)
}

func (e *evaluator) tuple(v *value, comma bool) *value {
	if !comma && len(v.items) == 1 {
		return v.items[0]
	}
	return v
}

// comprehension reads "for NAME in LIST" behind an element that starts at
// token start, and works the element out for each of the list.
func (e *evaluator) comprehension(start int) *value {
	e.need("for")
	name := e.word(e.at)
	e.at++
	e.need("in")
	over := e.disjunction()
	end := e.at
	if e.word(e.at) == "if" || e.word(e.at) == "for" || over.form != sequence || !identifier(name) {
		e.bad = true
		return nothing
	}
	out := &value{form: sequence}
	for _, item := range over.items {
		e.w.steps++
		inner := &evaluator{w: e.w, m: e.m, src: e.src, tokens: e.tokens, at: start, depth: e.depth + 1, locals: map[string]*value{name: item}}
		if e.depth > maxDepth || e.w.steps > maxSteps {
			e.bad = true
			return nothing
		}
		out.items = append(out.items, inner.ternary())
	}
	e.at = end
	return out
}

func (e *evaluator) ternary() *value {
	if e.depth++; e.depth > maxDepth || e.bad {
		e.bad = true
		e.depth--
		return nothing
	}
	defer func() { e.depth-- }()
	v := e.disjunction()
	if e.take("if") == "" {
		return v
	}
	cond := e.disjunction()
	e.need("else")
	other := e.ternary()
	switch yes, ok := cond.truthy(); {
	case ok && yes:
		return v
	case ok:
		return other
	case e.depth == 1:
		e.others = append(e.others, known(other)...)
		return v
	}
	return nothing
}

func (e *evaluator) disjunction() *value {
	v := e.conjunction()
	for e.take("or") != "" {
		w := e.conjunction()
		if yes, ok := v.truthy(); !ok {
			v = nothing
		} else if !yes {
			v = w
		}
	}
	return v
}

func (e *evaluator) conjunction() *value {
	v := e.negation()
	for e.take("and") != "" {
		w := e.negation()
		switch yes, ok := v.truthy(); {
		case ok && yes:
			v = w
		case !ok:
			if no, ok := w.truthy(); ok && !no {
				v = truth(false)
			} else {
				v = nothing
			}
		}
	}
	return v
}

func (e *evaluator) negation() *value {
	flip := false
	not := false
	for e.take("not") != "" {
		flip, not = !flip, true
	}
	v := e.comparison()
	if !not {
		return v
	}
	yes, ok := v.truthy()
	if !ok {
		return nothing
	}
	return truth(yes != flip)
}

func (e *evaluator) comparison() *value {
	v := e.sum()
	for n := 0; ; n++ {
		op := e.take("==", "!=", "<", ">", "<=", ">=", "is", "in", "not")
		if op == "" {
			return v
		}
		if op == "is" && e.take("not") != "" {
			op = "!="
		} else if op == "not" {
			e.need("in")
			op = "?"
		}
		w := e.sum()
		v = compare(v, op, w)
		if n > 0 {
			v = nothing // a chain
		}
	}
}

func compare(a *value, op string, b *value) *value {
	same, ok := a.equal(b)
	switch op {
	case "==", "is":
		if ok {
			return truth(same)
		}
	case "!=":
		if ok {
			return truth(!same)
		}
	case "<", ">", "<=", ">=":
		x, okX := a.integer()
		y, okY := b.integer()
		if okX && okY {
			return truth(op[0] == '<' && x < y || op[0] == '>' && x > y || len(op) == 2 && x == y)
		}
	}
	return nothing
}

func (e *evaluator) sum() *value {
	v := e.term()
	for {
		switch e.take("+", "-", "|", "&", "^") {
		case "":
			return v
		case "+":
			v = add(v, e.term())
		default:
			e.term()
			v = nothing
		}
	}
}

func (e *evaluator) term() *value {
	v := e.unary()
	for {
		switch op := e.take("%", "*", "/", "//", "<<", ">>", "**", "@"); op {
		case "":
			return v
		case "%":
			v = percent(v, e.unary())
		default:
			e.unary()
			v = nothing
		}
	}
}

func (e *evaluator) unary() *value {
	minus := false
	other := false
	for {
		switch e.take("-", "+", "~", "await") {
		case "-":
			minus = !minus
			continue
		case "~", "await":
			other = true
			continue
		case "+":
			continue
		}
		break
	}
	v := e.postfix()
	switch {
	case other:
		return nothing
	case minus && v.form == number:
		return &value{form: number, text: "-" + v.text}
	}
	return v
}

// postfix reads an atom and the attributes, calls and subscripts behind it.
func (e *evaluator) postfix() *value {
	v := e.atom()
	for !e.bad {
		switch e.take(".", "(", "[") {
		case ".":
			name := e.word(e.at)
			e.at++
			v = e.attribute(v, name)
		case "(":
			v = e.call(v)
		case "[":
			v = e.subscript(v)
		default:
			return v
		}
	}
	return nothing
}

func (e *evaluator) atom() *value {
	if e.bad || e.at >= len(e.tokens) {
		e.bad = true
		return nothing
	}
	if e.depth++; e.depth > maxDepth {
		e.bad = true
	}
	defer func() { e.depth-- }()
	t := e.tokens[e.at]
	e.at++
	switch t.kind {
	case tokNumber:
		return &value{form: number, text: string(e.src[t.start:t.end])}
	case tokString:
		return e.strings(t)
	case tokName:
		return e.name(string(e.src[t.start:t.end]))
	}
	switch string(e.src[t.start:t.end]) {
	case "(":
		return e.list(")")
	case "[":
		return e.list("]")
	case "{":
		return e.braces()
	}
	e.bad = true
	return nothing
}

func (e *evaluator) name(w string) *value {
	switch w {
	case "None":
		return none
	case "True":
		return truth(true)
	case "False":
		return truth(false)
	case "lambda", "yield", "if", "for", "in", "else", "and", "or", "is":
		e.bad = true
		return nothing
	}
	if v, ok := e.locals[w]; ok {
		return v
	}
	if v := e.w.one(e.m, w); v.form != unknown {
		return v
	}
	if len(e.m.bindings[w]) > 0 {
		return nothing
	}
	switch w {
	case "str", "int", "map", "tuple", "list", "dict", "repr", "len", "format":
		return &value{form: outside, text: w}
	case "__name__", "__package__":
		return textValue(e.w.top)
	}
	return nothing
}

// braces reads a dict; a set is of no interest.
func (e *evaluator) braces() *value {
	out := &value{form: mapping}
	for !e.bad && e.take("}") == "" {
		if e.take("**") != "" {
			e.ternary()
		} else {
			k := e.ternary()
			if e.take(":") != "" {
				out.items = append(out.items, k, e.ternary())
			}
		}
		if len(out.items) > 2*maxItems {
			out.items = out.items[:0]
		}
		if w := e.word(e.at); w != "," && w != "}" {
			e.bad = true
		}
		e.take(",")
	}
	return out
}

func (e *evaluator) attribute(v *value, name string) *value {
	switch v.form {
	case inModule:
		return e.w.one(v.in, name)
	case outside:
		if len(v.text) > 200 {
			return nothing
		}
		return &value{form: outside, text: v.text + "." + name}
	case text, mapping, sequence:
		return &value{form: method, text: name, items: []*value{v}}
	}
	return nothing
}

// call reads the arguments and works the call out. Named arguments follow the
// others, in their order; their names are kept for dict and format.
func (e *evaluator) call(f *value) *value {
	var args []*value
	named := &value{form: mapping}
	for !e.bad && e.take(")") == "" {
		start := e.at
		switch {
		case e.take("**") != "":
			if v := e.ternary(); v.form == mapping {
				named.items = append(named.items, v.items...)
			}
		case e.take("*") != "":
			if v := e.ternary(); v.form == sequence {
				args = append(args, v.items...)
			} else {
				args = append(args, nothing)
			}
		case e.at+1 < len(e.tokens) && e.tokens[e.at].kind == tokName && e.word(e.at+1) == "=":
			name := e.word(e.at)
			e.at += 2
			named.items = append(named.items, textValue(name), e.ternary())
		default:
			v := e.ternary()
			if e.word(e.at) == "for" {
				v = e.comprehension(start)
			}
			args = append(args, v)
		}
		if w := e.word(e.at); w != "," && w != ")" || len(args) > maxItems || len(named.items) > 2*maxItems {
			e.bad = true
		}
		e.take(",")
	}
	if e.bad {
		return nothing
	}
	switch f.form {
	case method:
		return callMethod(f.items[0], f.text, args, named)
	case function:
		return e.w.call(f, args)
	case outside:
		return e.w.builtin(f.text, args, named)
	}
	// a class, most likely: VersionInfo(1, 2, 3) is the tuple of its arguments
	if len(args)+len(named.items)/2 >= 2 {
		all := &value{form: sequence, items: args}
		for i := 1; i < len(named.items); i += 2 {
			all.items = append(all.items, named.items[i])
		}
		return all
	}
	return nothing
}

// subscript reads what stands behind "[".
func (e *evaluator) subscript(v *value) *value {
	var bounds [3]*value
	n, colon := 0, false
	for !e.bad && e.take("]") == "" {
		if e.take(":") != "" {
			colon = true
			n++
		} else if n < len(bounds) {
			bounds[n] = e.list2()
		}
		if n >= len(bounds) {
			e.bad = true
		}
	}
	switch {
	case e.bad:
	case colon:
		return slice(v, bounds)
	case bounds[0] == nil:
	case v.form == mapping && bounds[0].form == text:
		return v.get(bounds[0].text)
	case v.form == sequence || v.form == text:
		i, ok := bounds[0].integer()
		if v.form == text {
			v = characters(v)
		}
		if i < 0 {
			i += len(v.items)
		}
		if ok && i >= 0 && i < len(v.items) {
			return v.items[i]
		}
	}
	return nothing
}

// list2 reads one index.
func (e *evaluator) list2() *value {
	at := e.at
	v := e.ternary()
	if e.at == at {
		e.bad = true
	}
	if e.take(",") != "" {
		return nothing
	}
	return v
}

func characters(v *value) *value {
	out := &value{form: sequence}
	for i := range min(len(v.text), maxItems) {
		out.items = append(out.items, textValue(v.text[i:i+1]))
	}
	return out
}

func slice(v *value, b [3]*value) *value {
	length := len(v.items)
	if v.form == text {
		length = len(v.text)
	} else if v.form != sequence {
		return nothing
	}
	bound := func(b *value, otherwise int) (int, bool) {
		if b == nil || b.form == null {
			return otherwise, true
		}
		n, ok := b.integer()
		if n < 0 {
			n += length
		}
		return min(max(n, 0), length), ok
	}
	from, okFrom := bound(b[0], 0)
	to, okTo := bound(b[1], length)
	if !okFrom || !okTo || b[2] != nil {
		return nothing
	}
	to = max(to, from)
	if v.form == text {
		return textValue(v.text[from:to])
	}
	return &value{form: sequence, items: v.items[from:to]}
}

// strings joins adjacent string literals.
func (e *evaluator) strings(t token) *value {
	var b strings.Builder
	for {
		s, ok := e.literal(string(e.src[t.start:t.end]))
		if !ok || b.Len() > maxTextValue {
			// the rest of the literals belongs to the same value
			for e.at < len(e.tokens) && e.tokens[e.at].kind == tokString {
				e.at++
			}
			return nothing
		}
		b.WriteString(s)
		if e.at >= len(e.tokens) || e.tokens[e.at].kind != tokString {
			return textValue(b.String())
		}
		t = e.tokens[e.at]
		e.at++
	}
}

// literal returns the text of one string literal, false for an f-string with
// something unknown in it.
func (e *evaluator) literal(s string) (string, bool) {
	raw, formatted := false, false
	for s != "" && s[0] != '"' && s[0] != '\'' {
		switch s[0] | 0x20 {
		case 'r':
			raw = true
		case 'f', 't':
			formatted = true
		}
		s = s[1:]
	}
	quotes := 1
	if len(s) >= 6 && s[1] == s[0] && s[2] == s[0] {
		quotes = 3
	}
	if len(s) < 2*quotes {
		return "", false
	}
	if s[len(s)-1] != s[0] {
		return "", false // not closed
	}
	s = s[quotes : len(s)-quotes]
	if !raw && strings.IndexByte(s, '\\') >= 0 {
		s = unescape(s)
	}
	if formatted {
		return e.interpolate(s)
	}
	return s, true
}

// unescape resolves the escapes that occur in versions and JSON.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '\n':
		case '\\', '\'', '"':
			b.WriteByte(s[i])
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// interpolate fills an f-string.
func (e *evaluator) interpolate(s string) (string, bool) {
	var b strings.Builder
	for s != "" {
		open := strings.IndexAny(s, "{}")
		if open < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:open])
		if open+1 < len(s) && s[open+1] == s[open] {
			b.WriteByte(s[open])
			s = s[open+2:]
			continue
		}
		end := strings.IndexByte(s[open:], '}')
		if s[open] == '}' || end < 0 || e.depth >= maxDepth {
			return "", false
		}
		expr := s[open+1 : open+end]
		s = s[open+end+1:]
		if i := strings.IndexByte(expr, '!'); i > 0 && !strings.HasPrefix(expr[i:], "!=") {
			expr = expr[:i]
		}
		if i := strings.LastIndexByte(expr, ':'); i > 0 && strings.IndexByte(expr, '[') < 0 {
			if spec := strings.TrimSpace(expr[i+1:]); spec != "" && spec != "d" && spec != "s" {
				return "", false
			}
			expr = expr[:i]
		}
		inner := &evaluator{w: e.w, m: e.m, depth: e.depth, locals: e.locals}
		inner.scan([]byte(expr))
		v, ok := inner.all().plain()
		if !ok || b.Len()+len(v) > maxTextValue {
			return "", false
		}
		b.WriteString(v)
	}
	return b.String(), true
}

// percent is the operator of strings; of numbers it is unknown.
func percent(format, args *value) *value {
	if format.form != text {
		return nothing
	}
	list := []*value{args}
	if args.form == sequence {
		list = args.items
	}
	var b strings.Builder
	s := format.text
	for {
		before, rest, ok := strings.Cut(s, "%")
		b.WriteString(before)
		if !ok {
			return textValue(b.String())
		}
		var v *value
		if after, named := strings.CutPrefix(rest, "("); named {
			name, behind, ok := strings.Cut(after, ")")
			if !ok || args.form != mapping {
				return nothing
			}
			v, rest = args.get(name), behind
		}
		if rest == "" {
			return nothing
		}
		switch rest[0] {
		case '%':
			b.WriteByte('%')
			s = rest[1:]
			continue
		case 's', 'd', 'i', 'r':
		default:
			return nothing
		}
		if v == nil {
			if len(list) == 0 {
				return nothing
			}
			v, list = list[0], list[1:]
		}
		p, ok := v.plain()
		if !ok || b.Len()+len(p) > maxTextValue {
			return nothing
		}
		b.WriteString(p)
		s = rest[1:]
	}
}

// callMethod works out the methods of strings and dicts that versions go through.
func callMethod(v *value, name string, args []*value, named *value) *value {
	first := ""
	if len(args) > 0 && args[0].form == text {
		first = args[0].text
	}
	if v.form == mapping {
		switch {
		case name == "get" && len(args) > 0 && args[0].form == text:
			return v.get(first)
		}
		return nothing
	}
	if v.form != text {
		return nothing
	}
	switch name {
	case "join":
		return join(v.text, args)
	case "format":
		return format(v.text, args, named)
	case "strip", "lstrip", "rstrip":
		if len(args) == 0 {
			return textValue(strings.TrimSpace(v.text))
		}
		switch name {
		case "strip":
			return textValue(strings.Trim(v.text, first))
		case "lstrip":
			return textValue(strings.TrimLeft(v.text, first))
		}
		return textValue(strings.TrimRight(v.text, first))
	case "lower":
		return textValue(strings.ToLower(v.text))
	case "replace":
		if len(args) == 2 && args[0].form == text && args[1].form == text && first != "" && len(v.text) < 1000 && len(args[1].text) < 1000 {
			return textValue(strings.ReplaceAll(v.text, first, args[1].text))
		}
	case "split", "partition":
		return split(v.text, name, args, first)
	}
	return nothing
}

func split(s, name string, args []*value, by string) *value {
	var parts []string
	switch {
	case len(args) == 0 && name == "split":
		parts = strings.Fields(s)
	case by == "":
		return nothing
	case name == "partition":
		before, after, ok := strings.Cut(s, by)
		if !ok {
			by = ""
		}
		parts = []string{before, by, after}
	default:
		n := -1
		if len(args) > 1 {
			if m, ok := args[1].integer(); ok {
				n = m + 1
			}
		}
		parts = strings.SplitN(s, by, n)
	}
	out := &value{form: sequence}
	for _, p := range parts[:min(len(parts), maxItems)] {
		out.items = append(out.items, textValue(p))
	}
	return out
}

func join(separator string, args []*value) *value {
	if len(args) != 1 || args[0].form != sequence {
		return nothing
	}
	var b strings.Builder
	for i, item := range args[0].items {
		if i > 0 {
			b.WriteString(separator)
		}
		p, ok := item.plain()
		if !ok || b.Len()+len(p)+len(separator) > maxTextValue {
			return nothing
		}
		b.WriteString(p)
	}
	return textValue(b.String())
}

// format is str.format with fields without a format of their own.
func format(s string, args []*value, named *value) *value {
	var b strings.Builder
	next := 0
	for {
		open := strings.IndexAny(s, "{}")
		if open < 0 {
			b.WriteString(s)
			return textValue(b.String())
		}
		b.WriteString(s[:open])
		if open+1 < len(s) && s[open+1] == s[open] {
			b.WriteByte(s[open])
			s = s[open+2:]
			continue
		}
		end := strings.IndexByte(s[open:], '}')
		if end < 0 || s[open] == '}' {
			return nothing
		}
		field := s[open+1 : open+end]
		s = s[open+end+1:]
		v := nothing
		switch i, err := strconv.Atoi(field); {
		case field == "" && next < len(args):
			v = args[next]
			next++
		case err == nil && i >= 0 && i < len(args):
			v = args[i]
		case field != "":
			v = formatField(field, args, named)
		}
		p, ok := v.plain()
		if !ok || b.Len()+len(p) > maxTextValue {
			return nothing
		}
		b.WriteString(p)
	}
}

// formatField is a field "name" or "0[1]".
func formatField(field string, args []*value, named *value) *value {
	head, rest, ok := strings.Cut(field, "[")
	if !ok {
		return named.get(field)
	}
	v := named.get(head)
	if i, err := strconv.Atoi(head); err == nil && i >= 0 && i < len(args) {
		v = args[i]
	}
	j, err := strconv.Atoi(strings.TrimSuffix(rest, "]"))
	if err != nil || v.form != sequence || j < 0 || j >= len(v.items) {
		return nothing
	}
	return v.items[j]
}

// builtin works out a call of Python's own functions, or of another package's.
func (w *world) builtin(name string, args []*value, named *value) *value {
	one := nothing
	if len(args) == 1 {
		one = args[0]
	}
	switch name {
	case "str", "repr", "format":
		if p, ok := one.plain(); ok {
			return textValue(p)
		}
		return nothing
	case "int":
		if _, err := strconv.Atoi(one.text); err == nil && (one.form == text || one.form == number) {
			return &value{form: number, text: one.text}
		}
		return nothing
	case "tuple", "list":
		if one.form == sequence {
			return one
		}
		return nothing
	case "len":
		if one.form == sequence {
			return &value{form: number, text: strconv.Itoa(len(one.items))}
		}
		return nothing
	case "dict":
		return named
	case "map":
		if len(args) == 2 && args[0].form == outside && (args[0].text == "str" || args[0].text == "repr") && args[1].form == sequence {
			return args[1]
		}
		if len(args) == 2 && args[0].form == outside && args[0].text == "int" {
			return args[1]
		}
		return nothing
	}
	return w.outsideCall(name, args)
}
