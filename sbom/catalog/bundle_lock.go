package catalog

import (
	"path"
	"slices"
	"strings"
)

// maxCandidates is how many versions are listed of a package when a lockfile
// does not tell which one it is.
const maxCandidates = 20

// lockIndex answers which version of a package a lockfile means.
type lockIndex struct {
	*lock
	byPath map[string]int   // where the lockfile says that a package is installed, of npm and bun
	byName map[string][]int // by the name of the package, and by the one that it is installed under
	byKey  map[string]int   // what others call it, of Yarn and pnpm
}

func newLockIndex(l *lock) *lockIndex {
	x := &lockIndex{lock: l, byPath: map[string]int{}, byName: map[string][]int{}, byKey: map[string]int{}}
	for i := range l.entries {
		e := &l.entries[i]
		names := []string{e.name}
		for _, at := range []string{e.path, e.hoisted} {
			if at != "" {
				x.byPath[at] = i
				names = append(names, at[max(lastNodeModules(at), 0):])
			}
		}
		for _, k := range e.keys {
			x.byKey[k] = i
			name, _, _ := npmDescriptor(k)
			names = append(names, name)
		}
		slices.Sort(names)
		for _, n := range slices.Compact(names) {
			x.byName[n] = append(x.byName[n], i)
		}
	}
	return x
}

// answer is what a lockfile says about one package of a bundle.
type answer struct {
	name     string   // the real one, where it is installed under another
	version  string   // "" when the lockfile does not tell which of versions
	versions []string // that the lockfile has of it, sorted
	exact    bool     // the version is that of the very place
	local    bool     // it is a project of the workspace: the function's own code
	entry    int      // of the version
}

// ask looks a package up by where it was installed; at is "" when that is not
// known. It is false when the lockfile says nothing about the package, which is
// also so for a copy that another package was published with: the lockfile has
// the other package there, and nothing in it.
func (x *lockIndex) ask(name, at string) (answer, bool) {
	if i, ok := x.place(at); ok {
		e := &x.entries[i]
		return answer{name: e.name, version: e.version, exact: true, local: e.main, entry: i}, true
	}
	if parent := nestedIn(at); parent != "" {
		if _, ok := x.place(parent); ok {
			return answer{}, false
		}
	}
	var list []int
	for _, i := range x.byName[name] {
		if !x.entries[i].main {
			list = append(list, i)
		}
	}
	if len(list) == 0 {
		return answer{local: len(x.byName[name]) > 0}, len(x.byName[name]) > 0
	}
	if i, ok := x.byNeed(name, at); ok {
		return answer{name: x.entries[i].name, version: x.entries[i].version, entry: i}, true
	}
	out := answer{name: x.entries[list[0]].name, entry: list[0]}
	for _, i := range list {
		if v := x.entries[i].version; v != "" {
			out.versions = append(out.versions, v)
		}
	}
	slices.Sort(out.versions)
	out.versions = slices.Compact(out.versions)
	if len(out.versions) == 1 {
		out.version = out.versions[0]
	}
	return out, true
}

// place finds the entry of an installed package: the path may start in any
// folder above the lockfile's.
func (x *lockIndex) place(at string) (int, bool) {
	for at != "" {
		if i, ok := x.byPath[at]; ok {
			return i, true
		}
		if strings.HasPrefix(at, "node_modules/") {
			break
		}
		_, rest, ok := strings.Cut(at, "/")
		if !ok {
			break
		}
		at = rest
	}
	return 0, false
}

// byNeed finds the entry by who asks for it, for lockfiles that have no places:
// the package that it is nested in, or the project itself.
func (x *lockIndex) byNeed(name, at string) (int, bool) {
	if len(x.byPath) > 0 || at == "" {
		return 0, false
	}
	if parent := nestedIn(at); parent != "" {
		last := parent[max(lastNodeModules(parent), 0):]
		owner, ok := x.byNeed(last, parent)
		if !ok {
			list := x.byName[last]
			if len(list) != 1 {
				return 0, false
			}
			owner = list[0]
		}
		for _, k := range x.entries[owner].needs {
			if n, _, _ := npmDescriptor(k); n == name {
				i, ok := x.byKey[k]
				return i, ok
			}
		}
		return 0, false
	}
	found, n := 0, 0
	for _, i := range x.byName[name] {
		if x.entries[i].root && !x.entries[i].main {
			found = i
			n++
		}
	}
	return found, n == 1
}

// has reports whether the lockfile names this version.
func (x *lockIndex) has(name, version string) bool {
	return slices.ContainsFunc(x.byName[name], func(i int) bool { return x.entries[i].version == version })
}

// versionsFor returns the lockfiles that may speak for a bundle: of the nearest
// folder first, those that were given last. An npm record of what is installed
// says nothing about a bundle.
func (a *artifact) versionsFor(p string, locks []lock) []*lockIndex {
	var out []*lockIndex
	for i := range locks {
		l := &locks[i]
		if l.typ != "npm" || path.Base(l.path) == ".package-lock.json" || !below(p, l.dir) {
			continue
		}
		if l.index == nil {
			l.index = newLockIndex(l)
		}
		out = append(out, l.index)
	}
	slices.SortStableFunc(out, func(x, y *lockIndex) int { return len(y.dir) - len(x.dir) })
	return append(out, a.opts.lockIndexes...)
}
