package audit

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/integrity"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// buildLab is a Sigstore instance in memory whose authority certifies builds, with
// a clock and without a log, and a registry that hands out what it attests.
type buildLab struct {
	t     *testing.T
	vs    *ca.VirtualSigstore
	root  attest.Root
	chain []*x509.Certificate // root, intermediate
	key   *ecdsa.PrivateKey   // of the intermediate
	npm   *ecdsa.PrivateKey   // of the registry
	reg   *registry.Client
	gone  bool              // the registry hands out nothing
	lists map[string]string // path -> answer
}

func newBuildLab(t *testing.T) *buildLab {
	l := &buildLab{t: t, lists: map[string]string{}}
	var err error
	l.vs, err = ca.NewVirtualSigstore()
	l.check(err)
	rootCert, rootKey, err := ca.GenerateRootCa()
	l.check(err)
	middle, key, err := ca.GenerateFulcioIntermediate(rootCert, rootKey)
	l.check(err)
	l.chain, l.key = []*x509.Certificate{rootCert, middle}, key
	l.npm, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	l.check(err)
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01, []root.CertificateAuthority{&root.FulcioCertificateAuthority{Root: rootCert,
		Intermediates: []*x509.Certificate{middle}, URI: "https://ca.example", ValidityPeriodStart: time.Now().Add(-time.Hour), ValidityPeriodEnd: time.Now().Add(time.Hour)}},
		nil, l.vs.TimestampingAuthorities(), nil)
	l.check(err)
	text, err := trusted.MarshalJSON()
	l.check(err)
	l.root, err = attest.ParseRoot("lab root", text)
	l.check(err)

	server := httptest.NewTLSServer(http.HandlerFunc(l.answer))
	t.Cleanup(server.Close)
	l.reg = &registry.Client{Dir: t.TempDir(), Online: true, HTTP: server.Client(), Config: registry.ReadConfig(registry.Environment{Getenv: func(name string) string {
		return map[string]string{"npm_config_registry": server.URL, "PIP_INDEX_URL": server.URL + "/simple"}[name]
	}})}
	return l
}

func (l *buildLab) check(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *buildLab) answer(w http.ResponseWriter, r *http.Request) {
	if l.gone {
		http.Error(w, "gone", http.StatusTeapot)
		return
	}
	if r.URL.Path == "/-/npm/v1/keys" {
		der, err := x509.MarshalPKIXPublicKey(l.npm.Public())
		if err != nil {
			l.t.Error(err)
		}
		fmt.Fprintf(w, `{"keys":[{"keyid":"lab","keytype":"ecdsa-sha2-nistp256","scheme":"ecdsa-sha2-nistp256","key":%q,"expires":null}]}`, base64.StdEncoding.EncodeToString(der))
		return
	}
	body, ok := l.lists[r.URL.EscapedPath()]
	if !ok {
		http.NotFound(w, r)
		return
	}
	io.WriteString(w, body)
}

// certificate is of a build of a repository.
func (l *buildLab) certificate(pub crypto.PublicKey, repository string) *x509.Certificate {
	workflow := repository + "/.github/workflows/release.yml@refs/tags/v1"
	san, err := url.Parse(workflow)
	l.check(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(9 * time.Minute), URIs: []*url.URL{san},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}
	for n, text := range map[int]string{8: "https://token.actions.githubusercontent.com", 12: repository, 13: "abc123", 14: "refs/tags/v1", 18: workflow} {
		value, err := asn1.MarshalWithParams(text, "utf8")
		l.check(err)
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, n}, Value: value})
	}
	der, err := x509.CreateCertificate(rand.Reader, template, l.chain[1], pub, l.key)
	l.check(err)
	cert, err := x509.ParseCertificate(der)
	l.check(err)
	return cert
}

