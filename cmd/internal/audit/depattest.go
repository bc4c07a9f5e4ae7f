package audit

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/integrity"
	"github.com/fnaudit/fnaudit/sbom/registry"
	"github.com/fnaudit/fnaudit/sbom/trust"
)

// maxVerified is how many packages have their attestations verified at a time.
const maxVerified = 8

// What ties the shipped files to the published archive that an attestation is about.
const (
	boundByLock  = "lock-digest"      // a lockfile has the archive's digest
	boundByName  = "name-and-version" // nothing but what they are called
	boundByBytes = "compared"         // every shipped file is the archive's
)

// checkAttestation asks who built the published versions of the dependencies, and
// whether their registries signed them.
//
// What registries say is enough for most of the rules, and costs nothing. To
// verify takes some milliseconds and one answer of a registry for each package, so it is
// done where every byte is read too (scan --deep, gate, vet), and for the names that the
// policy wants attested. Elsewhere an attestation is claimed, and counted so.
func checkAttestation(ctx context.Context, a *Auditor, s *Subject) (Result, error) {
	p := a.Policy.Dependencies.Attestations
	if len(p.Require) == 0 && s.unasked(a, "attestation") {
		return Result{}, Skipped(nobodyAsked)
	}
	required, err := trust.ParseNames(p.Require)
	if err != nil {
		return Result{}, fmt.Errorf("read the policy's names that must be attested: %w", err)
	}
	if len(p.Require) == 0 && len(s.Standings) > 0 && !s.answered() {
		return Result{}, Skipped(a.unanswered())
	}
	var list []*attested
	seen, known := map[string]bool{}, false
	for i := range s.SBOM.Components {
		c := &s.SBOM.Components[i]
		st := s.Standings[c.PURL]
		pkg, _, ok := registry.ParsePURL(c.PURL)
		if c.Main || !ok || seen[c.PURL] {
			continue
		}
		seen[c.PURL] = true
		if st == nil {
			st = &registry.Standing{Reason: "no registry was asked"}
		}
		known = known || st.Answer != registry.Unknown
		one := &attested{component: c, pkg: pkg, Attested: trust.Attested{Component: c.PURL, Standing: st, Required: required.Match(pkg), Sources: p.Sources}}
		one.claimed()
		if s.recorded != nil {
			one.recall(s.recorded.facts(c.PURL))
		}
		list = append(list, one)
	}
	switch {
	case len(list) == 0:
		return Result{Note: "it holds no package of a registry"}, nil
	case !known && !requiresAny(list):
		return Result{}, Skipped(a.unanswered())
	}
	if s.recorded == nil {
		if err := a.verifyAttested(ctx, list); err != nil {
			return Result{}, err
		}
	}
	s.proofs = map[string][]*finding.DependencyProof{}
	for _, one := range list {
		for _, p := range []*finding.DependencyProof{one.provenance, one.signature} {
			if p != nil {
				s.proofs[one.Component] = append(s.proofs[one.Component], p)
			}
		}
	}
	return resultOf(list, components(s.SBOM)), nil
}

// answered says whether a registry knows of any component, or knows that it has it
// not.
func (s *Subject) answered() bool {
	for _, st := range s.Standings {
		if st.Answer != registry.Unknown {
			return true
		}
	}
	return false
}

// unanswered is why nothing is known of attestations where no registry answered.
func (a *Auditor) unanswered() string {
	if a.Registry != nil && a.Registry.Online {
		return "no registry that was asked tells of signatures and attestations"
	}
	return nobodyAsked
}

// compared says of proofs that the shipped files were compared with the archive that
// they are about. Files of Python are compared with what is shipped beside them,
// which binds them to no archive.
func (s *Subject) compared(found integrity.Result) {
	differs := map[string]bool{}
	for _, d := range found.Differences {
		differs[d.Component] = true
	}
	for _, purl := range found.Whole {
		if differs[purl] || !strings.HasPrefix(purl, "pkg:npm/") {
			continue
		}
		for _, p := range s.proofs[purl] {
			p.Bound = boundByBytes
		}
	}
}

func requiresAny(list []*attested) bool {
	for _, one := range list {
		if one.Required {
			return true
		}
	}
	return false
}

// attested is one component while it is asked about.
type attested struct {
	component *sbom.Component
	pkg       registry.Package
	trust.Attested

	asked                 bool // more than what the registry says by the way
	provenance, signature *finding.DependencyProof
}

