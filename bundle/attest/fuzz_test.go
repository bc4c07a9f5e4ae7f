package attest

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzEnvelope: an envelope that is read has signatures, and is read the same
// when it is written again.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(`{"payloadType":"t","payload":"e30=","signatures":[{"keyid":"k","sig":"AA=="}]}`))
	f.Add([]byte(`{"payloadType":"t","payload":"-_8=","signatures":[{"sig":"AA==","cert":"c"},{}]}`))
	f.Add([]byte(`{"payload":"","payload":"","signatures":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseEnvelope(data)
		if err != nil {
			return
		}
		if len(e.Signatures) == 0 || len(e.Signatures) > maxSignatures {
			t.Fatalf("%d signatures", len(e.Signatures))
		}
		type signature struct {
			KeyID string `json:"keyid"`
			Sig   []byte `json:"sig"`
		}
		var list []signature
		for _, s := range e.Signatures {
			list = append(list, signature{s.KeyID, s.Sig})
		}
		again, err := json.Marshal(map[string]any{"payloadType": e.PayloadType, "payload": append([]byte{}, e.Payload...), "signatures": list})
		if err != nil {
			t.Fatal(err)
		}
		e2, err := ParseEnvelope(again)
		if err != nil || e2.PayloadType != e.PayloadType || string(e2.Payload) != string(e.Payload) {
			t.Fatalf("%s: %v", again, err)
		}
	})
}

// FuzzStatement: what is read of a statement, whatever its predicate, gives one
// result with a status that follows from its step, and never a panic.
func FuzzStatement(f *testing.F) {
	paths, _ := filepath.Glob("testdata/statement/*.txtar")
	for _, p := range paths {
		if ar, err := txtar.ParseFile(p); err == nil {
			f.Add(ar.Files[0].Data)
		}
	}
	demands := []Demand{
		{},
		{Source: "https://github.com/acme/orders", Tag: "semver:v1", Builders: []Builder{{ID: testSigner}}, Inputs: map[string]string{"stage": "prod"}, Package: "pkg:npm/x@1"},
		{VerifierID: "https://acme.example/verifier", Levels: []string{"SLSA_BUILD_LEVEL_2"}, PolicyDigest: "sha256:ab", MaxAge: 1},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		st, err := ParseStatement(data)
		if err != nil {
			return
		}
		if len(st.Subject) == 0 || st.PredicateType == "" {
			t.Fatal("a statement about nothing, or of no type")
		}
		covers, _ := st.covers(statementSubject())
		for _, d := range demands {
			req := &Request{Subject: statementSubject(), Demand: d, Now: now}
			results := predicate(req, Result{Kind: KindDSSE, Status: Verified, Identity: testSigner, Covers: covers, Statement: st, Claims: Claims{Source: "https://github.com/acme/orders"}})
			if len(results) != 1 {
				t.Fatalf("%d results", len(results))
			}
			r := results[0]
			if (r.Status == Verified) != (r.Step == "") || r.Reason == "" || r.Status == Missing {
				t.Fatalf("%+v", r)
			}
			if r.Status == Verified && d.Source != "" && r.Kind == KindProvenance && r.Claims.Source != d.Source {
				t.Fatalf("verified from %q", r.Claims.Source)
			}
		}
	})
}

// FuzzOrigin: a repository holds no ref that could be compared by mistake, and is
// read as itself.
func FuzzOrigin(f *testing.F) {
	f.Add("git+https://github.com/acme/orders@refs/tags/v1")
	f.Add("https://user@host/a.git#refs/heads/main")
	f.Fuzz(func(t *testing.T, uri string) {
		o := parseOrigin(uri)
		if len(o.repository) > len(uri) {
			t.Fatalf("%q became %q", uri, o.repository)
		}
		parsePURL(uri)
		pythonFile(uri)
		tagMatches("semver:"+uri, uri)
	})
}
