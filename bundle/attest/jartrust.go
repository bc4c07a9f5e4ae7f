package attest

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	noteJarRevoked  = "revocation of the certificate was not checked: that needs the network"
	noteJarUnsigned = "folders, times and compression of the jar, and the files of the signature but for what they sign, are not signed"
)

// trust judges the signers of a jar whose contents hold: the best of those who
// signed all of it.
func (j *signedJar) trust(req *Request) Result {
	var best Result
	for i, s := range j.signers {
		r := j.signerTrust(req, s)
		if i == 0 || rank(r.Status) > rank(best.Status) {
			best = r
		}
	}
	if n := len(j.signers); n > 1 {
		best.Notes = append(best.Notes, fmt.Sprintf("%d signers signed the jar; this is about %s", n, best.Source))
	}
	best.Notes = append(best.Notes, noteJarRevoked, noteJarUnsigned)
	return best
}

func (j *signedJar) signerTrust(req *Request, s *jarSigner) Result {
	m := s.message
	r := Result{Kind: KindJar, Source: s.file, Identity: mainName(m.Signer), Issuer: m.Signer.Issuer.String()}
	for name, section := range j.manifest.named {
		if hasDigest(section.attrs) && !s.covered[name] {
			r.Status, r.Step, r.Reason = Rejected, StepContents, fmt.Sprintf("%s signs only a part of the jar, without %q", s.file, name)
			return r
		}
	}
	return trustSigner(req, r, m)
}

// trustSigner asks whether the signer of a message whose signature holds is
// trusted and the demanded one: by a given key, by the pinned roots, or, when the root
// is one of a Sigstore instance, by its certificate authority.
func trustSigner(req *Request, r Result, m *cmsMessage) Result {
	fail := func(status Status, step Step, reason, expected, found string) Result {
		r.Status, r.Step, r.Reason, r.Expected, r.Found = status, step, reason, expected, found
		return r
	}
	if err := m.times(req, &r); err != nil {
		return fail(Rejected, StepTime, err.Error(), "", "")
	}
	for _, k := range req.Demand.Keys {
		if pub, ok := k.Public(); ok && sameKey(pub, m.Signer.PublicKey) {
			r.KeyID = Fingerprint(pub)
			if at := r.at(req); !k.covers(at) {
				return fail(Rejected, StepExpiry, "the key is not to be trusted at "+day(at), k.bounds(), day(at))
			}
			r.Status, r.Reason = Verified, "signed by the key "+k.Source
			return named(req, r, m.Signer, true)
		}
	}
	d := &req.Demand
	switch {
	case len(d.Root.X509) > 0:
		err := anchored(m.Signer, m.Certs, d.Root.X509, r.at(req), x509.ExtKeyUsageCodeSigning)
		switch {
		case errors.Is(err, errOutside) && len(r.Times) == 0:
			return fail(Unverifiable, StepTime, "no clock that is trusted says when it was signed, and now the certificate does not hold: "+err.Error(), "", "")
		case err != nil:
			return fail(Rejected, StepChain, "the signer's chain does not end in a pinned root: "+err.Error(), subjects(d.Root.X509), r.Identity+", issued by "+r.Issuer)
		}
		r.Status, r.Reason = Verified, "the signer's chain ends in a pinned root"
		return named(req, r, m.Signer, slices.ContainsFunc(d.Root.X509, m.Signer.Equal))
	case len(d.Keys) > 0 && d.Root.Empty():
		return fail(Rejected, StepSignature, "it is signed by another key than the given ones", "", Fingerprint(m.Signer.PublicKey))
	}
	return trustFulcio(req, r, m)
}

// times takes the time of a timestamp token. A token that is broken is an
// error; one of an authority that nobody trusts is none.
func (m *cmsMessage) times(req *Request, r *Result) error {
	var token asn1.RawValue
	ok, err := findAttribute(m.unsigned, oidTimestampToken, &token)
	switch {
	case err != nil:
		return err
	case !ok:
		return nil
	}
	t, err := timestamped(token.FullBytes, m.signature, req.clocks())
	switch {
	case errors.Is(err, errNoClock):
		r.Notes = append(r.Notes, "a time that does not count: "+err.Error())
		return nil
	case err != nil:
		return err
	}
	r.Times = append(r.Times, t)
	return nil
}

