package audit

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/version"
)

// maxBroughtBy is how many direct dependencies are named that bring a package.
const maxBroughtBy = 5

// maxAvoided is how often another version is looked for because the one before
// was taken back or is not to be used.
const maxAvoided = 3

// affected is a package against which something is known: what is needed to
// look for a version to move it to.
type affected struct {
	pkg    vulndb.Package
	from   []string // the version that is there, or the candidates
	groups []vulndb.Group
	of     *matched // that remembers where it can go
}

// advise fills what is to be done about the findings: per component where to
// move it and which direct dependency brings it, per function the list of
// upgrades. Policy.Decide puts that into its order.
func (a *Auditor) advise(ctx context.Context, rep *finding.Report, s *Subject) error {
	steps, err := a.steps(ctx, s)
	if err != nil {
		return err
	}
	about := map[string][]*finding.Finding{} // package URL -> what is found about it
	for i := range rep.Findings {
		if f := &rep.Findings[i]; f.Component != "" {
			about[f.Component] = append(about[f.Component], f)
		}
	}
	adv := adviser{rep: rep, steps: steps, about: about}
	if len(about) > 0 {
		adv.broughtBy(s.SBOM.Components)
		adv.lockfiles()
		if err := adv.parents(ctx, a); err != nil {
			return err
		}
	}
	for i := range rep.Components {
		c := &rep.Components[i]
		st := steps[c.PURL]
		c.Upgrade = st.All.To
		if st.Minor.To != st.All.To {
			c.UpgradeMinor = st.Minor.To
		}
		if fs := flaws(about[c.PURL]); len(fs) > 0 {
			adv.component(c, fs)
		}
	}
	adv.platform("base", imageStep)
	adv.platform("runtime", runtimeStep)
	adv.runtime()
	return nil
}

// steps looks for the versions that the affected packages can be moved to. One
// that a registry says was taken back, or is not to be used, is no place to go.
func (a *Auditor) steps(ctx context.Context, s *Subject) (out map[string]vulndb.Steps, err error) {
	out = make(map[string]vulndb.Steps, len(s.affected))
	avoid, instead := map[string]map[string]bool{}, map[string][]string{}
	todo := make([]string, 0, len(s.affected))
	for purl, k := range s.affected {
		if st, ok := a.memo.stepsOf(k.of); ok {
			out[purl] = st
		} else {
			todo = append(todo, purl)
		}
	}
	slices.Sort(todo)
	asked := slices.Clone(todo)
	defer func() {
		if err == nil {
			for _, purl := range asked {
				a.memo.keepSteps(s.affected[purl].of, out[purl])
			}
		}
	}()
	for range maxAvoided {
		for _, purl := range todo {
			k := s.affected[purl]
			st, err := a.DB.Steps(ctx, k.pkg, k.from, fixedToo(k.groups, instead[purl]), func(v string) bool { return avoid[purl][v] })
			if err != nil {
				return nil, err
			}
			out[purl] = st
		}
		if todo, err = a.refused(ctx, todo, s.affected, out, avoid, instead); err != nil || len(todo) == 0 {
			return out, err
		}
	}
	for _, purl := range todo {
		out[purl] = vulndb.Steps{} // nothing that is worth a recommendation
	}
	return out, nil
}

// fixedToo are the groups with more versions among which a step is looked for.
func fixedToo(groups []vulndb.Group, versions []string) []vulndb.Group {
	if len(versions) == 0 || len(groups) == 0 {
		return groups
	}
	out := slices.Clone(groups)
	out[0].Fixed = slices.Concat(out[0].Fixed, versions)
	return out
}

// refused returns the packages of which a registry refuses a version that a
// step goes to, adds those versions to what is to be avoided, and the next that
// is released to those that come instead. What no registry knows is not refused.
func (a *Auditor) refused(ctx context.Context, purls []string, known map[string]affected, steps map[string]vulndb.Steps, avoid map[string]map[string]bool, instead map[string][]string) ([]string, error) {
	if a.Registry == nil {
		return nil, nil
	}
	var questions []registry.Question
	var of []string
	for _, purl := range purls {
		p, _, ok := registry.ParsePURL(purl)
		if !ok {
			continue
		}
		st := steps[purl]
		for _, v := range []string{st.All.To, st.Minor.To, st.Most.To} {
			q := registry.Question{Package: p, Version: spelled(p, v)}
			if v != "" && !slices.Contains(questions, q) {
				questions, of = append(questions, q), append(of, purl)
			}
		}
	}
	if len(questions) == 0 {
		return nil, nil
	}
	standings, err := a.Registry.Standings(ctx, questions)
	if err != nil {
		return nil, err
	}
	var again []string
	for i, st := range standings {
		if st.Yanked == "" && st.Deprecated == "" {
			continue
		}
		purl := of[i]
		if avoid[purl] == nil {
			avoid[purl] = map[string]bool{}
		}
		avoid[purl][questions[i].Version] = true
		avoid[purl][strings.TrimPrefix(questions[i].Version, "v")] = true
		next, err := a.following(ctx, questions[i], known[purl].pkg)
		if err != nil {
			return nil, err
		}
		if next != "" {
			instead[purl] = append(instead[purl], next)
		}
		if !slices.Contains(again, purl) {
			again = append(again, purl)
		}
	}
	return again, nil
}

