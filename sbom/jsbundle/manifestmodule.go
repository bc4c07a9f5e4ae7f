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
// Which of several copies of a package it is the path tells too. A comment that
// starts a file of a package with its name and version is as good.
type manifestModules struct {
	claims []Claim
	module origin // the package's module that is being read; the zero value: none
	file   string // its path below the package
	left   int    // tokens that may still belong to it
	key    bool   // the last name was "version"

	pending *Token // a key that names a module, if a function follows it

	own      []int64  // where manifests of the function's own start, and where the next module does
	ownOpen  bool     // the last of those has not ended
	ownPaths []string // of those manifests
}

// manifestTokens is how many tokens of a manifest are looked at.
const manifestTokens = 2_000

// token looks at one token of the bundle.
func (m *manifestModules) token(t *Token) {
	if p := m.pending; p != nil && t.Kind != Comment && (t.Kind != Punct || t.Text[0] != ':') {
		m.pending = nil
		if t.Kind == Name || t.Kind == Punct && t.Text[0] == '(' { // other objects have files for keys too: the exports of a manifest
			m.start(p)
		}
	}
	if (t.Kind == Comment || t.Kind == String) && (bytes.Contains(t.Text, []byte(packageFolder)) || bytes.Contains(t.Text, []byte("package.json"))) {
		switch {
		case t.Kind == Comment && t.Alone:
			m.start(t)
		case t.Kind == String && t.Key():
			m.pending = &Token{Text: bytes.Clone(t.Text[:min(len(t.Text), maxModulePath+1)]), Offset: t.Offset}
		}
		return
	}
	if t.Kind == Comment && m.module.name != "" {
		if version := titleVersion(m.module.name, t.Text); version != "" {
			m.claim(t, version, MethodLicence, "a comment in a file of it starts with its name and version")
		}
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

// start begins with the module that a comment or a key names. Any other module
// ends the one before.
func (m *manifestModules) start(t *Token) {
	if len(t.Text) > maxModulePath {
		return
	}
	module := strings.Trim(string(t.Text), "/*!#\"'`\\ \t\r\n") // webpack draws a box with backslashes around it
	module = strings.TrimSpace(strings.TrimPrefix(module, "region "))
	o := parseModule(module)
	if o.whose == nobodys {
		return
	}
	m.module, m.left, m.key = origin{}, 0, false
	ownManifest := o.whose == own && path.Base(module) == "package.json"
	if m.ownOpen {
		m.own, m.ownOpen = append(m.own, t.Offset), false
	}
	if ownManifest && len(m.own) < 2*maxManifests {
		m.own, m.ownPaths, m.ownOpen = append(m.own, t.Offset+1), append(m.ownPaths, module), true
	}
	if o.whose != packages {
		return
	}
	if _, m.file, _ = strings.Cut(module, o.install+"/"); saysVersion(m.file, o.name) {
		m.left = manifestTokens
	}
	m.module = o
}

// isOwn reports whether the manifest at offset is the function's own, or of a
// package beside it in one repository: nobody published it under its name. It
// returns its path as well.
func (m *manifestModules) isOwn(offset int64) (path string, yes bool) {
	i, exactly := slices.BinarySearch(m.own, offset)
	if exactly {
		i++
	}
	if i%2 == 0 {
		return "", false
	}
	return m.ownPaths[i/2], true
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

// found takes the version that the module's file says.
func (m *manifestModules) found(t *Token, version string) {
	m.left = 0
	if exact(version) == "" {
		return
	}
	if m.file == "package.json" {
		m.claim(t, version, MethodManifest, "the bundler names its package.json, which says the version")
	} else {
		m.claim(t, version, MethodLiteral, "the bundler names the file in which it keeps its version")
	}
}

// claim makes the claim about the module's package.
func (m *manifestModules) claim(t *Token, version string, how Method, detail string) {
	if len(m.claims) < maxManifests {
		m.claims = append(m.claims, said(m.module, version, how, detail, t.Offset))
	}
}
