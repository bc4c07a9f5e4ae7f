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
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"
)

// keyOf is the key of a demand for a key pair.
func keyOf(t testing.TB, name string, pub crypto.PublicKey) Key {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return Key{Source: name, Data: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
}

// signer signs a message, and says how in its name.
type signer struct {
	name string
	pub  crypto.PublicKey
	sign func(message []byte) []byte
}

// signers has each way in which a key signs an envelope.
func signers(t testing.TB) []signer {
	t.Helper()
	must := func(sig []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	sum := func(h crypto.Hash, message []byte) []byte {
		w := h.New()
		w.Write(message)
		return w.Sum(nil)
	}
	var out []signer
	for _, c := range []struct {
		curve  elliptic.Curve
		hashes []crypto.Hash
	}{{elliptic.P256(), []crypto.Hash{crypto.SHA256}}, {elliptic.P384(), []crypto.Hash{crypto.SHA384, crypto.SHA256}}, {elliptic.P521(), []crypto.Hash{crypto.SHA512}}} {
		key, err := ecdsa.GenerateKey(c.curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range c.hashes {
			name := c.curve.Params().Name + " " + h.String()
			out = append(out, signer{name + " ASN.1", key.Public(), func(m []byte) []byte { return must(ecdsa.SignASN1(rand.Reader, key, sum(h, m))) }},
				signer{name + " P1363", key.Public(), func(m []byte) []byte {
					r, s, err := ecdsa.Sign(rand.Reader, key, sum(h, m))
					if err != nil {
						t.Fatal(err)
					}
					size := (c.curve.Params().BitSize + 7) / 8
					return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
				}})
		}
	}
	pub, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return append(out,
		signer{"Ed25519", pub, func(m []byte) []byte { return ed25519.Sign(ed, m) }},
		signer{"RSA PKCS #1", key.Public(), func(m []byte) []byte {
			return must(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum(crypto.SHA256, m)))
		}},
		signer{"RSA PSS", key.Public(), func(m []byte) []byte {
			return must(rsa.SignPSS(rand.Reader, key, crypto.SHA512, sum(crypto.SHA512, m), nil))
		}})
}

// envelope is a DSSE envelope with a signature by each signer, under "key-0", "key-1", ….
func envelope(t testing.TB, payloadType string, payload []byte, by ...signer) []byte {
	t.Helper()
	type signature struct {
		KeyID string `json:"keyid"`
		Sig   []byte `json:"sig"`
	}
	var sigs []signature
	for i, s := range by {
		sigs = append(sigs, signature{fmt.Sprintf("key-%d", i), s.sign(PAE(payloadType, payload))})
	}
	data, err := json.Marshal(map[string]any{"payloadType": payloadType, "payload": payload, "signatures": sigs})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// summaryStatement is a verification summary of the artifact of the tests.
func summaryStatement() []byte {
	return fmt.Appendf(nil, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"orders.zip","digest":{"sha256":%q}}],`+
		`"predicateType":"https://slsa.dev/verification_summary/v1","predicate":{"verifier":{"id":"https://acme.example/verifier"},`+
		`"timeVerified":"2026-11-28T00:00:00Z","resourceUri":"orders","policy":{"digest":{"sha256":%q}},"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_3"]}}`,
		strings.Repeat("11", 32), strings.Repeat("ab", 32))
}

func askEnvelope(t testing.TB, data []byte, d Demand) Outcome {
	t.Helper()
	out, err := Verify(context.Background(), Request{Subject: statementSubject(), Evidence: []Evidence{{Source: "e", Data: data}}, Demand: d, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEnvelopeAlgorithms(t *testing.T) {
	all := signers(t)
	for i, s := range all {
		t.Run(s.name, func(t *testing.T) {
			data := envelope(t, payloadInToto, summaryStatement(), s)
			out := askEnvelope(t, data, Demand{Keys: []Key{keyOf(t, "right", s.pub)}, VerifierID: "https://acme.example/verifier"})
			if out.Status != Verified || len(out.Results) != 2 || out.Results[1].Kind != KindSummary {
				t.Fatalf("%+v", out)
			}
			if r := out.Results[1]; r.Identity != Fingerprint(s.pub) || r.KeyID != "key-0" || r.Covers != "sha256:"+strings.Repeat("11", 32) {
				t.Errorf("who signed what is lost: %+v", r)
			}
			other := all[(i+4)%len(all)] // not the same key under another hash
			if out := askEnvelope(t, data, Demand{Keys: []Key{keyOf(t, "wrong", other.pub)}}); out.Status != Rejected || out.Results[0].Step != StepSignature {
				t.Errorf("under the key of %s: %+v", other.name, out)
			}
		})
	}
}

// TestEnvelopeDemands: which signature counts, and what is said when none does.
func TestEnvelopeDemands(t *testing.T) {
	all := signers(t)
	a, b, c := all[0], all[2], all[len(all)-1]
	keyA, keyB := keyOf(t, "a", a.pub), keyOf(t, "b", b.pub)
	expired := keyA
	expired.NotAfter = now.Add(-time.Hour)
	early := keyA
	early.NotBefore = now.Add(time.Hour)
	valid := keyA
	valid.NotBefore, valid.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
	weak, err := rsa.GenerateKey(weakReader{}, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weakSigner := signer{"weak", weak.Public(), func(m []byte) []byte {
		h := crypto.SHA256.New()
		h.Write(m)
		sig, err := rsa.SignPKCS1v15(rand.Reader, weak, crypto.SHA256, h.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}}
	text := summaryStatement()
	for _, c := range []struct {
		name   string
		data   []byte
		demand Demand
		want   Status
		step   Step
	}{
		{"one of two keys", envelope(t, payloadInToto, text, a), Demand{Keys: []Key{keyB, keyA}}, Verified, ""},
		{"one of two signatures", envelope(t, payloadInToto, text, c, a), Demand{Keys: []Key{keyA}}, Verified, ""},
		{"its key id", envelope(t, payloadInToto, text, c, a), Demand{Keys: []Key{keyA}, KeyID: "key-1"}, Verified, ""},
		{"the key id of another signature", envelope(t, payloadInToto, text, c, a), Demand{Keys: []Key{keyA}, KeyID: "key-0"}, Rejected, StepSignature},
		{"no such key id", envelope(t, payloadInToto, text, c, a), Demand{Keys: []Key{keyA}, KeyID: "key-2"}, Rejected, StepIdentity},
		{"a prefix of the key id", envelope(t, payloadInToto, text, a), Demand{Keys: []Key{keyA}, KeyID: "key-"}, Rejected, StepIdentity},
		{"no key", envelope(t, payloadInToto, text, a), Demand{}, Unverifiable, StepTrust},
		{"a key that is none", envelope(t, payloadInToto, text, a), Demand{Keys: []Key{{Source: "x", Data: []byte("x")}}}, Unverifiable, StepTrust},
		{"a key within its time", envelope(t, payloadInToto, text, a), Demand{Keys: []Key{valid}}, Verified, ""},
		{"a key after its time", envelope(t, payloadInToto, text, a), Demand{Keys: []Key{expired}}, Unverifiable, StepExpiry},
		{"a key before its time", envelope(t, payloadInToto, text, a), Demand{Keys: []Key{early}}, Unverifiable, StepExpiry},
		{"a weak key", envelope(t, payloadInToto, text, weakSigner), Demand{Keys: []Key{keyOf(t, "weak", weak.Public())}}, Unverifiable, StepTrust},
		{"another payload type", envelope(t, "text/plain", text, a), Demand{Keys: []Key{keyA}}, Unverifiable, StepParse},
		{"no statement", envelope(t, payloadInToto, []byte("{}"), a), Demand{Keys: []Key{keyA}}, Rejected, StepParse},
		{"other bytes", envelope(t, payloadInToto, bytes.ReplaceAll(text, []byte(strings.Repeat("11", 32)), []byte(strings.Repeat("12", 32))), a), Demand{Keys: []Key{keyA}}, Rejected, StepDigest},
		{"only a sha1", envelope(t, payloadInToto, bytes.Replace(text, []byte(`"sha256"`), []byte(`"sha1"`), 1), a), Demand{Keys: []Key{keyA}}, Unverifiable, StepDigest},
		{"no signature", []byte(`{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[]}`), Demand{Keys: []Key{keyA}}, Rejected, StepParse},
		{"a summary where provenance is demanded", envelope(t, payloadInToto, text, a), Demand{Keys: []Key{keyA}, Source: "https://github.com/acme/orders"}, Missing, StepFind},
		{"the demanded predicate type", envelope(t, payloadInToto, text, a), Demand{Keys: []Key{keyA}, Predicate: []string{"x", summaryV1}}, Verified, ""},
		{"another predicate type", envelope(t, payloadInToto, text, a), Demand{Keys: []Key{keyA}, Predicate: []string{summaryV1 + "/"}}, Missing, StepPredicate},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := askEnvelope(t, c.data, c.demand)
			var last Result
			for _, r := range out.Results {
				if r.Status == out.Status {
					last = r
				}
			}
			if out.Status != c.want || c.want != Verified && last.Step != c.step {
				t.Errorf("%s at %q, want %s at %q: %+v", out.Status, last.Step, c.want, c.step, out.Results)
			}
		})
	}
}

// weakReader is a source of randomness for a key that is never used again.
type weakReader struct{}

func (weakReader) Read(p []byte) (int, error) { return rand.Read(p) }

// TestEnvelopeMutations changes every byte of an envelope, one bit at a time. What
// is still verified must state the same about the same bytes, by the same key. The regions
// that an envelope leaves unsigned are named here.
func TestEnvelopeMutations(t *testing.T) {
	for _, s := range signers(t) {
		if s.name != "P-256 SHA-256 ASN.1" && s.name != "P-256 SHA-256 P1363" && s.name != "Ed25519" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			data := envelope(t, payloadInToto, summaryStatement(), s)
			demand := Demand{Keys: []Key{keyOf(t, "k", s.pub)}, VerifierID: "https://acme.example/verifier"}
			want := askEnvelope(t, data, demand)
			if want.Status != Verified {
				t.Fatalf("unchanged: %+v", want)
			}
			before := want.Results[1]
			for i := range data {
				for _, bit := range []byte{0x01, 0x20} { // another digit, the other case
					changed := bytes.Clone(data)
					changed[i] ^= bit
					out := askEnvelope(t, changed, demand)
					if out.Status != Verified {
						continue
					}
					region := unsignedRegion(data, i)
					if region == "" {
						t.Errorf("byte %d (%q to %q) is signed and was changed", i, data[i], changed[i])
					}
					after := out.Results[1]
					if after.Identity != before.Identity || after.Covers != before.Covers || renderResult(t, after) != renderResult(t, before) {
						t.Errorf("byte %d, in the %s, changed what is said: %+v", i, region, after)
					}
				}
			}
		})
	}
}

// unsignedRegion names the region of an envelope that holds a byte, when the
// signature does not cover it; "" when it does.
func unsignedRegion(data []byte, at int) string {
	inside := func(before, after string) bool {
		i := bytes.Index(data, []byte(before)) + len(before)
		j := i + bytes.Index(data[i:], []byte(after))
		return at >= i && at < j
	}
	last := func(before string) bool { // the last digit before the padding, of which some bits are not used
		i := bytes.Index(data, []byte(before)) + len(before)
		j := i + bytes.IndexAny(data[i:], `="`)
		return at == j-1 && data[j] == '='
	}
	switch {
	case inside(`"keyid":"`, `"`):
		return "key id"
	case inside(`[{"`, `"`):
		return "name of the key id"
	case last(`"payload":"`):
		return "unused bits of the payload's base64"
	case last(`"sig":"`):
		return "unused bits of the signature's base64"
	}
	return ""
}

