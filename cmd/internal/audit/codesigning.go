package audit

import (
	"cmp"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
)

// stepCodeSigning is the step that asks what the platform makes of unsigned code.
const stepCodeSigning attest.Step = "code-signing"

// signingMode is what the platform does with code that no allowed publisher
// signed: "enforce" refuses it, "warn" deploys it, "none": no configuration, so
// nothing is looked at; "unknown": the configuration is not in the descriptor. ""
// where no descriptor declares the function.
func signingMode(d bundle.Declared) string {
	switch {
	case d.Descriptor == "":
		return ""
	case d.CodeSigning == "":
		return "none"
	case d.SigningMode == "":
		return "unknown"
	}
	return strings.ToLower(d.SigningMode)
}

// codeSigned holds a verified signature against what the function's descriptor
// says that the platform does with other code: a signature that nothing looks
// at when the next version is deployed does not keep that one out. want is
// "enforce", or "warn" for at least that.
func codeSigned(want string, d bundle.Declared, verified answer) answer {
	found := signingMode(d)
	r := attest.Result{Kind: attest.KindAWSSigner, Step: stepCodeSigning, Source: cmp.Or(d.Descriptor, verified.why.Source), Expected: want, Found: found}
	switch {
	case d.Descriptor == "":
		r.Reason = "the policy demands code signing of the function, and no template says what the platform does with unsigned code: scan the template"
		return answer{status: attest.Unverifiable, why: r}
	case found == want || found == "enforce" && want == "warn":
		return verified
	case found == "unknown":
		r.Reason = "the template names a code signing configuration and does not say what the platform does with unsigned code"
		return answer{status: attest.Unverifiable, why: r}
	case found == "none":
		r.Reason = "the template gives the function no code signing configuration, so the platform deploys unsigned code: name one with CodeSigningConfigArn"
	default:
		r.Reason = "the platform only warns of unsigned code, and deploys it: set UntrustedArtifactOnDeployment to Enforce"
	}
	return answer{status: attest.Rejected, why: r}
}
