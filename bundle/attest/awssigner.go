package attest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle"
)

// The entry that AWS Signer adds to a zip, and its folder. The whole format was
// observed (2026-09), Amazon does not document it.
const (
	awsSignature = "META_INF/aws_signer_signature_v1.0.SF"
	awsFolder    = "META_INF/"
)

// maxSignature bounds in bytes a signature entry of a zip or a jar.
const maxSignature = 1 << 20

// Signed attributes of AWS Signer.
var (
	oidAWSJob     = asn1.ObjectIdentifier{1, 3, 187, 137, 1, 2}
	oidAWSExpiry  = asn1.ObjectIdentifier{1, 3, 187, 137, 1, 3}
	oidAWSProfile = asn1.ObjectIdentifier{1, 3, 187, 137, 1, 4}
)

// What every result about AWS Signer says.
const (
	noteAWSFormat   = "the signature format of AWS Signer was observed and is not documented; it signs names and contents as one run of bytes and does not bind where a name ends and a content begins"
	noteAWSRevoked  = "revocation was not checked: AWS Signer answers that over the network only"
	noteAWSUnsigned = "compression, times, permissions and comments of the zip are not signed"
)

// awsStatement is what the signed attributes of a signature say.
type awsStatement struct {
	profile, job   string
	signed, expiry time.Time
}

