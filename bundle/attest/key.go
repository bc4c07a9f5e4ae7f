package attest

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"time"
)

// Key is a key that the operator trusts, as its file holds it. The format that
// uses it decides what it can be: a public key or a certificate in PEM or DER,
// a minisign or signify key, an OpenPGP key ring.
type Key struct {
	Source    string
	Data      []byte
	NotBefore time.Time // zero: no bound
	NotAfter  time.Time

	public crypto.PublicKey // of Data, if it was looked for when the file was read
}

// Public returns the public key of a PEM or DER file, and false when the file
// is something else.
func (k Key) Public() (crypto.PublicKey, bool) {
	if k.public != nil {
		return k.public, true
	}
	data := k.Data
	if block, _ := pem.Decode(k.Data); block != nil {
		data = block.Bytes
	}
	if pub, err := x509.ParsePKIXPublicKey(data); err == nil {
		return pub, true
	}
	if pub, err := x509.ParsePKCS1PublicKey(data); err == nil {
		return pub, true
	}
	if cert, err := x509.ParseCertificate(data); err == nil {
		return cert.PublicKey, true
	}
	return nil, false
}

// ParseKey reads a key file. It errs when no format could use it.
func ParseKey(source string, data []byte) (Key, error) {
	k := Key{Source: source, Data: data}
	if len(bytes.TrimSpace(data)) == 0 {
		return k, fmt.Errorf("%s: an empty file is no key", source)
	}
	if bytes.Contains(data, []byte("PRIVATE KEY")) {
		return k, fmt.Errorf("%s: a private key: give its public half", source)
	}
	k.public, _ = k.Public()
	return k, nil
}

// Fingerprint is the hint that Sigstore tools give a key: base64 of the sha256
// of its DER form. "" when the key has none.
func Fingerprint(pub crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// covers says whether the operator trusts the key at a time.
func (k Key) covers(t time.Time) bool {
	return (k.NotBefore.IsZero() || !t.Before(k.NotBefore)) && (k.NotAfter.IsZero() || !t.After(k.NotAfter))
}

// bounds writes when the key is to be trusted.
func (k Key) bounds() string {
	from, to := "ever", "ever"
	if !k.NotBefore.IsZero() {
		from = day(k.NotBefore)
	}
	if !k.NotAfter.IsZero() {
		to = day(k.NotAfter)
	}
	return "from " + from + " to " + to
}

// sameKey compares public keys.
func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	if ok {
		return k.Equal(b)
	}
	return Fingerprint(a) != "" && Fingerprint(a) == Fingerprint(b) // DSA keys have no Equal and no DER form either
}
