package jsbundle

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// manifestModules finds the versions in modules that are a package.json, or the
// file that a package keeps its version in, by the bundler's own word, in a
// comment or a key. Of such a module often only the constant that the code uses
// is left: // node_modules/x/package.json, and below it var version = "1.2.3".
// Which of several copies of a package it is the path tells too.
type manifestModules struct {
	claims []Claim
	module origin // whose manifest is being read; the zero value: none
	file   string // its path below the package
	left   int    // tokens that may still belong to it
	key    bool   // the last name was "version"

	own     []int64 // where manifests of the function's own start, and where the next module does
	ownOpen bool    // the last of those has not ended
}

// manifestTokens is how many tokens of a manifest are looked at.
const manifestTokens = 2_000

// token looks at one token of the bundle.
func (m *manifestModules) token(t *Token) {
	if (t.Kind == Comment || t.Kind == String) && (bytes.Contains(t.Text, []byte(packageFolder)) || bytes.Contains(t.Text, []byte("package.json"))) {
		m.start(t)
		return
	}
	if m.left == 0 || t.Kind == Comment {
		return
	}
	m.left--
	switch {
	case t.Kind == String && m.key && (t.Prev == ':' || t.Prev == '='):
		m.found(t, t.Value())
	case t.Kind == String && t.Prev == '(' && len(t.Text) <= manifestBytes:
		m.parse(t)
	}
	if t.Kind != Punct {
		m.key = isVersion(t.Text)
	}
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

// start begins with the module that a comment or a key names. Any other module
// ends the one before.
func (m *manifestModules) start(t *Token) {
	if t.Kind == Comment && !t.Alone || t.Kind == String && !t.Key() || len(t.Text) > maxModulePath {
		return
	}
	m.module, m.left, m.key = origin{}, 0, false
	module := strings.Trim(string(t.Text), "/*!#\"'` \t\r\n")
	module = strings.TrimSpace(strings.TrimPrefix(module, "region "))
	o := parseModule(module)
	ownManifest := o.whose == own && path.Base(module) == "package.json"
	if ownManifest != m.ownOpen && len(m.own) < 2*maxManifests {
		m.own, m.ownOpen = append(m.own, t.Offset), ownManifest
	}
	if _, file, ok := strings.Cut(module, o.install+"/"); ok && o.whose == packages && saysVersion(file, o.name) {
		m.module, m.file, m.left = o, file, manifestTokens
	}
}

// isOwn reports whether the manifest at offset is the function's own, or of a
// package beside it in one repository: nobody published it under its name.
func (m *manifestModules) isOwn(offset int64) bool {
	i, exactly := slices.BinarySearch(m.own, offset)
	if exactly {
		i++
	}
	return i%2 == 1
}

// parse takes the version of a manifest in a string.
func (m *manifestModules) parse(t *Token) {
	var manifest struct{ Version any }
	if text := t.Value(); strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &manifest) == nil {
		if v, ok := manifest.Version.(string); ok {
			m.found(t, v)
		}
	}
}

// found makes the claim, and ends the module.
func (m *manifestModules) found(t *Token, version string) {
	if exact(version) != "" && len(m.claims) < maxManifests {
		c := Claim{Name: m.module.name, Version: version, Method: MethodManifest, Confidence: 0.97, Path: m.module.install, Offset: t.Offset,
			Detail: "the bundler names its package.json, which says the version"}
		if m.file != "package.json" {
			c.Method, c.Confidence, c.Detail = MethodLiteral, 0.85, "the bundler names the file in which it keeps its version"
		}
		m.claims = append(m.claims, c)
	}
	m.left = 0
}
