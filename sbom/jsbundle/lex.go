package jsbundle

import (
	"bytes"
	"fmt"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// Kind tells what a Token is.
type Kind uint8

// The kinds of token. Blanks are none.
const (
	Punct    Kind = iota // operators and brackets
	Name                 // identifiers and keywords
	Number               // numeric literals
	String               // '...', "...", and `...` without substitutions
	Template             // a part of a template with substitutions
	Regexp               // regular expressions
	Comment              // with the marks around them
)

// Token is one token of a script. Lex uses one Token for all of them: what is
// to be kept of it must be copied, Text too.
type Token struct {
	Kind   Kind
	Text   []byte // as written
	Offset int64  // of Text in the script, in bytes; in a string that is given to eval: of that string
	Prev   byte   // last byte of the token before, comments aside; 0 at the start
	Depth  int    // brackets that are open around it, of all kinds; an opening bracket is inside itself
	Alone  bool   // of a Comment: nothing else is on its lines
	Eval   bool   // it lies in a string that is given to eval

	after []byte // what follows Text
}

// Next returns the first byte after the token that is no blank, 0 at the end.
func (t *Token) Next() byte {
	for _, c := range t.after {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
	}
	return 0
}

// Key reports whether the token is the key of a property or of a method of an
// object: {"key": 1, key() {}, 12: x}.
func (t *Token) Key() bool {
	if t.Prev != '{' && t.Prev != ',' || t.Kind != String && t.Kind != Name && t.Kind != Number {
		return false
	}
	next := t.Next()
	return next == ':' || next == '('
}

// Value returns the value of a String; of any other token its text.
func (t *Token) Value() string {
	if t.Kind != String || len(t.Text) < 2 {
		return string(t.Text)
	}
	return string(unquote(nil, t.Text[1:len(t.Text)-1]))
}

// LexError says where the lexer lost the thread. What was found before and
// after it stands, but something may be missing.
type LexError struct {
	Offset int64 // in bytes
	Reason string
}

func (e *LexError) Error() string { return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset) }

// Bounds of Lex. The library describes each error with a copy of the line it is
// in, so both the lines and the errors are bounded.
const (
	maxLine      = 16 << 20 // bytes of one line; a longer one ends the script
	maxLexErrors = 4
)

// Lex splits a script into tokens and calls visit for each, in order. A string
// that is given to eval is followed by the tokens of its value, since webpack's
// default for development hides every module in one. The error is a *LexError
// for the first place that is no JavaScript; nil means that the whole script was
// read. Time and memory are linear in the length of src on any input.
func Lex(src []byte, visit func(*Token)) error {
	l := &lexing{visit: visit}
	l.run(src, 0, false)
	if l.first != nil {
		return l.first
	}
	return nil
}

// lexing is the state of one Lex.
type lexing struct {
	visit  func(*Token)
	first  *LexError
	errors int
	tok    Token
	value  []byte // of the eval string that is being read
}

// scope is a kind of bracket, for telling a regular expression from a division
// where it closes, and to know what eval is given.
type scope byte

const (
	plain   scope = iota // ( and [ of an expression
	control              // ( of if, while, for and with: an expression follows its )
	block                // { of statements: likewise
	object               // { of an object: an operator follows its }
	subst                // ${ in a template
	eval                 // ( of a call of eval
)

// run reads one script: the file, or the value of a string at offset that is
// given to eval.
func (l *lexing) run(src []byte, offset int64, inEval bool) {
	if at := longLine(src); at >= 0 {
		l.fail(int64(at), fmt.Sprintf("a line of more than %d bytes", maxLine))
		src = src[:at]
	}
	in := parse.NewInputBytes(src[:len(src):len(src)]) // it writes behind the end of what has room for that
	s := &state{in: in, lexer: js.NewLexer(in), src: src, retry: len(src), lineStart: true}
	if bytes.HasPrefix(src, []byte("#!")) {
		in.Move(max(bytes.IndexByte(src, '\n'), 0))
		in.Skip()
	}
	for l.errors < maxLexErrors && in.Offset() < len(src) { // behind an error at the end the library reads on
		start := in.Offset()
		tt, text := s.next()
		if tt == js.ErrorToken {
			in.Skip()
			at := int64(start)
			if inEval {
				at = offset
			}
			l.fail(at, "text that is no JavaScript")
			l.errors++
			s.operand, s.prev = false, 0
			continue
		}
		at := int64(in.Offset() - len(text))
		if inEval {
			at = offset
		}
		l.token(s, tt, text, at, inEval)
	}
}

