package jsbundle

import (
	"strings"
	"testing"
)

func TestDetect(t *testing.T) {
	code := strings.Repeat("function f(a){return a.map(e=>e+1)}", 60) + ";"
	for _, tt := range []struct {
		name, src, bundler string
	}{
		{"plain CommonJS", "const _ = require('lodash')\nexports.handler = async (e) => _.pick(e, ['a'])\n", ""},
		{"compiled TypeScript", "\"use strict\";\nvar __importDefault = (this && this.__importDefault) || function (mod) {\n    return mod;\n};\nObject.defineProperty(exports, \"__esModule\", { value: true });\n//# sourceMappingURL=index.js.map\n", ""},
		{"transpiled by esbuild without bundling", "var __toESM = (mod) => mod;\nvar import_lodash = __toESM(require(\"lodash\"));\n", ""},
		{"prose about node_modules", "// see node_modules/foo/index.js for why\n// node_modules/ is ignored\nconst p = 'node_modules/x.js';\n", ""},
		{"object with numbers", "const t = {1: function (e) { return e }, 2: (e) => e, 3:function(e){return 1}}", ""},
		{"long data", "module.exports = [" + strings.Repeat("\"word\",", 20000) + "]", ""},
		{"two licences", "/*! a\n * license MIT */\n/*! b\n * Copyright */\nfoo()", ""},
		{"long file of short lines", strings.Repeat("function f (a) {\n  return a\n}\n", 5000), ""},
		{"esbuild comment", "var a = 1;\n// node_modules/lodash/lodash.js\nvar b;", "esbuild"},
		{"esbuild comment, pnpm", "  // ../../node_modules/.pnpm/x@1.0.0/node_modules/x/index.mjs\nvar b;", "esbuild"},
		{"esbuild key", "var require_x=m({\"node_modules/x/y.js\"(e){}})", "esbuild"},
		{"esbuild minified", "var C=(e,r)=>()=>(r||e((r={exports:{}}).exports,r),r.exports);", "esbuild"},
		{"webpack", "(()=>{var __webpack_modules__={}})", "webpack"},
		{"webpack minified", "(()=>{var e={12:(e,t,n)=>{n(34)},34:e=>{e.exports=1},56:(e,t)=>{t.a=1}}})()", "webpack"},
		{"webpack 4 style", "!function(e){}({12:function(e,t,n){n(34)},34:function(e,t){},56:function(e,t){}})", "webpack"},
		{"webpack chunk", "exports.id = 1;\nexports.ids = [1];\nexports.modules = {\n", "webpack"},
		{"exports that is called modules", "exports.modules = { a: 1 }\n", ""},
		{"ncc", "var x = __nccwpck_require__(1)", "ncc"},
		{"rollup", "function getDefaultExportFromCjs (x) {\n\treturn x;\n}\n", "rollup"},
		{"rollup names", "var require$$0 = require('fs');\nvar hasRequiredX;\n", "rollup"},
		{"parcel", "$parcel$export(module.exports, 'x');", "parcel"},
		{"rolldown", "//#region node_modules/x/index.js\n", "rolldown"},
		{"three licences", strings.Repeat("/*! x\n * license MIT */\nfoo();\n", 3), "bundler"},
		{"minified", strings.Repeat(code, 40), "minified"},
		{"minified but small", code, ""},
		{"a megabyte in one line", "x=\"" + strings.Repeat("(", 2<<20) + "\"", "minified"},
		{"empty", "", ""},
	} {
		if got := Detect([]byte(tt.src)); got.Bundler != tt.bundler {
			t.Errorf("%s: got %+v, want %q", tt.name, got, tt.bundler)
		} else if got.Bundled() && got.Mark == "" {
			t.Errorf("%s: no mark", tt.name)
		}
	}
}

// TestDetectIsLinear runs on lines that make backtracking matchers slow: time
// that grows with the square of 8 MB would not end before the tests are stopped.
func TestDetectIsLinear(t *testing.T) {
	for _, unit := range []string{"(", "1:(", "{1:(a,", "node_modules/", "// node_modules/", "/*!", "\"node_modules/a", ":", "=>{", "//# sourceMappingURL="} {
		src := []byte(strings.Repeat(unit, 8<<20/len(unit)))
		Detect(src)
		MapReference(src)
	}
}

func TestMapReference(t *testing.T) {
	for src, want := range map[string]string{
		"a()\n//# sourceMappingURL=x.js.map\n":                               "x.js.map",
		"a()\n//@ sourceMappingURL=old.map":                                  "old.map",
		"//# sourceMappingURL=first.map\nb()\n//# sourceMappingURL=last.map": "last.map",
		"a()": "",
	} {
		if got := MapReference([]byte(src)); got != want {
			t.Errorf("%q: got %q, want %q", src, got, want)
		}
	}
	inline := InlineMap("data:application/json;charset=utf-8;base64,eyJzb3VyY2VzIjpbIm5vZGVfbW9kdWxlcy94LmpzIl19")
	if !MapNamesPackages(inline) {
		t.Errorf("inline map: %q", inline)
	}
	for _, bad := range []string{"x.map", "data:text/plain,abc", "data:application/json;base64,@@@"} {
		if InlineMap(bad) != nil {
			t.Errorf("%q decoded", bad)
		}
	}
}

func FuzzDetect(f *testing.F) {
	f.Add([]byte("// node_modules/x/y.js\n/*! license */ {12:(e,t,n)=>{"))
	f.Add([]byte("\"node_modules/x\"(:e=>{"))
	f.Add([]byte("//# sourceMappingURL=data:;base64,AA=="))
	f.Fuzz(func(t *testing.T, src []byte) {
		if d := Detect(src); d.Map != MapReference(src) {
			t.Errorf("map %q, want %q", d.Map, MapReference(src))
		}
		if d := Detect(src); d.Bundled() != (d.Mark != "") {
			t.Errorf("%+v", d)
		}
		InlineMap(MapReference(src))
	})
}

func BenchmarkDetect(b *testing.B) {
	src := []byte(strings.Repeat("function f (a) {\n  return a.map((x) => ({ 1: x, node_modules: 2 }))\n}\n", 50_000))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		Detect(src)
	}
}
