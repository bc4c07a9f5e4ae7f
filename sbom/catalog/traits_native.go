package catalog

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// maxNativeNoted is how many files of machine code are named of one package.
const maxNativeNoted = 5

// undeclaredNative notes machine code in packages that declare none: it was
// looked at as every file that may be a program is, so that this only asks whose
// it is.
func undeclaredNative(ctx context.Context, a *artifact) {
	npm, python := map[string]int{}, map[string]int{}
	for i := range a.found {
		switch f := &a.found[i]; {
		case f.typ == "npm" && f.dir != "" && !f.main:
			npm[f.dir] = i
		case f.typ == "pypi":
			python[f.path] = i
		}
	}
	declared := map[string]bool{} // of a package's folder, or of a distribution's metadata
	noted := map[int]int{}
	for i := range a.executables {
		if ctx.Err() != nil {
			return
		}
		p := a.executables[i].path
		at, ok := a.npmPackageOf(p, npm)
		if ok {
			dir := a.found[at].dir
			if _, known := declared[dir]; !known {
				declared[dir] = a.npmDeclaresNative(&a.found[at])
			}
			ok = !declared[dir] && !platformPath(p[len(dir):])
		} else if who := a.claims[p]; len(who) > 0 {
			metadata := a.distributions[who[0]].Metadata
			if at, ok = python[metadata]; ok {
				if _, known := declared[metadata]; !known {
					declared[metadata] = !a.pureWheel(metadata)
				}
				ok = !declared[metadata]
			}
		}
		if ok && noted[at] < maxNativeNoted {
			noted[at]++
			t := trait(sbom.TraitNative, nativeWord(&a.executables[i]))
			t.Path = p
			a.found[at].has(t)
		}
	}
}

// nativeWord says what a file of machine code is.
func nativeWord(e *executable) string {
	kind := map[string]string{mimePE: "Windows", mimeMach: "macOS"}[e.mime]
	what := "program"
	switch path.Ext(e.path) {
	case ".node", ".so", ".pyd", ".dylib", ".dll":
		what = "library"
	default:
		if e.mime == mimeShared && strings.Contains(path.Base(e.path), ".so.") {
			what = "library"
		}
	}
	if kind == "" {
		kind = "Linux"
	}
	return what + " for " + kind
}

// npmPackageOf finds the innermost installed package that a file lies in.
func (a *artifact) npmPackageOf(p string, byDir map[string]int) (int, bool) {
	if !inNodeModules(p) {
		return 0, false
	}
	for dir := dirOf(p); dir != ""; dir = dirOf(dir) {
		if i, ok := byDir[dir]; ok {
			return i, true
		}
	}
	return 0, false
}

// npmDeclaresNative reports whether a package says in any of the usual ways that
// it brings or builds machine code: a build file, a script at installation, the
// platforms that it is for, a family of packages for one platform each, a field
// or a dependency of the tools that fetch or load prebuilt code, or its name.
func (a *artifact) npmDeclaresNative(f *found) bool {
	for _, n := range []string{"binding.gyp", "CMakeLists.txt", "Cargo.toml", "build.zig"} {
		if a.has(path.Join(f.dir, n)) {
			return true
		}
	}
	if platformName(f.name) || slices.ContainsFunc(f.traits, func(t sbom.Trait) bool { return t.Kind == sbom.TraitScript }) {
		return true
	}
	data, err := a.readJSON(f.path, a.opts.MaxManifest)
	if err != nil {
		return false
	}
	for _, field := range []string{`"os"`, `"cpu"`, `"libc"`, `"gypfile"`, `"binary"`, `"napi"`, `"prebuild`, `"node-gyp`, `"node-addon-api"`, `"node-pre-gyp`, `"@mapbox/node-pre-gyp"`, `"bindings"`, `"neon`, `"cmake-js"`} {
		if bytes.Contains(data, []byte(field)) {
			return true
		}
	}
	m, err := parseNpmManifest(data)
	if err != nil {
		return false
	}
	for name := range m.optional {
		if platformName(name) {
			return true
		}
	}
	return false
}

// platformWords are what the names of packages and folders have in them that
// hold code for one platform.
var platformWords = []string{"linux", "darwin", "win32", "win64", "windows", "macos", "mac", "osx", "freebsd", "android", "x64", "x86_64", "amd64", "arm64", "aarch64", "armv7", "ia32", "musl", "gnu", "prebuild", "prebuilds", "prebuilt", "native"}

// platformName reports whether a package is by its name one for a platform:
// "@x/y-linux-x64".
func platformName(name string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("@/-_.", r) }), func(w string) bool {
		return slices.Contains(platformWords, w)
	})
}

// platformPath is platformName for a path inside a package, which declares by
// its folders what the file is for.
func platformPath(p string) bool { return platformName(dirOf(strings.TrimPrefix(p, "/"))) }
