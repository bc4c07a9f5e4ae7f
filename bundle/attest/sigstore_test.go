package attest

import (
	"context"
	"crypto"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

var labArtifact = []byte("PK\x03\x04 a function")

func TestKeyless(t *testing.T) {
	l := newLab(t)
	public, private := l.trust(true, false, true), l.trust(false, false, true)
	statement := statementAbout(labArtifact)
	for name, c := range map[string]struct {
		b      *protobundle.Bundle
		demand Demand
		clocks []string
	}{
		"message":             {l.bundle(order{artifact: labArtifact}), keyless(public), []string{"transparency log https://rekor.localhost"}},
		"message with a time": {l.bundle(order{artifact: labArtifact, stamp: true}), keyless(public), []string{"transparency log https://rekor.localhost", "timestamp authority https://virtual.tsa.sigstore.dev"}},
		"statement":           {l.bundle(order{statement: statement}), keyless(public), []string{"transparency log https://rekor.localhost"}},
		"message v0.1":        {l.bundle(order{artifact: labArtifact, promise: true}), keyless(public), []string{"transparency log https://rekor.localhost"}},
		"statement v0.1":      {l.bundle(order{statement: statement, promise: true}), keyless(public), []string{"transparency log https://rekor.localhost"}},
		"P-384":               {l.bundle(order{artifact: labArtifact, key: newKey(t, "p384"), hash: crypto.SHA384}), keyless(public), []string{"transparency log https://rekor.localhost"}},
		"private instance":    {l.bundle(order{artifact: labArtifact, noLog: true, stamp: true}), keyless(private), []string{"timestamp authority https://virtual.tsa.sigstore.dev"}},
		"private, statement":  {l.bundle(order{statement: statement, noLog: true, stamp: true}), keyless(private), []string{"timestamp authority https://virtual.tsa.sigstore.dev"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, Request{Subject: labSubject(labArtifact), Demand: c.demand}, c.b)
			if r.Status != Verified || r.Identity != labIdentity || r.Issuer != labIssuer || r.Source != "orders.sigstore.json" {
				t.Fatalf("%+v", r)
			}
			var clocks []string
			for _, at := range r.Times {
				clocks = append(clocks, at.Clock)
				if d := time.Since(at.At); d < -time.Minute || d > time.Hour {
					t.Errorf("time %v", at.At)
				}
			}
			if strings.Join(clocks, ", ") != strings.Join(c.clocks, ", ") {
				t.Errorf("clocks %q, want %q", clocks, c.clocks)
			}
			want := Claims{Source: "https://github.com/acme/orders", Commit: "1f2e3d4c", Ref: "refs/tags/v1.2.3", Workflow: ".github/workflows/release.yml",
				Invocation: "https://github.com/acme/orders/actions/runs/1/attempts/1", Runner: "github-hosted"}
			if r.Statement != nil {
				want.PredicateType = "https://example.org/note/v1"
			}
			if got := r.Claims; got.Source != want.Source || got.Commit != want.Commit || got.Ref != want.Ref || got.Workflow != want.Workflow ||
				got.Invocation != want.Invocation || got.Runner != want.Runner || got.PredicateType != want.PredicateType {
				t.Errorf("claims %+v, want %+v", got, want)
			}
			if (r.Statement != nil) != (c.b.GetDsseEnvelope() != nil) || !strings.HasPrefix(r.Covers, "sha") {
				t.Errorf("statement %v, covers %q", r.Statement, r.Covers)
			}
		})
	}
	t.Run("log of version 2", func(t *testing.T) {
		d := keyless(public)
		d.Identity, d.Issuer = "ada@acme.example", "https://login.example"
		r := ask(t, Request{Subject: labSubject(labArtifact), Demand: d}, l.newLogBundle(statement))
		if r.Status != Verified || r.Identity != d.Identity || len(r.Times) != 1 || !strings.HasPrefix(r.Times[0].Clock, "timestamp authority") {
			t.Errorf("%+v", r)
		}
	})
}

