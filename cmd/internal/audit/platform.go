package audit

import (
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/trust"
)

// imagePrefix marks a target that lies in a registry.
const imagePrefix = "image:"

// platformOf is what the rules about the platform look at. Without the function
// only its components are left.
func (a *Auditor) platformOf(s *Subject) trust.Platform {
	p := trust.Platform{Accounts: a.Policy.Dependencies.LayerAccounts, Now: a.Now}
	if s.Function == nil {
		return p
	}
	d := s.Function.Spec.Declared
	p.Descriptor, p.Layers, p.Role, p.Environment, p.Image = d.Descriptor, d.Layers, d.Role, d.Environment, d.Image
	if ref, ok := strings.CutPrefix(s.Function.Spec.Ref, imagePrefix); ok {
		p.Image = ref
	}
	if len(s.Function.Volumes) == 0 {
		return p
	}
	img := s.Function.Volumes[0].Image()
	if img == nil {
		return p
	}
	p.Base = &trust.Base{}
	for _, l := range img.Layers {
		if l.Base {
			p.Base.Layers++
			p.Base.Guessed = p.Base.Guessed || l.BaseGuessed
			if l.Created.After(p.Base.Created) {
				p.Base.Created = l.Created
			}
		}
	}
	for _, e := range img.Env {
		if name, _, ok := strings.Cut(e, "="); ok && !slices.Contains(p.Environment, name) {
			p.Environment = append(slices.Clip(p.Environment), name)
		}
	}
	return p
}

// extension says whether a component is a file that the platform starts beside
// the function, and of which nothing else is known.
func extension(c sbom.Component) bool {
	return len(c.Evidence) > 0 && !slices.ContainsFunc(c.Evidence, func(e sbom.Evidence) bool { return e.Method != sbom.MethodExtension })
}