// verifyAWSSigner checks a zip signed by AWS Signer: that the entries are the
// signed ones, that the chain ends in a root that the operator pinned, that the
// signature has not expired, and that its profile version is an allowed one.
func verifyAWSSigner(ctx context.Context, req *Request) []Result {
	if req.Subject == nil || req.Subject.Bytes == nil {
		return nil
	}
	d := &req.Demand
	asked := len(d.Profiles) > 0 || d.EntryDigests != nil
	z, err := bundle.ListZip(ctx, req.Subject.Bytes, req.Subject.Size, bundle.Limits{})
	if err != nil {
		if asked {
			return awsResult(cannot(KindAWSSigner, StepParse, fmt.Sprintf("the artifact cannot be read as a zip: %v", err)))
		}
		return nil
	}
	var at []int
	for i, e := range z.Entries {
		if strings.EqualFold(strings.ReplaceAll(strings.TrimPrefix(e.Name, "./"), `\`, "/"), awsSignature) {
			at = append(at, i)
		}
	}
	switch {
	case len(at) == 0 && asked:
		r := Result{Kind: KindAWSSigner, Status: Missing, Step: StepFind, Reason: "the zip has no signature of AWS Signer: no entry " + awsSignature}
		return awsResult(r)
	case len(at) == 0:
		return nil
	case len(at) > 1 || z.Entries[at[0]].Name != awsSignature:
		return awsResult(differs(KindAWSSigner, StepContents, "more than one entry could be taken for the signature, or it is not named exactly so",
			"one entry "+awsSignature, fmt.Sprintf("%d entries, the first %q", len(at), z.Entries[at[0]].Name)))
	}
	if err := plainZip(z); err != nil {
		return awsResult(zipFault(KindAWSSigner, err))
	}
	r := awsCheck(ctx, req, z, at[0])
	return awsResult(r)
}

// awsResult completes a result.
func awsResult(r Result) []Result {
	r.Embedded, r.Source = true, awsSignature
	if r.Status != Missing {
		r.Notes = append(r.Notes, noteAWSFormat, noteAWSUnsigned, noteAWSRevoked)
	}
	return []Result{r}
}

// zipFault tells a zip that hides something, which is rejected, from one that is
// larger than what is read here, which is not judged.
func zipFault(k Kind, err error) Result {
	if errors.Is(err, bundle.ErrLimit) {
		return cannot(k, StepContents, err.Error())
	}
	return reject(k, StepContents, err.Error())
}

func awsCheck(ctx context.Context, req *Request, z *bundle.ZipList, at int) Result {
	fail := func(step Step, format string, args ...any) Result {
		return reject(KindAWSSigner, step, fmt.Sprintf(format, args...))
	}
	var text limitedBuffer
	if err := z.Copy(&text, at); err != nil {
		return zipFault(KindAWSSigner, err)
	}
	block, rest := pem.Decode(text.Bytes())
	if block == nil || block.Type != "PKCS7" || len(bytes.TrimSpace(rest)) > 0 {
		return fail(StepParse, "%s is not one PEM block of the type PKCS7", awsSignature)
	}
	m, err := parseCMS(block.Bytes)
	if err != nil {
		return fail(StepParse, "%s: %v", awsSignature, err)
	}
	if m.Content != nil || !m.ContentType.Equal(oidData) || m.rawAttrs == nil || m.hash != crypto.SHA384 {
		return fail(StepParse, "%s: want a detached signature with signed attributes and SHA-384", awsSignature)
	}
	whole, entries, err := awsDigest(ctx, z, at)
	if err != nil {
		return zipFault(KindAWSSigner, err)
	}
	if err := m.check(whole); err != nil {
		return cmsFault(KindAWSSigner, err, "the entries of the zip (names, contents, order) are not those that were signed")
	}
	st, err := awsAttributes(m)
	if err != nil {
		return fail(StepParse, "%s: %v", awsSignature, err)
	}
	r := awsTrust(req, m, st)
	r.Identity, r.Issuer = st.profile, m.Signer.Issuer.String()
	r.Times = []Time{{At: st.signed, Clock: "AWS Signer, as signed"}}
	r.Notes = append(r.Notes, "signing job "+st.job)
	if r.Status == Verified && req.Demand.EntryDigests != nil {
		if path, want, got := otherEntry(req.Demand.EntryDigests, entries); path != "" {
			r.Status, r.Step, r.Expected, r.Found = Rejected, StepContents, want, got
			r.Reason = fmt.Sprintf("the signature holds, but the entry %q is not as listed: bytes may have moved between names and contents", path)
		}
	}
	return r
}

// awsTrust asks who signed, when, and for which profile. The signature holds.
func awsTrust(req *Request, m *cmsMessage, st awsStatement) Result {
	d := &req.Demand
	fail := func(step Step, reason, expected, found string) Result {
		return differs(KindAWSSigner, step, reason, expected, found)
	}
	if len(d.Root.X509) == 0 {
		return cannot(KindAWSSigner, StepTrust, "no root certificate of AWS Signer was given to trust, and none is built in: pin it with --trusted-root")
	}
	if err := anchored(m.Signer, m.Certs, d.Root.X509, st.signed, x509.ExtKeyUsageCodeSigning); err != nil {
		return fail(StepChain, fmt.Sprintf("the signer's chain does not end in a pinned root, judged at the signing time %s: %v", day(st.signed), err),
			subjects(d.Root.X509), subject(m.Signer)+", issued by "+m.Signer.Issuer.String())
	}
	switch {
	case st.signed.After(req.Now):
		return fail(StepTime, "it says it was signed in the future", "before "+day(req.Now), day(st.signed))
	case !req.Now.Before(st.expiry):
		return fail(StepExpiry, "the signature has expired", "after "+day(req.Now), day(st.expiry))
	case len(d.Profiles) == 0:
		return cannot(KindAWSSigner, StepProfile, "no signing profile was named: everybody with an account can have AWS Signer sign, so name the profile version that may with --signing-profile")
	case !slices.Contains(d.Profiles, st.profile):
		return fail(StepProfile, "the profile version that signed is not an allowed one", strings.Join(d.Profiles, ", "), st.profile)
	}
	return Result{Kind: KindAWSSigner, Status: Verified, Reason: fmt.Sprintf("signed by AWS Signer for an allowed profile, in force until %s", day(st.expiry))}
}

// awsDigest hashes names and contents of all entries but the signature, in the
// order of the directory, and each content on its own.
func awsDigest(ctx context.Context, z *bundle.ZipList, signature int) (whole []byte, entries map[string]string, err error) {
	all, entries := sha512.New384(), map[string]string{}
	for i, e := range z.Entries {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if i == signature {
			continue
		}
		one := sha256.New()
		io.WriteString(all, e.Name)
		if err := z.Copy(io.MultiWriter(all, one), i); err != nil {
			return nil, nil, err
		}
		if e.Name != awsFolder {
			entries[e.Name] = hex.EncodeToString(one.Sum(nil))
		}
	}
	return all.Sum(nil), entries, nil
}

func awsAttributes(m *cmsMessage) (st awsStatement, err error) {
	var raw asn1.RawValue
	for _, want := range []struct {
		oid  asn1.ObjectIdentifier
		name string
		set  func(asn1.RawValue) error
	}{
		{oidSigningTime, "signing time", func(v asn1.RawValue) (err error) { st.signed, err = parseTime(v); return err }},
		{oidAWSExpiry, "expiry", func(v asn1.RawValue) (err error) { st.expiry, err = parseTime(v); return err }},
		{oidAWSProfile, "profile version", func(v asn1.RawValue) error { return unmarshal(v.FullBytes, &st.profile) }},
		{oidAWSJob, "signing job", func(v asn1.RawValue) error { return unmarshal(v.FullBytes, &st.job) }},
	} {
		ok, err := m.attribute(want.oid, &raw)
		if err == nil && !ok {
			err = errors.New("it is not there")
		}
		if err == nil {
			err = want.set(raw)
		}
		if err != nil {
			return st, fmt.Errorf("signed attribute of the %s: %w", want.name, err)
		}
	}
	return st, nil
}

// otherEntry returns the first entry, by name, that two lists do not agree on.
func otherEntry(want, got map[string]string) (path, expected, found string) {
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		w, listed := want[path]
		g, there := got[path]
		switch {
		case !listed:
			return path, "no such entry", "sha256:" + g
		case !there:
			return path, "sha256:" + w, "no such entry"
		case w != g:
			return path, "sha256:" + w, "sha256:" + g
		}
	}
	return "", "", ""
}

// cmsFault is the result for a message that check refused.
func cmsFault(k Kind, err error, other string) Result {
	switch {
	case errors.Is(err, errOtherContent):
		r := reject(k, StepContents, other)
		if _, rest, ok := strings.Cut(err.Error(), ": signed "); ok {
			r.Expected, r.Found, _ = strings.Cut(rest, ", found ")
		}
		return r
	case errors.Is(err, errAlgorithm):
		return cannot(k, StepSignature, err.Error())
	}
	return reject(k, StepSignature, err.Error())
}

func subjects(certs []*x509.Certificate) string {
	var out []string
	for _, c := range certs {
		out = append(out, subject(c))
	}
	return strings.Join(firstOf(out, 5), "; ")
}

// limitedBuffer holds up to maxSignature bytes; more is an error.
type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxSignature {
		return 0, fmt.Errorf("more than %d bytes: %w", maxSignature, bundle.ErrLimit)
	}
	return b.Buffer.Write(p)
}
