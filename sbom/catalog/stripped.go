package catalog

import (
	"bytes"
	"context"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// strippedPython reports Python packages whose metadata was deleted to save
// space (serverless-python-requirements does so with "slim: true"). Such a
// package still looks like somebody's release: it carries a version, and one
// more thing that people give to a release and not to their own function. The
// function's own modules have neither.
func strippedPython(ctx context.Context, a *artifact) {
	for i := range a.files {
		if ctx.Err() != nil {
			return
		}
		p := a.files[i].Path
		if path.Base(p) != "__init__.py" || a.files[i].Link != "" || a.owners.owns(p) {
			continue
		}
		dir := dirOf(p)
		if dir == "" || !pythonRoot(dirOf(dir)) {
			continue
		}
		if sign := a.released(dir, p); sign != "" {
			a.unknown(dir, sbom.Opaque, "Python package without metadata: "+sign, true)
		}
	}
}

// pythonRoot reports whether the platform searches a folder for modules.
func pythonRoot(dir string) bool {
	switch dir {
	case "", "python", ".python_packages/lib/site-packages":
		return true
	}
	return strings.HasPrefix(dir, "python/lib/python3") && path.Base(dir) == "site-packages"
}

// released says what shows that the package in dir was released by somebody,
// "" when nothing does.
func (a *artifact) released(dir, initFile string) string {
	data, err := a.read(initFile, a.opts.MaxManifest)
	if err != nil {
		a.unread(initFile, err)
		return ""
	}
	versioned := ""
	if bytes.Contains(data, []byte("\n__version__")) || bytes.HasPrefix(data, []byte("__version__")) {
		versioned = "__init__.py has a __version__"
	}
	for _, name := range []string{"_version.py", "version.py", "__version__.py", "__about__.py"} {
		if versioned == "" && a.has(path.Join(dir, name)) {
			versioned = "it has a " + name
		}
	}
	if versioned == "" {
		return ""
	}
	for _, word := range []string{"__author__", "__license__", "__copyright__", "Copyright", "Licensed under", "__all__"} {
		if bytes.Contains(data, []byte(word)) {
			return versioned
		}
	}
	for _, name := range []string{"py.typed", "LICENSE", "LICENSE.txt", "exceptions.py", "_compat.py", "compat.py", "__main__.py"} {
		if a.has(path.Join(dir, name)) {
			return versioned
		}
	}
	return ""
}
