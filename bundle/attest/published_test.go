package attest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// publishedStatement is a statement about a published archive.
func publishedStatement(name, predicateType, predicate string, archive []byte) []byte {
	return fmt.Appendf(nil, `{"_type":%q,"subject":[{"name":%q,"digest":{"sha512":"%x","sha256":"%x"}}],"predicateType":%q,"predicate":%s}`,
		statementV1, name, sha512.Sum512(archive), sha256.Sum256(archive), predicateType, predicate)
}

// publishedBuild is a provenance of the lab's build.
const publishedBuild = `{"buildDefinition":{"buildType":"https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
	"externalParameters":{"workflow":{"ref":"refs/tags/v1.2.3","repository":"https://github.com/acme/orders","path":".github/workflows/release.yml"}},
	"resolvedDependencies":[{"uri":"git+https://github.com/acme/orders@refs/tags/v1.2.3","digest":{"gitCommit":"1f2e3d4c"}}]},
	"runDetails":{"builder":{"id":"https://github.com/actions/runner/github-hosted"}}}`

func npmListOf(t *testing.T, bundles ...*protobundle.Bundle) []byte {
	t.Helper()
	var list []string
	for _, b := range bundles {
		data, err := protojson.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, `{"predicateType":"x","bundle":`+string(data)+`}`)
	}
	return []byte(`{"attestations":[` + strings.Join(list, ",") + `]}`)
}

func publishedRelease(typ, name, version, file string, archive []byte) Release {
	return Release{Type: typ, Name: name, Version: version, File: file,
		Digests: map[string]string{"sha512": fmt.Sprintf("%x", sha512.Sum512(archive)), "sha256": fmt.Sprintf("%x", sha256.Sum256(archive))}}
}

