// Package policy decides: report in, verdict out.
//
// A policy is one of the built-in ones or a YAML file that extends one. Parse
// is strict, so that a misspelt key can never switch a rule off; Decide is a
// pure function of report, policy and clock. The names of the keys are the
// fields' yaml tags below; a key that is left out keeps the value of the
// policy that is extended.
//
// What is decided where it could be decided otherwise:
//
//   - What is audited may claim to be another function. Name and platform in a
//     descriptor, the name of a file in a folder, and a platform read off the
//     content, are claims: a policy that is
//     Wary applies no override, waiver or baseline because of them that demands less.
//     Owner and tags come from the operator's list of targets only.
//   - Malware fails in every function, has no grace and is in no baseline; only a
//     waiver by its id accepts it.
//   - Grace is counted from a date that the advisory, the catalogue of known
//     exploited vulnerabilities or an earlier report states. Without one, or with
//     one that is still to come, there is none.
//   - A waiver that has ended while something still needs it fails, even where what
//     it accepted would only warn. A policy that fails nothing warns.
//   - A baseline has what was found, never what was unknown, and nothing that got
//     worse, that a digest or a signature speaks against, or that was only waived.
package policy

import (
	"cmp"
	"reflect"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Policy is what a team demands of a function. The zero value fails nothing
// and requires nothing: use Builtin or Parse.
type Policy struct {
	Name    string // "builtin:ci", or the file's path
	Digest  string // "sha256:…" of the file, "" for a built-in policy
	Extends string // the built-in policy that a file starts from

	Fail            Line
	Warn            Line
	UnknownSeverity finding.Severity // what severity "unknown" is judged as
	Require         []string         // checks that must have run
	Unknowns        []string         // kinds of unknown in code that make a verdict incomplete
	Unmatched       []string         // origins whose components without an advisory source make a verdict incomplete
	Coverage        Coverage         // how much of the code must be told
	MaxAge          time.Duration    // how old the store may be; 0: any age
	KEVMaxAge       time.Duration    // how old the list of known exploited vulnerabilities may be; 0: any age, and it may be missing
	Grace           Grace            // how long what would fail only warns
	Waivers         []Waiver
	WaiversWarn     time.Duration // how long before its end a waiver warns; 0: WaiverNotice
	Functions       []Override    // what holds for some functions otherwise
	Gate            Gate          // what the release gate writes

	Signature  Responses // to signatures that are not verified
	Provenance Responses // to statements about the build that are not verified
	Trust      Trust

	Stale        Stale
	Facts        Facts
	Dependencies Dependencies
	Licences     Licences
	VEX          VEX // which statements about vulnerabilities are followed

	Weights Weights // of what makes the priority of a finding

	KnownExploited bool `json:"-"` // the file itself speaks of known exploited vulnerabilities, so that a run says when nobody knows which these are

	// Baseline is what earlier reports have, which does not count; nil: none.
	Baseline *Baseline `json:"-"`

	// Wary makes the policy apply nothing that demands less of a function
	// because of what the audited files say of themselves. A release gate is wary.
	Wary bool `json:"-"`

	failOn string // the word of FailOn; "" when it was not called
}

// fails says whether the policy fails anything by a line.
func (p *Policy) fails() bool {
	l := p.Fail
	l.Origins, l.Certainty, l.Absent = nil, "", false
	return !reflect.DeepEqual(l, Line{})
}

// Line is where findings start to count. An empty severity matches no finding.
type Line struct {
	Fixable      finding.Severity  // at least this severity, and a fix is known
	Severity     finding.Severity  // at least this severity, fix or no fix
	Any          bool              // every finding, even of severity none
	KnownExploit bool              // every finding that is known to be exploited
	Malware      bool              // every malicious package, whatever its state
	Certainty    finding.Certainty // at least this certain; malware and known exploits too
	Archive      finding.Severity  // archive findings of at least this severity
	Runtime      Runtime           // runtimes at least this far gone; "" none
	Stale        finding.Severity  // dependencies past their time, of at least this severity
	Untrusted    finding.Severity  // dependencies that something speaks against, of at least this severity
	Licence      finding.Severity  // packages under a licence that is not allowed, of at least this severity
	Exposure     finding.Severity  // who may call a function or what it may do, of at least this severity
	Drift        finding.Severity  // what is deployed and is not what was judged, of at least this severity

	Origins map[string]OriginLine // "app", "layer", "base", "runtime" -> what holds for packages from there instead

	// Absent counts findings whose code is proven not to be in the shipped
	// bytes (Finding.Reach "absent": the linker left out every function that
	// the advisory names) by their severity, as if nothing were known. Without
	// it they are below every line but Any and KnownExploit: their severity and
	// certainty stay what they are, and the report shows them, folded. It is
	// false in every built-in policy.
	Absent bool
}

// OriginLine is what of a line is another for packages of one origin. What is
// empty is as in the line around it. Malware counts wherever it comes from.
type OriginLine struct {
	Fixable      string // as the policy says it: a severity, "any", "none"
	Severity     string // likewise
	Certainty    finding.Certainty
	KnownExploit *bool
}

// of is the line for packages of one origin.
func (l Line) of(origin string) Line {
	own, ok := l.Origins[cmp.Or(origin, "app")] // what nobody knows the origin of may be the function's own
	if !ok {
		return l
	}
	set := func(word string, to *finding.Severity) {
		switch word {
		case "":
		case "none":
			*to = ""
		case "any":
			*to = finding.None
		default:
			*to = finding.Severity(word)
		}
	}
	if own.Severity != "" {
		l.Any = own.Severity == "any"
	}
	set(own.Fixable, &l.Fixable)
	set(own.Severity, &l.Severity)
	l.Certainty = cmp.Or(own.Certainty, l.Certainty)
	if own.KnownExploit != nil {
		l.KnownExploit = *own.KnownExploit
	}
	return l
}

// Runtime is a line for findings about a function's runtime.
type Runtime string

// The lines, from the last to the first.
const (
	RuntimeBlocked    Runtime = "blocked"    // its updates are blocked: no fix can be shipped
	RuntimeDeprecated Runtime = "deprecated" // nobody patches it
	RuntimeSoon       Runtime = "soon"       // soon nobody will
	RuntimeAny        Runtime = "any"        // also one that is not known
)

// counts says whether a rule of kind runtime is at or over the line.
func (l Runtime) counts(rule string) bool { return finding.RuntimeRank(rule) >= l.least() }

// least is the lowest rank that counts; 5, which none has, where none does.
func (l Runtime) least() int {
	return cmp.Or(map[Runtime]int{RuntimeBlocked: 4, RuntimeDeprecated: 3, RuntimeSoon: 2, RuntimeAny: 1}[l], 5)
}

// The names of the built-in policies.
const (
	CI      = "builtin:ci"
	Release = "builtin:release"
	Report  = "builtin:report"
)

// Names lists the built-in policies.
func Names() []string { return []string{CI, Release, Report} }

// Builtin returns a built-in policy as INTERFACE.md's table states it, as far
// as the checks exist: a rule whose check is not built is absent, never silently true.
func Builtin(name string) (*Policy, bool) {
	ci := Policy{
		Name:            CI,
		Fail:            Line{Malware: true, KnownExploit: true, Fixable: finding.High, Untrusted: finding.High, Certainty: finding.Probable},
		Warn:            Line{Severity: finding.High, Archive: finding.Low, Runtime: RuntimeAny, Stale: finding.Low, Untrusted: finding.Medium, Exposure: finding.Medium, Drift: finding.Low, Certainty: finding.Possible},
		UnknownSeverity: finding.High,
		Require:         []string{"open", "catalog", "vulnerability"},
		Unknowns:        []string{"unreadable", "opaque", "limit"},
		Unmatched:       []string{"app", "layer", ""},
		Coverage:        Coverage{Bundle: 0.8},
		MaxAge:          7 * 24 * time.Hour,
		Signature:       Responses{Rejected: RespondFail, Missing: RespondWarn, Unverifiable: RespondWarn},
		Provenance:      Responses{Rejected: RespondFail, Missing: RespondIgnore, Unverifiable: RespondWarn},
	}
	switch name {
	case CI:
		return &ci, true
	case Release:
		ci.Name = Release
		ci.Fail.Severity = finding.Critical
		ci.Warn.Severity = finding.Medium
		ci.Unmatched = append(ci.Unmatched, "base", "runtime")
		ci.Coverage.Minimum = 0.95
		ci.Require = append(ci.Require, "signature", "provenance")
		ci.Signature.Missing, ci.Signature.Unverifiable = RespondIncomplete, RespondIncomplete
		ci.Provenance.Missing, ci.Provenance.Unverifiable = RespondIncomplete, RespondIncomplete
		return &ci, true
	case Report:
		return &Policy{
			Name:            Report,
			Warn:            Line{Any: true, Malware: true, KnownExploit: true, Archive: finding.None, Runtime: RuntimeAny, Stale: finding.None, Untrusted: finding.None, Licence: finding.None, Exposure: finding.None, Drift: finding.None, Certainty: finding.Possible},
			UnknownSeverity: finding.High,
			Signature:       Responses{RespondWarn, RespondWarn, RespondWarn},
			Provenance:      Responses{RespondWarn, RespondIgnore, RespondWarn},
		}, true
	}
	return nil, false
}

// Ref names the policy in a report.
func (p *Policy) Ref() finding.PolicyRef { return finding.PolicyRef{Name: p.Name, Digest: p.Digest} }

// FailOn replaces the severity lines of the policy, as the flag --fail-on
// does: "any" counts every finding, "none" no severity at all. Malware and
// known exploits keep failing.
func (p *Policy) FailOn(word string) bool {
	p.Fail.Fixable, p.Fail.Severity, p.Fail.Any, p.Fail.Origins = "", "", false, nil
	switch word {
	case "any":
		p.Fail.Any = true
	case "none":
	case "critical", "high", "medium", "low":
		p.Fail.Severity = finding.Severity(word)
	default:
		return false
	}
	p.Fail.Malware = true // "malware always fails", in builtin:report too
	if p.Fail.Certainty == "" {
		p.Fail.Certainty = finding.Probable
	}
	p.failOn = word // for the policies that overrides make of this one
	return true
}
