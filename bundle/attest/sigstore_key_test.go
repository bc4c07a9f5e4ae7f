package attest

import (
	"crypto"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
)

// byKey is a demand of a managed key.
func byKey(t *testing.T, keys ...crypto.Signer) Demand {
	d := Demand{Require: DefaultThresholds()}
	for _, k := range keys {
		d.Keys = append(d.Keys, labPublicKey(t, k))
	}
	return d
}

func TestManagedKey(t *testing.T) {
	l := newLab(t)
	statement := statementAbout(labArtifact)
	stranger, rsaStranger := newKey(t, "p256"), newKey(t, "rsa")
	for _, c := range []struct {
		kind string
		hash crypto.Hash
	}{{"p256", crypto.SHA256}, {"p384", crypto.SHA384}, {"p384", crypto.SHA256}, {"rsa", crypto.SHA256}, {"rsa", crypto.SHA512}, {"ed25519", crypto.SHA256}, {"ed25519", crypto.SHA512}} {
		t.Run(c.kind+" "+c.hash.String(), func(t *testing.T) {
			key := newKey(t, c.kind)
			orders := map[string]order{"message": {artifact: labArtifact}}
			if c.kind != "ed25519" || c.hash == crypto.SHA256 { // an envelope is signed by plain Ed25519
				orders["statement"] = order{statement: statement}
			}
			for what, o := range orders {
				o.key, o.hash, o.keyed, o.noLog = key, c.hash, true, true
				b := l.bundle(o)
				r := ask(t, Request{Subject: labSubject(labArtifact), Demand: byKey(t, key)}, b)
				if r.Status != Verified || r.Identity != Fingerprint(key.Public()) || r.KeyID == "" || !strings.Contains(r.Reason, "release.pub") {
					t.Errorf("%s: %+v", what, r)
				}
				if r := ask(t, Request{Subject: labSubject(labArtifact), Demand: byKey(t, stranger, rsaStranger, key)}, b); r.Status != Verified {
					t.Errorf("%s, the third key: %+v", what, r)
				}
				if r := ask(t, Request{Subject: labSubject(labArtifact), Demand: byKey(t, rsaStranger)}, b); r.Status != Rejected || r.Step != StepSignature {
					t.Errorf("%s, another key: %+v", what, r)
				}
				if r := ask(t, Request{Subject: labSubject([]byte("other")), Demand: byKey(t, stranger, key)}, b); r.Status != Rejected || r.Step != StepDigest {
					t.Errorf("%s, other bytes: %+v", what, r)
				}
			}
		})
	}
}

// TestEd25519Digest holds against a signature over no bytes at all, which plain
// Ed25519 would take for one over any digest.
func TestEd25519Digest(t *testing.T) {
	l := newLab(t)
	key := newKey(t, "ed25519")
	b := l.bundle(order{artifact: labArtifact, key: key, hash: crypto.SHA512, keyed: true, noLog: true})
	b.GetMessageSignature().Signature = sign(t, key, crypto.SHA256, nil)
	if r := ask(t, Request{Subject: labSubject(labArtifact), Demand: byKey(t, key)}, b); r.Status != Rejected || r.Step != StepSignature {
		t.Errorf("%+v", r)
	}
	sum, _ := sum(crypto.SHA512, labArtifact)
	known := &Subject{Name: "digest", Digests: map[string]string{"sha512": hexOf(sum)}}
	if r := ask(t, Request{Subject: known, Demand: byKey(t, key)}, b); r.Status != Unverifiable {
		t.Errorf("only a digest: %+v", r)
	}
}

