package jsbundle

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// tokens lists the tokens of a script, one word each.
func tokens(src string) (string, error) {
	var out []string
	err := Lex([]byte(src), func(t *Token) {
		word := "pnfstrc"[t.Kind : t.Kind+1]
		switch t.Kind {
		case Number:
			word = "#"
		case String:
			word = "s"
		}
		switch {
		case t.Key():
			word = "k"
		case t.Alone:
			word = "C"
		}
		if t.Eval {
			word = "e" + word
		}
		out = append(out, word+":"+string(t.Text))
	})
	return strings.Join(out, " "), err
}

func TestLex(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"a=1", "n:a p:= #:1"},
		{"a = b / c / d", "n:a p:= n:b p:/ n:c p:/ n:d"},
		{"x=/a'[/]/g.y", "n:x p:= r:/a'[/]/g p:. n:y"},
		{"if(x)/'/.z", "n:if p:( n:x p:) r:/'/ p:. n:z"},
		{"(x)/2/'a'", "p:( n:x p:) p:/ #:2 p:/ s:'a'"},
		{"a[0]/2", "n:a p:[ #:0 p:] p:/ #:2"},
		{"{}/'/", "p:{ p:} r:/'/"},
		{"x={}/'/'", "n:x p:= p:{ p:} p:/ s:'/'"},
		{"return/'/", "n:return r:/'/"},
		{"a.return/2", "n:a p:. n:return p:/ #:2"},
		{"a.if(x)/2", "n:a p:. n:if p:( n:x p:) p:/ #:2"},
		{"i++/2", "n:i p:++ p:/ #:2"},
		{"`a`/2", "s:`a` p:/ #:2"},
		{"`a${b}c${`d`}e`", "t:`a${ n:b t:}c${ s:`d` t:}e`"},
		{"`${{a:1}}`", "t:`${ p:{ k:a p:: #:1 p:} t:}`"},
		{"({\"a/b\"(x){},'c':1, d:2, 3:4})", "p:( p:{ k:\"a/b\" p:( n:x p:) p:{ p:} p:, k:'c' p:: #:1 p:, k:d p:: #:2 p:, k:3 p:: #:4 p:} p:)"},
		{"a?\"b\":c", "n:a p:? s:\"b\" p:: n:c"},
		{"\n// one\n /* two\n three */ \nx // four\n/* five */ y", "C:// one C:/* two\n three */ n:x c:// four c:/* five */ n:y"},
		{"#!/usr/bin/env node\na", "n:a"},
		{"f(0755, 3e2)", "n:f p:( #:0755 p:, #:3e2 p:)"},
		{"eval('a(\"b\")\\n// c')", "n:eval p:( s:'a(\"b\")\\n// c' en:a ep:( es:\"b\" ep:) eC:// c p:)"},
		{"eval(__webpack_require__.ts(\"1\"))", "n:eval p:( n:__webpack_require__ p:. n:ts p:( s:\"1\" e#:1 p:) p:)"},
		{"eval(\"eval('x')\")", "n:eval p:( s:\"eval('x')\" en:eval ep:( es:'x' ep:) p:)"},
		{"a=>{}\n/x'/.test(b)", "n:a p:=> p:{ p:} r:/x'/ p:. n:test p:( n:b p:)"},
		{"class A extends B{}", "n:class n:A n:extends n:B p:{ p:}"},
		{"", ""},
	} {
		if got, err := tokens(tt.src); got != tt.want || err != nil {
			t.Errorf("%q:\n got %s\nwant %s\nerror %v", tt.src, got, tt.want, err)
		}
	}
}

func TestLexGoesOnAfterAnError(t *testing.T) {
	for _, tt := range []struct {
		src, want string
		at        int64
	}{
		{"a('x\n\"b\"", "n:a p:( s:\"b\"", 2},
		{"a /* b", "n:a", 2},
		{"a @ b", "n:a n:b", 2},
		{"`a", "", 0},
		{"x\n" + strings.Repeat("@", 20) + "y", "n:x", 2},
		{"eval('@') b", "n:eval p:( s:'@' p:) n:b", 5},
	} {
		got, err := tokens(tt.src)
		var e *LexError
		if got != tt.want || !errors.As(err, &e) || e.Offset != tt.at {
			t.Errorf("%q: got %q, want %q; error %v, want one at %d", tt.src, got, tt.want, err, tt.at)
		}
	}
	long := "a\n\"b\"\n" + strings.Repeat("x ", maxLine/2+1) + "\nc"
	if got, err := tokens(long); got != "n:a s:\"b\"" || err == nil {
		t.Errorf("long line: %d bytes of tokens, error %v", len(got), err)
	}
}

