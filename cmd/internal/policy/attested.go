package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// requiredPrefix starts the rules of findings about a signature or a
// provenance that a rule of the policy demands.
const requiredPrefix = "required-"

// ofTrust says whether a finding is about a signature or a provenance.
func ofTrust(f finding.Finding) bool {
	return f.Kind == finding.KindSignature || f.Kind == finding.KindProvenance
}

// respond says what the policy makes of a finding about a signature or a
// provenance. What a rule of the policy demands and what is not there, or does
// not hold, fails; what of it cannot be verified here is incomplete.
func (p *Policy) respond(f finding.Finding) Response {
	if f.Waived != nil {
		return RespondIgnore
	}
	rule, required := strings.CutPrefix(f.Rule, requiredPrefix)
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
		var names []string
		for _, a := range r.Attestations {
			if a.Status != "missing" || (a.Kind == provenanceKind) != (kind == finding.KindProvenance) || p.demanded(r, kind, a.Artifact) {
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

// provenanceKind is the kind of an attestation about a build.
const provenanceKind = "slsa-provenance"

// demanded says whether a finding about the artifact says already that
// something demanded is not there.
func (p *Policy) demanded(r *finding.Report, kind finding.Kind, artifact int) bool {
	return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		return f.Kind == kind && strings.HasPrefix(f.Rule, requiredPrefix) && len(f.Evidence) > 0 && f.Evidence[0].Artifact == artifact
	})
}

func artifactName(r *finding.Report, i int) string {
	if i < 0 || i >= len(r.Artifacts) {
		return "the artifact"
	}
	return path.Base(strings.ReplaceAll(r.Artifacts[i].Ref, `\`, "/"))
}
