package catalog

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

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
	names, err := composerRequires(data)
	for name := range names {
		if strings.Contains(name, "/") {
			return true, nil
		}
	}
	return false, err
}

// composerRequires is what composer.json names to run with, by name; the values
// are constraints.
func composerRequires(data []byte) (map[string]json.RawMessage, error) {
	var doc struct {
		Require json.RawMessage `json:"require"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("parse composer.json: %w", err)
	}
	var names map[string]json.RawMessage
	_ = json.Unmarshal(doc.Require, &names) // absent, or the empty list that PHP writes
	return names, nil
}

// pyprojectAsks reports whether pyproject.toml names packages to run with:
// "dependencies" of [project]
// (https://packaging.python.org/specifications/pyproject-toml/) or Poetry's
// table. Extras are asked for by name.
func pyprojectAsks(data []byte) (bool, error) {
	return tomlAsks(data, func(path []string, n *unstable.Node) bool {
		switch {
		case slices.Equal(path, []string{"project", "dependencies"}):
			return n != nil && (n.Kind != unstable.Array || n.Child() != nil)
		case len(path) > 3 && slices.Equal(path[:3], []string{"tool", "poetry", "dependencies"}):
			return path[3] != "python"
		}
		return false
	})
}

// pipfileAsks reports whether a Pipfile has [packages].
func pipfileAsks(data []byte) (bool, error) {
	return tomlAsks(data, func(path []string, _ *unstable.Node) bool { return len(path) > 1 && path[0] == "packages" })
}

// tomlAsks reports whether asks is true for any value of a document, or for any
// header, which has no node.
func tomlAsks(data []byte, asks func(path []string, n *unstable.Node) bool) (bool, error) {
	found := false
	err := scanTOML(data, tomlVisitor{
		header: func(path []string, _ bool) error { found = found || asks(path, nil); return nil },
		value:  func(path []string, n *unstable.Node) error { found = found || asks(path, n); return nil },
	})
	return found, err
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
