package attest

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// cmsMessage is a CMS SignedData (RFC 5652, section 5; PKCS #7 version 1.5 before
// it) with exactly one signer: what a signed jar, a zip of AWS Signer and a
// timestamp token carry. Nothing in it is believed before check has passed.
type cmsMessage struct {
	ContentType asn1.ObjectIdentifier
	Content     []byte              // what is signed; nil: detached
	Certs       []*x509.Certificate // as many as can be read, none of them trusted
	Signer      *x509.Certificate   // the one that the signer names

	hash      crypto.Hash
	algorithm asn1.ObjectIdentifier // of the signature
	signature []byte
	attrs     []cmsAttribute // signed; empty: the signature is over the content itself
	rawAttrs  []byte         // as they are signed: a DER SET
	unsigned  []cmsAttribute
}

// cmsAttribute is one attribute with one value.
type cmsAttribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
)

// maxCMS bounds in bytes a CMS message. Chains have a few kilobytes.
const maxCMS = 4 << 20

// maxCMSCertificates bounds how many certificates of a message are read.
const maxCMSCertificates = 64

var (
	// errOtherContent is wrapped when the content is not what was signed.
	errOtherContent = errors.New("the signed digest is of other content")
	// errWeak is wrapped when an algorithm no longer proves anything.
	errWeak = errors.New("too weak to prove anything")
)

// parseCMS reads a message in BER or DER.
func parseCMS(data []byte) (*cmsMessage, error) {
	if len(data) > maxCMS {
		return nil, fmt.Errorf("a CMS message of %d bytes, more than %d", len(data), maxCMS)
	}
	der, err := toDER(data)
	if err != nil {
		return nil, err
	}
	var info struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	if err := unmarshal(der, &info); err != nil {
		return nil, fmt.Errorf("CMS message: %w", err)
	}
	if !info.Type.Equal(oidSignedData) {
		return nil, fmt.Errorf("CMS message of the type %s, which is not SignedData", info.Type)
	}
	var sd struct {
		Version    int
		Algorithms []pkix.AlgorithmIdentifier `asn1:"set"`
		Encap      struct {
			Type    asn1.ObjectIdentifier
			Content asn1.RawValue `asn1:"explicit,optional,tag:0"`
		}
		Certs   asn1.RawValue   `asn1:"optional,tag:0"`
		CRLs    asn1.RawValue   `asn1:"optional,tag:1"`
		Signers []asn1.RawValue `asn1:"set"`
	}
	if err := unmarshal(info.Content.Bytes, &sd); err != nil {
		return nil, fmt.Errorf("CMS SignedData: %w", err)
	}
	if len(sd.Signers) != 1 {
		return nil, fmt.Errorf("CMS SignedData with %d signers: only one is read", len(sd.Signers))
	}
	m := &cmsMessage{ContentType: sd.Encap.Type}
	if len(sd.Encap.Content.FullBytes) > 0 {
		if err := unmarshal(sd.Encap.Content.Bytes, &m.Content); err != nil {
			return nil, fmt.Errorf("CMS content: %w", err)
		}
	}
	if m.Certs, err = cmsCertificates(sd.Certs.Bytes); err != nil {
		return nil, err
	}
	return m, m.signer(sd.Signers[0].FullBytes)
}

// cmsCertificates reads the certificates; a kind that is no X.509 certificate,
// and one that is broken, is left out: then it is missing where it is needed.
func cmsCertificates(set []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for n := 0; len(set) > 0; n++ {
		var one asn1.RawValue
		rest, err := asn1.Unmarshal(set, &one)
		if err != nil {
			return nil, fmt.Errorf("CMS certificates: %w", err)
		}
		if n == maxCMSCertificates {
			return nil, fmt.Errorf("CMS message with more than %d certificates", maxCMSCertificates)
		}
		if c, err := x509.ParseCertificate(one.FullBytes); err == nil {
			certs = append(certs, c)
		}
		set = rest
	}
	return certs, nil
}

// signer reads the SignerInfo.
func (m *cmsMessage) signer(der []byte) error {
	var si struct {
		Version   int
		ID        asn1.RawValue
		Digest    pkix.AlgorithmIdentifier
		Attrs     asn1.RawValue `asn1:"optional,tag:0"`
		Algorithm pkix.AlgorithmIdentifier
		Signature []byte
		Unsigned  asn1.RawValue `asn1:"optional,tag:1"`
	}
	if err := unmarshal(der, &si); err != nil {
		return fmt.Errorf("CMS signer: %w", err)
	}
	var err error
	if m.hash, err = hashByOID(si.Digest.Algorithm); err != nil {
		return err
	}
	m.algorithm, m.signature = si.Algorithm.Algorithm, si.Signature
	if len(si.Attrs.FullBytes) > 0 {
		// RFC 5652, section 5.4: what is signed has the tag of SET, not the implicit one
		m.rawAttrs = append([]byte{0x31}, si.Attrs.FullBytes[1:]...)
		if m.attrs, err = cmsAttributes(si.Attrs.Bytes); err != nil {
			return err
		}
	}
	if m.unsigned, err = cmsAttributes(si.Unsigned.Bytes); err != nil {
		return err
	}
	for _, c := range m.Certs {
		if identifies(si.ID, c) {
			m.Signer = c
			return nil
		}
	}
	return errors.New("the CMS message does not hold the signer's certificate")
}

