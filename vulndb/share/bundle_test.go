package share

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// messageBundle is a bundle as `cosign sign-blob --key --bundle` writes it,
// without a log entry.
func messageBundle(t *testing.T, s *Signer, b []byte) string {
	t.Helper()
	sig, err := s.sign(whole(b))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`{"mediaType":%q,"verificationMaterial":{"publicKey":{"hint":"x"},"tlogEntries":[]},"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":%q},"signature":%q}}`,
		mediaBundle, text(sum[:]), text(sig))
}

// statementBundle is a bundle as `cosign sign --key` attaches it to an image.
func statementBundle(t *testing.T, s *Signer, predicate string, digests ...string) string {
	t.Helper()
	var subjects []string
	for _, d := range digests {
		subjects = append(subjects, fmt.Sprintf(`{"digest":{"sha256":%q}}`, strings.TrimPrefix(d, "sha256:")))
	}
	payload := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[%s],"predicateType":%q,"predicate":{}}`, strings.Join(subjects, ","), predicate)
	sig, err := s.sign(whole([]byte(fmt.Sprintf("DSSEv1 28 application/vnd.in-toto+json %d %s", len(payload), payload))))
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`{"mediaType":%q,"verificationMaterial":{"publicKey":{"hint":"x"}},"dsseEnvelope":{"payload":%q,"payloadType":"application/vnd.in-toto+json","signatures":[{"sig":%q}]}}`,
		mediaBundle, text([]byte(payload)), text(sig))
}

func TestFileBundle(t *testing.T) {
	signers := keys(t)
	file := []byte("the bytes of a store")
	for name, key := range signers {
		good := messageBundle(t, key, file)
		other := signers["P-256"]
		if key == other {
			other = signers["P-384"]
		}
		for what, c := range map[string]struct {
			text, want string
		}{
			"as it is":                              {good, ""},
			"with a line end":                       {" " + good + "\n", ""},
			"older version":                         {strings.Replace(good, mediaBundle, "application/vnd.dev.sigstore.bundle+json;version=0.2", 1), ""},
			"another key":                           {messageBundle(t, other, file), "not by this key"},
			"another file":                          {messageBundle(t, key, []byte("another")), "another file"},
			"another file, with the digest of this": {strings.Replace(messageBundle(t, key, []byte("another")), digest64([]byte("another")), digest64(file), 1), "not by this key"},
			"another digest kind":                   {strings.Replace(good, "SHA2_256", "SHA2_512", 1), "SHA2_512"},
			"newer version":                         {strings.Replace(good, "v0.3", "v9", 1), "is not that of a Sigstore bundle"},
			"cosign 2's":                            {`{"base64Signature":"x","cert":"y"}`, "cosign 1 and 2"},
			"keyless":                               {strings.Replace(good, `"publicKey":{"hint":"x"}`, `"certificate":{"rawBytes":"AAAA"}`, 1), "with a certificate"},
			"no signature":                          {`{"mediaType":"` + mediaBundle + `"}`, "no signature"},
			"an attestation":                        {statementBundle(t, key, predicateSign, digestOf(file)), "attestation"},
			"broken":                                {good[:100], "not the JSON"},
			"too long":                              {good + strings.Repeat(" ", MaxSignature), "over"},
		} {
			digest, err := VerifyFile(key.Verifier(), bytes.NewReader(file), []byte(c.text))
			if c.want == "" && (err != nil || digest != digestOf(file)) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s, %s: %q, %v, want %q", name, what, digest, err, c.want)
			}
		}
	}
}

func digest64(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// attach makes a bundle refer to a manifest, as cosign 3 does.
func (m *memory) attach(t *testing.T, subject, bundle string) {
	t.Helper()
	b, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": mediaManifest, "artifactType": mediaBundle,
		"config":  descriptor{MediaType: mediaEmpty, Digest: digestOf([]byte(emptyConfig)), Size: 2},
		"layers":  []descriptor{{MediaType: mediaBundle, Digest: digestOf([]byte(bundle)), Size: int64(len(bundle))}},
		"subject": descriptor{MediaType: mediaManifest, Digest: subject},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.manifests[digestOf(b)], m.blobs[digestOf([]byte(bundle))] = b, []byte(bundle)
}

func TestArtifactBundle(t *testing.T) {
	signers := keys(t)
	key, other := signers["P-256"], signers["Ed25519"]
	reg := newMemory()
	p := push(t, store(t, "2.0", day(1)), reg, PushOptions{})
	body := reg.manifests[p.Digest]
	zero := "sha256:" + strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		key     *Signer
		bundles []string
		want    string
	}{
		"none":                 {key, nil, "is not signed"},
		"a statement":          {key, []string{statementBundle(t, key, predicateSign, p.Digest)}, ""},
		"by Ed25519":           {other, []string{statementBundle(t, other, predicateSign, p.Digest)}, ""},
		"of several":           {key, []string{statementBundle(t, key, predicateSign, zero, p.Digest)}, ""},
		"over the bytes":       {key, []string{messageBundle(t, key, body)}, ""},
		"after others":         {key, []string{"{}", statementBundle(t, other, predicateSign, p.Digest), statementBundle(t, key, predicateSign, p.Digest)}, ""},
		"another key":          {key, []string{statementBundle(t, other, predicateSign, p.Digest)}, "none of the 1 signatures"},
		"about something else": {key, []string{statementBundle(t, key, predicateSign, zero)}, "none of the 1 signatures"},
		"another statement":    {key, []string{statementBundle(t, key, "https://slsa.dev/provenance/v1", p.Digest)}, "none of the 1 signatures"},
		"nothing":              {key, []string{statementBundle(t, key, predicateSign)}, "none of the 1 signatures"},
		"over other bytes":     {key, []string{messageBundle(t, key, []byte("x"))}, "none of the 1 signatures"},
		"too large":            {key, []string{strings.Repeat("x", MaxSignature+1)}, "none of the 1 signatures"},
	} {
		t.Run(name, func(t *testing.T) {
			m := reg.clone()
			for _, b := range c.bundles {
				m.attach(t, p.Digest, b)
			}
			_, err := pull(t.TempDir(), m, PullOptions{Verifier: c.key.Verifier()})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
