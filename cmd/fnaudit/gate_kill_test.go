package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// gateWorks is a folder with what the gate needs: some functions that pass, a key, a policy
// and a store.
type gateWorks struct {
	fnaudit, dir string
	targets      []string
}

func newGateWorks(t *testing.T, functions int) *gateWorks {
	t.Helper()
	fnaudit, err := exec.LookPath("fnaudit") // this test's own binary, which testscript puts there
	if err != nil {
		t.Fatal(err)
	}
	w := &gateWorks{fnaudit: fnaudit, dir: t.TempDir()}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(w.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("feed/npm/GHSA-aaaa-bbbb-cccc.json", `{"schema_version":"1.7.0","id":"GHSA-aaaa-bbbb-cccc","modified":"2026-11-20T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`)
	write("release.yaml", "version: 1\ngate: {emit: {verifier_id: 'https://acme.example/v'}}\n")
	for i := range functions {
		name := fmt.Sprintf("f%02d", i)
		write("src/"+name+"/index.js", "exports.handler = async () => "+name)
		zip := filepath.Join(w.dir, name+".zip")
		if err := zipDir(zip, filepath.Join(w.dir, "src", name)); err != nil {
			t.Fatal(err)
		}
		w.targets = append(w.targets, zip)
	}
	if err := errors.Join(zipDir(filepath.Join(w.dir, "all.zip"), filepath.Join(w.dir, "feed/npm")), os.Rename(filepath.Join(w.dir, "all.zip"), filepath.Join(w.dir, "feed/npm/all.zip"))); err != nil {
		t.Fatal(err)
	}
	if out, code := run(t, fnaudit, "db", "update", "-q", "--from", filepath.Join(w.dir, "feed"), "--db", filepath.Join(w.dir, "db")); code != 0 {
		t.Fatal(out)
	}
	key, _ := keyPair(t)
	write("gate.pem", string(key))
	return w
}

// gate is the command line of the gate over all functions.
func (w *gateWorks) gate(out string) []string {
	return append([]string{"gate", "-q", "--policy", filepath.Join(w.dir, "release.yaml"), "--key", filepath.Join(w.dir, "gate.pem"),
		"--db", filepath.Join(w.dir, "db"), "--at", "2026-11-21", "--out", out}, w.targets...)
}

// summaries checks every summary in a folder: it is about its artifact, and the
// statements that it lists lie beside it. It returns how many there are, and the
// names of all files.
func (w *gateWorks) summaries(t *testing.T, dir string) (n int, names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
		base, ok := strings.CutSuffix(e.Name(), ".vsa.sigstore.json")
		if !ok || strings.HasPrefix(base, ".") {
			continue
		}
		n++
		var b struct{ DsseEnvelope struct{ Payload []byte } }
		var st struct {
			Subject   []struct{ Digest map[string]string }
			Predicate struct {
				InputAttestations []struct{ Digest map[string]string }
			}
		}
		read := func(name string) []byte {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		if err := json.Unmarshal(read(filepath.Join(dir, e.Name())), &b); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b.DsseEnvelope.Payload, &st); err != nil {
			t.Fatal(err)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(read(filepath.Join(w.dir, base)))); st.Subject[0].Digest["sha256"] != sum {
			t.Errorf("%s is about %v, not %s", e.Name(), st.Subject, sum)
		}
		var listed []string
		for _, in := range st.Predicate.InputAttestations {
			listed = append(listed, in.Digest["sha256"])
		}
		for _, suffix := range []string{".cdx.sigstore.json", ".vulns.sigstore.json"} {
			if sum := fmt.Sprintf("%x", sha256.Sum256(read(filepath.Join(dir, base+suffix)))); !slices.Contains(listed, sum) {
				t.Errorf("%s does not list %s", e.Name(), base+suffix)
			}
		}
	}
	return n, names
}

// TestKilledGate kills the gate at random moments: whatever summary is there
// then, everything that it refers to is there too.
func TestKilledGate(t *testing.T) {
	kills := 6
	if os.Getenv("FNAUDIT_LONG") != "" {
		kills = 100
	}
	w := newGateWorks(t, 20)
	out := t.TempDir()
	start := time.Now()
	if text, code := run(t, w.fnaudit, w.gate(out)...); code != 0 {
		t.Fatal(code, text)
	}
	lasted := time.Since(start)
	if n, names := w.summaries(t, out); n != 20 || len(names) != 60 {
		t.Fatalf("%d summaries in %d files", n, len(names))
	}
	hit, partly := 0, 0
	for try := 0; hit < kills; try++ {
		if try == 20*kills {
			t.Fatalf("only %d of %d kills came before the end", hit, try)
		}
		out := t.TempDir()
		var text bytes.Buffer
		cmd := exec.Command(w.fnaudit, w.gate(out)...)
		cmd.Stdout, cmd.Stderr = &text, &text
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lasted/2 + rand.N(lasted/2))
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil && cmd.ProcessState.Exited() {
			t.Fatalf("it failed: %s", text.String())
		} else if err != nil {
			hit++
		}
		if n, names := w.summaries(t, out); n < 20 && len(names) > 0 {
			partly++
		}
	}
	t.Logf("%d kills, %d while files were written", hit, partly)
}
