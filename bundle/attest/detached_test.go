package attest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// publicPEM is a public key as its file holds it.
func publicPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("PUBLIC KEY", der)
}

func signDigest(t testing.TB, key crypto.Signer, data []byte, opts crypto.SignerOpts) []byte {
	t.Helper()
	digest := data
	if h := opts.HashFunc(); h != 0 {
		digest = hashed(h, data)
	}
	sig, err := key.Sign(rand.Reader, digest, opts)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func toP1363(t testing.TB, k *ecdsa.PrivateKey, der []byte) []byte {
	t.Helper()
	var rs struct{ R, S *big.Int }
	if err := unmarshal(der, &rs); err != nil {
		t.Fatal(err)
	}
	n := (k.Curve.Params().BitSize + 7) / 8
	out := make([]byte, 2*n)
	rs.R.FillBytes(out[:n])
	rs.S.FillBytes(out[n:])
	return out
}

func TestDetachedByKey(t *testing.T) {
	data := []byte("artifact")
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pss := func(h crypto.Hash, salt int) crypto.SignerOpts { return &rsa.PSSOptions{SaltLength: salt, Hash: h} }
	for _, test := range []struct {
		name string
		key  crypto.Signer
		sig  []byte
		how  string
	}{
		{"P-256", p256, signDigest(t, p256, data, crypto.SHA256), "ecdsa with SHA-256"},
		{"P-256 with SHA-512", p256, signDigest(t, p256, data, crypto.SHA512), "ecdsa with SHA-512"},
		{"P-384", p384, signDigest(t, p384, data, crypto.SHA384), "ecdsa with SHA-384"},
		{"P-384 with SHA-256", p384, signDigest(t, p384, data, crypto.SHA256), "ecdsa with SHA-256"},
		{"P-521", p521, signDigest(t, p521, data, crypto.SHA512), "ecdsa with SHA-512"},
		{"P-256, P1363", p256, toP1363(t, p256, signDigest(t, p256, data, crypto.SHA256)), "ecdsa with SHA-256"},
		{"P-521, P1363", p521, toP1363(t, p521, signDigest(t, p521, data, crypto.SHA512)), "ecdsa with SHA-512"},
		{"RSA", rsaKey, signDigest(t, rsaKey, data, crypto.SHA256), "rsa with SHA-256"},
		{"RSA with SHA-512", rsaKey, signDigest(t, rsaKey, data, crypto.SHA512), "rsa with SHA-512"},
		{"RSA-PSS", rsaKey, signDigest(t, rsaKey, data, pss(crypto.SHA256, rsa.PSSSaltLengthEqualsHash)), "rsa-pss with SHA-256"},
		{"RSA-PSS, longest salt", rsaKey, signDigest(t, rsaKey, data, pss(crypto.SHA384, rsa.PSSSaltLengthAuto)), "rsa-pss with SHA-384"},
		{"Ed25519", ed, ed25519.Sign(ed, data), "Ed25519"},
		{"Ed25519ph", ed, signDigest(t, ed, data, &ed25519.Options{Hash: crypto.SHA512}), "Ed25519ph"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := Demand{Keys: []Key{{Source: "k.pub", Data: publicPEM(t, test.key)}}}
			verify := func(data, sig []byte, d Demand) Result {
				return verifyDetached(context.Background(), &Request{Subject: artifact(data), Demand: d, Now: time.Now()}, Evidence{Data: sig})[0]
			}
			text := base64.StdEncoding.EncodeToString(test.sig)
			for name, sig := range map[string][]byte{"raw": test.sig, "base64": []byte(text + "\n"), "lines": []byte(text[:20] + "\n" + text[20:])} {
				r := verify(data, sig, d)
				if r.Status != Verified || !slices.Contains(r.Notes, "scheme: "+test.how) {
					t.Errorf("%s: %+v", name, r)
				}
			}
			if r := verify([]byte("Artifact"), test.sig, d); r.Status != Rejected || r.Step != StepSignature {
				t.Errorf("other artifact: %+v", r)
			}
			for i := 0; i < len(test.sig); i += 1 + len(test.sig)/40 {
				changed := bytes.Clone(test.sig)
				changed[i] ^= 1
				if r := verify(data, changed, d); r.Status == Verified {
					t.Errorf("signature with byte %d changed: verified", i)
				}
			}
			if r := verify(data, test.sig, Demand{}); r.Status != Unverifiable || r.Step != StepTrust {
				t.Errorf("no key: %+v", r)
			}
			late := d
			late.Keys = []Key{{Data: d.Keys[0].Data, NotAfter: time.Now().Add(-time.Hour)}}
			if r := verify(data, test.sig, late); r.Status != Rejected || r.Step != StepExpiry {
				t.Errorf("expired key: %+v", r)
			}
			other := d
			other.KeyID = "another"
			if r := verify(data, test.sig, other); r.Status != Rejected || r.Step != StepIdentity {
				t.Errorf("another key id: %+v", r)
			}
		})
	}
	both := Demand{Keys: []Key{{Data: publicPEM(t, p384)}, {Data: publicPEM(t, p256)}}}
	digest := &Subject{Digests: map[string]string{"sha256": "c7c5c1d70c5dec4416ab6158afd0b223ef40c29b1dc1f97ed9428b94d4cadb1c"}}
	if r := verifyDetached(context.Background(), &Request{Subject: digest, Demand: both}, Evidence{Data: signDigest(t, p256, data, crypto.SHA256)})[0]; r.Status != Verified {
		t.Errorf("of a digest, by the second key: %+v", r)
	}
	if r := verifyDetached(context.Background(), &Request{Subject: digest, Demand: Demand{Keys: []Key{{Data: publicPEM(t, ed)}}}}, Evidence{Data: ed25519.Sign(ed, data)})[0]; r.Status != Unverifiable || r.Step != StepDigest {
		t.Errorf("Ed25519 of a digest: %+v", r)
	}
	for _, bad := range [][]byte{nil, make([]byte, maxDetached+1)} {
		if r := verifyDetached(context.Background(), &Request{Subject: artifact(data), Demand: both}, Evidence{Data: bad})[0]; r.Status != Rejected || r.Step != StepParse {
			t.Errorf("%d bytes: %+v", len(bad), r)
		}
	}
}

