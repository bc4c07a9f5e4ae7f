package attest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
)

// annotationsOf writes what proves a bundle into annotations, as cosign did before
// there were bundles.
func annotationsOf(t *testing.T, b *protobundle.Bundle) map[string]string {
	t.Helper()
	m := b.GetVerificationMaterial()
	certs := m.GetX509CertificateChain().GetCertificates()
	out := map[string]string{
		annotationSignature:            base64.StdEncoding.EncodeToString(b.GetMessageSignature().GetSignature()),
		annotationCertificate:          string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certs[0].GetRawBytes()})),
		"dev.sigstore.cosign/chain":    string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certs[1].GetRawBytes()})),
		"dev.sigstore.cosign/whatever": "x",
	}
	for _, e := range m.GetTlogEntries() {
		text, err := json.Marshal(object{"SignedEntryTimestamp": e.GetInclusionPromise().GetSignedEntryTimestamp(), "Payload": object{
			"body": e.GetCanonicalizedBody(), "integratedTime": e.GetIntegratedTime(), "logIndex": e.GetLogIndex(), "logID": hex.EncodeToString(e.GetLogId().GetKeyId())}})
		if err != nil {
			t.Fatal(err)
		}
		out[annotationBundle] = string(text)
	}
	for _, ts := range m.GetTimestampVerificationData().GetRfc3161Timestamps() {
		text, err := json.Marshal(object{"SignedRFC3161Timestamp": ts.GetSignedTimestamp()})
		if err != nil {
			t.Fatal(err)
		}
		out[annotationTimestamp] = string(text)
	}
	return out
}

// TestImageKeyless verifies legacy signatures of images by short-lived certificates.
func TestImageKeyless(t *testing.T) {
	l := newLab(t)
	public := l.trust(true, false, true)
	s := theImage()
	digest := "sha256:" + s.Digests["sha256"]
	payload := simplePayload(digest)
	statement, err := json.Marshal(object{"_type": statementV01, "subject": []object{{"digest": s.Digests}}, "predicateType": "https://example.org/note/v1", "predicate": object{}})
	if err != nil {
		t.Fatal(err)
	}
	simple := func(o order) Evidence {
		o.artifact, o.promise = payload, true
		b := l.bundle(o)
		return Evidence{Format: FormatSimple, Payload: payload, Data: b.GetMessageSignature().GetSignature(), Annotations: annotationsOf(t, b), Image: true}
	}
	without := func(ev Evidence, names ...string) Evidence {
		for _, n := range names {
			delete(ev.Annotations, n)
		}
		return ev
	}
	attested := l.bundle(order{statement: statement, promise: true})
	env, err := json.Marshal(object{"payloadType": payloadInToto, "payload": statement, "signatures": []object{{"sig": attested.GetDsseEnvelope().GetSignatures()[0].GetSig()}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ev     Evidence
		change func(*Demand)
		status Status
		step   Step
	}{
		"a log entry":                      {simple(order{}), nil, Verified, ""},
		"a log entry and a timestamp":      {simple(order{stamp: true}), nil, Verified, ""},
		"a timestamp only":                 {without(simple(order{stamp: true}), annotationBundle), func(d *Demand) { d.Root = l.trust(false, false, true) }, Verified, ""},
		"no proof of a time":               {without(simple(order{}), annotationBundle), nil, Unverifiable, StepTime},
		"another identity":                 {simple(order{}), func(d *Demand) { d.Identity += "x" }, Rejected, StepIdentity},
		"nobody demanded":                  {simple(order{}), func(d *Demand) { d.Identity, d.Issuer = "", "" }, Unverifiable, StepIdentity},
		"signed after it was valid":        {simple(order{validFrom: time.Now().Add(-time.Hour)}), nil, Rejected, StepTime},
		"an attestation":                   {Evidence{Format: FormatImageStatement, Data: env, Annotations: annotationsOf(t, attested), Image: true}, nil, Verified, ""},
		"an attestation without its proof": {without(Evidence{Format: FormatImageStatement, Data: env, Annotations: annotationsOf(t, attested), Image: true}, annotationBundle), nil, Unverifiable, StepTime},
	} {
		t.Run(name, func(t *testing.T) {
			d := keyless(public)
			if c.change != nil {
				c.change(&d)
			}
			out, err := Verify(context.Background(), Request{Subject: theImage(), Evidence: []Evidence{c.ev}, Demand: d, Now: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			r := out.Results[0]
			if r.Status != c.status || r.Step != c.step || r.Kind != KindCosignImage {
				t.Fatalf("%s at %q: %s; want %s at %q", r.Status, r.Step, r.Reason, c.status, c.step)
			}
			if r.Status == Verified && (r.Covers != digest || r.Identity != labIdentity || r.Issuer != labIssuer || len(r.Times) == 0) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestImageKeylessMutation flips a bit of every byte that a legacy keyless
// signature consists of. Not signed are only the padding bits of base64, and where
// the log says that the entry lies in it (logIndex is in its promise).
func TestImageKeylessMutation(t *testing.T) {
	l := newLab(t)
	d := keyless(l.trust(true, false, true))
	digest := "sha256:" + theImage().Digests["sha256"]
	payload := simplePayload(digest)
	b := l.bundle(order{artifact: payload, promise: true})
	good := annotationsOf(t, b)
	check := func(ev Evidence) Result {
		ev.Format, ev.Image = FormatSimple, true
		out, err := Verify(context.Background(), Request{Subject: theImage(), Evidence: []Evidence{ev}, Demand: d, Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return out.Results[0]
	}
	want := check(Evidence{Payload: payload, Data: b.GetMessageSignature().GetSignature(), Annotations: good})
	if want.Status != Verified {
		t.Fatal(want.Reason)
	}
	for _, name := range []string{annotationCertificate, annotationBundle} {
		for at := range good[name] {
			bad := map[string]string{}
			for k, v := range good {
				bad[k] = v
			}
			changed := bytes.Clone([]byte(good[name]))
			changed[at] ^= 1 << (at % 7)
			bad[name] = string(changed)
			r := check(Evidence{Payload: payload, Data: b.GetMessageSignature().GetSignature(), Annotations: bad})
			if r.Status == Verified && (r.Covers != digest || r.Identity != want.Identity || r.Issuer != want.Issuer || len(r.Times) != len(want.Times) || !r.Times[0].At.Equal(want.Times[0].At)) {
				t.Errorf("%s, byte %d (%q): %+v", name, at, good[name][max(0, at-10):at+1], r)
			}
		}
	}
	if !strings.Contains(good[annotationBundle], "SignedEntryTimestamp") {
		t.Error("no promise in it")
	}
}
