package gate

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/bundle/attest"
)

// Wherever the type begins in the payload, one of the marks is in its base64.
func TestSummaryMarks(t *testing.T) {
	has := func(payload string) bool {
		text := []byte(base64.StdEncoding.EncodeToString([]byte(payload)))
		return slices.ContainsFunc(summaryMarks(), func(mark []byte) bool { return bytes.Contains(text, mark) })
	}
	for before := range 7 {
		for after := range 7 {
			payload := strings.Repeat("{", before) + SummaryType + strings.Repeat("}", after)
			if !has(payload) {
				t.Errorf("%q: no mark", payload)
			}
			if payload = strings.Repeat("{", before) + VulnerabilityType + SBOMType + strings.Repeat("}", after); has(payload) {
				t.Errorf("%q: a mark", payload)
			}
		}
	}
	for _, mark := range summaryMarks() {
		if len(mark) < 16 {
			t.Errorf("the mark %q is too short to tell anything", mark)
		}
	}
}

// keyed is a run whose summaries a key verifies, and that key.
func keyed(t testing.TB) (*Run, attest.Key) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	r := run(t)
	if r.Signer, err = attest.NewSigner("key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), nil, attest.Services{}); err != nil {
		t.Fatal(err)
	}
	k, err := attest.ParseKey("gate.pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	if err != nil {
		t.Fatal(err)
	}
	return r, k
}

// summaryOf signs the summary of a function that passed, changed by changes of its text.
func summaryOf(t testing.TB, r *Run, changes ...string) []byte {
	t.Helper()
	list, err := r.Attest(t.Context(), passed())
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) == 0 {
		return list[2].Bundle
	}
	text := string(payload(t, list[2].Bundle))
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("%q is not in the summary: %s", changes[i], text)
		}
		text = strings.ReplaceAll(text, changes[i], changes[i+1])
	}
	st, err := attest.ParseStatement([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := r.Signer.Sign(t.Context(), *st)
	if err != nil {
		t.Fatal(err)
	}
	return signed.Bundle
}

func TestReadSummaries(t *testing.T) {
	r, key := keyed(t)
	stranger, _ := keyed(t)
	good := summaryOf(t, r)
	broken := bytes.Replace(good, []byte(`"sig":"ME`), []byte(`"sig":"MF`), 1)
	demand := attest.Demand{Keys: []attest.Key{key}, VerifierID: "https://acme.example/fnaudit", PolicyDigest: digest("c"), MaxAge: 30 * 24 * time.Hour}
	now := day.AddDate(0, 0, 10)
	for name, c := range map[string]struct {
		files map[string][]byte
		holds []string // paths
		why   []string // with their counts
	}{
		"one that holds":               {map[string][]byte{"a.json": good}, []string{"a.json"}, nil},
		"two of one content":           {map[string][]byte{"b/a.json": good, "a.json": good}, []string{"a.json", "b/a.json"}, nil},
		"another function's name":      {map[string][]byte{"a.json": summaryOf(t, r, `"orders"`, `"billing"`)}, []string{"a.json"}, nil},
		"other bytes":                  {map[string][]byte{"a.json": summaryOf(t, r, strings.Repeat("a", 64), strings.Repeat("f", 64))}, []string{"a.json"}, nil}, // for those, and no others
		"by a stranger":                {map[string][]byte{"a.json": summaryOf(t, stranger)}, nil, []string{"1 "}},
		"two by strangers":             {map[string][]byte{"a.json": summaryOf(t, stranger), "b.json": summaryOf(t, stranger), "c.json": good}, []string{"c.json"}, []string{"2 "}},
		"that failed":                  {map[string][]byte{"a.json": summaryOf(t, r, `"PASSED"`, `"FAILED"`)}, nil, []string{"1 "}},
		"another verifier":             {map[string][]byte{"a.json": summaryOf(t, r, "acme.example/fnaudit", "other.example/fnaudit")}, nil, []string{"1 "}},
		"another policy":               {map[string][]byte{"a.json": summaryOf(t, r, strings.Repeat("c", 64), strings.Repeat("9", 64))}, nil, []string{"1 "}},
		"too old":                      {map[string][]byte{"a.json": summaryOf(t, r, "2026-11-20T13", "2026-10-20T13")}, nil, []string{"1 "}},
		"of tomorrow":                  {map[string][]byte{"a.json": summaryOf(t, r, "2026-11-20T13", "2027-11-20T13")}, nil, []string{"1 "}},
		"a signature that was changed": {map[string][]byte{"a.json": broken}, nil, []string{"1 "}},
		"what is no summary":           {map[string][]byte{"a.json": []byte("{}"), "b.txt": []byte("verification_summary"), "c": nil, "d.json": []byte(`{"dsseEnvelope":{"payload":"` + base64.StdEncoding.EncodeToString([]byte(`{"predicateType":"`+SummaryType+`"}`)) + `"}}`)}, nil, nil},
		"each for its reason":          {map[string][]byte{"a.json": summaryOf(t, r, `"PASSED"`, `"FAILED"`), "b.json": summaryOf(t, stranger), "c.json": summaryOf(t, stranger)}, nil, []string{"2 ", "1 "}},
	} {
		dir := t.TempDir()
		for path, data := range c.files {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, path), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		found, err := ReadSummaries(t.Context(), dir, demand, now)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var holds, why []string
		for _, v := range found.Hold {
			rel, _ := filepath.Rel(dir, v.Source)
			holds = append(holds, filepath.ToSlash(rel))
			if v.Digest != digest("a") && v.Digest != digest("f") || (name == "other bytes") != (v.Digest == digest("f")) {
				t.Errorf("%s: %s is about %s", name, rel, v.Digest)
			}
		}
		for i, x := range found.Refused {
			why = append(why, fmt.Sprintf("%d ", x.Count))
			if x.Why == "" || !strings.HasPrefix(x.First, dir) {
				t.Errorf("%s: refused %d: %+v", name, i, x)
			}
		}
		if !slices.Equal(holds, c.holds) || !slices.Equal(why, c.why) || found.Files != len(c.files) {
			t.Errorf("%s: hold %q, refused %+v, of %d files", name, holds, found.Refused, found.Files)
		}
	}
}

func TestReadSummariesStops(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := os.WriteFile(filepath.Join(dir, "a.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSummaries(ctx, dir, attest.Demand{}, day); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := ReadSummaries(t.Context(), filepath.Join(dir, "none"), attest.Demand{}, day); err == nil {
		t.Error("a folder that is not there can be read")
	}
	deep := filepath.Join(dir, strings.Repeat("d/", maxSummaryDepth+1))
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSummaries(t.Context(), dir, attest.Demand{}, day); err == nil {
		t.Error("folders without end are read")
	}
}

func BenchmarkReadSummaries(b *testing.B) {
	r, key := keyed(b)
	dir := b.TempDir()
	const n = 200
	for i := range n {
		sum := summaryOf(b, r, strings.Repeat("a", 64), fmt.Sprintf("%064x", i))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.json", i)), sum, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		found, err := ReadSummaries(b.Context(), dir, attest.Demand{Keys: []attest.Key{key}, VerifierID: "https://acme.example/fnaudit"}, day.AddDate(0, 0, 1))
		if err != nil || len(found.Hold) != n {
			b.Fatalf("%d hold: %v, %v", len(found.Hold), found.Refused, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/summary")
}
