package attest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSigstoreCases asks for the signers of real bundles. Who built them, and from
// what, is not asked here.
func TestSigstoreCases(t *testing.T) {
	shared := os.Getenv("FNAUDIT_SHARED")
	if shared == "" {
		t.Skip("FNAUDIT_SHARED is not set: REAL BUNDLES ARE NOT VERIFIED")
	}
	files, err := filepath.Glob(filepath.Join(shared, "trust-cases", "*", "expect.json"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range files {
		var c struct {
			Kind, Artifact, Bundle, Native, Key, Identity, Issuer, Expect string
			Digest                                                        string `json:"artifact_digest"`
			TrustedRoot                                                   string `json:"trusted_root"`
			IdentityRegexp                                                string `json:"identity_regexp"`
			PolicyOnly                                                    bool   `json:"policy_only"`
			Requires                                                      *struct {
				Log    *int `json:"tlog"`
				SCT    *int `json:"sct"`
				Signed *int `json:"signed_timestamps"`
			}
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatal(err)
		}
		if c.Kind != "sigstore-bundle" && c.Kind != "dsse-cert" {
			continue
		}
		ran++
		dir := filepath.Dir(file)
		read := func(name string) []byte {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
		d := Demand{Identity: c.Identity, IdentityRegexp: c.IdentityRegexp, Issuer: c.Issuer, Require: DefaultThresholds()}
		if d.Root, err = ParseRoot(c.TrustedRoot, read(c.TrustedRoot)); err != nil {
			t.Fatal(err)
		}
		if c.Key != "" {
			d.Keys = []Key{{Source: c.Key, Data: read(c.Key)}}
		}
		if q := c.Requires; q != nil {
			for n, to := range map[*int]*int{q.Log: &d.Require.Log, q.SCT: &d.Require.SCT, q.Signed: &d.Require.SignedTimestamps} {
				if n != nil {
					*to = *n
				}
			}
		}
		over := &Subject{Name: c.Digest}
		if c.Artifact != "" {
			over = labSubject(read(c.Artifact))
		} else if alg, value, err := ParseDigest(c.Digest); err != nil {
			t.Fatal(err)
		} else {
			over.Digests = map[string]string{alg: value}
		}
		for _, name := range []string{c.Bundle, c.Native} {
			if name == "" {
				continue
			}
			t.Run(filepath.Base(dir)+"/"+name, func(t *testing.T) {
				r := ask(t, Request{Subject: over, Demand: d, Now: time.Now()}, Evidence{Source: name, Data: read(name)})
				want := c.Expect == "verified" || c.PolicyOnly && c.Identity+c.IdentityRegexp != ""
				if (r.Status == Verified) != want || r.Reason == "" || r.Status != Verified && r.Step == "" {
					t.Errorf("%+v, want verified: %v", r, want)
				}
			})
		}
	}
	if ran == 0 {
		t.Error("no case was found")
	}
}
