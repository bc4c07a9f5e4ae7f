package attest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

func p256(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// pkcs8 writes a private key as openssl does.
func pkcs8(t *testing.T, key crypto.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func pass(password string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(password), nil }
}

var someStatement = Statement{
	Subject:       []Descriptor{{Name: "orders.zip", Digest: map[string]string{"sha256": strings.Repeat("ab", 32)}}},
	PredicateType: "https://slsa.dev/verification_summary/v1",
	Predicate:     json.RawMessage(`{"verificationResult":"PASSED"}`),
}

// signatureHolds verifies the one signature of a bundle's envelope with nothing but the standard library.
func signatureHolds(t *testing.T, signed []byte, pub crypto.PublicKey) bool {
	t.Helper()
	var doc struct {
		MediaType            string
		DsseEnvelope         json.RawMessage
		VerificationMaterial struct{ PublicKey struct{ Hint string } }
	}
	if err := json.Unmarshal(signed, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.MediaType != "application/vnd.dev.sigstore.bundle.v0.3+json" || doc.VerificationMaterial.PublicKey.Hint != Fingerprint(pub) {
		t.Errorf("media type %q, hint %q", doc.MediaType, doc.VerificationMaterial.PublicKey.Hint)
	}
	e, err := ParseEnvelope(doc.DsseEnvelope)
	if err != nil {
		t.Fatal(err)
	}
	if e.PayloadType != payloadInToto || len(e.Signatures) != 1 {
		t.Errorf("payload type %q, %d signatures", e.PayloadType, len(e.Signatures))
	}
	st, err := ParseStatement(e.Payload)
	if err != nil || st.Type != statementV1 || st.PredicateType != someStatement.PredicateType {
		t.Errorf("statement %+v, %v", st, err)
	}
	message := PAE(e.PayloadType, e.Payload)
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(pub, message, e.Signatures[0].Sig)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(pub, sum[:], e.Signatures[0].Sig)
	}
	return false
}

func TestSignLocal(t *testing.T) {
	key := p256(t)
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encrypt := func(key crypto.PrivateKey, password string) []byte {
		der, err := cryptoutils.MarshalPrivateKeyToEncryptedDER(key, func(bool) ([]byte, error) { return []byte(password), nil })
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED SIGSTORE PRIVATE KEY", Bytes: der})
	}
	for name, c := range map[string]struct {
		pem      []byte
		password func() ([]byte, error)
		pub      crypto.PublicKey
	}{
		"P-256":             {pkcs8(t, key), nil, key.Public()},
		"P-256, SEC 1":      {pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}), nil, key.Public()},
		"Ed25519":           {pkcs8(t, ed), nil, ed.Public()},
		"encrypted":         {encrypt(key, "secret"), pass("secret"), key.Public()},
		"encrypted Ed25519": {encrypt(ed, ""), pass(""), ed.Public()},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := NewSigner("key.pem", c.pem, c.password, Services{})
			if err != nil {
				t.Fatal(err)
			}
			if s.Online() {
				t.Error("a key alone asks somebody")
			}
			signed, err := s.Sign(t.Context(), someStatement)
			if err != nil {
				t.Fatal(err)
			}
			if signed.Identity != Fingerprint(c.pub) {
				t.Errorf("identity %q", signed.Identity)
			}
			if !signatureHolds(t, signed.Bundle, c.pub) {
				t.Error("the signature does not hold")
			}
			if bytes.Count(signed.Bundle, []byte("\n")) != 1 || !bytes.HasSuffix(signed.Bundle, []byte("}\n")) || bytes.Contains(signed.Bundle, []byte(": ")) {
				t.Errorf("not compact: %q", signed.Bundle)
			}
		})
	}
	s, err := NewSigner("key.pem", pkcs8(t, ed), nil, Services{})
	if err != nil {
		t.Fatal(err)
	}
	one, err1 := s.Sign(t.Context(), someStatement)
	two, err2 := s.Sign(t.Context(), someStatement)
	if err1 != nil || err2 != nil || !bytes.Equal(one.Bundle, two.Bundle) {
		t.Errorf("Ed25519 is deterministic, and the bundles differ: %v, %v", err1, err2)
	}
}

