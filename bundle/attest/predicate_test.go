package attest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden sections of testdata/statement/*.txtar")

// now is the clock of the tests.
var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// statementSubject is what the statements of testdata are about.
func statementSubject() *Subject {
	return &Subject{Name: "orders.zip", Digests: map[string]string{"sha256": strings.Repeat("11", 32)}}
}

const testSigner = "https://github.com/acme/orders/.github/workflows/release.yml@refs/tags/v1.4.2"

// signedResult is what a format returns for a statement whose signature held.
func signedResult(t testing.TB, statement []byte, certificate Claims) Result {
	t.Helper()
	st, err := ParseStatement(statement)
	if err != nil {
		t.Fatal(err)
	}
	covers, err := st.covers(statementSubject())
	if err != nil {
		t.Fatal(err)
	}
	return Result{Kind: KindSigstore, Status: Verified, Identity: testSigner, Issuer: "https://token.actions.githubusercontent.com",
		Covers: covers, Claims: certificate, Statement: st}
}

// TestStatements reads each form of a predicate with nothing demanded of it:
// statement.json, with what the certificate of its signer says in
// certificate.json, gives the result in golden.
func TestStatements(t *testing.T) {
	paths, err := filepath.Glob("testdata/statement/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no test cases: %v", err)
	}
	for _, p := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(p), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(p)
			if err != nil {
				t.Fatal(err)
			}
			statement, certificate := readStatement(t, ar)
			results := predicate(&Request{Subject: statementSubject(), Now: now}, signedResult(t, statement, certificate))
			if len(results) != 1 {
				t.Fatalf("%d results, want 1", len(results))
			}
			got := renderResult(t, results[0])
			golden := &ar.Files[len(ar.Files)-1]
			if golden.Name != "golden" {
				t.Fatal("no golden section")
			}
			if *update {
				golden.Data = []byte(got)
				if err := os.WriteFile(p, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(golden.Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func readStatement(t testing.TB, ar *txtar.Archive) (statement []byte, certificate Claims) {
	t.Helper()
	for _, f := range ar.Files {
		switch f.Name {
		case "statement.json":
			statement = f.Data
		case "certificate.json":
			if err := json.Unmarshal(f.Data, &certificate); err != nil {
				t.Fatal(err)
			}
		}
	}
	return statement, certificate
}

// formOf reads one of the statements in testdata.
func formOf(t testing.TB, name string) Result {
	t.Helper()
	ar, err := txtar.ParseFile(filepath.Join("testdata/statement", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	statement, certificate := readStatement(t, ar)
	return signedResult(t, statement, certificate)
}

func renderResult(t testing.TB, r Result) string {
	t.Helper()
	claims, err := json.MarshalIndent(r.Claims, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	s := fmt.Sprintf("%s %s\n", r.Status, r.Kind)
	for _, line := range [][2]string{{"step", string(r.Step)}, {"reason", r.Reason}, {"expected", r.Expected}, {"found", r.Found}, {"notes", strings.Join(r.Notes, "; ")}} {
		if line[1] != "" {
			s += line[0] + ": " + line[1] + "\n"
		}
	}
	return s + string(claims) + "\n"
}
