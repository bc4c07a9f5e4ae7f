package attest

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
)

func TestToDER(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"DER", "\x30\x03\x02\x01\x05", "\x30\x03\x02\x01\x05"},
		{"no length", "\x30\x80\x02\x01\x05\x00\x00", "\x30\x03\x02\x01\x05"},
		{"nested", "\x30\x80\xa0\x80\x02\x01\x05\x00\x00\x00\x00", "\x30\x05\xa0\x03\x02\x01\x05"},
		{"long length", "\x30\x81\x03\x02\x01\x05", "\x30\x03\x02\x01\x05"},
		{"string in pieces", "\x24\x80\x04\x01a\x04\x01b\x00\x00", "\x04\x02ab"},
		{"high tag", "\x3f\x81\x01\x00", "\x3f\x81\x01\x00"},
		{"empty", "", ""},
		{"cut off", "\x30\x04\x02\x01", ""},
		{"cut off, no length", "\x30\x80\x02\x01\x05", ""},
		{"behind", "\x02\x01\x05\x00", ""},
		{"primitive without length", "\x02\x80\x00\x00", ""},
		{"length of 8 bytes", "\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff", ""},
		{"deep", strings.Repeat("\x30\x80", 100), ""},
		{"pieces of pieces", "\x24\x80\x24\x80\x04\x01a\x00\x00\x00\x00", ""},
	} {
		got, err := toDER([]byte(test.in))
		if (err == nil) != (test.want != "") || err == nil && string(got) != test.want {
			t.Errorf("%s: %x, %v; want %x", test.name, got, err, test.want)
		}
	}
}

// TestCMS checks messages that a lenient reader takes.
func TestCMS(t *testing.T) {
	by := authority(t, "signer")
	sign := func(digest asn1.ObjectIdentifier, config pkcs7.SignerInfoConfig, times int) []byte {
		sd, err := pkcs7.NewSignedData([]byte("content"))
		if err != nil {
			t.Fatal(err)
		}
		sd.SetDigestAlgorithm(digest)
		for range times {
			if err := sd.AddSigner(by.Certificate, by.key, config); err != nil {
				t.Fatal(err)
			}
		}
		der, err := sd.Finish()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	good := sign(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.SignerInfoConfig{}, 1)
	m, err := parseCMS(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.check([]byte("content")); err != nil {
		t.Error(err)
	}
	if err := m.check([]byte("Content")); !errors.Is(err, errOtherContent) {
		t.Errorf("other content: %v", err)
	}
	for name, der := range map[string][]byte{
		"two signers":        sign(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.SignerInfoConfig{}, 2),
		"no signer":          sign(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.SignerInfoConfig{}, 0),
		"no certificate":     sign(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.SignerInfoConfig{SkipCertificates: true}, 1),
		"an attribute twice": sign(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.SignerInfoConfig{ExtraSignedAttributes: []pkcs7.Attribute{{Type: oidSigningTime, Value: time.Now()}}}, 1),
		"bytes behind":       append(bytes.Clone(good), 0),
		"too large":          make([]byte, maxCMS+1),
	} {
		if _, err := parseCMS(der); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if m, err := parseCMS(sign(pkcs7.OIDDigestAlgorithmSHA1, pkcs7.SignerInfoConfig{}, 1)); err != nil {
		t.Error(err)
	} else if err := m.check([]byte("content")); !errors.Is(err, errWeak) {
		t.Errorf("SHA-1: %v", err)
	}
}

func FuzzParseCMS(f *testing.F) {
	by := authority(f, "signer")
	f.Add(awsMessage(f, awsOptions{certificate: by}, "a", "b"), []byte("content"))
	f.Add(stampJar(f, timeAuthority(f, by), []byte("x"), time.Now()), []byte("x"))
	f.Add([]byte("\x30\x80\x02\x01\x05\x00\x00"), []byte{})
	f.Fuzz(func(t *testing.T, data, content []byte) {
		m, err := parseCMS(data)
		if err != nil {
			return
		}
		_ = m.check(content)
		_, _ = timestamped(data, content, []*x509.Certificate{by.Certificate})
	})
}