func TestPublishedAttestations(t *testing.T) {
	l, other := newLab(t), newLab(t)
	archive, swapped := []byte("tgz"), []byte("other")
	const purl = "pkg:npm/%40acme/x@1.2.3"
	build := func(name string, archive []byte) *protobundle.Bundle {
		return l.bundle(order{statement: publishedStatement(name, provenanceV1, publishedBuild, archive)})
	}
	good := build(purl, archive)
	forged := build(purl, archive)
	forged.GetDsseEnvelope().Payload = publishedStatement(purl, provenanceV1, strings.Replace(publishedBuild, "1f2e3d4c", "ffffffff", 1), archive)
	publishes := l.bundle(order{statement: publishedStatement(purl, publishNPM, `{"name":"@acme/x","version":"1.2.3","registry":"https://registry.example"}`, archive), keyed: true})
	elsewhere := l.bundle(order{statement: publishedStatement(purl, provenanceV1, strings.ReplaceAll(publishedBuild, "acme/orders", "eve/orders"), archive)})
	person := l.newLogBundle(publishedStatement(purl, provenanceV1, `{"runDetails":{"builder":{"id":"me"}}}`, archive))
	note := l.bundle(order{statement: publishedStatement(purl, "https://example.org/note/v1", `{}`, archive)})
	strange := other.bundle(order{statement: publishedStatement(purl, provenanceV1, publishedBuild, archive)})
	wheel := "acme_x-1.2.3-py3-none-any.whl"
	published := func(file string, archive []byte) []byte {
		b := l.bundle(order{statement: publishedStatement(file, publishPyPI, "null", archive)})
		return []byte(`{"version":1,"attestation_bundles":[{"publisher":{},"attestations":[` + pep740(t, b) + `]}]}`)
	}
	npm := publishedRelease("npm", "@acme/x", "1.2.3", "", archive)
	pypi := publishedRelease("pypi", "Acme.X", "1.2.3", wheel, archive)
	noDigest := npm
	noDigest.Digests = nil
	for _, test := range []struct {
		name   string
		of     Release
		doc    []byte
		status Status
		step   Step
	}{
		{"verified", npm, npmListOf(t, good), Verified, ""},
		{"beside one of the registry, whose key is not known", npm, npmListOf(t, publishes, good), Verified, ""},
		{"only one of the registry, whose key is not known", npm, npmListOf(t, publishes), Unverifiable, StepTrust},
		{"other archive", npm, npmListOf(t, build(purl, swapped)), Rejected, StepDigest},
		{"other version", npm, npmListOf(t, build("pkg:npm/%40acme/x@1.2.2", archive)), Rejected, StepPackage},
		{"other package", npm, npmListOf(t, build("pkg:npm/acme-x@1.2.3", archive)), Rejected, StepPackage},
		{"forged", npm, npmListOf(t, forged), Rejected, StepLog},
		{"forged beside a good one", npm, npmListOf(t, good, forged), Rejected, StepLog},
		{"names another source than its certificate", npm, npmListOf(t, elsewhere), Rejected, StepSource},
		{"by a person", npm, npmListOf(t, person), Unverifiable, StepBuilder},
		{"says something else", npm, npmListOf(t, note), Unverifiable, StepPredicate},
		{"by an instance that the root does not know", npm, npmListOf(t, strange), Unverifiable, StepLog},
		{"no digest told", noDigest, npmListOf(t, good), Unverifiable, StepDigest},
		{"no list", npm, []byte(`{"error":"not found"}`), Unverifiable, StepParse},
		{"nothing", npm, nil, Unverifiable, StepParse},
		{"too many", npm, []byte(`{"attestations":[` + strings.TrimSuffix(strings.Repeat(`{"bundle":{}},`, maxAttestations+1), ",") + `]}`), Unverifiable, StepParse},
		{"wheel", pypi, published(wheel, archive), Verified, ""},
		{"wheel, other file of the version", pypi, published("acme_x-1.2.3-py2-none-any.whl", archive), Verified, ""},
		{"wheel of another version", pypi, published("acme_x-1.2.4-py3-none-any.whl", archive), Rejected, StepPackage},
		{"wheel of another project", pypi, published("acme_y-1.2.3-py3-none-any.whl", archive), Rejected, StepPackage},
		{"wheel with other bytes", pypi, published(wheel, swapped), Rejected, StepDigest},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &Published{Root: l.trust(true, false, true), Now: time.Now()}
			v, err := p.Attestations(context.Background(), test.of, test.doc)
			if err != nil || v.Status != test.status || v.Step != test.step || v.Reason == "" {
				t.Fatalf("%+v, %v; want %s at %q", v, err, test.status, test.step)
			}
			if v.Status == Verified && (v.Claims.Source != "https://github.com/acme/orders" || v.Claims.Commit != "1f2e3d4c" || v.Claims.Workflow != ".github/workflows/release.yml" || v.Identity != labIdentity) {
				t.Errorf("%+v", v)
			}
		})
	}
	t.Run("by the registry's own key", func(t *testing.T) {
		key := npmTestKey(t)
		b := l.bundle(order{statement: publishedStatement(purl, publishNPM, `{"name":"@acme/x","version":"1.2.3"}`, archive), keyed: true, key: key})
		b.GetVerificationMaterial().GetPublicKey().Hint = "k9"
		own := npm
		own.Keys = npmList(t, false, npmForAttestations, time.Now().Add(time.Hour), map[string]*ecdsa.PrivateKey{"k9": key}).NPMKeys
		p := &Published{Root: l.trust(true, false, true), Now: time.Now()}
		if v, err := p.Attestations(context.Background(), own, npmListOf(t, b)); err != nil || v.Status != Missing {
			t.Errorf("%+v, %v", v, err)
		}
		own.Keys = npmList(t, false, npmForAttestations, time.Now().Add(time.Hour), map[string]*ecdsa.PrivateKey{"k9": npmTestKey(t)}).NPMKeys
		if v, err := p.Attestations(context.Background(), own, npmListOf(t, b)); err != nil || v.Status != Rejected {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestPublishedSignature(t *testing.T) {
	key := npmTestKey(t)
	archive := []byte("tgz")
	rel := publishedRelease("npm", "@acme/x", "1.2.3", "", archive)
	rel.Keys = npmList(t, true, "", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), map[string]*ecdsa.PrivateKey{"k1": key}).NPMKeys
	raw := sha512.Sum512(archive)
	sign := func(message string) []RegistrySignature {
		return []RegistrySignature{{KeyID: "k1", Signature: base64.StdEncoding.EncodeToString(signDigest(t, key, []byte(message), crypto.SHA256))}}
	}
	integrity := "sha512-" + base64.StdEncoding.EncodeToString(raw[:])
	good := sign("@acme/x@1.2.3:" + integrity)
	with := func(change func(*Release)) Release {
		r := rel
		change(&r)
		return r
	}
	for _, test := range []struct {
		name   string
		of     Release
		list   []RegistrySignature
		status Status
	}{
		{"verified", rel, good, Verified},
		{"none", rel, nil, Missing},
		{"other version", rel, sign("@acme/x@1.2.2:" + integrity), Rejected},
		{"other archive", with(func(r *Release) { r.Digests = map[string]string{"sha512": strings.Repeat("0", 128)} }), good, Rejected},
		{"no keys of the registry", with(func(r *Release) { r.Keys = nil }), good, Unverifiable},
		{"no digest", with(func(r *Release) { r.Digests = map[string]string{"sha1": "00"} }), good, Unverifiable},
		{"a digest that is none", with(func(r *Release) { r.Digests = map[string]string{"sha512": "zz"} }), good, Unverifiable},
		{"published before the key ended", with(func(r *Release) { r.At = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) }), good, Verified},
		{"published after the key ended", with(func(r *Release) { r.At = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) }), good, Unverifiable},
		{"name that hides a version", with(func(r *Release) { r.Name = "x@1" }), good, Unverifiable},
		{"too many", rel, make([]RegistrySignature, maxNPMSignatures+1), Unverifiable},
		{"no base64", rel, []RegistrySignature{{KeyID: "k1", Signature: "!"}}, Rejected},
		{"an id of the public registry, signed by another", rel, []RegistrySignature{{KeyID: "SHA256:DhQ8wR5APBvFHLF/+Tc+AYvPOdTpcIDqOhxsBHRwC7U", Signature: good[0].Signature}}, Rejected},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &Published{Now: time.Now()}
			if v := p.Signature(test.of, test.list); v.Status != test.status || v.Reason == "" || v.Kind != KindNPMSignature {
				t.Errorf("%+v; want %s", v, test.status)
			}
		})
	}
}

