package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
)

// signed is what verification said about one artifact of a function. Both
// checks below read it; it is made once.
type signed struct {
	artifact   int // index; of a layer that is not here the number that it would have
	ref        string
	skipped    string // why there is nothing that a signature could be over; "" when there is
	fault      error  // evidence that could not be read: then there are no answers
	signature  answer
	provenance answer
	records    []finding.Attestation
	bills      []attest.Result // verified bills of materials, compared with the bytes
	differ     []finding.Finding
}

// answer is one of the two questions about an artifact.
type answer struct {
	status   attest.Status
	required bool // a rule of the policy is about it
	why      attest.Result
}

// checkSignature asks who signed the function's artifacts.
func checkSignature(ctx context.Context, a *Auditor, s *Subject) (Result, error) {
	all, err := s.signatures(ctx, a)
	if err != nil {
		return Result{}, err
	}
	res := Result{}
	for _, one := range all {
		res.Attestations = append(res.Attestations, one.records...)
	}
	return finish(res, all, finding.KindSignature, func(one signed) answer { return one.signature })
}

// checkProvenance asks who built them, and from what.
func checkProvenance(ctx context.Context, a *Auditor, s *Subject) (Result, error) {
	all, err := s.signatures(ctx, a)
	if err != nil {
		return Result{}, err
	}
	res := Result{}
	for _, one := range all {
		res.Findings = append(res.Findings, one.differ...)
	}
	return finish(res, all, finding.KindProvenance, func(one signed) answer { return one.provenance })
}

// finish makes the findings of one question. What the policy has no rule for
// and what nobody signed is no finding: the record says missing, and the policy
// answers to that.
func finish(res Result, all []signed, kind finding.Kind, which func(signed) answer) (Result, error) {
	judged, why := false, "there is no artifact"
	var faults []error
	for _, one := range all {
		ans := which(one)
		if one.skipped != "" && !ans.required {
			why = one.skipped
			continue
		}
		judged = true
		switch {
		case one.fault != nil:
			faults = append(faults, one.fault)
		case ans.status == attest.Verified || ans.status == attest.Missing && !ans.required:
		default:
			res.Findings = append(res.Findings, signatureFinding(one, ans, kind))
		}
	}
	if !judged {
		return res, Skipped(why)
	}
	return res, errors.Join(faults...)
}

// signatureFinding says that an artifact's signature or provenance is not verified.
func signatureFinding(one signed, ans answer, kind finding.Kind) finding.Finding {
	rule := fmt.Sprintf("%s-%s", kind, ans.status)
	severity := finding.Low
	switch {
	case ans.status == attest.Rejected:
		severity = finding.High
	case ans.required:
		severity = finding.Medium
	}
	if ans.required {
		rule = finding.RequiredPrefix + rule
	}
	name := baseName(one.ref)
	f := finding.Finding{Kind: kind, Rule: rule, ID: rule + ":" + name, Severity: severity, Certainty: finding.Certain, Origin: one.origin(),
		Title: fmt.Sprintf("%s of %s %s: %s", kind, name, verb(ans.status), ans.why.Reason)}
	ev := finding.Evidence{Source: string(cmp.Or(ans.why.Kind, attest.Kind(kind))), Locator: cmp.Or(ans.why.Source, one.ref), Artifact: one.artifact, Detail: ans.why.Reason}
	if ans.why.Step != "" {
		ev.Detail = fmt.Sprintf("step %s: %s", ans.why.Step, ans.why.Reason)
	}
	if ans.why.Expected != "" || ans.why.Found != "" {
		ev.Detail += fmt.Sprintf("; expected %s, found %s", cmp.Or(ans.why.Expected, "nothing"), cmp.Or(ans.why.Found, "nothing"))
	}
	f.Evidence = []finding.Evidence{ev}
	return f
}