// fail keeps the first error.
func (l *lexing) fail(at int64, reason string) {
	if l.first == nil {
		l.first = &LexError{at, reason}
	}
}

// token passes one token on and follows the brackets.
func (l *lexing) token(s *state, tt js.TokenType, text []byte, at int64, inEval bool) {
	switch tt {
	case js.WhitespaceToken:
		return
	case js.LineTerminatorToken:
		s.lineStart = true
		return
	}
	t := &l.tok
	*t = Token{Text: text, Offset: at, Prev: s.prev, Eval: inEval, after: s.src[s.in.Offset():]}
	if tt == js.CommentToken || tt == js.CommentLineTerminatorToken {
		t.Kind, t.Depth = Comment, len(s.open)
		t.Alone = s.lineStart && lineEnds(t.after)
		s.lineStart = false
		l.visit(t)
		return
	}
	given := tt == js.StringToken && s.prev == '(' && s.top() == eval && !inEval
	t.Kind = s.step(tt, text)
	t.Depth = len(s.open)
	s.lineStart = false
	s.prev = text[len(text)-1]
	l.visit(t)
	if given {
		l.value = unquote(l.value[:0], text[1:len(text)-1])
		l.run(l.value, at, true)
	}
}

// longLine returns where the first line of more than maxLine bytes starts, -1
// when there is none.
func longLine(src []byte) int {
	for at := 0; len(src)-at > maxLine; {
		n := bytes.IndexByte(src[at:], '\n')
		if n < 0 || n > maxLine {
			return at
		}
		at += n + 1
	}
	return -1
}

// lineEnds reports whether only blanks are left of the line.
func lineEnds(rest []byte) bool {
	for _, c := range rest {
		switch c {
		case ' ', '\t', '\r':
		default:
			return c == '\n'
		}
	}
	return true
}

// state is where the lexer is in one script.
type state struct {
	in    *parse.Input
	lexer *js.Lexer
	src   []byte
	open  []scope
	retry int // bytes that may still be looked through for the end of a regular expression that has none

	prev      byte // last byte of the last token
	word      js.TokenType
	evals     bool // the last token is "eval"
	trusts    bool // the last token is "ts", by which webpack makes a trusted script of a string
	dotted    bool // the last token is a name behind a dot
	operand   bool // the last token ends an operand: a slash divides
	lineStart bool // only blanks since the start of the line
}

func (s *state) top() scope {
	if len(s.open) == 0 {
		return block
	}
	return s.open[len(s.open)-1]
}

// next returns the next token. It decides whether a slash starts a regular
// expression, which only what stands before it tells, and spares the library
// what it would refuse although engines do not.
func (s *state) next() (js.TokenType, []byte) {
	at := s.in.Offset()
	if at+1 >= len(s.src) {
		return s.lexer.Next()
	}
	switch c, d := s.src[at], s.src[at+1]; {
	case c == '0' && digit(d): // an octal number of old
		n := 1
		for at+n < len(s.src) && digit(s.src[at+n]) {
			n++
		}
		s.in.Move(n)
		return js.IntegerToken, s.in.Shift()
	case c == '/' && d != '/' && d != '*' && !s.operand && s.regexpEnds(at+1):
		tt, text := s.lexer.Next()
		if tt == js.DivToken || tt == js.DivEqToken {
			return s.lexer.RegExp()
		}
		return tt, text
	}
	return s.lexer.Next()
}

