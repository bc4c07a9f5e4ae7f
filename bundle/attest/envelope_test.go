package attest

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
)

// bare writes the envelope of a bundle with the signer's certificate in it, as
// slsa-github-generator did before version 2.
func bare(t *testing.T, b *protobundle.Bundle, change func(object)) Evidence {
	t.Helper()
	env := b.GetDsseEnvelope()
	sig := object{"keyid": "", "sig": base64.StdEncoding.EncodeToString(env.GetSignatures()[0].GetSig()), "cert": string(legacyPEM(b))}
	doc := object{"payloadType": env.GetPayloadType(), "payload": base64.StdEncoding.EncodeToString(env.GetPayload()), "signatures": []object{sig}}
	if change != nil {
		change(doc)
	}
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return Evidence{Source: "orders.intoto.jsonl", Data: data}
}

func TestEnvelopeWithCertificate(t *testing.T) {
	l := newLab(t)
	d := keyless(l.trust(true, false, true))
	good := l.bundle(order{statement: statementAbout(labArtifact)})
	signature := func(o object) object { return o["signatures"].([]object)[0] }
	someone := d
	someone.Identity = "someone"
	for name, c := range map[string]struct {
		ev     Evidence
		demand Demand
		status Status
		step   Step
		says   string
	}{
		"no time":         {bare(t, good, nil), d, Unverifiable, StepTime, "valid for 10m0s only"},
		"nobody demanded": {bare(t, good, nil), Demand{Root: d.Root, Require: DefaultThresholds()}, Unverifiable, StepTime, labIdentity},
		"other signer":    {bare(t, good, nil), someone, Rejected, StepIdentity, "another"},
		"other payload": {bare(t, good, func(o object) { o["payload"] = base64.StdEncoding.EncodeToString(statementAbout([]byte("other"))) }),
			d, Rejected, StepSignature, "does not hold"},
		"other artifact":      {bare(t, l.bundle(order{statement: statementAbout([]byte("other"))}), nil), d, Rejected, StepDigest, "not about"},
		"other payload type":  {bare(t, l.bundle(order{statement: []byte("hello"), payload: "text/plain"}), nil), d, Unverifiable, StepPredicate, "names no artifact"},
		"other authority":     {bare(t, newLab(t).bundle(order{statement: statementAbout(labArtifact)}), nil), d, Rejected, StepChain, "trust root"},
		"broken certificate":  {bare(t, good, func(o object) { signature(o)["cert"] = "-----BEGIN" }), d, Rejected, StepParse, "certificate"},
		"no certificate":      {bare(t, good, func(o object) { delete(signature(o), "cert") }), d, Unverifiable, StepTrust, "key"},
		"no signature":        {bare(t, good, func(o object) { o["signatures"] = []object{} }), d, Rejected, StepParse, "no signature"},
		"broken base64":       {bare(t, good, func(o object) { o["payload"] = "!" }), d, Rejected, StepParse, "payload"},
		"a root that is none": {bare(t, good, nil), Demand{Root: Root{Source: "x", NPMKeys: []byte("{}")}}, Unverifiable, StepTrust, "none of a Sigstore instance"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, Request{Subject: labSubject(labArtifact), Demand: c.demand}, c.ev)
			if r.Status != c.status || r.Step != c.step || !strings.Contains(r.Reason, c.says) || r.Kind != KindDSSE || r.Statement != nil || !r.Claims.Empty() {
				t.Errorf("%+v\nwant %s at %q that says %q", r, c.status, c.step, c.says)
			}
		})
	}
}