// TestKeylessDemands asks for other signers of one good bundle.
func TestKeylessDemands(t *testing.T) {
	l := newLab(t)
	trust := l.trust(true, false, true)
	b := l.bundle(order{artifact: labArtifact})
	for name, c := range map[string]struct {
		change          func(*Demand)
		status          Status
		step            Step
		expected, found string
	}{
		"as signed":                {func(*Demand) {}, Verified, "", "", ""},
		"other identity":           {func(d *Demand) { d.Identity = labIdentity[:len(labIdentity)-1] }, Rejected, StepIdentity, labIdentity[:len(labIdentity)-1], labIdentity},
		"identity in other case":   {func(d *Demand) { d.Identity = strings.ToUpper(labIdentity) }, Rejected, StepIdentity, strings.ToUpper(labIdentity), labIdentity},
		"issuer as a prefix":       {func(d *Demand) { d.Issuer = "https://token.actions" }, Rejected, StepIssuer, "https://token.actions", labIssuer},
		"longer issuer":            {func(d *Demand) { d.Issuer += "/acme" }, Rejected, StepIssuer, labIssuer + "/acme", labIssuer},
		"pattern":                  {func(d *Demand) { d.Identity, d.IdentityRegexp = "", `https://github\.com/acme/.*` }, Verified, "", "", ""},
		"pattern open at the end":  {func(d *Demand) { d.Identity, d.IdentityRegexp = "", `^https://github\.com/acme/` }, Verified, "", "", ""},
		"pattern of a part":        {func(d *Demand) { d.Identity, d.IdentityRegexp = "", `acme/orders` }, Rejected, StepIdentity, "acme/orders", labIdentity},
		"pattern closed":           {func(d *Demand) { d.Identity, d.IdentityRegexp = "", `https://github\.com/acme/` }, Rejected, StepIdentity, `https://github\.com/acme/`, labIdentity},
		"alternative, one anchor":  {func(d *Demand) { d.Identity, d.IdentityRegexp = "", `^nobody|acme/orders` }, Rejected, StepIdentity, "^nobody|acme/orders", labIdentity},
		"pattern and exact":        {func(d *Demand) { d.IdentityRegexp = "nobody" }, Rejected, StepIdentity, "nobody", labIdentity},
		"broken pattern":           {func(d *Demand) { d.IdentityRegexp = "(" }, Unverifiable, StepPolicy, "", ""},
		"issuer pattern":           {func(d *Demand) { d.Issuer, d.IssuerRegexp = "", `https://token\.actions\..*` }, Verified, "", "", ""},
		"issuer pattern of a part": {func(d *Demand) { d.Issuer, d.IssuerRegexp = "", `token` }, Rejected, StepIssuer, "(?:token)", labIssuer},
		"issuer pattern is closed": {func(d *Demand) { d.Issuer, d.IssuerRegexp = "", "^"+labIssuer[:len(labIssuer)-1] }, Rejected, StepIssuer, "(?:^" + labIssuer[:len(labIssuer)-1] + ")", labIssuer},
		"nobody":                   {func(d *Demand) { d.Identity, d.Issuer = "", "" }, Unverifiable, StepIdentity, "", labIdentity},
		"only an issuer":           {func(d *Demand) { d.Identity = "" }, Unverifiable, StepIdentity, "", labIdentity},
		"only an identity":         {func(d *Demand) { d.Issuer = "" }, Unverifiable, StepIssuer, "", labIssuer},
		"runner":                   {func(d *Demand) { d.Runner = "github-hosted" }, Verified, "", "", ""},
		"other runner":             {func(d *Demand) { d.Runner = "self-hosted" }, Rejected, StepRunner, "self-hosted", "github-hosted"},
		"source":                   {func(d *Demand) { d.Source = "git+https://github.com/acme/orders.git@refs/tags/v1.2.3" }, Verified, "", "", ""},
		"other source":             {func(d *Demand) { d.Source = "https://github.com/acme/order" }, Rejected, StepSource, "https://github.com/acme/order", "https://github.com/acme/orders"},
		"key id":                   {func(d *Demand) { d.KeyID = "k" }, Rejected, StepIdentity, "k", "none"},
		"only a key": {func(d *Demand) { d.Identity, d.Issuer, d.Keys = "", "", []Key{labPublicKey(t, newKey(t, "p256"))} },
			Rejected, StepIdentity, "a signature by a given key", labIdentity},
		"a log too many":             {func(d *Demand) { d.Require.Log = 2 }, Rejected, StepLog, "2 entries", "1 entry"},
		"a signed time":              {func(d *Demand) { d.Require.SignedTimestamps = 1 }, Rejected, StepTime, "1 trusted time", "no timestamp"},
		"no clock":                   {func(d *Demand) { d.Require.Timestamps = 0 }, Unverifiable, StepTime, "", ""},
		"root of certificates":       {func(d *Demand) { d.Root = Root{Source: "ca.pem", X509: parseOne(t, l)} }, Unverifiable, StepTrust, "", ""},
		"root that is no root":       {func(d *Demand) { d.Root.Sigstore = []byte(`{"mediaType":"x"}`) }, Unverifiable, StepTrust, "", ""},
		"root with certificate logs": {func(d *Demand) { d.Root = l.trust(true, true, true) }, Rejected, StepSCT, "", ""},
		"root of another instance":   {func(d *Demand) { d.Root = newLab(t).trust(true, false, true) }, Rejected, StepLog, "1 entry", ""},
		"root without its log":       {func(d *Demand) { d.Root = l.trust(false, false, true) }, Unverifiable, StepTime, "1 trusted time", "no timestamp"},
		"embedded root":              {func(d *Demand) { d.Root = Root{} }, Rejected, StepLog, "1 entry", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := keyless(trust)
			c.change(&d)
			r := ask(t, Request{Subject: labSubject(labArtifact), Demand: d}, b)
			if r.Status != c.status || r.Step != c.step || r.Reason == "" || r.Expected != c.expected || c.found != "" && r.Found != c.found {
				t.Fatalf("%+v\nwant %s at %q, expected %q, found %q", r, c.status, c.step, c.expected, c.found)
			}
			if r.Status != Verified && (r.Statement != nil || !r.Claims.Empty()) {
				t.Errorf("something is claimed: %+v", r)
			}
			if (name == "pattern open at the end") != strings.Contains(strings.Join(r.Notes, ""), "no $") {
				t.Errorf("notes %q", r.Notes)
			}
		})
	}
}