// regexpEnds reports whether a regular expression whose text starts at i ends
// before its line does. A slash without an end is a division that was misread:
// the look costs what it went through, of a budget that is as long as the script.
func (s *state) regexpEnds(i int) bool {
	class := false
	for from := i; i < len(s.src) && i-from < s.retry; i++ {
		switch c := s.src[i]; {
		case c == '\\':
			i++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			return true
		case c == '\n' || c == '\r':
			s.retry -= i - from
			return false
		}
	}
	s.retry = 0
	return false
}

// step follows the brackets and returns the kind of a token that is neither
// blank nor comment.
func (s *state) step(tt js.TokenType, text []byte) Kind {
	word, evals, trusts, dotted := s.word, s.evals, s.trusts, s.dotted
	s.word, s.evals, s.trusts, s.dotted = tt, false, false, false
	switch tt {
	case js.StringToken, js.TemplateToken:
		s.operand = true
		return String
	case js.TemplateStartToken:
		s.open = append(s.open, subst)
		s.operand = false
		return Template
	case js.TemplateMiddleToken:
		s.operand = false
		return Template
	case js.TemplateEndToken:
		s.pop()
		s.operand = true
		return Template
	case js.RegExpToken:
		s.operand = true
		return Regexp
	case js.OpenParenToken:
		kind := plain
		switch {
		case !dotted && (word == js.IfToken || word == js.WhileToken || word == js.ForToken || word == js.WithToken || word == js.AwaitToken):
			kind = control
		case evals || trusts && s.top() == eval:
			kind = eval
		}
		s.open = append(s.open, kind)
		s.operand = false
		return Punct
	case js.OpenBracketToken:
		s.open = append(s.open, plain)
		s.operand = false
		return Punct
	case js.OpenBraceToken:
		s.open = append(s.open, s.brace(word))
		s.operand = false
		return Punct
	case js.CloseParenToken:
		s.operand = s.pop() != control
		return Punct
	case js.CloseBracketToken:
		s.pop()
		s.operand = true
		return Punct
	case js.CloseBraceToken:
		s.operand = s.pop() == object
		return Punct
	case js.IncrToken, js.DecrToken:
		return Punct // behind an operand or before one: as it was
	}
	switch {
	case js.IsNumeric(tt):
		s.operand = true
		return Number
	case js.IsIdentifierName(tt) || tt == js.PrivateIdentifierToken:
		s.dotted = word == js.DotToken || word == js.OptChainToken
		s.operand = s.dotted || !operator(tt)
		s.evals, s.trusts = string(text) == "eval", string(text) == "ts"
		return Name
	}
	s.operand = false
	return Punct
}

func (s *state) pop() scope {
	kind := s.top()
	s.open = s.open[:max(len(s.open)-1, 0)]
	return kind
}

// brace tells what a { opens, by the token before it.
func (s *state) brace(word js.TokenType) scope {
	switch word {
	case js.CloseParenToken, js.ArrowToken, js.SemicolonToken, js.OpenBraceToken, js.CloseBraceToken, js.CloseBracketToken, js.ErrorToken:
		return block
	case js.ColonToken: // of a property, or of a label or case
		if s.top() == object {
			return object
		}
		return block
	}
	if js.IsIdentifierName(word) && (s.operand || !operator(word) || word == js.DoToken || word == js.ElseToken) {
		return block // of a class, else, try
	}
	return object
}

// operator reports whether an operand follows a keyword.
func operator(tt js.TokenType) bool {
	switch tt {
	case js.ReturnToken, js.TypeofToken, js.CaseToken, js.DoToken, js.ElseToken, js.InToken, js.InstanceofToken, js.NewToken,
		js.VoidToken, js.DeleteToken, js.ThrowToken, js.AwaitToken, js.YieldToken, js.ExtendsToken, js.DefaultToken, js.ExportToken:
		return true
	}
	return false
}
