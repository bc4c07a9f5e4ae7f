package catalog

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/pystrip"
)

// strippedPython finds the Python projects whose metadata was deleted to save
// space (serverless-python-requirements does so with "slim: true"), and the
// copies that packages carry of others. What was released by somebody and could
// not be named is opaque. It runs right behind the step for metadata, so that
// the later ones know whose files these are.
func strippedPython(ctx context.Context, a *artifact) {
	res := pystrip.Scan(ctx, pystrip.Input{Files: a.files, Read: a.read, Owned: a.owners.owns}, pystrip.Options{
		MaxPackages: max(a.opts.MaxComponents-len(a.found), 1), Known: a.opts.PythonProject,
	})
	for i := range res.Packages {
		p := &res.Packages[i]
		if !p.Vendored { // of a copy the package around it is the owner
			for _, dir := range p.Dirs {
				a.owners.addDir(dir)
			}
			for _, m := range p.Modules {
				a.ownModule(m)
			}
		}
	}
	for i := range res.Packages {
		if p := &res.Packages[i]; p.Vendored && !a.owners.owns(p.Path) { // in code of the function's own
			for _, dir := range p.Dirs {
				a.owners.addDir(dir)
			}
			for _, m := range p.Modules {
				a.ownModule(m)
			}
		}
	}
	var pinned pins
	for i := range res.Packages {
		p := &res.Packages[i]
		f := found{
			typ: "pypi", name: p.Project, version: p.Version, versions: p.Versions, path: p.Path, dir: p.Root, method: p.Method, confidence: p.Confidence, detail: p.Detail,
		}
		if (f.version == "" || len(p.Others) > 0) && !p.Vendored {
			if pinned == nil {
				pinned = a.pythonPins() // knows whose files these are by now
			}
			if f.version == "" {
				pinned.complete(&f, p.Others)
			} else {
				pinned.rename(&f, p.Others)
			}
		}
		a.add(f)
	}
	for _, dir := range a.bareInfos {
		stem := strings.TrimSuffix(path.Base(dir), path.Ext(dir))
		if !slices.ContainsFunc(res.Packages, func(p pystrip.Package) bool {
			return p.Root == dirOf(dir) && sbom.CanonicalName("pypi", p.Project) == sbom.CanonicalName("pypi", stem)
		}) {
			a.unknown(dir, sbom.Unreadable, "no METADATA, and the folder's name has no version", true)
		}
	}
	a.tooMany += res.Dropped
	for _, u := range res.Unread {
		a.unread(u.Path, u.Err)
	}
	for _, g := range res.Gaps {
		a.unknown(g.Path, sbom.Opaque, "Python package without metadata: "+g.Reason, true)
	}
	a.pythonCompiled()
}

// ownModule says that a module that is a file of its own belongs to a package,
// in whatever form it is there.
func (a *artifact) ownModule(p string) {
	for _, ext := range []string{".py", ".pyc", ".so", ".pyd"} {
		if a.has(p + ext) {
			a.owners.addFile(p + ext)
		}
	}
	a.owners.addModule(p) // NAME.cpython-312-x86_64-linux-gnu.so
}

// pythonVersionModule reports whether a Python file may say which version of
// its package it is.
func pythonVersionModule(p string) bool {
	return pystrip.VersionModule(strings.TrimSuffix(path.Base(p), ".py"))
}
