package audit

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
)

// trustLab is a folder with keys, artifacts and what lies beside them.
type trustLab struct {
	t    *testing.T
	dir  string
	keys map[string]*ecdsa.PrivateKey
}

func newTrustLab(t *testing.T) *trustLab {
	l := &trustLab{t: t, dir: t.TempDir(), keys: map[string]*ecdsa.PrivateKey{}}
	for _, name := range []string{"release", "other"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		l.check(err)
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		l.check(err)
		l.keys[name] = key
		l.write(name+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	for _, name := range []string{"fn.zip", "layer.zip"} {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, err := w.Create("index.js")
		l.check(err)
		fmt.Fprintf(f, "// %s", name)
		l.check(w.Close())
		l.write(name, b.Bytes())
	}
	l.write("folder/index.js", []byte("1"))
	return l
}

func (l *trustLab) check(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *trustLab) path(name string) string { return filepath.Join(l.dir, filepath.FromSlash(name)) }

func (l *trustLab) write(name string, data []byte) {
	l.t.Helper()
	l.check(os.MkdirAll(filepath.Dir(l.path(name)), 0o755))
	l.check(os.WriteFile(l.path(name), data, 0o644))
}

func (l *trustLab) sign(key string, data []byte) string {
	sum := sha256.Sum256(data)
	sig, err := ecdsa.SignASN1(rand.Reader, l.keys[key], sum[:])
	l.check(err)
	return base64.StdEncoding.EncodeToString(sig)
}

// bundle signs an artifact, beside it.
func (l *trustLab) bundle(key, artifact string) {
	data, err := os.ReadFile(l.path(artifact))
	l.check(err)
	sum := sha256.Sum256(data)
	l.write(artifact+".sigstore.json", fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},`+
		`"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":%q},"signature":%q}}`, base64.StdEncoding.EncodeToString(sum[:]), l.sign(key, data)))
}

// state signs a statement about an artifact, beside it.
func (l *trustLab) state(key, artifact, predicateType, predicate string) {
	data, err := os.ReadFile(l.path(artifact))
	l.check(err)
	const typ = "application/vnd.in-toto+json"
	payload := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"%x"}}],"predicateType":%q,"predicate":%s}`, sha256.Sum256(data), predicateType, predicate)
	l.write(artifact+".intoto.jsonl", fmt.Appendf(nil, `{"payloadType":%q,"payload":%q,"signatures":[{"sig":%q}]}`+"\n",
		typ, base64.StdEncoding.EncodeToString([]byte(payload)), l.sign(key, fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(typ), typ, len(payload), payload))))
}

// judge audits one function under the rules of a policy.
func (l *trustLab) judge(rules string, spec bundle.Spec, components ...sbom.Component) *finding.Report {
	l.t.Helper()
	text := "version: 1\n"
	if rules != "" {
		text += "trust_roots:\n  release: {public_key: release.pub}\n  other: {public_key: other.pub}\nartifacts:\n" + rules
	}
	pol, err := policy.Parse([]byte(text), l.path("policy.yaml"))
	l.check(err)
	a := auditor(l.t)
	a.Policy = pol
	a.Trust, err = LoadTrust(pol.Trust, l.dir, os.ReadFile)
	l.check(err)
	a.Trust.Evidence = func(_ context.Context, art bundle.Artifact, _ *bundle.Image, s *attest.Subject) ([]attest.Evidence, error) {
		if strings.HasSuffix(art.Ref, "unreadable.zip") {
			return nil, errors.New("the disk is broken")
		}
		return attest.Beside(art.Ref, s)
	}
	a.Open = new(bundle.Opener).Begin
	a.Catalog = func(context.Context, *bundle.Function) (*sbom.SBOM, error) {
		return &sbom.SBOM{Components: components}, nil
	}
	spec.Ref = l.path(spec.Ref)
	for i := range spec.Layers {
		spec.Layers[i] = l.path(spec.Layers[i])
	}
	rep, err := a.Function(l.t.Context(), spec)
	l.check(err)
	return rep
}

