package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Tree is what a version of a package needs to run.
type Tree struct {
	Source      string // who says so: "deps.dev", or "registry" where it was worked out from what that says; "" when nobody does
	Environment string // what it holds for, where that decides what is needed: "CPython 3.14 on 64-bit Linux"; "" where it does not
	Nodes       []Node // each package in each version once, sorted; without the package itself
	Gaps        []Gap  // what is not known, sorted
}

// Node is a package in a tree.
type Node struct {
	Package registry.Package
	Version string
	Direct  bool     // the package itself asks for it
	Bundled bool     // it lies inside another package's archive
	Needs   []string // names of the packages that it asks for, sorted
	Through []string // names of those through which the package needs it, by a shortest way; nil when it asks itself, and when that is not known
}

// Gap is something that a package needs and that is not known.
type Gap struct {
	Package registry.Package // zero: the tree as a whole
	Reason  string
}

// Limits bound the work on one tree. A zero field means its default.
type Limits struct {
	Packages int           // that a registry is asked about; 3,000. The largest real trees have about 1,500
	Time     time.Duration // 2 minutes
	Python   int           // the newest CPython 3 that a tree may be for, by its second number; 14

	public bool // pip asks its own index besides those that are configured
}

func (l Limits) withDefaults() Limits {
	l.Packages = cmp.Or(l.Packages, 3_000)
	l.Time = cmp.Or(l.Time, 2*time.Minute)
	l.Python = cmp.Or(l.Python, newestPython)
	return l
}

// Of returns what a version of a package needs to run. Only a cancelled ctx is
// an error.
func Of(ctx context.Context, c *registry.Client, p registry.Package, version string, lim Limits) (Tree, error) {
	lim = lim.withDefaults()
	limited, cancel := context.WithTimeout(ctx, lim.Time)
	defer cancel()
	tree, err := work(limited, c, p, version, lim)
	if ctx.Err() != nil {
		return Tree{}, ctx.Err()
	}
	if err != nil {
		if limited.Err() != nil {
			err = fmt.Errorf("it took longer than %s to work out", lim.Time)
		}
		tree = Tree{Gaps: []Gap{{Reason: err.Error()}}}
	}
	tree.sort()
	tree.ways()
	return tree, nil
}

func work(ctx context.Context, c *registry.Client, p registry.Package, version string, lim Limits) (Tree, error) {
	ep := c.Config.For(p)
	switch {
	case ep.Refuse != "":
		return Tree{}, errors.New(ep.Refuse)
	case c.Private != nil && c.Private(p) && !ep.Own:
		return Tree{}, errors.New(registry.ReasonPrivate)
	case p.System == registry.NPM && ep.URL != "":
		return ofNPM(ctx, c.Facts, p.Name, version, lim)
	case p.System == registry.Go && ep.URL != "":
		return ofGo(ctx, c.ModuleFile, p.Name, version, lim)
	case p.System == registry.PyPI && ep.URL != "":
		lim.public = ep.Public
		elsewhere, err := onlyPublic(ctx, c, ep, p)
		if err != nil || !elsewhere {
			return ofPyPI(ctx, c, p.Name, version, lim)
		}
	case ep.URL != "":
		return Tree{}, fmt.Errorf("what packages of %s need is not worked out from a configured registry", p.System)
	}
	g, err := c.Dependencies(ctx, p, version)
	if err != nil {
		return Tree{}, err
	}
	return ofGraph(g)
}

// onlyPublic says whether none of the configured indexes has a project, so that
// pip takes it from its own one, for which deps.dev answers. It is not told of a
// name as long as one of them may have it.
func onlyPublic(ctx context.Context, c *registry.Client, ep registry.Endpoint, p registry.Package) (bool, error) {
	if !ep.Public {
		return false, nil
	}
	list, err := c.Releases(ctx, p)
	return err == nil && list == nil, err
}

// ofGraph is what deps.dev worked out as a tree.
func ofGraph(g registry.Graph) (Tree, error) {
	if g.Absent || len(g.Nodes) == 0 {
		return Tree{}, errors.New("deps.dev does not know what it needs")
	}
	t := Tree{Source: "deps.dev"}
	if g.Problem != "" {
		t.Gaps = append(t.Gaps, Gap{Reason: g.Problem})
	}
	for i, n := range g.Nodes {
		for _, p := range n.Problems {
			t.Gaps = append(t.Gaps, Gap{n.Package, p})
		}
		if i > 0 {
			t.Nodes = append(t.Nodes, Node{Package: n.Package, Version: n.Version, Direct: n.Direct, Bundled: n.Bundled})
		}
	}
	for _, e := range g.Edges {
		if e.From > 0 {
			from := &t.Nodes[e.From-1]
			from.Needs = append(from.Needs, g.Nodes[e.To].Package.Name)
		}
	}
	return t, nil
}

// sort puts the tree into its order, each package and version once.
func (t *Tree) sort() {
	slices.SortFunc(t.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.Package.System, b.Package.System), cmp.Compare(a.Package.Name, b.Package.Name), cmp.Compare(a.Version, b.Version))
	})
	out := t.Nodes[:0]
	for _, n := range t.Nodes {
		if k := len(out) - 1; k >= 0 && out[k].Package == n.Package && out[k].Version == n.Version {
			out[k].Direct = out[k].Direct || n.Direct
			out[k].Bundled = out[k].Bundled && n.Bundled
			out[k].Needs = append(out[k].Needs, n.Needs...)
			continue
		}
		out = append(out, n)
	}
	t.Nodes = out
	for i := range t.Nodes {
		slices.Sort(t.Nodes[i].Needs)
		t.Nodes[i].Needs = slices.Compact(t.Nodes[i].Needs)
	}
	slices.SortFunc(t.Gaps, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(a.Package.String(), b.Package.String()), cmp.Compare(a.Reason, b.Reason))
	})
	t.Gaps = slices.Compact(t.Gaps)
}
