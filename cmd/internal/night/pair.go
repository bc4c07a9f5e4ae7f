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

	prints       names // by fingerprint and component
	exact, loose names // by name and component, with its version and without; empty before they are needed
}

// names are lists of findings by name, each in the order of the findings.
type names struct {
	first map[nameKey]int32 // index of a link
	links []link
}

// link is one finding of a list, and the next; -1 for none.
type link struct{ finding, next int32 }

// add puts a finding before those that a name has.
func (n *names) add(key nameKey, i int) {
	next, ok := n.first[key]
	if !ok {
		next = -1
	}
	n.first[key] = int32(len(n.links))
	n.links = append(n.links, link{int32(i), next})
}

// nameKey is a name of a finding; the fingerprint is the id of no kind.
type nameKey struct {
	kind                finding.Kind
	rule, component, id string
}

func newMatcher(old []finding.Finding) *matcher {
	m := &matcher{old: old, taken: make([]bool, len(old)), prints: names{make(map[nameKey]int32, len(old)), make([]link, 0, len(old))}}
	for i := len(old) - 1; i >= 0; i-- {
		if key, ok := printOf(&old[i]); ok {
			m.prints.add(key, i)
		}
	}
	return m
}

// printOf is the fingerprint of a finding of one version. The rules about a
// runtime are steps of one life, so they are told apart by nothing.
func printOf(f *finding.Finding) (key nameKey, ok bool) {
	return nameKey{component: f.Component, id: f.Fingerprint}, f.Fingerprint != "" && f.Kind != finding.KindRuntime
}

// namesOf calls what for the other names of a finding about a component, in their
// order, until it returns false.
func namesOf(f *finding.Finding, component string, what func(nameKey) bool) {
	if f.Kind == finding.KindRuntime {
		what(nameKey{kind: f.Kind, component: component, id: f.ID})
		return
	}
	key := nameKey{f.Kind, f.Rule, component, f.ID}
	if !what(key) || f.Kind != finding.KindVulnerability && f.Kind != finding.KindMalware {
		return
	}
	for _, key.id = range f.Aliases {
		if !what(key) {
			return
		}
	}
}

// anyVersion is a component without what tells its versions apart; that of a
// runtime does not matter.
func anyVersion(f *finding.Finding) string {
	if f.Kind == finding.KindRuntime {
		return ""
	}
	return finding.Versionless(f.Component)
}

// named fills the indexes by name.
func (m *matcher) named() {
	if m.exact.first != nil {
		return
	}
	n := 0
	for i := range m.old {
		n += 1 + len(m.old[i].Aliases)
	}
	m.exact = names{make(map[nameKey]int32, n), make([]link, 0, n)}
	m.loose = names{make(map[nameKey]int32, n), make([]link, 0, n+len(m.old))}
	for i := len(m.old) - 1; i >= 0; i-- {
		f := &m.old[i]
		namesOf(f, f.Component, func(key nameKey) bool { m.exact.add(key, i); return true })
		if key, ok := printOf(f); ok {
			key.component = ""
			m.loose.add(key, i)
		}
		namesOf(f, anyVersion(f), func(key nameKey) bool { m.loose.add(key, i); return true })
	}
}

// take takes the first finding of a name that is not taken; -1 when there is
// none. Those that are taken are never looked at again.
func (m *matcher) take(in *names, key nameKey) int {
	at, ok := in.first[key]
	if !ok {
		return -1
	}
	from := at
	for at >= 0 && m.taken[in.links[at].finding] {
		at = in.links[at].next
	}
	if at != from {
		in.first[key] = at
	}
	if at < 0 {
		return -1
	}
	i := int(in.links[at].finding)
	m.taken[i] = true
	return i
}

// same takes the finding that f was, in the same version of the package; -1 when
// none was.
func (m *matcher) same(f *finding.Finding) int {
	if key, ok := printOf(f); ok {
		if i := m.take(&m.prints, key); i >= 0 {
			return i
		}
	}
	m.named()
	return m.takeNamed(&m.exact, f, f.Component)
}

// alike takes the finding that f was, in whatever version; -1 when none was.
func (m *matcher) alike(f *finding.Finding) int {
	m.named()
	if key, ok := printOf(f); ok {
		key.component = ""
		if i := m.take(&m.loose, key); i >= 0 {
			return i
		}
	}
	return m.takeNamed(&m.loose, f, anyVersion(f))
}

func (m *matcher) takeNamed(in *names, f *finding.Finding, component string) int {
	found := -1
	namesOf(f, component, func(key nameKey) bool {
		found = m.take(in, key)
		return found < 0
	})
	return found
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
