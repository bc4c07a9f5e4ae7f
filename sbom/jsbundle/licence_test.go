package jsbundle

import (
	"strings"
	"testing"
)

const legal = `/*! Bundled license information:

left-pad/index.js:
@s/name/dist/a.js:
  (*!
   * left-pad
   * Copyright(c) 2014 Ann Author
   * MIT Licensed
   *)

decimal.js/decimal.mjs:
  (*!
   *  decimal.js v10.4.9
   *  An arbitrary-precision Decimal type for JavaScript.
   *)

lodash-es/lodash.js:
  (**
   * @license
   * Lodash (Custom Build) <https://lodash.com/>
   * Based on Underscore.js 1.8.3 <http://underscorejs.org/LICENSE>
   *)
not a path:
*/`

func TestLegalBlock(t *testing.T) {
	want := "left-pad 0.95; @s/name 0.95; decimal.js@10.4.9 0.95; lodash-es 0.95"
	if got := show(LegalBlock([]byte("code();\n"+legal+"\n"), "")); got != want {
		t.Errorf("in the bundle:\n got %s\nwant %s", got, want)
	}
	if got, _ := read(t, "code();\n"+legal); got != want {
		t.Errorf("by tokens:\n got %s\nwant %s", got, want)
	}
	linked := strings.ReplaceAll(strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(legal, "/*! "), "*/"), "(*", "/*"), "*)", "*/")
	claims := LegalBlock([]byte(linked), "index.js.LEGAL.txt")
	if got := show(claims); got != want || claims[0].Offset != -1 || claims[0].From != "index.js.LEGAL.txt" {
		t.Errorf("beside it:\n got %s %+v\nwant %s", got, claims, want)
	}
	for _, none := range []string{"", "Bundled license information:\n\na/b.js:\n", "/*! Bundled license information: */", "/*! Bundled license information:\n\nfile.js:\n  (*! x *)\n*/"} {
		if got := LegalBlock([]byte(none), ""); got != nil {
			t.Errorf("%q: %+v", none, got)
		}
	}
}

func TestLicenceFile(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"ncc", "left-pad\nWTFPL\nDo what you want.\n\n@s/name\nMIT\nThe MIT License\n\nCopyright\n", "left-pad 0.9; @s/name 0.9"},
		{"an expression", "a\n(MIT OR Apache-2.0)\n", "a 0.9"},
		{"words of a text", "\nsoftware\nis provided\n\nlicense\nMITT\nbelow\nMIT\n", ""},
		{"rollup", "Name: left-pad\nVersion: 1.3.0\nLicense: WTFPL\nPrivate: false\n\n---\n\nName: Some Thing\nVersion: 1.0.0\n", "left-pad@1.3.0 0.9"},
		{"angular", "------\nPackage: @angular/core\nLicense: \"MIT\"\n\nPackage: rxjs\nLicense: \"Apache-2.0\"\n", "@angular/core 0.9; rxjs 0.9"},
		{"webpack", "/*!\n * bytes\n * Copyright(c) 2012-2014 A\n * MIT Licensed\n */\n\n/*! moment.js */\n\n/*! regenerator-runtime -- Copyright (c) 2014-present, Facebook, Inc. */\n", "bytes 0.85; moment 0.9"},
	} {
		claims := LicenceFile([]byte(tt.text), "LICENSES.txt")
		if got := show(claims); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		for _, c := range claims {
			if c.Offset != -1 || c.From != "LICENSES.txt" {
				t.Errorf("%s: %+v", tt.name, c)
			}
		}
	}
}

