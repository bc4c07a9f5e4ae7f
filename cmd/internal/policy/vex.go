package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// VEX says which statements about vulnerabilities are followed. The zero value
// follows all of the documents that a run is given.
type VEX struct {
	Accept  []string // justifications, "statement" for one in words only, "fixed"; nil: any
	Authors []string // as the document names them; nil: any
}

type fileVEX struct {
	Accept  *[]string `yaml:"accept"`
	Authors *[]string `yaml:"authors"`
}

// vexKeys are the keys of the section, for suggestions.
var vexKeys = []string{"vex", "accept", "authors"}

// inWords is the justification of a statement that has none of the listed ones.
const inWords = "statement"

// vexWords are what a policy may accept: what OpenVEX has for not_affected, what
// CycloneDX has beyond that, and what is no justification.
func vexWords() []string {
	return slices.Concat(finding.VEXJustifications(), []string{
		"requires_configuration", "requires_dependency", "requires_environment",
		"protected_by_compiler", "protected_at_runtime", "protected_at_perimeter", inWords, finding.VEXFixed,
	})
}

func (f *fileVEX) apply(to *VEX) error {
	if f == nil {
		return nil
	}
	err := words(f.Accept, &to.Accept, "vex.accept", vexWords())
	if f.Accept != nil && to.Accept == nil {
		to.Accept = []string{} // an empty list accepts nothing
	}
	if f.Authors != nil {
		to.Authors = append([]string{}, *f.Authors...)
	}
	return err
}

// refuses says why a statement that would clear a finding does not; "" when it does.
func (v VEX) refuses(f *finding.Finding) string {
	s := f.VEX
	word := s.Justification
	if word == "" {
		word = inWords
	}
	if s.Status == finding.VEXFixed {
		word = finding.VEXFixed
	}
	there := f.Reach == finding.ReachPresent || f.Reach == finding.ReachCalled
	switch {
	case f.Kind == finding.KindMalware:
		return "malware is accepted by a waiver only"
	case v.Authors != nil && !slices.Contains(v.Authors, s.Author):
		return "the policy does not follow " + author(s)
	case v.Accept != nil && !slices.Contains(v.Accept, word):
		return "the policy does not accept " + word
	case s.Status == finding.VEXFixed:
		return ""
	case word == finding.VEXCodeNotPresent && there:
		return "the bytes show that the code is there"
	case word == finding.VEXNotExecuted && f.Reach == finding.ReachCalled:
		return "the bytes show that the code is called"
	case word == finding.VEXComponentNotPresent && (there || f.State == "live" || f.State == "shadowed"):
		return "the bytes show that the package is there"
	}
	return ""
}

// describe says what of the documents is followed.
func (v VEX) describe() string {
	var parts []string
	if v.Accept != nil {
		parts = append(parts, "accepted: "+cmp.Or(listed(v.Accept, 12), "nothing"))
	}
	if v.Authors != nil {
		parts = append(parts, "authors: "+cmp.Or(listed(v.Authors, 12), "nobody"))
	}
	return "of what --vex documents say: " + strings.Join(parts, "; ")
}

func author(s *finding.VEX) string {
	if s.Author == "" {
		return "a document without an author"
	}
	return s.Author
}

// vexed decides of each statement about a finding whether it is followed, and
// says what a reader has to know of that: what is contradicted, and what is
// cleared and known to be exploited.
func (p *Policy) vexed(r *finding.Report) []string {
	var reasons []string
	against, exploited := map[string][]string{}, map[string][]string{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.VEX == nil {
			continue
		}
		v := *f.VEX // another report can share it
		v.Refused, f.VEX = "", &v
		if !finding.ClearingVEX(v.Status) {
			continue
		}
		v.Refused = p.VEX.refuses(f)
		name := f.ID + " in " + f.Component
		if why := f.VEX.Refused; why != "" {
			text := fmt.Sprintf("what %s says does not count: %s", f.VEX.Source, why)
			if against[text] == nil {
				reasons = append(reasons, text)
			}
			against[text] = append(against[text], name)
		} else if f.KEV && f.Waived == nil {
			exploited[f.VEX.Source] = append(exploited[f.VEX.Source], name)
		}
	}
	var out []string
	for _, text := range reasons {
		out = append(out, text+": "+listed(against[text], 3))
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.VEX != nil && exploited[f.VEX.Source] != nil {
			out = append(out, fmt.Sprintf("known to be exploited, and does not count because of what %s says: %s", f.VEX.Source, listed(exploited[f.VEX.Source], 3)))
			delete(exploited, f.VEX.Source)
		}
	}
	return out
}

// looserVEX compares what clears a finding. nil is everything.
func looserVEX(before, after VEX) bool {
	more := func(a, b []string) bool { return a != nil && (b == nil || !within(b, a)) }
	return more(before.Accept, after.Accept) || more(before.Authors, after.Authors)
}
