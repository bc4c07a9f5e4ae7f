package policy

import (
	"cmp"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// class is where a reason stands among those of a fail: in the order in which a
// person puts them right.
type class int

// The classes. What an attacker may be using already comes first; then what
// says that these are not the bytes that were meant; then what a new version
// solves, and what the owner can change; last what nobody can solve today.
const (
	classMalware class = iota
	classExploited
	classForged // a rejected signature, bytes that are not those that were published
	classFixable
	classOwn // how the function is set up, what it is built from
	classUnsigned
	classWaiver
	classUnfixable
)

func classOf(f *finding.Finding) class {
	switch {
	case f.Kind == finding.KindMalware:
		return classMalware
	case f.KEV:
		return classExploited
	case f.OfTrust() || contradicted(f):
		return classForged
	case len(f.Fixed) > 0:
		return classFixable
	case f.Kind != finding.KindVulnerability:
		return classOwn
	}
	return classUnfixable
}

// contradicted says whether a digest or a signature speaks against a finding's
// package.
func contradicted(f *finding.Finding) bool {
	return f.Kind == finding.KindUntrusted && (deep(f.Rule) || f.Rule == "published-archive-changed" || f.Rule == "origin-disagrees")
}

// failingInOrder are the findings that fail, in the order of the reasons.
func failingInOrder(r *finding.Report) []*finding.Finding {
	var out []*finding.Finding
	for i := range r.Findings {
		if r.Findings[i].Counts == finding.Fail {
			out = append(out, &r.Findings[i])
		}
	}
	slices.SortStableFunc(out, func(a, b *finding.Finding) int {
		return cmp.Or(cmp.Compare(classOf(a), classOf(b)), cmp.Compare(b.Priority, a.Priority))
	})
	return out
}

// inGrace says what has time, and until which day: of each component the first
// that ends.
func (t *tally) inGrace() []string {
	var out []string
	for _, key := range t.order {
		fs := t.by[key]
		first := slices.MinFunc(fs, func(a, b finding.Finding) int { return a.GraceUntil.Compare(*b.GraceUntil) })
		out = append(out, "in grace until "+first.GraceUntil.UTC().Format(time.DateOnly)+": "+sentence(fs))
	}
	return out
}