func TestBanner(t *testing.T) {
	for comment, want := range map[string]string{
		"!\n * on-finished\n * Copyright(c) 2013 A\n * Copyright(c) 2014 B\n * MIT Licensed\n ":                                          "on-finished",
		"!\n * humanize-ms - index.js\n * Copyright(c) 2014 a <a@b.c>\n * MIT Licensed\n ":                                               "humanize-ms",
		"!\n * is-number <https://github.com/x/is-number>\n *\n * Copyright (c) 2014, J.\n * Released under the MIT License.":            "is-number",
		"!\n * is-number <https://github.com/x/other>\n *\n * Copyright (c) 2014, J.\n ":                                                 "",
		"*\n * @license\n * Lodash <https://lodash.com/>\n * Released under MIT license\n * Based on Underscore.js 1.8.3 ":               "lodash",
		"*\n * @license\n * lodash 4.0.0 (Custom Build) <https://lodash.com/>\n * Build: `lodash exports=\"npm\"`\n * MIT license":       "",
		"*\n * @license\n * Lodash (Custom Build) <https://lodash.com/>\n * Build: `lodash modularize exports=\"es\" -o ./`\n * license": "lodash-es",
		"! moment.js ": "moment",
		"! moment.js\n//! version : 2.29.9\n//! authors":                                                                                     "moment@2.29.9",
		"* @license URI.js v4.4.1 (c) 2011 Gary Court. License: http://x ":                                                                   "uri-js@4.4.1",
		"!\n * URI.js - Mutating URLs\n *\n * Version: 1.19.9\n *":                                                                           "urijs@1.19.9",
		"!\n   * mustache.js - Logic-less {{mustache}} templates\n   * http://x ":                                                            "mustache",
		"* @license React v16.13.1\n * react-dom.production.min.js\n *":                                                                      "react-dom@16.13.1",
		"*\n * @license React\n * react-jsx-runtime.production.min.js\n *\n * Copyright":                                                     "react",
		"* @license React v0.19.1\n * scheduler.production.min.js":                                                                           "scheduler@0.19.1",
		"! @azure/msal-common v4.5.1 2021-08-02 ":                                                                                            "@azure/msal-common@4.5.1",
		"! safe-buffer. MIT License. A B <https://a.org/opensource> ":                                                                        "safe-buffer",
		"! formdata-polyfill. MIT License. A B <https://a.se/opensource> ":                                                                   "",
		"! https://mths.be/he v1.2.0 by @mathias | MIT license ":                                                                             "he@1.2.0",
		"! https://mths.be/punycode v1.4.1 by @mathias ":                                                                                     "",
		"*\n * [js-sha3]{@link https://github.com/x/js-sha3}\n *\n * @version 0.8.0\n * @license MIT":                                        "js-sha3@0.8.0",
		"!\n * jQuery JavaScript Library v3.6.0\n * https://jquery.com/\n":                                                                   "jquery@3.6.0",
		"!\n\nJSZip v3.10.1 - A JavaScript class for generating and reading zip files\n":                                                     "jszip@3.10.1",
		"!\n * @overview es6-promise - a tiny implementation of Promises/A+.\n * @copyright C\n * @license L\n * @version   v4.2.8+1e68dce6": "es6-promise@4.2.8+1e68dce6",
		" Axios v1.6.0 Copyright (c) 2023 M and contributors":                                                                                "axios@1.6.0",
		"! pako 2.1.0 https://github.com/nodeca/pako @license (MIT AND Zlib) ":                                                               "pako@2.1.0",
		"! noble-hashes - MIT License (c) 2022 P (x.com) ":                                                                                   "@noble/hashes",

		// What names nobody.
		"!\n * Copyright(c) 2012 A\n * MIT Licensed\n ":                                                                                      "",
		"! For license information please see index.js.LICENSE.txt ":                                                                         "",
		"!\n * lunr.set\n * Copyright (C) 2020 O\n ":                                                                                         "",
		"!\n * our-service\n * Copyright(c) 2020 Corp. All rights reserved.\n * Confidential\n":                                              "",
		"! regenerator-runtime -- Copyright (c) 2014-present, F -- license (MIT): https://x ":                                                "",
		"! *****************************************************************************\nCopyright (c) M Corporation.\n\nPermission to use": "",
		"*\n * @license Angular v15.2.9\n * (c) 2010-2022 G":                                                                                 "",
		" jquery ":            "",
		" see lodash 4.17.15": "",
		"":                    "",
	} {
		got := ""
		for _, c := range Banner([]byte(comment), 7, "") {
			if got = c.Name; c.Version != "" {
				got += "@" + c.Version
			}
			if c.Offset != 7 || c.Method != MethodLicence {
				t.Errorf("%q: %+v", comment, c)
			}
		}
		if got != want {
			t.Errorf("%q:\n got %q\nwant %q", comment, got, want)
		}
	}
}

func TestBannersInCode(t *testing.T) {
	src := "//! moment.js\n//! version : 2.29.9\nf();/*!\n * bytes\n * Copyright(c) 2012 A\n * MIT Licensed\n */g(\"/*!\\n * vary\\n * Copyright(c) 2012 A\\n * MIT Licensed\\n */\");\n" +
		"/*!\n * bytes\n * Copyright(c) 2012 A\n * MIT Licensed\n */// Axios v1.6.0 Copyright (c) 2023 M\nh()"
	if got, _ := read(t, src); got != "moment@2.29.9 0.9; bytes 0.85; axios@1.6.0 0.9" {
		t.Errorf("got %s", got)
	}
}

func FuzzLicences(f *testing.F) {
	f.Add([]byte(legal))
	f.Add([]byte("a\nMIT\n\nName: b\nVersion: 1.0.0\nPackage: c\nLicense: x\n/*! d v1.0.0 */"))
	f.Add([]byte("@license React v1.0.0\n * react-dom.x.js"))
	f.Fuzz(func(t *testing.T, text []byte) {
		claims := append(LegalBlock(text, ""), LicenceFile(text, "x")...)
		claims = append(claims, Banner(text, 0, "")...)
		for _, c := range append(claims, LegalBlock(text, "x")...) {
			if packageName(c.Name+"/") != c.Name || c.Version != "" && exact(c.Version) == "" || (c.From != "") != (c.Offset < 0) {
				t.Errorf("%+v", c)
			}
		}
	})
}