// bundle is an attestation that a build of a repository made the archive.
func (l *buildLab) bundle(repository, subject string, archive []byte) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	l.check(err)
	statement := fmt.Appendf(nil, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":%q,"digest":{"sha512":"%x"}}],"predicateType":"https://slsa.dev/provenance/v1",
		"predicate":{"buildDefinition":{"externalParameters":{"workflow":{"repository":%q,"path":".github/workflows/release.yml"}}},"runDetails":{"builder":{"id":"https://builder.example"}}}}`,
		subject, sha512.Sum512(archive), repository)
	sum := sha256.Sum256(attest.PAE("application/vnd.in-toto+json", statement))
	sig, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	l.check(err)
	stamp, err := l.vs.TimestampResponse(sig)
	l.check(err)
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{"rawBytes":%q},"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":%q}]}},`+
		`"dsseEnvelope":{"payload":%q,"payloadType":"application/vnd.in-toto+json","signatures":[{"sig":%q}]}}`,
		text(l.certificate(key.Public(), repository).Raw), text(stamp), text(statement), text(sig))
}

// attests makes the registry hand out an attestation of a version.
func (l *buildLab) attests(name, version, bundle string) {
	l.lists["/-/npm/v1/attestations/"+strings.Replace(name, "/", "%2f", 1)+"@"+version] = `{"attestations":[{"predicateType":"x","bundle":` + bundle + `}]}`
}

// version is a published version of a package.
func (l *buildLab) version(name, version, repository string, signed []byte) registry.Version {
	sum := sha512.Sum512([]byte(name + version))
	v := registry.Version{Version: version, Publisher: "ci", Repository: repository, Attested: registry.Known, Integrity: map[string]string{"sha512": fmt.Sprintf("%x", sum)}}
	over := sha512.Sum512(signed)
	digest := sha256.Sum256([]byte(name + "@" + version + ":sha512-" + base64.StdEncoding.EncodeToString(over[:])))
	sig, err := l.npm.Sign(rand.Reader, digest[:], crypto.SHA256)
	l.check(err)
	v.Signatures = []registry.Signature{{KeyID: "lab", Signature: base64.StdEncoding.EncodeToString(sig)}}
	return v
}

