package reach

import (
	"net/url"
	"strings"
)

// Symbol is a function or method as advisories name it: "Parse", "Decoder.Decode".
type Symbol struct {
	Pkg  string `json:"pkg,omitempty"` // import path
	Name string `json:"name,omitempty"`
}

// String is the import path, a dot and the name.
func (s Symbol) String() string { return s.Pkg + "." + s.Name }

// function is one name of the linker's table taken apart. Examples, with what
// the toolchain made of them (cmd/compile/internal/ir, closureName and
// method symbols; go1.16 to go1.26):
//
//	golang.org/x/net/html.Parse                   pkg, [Parse]
//	gopkg.in/yaml%2ev2.(*parser).peek             dots of the last element are escaped
//	encoding/json.(*Decoder).Decode.func1         a closure
//	slices.SortFunc[go.shape.int]                 an instance of a generic function
//	main.run.Parse.func1                          a closure of Parse, which was inlined into run
//	net.(*Resolver).lookupIP-fm                   a method value
type function struct {
	pkg    string
	tokens []string // the rest at its dots, without type arguments, pointers, and what the compiler appends
	method bool     // the first token is a receiver, by its parentheses
}

// kind classifies a name of the table.
type kind int

const (
	kindFunction kind = iota // function is filled
	kindCompiler             // made by the compiler or linker for no package: type:.eq.T, go:struct{...}.Method
	kindBare                 // assembly without a package: memeqbody, _rt0_amd64_linux
	kindBroken               // what no toolchain writes
)

// maxSymbol bounds one name in bytes; instances of generic code reach 8 KB.
const maxSymbol = 64 << 10

func parseName(s string) (function, kind) {
	if s == "" || len(s) > maxSymbol {
		return function{}, kindBroken
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return function{}, kindBroken
		}
	}
	for _, p := range []string{"type:", "type..", "go:", "go.(", "go.struct {", "go.interface {", "go.shape.", "struct {", "interface {", "(*struct {"} {
		if strings.HasPrefix(s, p) {
			return function{}, kindCompiler
		}
	}
	plain, ok := withoutArguments(s)
	if !ok {
		return function{}, kindBroken
	}
	slash := strings.LastIndexByte(plain, '/')
	dot := strings.IndexByte(plain[slash+1:], '.')
	if dot < 0 {
		if slash >= 0 {
			return function{}, kindBroken
		}
		return function{}, kindBare
	}
	dot += slash + 1
	pkg, err := url.PathUnescape(plain[:dot])
	if err != nil || pkg == "" {
		return function{}, kindBroken
	}
	if again, err := url.PathUnescape(pkg); err == nil {
		pkg = again // yaml%252ev2: Go 1.27 escapes the package of an inlined closure twice
	}
	f := function{pkg: pkg}
	rest := plain[dot+1:]
	f.method = strings.HasPrefix(rest, "(*")
	if strings.IndexByte(rest, '(') >= 0 || strings.IndexByte(rest, ')') >= 0 {
		rest = withoutParentheses(rest)
	}
	for t := range strings.SplitSeq(rest, ".") {
		if i := strings.IndexAny(t, "-·#"); i >= 0 { // -fm, -range1, T·1, F·dwrap·1
			t = t[:i]
		}
		f.tokens = append(f.tokens, t)
	}
	if slash < 0 && f.tokens[0] != "" && (len(f.tokens) == 1 && generated(f.tokens[0]) || partOfC(f.tokens)) {
		return function{}, kindBare // x_cgo_munmap.abi0
	}
	return f, kindFunction
}

// withoutParentheses drops "(*", "(" and ")".
func withoutParentheses(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '*' && i > 0 && s[i-1] == '(', c == '(', c == ')':
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// withoutArguments drops the type arguments, which may hold other packages'
// names. It is false when the brackets do not match.
func withoutArguments(s string) (string, bool) {
	if strings.IndexByte(s, '[') < 0 {
		return s, strings.IndexByte(s, ']') < 0
	}
	var b strings.Builder
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[':
			depth++
		case ']':
			if depth--; depth < 0 {
				return "", false
			}
		default:
			if depth == 0 {
				b.WriteByte(s[i])
			}
		}
	}
	return b.String(), depth == 0
}