// at is the time that a certificate is judged at.
func (r *Result) at(req *Request) time.Time {
	if len(r.Times) > 0 {
		return r.Times[0].At
	}
	return req.Now
}

// trustFulcio asks the certificate authority of a Sigstore instance. Its
// certificates live for minutes, so that only a trusted clock helps.
func trustFulcio(req *Request, r Result, m *cmsMessage) Result {
	s := req.sigstoreRoot()
	if s.err != nil {
		r.Status, r.Step, r.Reason = Unverifiable, StepTrust, "the signature holds, but nothing says whose it is: give the root of the signer's certificate with --trusted-root, or the signer's key with --key"
		r.Found = "a certificate for " + r.Identity + ", issued by " + r.Issuer
		return r
	}
	at, chained := r.at(req), false
	for _, ca := range s.root.FulcioCertificateAuthorities() {
		if _, err := ca.Verify(m.Signer, at); err == nil {
			chained = true
		}
	}
	switch {
	case chained && len(r.Times) > 0:
		r.Status, r.Reason = Verified, "the certificate is by the authority of the Sigstore instance, and was valid when it was signed"
		r.Notes = append(append(r.Notes, s.notes(req.Now)...), "a jar holds no entry of a transparency log, so none was asked for")
		return named(req, r, m.Signer, false)
	case byFulcio(m.Signer):
		r.Status, r.Step, r.Reason = Unverifiable, StepTime, "the certificate looks like one of a Sigstore instance, and no trusted clock says that it was used while it was valid"
		return r
	}
	r.Status, r.Step, r.Reason = Unverifiable, StepTrust, "the signature holds, but nothing says whose it is: give the root of the signer's certificate with --trusted-root, or the signer's key with --key"
	r.Found = "a certificate for " + r.Identity + ", issued by " + r.Issuer
	return r
}

// named compares the names of a trusted certificate with the demanded signer.
// pinned: the certificate or its key was given, so that no name is needed.
func named(req *Request, r Result, c *x509.Certificate, pinned bool) Result {
	d := &req.Demand
	fail := func(status Status, step Step, reason, expected string, found []string) Result {
		r.Status, r.Step, r.Reason, r.Expected, r.Found = status, step, reason, expected, strings.Join(found, "; ")
		return r
	}
	names, issuers := certificateNames(c), []string{c.Issuer.String(), c.Issuer.CommonName}
	if iss := fulcioIssuer(c); iss != "" {
		r.Issuer, issuers = iss, []string{iss}
		if d.Issuer == "" && d.IssuerRegexp == "" && !pinned {
			return fail(Unverifiable, StepIssuer, "the signer is known, but not who must vouch for the name: name the issuer (--issuer)", "", issuers)
		}
	}
	for _, c := range []struct {
		step           Step
		what           string
		exact, pattern string
		found          []string
	}{{StepIdentity, "signer", d.Identity, d.IdentityRegexp, names}, {StepIssuer, "issuer", d.Issuer, closed(d.IssuerRegexp), issuers}} {
		if c.exact != "" && !slices.ContainsFunc(c.found, func(n string) bool { return sameName(c.exact, n) }) {
			return fail(Rejected, c.step, "the signature holds, but the "+c.what+" is another", c.exact, c.found)
		}
		if c.pattern == "" {
			continue
		}
		re, _, err := anchor(c.pattern)
		if err != nil {
			return fail(Unverifiable, StepPolicy, fmt.Sprintf("the demanded pattern %q cannot be read: %v", c.pattern, err), "", nil)
		}
		if !slices.ContainsFunc(c.found, re.MatchString) {
			return fail(Rejected, c.step, "the signature holds, but the "+c.what+" is another", c.pattern, c.found)
		}
	}
	if d.Identity == "" && d.IdentityRegexp == "" && !pinned {
		return fail(Unverifiable, StepIdentity, "the signature holds, but no signer was demanded: everybody with a certificate of this root can sign, so name the signer with --identity", "", names)
	}
	if d.Identity != "" {
		r.Identity = d.Identity
	}
	return r
}