// claimed fills in what the registry says of the version.
func (o *attested) claimed() {
	st := o.Standing
	o.Provenance = trust.Proof{Locator: st.Source, At: st.AsOf}
	switch {
	case st.Answer == registry.Unknown:
		o.Provenance.Reason = cmp.Or(st.Reason, "no registry was asked")
	case !st.Version:
		o.Provenance.Reason = "the registry has no such version"
	case st.Attested == registry.Known:
		o.Provenance.Status = trust.ProofClaimed
	case st.Attested == registry.Absent:
		o.Provenance.Status = trust.ProofMissing
	default:
		o.Provenance.Reason = "the registry does not tell whether it is attested"
	}
	o.Signature = trust.Proof{Locator: st.Source, At: st.AsOf}
}

// verifyAttested verifies what is to be verified in this run.
func (a *Auditor) verifyAttested(ctx context.Context, list []*attested) error {
	published := a.Published
	if published == nil {
		published = &attest.Published{Now: a.Now}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxVerified)
	for _, one := range list {
		if a.Registry == nil || !a.Deep && !one.Required || !one.Standing.Version && !one.Required {
			continue
		}
		g.Go(func() error { return one.verify(ctx, a.Registry, published) })
	}
	return g.Wait()
}

// verify asks the registry for the proofs and verifies them. A panic in a parser
// of outside bytes is that package's failure.
func (o *attested) verify(ctx context.Context, reg *registry.Client, published *attest.Published) (err error) {
	defer func() {
		if r := recover(); r != nil {
			o.settle(attest.Verdict{Reason: fmt.Sprintf("internal error: %v", r)}, registry.Proofs{})
		}
	}()
	rel := attest.Release{Type: string(o.pkg.System), Name: o.pkg.Name, Version: o.component.Version, Digests: o.Standing.Integrity, At: o.Standing.Published}
	if o.pkg.System == registry.NPM && (len(o.Standing.Signatures) > 0 || o.Standing.Attested == registry.Known) {
		if rel.Keys, err = reg.RegistryKeys(ctx, o.pkg); err != nil {
			return err
		}
	}
	o.verifySignature(rel, published)
	if o.Provenance.Status == trust.ProofMissing || o.Provenance.Status == trust.ProofUnknown && !o.Required {
		return nil // the registry has said it, and has no answer that would say more
	}
	proofs, err := reg.Proofs(ctx, o.pkg, o.component.Version, lockedDigests(o.component))
	if err != nil {
		return err
	}
	if proofs.Answer != registry.Known {
		o.none(proofs)
		return nil
	}
	if proofs.File != "" {
		rel.File, rel.Digests = proofs.File, proofs.Digest
	}
	v, err := published.Attestations(ctx, rel, proofs.Body)
	if err == nil {
		o.settle(v, proofs)
		o.provenance.Bound = bound(o.component, rel.Digests)
	}
	return err
}

// none says that there was nothing to verify. What the registry claims and then
// does not hand out is not known, and neither is what one does not have that never
// said that it keeps any.
func (o *attested) none(p registry.Proofs) {
	v := attest.Verdict{Reason: cmp.Or(p.Reason, "the registry has none at its address for it, and does not say that it keeps any")}
	switch {
	case p.Answer == registry.Absent && o.Standing.Attested == registry.Known:
		v.Reason = "the registry says that there is one, and hands out none"
	case p.Answer == registry.Absent && o.pkg.System == registry.PyPI: // there the index itself says so
		v = attest.Verdict{Status: attest.Missing, Reason: "the index has none for this file"}
	}
	o.settle(v, p)
}

// settle records what became of the attestations.
func (o *attested) settle(v attest.Verdict, p registry.Proofs) {
	o.asked = true
	o.provenance = dependencyProof(v, p.Source, p.AsOf)
	o.provenance.File = p.File
	claimed := o.Provenance.Status == trust.ProofClaimed
	o.Provenance = trust.Proof{Status: proofStatus(v.Status), Repository: v.Claims.Source, Signer: v.Identity, Reason: v.Reason, Locator: p.Source, At: p.AsOf}
	if o.Provenance.Status == trust.ProofUnknown && claimed && !o.Required {
		o.Provenance.Status = trust.ProofClaimed
	}
}

