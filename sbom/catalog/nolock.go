package catalog

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// withoutLock reports a manifest of a kind whose dependencies are not read,
// when nothing else tells them: it asks for packages, none of its ecosystem is
// installed, and no lockfile lists them. Passing over it would call a function
// clean whose dependencies nobody has looked at.
func (a *artifact) withoutLock(p string, in *installed, locked projects) {
	typ, asks := "", (func([]byte) (bool, error))(nil)
	switch path.Base(p) {
	case "composer.json":
		typ, asks = "composer", composerAsks
	case "pyproject.toml":
		typ, asks = "pypi", pyprojectAsks
	case "Pipfile":
		typ, asks = "pypi", pipfileAsks
	case "Gemfile", "gems.rb":
		typ, asks = "gem", gemfileAsks
	default:
		return
	}
	if in.types[typ] || locked.cover(typ, dirOf(p)) || typ == "pypi" && a.has(path.Join(dirOf(p), "requirements.txt")) {
		return
	}
	data, err := a.read(p, a.opts.MaxManifest)
	if err == nil && typ == "composer" {
		err = a.checkJSON(data)
	}
	ok := false
	if err == nil {
		ok, err = asks(data)
	}
	if err != nil {
		a.unread(p, fmt.Errorf("read manifest: %w", err))
		return
	}
	if ok {
		a.unknown(p, sbom.Opaque, path.Base(p)+": its dependencies are not listed by a lockfile and none is installed", true)
	}
}

// composerAsks reports whether composer.json requires packages; names without
// a slash are the platform (https://getcomposer.org/doc/articles/composer-platform-dependencies.md).
func composerAsks(data []byte) (bool, error) {
	var doc struct {
		Require json.RawMessage `json:"require"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return false, fmt.Errorf("parse composer.json: %w", err)
	}
	var names map[string]json.RawMessage
	_ = json.Unmarshal(doc.Require, &names) // absent, or the empty list that PHP writes
	for name := range names {
		if strings.Contains(name, "/") {
			return true, nil
		}
	}
	return false, nil
}

// pyprojectAsks reports whether pyproject.toml names packages to run with:
// "dependencies" of [project]
// (https://packaging.python.org/specifications/pyproject-toml/) or Poetry's
// table. It reads lines and is no TOML parser; a list in an unusual layout
// counts as not empty.
func pyprojectAsks(data []byte) (bool, error) {
	section, open := "", false
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case open:
			if line[0] == ']' {
				open = false
				continue
			}
			return true, nil
		case line[0] == '[':
			section = strings.ReplaceAll(strings.Trim(line, "[] "), " ", "")
			continue
		}
		key, value, ok := tomlField(line)
		if !ok {
			continue
		}
		switch section {
		case "tool.poetry.dependencies":
			if key != "python" {
				return true, nil
			}
		case "project", "":
			if key != "dependencies" && key != "project.dependencies" {
				continue
			}
			if value == "[" {
				open = true
			} else if strings.ReplaceAll(value, " ", "") != "[]" {
				return true, nil
			}
		case "project.optional-dependencies":
			continue // extras are asked for by name
		}
	}
	return false, nil
}

// pipfileAsks reports whether a Pipfile has [packages].
func pipfileAsks(data []byte) (bool, error) {
	section := ""
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[] ")
			if strings.HasPrefix(section, "packages.") {
				return true, nil
			}
		case section == "packages":
			return true, nil
		}
	}
	return false, nil
}

// gemfileAsks reports whether a Gemfile, which is a program, names a gem.
func gemfileAsks(data []byte) (bool, error) {
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimSpace(line)
		for _, word := range []string{"gem ", "gem(", "gem\t", "gemspec", "eval_gemfile", "instance_eval"} {
			if strings.HasPrefix(line, word) {
				return true, nil
			}
		}
	}
	return false, nil
}