// following is the first release that a registry lists behind a version and does
// not refuse, as advisories spell it; "" when it does not say.
func (a *Auditor) following(ctx context.Context, q registry.Question, pkg vulndb.Package) (string, error) {
	facts, err := a.Registry.Facts(ctx, []registry.Package{q.Package})
	if err != nil {
		return "", err
	}
	behind := false
	for _, v := range facts[0].Versions { // in the order of their numbers
		line, _ := version.LineOf(pkg.Ecosystem, pkg.Name, v.Version)
		switch {
		case v.Version == q.Version:
			behind = true
		case behind && v.Yanked == "" && v.Deprecated == "" && !line.Prerelease:
			if q.Package.System == registry.Go {
				return strings.TrimPrefix(v.Version, "v"), nil
			}
			return v.Version, nil
		}
	}
	return "", nil
}

// spelled is a version of an advisory as the registry spells it: Go's begin with "v".
func spelled(p registry.Package, v string) string {
	if p.System == registry.Go && v != "" && v[0] != 'v' {
		return "v" + v
	}
	return v
}

// flaws are the findings that another version may clear.
func flaws(fs []*finding.Finding) []*finding.Finding {
	var out []*finding.Finding
	for _, f := range fs {
		if f.Kind == finding.KindVulnerability || f.Kind == finding.KindMalware {
			out = append(out, f)
		}
	}
	return out
}

// adviser makes the upgrades of one report.
type adviser struct {
	rep   *finding.Report
	steps map[string]vulndb.Steps
	about map[string][]*finding.Finding

	components []*finding.Component         // of the bill of materials, in its order
	needed     map[string][]int             // package URL -> indices of those that need it, direct ones first
	stated     map[string]map[string]string // package URL -> what registries say that it takes of others
	graph      *sbom.Graph
	parent     map[string]parentStep // package URL of one with findings -> the version that helps of the one that does not take its fix
	raised     map[string]parentStep // package URL -> the highest version to which a step for another package moves it
	direct     map[string]bool       // package URL -> the function asks for it itself
	lock       map[string]string     // kind of package -> name of a lockfile of the function
}

// broughtBy notes of each component about which something is found which direct
// dependencies bring it.
func (v *adviser) broughtBy(components []sbom.Component) {
	g := sbom.NewGraph(components)
	by := g.BroughtBy(maxBroughtBy)
	at := make(map[string]int, len(components))
	v.direct = map[string]bool{}
	for i, c := range components {
		at[c.PURL] = i
	}
	v.graph = g
	v.neededBy(components)
	for i := range v.rep.Components {
		c := &v.rep.Components[i]
		j, ok := at[c.PURL]
		if !ok || len(v.about[c.PURL]) == 0 {
			continue
		}
		v.direct[c.PURL] = g.Direct(j)
		for _, d := range by[j] {
			c.BroughtBy = append(c.BroughtBy, components[d].PURL)
		}
		slices.Sort(c.BroughtBy)
	}
}

// neededBy notes of each component which others need it.
func (v *adviser) neededBy(components []sbom.Component) {
	inReport := make(map[string]*finding.Component, len(v.rep.Components))
	for i := range v.rep.Components {
		inReport[v.rep.Components[i].PURL] = &v.rep.Components[i]
	}
	v.components, v.needed = make([]*finding.Component, len(components)), map[string][]int{}
	for _, direct := range []bool{true, false} {
		for i := range components {
			v.components[i] = inReport[components[i].PURL]
			if v.components[i] == nil || v.graph.Direct(i) != direct {
				continue
			}
			for _, j := range v.graph.Needs(i) {
				v.needed[components[j].PURL] = append(v.needed[components[j].PURL], i)
			}
		}
	}
}

