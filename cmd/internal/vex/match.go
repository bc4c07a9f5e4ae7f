package vex

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Mark marks the findings of a report with what the statements say of them. A
// finding of several advisories is marked as cleared only when each of them is.
func (s *Set) Mark(r *finding.Report) {
	if s == nil {
		return
	}
	m := s.matcher(r)
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Kind != finding.KindVulnerability && f.Kind != finding.KindMalware {
			continue
		}
		f.VEX = s.says(m.about(f), f)
	}
}

// matcher finds statements about one function.
type matcher struct {
	set      *Set
	function function
	packages map[string]*pkg // by purl
	own      []ref           // products that go by a name of the function, in order
}

func (s *Set) matcher(r *finding.Report) *matcher {
	m := &matcher{set: s, function: functionOf(r), packages: make(map[string]*pkg, len(r.Components))}
	for i := range r.Components {
		m.add(&r.Components[i])
	}
	m.own = s.refs(append(m.function.names(), keysOf(thing{purls: m.function.main})...))
	return m
}

// refs are the products that go by one of some names, in order and each once.
func (s *Set) refs(names []string) []ref {
	var out []ref
	for _, name := range names {
		if i, ok := s.names[name]; ok {
			out = append(out, s.named[i]...)
		}
	}
	slices.SortFunc(out, ref.compare)
	return slices.Compact(out)
}

func (r ref) compare(o ref) int {
	return cmp.Or(cmp.Compare(r.statement, o.statement), cmp.Compare(r.product, o.product))
}

func (m *matcher) add(c *finding.Component) *pkg {
	p := &pkg{Component: c}
	p.purl, _ = parsePURL(c.PURL)
	if len(c.Hashes) > 0 {
		p.hashes = hashesOf(c.Hashes)
	}
	m.packages[c.PURL] = p
	return p
}

// about are the statements about a finding, by index and each once.
func (m *matcher) about(f *finding.Finding) []int {
	c := m.packages[f.Component]
	if c == nil {
		c = m.add(&finding.Component{PURL: f.Component})
	}
	return m.find(append([]string{f.ID}, f.Aliases...), c)
}

