package sbom

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// graphOf makes components of lines "name@version,folder... needs...", with "!" before one
// that is marked direct and "*" before the function itself.
func graphOf(lines ...string) []Component {
	var out []Component
	for _, l := range lines {
		words := strings.Fields(l)
		c := Component{}
		id := words[0]
		switch id[0] {
		case '!':
			id, c.Traits = id[1:], []Trait{{Kind: TraitDirect}}
		case '*':
			id, c.Main = id[1:], true
		}
		typ, rest, ok := strings.Cut(id, ":")
		if !ok {
			typ, rest = "npm", id
		}
		rest, at, _ := strings.Cut(rest, ",")
		c.Name, c.Version, _ = strings.Cut(rest, "@")
		c.PURL = "pkg:" + typ + "/" + rest
		for dir := range strings.SplitSeq(at, ",") {
			if dir != "" {
				c.Occurrences = append(c.Occurrences, Occurrence{Path: dir + "/package.json"})
			}
		}
		c.Requires = words[1:]
		out = append(out, c)
	}
	return out
}

func TestGraphBroughtBy(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string // of the last component
	}{
		{"by the function's manifest", []string{"*app@1 express", "express@4 body", "body@1 qs", "qs@6"}, "express"},
		{"a direct one has none", []string{"*app@1 express qs", "express@4 qs", "qs@6"}, "nil"},
		{"marked by a lockfile", []string{"!express@4 qs", "request@2 qs", "qs@6"}, "express"},
		{"what nothing requires, where nobody tells", []string{"pypi:requests@2 urllib3", "pypi:boto3@1 URLLIB3", "pypi:urllib3@1"}, "requests boto3"},
		{"of each kind by itself", []string{"!npm:a@1", "pypi:requests@2 urllib3", "pypi:urllib3@1"}, "requests"},
		{"nothing is known", []string{"a@1", "b@1"}, "nil"},
		{"a cycle", []string{"!a@1 b", "b@1 c", "c@1 b d", "d@1 a"}, "a"},
		{"a cycle that nothing leads to", []string{"b@1 c", "c@1 b"}, "nil"},
		{"at most three, the first ones", []string{"!a@1 m", "!b@1 m", "!c@1 m", "!d@1 m", "m@1 x", "x@1"}, "a b c"},
		{"through another direct one", []string{"!a@1 b", "!b@1 x", "x@1"}, "a b"},
		{"several copies, by package URL", []string{"!a@1 pkg:npm/qs@6", "!b@1 pkg:npm/qs@5", "qs@5", "qs@6"}, "a"},
		{"several copies, nothing tells which", []string{"!a@1 qs", "!b@1", "qs@5", "qs@6"}, "nil"},
		{"several copies, the nearest folder", []string{"!a@1,node_modules/a qs", "!b@1,node_modules/b qs", "qs@5,node_modules/qs", "qs@6,node_modules/a/node_modules/qs"}, "a"},
		{"other kinds have names of their own", []string{"!a@1 qs", "pypi:qs@1"}, "nil"},
		{"itself", []string{"!a@1 a"}, "nil"},
		{"the function by its own name", []string{"*qs@1 qs", "qs@6"}, "nil"},
	} {
		cs := graphOf(c.lines...)
		all := NewGraph(cs).BroughtBy(3)
		got := "nil"
		if by := all[len(all)-1]; by != nil {
			var names []string
			for _, i := range by {
				names = append(names, cs[i].Name)
			}
			got = strings.Join(names, " ")
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestGraphHostile: a dense graph of many direct packages takes time that grows
// with its edges, and not with edges times direct ones.
func TestGraphHostile(t *testing.T) {
	const n = 700
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("p%d", i))
	}
	var cs []Component
	for _, name := range names {
		cs = append(cs, Component{PURL: "pkg:npm/" + name + "@1", Name: name, Version: "1", Requires: names, Traits: []Trait{{Kind: TraitDirect}}})
	}
	cs = append(cs, Component{PURL: "pkg:npm/last@1", Name: "last", Version: "1"})
	for i := range n {
		cs[i].Requires = append(cs[i].Requires[:n:n], "last")
	}
	start := time.Now()
	by := NewGraph(cs).BroughtBy(5)
	if len(by[n]) != 5 || by[0] != nil {
		t.Error(len(by[n]), by[0])
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("%v for %d edges", d, n*n)
	}
}

// BenchmarkGraph is a large function: 1,500 npm packages in nested folders, five
// requirements each.
func BenchmarkGraph(b *testing.B) {
	var cs []Component
	for i := range 1500 {
		c := Component{Name: fmt.Sprintf("p%d", i%1300), Version: fmt.Sprint(i / 1300)}
		c.PURL = "pkg:npm/" + c.Name + "@" + c.Version
		at := "node_modules/" + c.Name
		if i >= 1300 {
			at = fmt.Sprintf("node_modules/p%d/node_modules/%s", i-700, c.Name)
		}
		c.Occurrences = []Occurrence{{Path: at + "/package.json"}}
		for k := range 5 {
			c.Requires = append(c.Requires, fmt.Sprintf("p%d", (i*7+k*13+1)%1300))
		}
		if i < 40 {
			c.Traits = []Trait{{Kind: TraitDirect}}
		}
		cs = append(cs, c)
	}
	for b.Loop() {
		NewGraph(cs).BroughtBy(5)
	}
}
