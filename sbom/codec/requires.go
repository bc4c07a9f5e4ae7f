package codec

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

func itoa(n int) string { return strconv.Itoa(n) }

// resolver finds the component that a declared requirement means.
type resolver struct {
	byPURL map[string]int
	byName map[string][]int // type and name -> indexes into the list
	byDir  map[string]int   // directory of an occurrence -> index
	all    []listed
}

func newResolver(all []listed) *resolver {
	r := &resolver{byPURL: map[string]int{}, byName: map[string][]int{}, byDir: map[string]int{}, all: all}
	for i, c := range all {
		key := sbom.TypeOf(c.PURL) + " " + c.Name
		r.byName[key] = append(r.byName[key], i)
		r.byPURL[c.PURL] = i
		for _, o := range c.Occurrences {
			r.byDir[path.Dir(o.Path)] = i
		}
	}
	return r
}

// dependencies returns the references that component i requires, sorted. A
// requirement that names nothing in the list, or one of several copies that
// cannot be told apart, is left out: the graph says only what is certain.
func (r *resolver) dependencies(i int) []string {
	var refs []string
	for _, name := range r.all[i].Requires {
		if j, ok := r.find(i, name); ok && j != i {
			refs = append(refs, r.all[j].ref)
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

func (r *resolver) find(from int, name string) (int, bool) {
	if strings.HasPrefix(name, "pkg:") {
		i, ok := r.byPURL[name]
		return i, ok
	}
	found := r.byName[sbom.TypeOf(r.all[from].PURL)+" "+name]
	if len(found) == 1 {
		return found[0], true
	}
	// Several copies: take the one that Node.js would load, the nearest
	// node_modules above the one that asks.
	for _, o := range r.all[from].Occurrences {
		for dir := path.Dir(o.Path); ; dir = path.Dir(dir) {
			if j, ok := r.byDir[path.Join(dir, "node_modules", name)]; ok && slices.Contains(found, j) {
				return j, true
			}
			if dir == "." || dir == "/" {
				break
			}
		}
	}
	return 0, false
}
