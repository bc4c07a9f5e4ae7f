package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
)

// mksigstore signs a file keyless, at a Sigstore instance that is made for it: an
// authority and a clock and no log, as GitHub's for private repositories. It writes
// the bundle and the instance's trust root.
func mksigstore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: mksigstore IDENTITY ISSUER FILE BUNDLE ROOT")
	}
	vs, err := ca.NewVirtualSigstore()
	ts.Check(err)
	cert, private, err := vs.GenerateLeafCert(args[0], args[1])
	ts.Check(err)
	key, ok := private.(*ecdsa.PrivateKey)
	if !ok {
		ts.Fatalf("a key of the type %T", private)
	}
	sum := sha256.Sum256([]byte(ts.ReadFile(args[2])))
	sig, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	ts.Check(err)
	stamp, err := vs.TimestampResponse(sig)
	ts.Check(err)
	text := base64.StdEncoding.EncodeToString
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{"rawBytes":%q},`+
		`"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":%q}]}},"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":%q},"signature":%q}}`,
		text(cert.Raw), text(stamp), text(sum[:]), text(sig)), 0o644))
	trust, err := root.NewTrustedRoot(root.TrustedRootMediaType01, vs.FulcioCertificateAuthorities(), nil, vs.TimestampingAuthorities(), nil)
	ts.Check(err)
	data, err := trust.MarshalJSON()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[4]), bytes.TrimSpace(data), 0o644))
}
