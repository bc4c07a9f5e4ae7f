package pystrip

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// TestHostileSource works on megabytes of what is hard for a parser: in a time
// that grows with the size only, and without an end of the stack.
func TestHostileSource(t *testing.T) {
	const most, usual = 10 << 20, 2 << 20
	for name, unit := range map[string]string{
		"opening": "(", "closing": ")", "quotes": "'", "backslashes": "\\", "semicolons": ";", "statements": "a=b;", "conditions": "if a:", "nested blocks": "if a:\n ", "dots": ".", "imports": "from .a import b;",
		"assignments": "a=", "commas": "a,", "strings": `"" `, "f-strings": `f"{a}" `, "blanks": " ", "lines": "\n", "else": "else:\n", "elif": "elif a:\n", "versions": "__version__=__version__+__version__\n", "nul": "\x00", "unary": "-", "not": "not ", "lambda": "lambda:",
		"chain": "__version__='1'if a else ", "calls": "f(", "subscripts": "a[", "braces": "{a:", "decorators": "@a\n", "def": "def f():return f()\n",
	} {
		size := usual
		if name == "opening" {
			size = most
		}
		for _, src := range [][]byte{bytes.Repeat([]byte(unit), size/len(unit)), []byte("__version__ = " + strings.Repeat(unit, 60<<10/len(unit)))} {
			start := time.Now()
			m := parseModule(src, nil)
			w := &world{top: "x", load: func([]string) *module { return m }}
			w.lookup(m, "__version__")
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("%s: %d bytes in %v", name, len(src), d)
			}
		}
	}
}

// TestHostileDoubling doubles a text with every line.
func TestHostileDoubling(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0 = '1.2'\n")
	for i := range 50 {
		n := string(rune('0' + i%10))
		b.WriteString("a" + strings.Repeat(n, i/10+2) + " = a0 + a0\na0 = a" + strings.Repeat(n, i/10+2) + " + a0\n")
	}
	b.WriteString("__version__ = a0\n")
	m := parseModule([]byte(b.String()), nil)
	w := &world{top: "x", load: func([]string) *module { return nil }}
	start := time.Now()
	w.lookup(m, "__version__")
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("%v", d)
	}
}

// TestHostilePaths has folders in folders, and very many of them.
func TestHostilePaths(t *testing.T) {
	files := map[string][]byte{strings.Repeat("a/", 2000) + "b.py": nil}
	for i := range 20_000 {
		files["_vendor/"+strings.Repeat("x", i%50+1)+string(rune('a'+i%26))+"/m.py"] = nil
		files["p"+strings.Repeat("q", i%100)+"/_vendor/six.py"] = []byte("__version__ = '1.16.0'")
	}
	start := time.Now()
	Scan(context.Background(), input(files), Options{})
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("%v", d)
	}
}
