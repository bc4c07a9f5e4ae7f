package finding

import "time"

// Delta is what differs between the reports before and now.
type Delta struct {
	Before  DeltaSide `json:"before"`
	Changes []Change  `json:"changes"`          // worst first
	Summary []Tally   `json:"summary"`          // by cause, in the order of the causes below
	Unread  int       `json:"unread,omitempty"` // reports that cannot be read: nothing was compared with them
}

// DeltaSide says what the earlier reports were judged with.
type DeltaSide struct {
	Database string    `json:"database"`          // id of the store; "" when the reports differ in it
	Policy   string    `json:"policy,omitempty"`  // digest or name, likewise
	JudgedAt time.Time `json:"judgedAt,omitzero"` // the latest
}

// Change is one finding, or one verdict, that is not what it was, and why.
type Change struct {
	Function    string   `json:"function"`
	Cause       Cause    `json:"cause"`
	Fingerprint string   `json:"fingerprint,omitempty"` // of the finding; "" when the change is of the verdict alone
	ID          string   `json:"id,omitempty"`
	Component   string   `json:"component,omitempty"`
	Severity    Severity `json:"severity,omitempty"`
	Before      string   `json:"before,omitempty"` // what it was: a severity, a decision, a digest, a date
	After       string   `json:"after,omitempty"`
	Detail      string   `json:"detail"`             // one sentence
	Decision    *Decided `json:"decision,omitempty"` // set when the function's verdict changed with it
}

// Decided is a verdict before and now.
type Decided struct {
	Before Decision `json:"before"`
	After  Decision `json:"after"`
}

// Tally counts changes of one cause.
type Tally struct {
	Cause Cause `json:"cause"`
	Count int   `json:"count"`
}

// Cause is why something is not what it was.
type Cause string

// The causes, in the order in which a person reads them.
const (
	CauseNewAdvisory       Cause = "new-advisory"       // the store knows an advisory that it did not
	CauseChangedAdvisory   Cause = "changed-advisory"   // range, severity, fix, KEV or EPSS of one changed
	CauseWithdrawnAdvisory Cause = "withdrawn-advisory" // it was withdrawn, or no longer covers the version
	CauseArtifact          Cause = "changed-artifact"   // the function's bytes are others
	CauseDeployed          Cause = "deployed"           // what is deployed is not what was judged any more, or nobody knows it
	CausePolicy            Cause = "policy"             // the policy judges otherwise
	CauseRuntime           Cause = "runtime-date"       // the runtime crossed a date
	CauseWaiver            Cause = "waiver-expired"
	CauseTime              Cause = "time"    // a period of grace, the age of the store or of a fact ran out
	CauseFixed             Cause = "fixed"   // new bytes no longer have it
	CauseNew               Cause = "new"     // a function that had no report
	CauseGone              Cause = "gone"    // a function that has none any more
	CauseProgram           Cause = "program" // another version of the program finds more or less, or the earlier report was edited
)