func TestTokenPlaces(t *testing.T) {
	src := "f({ 'a' : [1] }, `b`)"
	Lex([]byte(src), func(tok *Token) {
		if got := src[tok.Offset : tok.Offset+int64(len(tok.Text))]; got != string(tok.Text) {
			t.Errorf("at %d: %q, want %q", tok.Offset, got, tok.Text)
		}
		switch string(tok.Text) {
		case "'a'":
			if tok.Prev != '{' || tok.Next() != ':' || tok.Depth != 2 || tok.Value() != "a" {
				t.Errorf("'a': %+v", tok)
			}
		case "1":
			if tok.Depth != 3 {
				t.Errorf("1: depth %d, want 3", tok.Depth)
			}
		case "`b`":
			if tok.Depth != 1 || tok.Value() != "b" {
				t.Errorf("`b`: depth %d, value %q", tok.Depth, tok.Value())
			}
		}
	})
}

func TestUnquote(t *testing.T) {
	for src, want := range map[string]string{
		`plain`:                "plain",
		`a\nb\t\r\b\f\v\0`:     "a\nb\t\r\b\f\v\x00",
		`\'\"\\\/\q`:           `'"\/q`,
		"a\\\nb\\\r\nc":        "abc",
		`\x41\u0042\u{43}`:     "ABC",
		`\ud83d\ude00`:         "😀",
		`\ud83d`:               "\ufffd",
		`\xZZ\u12\u{}\u{zzzz`:  "xZZu12u{}u{zzzz",
		`\u{110000000000000}x`: "u{110000000000000}x",
		`\`:                    `\`,
	} {
		if got := string(unquote(nil, []byte(src))); got != want {
			t.Errorf("%q: got %q, want %q", src, got, want)
		}
	}
}

// TestLexIsLinear runs on lines that make lexers slow: time that grows with the
// square of their length would not end before the tests are stopped.
func TestLexIsLinear(t *testing.T) {
	const size = 4 << 20
	for _, unit := range []string{"/", "(", "`${", "'", "\"\\", "/*", "a/b ", "=/[", "(/a", "{", "}/", "0", "0'", "\n'", "@\n", "eval('", "\"k\":1,", "<!--", "x=/\n", "=/a\\"} {
		for _, after := range []string{"", "\n`"} {
			src := []byte(strings.Repeat(unit, size/len(unit)) + after)
			Lex(src, func(tok *Token) { tok.Key() })
		}
	}
}

func FuzzLex(f *testing.F) {
	for _, s := range []string{"a=/x/g/2", "`a${b}c`", "eval(\"a('b')\\n//c\")", "({\"a\"(x){}})//", "/*", "'", "\\u{41}", "\xe2\x80", "#", "0x", "1e", "<!", "/[", "\x00", "eval(eval('", "}`"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		before := string(src)
		last := int64(0)
		Lex(src, func(tok *Token) {
			if tok.Offset < last || tok.Offset > int64(len(src)) || len(tok.Text) == 0 {
				t.Fatalf("%v: a token at %d after %d of %d", tok.Kind, tok.Offset, last, len(src))
			}
			last = tok.Offset
			if !tok.Eval && string(src[tok.Offset:][:len(tok.Text)]) != string(tok.Text) {
				t.Fatalf("text %q is not at %d", tok.Text, tok.Offset)
			}
			tok.Key()
			tok.Value()
		})
		if string(src) != before {
			t.Fatal("the script was changed")
		}
	})
}

func BenchmarkLex(b *testing.B) {
	unit := "var C=(e,r)=>()=>(r||e((r={exports:{}}).exports,r),r.exports);12:(t,n)=>{if(!/^a[b/]+$/.test(n))return\"the value\"+t.name/2},"
	src := []byte(strings.Repeat(unit, 5<<20/len(unit)))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		n := 0
		if err := Lex(src, func(*Token) { n++ }); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleLex() {
	src := []byte("var m = {\n  // a/b.js\n  \"a/b.js\"(exports) {}\n}")
	Lex(src, func(t *Token) {
		if t.Key() || t.Alone {
			fmt.Println(t.Value())
		}
	})
	// Output:
	// // a/b.js
	// a/b.js
}
