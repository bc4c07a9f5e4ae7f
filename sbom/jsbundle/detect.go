// Package jsbundle recognises JavaScript files that a bundler wrote: one file
// that holds the code of many packages. This version says that a file is a
// bundle and why; it does not yet name what is inside.
package jsbundle

import (
	"bytes"
	"sync"
)

// Detection says why a file is taken for a bundle. The zero value means that
// it looks like plain code.
type Detection struct {
	Bundler string // "esbuild", "webpack", ...; "minified" when nothing tells which
	Mark    string // what was seen, in plain words; never text of the file
	Map     string // what the last source map comment names, see MapReference; set whether bundled or not
}

// Bundled reports whether the file is a bundle or minified code.
func (d Detection) Bundled() bool { return d.Bundler != "" }

// MinifiedBytes is the size from which minified code counts as a bundle even
// without a bundler's marks: nobody writes that much of it by hand.
const MinifiedBytes = 64 << 10

// esbuildWrapper is what esbuild's helpers for modules are called.
const esbuildWrapper = "esbuild's module wrapper"

// mark is a piece of text that a bundler leaves and that people do not write.
type mark struct {
	text    string
	with    string // must be there as well, unless empty
	bundler string
	what    string
}

// marks lists them, most telling first. They were taken from the output of
// esbuild 0.28, webpack 5.112, ncc 0.45, rollup 4.68, rolldown 1.3, bun 1.4 and
// parcel 2, and for browserify and turbopack from their sources.
func marks() []mark {
	return []mark{
		{"__nccwpck_require__", "", "ncc", "ncc's module loader"},
		{"__webpack_require__", "", "webpack", "webpack's module loader"},
		{"__webpack_modules__", "", "webpack", "webpack's module table"},
		{"webpackBootstrap", "", "webpack", "webpack's bootstrap"},
		{"(self.webpackChunk", "", "webpack", "a webpack chunk"},
		{"exports.modules={", "exports.ids=[", "webpack", "a webpack chunk"},
		{"exports.modules = {", "exports.ids = [", "webpack", "a webpack chunk"},
		{"/*! For license information please see ", "", "webpack", "the reference to extracted licences"},
		{"__turbopack_", "", "turbopack", "turbopack's module loader"},
		{"var __commonJS = ", "", "esbuild", esbuildWrapper},
		{"var __commonJSMin = ", "", "rolldown", "rolldown's module wrapper"},
		{"var __esm = (", "", "esbuild", esbuildWrapper},
		{"={exports:{}}).exports,", "", "esbuild", esbuildWrapper + ", minified"},
		{"= { exports: {} }).exports,", "", "esbuild", esbuildWrapper},
		{"// rolldown runtime", "", "rolldown", "rolldown's runtime"},
		{"//#region rolldown:runtime", "", "rolldown", "rolldown's runtime"},
		{"//#region node_modules/", "", "rolldown", "a comment that names a package's file"},
		{"$parcel$", "", "parcel", "parcel's helpers"},
		{"parcelRequire", "", "parcel", "parcel's module loader"},
		{"// @bun @bun-cjs", "", "bun", "bun's header"},
		{"function getDefaultExportFromCjs", "", "rollup", "rollup's CommonJS helpers"},
		{"function getAugmentedNamespace", "", "rollup", "rollup's CommonJS helpers"},
		{"var commonjsGlobal = ", "", "rollup", "rollup's CommonJS helpers"},
		{"function createCommonjsModule", "", "rollup", "rollup's CommonJS helpers"},
		{"hasRequired", "require$$", "rollup", "rollup's names for required modules"},
		{"function(){function r(e,n,t){function o(i,f){", "", "browserify", "browserify's module loader"},
		{"(function e(t,n,r){function s(o,u){", "", "browserify", "browserify's module loader"},
	}
}

// search is what one pass over a file looks for: the marks, what must be with
// them, and what the closer looks start from.
type search struct {
	*finder
	marks []mark
	text  []int // of marks[i]: index of its text
	with  []int // of marks[i]: index of what must be there as well, -1 for nothing

	folder, mapping int // index of packageFolder and mapComment
}

// newSearch is lazy, because most runs of the program look at no script.
var newSearch = sync.OnceValue(func() *search {
	s := &search{marks: marks()}
	var texts []string
	add := func(t string) int {
		texts = append(texts, t)
		return len(texts) - 1
	}
	for _, m := range s.marks {
		s.text = append(s.text, add(m.text))
		if m.with == "" {
			s.with = append(s.with, -1)
		} else {
			s.with = append(s.with, add(m.with))
		}
	}
	s.folder, s.mapping = add(packageFolder), add(mapComment)
	s.finder = newFinder(texts)
	return s
})

// Detect looks at one whole file. Its time is linear in the length of src, on
// any input.
func Detect(src []byte) Detection {
	s := newSearch()
	seen := s.find(src)
	d := s.detect(src, seen)
	if seen.has(s.mapping) {
		d.Map = MapReference(src)
	}
	return d
}

func (s *search) detect(src []byte, seen found) Detection {
	for i, m := range s.marks {
		if seen.has(s.text[i]) && (s.with[i] < 0 || seen.has(s.with[i])) {
			return Detection{Bundler: m.bundler, Mark: m.what}
		}
	}
	if seen.has(s.folder) {
		if namesPackageFiles(src) {
			return Detection{Bundler: "esbuild", Mark: "comments that name packages' files"}
		}
		if keyedByPackageFile(src) {
			return Detection{Bundler: "esbuild", Mark: "module keys that name packages' files"}
		}
	}
	if numberedModules(src) {
		return Detection{Bundler: "webpack", Mark: "a table of numbered modules, minified"}
	}
	if banners(src) >= 3 {
		return Detection{Bundler: "bundler", Mark: "licence banners of several packages"}
	}
	if len(src) >= MinifiedBytes && minified(src) {
		return Detection{Bundler: "minified", Mark: "more than 64 KB of minified code"}
	}
	return Detection{}
}

