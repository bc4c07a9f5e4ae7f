package policy

import (
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Baseline is what earlier reports have of functions of the same name. What it
// has does not count, so that a team can start from where it is. nil is empty.
//
// It has nothing that must not be old news: malware, what a signature, a
// provenance or a digest speaks against, what was accepted until a day (a waiver
// accepts it, and ends), and nothing that is unknown: what could not be read
// then may hold anything now.
type Baseline struct {
	functions map[string]map[string]seen     // name -> fingerprint, or kind, package and id -> what was seen
	others    map[string]map[string]struct{} // likewise, of findings that cannot be old news
}

// seen is what earlier reports say of one finding, the worst of it.
type seen struct {
	severity  finding.Severity
	certainty int // rank
	kev       bool
	linked    bool // its code was not proven absent
	loaded    bool
	first     time.Time // zero when no report is dated
}

// Add takes in what an earlier report found in a function; judged is when, zero
// when it does not say.
func (b *Baseline) Add(function string, found []finding.Finding, judged time.Time) {
	for i := range found {
		if f := &found[i]; f.Waived == nil && canBeOld(f) {
			b.add(function, f, judged)
		} else {
			b.addOther(function, f)
		}
	}
}

// canBeOld says whether a baseline can have a finding.
func canBeOld(f *finding.Finding) bool {
	return f.Kind != finding.KindMalware && !f.OfTrust() && !contradicted(f)
}

func (b *Baseline) add(function string, f *finding.Finding, judged time.Time) {
	now := seen{severity: f.Severity, certainty: f.Certainty.Rank(), kev: f.KEV, linked: f.Reach != finding.ReachAbsent, loaded: loaded(*f), first: judged}
	if f.FirstSeen != nil {
		now.first = earlier(now.first, *f.FirstSeen)
	}
	if b.functions == nil {
		b.functions = map[string]map[string]seen{}
	}
	if b.functions[function] == nil {
		b.functions[function] = map[string]seen{}
	}
	for _, key := range baselineKeys(f) {
		b.functions[function][key] = b.functions[function][key].with(now)
	}
}

func (b *Baseline) addOther(function string, f *finding.Finding) {
	if b.others == nil {
		b.others = map[string]map[string]struct{}{}
	}
	if b.others[function] == nil {
		b.others[function] = map[string]struct{}{}
	}
	for _, key := range baselineKeys(f) {
		b.others[function][key] = struct{}{}
	}
}

// with is what two earlier findings say together.
func (s seen) with(o seen) seen {
	if o.severity.Rank() > s.severity.Rank() || s.severity == "" {
		s.severity = o.severity
	}
	return seen{s.severity, max(s.certainty, o.certainty), s.kev || o.kev, s.linked || o.linked, s.loaded || o.loaded, earlier(s.first, o.first)}
}

// earlier is the earlier of two times; a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// baselineKeys are all names of a finding in its function. Advisories are
// renamed and get aliases, so each of them is one.
func baselineKeys(f *finding.Finding) []string {
	var keys []string
	if f.Fingerprint != "" {
		keys = append(keys, f.Fingerprint)
	}
	for _, id := range append([]string{f.ID}, f.Aliases...) {
		keys = append(keys, string(f.Kind)+"\n"+finding.Versionless(f.Component)+"\n"+strings.ToUpper(id))
	}
	return keys
}

// has says whether an earlier report has a function of that name with findings.
func (b *Baseline) has(r *finding.Report) bool { return b != nil && b.functions[r.Name] != nil }

// mark marks the findings of a report that the baseline has, with the day on
// which they were first seen, and counts them. Of each it says whether it is new. What is worse than it was is new:
// a higher severity, a surer match, in the catalogue of known exploited
// vulnerabilities since, linked or loaded by now.
func (b *Baseline) mark(r *finding.Report, rank func(finding.Severity) int, now time.Time) (n int) {
	if b == nil {
		return 0
	}
	of, others := b.functions[r.Name], b.others[r.Name]
	for i := range r.Findings {
		f := &r.Findings[i]
		var s seen
		found, other := false, false
		for _, key := range baselineKeys(f) {
			if one, ok := of[key]; ok {
				s, found = s.with(one), true
			}
			_, ok := others[key]
			other = other || ok
		}
		switch f.Compared = finding.ComparedNew; {
		case other && !canBeOld(f):
			f.Compared = finding.ComparedUnchanged
		case other || found:
			f.Compared = finding.ComparedUpdated // unless it is found below to be no worse
		}
		if !found || !canBeOld(f) {
			continue
		}
		if first := s.first; !first.IsZero() && !first.After(now) {
			if f.FirstSeen != nil {
				first = earlier(first, *f.FirstSeen)
			}
			f.FirstSeen = &first
		}
		worse := rank(f.Severity) > rank(s.severity) || f.Certainty.Rank() > s.certainty || f.KEV && !s.kev ||
			f.Reach != finding.ReachAbsent && !s.linked || loaded(*f) && !s.loaded
		if !worse {
			f.Baseline, f.Compared = true, finding.ComparedUnchanged
			n++
		}
	}
	return n
}
