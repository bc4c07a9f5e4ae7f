package cli

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// maxNameElements is how many elements of a path at most make a function's name.
const maxNameElements = 32

// distinct gives functions of one name longer ones: app.tar and app.tar.gz are
// both called app, and a finding's fingerprint, which baselines go by, tells
// functions by their names. Of a file as many elements of its path are taken as
// part all targets of the run, of a declared function that many of the
// template's; what is still the same is numbered in the order given. fixed are
// the names that somebody chose: they stay.
func distinct(specs []bundle.Spec, fixed []bool) {
	short := make([]string, len(specs))
	for i := range specs {
		short[i] = specs[i].Name
	}
	for n := 1; n <= maxNameElements; n++ {
		count := namesOf(specs)
		again := false
		for i := range specs {
			if count[specs[i].Name] > 1 && !fixed[i] {
				again = true
				specs[i].Name = longName(&specs[i], short[i], n)
			}
		}
		if !again {
			return
		}
	}
	count, used := namesOf(specs), map[string]int{}
	for i := range specs {
		name := specs[i].Name
		if used[name]++; count[name] == 1 || fixed[i] {
			continue
		}
		for n := used[name]; n > 1; n++ {
			if next := name + "#" + strconv.Itoa(n); count[next] == 0 {
				specs[i].Name = next
				count[next], used[name] = 1, n
				break
			}
		}
	}
}

func namesOf(specs []bundle.Spec) map[string]int {
	count := map[string]int{}
	for i := range specs {
		count[specs[i].Name]++
	}
	return count
}

// longName is a name with the last n elements of the path in it.
func longName(s *bundle.Spec, short string, n int) string {
	if s.Declared.Resource != "" {
		return lastElements(s.Declared.Descriptor, n) + "#" + short
	}
	if kind, ref := split(s.Ref); kind == "image" {
		return ref
	}
	_, path, image := bundle.SplitRef(s.Ref)
	if path == "-" {
		return short
	}
	if image != "" {
		image = "#" + image
	}
	return lastElements(path, n) + image
}

// lastElements returns the last n elements of a path, with slashes.
func lastElements(path string, n int) string {
	all := strings.Split(strings.Trim(filepath.ToSlash(filepath.Clean(path)), "/"), "/")
	return strings.Join(all[max(len(all)-n, 0):], "/")
}
