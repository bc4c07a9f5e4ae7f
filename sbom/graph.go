package sbom

import (
	"path"
	"slices"
	"strings"
)

// Graph says which component needs which, as far as the components say so.
type Graph struct {
	components []Component
	needs      [][]int // by component: what it needs, sorted
	direct     []bool  // the function asks for it itself
}

// NewGraph finds what the components mean by Requires. A requirement that names
// nothing in the list, or one of several copies that cannot be told apart, is
// left out: the graph says only what is certain.
//
// What the function asks for itself is what its own component (Main) requires,
// and what a lockfile or a document marks so (TraitDirect). Of a kind of package
// for which neither tells anything it is what no other package requires. It
// takes time that grows with the components and their requirements.
func NewGraph(components []Component) *Graph {
	g := &Graph{components: components, needs: make([][]int, len(components)), direct: make([]bool, len(components))}
	r := newFinder(components)
	needed := make([]bool, len(components))
	told := map[string]bool{} // kinds of packages of which the direct ones are told
	linked := map[string]bool{}
	for i := range components {
		c := &components[i]
		typ := TypeOf(c.PURL)
		if slices.ContainsFunc(c.Traits, func(t Trait) bool { return t.Kind == TraitDirect }) {
			g.direct[i], told[typ] = true, true
		}
		for _, name := range c.Requires {
			j, ok := r.find(i, name)
			if !ok || j == i {
				continue
			}
			if c.Main {
				g.direct[j], told[typ] = true, true
				continue
			}
			linked[typ] = true
			needed[j] = true
			g.needs[i] = append(g.needs[i], j)
		}
		slices.Sort(g.needs[i])
		g.needs[i] = slices.Compact(g.needs[i])
	}
	for i := range components {
		if typ := TypeOf(components[i].PURL); linked[typ] && !told[typ] && !needed[i] && !components[i].Main {
			g.direct[i] = true
		}
	}
	return g
}

// Direct says whether the function asks for component i itself, as far as that
// is known.
func (g *Graph) Direct(i int) bool { return g.direct[i] }

// BroughtBy returns for each component the direct ones by which it comes: at
// most so many, the first in the order of the components. It is nil for a direct
// one, and where nothing is known of how it comes.
func (g *Graph) BroughtBy(most int) [][]int {
	out := make([][]int, len(g.components))
	seen := make([]int, len(g.components)) // the last direct one that came by, counted from 1
	var todo []int
	for d := range g.components {
		if !g.direct[d] {
			continue
		}
		seen[d] = d + 1
		todo = append(todo[:0], d)
		for len(todo) > 0 {
			i := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, j := range g.needs[i] {
				// Beyond one that is full, all are full: each that came by it went on.
				if seen[j] == d+1 || len(out[j]) == most {
					continue
				}
				seen[j] = d + 1
				out[j] = append(out[j], d)
				todo = append(todo, j)
			}
		}
	}
	for i := range out {
		if g.direct[i] {
			out[i] = nil
		}
	}
	return out
}

// finder finds the component that a requirement means.
type finder struct {
	all    []Component
	byPURL map[string]int
	byName map[[2]string][]int // type and name as it is compared
	byDir  map[folder]int      // of the npm packages; nil before it is needed
}

type folder struct {
	artifact int
	dir      string
}

func newFinder(all []Component) *finder {
	r := &finder{all: all, byPURL: make(map[string]int, len(all)), byName: make(map[[2]string][]int, len(all))}
	for i := range all {
		c := &all[i]
		r.byPURL[c.PURL] = i
		if c.Main {
			continue
		}
		typ := TypeOf(c.PURL)
		key := [2]string{typ, CanonicalName(typ, c.Name)}
		r.byName[key] = append(r.byName[key], i)
	}
	return r
}

// folders fills the index of folders.
func (r *finder) folders() {
	if r.byDir != nil {
		return
	}
	r.byDir = map[folder]int{}
	for i := range r.all {
		c := &r.all[i]
		if c.Main || TypeOf(c.PURL) != "npm" {
			continue
		}
		for _, o := range c.Occurrences {
			r.byDir[folder{o.Artifact, path.Dir(o.Path)}] = i
		}
	}
}

// find returns the component that component from means by a name, or by a
// package URL.
func (r *finder) find(from int, name string) (int, bool) {
	if strings.HasPrefix(name, "pkg:") {
		i, ok := r.byPURL[name]
		return i, ok
	}
	typ := TypeOf(r.all[from].PURL)
	found := r.byName[[2]string{typ, CanonicalName(typ, name)}]
	if len(found) == 1 {
		return found[0], true
	}
	if len(found) == 0 || typ != "npm" {
		return 0, false
	}
	// Several copies: the one that Node.js would load, the nearest node_modules
	// above the one that asks.
	r.folders()
	for _, o := range r.all[from].Occurrences {
		for dir := path.Dir(o.Path); ; dir = path.Dir(dir) {
			if j, ok := r.byDir[folder{o.Artifact, path.Join(dir, "node_modules", name)}]; ok && slices.Contains(found, j) {
				return j, true
			}
			if dir == "." || dir == "/" {
				break
			}
		}
	}
	return 0, false
}

// TypeOf returns "npm" of "pkg:npm/lodash", "" when purl is none.
func TypeOf(purl string) string {
	rest, ok := strings.CutPrefix(purl, "pkg:")
	if !ok {
		return ""
	}
	typ, _, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
	return typ
}