// TestPublishedKeys reads the keys that are embedded: what they are for stands beside each.
func TestPublishedKeys(t *testing.T) {
	p := &Published{}
	p.prepare()
	if p.trust.err != nil || len(p.keys) == 0 {
		t.Fatalf("%v, %d keys", p.trust.err, len(p.keys))
	}
	for _, k := range p.keys {
		if _, err := x509.ParsePKIXPublicKey(k.Data); err != nil || k.Source == "" || k.NotBefore.IsZero() {
			t.Errorf("%+v: %v", k, err)
		}
	}
}

func BenchmarkPublished(b *testing.B) {
	t := new(testing.T)
	l := newLab(t)
	archive := []byte("tgz")
	doc := npmListOf(t, l.bundle(order{statement: publishedStatement("pkg:npm/x@1.0.0", provenanceV1, publishedBuild, archive)}))
	p := &Published{Root: l.trust(true, false, true), Now: time.Now()}
	rel := publishedRelease("npm", "x", "1.0.0", "", archive)
	for b.Loop() {
		if v, _ := p.Attestations(context.Background(), rel, doc); v.Status != Verified {
			b.Fatal(v)
		}
	}
}

// FuzzPublished feeds what a registry may answer: nothing of it is verified that
// the lab did not sign.
func FuzzPublished(f *testing.F) {
	f.Add([]byte(`{"attestations":[{"predicateType":"x","bundle":{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"k"}},"dsseEnvelope":{}}}]}`), "x")
	f.Add([]byte(`{"version":1,"attestation_bundles":[{"attestations":[{"version":1,"envelope":{},"verification_material":{}}]}]}`), "x-1.0-py3-none-any.whl")
	f.Add([]byte(`{"attestations":[{"bundle":{"verificationMaterial":{"certificate":{"rawBytes":"MAA="}}}}]}`), "")
	p := &Published{Now: time.Now()}
	f.Fuzz(func(t *testing.T, doc []byte, file string) {
		for _, typ := range []string{"npm", "pypi"} {
			v, err := p.Attestations(context.Background(), publishedRelease(typ, "x", "1.0", file, []byte("tgz")), doc)
			if err != nil || v.Status == Verified || v.Reason == "" {
				t.Errorf("%+v, %v", v, err)
			}
		}
	})
}
