package jsbundle

import (
	"bytes"
	"strings"
)

// What the text between modules may be, in bytes unless said otherwise.
const (
	maxGlue     = 256      // around a module
	maxEnd      = 8        // the brackets behind the last one, in tokens
	maxEpilogue = 4 << 10  // rolldown's exports, behind the last region
	maxRuntime  = 64 << 10 // webpack's, whose every line starts with runtimeLine
)

// runtimeLine starts each line that webpack's and ncc's runtime has when it is
// not minified.
const runtimeLine = "/******/"

// marker collects what bundlers write where a module starts: comments that name
// its file, and keys of a table of modules. Each mark holds until the bracket
// that it stands in is closed, or until the next one there.
//
// A comment or key of somebody's own that looks like a mark adds a name and
// takes bytes from whom it stands in; it removes no name.
type marker struct {
	src      []byte
	out      ownership
	tokens   tokenStarts
	calls    tokenStarts // of opening parentheses
	comments []stretch

	open  []started
	level int // depth of esbuild's comments, -1 before the first

	evals ownership // what eval strings say about themselves
}

// started is a module whose bracket is still open.
type started struct {
	depth int
	who   int
	style markStyle
}

type markStyle uint8

const (
	noMark      markStyle = iota
	rowStyle              // // path, alone on its line: esbuild, bun
	regionStyle           // //#region path: rolldown
	bannerStyle           // webpack: /*!*** !*** path ***! ***/ and ;// path
	tableStyle            // "./path": of webpack and its relatives
	wrapStyle             // "path"( of esbuild
)

func newMarker(src []byte) *marker {
	return &marker{src: src, tokens: newTokenStarts(len(src)), calls: newTokenStarts(len(src)), level: -1}
}

// token looks at one token of the bundle.
func (m *marker) token(t *Token) {
	if t.Eval {
		if t.Kind == Comment {
			m.sourceURL(t)
		}
		return
	}
	if t.Kind == Comment {
		m.comments = append(m.comments, stretch{t.Offset, t.Offset + int64(len(t.Text))})
	} else {
		m.tokens.set(t.Offset)
		if t.Text[0] == '(' {
			m.calls.set(t.Offset)
		}
	}
	for n := len(m.open); n > 0 && t.Depth < m.open[n-1].depth; n = len(m.open) {
		m.turn(t.Offset)
		m.open = m.open[:n-1]
	}
	switch t.Kind {
	case Comment:
		m.comment(t)
	case String:
		if t.Key() {
			m.key(t)
		}
	case Name, Number:
		if n := len(m.open); n > 0 && m.open[n-1].style == tableStyle && t.Depth == m.open[n-1].depth && t.Key() {
			m.start(t, SpanUnknown, tableStyle) // a module without a path in the same table
		}
	}
}

// turn ends the stretch of the module that is open.
func (m *marker) turn(at int64) {
	from := int64(0)
	if n := len(m.out.list); n > 0 {
		from = m.out.list[n-1].end
	}
	if n := len(m.open); n > 0 && (m.open[n-1].who != SpanUnknown || at-from > maxGlue) {
		m.out.to(at, m.open[n-1].who)
		return
	}
	m.out.to(at, m.between(from, at))
}

// between says whose the bytes outside of all modules are.
func (m *marker) between(from, to int64) int {
	n := to - from
	switch {
	case n <= maxGlue, m.tokens.count(from, to) <= maxEnd,
		from == 0 && n <= maxHelpers,
		m.out.style == regionStyle && n <= maxEpilogue,
		n <= maxRuntime && bytes.Contains(m.src[from:to], []byte("\n"+runtimeLine)):
		return SpanBundler
	}
	return SpanUnknown
}

// start opens a module at a token.
func (m *marker) start(t *Token, who int, style markStyle) {
	m.turn(t.Offset)
	if n := len(m.open); n > 0 && m.open[n-1].depth == t.Depth {
		m.open = m.open[:n-1]
	}
	m.open = append(m.open, started{t.Depth, who, style})
	m.out.cut(t.Offset)
	m.out.style = style
}

// end closes what is left at the end of the code.
func (m *marker) end(at int64) {
	m.turn(at)
	m.open = nil
}

