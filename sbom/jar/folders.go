package jar

import (
	"maps"
	"slices"
	"strings"
)

// classSums answers how many classes lie below a folder without going over all
// folders: a hostile archive has a million of them, and asks as often.
type classSums struct {
	names []string // sorted
	sums  []int    // classes in the folders before each name; one longer than names
}

func newClassSums(folders map[string]int) classSums {
	c := classSums{names: slices.Sorted(maps.Keys(folders)), sums: make([]int, 1, len(folders)+1)}
	for i, name := range c.names {
		c.sums = append(c.sums, c.sums[i]+folders[name])
	}
	return c
}

// below returns the number of classes in a folder and in those inside it.
func (a *archive) below(dir string) int {
	if a.sums.sums == nil {
		a.sums = newClassSums(a.folders)
	}
	from, _ := slices.BinarySearch(a.sums.names, dir+"/")
	to, _ := slices.BinarySearch(a.sums.names, dir+"0") // "0" follows "/"
	return a.folders[dir] + a.sums.sums[to] - a.sums.sums[from]
}

// prefixes are folders whose classes are accounted for.
type prefixes map[string]bool

// cover reports whether dir is one of the folders or lies in one. Longer
// folders than maxName are nobody's.
func (p prefixes) cover(dir string) bool {
	for i := 0; i <= min(len(dir), maxName); i++ {
		if (i == len(dir) || dir[i] == '/') && p[dir[:i]] {
			return true
		}
	}
	return false
}

// accounted returns the folders of the packages that were found by their
// groups: the group's own and that of its first two words.
func accounted(found []Package) prefixes {
	out := prefixes{}
	for i := range found {
		if g := found[i].Group; g != "" {
			out[strings.ReplaceAll(g, ".", "/")] = true
			if strings.Contains(g, ".") {
				out[strings.TrimSuffix(twoWords(g), "/")] = true
			}
		}
	}
	return out
}