func TestSignRefuses(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := cryptoutils.MarshalPublicKeyToPEM(p256(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	der, err := cryptoutils.MarshalPrivateKeyToEncryptedDER(p256(t), func(bool) ([]byte, error) { return []byte("secret"), nil })
	if err != nil {
		t.Fatal(err)
	}
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED SIGSTORE PRIVATE KEY", Bytes: der})
	good := pkcs8(t, p256(t))
	for name, c := range map[string]struct {
		pem      []byte
		password func() ([]byte, error)
		services Services
		want     string
	}{
		"P-384":           {pkcs8(t, p384), nil, Services{}, "SHA-256"},
		"RSA":             {pkcs8(t, rsaKey), nil, Services{}, "RSA"},
		"public":          {public, nil, Services{}, "private half"},
		"text":            {[]byte("hello"), nil, Services{}, "not a PEM file"},
		"other PEM":       {pem.EncodeToMemory(&pem.Block{Type: "PARAMETERS", Bytes: []byte{1}}), nil, Services{}, "not a private key"},
		"broken":          {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), nil, Services{}, "not a private key"},
		"wrong password":  {encrypted, pass("guess"), Services{}, "password may be wrong"},
		"no password":     {encrypted, nil, Services{}, "no password"},
		"key and Fulcio":  {good, nil, Services{Fulcio: "http://127.0.0.1:1"}, "certificate authority"},
		"clock, no root":  {good, nil, Services{Timestamps: []string{"http://127.0.0.1:1"}}, "no Sigstore trusted root"},
		"root is no root": {good, nil, Services{Rekor: "http://127.0.0.1:1", Root: Root{Source: "r", Sigstore: []byte("{}")}}, "read trust root r"},
	} {
		if _, err := NewSigner("key.pem", c.pem, c.password, c.services); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	s, err := NewSigner("key.pem", good, nil, Services{})
	if err != nil {
		t.Fatal(err)
	}
	for name, st := range map[string]Statement{
		"no subject":   {PredicateType: "x", Predicate: json.RawMessage("{}")},
		"no predicate": {Subject: someStatement.Subject, Predicate: json.RawMessage("{}")},
		"bad JSON":     {Subject: someStatement.Subject, PredicateType: "x", Predicate: json.RawMessage("{")},
	} {
		if signed, err := s.Sign(t.Context(), st); err == nil || signed.Bundle != nil {
			t.Errorf("%s: signed, %v", name, err)
		}
	}
}

// verifies checks a keyless bundle as anybody would.
func verifies(t *testing.T, signed []byte, f *fakeServices, identity string, opts ...verify.VerifierOption) error {
	t.Helper()
	var b bundle.Bundle
	if err := b.UnmarshalJSON(signed); err != nil {
		t.Fatal(err)
	}
	tr, err := root.NewTrustedRootFromJSON(f.root)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.NewVerifier(tr, opts...)
	if err != nil {
		t.Fatal(err)
	}
	id, err := verify.NewShortCertificateIdentity("https://issuer.example", "", identity, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(&b, verify.NewPolicy(verify.WithArtifactDigest("sha256", bytes.Repeat([]byte{0xab}, 32)), verify.WithCertificateIdentity(id)))
	return err
}

func TestSignKeyless(t *testing.T) {
	f := newFakeServices(t)
	root := Root{Source: "test", Sigstore: f.root}
	clock := []string{f.url + "/api/v1/timestamp"}
	for name, c := range map[string]struct {
		services Services
		opts     []verify.VerifierOption
	}{
		"log":           {Services{Rekor: f.url}, []verify.VerifierOption{verify.WithTransparencyLog(1), verify.WithIntegratedTimestamps(1)}},
		"clock":         {Services{Timestamps: clock}, []verify.VerifierOption{verify.WithSignedTimestamps(1)}},
		"log and clock": {Services{Rekor: f.url, Timestamps: clock}, []verify.VerifierOption{verify.WithTransparencyLog(1), verify.WithSignedTimestamps(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			c.services.Fulcio, c.services.Token, c.services.Root = f.url, f.token("ci@acme.example"), root
			s, err := NewKeyless(c.services)
			if err != nil {
				t.Fatal(err)
			}
			f.requests = nil
			signed, err := s.Sign(t.Context(), someStatement)
			if err != nil {
				t.Fatal(err)
			}
			if signed.Identity != "ci@acme.example" || !s.Online() || len(f.requests) < 2 {
				t.Errorf("identity %q, online %v, requests %v", signed.Identity, s.Online(), f.requests)
			}
			if err := verifies(t, signed.Bundle, f, "ci@acme.example", c.opts...); err != nil {
				t.Error(err)
			}
			if err := verifies(t, signed.Bundle, f, "other@acme.example", c.opts...); err == nil {
				t.Error("another identity verifies")
			}
		})
	}
	t.Run("a key with a clock", func(t *testing.T) {
		key := p256(t)
		s, err := NewSigner("key.pem", pkcs8(t, key), nil, Services{Timestamps: clock, Rekor: f.url, Root: root})
		if err != nil {
			t.Fatal(err)
		}
		signed, err := s.Sign(t.Context(), someStatement)
		if err != nil {
			t.Fatal(err)
		}
		if !signatureHolds(t, signed.Bundle, key.Public()) || !bytes.Contains(signed.Bundle, []byte("rfc3161Timestamps")) || !bytes.Contains(signed.Bundle, []byte("tlogEntries")) {
			t.Errorf("%s", signed.Bundle)
		}
	})
}

// TestSignKeylessRefuses lets the services answer with what nobody could verify.
func TestSignKeylessRefuses(t *testing.T) {
	f, other := newFakeServices(t), newFakeServices(t)
	full := Services{Fulcio: f.url, Rekor: f.url, Timestamps: []string{f.url + "/api/v1/timestamp"}, Token: f.token("ci@acme.example"), Root: Root{Sigstore: f.root}}
	for name, c := range map[string]struct {
		change func(*Services)
		want   string
	}{
		"no authority": {func(s *Services) { s.Fulcio = "" }, "Fulcio"},
		"no token":     {func(s *Services) { s.Token = "" }, "identity token"},
		"no time":      {func(s *Services) { s.Rekor, s.Timestamps = "", nil }, "timestamp authority"},
		"no root":      {func(s *Services) { s.Root = Root{} }, "no Sigstore trusted root"},
		"token":        {func(s *Services) { s.Token = "x" }, "identity token"},
		"other root":   {func(s *Services) { s.Root = Root{Sigstore: other.root} }, "sign"},
		"nobody there": {func(s *Services) { s.Fulcio = "http://127.0.0.1:1" }, "sign"},
		"no such log":  {func(s *Services) { s.Rekor = f.url + "/none" }, "sign"},
		"no clock":     {func(s *Services) { s.Timestamps = []string{f.url + "/none"} }, "404"},
		"other cert":   {func(*Services) { f.spoilCert = true }, "sign"},
		"other entry":  {func(*Services) { f.spoilEntry = true }, "sign"},
		"other time":   {func(*Services) { f.spoilTime = true }, "sign"},
	} {
		t.Run(name, func(t *testing.T) {
			f.spoilCert, f.spoilEntry, f.spoilTime = false, false, false
			services := full
			c.change(&services)
			s, err := NewKeyless(services)
			var signed Signed
			if err == nil {
				signed, err = s.Sign(t.Context(), someStatement)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || signed.Bundle != nil {
				t.Errorf("signed %s, %v, want %q", signed.Bundle, err, c.want)
			}
		})
	}
}