func (m *marker) comment(t *Token) {
	text, style := commentMark(m.src, t)
	switch style {
	case noMark:
		return
	case rowStyle:
		if m.level >= 0 && t.Depth != m.level || t.Depth > 2 { // in (() => { of a script for browsers
			return
		}
	case regionStyle:
		if text == "" { // //#endregion
			if n := len(m.open); n > 0 && m.open[n-1].depth == t.Depth {
				m.turn(t.Offset)
				m.open = m.open[:n-1]
			}
			return
		}
	}
	from := parseModule(text)
	if from.whose == nobodys {
		return
	}
	if style == rowStyle {
		m.level = t.Depth
	}
	m.start(t, m.out.of(from, MethodComment, t.Offset), style)
}

// commentMark returns the path that a comment names if it is one that a bundler
// writes in front of a module.
func commentMark(src []byte, t *Token) (string, markStyle) {
	text := string(t.Text[:min(len(t.Text), 2*maxModulePath)])
	if rest, ok := strings.CutPrefix(text, "/*!*"); ok && t.Alone {
		_, rest, _ = strings.Cut(rest, "\n")
		rest = strings.TrimLeft(rest, " \t")
		if rest, ok = strings.CutPrefix(rest, "!*** "); ok {
			if path, _, ok := strings.Cut(rest, " ***!"); ok {
				return path, bannerStyle
			}
		}
		return "", noMark
	}
	rest, ok := strings.CutPrefix(text, "//")
	if !ok {
		return "", noMark
	}
	if path, ok := strings.CutPrefix(rest, "#region "); ok && t.Alone {
		return strings.TrimSpace(path), regionStyle
	}
	if strings.HasPrefix(rest, "#endregion") && t.Alone {
		return "", regionStyle
	}
	path, ok := strings.CutPrefix(rest, " ")
	if !ok {
		return "", noMark
	}
	path = strings.TrimRight(path, " \t\r")
	if joined(src, t.Offset) {
		return strings.TrimPrefix(path, "CONCATENATED MODULE: "), bannerStyle
	}
	if !t.Alone || strings.ContainsAny(path, "'\"`(){};,<>=") && !strings.Contains(path, packageFolder) || strings.ContainsAny(path, " \t") && !strings.Contains(path, "/") {
		return "", noMark
	}
	return strings.TrimPrefix(path, "CONCATENATED MODULE: "), rowStyle
}

// joined reports whether a comment is webpack's, in front of a module that it
// joined with others: ";// path" at the start of a line.
func joined(src []byte, at int64) bool {
	return at > 0 && src[at-1] == ';' && (at == 1 || src[at-2] == '\n')
}

// key looks at the key of a property: of a table of modules it is a path.
func (m *marker) key(t *Token) {
	if len(t.Text) > maxModulePath {
		return
	}
	style := tableStyle
	if t.Next() == '(' {
		style = wrapStyle
	} else if !codeFollows(t.after) {
		return
	}
	value := t.Value()
	n := len(m.open)
	inTable := n > 0 && m.open[n-1].style == style && m.open[n-1].depth == t.Depth
	from := parseModule(value)
	switch {
	case from.whose == packages:
	case from.whose == own && (inTable || strings.HasPrefix(value, "./") || strings.HasPrefix(value, "../") || style == wrapStyle && strings.Contains(value, "/")):
	case inTable:
		m.start(t, SpanUnknown, style) // what webpack leaves outside has a banner that says so
		return
	default:
		return
	}
	if style == wrapStyle && n > 0 && m.open[n-1].style == rowStyle {
		// esbuild's comment in front of the wrapper says the same
		if from.whose == packages {
			m.out.of(from, MethodKey, t.Offset)
		}
		return
	}
	m.start(t, m.out.of(from, MethodKey, t.Offset), style)
}

// codeFollows reports whether what a colon gives to a key may be a function, and
// is no string, number, list or object.
func codeFollows(after []byte) bool {
	_, after, _ = bytes.Cut(after[:min(len(after), maxGlue)], []byte(":"))
	after = bytes.TrimLeft(after, " \t\r\n")
	return len(after) > 0 && (identifier(after[0]) && !digit(after[0]) || after[0] == '(' || after[0] == '/')
}

// sourceURL reads the comment by which webpack tells debuggers what an eval
// string was made from.
func (m *marker) sourceURL(t *Token) {
	text, ok := bytes.CutPrefix(t.Text, []byte("//# sourceURL="))
	if !ok || len(text) > maxModulePath {
		return
	}
	if from := parseModule(string(bytes.TrimSpace(text))); from.whose == packages {
		m.evals.of(from, MethodComment, t.Offset)
	}
}
