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
	slices.SortFunc(r.Findings, Compare)
	slices.SortFunc(r.Unknowns, func(a, b Unknown) int {
		return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.PURL, b.PURL), cmp.Compare(a.Reason, b.Reason))
	})
}

// Compare orders findings: malware, then worst severity, certainty, score, component, id.
func Compare(a, b Finding) int {
	malware := func(f Finding) int {
		if f.Kind == KindMalware {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(malware(a), malware(b)),
		cmp.Compare(b.Severity.Rank(), a.Severity.Rank()),
		cmp.Compare(b.Certainty.Rank(), a.Certainty.Rank()),
		cmp.Compare(b.Score, a.Score),
		cmp.Compare(a.Component, b.Component),
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.ID, b.ID),
		cmp.Compare(a.Fingerprint, b.Fingerprint),
	)
}

// Fingerprint identifies a finding across runs and versions: the hexadecimal
// sha256 of kind, rule, function, versionless purl, and the lowest CVE among
// the ids, else the preferred id, each followed by a newline.
func Fingerprint(kind Kind, rule, function, purl, id string, aliases []string) string {
	key := id
	var cves []string
	for _, a := range append([]string{id}, aliases...) {
		if strings.HasPrefix(a, "CVE-") {
			cves = append(cves, a)
		}
	}
	if len(cves) > 0 {
		key = slices.MinFunc(cves, compareCVE)
	}
	h := sha256.New()
	for _, s := range []string{string(kind), rule, function, Versionless(purl), key} {
		h.Write([]byte(s))
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil))
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
