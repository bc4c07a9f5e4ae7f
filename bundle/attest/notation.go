package attest

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/notation-core-go/signature/cose"
	"github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go"
	notary "github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"github.com/notaryproject/tspclient-go"
	ocidigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	// maxNotation bounds in bytes one envelope of the Notary Project: it holds a
	// descriptor, a certificate chain and a timestamp.
	maxNotation = 4 << 20
	// notationPayload is the media type of what is signed (signature
	// specification 1.1, "Payload").
	notationPayload = "application/vnd.cncf.notary.payload.v1+json"
	// awsPlugin is what signatures of AWS Signer name as the plug-in that has to
	// verify them.
	awsPlugin = "com.amazonaws.signer.notation.plugin"
	// notRevocation is said with every result, since nothing here asks anybody.
	notRevocation = "whether a certificate was revoked is not checked: that would need the network"
)

// notationCheck is the verification of one envelope.
type notationCheck struct {
	req    *Request
	policy *notationPolicy
	kind   string // media type of the envelope
	data   []byte
	info   *signature.SignerInfo
	target ocispec.Descriptor // of the subject, that the envelope names
	out    Result
}

// verifyNotation checks a signature of the Notary Project (signature
// specification 1.1, trust store and trust policy specification 1.1), by JWS or
// COSE. The order is ours: the signature, what it is about, a plug-in that it
// demands, then who is trusted, and when.
func verifyNotation(ctx context.Context, req *Request, ev Evidence) []Result {
	c := &notationCheck{req: req, kind: jws.MediaTypeEnvelope, data: ev.Data, out: Result{Kind: KindNotation, Notes: []string{notRevocation}}}
	if ev.Format == FormatCOSE {
		c.kind = cose.MediaTypeEnvelope
	}
	failed := c.integrity()
	if failed == nil {
		failed = c.plugin()
	}
	if failed == nil {
		failed = c.trust(ctx)
	}
	if failed == nil {
		failed = c.demand()
	}
	if failed != nil {
		o := c.out
		o.Status, o.Step, o.Reason, o.Expected, o.Found = failed.Status, failed.Step, failed.Reason, failed.Expected, failed.Found
		return []Result{o}
	}
	c.out.Status = Verified
	c.out.Reason = fmt.Sprintf("signed with a certificate that the statement %q of the trust policy trusts", c.policy.statement.Name)
	return []Result{c.out}
}

// integrity checks the signature itself and compares what it is about.
func (c *notationCheck) integrity() *Result {
	if len(c.data) > maxNotation {
		return ptr(cannot(KindNotation, StepParse, fmt.Sprintf("the envelope has %d bytes, over %d", len(c.data), maxNotation)))
	}
	env, err := signature.ParseEnvelope(c.kind, c.data)
	if err != nil {
		return ptr(reject(KindNotation, StepParse, "the envelope cannot be read: "+err.Error()))
	}
	content, err := env.Verify()
	var broken *signature.SignatureIntegrityError
	var invalid *signature.InvalidSignatureError
	switch {
	case errors.As(err, &broken):
		return ptr(reject(KindNotation, StepSignature, "the signature does not hold: "+err.Error()))
	case errors.As(err, &invalid):
		return ptr(reject(KindNotation, StepSignature, err.Error()))
	case err != nil: // an algorithm or a key that is not read
		return ptr(cannot(KindNotation, StepSignature, err.Error()))
	}
	c.info = &content.SignerInfo
	leaf := c.info.CertificateChain[0]
	c.out.Identity, c.out.Issuer = leaf.Subject.String(), leaf.Issuer.String()
	if content.Payload.ContentType != notationPayload {
		return ptr(differs(KindNotation, StepParse, "what is signed is of another type", notationPayload, content.Payload.ContentType))
	}
	return c.about(content.Payload.Content)
}