func TestDetachedByCertificate(t *testing.T) {
	data := []byte("artifact")
	root := authority(t, "root")
	middle := certify(t, x509.Certificate{Subject: pkix.Name{CommonName: "middle"}, IsCA: true, BasicConstraintsValid: true}, root, nil)
	leaf := certify(t, x509.Certificate{Subject: pkix.Name{CommonName: "Release"}, EmailAddresses: []string{"r@acme.example"}}, middle, nil)
	old := certify(t, x509.Certificate{Subject: pkix.Name{CommonName: "Release"}, NotBefore: time.Now().Add(-3 * time.Hour), NotAfter: time.Now().Add(-2 * time.Hour)}, root, nil)
	issuer, err := asn1.Marshal("https://issuer.example")
	if err != nil {
		t.Fatal(err)
	}
	fulcio := certify(t, x509.Certificate{ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}, Value: issuer}}}, root, nil)
	pin := Demand{Root: Root{X509: []*x509.Certificate{root.Certificate}}, Identity: "r@acme.example"}
	chain := append(pemOf("CERTIFICATE", leaf.Raw), pemOf("CERTIFICATE", middle.Raw)...)
	for _, test := range []struct {
		name   string
		by     *testCert
		chain  []byte
		demand func(*Demand)
		status Status
		step   Step
	}{
		{"good", leaf, chain, nil, Verified, ""},
		{"without the middle", leaf, pemOf("CERTIFICATE", leaf.Raw), nil, Rejected, StepChain},
		{"another name", leaf, chain, func(d *Demand) { d.Identity = "x@acme.example" }, Rejected, StepIdentity},
		{"no name", leaf, chain, func(d *Demand) { d.Identity = "" }, Unverifiable, StepIdentity},
		{"no root", leaf, chain, func(d *Demand) { d.Root = Root{} }, Unverifiable, StepTrust},
		{"by another key", root, chain, nil, Rejected, StepSignature},
		{"expired", old, pemOf("CERTIFICATE", old.Raw), nil, Unverifiable, StepTime},
		{"of a Sigstore instance", fulcio, pemOf("CERTIFICATE", fulcio.Raw), func(d *Demand) { d.Root = Root{} }, Unverifiable, StepTime},
		{"no certificate", leaf, []byte("x"), nil, Rejected, StepParse},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := pin
			if test.demand != nil {
				test.demand(&d)
			}
			r := verifyDetached(context.Background(), &Request{Subject: artifact(data), Demand: d, Now: time.Now()},
				Evidence{Data: signDigest(t, test.by.key, data, crypto.SHA256), Certificate: test.chain})[0]
			if r.Status != test.status || r.Step != test.step {
				t.Errorf("%+v; want %s at %q", r, test.status, test.step)
			}
		})
	}
}

// TestSniffRaw checks that a bare signature is none of the formats whose first bytes it may have.
func TestSniffRaw(t *testing.T) {
	for _, first := range []string{"{", "[", " {", "\n["} {
		sig := first + strings.Repeat("\xff\x80", 32)
		if f := Sniff([]byte(sig)); f != FormatRaw {
			t.Errorf("a signature that begins with %q is taken for %s", first, f)
		}
	}
}

func FuzzDetached(f *testing.F) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	good := signDigest(f, k, []byte("artifact"), crypto.SHA256)
	d := Demand{Keys: []Key{{Data: publicPEM(f, k)}}}
	f.Add(good, []byte{})
	f.Add([]byte(base64.StdEncoding.EncodeToString(good)), pemOf("CERTIFICATE", []byte("x")))
	f.Fuzz(func(t *testing.T, sig, cert []byte) {
		ev := Evidence{Data: sig, Certificate: cert}
		if r := verifyDetached(context.Background(), &Request{Subject: artifact([]byte("other")), Demand: d, Now: time.Now()}, ev)[0]; r.Status == Verified {
			t.Errorf("verified for another artifact")
		}
		_ = verifyDetached(context.Background(), &Request{Subject: artifact([]byte("other")), Now: time.Now()}, ev)
	})
}