// find are the statements about one of some vulnerabilities in a package. Of all
// products only those are looked at that go by a name of the function or of the
// package: a statement can list each function of a fleet, and there can be one for each.
func (m *matcher) find(ids []string, c *pkg) []int {
	var named []int
	for _, id := range ids {
		named = append(named, m.set.byID[strings.ToUpper(id)]...)
	}
	if len(named) == 0 {
		return nil
	}
	slices.Sort(named)
	named = slices.Compact(named)
	var found []int
	for _, list := range [][]ref{m.own, m.set.refs(keysOf(thing{purls: []packageURL{c.purl}, hashes: c.hashes}))} {
		for _, at := range common(named, list) {
			p := &m.set.statements[at.statement].products[at.product]
			if p.about(&m.function, c, m.set.Wary) && (p.versions == nil || slices.ContainsFunc(p.versions, func(v versionSet) bool { return v.has(c) })) {
				found = append(found, int(at.statement))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// common are the products of some statements, by index and sorted, that are in a
// list. The shorter of the two is walked.
func common(statements []int, list []ref) (out []ref) {
	if len(list) < len(statements) {
		for _, at := range list {
			if _, ok := slices.BinarySearch(statements, int(at.statement)); ok {
				out = append(out, at)
			}
		}
		return out
	}
	for _, i := range statements {
		at, _ := slices.BinarySearchFunc(list, ref{int32(i), 0}, ref.compare)
		for ; at < len(list) && int(list[at].statement) == i; at++ {
			out = append(out, list[at])
		}
	}
	return out
}

// says is what the statements say of a finding; nil when that is nothing.
//
// What a finding is about can be several flaws: those of a package whose version
// is not known, or the CVEs of one advisory. A statement that clears one of them
// does not clear the rest; one that does not clear holds for all.
func (s *Set) says(found []int, f *finding.Finding) *finding.VEX {
	var worst *statement
	for _, flaw := range flaws(f) {
		var last *statement
		for _, i := range found {
			st := &s.statements[i]
			if st.clears() && !slices.ContainsFunc(flaw, func(id string) bool { return slices.Contains(st.ids, strings.ToUpper(id)) }) {
				continue
			}
			if last == nil || s.compare(st, last) > 0 {
				last = st
			}
		}
		if last == nil {
			return nil // nothing is said of this one
		}
		if worst == nil || caution(last.status) > caution(worst.status) || last.status == worst.status && s.compare(last, worst) > 0 {
			worst = last
		}
	}
	if worst == nil {
		return nil
	}
	return &finding.VEX{
		Status: worst.status, Justification: worst.justification, Statement: worst.text, Author: worst.author,
		Source: s.documents[worst.source].Source, At: worst.at,
	}
}

// flaws are the ids of each flaw that a finding is about.
func flaws(f *finding.Finding) [][]string {
	if f.Rule == finding.RuleVersionUnknown {
		var out [][]string
		for _, e := range f.Evidence {
			if e.Source == "advisory" {
				out = append(out, []string{e.Locator})
			}
		}
		return out
	}
	all := append([]string{f.ID}, f.Aliases...)
	var out [][]string
	for _, id := range all {
		if strings.HasPrefix(id, "CVE-") {
			out = append(out, []string{id, f.ID})
		}
	}
	if len(out) < 2 {
		return [][]string{all}
	}
	if strings.HasPrefix(f.ID, "CVE-") {
		for i := range out {
			out[i] = out[i][:1]
		}
	}
	return out
}

// compare says which of two statements holds: the later one, of equally late
// ones the more cautious; and of those the order is that of what they say, so
// that it is not that of the files.
func (s *Set) compare(a, b *statement) int {
	return cmp.Or(a.at.Compare(b.at), cmp.Compare(caution(a.status), caution(b.status)), cmp.Compare(a.author, b.author),
		cmp.Compare(s.documents[a.source].Source, s.documents[b.source].Source), cmp.Compare(a.justification, b.justification), cmp.Compare(a.text, b.text))
}

func caution(status string) int {
	return slices.Index([]string{finding.VEXNotAffected, finding.VEXFixed, finding.VEXInvestigated, finding.VEXAffected}, status)
}

// Use is what one function used of a set: statements about a finding, and the
// names of products that it goes by, both by index.
type Use struct{ needed, names []int }

// Use says which statements are about a finding of a function, or about a
// package that is proven not to be in it.
func (s *Set) Use(r *finding.Report) Use {
	if s == nil {
		return Use{}
	}
	var u Use
	m := s.matcher(r)
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Kind == finding.KindVulnerability || f.Kind == finding.KindMalware {
			u.needed = append(u.needed, m.about(f)...)
		}
	}
	for _, a := range r.Absent {
		c := &pkg{Component: &finding.Component{PURL: a.PURL, Name: a.Name, Version: a.Version, Ecosystem: a.Ecosystem}}
		c.purl, _ = parsePURL(a.PURL)
		for _, adv := range a.Advisories {
			u.needed = append(u.needed, m.find(append([]string{adv.ID}, adv.Aliases...), c)...)
		}
	}
	for _, name := range m.names() {
		if i, ok := s.names[name]; ok {
			u.names = append(u.names, i)
		}
	}
	slices.Sort(u.needed)
	u.needed = slices.Compact(u.needed)
	return u
}

// names are what products of the function and its packages are called.
func (m *matcher) names() []string {
	out := m.function.names()
	for _, c := range m.packages {
		out = append(out, namesOf(thing{purls: []packageURL{c.purl}, hashes: c.hashes})...)
	}
	return out
}

// names are what products of the function are called, but for the packages that
// it is.
func (f *function) names() []string {
	out := []string{"name/" + f.name, "generic/" + f.name, "oci/" + strings.ToLower(f.name), "docker/" + strings.ToLower(f.name)}
	if f.registry != "" {
		base := strings.ToLower(f.registry[strings.LastIndexByte(f.registry, '/')+1:])
		out = append(out, "oci/"+base, "docker/"+base)
	}
	for _, d := range f.digests {
		out = append(out, namesOf(thing{hashes: d})...)
	}
	return out
}

// keysOf are all names under which a product can be that is about a thing.
func keysOf(t thing) []string { return append(namesOf(t), digestedNames(t)...) }

// digestedNames are the names of those of a thing's package URLs that namesOf
// has by their digest.
func digestedNames(t thing) (out []string) {
	for _, p := range t.purls {
		if _, ok := p.digest(); ok {
			out = append(out, p.typ+"/"+p.name)
		}
	}
	return out
}

// namesOf are what a thing is called, without its version.
func namesOf(t thing) []string {
	var out []string
	for algorithm, value := range t.hashes {
		out = append(out, algorithm+":"+value)
	}
	for _, p := range t.purls {
		if sum, ok := p.digest(); ok {
			out = append(out, "sha256:"+sum)
		} else {
			out = append(out, p.typ+"/"+p.name)
		}
	}
	if t.name != "" {
		out = append(out, "name/"+t.name)
	}
	return out
}

// maxListed is how many statements one remark names.
const maxListed = 5

// Remarks says of a run what its documents have that nothing needs, and what
// cannot be followed. The order of the uses does not matter.
func (s *Set) Remarks(uses []Use) []string {
	if s == nil {
		return nil
	}
	needed, here := make([]bool, len(s.statements)), make([]bool, len(s.names))
	for _, u := range uses {
		for _, i := range u.needed {
			needed[i] = true
		}
		for _, i := range u.names {
			here[i] = true
		}
	}
	out := s.fewIgnored()
	for d, doc := range s.documents {
		if doc.Statements == 0 && !slices.ContainsFunc(s.ignored, func(text string) bool { return strings.HasPrefix(text, doc.Source+": ") }) {
			out = append(out, doc.Source+" states nothing of any vulnerability")
		}
		var idle, elsewhere []string
		for i := range s.statements {
			st := &s.statements[i]
			switch {
			case st.source != d || needed[i]:
			case slices.ContainsFunc(st.names, func(n int) bool { return here[n] }):
				idle = append(idle, st.String())
			default:
				elsewhere = append(elsewhere, st.String())
			}
		}
		if n := len(idle); n > 0 {
			out = append(out, fmt.Sprintf("%s of %s %s no finding of this run: %s", finding.Count(n, "statement", "statements"), doc.Source, verb(n, "matches", "match"), listed(idle)))
		}
		if n := len(elsewhere); n > 0 {
			out = append(out, fmt.Sprintf("%s of %s %s about no function or package of this run: %s", finding.Count(n, "statement", "statements"), doc.Source, verb(n, "is", "are"), listed(elsewhere)))
		}
	}
	return out
}

// fewIgnored are the statements that are not followed, those of a document with
// many counted.
func (s *Set) fewIgnored() []string {
	var out []string
	more := 0
	for _, text := range s.ignored {
		if len(out) == 20 {
			more++
			continue
		}
		out = append(out, text)
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("and %s of VEX documents %s ignored", finding.Count(more, "more statement", "more statements"), verb(more, "is", "are")))
	}
	return out
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// String names a statement: "CVE-2021-1 (statements[0])".
func (s *statement) String() string { return line(s.name, 100) + " (" + s.place + ")" }

func listed(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
}
