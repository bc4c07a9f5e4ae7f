package policy

import (
	"cmp"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// loosens says whether a policy passes something that another one does not.
// What cannot be told apart that easily counts as looser when it differs at all.
// Warnings are not compared: they decide nothing.
func loosens(before, after *Policy) bool {
	return looserLine(before, after) || after.rank(finding.UnknownSeverity) < before.rank(finding.UnknownSeverity) ||
		!within(before.Require, after.Require) || !within(before.Unknowns, after.Unknowns) || !within(before.Unmatched, after.Unmatched) ||
		after.Coverage.Minimum < before.Coverage.Minimum || after.Coverage.Bundle < before.Coverage.Bundle ||
		looserFacts(before.Facts, after.Facts) || before.Stale != after.Stale ||
		looserResponses(before.Signature, after.Signature) || looserResponses(before.Provenance, after.Provenance) ||
		looserGrace(before.Grace, after.Grace) || looserLicences(before.Licences, after.Licences) || looserVEX(before.VEX, after.VEX)
}

// looserLine compares the lines that fail, for packages of every origin.
func looserLine(before, after *Policy) bool {
	for _, origin := range append([]string{""}, origins...) {
		a, b := before.Fail.of(origin), after.Fail.of(origin)
		if more(a.Malware, b.Malware) || more(a.KnownExploit, b.KnownExploit) || more(a.Any, b.Any) || more(a.Absent, b.Absent) ||
			!b.Any && (looserLevel(a.fixable(), b.fixable()) || looserLevel(a.Severity, b.Severity)) || looserCertainty(a, b) {
			return true
		}
	}
	a, b := before.Fail, after.Fail
	for _, pair := range [][2]finding.Severity{{a.Archive, b.Archive}, {a.Stale, b.Stale}, {a.Untrusted, b.Untrusted}, {a.Licence, b.Licence}, {a.Exposure, b.Exposure}, {a.Drift, b.Drift}} {
		if looserLevel(pair[0], pair[1]) {
			return true
		}
	}
	return a.Runtime.least() < b.Runtime.least()
}

// fixable is the severity from which on a vulnerability with a known fix counts,
// by either line.
func (l Line) fixable() finding.Severity {
	if l.Fixable == "" || l.Severity != "" && l.Severity.Rank() < l.Fixable.Rank() {
		return l.Severity
	}
	return l.Fixable
}

func more(before, after bool) bool { return before && !after }

// looserLevel compares two severities from which on something counts; "" is
// that nothing does.
func looserLevel(before, after finding.Severity) bool {
	return before != "" && (after == "" || after.Rank() > before.Rank())
}

func looserCertainty(a, b Line) bool {
	counts := func(l Line) bool { return l.Certainty != "" || l.Any }
	return counts(a) && (!counts(b) || b.Certainty != "" && (a.Certainty == "" || b.Certainty.Rank() > a.Certainty.Rank()))
}

// within says whether every word of a list is in another.
func within(words, list []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(list, w) })
}

func looserFacts(a, b Facts) bool {
	forever := func(d time.Duration) time.Duration { return cmp.Or(d, time.Duration(1<<63-1)) }
	return b.Minimum < a.Minimum || forever(b.MaxAge) > forever(a.MaxAge)
}

func looserResponses(a, b Responses) bool {
	for _, status := range []string{"rejected", "missing", "unverifiable"} {
		if b.Of(status).rank() < a.Of(status).rank() {
			return true
		}
	}
	return false
}

// rank orders responses: 3 for fail down to 0 for ignore.
func (r Response) rank() int {
	return slices.Index([]Response{RespondIgnore, RespondWarn, RespondIncomplete, RespondFail}, r)
}

func looserGrace(a, b Grace) bool {
	return b.Critical > a.Critical || b.High > a.High || b.Medium > a.Medium || b.Low > a.Low || b.KnownExploited > a.KnownExploited ||
		b.From == "seen" && a.From != "seen"
}

func looserLicences(a, b Licences) bool {
	switch {
	case a.Allow != nil && (b.Allow == nil || !within(b.Allow, a.Allow)), !within(a.Deny, b.Deny):
		return true
	case a.Given() && b.unknown().rank() < a.unknown().rank():
		return true
	}
	for _, origin := range append([]string{""}, origins...) {
		if more(a.Judged(origin), b.Judged(origin)) {
			return true
		}
	}
	return !slices.Equal(a.Packages, b.Packages)
}
