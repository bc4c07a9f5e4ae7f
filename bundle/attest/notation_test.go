package attest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/notation-core-go/signature/cose"
	"github.com/notaryproject/notation-core-go/signature/jws"
	notary "github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/tspclient-go"

	"github.com/fnaudit/fnaudit/bundle"
)

// notaryCA is a certificate with its key.
type notaryCA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// certify issues a certificate; by nobody means by itself.
func notaryCertify(t testing.TB, by *notaryCA, change func(*x509.Certificate)) *notaryCA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		Subject: pkix.Name{Country: []string{"US"}, Province: []string{"WA"}, Organization: []string{"Acme"}, CommonName: "signer"},
	}
	if by == nil {
		tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.KeyUsage = true, true, x509.KeyUsageCertSign
		tmpl.Subject.CommonName = "root"
	} else {
		tmpl.KeyUsage, tmpl.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	}
	if change != nil {
		change(tmpl)
	}
	parent, signer := tmpl, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &notaryCA{cert, key}
}

// noon is when everything in these tests is signed and verified.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// theImage is what is signed in these tests.
func theImage() *Subject {
	return &Subject{Name: "image", Digests: map[string]string{"sha256": strings.Repeat("1", 64)}, Size: 481, MediaType: "application/vnd.oci.image.manifest.v1+json"}
}

// notaryLab makes signatures of the Notary Project, and who trusts them.
type notaryLab struct {
	t      testing.TB
	dir    string
	root   *notaryCA
	signer *notaryCA
}

func newNotary(t testing.TB) *notaryLab {
	l := &notaryLab{t: t, dir: t.TempDir()}
	l.root = notaryCertify(t, nil, nil)
	l.signer = notaryCertify(t, l.root, nil)
	l.trust("ca", "acme", l.root)
	return l
}

func (l *notaryLab) trust(kind, name string, who *notaryCA) {
	l.t.Helper()
	dir := filepath.Join(l.dir, "truststore", "x509", kind, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "root.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: who.cert.Raw}), 0o666); err != nil {
		l.t.Fatal(err)
	}
}

// policy writes a trust policy of one statement, as given in JSON.
func (l *notaryLab) policy(change func(statement map[string]any)) string {
	l.t.Helper()
	st := map[string]any{
		"name": "release", "registryScopes": []string{"*"}, "trustStores": []string{"ca:acme"}, "trustedIdentities": []string{"x509.subject: C=US, ST=WA, O=Acme"},
		"signatureVerification": map[string]any{"level": "strict"},
	}
	if change != nil {
		change(st)
	}
	b, err := json.Marshal(map[string]any{"version": "1.0", "trustPolicies": []any{st}})
	if err != nil {
		l.t.Fatal(err)
	}
	name := filepath.Join(l.dir, "trustpolicy.json")
	if err := os.WriteFile(name, b, 0o666); err != nil {
		l.t.Fatal(err)
	}
	return name
}

