package cli

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/gate"
)

// zipOf makes a zip of one file.
func zipOf(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("index.js")
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestGateSignsWhatWasJudged replaces the artifact at every moment at which the
// gate looks at the clock: what is signed is what was judged, and the bytes that
// lie there then are refused when they are others.
func TestGateSignsWhatWasJudged(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	put(t, at("gate.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	put(t, at("gate.pub"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub}))
	put(t, at("feed/npm/a.json"), []byte(`{"schema_version":"1.7.0","id":"GHSA-aaaa-bbbb-cccc","modified":"2026-11-20T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`))
	var feed bytes.Buffer
	w := zip.NewWriter(&feed)
	if err := w.AddFS(os.DirFS(at("feed/npm"))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, at("feed/npm/all.zip"), feed.Bytes())
	before, after := zipOf(t, "exports.handler = 1"), zipOf(t, "exports.handler = 2")
	digest := func(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	call := func(clock func() time.Time, args ...string) (int, string) {
		var out bytes.Buffer
		code := Main(context.Background(), Env{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Getenv: func(string) string { return "" },
			CacheDir: func() (string, error) { return at("cache"), nil }, Now: clock})
		return code, out.String()
	}
	still := func() time.Time { return now }
	if code, out := call(still, "db", "update", "-q", "--from", at("feed"), "--db", at("db")); code != 0 {
		t.Fatal(out)
	}
	old, replaced := 0, 0
	for moment := 1; ; moment++ {
		put(t, at("f.zip"), before)
		asked := 0
		clock := func() time.Time {
			if asked++; asked == moment {
				put(t, at("f.zip"), after)
			}
			return now
		}
		code, out := call(clock, "gate", at("f.zip"), "--policy", "builtin:ci", "--verifier-id", "https://acme.example/v", "--key", at("gate.pem"), "--db", at("db"), "-q", "-o", "json="+at("report.json"))
		if code != 0 {
			t.Fatal(moment, code, out)
		}
		text, err := os.ReadFile(at("report.json"))
		if err != nil {
			t.Fatal(err)
		}
		var report struct {
			Functions []struct{ Artifacts []struct{ Digest string } }
		}
		if err := json.Unmarshal(text, &report); err != nil {
			t.Fatal(err)
		}
		judged, signed := report.Functions[0].Artifacts[0].Digest, gate.About(at("f.zip"+gate.SummarySuffix))
		if judged != signed {
			t.Errorf("moment %d: judged %s, signed %s", moment, judged, signed)
		}
		there, err := os.ReadFile(at("f.zip"))
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		if digest(there) != signed {
			want = 1
		}
		code, out = call(still, "gate", "check", at("f.zip"), "--policy", "builtin:ci", "--verifier-id", "https://acme.example/v", "--key", at("gate.pub"), "--db", at("db"))
		if code != want || want == 1 && !strings.Contains(out, "step      digest") {
			t.Errorf("moment %d: gate check: %d, want %d: %s", moment, code, want, out)
		}
		switch {
		case signed == digest(before) && asked >= moment:
			old++
		case signed == digest(after):
			replaced++
		}
		if asked < moment { // nobody looked at the clock as often
			break
		}
	}
	if old == 0 || replaced == 0 {
		t.Errorf("the artifact was replaced %d times after it was read and %d times before", old, replaced)
	}
}
