package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// TestLegacyBundle checks the mapping of each field; that what comes out also
// verifies is tested with signatures, in sigstore_test.go.
func TestLegacyBundle(t *testing.T) {
	sum := sha256.Sum256([]byte("payload"))
	body := `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{}}`
	rekor, err := json.Marshal(map[string]any{
		"SignedEntryTimestamp": []byte("promise"),
		"Payload":              map[string]any{"body": []byte(body), "integratedTime": 1700000000, "logIndex": 7, "logID": hex.EncodeToString([]byte("log"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := legacyBundle(legacyParts{Digest: sum[:], Signature: []byte("signature"), KeyHint: "hint", Rekor: rekor,
		Timestamp: []byte(`{"SignedRFC3161Timestamp":"c3RhbXA="}`)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := protojson.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Compact(&got, text); err != nil {
		t.Fatal(err)
	}
	enc := base64.StdEncoding.EncodeToString
	want := `{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1","verificationMaterial":{"publicKey":{"hint":"hint"},` +
		`"tlogEntries":[{"logIndex":"7","logId":{"keyId":"` + enc([]byte("log")) + `"},"kindVersion":{"kind":"hashedrekord","version":"0.0.1"},` +
		`"integratedTime":"1700000000","inclusionPromise":{"signedEntryTimestamp":"` + enc([]byte("promise")) + `"},"canonicalizedBody":"` + enc([]byte(body)) + `"}],` +
		`"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"c3RhbXA="}]}},` +
		`"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"` + enc(sum[:]) + `"},"signature":"` + enc([]byte("signature")) + `"}}`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestLegacyBundleRefuses(t *testing.T) {
	sum := sha256.Sum256(nil)
	ok := legacyParts{Digest: sum[:], Signature: []byte("s")}
	for name, c := range map[string]struct {
		change func(*legacyParts)
		says   string
	}{
		"no signature":       {func(p *legacyParts) { p.Signature = nil }, "no signature"},
		"short digest":       {func(p *legacyParts) { p.Digest = p.Digest[:8] }, "SHA-256"},
		"bad certificate":    {func(p *legacyParts) { p.Certificate = []byte("nonsense") }, "certificate"},
		"log entry no JSON":  {func(p *legacyParts) { p.Rekor = []byte("{") }, "log entry"},
		"log id not hex":     {func(p *legacyParts) { p.Rekor = []byte(`{"Payload":{"logID":"x"}}`) }, "log id"},
		"log body no JSON":   {func(p *legacyParts) { p.Rekor = []byte(`{"Payload":{"logID":"00"}}`) }, "body"},
		"timestamp no JSON":  {func(p *legacyParts) { p.Timestamp = []byte(`{`) }, "timestamp"},
		"timestamp is empty": {func(p *legacyParts) { p.Timestamp = []byte(`{}`) }, "timestamp"},
	} {
		p := ok
		c.change(&p)
		if _, err := legacyBundle(p); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
	if _, err := legacyBundle(ok); err != nil {
		t.Errorf("the unchanged one: %v", err)
	}
}

// legacyJSON writes the log entry of a bundle as cosign kept it.
func legacyJSON(t *testing.T, b *protobundle.Bundle) []byte {
	t.Helper()
	e := b.GetVerificationMaterial().GetTlogEntries()[0]
	data, err := json.Marshal(object{"SignedEntryTimestamp": e.GetInclusionPromise().GetSignedEntryTimestamp(), "Payload": object{
		"body": e.GetCanonicalizedBody(), "integratedTime": e.GetIntegratedTime(), "logIndex": e.GetLogIndex(), "logID": hex.EncodeToString(e.GetLogId().GetKeyId())}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// legacyPEM is the signer's certificate of a bundle.
func legacyPEM(b *protobundle.Bundle) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.GetVerificationMaterial().GetCertificate().GetRawBytes()})
}

// TestCosignFiles verifies what cosign 1 and 2 wrote, made from bundles of today.
func TestCosignFiles(t *testing.T) {
	l := newLab(t)
	d := keyless(l.trust(true, false, true))
	key := newKey(t, "p256")
	fresh := l.bundle(order{artifact: labArtifact})
	keyed := l.bundle(order{artifact: labArtifact, key: key, keyed: true})
	keyDemand := byKey(t, key)
	keyDemand.Root = d.Root
	other := newLab(t).bundle(order{artifact: labArtifact})
	signature := func(b *protobundle.Bundle) string {
		return base64.StdEncoding.EncodeToString(b.GetMessageSignature().GetSignature())
	}
	cosign := func(b *protobundle.Bundle, cert []byte, rekor []byte) Evidence {
		data, err := json.Marshal(object{"base64Signature": signature(b), "cert": base64.StdEncoding.EncodeToString(cert), "rekorBundle": json.RawMessage(rekor)})
		if err != nil {
			t.Fatal(err)
		}
		return Evidence{Source: "orders.bundle", Data: data}
	}
	files := func(b *protobundle.Bundle) Evidence {
		return Evidence{Source: "orders.sig", Data: []byte(signature(b) + "\n"), Certificate: []byte(base64.StdEncoding.EncodeToString(legacyPEM(b)))}
	}
	wrong := files(fresh)
	wrong.Data = []byte(signature(other))
	raw := files(fresh)
	raw.Data, raw.Certificate = fresh.GetMessageSignature().GetSignature(), legacyPEM(fresh)
	someone := d
	someone.Identity = "someone"
	for name, c := range map[string]struct {
		ev     Evidence
		demand Demand
		status Status
		step   Step
	}{
		"bundle":                    {cosign(fresh, legacyPEM(fresh), legacyJSON(t, fresh)), d, Verified, ""},
		"bundle with a key":         {cosign(keyed, labPublicKey(t, key).Data, legacyJSON(t, keyed)), keyDemand, Verified, ""},
		"bundle with a key, no log": {cosign(keyed, labPublicKey(t, key).Data, []byte("null")), byKey(t, key), Verified, ""},
		"bundle of another key":     {cosign(keyed, labPublicKey(t, key).Data, []byte("null")), byKey(t, newKey(t, "p256")), Rejected, StepSignature},
		"bundle without log":        {cosign(fresh, legacyPEM(fresh), []byte("null")), d, Unverifiable, StepTime},
		"entry of another":          {cosign(fresh, legacyPEM(fresh), legacyJSON(t, keyed)), d, Rejected, StepLog},
		"no JSON":                   {Evidence{Data: []byte(`{"base64Signature":1}`)}, d, Rejected, StepParse},
		"no signature":              {Evidence{Data: []byte(`{"base64Signature":""}`)}, d, Rejected, StepParse},
		"files":                     {files(fresh), d, Unverifiable, StepTime},
		"files, raw and PEM":        {raw, d, Unverifiable, StepTime},
		"files, nobody demanded":    {files(fresh), Demand{Root: d.Root, Require: DefaultThresholds()}, Unverifiable, StepTime},
		"files, other signer":       {files(fresh), someone, Rejected, StepIdentity},
		"files, other signature":    {wrong, d, Rejected, StepSignature},
		"files, other authority":    {files(other), d, Rejected, StepChain},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, Request{Subject: labSubject(labArtifact), Demand: c.demand}, c.ev)
			if r.Status != c.status || r.Step != c.step || r.Reason == "" || r.Kind != KindSigstore {
				t.Errorf("%+v\nwant %s at %q", r, c.status, c.step)
			}
			if r.Step == StepTime && (r.Identity != labIdentity || !r.Claims.Empty()) {
				t.Errorf("the signer is not said, or something is claimed: %+v", r)
			}
		})
	}
	if r := ask(t, Request{Subject: labSubject([]byte("other")), Demand: d}, files(fresh)); r.Status != Rejected || r.Step != StepSignature {
		t.Errorf("other bytes: %+v", r)
	}
	known := &Subject{Name: "digest", Digests: map[string]string{"sha512": strings.Repeat("0", 128)}}
	for _, ev := range []Evidence{files(fresh), cosign(fresh, legacyPEM(fresh), legacyJSON(t, fresh))} {
		if r := ask(t, Request{Subject: known, Demand: d}, ev); r.Status != Unverifiable || r.Step != StepDigest {
			t.Errorf("only a digest of another kind: %+v", r)
		}
	}
}

// TestLegacyAttestation verifies a cosign attestation of an image layer: an
// envelope with the certificate and the log entry in annotations.
func TestLegacyAttestation(t *testing.T) {
	l := newLab(t)
	fresh := l.bundle(order{statement: statementAbout(labArtifact), stamp: true})
	env := fresh.GetDsseEnvelope()
	parts := legacyParts{Envelope: &Envelope{PayloadType: env.GetPayloadType(), Payload: env.GetPayload(), Signatures: []EnvelopeSignature{{Sig: env.GetSignatures()[0].GetSig()}}},
		Certificate: legacyPEM(fresh), Rekor: legacyJSON(t, fresh), Timestamp: fresh.GetVerificationMaterial().GetTimestampVerificationData().GetRfc3161Timestamps()[0].GetSignedTimestamp()}
	req := &Request{Subject: labSubject(labArtifact), Demand: keyless(l.trust(true, false, true))}
	if r := checkLegacy(req, parts, req.Subject); r.Status != Verified || r.Statement == nil || len(r.Times) != 2 {
		t.Errorf("%+v", r)
	}
}
