package attest

import (
	"reflect"
	"time"
)

// Status is what became of a question. Its zero value is Unverifiable, so that
// what nobody decided is never a success.
type Status int

// The statuses. They never fold into one another: Missing means that nothing was
// there to check, Unverifiable that something was there and could not be checked
// here, Rejected that it was checked and does not hold.
const (
	Unverifiable Status = iota
	Missing
	Rejected
	Verified
)

// String returns the word of the JSON output.
func (s Status) String() string {
	switch s {
	case Missing:
		return "missing"
	case Rejected:
		return "rejected"
	case Verified:
		return "verified"
	}
	return "unverifiable"
}

// MarshalText is String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Kind is the format, or the predicate, that a result is about.
type Kind string

// The kinds.
const (
	KindSigstore      Kind = "sigstore"               // a Sigstore bundle, or what converts to one
	KindCosignImage   Kind = "cosign-image"           // a cosign signature of a container image
	KindNotation      Kind = "notation"               // Notary Project
	KindAWSSigner     Kind = "aws-signer"             // a zip signed by AWS Signer
	KindJar           Kind = "jar"                    // a signed Java archive
	KindMinisign      Kind = "minisign"               // minisign and signify
	KindPGP           Kind = "gpg"                    // OpenPGP, detached
	KindX509          Kind = "x509"                   // a detached signature by a public key or certificate
	KindDSSE          Kind = "dsse"                   // a bare DSSE envelope
	KindNPMSignature  Kind = "npm-registry-signature" // of a packument
	KindProvenance    Kind = "slsa-provenance"        // the predicate
	KindSummary       Kind = "verification-summary"   // SLSA VSA
	KindPublish       Kind = "publish"                // npm or PyPI publish attestation
	KindSBOM          Kind = "sbom-attestation"       // CycloneDX or SPDX predicate
	KindVulnerability Kind = "vulnerability-attestation"
	KindStatement     Kind = "statement" // another predicate
)

// Step is the step of a verification that decided. The words are part of the
// JSON output.
type Step string

// The steps, about in the order in which they are taken.
const (
	StepFind       Step = "find"        // is there anything to check
	StepParse      Step = "parse"       // is it what it says it is
	StepTrust      Step = "trust"       // is there a root or a key to check it with
	StepDigest     Step = "digest"      // is it about these bytes
	StepChain      Step = "certificate" // does the certificate chain end in a trusted root, and was it valid
	StepSCT        Step = "sct"         // signed certificate timestamp
	StepLog        Step = "transparency-log"
	StepTime       Step = "timestamp" // is there a time that somebody trusted vouches for
	StepSignature  Step = "signature" // does the signature hold
	StepContents   Step = "contents"  // do the entries of the archive agree with what was signed
	StepIdentity   Step = "identity"  // is the signer the demanded one
	StepIssuer     Step = "issuer"
	StepRunner     Step = "runner"          // where the build ran
	StepProfile    Step = "signing-profile" // AWS Signer
	StepExpiry     Step = "expiry"
	StepRevocation Step = "revocation"
	StepPredicate  Step = "predicate" // is it a statement of the demanded type
	StepBuilder    Step = "builder"
	StepLevel      Step = "level"
	StepSource     Step = "source"
	StepRef        Step = "ref"      // tag or branch
	StepWorkflow   Step = "workflow" // workflow and its inputs
	StepPackage    Step = "package"  // package name and version
	StepVerifier   Step = "verifier" // of a verification summary
	StepResource   Step = "resource"
	StepResult     Step = "result"
	StepPolicy     Step = "policy"
	StepAge        Step = "age"
	StepPlugin     Step = "plug-in"
)

