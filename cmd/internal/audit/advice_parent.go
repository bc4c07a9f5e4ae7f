package audit

import (
	"context"
	"fmt"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
	"github.com/fnaudit/fnaudit/sbom/resolve"
	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/version"
)

// maxInnerVersions is how many versions are looked at of a package that others
// bring, above the one that is there, and maxInnerNeeders for how many others.
const (
	maxInnerVersions = 1000
	maxInnerNeeders  = 32
)

// maxParentVersions is how many versions of a direct dependency are matched
// while one is looked for that takes a fix.
const maxParentVersions = 32

// parentStep is a version of a package that takes the fix of another one which
// the version that is there does not take. The zero value is none.
type parentStep struct {
	to    string
	major bool
	rng   string // what it takes of the package; "" when it needs it no more
	inner bool   // others bring it, and all of them take that version
	stays bool   // it also takes the version that is there, at which a lockfile stays
}

// parents looks for the packages to move where only one does not take a fix: a
// direct dependency, or one that others bring, to a version that they take. It
// knows what registries said of their versions, so that without any it knows
// nothing. Only a cancelled ctx and a store that cannot be read are errors.
func (v *adviser) parents(ctx context.Context, a *Auditor) error {
	v.parent = map[string]parentStep{}
	if a.Registry == nil {
		return nil
	}
	if err := v.stating(ctx, a); err != nil {
		return err
	}
	var asked []parentAsk
	for i := range v.rep.Components {
		c := &v.rep.Components[i]
		to := v.steps[c.PURL].Most.To
		if to == "" || len(c.BroughtBy) == 0 || len(v.about[c.PURL]) == 0 {
			continue
		}
		asks, all := v.asks(c, to)
		if no := refusing(asks); all == takesNot && len(no) == 1 {
			q := parentAsk{c: c, parent: no[0].of, to: to}
			if !no[0].direct {
				if len(v.needed[q.parent.PURL]) > maxInnerNeeders {
					continue
				}
				q.accepts = func(version string) bool { _, all := v.asks(q.parent, version); return all == takesAll }
			}
			step, err := a.parentStep(ctx, q, v.steps[q.parent.PURL].Most.To)
			if err != nil {
				return err
			}
			if step.to != "" {
				v.parent[c.PURL] = step
				asked = append(asked, q)
			}
		}
	}
	return v.agree(ctx, a, asked)
}

// parentAsk asks for a version of a package that takes the fix of another one.
type parentAsk struct {
	c, parent *finding.Component
	to        string                    // the fix
	accepts   func(version string) bool // nil of a direct dependency
}

// maxAgree is how often agree goes over the steps.
const maxAgree = 4

// agree brings the steps that move one package to one version, the highest,
// where that helps all: else the command of one step would take back what that
// of another one did. The package's own step goes there, too.
func (v *adviser) agree(ctx context.Context, a *Auditor, asked []parentAsk) error {
	v.raised = map[string]parentStep{}
	for range maxAgree {
		for _, q := range asked {
			step := v.parent[q.c.PURL]
			if have := v.raised[q.parent.PURL]; have.to == "" || higher(q.parent.Ecosystem, step.to, have.to) {
				v.raised[q.parent.PURL] = step
			}
		}
		changed := false
		for _, q := range asked {
			high := v.raised[q.parent.PURL].to
			if v.parent[q.c.PURL].to == high {
				continue
			}
			step, err := a.parentStep(ctx, q, high)
			if err != nil {
				return err
			}
			if step.to != "" {
				v.parent[q.c.PURL], changed = step, true
			}
		}
		if !changed {
			break
		}
	}
	return nil
}

