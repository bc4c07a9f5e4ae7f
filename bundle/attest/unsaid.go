package attest

import (
	"cmp"
	"fmt"
	"strings"
)

// unsaid holds a signature that was verified against what its own format cannot
// answer. A demand that the format does not speak of is never met by that: the
// signature is unverifiable then, and says which demand it leaves open. What the
// format does compare was compared where it is read.
func unsaid(d *Demand, r Result) Result {
	if r.Status != Verified || isPredicate(r.Kind) {
		return r
	}
	open := func(step Step, expected, found, reason string) Result {
		r.Status, r.Step, r.Expected, r.Found, r.Reason = Unverifiable, step, expected, found, "the signature holds, but "+reason
		r.Statement, r.Claims = nil, Claims{}
		return r
	}
	wantIdentity, wantIssuer := cmp.Or(d.Identity, d.IdentityRegexp), cmp.Or(d.Issuer, d.IssuerRegexp)
	switch {
	case wantIdentity == "" && wantIssuer == "" || comparesNames(r):
	case len(d.Keys) > 0 && r.Kind != KindAWSSigner && r.Kind != KindNPMSignature: // see Demand.Keys
		if r.Kind != KindPGP {
			r.Notes = append(r.Notes, "a given key made it, so the demanded signer and issuer were not looked for")
		}
	case wantIssuer != "":
		return open(StepIssuer, wantIssuer, "", "nothing in it says who vouches for the signer, and an issuer was demanded")
	case !d.calls(r.Identity):
		return open(StepIdentity, wantIdentity, cmp.Or(r.Identity, r.KeyID), "it names no signer that can be compared with the demanded one")
	}
	switch r.Kind {
	case KindAWSSigner, KindJar, KindNotation, KindX509:
		if d.KeyID != "" && d.KeyID != r.KeyID {
			return open(StepIdentity, d.KeyID, cmp.Or(r.KeyID, "none"), "it does not name the demanded key id")
		}
	}
	if d.NoKeyID && r.KeyID != "" {
		out := open(StepIdentity, "no key id", r.KeyID, "it names a key id, and none was demanded")
		out.Status = Rejected
		return out
	}
	if d.Runner != "" && d.Runner != r.Claims.Runner {
		return open(StepRunner, d.Runner, "", "it does not say where the build ran")
	}
	if want := d.CertificateSource; want != "" && certSource(want) != r.Claims.Source {
		found := r.Claims.Source
		out := open(StepSource, certSource(want), found, "no certificate says of which source repository the signer is")
		if found != "" {
			out.Status, out.Reason = Rejected, "the signature holds, but the certificate names another source repository"
		}
		return out
	}
	if r.Kind == KindSigstore || r.Kind == KindCosignImage || r.Kind == KindNotation { // their readers count the proofs
		return r
	}
	if t := d.Require; t.Log > 0 || t.SCT > 0 {
		return open(StepLog, fmt.Sprintf("tlog=%d, sct=%d", max(t.Log, 0), max(t.SCT, 0)), "none", "it is in no transparency log, and one was demanded")
	}
	vouched := 0
	for _, t := range r.Times {
		if strings.HasPrefix(t.Clock, "timestamp authority") {
			vouched++
		}
	}
	if want := max(d.Require.Timestamps, d.Require.SignedTimestamps); want > vouched {
		return open(StepTime, count(want, "trusted time", "trusted times"), fmt.Sprint(vouched), "too few clocks that are trusted say when it was made")
	}
	return r
}

// comparesNames says whether the reader of a signature compared the names of its
// certificate with the demanded signer and issuer: the readers of certificates do,
// and what a key signed has no names.
func comparesNames(r Result) bool {
	return r.Kind == KindNotation || r.Kind == KindJar || r.Issuer != "" && r.Kind != KindAWSSigner
}

// calls says whether the demanded identity is this name.
func (d *Demand) calls(name string) bool {
	if name == "" || d.Identity != "" && d.Identity != name {
		return false
	}
	if d.IdentityRegexp == "" {
		return true
	}
	re, _, err := anchor(d.IdentityRegexp)
	return err == nil && re.MatchString(name)
}
