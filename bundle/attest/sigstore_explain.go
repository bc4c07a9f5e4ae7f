package attest

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
)

// cause is a failure of sigstore-go and what it means.
type cause struct {
	says   string // part of the error's text
	step   Step
	reason string
}

// causes lists the failures of sigstore-go v1.3.0 (pkg/verify: signed_entity.go,
// tlog.go, tsa.go, sct.go, signature.go) by their texts, the special ones before
// the general ones. It exports no values for them. A text that is not listed is
// rejected as a signature that does not hold.
func causes() []cause {
	return []cause{
		{"integrated time outside certificate validity", StepTime, "the log recorded the signature at a time at which the signer's certificate or key was not valid"},
		{"duplicate tlog entries", StepLog, "the bundle holds one entry of the log twice"},
		{"not enough verified log entries", StepLog, "too few entries of a transparency log hold"},
		{"transparency log signature does not match", StepLog, "the entry of the transparency log is about another signature"},
		{"transparency log certificate does not match", StepLog, "the entry of the transparency log is about another signer's certificate or key"},
		{"does not match artifact", StepLog, "the entry of the transparency log is about other bytes"},
		{"does not match envelope payload hash", StepLog, "the entry of the transparency log is about another payload"},
		{"digest algorithm mismatch", StepLog, "the entry of the transparency log has a digest of another kind"},
		{"signature on checkpoint did not verify", StepLog, "the checkpoint of the transparency log is not signed by the log"},
		{"root hash does not match", StepLog, "the proof of inclusion belongs to another state of the transparency log"},
		{"failed to verify log inclusion", StepLog, "the entry of the transparency log does not hold"},
		{"no valid observer timestamps found", StepTime, "no time at which it was signed holds"},
		{"failed to verify timestamps", StepTime, "too few times of signing hold"},
		{"failed to summarize certificate", StepChain, "the signer's certificate cannot be read"},
		{"failed to verify leaf certificate", StepChain, "the signer's certificate does not end in the trust root, or was not valid when it was used"},
		{"expected key signature, not certificate", StepIdentity, "signed by a certificate and not by a key"},
		{"SCTs required but", StepSCT, "signed by a key, and a certificate that a certificate log has seen was demanded"},
		{"failed to verify signed certificate timestamp", StepSCT, "too few certificate logs of the trust root have seen the signer's certificate"},
		{"signature time outside of public key validity window", StepExpiry, "signed at a time at which the key was not valid"},
		{"failed to fetch envelope statement", StepPredicate, "the signature holds, but what is signed is no in-toto statement and names no artifact"},
		{"failed to get signature verifier", StepSignature, "a key of a kind that is not read here"},
		{"does not match digest", StepDigest, "the signature is about other bytes"},
		{"does not match message digest", StepDigest, "the signature is about other bytes"},
	}
}

// explain turns an error of sigstore-go into a result: the step that failed, in
// plain words, and what was expected and found where two things were compared.
func explain(req *Request, b *bundle.Bundle, material root.TrustedMaterial, t Thresholds, over *Subject, err error) Result {
	r := reject(KindSigstore, StepSignature, "the signature does not hold: the key of the signer did not make it over these bytes")
	text := err.Error()
	for _, c := range causes() {
		if strings.Contains(text, c.says) {
			r.Step, r.Reason = c.step, c.reason
			break
		}
	}
	switch r.Step {
	case StepLog:
		explainLog(&r, req, b, material, t, text)
	case StepTime:
		explainTime(&r, req, b, material, t, text)
	case StepPredicate:
		r.Status, r.Kind = Unverifiable, KindDSSE
		r.Found = b.GetDsseEnvelope().GetPayloadType()
		r.Expected = payloadInToto
	case StepChain:
		explainChain(&r, b)
	case StepDigest, StepSignature:
		explainDigest(&r, b, over)
	}
	r.Reason += " (" + plain(err) + ")"
	return r
}