// parentStep looks for the lowest version of a package, of those that a registry
// lists, that is at least the one that its own findings ask for; that is no
// pre-release, not taken back and not to be avoided; of which the store knows
// nothing bad; and that takes a version of the other package that has the fix.
// With accepts it is one of those that it holds for, and the highest of them has
// to be such a version, too: a lockfile that is made anew goes to that one.
func (a *Auditor) parentStep(ctx context.Context, q parentAsk, least string) (parentStep, error) {
	key := strings.Join([]string{q.parent.PURL, q.c.PURL, q.to, least}, "\x00")
	if q.accepts == nil { // else it is a matter of this function, too
		if step, ok := a.memo.parentOf(key); ok {
			return step, nil
		}
	}
	var step parentStep
	p, _, ok := registry.ParsePURL(q.parent.PURL)
	child, _, childOK := registry.ParsePURL(q.c.PURL)
	if !ok || !childOK || q.parent.Version == "" {
		return step, nil
	}
	facts, err := a.Registry.Facts(ctx, []registry.Package{p, child})
	if err != nil {
		return step, err
	}
	s := parentSearch{a: a, parent: q.parent, child: q.c, to: q.to, least: least, versions: facts[1].Versions}
	if q.accepts != nil {
		return s.inner(ctx, facts[0].Versions, q.accepts)
	}
	if step, err = s.lowest(ctx, facts[0].Versions); err == nil {
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

// lowest is the step to the first version, in the order of their numbers, that helps.
func (s *parentSearch) lowest(ctx context.Context, versions []registry.Version) (parentStep, error) {
	for i := range versions {
		if step, err := s.try(ctx, &versions[i]); err != nil || step.to != "" {
			return step, err
		}
	}
	return parentStep{}, nil
}

// inner is lowest among the versions that those who need the package take.
func (s *parentSearch) inner(ctx context.Context, versions []registry.Version, accepts func(version string) bool) (parentStep, error) {
	var fit []registry.Version
	for i := range versions {
		if len(fit) < maxInnerVersions && s.above(versions[i].Version, s.parent.Version) && versions[i].Yanked == "" && accepts(versions[i].Version) {
			fit = append(fit, versions[i])
		}
	}
	if len(fit) == 0 || len(fit) == maxInnerVersions {
		return parentStep{}, nil
	}
	if last, err := s.try(ctx, &fit[len(fit)-1]); err != nil || last.to == "" {
		return parentStep{}, err
	}
	step, err := s.lowest(ctx, fit)
	step.inner = step.to != ""
	return step, err
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
	rng, stays := "", false
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
		stays, _ = resolve.Accepts(typ, rng, s.child.Version)
	}
	s.tried++
	if clean, err := s.clean(ctx, s.parent, v.Version); err != nil || !clean {
		return parentStep{}, err
	}
	from, _ := version.LineOf(s.parent.Ecosystem, s.parent.Name, s.parent.Version)
	return parentStep{to: v.Version, major: ok && from.Compatible != line.Compatible, rng: rng, stays: stays}, nil
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
func (s *parentSearch) above(v, than string) bool { return higher(s.parent.Ecosystem, v, than) }

func higher(ecosystem, v, than string) bool {
	x, err := version.ParseEvent(ecosystem, v)
	if err != nil {
		return false
	}
	y, err := version.ParseEvent(ecosystem, than)
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

// throughParent makes the step of a component one of the package that brings it
// and does not take the fix.
func (v *adviser) throughParent(u *finding.Upgrade, c *finding.Component, step parentStep, by *finding.Component) {
	w := way{manager: v.manager(by), name: by.Name, from: by.Version, to: step.to}
	u.For, u.Component, u.Name, u.From, u.To, u.Major = c.PURL, by.PURL, by.Name, by.Version, step.to, step.major
	why := ""
	switch {
	case step.rng == "":
		why = fmt.Sprintf("for %s %s, which %s %s needs no more", c.Name, c.Version, by.Name, step.to)
	case plainRange(step.rng):
		why = fmt.Sprintf("for %s %s, of which %s %s takes %s", c.Name, c.Version, by.Name, step.to, step.rng)
	default:
		why = fmt.Sprintf("for %s %s, of which %s %s takes a version with the fix", c.Name, c.Version, by.Name, step.to)
	}
	then := ""
	if step.stays {
		next := way{manager: v.manager(c), name: c.Name, from: c.Version, to: v.steps[c.PURL].Most.To, transitive: true, takes: takesAll}
		then = fmt.Sprintf("then move %s, at which the lockfile stays", c.Name)
		if command := next.command(); command != "" {
			then += ": " + command
		}
	}
	more := w.noteDirect()
	if step.inner {
		w.transitive, w.takes = true, takesAll
		var needers []string
		for _, i := range v.needed[by.PURL] {
			needers = append(needers, v.components[i].Name)
		}
		more = w.note(needers)
	}
	u.Manager, u.Command, u.Note = w.manager, w.command(), joined(why, then, more)
}
