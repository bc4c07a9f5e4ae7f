package attest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestUnsaid demands of each format what it does not speak of: then a good
// signature is no answer.
func TestUnsaid(t *testing.T) {
	data := []byte("artifact")
	key, sig := minisigned(t, "ED", data, false)
	for name, c := range map[string]struct {
		change func(*Demand)
		r      Result
		step   Step // "": stays verified
	}{
		"nothing more":           {func(*Demand) {}, Result{Kind: KindMinisign}, ""},
		"log":                    {func(d *Demand) { d.Require.Log = 1 }, Result{Kind: KindMinisign}, StepLog},
		"certificate log":        {func(d *Demand) { d.Require.SCT = 1 }, Result{Kind: KindPGP}, StepLog},
		"clock of the signer":    {func(d *Demand) { d.Require.Timestamps = 1 }, Result{Kind: KindPGP, Times: []Time{{Clock: "signer (self-asserted)"}}}, StepTime},
		"clock of an authority":  {func(d *Demand) { d.Require.SignedTimestamps = 1 }, Result{Kind: KindJar, Times: []Time{{Clock: "timestamp authority x"}}}, ""},
		"counted by the reader":  {func(d *Demand) { d.Require.Log = 1 }, Result{Kind: KindSigstore}, ""},
		"runner":                 {func(d *Demand) { d.Runner = "github-hosted" }, Result{Kind: KindDSSE}, StepRunner},
		"runner of another kind": {func(d *Demand) { d.Runner = "github-hosted" }, Result{Kind: KindJar, Issuer: "CN=x"}, StepRunner},
		"runner that is said":    {func(d *Demand) { d.Runner = "github-hosted" }, Result{Kind: KindSigstore, Claims: Claims{Runner: "github-hosted"}}, ""},
		"key id of a jar":        {func(d *Demand) { d.KeyID = "k" }, Result{Kind: KindJar, Issuer: "CN=x"}, StepIdentity},
		"key id of AWS":          {func(d *Demand) { d.KeyID = "k" }, Result{Kind: KindAWSSigner}, StepIdentity},
		"identity of npm":        {func(d *Demand) { d.Identity = labIdentity }, Result{Kind: KindNPMSignature}, StepIdentity},
		"issuer of npm":          {func(d *Demand) { d.Issuer = labIssuer }, Result{Kind: KindNPMSignature}, StepIssuer},
		"npm beside a key":       {func(d *Demand) { d.Keys, d.Issuer = []Key{{}}, labIssuer }, Result{Kind: KindNPMSignature}, StepIssuer},
		"identity of AWS":        {func(d *Demand) { d.Identity = labIdentity }, Result{Kind: KindAWSSigner, Identity: "arn:x", Issuer: "CN=x"}, StepIdentity},
		"identity as AWS has it": {func(d *Demand) { d.IdentityRegexp = "arn:.*" }, Result{Kind: KindAWSSigner, Identity: "arn:x"}, ""},
		"issuer of a jar":        {func(d *Demand) { d.Issuer = "CN=x" }, Result{Kind: KindJar, Issuer: "CN=x"}, ""},
		"by a given key":         {func(d *Demand) { d.Keys, d.Identity, d.Issuer = []Key{{}}, labIdentity, labIssuer }, Result{Kind: KindMinisign}, ""},
		"source of a key":        {func(d *Demand) { d.CertificateSource = "https://github.com/acme/orders" }, Result{Kind: KindMinisign}, StepSource},
		"source":                 {func(d *Demand) { d.CertificateSource = "https://github.com/acme/orders.git" }, Result{Kind: KindSigstore, Claims: Claims{Source: "https://github.com/acme/orders"}}, ""},
	} {
		d := Demand{Require: DefaultThresholds()}
		c.change(&d)
		c.r.Status = Verified
		r := unsaid(&d, c.r)
		if (r.Status == Verified) != (c.step == "") || r.Step != c.step || c.step != "" && r.Status != Unverifiable {
			t.Errorf("%s: %+v", name, r)
		}
	}
	req := Request{Subject: artifact(data), Evidence: []Evidence{{Source: "a.minisig", Data: sig}}, Now: time.Now(),
		Demand: Demand{Keys: []Key{{Source: "k.pub", Data: key}}, Require: Thresholds{Log: 1}}}
	if out, err := Verify(context.Background(), req); err != nil || out.Status != Unverifiable {
		t.Errorf("a log was demanded of minisign: %v %+v", err, out)
	}
}

