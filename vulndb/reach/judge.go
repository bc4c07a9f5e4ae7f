package reach

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/vulndb"
)

// State says what is known about an advisory's code in a binary.
type State string

// The states. "Called" is not one of them: that something is in a binary does
// not say that it runs.
const (
	Unknown State = "unknown" // it may be there
	Present State = "present" // a function or method that the advisory names is in the binary
	Absent  State = "absent"  // none of the advisory's code is in the binary
)

// Answer is what a binary says about one advisory.
type Answer struct {
	ID     string   `json:"id"`
	State  State    `json:"state"`
	Looked []string `json:"looked,omitempty"` // import paths and symbols that were looked for, sorted; at most maxListed
	Found  []string `json:"found,omitempty"`  // those of them that are there, sorted; at most maxListed
	Total  int      `json:"total,omitempty"`  // how many were looked for
	Detail string   `json:"detail"`           // in words
}

// maxListed bounds the symbols that an answer lists.
const maxListed = 50

// judge says what a binary says about one advisory. present is what x/vuln
// found: "" when it does not call the module affected, else "module",
// "package" or "symbol".
func (ix *index) judge(a *vulndb.Advisory, level string) Answer {
	q := ix.question(a)
	ans := Answer{ID: a.ID, State: Unknown, Looked: q.looked(), Total: len(q.symbols) + len(q.packages)}
	for _, s := range q.symbols {
		if ix.symbols[s] {
			ans.Found = append(ans.Found, s.String())
		}
	}
	for _, p := range q.packages {
		if ix.packages[p] {
			ans.Found = append(ans.Found, p)
		}
	}
	ans.Found = cut(ans.Found)
	b := ix.program
	switch {
	case !q.named:
		ans.Detail = "the binary does not list a module that the advisory names"
	case q.elsewhere != "":
		ans.State, ans.Detail = Absent, "only "+q.elsewhere+" is affected, and the binary is for "+b.GOOS+"/"+b.GOARCH
	case len(ans.Found) > 0 && ix.readable():
		ans.State, ans.Detail = Present, plural(len(ans.Found), "of them is", "of them are")+" in the binary"
	case level == "":
		ans.Detail = "govulncheck does not call this version of the module affected"
	case !ix.readable():
		ans.Detail = "module level, symbols unknown: " + b.Table.Partial
	case level == "symbol":
		// Not reached: what x/vuln finds is in the same list.
		ans.State, ans.Detail = Present, "govulncheck found a symbol of it"
	case b.Table.Partial != "":
		ans.Detail = "module level, symbols unknown: " + b.Table.Partial
	default:
		if doubt := ix.doubt(q); doubt != "" {
			ans.Detail = doubt
			break
		}
		ans.State = Absent
		ans.Detail = fmt.Sprintf("none of them is among the %d functions of the binary, nor inlined into one", b.Table.Functions)
		if q.whole() {
			ans.Detail = "the advisory names packages without symbols, and neither a function nor data of them is in the binary"
		}
	}
	return ans
}

// doubt says why an advisory may be present although nothing of it was found;
// "" when it is not.
func (ix *index) doubt(q question) string {
	if q.whole() && ix.program.Table.Stripped {
		return "the advisory names no symbols; no function of its packages is in the binary, but their data cannot be seen in a stripped one"
	}
	for _, s := range q.symbols {
		if ix.inlined[s.Name] {
			return fmt.Sprintf("a function called %s was inlined around a closure; of which package is not known", s.Name)
		}
		if !ix.packages[s.Pkg] {
			continue // nothing of its package is there
		}
		if ix.types[s] {
			return fmt.Sprintf("%s is the name of a type, of which methods are in the binary", s)
		}
		for part := range strings.SplitSeq(s.Name, ".") {
			if generated(part) || part == "init" || strings.HasPrefix(part, "init#") {
				return fmt.Sprintf("%s cannot be told from what the compiler makes", s)
			}
		}
	}
	return ""
}

// question is what an advisory means for the modules of one binary.
type question struct {
	named     bool     // the binary has a module that the advisory is about
	symbols   []Symbol // as they are called in the binary
	packages  []string // import paths that are affected as a whole
	modules   bool     // a whole module is affected: its packages that have code are in packages
	elsewhere string   // the only systems on which it is affected, when the binary's is not among them
}

