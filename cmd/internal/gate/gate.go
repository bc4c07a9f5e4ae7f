// Package gate turns a report that passed into what travels with the artifact:
// three signed statements about its digest. And at deploy time it says whether
// such a statement still answers for what is about to be deployed.
//
//   - a SLSA verification summary (https://slsa.dev/verification_summary/v1): who
//     judged, under which policy, when, with which advisories, and that it passed;
//   - an in-toto vulnerability attestation (https://in-toto.io/attestation/vulns/v0.2):
//     everything that is known against the function, waived or not;
//   - the CycloneDX bill of materials (https://cyclonedx.org/bom).
//
// Each is a DSSE envelope in a Sigstore bundle of its own. All three are about
// one subject, the digest of the function's code: of the zip, or of the image's
// manifest. The layers under it were judged with it and are listed as such in
// the summary; they are no subject, so that a summary of a layer is none of
// the function and the other way round.
//
// There is no statement of a failure. A report that does not pass gives none at
// all, and files are written all or none, the summary last: whatever breaks in
// between, there is nothing that could be taken for a pass.
package gate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// The types of the predicates.
const (
	SummaryType       = "https://slsa.dev/verification_summary/v1"
	VulnerabilityType = "https://in-toto.io/attestation/vulns/v0.2"
	SBOMType          = "https://cyclonedx.org/bom"
)

// Run is what all functions of a run have in common.
type Run struct {
	Tool       finding.Tool
	Database   finding.Database
	VerifierID string // URI: who judges, as those who rely on it know it
	Policy     Policy
	Judged     time.Time // the clock that judged
	Started    time.Time // of the scan
	Finished   time.Time
	Signer     *attest.Signer

	Lockfiles []finding.Artifact // beside the functions, as somebody named them; Ref and Digest
}

// Policy names what was judged under.
type Policy struct {
	URI    string
	Digest string // "sha256:…"
}

// Function is one function that passed.
type Function struct {
	Report     *finding.Report
	Name       string              // of the subject: the artifact's file name, or the image's repository
	Resource   string              // URI that those who deploy know the function by
	SBOM       []byte              // CycloneDX JSON of the report
	BuildLevel int                 // SLSA build level that a verified provenance has, 0 to 4; 0 when none was verified
	Evidence   []attest.Descriptor // verified attestations that the verdict rests on
}

// Attestation is one signed statement.
type Attestation struct {
	Suffix        string // of the file beside the artifact
	PredicateType string
	Bundle        []byte
	Identity      string // who signed
}

// The suffixes of the files beside an artifact, in the order in which they are
// made and placed: the summary is last, because it alone says that all is well.
const (
	SBOMSuffix          = ".cdx.sigstore.json"
	VulnerabilitySuffix = ".vulns.sigstore.json"
	SummarySuffix       = ".vsa.sigstore.json"
)

// Suffixes lists them.
func Suffixes() []string { return []string{SBOMSuffix, VulnerabilitySuffix, SummarySuffix} }

// Attest signs what is to be said about one function. A report that did not
// pass, or one without a digest, is an error: nothing is signed then.
func (r *Run) Attest(ctx context.Context, f Function) ([]Attestation, error) {
	subject, err := r.check(f)
	if err != nil {
		return nil, err
	}
	var out []Attestation
	add := func(suffix, predicateType string, predicate any) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		st, err := statement(subject, predicateType, predicate)
		if err != nil {
			return err
		}
		signed, err := r.Signer.Sign(ctx, st)
		if err != nil {
			return err
		}
		out = append(out, Attestation{Suffix: suffix, PredicateType: predicateType, Bundle: signed.Bundle, Identity: signed.Identity})
		return nil
	}
	if err := add(SBOMSuffix, SBOMType, rawJSON(f.SBOM)); err != nil {
		return nil, fmt.Errorf("attest the bill of materials of %s: %w", f.Report.Name, err)
	}
	if err := add(VulnerabilitySuffix, VulnerabilityType, r.vulnerabilities(f)); err != nil {
		return nil, fmt.Errorf("attest the vulnerabilities of %s: %w", f.Report.Name, err)
	}
	if err := add(SummarySuffix, SummaryType, r.summary(f, out)); err != nil {
		return nil, fmt.Errorf("attest the verdict about %s: %w", f.Report.Name, err)
	}
	return out, nil
}

// check returns the subject of a function that may be attested.
func (r *Run) check(f Function) (attest.Descriptor, error) {
	rep := f.Report
	switch {
	case rep.Verdict.Decision != finding.Pass:
		return attest.Descriptor{}, fmt.Errorf("attest %s: the verdict is %s", rep.Name, rep.Verdict.Decision)
	case len(rep.Artifacts) == 0 || !isDigest(rep.Artifacts[0].Digest):
		return attest.Descriptor{}, fmt.Errorf("attest %s: the artifact has no digest, since not everything of it could be read", rep.Name)
	case r.VerifierID == "" || r.Policy.URI == "" || r.Policy.Digest == "" || f.Resource == "":
		return attest.Descriptor{}, fmt.Errorf("attest %s: %w", rep.Name, errUnnamed)
	}
	for _, l := range rep.Artifacts[1:] {
		if !isDigest(l.Digest) {
			return attest.Descriptor{}, fmt.Errorf("attest %s: the layer %s has no digest, since not everything of it could be read", rep.Name, l.Ref)
		}
	}
	return attest.Descriptor{Name: f.Name, Digest: digestSet(rep.Artifacts[0].Digest)}, nil
}

var errUnnamed = errors.New("the verifier, the policy and the resource must have a name")