// packageFolder is part of the name of every package's file.
const packageFolder = "node_modules/"

// namesPackageFiles finds a line that is nothing but "// [../]node_modules/x/y.js",
// as esbuild, bun and rolldown write one in front of each module.
func namesPackageFiles(src []byte) bool {
	for at := 0; ; {
		i := bytes.Index(src[at:], []byte(packageFolder))
		if i < 0 {
			return false
		}
		i += at
		at = i + len(packageFolder)
		start := bytes.LastIndexByte(src[max(0, i-512):i], '\n') + 1 + max(0, i-512)
		before := bytes.TrimLeft(src[start:i], " \t")
		before, ok := bytes.CutPrefix(before, []byte("// "))
		if !ok || bytes.ContainsAny(before, " \t'\"`(") {
			continue
		}
		end := bytes.IndexByte(src[at:min(len(src), at+1024)], '\n')
		if end < 0 {
			end = min(len(src), at+1024) - at
		}
		rest := bytes.TrimRight(src[at:at+end], " \r")
		if len(rest) > 0 && !bytes.ContainsAny(rest, " \t'\"`(;") && bytes.IndexByte(rest, '/') > 0 {
			return true
		}
	}
}

// keyedByPackageFile finds `"node_modules/x/y.js"(`, the key of a module that
// esbuild keeps when only blanks were minified.
func keyedByPackageFile(src []byte) bool {
	for at := 0; ; {
		i := bytes.Index(src[at:], []byte(packageFolder))
		if i < 0 {
			return false
		}
		at += i + len(packageFolder)
		rest := src[at:min(len(src), at+512)]
		end := bytes.IndexByte(rest, '"')
		if end > 0 && end+1 < len(rest) && rest[end+1] == '(' && !bytes.ContainsAny(rest[:end], " \n\t") {
			return true
		}
	}
}

// numberedModules reports whether src has at least three of
// "123:(e,t,n)=>{" and "123:function(e,t,n){", one of them with all of module,
// exports and require: the table of modules that webpack and its relatives
// leave after minification.
func numberedModules(src []byte) bool {
	n, whole := 0, false
	for at := 0; n < 3 || !whole; {
		i := bytes.IndexByte(src[at:], ':')
		if i < 0 {
			return false
		}
		i += at
		at = i + 1
		if i < 2 || !digit(src[i-1]) || !afterNumber(src, i) {
			continue
		}
		rest := src[i+1 : min(len(src), i+96)]
		if r, ok := bytes.CutPrefix(rest, []byte("function")); ok {
			rest = r
		}
		if parameters := module(rest); parameters > 0 {
			n++
			whole = whole || parameters == 3
		}
	}
	return true
}

// afterNumber reports whether the digits that end at i follow "{" or ",".
func afterNumber(src []byte, i int) bool {
	j := i
	for j > 0 && i-j < 12 && digit(src[j-1]) {
		j--
	}
	return j > 0 && (src[j-1] == '{' || src[j-1] == ',')
}

// module returns the number of parameters of the function that text starts
// with, 0 when it starts with none.
func module(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	if text[0] != '(' {
		// one parameter without parentheses: e=>{
		i := 0
		for i < len(text) && identifier(text[i]) {
			i++
		}
		if i > 0 && i < 24 && bytes.HasPrefix(text[i:], []byte("=>{")) {
			return 1
		}
		return 0
	}
	end := bytes.IndexByte(text, ')')
	if end < 0 {
		return 0
	}
	n := 1
	for _, c := range text[1:end] {
		if c == ',' {
			n++
		} else if !identifier(c) {
			return 0
		}
	}
	if bytes.HasPrefix(text[end+1:], []byte("=>{")) || bytes.HasPrefix(text[end+1:], []byte("{")) {
		return n
	}
	return 0
}

// banners counts comments that minifiers and bundlers keep for legal reasons.
// One or two may be the author's own; counting stops at 3.
func banners(src []byte) int {
	n := 0
	for at := 0; n < 3; {
		i := bytes.Index(src[at:], []byte("/*!"))
		if i < 0 {
			return n
		}
		at += i + 3
		text := src[at:min(len(src), at+1024)]
		if end := bytes.Index(text, []byte("*/")); end >= 0 {
			text = text[:end]
		}
		at += len(text) // what looks like a start within a comment is none
		if bytes.Contains(text, []byte("icense")) || bytes.Contains(text, []byte("opyright")) {
			n++
		}
	}
	return n
}

// dataBytes is how much text in long lines may pass as data for its lack of
// functions. More than that is not looked through by anybody either.
const dataBytes = 1 << 20

// minified reports whether most of src lies in lines of over 500 bytes that
// hold code: data (a table of words, base64) has long lines, but few functions.
func minified(src []byte) bool {
	long, functions := 0, 0
	for rest := src; len(rest) > 0; {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if len(line) > 500 {
			long += len(line)
			functions += bytes.Count(line, []byte("=>")) + bytes.Count(line, []byte("function")) + bytes.Count(line, []byte("return"))
		}
	}
	return long > len(src)/2 && (functions > long/2048 || long > dataBytes)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func identifier(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || digit(c) || c == '_' || c == '$'
}
