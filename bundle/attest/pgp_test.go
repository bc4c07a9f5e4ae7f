package attest

import (
	"bytes"
	"context"
	"crypto"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// pgpKey makes a key on a day, valid for some seconds (0: for ever).
func pgpKey(t testing.TB, mail string, made time.Time, seconds uint32) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity("Release", "", mail, pgpConfig(made, seconds))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func pgpConfig(at time.Time, seconds uint32) *packet.Config {
	return &packet.Config{Time: func() time.Time { return at }, KeyLifetimeSecs: seconds, Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256}
}

func pgpPublic(t testing.TB, armored bool, keys ...*openpgp.Entity) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, e := range keys {
		if !armored {
			if err := e.Serialize(&b); err != nil {
				t.Fatal(err)
			}
			continue
		}
		w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
		if err == nil {
			if err = e.Serialize(w); err == nil {
				err = w.Close()
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n")
	}
	return b.Bytes()
}

func pgpSign(t testing.TB, by *openpgp.Entity, data []byte, config *packet.Config, text bool) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := openpgp.DetachSignWithParams(&b, []*openpgp.Entity{by}, bytes.NewReader(data), &openpgp.SignParams{Config: config, TextSig: text}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func armored(t testing.TB, kind string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err == nil {
		if _, err = w.Write(data); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func checkPGP(data, sig []byte, d Demand, now time.Time) Result {
	return verifyPGP(context.Background(), &Request{Subject: artifact(data), Demand: d, Now: now}, Evidence{Data: sig})[0]
}

func TestPGP(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	day := 24 * time.Hour
	data := []byte("artifact")
	key := pgpKey(t, "r@acme.example", now.Add(-10*day), 0)
	other := pgpKey(t, "r@acme.example", now.Add(-10*day), 0)
	short := pgpKey(t, "s@acme.example", now.Add(-10*day), uint32((5 * day).Seconds()))
	revoked := pgpKey(t, "x@acme.example", now.Add(-10*day), 0)
	revokedSig := pgpSign(t, revoked, data, pgpConfig(now.Add(-8*day), 0), false)
	if err := revoked.Revoke(packet.KeySuperseded, "", pgpConfig(now.Add(-day), 0)); err != nil {
		t.Fatal(err)
	}
	good := pgpSign(t, key, data, pgpConfig(now.Add(-day), 0), false)
	ring := func(armor bool, keys ...*openpgp.Entity) Demand {
		return Demand{Keys: []Key{{Source: "k.asc", Data: pgpPublic(t, armor, keys...)}}}
	}
	expiring := pgpConfig(now.Add(-2*day), 0)
	expiring.SigLifetimeSecs = uint32(day.Seconds())
	demand := func(d Demand, change func(*Demand)) Demand { change(&d); return d }
	fingerprint := fmt.Sprintf("%X", key.PrimaryKey.Fingerprint)
	for _, test := range []struct {
		name   string
		data   []byte
		sig    []byte
		demand Demand
		status Status
		step   Step
	}{
		{"binary", data, good, ring(true, key), Verified, ""},
		{"armored", data, armored(t, openpgp.SignatureType, good), ring(true, key), Verified, ""},
		{"binary ring", data, good, ring(false, other, key), Verified, ""},
		{"ring of several blocks", data, good, ring(true, other, key), Verified, ""},
		{"second ring", data, good, Demand{Keys: []Key{{Data: pgpPublic(t, true, other)}, {Data: pgpPublic(t, true, key)}}}, Verified, ""},
		{"by fingerprint", data, good, demand(ring(true, key), func(d *Demand) { d.Identity = strings.ToLower(fingerprint) }), Verified, ""},
		{"by address", data, good, demand(ring(true, key), func(d *Demand) { d.Identity = "r@acme.example" }), Verified, ""},
		{"by user id", data, good, demand(ring(true, key), func(d *Demand) { d.Identity = "Release <r@acme.example>" }), Verified, ""},
		{"by key id", data, good, demand(ring(true, key), func(d *Demand) { d.KeyID = fingerprint }), Verified, ""},
		{"another address", data, good, demand(ring(true, key), func(d *Demand) { d.Identity = "R@acme.example" }), Rejected, StepIdentity},
		{"part of an address", data, good, demand(ring(true, key), func(d *Demand) { d.IdentityRegexp = "acme" }), Rejected, StepIdentity},
		{"another fingerprint", data, good, demand(ring(true, key), func(d *Demand) { d.Identity = strings.Repeat("A", 40) }), Rejected, StepIdentity},
		{"another key id", data, good, demand(ring(true, key), func(d *Demand) { d.KeyID = "1" }), Rejected, StepIdentity},
		{"other artifact", []byte("Artifact"), good, ring(true, key), Rejected, StepSignature},
		{"other key", data, good, ring(true, other), Rejected, StepSignature},
		{"no key", data, good, Demand{}, Unverifiable, StepTrust},
		{"key of another kind", data, good, Demand{Keys: []Key{{Data: []byte("-----BEGIN PUBLIC KEY-----")}}}, Unverifiable, StepTrust},
		{"expired key", data, pgpSign(t, short, data, pgpConfig(now.Add(-8*day), 0), false), ring(true, short), Rejected, StepExpiry},
		{"expired key, allowed", data, pgpSign(t, short, data, pgpConfig(now.Add(-8*day), 0), false), demand(ring(true, short), func(d *Demand) { d.AllowExpiredKeys = true }), Verified, ""},
		{"expired key, allowed, by address", data, pgpSign(t, short, data, pgpConfig(now.Add(-8*day), 0), false), demand(ring(true, short), func(d *Demand) { d.AllowExpiredKeys, d.Identity = true, "s@acme.example" }), Verified, ""},
		{"revoked key", data, revokedSig, ring(true, revoked), Rejected, StepRevocation},
		{"revoked key, expired allowed", data, revokedSig, demand(ring(true, revoked), func(d *Demand) { d.AllowExpiredKeys = true }), Rejected, StepRevocation},
		{"expired signature", data, pgpSign(t, key, data, expiring, false), ring(true, key), Rejected, StepExpiry},
		{"from the future", data, pgpSign(t, key, data, pgpConfig(now.Add(day), 0), false), ring(true, key), Rejected, StepTime},
		{"over text", []byte("a\n"), pgpSign(t, key, []byte("a\n"), pgpConfig(now.Add(-day), 0), true), ring(true, key), Unverifiable, StepSignature},
		{"no signature", data, []byte("\xc2"), ring(true, key), Rejected, StepParse},
		{"a key as signature", data, pgpPublic(t, true, key), ring(true, key), Rejected, StepParse},
		{"key bounded", data, good, demand(ring(true, key), func(d *Demand) { d.Keys[0].NotAfter = now.Add(-day) }), Rejected, StepExpiry},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := checkPGP(test.data, test.sig, test.demand, now)
			if r.Status != test.status || r.Step != test.step {
				t.Fatalf("%+v; want %s at %q", r, test.status, test.step)
			}
			if r.Status == Verified && (len(r.Times) != 1 || !strings.Contains(r.Times[0].Clock, "self-asserted")) {
				t.Errorf("times %v", r.Times)
			}
		})
	}
}

// TestPGPMutations flips every byte of a binary signature. What still verifies lies in the
// unhashed part (RFC 9580, section 5.2.3), its hint at the digest, or in how lengths are written.
func TestPGPMutations(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	key := pgpKey(t, "r@acme.example", now.Add(-time.Hour), 0)
	data := []byte("artifact")
	sig := pgpSign(t, key, data, pgpConfig(now.Add(-time.Minute), 0), false)
	d := Demand{Keys: []Key{{Data: pgpPublic(t, false, key)}}}
	want := checkPGP(data, sig, d, now)
	if want.Status != Verified {
		t.Fatal(want.Reason)
	}
	hashed := 2 + 6 + int(binary.BigEndian.Uint16(sig[6:])) // packet header, fixed fields, hashed subpackets
	unhashed := hashed + 2 + int(binary.BigEndian.Uint16(sig[hashed:]))
	var ends []int // of the MPIs' lengths in bits
	for at := unhashed + 2; at < len(sig); at += 2 + (int(binary.BigEndian.Uint16(sig[at:]))+7)/8 {
		ends = append(ends, at, at+1)
	}
	for i := range sig {
		changed := bytes.Clone(sig)
		changed[i] ^= 1
		r := checkPGP(data, changed, d, now)
		if r.Status != Verified {
			continue
		}
		hint := i == unhashed || i == unhashed+1 // the first bytes of the digest
		if i >= hashed && i < unhashed || hint || slices.Contains(ends, i) {
			if r.Identity == want.Identity && r.Times[0] == want.Times[0] {
				continue
			}
		}
		t.Errorf("byte %d of %d: still verified", i, len(sig))
	}
}

func TestPGPTooMany(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	key := pgpKey(t, "r@acme.example", now.Add(-time.Hour), 0)
	sig := pgpSign(t, key, []byte("artifact"), pgpConfig(now.Add(-time.Minute), 0), false)
	d := Demand{Keys: []Key{{Data: pgpPublic(t, false, key)}}}
	for n, want := range map[int]Status{maxPGPSignatures: Verified, maxPGPSignatures + 1: Unverifiable} {
		if r := checkPGP([]byte("artifact"), bytes.Repeat(sig, n), d, now); r.Status != want {
			t.Errorf("%d signatures: %+v", n, r)
		}
	}
}

func FuzzPGP(f *testing.F) {
	now := time.Now().Truncate(time.Second)
	key := pgpKey(f, "r@acme.example", now.Add(-time.Hour), 0)
	sig := pgpSign(f, key, []byte("artifact"), pgpConfig(now.Add(-time.Minute), 0), false)
	ring := pgpPublic(f, false, key)
	f.Add(sig, ring)
	f.Add(armored(f, openpgp.SignatureType, sig), pgpPublic(f, true, key))
	d := Demand{Keys: []Key{{Data: ring}}}
	f.Fuzz(func(t *testing.T, sig, ring []byte) {
		if r := checkPGP([]byte("other"), sig, d, now); r.Status == Verified {
			t.Error("verified for another artifact")
		}
		_ = pgpRing(ring)
	})
}
