package jsbundle

import (
	"slices"
	"strings"
	"testing"
)

func TestCopies(t *testing.T) {
	code := "\nvar x = 1;\nf(x);\n"
	for _, tt := range []struct{ name, file, src, want string }{
		{"a title with a version", "lib/a.js", "/* axios v0.21.99 | (c) 2020 by somebody */" + code, "axios@0.21.99 0.9"},
		{"behind strict", "a.js", "'use strict';\n/*! jQuery v3.4.99 | (c) JS Foundation and other contributors | jquery.org/license */" + code, "jquery@3.4.99 0.9"},
		{"a title and the version in code", "lib/lodash.js", "/**\n * @license\n * Lodash <https://lodash.com/>\n * Copyright somebody\n * Released under MIT license\n */\n;(function() { var undefined; var VERSION = '4.17.99'; f('1.0.0'); }.call(this));", "lodash 0.9; lodash@4.17.99 0.75"},
		{"the same, minified", "lib/lodash.min.js", "/**\n * @license\n * Lodash <https://lodash.com/>\n * Copyright somebody\n */\n!function(){var a;An.VERSION=\"4.17.99\"}();", "lodash 0.9; lodash@4.17.99 0.75"},
		{"lodash's own build", "lib/lodash.min.js", "/**\n * @license\n * Lodash lodash.com/license | Underscore.js 1.8.3 underscorejs.org/LICENSE\n */\n;(function(){var X,nn=\"4.17.99\";Z.VERSION=nn}).call(this);", "lodash 0.9"},
		{"two versions", "lib/lodash.js", "/**\n * @license\n * Lodash <https://lodash.com/>\n * Copyright somebody\n */\na.VERSION='1.2.3';b.version='4.5.6'", "lodash 0.9"},
		{"@version", "u.js", "/**\n * underscore.js\n * @version 1.8.99\n * @license MIT\n */" + code, "underscore@1.8.99 0.9"},
		{"line comments", "m.js", "//! moment.js\n//! version : 2.29.99\n//! license : MIT" + code, "moment@2.29.99 0.9"},
		{"a legal comment further on", "v.js", strings.Repeat("f();\n", 2000) + "/*! Bootstrap v3.3.99 (http://example.com) */" + code, "bootstrap@3.3.99 0.9"},
		{"two in one file", "v.js", "/*! jQuery v3.4.99 | (c) x */" + strings.Repeat("f();\n", 2000) + "/*! Bootstrap v3.3.99 */" + code, "jquery@3.4.99 0.9; bootstrap@3.3.99 0.9"},
		{"texts alone", "t.js", `throw"use moment.updateLocale(localeName, config) to change";r.version="2.29.99",r.HTML5_FMT={DATETIME_LOCAL_SECONDS:"x"}`, "moment@2.29.99 0.8"},
		{"express's form", "send.js", "/*!\n * send\n * Copyright(c) 2012 Somebody\n * MIT Licensed\n */" + code, "send 0.85"},

		{"the function's own title", "orders.js", "/*!\n * orders\n * Copyright(c) 2024 Acme\n * MIT Licensed\n */" + code, ""},
		{"the function's own scope", "orders.js", "/*! @acme/orders v1.2.3 */" + code, ""},
		{"a remark", "a.js", "// axios 0.21.0 loses headers, so we set them here" + code, ""},
		{"a file's name", "moment.js", "// moment.js" + code, ""},
		{"prose", "a.js", "/* We use lodash 4.17.15 here. Copyright Acme */" + code, ""},
		{"a version of its own", "a.js", "const VERSION = '1.2.3';" + code, ""},
		{"in a string", "a.js", `x = "/* axios v0.21.0 *` + `"` + code, ""},
		{"licences alone", "index.js.LICENSE.txt", "/*! jQuery v3.4.99 | (c) x */\n\n/*!\n * send\n * Copyright(c) 2012 Somebody\n * MIT Licensed\n */\n", ""},
		{"nothing", "a.js", "", ""},
	} {
		if got := show(Copies(tt.file, []byte(tt.src))); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestMentions compares the fast search for the texts of rules with the slow one.
func TestMentions(t *testing.T) {
	table := literals()
	if len(table.anchors.list) != len(table.rules) {
		t.Fatalf("%d anchors for %d rules", len(table.anchors.list), len(table.rules))
	}
	for n, r := range table.rules {
		var all []string
		for _, i := range r.all {
			all = append(all, table.texts[i])
		}
		for _, pad := range []int{0, 1, 7, 100, 1000} {
			src := strings.Repeat("x", pad) + strings.Join(all, strings.Repeat(" f();", pad)) + strings.Repeat("y", pad/2)
			if !slices.Contains(table.mentions([]byte(src), nil), n) {
				t.Errorf("the texts of %s are not found behind %d bytes", r.name, pad)
			}
			if slices.Contains(table.mentions([]byte(src[:len(src)-pad/2-1]), nil), n) && len(all) > 0 && !strings.Contains(strings.Join(all[:len(all)-1], " "), all[len(all)-1]) {
				t.Errorf("%s is found although a byte of its texts lacks", r.name)
			}
		}
		if len(table.mentions([]byte(strings.Join(all, " ")), map[string]bool{r.name: true})) > 0 && n == 0 {
			t.Errorf("%s is found although it is done", r.name)
		}
	}
}
