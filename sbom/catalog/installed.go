package catalog

import (
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// project is a folder with a manifest or lockfile of one ecosystem.
type project struct{ typ, dir string }

// installed says what is installed in one artifact, and of which projects.
//
// One installed package says nothing about the others: a private package is
// vendored beside a lockfile that the platform installs from. On the other
// hand an installed tree lacks development packages, optional ones and those
// of other platforms, which its lockfile lists. So a project counts as
// installed when more than half of what it asks for to run is there:
//
//   - npm: of the project's own production dependencies, by the folder that
//     they are installed in; those in folders of the artifact (file:) don't
//     count, since they lie there either way.
//   - PyPI: of the lockfile's production packages (uv says which are the
//     project's own dependencies) or of the requirements.
//   - Packagist and NuGet: of the lockfile's production packages.
//   - RubyGems: of all gems of the lockfile, which does not tell development
//     apart, so a quarter is enough.
//   - Go and Rust: a program is linked from a part of what go.mod and
//     Cargo.lock list, so one module of theirs in a program is enough.
//
// A project in a folder of an installed one is another project that was packed
// by the way, and counts as installed too.
type installed struct {
	names map[string][]string // type and canonical name -> folders
	types map[string]bool     // types of which anything is installed
	known map[string]bool     // answers of has
	done  projects            // what looks installed
}

// projects is a set of folders per ecosystem.
type projects map[project]bool

// cover reports whether the set has dir or a folder around it.
func (s projects) cover(typ, dir string) bool {
	for ; ; dir = dirOf(dir) {
		if s[project{typ, dir}] {
			return true
		}
		if dir == "" {
			return false
		}
	}
}

func (a *artifact) whatIsInstalled() *installed {
	in := &installed{names: map[string][]string{}, types: map[string]bool{}, known: map[string]bool{}, done: projects{}}
	for i := range a.found {
		f := &a.found[i]
		if f.main || f.declared || f.bundled || f.copied {
			continue
		}
		in.types[f.typ] = true
		k := f.typ + " " + sbom.CanonicalName(f.typ, f.name)
		in.names[k] = append(in.names[k], f.dir)
		if f.typ == "npm" { // also under the name that it is installed by
			if at := lastNodeModules(f.dir); at >= 0 && f.dir[at:] != f.name {
				in.names["npm "+f.dir[at:]] = append(in.names["npm "+f.dir[at:]], f.dir)
			}
		}
	}
	return in
}

// has reports whether a package is installed for the project in dir. Only npm
// installs per folder; a package nested in another one is nobody else's.
func (in *installed) has(typ, name, dir string) bool {
	dirs := in.names[typ+" "+sbom.CanonicalName(typ, name)]
	if typ != "npm" {
		return len(dirs) > 0
	}
	k := name + "\x00" + dir
	there, ok := in.known[k]
	if !ok {
		there = slices.ContainsFunc(dirs, func(d string) bool {
			home, _, _ := strings.Cut(d, "node_modules/")
			return nestedIn(d) == "" && (below(strings.TrimSuffix(home, "/"), dir) || below(dir, strings.TrimSuffix(home, "/")))
		})
		in.known[k] = there
	}
	return there
}

// nestedIn returns the folder of the package that a package is nested in, ""
// when it is not. pnpm's store is no package.
func nestedIn(dir string) string {
	i := strings.LastIndex(dir, "/node_modules/")
	if i < 0 || lastNodeModules(dir[:i]) < 0 {
		return ""
	}
	at := lastNodeModules(dir[:i])
	if strings.HasPrefix(dir[at:], ".") {
		return ""
	}
	return dir[:i]
}

// holds reports whether what a lockfile lists looks installed.
func (in *installed) holds(l *lock) bool {
	there, all := l.present(func(e *lockEntry) bool { return in.has(l.typ, e.name, l.dir) || in.has(l.typ, e.folder(), l.dir) })
	switch l.typ {
	case "golang", "cargo":
		return there > 0
	case "gem":
		return there > 0 && 4*there >= all
	}
	return 2*there > all
}

// npmProjects lists the package.json files of the function, and records which
// of them look installed.
func (a *artifact) npmProjects(in *installed) []string {
	var out []string
	seen := map[string]bool{}
	for i := range a.found {
		if f := &a.found[i]; f.typ == "npm" && f.main && !seen[f.path] && a.has(f.path) {
			seen[f.path] = true
			out = append(out, f.path)
		}
	}
	if a.has("package.json") && !seen["package.json"] {
		out = append(out, "package.json") // a manifest without a name
	}
	for _, p := range out {
		m, ok := a.npmManifestAt(p)
		if !ok {
			continue
		}
		all, there := 0, 0
		for name, rng := range m.ranges {
			if localRange(rng) {
				continue
			}
			all++
			if in.has("npm", name, dirOf(p)) {
				there++
			}
		}
		if 2*there > all {
			in.done[project{"npm", dirOf(p)}] = true
		}
	}
	return out
}

// npmManifestAt reads a manifest that may have been read before; a failure is
// recorded once.
func (a *artifact) npmManifestAt(p string) (npmManifest, bool) {
	if a.failed[p] {
		return npmManifest{}, false
	}
	m, _, ok := a.readNpmManifest(p)
	return m, ok
}

// localRange reports whether a dependency is a folder or file of the function.
func localRange(rng string) bool {
	for _, prefix := range []string{"workspace:", "file:", "link:", "portal:"} {
		if strings.HasPrefix(rng, prefix) {
			return true
		}
	}
	return false
}