// verifySignature verifies the registry's signatures. A registry that tells none may
// be a mirror that leaves them out, so that is nothing to record.
func (o *attested) verifySignature(rel attest.Release, published *attest.Published) {
	if o.pkg.System != registry.NPM || len(o.Standing.Signatures) == 0 {
		return
	}
	var list []attest.RegistrySignature
	for _, s := range o.Standing.Signatures {
		list = append(list, attest.RegistrySignature(s))
	}
	v := published.Signature(rel, list)
	o.signature = dependencyProof(v, o.Standing.Source, o.Standing.AsOf)
	o.signature.Bound = bound(o.component, rel.Digests)
	o.Signature.Status, o.Signature.Reason = proofStatus(v.Status), v.Reason
}

func proofStatus(s attest.Status) trust.ProofStatus {
	return map[attest.Status]trust.ProofStatus{attest.Missing: trust.ProofMissing, attest.Rejected: trust.ProofRejected, attest.Verified: trust.ProofVerified}[s]
}

// dependencyProof is a verdict as the report holds it.
func dependencyProof(v attest.Verdict, source string, at time.Time) *finding.DependencyProof {
	c := v.Claims
	return &finding.DependencyProof{Status: v.Status.String(), Kind: string(v.Kind), Identity: v.Identity, Issuer: v.Issuer, KeyID: v.KeyID,
		Builder: c.Builder, Repository: c.Source, Workflow: c.Workflow, Commit: c.Commit, Reason: v.Reason, Source: source, At: utc(at)}
}

// lockedDigests are the digests of a component's archive that lockfiles record,
// as "ALGORITHM:HEX".
func lockedDigests(c *sbom.Component) []string {
	var out []string
	for _, t := range c.Traits {
		if t.Kind != sbom.TraitLocked {
			continue
		}
		for text := range strings.FieldsSeq(t.Detail) {
			if alg, hexed, ok := strings.Cut(text, ":"); ok {
				out = append(out, strings.ToLower(alg+":"+hexed))
			} else if alg, b64, ok := strings.Cut(text, "-"); ok {
				if raw, err := base64.StdEncoding.DecodeString(b64); err == nil {
					out = append(out, strings.ToLower(alg)+":"+hex.EncodeToString(raw))
				}
			}
		}
	}
	return out
}

// bound says what ties a component to an archive with these digests.
func bound(c *sbom.Component, digests map[string]string) string {
	for _, d := range lockedDigests(c) {
		alg, value, _ := strings.Cut(d, ":")
		if (alg == "sha512" || alg == "sha256") && value != "" && digests[alg] == value {
			return boundByLock
		}
	}
	return boundByName
}

// resultOf puts together findings, facts and the line that counts.
func resultOf(list []*attested, byPURL map[string]*sbom.Component) Result {
	res := Result{Facts: map[string]*finding.Facts{}}
	var judged []trust.Attested
	count := map[trust.ProofStatus]int{}
	asked, signed, signatures := 0, 0, 0
	for _, one := range list {
		judged = append(judged, one.Attested)
		count[one.Provenance.Status]++
		if one.asked {
			asked++
		}
		if one.signature != nil {
			signatures++
		}
		if one.Signature.Status == trust.ProofVerified {
			signed++
		}
		if one.provenance != nil || one.signature != nil {
			f := factsOf(one.Standing)
			f.Attestation, f.Signature = one.provenance, one.signature
			res.Facts[one.Component] = f
		}
	}
	for _, g := range trust.JudgeAttested(judged) {
		res.Findings = append(res.Findings, signalFinding(g, byPURL[g.Component]))
	}
	res.Note = attestedNote(len(list), count, signed, signatures, asked > 0)
	return res
}

// attestedNote counts in one line how many packages are attested, and how many are not
// known to be.
func attestedNote(all int, count map[trust.ProofStatus]int, signed, signatures int, asked bool) string {
	text := fmt.Sprintf("provenance of %d of %s verified", count[trust.ProofVerified], finding.Count(all, "package", "packages"))
	if n := count[trust.ProofRejected]; n > 0 {
		text += fmt.Sprintf(", %d rejected", n)
	}
	if n := count[trust.ProofClaimed]; n > 0 {
		text += fmt.Sprintf(", %d claimed by the registry and not verified", n)
		if !asked {
			text += " (scan --deep, gate and vet verify)"
		}
	}
	if n := count[trust.ProofMissing]; n > 0 {
		text += fmt.Sprintf(", %d have none", n)
	}
	if n := count[trust.ProofUnknown]; n > 0 {
		text += fmt.Sprintf(", %d not known", n)
	}
	if signatures > 0 {
		text += fmt.Sprintf("; signatures of registries: %d of %d verified", signed, signatures)
	}
	return text
}
