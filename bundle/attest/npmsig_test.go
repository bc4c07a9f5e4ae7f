package attest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func npmTestKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// npmList writes a list of keys as the Sigstore root has it, or as the registry.
func npmList(t testing.TB, registry bool, usage string, end time.Time, ids map[string]*ecdsa.PrivateKey) Root {
	t.Helper()
	var keys []string
	for id, k := range ids {
		der, err := x509.MarshalPKIXPublicKey(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		b64 := base64.StdEncoding.EncodeToString(der)
		if registry {
			keys = append(keys, fmt.Sprintf(`{"keyid":%q,"keytype":"ecdsa-sha2-nistp256","scheme":"ecdsa-sha2-nistp256","key":%q,"expires":%q}`, id, b64, end.Format(time.RFC3339)))
			continue
		}
		keys = append(keys, fmt.Sprintf(`{"keyId":%q,"keyUsage":%q,"publicKey":{"rawBytes":%q,"keyDetails":"PKIX_ECDSA_P256_SHA_256","validFor":{"start":"1999-01-01T00:00:00.000Z","end":%q}}}`, id, usage, b64, end.Format(time.RFC3339)))
	}
	r, err := ParseRoot("keys.json", []byte(`{"keys":[`+strings.Join(keys, ",")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// npmDoc is the metadata of one version, signed.
func npmDoc(t testing.TB, by *ecdsa.PrivateKey, keyID, name, version string, archive []byte) map[string]any {
	t.Helper()
	sum := sha512.Sum512(archive)
	integrity := "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
	sig := signDigest(t, by, []byte(name+"@"+version+":"+integrity), crypto.SHA256)
	return map[string]any{"name": name, "version": version, "dist": map[string]any{"integrity": integrity, "tarball": "x",
		"signatures": []any{map[string]any{"keyid": keyID, "sig": base64.StdEncoding.EncodeToString(sig)}}}}
}

func npmText(t testing.TB, doc map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPackument(t *testing.T) {
	key, other := npmTestKey(t), npmTestKey(t)
	archive := []byte("tgz")
	late := time.Now().Add(time.Hour)
	ended := time.Date(2025, 1, 29, 0, 0, 0, 0, time.UTC)
	root := npmList(t, false, "npm:signatures", late, map[string]*ecdsa.PrivateKey{"k1": key, "k2": other})
	one := func(change func(map[string]any)) []byte {
		doc := npmDoc(t, key, "k1", "@acme/x", "1.0.0", archive)
		if change != nil {
			change(doc)
		}
		return npmText(t, doc)
	}
	dist := func(doc map[string]any) map[string]any { return doc["dist"].(map[string]any) }
	whole := func(published string, change func(map[string]any)) []byte {
		versions := map[string]any{"1.0.0": npmDoc(t, key, "k1", "@acme/x", "1.0.0", archive), "2.0.0": npmDoc(t, key, "k1", "@acme/x", "2.0.0", []byte("two"))}
		doc := map[string]any{"name": "@acme/x", "dist-tags": map[string]any{"latest": "2.0.0"}, "versions": versions, "time": map[string]any{"1.0.0": published, "modified": published}}
		if change != nil {
			change(versions)
		}
		return npmText(t, doc)
	}
	for _, test := range []struct {
		name    string
		doc     []byte
		subject *Subject
		demand  func(*Demand)
		status  Status
		step    Step
	}{
		{name: "one version", doc: one(nil), status: Verified},
		{name: "with the archive", doc: one(nil), subject: artifact(archive), status: Verified},
		{name: "with another archive", doc: one(nil), subject: artifact([]byte("other")), status: Rejected, step: StepDigest},
		{name: "with a digest that says nothing", doc: one(nil), subject: &Subject{Digests: map[string]string{"sha256": "00"}}, status: Unverifiable, step: StepDigest},
		{name: "by purl", doc: one(nil), demand: func(d *Demand) { d.Package = "pkg:npm/%40acme/x@1.0.0" }, status: Verified},
		{name: "by purl without version", doc: one(nil), demand: func(d *Demand) { d.Package = "pkg:npm/@acme/x" }, status: Verified},
		{name: "another version", doc: one(nil), demand: func(d *Demand) { d.Package = "pkg:npm/%40acme/x@1.0.1" }, status: Rejected, step: StepPackage},
		{name: "another name", doc: one(nil), demand: func(d *Demand) { d.Package = "pkg:npm/%40acme/y@1.0.0" }, status: Rejected, step: StepPackage},
		{name: "another ecosystem", doc: one(nil), demand: func(d *Demand) { d.Package = "pkg:pypi/x@1.0.0" }, status: Rejected, step: StepPackage},
		{name: "edited version", doc: one(func(m map[string]any) { m["version"] = "1.0.1" }), status: Rejected, step: StepSignature},
		{name: "edited name", doc: one(func(m map[string]any) { m["name"] = "@acme/y" }), status: Rejected, step: StepSignature},
		{name: "edited integrity", doc: one(func(m map[string]any) { dist(m)["integrity"] = "sha512-" + strings.Repeat("A", 86) + "==" }), status: Rejected, step: StepSignature},
		{name: "sha1", doc: one(func(m map[string]any) { dist(m)["integrity"] = "sha1-AAAA" }), status: Rejected, step: StepDigest},
		{name: "no signature", doc: one(func(m map[string]any) { delete(dist(m), "signatures") }), status: Missing, step: StepFind},
		{name: "key of another id", doc: one(func(m map[string]any) { dist(m)["signatures"].([]any)[0].(map[string]any)["keyid"] = "k2" }), status: Rejected, step: StepSignature},
		{name: "unknown key", doc: one(func(m map[string]any) { dist(m)["signatures"].([]any)[0].(map[string]any)["keyid"] = "k3" }), status: Unverifiable, step: StepTrust},
		{name: "a broken one beside a good one", doc: one(func(m map[string]any) {
			dist(m)["signatures"] = append(dist(m)["signatures"].([]any), map[string]any{"keyid": "k2", "sig": "AAAA"})
		}), status: Rejected, step: StepSignature},
		{name: "an unknown one beside a good one", doc: one(func(m map[string]any) {
			dist(m)["signatures"] = append(dist(m)["signatures"].([]any), map[string]any{"keyid": "k3", "sig": "AAAA"})
		}), status: Verified},
		{name: "name that hides a version", doc: one(func(m map[string]any) { m["name"] = "x@1" }), status: Rejected, step: StepParse},
		{name: "by key id", doc: one(nil), demand: func(d *Demand) { d.KeyID = "k2" }, status: Rejected, step: StepIdentity},
		{name: "by a key", doc: one(nil), demand: func(d *Demand) { *d = Demand{Keys: []Key{{Data: publicPEM(t, key)}}} }, status: Verified},
		{name: "by another key", doc: one(nil), demand: func(d *Demand) { *d = Demand{Keys: []Key{{Data: publicPEM(t, other)}}} }, status: Rejected, step: StepSignature},
		{name: "embedded keys", doc: one(nil), demand: func(d *Demand) { *d = Demand{} }, status: Unverifiable, step: StepTrust},
		{name: "the registry's own list", doc: one(nil), demand: func(d *Demand) { d.Root = npmList(t, true, "", late, map[string]*ecdsa.PrivateKey{"k1": key}) }, status: Verified},
		{name: "key for attestations", doc: one(nil), demand: func(d *Demand) {
			d.Root = npmList(t, false, "npm:attestations", late, map[string]*ecdsa.PrivateKey{"k1": key})
		}, status: Unverifiable, step: StepTrust},
		{name: "packument, two versions", doc: whole("2024-01-01T00:00:00Z", nil), status: Unverifiable, step: StepPackage},
		{name: "packument, by purl", doc: whole("2024-01-01T00:00:00Z", nil), demand: func(d *Demand) { d.Package = "pkg:npm/%40acme/x@1.0.0" }, status: Verified},
		{name: "packument, unlisted version", doc: whole("2024-01-01T00:00:00Z", nil), demand: func(d *Demand) { d.Package = "pkg:npm/%40acme/x@3.0.0" }, status: Rejected, step: StepPackage},
		{name: "packument, swapped versions", doc: whole("2024-01-01T00:00:00Z", func(v map[string]any) { v["1.0.0"] = v["2.0.0"] }), demand: func(d *Demand) { d.Package = "pkg:npm/%40acme/x@1.0.0" }, status: Rejected, step: StepParse},
		{name: "published before the key ended", doc: whole("2024-01-01T00:00:00Z", nil), demand: func(d *Demand) {
			d.Package, d.Root = "pkg:npm/%40acme/x@1.0.0", npmList(t, false, "npm:signatures", ended, map[string]*ecdsa.PrivateKey{"k1": key})
		}, status: Verified},
		{name: "published after the key ended", doc: whole("2025-02-01T00:00:00Z", nil), demand: func(d *Demand) {
			d.Package, d.Root = "pkg:npm/%40acme/x@1.0.0", npmList(t, false, "npm:signatures", ended, map[string]*ecdsa.PrivateKey{"k1": key})
		}, status: Rejected, step: StepExpiry},
		{name: "published when the key ended", doc: whole("2025-01-29T00:00:00Z", nil), demand: func(d *Demand) {
			d.Package, d.Root = "pkg:npm/%40acme/x@1.0.0", npmList(t, false, "npm:signatures", ended, map[string]*ecdsa.PrivateKey{"k1": key})
		}, status: Rejected, step: StepExpiry},
		{name: "published before the key began", doc: whole("1998-01-01T00:00:00Z", nil), demand: func(d *Demand) { d.Package = "pkg:npm/%40acme/x@1.0.0" }, status: Verified},
		{name: "published before the operator's key began", doc: whole("1998-01-01T00:00:00Z", nil), demand: func(d *Demand) {
			der, _ := x509.MarshalPKIXPublicKey(key.Public())
			d.Package, d.Root, d.Keys = "pkg:npm/%40acme/x@1.0.0", Root{}, []Key{{Data: der, NotBefore: ended}}
		}, status: Rejected, step: StepExpiry},
		{name: "broken", doc: []byte(`{"dist":1}`), status: Rejected, step: StepParse},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := Demand{Root: root}
			if test.demand != nil {
				test.demand(&d)
			}
			s := test.subject
			if s == nil {
				s = &Subject{}
			}
			r := verifyPackument(context.Background(), &Request{Subject: s, Demand: d, Now: time.Now()}, Evidence{Data: test.doc})[0]
			if r.Status != test.status || r.Step != test.step {
				t.Errorf("%+v; want %s at %q", r, test.status, test.step)
			}
			if r.Status == Verified && r.Claims.Package != "pkg:npm/%40acme/x@1.0.0" {
				t.Errorf("package %s", r.Claims.Package)
			}
		})
	}
}

// TestPackumentMutations flips every byte. What still verifies says the same of name,
// version and integrity: the rest of the metadata, as the address of the archive, is not signed.
func TestPackumentMutations(t *testing.T) {
	key := npmTestKey(t)
	d := Demand{Root: npmList(t, false, "npm:signatures", time.Now().Add(time.Hour), map[string]*ecdsa.PrivateKey{"k1": key})}
	doc := npmText(t, npmDoc(t, key, "k1", "x", "1.0.0", []byte("tgz")))
	check := func(data []byte) Result {
		return verifyPackument(context.Background(), &Request{Subject: &Subject{}, Demand: d, Now: time.Now()}, Evidence{Data: data})[0]
	}
	want := check(doc)
	if want.Status != Verified {
		t.Fatal(want.Reason)
	}
	for i := range doc {
		changed := bytes.Clone(doc)
		changed[i] ^= 1
		if r := check(changed); r.Status == Verified && (r.Claims.Package != want.Claims.Package || r.Covers != want.Covers || r.KeyID != want.KeyID) {
			t.Errorf("byte %d: verified for %s", i, r.Claims.Package)
		}
	}
}

func FuzzPackument(f *testing.F) {
	key := npmTestKey(f)
	d := Demand{Root: npmList(f, false, "npm:signatures", time.Now().Add(time.Hour), map[string]*ecdsa.PrivateKey{"k1": key})}
	f.Add(npmText(f, npmDoc(f, key, "k1", "x", "1.0.0", []byte("tgz"))), "pkg:npm/x@1.0.0")
	f.Add([]byte(`{"name":"x","versions":{"1":{"name":"x","version":"1"}},"dist-tags":{}}`), "pkg:npm/%40a/b")
	f.Fuzz(func(t *testing.T, data []byte, purl string) {
		d := d
		d.Package = purl
		r := verifyPackument(context.Background(), &Request{Subject: &Subject{}, Demand: d, Now: time.Now()}, Evidence{Data: data})[0]
		if r.Status == Verified && r.Claims.Package != "pkg:npm/x@1.0.0" {
			t.Errorf("verified for %s", r.Claims.Package)
		}
	})
}
