package finding

import "time"

// Attestation is what one signature, or one signed statement, says about one
// artifact, and what became of checking it.
type Attestation struct {
	Artifact int    `json:"artifact"` // index
	Kind     string `json:"kind"`     // "sigstore", "aws-signer", "slsa-provenance", ...
	Status   string `json:"status"`   // verified, rejected, missing, unverifiable
	Step     string `json:"step,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found,omitempty"`
	Source   string `json:"source,omitempty"`
	Covers   string `json:"covers,omitempty"`
	Identity string `json:"identity,omitempty"`
	Issuer   string `json:"issuer,omitempty"`
	KeyID    string `json:"keyId,omitempty"`

	Times []AttestationTime `json:"times,omitempty"`
	Notes []string          `json:"notes,omitempty"`

	// Of a verified statement or certificate; see the verify command.
	PredicateType string   `json:"predicateType,omitempty"`
	Builder       string   `json:"builder,omitempty"`
	Level         int      `json:"level,omitempty"` // SLSA build level
	Repository    string   `json:"repository,omitempty"`
	Commit        string   `json:"commit,omitempty"`
	Ref           string   `json:"ref,omitempty"`
	Workflow      string   `json:"workflow,omitempty"`
	Invocation    string   `json:"invocation,omitempty"`
	Runner        string   `json:"runner,omitempty"`
	Verifier      string   `json:"verifier,omitempty"`
	Result        string   `json:"result,omitempty"`
	Levels        []string `json:"levels,omitempty"`
	Digest        string   `json:"digest,omitempty"` // "sha256:…" of the evidence itself

	TrustRoot       string     `json:"trustRoot,omitempty"`       // of a verified signature: the policy's name of what it was checked with
	Resource        string     `json:"resource,omitempty"`        // that a verification summary is about
	Policy          string     `json:"policy,omitempty"`          // that it was made under, by digest or URI
	Scanner         string     `json:"scanner,omitempty"`         // that a vulnerability attestation is by
	Vulnerabilities *int       `json:"vulnerabilities,omitempty"` // that it lists; nil: not said in a form that can be counted
	StatedAt        *time.Time `json:"statedAt,omitempty"`        // when it was built, judged or scanned, as the statement says; nil: it does not
}

// AttestationTime is a time of signing and who vouches for it.
type AttestationTime struct {
	At    time.Time `json:"at"`
	Clock string    `json:"clock"`
}
