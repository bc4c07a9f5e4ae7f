package attest

import (
	"cmp"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// errOutside says that a certificate was not valid at a time.
var errOutside = errors.New("outside the validity of the certificate")

// anchored says whether a certificate leads to one of the roots, or is one of
// them, all valid at one time. The certificates in between are not trusted.
// The error wraps errOutside when only the time is wrong.
func anchored(leaf *x509.Certificate, others, roots []*x509.Certificate, at time.Time, usage x509.ExtKeyUsage) error {
	if tooLong(leaf.PublicKey) {
		return fmt.Errorf("the key of the certificate is too long: %w", errAlgorithm)
	}
	pool, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range roots {
		pool.AddCert(c)
	}
	for _, c := range others {
		if !tooLong(c.PublicKey) {
			between.AddCert(c)
		}
	}
	// x509.VerifyOptions with a zero time means now: this clock is never asked
	if at.IsZero() {
		return fmt.Errorf("%w: there is no time to judge it at", errOutside)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w at %s (%s is valid from %s to %s)", errOutside, day(at), subject(invalid.Cert), day(invalid.Cert.NotBefore), day(invalid.Cert.NotAfter))
	}
	return errors.New(strings.TrimPrefix(err.Error(), "x509: "))
}

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// subject is how a certificate is named in messages.
func subject(c *x509.Certificate) string {
	return cmp.Or(c.Subject.String(), "a certificate without subject")
}

// certificateNames are the names that an identity may be compared with: the
// subject as RFC 2253 text, its common name and e-mail address, and every
// subject alternative name.
func certificateNames(c *x509.Certificate) []string {
	out := []string{c.Subject.String(), c.Subject.CommonName}
	for _, n := range c.Subject.Names {
		if n.Type.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}) { // PKCS #9 emailAddress
			if s, ok := n.Value.(string); ok {
				out = append(out, s)
			}
		}
	}
	out = append(out, c.EmailAddresses...)
	out = append(out, c.DNSNames...)
	for _, u := range c.URIs {
		out = append(out, u.String())
	}
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == "" })
}

// mainName is the one name of a certificate that a result shows: the first
// alternative name, else the subject.
func mainName(c *x509.Certificate) string {
	switch {
	case len(c.EmailAddresses) > 0:
		return c.EmailAddresses[0]
	case len(c.URIs) > 0:
		return c.URIs[0].String()
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	}
	return subject(c)
}

// sameName compares a subject as people write it with the certificate's:
// OpenSSL and Java put spaces behind the commas, and RFC 2253 none.
func sameName(want, name string) bool {
	return want == name || strings.ReplaceAll(want, ", ", ",") == name
}

// fulcioArc starts the extensions of certificates of Sigstore instances.
const fulcioArc = "1.3.6.1.4.1.57264.1."

// byFulcio says whether a certificate says of itself that it is one of a Sigstore instance.
func byFulcio(c *x509.Certificate) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return strings.HasPrefix(e.Id.String(), fulcioArc) })
}

// fulcioIssuer is who vouched for the identity of a certificate of a Sigstore
// instance: the extension 1.3.6.1.4.1.57264.1.8, or .1 before 2022. "" when it has none.
func fulcioIssuer(c *x509.Certificate) string {
	old := ""
	for _, e := range c.Extensions {
		switch e.Id.String() {
		case fulcioArc + "8":
			var s string
			if unmarshal(e.Value, &s) == nil {
				return s
			}
		case fulcioArc + "1":
			old = string(e.Value)
		}
	}
	return old
}
