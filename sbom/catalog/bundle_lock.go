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
	given  bool                  // by whoever scans; else it came with the bundle
	byPath map[string]int        // where the lockfile says that a package is installed, of npm and bun
	byName map[string]*namesakes // by the name of the package, and by the one that it is installed under
	byKey  map[string]int        // what others call it, of Yarn and pnpm
}

// namesakes are the entries of one name.
type namesakes struct {
	entry    int      // one of them
	n        int      // how many there are, without projects of the workspace
	versions []string // of all of them, sorted
	root     int      // the one that the project itself asks for
	roots    int      // how many of those there are
}

func (s *namesakes) add(i int, e *lockEntry) {
	if e.main {
		return
	}
	s.entry = i
	s.n++
	if e.root {
		s.root = i
		s.roots++
	}
	if e.version != "" {
		s.versions = append(s.versions, e.version)
	}
}

func newLockIndex(l *lock) *lockIndex {
	x := &lockIndex{lock: l, byPath: map[string]int{}, byName: map[string]*namesakes{}, byKey: map[string]int{}}
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
			if x.byName[n] == nil {
				x.byName[n] = &namesakes{}
			}
			x.byName[n].add(i, e)
		}
	}
	for _, s := range x.byName {
		slices.Sort(s.versions)
		s.versions = slices.Compact(s.versions)
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
	same := x.byName[name]
	if same == nil {
		return answer{}, false
	}
	if same.n == 0 {
		return answer{local: true}, true
	}
	if i, ok := x.byNeed(name, at); ok {
		return answer{name: x.entries[i].name, version: x.entries[i].version, entry: i}, true
	}
	out := answer{name: x.entries[same.entry].name, entry: same.entry, versions: same.versions}
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
			same := x.byName[last]
			if same == nil || same.n != 1 {
				return 0, false
			}
			owner = same.entry
		}
		for _, k := range x.entries[owner].needs {
			if n, _, _ := npmDescriptor(k); n == name {
				i, ok := x.byKey[k]
				return i, ok
			}
		}
		return 0, false
	}
	same := x.byName[name]
	if same == nil {
		return 0, false
	}
	return same.root, same.roots == 1
}

// has reports whether the lockfile names this version.
func (x *lockIndex) has(name, version string) bool {
	same := x.byName[name]
	if same == nil {
		return false
	}
	_, ok := slices.BinarySearch(same.versions, version)
	return ok
}

// versionsFor returns the lockfiles that may speak for a bundle: those that were
// given first, since one that comes with the bundle is as trustworthy as the
// bundle, then that of the nearest folder. An npm record of what is installed
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
	return slices.Concat(a.opts.lockIndexes, out)
}