// sign signs an image's descriptor.
func (l *notaryLab) sign(kind string, change func(*signature.SignRequest)) []byte {
	l.t.Helper()
	s := theImage()
	payload, err := json.Marshal(map[string]any{"targetArtifact": map[string]any{"mediaType": s.MediaType, "digest": "sha256:" + s.Digests["sha256"], "size": s.Size}})
	if err != nil {
		l.t.Fatal(err)
	}
	signer, err := signature.NewLocalSigner([]*x509.Certificate{l.signer.cert, l.root.cert}, l.signer.key)
	if err != nil {
		l.t.Fatal(err)
	}
	req := &signature.SignRequest{Payload: signature.Payload{ContentType: notationPayload, Content: payload}, Signer: signer,
		SigningTime: noon, SigningScheme: signature.SigningSchemeX509, SigningAgent: "test"}
	if change != nil {
		change(req)
	}
	env, err := signature.NewEnvelope(kind)
	if err != nil {
		l.t.Fatal(err)
	}
	out, err := env.Sign(req)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

// check verifies an envelope and returns its result.
func (l *notaryLab) check(envelope []byte, change func(*Request)) Result {
	l.t.Helper()
	req := Request{Subject: theImage(), Evidence: []Evidence{{Source: "sig", Data: envelope}}, Now: noon,
		Demand: Demand{NotationPolicy: filepath.Join(l.dir, "trustpolicy.json"), Require: DefaultThresholds()}}
	if change != nil {
		change(&req)
	}
	out, err := Verify(context.Background(), req)
	if err != nil {
		l.t.Fatal(err)
	}
	r := out.Results[0]
	if r.Kind != KindNotation || out.Status != r.Status {
		l.t.Fatalf("%s, %+v", out.Status, r)
	}
	return r
}

func statement(key string, value any) func(map[string]any) {
	return func(st map[string]any) { st[key] = value }
}

func level(name string, override map[string]any) func(map[string]any) {
	v := map[string]any{"level": name}
	if override != nil {
		v["override"] = override
	}
	return statement("signatureVerification", v)
}

// TestNotation signs and verifies, with one thing changed each time.
func TestNotation(t *testing.T) {
	attribute := func(key string, critical bool, value any) func(*signature.SignRequest) {
		return func(r *signature.SignRequest) {
			r.ExtendedSignedAttributes = append(r.ExtendedSignedAttributes, signature.Attribute{Key: key, Critical: critical, Value: value})
		}
	}
	subject := func(change func(*Subject)) func(*Request) { return func(r *Request) { change(r.Subject) } }
	expiry := func(r *signature.SignRequest) { r.Expiry = noon.Add(time.Minute) }
	at := func(d time.Duration) func(*Request) { return func(r *Request) { r.Now = noon.Add(d) } }
	index := bundle.ManifestRef{Digest: bundle.Digest("sha256:" + strings.Repeat("1", 64)), MediaType: "application/vnd.oci.image.index.v1+json", Size: 700}
	for name, c := range map[string]struct {
		policy func(map[string]any)
		sign   func(*signature.SignRequest)
		ask    func(*Request)
		status Status
		step   Step
		says   string
	}{
		"right": {status: Verified, says: `"release"`},

		"another digest":     {ask: subject(func(s *Subject) { s.Digests["sha256"] = strings.Repeat("2", 64) }), status: Rejected, step: StepDigest, says: "another image"},
		"another media type": {ask: subject(func(s *Subject) { s.MediaType = "application/vnd.docker.distribution.manifest.v2+json" }), status: Rejected, step: StepDigest, says: "media type or size"},
		"another size":       {ask: subject(func(s *Subject) { s.Size++ }), status: Rejected, step: StepDigest, says: "media type or size"},
		"only a digest":      {ask: subject(func(s *Subject) { s.Size, s.MediaType = 0, "" }), status: Unverifiable, step: StepDigest, says: "--descriptor"},
		"no digest":          {ask: subject(func(s *Subject) { s.Digests = map[string]string{"sha512": "00"} }), status: Unverifiable, step: StepDigest},
		"another payload":    {sign: func(r *signature.SignRequest) { r.Payload.ContentType = "application/json" }, status: Rejected, step: StepParse},
		"the index of the image": {
			sign: func(r *signature.SignRequest) {
				r.Payload.Content = []byte(strings.NewReplacer("481", "700", "image.manifest", "image.index").Replace(string(r.Payload.Content)))
			},
			ask: subject(func(s *Subject) {
				s.Digests["sha256"], s.Indexes = strings.Repeat("2", 64), []bundle.ManifestRef{index}
			}), status: Verified},

		"another trust store":             {policy: statement("trustStores", []string{"ca:other"}), status: Rejected, step: StepChain, says: "trust store"},
		"another trust store, audited":    {policy: both(statement("trustStores", []string{"ca:other"}), level("audit", nil)), status: Rejected, step: StepChain},
		"a trust store that is not there": {policy: statement("trustStores", []string{"ca:none"}), status: Unverifiable, step: StepTrust, says: "does not exist"},
		"a trust store of another kind":   {policy: statement("trustStores", []string{"signingAuthority:acme"}), status: Unverifiable, step: StepTrust},
		"another identity":                {policy: statement("trustedIdentities", []string{"x509.subject: C=US, ST=WA, O=Evil"}), status: Rejected, step: StepIdentity, says: "trusted identities"},
		"another identity, audited":       {policy: both(statement("trustedIdentities", []string{"x509.subject: C=US, ST=WA, O=Evil"}), level("audit", nil)), status: Rejected, step: StepIdentity},
		"any identity":                    {policy: statement("trustedIdentities", []string{"*"}), status: Verified},
		"skipped": {policy: func(st map[string]any) {
			level("skip", nil)(st)
			delete(st, "trustStores")
			delete(st, "trustedIdentities")
		}, status: Unverifiable, step: StepPolicy, says: "skips"},
		"permissive": {policy: level("permissive", nil), status: Verified},

		"not expired":                   {sign: expiry, status: Verified},
		"expired":                       {sign: expiry, ask: at(2 * time.Minute), status: Rejected, step: StepExpiry},
		"expired, and that only logged": {policy: level("permissive", nil), sign: expiry, ask: at(2 * time.Minute), status: Verified},
		"certificate expired":           {ask: at(2 * time.Hour), status: Unverifiable, step: StepTime, says: "expired"},
		"certificate expired, and that only logged": {policy: level("strict", map[string]any{"authenticTimestamp": "log"}), ask: at(2 * time.Hour), status: Verified},
		"certificate not valid yet":                 {ask: at(-2 * time.Hour), status: Rejected, step: StepChain, says: "not valid yet"},

		"a plug-in":            {sign: attribute(notary.HeaderVerificationPlugin, true, "com.example.plugin"), status: Unverifiable, step: StepPlugin, says: "com.example.plugin"},
		"AWS Signer's plug-in": {sign: attribute(notary.HeaderVerificationPlugin, true, awsPlugin), status: Unverifiable, step: StepPlugin, says: "AWS Signer"},
		"an unknown attribute": {sign: attribute("com.example.must", true, "x"), status: Unverifiable, step: StepPlugin, says: "com.example.must"},

		"no policy":           {ask: func(r *Request) { r.Demand.NotationPolicy = "" }, status: Unverifiable, step: StepTrust, says: "--notation-policy"},
		"policy not there":    {ask: func(r *Request) { r.Demand.NotationPolicy += "x" }, status: Unverifiable, step: StepPolicy},
		"policy with a typo":  {policy: statement("trustedIdentity", "x"), status: Unverifiable, step: StepPolicy, says: "trustedIdentity"},
		"policy not valid":    {policy: statement("trustedIdentities", []string{}), status: Unverifiable, step: StepPolicy},
		"no such repository":  {policy: statement("registryScopes", []string{"registry.example/app"}), status: Unverifiable, step: StepPolicy, says: "--notation-scope"},
		"another repository":  {policy: statement("registryScopes", []string{"registry.example/app"}), ask: subject(func(s *Subject) { s.Repository = "registry.example/other" }), status: Unverifiable, step: StepPolicy, says: "registry.example/other"},
		"pulled from there":   {policy: statement("registryScopes", []string{"registry.example/app"}), ask: subject(func(s *Subject) { s.Repository = "registry.example/app" }), status: Verified},
		"said to be of there": {policy: statement("registryScopes", []string{"registry.example/app"}), ask: func(r *Request) { r.Demand.NotationScope = "registry.example/app" }, status: Verified},

		"a demanded identity":  {ask: func(r *Request) { r.Demand.Identity = "CN=signer,O=Acme,ST=WA,C=US" }, status: Verified},
		"another demanded one": {ask: func(r *Request) { r.Demand.Identity = "CN=signer" }, status: Rejected, step: StepIdentity},
		"a pattern":            {ask: func(r *Request) { r.Demand.IdentityRegexp = "CN=[a-z]+,O=Acme,.*" }, status: Verified},
		"another pattern":      {ask: func(r *Request) { r.Demand.IdentityRegexp = "O=Acme" }, status: Rejected, step: StepIdentity},
		"another issuer":       {ask: func(r *Request) { r.Demand.Issuer = "CN=other" }, status: Rejected, step: StepIssuer},
		"a log":                {ask: func(r *Request) { r.Demand.Require.Log = 1 }, status: Rejected, step: StepLog},
		"a clock":              {ask: func(r *Request) { r.Demand.Require.SignedTimestamps = 1 }, status: Rejected, step: StepTime},
	} {
		for _, kind := range []string{jws.MediaTypeEnvelope, cose.MediaTypeEnvelope} {
			t.Run(name+", "+kind, func(t *testing.T) {
				l := newNotary(t)
				l.trust("ca", "other", notaryCertify(t, nil, nil))
				l.policy(c.policy)
				r := l.check(l.sign(kind, c.sign), c.ask)
				if r.Status != c.status || r.Step != c.step || !strings.Contains(r.Reason, c.says) {
					t.Errorf("%s at %q: %s; want %s at %q: %s", r.Status, r.Step, r.Reason, c.status, c.step, c.says)
				}
				if r.Status == Verified && (r.Covers != "sha256:"+strings.Repeat("1", 64) || r.Identity != "CN=signer,O=Acme,ST=WA,C=US" || r.Issuer != "CN=root,O=Acme,ST=WA,C=US" || len(r.Times) != 1) {
					t.Errorf("%+v", r)
				}
				if !strings.Contains(strings.Join(r.Notes, "\n"), notRevocation) {
					t.Errorf("notes %q", r.Notes)
				}
			})
		}
	}
}

func both(a, b func(map[string]any)) func(map[string]any) {
	return func(st map[string]any) { a(st); b(st) }
}

// TestNotationRevocation demands that servers named by certificates are never
// asked, and that a policy that insists on an answer is not taken to have one.
func TestNotationRevocation(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer srv.Close()
	l := newNotary(t)
	l.signer = notaryCertify(t, l.root, func(c *x509.Certificate) {
		c.OCSPServer, c.CRLDistributionPoints, c.IssuingCertificateURL = []string{srv.URL}, []string{srv.URL}, []string{srv.URL}
	})
	envelope := l.sign(jws.MediaTypeEnvelope, nil)
	for action, want := range map[string]Status{"enforce": Unverifiable, "log": Verified, "skip": Verified} {
		l.policy(level("strict", map[string]any{"revocation": action}))
		if r := l.check(envelope, nil); r.Status != want || want != Verified && r.Step != StepRevocation {
			t.Errorf("%s: %s at %q: %s", action, r.Status, r.Step, r.Reason)
		}
	}
	if asked != 0 {
		t.Errorf("%d requests", asked)
	}
}

// stamper is a timestamp notaryCA.
type stamper struct {
	who *notaryCA
	at  time.Time
}

func (s *stamper) Timestamp(_ context.Context, req *tspclient.Request) (*tspclient.Response, error) {
	ts := timestamp.Timestamp{HashAlgorithm: crypto.SHA256, HashedMessage: req.MessageImprint.HashedMessage, Time: s.at, Nonce: req.Nonce,
		Policy: asn1.ObjectIdentifier{1, 2, 3}, Accuracy: time.Second, AddTSACertificate: true}
	der, err := ts.CreateResponseWithOpts(s.who.cert, s.who.key, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	resp := new(tspclient.Response)
	return resp, resp.UnmarshalBinary(der)
}

// TestNotationTimestamp verifies after the certificate has expired, by the word
// of a timestamp notaryCA.
func TestNotationTimestamp(t *testing.T) {
	later := noon.AddDate(1, 0, 0)
	long := func(c *x509.Certificate) { c.NotAfter = later.AddDate(10, 0, 0) }
	l := newNotary(t)
	tsaRoot := notaryCertify(t, nil, long)
	critical, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	tsa := notaryCertify(t, tsaRoot, func(c *x509.Certificate) {
		long(c)
		c.Subject.CommonName, c.ExtKeyUsage = "clock", nil
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: critical}}
		c.CRLDistributionPoints = []string{"http://127.0.0.1:1/crl"}
	})
	l.trust("tsa", "clock", tsaRoot)
	l.trust("tsa", "other", notaryCertify(t, nil, long))
	pool := x509.NewCertPool()
	pool.AddCert(tsaRoot.cert)
	stamped := func(at time.Time) []byte {
		return l.sign(jws.MediaTypeEnvelope, func(r *signature.SignRequest) {
			r.Timestamper, r.TSARootCAs = &stamper{tsa, at}, pool
		})
	}
	good := stamped(noon.Add(time.Minute))
	policy := func(store, revocation, when string) func(map[string]any) {
		v := map[string]any{"level": "strict", "override": map[string]any{"revocation": revocation}}
		if when != "" {
			v["verifyTimestamp"] = when
		}
		return both(statement("trustStores", []string{"ca:acme", store}), statement("signatureVerification", v))
	}
	for name, c := range map[string]struct {
		envelope []byte
		policy   func(map[string]any)
		now      time.Time
		status   Status
		step     Step
	}{
		"while the certificate is valid":             {good, policy("tsa:clock", "skip", ""), noon, Verified, ""},
		"after it":                                   {good, policy("tsa:clock", "skip", ""), later, Verified, ""},
		"after it, if it has expired":                {good, policy("tsa:clock", "skip", "afterCertExpiry"), later, Verified, ""},
		"another authority":                          {good, policy("tsa:other", "skip", ""), later, Rejected, StepTime},
		"another authority that is not asked":        {good, policy("tsa:other", "skip", "afterCertExpiry"), noon, Verified, ""},
		"signed after the certificate expired":       {stamped(noon.Add(2 * time.Hour)), policy("tsa:clock", "skip", ""), later, Rejected, StepTime},
		"no timestamp":                               {l.sign(jws.MediaTypeEnvelope, nil), policy("tsa:clock", "skip", ""), noon, Rejected, StepTime},
		"a policy that insists on revocation":        {good, policy("tsa:clock", "enforce", ""), later, Unverifiable, StepRevocation},
		"an authority that the policy does not name": {good, level("strict", nil), later, Unverifiable, StepTime},
	} {
		t.Run(name, func(t *testing.T) {
			l.policy(c.policy)
			r := l.check(c.envelope, func(r *Request) { r.Now = c.now })
			if r.Status != c.status || r.Step != c.step {
				t.Errorf("%s at %q: %s; want %s at %q", r.Status, r.Step, r.Reason, c.status, c.step)
			}
			if c.status == Verified && c.now.Equal(later) && (!r.Times[0].At.Equal(noon.Add(time.Minute)) || !strings.Contains(r.Times[0].Clock, "CN=clock")) {
				t.Errorf("times %v", r.Times)
			}
		})
	}
}

