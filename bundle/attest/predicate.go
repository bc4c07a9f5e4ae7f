package attest

import (
	"fmt"
	"strings"
	"time"
)

// The predicate types that are read, beside those of provenance and of
// verification summaries.
const (
	publishNPM  = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
	publishPyPI = "https://docs.pypi.org/attestations/publish/v1"

	vulnerabilitiesV01 = "https://in-toto.io/attestation/vulns/v0.1"
	vulnerabilitiesV02 = "https://in-toto.io/attestation/vulns/v0.2"
	vulnerabilitiesOld = "https://in-toto.io/attestation/vulns" // before the versions
	vulnerabilitiesCos = "https://cosign.sigstore.dev/attestation/vuln/v1"

	bomCycloneDX = "https://cyclonedx.org/bom"
	bomSPDX      = "https://spdx.dev/Document"
)

// predicate looks at the statement of a verified result, and gives the one
// result of what it states. A predicate that nothing here reads is a statement
// of its type that holds, no more.
func predicate(req *Request, signed Result) []Result {
	st := signed.Statement
	switch t := st.PredicateType; {
	case strings.HasPrefix(t, "https://slsa.dev/provenance/"):
		return []Result{provenance(req, signed)}
	case strings.HasPrefix(t, "https://slsa.dev/verification_summary/"):
		return []Result{summary(req, signed)}
	case t == publishNPM, t == publishPyPI:
		return []Result{publish(req, signed)}
	case t == vulnerabilitiesV01, t == vulnerabilitiesV02, t == vulnerabilitiesOld, t == vulnerabilitiesCos:
		return []Result{vulnerabilities(req, signed)}
	case t == bomCycloneDX, strings.HasPrefix(t, bomCycloneDX+"/"), t == bomSPDX, strings.HasPrefix(t, bomSPDX+"/"):
		return []Result{carried(KindSBOM, signed, "its signer states what is inside; whether that is so is not compared here")}
	}
	return []Result{carried(KindStatement, signed, "its signer states something of this type about the artifact")}
}

// carried is a statement that holds and whose predicate the caller reads: the
// result has the statement.
func carried(k Kind, signed Result, reason string) Result {
	r := stating(k, signed)
	r.Status, r.Reason, r.Statement = Verified, reason, signed.Statement
	return r
}

// publish checks that a registry, or a publisher, says that the artifact was
// published as the package that its name says.
func publish(req *Request, signed Result) Result {
	r := stating(KindPublish, signed)
	sub, _, err := signed.Statement.covering(req.Subject)
	if err != nil {
		fail(&r, StepDigest, err.Error(), "", "")
		return r
	}
	named, ok := subjectPackage(sub, "pypi")
	if !ok {
		fail(&r, StepPackage, "the statement names no package", "", sub.Name)
		return r
	}
	r.Claims.Package = named.String()
	if signed.Statement.PredicateType == publishNPM {
		doc, err := decode(signed.Statement.Predicate)
		if err != nil {
			return unread(r, fmt.Errorf("read the predicate: %w", err))
		}
		if stated := (pkg{typ: "npm", name: textAt(doc, "name"), version: textAt(doc, "version")}); stated != named {
			fail(&r, StepPackage, "the statement contradicts itself: its subject and its predicate name different packages", named.String(), stated.String())
			return r
		}
	}
	if !checkPackage(req, &r, signed.Statement) {
		return r
	}
	r.Status, r.Reason = Verified, "its signer says that the artifact was published as this package"
	return r
}

// checkPackage compares the demanded package with the one that the subject of
// the artifact names; another subject of the same statement does not count.
func checkPackage(req *Request, r *Result, st *Statement) bool {
	sub, _, err := st.covering(req.Subject)
	if err != nil {
		return fail(r, StepDigest, err.Error(), "", "")
	}
	demand := req.Demand.Package
	if demand == "" {
		if p, err := parsePURL(sub.Name); err == nil {
			r.Claims.Package = p.String()
		}
		return true
	}
	want, err := parsePURL(demand)
	if err != nil {
		return fail(r, StepPackage, "the demanded package: "+err.Error(), demand, "")
	}
	named, ok := subjectPackage(sub, want.typ)
	if !ok {
		return fail(r, StepPackage, "the statement names no package", demand, sub.Name)
	}
	r.Claims.Package = named.String()
	if !named.is(want) {
		return fail(r, StepPackage, "the statement is about another package", want.String(), named.String())
	}
	return true
}

// vulnerabilities reads the attestation of a vulnerability scan: who scanned,
// when, and how many vulnerabilities it lists. That they are few is nobody's
// demand here; that the scan is not too old is.
func vulnerabilities(req *Request, signed Result) Result {
	r := stating(KindVulnerability, signed)
	doc, err := decode(signed.Statement.Predicate)
	if err != nil {
		return unread(r, fmt.Errorf("read the predicate: %w", err))
	}
	scanner := at(doc, "scanner")
	r.Claims.Scanner = strings.TrimSpace(textAt(scanner, "uri") + " " + textAt(scanner, "version"))
	if list, ok := at(scanner, "result").([]any); ok { // cosign's is whatever the scanner printed
		n := len(list)
		r.Claims.Found = &n
	}
	if at := timeAt(doc, "metadata", "scanFinishedOn", "scanStartedOn"); !at.IsZero() {
		r.Claims.At = &at
	}
	if updated := textAt(scanner, "db", "lastUpdate"); updated != "" {
		r.Notes = append(r.Notes, "the scanner's database was of "+updated)
	}
	if !checkAge(req, &r) {
		return r
	}
	r.Status, r.Reason, r.Statement = Verified, "its signer states what a scan found", signed.Statement
	return r
}

// maxSkew is how far the clocks of a signer and of this machine may be apart.
const maxSkew = 5 * time.Minute

// checkAge compares the time that a statement says with the clock that judges.
func checkAge(req *Request, r *Result) bool {
	limit := req.Demand.MaxAge
	switch at := r.Claims.At; {
	case at == nil && limit > 0:
		return fail(r, StepAge, "it does not say when it was made, and its age is limited", "at most "+span(limit), "")
	case at == nil:
		return true
	case at.After(req.Now.Add(maxSkew)):
		return fail(r, StepAge, "it says that it was made in the future", "not after "+clock(req.Now), clock(*at))
	case limit > 0 && req.Now.Sub(*at) > limit:
		return fail(r, StepAge, "it is too old: "+span(req.Now.Sub(*at)), "at most "+span(limit)+" before "+clock(req.Now), clock(*at))
	}
	return true
}

// span writes a time as policies do: "36h0m0s" is "1d12h".
func span(d time.Duration) string {
	const day = 24 * time.Hour
	if d < day {
		return d.Round(time.Second).String()
	}
	text := fmt.Sprintf("%dd", d/day)
	if h := d % day / time.Hour; h > 0 {
		text += fmt.Sprintf("%dh", h)
	}
	return text
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }
