package resolve

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"deps.dev/util/resolve"
	"deps.dev/util/resolve/dep"
	"deps.dev/util/resolve/npm"
	"deps.dev/util/resolve/version"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// asker answers what a registry says of packages, as [registry.Client.Facts].
type asker func(context.Context, []registry.Package) ([]registry.Facts, error)

// maxNeeded is how many times one tree may ask what a version needs; a hostile
// registry can make a resolver go round and round.
const maxNeeded = 50_000

// ofNPM works out what npm would install for a version, on any platform: what
// [registry.Version] says that it requires.
func ofNPM(ctx context.Context, ask asker, name, of string, lim Limits) (tree Tree, err error) {
	defer func() {
		if r := recover(); r != nil { // by whatever a registry says, one package must not stop the run
			err = fmt.Errorf("the resolver stopped: %v", r)
		}
	}()
	c := &npmRegistry{ask: ask, lim: lim, known: map[string]*registry.Facts{}, versions: map[string][]resolve.Version{}}
	root := resolve.VersionKey{PackageKey: resolve.PackageKey{System: resolve.NPM, Name: name}, VersionType: resolve.Concrete, Version: of}
	g, err := npm.NewResolver(c).Resolve(ctx, root)
	if c.over {
		return Tree{}, fmt.Errorf("it needs over %d packages", lim.Packages)
	}
	if err != nil {
		return Tree{}, err
	}
	tree = Tree{Source: "registry", Gaps: c.gaps}
	if g.Error != "" {
		tree.Gaps = append(tree.Gaps, Gap{Reason: g.Error})
	}
	for _, n := range g.Nodes {
		one := Node{Package: registry.Package{System: registry.NPM, Name: n.Version.Name}, Version: n.Version.Version}
		for _, e := range n.Errors {
			tree.Gaps = append(tree.Gaps, Gap{Package: registry.Package{System: registry.NPM, Name: e.Req.Name}, Reason: c.why(e.Req.Name, e.Req.Version, e.Error)})
		}
		tree.Nodes = append(tree.Nodes, one)
	}
	for _, e := range g.Edges {
		from, to := &tree.Nodes[e.From], &tree.Nodes[e.To]
		from.Needs = append(from.Needs, to.Package.Name)
		to.Direct = to.Direct || e.From == 0
	}
	tree.Nodes = tree.Nodes[1:]
	return tree, nil
}

// npmRegistry is what the resolver asks: a registry's answers, as it knows
// versions. It is used by one goroutine.
type npmRegistry struct {
	ask      asker
	lim      Limits
	known    map[string]*registry.Facts
	versions map[string][]resolve.Version // in the resolver's order
	gaps     []Gap
	needed   int
	over     bool
}

var errLimit = errors.New("over a limit")

// learn asks about those packages that are not known yet, all at once.
func (c *npmRegistry) learn(ctx context.Context, names []string) error {
	var asked []registry.Package
	for _, n := range names {
		if _, ok := c.known[n]; !ok {
			c.known[n] = nil
			asked = append(asked, registry.Package{System: registry.NPM, Name: n})
		}
	}
	if len(asked) == 0 {
		return ctx.Err()
	}
	if len(c.known) > c.lim.Packages {
		c.over = true
		return errLimit
	}
	facts, err := c.ask(ctx, asked)
	if err != nil {
		return err
	}
	for i := range facts {
		c.known[asked[i].Name] = &facts[i]
	}
	return nil
}