// answers lists the findings about signatures and provenance as RULE FILE.
func answers(rep *finding.Report) string {
	var out []string
	for _, f := range rep.Findings {
		if f.Kind == finding.KindSignature || f.Kind == finding.KindProvenance {
			out = append(out, strings.Replace(f.ID, ":", " ", 1))
		}
	}
	return strings.Join(out, ", ")
}

const (
	byKey    = "  - require: [{key: {root: release}}]\n"
	byEither = "  - require: [{any_of: [{key: {root: other}}, {key: {root: release}}]}]\n"
	built    = "  - require: [{key: {root: release}}, {provenance: {signer: {key: {root: release}}, builders: [{id: \"https://ci.example/b\", max_level: 2}], source: \"https://git.example/fn\", min_level: 2}}]\n"
	onlyCode = "  - match: {kind: [zip]}\n    require: [{key: {root: release}}]\n"

	slsa = "https://slsa.dev/provenance/v1"
)

func madeBy(builder string) string {
	return fmt.Sprintf(`{"buildDefinition":{"buildType":"https://ci.example/v1","externalParameters":{},"resolvedDependencies":[{"uri":"git+https://git.example/fn","digest":{"gitCommit":"0123456789abcdef0123456789abcdef01234567"}}]},"runDetails":{"builder":{"id":%q}}}`, builder)
}

