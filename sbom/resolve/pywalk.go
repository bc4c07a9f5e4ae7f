package resolve

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"deps.dev/util/resolve"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// The resolver's package of an extra is called "project[extra]"; no project can
// be called so.

func extraOf(name string) (project, extra string) {
	project, extra, _ = strings.Cut(name, "[")
	return project, strings.TrimSuffix(extra, "]")
}

// asking is how a specifier is handed to the resolver: "" asks for nothing. The
// brackets keep it from comparing versions itself.
func asking(spec string) string {
	if spec == "" {
		return ""
	}
	return "(" + spec + ")"
}

// Requirements returns what a version asks for in the environment, and learns of
// all of it at once. What no index can answer for is left out, and is a gap of
// the version: see gapsOf.
func (w *pyWalk) Requirements(ctx context.Context, vk resolve.VersionKey) ([]resolve.RequirementVersion, error) {
	if w.needed++; w.needed > maxNeeded {
		w.over = "its versions were tried too many times"
		return nil, errLimit
	}
	name, extra := extraOf(vk.Name)
	if err := w.learn(ctx, []string{name}); err != nil {
		return nil, err
	}
	base := pyKey(name, vk.Version)
	i := slices.IndexFunc(w.projects[name].versions, func(c pyCandidate) bool { return c.release.Version == vk.Version })
	if i < 0 {
		return nil, fmt.Errorf("no index has version %s of %s: %w", vk.Version, name, resolve.ErrNotFound)
	}
	read, err := w.read(ctx, base, w.projects[name].versions[i])
	if err != nil {
		return nil, err
	}
	if !w.env.runs(read.python) { // as for pip, that is one more thing that it needs
		return []resolve.RequirementVersion{required("<Python>", read.python)}, nil
	}
	needs := w.needs(read, extra)
	if err := w.learn(ctx, namesOf(needs)); err != nil {
		return nil, err
	}
	specs := map[string][]string{}
	if extra != "" {
		specs[name] = []string{"===" + vk.Version}
	}
	for _, n := range needs {
		p := w.projects[n.name]
		if p == nil || w.gapOf(vk, n) != "" {
			continue
		}
		p.allow(n.spec)
		w.asked(specs, n)
	}
	var out []resolve.RequirementVersion
	for _, n := range slices.Sorted(maps.Keys(specs)) { // one for each, since the resolver takes the last of several
		list := slices.DeleteFunc(specs[n], func(s string) bool { return s == "" })
		slices.Sort(list)
		out = append(out, required(n, strings.Join(slices.Compact(list), ",")))
	}
	return out, nil
}

// asked notes what a need asks of a project and of each of its extras.
func (w *pyWalk) asked(specs map[string][]string, n pyNeed) {
	specs[n.name] = append(specs[n.name], n.text)
	for _, e := range n.extras {
		called := n.name + "[" + e + "]"
		specs[called] = append(specs[called], n.text)
	}
}

func required(name, spec string) resolve.RequirementVersion {
	return resolve.RequirementVersion{VersionKey: resolve.VersionKey{
		PackageKey: resolve.PackageKey{System: resolve.PyPI, Name: name}, VersionType: resolve.Requirement, Version: asking(spec)}}
}

// needs are those of a version that hold in the environment: without an extra,
// or those that the extra adds.
func (w *pyWalk) needs(read *pyRead, extra string) []pyNeed {
	var out []pyNeed
	for _, n := range read.needs {
		plain := n.marker == nil || n.marker(w.env, "")
		if extra == "" && plain || extra != "" && !plain && n.marker(w.env, extra) {
			out = append(out, n)
		}
	}
	return out
}

