package sbom

import (
	"path"
	"slices"
	"strings"
)

// stepsEach bounds the search for the copy that Node.js would load: so many
// looks into a folder for each requirement and each place of the whole list.
// Real trees take a few; what is made to take more loses edges and not time.
const stepsEach = 64

// maxNeedsPath is how long a path may be, in bytes, above which copies are
// looked for.
const maxNeedsPath = 4096

// Needs returns for each component the indices of those that it requires, sorted
// and without itself: what the names and package URLs of Requires mean in this
// list. Names are compared as their registry compares them (CanonicalName), and
// only with packages of the same kind.
//
// A requirement that names nothing in the list, or one of several versions that
// cannot be told apart, is left out: the result says only what is certain. Of
// several npm packages of one name it is the one that Node.js would load from
// where the one that asks lies; one that lies in several places may load
// several. The function itself (Main) is meant by its name only when no package
// has that name. What a package.json calls by another name than the package's own
// is found by its folder. The time grows with the components, their requirements and
// their places.
func Needs(components []Component) [][]int {
	f := newNeedFinder(components)
	out := make([][]int, len(components))
	for i := range components {
		f.from(i)
		for _, name := range components[i].Requires {
			for _, j := range f.find(name) {
				if j != i {
					out[i] = append(out[i], j)
				}
			}
		}
		slices.Sort(out[i])
		out[i] = slices.Compact(out[i])
	}
	return out
}

// needFinder finds the components that a requirement means.
type needFinder struct {
	all      []Component
	byPURL   map[string]int
	byName   map[packageName][]int
	main     map[packageName][]int
	byFolder map[installed]int // of npm
	hosts    map[folder]int    // see host
	steps    int               // that are left, see stepsEach

	asks  int     // the component that asks
	above [][]int // of each of its places: the hosts at and above it, the nearest first; nil until they are asked for
}

// packageName is a name as it is compared, and the kind of package it is of.
type packageName struct{ typ, name string }

// installed is a package in a node_modules: its host, and what it is called there.
type installed struct {
	host   int
	called string
}

type folder struct {
	artifact int
	dir      string
}

func newNeedFinder(all []Component) *needFinder {
	f := &needFinder{
		all: all, byPURL: make(map[string]int, len(all)), byName: make(map[packageName][]int, len(all)), main: map[packageName][]int{},
		byFolder: map[installed]int{}, hosts: map[folder]int{},
	}
	for i := range all {
		c := &all[i]
		f.byPURL[c.PURL] = i
		f.steps += stepsEach * (len(c.Requires) + len(c.Occurrences))
		key := nameOf(TypeOf(c.PURL), c.Name)
		if c.Main {
			f.main[key] = append(f.main[key], i)
			continue
		}
		f.byName[key] = append(f.byName[key], i)
		if key.typ != "npm" {
			continue
		}
		for _, o := range c.Occurrences {
			if host, called, ok := cutModules(path.Dir(o.Path)); ok && len(host) <= maxNeedsPath {
				f.byFolder[installed{f.host(folder{o.Artifact, host}), called}] = i
			}
		}
	}
	return f
}

// host is the number of a folder that has a node_modules.
func (f *needFinder) host(at folder) int {
	n, ok := f.hosts[at]
	if !ok {
		n = len(f.hosts)
		f.hosts[at] = n
	}
	return n
}

// cutModules cuts the folder of a package into the one above its node_modules,
// with a slash at its end ("" is the top), and what the package is called there.
func cutModules(dir string) (host, called string, ok bool) {
	const modules = "node_modules/"
	i := strings.LastIndex("/"+dir, "/"+modules)
	if i < 0 {
		return "", "", false
	}
	called = dir[i+len(modules):]
	scope, base, scoped := strings.Cut(called, "/")
	if scoped && (!strings.HasPrefix(scope, "@") || strings.Contains(base, "/")) {
		return "", "", false
	}
	return dir[:i], called, true
}

func nameOf(typ, name string) packageName { return packageName{typ, CanonicalName(typ, name)} }

// from says which component asks.
func (f *needFinder) from(i int) { f.asks, f.above = i, nil }

// find returns the components that are meant by a name, or by a package URL.
func (f *needFinder) find(name string) []int {
	if strings.HasPrefix(name, "pkg:") {
		if i, ok := f.byPURL[name]; ok {
			return []int{i}
		}
		return nil
	}
	key := nameOf(TypeOf(f.all[f.asks].PURL), name)
	found := f.byName[key]
	if len(found) == 0 {
		found = f.main[key]
	}
	switch {
	case len(found) == 1:
		return found
	case key.typ == "npm": // several copies, or one that is installed under this name and has another
		return f.nearest(key.name)
	}
	return nil
}

// nearest returns the npm packages of a name that lie in the nearest
// node_modules above each place of the one that asks.
func (f *needFinder) nearest(name string) []int {
	if f.above == nil {
		for _, o := range f.all[f.asks].Occurrences {
			f.above = append(f.above, f.hostsAbove(o))
		}
	}
	var out []int
	for _, hosts := range f.above {
		for _, host := range hosts {
			if f.steps--; f.steps < 0 {
				return nil
			}
			if j, ok := f.byFolder[installed{host, name}]; ok {
				out = append(out, j)
				break
			}
		}
	}
	return out
}

// hostsAbove are the folder of a place and those above it, as far as they have a
// node_modules of which something is known, the nearest first.
func (f *needFinder) hostsAbove(o Occurrence) []int {
	var out []int
	if len(o.Path) > maxNeedsPath {
		return nil
	}
	for dir := o.Path[:strings.LastIndexByte(o.Path, '/')+1]; ; {
		if f.steps--; f.steps < 0 {
			return nil
		}
		if host, ok := f.hosts[folder{o.Artifact, dir}]; ok {
			out = append(out, host)
		}
		if dir == "" || dir == "/" {
			return out
		}
		dir = dir[:strings.LastIndexByte(dir[:len(dir)-1], '/')+1]
	}
}