// TestCertificateSource demands the source repository of a signer's certificate.
func TestCertificateSource(t *testing.T) {
	l := newLab(t)
	b := l.bundle(order{artifact: labArtifact})
	d := keyless(l.trust(true, false, true))
	req := Request{Subject: labSubject(labArtifact), Demand: d}
	good := ask(t, req, b)
	if good.Status != Verified || good.Claims.Source == "" {
		t.Fatalf("%+v", good)
	}
	req.Demand.CertificateSource = good.Claims.Source
	if r := ask(t, req, b); r.Status != Verified {
		t.Errorf("the same source: %+v", r)
	}
	req.Demand.CertificateSource = strings.ToUpper(good.Claims.Source)
	if r := ask(t, req, b); r.Status != Rejected || r.Step != StepSource || !r.Claims.Empty() {
		t.Errorf("another source: %+v", r)
	}
}

// TestDeniedStatement signs a statement that denies the artifact: the signature
// under it holds, and answers nothing.
func TestDeniedStatement(t *testing.T) {
	by := signers(t)[0]
	payload := []byte(strings.Replace(string(summaryStatement()), `"PASSED"`, `"FAILED"`, 1))
	d := Demand{Keys: []Key{keyOf(t, "k", by.pub)}, Require: DefaultThresholds()}
	out := askEnvelope(t, envelope(t, payloadInToto, payload, by), d)
	failed := slices.ContainsFunc(out.Results, func(r Result) bool { return r.Kind == KindSummary && r.Status == Rejected })
	if out.Status != Rejected || !failed {
		t.Errorf("%+v", out)
	}
	if out := askEnvelope(t, envelope(t, payloadInToto, summaryStatement(), by), d); out.Status != Verified {
		t.Errorf("passed: %+v", out)
	}
	d.NoKeyID = true
	if out := askEnvelope(t, envelope(t, payloadInToto, summaryStatement(), by), d); out.Status != Rejected || out.Results[0].Step != StepIdentity {
		t.Errorf("no key id demanded: %+v", out)
	}
}

// TestSealedStatement demands a statement where there is one that nobody can verify
// here: that is not the same as none.
func TestSealedStatement(t *testing.T) {
	by := signers(t)[0]
	data := envelope(t, payloadInToto, summaryStatement(), by)
	for name, d := range map[string]Demand{
		"summary":        {VerifierID: "https://acme.example/verifier"},
		"provenance":     {WantProvenance: true},
		"predicate type": {Predicate: []string{summaryV1}},
		"age":            {MaxAge: time.Hour},
	} {
		d.Require = DefaultThresholds()
		if out := askEnvelope(t, data, d); out.Status != Unverifiable || out.Results[len(out.Results)-1].Status != Unverifiable {
			t.Errorf("%s: %+v", name, out)
		}
		d.Keys = []Key{keyOf(t, "k", by.pub)}
		if out := askEnvelope(t, data, d); out.Status == Unverifiable {
			t.Errorf("%s, with the key: %+v", name, out)
		}
	}
}

// TestAgeOfNothing limits the age of a statement where there is none.
func TestAgeOfNothing(t *testing.T) {
	data := []byte("artifact")
	key, sig := minisigned(t, "ED", data, false)
	req := Request{Subject: artifact(data), Evidence: []Evidence{{Source: "a.minisig", Data: sig}}, Now: time.Now(),
		Demand: Demand{Keys: []Key{{Source: "k.pub", Data: key}}, MaxAge: time.Hour}}
	if out, err := Verify(context.Background(), req); err != nil || out.Status != Missing {
		t.Errorf("%v %+v", err, out)
	}
}
