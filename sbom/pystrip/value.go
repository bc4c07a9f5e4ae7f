package pystrip

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// form is what kind of value was worked out.
type form uint8

const (
	unknown  form = iota // not worked out
	null                 // None
	boolean              // text is "1" or ""
	number               // text as it is written
	text                 // a string
	sequence             // tuple or list
	mapping              // dict: items are key, value, key, value, ...
	inModule             // a module of the package
	function             // text is its name, in module
	method               // text is its name, of items[0]
	outside              // text is the dotted name of something of another package
)

// value is what a Python expression stands for, as far as versions need it.
type value struct {
	form  form
	text  string
	items []*value
	in    *module
}

var (
	nothing = &value{}
	none    = &value{form: null}
)

// truth is a boolean value.
func truth(b bool) *value {
	if b {
		return &value{form: boolean, text: "1"}
	}
	return &value{form: boolean}
}

func textValue(s string) *value {
	if len(s) > maxTextValue {
		return nothing
	}
	return &value{form: text, text: s}
}

// The bounds of working out one package's values.
const (
	maxSteps     = 50_000 // tokens that are looked at, over all expressions
	maxDepth     = 60     // expressions inside one another
	maxItems     = 64     // of a tuple, list or dict; versions have seven
	maxTextValue = 8 << 10
	maxValues    = 5 // candidates of one name
)

// truthy returns what bool() would, and whether that is known.
func (v *value) truthy() (yes, known bool) {
	switch v.form {
	case null:
		return false, true
	case boolean, text:
		return v.text != "", true
	case number:
		n, ok := v.integer()
		return n != 0, ok
	case sequence, mapping:
		return len(v.items) > 0, true
	}
	return false, false
}

func (v *value) integer() (int, bool) {
	if v.form == boolean {
		return len(v.text), true
	}
	if v.form != number {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(v.text, "_", ""), 0, 32)
	if err != nil {
		n, err = strconv.ParseInt(v.text, 10, 32)
	}
	return int(n), err == nil
}

// plain returns what str() would give of a value whose text is simple.
func (v *value) plain() (string, bool) {
	switch v.form {
	case text, number:
		return v.text, true
	case null:
		return "None", true
	case boolean:
		if v.text != "" {
			return "True", true
		}
		return "False", true
	}
	return "", false
}

func (v *value) equal(w *value) (same, known bool) {
	if v.form == unknown || w.form == unknown || v.form > mapping || w.form > mapping {
		return false, false
	}
	if a, ok := v.integer(); ok {
		if b, ok := w.integer(); ok {
			return a == b, true
		}
	}
	if v.form != w.form {
		return false, true
	}
	if v.form == sequence || v.form == mapping {
		return false, false
	}
	return v.text == w.text, true
}

// get returns the value of a key.
func (v *value) get(key string) *value {
	for i := 0; i+1 < len(v.items); i += 2 {
		if v.items[i].form == text && v.items[i].text == key {
			return v.items[i+1]
		}
	}
	return nothing
}

// world works out values over the modules of one package.
type world struct {
	top   string                       // import name of the package
	load  func(parts []string) *module // a module below the top; nil when there is none
	steps int
	depth int
	asked []string // names of distributions whose version the code asks the metadata for
}

// lookup returns the candidates of a name of a module, the likeliest first.
// What could not be worked out is not among them.
func (w *world) lookup(m *module, name string) []*value {
	if _, busy := m.busy[name]; busy || w.depth >= maxDepth {
		return nil
	}
	m.busy[name] = struct{}{}
	w.depth++
	defer func() { delete(m.busy, name); w.depth-- }()
	list := m.bindings[name]
	if len(list) == 0 {
		if m.funcs[name] {
			return []*value{{form: function, text: name, in: m}}
		}
		for _, star := range m.stars {
			if from := w.moduleAt(m, star); from != nil && from != m {
				if found := w.lookup(from, name); len(found) > 0 {
					return found
				}
			}
		}
		return nil
	}
	var out []*value
	if len(list) > maxItems {
		list = list[len(list)-maxItems:]
	}
	asked := len(w.asked)
	for _, i := range list {
		b := &m.list[i]
		reach, except := w.reach(m, b.guards)
		// behind a question to the metadata stands a placeholder
		if reach == never || except && (len(out) > 0 || len(w.asked) > asked) {
			continue
		}
		found := w.bound(m, b, out)
		switch {
		case reach == always && !except:
			out = found
		default:
			out = append(out, found...)
		}
	}
	return out[:min(len(out), maxValues)]
}

