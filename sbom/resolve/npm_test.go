package resolve

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// versions is what a registry says: "name version" -> "name range, name range".
type versions map[string]string

// ask answers as a registry does; a name that is not listed is not there.
func (v versions) ask(_ context.Context, packages []registry.Package) ([]registry.Facts, error) {
	var out []registry.Facts
	for _, p := range packages {
		f := registry.Facts{Package: p, Answer: registry.Absent}
		for key, needs := range v {
			name, version, _ := strings.Cut(key, " ")
			if name != p.Name {
				continue
			}
			f.Answer = registry.Known
			one := registry.Version{Version: version, Requires: map[string]string{}}
			for need := range strings.SplitSeq(needs, ",") {
				if called, rng, ok := strings.Cut(strings.TrimSpace(need), " "); ok {
					one.Requires[called] = rng
				}
			}
			f.Versions = append(f.Versions, one)
		}
		slices.SortFunc(f.Versions, func(a, b registry.Version) int { return strings.Compare(a.Version, b.Version) })
		if n := len(f.Versions); n > 0 {
			f.Default = f.Versions[n-1].Version
		}
		out = append(out, f)
	}
	return out, nil
}

func (t Tree) String() string {
	var b strings.Builder
	for _, n := range t.Nodes {
		mark := ""
		if n.Direct {
			mark = "!"
		}
		fmt.Fprintf(&b, "%s@%s%s ", n.Package.Name, n.Version, mark)
	}
	for _, g := range t.Gaps {
		fmt.Fprintf(&b, "[%s: %s] ", g.Package.Name, g.Reason)
	}
	return strings.TrimSpace(b.String())
}

func TestNPM(t *testing.T) {
	for _, tt := range []struct {
		name string
		has  versions
		want string
	}{
		{"nothing", versions{"a 1.0.0": ""}, ""},
		{"the highest that satisfies", versions{"a 1.0.0": "b ^1.0.0", "b 1.0.0": "", "b 1.9.0": "", "b 2.0.0": ""}, "b@1.9.0!"},
		{"transitive, in two versions", versions{"a 1.0.0": "b ^1.0.0, c 1.0.0", "b 1.0.0": "c ^2.0.0", "c 1.0.0": "", "c 2.1.0": ""}, "b@1.0.0! c@1.0.0! c@2.1.0"},
		{"a circle", versions{"a 1.0.0": "b *", "b 1.0.0": "a ^1.0.0"}, "a@1.0.0 b@1.0.0!"},
		{"an alias", versions{"a 1.0.0": "x npm:@s/real@^1.0.0", "@s/real 1.2.0": ""}, "@s/real@1.2.0!"},
		{"nobody has it", versions{"a 1.0.0": "b ^1.0.0"}, "[b: the registry knows no such package]"},
		{"no version satisfies", versions{"a 1.0.0": "b ^3.0.0", "b 1.0.0": ""}, "[b: no version of it satisfies ^3.0.0]"},
		{"from elsewhere", versions{"a 1.0.0": "b git+https://example.com/b.git, c example/c", "b 1.0.0": ""},
			"[b: it is no version of the registry: git+https://example.com/b.git] [c: it is no version of the registry: example/c]"},
		{"a range that is none", versions{"a 1.0.0": "b !!!", "b 1.0.0": ""}, "[b: no version of it satisfies !!!]"},
		{"over the limit", versions{"a 1.0.0": "b *, c *, d *, e *, f *"}, "it needs over 4 packages"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree, err := ofNPM(t.Context(), tt.has.ask, "a", "1.0.0", Limits{Packages: 4})
			if err != nil {
				tree.Gaps, tree.Nodes = nil, nil
				if err.Error() != tt.want {
					t.Errorf("error %v, want %s", err, tt.want)
				}
				return
			}
			tree.sort()
			if got := tree.String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	if _, err := ofNPM(t.Context(), versions{"a 1.0.0": ""}.ask, "a", "2.0.0", Limits{Packages: 4}); err == nil {
		t.Error("a version that is not there has a tree")
	}
}

// What a package may not be asked about has no tree, and says why.
func TestRefused(t *testing.T) {
	c := &registry.Client{Private: func(registry.Package) bool { return true }, Online: true}
	tree, err := Of(t.Context(), c, registry.Package{System: registry.NPM, Name: "a"}, "1.0.0", Limits{})
	if err != nil || len(tree.Nodes) > 0 || len(tree.Gaps) != 1 || !strings.Contains(tree.Gaps[0].Reason, "private") || tree.Source != "" {
		t.Errorf("Of = %+v, %v", tree, err)
	}
}

func TestGraph(t *testing.T) {
	p := func(name string) registry.Package { return registry.Package{System: registry.PyPI, Name: name} }
	tree, err := ofGraph(registry.Graph{
		Nodes: []registry.Node{{Package: p("a"), Version: "1"}, {Package: p("b"), Version: "2", Direct: true}, {Package: p("c"), Version: "3", Problems: []string{"it is too new"}}},
		Edges: []registry.Edge{{From: 0, To: 1}, {From: 1, To: 2}}, Problem: "partly resolved",
	})
	tree.sort()
	if want := "b@2! c@3 [: partly resolved] [c: it is too new]"; err != nil || tree.String() != want || tree.Nodes[0].Needs[0] != "c" {
		t.Errorf("ofGraph = %s, %v, want %s", tree, err, want)
	}
	if _, err := ofGraph(registry.Graph{Absent: true}); err == nil {
		t.Error("an absent graph is a tree")
	}
}
