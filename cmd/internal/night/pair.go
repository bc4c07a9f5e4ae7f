package night

import (
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// matcher finds the finding that another was: by its fingerprint, or by any of
// its names about the same package, since advisories are merged under another
// name. It takes time that grows with the findings and their names, however many
// have the same name: one advisory can be about each of thousands of versions.
type matcher struct {
	old   []finding.Finding
	taken []bool

	prints       map[nameKey][]int // by fingerprint and component
	exact, loose map[nameKey][]int // by name and component, with its version and without; nil before they are needed
}

// nameKey is a name of a finding; the fingerprint is the id of no kind.
type nameKey struct {
	kind                finding.Kind
	rule, component, id string
}

func newMatcher(old []finding.Finding) *matcher {
	m := &matcher{old: old, taken: make([]bool, len(old)), prints: make(map[nameKey][]int, len(old))}
	for i := range old {
		if key, ok := printOf(&old[i]); ok {
			m.prints[key] = append(m.prints[key], i)
		}
	}
	return m
}

// printOf is the fingerprint of a finding of one version. The rules about a
// runtime are steps of one life, so they are told apart by nothing.
func printOf(f *finding.Finding) (key nameKey, ok bool) {
	return nameKey{component: f.Component, id: f.Fingerprint}, f.Fingerprint != "" && f.Kind != finding.KindRuntime
}

// namesOf are the other names of a finding about a component, in their order.
func namesOf(f *finding.Finding, component string) []nameKey {
	if f.Kind == finding.KindRuntime {
		return []nameKey{{kind: f.Kind, id: f.ID}}
	}
	key := nameKey{f.Kind, f.Rule, component, f.ID}
	out := append(make([]nameKey, 0, 1+len(f.Aliases)), key)
	if f.Kind == finding.KindVulnerability || f.Kind == finding.KindMalware {
		for _, key.id = range f.Aliases {
			out = append(out, key)
		}
	}
	return out
}

// named fills the indexes by name.
func (m *matcher) named() {
	if m.exact != nil {
		return
	}
	m.exact, m.loose = make(map[nameKey][]int, 2*len(m.old)), make(map[nameKey][]int, 2*len(m.old))
	for i := range m.old {
		f := &m.old[i]
		if f.Kind != finding.KindRuntime {
			for _, key := range namesOf(f, f.Component) {
				m.exact[key] = append(m.exact[key], i)
			}
		} else {
			key := nameKey{kind: f.Kind, component: f.Component, id: f.ID}
			m.exact[key] = append(m.exact[key], i)
		}
		if key, ok := printOf(f); ok {
			key.component = ""
			m.loose[key] = append(m.loose[key], i)
		}
		for _, key := range namesOf(f, finding.Versionless(f.Component)) {
			m.loose[key] = append(m.loose[key], i)
		}
	}
}

// take takes the first of a list that is not taken; -1 when there is none. Those
// that are taken are never looked at again.
func (m *matcher) take(in map[nameKey][]int, key nameKey) int {
	list := in[key]
	n := 0
	for n < len(list) && m.taken[list[n]] {
		n++
	}
	if n > 0 {
		in[key] = list[n:]
	}
	if n == len(list) {
		return -1
	}
	m.taken[list[n]] = true
	return list[n]
}

// same takes the finding that f was, in the same version of the package; -1 when
// none was.
func (m *matcher) same(f *finding.Finding) int {
	if key, ok := printOf(f); ok {
		if i := m.take(m.prints, key); i >= 0 {
			return i
		}
	}
	m.named()
	if f.Kind == finding.KindRuntime {
		return m.take(m.exact, nameKey{kind: f.Kind, component: f.Component, id: f.ID})
	}
	for _, key := range namesOf(f, f.Component) {
		if i := m.take(m.exact, key); i >= 0 {
			return i
		}
	}
	return -1
}

// alike takes the finding that f was, in whatever version; -1 when none was.
func (m *matcher) alike(f *finding.Finding) int {
	m.named()
	if key, ok := printOf(f); ok {
		key.component = ""
		if i := m.take(m.loose, key); i >= 0 {
			return i
		}
	}
	for _, key := range namesOf(f, finding.Versionless(f.Component)) {
		if i := m.take(m.loose, key); i >= 0 {
			return i
		}
	}
	return -1
}

// packages is an index of the packages of a report. Its zero value is one that
// nobody asked yet.
type packages struct {
	all   []finding.Component
	first map[string]*finding.Component // package URL -> the first that has it
	asOf  map[string]time.Time          // package URL -> when a registry was asked about it
	named map[string][]string           // package URL without a version -> versions, sorted
}

// of fills the index, unless it is.
func (p *packages) of(r *finding.Report) *packages {
	if p.first != nil {
		return p
	}
	p.all, p.first, p.asOf = r.Components, make(map[string]*finding.Component, len(r.Components)), map[string]time.Time{}
	for i := range r.Components {
		x := &r.Components[i]
		if p.first[x.PURL] == nil {
			p.first[x.PURL] = x
		}
		if _, known := p.asOf[x.PURL]; !known && x.Facts != nil {
			p.asOf[x.PURL] = x.Facts.AsOf
		}
	}
	return p
}

// maxVersions is how many versions of a package a change names. Copies of a
// package in a real function are a few.
const maxVersions = 50

// versions are the versions in which there is the package of a purl.
func (p *packages) versions(purl string) string {
	if p.named == nil {
		p.named = map[string][]string{}
		for i := range p.all {
			if x := &p.all[i]; x.Version != "" {
				name := finding.Versionless(x.PURL)
				p.named[name] = append(p.named[name], x.Version)
			}
		}
		for name, list := range p.named {
			slices.Sort(list)
			p.named[name] = slices.Compact(list)
		}
	}
	list := p.named[finding.Versionless(purl)]
	out := strings.Join(list[:min(len(list), maxVersions)], ", ")
	if n := len(list) - maxVersions; n > 0 {
		out += " and " + finding.Thousands(n) + " more"
	}
	return out
}
