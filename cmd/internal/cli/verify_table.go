package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// writeVerifyTable prints one block for each result: its status, what it is and
// where it lies, then a line for each thing that is known of it. What a block
// above said already of the same piece of evidence (who signed, when, from which
// source) is not said again. The last line is the answer; before one that is not "verified"
// stands the step that comes next.
func writeVerifyTable(w io.Writer, target string, out attest.Outcome) error {
	var b strings.Builder
	var above []string
	source := ""
	for _, r := range out.Results {
		if r.Source != source {
			above, source = nil, r.Source
		}
		fmt.Fprintf(&b, "%-12s %s", r.Status, r.Kind)
		if r.Source != "" {
			fmt.Fprintf(&b, "  (%s)", report.Escape(r.Source))
		}
		b.WriteString("\n" + strings.Join(verdictLines(r), ""))
		facts := signerLines(r)
		if r.Status == attest.Verified {
			facts = append(facts, claimLines(r)...)
		}
		for _, l := range facts {
			if !slices.Contains(above, l) {
				b.WriteString(l)
			}
		}
		above = append(above, facts...)
		for _, n := range r.Notes {
			b.WriteString(line("note", n))
		}
	}
	if next := nextStep(out); next != "" {
		fmt.Fprintf(&b, "next: %s\n", next)
	}
	fmt.Fprintf(&b, "%s: %s\n", report.Escape(target), out.Status)
	_, err := io.WriteString(w, b.String())
	return err
}

// line is one escaped line of a block; "" for a value that is not known.
func line(name, value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf("  %-10s %s\n", name, report.Escape(value))
}

// verdictLines say why a result is what it is.
func verdictLines(r attest.Result) []string {
	return []string{line("step", string(r.Step)), line("reason", r.Reason), line("expected", r.Expected), line("found", r.Found)}
}

// signerLines say who signed, when and what.
func signerLines(r attest.Result) []string {
	lines := []string{line("signer", r.Identity), line("issuer", r.Issuer), line("key id", r.KeyID), line("covers", r.Covers)}
	for _, t := range r.Times {
		lines = append(lines, line("signed", t.At.UTC().Format(time.RFC3339)+", says "+t.Clock))
	}
	return lines
}

// claimLines say what the signer states.
func claimLines(r attest.Result) []string {
	c := r.Claims
	builder := c.Builder
	if builder != "" && c.Level > 0 {
		builder += ", trusted for SLSA build level " + strconv.Itoa(c.Level)
	}
	lines := []string{
		line("builder", builder), line("source", c.Source), line("commit", c.Commit), line("ref", c.Ref), line("workflow", c.Workflow),
		line("run", c.Invocation), line("runner", c.Runner), line("package", c.Package),
		line("verifier", c.Verifier), line("resource", c.Resource), line("result", c.Result), line("levels", strings.Join(c.Levels, ", ")), line("policy", c.Policy),
		line("scanner", c.Scanner),
	}
	if c.Found != nil {
		lines = append(lines, line("lists", fmt.Sprintf("%d vulnerabilities", *c.Found)))
	}
	if c.At != nil {
		word := map[attest.Kind]string{attest.KindProvenance: "built", attest.KindSummary: "judged", attest.KindVulnerability: "scanned"}[r.Kind]
		if word == "" {
			word = "at"
		}
		lines = append(lines, line(word, c.At.UTC().Format(time.RFC3339)+", says the signer"))
	}
	if r.Kind == attest.KindStatement || r.Kind == attest.KindSBOM {
		lines = append(lines, line("type", c.PredicateType))
	}
	return lines
}

// nextStep is what a person can do about the outcome; "" when it is verified.
func nextStep(out attest.Outcome) string {
	if out.Status == attest.Verified {
		return ""
	}
	for _, r := range out.Results {
		if r.Status != out.Status {
			continue
		}
		if next := nextForImage(r); next != "" {
			return next
		}
		switch r.Step {
		case attest.StepFind:
			return "lay the signature or the statement beside the artifact, or name it with --bundle or --signature"
		case attest.StepTrust:
			return "name what is trusted with --key or --trusted-root"
		case attest.StepDigest, attest.StepSignature, attest.StepContents:
			return "do not use the artifact: get it, and its signature, again from where it was released"
		case attest.StepIdentity, attest.StepIssuer, attest.StepBuilder, attest.StepSource, attest.StepRef, attest.StepWorkflow, attest.StepPackage:
			return "compare what was expected with what was found; only a wrong expectation is a reason to change the command"
		case attest.StepLevel, attest.StepAge, attest.StepPolicy, attest.StepResult:
			return "have the artifact judged or built again, as demanded"
		}
	}
	return "read the reasons above"
}

// nextForImage is the step that only a container image has; "" where it is the
// same as for any artifact.
func nextForImage(r attest.Result) string {
	switch {
	case r.Kind == attest.KindCosignImage && r.Step == attest.StepFind:
		return "get the image together with what is attached to it (cosign save, oras copy -r), or name the signature with --bundle"
	case r.Kind != attest.KindNotation:
		return ""
	}
	switch r.Step {
	case attest.StepTrust, attest.StepPolicy:
		return "name the trust policy with --notation-policy and its trust store with --notation-store, and have a statement in it for this image"
	case attest.StepPlugin:
		return "verify it with the notation command and that plug-in"
	}
	return ""
}
