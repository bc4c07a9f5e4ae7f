package jsbundle

import (
	"bytes"
	"path"
	"strings"
)

// VersionIn reads the version of a package off one of its files, whose path tells
// whose it is: sources that a map carries along. That is its package.json, the
// file that it keeps its version in, or any that starts with its name and
// version. False when the file tells none.
func VersionIn(module string, content []byte) (Claim, bool) {
	o := parseModule(module)
	_, file, ok := strings.Cut(module, o.install+"/")
	if o.whose != packages || !ok {
		return Claim{}, false
	}
	if file == "package.json" {
		found, ok := parseManifest(content)
		if !ok || found.Name != o.name {
			return Claim{}, false
		}
		return said(o, found.Version, MethodManifest, "the source map carries its package.json", -1), true
	}
	if version := titleVersion(o.name, firstComment(content)); version != "" {
		return said(o, version, MethodLicence, "a file of it in the source map starts with its name and version", -1), true
	}
	if !saysVersion(file, o.name) {
		return Claim{}, false
	}
	m := manifestModules{module: o, file: file, left: manifestTokens}
	_ = Lex(content, m.token) // what comes before a mistake counts
	if len(m.claims) == 0 {
		return Claim{}, false
	}
	return said(o, m.claims[0].Version, MethodLiteral, "the source map carries the file in which it keeps its version", -1), true
}

// versionsInMap reads the versions off the sources that a map carries, as far as
// bytes were made from them. from is the map's path.
func versionsInMap(o *ownership, from string) []Claim {
	made := map[origin]int64{} // where it is seen first
	for _, s := range o.list {
		if s.who >= 0 {
			made[o.origins[s.who]] = o.first[s.who]
		}
	}
	var out []Claim
	for n := range o.sections {
		s := &o.sections[n]
		for i := range min(len(s.sources), len(s.contents)) {
			module := s.source(i)
			of := parseModule(module)
			first, ok := made[of]
			if of.whose != packages || !ok {
				continue
			}
			content := s.contents[i]
			if _, file, _ := strings.Cut(module, of.install+"/"); !saysVersion(file, of.name) {
				content = content[:min(len(content), bannerLines*lineBytes)] // a title is at the top
			}
			if c, ok := VersionIn(module, unquote(nil, content[:min(len(content), manifestBytes)])); ok {
				c.From, c.Offset = from, first
				out = append(out, c)
			}
		}
	}
	return unique(out)
}

// said returns the claim for a version that a file of a package says.
func said(o origin, version string, how Method, detail string, offset int64) Claim {
	c := Claim{Name: o.name, Version: version, Method: how, Confidence: 0.85, Path: o.install, Offset: offset, Detail: detail}
	if how == MethodManifest {
		c.Confidence = 0.97
	}
	return c
}

// firstComment returns the block comment that a file starts with, nil when it
// starts otherwise.
func firstComment(content []byte) []byte {
	content = bytes.TrimLeft(content, " \t\r\n\ufeff")
	if !bytes.HasPrefix(content, []byte("/*")) {
		return nil
	}
	return content[:min(len(content), bannerLines*lineBytes)]
}

// titleVersion returns the version that the first line of a comment gives behind
// the package's name, or behind the name of its product: "lodash 4.0.1 (Custom
// Build)" in a file of lodash.isstring. "" when it does not.
func titleVersion(name string, comment []byte) string {
	lines := bannerText(string(comment[:min(len(comment), bannerLines*lineBytes)]))
	if len(lines) == 0 {
		return ""
	}
	title, version := splitVersion(lines[0])
	base := path.Base(name)
	title = strings.TrimSuffix(strings.ToLower(title), ".js")
	if version == "" || title != name && title != strings.TrimSuffix(base, ".js") && !(title == "lodash" && strings.HasPrefix(base, "lodash.")) {
		return ""
	}
	return version
}

// isVersion reports whether a name or key is that of a package's version, as
// rollup numbers it too.
func isVersion(text []byte) bool {
	text, _, _ = bytes.Cut(bytes.Trim(text, "\"'`"), []byte("$"))
	switch string(text) {
	case "version", "VERSION", "packageVersion", "PACKAGE_VERSION", "SDK_VERSION", "LIB_VERSION":
		return true
	}
	return false
}

// saysVersion reports whether a file of a package, by its path below the
// package, is its manifest or what many write at each release, so that code can
// tell its version: version.js, axios's lib/env/data.js, core-js's shared store.
func saysVersion(file, name string) bool {
	base, ext := path.Base(file), path.Ext(file)
	switch strings.TrimSuffix(base, ext) {
	case "package":
		return file == "package.json"
	case "version", "_version", "package-version", "packageVersion":
		return ext != ".json"
	case "data":
		return name == "axios" && strings.HasSuffix(file, "env/data.js")
	case "meta":
		return name == "pino"
	case "shared", "shared-store", "_core":
		return name == "core-js" || name == "core-js-pure"
	}
	return false
}