// generated says whether a token is one that the compiler appends: closures,
// wrappers of go and defer statements, numbered init functions, other ABIs.
func generated(t string) bool {
	switch t {
	case "", "abi0", "abiinternal", "stkobj", "argsize", "opendefer":
		return true
	}
	for _, p := range []string{"func", "gowrap", "deferwrap", "dwrap", "range", ""} {
		if n, ok := strings.CutPrefix(t, p); ok && n != "" && strings.Trim(n, "0123456789") == "" {
			return true
		}
	}
	return false
}

// partOfC says whether tokens are what C compilers append to the names of parts
// of functions: x_cgo_munmap.cold, f.part.0, f.constprop.0.isra.0. A Go
// function of that name in a package without a slash has no closures.
func partOfC(tokens []string) bool {
	for _, t := range tokens {
		switch t {
		case "cold", "part", "isra", "constprop", "lto_priv":
		default:
			if strings.Trim(t, "0123456789") != "" {
				return false
			}
		}
	}
	return true
}

// symbols returns the advisories' names of f. A closure counts as its
// function: "F.func1" is code of F. "F.G.func1" is code of a method, or of a
// function F into which G was inlined, and counts as both.
func (f function) symbols() []Symbol {
	var out []Symbol
	if len(f.tokens) > 1 && (f.method || !generated(f.tokens[1])) {
		out = append(out, Symbol{f.pkg, f.tokens[0] + "." + f.tokens[1]})
	}
	if head, _ := f.closure(); len(f.tokens) == 1 || head != nil && !f.method {
		out = append(out, Symbol{f.pkg, f.tokens[0]})
	}
	return out
}

// closure returns the tokens before the first one that the compiler appended;
// nil for what is no closure.
func (f function) closure() (head, tail []string) {
	for i, t := range f.tokens {
		if i > 0 && generated(t) {
			return f.tokens[:i], f.tokens[i:]
		}
	}
	return nil, nil
}

// names gathers the functions of a binary.
type names struct {
	symbols  map[Symbol]bool
	direct   map[Symbol]bool // of symbols, those that are more than a closure
	packages map[string]bool // that have a function
	inlined  map[string]bool // names of functions, of an unknown package, whose closures are there
	bare     int
	broken   string // the first name that no toolchain writes
	closures []function
}

func newNames() *names {
	return &names{symbols: map[Symbol]bool{}, direct: map[Symbol]bool{}, packages: map[string]bool{}, inlined: map[string]bool{}}
}

func (n *names) add(s string) {
	f, k := parseName(s)
	switch k {
	case kindBroken:
		if n.broken == "" {
			n.broken = s
			if s == "" {
				n.broken = "(empty)"
			}
		}
	case kindBare:
		n.bare++
	case kindFunction:
		if f.pkg == "_" { // _.goready.func1: a closure of an inlined function, in a variable without a name (Go 1.27)
			n.around(f.tokens)
			return
		}
		n.packages[f.pkg] = true
		head, tail := f.closure()
		for _, sym := range f.symbols() {
			n.symbols[sym] = true
			if head == nil {
				n.direct[sym] = true
			}
		}
		if len(head) > 1 || len(tail) > 1 {
			n.closures = append(n.closures, f)
		}
	}
}

// settle works out what closures say about functions that were inlined: the
// name of a closure lists the inlined functions around it, without their
// packages. It needs all names: "T.M.func1" is a closure of the method T.M if
// there is one, else of M, which was inlined into T.
func (n *names) settle() {
	for _, f := range n.closures {
		head, tail := f.closure()
		own := 1
		if len(head) > 1 && (f.method || n.direct[Symbol{f.pkg, head[0] + "." + head[1]}]) {
			own = 2
		}
		n.around(head[own:])
		n.around(tail)
	}
	n.closures, n.direct = nil, nil
}

// around notes the functions that a closure's name says it stands in.
func (n *names) around(tokens []string) {
	for i, t := range tokens {
		if generated(t) {
			continue
		}
		n.inlined[t] = true
		if i+1 < len(tokens) && !generated(tokens[i+1]) {
			n.inlined[t+"."+tokens[i+1]] = true
		}
	}
}
