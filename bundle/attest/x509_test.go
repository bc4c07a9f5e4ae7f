package attest

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// testCert is a certificate made for a test, and its key.
type testCert struct {
	*x509.Certificate
	key crypto.Signer
}

var testSerial int64

// certify makes a certificate from a template. by nil: self-signed. A key that is nil is made, on P-256.
func certify(t testing.TB, template x509.Certificate, by *testCert, key crypto.Signer) *testCert {
	t.Helper()
	var err error
	if key == nil {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	testSerial++
	template.SerialNumber = big.NewInt(testSerial)
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	parent, signer := &template, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &testCert{c, key}
}

// authority makes a self-signed root.
func authority(t testing.TB, name string) *testCert {
	t.Helper()
	return certify(t, x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
}

func codeSigner(t testing.TB, name string, by *testCert) *testCert {
	t.Helper()
	return certify(t, x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}, by, nil)
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// zipped makes a zip of names and contents in this order; a name that ends in
// "/" is a folder.
func zipped(t testing.TB, method uint16, nameBody ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(nameBody); i += 2 {
		h := &zip.FileHeader{Name: nameBody[i], Method: method}
		if strings.HasSuffix(h.Name, "/") {
			h.Method = zip.Store
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte(nameBody[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// artifact makes a subject of bytes.
func artifact(data []byte) *Subject {
	return &Subject{Name: "artifact", Bytes: bytes.NewReader(data), Size: int64(len(data))}
}