func (c *npmRegistry) Versions(ctx context.Context, pk resolve.PackageKey) ([]resolve.Version, error) {
	if err := c.learn(ctx, []string{pk.Name}); err != nil {
		return nil, err
	}
	if list, ok := c.versions[pk.Name]; ok {
		return list, nil
	}
	list := []resolve.Version{}
	f := c.known[pk.Name]
	for i := range f.Versions {
		v := &f.Versions[i]
		if v.Yanked != "" {
			continue // not to be had any more
		}
		one := resolve.Version{VersionKey: resolve.VersionKey{PackageKey: pk, VersionType: resolve.Concrete, Version: v.Version}}
		if v.Version == f.Default {
			one.SetAttr(version.Tags, "latest")
		}
		if v.Deprecated != "" {
			one.SetAttr(version.Blocked, "")
		}
		list = append(list, one)
	}
	resolve.SortVersions(list)
	c.versions[pk.Name] = list
	return list, nil
}

func (c *npmRegistry) Version(ctx context.Context, vk resolve.VersionKey) (resolve.Version, error) {
	list, err := c.Versions(ctx, vk.PackageKey)
	if err != nil {
		return resolve.Version{}, err
	}
	for _, v := range list {
		if v.VersionKey == vk {
			return v, nil
		}
	}
	return resolve.Version{}, fmt.Errorf("the registry has no version %s of %s: %w", vk.Version, vk.Name, resolve.ErrNotFound)
}

// Requirements returns what a version asks for, and learns of all of it at once.
func (c *npmRegistry) Requirements(ctx context.Context, vk resolve.VersionKey) ([]resolve.RequirementVersion, error) {
	if c.needed++; c.needed > maxNeeded {
		c.over = true
		return nil, errLimit
	}
	if err := c.learn(ctx, []string{vk.Name}); err != nil {
		return nil, err
	}
	v := c.known[vk.Name].Find(vk.Version)
	if v == nil {
		return nil, fmt.Errorf("the registry has no version %s of %s: %w", vk.Version, vk.Name, resolve.ErrNotFound)
	}
	var out []resolve.RequirementVersion
	var names []string
	for _, called := range slices.Sorted(maps.Keys(v.Requires)) {
		name, rng, known := npmRange(called, v.Requires[called])
		if !known {
			c.gaps = append(c.gaps, Gap{registry.Package{System: registry.NPM, Name: called}, "it is no version of the registry: " + v.Requires[called]})
			continue
		}
		r := resolve.RequirementVersion{VersionKey: resolve.VersionKey{
			PackageKey: resolve.PackageKey{System: resolve.NPM, Name: name}, VersionType: resolve.Requirement, Version: rng}}
		if name != called {
			r.Type.AddAttr(dep.KnownAs, called)
		}
		names = append(names, name)
		out = append(out, r)
	}
	resolve.SortDependencies(out)
	return out, c.learn(ctx, names)
}

func (c *npmRegistry) MatchingVersions(ctx context.Context, vk resolve.VersionKey) ([]resolve.Version, error) {
	list, err := c.Versions(ctx, vk.PackageKey)
	if err != nil {
		return nil, err
	}
	return resolve.MatchRequirement(vk, slices.Clone(list)), nil
}

// npmRange reads what a package asks for under a name: another name where that
// is an alias. ok is false for what does not come from a registry: an address, a
// repository, a folder.
func npmRange(called, rng string) (name, of string, ok bool) {
	name, of = called, strings.TrimSpace(rng)
	if real, isAlias := strings.CutPrefix(of, "npm:"); isAlias && len(real) > 1 {
		if i := strings.IndexByte(real[1:], '@'); i >= 0 {
			name, of = real[:i+1], real[i+2:]
		} else {
			name, of = real, "*"
		}
	}
	if of == "" {
		of = "*"
	}
	return name, of, !strings.ContainsAny(of, ":/") && name != ""
}

// why says what is wrong with something that could not be resolved.
func (c *npmRegistry) why(name, rng, said string) string {
	switch f := c.known[name]; {
	case f == nil:
		return said
	case f.Answer == registry.Unknown:
		return "nothing is known of it: " + f.Reason
	case f.Answer == registry.Absent:
		return "the registry knows no such package"
	}
	return fmt.Sprintf("no version of it satisfies %s", rng)
}
