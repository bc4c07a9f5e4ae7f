package vulndb

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestMatch runs testdata/match/*.txtar: OSV records, then lines of
// "ecosystem | name | version | source" in the file query, then what the store
// says about each in the file golden. The records are invented. -update
// rewrites the goldens.
func TestMatch(t *testing.T) {
	found, err := filepath.Glob("testdata/match/*.txtar")
	if err != nil || len(found) < 10 {
		t.Fatalf("%d cases: %v", len(found), err)
	}
	for _, path := range found {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := []byte(answers(t, ar))
			for i, f := range ar.Files {
				if f.Name != "golden" {
					continue
				}
				if *update {
					ar.Files[i].Data = got
					if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
						t.Fatal(err)
					}
				} else if string(got) != string(f.Data) {
					t.Errorf("%s\n--- got ---\n%s--- want ---\n%s", path, got, f.Data)
				}
				return
			}
			t.Fatal("no golden")
		})
	}
}

var update = flag.Bool("update", false, "rewrite the golden files")

func answers(t *testing.T, ar *txtar.Archive) string {
	feeds := map[string][]file{}
	var queries string
	for _, f := range ar.Files {
		switch {
		case f.Name == "query":
			queries = string(f.Data)
		case strings.HasSuffix(f.Name, ".json"):
			a, err := ParseRecord(f.Data)
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			for _, eco := range ecosystems(a) {
				feeds[eco] = append(feeds[eco], file{f.Name, string(f.Data)})
			}
			if len(ecosystems(a)) == 0 {
				feeds["GIT"] = append(feeds["GIT"], file{f.Name, string(f.Data)})
			}
		}
	}
	dir := t.TempDir()
	var inputs []Input
	for eco, files := range feeds {
		inputs = append(inputs, Input{Ecosystem: eco, Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), files...)})
	}
	build(t, dir, inputs...)
	if damages, err := Check(context.Background(), dir); err != nil || len(damages) > 0 {
		t.Fatal(damages, err)
	}
	db := open(t, dir)
	var b strings.Builder
	for line := range strings.Lines(queries) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		for len(parts) < 4 {
			parts = append(parts, "")
		}
		for i := range parts {
			parts[i] = strings.Trim(parts[i], " ")
		}
		p := Package{Ecosystem: parts[0], Name: parts[1], Version: parts[2], Source: parts[3]}
		answer(t, &b, db, p)
	}
	return b.String()
}

// answer prints what the store says about one package.
func answer(t *testing.T, b *strings.Builder, db *DB, p Package) {
	r, err := db.Match(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(b, "%s %s %q", p.Ecosystem, p.Name, p.Version)
	if p.Source != "" {
		fmt.Fprintf(b, " of %s", p.Source)
	}
	if c := db.Covers(p.Ecosystem); c != Covered {
		fmt.Fprintf(b, " (%s)", c)
	}
	if len(r.Matches)+len(r.Unversioned)+len(r.Problems) == 0 {
		b.WriteString(": nothing")
	}
	b.WriteByte('\n')
	for _, m := range r.Matches {
		fmt.Fprintf(b, "\t%s: %s%s\n", m.Advisory.ID, m.Why(), clears(m.Fixed))
	}
	for _, m := range r.Unversioned {
		fmt.Fprintf(b, "\tpossibly %s\n", m.Advisory.ID)
	}
	for _, problem := range r.Problems {
		fmt.Fprintf(b, "\tproblem: %s\n", problem)
	}
	groups := Groups(p, r.Matches)
	if len(groups) == len(r.Matches) && len(groups) < 2 {
		return
	}
	for _, g := range groups {
		fmt.Fprintf(b, "\t= %s %s%s\n", strings.Join(g.IDs, " "), g.Severity, clears(g.Fixed))
	}
}

func clears(fixed []string) string {
	if len(fixed) == 0 {
		return ""
	}
	return " -> " + strings.Join(fixed, ", ")
}
