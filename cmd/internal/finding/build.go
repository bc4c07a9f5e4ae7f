package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// NewReport returns an empty report of one function. Its lists are not nil, so
// that they are "[]" in JSON, and its verdict is incomplete until a policy decides.
func NewReport(name, target string) *Report {
	return &Report{
		Name: name, Target: target,
		Artifacts: []Artifact{}, Components: []Component{}, Unknowns: []Unknown{}, Findings: []Finding{}, Checks: []Status{},
		Verdict: Verdict{Decision: Incomplete, Reasons: []string{"not judged"}},
	}
}

// Ran records that a check ran, or that it failed with err, and reports whether it ran.
func (r *Report) Ran(check string, err error) bool {
	if err != nil {
		r.Checks = append(r.Checks, Status{Check: check, State: Failed, Reason: err.Error()})
		return false
	}
	r.Checks = append(r.Checks, Status{Check: check, State: Ran})
	return true
}

// Skip records that a check was not run, and why.
func (r *Report) Skip(check, reason string) {
	r.Checks = append(r.Checks, Status{Check: check, State: Skipped, Reason: reason})
}

// Check returns the status of a check. A check that nobody recorded is skipped.
func (r *Report) Check(name string) Status {
	for _, s := range r.Checks {
		if s.Check == name {
			return s
		}
	}
	return Status{Check: name, State: Skipped, Reason: "not part of this run"}
}

// Sort puts findings and unknowns into the report's order: findings worst
// first, then by component and id; unknowns by artifact, path, kind, reason.
func (r *Report) Sort() {
	sortByPointer(r.Findings, compareFindings)
	slices.SortFunc(r.Unknowns, func(a, b Unknown) int {
		return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.PURL, b.PURL), cmp.Compare(a.Reason, b.Reason))
	})
}

// sortByPointer sorts values that are too large to be moved and copied at each
// step.
func sortByPointer[T any](list []T, compare func(a, b *T) int) {
	order, sorted := make([]*T, len(list)), true
	for i := range list {
		order[i] = &list[i]
		sorted = sorted && (i == 0 || compare(order[i-1], order[i]) <= 0)
	}
	if sorted {
		return
	}
	slices.SortFunc(order, compare)
	out := make([]T, len(list))
	for i, x := range order {
		out[i] = *x
	}
	copy(list, out)
}

// Compare orders findings: malware, then worst severity, certainty, score, component, id.
func Compare(a, b Finding) int { return compareFindings(&a, &b) }

func compareFindings(a, b *Finding) int {
	if x, y := a.Kind == KindMalware, b.Kind == KindMalware; x != y {
		if x {
			return -1
		}
		return 1
	}
	if n := cmp.Compare(b.Severity.Rank(), a.Severity.Rank()); n != 0 {
		return n
	}
	if n := cmp.Compare(b.Certainty.Rank(), a.Certainty.Rank()); n != 0 {
		return n
	}
	if n := cmp.Compare(b.Score, a.Score); n != 0 {
		return n
	}
	if n := cmp.Compare(a.Component, b.Component); n != 0 {
		return n
	}
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Fingerprint, b.Fingerprint))
}

// Fingerprint identifies a finding across runs and versions: the hexadecimal
// sha256 of kind, rule, function, versionless purl, and the lowest CVE among
// the ids, else the preferred id, each followed by a newline.
func Fingerprint(kind Kind, rule, function, purl, id string, aliases []string) string {
	const cve = "CVE-"
	key := id
	for _, a := range aliases {
		if strings.HasPrefix(a, cve) && (!strings.HasPrefix(key, cve) || compareCVE(a, key) < 0) {
			key = a
		}
	}
	var room [512]byte // more than nearly all of them take
	text := room[:0]
	for _, s := range [...]string{string(kind), rule, function, Versionless(purl), key} {
		text = append(append(text, s...), '\n')
	}
	sum := sha256.Sum256(text)
	var word [2 * sha256.Size]byte
	hex.Encode(word[:], sum[:])
	return string(word[:])
}

// compareCVE orders CVE ids by year and number, which differ in length: CVE-2021-9 is before CVE-2021-10.
func compareCVE(a, b string) int {
	year := func(s string) string { return s[:min(len(s), len("CVE-2021"))] }
	return cmp.Or(cmp.Compare(year(a), year(b)), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// OfTrust says whether a finding is about a signature or a provenance.
func (f Finding) OfTrust() bool { return f.Kind == KindSignature || f.Kind == KindProvenance }

// OfDependency says whether a finding is about what a dependency or the function
// is and how it came here, and not about an advisory: a rule says what is wrong.
func (f Finding) OfDependency() bool {
	switch f.Kind {
	case KindStale, KindUntrusted, KindLicence, KindExposure, KindDrift:
		return true
	}
	return false
}

// Versionless returns a purl without version, qualifiers and subpath.
func Versionless(purl string) string {
	purl, _, _ = strings.Cut(purl, "#")
	purl, _, _ = strings.Cut(purl, "?")
	if i := strings.LastIndexByte(purl, '@'); i > strings.LastIndexByte(purl, '/') {
		purl = purl[:i] // an unescaped @ before the last slash is a scope, not a version
	}
	return purl
}

// Summarize counts the verdicts of the functions.
func Summarize(reports []*Report) Summary {
	s := Summary{Functions: len(reports)}
	for _, r := range reports {
		switch r.Verdict.Decision {
		case Pass:
			s.Pass++
		case Fail:
			s.Fail++
		default:
			s.Incomplete++
		}
	}
	return s
}
