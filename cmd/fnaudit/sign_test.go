package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// signimage signs what a reference names as cosign does, with a P-256 key, into
// the registry: signimage simple|bundle REF KEY; or beside the image of a layout:
// signimage simple|bundle REF KEY LAYOUT.
func signimage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: signimage simple|bundle REF KEY [LAYOUT]")
	}
	ref, err := name.ParseReference(args[1])
	ts.Check(err)
	desc, err := remote.Get(ref)
	ts.Check(err)
	block, _ := pem.Decode([]byte(ts.ReadFile(args[2])))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	ts.Check(err)
	sign := func(b []byte) string {
		sum := sha256.Sum256(b)
		sig, err := ecdsa.SignASN1(rand.Reader, key.(*ecdsa.PrivateKey), sum[:])
		ts.Check(err)
		return base64.StdEncoding.EncodeToString(sig)
	}
	var img v1.Image
	if args[0] == "simple" {
		doc := fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":%q},"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"},"optional":null}`, ref.Context().Name(), desc.Digest)
		img, err = mutate.Append(empty.Image, mutate.Addendum{Layer: static.NewLayer(doc, "application/vnd.dev.cosign.simplesigning.v1+json"),
			Annotations: map[string]string{"dev.cosignproject.cosign/signature": sign(doc)}})
		ts.Check(err)
	} else {
		const bundle, statement = "application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.in-toto+json"
		st, err := json.Marshal(map[string]any{"_type": "https://in-toto.io/Statement/v1", "subject": []any{map[string]any{"digest": map[string]string{"sha256": desc.Digest.Hex}}},
			"predicateType": "https://sigstore.dev/cosign/sign/v1", "predicate": map[string]any{}})
		ts.Check(err)
		doc := fmt.Appendf(nil, `{"mediaType":%q,"verificationMaterial":{"publicKey":{"hint":"x"}},"dsseEnvelope":{"payload":%q,"payloadType":%q,"signatures":[{"sig":%q}]}}`,
			bundle, base64.StdEncoding.EncodeToString(st), statement, sign(fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(statement), statement, len(st), st)))
		img, err = mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer(doc, bundle))
		ts.Check(err)
		img = mutate.Subject(mutate.ConfigMediaType(img, bundle), desc.Descriptor).(v1.Image)
	}
	if len(args) == 4 {
		path, err := layout.FromPath(ts.MkAbs(args[3]))
		ts.Check(err)
		ts.Check(path.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": strings.Replace(desc.Digest.String(), ":", "-", 1) + ".sig"})))
		return
	}
	digest, err := img.Digest()
	ts.Check(err)
	tag := name.Reference(ref.Context().Digest(digest.String()))
	if args[0] == "simple" {
		tag = ref.Context().Tag(strings.Replace(desc.Digest.String(), ":", "-", 1) + ".sig")
	}
	ts.Check(remote.Write(tag, img))
}

// imagedigest sets a variable to the digest of what a reference names.
func imagedigest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: imagedigest VARIABLE REF")
	}
	ref, err := name.ParseReference(args[1])
	ts.Check(err)
	desc, err := remote.Head(ref)
	ts.Check(err)
	ts.Setenv(args[0], desc.Digest.String())
}