// TestSignatures goes through what can become of the signature and the
// provenance of a function and its layers, with and without a rule.
func TestSignatures(t *testing.T) {
	elsewhere := bundle.Declared{Descriptor: "t.yaml", Gaps: []bundle.Gap{{What: "arn:aws:lambda:x:1:layer:base:3", Reason: "it is not here", Layer: true}, {What: "code", Reason: "other"}}}
	for name, c := range map[string]struct {
		rules    string
		spec     bundle.Spec
		prepare  func(*trustLab)
		want     string
		check    string // state of the check
		decision finding.Decision
	}{
		"nothing there": {want: "", check: "ran", decision: finding.Pass},
		"rejected beside": {prepare: func(l *trustLab) {
			l.write("fn.zip.sigstore.json", []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":`))
		}, want: "signature-rejected fn.zip", check: "ran", decision: finding.Fail},
		"no signer named":          {prepare: func(l *trustLab) { l.bundle("release", "fn.zip") }, want: "signature-unverifiable fn.zip", check: "ran", decision: finding.Pass},
		"required and verified":    {rules: byKey, prepare: func(l *trustLab) { l.bundle("release", "fn.zip") }, check: "ran", decision: finding.Pass},
		"required, by another key": {rules: byKey, prepare: func(l *trustLab) { l.bundle("other", "fn.zip") }, want: "required-signature-rejected fn.zip", check: "ran", decision: finding.Fail},
		"required and missing":     {rules: byKey, want: "required-signature-missing fn.zip", check: "ran", decision: finding.Fail},
		"second alternative":       {rules: byEither, prepare: func(l *trustLab) { l.bundle("release", "fn.zip") }, check: "ran", decision: finding.Pass},
		"no alternative":           {rules: byEither, want: "required-signature-missing fn.zip", check: "ran", decision: finding.Fail},
		"layer without signature":  {rules: byKey, spec: bundle.Spec{Layers: []string{"layer.zip"}}, prepare: func(l *trustLab) { l.bundle("release", "fn.zip") }, want: "required-signature-missing layer.zip", check: "ran", decision: finding.Fail},
		"layer with signature":     {rules: byKey, spec: bundle.Spec{Layers: []string{"layer.zip"}}, prepare: func(l *trustLab) { l.bundle("release", "fn.zip"); l.bundle("release", "layer.zip") }, check: "ran", decision: finding.Pass},
		"rule not about layers":    {rules: onlyCode, spec: bundle.Spec{Layers: []string{"layer.zip"}}, prepare: func(l *trustLab) { l.bundle("release", "fn.zip") }, check: "ran", decision: finding.Pass},
		"signature of the layer": {rules: byKey, prepare: func(l *trustLab) {
			l.bundle("release", "layer.zip")
			l.move("layer.zip.sigstore.json", "fn.zip.sigstore.json")
		}, want: "required-signature-rejected fn.zip", check: "ran", decision: finding.Fail},
		"layer that is not here":     {rules: byKey, spec: bundle.Spec{Declared: elsewhere}, prepare: func(l *trustLab) { l.bundle("release", "fn.zip") }, want: "required-signature-unverifiable arn:aws:lambda:x:1:layer:base:3", check: "ran", decision: finding.Incomplete},
		"layer elsewhere, no rule":   {spec: bundle.Spec{Declared: elsewhere}, check: "ran", decision: finding.Incomplete},
		"directory":                  {spec: bundle.Spec{Ref: "folder"}, check: "skipped", decision: finding.Pass},
		"directory under a rule":     {rules: byKey, spec: bundle.Spec{Ref: "folder"}, want: "required-signature-unverifiable folder", check: "ran", decision: finding.Incomplete},
		"directory beside a zip":     {spec: bundle.Spec{Layers: []string{"folder"}}, check: "ran", decision: finding.Pass},
		"evidence cannot be read":    {rules: byKey, spec: bundle.Spec{Ref: "unreadable.zip"}, prepare: func(l *trustLab) { l.move("fn.zip", "unreadable.zip") }, check: "failed", decision: finding.Incomplete},
		"unreadable beside rejected": {rules: byKey, spec: bundle.Spec{Layers: []string{"unreadable.zip"}}, prepare: func(l *trustLab) { l.move("layer.zip", "unreadable.zip"); l.bundle("other", "fn.zip") }, want: "required-signature-rejected fn.zip", check: "failed", decision: finding.Fail},
		"built as demanded": {rules: built, prepare: func(l *trustLab) {
			l.bundle("release", "fn.zip")
			l.state("release", "fn.zip", slsa, madeBy("https://ci.example/b"))
		}, check: "ran", decision: finding.Pass},
		"not built as far as known": {rules: built, prepare: func(l *trustLab) { l.bundle("release", "fn.zip") }, want: "required-provenance-missing fn.zip", check: "ran", decision: finding.Fail},
		"built by another": {rules: built, prepare: func(l *trustLab) {
			l.bundle("release", "fn.zip")
			l.state("release", "fn.zip", slsa, madeBy("https://laptop.example"))
		}, want: "required-provenance-rejected fn.zip", check: "ran", decision: finding.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTrustLab(t)
			if c.prepare != nil {
				c.prepare(l)
			}
			if c.spec.Ref == "" {
				c.spec.Ref = "fn.zip"
			}
			rep := l.judge(c.rules, c.spec)
			if got := answers(rep); got != c.want {
				t.Errorf("findings %q, want %q", got, c.want)
			}
			if got := rep.Check("signature"); string(got.State) != c.check {
				t.Errorf("check %+v, want %s", got, c.check)
			}
			if rep.Verdict.Decision != c.decision {
				t.Errorf("%s %v, want %s", rep.Verdict.Decision, rep.Verdict.Reasons, c.decision)
			}
			for _, at := range rep.Attestations {
				if at.Status == "verified" && at.TrustRoot == "" && at.Kind == "sigstore" {
					t.Errorf("verified, and it is not said with what: %+v", at)
				}
			}
		})
	}
}

func (l *trustLab) move(from, to string) { l.check(os.Rename(l.path(from), l.path(to))) }

