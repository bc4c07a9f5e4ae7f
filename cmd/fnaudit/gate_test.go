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
	"strconv"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
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

// keyPair makes a P-256 key in PEM.
func keyPair(t *testing.T) (private, public []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})
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

// referrers counts the bundles in a layout that refer to an image in it.
func referrers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: referrers LAYOUT N")
	}
	path, err := layout.FromPath(ts.MkAbs(args[0]))
	ts.Check(err)
	index, err := path.ImageIndex()
	ts.Check(err)
	list, err := index.IndexManifest()
	ts.Check(err)
	n := 0
	for _, d := range list.Manifests {
		if d.ArtifactType != bundleType {
			continue
		}
		n++
		img, err := index.Image(d.Digest)
		ts.Check(err)
		refers(ts, img, d.Annotations)
		m, err := img.Manifest()
		ts.Check(err)
		_, err = path.Bytes(m.Subject.Digest)
		ts.Check(err)
	}
	if strconv.Itoa(n) != args[1] {
		ts.Fatalf("%d bundles refer to the image", n)
	}
}

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// refers demands that a manifest is that of a bundle.
func refers(ts *testscript.TestScript, img v1.Image, annotations map[string]string) {
	ts.Check(validate.Image(img, validate.Fast))
	m, err := img.Manifest()
	ts.Check(err)
	if m.Subject == nil || m.Subject.Size == 0 || m.Subject.MediaType == "" || len(m.Layers) != 1 || m.Layers[0].MediaType != bundleType ||
		annotations["dev.sigstore.bundle.content"] != "dsse-envelope" || annotations["dev.sigstore.bundle.predicateType"] == "" {
		ts.Fatalf("not the manifest of a bundle: %+v, %v", m, annotations)
	}
}

// attached counts the bundles in a registry that refer to an image.
func attached(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: attached REF N")
	}
	ref, err := name.ParseReference(args[0])
	ts.Check(err)
	desc, err := remote.Get(ref)
	ts.Check(err)
	index, err := remote.Referrers(ref.Context().Digest(desc.Digest.String()))
	ts.Check(err)
	list, err := index.IndexManifest()
	ts.Check(err)
	for _, d := range list.Manifests {
		if d.ArtifactType != bundleType {
			ts.Fatalf("what refers to it is of the type %s", d.ArtifactType)
		}
		img, err := remote.Image(ref.Context().Digest(d.Digest.String()))
		ts.Check(err)
		m, err := img.Manifest()
		ts.Check(err)
		refers(ts, img, m.Annotations)
	}
	if strconv.Itoa(len(list.Manifests)) != args[1] {
		ts.Fatalf("%d bundles refer to the image", len(list.Manifests))
	}
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
