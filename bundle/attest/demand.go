package attest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Demand is who is trusted, and for what. The zero value trusts nobody beyond
// the embedded roots and names no signer: then nothing keyless is verified.
// Every field that is set must hold.
type Demand struct {
	Root Root  // what is trusted without proof; zero: the embedded root of the public-good instance
	Keys []Key // managed keys; with one of them a signature needs no identity

	KeyID   string // the key id that an envelope must name, "" for any
	NoKeyID bool   // the envelope must name none

	Identity       string // exact; of a certificate: SAN, e-mail or subject
	IdentityRegexp string // anchored at both ends, unless it has ^ and no $ (see anchor)
	Issuer         string // exact
	IssuerRegexp   string
	Runner         string // certificate extension: "github-hosted"
	Require        Thresholds

	Builders []Builder // trusted builders; a provenance by another one is rejected. Empty: any, at level 1
	MinLevel int       // SLSA build level, 0 for none
	Source   string    // source repository, as a URI
	Tag      string    // exact: "v1.2.3"; "semver:v1" for every release of it
	Branch   string
	Workflow string // path of the workflow in the source
	Inputs   map[string]string
	Package  string // purl that the statement must name
	// OfArtifact demands a signature of the artifact, or a statement about how it
	// was made: one over a verification summary, a bill of materials or a list of
	// vulnerabilities does not count, though the same key made it. Else a gate whose
	// key is also a build key would vouch for what it judged by having judged it.
	OfArtifact        bool
	WantProvenance    bool     // a provenance must be there, whatever it says
	Kinds             []Kind   // formats whose signature counts; empty: any
	CertificateSource string   // source repository that the certificate must name, exact
	Predicate         []string // predicate types of which one must be there; empty: none is demanded

	Profiles     []string          // AWS Signer: allowed profile version ARNs
	EntryDigests map[string]string // AWS Signer: sha256 of each entry as the gate wrote it; nil: not given

	VerifierID   string // of a verification summary
	ResourceURI  string
	Levels       []string
	PolicyDigest string        // the summary must be made under it
	MaxAge       time.Duration // of a summary or a vulnerability attestation; 0: any

	NotationPolicy string // file; "" none
	NotationStore  string // folder; "" beside the policy
	NotationScope  string // repository by which the statement of the policy is chosen; "" that of the subject

	AllowExpiredKeys bool // OpenPGP: accept a good signature of a key that expired since
}

// Builder is a trusted pair of signer and builder.id, with the highest SLSA
// build level that it is trusted for (SLSA v1, "Verifying artifacts", step 1).
type Builder struct {
	ID       string // builder.id, exact
	Signer   string // identity that must have signed, or the fingerprint of its key, exact; "": any that the demand accepts
	MaxLevel int    // 0 means 1
}

// Thresholds say how many of each independent proof must be there. A negative
// number means: the default, which follows from the root that is used (see
// [Thresholds.over]).
type Thresholds struct {
	Log              int // entries of a transparency log
	SCT              int // signed certificate timestamps
	Timestamps       int // times that a log or a timestamp authority vouches for
	SignedTimestamps int // times of a timestamp authority only
}

// DefaultThresholds leaves every number to the root.
func DefaultThresholds() Thresholds { return Thresholds{-1, -1, -1, -1} }

// ParseThresholds reads "tlog=0,sct=0,signed-timestamps=1,timestamps=1".
func ParseThresholds(text string) (Thresholds, error) {
	t := DefaultThresholds()
	for _, part := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 16 {
			return t, fmt.Errorf("%q: want a number from 0 to 16, as in tlog=1", part)
		}
		switch strings.ReplaceAll(name, "_", "-") {
		case "tlog":
			t.Log = n
		case "sct":
			t.SCT = n
		case "timestamps":
			t.Timestamps = n
		case "signed-timestamps":
			t.SignedTimestamps = n
		default:
			return t, fmt.Errorf("%q: the names are tlog, sct, timestamps, signed-timestamps", name)
		}
	}
	return t, nil
}

// over fills in the defaults. With a root that knows logs, certificate logs or
// clocks, what it can vouch for is required once; a root without a log (a
// private instance) needs a signed timestamp instead. With keys and no root
// nothing of it is required: a managed key is trusted as such.
func (t Thresholds) over(logs, ctlogs, authorities bool) Thresholds {
	set := func(n *int, def bool) {
		if *n >= 0 {
			return
		}
		*n = 0
		if def {
			*n = 1
		}
	}
	wantSigned := t.SignedTimestamps < 0 && !logs && authorities
	set(&t.Log, logs)
	set(&t.SCT, ctlogs)
	set(&t.SignedTimestamps, wantSigned)
	set(&t.Timestamps, logs)
	return t
}