// explainLog tells a bundle without an entry from one whose entries are of logs
// that the root does not know, and from one whose entries do not hold.
func explainLog(r *Result, req *Request, b *bundle.Bundle, material root.TrustedMaterial, t Thresholds, text string) {
	if !strings.Contains(text, "not enough verified log entries") {
		return
	}
	entries := b.GetVerificationMaterial().GetTlogEntries()
	r.Expected = count(t.Log, "entry", "entries")
	r.Found = count(len(entries), "entry", "entries")
	if len(entries) == 0 {
		r.Reason = "the bundle holds no entry of a transparency log"
		if req.Demand.Require.Log < 0 {
			r.Status = Unverifiable // nobody asked for one: it is what this root needs to believe a certificate
		}
		return
	}
	if unknown := unknownLog(entries, material); unknown != "" {
		r.Reason, r.Found = unknownLogReason, "log "+unknown
		return
	}
	r.Reason = "the log's promise in the bundle is not signed by the log, or too few entries are there"
}

const unknownLogReason = "the trust root does not know the transparency log of the entry"

// unknownLog returns the id of a log that the trust root does not know, "" for none.
func unknownLog(entries []*protorekor.TransparencyLogEntry, material root.TrustedMaterial) string {
	known := material.RekorLogs()
	for _, e := range entries {
		if id := hex.EncodeToString(e.GetLogId().GetKeyId()); known[id] == nil {
			return id
		}
	}
	return ""
}

// explainTime tells a bundle without a time from one whose time does not hold.
func explainTime(r *Result, req *Request, b *bundle.Bundle, material root.TrustedMaterial, t Thresholds, text string) {
	m := b.GetVerificationMaterial()
	if strings.Contains(text, "integrated time outside") {
		for _, e := range m.GetTlogEntries() {
			r.Found = time.Unix(e.GetIntegratedTime(), 0).UTC().Format(time.RFC3339)
		}
		r.Expected = validity(b)
		return
	}
	stamps := len(m.GetTimestampVerificationData().GetRfc3161Timestamps())
	r.Expected = count(max(t.Timestamps, t.SignedTimestamps), "trusted time", "trusted times")
	switch {
	case stamps == 0:
		r.Found = "no timestamp"
		r.Reason = "nothing in the bundle says, vouched for by somebody whom the trust root knows, when it was signed"
		if req.Demand.Require.Timestamps < 0 && req.Demand.Require.SignedTimestamps < 0 {
			r.Status = Unverifiable
		}
	case len(material.TimestampingAuthorities()) == 0:
		r.Reason, r.Found = "the trust root knows no timestamp authority", count(stamps, "timestamp", "timestamps")
	default:
		r.Reason, r.Found = "the timestamp is not about this signature, or not by an authority of the trust root", count(stamps, "timestamp", "timestamps")
	}
}

// explainChain says which issuer the root does not know, or when the certificate
// was valid.
func explainChain(r *Result, b *bundle.Bundle) {
	content, err := b.VerificationContent()
	if err != nil || content.Certificate() == nil {
		return
	}
	cert := content.Certificate()
	r.Found = fmt.Sprintf("issued by %s, valid %s", cert.Issuer, validity(b))
}

// validity writes when the signer's certificate is valid, "" when there is none.
func validity(b *bundle.Bundle) string {
	content, err := b.VerificationContent()
	if err != nil || content.Certificate() == nil {
		return ""
	}
	cert := content.Certificate()
	return cert.NotBefore.UTC().Format(time.RFC3339) + " to " + cert.NotAfter.UTC().Format(time.RFC3339)
}

// explainDigest says whether a message signature is about other bytes. The digest
// in a bundle is a hint that nobody signed, so it explains and decides nothing.
func explainDigest(r *Result, b *bundle.Bundle, over *Subject) {
	alg, ok := messageDigest(b)
	if !ok {
		return
	}
	named := hex.EncodeToString(b.GetMessageSignature().GetMessageDigest().GetDigest())
	if got, err := over.Digest(alg); err == nil && got != named {
		r.Step, r.Reason = StepDigest, "the signature is about other bytes"
		r.Expected, r.Found = alg+":"+named, alg+":"+got
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// plain writes an error of a library on one line.
func plain(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
