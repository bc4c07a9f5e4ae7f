package audit

import (
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/trust"
)

// imagePrefix marks a target that lies in a registry.
const imagePrefix = "image:"

// platformOf is what the rules about the platform look at. Without the function
// only its components are left.
func (a *Auditor) platformOf(s *Subject) trust.Platform {
	p := trust.Platform{Accounts: a.Policy.Dependencies.LayerAccounts, Now: a.Now}
	var img *finding.Image
	ref := ""
	switch {
	case s.Function != nil:
		d := s.Function.Spec.Declared
		p.Descriptor, p.Layers, p.Role, p.Environment, p.Image = d.Descriptor, d.Layers, d.Role, d.Environment, d.Image
		ref, img = s.Function.Spec.Ref, imageOf(s.Function)
	case s.recorded != nil:
		if d := s.recorded.Report.Declared; d != nil {
			p.Descriptor, p.Layers, p.Role, p.Environment, p.Image = d.Descriptor, d.Layers, d.Role, d.Environment, d.Image
		}
		if list := s.recorded.Report.Artifacts; len(list) > 0 {
			img = list[0].Image
		}
		ref = s.recorded.Report.Target
	}
	if ref, ok := strings.CutPrefix(ref, imagePrefix); ok {
		p.Image = ref
	}
	if img == nil {
		return p
	}
	p.Base = &trust.Base{Layers: img.BaseLayers, Guessed: img.BaseGuessed, Created: img.BaseCreated}
	for _, name := range img.Environment {
		if !slices.Contains(p.Environment, name) {
			p.Environment = append(slices.Clip(p.Environment), name)
		}
	}
	return p
}

// imageOf is what the configuration of a function's image says; nil when it is
// no image.
func imageOf(f *bundle.Function) *finding.Image {
	if len(f.Volumes) == 0 {
		return nil
	}
	img := f.Volumes[0].Image()
	if img == nil {
		return nil
	}
	out := &finding.Image{}
	for _, l := range img.Layers {
		if !l.Base {
			continue
		}
		out.BaseLayers++
		out.BaseGuessed = out.BaseGuessed || l.BaseGuessed
		if l.Created.After(out.BaseCreated) {
			out.BaseCreated = l.Created.UTC()
		}
	}
	for _, e := range img.Env {
		if name, _, ok := strings.Cut(e, "="); ok && !slices.Contains(out.Environment, name) {
			out.Environment = append(out.Environment, name)
		}
	}
	return out
}

// extension says whether a component is a file that the platform starts beside
// the function, and of which nothing else is known.
func extension(c sbom.Component) bool {
	return len(c.Evidence) > 0 && !slices.ContainsFunc(c.Evidence, func(e sbom.Evidence) bool { return e.Method != sbom.MethodExtension })
}
