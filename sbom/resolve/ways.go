package resolve

import "slices"

// maxThrough bounds the way to a package: a longer one is not told.
const maxThrough = 20

// ways finds through which packages each one is needed, of a sorted tree: by a
// shortest way, the first by name of several. Who needs which version of a
// package that is there in several is not known.
func (t *Tree) ways() {
	at := map[string][]int{}
	for i, n := range t.Nodes {
		at[n.Package.Name] = append(at[n.Package.Name], i)
	}
	through := map[string][]string{}
	var next []string
	for _, n := range t.Nodes {
		if n.Direct && through[n.Package.Name] == nil {
			through[n.Package.Name] = []string{}
			next = append(next, n.Package.Name)
		}
	}
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		way := append(slices.Clone(through[name]), name)
		for _, i := range at[name] {
			for _, need := range t.Nodes[i].Needs {
				if _, known := through[need]; !known && len(way) <= maxThrough {
					through[need] = way
					next = append(next, need)
				}
			}
		}
	}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if way := through[n.Package.Name]; !n.Direct && len(way) > 0 && len(at[n.Package.Name]) == 1 {
			n.Through = way
		}
	}
}