// reached says whether a statement runs.
type reached uint8

const (
	perhaps reached = iota
	never
	always
)

// reach judges the conditions around a statement. except says that one is the
// handler of an error.
func (w *world) reach(m *module, guards []guard) (r reached, except bool) {
	r = always
	for i := range guards {
		g := &guards[i]
		except = except || g.except
		for _, not := range g.not {
			switch yes, known := w.condition(m, not); {
			case known && yes:
				return never, except
			case !known:
				r = perhaps
			}
		}
		if g.holds.to > g.holds.from {
			switch yes, known := w.condition(m, g.holds); {
			case known && !yes:
				return never, except
			case !known:
				r = perhaps
			}
		}
		if g.try {
			r = perhaps
		}
	}
	return r, except
}

func (w *world) condition(m *module, s span) (yes, known bool) {
	if strings.TrimSpace(string(m.src[s.from:s.to])) == "TYPE_CHECKING" {
		return false, true
	}
	return w.eval(m, m.src[s.from:s.to]).truthy()
}

// bound returns the candidates that a statement gives its name. before is what
// the name had.
func (w *world) bound(m *module, b *binding, before []*value) []*value {
	if b.from != "" {
		return w.imported(m, b)
	}
	if b.value != nil {
		return known(b.value)
	}
	e := &evaluator{w: w, m: m}
	e.scan(m.src[b.expr.from:b.expr.to])
	if len(e.tokens) == 1 && e.tokens[0].kind == tokName && b.element < 0 && !b.add {
		if e.word(0) == b.name {
			return before // NAME = NAME, for those who look at what is exported
		}
		return w.lookup(m, e.word(0)) // all candidates of the other name
	}
	v := e.all()
	if b.element >= 0 {
		if v.form != sequence || b.element >= len(v.items) {
			return nil
		}
		v = v.items[b.element]
	}
	if b.add {
		if len(before) != 1 {
			return nil
		}
		v = add(before[0], v)
	}
	return append(known(v), e.others...)
}

func known(v *value) []*value {
	if v.form == unknown {
		return nil
	}
	return []*value{v}
}

// moduleAt returns the module of the package that an import names, nil when it
// is another package's.
func (w *world) moduleAt(m *module, from string) *module {
	parts, ok := w.parts(m, from)
	if !ok {
		return nil
	}
	return w.load(parts)
}

// parts returns where a module lies below the top folder.
func (w *world) parts(m *module, from string) ([]string, bool) {
	rest := strings.TrimLeft(from, ".")
	var parts []string
	if dots := len(from) - len(rest); dots > 0 {
		if dots-1 > len(m.pkg) {
			return nil, false
		}
		parts = slices.Clone(m.pkg[:len(m.pkg)-(dots-1)])
	} else if rest == w.top {
		return nil, true
	} else if rest, ok := strings.CutPrefix(from, w.top+"."); ok {
		return strings.Split(rest, "."), true
	} else {
		return nil, false
	}
	if rest != "" {
		parts = append(parts, strings.Split(rest, ".")...)
	}
	return parts, true
}