func TestCloudBuildDocument(t *testing.T) {
	s := signers(t)[0]
	good := envelope(t, payloadInToto, summaryStatement(), s)
	doc := fmt.Appendf(nil, `{"image_summary":{"digest":"sha256:00"},"provenance_summary":{"provenance":[{"envelope":{"payload":"","payloadType":"","signatures":[]}},{"kind":"BUILD","envelope":%s}]}}`, good)
	demand := Demand{Keys: []Key{keyOf(t, "k", s.pub)}, VerifierID: "https://acme.example/verifier"}
	out := askEnvelope(t, doc, demand)
	if out.Status != Verified || len(out.Results) != 3 || out.Results[1].Source != "e, provenance 2" {
		t.Errorf("%+v", out)
	}
	for _, none := range []string{`{"provenance_summary":{}}`, `{"provenance_summary":{"provenance":[]}}`, `{"provenance_summary":{"provenance":[{}]}}`, `{"provenance_summary":7}`} {
		if out := askEnvelope(t, []byte(none), demand); out.Status == Verified {
			t.Errorf("%s is verified", none)
		}
	}
}

// TestStatementCovers: which subject is the artifact.
func TestStatementCovers(t *testing.T) {
	content := []byte("orders")
	s := &Subject{Name: "orders", Bytes: bytes.NewReader(content), Size: int64(len(content)), Also: map[string]string{"sha256:" + strings.Repeat("cd", 32): "image index"}}
	d256, _ := s.Digest("sha256")
	d512, _ := s.Digest("sha512")
	other := strings.Repeat("ef", 32)
	for _, c := range []struct {
		name     string
		subjects []map[string]string
		want     string
		err      error
	}{
		{"one", []map[string]string{{"sha256": d256}}, "sha256:" + d256, nil},
		{"upper case", []map[string]string{{"sha256": strings.ToUpper(d256)}}, "sha256:" + d256, nil},
		{"upper case algorithm", []map[string]string{{"SHA256": d256}}, "", errNoDigest},
		{"both algorithms", []map[string]string{{"sha512": d512, "sha256": d256}}, "sha256:" + d256, nil},
		{"one of two algorithms differs", []map[string]string{{"sha512": strings.Repeat("0", 128), "sha256": d256}}, "", errOtherBytes},
		{"the other one differs", []map[string]string{{"sha512": d512, "sha256": other}}, "", errOtherBytes},
		{"the second subject", []map[string]string{{"sha256": other}, {"sha512": d512}}, "sha512:" + d512, nil},
		{"one algorithm in each of two subjects", []map[string]string{{"sha256": d256, "sha512": strings.Repeat("0", 128)}, {"sha512": d512, "sha256": other}}, "", errOtherBytes},
		{"sha1 alone", []map[string]string{{"sha1": strings.Repeat("0", 40)}}, "", errNoDigest},
		{"empty", []map[string]string{{"sha256": ""}, {}, nil}, "", errNoDigest},
		{"a prefix", []map[string]string{{"sha256": d256[:63]}}, "", errOtherBytes},
		{"with a space", []map[string]string{{"sha256": d256 + " "}}, "", errOtherBytes},
		{"what it belongs to", []map[string]string{{"sha256": strings.Repeat("CD", 32), "sha512": strings.Repeat("0", 128)}}, "sha256:" + strings.Repeat("cd", 32), nil},
		{"an unknown algorithm beside", []map[string]string{{"gce_image_id": "7", "sha256": d256}}, "sha256:" + d256, nil},
	} {
		st := &Statement{}
		for _, set := range c.subjects {
			st.Subject = append(st.Subject, Descriptor{Digest: set})
		}
		for range 20 { // the order of a map must not matter
			got, err := st.covers(s)
			if got != c.want || (err == nil) != (c.err == nil) || c.err != nil && !strings.Contains(err.Error(), c.err.Error()) {
				t.Fatalf("%s: %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
			}
		}
	}
	for alg, want := range map[string]string{"gce_image_id": "gce_image_id:7", "gitCommit": "gitCommit:7", "sha1": "", "md5": "", "SHA-1": ""} {
		st := &Statement{Subject: []Descriptor{{Digest: map[string]string{alg: "7"}}}}
		if got, _ := st.covers(&Subject{Digests: map[string]string{alg: "7"}}); got != want {
			t.Errorf("given %s: %q, want %q", alg, got, want)
		}
	}
	if got, err := (&Statement{Subject: []Descriptor{{Digest: map[string]string{"sha256": d256}}}}).covers(&Subject{Digests: map[string]string{"sha512": d512}}); err == nil {
		t.Errorf("no digest in common, and it covers %s", got)
	}
}

func TestParseStatement(t *testing.T) {
	const ok = `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"00"}}],"predicateType":"t","predicate":{}}`
	if _, err := ParseStatement([]byte(ok)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{ok + "{}", "follows"}, {"[" + ok + "]", "object"}, {"", "EOF"}, {ok[:40], ""}, {strings.Replace(ok, "Statement/v1", "Statement/v2", 1), "unknown type"},
		{strings.Replace(ok, `"_type"`, `"_Type"`, 1), "unknown type"}, {strings.Replace(ok, `"subject"`, `"Subject"`, 1), "no subject"},
		{strings.Replace(ok, `"predicateType":"t"`, `"predicateType":""`, 1), "predicateType"}, {strings.Replace(ok, `"predicateType":"t"`, `"predicateType":7`, 1), "no text"},
		{strings.Replace(ok, `"predicateType":"t"`, `"predicateType":"t","predicateType":"u"`, 1), "twice"},
		{strings.Replace(ok, `"sha256":"00"`, `"sha256":"00","sha256":"01"`, 1), "twice"}, {strings.Replace(ok, `"sha256":"00"`, `"sha256":7`, 1), "no text"},
		{strings.Replace(ok, `[{"name":"a","digest":{"sha256":"00"}}]`, `[]`, 1), "no subject"}, {strings.Replace(ok, `[{"name":"a","digest":{"sha256":"00"}}]`, `{}`, 1), "no list"},
	} {
		if st, err := ParseStatement([]byte(c[0])); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %+v, %v; want an error that says %q", c[0], st, err, c[1])
		}
	}
	deep := strings.Repeat("[", 100000) + strings.Repeat("]", 100000)
	if _, err := decode([]byte(deep)); err == nil {
		t.Error("no bound on depth")
	}
	if _, err := decodeBase64(base64.StdEncoding.EncodeToString([]byte{0xfb, 0xff})); err != nil {
		t.Error(err)
	}
}
