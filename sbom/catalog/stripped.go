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
	res := pystrip.Scan(ctx, pystrip.Input{Files: a.files, Read: a.read, Owned: a.owners.owns, Claims: a.claimants, Installed: a.distributions}, pystrip.Options{
		MaxPackages: max(a.opts.MaxComponents-len(a.found), 1), Known: a.opts.PythonProject,
	})
	for i := range res.Stated {
		a.contradicted(&res.Stated[i])
	}
	for i := range res.Packages {
		if p := &res.Packages[i]; !p.NameOnly && !p.Vendored {
			a.ownStripped(p)
		}
	}
	for i := range res.Packages {
		if p := &res.Packages[i]; p.Vendored && !a.owners.owns(p.Path) {
			a.ownStripped(p)
		}
	}
	var pinned pins
	if len(res.Packages) > 0 || slices.ContainsFunc(a.found, func(f found) bool { return f.typ == "pypi" }) {
		pinned = a.pythonPins() // knows whose files these are by now
	}
	for i := range res.Packages {
		p := &res.Packages[i]
		if p.NameOnly {
			if !pinned.name(append([]string{p.Project}, p.Others...)...) {
				continue // a module of the function's own, by all that there is
			}
			a.ownStripped(p)
		}
		f := found{
			typ: "pypi", name: p.Project, version: p.Version, versions: p.Versions, path: p.Path, dir: p.Root, method: p.Method, confidence: p.Confidence, detail: p.Detail,
			vendored: p.Vendored,
		}
		switch {
		case p.Vendored:
		case f.version == "":
			pinned.complete(&f, p.Others)
		case len(p.Others) > 0:
			pinned.rename(&f, p.Others)
		}
		a.add(f)
	}
	pinned.compare(a.found)
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

// ownStripped says whose the files of a package are. Those of a copy are the
// package's around it, if there is one: else it lies in code of the function's own.
func (a *artifact) ownStripped(p *pystrip.Package) {
	for _, dir := range p.Dirs {
		a.owners.addDir(dir)
	}
	for _, m := range p.Modules {
		a.ownModule(m)
	}
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
