package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/cli"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/vulndb/reach"
)

// TestCorpusReach compares the findings about Go binaries with what is known
// of them: whether the linker kept the advisory's symbol.
func TestCorpusReach(t *testing.T) {
	shared := os.Getenv("FNAUDIT_SHARED")
	if shared == "" {
		t.Skip("FNAUDIT_SHARED is not set")
	}
	self, err := reach.Self()
	if err != nil {
		t.Fatal(err)
	}
	run := func(out *bytes.Buffer, args ...string) int {
		env := cli.System(args)
		env.Program, env.Stdout, env.Stderr = self, out, out
		return cli.Main(t.Context(), env)
	}
	db := t.TempDir()
	var log bytes.Buffer
	if code := run(&log, "db", "update", "--from", filepath.Join(shared, "osv"), "--db", db); code != 0 {
		t.Fatalf("db update: %d\n%s", code, log.String())
	}
	cases, err := filepath.Glob(filepath.Join(shared, "corpus", "open", "go-*", "truth.json"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range cases {
		var truth struct {
			Artefacts    []string
			Opaque       []string
			Reachability []struct {
				Advisory string
				Linked   bool
			}
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &truth); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(name)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var out bytes.Buffer
			code := run(&out, "scan", filepath.Join(dir, truth.Artefacts[0]), "--db", db, "--db-max-age", "100000h", "-o", "json", "--offline")
			var doc finding.Document
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if len(truth.Opaque) > 0 {
				if code != 3 || doc.Functions[0].Verdict.Decision != finding.Incomplete {
					t.Errorf("exit %d, verdict %+v: an opaque binary is never clean", code, doc.Functions[0].Verdict)
				}
				return
			}
			for _, want := range truth.Reachability {
				word, seen := finding.ReachAbsent, false
				if want.Linked {
					word = finding.ReachPresent
				}
				for _, f := range doc.Functions[0].Findings {
					if names(f, want.Advisory) {
						seen = true
						if f.Reach != word {
							t.Errorf("%s is %s, want %s: %+v", want.Advisory, f.Reach, word, f.Evidence)
						}
					}
				}
				if !seen {
					t.Errorf("%s is not found", want.Advisory)
				}
			}
		})
	}
}

func names(f finding.Finding, id string) bool {
	if f.ID == id {
		return true
	}
	for _, a := range f.Aliases {
		if a == id {
			return true
		}
	}
	return false
}
