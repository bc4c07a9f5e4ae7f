package attest

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
)

// identify compares the signer of a result whose signature held with the demanded
// one. A certificate alone proves nothing: anybody gets one in his own name. So
// nobody demanded is never verified.
func identify(d *Demand, r Result) Result {
	fail := func(status Status, step Step, expected, found, reason string) Result {
		r.Status, r.Step, r.Expected, r.Found, r.Reason = status, step, expected, found, reason
		r.Statement, r.Claims = nil, Claims{}
		return r
	}
	wantIdentity, wantIssuer := d.Identity != "" || d.IdentityRegexp != "", d.Issuer != "" || d.IssuerRegexp != ""
	if !wantIdentity && !wantIssuer {
		if len(d.Keys) > 0 {
			return fail(Rejected, StepIdentity, "a signature by a given key", r.Identity, "the signature holds, but it is by a certificate and a key was demanded")
		}
		return fail(Unverifiable, StepIdentity, "", r.Identity, fmt.Sprintf("the signature holds, and the signer is %s, says %s; but no signer was demanded: name the identity and the issuer (--identity, --issuer)", r.Identity, r.Issuer))
	}
	for _, c := range []struct {
		step                   Step
		what                   string
		exact, pattern, found  string
		wanted                 bool
		missing, missingAdvice string
	}{
		{StepIdentity, "signer", d.Identity, d.IdentityRegexp, r.Identity, wantIdentity, "identity", "--identity"},
		{StepIssuer, "issuer of the signer's identity", d.Issuer, closed(d.IssuerRegexp), r.Issuer, wantIssuer, "issuer", "--issuer"},
	} {
		if c.exact != "" && c.exact != c.found {
			return fail(Rejected, c.step, c.exact, c.found, "the signature holds, but the "+c.what+" is another")
		}
		if c.pattern == "" {
			continue
		}
		re, open, err := anchor(c.pattern)
		if err != nil {
			return fail(Unverifiable, StepPolicy, "", "", fmt.Sprintf("the demanded pattern %q cannot be read: %v", c.pattern, err))
		}
		if !re.MatchString(c.found) {
			return fail(Rejected, c.step, c.pattern, c.found, "the signature holds, but the "+c.what+" is another")
		}
		if open {
			r.Notes = append(r.Notes, fmt.Sprintf("the pattern %q has no $ at its end: every %s that starts so is accepted", c.pattern, c.missing))
		}
	}
	if !wantIssuer {
		return fail(Unverifiable, StepIssuer, "", r.Issuer, fmt.Sprintf("the signer is the demanded one, says %s; but it was not demanded who must say so: name the issuer (--issuer)", r.Issuer))
	}
	if !wantIdentity {
		return fail(Unverifiable, StepIdentity, "", r.Identity, fmt.Sprintf("the issuer is the demanded one, and the signer is %s; but no signer was demanded: name the identity (--identity)", r.Identity))
	}
	if d.KeyID != "" && d.KeyID != r.KeyID {
		return fail(Rejected, StepIdentity, d.KeyID, cmp.Or(r.KeyID, "none"), "the signature holds, but the envelope names another key id")
	}
	if d.Runner != "" && d.Runner != r.Claims.Runner {
		return fail(Rejected, StepRunner, d.Runner, cmp.Or(r.Claims.Runner, "not said"), "the signature holds, but the certificate does not say that the build ran there")
	}
	if d.Source != "" && r.Claims.Source != "" && certSource(d.Source) != r.Claims.Source && !d.namesSigner(r.Identity) {
		return fail(Rejected, StepSource, certSource(d.Source), r.Claims.Source, "the signature holds, but the certificate names another source repository")
	}
	return r
}

// anchor compiles a pattern that must match the whole text. Only a pattern that
// starts with ^ and does not end with $ is open at its end: who writes the one
// anchor leaves out the other on purpose.
func anchor(pattern string) (re *regexp.Regexp, open bool, err error) {
	end := `\z`
	if strings.HasPrefix(pattern, "^") && !strings.HasSuffix(pattern, "$") {
		open, end = true, ""
	}
	re, err = regexp.Compile(`\A(?:` + pattern + `)` + end)
	return re, open, err
}

// closed makes a pattern that is never open at its end: an issuer is one host, and
// what starts like it may be another's.
func closed(pattern string) string {
	if pattern == "" {
		return ""
	}
	return "(?:" + pattern + ")"
}

// certificateClaims is what the certificate authority says of the run that asked
// for a certificate (Fulcio's documentation, "Sigstore OID information", of
// 2026-11). Certificates before 2023 have only the GitHub extensions.
func certificateClaims(c certificate.Summary) Claims {
	claims := Claims{
		Source:     certSource(c.SourceRepositoryURI),
		Commit:     c.SourceRepositoryDigest,
		Ref:        c.SourceRepositoryRef,
		Runner:     c.RunnerEnvironment,
		Invocation: c.RunInvocationURI,
	}
	if claims.Source == "" && c.GithubWorkflowRepository != "" {
		claims.Source = "https://github.com/" + c.GithubWorkflowRepository
		claims.Commit, claims.Ref = c.GithubWorkflowSHA, c.GithubWorkflowRef
	}
	config, _, _ := strings.Cut(c.BuildConfigURI, "@")
	if path, ok := strings.CutPrefix(config, claims.Source+"/"); ok && claims.Source != "" {
		claims.Workflow = strings.TrimLeft(path, "/")
	}
	return claims
}

// certSource writes the URI of a repository without "git+", ".git" and ref.
func certSource(uri string) string {
	scheme, rest, ok := strings.Cut(strings.TrimPrefix(uri, "git+"), "://")
	if !ok {
		return uri
	}
	host, path, _ := strings.Cut(rest, "/")
	path, _, _ = strings.Cut(path, "@")
	return scheme + "://" + host + "/" + strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".git")
}
