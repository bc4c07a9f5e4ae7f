package jsbundle

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// minifiedCode is more than HiddenBytes of code in one line.
var minifiedCode = strings.Repeat(`var a=function(e){return e.map(e=>e+1)};`, 2000)

func TestDetectText(t *testing.T) {
	const wrapped = "var __commonJS = (cb, mod) => function() { return mod; };\nvar a = __commonJS({});\n"
	for _, tt := range []struct{ name, src, want string }{
		{"a bundle", wrapped, "esbuild"},
		{"minified", minifiedCode, "minified"},
		{"prose about bundlers", "# News\n\nWe don't use function __webpack_require__ any more.\n", ""},
		{"licences", strings.Repeat("/*! a license function */\n", 5), ""},
		{"a style sheet", strings.Repeat("/*! a license */\n.a{b:c}\n", 5), ""},
		{"long lines of data", strings.Repeat("some,words,in,a,table,", 100_000), ""},
		{"a document", `{"a":"var __commonJS = (x) => 1"}`, ""},
		{"a block that starts as a document does", `{"a"};` + wrapped, "esbuild"},
	} {
		if got := DetectText([]byte(tt.src)).Bundler; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHidden(t *testing.T) {
	quoted, _ := json.Marshal(minifiedCode)
	b64 := base64.StdEncoding.EncodeToString([]byte(minifiedCode))
	lines := ""
	for rest := b64; rest != ""; {
		n := min(76, len(rest))
		lines, rest = lines+rest[:n]+"\n", rest[n:]
	}
	data, _ := json.Marshal(strings.Repeat("some words, and some more of them; ", 5000))
	image := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00\x01\x02\xff", 40_000)))
	for _, tt := range []struct {
		name, src string
		script    bool
		want      bool
	}{
		{"a value", `{"name":"x","code":` + string(quoted) + `}`, false, true},
		{"a value in a list", `[1, {"a": [` + string(quoted) + `]}]`, false, true},
		{"a value in base64", `{"code":"` + b64 + `"}`, false, true},
		{"a document of data", `{"text":` + string(data) + `,"image":"` + image + `"}`, false, false},
		{"a document that breaks off", `{"code":` + string(quoted[:len(quoted)-2]), false, false},
		{"base64", b64, false, true},
		{"base64 in a file without an extension", b64, true, true},
		{"base64 in lines", lines, false, true},
		{"base64 for URLs", base64.RawURLEncoding.EncodeToString([]byte(minifiedCode)), false, true},
		{"a data URL", "data:text/javascript;base64," + b64, false, true},
		{"base64 of an image", image, false, false},
		{"prose", strings.Repeat("some words\n", 20_000), false, false},
		{"a literal", "eval(" + string(quoted) + ")", true, true},
		{"a literal in base64", "eval(atob('" + b64 + "'))", true, true},
		{"a literal of data", "x = " + string(data) + "; y = '" + image + "'", true, false},
		{"a short script", "f()", true, false},
	} {
		if got := Hidden([]byte(tt.src), tt.script); (got != "") != tt.want {
			t.Errorf("%s: got %q", tt.name, got)
		}
	}
}

func TestMayHide(t *testing.T) {
	long := strings.Repeat("QUJD", 200)
	for _, tt := range []struct {
		name, head string
		size       int64
		want       bool
	}{
		{"code", "var x = 1;", 600, true},
		{"code behind a comment", "// a\nf();", 600, true},
		{"blanks", strings.Repeat(" ", 2000), 90_000, true},
		{"a program's first line", "#!/usr/bin/env node\nconst a = 1;", 600, true},
		{"Markdown", "# const x\n", 90_000, false},
		{"HTML", "<html>const x", 90_000, false},
		{"an HTML comment, which scripts may have", "<!-- x\nvar a = 1", 600, true},
		{"a small document", `{"a": "x"}`, 600, false},
		{"a long document", `{"a": "x`, 90_000, true},
		{"a source map", `{"version":3,"sources":["a`, 90_000, false},
		{"base64", long, 90_000, true},
		{"short base64", long, 900, false},
		{"prose", "Some words about it.", 90_000, false},
		{"binary", "var x\x00", 90_000, false},
		{"nothing", "", 90_000, false},
	} {
		if got := MayHide(tt.size, []byte(tt.head)); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}

func TestInspectHidden(t *testing.T) {
	quoted, _ := json.Marshal(minifiedCode)
	head := "var __commonJS = (cb, mod) => function __require() {\n  return mod;\n};\n// src/a.ts\n"
	if r := Inspect("a.js", []byte(head+"run("+string(quoted)+");\n"), Companions{}); r.Told || len(r.Gaps) == 0 || !strings.HasPrefix(r.Gaps[0].Reason, "a string of") {
		t.Errorf("told %v, gaps %v", r.Told, r.Gaps)
	}
	if r := Inspect("a.js", []byte(head+"eval("+string(quoted)+");\n"), Companions{}); len(r.Gaps) > 0 && strings.HasPrefix(r.Gaps[0].Reason, "a string of") {
		t.Errorf("what eval is given is read: gaps %v", r.Gaps)
	}
}