func baseName(ref string) string { return path.Base(strings.ReplaceAll(ref, `\`, "/")) }

// origin is that of findings about the artifact.
func (one *signed) origin() string {
	if one.artifact > 0 {
		return "layer"
	}
	return "app"
}

func verb(s attest.Status) string {
	switch s {
	case attest.Rejected:
		return "is rejected"
	case attest.Missing:
		return "is missing"
	}
	return "cannot be verified"
}

// signatures verifies every artifact of the function, once. Only a cancelled
// context is an error.
func (s *Subject) signatures(ctx context.Context, a *Auditor) ([]signed, error) {
	if s.signed != nil {
		return s.signed, nil
	}
	t := a.Trust
	if t == nil {
		t = &Trust{}
	}
	var all []signed
	for i, v := range s.Function.Volumes {
		one := signed{artifact: i, ref: v.Artifact.Ref}
		subject, why := subjectOf(v)
		if subject == nil {
			one.cannot(a, string(v.Artifact.Kind), why)
		} else if err := t.ask(ctx, a, s, v, subject, &one); ctx.Err() != nil {
			return nil, ctx.Err()
		} else if err != nil {
			one.fault = err
		}
		s.compareBills(a, &one)
		all = append(all, one)
	}
	if slices.ContainsFunc(all, func(one signed) bool { return one.skipped == "" }) {
		for i := range all {
			all[i].unsigned()
		}
	}
	s.signed = append(all, s.layersElsewhere(a)...)
	return s.signed, nil
}

// unsigned records of an artifact that cannot be signed, beside others that can,
// that nothing speaks for it. Alone it leaves the check skipped.
func (one *signed) unsigned() {
	for _, of := range []struct {
		kind attest.Kind
		ans  answer
	}{{attest.KindSigstore, one.signature}, {attest.KindProvenance, one.provenance}} {
		if one.skipped != "" && !of.ans.required {
			one.records = append(one.records, finding.Attestation{Artifact: one.artifact, Kind: string(of.kind), Status: attest.Missing.String(), Step: string(attest.StepFind), Reason: one.skipped})
		}
	}
}

// layersElsewhere are the layers that the descriptor names and that are not
// here. Where the policy demands something of them, it cannot be verified.
func (s *Subject) layersElsewhere(a *Auditor) []signed {
	var out []signed
	for _, g := range s.Function.Spec.Declared.Gaps {
		if !g.Layer {
			continue
		}
		one := signed{artifact: len(s.Function.Volumes) + len(out), ref: g.What}
		if one.cannot(a, "", g.Reason); one.signature.required || one.provenance.required {
			out = append(out, one)
		}
	}
	return out
}

// cannot answers for an artifact about which nothing can be asked.
func (one *signed) cannot(a *Auditor, kind, why string) {
	one.skipped = why
	r := attest.Result{Step: attest.StepDigest, Reason: why}
	one.signature, one.provenance = answer{why: r}, answer{why: r}
	rule, _ := a.Policy.Trust.Rule(one.ref, kind, one.role())
	for _, req := range rule.Require {
		if req.Provenance != nil {
			one.provenance.required = true
		} else {
			one.signature.required = true
		}
	}
}

// role is what a rule of the policy calls the artifact.
func (one *signed) role() string {
	if one.artifact > 0 {
		return "layer"
	}
	return "code"
}

// subjectOf makes the subject of an opened artifact: the bytes that were
// judged, under the digest that was taken over them.
func subjectOf(v *bundle.Volume) (s *attest.Subject, why string) {
	alg, hex, ok := strings.Cut(string(v.Artifact.Digest), ":")
	if !ok {
		return nil, "not every byte of it could be read, so there is no digest that a signature could be over"
	}
	if img := v.Image(); img != nil {
		return subjectOfImage(v.Artifact.Ref, img)
	}
	bytes, size := v.Raw()
	if bytes == nil {
		return nil, "a " + string(v.Artifact.Kind) + " has no bytes of its own that a signature could be over"
	}
	return &attest.Subject{Name: v.Artifact.Ref, Digests: map[string]string{alg: hex}, Bytes: bytes, Size: size}, ""
}

// subjectOfImage is the manifest of an image; a signature over the index that
// it was chosen from counts too.
func subjectOfImage(ref string, img *bundle.Image) (s *attest.Subject, why string) {
	alg, hex, ok := strings.Cut(string(img.Manifest), ":")
	if !ok {
		return nil, "a docker archive has no manifest digest that a signature could be over: give an OCI layout, or image: and its name"
	}
	s = &attest.Subject{Name: ref, Digests: map[string]string{alg: hex}}
	if img.Index != "" {
		s.Also = map[string]string{string(img.Index): "image index"}
	}
	return s, ""
}

// ask verifies one artifact under the rule that the policy has for it.
func (t *Trust) ask(ctx context.Context, a *Auditor, of *Subject, v *bundle.Volume, s *attest.Subject, one *signed) error {
	var evidence []attest.Evidence
	if t.Evidence != nil {
		var err error
		if evidence, err = t.Evidence(ctx, v.Artifact, v.Image(), s); err != nil {
			return err
		}
	}
	verify := func(d attest.Demand) (attest.Outcome, error) {
		return attest.Verify(ctx, attest.Request{Subject: s, Evidence: evidence, Embedded: embedded(v, d), Demand: d, Now: a.Now})
	}
	rule, ok := a.Policy.Trust.Rule(v.Artifact.Ref, string(v.Artifact.Kind), one.role())
	if !ok {
		out, err := verify(attest.Demand{Require: attest.DefaultThresholds()})
		if err != nil {
			return err
		}
		one.note(out, "")
		one.signature = answerOf(out, attest.Signatures)
		one.provenance = answerOf(out, attest.Provenances)
		one.unbuilt()
		return nil
	}
	one.signature = answer{status: attest.Verified}
	one.provenance = answer{status: attest.Missing, why: attest.Result{Kind: attest.KindProvenance, Reason: "the policy demands none, and none was verified"}}
	provenance := answer{status: attest.Verified}
	asked := false
	for _, r := range rule.Require {
		ans, err := t.meet(r, verify, of.Function.Spec.Declared, one)
		if err != nil {
			return err
		}
		if r.Provenance != nil {
			asked = true
			provenance = worst(provenance, ans)
		} else {
			one.signature = worst(one.signature, ans)
		}
	}
	if asked {
		one.provenance = provenance
	}
	one.unbuilt()
	return nil
}

// embedded lists the checks of what can be inside the artifact. Each reads the
// directory of a zip anew, a ninth of the time of a scan, so they are left out
// where the names seen at opening say that there is nothing, unless the demand
// wants to be told so.
func embedded(v *bundle.Volume, d attest.Demand) []attest.Embedded {
	if !v.MayHoldSignature() && len(d.Profiles) == 0 && d.EntryDigests == nil {
		return nil
	}
	return attest.InArtifact(string(v.Artifact.Kind))
}

// unbuilt records that nothing says who built the artifact.
func (one *signed) unbuilt() {
	if one.provenance.status != attest.Missing || one.provenance.required {
		return
	}
	one.records = append(one.records, finding.Attestation{Artifact: one.artifact, Kind: string(attest.KindProvenance), Status: attest.Missing.String(),
		Step: string(attest.StepFind), Reason: "no provenance was found"})
}

// meet asks for one requirement: the first alternative that verifies, else the
// one that came closest.
func (t *Trust) meet(r policy.Requirement, verify func(attest.Demand) (attest.Outcome, error), declared bundle.Declared, one *signed) (answer, error) {
	if r.Provenance != nil {
		out, err := verify(t.provenanceDemand(r.Provenance))
		if err != nil {
			return answer{}, err
		}
		one.note(out, r.Provenance.Signer.Root)
		ans := answerOf(out, attest.Provenances)
		if ans.status == attest.Verified {
			ans.status = out.Status // the signature under it too
		}
		ans.required = true
		return ans, nil
	}
	var best answer
	var bestOut attest.Outcome
	root := ""
	for i, s := range r.AnyOf {
		out, err := verify(t.demand(s))
		if err != nil {
			return answer{}, err
		}
		ans := answer{status: out.Status, why: answerOf(out, attest.Signatures).why}
		if i := slices.IndexFunc(out.Results, func(r attest.Result) bool { return r.Status == out.Status }); ans.why.Status != out.Status && i >= 0 {
			ans.why = out.Results[i] // the signature that was found does not count
		}
		if ans.status == attest.Verified && s.Mode != "" {
			ans = codeSigned(s.Mode, declared, ans)
		}
		if i == 0 || attest.Closer(ans.status, best.status) {
			best, bestOut, root = ans, out, s.Root
		}
		if best.status == attest.Verified {
			break
		}
	}
	one.note(bestOut, root)
	best.required = true
	return best, nil
}

// worst keeps the answer that is further from a success.
func worst(a, b answer) answer {
	b.required = a.required || b.required
	a.required = b.required
	if attest.Closer(a.status, b.status) {
		return b
	}
	return a
}

// answerOf picks the answer to one question out of an outcome: the best of the results
// that are about it.
func answerOf(out attest.Outcome, about func(attest.Kind) bool) answer {
	ans := answer{status: attest.Missing}
	found := false
	for _, r := range out.Results {
		if !about(r.Kind) {
			continue
		}
		if r.Embedded && r.Status == attest.Rejected {
			return answer{status: attest.Rejected, why: r}
		}
		if !found || attest.Closer(r.Status, ans.status) {
			ans, found = answer{status: r.Status, why: r}, true
		}
	}
	if !found {
		ans.why = attest.Result{Step: attest.StepFind, Reason: "nothing was found inside the artifact or beside it"}
	}
	return ans
}

// note keeps the results for the report, each once. root is the policy's name
// of what they were checked with, "" when it has none.
func (one *signed) note(out attest.Outcome, root string) {
next:
	for _, r := range out.Results {
		rec := record(one.artifact, r)
		if r.Status == attest.Verified && attest.Signatures(r.Kind) {
			rec.TrustRoot = root
		}
		for _, old := range one.records {
			if old.Kind == rec.Kind && old.Source == rec.Source && old.Status == rec.Status && old.Reason == rec.Reason {
				continue next
			}
		}
		if r.Kind == attest.KindSBOM && r.Status == attest.Verified && r.Statement != nil {
			one.bills = append(one.bills, r)
		}
		one.records = append(one.records, rec)
	}
}

// record is a result as the report holds it.
func record(artifact int, r attest.Result) finding.Attestation {
	rec := finding.Attestation{Artifact: artifact, Kind: string(r.Kind), Status: r.Status.String(), Step: string(r.Step), Reason: r.Reason,
		Expected: r.Expected, Found: r.Found, Source: r.Source, Covers: r.Covers, Identity: r.Identity, Issuer: r.Issuer, KeyID: r.KeyID,
		Notes: r.Notes, Digest: r.Digest}
	for _, t := range r.Times {
		rec.Times = append(rec.Times, finding.AttestationTime{At: t.At.UTC(), Clock: t.Clock})
	}
	if r.Status != attest.Verified {
		return rec
	}
	c := r.Claims
	rec.PredicateType, rec.Builder, rec.Level, rec.Repository, rec.Commit, rec.Ref = c.PredicateType, c.Builder, c.Level, c.Source, c.Commit, c.Ref
	rec.Workflow, rec.Invocation, rec.Runner, rec.Verifier, rec.Result, rec.Levels = c.Workflow, c.Invocation, c.Runner, c.Verifier, c.Result, c.Levels
	rec.Resource, rec.Policy, rec.Scanner, rec.Vulnerabilities = c.Resource, c.Policy, c.Scanner, c.Found
	if c.At != nil {
		at := c.At.UTC()
		rec.StatedAt = &at
	}
	return rec
}