// identifies says whether a SignerIdentifier means a certificate.
func identifies(id asn1.RawValue, c *x509.Certificate) bool {
	if id.Class == asn1.ClassContextSpecific && id.Tag == 0 {
		return len(id.Bytes) > 0 && bytes.Equal(id.Bytes, c.SubjectKeyId)
	}
	var is struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	return unmarshal(id.FullBytes, &is) == nil && bytes.Equal(is.Issuer.FullBytes, c.RawIssuer) && is.Serial.Cmp(c.SerialNumber) == 0
}

// cmsAttributes reads a SET OF Attribute. One type twice, or one with another
// number of values than one, is an error: readers would differ in what they take.
func cmsAttributes(set []byte) ([]cmsAttribute, error) {
	var out []cmsAttribute
	for len(set) > 0 {
		var a struct {
			Type   asn1.ObjectIdentifier
			Values []asn1.RawValue `asn1:"set"`
		}
		rest, err := asn1.Unmarshal(set, &a)
		if err != nil {
			return nil, fmt.Errorf("CMS attribute: %w", err)
		}
		if len(a.Values) != 1 {
			return nil, fmt.Errorf("CMS attribute %s has %d values", a.Type, len(a.Values))
		}
		for _, b := range out {
			if b.Type.Equal(a.Type) {
				return nil, fmt.Errorf("CMS attribute %s is there twice", a.Type)
			}
		}
		out = append(out, cmsAttribute{a.Type, a.Values[0]})
		set = rest
	}
	return out, nil
}

// attribute reads a signed attribute into v, and says whether it is there.
func (m *cmsMessage) attribute(oid asn1.ObjectIdentifier, v any) (bool, error) {
	return findAttribute(m.attrs, oid, v)
}

func findAttribute(attrs []cmsAttribute, oid asn1.ObjectIdentifier, v any) (bool, error) {
	for _, a := range attrs {
		if a.Type.Equal(oid) {
			if err := unmarshal(a.Value.FullBytes, v); err != nil {
				return true, fmt.Errorf("CMS attribute %s: %w", oid, err)
			}
			return true, nil
		}
	}
	return false, nil
}

// check says whether the signer signed this content. The error wraps
// errOtherContent when it is other content, errWeak when the algorithms are not
// good enough to tell, and errAlgorithm when they are not known here.
func (m *cmsMessage) check(content []byte) error {
	signed := content
	if m.rawAttrs != nil {
		var kind asn1.ObjectIdentifier
		var want []byte
		if ok, err := m.attribute(oidContentType, &kind); err != nil || !ok || !kind.Equal(m.ContentType) {
			return fmt.Errorf("the signed content type is %q, the message says %q", kind, m.ContentType)
		}
		if ok, err := m.attribute(oidMessageDigest, &want); err != nil || !ok {
			return errors.New("the signed attributes have no digest of the content")
		}
		if err := strong(m.hash); err != nil {
			return err
		}
		if got := hashed(m.hash, content); !bytes.Equal(got, want) {
			return fmt.Errorf("%w: signed %x, found %x", errOtherContent, want, got)
		}
		signed = m.rawAttrs
	} else if !m.ContentType.Equal(oidData) {
		return errors.New("no signed attributes, which this content type must have")
	}
	scheme, err := schemeByOID(m.algorithm, m.hash)
	if err != nil {
		return err
	}
	if k, ok := m.Signer.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		return fmt.Errorf("an RSA key of %d bits: %w", k.N.BitLen(), errWeak)
	}
	return scheme.verify(m.Signer.PublicKey, signed, m.signature)
}

// unmarshal is asn1.Unmarshal without anything behind.
func unmarshal(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes follow", len(rest))
	}
	return err
}

// parseTime reads a UTCTime or a GeneralizedTime. [asn1.Unmarshal] refuses
// fractions of a second that end in 0, which signers write.
func parseTime(v asn1.RawValue) (time.Time, error) {
	if v.Class != asn1.ClassUniversal || v.Tag != asn1.TagGeneralizedTime {
		var t time.Time
		err := unmarshal(v.FullBytes, &t)
		return t, err
	}
	return time.Parse("20060102150405Z0700", string(v.Bytes)) // takes fractions too
}