// about compares the descriptor that is signed with that of the subject: media
// type, digest and size.
func (c *notationCheck) about(payload []byte) *Result {
	var doc struct {
		TargetArtifact ocispec.Descriptor `json:"targetArtifact"`
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(&doc); err != nil {
		return ptr(reject(KindNotation, StepParse, "what is signed is no Notary Project payload: "+err.Error()))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ptr(reject(KindNotation, StepParse, "something follows what is signed"))
	}
	signed := doc.TargetArtifact
	list, err := c.req.Subject.descriptors()
	if err != nil {
		return ptr(cannot(KindNotation, StepDigest, err.Error()))
	}
	c.out.Covers = string(signed.Digest)
	for _, want := range list {
		if want.Digest != signed.Digest {
			continue
		}
		if want.MediaType == "" || want.Size == 0 {
			return ptr(cannot(KindNotation, StepDigest, "the signature binds media type, digest and size, and only the digest is known: name the image, or its descriptor with --descriptor"))
		}
		if want.MediaType != signed.MediaType || want.Size != signed.Size {
			return ptr(differs(KindNotation, StepDigest, "the signed descriptor has the digest of the image and another media type or size", describe(want), describe(signed)))
		}
		c.target = want
		return nil
	}
	return ptr(differs(KindNotation, StepDigest, "the signature is about another image", describe(list[0]), describe(signed)))
}

func describe(d ocispec.Descriptor) string {
	return fmt.Sprintf("%s, %s, %d bytes", d.Digest, d.MediaType, d.Size)
}

// descriptors returns the subject as signatures of images name it, and the
// indexes that it belongs to.
func (s *Subject) descriptors() ([]ocispec.Descriptor, error) {
	sum, err := s.Digest("sha256")
	if err != nil {
		return nil, err
	}
	list := []ocispec.Descriptor{{MediaType: s.MediaType, Digest: ocidigest.Digest("sha256:" + sum), Size: s.Size}}
	for _, i := range s.Indexes {
		list = append(list, ocispec.Descriptor{MediaType: i.MediaType, Digest: ocidigest.Digest(i.Digest), Size: i.Size})
	}
	return list, nil
}

// plugin refuses a signature that demands more than is checked here: a plug-in,
// or an attribute that whoever does not know it must not accept.
func (c *notationCheck) plugin() *Result {
	for _, a := range c.info.SignedAttributes.ExtendedAttributes {
		if a.Key == notary.HeaderVerificationPlugin {
			name := fmt.Sprint(a.Value)
			why := fmt.Sprintf("the signature can only be verified by the plug-in %q, which is not run here", clip(name))
			if name == awsPlugin {
				why += "; it is AWS Signer's: verify it with the notation command and that plug-in"
			}
			return ptr(cannot(KindNotation, StepPlugin, why))
		}
	}
	for _, a := range c.info.SignedAttributes.ExtendedAttributes {
		if a.Critical {
			return ptr(cannot(KindNotation, StepPlugin, fmt.Sprintf("the signature has the critical attribute %q, which is not known here", clip(fmt.Sprint(a.Key)))))
		}
	}
	return nil
}

// clip bounds text of an envelope in a reason.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// trust asks the trust policy and the trust store.
func (c *notationCheck) trust(ctx context.Context) *Result {
	d := &c.req.Demand
	if d.NotationPolicy == "" {
		return ptr(cannot(KindNotation, StepTrust, "no trust policy says who is trusted: name one with --notation-policy"))
	}
	var err error
	if c.policy, err = readNotationPolicy(d.NotationPolicy); err == nil {
		err = c.policy.choose(d.NotationScope, c.req.Subject.Repository)
	}
	if err != nil {
		return ptr(cannot(KindNotation, StepPolicy, err.Error()))
	}
	if c.policy.level.Name == trustpolicy.LevelSkip.Name {
		return ptr(cannot(KindNotation, StepPolicy, fmt.Sprintf("the statement %q of the trust policy skips the verification, so that nothing says who signed", c.policy.statement.Name)))
	}
	stamped := c.stamped()
	asked := &offlineRevocation{waived: c.policy.level.Enforcement[trustpolicy.TypeRevocation] != trustpolicy.ActionEnforce}
	v, err := notary.NewWithOptions(c.policy.document(stamped), truststore.NewX509TrustStore(storeFolder(d.notationStore())), nil,
		notary.VerifierOptions{RevocationCodeSigningValidator: asked, RevocationTimestampingValidator: asked})
	if err != nil {
		return ptr(cannot(KindNotation, StepPolicy, "the trust policy is not valid: "+err.Error()))
	}
	outcome, err := v.Verify(ctx, c.target, c.data, notation.VerifierVerifyOptions{
		ArtifactReference: c.policy.scope + "@" + string(c.target.Digest), SignatureMediaType: c.kind})
	if outcome == nil {
		return ptr(cannot(KindNotation, StepPolicy, err.Error()))
	}
	byType := map[trustpolicy.ValidationType]error{}
	for _, r := range outcome.VerificationResults {
		byType[r.Type] = r.Error
	}
	if r := c.authenticity(byType[trustpolicy.TypeAuthenticity]); r != nil {
		return r
	}
	if asked.unknown {
		return ptr(cannot(KindNotation, StepRevocation, "the trust policy demands that revocation is checked, which needs the network: set its \"revocation\" to \"log\" or \"skip\" to go without"))
	}
	if err != nil { // nothing that a level could wave through is left
		return ptr(reject(KindNotation, StepSignature, err.Error()))
	}
	if outcome.EnvelopeContent == nil || len(byType) < 4 {
		return ptr(cannot(KindNotation, StepTrust, "the verification did not go through all of its steps"))
	}
	if r := c.expiry(); r != nil {
		return r
	}
	return c.time(stamped, byType[trustpolicy.TypeAuthenticTimestamp])
}

// authenticity says what an error of the library about the signer means.
func (c *notationCheck) authenticity(err error) *Result {
	var untrusted *signature.SignatureAuthenticityError
	var store truststore.TrustStoreError
	var cert truststore.CertificateError
	var open notation.VerificationInconclusiveError
	st := c.policy.statement
	switch {
	case err == nil:
		return nil
	case errors.As(err, &untrusted):
		chain := c.info.CertificateChain
		return ptr(differs(KindNotation, StepChain, "no certificate of the signer's chain is in the trust store", strings.Join(st.TrustStores, ", "), chain[len(chain)-1].Subject.String()))
	case errors.As(err, &store), errors.As(err, &cert), errors.As(err, &open):
		return ptr(cannot(KindNotation, StepTrust, "the trust store cannot be used: "+err.Error()))
	}
	return ptr(differs(KindNotation, StepIdentity, "the signer is none of the trusted identities of the trust policy", strings.Join(st.TrustedIdentities, " or "), c.out.Identity))
}

// expiry compares the end that the signer gave the signature with the clock of
// the request. The library only knows the clock of the machine.
func (c *notationCheck) expiry() *Result {
	end := c.info.SignedAttributes.Expiry
	if end.IsZero() || c.req.Now.Before(end) {
		return nil
	}
	reason := "the signature has expired"
	if c.policy.level.Enforcement[trustpolicy.TypeExpiry] != trustpolicy.ActionEnforce {
		c.note("%s, on %s; the trust policy lets that pass", reason, rfc3339(end))
		return nil
	}
	return ptr(differs(KindNotation, StepExpiry, reason, "before "+rfc3339(end), rfc3339(c.req.Now)))
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (c *notationCheck) note(format string, args ...any) {
	c.out.Notes = append(c.out.Notes, fmt.Sprintf(format, args...))
}

// stamped says whether a timestamp is asked for: when the statement names an
// authority for them and, if it says so, only for a certificate that is no longer
// valid by the clock of the request.
func (c *notationCheck) stamped() bool {
	st := c.policy.statement
	if c.info.SignedAttributes.SigningScheme != signature.SigningSchemeX509 || !slices.ContainsFunc(st.TrustStores, isTSA) {
		return false
	}
	return st.SignatureVerification.VerifyTimestamp != trustpolicy.OptionAfterCertExpiry ||
		slices.ContainsFunc(c.info.CertificateChain, func(cert *x509.Certificate) bool { return c.req.Now.After(cert.NotAfter) })
}

// time checks that the certificates were valid when the signature was made, by a
// clock that somebody vouches for, or else are by that of the request.
func (c *notationCheck) time(stamped bool, err error) *Result {
	signed := c.info.SignedAttributes.SigningTime
	authority := c.info.SignedAttributes.SigningScheme == signature.SigningSchemeX509SigningAuthority
	var bad *Result
	switch {
	case authority && err != nil, stamped && err != nil:
		bad = ptr(reject(KindNotation, StepTime, err.Error()))
	case authority:
		c.out.Times = append(c.out.Times, Time{At: signed, Clock: "signing authority"})
	case stamped:
		token, at, err := timestampOf(c.info)
		if err != nil {
			bad = ptr(reject(KindNotation, StepTime, err.Error()))
			break
		}
		c.out.Times = append(c.out.Times, Time{At: at, Clock: "timestamp authority" + token})
	default:
		bad = c.validNow()
	}
	if bad != nil && c.policy.level.Enforcement[trustpolicy.TypeAuthenticTimestamp] != trustpolicy.ActionEnforce {
		c.note("%s; the trust policy lets that pass", bad.Reason)
		bad = nil
	}
	if !authority {
		c.out.Times = append(c.out.Times, Time{At: signed, Clock: "signer"})
	}
	return bad
}

// timestampOf reads the time of a timestamp that was verified, and the name of
// the authority, with a space before it.
func timestampOf(info *signature.SignerInfo) (authority string, at time.Time, err error) {
	token, err := tspclient.ParseSignedToken(info.UnsignedAttributes.TimestampSignature)
	if err != nil {
		return "", at, err
	}
	content, err := token.Info()
	if err != nil {
		return "", at, err
	}
	t, err := content.Validate(info.Signature)
	if err != nil {
		return "", at, err
	}
	if len(token.Certificates) > 0 {
		authority = " " + token.Certificates[0].Subject.String()
	}
	return authority, t.Value, nil
}

// validNow checks the chain by the clock of the request.
func (c *notationCheck) validNow() *Result {
	for _, cert := range c.info.CertificateChain {
		switch name := cert.Subject.String(); {
		case c.req.Now.Before(cert.NotBefore):
			return ptr(differs(KindNotation, StepChain, fmt.Sprintf("the certificate %q is not valid yet", name), "from "+rfc3339(cert.NotBefore), rfc3339(c.req.Now)))
		case c.req.Now.After(cert.NotAfter):
			r := cannot(KindNotation, StepTime, fmt.Sprintf("the certificate %q expired on %s, and no timestamp authority that the trust policy trusts (a trust store \"tsa:NAME\") vouches that the signature is older", name, rfc3339(cert.NotAfter)))
			r.Expected, r.Found = "until "+rfc3339(cert.NotAfter), rfc3339(c.req.Now)
			return &r
		}
	}
	return nil
}

// demand holds the result against what is demanded beside the trust policy.
func (c *notationCheck) demand() *Result {
	d := &c.req.Demand
	if d.Require.Log > 0 || d.Require.SCT > 0 {
		return ptr(reject(KindNotation, StepLog, "a transparency log is demanded, and signatures of the Notary Project are in none"))
	}
	vouched := 0
	for _, t := range c.out.Times {
		if t.Clock != "signer" {
			vouched++
		}
	}
	if want := max(d.Require.Timestamps, d.Require.SignedTimestamps); want > vouched {
		return ptr(differs(KindNotation, StepTime, "too few clocks vouch for the time of the signature", fmt.Sprint(want), fmt.Sprint(vouched)))
	}
	leaf := c.info.CertificateChain[0]
	names := append([]string{leaf.Subject.String()}, leaf.EmailAddresses...)
	for _, u := range leaf.URIs {
		names = append(names, u.String())
	}
	if want := d.Identity; want != "" && !slices.Contains(names, want) {
		return ptr(differs(KindNotation, StepIdentity, "the signer is another one", want, c.out.Identity))
	}
	if want := d.IdentityRegexp; want != "" {
		ok, err := anyMatches(want, names)
		if err != nil {
			return ptr(cannot(KindNotation, StepIdentity, err.Error()))
		}
		if !ok {
			return ptr(differs(KindNotation, StepIdentity, "the signer is another one", want, c.out.Identity))
		}
	}
	if want := d.Issuer; want != "" && want != c.out.Issuer {
		return ptr(differs(KindNotation, StepIssuer, "the certificate is of another issuer", want, c.out.Issuer))
	}
	if want := d.IssuerRegexp; want != "" {
		ok, err := anyMatches(want, []string{c.out.Issuer})
		if err != nil {
			return ptr(cannot(KindNotation, StepIssuer, err.Error()))
		}
		if !ok {
			return ptr(differs(KindNotation, StepIssuer, "the certificate is of another issuer", want, c.out.Issuer))
		}
	}
	return nil
}

func ptr[T any](v T) *T { return &v }
