package jsbundle

import (
	"bytes"
	"strings"
)

// A bundler must keep the licences of what it takes in, and so it names the
// packages. Where it says which file a text came from, the name is as good as
// a path; where only the text is left, banner.go reads it.

// esbuildBlock opens what esbuild writes at the end of a file, and into
// FILE.LEGAL.txt without the comment around it (esbuild's --legal-comments).
const esbuildBlock = "Bundled license information:"

// LegalBlock reads esbuild's list of licences, in a bundle or in its companion
// FILE.LEGAL.txt (from is then its name, "" for the bundle itself):
//
//	name/path/file.js:
//	  (*! the comment *)
//
// The version is set where the comment says it in a known form.
func LegalBlock(src []byte, from string) []Claim {
	var claims []Claim
	for at := 0; ; {
		i := bytes.Index(src[at:], []byte(esbuildBlock))
		if i < 0 {
			return unique(claims)
		}
		i += at
		at = i + len(esbuildBlock)
		if from == "" && !bytes.HasSuffix(src[:i], []byte("/*! ")) {
			continue
		}
		text := src[at:]
		if from == "" {
			if end := bytes.Index(text, []byte("*/")); end >= 0 {
				text = text[:end]
			}
		}
		claims = append(claims, legalEntries(text, at, from)...)
		at += len(text)
	}
}

// legalEntries reads the entries of one block, which starts at offset.
func legalEntries(text []byte, offset int, from string) []Claim {
	var claims []Claim
	var body []string // of the comment that belongs to the last claims
	open := 0         // claims[open:] have no comment yet
	flush := func() {
		if b := readBanner(strings.Join(body, "\n")); b.version != "" {
			for i := open; i < len(claims); i++ {
				if claims[i].Name == b.name {
					claims[i].Version = b.version
				}
			}
		}
		open, body = len(claims), nil
	}
	for line, start := range lines(text) {
		if name := legalName(line); name != "" {
			if len(body) > 0 {
				flush()
			}
			place := int64(offset + start)
			if from != "" {
				place = -1
			}
			claims = append(claims, Claim{Name: name, Method: MethodLicence, Confidence: 0.95, Offset: place, From: from,
				Detail: "the bundler's list of licences names a file of it"})
		} else if len(body) < bannerLines {
			body = append(body, commentLine(strings.TrimSpace(string(line[:min(len(line), lineBytes)]))))
		}
	}
	flush()
	return claims
}

// legalName returns the package of a line "name/file.js:", else "".
func legalName(line []byte) string {
	path, ok := bytes.CutSuffix(bytes.TrimRight(line, "\r"), []byte(":"))
	if !ok || len(path) == 0 || len(path) > 1024 || bytes.ContainsAny(path, " \t*\"'`<>()") {
		return ""
	}
	return packageName(string(path))
}

// commentLine takes the comment's marks off a line that esbuild wrote with
// "(*" for "/*".
func commentLine(line string) string {
	line = strings.TrimSuffix(line, "*)")
	line = strings.TrimPrefix(line, "(")
	return line
}

// LicenceFile reads a list of licences that a plugin wrote beside the bundle:
// of ncc --license and license-webpack-plugin (name, licence, text),
// of rollup-plugin-license ("Name: ", "Version: "), of Angular ("Package: "),
// and webpack's FILE.LICENSE.txt, which holds comments. from is its name.
func LicenceFile(text []byte, from string) []Claim {
	var claims []Claim
	add := func(name, version string) {
		claims = append(claims, Claim{Name: name, Version: version, Method: MethodLicence, Confidence: 0.9, Offset: -1, From: from,
			Detail: "a list of licences beside the bundle names it"})
	}
	before, name := "", "" // the last line but one and the name that "Name: " gave
	last := ""
	for raw := range lines(text) {
		line := strings.TrimSpace(string(raw[:min(len(raw), lineBytes)]))
		if v, ok := strings.CutPrefix(line, "Name: "); ok {
			if name = ""; plainName(v) {
				name = v
			}
		} else if v, ok := strings.CutPrefix(line, "Version: "); ok && name != "" && exact(v) != "" {
			add(name, v)
			name = ""
		} else if v, ok := strings.CutPrefix(last, "Package: "); ok && strings.HasPrefix(line, "License: ") && plainName(v) {
			add(v, "")
		} else if before == "" && plainName(last) && licenceID(line) {
			add(last, "")
		}
		before, last = last, line
	}
	for _, c := range comments(text) {
		claims = append(claims, Banner(c.text, -1, from)...)
	}
	return unique(claims)
}

// licenceID reports whether a line is nothing but a licence's SPDX id, or an
// expression in brackets: what stands below a name in a list of licences.
func licenceID(line string) bool {
	if strings.HasPrefix(line, "(") && strings.HasSuffix(line, ")") && (strings.Contains(line, " OR ") || strings.Contains(line, " AND ")) {
		return len(line) < 100
	}
	switch line {
	case "MIT", "ISC", "BSD", "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "Unlicense", "UNLICENSED", "CC0-1.0", "CC-BY-3.0", "CC-BY-4.0",
		"BlueOak-1.0.0", "MPL-2.0", "MIT-0", "Python-2.0", "Zlib", "WTFPL", "Artistic-2.0", "LGPL-3.0", "GPL-3.0", "Public Domain", "Apache 2.0", "Apache License 2.0":
		return true
	}
	return false
}

// comment is a block comment's text, without its marks.
type comment struct {
	text   []byte
	offset int
}

// comments returns the block comments of a file that holds nothing else.
func comments(text []byte) []comment {
	var out []comment
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte("/*"))
		if i < 0 {
			return out
		}
		i += at + 2
		end := bytes.Index(text[i:], []byte("*/"))
		if end < 0 {
			return out
		}
		out = append(out, comment{text[i : i+end], i - 2})
		at = i + end + 2
	}
}

// lines yields each line without its end, and where it starts.
func lines(text []byte) func(func([]byte, int) bool) {
	return func(yield func([]byte, int) bool) {
		for at := 0; at < len(text); {
			end := bytes.IndexByte(text[at:], '\n')
			if end < 0 {
				end = len(text) - at
			}
			if !yield(text[at:at+end], at) {
				return
			}
			at += end + 1
		}
	}
}

// unique drops claims that say nothing beyond an earlier one, so that a file
// cannot make more claims than it has packages.
func unique(claims []Claim) []Claim {
	type key struct{ name, version, path string }
	seen := make(map[key]bool, len(claims))
	out := claims[:0]
	for _, c := range claims {
		k := key{c.Name, c.Version, c.Path}
		if !seen[k] {
			seen[k] = true
			out = append(out, c)
		}
	}
	return out
}
