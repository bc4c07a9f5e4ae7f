package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

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
