package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// RuleSBOMDiffers is the rule of findings about a signed bill of materials that
// names other packages than the bytes hold. It warns: the bytes are what is
// judged, and two tools seldom name quite the same.
const RuleSBOMDiffers = "sbom-attestation-differs"

// respond says what the policy makes of a finding about a signature or a
// provenance. What a rule of the policy demands and what is not there, or does
// not hold, fails; what of it cannot be verified here is incomplete.
func (p *Policy) respond(f finding.Finding) Response {
	if f.Waived != nil {
		return RespondIgnore
	}
	if f.Rule == RuleSBOMDiffers {
		return RespondWarn
	}
	rule, required := strings.CutPrefix(f.Rule, finding.RequiredPrefix)
	status := strings.TrimPrefix(rule, string(f.Kind)+"-")
	if required {
		return Responses{Rejected: RespondFail, Missing: RespondFail, Unverifiable: RespondIncomplete}.Of(status)
	}
	return p.responses(f.Kind).Of(status)
}

func (p *Policy) responses(k finding.Kind) Responses {
	if k == finding.KindProvenance {
		return p.Provenance
	}
	return p.Signature
}

// unsigned says what the policy makes of artifacts for which there is no
// signature, or no provenance, and of which no rule demands one: one sentence
// for each of the two questions.
func (p *Policy) unsigned(r *finding.Report) (failing, gaps, warning []string) {
	for _, kind := range []finding.Kind{finding.KindSignature, finding.KindProvenance} {
		if gap := p.unasked(r, kind); gap != "" {
			gaps = append(gaps, gap)
			continue
		}
		var names []string
		for _, a := range r.Attestations {
			if a.Status != "missing" || (a.Kind == provenanceKind) != (kind == finding.KindProvenance) || demanded(r, kind, a.Artifact) {
				continue
			}
			if name := artifactName(r, a.Artifact); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			continue
		}
		say := fmt.Sprintf("no %s of %s", kind, listed(names, 3))
		switch p.responses(kind).Of("missing") {
		case RespondFail:
			failing = append(failing, say)
		case RespondIncomplete:
			gaps = append(gaps, say)
		case RespondWarn:
			warning = append(warning, say)
		}
	}
	return failing, gaps, warning
}

// unasked says that a question to which the policy does not tolerate every
// answer was not asked; "" when it was, or when Require says it already.
func (p *Policy) unasked(r *finding.Report, kind finding.Kind) string {
	check := r.Check(string(kind))
	if r.Vetted != nil || check.State != finding.Skipped || slices.Contains(p.Require, string(kind)) {
		return ""
	}
	responses := p.responses(kind)
	strict := slices.ContainsFunc([]Response{responses.Of("missing"), responses.Of("unverifiable")}, func(a Response) bool { return a == RespondFail || a == RespondIncomplete })
	for i, a := range r.Artifacts {
		role := "code"
		if i > 0 {
			role = "layer"
		}
		rule, _ := p.Trust.Rule(a.Ref, a.Kind, role)
		strict = strict || slices.ContainsFunc(rule.Require, func(q Requirement) bool { return (q.Provenance != nil) == (kind == finding.KindProvenance) })
	}
	if !strict {
		return ""
	}
	return reason(fmt.Sprintf("the policy wants to know the %s, which was not looked at", kind), check.Reason)
}

// provenanceKind is the kind of an attestation about a build.
const provenanceKind = "slsa-provenance"

// demanded says whether a finding about the artifact says already that
// something demanded is not there.
func demanded(r *finding.Report, kind finding.Kind, artifact int) bool {
	return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		return f.Kind == kind && strings.HasPrefix(f.Rule, finding.RequiredPrefix) && len(f.Evidence) > 0 && f.Evidence[0].Artifact == artifact
	})
}

func artifactName(r *finding.Report, i int) string {
	if i < 0 || i >= len(r.Artifacts) {
		return "the artifact"
	}
	return path.Base(strings.ReplaceAll(r.Artifacts[i].Ref, `\`, "/"))
}
