package jsbundle

import (
	"strings"
	"testing"
)

// shares returns how many bytes of a result are whose, by name.
func shares(r Result) map[string]int64 {
	out := map[string]int64{}
	for _, s := range r.Spans {
		name := map[int]string{SpanUnknown: "?", SpanOwn: "own", SpanBundler: "bundler"}[s.Claim]
		if s.Claim >= 0 {
			name = r.Claims[s.Claim].Name
		}
		out[name] += s.End - s.Start
	}
	return out
}

func TestInspectRenamed(t *testing.T) {
	const head = "var __commonJS = (cb, mod) => function __require() {\n  return mod;\n};\n\n"
	const own = "// src/index.ts\nvar handler = () => 1;\n"
	lodash := "// src/lodash/lodash.js\n/**\n * @license\n * Lodash <https://lodash.com/>\n * Copyright somebody\n */\nvar VERSION = \"4.17.99\";\n"
	texts := "// src/lodash/lodash.js\nvar VERSION = \"4.17.99\", a = \"__lodash_hash_undefined__\", b = \"lodash.templateSources[\", c = \"Unsupported core-js use. Try it\", d = runInContext;\n"
	for _, tt := range []struct {
		name, src, want string
		misnamed        bool
		owners          []string
		told            bool
	}{
		{"a title", head + lodash + own, "lodash 0.9", true, []string{"own", "lodash"}, true},
		{"texts and version", head + texts + own, "lodash@4.17.99 0.8", true, []string{"own", "lodash"}, true},
		{"texts in two modules are not one's", head + strings.Replace(texts, "b = ", "b = 1;\n// src/other.js\nvar e = ", 1) + own, "lodash@4.17.99 0.8", false, []string{"own"}, true},
		{"a manifest", head + "// src/left/package.json\nx = { name: \"left\", version: \"1.2.3\", main: \"i\", license: \"MIT\" };\n// src/lodash/package.json\nx = { name: \"lodash\", version: \"4.17.99\", main: \"i\", license: \"MIT\" };\n" + own, "lodash@4.17.99 0.95", false, []string{"own"}, true},
		{"two in one module", head + strings.Replace(lodash, "var VERSION", "/*! jQuery v3.4.99 | (c) x */\nvar VERSION", 1) + own, "lodash 0.9; jquery@3.4.99 0.9", true, []string{"own", "?"}, false},
		{"somebody's own title", head + "// src/a.js\n/*!\n * orders\n * Copyright(c) 2024 Acme\n * MIT Licensed\n */\nf();\n" + own, "orders 0.85", false, []string{"own"}, true},
		{"the bundler's list behind own code", head + "// node_modules/lodash/lodash.js\nvar l = 1;\n" + own + "/*! Bundled license information:\n\nlodash/lodash.js:\n  (**\n   * @license\n   * Lodash <https://lodash.com/>\n   *)\n*/\n",
			"lodash in node_modules/lodash 0.97; lodash 0.95; lodash 0.95", false, []string{"own", "lodash"}, true},
		{"nothing", head + own, "", false, []string{"own"}, true},
	} {
		r := Inspect("index.js", []byte(tt.src), Companions{})
		if got := show(r.Claims); got != tt.want || r.Misnamed != tt.misnamed || r.Told != tt.told {
			t.Errorf("%s: got %q, misnamed %v, told %v, gaps %v", tt.name, got, r.Misnamed, r.Told, r.Gaps)
		}
		got := shares(r)
		for _, name := range tt.owners {
			if got[name] == 0 {
				t.Errorf("%s: nothing is of %s: %v", tt.name, name, got)
			}
			delete(got, name)
		}
		delete(got, "bundler")
		if len(got) > 0 {
			t.Errorf("%s: bytes of %v", tt.name, got)
		}
		whole(t, tt.src, r)
	}
}

// TestInspectForgedMap: a map that passes a package off as the function's own is
// found out by the package's title, and by the comments of the bundler.
func TestInspectForgedMap(t *testing.T) {
	title := "/*! lodash 4.17.99 | (c) somebody */\nvar undef = 1;\n"
	src, points, sources := mapOf(part{"src/lodash.js", title}, part{"src/i.js", "f(undef);\n"})
	sourceMap := []byte(`{"version":3,"sources":["` + strings.Join(sources, `","`) + `"],"mappings":"` + encode(points) + `"}`)
	r := Inspect("i.js", []byte(src), Companions{Map: sourceMap, MapPath: "i.js.map"})
	if got := shares(r); !r.Misnamed || got["lodash"] == 0 || got["own"] == 0 {
		t.Errorf("a title: %v, misnamed %v, gaps %v", got, r.Misnamed, r.Gaps)
	}
	body := "// node_modules/left-pad/index.js\n" + strings.Repeat("var pad = function(a) { return a; };\n", 20)
	src, points, sources = mapOf(part{"src/left-pad.js", body}, part{"src/i.js", "// src/i.js\nf(pad);\n"})
	sourceMap = []byte(`{"version":3,"sources":["` + strings.Join(sources, `","`) + `"],"mappings":"` + encode(points) + `"}`)
	r = Inspect("i.js", []byte(src), Companions{Map: sourceMap, MapPath: "i.js.map"})
	if got := shares(r); !r.Misnamed || got["left-pad"] < int64(len(body))/2 || got["own"] == 0 {
		t.Errorf("comments: %v, misnamed %v, gaps %v", got, r.Misnamed, r.Gaps)
	}
	whole(t, src, r)
}