func namesOf(needs []pyNeed) []string {
	var out []string
	for _, n := range needs {
		if n.from == "" && n.bad == "" {
			out = append(out, n.name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// allow notes what a specifier asks for that pip takes only then: a version
// before a final release, also where no other satisfies it, and a yanked one
// that it pins (PEP 592).
func (p *pyProject) allow(spec pySpec) {
	p.early = p.early || spec.early() || !slices.ContainsFunc(p.versions, func(c pyCandidate) bool {
		return !c.yanked && !c.version.early() && spec.has(c.release.Version, c.version)
	})
	if !spec.pins() {
		return
	}
	for _, c := range p.versions {
		if c.yanked && spec.has(c.release.Version, c.version) {
			p.pinned[c.release.Version] = true
		}
	}
}

// MatchingVersions returns the versions that satisfy what is asked of a project,
// in their order.
func (w *pyWalk) MatchingVersions(ctx context.Context, vk resolve.VersionKey) ([]resolve.Version, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	name, _ := extraOf(vk.Name)
	p := w.projects[name]
	if p == nil { // a Python that is not the one here
		return nil, nil
	}
	key := vk
	key.Version = fmt.Sprintf("%t %d %s", p.early, len(p.pinned), vk.Version)
	if list, ok := w.matches[key]; ok {
		return list, nil
	}
	spec, err := parsePySpec(strings.TrimSuffix(strings.TrimPrefix(vk.Version, "("), ")"))
	if err != nil {
		return nil, err
	}
	var out []resolve.Version
	for _, c := range p.versions {
		of := c.release.Version
		if p.pinned[of] || !c.yanked && (p.early || !c.version.early()) {
			if spec.has(of, c.version) {
				out = append(out, resolve.Version{VersionKey: pyKey(vk.Name, of)})
			}
		}
	}
	if w.matched += len(out); w.matched <= maxPyMatches {
		w.matches[key] = out
	}
	return out, nil
}

// Versions and Version are not asked for: the specifiers that the resolver sees
// are none that it compares itself.

func (w *pyWalk) Versions(ctx context.Context, pk resolve.PackageKey) ([]resolve.Version, error) {
	return w.MatchingVersions(ctx, resolve.VersionKey{PackageKey: pk, VersionType: resolve.Requirement})
}

func (w *pyWalk) Version(_ context.Context, vk resolve.VersionKey) (resolve.Version, error) {
	return resolve.Version{VersionKey: vk}, nil
}

// tree is what was resolved: an extra's needs are those of its project.
func (w *pyWalk) tree(g *resolve.Graph) Tree {
	t := Tree{Source: "registry", Environment: w.env.String()}
	index := map[string]int{}
	at := make([]int, len(g.Nodes))
	for i, n := range g.Nodes {
		name, _ := extraOf(n.Version.Name)
		k, ok := index[name]
		if !ok {
			k = len(t.Nodes)
			index[name] = k
			t.Nodes = append(t.Nodes, Node{Package: registry.Package{System: registry.PyPI, Name: name}, Version: n.Version.Version})
		}
		at[i] = k
		t.Gaps = append(t.Gaps, w.gapsOf(n.Version)...)
	}
	for _, e := range g.Edges {
		from, to := at[e.From], at[e.To]
		if from == to {
			continue
		}
		t.Nodes[from].Needs = append(t.Nodes[from].Needs, t.Nodes[to].Package.Name)
		t.Nodes[to].Direct = t.Nodes[to].Direct || from == 0
	}
	t.Nodes = t.Nodes[1:]
	return t
}

// gapsOf is what is not known of a version that was chosen: what could not be
// read, and what it needs that no index can answer for.
func (w *pyWalk) gapsOf(vk resolve.VersionKey) []Gap {
	name, extra := extraOf(vk.Name)
	read := w.releases[pyKey(name, vk.Version)]
	if read == nil {
		return nil
	}
	var out []Gap
	if extra == "" {
		out = slices.Clone(read.gaps)
	}
	for _, n := range w.needs(read, extra) {
		if why := w.gapOf(vk, n); why != "" {
			out = append(out, Gap{registry.Package{System: registry.PyPI, Name: n.name}, why})
		}
	}
	return out
}

// gapOf says why a need of a version cannot be answered; "" it can. What has no
// version that satisfies it is for the resolver, which tries other versions of
// whoever needs it; of the package that is asked about there are no others.
func (w *pyWalk) gapOf(vk resolve.VersionKey, n pyNeed) string {
	p := w.projects[n.name]
	switch {
	case n.bad != "":
		return n.bad
	case n.from != "":
		return fmt.Sprintf("%s takes it from elsewhere than an index: %.200q", vk.Name, n.from)
	case p == nil:
		return ""
	case p.gap != "":
		return p.gap
	case vk == w.root && !slices.ContainsFunc(p.versions, func(c pyCandidate) bool {
		return (!c.yanked || n.spec.pins()) && n.spec.has(c.release.Version, c.version)
	}):
		return fmt.Sprintf("no version of it for %s satisfies %s", w.env, cmp.Or(n.text, "what is asked for: it has none"))
	}
	return ""
}