func (w *world) imported(m *module, b *binding) []*value {
	parts, own := w.parts(m, b.from)
	if !own {
		name := b.from
		if b.what != "" {
			name += "." + b.what
		}
		return []*value{{form: outside, text: name}}
	}
	from := w.load(parts)
	if b.what == "" {
		if from == nil {
			return nil
		}
		return []*value{{form: inModule, in: from}}
	}
	if from != nil {
		if found := w.lookup(from, b.what); len(found) > 0 {
			return found
		}
	}
	if sub := w.load(append(slices.Clone(parts), b.what)); sub != nil {
		return []*value{{form: inModule, in: sub}}
	}
	return nil
}

// one returns the value of a name that has one candidate.
func (w *world) one(m *module, name string) *value {
	found := w.lookup(m, name)
	if len(found) == 0 {
		return nothing
	}
	for _, v := range found[1:] {
		if v.form == outside && found[0].form == outside {
			continue // one thing under the names of several versions of Python
		}
		if same, known := v.equal(found[0]); !same || !known {
			return nothing
		}
	}
	return found[0]
}

// call returns what a function of the package returns, where that can be seen:
// it only returns an expression, it is versioneer's get_versions, or it makes a
// version of a tuple.
func (w *world) call(f *value, args []*value) *value {
	if f.in == nil {
		return nothing
	}
	if f.text == "get_versions" {
		if v := w.one(f.in, "version_json"); v.form == text {
			return parseJSON(v.text)
		}
	}
	if body, ok := f.in.returns[f.text]; ok && len(args) == 0 && w.depth < maxDepth {
		w.depth++
		defer func() { w.depth-- }()
		return w.eval(f.in, f.in.src[body.from:body.to])
	}
	if w.top == "django" && f.text == "get_version" && len(args) == 1 {
		return djangoVersion(args[0])
	}
	return formatted(f.text, args)
}

// formatted is what a function that is called after versions makes of one
// tuple or text.
func formatted(name string, args []*value) *value {
	if len(args) == 1 && strings.Contains(strings.ToLower(name), "version") {
		if v := versionText(args[0]); v != "" {
			return textValue(v)
		}
	}
	return nothing
}

// parseJSON reads the flat object of strings that versioneer writes.
func parseJSON(s string) *value {
	var doc map[string]any
	if len(s) > maxTextValue || json.Unmarshal([]byte(s), &doc) != nil {
		return nothing
	}
	out := &value{form: mapping}
	for _, k := range []string{"version", "full-revisionid", "date"} {
		if t, ok := doc[k].(string); ok {
			out.items = append(out.items, textValue(k), textValue(t))
		}
	}
	return out
}

// outsideCall is what a call of another package's function tells.
func (w *world) outsideCall(name string, args []*value) *value {
	base := name[strings.LastIndexByte(name, '.')+1:]
	switch base {
	case "version", "get_distribution", "distribution", "metadata", "require":
		if strings.Contains(name, "metadata") || strings.Contains(name, "pkg_resources") {
			if len(args) > 0 && args[0].form == text && len(w.asked) < maxValues {
				w.asked = append(w.asked, args[0].text)
			}
			return nothing
		}
	}
	if name == "django.utils.version.get_version" && len(args) == 1 {
		return djangoVersion(args[0])
	}
	if strings.HasPrefix(name, "incremental.") && len(args) > 2 && args[0].form == text {
		return textValue(versionText(&value{form: sequence, items: args[1:]}))
	}
	return formatted(name, args)
}

// djangoVersion leaves the third number out when it is 0, as Django does.
func djangoVersion(v *value) *value {
	if v.form == sequence && len(v.items) == 5 {
		if n, ok := v.items[2].integer(); ok && n == 0 {
			v = &value{form: sequence, items: append(slices.Clone(v.items[:2]), v.items[3:]...)}
		}
	}
	return textValue(versionText(v))
}

func add(a, b *value) *value {
	switch {
	case a.form == text && b.form == text:
		return textValue(a.text + b.text)
	case a.form == sequence && b.form == sequence && len(a.items)+len(b.items) <= maxItems:
		return &value{form: sequence, items: append(slices.Clone(a.items), b.items...)}
	}
	return nothing
}
