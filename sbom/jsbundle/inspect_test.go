package jsbundle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// named lists the claims that know a place, "name@version method", sorted.
func named(r Result) string {
	var out []string
	for _, c := range r.Claims {
		if c.Path == "" {
			continue
		}
		s := c.Name
		if c.Version != "" {
			s += "@" + c.Version
		}
		if c.Inside != "" {
			s += " in " + c.Inside
		}
		out = append(out, s+" "+string(c.Method))
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

// whole checks that the spans of a result cover the bundle, in order.
func whole(t *testing.T, src string, r Result) {
	t.Helper()
	at := int64(0)
	for _, s := range r.Spans {
		if s.Start != at || s.End <= s.Start || s.Claim < SpanBundler || s.Claim >= len(r.Claims) {
			t.Errorf("span %+v after %d", s, at)
		}
		at = s.End
	}
	end := codeEnd([]byte(src))
	if len(r.Spans) > 0 && at != end {
		t.Errorf("spans end at %d of %d", at, end)
	}
	packages, own, bundler, unknown := r.Bytes()
	if sum := packages + own + bundler + unknown; len(r.Spans) > 0 && sum != end {
		t.Errorf("%d bytes told of %d", sum, end)
	}
	if r.Told && (unknown > 0 || len(r.Gaps) > 0) {
		t.Errorf("told with %d unknown bytes and gaps %v", unknown, r.Gaps)
	}
}

// hidden is code that nothing names, longer than what passes for a bundler's.
var hidden = strings.Repeat("function hiddenCode(a){return a.map(function(e){return e+1})}\n", 200)

func TestInspectMarks(t *testing.T) {
	const esbuildHead = "var __commonJS = (cb, mod) => function __require() {\n  return mod;\n};\n"
	for _, tt := range []struct {
		name, src, want string
		told            bool
	}{
		{"esbuild", esbuildHead + "\n// node_modules/a/index.js\nvar require_a = __commonJS({\n  \"node_modules/a/index.js\"(exports) {\n    exports.a = 1;\n  }\n});\n\n// src/index.ts\nvar a = require_a();\n",
			"a path-comment", true},
		{"esbuild, only whitespace minified", "var c=(a,b)=>()=>b;var r=c({\"node_modules/@s/a/i.js\"(e){e.a=1}});var q=c({\"node_modules/a/node_modules/b/i.js\"(e){e.a=r()}});",
			"@s/a module-key, b module-key", true},
		{"esbuild, whitespace minified, code between the wrappers", "var r=c({\"node_modules/a/i.js\"(e){e.a=1}});" + hidden + "var q=c({\"src/b.js\"(e){e.a=r()}});",
			"a module-key", false},
		{"esbuild for browsers", "\"use strict\";\n(() => {\n  var x = 1;\n  // node_modules/a/i.js\n  var a = 1;\n\n  // src/i.js\n  a();\n})();\n",
			"a path-comment", true},
		{"bun", "// @bun\n// ../node_modules/.bun/a@1.2.3+0a1b/node_modules/a/i.js\nvar a = 1;\n\n// src/i.js\nexport { a };\n",
			"a@1.2.3 path-comment", true},
		{"rolldown", "//#region rolldown:runtime\nvar r;\n//#endregion\n//#region node_modules/a/i.js\nvar a;\n//#endregion\n//#region src/i.js\na();\n//#endregion\nexports.h = h;\n",
			"a path-comment", true},
		{"rolldown with a stretch without a region", "//#region node_modules/a/i.js\nvar a;\n//#endregion\n" + hidden + "//#region src/i.js\na();\n//#endregion\n",
			"a path-comment", false},
		{"webpack for development", "/******/ (() => { // webpackBootstrap\n/******/ \tvar __webpack_modules__ = ({\n\n/***/ \"./node_modules/a/i.js\":\n/*!***************!*\\\n  !*** ./node_modules/a/i.js ***!\n  \\***************/\n/***/ ((module) => {\n\neval(\"module.exports = 1\\n\\n//# sourceURL=webpack://app/./node_modules/a/i.js?\");\n\n/***/ }),\n\n/***/ \"fs\":\n/*!***!*\\\n  !*** external \"fs\" ***!\n  \\***/\n/***/ ((module) => {\nmodule.exports = require(\"fs\");\n/***/ }),\n\n/***/ \"./src/i.js\":\n/*!***!*\\\n  !*** ./src/i.js ***!\n  \\***/\n/***/ ((m) => { m.exports = 1 })\n\n/******/ \t});\n/******/ \tvar c = {};\n/******/ })()\n;",
			"a module-key, a path-comment", true},
		{"webpack with modules joined", "/******/ (() => {\n/******/ var m = {};\n;// ./node_modules/a/i.js\nvar a = 1;\n;// CONCATENATED MODULE: ./node_modules/b/i.js + 2 modules\nvar b = 2;\n;// ./src/i.js\na(b);\n/******/ })();\n",
			"a path-comment, b path-comment", true},
		{"named ids, minified", "(()=>{var m={\"./node_modules/a/i.js\":e=>{e.exports=1},\"./node_modules/b/i.js\":(e,t,n)=>{e.exports=n(\"./node_modules/a/i.js\")}};" + hidden + "})();",
			"a module-key, b module-key", false},
		{"a table with numbered modules among the named", "(()=>{var m={\"./node_modules/a/i.js\":e=>{e.exports=1},17:e=>{" + strings.ReplaceAll(hidden, "\n", ";") + "}}})();",
			"a module-key", false},
		{"turbopack", "m=[{\"[project]/node_modules/.pnpm/a@1.2.3/node_modules/a/i.js [app] (ecmascript)\": ((e)=>{ e.x=1 })}]",
			"a@1.2.3 module-key", true},
		{"paths in data", "var t = {\"./node_modules/a/i.js\": \"hash\", \"node_modules/b/i.js\": 12, \"./x.js\": [1]}\n", "", false},
		{"a minified file under a comment", "// src/index.js\n(()=>{var __webpack_modules__={}," + strings.ReplaceAll(hidden, "\n", ";") + "x})()\n", "", false},
		{"prose", "var a; // node_modules/a/i.js is read\n/* node_modules/b/i.js */\n", "", false},
		{"text that is no JavaScript", "// node_modules/a/i.js\nvar a = '\n", "a path-comment", false},
		{"code in front of all marks", hidden + "// node_modules/a/i.js\nvar a = 1;\n", "a path-comment", false},
		{"nothing", "", "", false},
	} {
		r := Inspect("index.js", []byte(tt.src), Companions{})
		if got := named(r); got != tt.want || r.Told != tt.told {
			t.Errorf("%s: got %q, told %v, gaps %v\nwant %q, told %v", tt.name, got, r.Told, r.Gaps, tt.want, tt.told)
		}
		whole(t, tt.src, r)
	}
}

// TestInspectForgedComment: a comment in somebody's code can add a name, and
// cannot take one away.
func TestInspectForgedComment(t *testing.T) {
	src := "// node_modules/a/i.js\nvar a = function () {\n  // node_modules/b/i.js\n  return 1;\n};\n// src/i.js\nvar s = `\n// node_modules/c/i.js\n`;\n"
	if got := named(Inspect("i.js", []byte(src), Companions{})); got != "a path-comment" {
		t.Errorf("got %q", got)
	}
}

func TestInspectAccount(t *testing.T) {
	src := "\"use strict\";var a=1;var b=2;"
	meta := fmt.Sprintf(`{"inputs":{},"outputs":{"dist/i.js":{"bytes":%d,"inputs":{"node_modules/a/i.js":{"bytesInOutput":20},"src/i.js":{"bytesInOutput":8}}}}}`, len(src))
	for _, tt := range []struct {
		name, src, want string
		told            bool
	}{
		{"that agrees", src, "a bundler-metafile", true},
		{"of another build", src + "x", "", false},
	} {
		r := Inspect("i.js", []byte(tt.src), Companions{Accounts: []Companion{{"meta.json", []byte(meta)}, {"bom.json", []byte(`{"a":1}`)}}})
		if got := named(r); got != tt.want || r.Told != tt.told {
			t.Errorf("an account %s: got %q, told %v %v; want %q, told %v", tt.name, got, r.Told, r.Gaps, tt.want, tt.told)
		}
	}
	// an account that leaves out what the bytes name
	src = "var p={name:\"hidden\",version:\"1.2.3\",description:\"d\",main:\"i.js\",license:\"MIT\",dependencies:{x:\"1.0.0\"},repository:{type:\"git\"}};"
	meta = fmt.Sprintf(`{"inputs":{},"outputs":{"i.js":{"bytes":%d,"inputs":{"src/i.js":{"bytesInOutput":%d}}}}}`, len(src), len(src))
	if r := Inspect("i.js", []byte(src), Companions{Accounts: []Companion{{"meta.json", []byte(meta)}}}); r.Told || len(r.Gaps) == 0 {
		t.Errorf("told %v, gaps %v, claims %+v", r.Told, r.Gaps, r.Claims)
	}
}

func BenchmarkInspect(b *testing.B) {
	unit := "12:(t,n)=>{if(!/^a[b/]+$/.test(n))return\"the value\"+t.name/2},"
	src := []byte("(()=>{var m={" + strings.Repeat(unit, 5<<20/len(unit)) + "}})();")
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		Detect(src)
		Inspect("index.js", src, Companions{})
	}
}

// A bundle that was bundled again is one module of the function's own by its
// comment, and yet the code of packages.
func TestInspectBundledAgain(t *testing.T) {
	const helper = "var __commonJS = (cb, mod) => function __require() {\n  return mod;\n};\n"
	const inner = "var c = (t, e) => () => (e || t((e = { exports: {} }).exports, e), e.exports);\nvar a = c((e) => { e.a = 1 });\n"
	for _, tt := range []struct {
		name, src string
		told      bool
	}{
		{"own module", helper + "\n// src/i.js\nvar a = 1;\n", true},
		{"own module that was CommonJS", helper + "\n// src/i.js\nvar require_i = __commonJS({\n  \"src/i.js\"(exports) {\n    exports.a = 1;\n  }\n});\nrequire_i();\n", true},
		{"a bundle", helper + "\n// dist/i.js\n" + inner, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Inspect("index.js", []byte(tt.src), Companions{})
			whole(t, tt.src, r)
			if r.Told != tt.told {
				t.Errorf("told = %v, want %v; gaps %v", r.Told, tt.told, r.Gaps)
			}
		})
	}
}
