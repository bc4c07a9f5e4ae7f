package policy

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseGate(t *testing.T) {
	p, err := Parse([]byte(`version: 1
gate:
  max_age: 30d
  emit:
    verifier_id: https://acme.example/fnaudit
    resource_uri: https://acme.example/functions/{name}
    key: keyless
    fulcio: https://ca.example
    rekor: https://log.example
    timestamps: [https://clock.example/api]
`), "release.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := Gate{MaxAge: 30 * 24 * time.Hour, VerifierID: "https://acme.example/fnaudit", Resource: "https://acme.example/functions/{name}",
		Key: Keyless, Fulcio: "https://ca.example", Rekor: "https://log.example", Timestamps: []string{"https://clock.example/api"}}
	if !reflect.DeepEqual(p.Gate, want) {
		t.Errorf("%+v", p.Gate)
	}
	for text, want := range map[string]string{
		"gate: {max_age: soon}":                              "gate.max_age",
		"gate: {emit: {verifier_id: me}}":                    "gate.emit.verifier_id",
		"gate: {emit: {verifier_id: 'https:'}}":              "gate.emit.verifier_id",
		"gate: {emit: {resource_uri: '{name}'}}":             "gate.emit.resource_uri",
		"gate: {emit: {rekor: log.example}}":                 "gate.emit.rekor",
		"gate: {emit: {timestamps: [x]}}":                    "gate.emit.timestamps",
		"gate: {emit: {key: a.pem, fulcio: https://a.test}}": "key: keyless",
		"gate: {emit: {verifer_id: x}}":                      `did you mean "verifier_id"`,
		"gate: {emits: {}}":                                  "emits",
		"gate: []":                                           "mapping",
	} {
		if _, err := Parse([]byte("version: 1\n"+text+"\n"), "p.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestIdentity holds the digests that summaries are compared with: those of the
// built-in policies change when their rules do, and never otherwise.
func TestIdentity(t *testing.T) {
	seen := map[string]string{}
	for _, name := range Names() {
		p, _ := Builtin(name)
		plain, err := p.Identity()
		if err != nil {
			t.Fatal(err)
		}
		for _, overrides := range [][]string{nil, {"fail-on=high"}, {"fail-on=low"}, {"fail-on=high", "db-max-age=36h"}} {
			d, err := p.Identity(overrides...)
			if err != nil || seen[d] != "" {
				t.Errorf("%s %v: %s as %s, %v", name, overrides, d, seen[d], err)
			}
			seen[d] = name
		}
		p.FailOn("low") // the flag changes the policy, not which policy it started from
		if again, err := p.Identity(); err != nil || again != plain || p.URI() != name {
			t.Errorf("%s: %s, %v, %s", name, again, err, p.URI())
		}
	}
	text := []byte("version: 1\n")
	p, err := Parse(text, "/home/me/secret place/re lease.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := p.Identity(); err != nil || d != fmt.Sprintf("sha256:%x", sha256.Sum256(text)) {
		t.Errorf("%s, %v", d, err)
	}
	if p.URI() != "file:re%20lease.yaml" {
		t.Error(p.URI())
	}
	if uri := p.URI("fail-on=none", "db-max-age=9d"); uri != "file:re%20lease.yaml?fail-on=none&db-max-age=9d" {
		t.Error(uri)
	}
	if _, err := (&Policy{Name: "other"}).Identity(); err == nil {
		t.Error("a policy that is nothing has a digest")
	}
}

func TestStrip(t *testing.T) {
	got := strip(map[string]any{"a": "", "b": false, "c": 0.0, "d": []any{}, "e": map[string]any{"f": ""}, "g": "x", "h": []any{""}, "i": nil})
	if want := (map[string]any{"g": "x", "h": []any{""}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}