// whole says that some package is affected as a whole.
func (q *question) whole() bool { return len(q.packages) > 0 || q.modules }

func (q *question) looked() []string {
	var out []string
	for _, s := range q.symbols {
		out = append(out, s.String())
	}
	return cut(append(out, q.packages...))
}

func (ix *index) question(a *vulndb.Advisory) question {
	var q question
	var systems []string
	kept := 0
	for i := range a.Affected {
		e := &a.Affected[i]
		if e.Ecosystem != "Go" {
			continue
		}
		for _, path := range ix.paths(e.Name) {
			q.named = true
			if len(e.Imports) == 0 {
				kept++
				q.modules = true
				q.packages = append(q.packages, ix.under(path)...)
			}
			for _, im := range e.Imports {
				if !ix.runs(im) {
					systems = append(systems, system(im))
					continue
				}
				kept++
				pkg := im.Path
				if path != e.Name && (pkg == e.Name || strings.HasPrefix(pkg, e.Name+"/")) {
					pkg = path + pkg[len(e.Name):] // a replaced module keeps its import paths
				}
				if len(im.Symbols) == 0 {
					q.packages = append(q.packages, pkg)
				}
				for _, s := range im.Symbols {
					q.symbols = append(q.symbols, Symbol{pkg, s})
				}
			}
		}
	}
	if kept == 0 && len(systems) > 0 {
		slices.Sort(systems)
		q.elsewhere = strings.Join(slices.Compact(systems), ", ")
	}
	return q
}

// runs says whether an import is affected on the binary's system. What is not
// known counts as affected, as in govulncheck.
func (ix *index) runs(im vulndb.Import) bool {
	in := func(s string, list []string) bool { return s == "" || len(list) == 0 || slices.Contains(list, s) }
	return in(ix.program.GOOS, im.GOOS) && in(ix.program.GOARCH, im.GOARCH)
}

func system(im vulndb.Import) string {
	return strings.Trim(strings.Join(im.GOOS, ", ")+"/"+strings.Join(im.GOARCH, ", "), "/")
}

// index is a program for questions.
type index struct {
	program  *program
	symbols  map[Symbol]bool
	packages map[string]bool // that have a function or data
	types    map[Symbol]bool // that have a method, as far as names tell
	inlined  map[string]bool
}

func newIndex(b *program) *index {
	ix := &index{program: b, symbols: make(map[Symbol]bool, len(b.PkgSymbols)), packages: map[string]bool{}, types: map[Symbol]bool{}, inlined: map[string]bool{}}
	for _, s := range b.PkgSymbols {
		ix.symbols[s] = true
		ix.packages[s.Pkg] = true
		if t, _, ok := strings.Cut(s.Name, "."); ok {
			ix.types[Symbol{s.Pkg, t}] = true
		}
	}
	for _, p := range b.Table.Data {
		ix.packages[p] = true
	}
	for _, s := range b.Table.Inlined {
		ix.inlined[s] = true
	}
	return ix
}

// readable says whether symbols could be read at all, complete or not.
func (ix *index) readable() bool { return len(ix.program.PkgSymbols) > 0 }

// paths returns under which import paths a module that an advisory names is in
// the binary: its own, and those of modules that it replaces.
func (ix *index) paths(name string) []string {
	if name == "stdlib" {
		return []string{name}
	}
	var out []string
	take := func(m *module) {
		if m.Path == name && m.Replace == nil || m.Replace != nil && (m.Replace.Path == name || m.Path == name) {
			out = append(out, m.Path)
		}
	}
	if ix.program.Main != nil {
		take(ix.program.Main)
	}
	for i := range ix.program.Modules {
		take(&ix.program.Modules[i])
	}
	return out
}

// under returns the packages of a module that have a function or data, sorted.
func (ix *index) under(path string) []string {
	var out []string
	for p := range ix.packages {
		if path == "stdlib" && ix.program.owner(p) == "" && p != ix.program.Path || path != "stdlib" && ix.program.owner(p) == path {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// cut sorts a list, drops doubles and keeps the first maxListed.
func cut(list []string) []string {
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) > maxListed {
		list = list[:maxListed]
	}
	return list
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
