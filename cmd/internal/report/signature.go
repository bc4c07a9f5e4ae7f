package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// ruleSBOMDiffers is the rule of a signed bill of materials that differs from the bytes.
const ruleSBOMDiffers = "sbom-attestation-differs"

// trustTitle says what a rule about a signature or a provenance is about,
// whatever the function.
func trustTitle(rule string) string {
	what, subject := "The signature", "signature"
	if strings.Contains(rule, "provenance") {
		what, subject = "The statement about the build", "provenance"
	}
	if strings.HasPrefix(rule, finding.RequiredPrefix) {
		what += " that the policy demands"
	}
	switch strings.TrimPrefix(rule, finding.RequiredPrefix) {
	case subject + "-rejected":
		return what + " does not hold"
	case subject + "-missing":
		return what + " is missing"
	case subject + "-unverifiable":
		return what + " cannot be verified"
	case ruleSBOMDiffers:
		return "A signed bill of materials names other packages than the bytes hold"
	}
	return rule
}

// trustHelp says what to do about a rule about a signature or a provenance.
func trustHelp(rule string) string {
	switch {
	case rule == ruleSBOMDiffers:
		return "make the bill of materials from the artifact that is shipped, and sign that; look at every package that nobody named"
	case strings.HasSuffix(rule, "-rejected"):
		return "do not use the artifact before it is known why: build and sign it again, or get it and its signature again from where it was released"
	case strings.HasSuffix(rule, "-missing"):
		return "sign the artifact when it is built and put the bundle beside it, or name the folder: --attestations DIR"
	}
	return "name who may sign, and the trust root, in the artifacts section of the policy; give what the reason says is lacking"
}

// statements are the kinds of attestation that a signature vouches for and that are none.
var statements = []string{"slsa-provenance", "verification-summary", "publish", "sbom-attestation", "vulnerability-attestation", "statement"}

// maxCommit is how many digits of a commit are enough to find it.
const maxCommit = 12

// signed is one line for each artifact of which a signature was verified: who
// signed it, who built it and from what, and who judged it.
func (p *printer) signed(r *finding.Report) {
	for i, a := range r.Artifacts {
		text := signedBy(r.Attestations, i)
		if text == "" {
			continue
		}
		if i > 0 || len(r.Artifacts) > 1 {
			text = show(shortRef(a.Ref), maxName) + " " + text
		}
		p.wrapped("  ", 2, 4, text)
	}
}

// signedBy is that line; "" when no signature was verified.
func signedBy(all []finding.Attestation, artifact int) string {
	var signers, rest []string
	add := func(to *[]string, text string) {
		if !slices.Contains(*to, text) {
			*to = append(*to, text)
		}
	}
	for _, a := range all {
		switch {
		case a.Artifact != artifact || a.Status != "verified":
		case !slices.Contains(statements, a.Kind):
			add(&signers, signer(a))
		case a.Kind == "slsa-provenance":
			add(&rest, builtBy(a))
		case a.Kind == "verification-summary":
			add(&rest, strings.TrimSpace("judged by "+show(a.Verifier, maxPackage)+" "+show(a.Result, maxName)))
		}
	}
	if len(signers) == 0 {
		return ""
	}
	if len(signers) > 2 {
		signers = append(signers[:2], fmt.Sprintf("%d more", len(signers)-2))
	}
	return strings.Join(append([]string{"signed by " + strings.Join(signers, " and ")}, rest...), ", ")
}

// signer names who signed: a certificate's identity; of a key, whose identity is
// its fingerprint, the name that the policy has for it.
func signer(a finding.Attestation) string {
	id := cmp.Or(a.Identity, a.KeyID, a.Kind)
	if sum, err := base64.StdEncoding.DecodeString(a.Identity); err == nil && len(sum) == sha256.Size {
		id = "the key " + cmp.Or(a.TrustRoot, a.Identity)
	}
	return show(id, maxPackage)
}

// builtBy is what a provenance says: "built by BUILDER from SOURCE@COMMIT, level 2".
func builtBy(a finding.Attestation) string {
	text := "built"
	if a.Builder != "" {
		text += " by " + show(a.Builder, maxPackage)
	}
	if a.Repository != "" {
		text += " from " + show(a.Repository, maxPackage)
		if a.Commit != "" {
			text += "@" + esc(a.Commit[:min(len(a.Commit), maxCommit)])
		}
	}
	if a.Level > 0 {
		text += fmt.Sprintf(", level %d", a.Level)
	}
	return text
}

// shortRef is the last part of a reference.
func shortRef(ref string) string {
	ref = strings.ReplaceAll(ref, `\`, "/")
	return ref[strings.LastIndexByte(ref, '/')+1:]
}