// Result is what one piece of evidence says, about one question.
type Result struct {
	Kind   Kind
	Status Status
	Step   Step   // which step decided; "" when verified
	Reason string // in plain words; of a verified result what holds
	// Expected and Found are the two sides of the comparison that failed, "" where none did.
	Expected, Found string

	Digest string // "sha256:…" of the evidence; "" when it is inside the artifact
	Source string // the file, blob or entry that the evidence is
	Covers string // the digest it is about, "sha256:…"; "" when it is about the bytes as such
	// Embedded says that the signature is part of the artifact itself, so that
	// one that does not hold means changed bytes and not stray evidence.
	Embedded bool

	Identity string // who signed: certificate SAN, key fingerprint or subject
	Issuer   string // who vouches for the identity: OIDC issuer, or issuer of the certificate
	KeyID    string
	Times    []Time   // when it was signed, and which clock says so
	Notes    []string // what the format does not say or what was not checked, in plain words
	Claims   Claims   // what was said, by a signer who verified

	Statement *Statement // of a verified envelope; nil: it carries none

	// denied says of a signature that holds that the statement under it is
	// rejected: it is no good news of the artifact then.
	denied bool
	// judges says of a signature that it is over what somebody found about the
	// artifact (a summary, its packages, what is known against them), and so not
	// the word of who made it.
	judges bool
	// sealed says that there is a statement, whose signature cannot be verified here.
	sealed bool
}

// Time is a time of signing and who vouches for it.
type Time struct {
	At    time.Time
	Clock string // "transparency log …", "timestamp authority …", "signer" (self-asserted)
}

// Claims is what a verified statement, or a verified certificate, says of
// where the bytes come from. Empty fields were not said. The names are part of
// the JSON output.
type Claims struct {
	PredicateType string     `json:"predicateType,omitempty"`
	Builder       string     `json:"builder,omitempty"`    // builder.id
	Level         int        `json:"level,omitempty"`      // SLSA build level that the demand trusts this signer and builder for, 0 to 4
	Source        string     `json:"source,omitempty"`     // repository, as a URI without "git+", ".git" and ref
	Commit        string     `json:"commit,omitempty"`     // of the source
	Ref           string     `json:"ref,omitempty"`        // as in "refs/tags/v1.2.3"
	Workflow      string     `json:"workflow,omitempty"`   // path of the build definition in the source
	BuildType     string     `json:"buildType,omitempty"`  //
	Invocation    string     `json:"invocation,omitempty"` // URI of the run
	Runner        string     `json:"runner,omitempty"`     // "github-hosted" or "self-hosted"
	Package       string     `json:"package,omitempty"`    // purl
	Verifier      string     `json:"verifier,omitempty"`   // verifier.id of a summary
	Resource      string     `json:"resource,omitempty"`   // resourceUri of a summary
	Result        string     `json:"result,omitempty"`     // PASSED or FAILED
	Levels        []string   `json:"levels,omitempty"`     // of a summary
	Policy        string     `json:"policy,omitempty"`     // digest or URI of the policy of a summary
	Scanner       string     `json:"scanner,omitempty"`    // URI and version, of a vulnerability attestation
	Found         *int       `json:"found,omitempty"`      // vulnerabilities that it lists; nil: not said in a form that can be counted
	At            *time.Time `json:"at,omitempty"`         // timeVerified, scanFinishedOn, finishedOn; nil: not said
}

// Empty says whether nothing was claimed.
func (c Claims) Empty() bool { return reflect.ValueOf(c).IsZero() }

// reject is a result of a step that was taken and does not hold.
func reject(k Kind, step Step, reason string) Result {
	return Result{Kind: k, Status: Rejected, Step: step, Reason: reason}
}

// cannot is a result of a step that cannot be taken here.
func cannot(k Kind, step Step, reason string) Result {
	return Result{Kind: k, Status: Unverifiable, Step: step, Reason: reason}
}

// differs is a comparison that failed.
func differs(k Kind, step Step, reason, expected, found string) Result {
	return Result{Kind: k, Status: Rejected, Step: step, Reason: reason, Expected: expected, Found: found}
}