// TestAttestation plants one case for each rule in a registry, and asks about all of them.
func TestAttestation(t *testing.T) {
	l := newBuildLab(t)
	const here, elsewhere = "https://github.com/acme/x", "https://github.com/eve/x"
	s := &Subject{SBOM: &sbom.SBOM{}, Standings: map[string]*registry.Standing{}}
	add := func(name string, versions ...registry.Version) {
		purl := "pkg:npm/" + strings.Replace(name, "@", "%40", 1) + "@1.0.1"
		f := registry.Facts{Answer: registry.Known, Package: registry.Package{System: registry.NPM, Name: name}, Source: "https://registry.example/", Versions: versions}
		st := f.Standing("1.0.1")
		st.Previous = &versions[0]
		s.Standings[purl] = &st
		s.SBOM.Components = append(s.SBOM.Components, sbom.Component{PURL: purl, Name: name, Version: "1.0.1", Ecosystem: "npm"})
	}
	two := func(name string, change func(*registry.Version)) {
		v := []registry.Version{l.version(name, "1.0.0", "github.com/acme/x", []byte(name+"1.0.0")), l.version(name, "1.0.1", "github.com/acme/x", []byte(name+"1.0.1"))}
		if change != nil {
			change(&v[1])
		}
		add(name, v...)
	}
	good := func(name string) {
		l.attests(name, "1.0.1", l.bundle(here, "pkg:npm/"+strings.Replace(name, "@", "%40", 1)+"@1.0.1", []byte(name+"1.0.1")))
	}

	two("@acme/good", nil)
	good("@acme/good")
	s.SBOM.Components[0].Traits = []sbom.Trait{{Kind: sbom.TraitLocked, Detail: "sha512-" + func() string {
		sum := sha512.Sum512([]byte("@acme/good1.0.1"))
		return base64.StdEncoding.EncodeToString(sum[:])
	}()}}
	two("swapped", nil)
	l.attests("swapped", "1.0.1", l.bundle(here, "pkg:npm/swapped@1.0.1", []byte("other")))
	two("borrowed", nil)
	l.attests("borrowed", "1.0.1", l.bundle(here, "pkg:npm/good@1.0.1", []byte("borrowed1.0.1")))
	two("resigned", func(v *registry.Version) { *v = l.version("resigned", "1.0.1", "github.com/acme/x", []byte("other")) })
	good("resigned")
	two("lost", func(v *registry.Version) { v.Attested = registry.Absent })
	two("taken", func(v *registry.Version) { v.Attested, v.Publisher = registry.Absent, "eve" })
	two("moved", func(v *registry.Version) { v.Repository = "github.com/eve/x" })
	l.attests("moved", "1.0.1", l.bundle(elsewhere, "pkg:npm/moved@1.0.1", []byte("moved1.0.1")))
	two("elsewhere", nil)
	l.attests("elsewhere", "1.0.1", l.bundle(elsewhere, "pkg:npm/elsewhere@1.0.1", []byte("elsewhere1.0.1")))
	two("withheld", nil)
	two("garbage", nil)
	l.attests("garbage", "1.0.1", `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":7}`)
	two("page", nil)
	l.lists["/-/npm/v1/attestations/page@1.0.1"] = "<html>"
	two("untold", func(v *registry.Version) { v.Attested, v.Signatures = registry.Unknown, nil })
	s.SBOM.Components = append(s.SBOM.Components, s.SBOM.Components[0], sbom.Component{PURL: "pkg:deb/debian/a@1", Name: "a"}, sbom.Component{PURL: "pkg:npm/own@1", Main: true})

	want := strings.Join([]string{
		"attestation-rejected:borrowed high", "attestation-rejected:swapped high", "provenance-elsewhere:elsewhere medium", "provenance-lost:lost medium", "provenance-lost:taken high", "publisher-changed:taken medium", "repository-changed:moved medium", "signature-rejected:resigned high"}, "\n")
	deep := &Auditor{Policy: &policy.Policy{}, Registry: l.reg, Deep: true, Now: time.Now(), Published: &attest.Published{Root: l.root, Now: time.Now()}}
	ask := func(a *Auditor) (string, Result) {
		t.Helper()
		res, err := checkAttestation(t.Context(), a, s)
		l.check(err)
		var got []string
		for _, f := range res.Findings {
			got = append(got, f.ID+" "+string(f.Severity))
			if f.Kind != finding.KindUntrusted || len(f.Evidence) != 1 || f.Title == "" {
				t.Errorf("%+v", f)
			}
		}
		slices.Sort(got)
		return strings.Join(got, "\n"), res
	}
	got, res := ask(deep)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	const note = "provenance of 4 of 12 packages verified, 2 rejected, 3 claimed by the registry and not verified, 2 have none, 1 not known; signatures of registries: 10 of 11 verified"
	if res.Note != note {
		t.Errorf("note %q, want %q", res.Note, note)
	}
	proof := res.Facts["pkg:npm/%40acme/good@1.0.1"].Attestation
	if proof == nil || proof.Status != "verified" || proof.Repository != here || proof.Commit != "abc123" || proof.Workflow != ".github/workflows/release.yml" || proof.Bound != boundByLock ||
		proof.Builder != "https://builder.example" || proof.Source == "" || proof.At.IsZero() {
		t.Errorf("%+v", proof)
	}
	for name, reason := range map[string]string{"withheld": "hands out none", "page": "not the JSON"} {
		if p := res.Facts["pkg:npm/"+name+"@1.0.1"].Attestation; p == nil || p.Status != "unverifiable" || !strings.Contains(p.Reason, reason) {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if p := res.Facts["pkg:npm/elsewhere@1.0.1"]; p.Attestation.Bound != boundByName || p.Signature.Status != "verified" {
		t.Errorf("%+v", p)
	}

	s.compared(integrity.Result{Whole: []string{"pkg:npm/%40acme/good@1.0.1", "pkg:npm/elsewhere@1.0.1", "pkg:npm/unheard@1.0.1"}, Differences: []integrity.Difference{{Component: "pkg:npm/elsewhere@1.0.1"}}})
	if f := res.Facts["pkg:npm/%40acme/good@1.0.1"]; f.Attestation.Bound != boundByBytes || f.Signature.Bound != boundByBytes || res.Facts["pkg:npm/elsewhere@1.0.1"].Attestation.Bound != boundByName {
		t.Errorf("%+v", f)
	}

	t.Run("offline, from the cache", func(t *testing.T) {
		l.gone, l.reg.Online = true, false
		again, second := ask(deep)
		if again != want || !strings.HasPrefix(second.Note, "provenance of 4 of 12 packages verified, 2 rejected") {
			t.Errorf("got\n%s\n%s", again, second.Note)
		}
	})
	t.Run("without --deep only what the registry says", func(t *testing.T) {
		got, res := ask(&Auditor{Policy: &policy.Policy{}, Registry: l.reg, Now: time.Now()})
		const want = "provenance-lost:lost medium\nprovenance-lost:taken high\npublisher-changed:taken medium\nrepository-changed:moved low"
		if got != want || len(res.Facts) > 0 || res.Note != "provenance of 0 of 12 packages verified, 9 claimed by the registry and not verified (scan --deep, gate and vet verify), 2 have none, 1 not known" {
			t.Errorf("got\n%s\n%s", got, res.Note)
		}
	})
	t.Run("required", func(t *testing.T) {
		p := &policy.Policy{Dependencies: policy.Dependencies{Attestations: policy.Attestations{Require: []string{"@acme/*", "npm:elsewhere", "npm:lost", "npm:untold", "npm:page"}, Sources: []string{"github.com/acme"}}}}
		got, _ := ask(&Auditor{Policy: p, Registry: l.reg, Now: time.Now(), Published: deep.Published})
		const want = "attestation-required:elsewhere high\nattestation-required:lost high\nattestation-required:page high\nattestation-required:untold high\n" +
			"provenance-elsewhere:elsewhere medium\nprovenance-lost:lost medium\nprovenance-lost:taken high\npublisher-changed:taken medium\nrepository-changed:moved low"
		if got != want {
			t.Errorf("got\n%s", got)
		}
		nobody := *s
		nobody.Standings = nil
		s := &nobody
		res, err := checkAttestation(t.Context(), &Auditor{Policy: p, Now: time.Now()}, s)
		if err != nil || len(res.Findings) != 5 {
			t.Errorf("no registry: %+v, %v", res.Findings, err)
		}
	})
	t.Run("an instance that nobody knows", func(t *testing.T) {
		got, res := ask(&Auditor{Policy: &policy.Policy{}, Registry: l.reg, Deep: true, Now: time.Now()})
		if strings.Contains(got, "attestation-rejected:swapped") || strings.Contains(got, "elsewhere") || !strings.HasPrefix(res.Note, "provenance of 0 of 12") {
			t.Errorf("got\n%s\n%s", got, res.Note)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := checkAttestation(ctx, deep, s); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestAttestationOfNothing(t *testing.T) {
	a := &Auditor{Policy: &policy.Policy{}, Deep: true, Now: now}
	s := &Subject{SBOM: &sbom.SBOM{Components: []sbom.Component{{PURL: "pkg:npm/x@1.0.0", Name: "x", Version: "1.0.0"}}}}
	skipped := Skipped("")
	if _, err := checkAttestation(t.Context(), a, s); !errors.As(err, &skipped) || !strings.Contains(string(skipped), "no registry was asked") {
		t.Error(err)
	}
	if res, err := checkAttestation(t.Context(), a, &Subject{SBOM: &sbom.SBOM{}}); err != nil || res.Note == "" || len(res.Findings) > 0 {
		t.Errorf("%+v, %v", res, err)
	}
}

// TestAttestationFromPackuments asks a registry for everything, as a scan does: what its
// documents say, what it signed, what it hands out.
func TestAttestationFromPackuments(t *testing.T) {
	l := newBuildLab(t)
	const here = "https://github.com/acme/x"
	dist := func(name, version string, attested bool) string {
		v := l.version(name, version, "", []byte(name+version))
		raw := sha512.Sum512([]byte(name + version))
		out := fmt.Sprintf(`"integrity":"sha512-%s","signatures":[{"keyid":"lab","sig":%q}]`, base64.StdEncoding.EncodeToString(raw[:]), v.Signatures[0].Signature)
		if attested {
			out += `,"attestations":{"url":"https://evil.example/x","provenance":{"predicateType":"https://slsa.dev/provenance/v1"}}`
		}
		return out
	}
	publish := func(name string, attested bool, by string) {
		one := func(version, by string, attested bool) string {
			return fmt.Sprintf(`%q:{"name":%q,"version":%q,"repository":{"type":"git","url":"git+https://github.com/acme/x.git"},"_npmUser":{"name":%q},"dist":{%s}}`, version, name, version, by, dist(name, version, attested))
		}
		l.lists["/"+strings.Replace(name, "/", "%2f", 1)] = fmt.Sprintf(`{"name":%q,"dist-tags":{"latest":"1.0.1"},"versions":{%s,%s},"time":{"1.0.0":"2026-01-01T00:00:00Z","1.0.1":"2026-02-01T00:00:00Z"}}`,
			name, one("1.0.0", "ci", true), one("1.0.1", by, attested))
	}
	s := &Subject{SBOM: &sbom.SBOM{}}
	for _, c := range []struct {
		name     string
		attested bool
		by       string
	}{{"@acme/good", true, "ci"}, {"lost", false, "ci"}, {"taken", false, "eve"}, {"secret", true, "ci"}} {
		publish(c.name, c.attested, c.by)
		purl := "pkg:npm/" + strings.Replace(c.name, "@", "%40", 1) + "@1.0.1"
		if c.attested {
			l.attests(c.name, "1.0.1", l.bundle(here, purl, []byte(c.name+"1.0.1")))
		}
		s.SBOM.Components = append(s.SBOM.Components, sbom.Component{PURL: purl, Name: c.name, Version: "1.0.1", Ecosystem: "npm"})
	}
	l.reg.Private = func(p registry.Package) bool { return p.Name == "secret" }
	a := &Auditor{Policy: &policy.Policy{}, Registry: l.reg, Deep: true, Now: time.Now(), Published: &attest.Published{Root: l.root, Now: time.Now()}}
	facts, err := checkFacts(t.Context(), a, s)
	l.check(err)
	if st := s.Standings["pkg:npm/%40acme/good@1.0.1"]; st.Attested != registry.Known || len(st.Signatures) != 1 || len(facts.Facts) != 4 {
		t.Fatalf("%+v, %+v", st, facts.Note)
	}
	if f := facts.Facts["pkg:npm/secret@1.0.1"]; f.State != "unknown" || !f.Private || facts.Facts["pkg:npm/lost@1.0.1"].Private {
		t.Errorf("a private name: %+v", f)
	}
	res, err := checkAttestation(t.Context(), a, s)
	l.check(err)
	var got []string
	for _, f := range res.Findings {
		got = append(got, f.ID+" "+string(f.Severity))
	}
	slices.Sort(got)
	if strings.Join(got, "\n") != "provenance-lost:lost medium\nprovenance-lost:taken high\npublisher-changed:taken medium" {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if res.Note != "provenance of 1 of 4 packages verified, 2 have none, 1 not known; signatures of registries: 3 of 3 verified" {
		t.Error(res.Note)
	}
	if f := res.Facts["pkg:npm/%40acme/good@1.0.1"]; f.Attestation.Status != "verified" || f.Attestation.Repository != here || f.Signature.Status != "verified" || f.Attested != "yes" {
		t.Errorf("%+v", f)
	}
}

// BenchmarkAttestation400 asks about 400 packages by what their registry says:
// what every scan with a warm cache pays.
func BenchmarkAttestation400(b *testing.B) {
	s := &Subject{SBOM: &sbom.SBOM{}, Standings: map[string]*registry.Standing{}}
	for i := range 400 {
		purl := fmt.Sprintf("pkg:npm/p%d@1.0.1", i)
		s.SBOM.Components = append(s.SBOM.Components, sbom.Component{PURL: purl, Name: fmt.Sprintf("p%d", i), Version: "1.0.1"})
		s.Standings[purl] = &registry.Standing{Answer: registry.Known, Version: true, Source: "https://registry.example/", Repository: "github.com/acme/x", Publisher: "ada",
			Attested: registry.Answer(1 + i%2), Previous: &registry.Version{Version: "1.0.0", Repository: "git+https://github.com/acme/x.git"}, Past: registry.Past{Publishers: 3, Known: true}}
	}
	a := &Auditor{Policy: &policy.Policy{}, Now: now}
	for b.Loop() {
		if _, err := checkAttestation(b.Context(), a, s); err != nil {
			b.Fatal(err)
		}
	}
}
