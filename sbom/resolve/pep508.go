package resolve

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// pyNeed is a dependency specifier
// (https://packaging.python.org/en/latest/specifications/dependency-specifiers/,
// PEP 508): "name[extra] >=1 ; marker".
type pyNeed struct {
	name   string   // normalised
	extras []string // normalised, sorted
	text   string   // what it asks of the version, as it is written
	spec   pySpec
	from   string   // the address of "name @ address"; "" when it comes from an index
	marker pyMarker // nil: always
	bad    string   // why it cannot be answered; "" it can
}

// maxPyNeed bounds a dependency specifier in bytes.
const maxPyNeed = 8 << 10

// parsePyNeed reads a dependency specifier. With an error, name is set if that
// much could be read, and marker if what is wrong stands before it.
func parsePyNeed(s string) (n pyNeed, err error) {
	if len(s) > maxPyNeed {
		return n, fmt.Errorf("what it asks for is longer than %d bytes", maxPyNeed)
	}
	s = strings.TrimSpace(s)
	end := strings.IndexFunc(s, func(r rune) bool { return !nameRune(r) })
	if end < 0 {
		end = len(s)
	}
	var ok bool
	if n.name, ok = pyName(s[:end]); !ok {
		return n, errors.New("it has no name")
	}
	rest := strings.TrimSpace(s[end:])
	if inner, has := strings.CutPrefix(rest, "["); has {
		list, after, closed := strings.Cut(inner, "]")
		if !closed {
			return n, errors.New("its extras do not end")
		}
		if n.extras, err = pyExtras(list); err != nil {
			return n, err
		}
		rest = strings.TrimSpace(after)
	}
	marker := ""
	if address, is := strings.CutPrefix(rest, "@"); is {
		n.from, marker, _ = strings.Cut(strings.TrimSpace(address), " ;") // an address may hold a ";"
		if n.from == "" {
			return n, errors.New("it has no address")
		}
	} else {
		rest, marker, _ = strings.Cut(rest, ";")
		rest = strings.TrimSpace(rest)
		if inner, is := strings.CutPrefix(rest, "("); is {
			if rest, is = strings.CutSuffix(inner, ")"); !is {
				return n, errors.New("a bracket does not end")
			}
		}
		n.text = strings.TrimSpace(rest)
		n.spec, err = parsePySpec(n.text)
	}
	if marker = strings.TrimSpace(marker); marker != "" {
		m, wrong := parsePyMarker(marker)
		if wrong != nil {
			return n, fmt.Errorf("when it is needed cannot be read: %w", wrong)
		}
		n.marker = m
	}
	return n, err
}

func pyExtras(list string) (out []string, err error) {
	for e := range strings.SplitSeq(list, ",") {
		if e = strings.TrimSpace(e); e == "" {
			continue
		}
		e, ok := pyName(e)
		if !ok {
			return nil, errors.New("an extra has no name")
		}
		out = append(out, e)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
}

// pyName normalises the name of a project or an extra (PEP 503, PEP 685); ok is
// false for what is none.
func pyName(s string) (string, bool) {
	if s == "" || len(s) > maxPyVersion || strings.ContainsFunc(s, func(r rune) bool { return !nameRune(r) }) {
		return "", false
	}
	parts := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	first, last := s[0], s[len(s)-1]
	return strings.Join(parts, "-"), len(parts) > 0 && strings.IndexByte("-_.", first) < 0 && strings.IndexByte("-_.", last) < 0
}

// pyMarker says whether something is needed in an environment, for an extra; ""
// is for no extra.
type pyMarker func(env pyEnv, extra string) bool

// maxPyDepth bounds how deep the brackets of a marker may be.
const maxPyDepth = 50

// parsePyMarker reads a marker: comparisons with "and", "or" and brackets.
func parsePyMarker(s string) (pyMarker, error) {
	p := &markerText{rest: s}
	m, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, errors.New("something follows it")
	}
	return m, nil
}

type markerText struct{ rest string }

func (p *markerText) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// word takes a word that no letter follows.
func (p *markerText) word(w string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, w)
	if !ok || rest != "" && (nameRune(rune(rest[0]))) {
		return false
	}
	p.rest = rest
	return true
}

func (p *markerText) or(depth int) (pyMarker, error)  { return p.chain("or", depth) }
func (p *markerText) and(depth int) (pyMarker, error) { return p.chain("and", depth) }

// chain reads operands between which one word stands.
func (p *markerText) chain(word string, depth int) (pyMarker, error) {
	next := p.and
	if word == "and" {
		next = p.one
	}
	first, err := next(depth)
	if err != nil || !p.word(word) {
		return first, err
	}
	all := []pyMarker{first}
	for {
		m, err := next(depth)
		if err != nil {
			return nil, err
		}
		if all = append(all, m); !p.word(word) {
			break
		}
	}
	if word == "and" {
		return func(env pyEnv, extra string) bool {
			return !slices.ContainsFunc(all, func(m pyMarker) bool { return !m(env, extra) })
		}, nil
	}
	return func(env pyEnv, extra string) bool {
		return slices.ContainsFunc(all, func(m pyMarker) bool { return m(env, extra) })
	}, nil
}