func TestManagedKeyDemands(t *testing.T) {
	l := newLab(t)
	key := newKey(t, "p256")
	trust := l.trust(true, true, true)
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	logged := order{statement: statementAbout(labArtifact), key: key, keyed: true}
	bare := logged
	bare.noLog = true
	stamped := bare
	stamped.stamp = true
	for name, c := range map[string]struct {
		o      order
		change func(*Demand)
		status Status
		step   Step
		times  int
	}{
		"no root":                    {bare, func(d *Demand) {}, Verified, "", 0},
		"root and log":               {logged, func(d *Demand) { d.Root = trust }, Verified, "", 1},
		"root and no log":            {bare, func(d *Demand) { d.Root = trust }, Unverifiable, StepLog, 0},
		"log demanded of no root":    {logged, func(d *Demand) { d.Require.Log = 1 }, Rejected, StepLog, 0}, // the embedded root does not know it
		"certificate log demanded":   {logged, func(d *Demand) { d.Root, d.Require.SCT = trust, 1 }, Rejected, StepSCT, 0},
		"private root and timestamp": {stamped, func(d *Demand) { d.Root = l.trust(false, false, true) }, Verified, "", 1},
		"valid now":                  {bare, func(d *Demand) { d.Keys[0].NotBefore, d.Keys[0].NotAfter = past, future }, Verified, "", 0},
		"expired, no time":           {bare, func(d *Demand) { d.Keys[0].NotAfter = past }, Unverifiable, StepExpiry, 0},
		"not yet valid, no time":     {bare, func(d *Demand) { d.Keys[0].NotBefore = future }, Unverifiable, StepExpiry, 0},
		"logged after expiry":        {logged, func(d *Demand) { d.Root, d.Keys[0].NotAfter = trust, past }, Rejected, StepTime, 0},
		"stamped after expiry":       {stamped, func(d *Demand) { d.Root, d.Keys[0].NotAfter = l.trust(false, false, true), past }, Rejected, StepExpiry, 0},
		"key id of the envelope":     {bare, func(d *Demand) { d.KeyID = "hint" }, Verified, "", 0},
		"key id of the bundle":       {bare, func(d *Demand) { d.KeyID = Fingerprint(key.Public()) }, Verified, "", 0},
		"other key id":               {bare, func(d *Demand) { d.KeyID = "other" }, Rejected, StepIdentity, 0},
		"runner":                     {bare, func(d *Demand) { d.Runner = "github-hosted" }, Unverifiable, StepRunner, 0},
		"no key":                     {bare, func(d *Demand) { d.Keys = nil }, Unverifiable, StepTrust, 0},
		"key that is none":           {bare, func(d *Demand) { d.Keys = []Key{{Source: "k", Data: []byte("untrusted comment: x\n")}} }, Unverifiable, StepTrust, 0},
		"signer with a certificate":  {bare, func(d *Demand) { d.Keys, d.Identity, d.Issuer = nil, labIdentity, labIssuer }, Rejected, StepIdentity, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := byKey(t, key)
			c.change(&d)
			r := ask(t, Request{Subject: labSubject(labArtifact), Demand: d}, l.bundle(c.o))
			if r.Status != c.status || r.Step != c.step || len(r.Times) != c.times || r.Reason == "" || (r.Statement != nil) != (c.status == Verified) {
				t.Errorf("%+v\nwant %s at %q with %d times", r, c.status, c.step, c.times)
			}
		})
	}
}

func TestShortKey(t *testing.T) {
	key := newKey(t, "short rsa")
	b := newLab(t).bundle(order{artifact: labArtifact, key: key, keyed: true, noLog: true})
	if r := ask(t, Request{Subject: labSubject(labArtifact), Demand: byKey(t, key)}, b); r.Status != Unverifiable || r.Step != StepTrust {
		t.Errorf("%+v", r)
	}
}

// TestKeyBesideIdentity lets one demand name a key and a signer: each bundle is
// judged by what it is signed with.
func TestKeyBesideIdentity(t *testing.T) {
	l := newLab(t)
	key := newKey(t, "p256")
	d := keyless(l.trust(true, false, true))
	d.Keys = []Key{labPublicKey(t, key)}
	for name, b := range map[string]*protobundle.Bundle{
		"key":         l.bundle(order{artifact: labArtifact, key: key, keyed: true}),
		"certificate": l.bundle(order{artifact: labArtifact}),
	} {
		if r := ask(t, Request{Subject: labSubject(labArtifact), Demand: d}, b); r.Status != Verified {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