// TestBundleRefused changes one thing of a good bundle each.
func TestBundleRefused(t *testing.T) {
	l := newLab(t)
	trust := l.trust(true, false, true)
	other := l.bundle(order{artifact: []byte("other"), stamp: true})
	late := time.Now().Add(30 * time.Minute)
	for name, c := range map[string]struct {
		o      order
		change func(*protobundle.Bundle)
		status Status
		step   Step
		says   string
	}{
		"unknown version": {order{artifact: labArtifact}, func(b *protobundle.Bundle) { b.MediaType = "application/vnd.dev.sigstore.bundle+json;version=9" }, Unverifiable, StepParse, "not read here"},
		"no content":      {order{artifact: labArtifact}, func(b *protobundle.Bundle) { b.Content = nil }, Rejected, StepParse, "content"},
		"no material":     {order{artifact: labArtifact}, func(b *protobundle.Bundle) { b.VerificationMaterial = nil }, Rejected, StepParse, "material"},
		"no certificate":  {order{artifact: labArtifact}, func(b *protobundle.Bundle) { b.VerificationMaterial.Content = nil }, Rejected, StepParse, "material"},
		"two signatures": {order{statement: statementAbout(labArtifact)}, func(b *protobundle.Bundle) {
			e := b.GetDsseEnvelope()
			e.Signatures = append(e.Signatures, e.Signatures[0])
		}, Rejected, StepParse, "exactly one"},
		"no signature": {order{statement: statementAbout(labArtifact)}, func(b *protobundle.Bundle) { b.GetDsseEnvelope().Signatures = nil }, Rejected, StepParse, "exactly one"},
		"no proof":     {order{artifact: labArtifact}, func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].InclusionProof = nil }, Rejected, StepParse, "inclusion proof"},
		"no entry":     {order{artifact: labArtifact}, func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries = nil }, Unverifiable, StepLog, "no entry"},
		"entry twice": {order{artifact: labArtifact}, func(b *protobundle.Bundle) {
			e := b.VerificationMaterial
			e.TlogEntries = append(e.TlogEntries, e.TlogEntries[0])
		}, Rejected, StepLog, "twice"},
		"entry of another": {order{artifact: labArtifact}, func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries = other.VerificationMaterial.TlogEntries
		}, Rejected, StepLog, "another signature"},
		"other time":           {order{artifact: labArtifact}, func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].IntegratedTime++ }, Rejected, StepLog, "promise"},
		"unknown log":          {order{artifact: labArtifact}, func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].LogId.KeyId = []byte("x") }, Rejected, StepLog, "does not know"},
		"certificate of other": {order{artifact: labArtifact}, func(b *protobundle.Bundle) { b.VerificationMaterial.Content = other.VerificationMaterial.Content }, Rejected, StepLog, "another signer"},
		"other signature": {order{artifact: labArtifact, noLog: true, stamp: true}, func(b *protobundle.Bundle) {
			b.GetMessageSignature().Signature = other.GetMessageSignature().Signature
			b.VerificationMaterial.TimestampVerificationData = other.VerificationMaterial.TimestampVerificationData
		}, Rejected, StepSignature, "does not hold"},
		"stamp of another": {order{artifact: labArtifact, noLog: true, stamp: true}, func(b *protobundle.Bundle) {
			b.VerificationMaterial.TimestampVerificationData = other.VerificationMaterial.TimestampVerificationData
		}, Rejected, StepTime, "not about this signature"},
		"other bytes":          {order{artifact: []byte("other")}, nil, Rejected, StepDigest, "other bytes"},
		"statement of another": {order{statement: statementAbout([]byte("other"))}, nil, Rejected, StepDigest, "not about this artifact"},
		"subject by sha1":      {order{statement: []byte(strings.Replace(string(statementAbout(labArtifact)), "sha256", "sha1", 1))}, nil, Unverifiable, StepDigest, "cannot be told"},
		"no statement":         {order{statement: []byte(`{"a":1}`)}, nil, Rejected, StepParse, "no statement"},
		"no JSON":              {order{statement: []byte("hello")}, nil, Unverifiable, StepPredicate, "no in-toto statement"},
		"other payload type":   {order{statement: []byte("hello"), payload: "text/plain"}, nil, Unverifiable, StepPredicate, "names no artifact"},
		"logged too late":      {order{artifact: labArtifact, signedAt: late}, nil, Rejected, StepTime, "not valid"},
		"stamped too late":     {order{artifact: labArtifact, noLog: true, stamp: true, validFrom: time.Now().Add(-30 * time.Minute)}, nil, Rejected, StepChain, "not valid when"},
	} {
		t.Run(name, func(t *testing.T) {
			b := proto.Clone(l.bundle(c.o)).(*protobundle.Bundle)
			if c.change != nil {
				c.change(b)
			}
			d := keyless(trust)
			if c.o.noLog {
				d.Root = l.trust(false, false, true)
			}
			r := ask(t, Request{Subject: labSubject(labArtifact), Demand: d}, b)
			if r.Status != c.status || r.Step != c.step || !strings.Contains(r.Reason, c.says) {
				t.Errorf("%s at %q: %s (expected %q, found %q)\nwant %s at %q that says %q", r.Status, r.Step, r.Reason, r.Expected, r.Found, c.status, c.step, c.says)
			}
			if r.Statement != nil {
				t.Error("it hands out a statement")
			}
		})
	}
}