// TestPinnedRoot: a root whose file is another than the policy pins is used for nothing.
func TestPinnedRoot(t *testing.T) {
	l := newTrustLab(t)
	l.write("empty", nil)
	data, err := os.ReadFile(l.path("release.pub"))
	l.check(err)
	right := fmt.Sprintf("%x", sha256.Sum256(data))
	for sum, ok := range map[string]bool{right: true, strings.Repeat("ab", 32): false} {
		_, err := LoadTrust(policy.Trust{Roots: map[string]policy.TrustRoot{"release": {PublicKey: "release.pub", SHA256: sum}}}, l.dir, os.ReadFile)
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "trust_roots.release") {
			t.Errorf("pinned to %s: %v", sum, err)
		}
	}
	for name, r := range map[string]policy.TrustRoot{
		"missing": {PublicKey: "none.pub"}, "no key": {PublicKey: "empty"}, "no root": {File: "fn.zip"}, "a key as certificates": {X509: "release.pub"}, "unknown": {Embedded: "none"},
	} {
		if _, err := LoadTrust(policy.Trust{Roots: map[string]policy.TrustRoot{"r": r}}, l.dir, os.ReadFile); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestCodeSigning holds what a policy wants of the platform against what a template says.
func TestCodeSigning(t *testing.T) {
	verified := answer{status: attest.Verified}
	const config = "${Signing}"
	for _, c := range []struct {
		want   string
		d      bundle.Declared
		status attest.Status
	}{
		{"enforce", bundle.Declared{Descriptor: "t", CodeSigning: config, SigningMode: "Enforce"}, attest.Verified},
		{"enforce", bundle.Declared{Descriptor: "t", CodeSigning: config, SigningMode: "Warn"}, attest.Rejected},
		{"enforce", bundle.Declared{Descriptor: "t", CodeSigning: config}, attest.Unverifiable},
		{"enforce", bundle.Declared{Descriptor: "t"}, attest.Rejected},
		{"enforce", bundle.Declared{}, attest.Unverifiable},
		{"warn", bundle.Declared{Descriptor: "t", CodeSigning: config, SigningMode: "Enforce"}, attest.Verified},
		{"warn", bundle.Declared{Descriptor: "t", CodeSigning: config, SigningMode: "Warn"}, attest.Verified},
		{"warn", bundle.Declared{Descriptor: "t", CodeSigning: config}, attest.Unverifiable},
		{"warn", bundle.Declared{Descriptor: "t"}, attest.Rejected},
		{"warn", bundle.Declared{}, attest.Unverifiable},
	} {
		got := codeSigned(c.want, c.d, verified)
		if got.status != c.status || c.status != attest.Verified && (got.why.Reason == "" || got.why.Step != stepCodeSigning) {
			t.Errorf("want %s of %+v: %s %q", c.want, c.d, got.status, got.why.Reason)
		}
	}
}

// TestSignedBills compares bills of materials with components, in both directions.
func TestSignedBills(t *testing.T) {
	bill := func(components ...string) string {
		var list []string
		for _, p := range components {
			name, version, _ := strings.Cut(strings.TrimPrefix(p, "pkg:npm/"), "@")
			list = append(list, fmt.Sprintf(`{"type":"library","name":%q,"version":%q,"purl":%q}`, name, version, p))
		}
		return `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[` + strings.Join(list, ",") + `]}`
	}
	inLayer := func(c *sbom.Component) { c.Occurrences[0].Artifact = 1 }
	declared := func(c *sbom.Component) { c.State = sbom.Declared }
	either := func(c *sbom.Component) { c.Version, c.Versions = "", []string{"1.0.0", "2.0.0"} }
	for name, c := range map[string]struct {
		typ, bill  string
		components []sbom.Component
		severity   finding.Severity // "" no finding
		reason     string
	}{
		"the same":             {"", bill("pkg:npm/a@1.0.0"), []sbom.Component{npm("a", "1.0.0")}, "", "agree: 1 package"},
		"qualifiers":           {"", bill("pkg:npm/a@1.0.0?arch=x"), []sbom.Component{npm("a", "1.0.0")}, "", "agree"},
		"more named":           {"", bill("pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"), []sbom.Component{npm("a", "1.0.0")}, finding.Low, "1 package is named and not in the bytes"},
		"more there":           {"", bill("pkg:npm/a@1.0.0"), []sbom.Component{npm("a", "1.0.0"), npm("extra", "1.0.0")}, finding.Medium, "1 package is in the bytes and not named"},
		"another version":      {"", bill("pkg:npm/a@2.0.0"), []sbom.Component{npm("a", "1.0.0")}, finding.Medium, "1 package is named and not in the bytes, 1 package is in the bytes and not named"},
		"version not known":    {"", bill("pkg:npm/a@2.0.0"), []sbom.Component{npm("a", "")}, "", "agree"},
		"one of two":           {"", bill("pkg:npm/a@2.0.0"), []sbom.Component{npm("a", "1.0.0", either)}, "", "agree"},
		"none of two":          {"", bill("pkg:npm/a@3.0.0"), []sbom.Component{npm("a", "1.0.0", either)}, finding.Medium, "differ"},
		"of a layer":           {"", bill("pkg:npm/a@1.0.0"), []sbom.Component{npm("a", "1.0.0"), npm("b", "1.0.0", inLayer)}, "", "agree"},
		"only declared":        {"", bill("pkg:npm/a@1.0.0"), []sbom.Component{npm("a", "1.0.0"), npm("b", "1.0.0", declared)}, "", "agree"},
		"empty":                {"", bill(), nil, "", "agree: 0 packages"},
		"no bill":              {"", `{"a":1}`, nil, "", "could not be compared"},
		"text":                 {"", `"SPDXVersion: SPDX-2.3"`, nil, "", "could not be compared"},
		"SPDX":                 {"https://spdx.dev/Document", `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"x","packages":[{"name":"a","SPDXID":"SPDXRef-a","versionInfo":"1.0.0","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/a@1.0.0"}]}]}`, []sbom.Component{npm("a", "1.0.0")}, "", "agree: 1 package"},
		"an image, no package": {"", bill("pkg:oci/image@sha256:00"), nil, "", "agree"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTrustLab(t)
			if c.typ == "" {
				c.typ = "https://cyclonedx.org/bom"
			}
			l.state("release", "fn.zip", c.typ, c.bill)
			if rep := l.judge(byKey, bundle.Spec{Ref: "fn.zip"}, c.components...); rep.Verdict.Decision != finding.Fail || !strings.Contains(strings.Join(rep.Verdict.Reasons, ";"), "not the artifact itself") {
				t.Errorf("a bill of materials passes for a signature of the artifact: %v", rep.Verdict)
			}
			l.bundle("release", "fn.zip")
			rep := l.judge(byKey, bundle.Spec{Ref: "fn.zip"}, c.components...)
			var got finding.Severity
			for _, f := range rep.Findings {
				if f.Rule == policy.RuleSBOMDiffers {
					got = f.Severity
					if len(f.Evidence) == 0 || f.Fingerprint == "" {
						t.Errorf("%+v", f)
					}
				} else if f.Kind == finding.KindSignature || f.Kind == finding.KindProvenance {
					t.Errorf("%+v", f)
				}
			}
			if got != c.severity {
				t.Errorf("severity %q, want %q", got, c.severity)
			}
			if rep.Verdict.Decision != finding.Pass {
				t.Errorf("%s %v", rep.Verdict.Decision, rep.Verdict.Reasons)
			}
			for _, a := range rep.Attestations {
				if a.Kind == string(attest.KindSBOM) && !strings.Contains(a.Reason, c.reason) {
					t.Errorf("reason %q, want %q in it", a.Reason, c.reason)
				}
			}
		})
	}
}

// TestEmbedded checks that a signature inside a zip is looked for where a name
// may be one, and always when the demand is about it.
func TestEmbedded(t *testing.T) {
	for _, test := range []struct {
		name   string
		demand attest.Demand
		want   bool
	}{
		{"index.js", attest.Demand{}, false},
		{"index.js", attest.Demand{Profiles: []string{"acme"}}, true},
		{"index.js", attest.Demand{EntryDigests: map[string]string{}}, true},
		{"META_INF/aws_signer_signature_v1.0.SF", attest.Demand{}, true},
		{"meta-inf/acme.sf", attest.Demand{}, true},
	} {
		file := filepath.Join(t.TempDir(), "fn.zip")
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		if _, err := w.Create(test.name); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Close(), os.WriteFile(file, b.Bytes(), 0o600)); err != nil {
			t.Fatal(err)
		}
		fn, err := (&bundle.Opener{}).Open(context.Background(), bundle.Spec{Ref: file})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(embedded(fn.Volumes[0], test.demand)) > 0; got != test.want {
			t.Errorf("%s, %+v: %t, want %t", test.name, test.demand, got, test.want)
		}
		fn.Close()
	}
}
