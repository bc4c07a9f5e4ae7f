package sbom

import (
	"slices"
	"strings"
)

// Graph says which component needs which, as far as the components say so.
type Graph struct {
	needs  [][]int // by component, see Needs; nil of the function itself
	direct []bool  // the function asks for it itself
}

// NewGraph makes the graph of what the components need (see [Needs]).
//
// What the function asks for itself is what its own component (Main) requires,
// and what a lockfile or a document marks so (TraitDirect). Of a kind of package
// for which neither tells anything it is what no other package requires. It
// takes time that grows with the components and their requirements.
func NewGraph(components []Component) *Graph {
	g := &Graph{needs: Needs(components), direct: make([]bool, len(components))}
	needed := make([]bool, len(components))
	told := map[string]bool{} // kinds of packages of which the direct ones are told
	linked := map[string]bool{}
	for i := range components {
		c := &components[i]
		typ := TypeOf(c.PURL)
		if slices.ContainsFunc(c.Traits, func(t Trait) bool { return t.Kind == TraitDirect }) {
			g.direct[i], told[typ] = true, true
		}
		for _, j := range g.needs[i] {
			switch {
			case components[j].Main: // one project of the function asks for another
			case c.Main:
				g.direct[j], told[typ] = true, true
			default:
				linked[typ], needed[j] = true, true
			}
		}
		if c.Main {
			g.needs[i] = nil
		}
	}
	for i := range components {
		if typ := TypeOf(components[i].PURL); linked[typ] && !told[typ] && !needed[i] && !components[i].Main {
			g.direct[i] = true
		}
	}
	return g
}

// Needs returns what component i needs, see [Needs]; nil for the function
// itself. It is not to be changed.
func (g *Graph) Needs(i int) []int { return g.needs[i] }

// Direct says whether the function asks for component i itself, as far as that
// is known.
func (g *Graph) Direct(i int) bool { return g.direct[i] }

// BroughtBy returns for each component the direct ones by which it comes: at
// most so many, the first in the order of the components. It is nil for a direct
// one, and where nothing is known of how it comes.
func (g *Graph) BroughtBy(most int) [][]int {
	out := make([][]int, len(g.needs))
	seen := make([]int, len(g.needs)) // the last direct one that came by, counted from 1
	var todo []int
	for d := range g.needs {
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

// TypeOf returns "npm" of "pkg:npm/lodash", "" when purl is none.
func TypeOf(purl string) string {
	rest, ok := strings.CutPrefix(purl, "pkg:")
	if !ok {
		return ""
	}
	typ, _, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
	return typ
}
