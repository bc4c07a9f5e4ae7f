package finding

// Kind classifies a finding.
type Kind string

// The kinds of finding.
const (
	KindVulnerability Kind = "vulnerability"
	KindMalware       Kind = "malware"
	KindArchive       Kind = "archive"
	KindRuntime       Kind = "runtime"
	KindSignature     Kind = "signature"
	KindProvenance    Kind = "provenance"
	KindStale         Kind = "stale"     // past its time: old, behind, given up
	KindUntrusted     Kind = "untrusted" // not shown to be what it says, or from where nothing should come
	KindLicence       Kind = "licence"   // may not be used as it is
	KindExposure      Kind = "exposure"  // who may call the function, or what it may do
	KindDrift         Kind = "drift"     // what is deployed is not what was judged
)

// RequiredPrefix starts the rules of findings about a signature or a
// provenance that a rule of the policy demands.
const RequiredPrefix = "required-"

// The rules of kind runtime, the most urgent first.
const (
	RuleRuntimeBlocked    = "runtime-update-blocked"   // no fix can be shipped any more
	RuleRuntimeDeprecated = "runtime-deprecated"       // nobody patches it
	RuleRuntimeSoon       = "runtime-deprecation-soon" // soon nobody will
	RuleRuntimeUnknown    = "runtime-unknown"          // the table does not list it
	RuleRuntimeTableOld   = "runtime-table-old"        // the table says supported, and is too old to be believed
)

// RuntimeRank orders the rules of kind runtime: 4 for blocked updates, 3 for
// deprecated, 2 for soon, 1 for the rest. Any other rule ranks as blocked does.
func RuntimeRank(rule string) int {
	switch rule {
	case RuleRuntimeDeprecated:
		return 3
	case RuleRuntimeSoon:
		return 2
	case RuleRuntimeUnknown, RuleRuntimeTableOld:
		return 1
	}
	return 4
}

// Severity is a finding's severity. The zero value is not a severity and is
// treated as unknown.
type Severity string

// The severities, worst first. Unknown is shown as such and judged as the
// policy says (high by default).
const (
	Critical        Severity = "critical"
	High            Severity = "high"
	Medium          Severity = "medium"
	Low             Severity = "low"
	None            Severity = "none"
	UnknownSeverity Severity = "unknown"
)

// Rank orders severities: 5 for critical down to 0 for none. Unknown, and any
// other word, ranks as high does, because what nobody rated must not sort away.
func (s Severity) Rank() int {
	switch s {
	case Critical:
		return 5
	case High:
		return 4
	case Medium:
		return 3
	case Low:
		return 2
	case None:
		return 0
	}
	return 4
}

// Certainty says how sure it is that the finding holds for these bytes.
type Certainty string

// The certainties: certain (the version was read from installed metadata or
// build information), probable (a lockfile or a string names it), possible
// (the version is not known).
const (
	Certain  Certainty = "certain"
	Probable Certainty = "probable"
	Possible Certainty = "possible"
)

// The values of Finding.Reach.
const (
	ReachUnknown = "unknown"
	ReachPresent = "present"
	ReachCalled  = "called"
	ReachAbsent  = "absent"
)

// CheckState says what became of a check. The zero value is not Ran.
type CheckState string

// The states of a check.
const (
	Ran     CheckState = "ran"
	Failed  CheckState = "failed"
	Skipped CheckState = "skipped"
)

// Decision is what a policy decides. The zero value is Incomplete in effect:
// nothing but the exact word "pass" passes.
type Decision string

// The decisions.
const (
	Pass       Decision = "pass"
	Fail       Decision = "fail"
	Incomplete Decision = "incomplete"
)

// Rank orders certainties: 3 for certain, 2 for probable, 1 for possible. Any
// other word ranks as certain, because doubt must not sort a finding away.
func (c Certainty) Rank() int {
	switch c {
	case Probable:
		return 2
	case Possible:
		return 1
	}
	return 3
}
