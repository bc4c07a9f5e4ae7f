package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/pystrip"
)

// pythonCompiled reports packages of which only compiled modules are left:
// Python imports NAME.pyc without a NAME.py beside it
// (https://peps.python.org/pep-3147/#case-4-legacy-pyc-files-and-source-less-imports).
func (a *artifact) pythonCompiled() {
	var dirs []string
	for i := range a.files {
		p := a.files[i].Path
		if !strings.HasSuffix(p, ".pyc") || a.files[i].Link != "" || path.Base(dirOf(p)) == "__pycache__" {
			continue
		}
		source := strings.TrimSuffix(p, "c")
		if a.has(source) || a.owners.owns(p) || a.owners.owns(source) {
			continue
		}
		// the outermost folder that is a package; a module without one stands for itself
		at := p
		for dir := dirOf(p); dir != "" && (a.has(dir+"/__init__.pyc") || a.has(dir+"/__init__.py")); dir = dirOf(dir) {
			at = dir
		}
		dirs = append(dirs, at)
	}
	slices.Sort(dirs)
	for _, at := range slices.Compact(dirs) {
		a.unknown(at, sbom.Opaque, "compiled Python code without its source or metadata", true)
	}
}

// uncheckedCode looks at one folder/__pycache__/NAME.TAG.pyc by its first bytes.
// Python loads compiled code in place of the source beside it when what it
// notes of the source fits: the time and size, or a hash. What does not fit is
// compiled anew, so that a stale file is never run. But one that is marked
// "unchecked" is loaded without a look at the source
// (https://peps.python.org/pep-0552/#specification): one that was compiled from
// something else is code that the source does not show.
func (a *artifact) uncheckedCode(p string, head []byte) {
	dir, base := path.Split(p)
	dir, cached := strings.CutSuffix(dir, "__pycache__/")
	if !cached || path.Ext(base) != ".pyc" || !pystrip.Unchecked(head) {
		return
	}
	name, _, _ := strings.Cut(base, ".")
	source := dir + name + ".py"
	if !a.has(source) {
		return // Python loads it from elsewhere only: pythonCompiled has it
	}
	data, err := a.readRaw(source)
	switch {
	case err != nil:
		a.unread(source, err)
		a.unknown(p, sbom.Opaque, fmt.Sprintf("Python loads it without a look at %s.py, which cannot be read", name), true)
	case !pystrip.CompiledFrom(head, data):
		a.unknown(p, sbom.Opaque, fmt.Sprintf("Python loads it without a look at %s.py, which it was not compiled from", name), true)
	}
}