// TestCertifiedSource lets the certificate of a signature over the bytes answer for
// the source, and for nothing else of a provenance.
func TestCertifiedSource(t *testing.T) {
	l := newLab(t)
	trust := l.trust(true, false, true)
	message, statement := l.bundle(order{artifact: labArtifact}), l.bundle(order{statement: statementAbout(labArtifact)})
	for name, c := range map[string]struct {
		b      *protobundle.Bundle
		change func(*Demand)
		want   Status
	}{
		"source":                    {message, func(d *Demand) {}, Verified},
		"another source":            {message, func(d *Demand) { d.Source += "2" }, Rejected},
		"source and builder":        {message, func(d *Demand) { d.Builders = []Builder{{ID: "x"}} }, Missing},
		"source and tag":            {message, func(d *Demand) { d.Tag = "v1.2.3" }, Missing},
		"source and a provenance":   {message, func(d *Demand) { d.WantProvenance = true }, Missing},
		"statement of another kind": {statement, func(d *Demand) {}, Missing},
	} {
		t.Run(name, func(t *testing.T) {
			d := keyless(trust)
			d.Source = "https://github.com/acme/orders"
			c.change(&d)
			data, err := protojson.Marshal(c.b)
			if err != nil {
				t.Fatal(err)
			}
			out, err := Verify(context.Background(), Request{Subject: labSubject(labArtifact), Demand: d, Now: time.Now(), Evidence: []Evidence{{Source: "b", Data: data}}})
			if err != nil || out.Status != c.want {
				t.Errorf("%v, %v: %+v", out.Status, err, out.Results)
			}
		})
	}
}