// one reads a comparison, or what stands in brackets.
func (p *markerText) one(depth int) (pyMarker, error) {
	p.space()
	if rest, ok := strings.CutPrefix(p.rest, "("); ok {
		if depth >= maxPyDepth {
			return nil, errors.New("its brackets are too deep")
		}
		p.rest = rest
		m, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.space(); !strings.HasPrefix(p.rest, ")") {
			return nil, errors.New("a bracket does not end")
		}
		p.rest = p.rest[1:]
		return m, nil
	}
	left, err := p.value()
	if err != nil {
		return nil, err
	}
	op, err := p.operator()
	if err != nil {
		return nil, err
	}
	right, err := p.value()
	if err != nil {
		return nil, err
	}
	return comparison(left, op, right)
}

// markerValue is a variable or a text.
type markerValue struct {
	variable bool
	text     string
}

func (p *markerText) value() (v markerValue, err error) {
	p.space()
	if p.rest != "" && (p.rest[0] == '"' || p.rest[0] == '\'') {
		end := strings.IndexByte(p.rest[1:], p.rest[0])
		if end < 0 {
			return v, errors.New("a text does not end")
		}
		v.text, p.rest = p.rest[1:1+end], p.rest[end+2:]
		return v, nil
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool { return !nameRune(r) })
	if end < 0 {
		end = len(p.rest)
	}
	v.variable, v.text = true, p.rest[:end]
	if old, ok := oldMarkers[v.text]; ok {
		v.text = old
	}
	p.rest = p.rest[end:]
	if _, known := (pyEnv{}).variable(v.text); !known && v.text != "extra" {
		return v, errors.New("it names a variable that there is not")
	}
	return v, nil
}

// oldMarkers are the names that markers had before PEP 508.
var oldMarkers = map[string]string{
	"os.name": "os_name", "sys.platform": "sys_platform", "platform.version": "platform_version", "platform.machine": "platform_machine",
	"platform.python_implementation": "platform_python_implementation", "python_implementation": "platform_python_implementation",
}

func (p *markerText) operator() (string, error) {
	if p.word("not") {
		if p.word("in") {
			return "not in", nil
		}
		return "", errors.New("it has no operator")
	}
	if p.word("in") {
		return "in", nil
	}
	for _, op := range pyOperators {
		if rest, ok := strings.CutPrefix(p.rest, op); ok {
			p.rest = rest
			return op, nil
		}
	}
	return "", errors.New("it has no operator")
}

// comparison compares as versions where one side is a version variable and the
// other can be one, else as texts. What is compared with a variable that nobody
// knows beforehand, the release of a kernel, is needed.
func comparison(left markerValue, op string, right markerValue) (pyMarker, error) {
	if left.variable && left.text == "extra" || right.variable && right.text == "extra" {
		if op != "==" && op != "!=" || left.variable == right.variable {
			return nil, errors.New("an extra is compared otherwise than for being the same")
		}
		wanted := left.text
		if left.variable {
			wanted = right.text
		}
		wanted, ok := pyName(wanted)
		if !ok {
			return nil, errors.New("an extra has no name")
		}
		return func(_ pyEnv, extra string) bool { return (extra == wanted) == (op == "==") }, nil
	}
	var spec pySpec
	versions := isVersionVariable(left) && !right.variable && op != "in" && op != "not in"
	if versions {
		c, err := parsePyClause(op + right.text)
		if err != nil && op == "~=" {
			return nil, err
		}
		versions, spec = err == nil, pySpec{c}
	}
	if !versions && !left.variable && isVersionVariable(right) { // "3.8" <= python_version
		if turned, ok := map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}[op]; ok {
			return comparison(right, turned, left)
		}
	}
	if op == "~=" && !versions {
		return nil, errors.New("~= compares no versions")
	}
	return func(env pyEnv, _ string) bool {
		l, knownL := left.in(env)
		r, knownR := right.in(env)
		if !knownL || !knownR {
			return true
		}
		if versions {
			v, ok := parsePyVersion(l)
			return ok && spec.has(l, v)
		}
		return compareTexts(l, op, r)
	}, nil
}

func isVersionVariable(v markerValue) bool {
	return v.variable && slices.Contains([]string{"python_version", "python_full_version", "implementation_version"}, v.text)
}

func (v markerValue) in(env pyEnv) (text string, known bool) {
	if !v.variable {
		return v.text, true
	}
	text, _ = env.variable(v.text)
	return text, text != ""
}

func compareTexts(l, op, r string) bool {
	switch op {
	case "==", "===":
		return l == r
	case "!=":
		return l != r
	case "<":
		return l < r
	case "<=":
		return l <= r
	case ">":
		return l > r
	case ">=":
		return l >= r
	case "in":
		return strings.Contains(r, l)
	}
	return !strings.Contains(r, l) // not in
}