// TestNotationAuthority verifies the scheme in which the signer vouches for the time.
func TestNotationAuthority(t *testing.T) {
	l := newNotary(t)
	l.trust("signingAuthority", "acme", l.root)
	l.policy(statement("trustStores", []string{"signingAuthority:acme"}))
	envelope := l.sign(cose.MediaTypeEnvelope, func(r *signature.SignRequest) { r.SigningScheme = signature.SigningSchemeX509SigningAuthority })
	r := l.check(envelope, func(r *Request) { r.Now = noon.AddDate(1, 0, 0) })
	if r.Status != Verified || len(r.Times) != 1 || r.Times[0].Clock != "signing authority" {
		t.Errorf("%s: %s, %v", r.Status, r.Reason, r.Times)
	}
	l.policy(nil) // a store for other signers
	if r := l.check(envelope, nil); r.Status == Verified {
		t.Errorf("%+v", r)
	}
}

// TestNotationMutation flips a bit of every byte of an envelope. What is verified
// all the same must say the same. Not signed are: the name of the signing agent,
// a timestamp that is not asked for, white space and names of the JSON, and bits
// that base64 does not use.
func TestNotationMutation(t *testing.T) {
	for _, kind := range []string{jws.MediaTypeEnvelope, cose.MediaTypeEnvelope} {
		t.Run(kind, func(t *testing.T) {
			l := newNotary(t)
			l.policy(nil)
			good := l.sign(kind, nil)
			want := l.check(good, nil)
			if want.Status != Verified {
				t.Fatal(want.Reason)
			}
			format := FormatJWS
			if kind == cose.MediaTypeEnvelope {
				format = FormatCOSE
			}
			survived := 0
			for i := range good {
				bad := bytes.Clone(good)
				bad[i] ^= 1 << (i % 8)
				r := l.check(nil, func(r *Request) { r.Evidence = []Evidence{{Source: "sig", Format: format, Data: bad}} })
				if r.Status != Verified {
					continue
				}
				survived++
				if r.Identity != want.Identity || r.Covers != want.Covers || r.Issuer != want.Issuer || !reflect.DeepEqual(r.Times, want.Times) {
					t.Errorf("byte %d: %+v", i, r)
				}
			}
			if survived > len(good)/20 {
				t.Errorf("%d of %d changes do not matter", survived, len(good))
			}
		})
	}
}

