package audit

import (
	"context"
	"fmt"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
	"github.com/fnaudit/fnaudit/sbom/resolve"
	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/version"
)

// maxParentVersions is how many versions of a direct dependency are matched
// while one is looked for that takes a fix.
const maxParentVersions = 32

// parentStep is a version of a direct dependency that takes the fix of a package
// which the one that is there does not take. The zero value is none.
type parentStep struct {
	to    string
	major bool
	rng   string // what it takes of the package; "" when it needs it no more
}

// parents looks for the direct dependencies to move where the only package that
// does not take a fix is one. It knows what registries said of their versions,
// so that without any it knows nothing. Only a cancelled ctx and a store that
// cannot be read are errors.
func (v *adviser) parents(ctx context.Context, a *Auditor) error {
	v.parent = map[string]parentStep{}
	if a.Registry == nil {
		return nil
	}
	for i := range v.rep.Components {
		c := &v.rep.Components[i]
		to := v.steps[c.PURL].Most.To
		if to == "" || len(c.BroughtBy) == 0 || len(v.about[c.PURL]) == 0 {
			continue
		}
		asks, all := v.asks(c, to)
		if no := refusing(asks); all == takesNot && len(no) == 1 && no[0].direct {
			step, err := a.parentStep(ctx, no[0].of, c, to, v.steps[no[0].of.PURL].Most.To)
			if err != nil {
				return err
			}
			if step.to != "" {
				v.parent[c.PURL] = step
			}
		}
	}
	return nil
}

// parentStep looks for the lowest version of a direct dependency, of those that
// a registry lists, that is at least the one that its own findings ask for; that
// is no pre-release, not taken back and not to be avoided; of which the store
// knows nothing bad; and that takes a version of the package that has the fix.
func (a *Auditor) parentStep(ctx context.Context, parent, c *finding.Component, to, least string) (parentStep, error) {
	key := parent.PURL + "\x00" + c.PURL + "\x00" + to
	if step, ok := a.memo.parentOf(key); ok {
		return step, nil
	}
	var step parentStep
	p, _, ok := registry.ParsePURL(parent.PURL)
	child, _, childOK := registry.ParsePURL(c.PURL)
	if !ok || !childOK || parent.Version == "" {
		return step, nil
	}
	facts, err := a.Registry.Facts(ctx, []registry.Package{p, child})
	if err != nil {
		return step, err
	}
	s := parentSearch{a: a, parent: parent, child: c, to: to, least: least, versions: facts[1].Versions}
	for i := range facts[0].Versions {
		if step, err = s.try(ctx, &facts[0].Versions[i]); err != nil || step.to != "" {
			break
		}
	}
	if err == nil {
		a.memo.keepParent(key, step)
	}
	return step, err
}

// parentSearch is the search of one parentStep.
type parentSearch struct {
	a             *Auditor
	parent, child *finding.Component
	to, least     string
	versions      []registry.Version // of the child
	tried         int
}

// try returns the step to one version; the zero step when it is none.
func (s *parentSearch) try(ctx context.Context, v *registry.Version) (parentStep, error) {
	if v.Yanked != "" || v.Deprecated != "" || len(v.Requires) == 0 || !s.above(v.Version, s.parent.Version) || s.least != "" && s.above(s.least, v.Version) {
		return parentStep{}, nil
	}
	line, ok := version.LineOf(s.parent.Ecosystem, s.parent.Name, v.Version)
	if ok && line.Prerelease || s.tried == maxParentVersions {
		return parentStep{}, nil
	}
	rng := ""
	typ := sbom.TypeOf(s.child.PURL)
	for name, text := range v.Requires {
		if sbom.CanonicalName(typ, name) == sbom.CanonicalName(typ, s.child.Name) {
			rng = text
		}
	}
	if rng != "" {
		if helps, err := s.takesFix(ctx, typ, rng); err != nil || !helps {
			return parentStep{}, err
		}
	}
	s.tried++
	if clean, err := s.clean(ctx, s.parent, v.Version); err != nil || !clean {
		return parentStep{}, err
	}
	from, _ := version.LineOf(s.parent.Ecosystem, s.parent.Name, s.parent.Version)
	return parentStep{to: v.Version, major: ok && from.Compatible != line.Compatible, rng: rng}, nil
}

// takesFix says whether a range leads to a version with the fix: it accepts that
// one, or the highest version that it accepts is one against which nothing is
// known.
func (s *parentSearch) takesFix(ctx context.Context, typ, rng string) (bool, error) {
	if ok, known := resolve.Accepts(typ, rng, s.to); ok || !known {
		return ok, nil
	}
	for i := len(s.versions) - 1; i >= 0; i-- {
		v := &s.versions[i]
		if ok, _ := resolve.Accepts(typ, rng, v.Version); ok && v.Yanked == "" {
			if !s.above(v.Version, s.to) {
				return false, nil
			}
			return s.clean(ctx, s.child, v.Version)
		}
	}
	return false, nil
}

// above says whether a version is higher than another one; both are of the
// ecosystem of the parent, which is that of the child.
func (s *parentSearch) above(v, than string) bool {
	x, err := version.ParseEvent(s.parent.Ecosystem, v)
	if err != nil {
		return false
	}
	y, err := version.ParseEvent(s.parent.Ecosystem, than)
	if err != nil {
		return false
	}
	n, err := x.Compare(y)
	return err == nil && n > 0
}

// clean says whether the store knows nothing against a version.
func (s *parentSearch) clean(ctx context.Context, c *finding.Component, v string) (bool, error) {
	r, err := s.a.DB.Match(ctx, vulndb.Package{Ecosystem: c.Ecosystem, Name: c.Name, Version: v})
	if err != nil {
		return false, fmt.Errorf("match %s %s, to which %s may be moved: %w", c.Name, v, s.parent.Name, err)
	}
	return len(r.Matches) == 0 && len(r.Problems) == 0, nil
}

// throughParent makes the step of a component one of the direct dependency that
// brings it.
func (v *adviser) throughParent(u *finding.Upgrade, c *finding.Component, step parentStep, by *finding.Component) {
	w := way{manager: v.manager(by), name: by.Name, from: by.Version, to: step.to}
	u.For, u.Component, u.Name, u.From, u.To, u.Major = c.PURL, by.PURL, by.Name, by.Version, step.to, step.major
	u.Manager, u.Command = w.manager, w.command()
	switch {
	case step.rng == "":
		u.Note = fmt.Sprintf("for %s %s, which %s %s needs no more", c.Name, c.Version, by.Name, step.to)
	case plainRange(step.rng):
		u.Note = fmt.Sprintf("for %s %s, of which %s %s takes %s", c.Name, c.Version, by.Name, step.to, step.rng)
	default:
		u.Note = fmt.Sprintf("for %s %s, of which %s %s takes a version with the fix", c.Name, c.Version, by.Name, step.to)
	}
	if more := w.noteDirect(); more != "" {
		u.Note += "; " + more
	}
}