// lockfiles notes for each kind of package the first lockfile that proves one of
// its packages: it tells by what the others are installed.
func (v *adviser) lockfiles() {
	v.lock = map[string]string{}
	for i := range v.rep.Components {
		c := &v.rep.Components[i]
		typ := sbom.TypeOf(c.PURL)
		if name := lockfileOf(c); name != "" && (v.lock[typ] == "" || name < v.lock[typ]) {
			v.lock[typ] = name
		}
	}
}

// lockfileOf is the name of the lockfile that names a component; "" for none.
// npm's own record of what it installed says less than a lockfile beside it.
func lockfileOf(c *finding.Component) string {
	name := ""
	if c.Listed != nil && managers[path.Base(c.Listed.File)] != "" {
		name = path.Base(c.Listed.File)
	}
	for _, e := range c.Evidence {
		if e.Method == sbom.MethodLockfile || e.Method == sbom.MethodManifest {
			if base := path.Base(e.Path); managers[base] != "" && (name == "" || name == ".package-lock.json") {
				name = base
			}
		}
	}
	for _, t := range c.Traits {
		if base := path.Base(t.Path); name == "" && t.Kind == string(sbom.TraitDirect) && managers[base] != "" {
			name = base
		}
	}
	return name
}

// component makes the step of one component.
func (v *adviser) component(c *finding.Component, fs []*finding.Finding) {
	if c.Origin == string(sbom.OriginBase) || c.Origin == string(sbom.OriginRuntime) {
		return // the platform's, see platform
	}
	u := finding.Upgrade{Component: c.PURL, Name: c.Name, From: cmp.Or(c.Version, strings.Join(c.Versions, " or ")), Clears: []string{}, Layer: v.layer(c)}
	step := v.steps[c.PURL].Most
	if malicious(fs) {
		step = vulndb.Step{} // another version of it may be clean today; whether to trust it is not a matter of versions
		u.Note = "remove it, then rotate every secret that the function could read"
	}
	u.To, u.Major = step.To, step.Major
	for _, f := range fs {
		switch {
		case f.Kind == finding.KindMalware && step.To == "":
			u.Clears = append(u.Clears, f.Fingerprint) // by its removal
		case slices.Contains(step.Clears, f.ID):
			u.Clears = append(u.Clears, f.Fingerprint)
		case step.To == "" && u.Note == "" && c.Version == "" && len(f.Fixed) == 1: // of a version that is not known: the last fix
			u.To = f.Fixed[0]
			u.Clears = append(u.Clears, f.Fingerprint)
		default:
			u.Remains = append(u.Remains, f.Fingerprint)
		}
	}
	if r := v.raised[c.PURL]; u.To != "" && higher(c.Ecosystem, r.to, u.To) { // nothing is known against that
		u.To, u.Major = r.to, r.major
		u.Clears, u.Remains = append(u.Clears, u.Remains...), nil
	}
	w := way{manager: v.manager(c), name: c.Name, from: c.Version, to: u.To, transitive: len(c.BroughtBy) > 0}
	if w.transitive {
		asks, all := v.asks(c, u.To)
		w.takes, w.refusing = all, refusing(asks)
	}
	v.lies(c, &w)
	if vendored(c) {
		w = way{}
		u.Note = cmp.Or(u.Note, "it is a copy inside "+cmp.Or(carrier(c), "another package")+": upgrade that one")
	}
	u.Manager = w.manager
	if by := v.parent[c.PURL]; by.to != "" && u.To != "" && w.takes == takesNot {
		v.throughParent(&u, c, by, w.refusing[0].of)
	} else if u.To != "" {
		u.Command = w.command()
		u.Note = cmp.Or(u.Note, v.note(c, w, step))
	}
	v.rep.Upgrades = append(v.rep.Upgrades, u)
}

// lies notes what the place of a component says of the way to move it.
func (v *adviser) lies(c *finding.Component, w *way) {
	all := func(in func(path string) bool) bool {
		return len(c.Locations) > 0 && !slices.ContainsFunc(c.Locations, func(l finding.Location) bool { return !in(l.Path) })
	}
	switch w.manager {
	case "go", "pipenv":
		w.untold = !w.transitive && !v.direct[c.PURL] && len(v.needed[c.PURL]) == 0
	case "pip":
		w.listed = cmp.Or(lockfileOf(c), v.lock[sbom.TypeOf(c.PURL)]) == "requirements.txt"
		w.folder = c.State != string(sbom.Declared) && all(func(p string) bool {
			return !strings.Contains(p, "site-packages/") && !strings.Contains(p, "dist-packages/")
		})
	case "pnpm":
		w.left = lockfileOf(c) == "" && !w.transitive && !v.direct[c.PURL] && len(v.needed[c.PURL]) == 0 && v.lock["npm"] == "pnpm-lock.yaml" && !locked(c) &&
			all(func(p string) bool { return strings.Contains("/"+p, "/node_modules/.pnpm/") })
	}
}