// FuzzNotation demands of any envelope that it is not verified, unless it says
// what the genuine one says.
func FuzzNotation(f *testing.F) {
	l := newNotary(f)
	l.policy(nil)
	f.Add([]byte(`{"payload":"e30","protected":"e30","header":{"x5c":[]},"signature":"AA"}`), false)
	f.Add([]byte("\xd2\x84\x40\xa0\x40\x40"), true)
	f.Add(l.sign(jws.MediaTypeEnvelope, nil), false)
	f.Add(l.sign(cose.MediaTypeEnvelope, nil), true)
	f.Fuzz(func(t *testing.T, data []byte, binary bool) {
		format := FormatJWS
		if binary {
			format = FormatCOSE
		}
		req := &Request{Subject: theImage(), Now: noon, Demand: Demand{NotationPolicy: filepath.Join(l.dir, "trustpolicy.json"), Require: DefaultThresholds()}}
		for _, r := range verifyNotation(context.Background(), req, Evidence{Data: data, Format: format}) {
			if r.Status == Verified && (r.Covers != "sha256:"+strings.Repeat("1", 64) || r.Identity != "CN=signer,O=Acme,ST=WA,C=US") {
				t.Fatalf("%+v", r)
			}
			if r.Status != Verified && (r.Step == "" || r.Reason == "") {
				t.Fatalf("no reason: %+v", r)
			}
		}
	})
}
