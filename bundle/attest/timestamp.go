package attest

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// errNoClock says that a token holds and nobody trusted stands behind it.
var errNoClock = errors.New("its authority leads to none of the trusted roots")

// publicAuthorities are the roots of the timestamp authorities that signers of
// jars mostly use. They vouch for times alone, never for a signer. Copied on
// 2026-11-28 from Mozilla's list as Debian packs it (ca-certificates 20230311);
// the file names digest and end of each.
//
//go:embed roots/timestamp-authorities.pem
var publicAuthorities []byte

var (
	oidTSTInfo        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidTimestampToken = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSigningCert    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidExtKeyUsage    = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// timestampInfo is what a token says, as far as it is read (TSTInfo of RFC
// 3161, section 2.4.2; what follows the time is optional).
type timestampInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Hash   pkix.AlgorithmIdentifier
		Digest []byte
	}
	Serial *big.Int
	Time   asn1.RawValue
}

// timestamped returns the time that a token vouches for, over these bytes
// (RFC 3161), and who does. The authority must lead to one of the roots, at
// the time of the token.
func timestamped(token, over []byte, roots []*x509.Certificate) (Time, error) {
	m, err := parseCMS(token)
	if err != nil {
		return Time{}, fmt.Errorf("timestamp token: %w", err)
	}
	if !m.ContentType.Equal(oidTSTInfo) || m.Content == nil {
		return Time{}, fmt.Errorf("timestamp token: its content type is %s", m.ContentType)
	}
	if err := m.check(m.Content); err != nil {
		return Time{}, fmt.Errorf("timestamp token: %w", err)
	}
	if err := m.bindsSigner(); err != nil {
		return Time{}, fmt.Errorf("timestamp token: %w", err)
	}
	var info timestampInfo
	if err := unmarshalInfo(m.Content, &info); err != nil {
		return Time{}, fmt.Errorf("timestamp token: %w", err)
	}
	h, err := hashByOID(info.Imprint.Hash.Algorithm)
	if err == nil {
		err = strong(h)
	}
	if err != nil {
		return Time{}, fmt.Errorf("timestamp token: %w", err)
	}
	if !bytes.Equal(info.Imprint.Digest, hashed(h, over)) {
		return Time{}, errors.New("timestamp token: it is about another signature")
	}
	at, err := parseTime(info.Time)
	if err != nil {
		return Time{}, fmt.Errorf("timestamp token: %w", err)
	}
	if !onlyTimestamps(m.Signer) {
		return Time{}, fmt.Errorf("timestamp token: the certificate of %s is not one for timestamps alone", subject(m.Signer))
	}
	if err := anchored(m.Signer, m.Certs, roots, at, x509.ExtKeyUsageTimeStamping); err != nil {
		return Time{}, fmt.Errorf("timestamp token of %s: %w: %w", subject(m.Signer), errNoClock, err)
	}
	return Time{At: at, Clock: "timestamp authority " + subject(m.Signer)}, nil
}

// unmarshalInfo reads the first fields of a TSTInfo. The accuracy behind them is
// an optional SEQUENCE without a tag of its own, which [asn1] does not read.
func unmarshalInfo(der []byte, info *timestampInfo) error {
	var seq asn1.RawValue
	if err := unmarshal(der, &seq); err != nil {
		return err
	}
	var parts []asn1.RawValue
	for rest := seq.Bytes; len(rest) > 0; {
		var one asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &one); err != nil {
			return err
		}
		if parts = append(parts, one); len(parts) > 10 {
			return errors.New("more fields than a TSTInfo has")
		}
	}
	if len(parts) < 5 || seq.Tag != asn1.TagSequence {
		return errors.New("fewer fields than a TSTInfo has")
	}
	for i, v := range []any{&info.Version, &info.Policy, &info.Imprint, &info.Serial, &info.Time} {
		if err := unmarshal(parts[i].FullBytes, v); err != nil {
			return err
		}
	}
	if info.Version != 1 {
		return fmt.Errorf("version %d", info.Version)
	}
	return nil
}

// bindsSigner checks that the signed attributes name the certificate that the
// message is checked with (RFC 5816 and RFC 3161, section 2.4.2). Without it a
// token could be said to be of another authority with the same key.
func (m *cmsMessage) bindsSigner() error {
	var v2 struct {
		Certs []struct {
			Hash   pkix.AlgorithmIdentifier `asn1:"optional"`
			Digest []byte
			Issuer asn1.RawValue `asn1:"optional"`
		}
		Policies asn1.RawValue `asn1:"optional"`
	}
	if ok, err := m.attribute(oidSigningCertV2, &v2); ok {
		if err != nil || len(v2.Certs) == 0 {
			return errors.New("the signed reference to the signer's certificate cannot be read")
		}
		h := crypto.SHA256
		if v2.Certs[0].Hash.Algorithm != nil {
			if h, err = hashByOID(v2.Certs[0].Hash.Algorithm); err != nil {
				return err
			}
		}
		if strong(h) != nil || !bytes.Equal(hashed(h, m.Signer.Raw), v2.Certs[0].Digest) {
			return errors.New("the signed reference is to another certificate")
		}
		return nil
	}
	var v1 struct {
		Certs []struct {
			Digest []byte
			Issuer asn1.RawValue `asn1:"optional"`
		}
		Policies asn1.RawValue `asn1:"optional"`
	}
	if ok, err := m.attribute(oidSigningCert, &v1); !ok || err != nil || len(v1.Certs) == 0 {
		return errors.New("no signed reference to the signer's certificate")
	}
	// SHA-1 is all that the first version has; who could make two certificates of
	// one SHA-1 would need one of them from the authority's issuer.
	if digest := sha1.Sum(m.Signer.Raw); !bytes.Equal(digest[:], v1.Certs[0].Digest) {
		return errors.New("the signed reference is to another certificate")
	}
	return nil
}

// onlyTimestamps checks RFC 3161, section 2.3: one extended key usage, and critical.
func onlyTimestamps(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) > 0 {
		return false
	}
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidExtKeyUsage) && e.Critical })
}

// clocks are the roots that may vouch for a time: the pinned ones, the
// timestamp authorities of the Sigstore root, and the public ones.
func (req *Request) clocks() []*x509.Certificate {
	roots := slices.Clone(req.Demand.Root.X509)
	if public, err := parseCertificates(publicAuthorities); err == nil {
		roots = append(roots, public...)
	}
	return roots
}