// locked says whether a lockfile told anything of a component.
func locked(c *finding.Component) bool {
	return slices.ContainsFunc(c.Traits, func(t finding.Trait) bool { return managers[path.Base(t.Path)] != "" })
}

// carrier is the package in whose folder of copies a component lies, by the
// folder's name; "" when that is no plain name.
func carrier(c *finding.Component) string {
	before, _, _ := strings.Cut(strings.Replace(c.Locations[0].Path, "/_vendored/", "/_vendor/", 1), "/_vendor/")
	if name := path.Base(before); plainWord(name, "._-") {
		return name
	}
	return ""
}

// note says what the command does not: which version stays compatible where the
// step does not, and who has to accept the step.
func (v *adviser) note(c *finding.Component, w way, step vulndb.Step) string {
	var parts []string
	if minor := v.steps[c.PURL].Minor; step.Major && minor.To != "" {
		parts = append(parts, fmt.Sprintf("%s clears %d of %d and is said to be compatible", minor.To, len(minor.Clears), len(step.Clears)))
	}
	if s := w.note(v.names(c.BroughtBy)); s != "" {
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

func malicious(fs []*finding.Finding) bool {
	return slices.ContainsFunc(fs, func(f *finding.Finding) bool { return f.Kind == finding.KindMalware })
}

// vendored says whether every place of a component lies in another package's
// folder of copies, so that no package manager moves it alone.
func vendored(c *finding.Component) bool {
	return len(c.Locations) > 0 && !slices.ContainsFunc(c.Locations, func(l finding.Location) bool {
		return !strings.Contains(l.Path, "/_vendor/") && !strings.Contains(l.Path, "/_vendored/")
	})
}

// layer is the layer that holds a component, where the function's own package
// does not; "" else. Of several it is the first.
func (v *adviser) layer(c *finding.Component) string {
	name := ""
	for _, l := range c.Locations {
		if l.Artifact <= 0 || l.Artifact >= len(v.rep.Artifacts) {
			return ""
		}
		name = cmp.Or(name, v.rep.Artifacts[l.Artifact].Ref)
	}
	return name
}

// names are the names of the packages that purls are of.
func (v *adviser) names(purls []string) []string {
	var out []string
	for _, p := range purls {
		for i := range v.rep.Components {
			if c := &v.rep.Components[i]; c.PURL == p {
				out = append(out, c.Name)
			}
		}
	}
	return out
}

// The steps for what the platform brings: one for all of it.
const (
	imageStep   = "base image"
	runtimeStep = "runtime"
)

// platform makes the one step that clears what came with the base image, or
// with the runtime: a newer one.
func (v *adviser) platform(origin, name string) {
	u := finding.Upgrade{Name: name, From: name, Clears: []string{}, Manager: "image", Note: "rebuild on a newer base image"}
	if origin == string(sbom.OriginRuntime) {
		u.Manager, u.Note = "runtime", "the platform updates it; move to a newer runtime to have it sooner"
	} else if len(v.rep.Artifacts) > 0 {
		u.From = v.rep.Artifacts[0].Ref
	}
	for i := range v.rep.Components {
		c := &v.rep.Components[i]
		if c.Origin != origin {
			continue
		}
		for _, f := range flaws(v.about[c.PURL]) {
			to := &u.Remains
			if len(f.Fixed) > 0 || f.Kind == finding.KindMalware {
				to = &u.Clears
			}
			if !slices.Contains(*to, f.Fingerprint) {
				*to = append(*to, f.Fingerprint)
			}
		}
	}
	if len(u.Clears) > 0 {
		u.To = "newer"
		v.rep.Upgrades = append(v.rep.Upgrades, u)
	}
}

// runtime makes the step for a runtime that is at its end.
func (v *adviser) runtime() {
	for i := range v.rep.Findings {
		f := &v.rep.Findings[i]
		if f.Kind == finding.KindRuntime && len(f.Fixed) > 0 {
			v.rep.Upgrades = append(v.rep.Upgrades, finding.Upgrade{
				Name: "runtime", From: strings.TrimPrefix(f.ID, "runtime:"), To: f.Fixed[len(f.Fixed)-1], Clears: []string{f.Fingerprint}, Manager: "runtime",
				Note: "move the function to it",
			})
		}
	}
}
