package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/stale"
)

// checkRuntime reports a runtime that its platform no longer patches or soon
// will not. It looks at names and dates only, so that a stored report can be
// asked again on any later day.
func checkRuntime(_ context.Context, a *Auditor, s *Subject) (Result, error) {
	if s.Runtime == "" || s.Platform == "" {
		return Result{}, nil
	}
	table, err := a.ends()
	if err != nil {
		return Result{}, err
	}
	if s.RuntimeGuessed && !strings.ContainsAny(s.Runtime, "0123456789") {
		return Result{}, nil // a language without a version, which is no runtime's name
	}
	answer, ok := table.Look(s.Platform, s.Runtime, a.Now)
	if !ok {
		return Result{}, nil // nobody knows anything about this platform
	}
	res := Result{Calendar: runtimeEvents(s, answer, a.Now)}
	if f, ok := runtimeFinding(s, answer); ok {
		res.Findings = []finding.Finding{f}
	}
	return res, nil
}

// runtimeFinding rates a runtime by what its phase means for whoever runs the
// function. ok is false when there is nothing to say.
func runtimeFinding(s *Subject, a stale.Answer) (f finding.Finding, ok bool) {
	f = finding.Finding{
		Kind: finding.KindRuntime, ID: "runtime:" + s.Runtime, Certainty: finding.Certain, Origin: "runtime", Fixed: a.Successors,
	}
	if s.RuntimeGuessed {
		f.Certainty = finding.Probable
	}
	switch a.Phase {
	case stale.Blocked:
		f.Rule, f.Severity = finding.RuleRuntimeBlocked, finding.High
		f.Title = fmt.Sprintf("runtime %s: updates have been blocked since %s, so no fix can be shipped", s.Runtime, day(a.BlockUpdate))
	case stale.Deprecated:
		f.Rule, f.Severity = finding.RuleRuntimeDeprecated, finding.Medium
		f.Title = fmt.Sprintf("runtime %s: not patched since %s", s.Runtime, day(a.Deprecated))
		if !a.BlockUpdate.IsZero() {
			f.Title += ", updates blocked from " + day(a.BlockUpdate)
		}
	case stale.Soon:
		f.Rule, f.Severity = finding.RuleRuntimeSoon, finding.Low
		f.Title = fmt.Sprintf("runtime %s: not patched from %s on", s.Runtime, day(a.Deprecated))
	case stale.Unknown:
		if !a.Complete || s.RuntimeGuessed {
			return f, false
		}
		f.Rule, f.Severity = finding.RuleRuntimeUnknown, finding.Low
		f.Title = fmt.Sprintf("runtime %s: not in the table of %s runtimes of %s", s.Runtime, s.Platform, day(a.AsOf))
	default:
		if !a.Old {
			return f, false
		}
		f.Rule, f.Severity = finding.RuleRuntimeTableOld, finding.Low
		f.Title = fmt.Sprintf("runtime %s: supported by a table of %s, which is more than %d days old", s.Runtime, day(a.AsOf), stale.OldDays)
	}
	at := a.AsOf
	f.Evidence = []finding.Evidence{{Source: "table", Locator: a.Source, Detail: runtimeDates(a), At: &at}}
	if s.RuntimeGuessed {
		f.Evidence = append(f.Evidence, finding.Evidence{Source: "guess", Locator: s.Runtime, Detail: "nobody declared the runtime: it was read off the content"})
	} else {
		f.Evidence = append(f.Evidence, finding.Evidence{Source: "declared", Locator: s.Runtime, Detail: "on " + s.Platform})
	}
	return f, true
}

// runtimeDates lists the dates of a runtime.
func runtimeDates(a stale.Answer) string {
	if a.Phase == stale.Unknown {
		return a.ID + " is not listed"
	}
	var out []string
	for _, d := range []struct {
		what string
		at   time.Time
	}{{"deprecated", a.Deprecated}, {"no new functions from", a.BlockCreate}, {"no updates from", a.BlockUpdate}} {
		if !d.at.IsZero() {
			out = append(out, d.what+" "+day(d.at))
		}
	}
	if len(out) == 0 {
		return "no end is scheduled"
	}
	return strings.Join(out, ", ")
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// runtimeOf fills what the runtime check looks at from a report.
func (s *Subject) runtimeOf(rep *finding.Report) {
	s.Platform, s.Runtime, s.RuntimeGuessed = rep.Platform, rep.Runtime, slices.Contains(rep.Guessed, "runtime")
}
