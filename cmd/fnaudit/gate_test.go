package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
)

// mkkey makes a key pair: NAME.pem, NAME.pub.
func mkkey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mkkey ecdsa|p384|ed25519|encrypted NAME")
	}
	var key crypto.Signer
	var err error
	switch args[0] {
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: private}
	if args[0] == "encrypted" {
		block.Type = "ENCRYPTED SIGSTORE PRIVATE KEY"
		block.Bytes, err = encrypted.Encrypt(private, []byte("secret"))
		ts.Check(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".pem"), pem.EncodeToMemory(block), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".pub"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o644))
}

// unwrap writes the statement that a bundle holds.
func unwrap(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unwrap BUNDLE FILE")
	}
	var b struct{ DsseEnvelope struct{ Payload []byte } }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &b))
	var out bytes.Buffer
	ts.Check(json.Indent(&out, b.DsseEnvelope.Payload, "", "  "))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o644))
}

// spoilzip changes the time of the first entry, in its local header and
// nowhere else.
func spoilzip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: spoilzip ZIP")
	}
	b := []byte(ts.ReadFile(args[0]))
	b[10] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}
