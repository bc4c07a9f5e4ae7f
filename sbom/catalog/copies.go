package catalog

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/jsbundle"
)

// copiedConfidence is that in the manifest of a package that was copied: nobody
// keeps such a copy as it was.
const copiedConfidence = 0.8

// isCopy reports whether a manifest in a folder of the function's own is that of
// a published package: it says what those of the registry say and the folder has
// its name, or it is one that this program knows. Its code must be there.
func (a *artifact) isCopy(dir string, m *npmManifest) bool {
	if m.name == "" || m.version == "" || m.private {
		return false
	}
	if rest, ok := strings.CutPrefix(path.Base(dir), path.Base(m.name)); !jsbundle.Known(m.name) && (!m.published || !ok || strings.Trim(rest, "-@._v0123456789") != "") {
		return false
	}
	main := path.Join(dir, m.main)
	for _, p := range []string{main, main + ".js", path.Join(main, "index.js"), path.Join(dir, "index.js")} {
		if a.has(p) && nodeCode(p) {
			return true
		}
	}
	return a.foldersWithScripts()[dir] // it has no single entry
}

// foldersWithScripts returns the folders that have scripts in them or below.
func (a *artifact) foldersWithScripts() map[string]bool {
	if a.scriptDirs != nil {
		return a.scriptDirs
	}
	a.scriptDirs = map[string]bool{}
	for i := range a.files {
		if !script(a.files[i].Path) {
			continue
		}
		for dir := dirOf(a.files[i].Path); !a.scriptDirs[dir]; dir = dirOf(dir) {
			a.scriptDirs[dir] = true
		}
	}
	return a.scriptDirs
}

// copiedFile is a script outside of all packages that is a copy of a package's
// file, or holds one.
type copiedFile struct {
	bundled
	whole string // the package that the file is a copy of; "" when it may hold other code as well
}

// copiedScripts adds the packages whose files were copied among the function's
// own scripts, by what those say about themselves: lib/lodash.js. No lockfile
// knows the version of such a copy.
func (a *artifact) copiedScripts() {
	bundles := map[string]bool{}
	for i := range a.bundles {
		bundles[a.bundles[i].path] = true
	}
	own := map[string]bool{}
	for i := range a.found {
		if f := &a.found[i]; f.main && f.typ == "npm" {
			own[f.name] = true
		}
	}
	for _, i := range slices.Sorted(maps.Keys(a.looks)) {
		p := a.files[i].Path
		claims := slices.DeleteFunc(a.looks[i].copies, func(c jsbundle.Claim) bool { return own[c.Name] })
		if len(claims) == 0 || bundles[p] {
			continue
		}
		c := copiedFile{bundled: bundled{path: p, claims: claims}}
		name := claims[0].Name
		if (jsbundle.Titled(claims[0]) || jsbundle.NamedAfter(p, name)) && !slices.ContainsFunc(claims, func(c jsbundle.Claim) bool { return c.Name != name }) {
			c.whole = name
		}
		a.copied(&c)
	}
}

// copied adds the packages of one file.
func (a *artifact) copied(c *copiedFile) {
	for _, f := range join(&c.bundled, nil) {
		if f.version == "" {
			f.version = a.copiedVersion(c.path, f.name)
		}
		f.bundled, f.copied = false, true
		f.note("a copy among the function's own files")
		a.add(f)
	}
	if a.copies == nil {
		a.copies = map[string]*copiedFile{}
	}
	a.copies[c.path] = c
}

// copiedVersion returns the version of a package whose folder was copied, if a
// file lies in that folder.
func (a *artifact) copiedVersion(p, name string) string {
	for dir := dirOf(p); dir != ""; dir = dirOf(dir) {
		if f := a.copiedDirs[dir]; f != nil && f.name == name {
			return f.version
		}
	}
	return ""
}

// copiedCoverage says whose the code of such a file is. What is not proven to
// be a copy of one package from end to end is nobody's: some of it is a package's.
func (c *codeCounter) copiedCoverage(f *copiedFile, size int64) sbom.CodeFile {
	out := sbom.CodeFile{Path: f.path, Code: size}
	if f.whole != "" {
		out.Attributed, out.Shares = size, []sbom.Share{{Name: f.whole, Bytes: size}}
		return out
	}
	var names []string
	for i := range f.claims {
		names = append(names, f.claims[i].Name)
	}
	out.Unknown, out.Reason = size, "it holds code of "+named(names)+", and what else is in it is not known"
	return out
}
