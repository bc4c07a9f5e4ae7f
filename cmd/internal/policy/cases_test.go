package policy

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// casesDir holds the cases of policies: each a file with what it shows in its
// first line, "policy.yaml", "report.json" (what differs from a function in which
// every check ran and found nothing), "at", and "want". Optional are
// "database.json" (a store of a day where there is none), "baseline.json" (findings
// of an earlier report) and "flags" ("gate", "fail-on WORD").
const casesDir = "../../../testdata/policy"

// TestCases runs them all.
func TestCases(t *testing.T) {
	files, err := filepath.Glob(casesDir + "/*.txtar")
	if err != nil || len(files) < 80 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(strings.TrimSpace(string(ar.Comment))) < 20 {
				t.Error("it does not say what it shows")
			}
			part := map[string][]byte{}
			want := -1
			for i, f := range ar.Files {
				part[f.Name] = f.Data
				if f.Name == "want" {
					want = i
				}
			}
			if want < 0 {
				t.Fatal("no want")
			}
			got := caseVerdict(t, part)
			if again := caseVerdict(t, part); again != got {
				t.Errorf("judged twice:\n%s\nand\n%s", got, again)
			}
			if *update {
				ar.Files[want].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if string(part["want"]) != got {
				t.Errorf("got:\n%s\nwant:\n%s", got, part["want"])
			}
		})
	}
}

// caseVerdict is what comes of a case: the errors of its policy, or the verdict,
// what became of each finding, and what is said of the run.
func caseVerdict(t *testing.T, part map[string][]byte) string {
	t.Helper()
	var b strings.Builder
	p, err := Parse(part["policy.yaml"], "policy.yaml")
	if err != nil {
		for _, x := range Problems(part["policy.yaml"]) {
			fmt.Fprintf(&b, "%d:%d: %s\n", x.Line, x.Column, x.Text)
		}
		return b.String()
	}
	var at time.Time
	if err := day(strings.TrimSpace(string(part["at"])), &at, "at"); err != nil || at.IsZero() {
		t.Fatalf("at: %v", err)
	}
	for flag := range strings.Lines(string(part["flags"])) {
		word, ok := strings.CutPrefix(strings.TrimSpace(flag), "fail-on ")
		if p.Wary = !ok; ok && !p.FailOn(word) {
			t.Fatalf("flags: %s", flag)
		}
	}
	r := caseReport(t, part["report.json"])
	db := finding.Database{Ecosystems: map[string]finding.Ecosystem{"npm": {AsOf: at.Add(-24 * time.Hour)}}}
	unmarshalCase(t, part["database.json"], &db)
	if data := part["baseline.json"]; data != nil {
		old := caseReport(t, data)
		p.Baseline = &Baseline{}
		p.Baseline.Add(old.Name, old.Findings, at.AddDate(0, 0, -7))
	}
	v := p.Decide(r, db, at)
	fmt.Fprintf(&b, "%s\n", v.Decision)
	for _, s := range v.Reasons {
		fmt.Fprintf(&b, "reason: %s\n", s)
	}
	for _, s := range v.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", s)
	}
	if v.Next != "" {
		fmt.Fprintf(&b, "next: %s\n", v.Next)
	}
	for i := range r.Findings {
		fmt.Fprintf(&b, "%s: %s\n", r.Findings[i].ID, becameOf(&r.Findings[i]))
	}
	for _, s := range p.Remarks([]Use{p.Use(r)}, db) {
		fmt.Fprintf(&b, "remark: %s\n", s)
	}
	return b.String()
}

func caseReport(t *testing.T, data []byte) *finding.Report {
	t.Helper()
	r := finding.NewReport("orders", "orders.zip")
	r.Coverage = &finding.Coverage{CodeBytes: 100, OwnBytes: 100}
	for _, c := range checkNames {
		r.Ran(c, nil)
	}
	unmarshalCase(t, data, r)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Fingerprint = finding.Fingerprint(f.Kind, f.Rule, r.Name, f.Component, f.ID, f.Aliases)
	}
	return r
}

func unmarshalCase(t *testing.T, data []byte, v any) {
	t.Helper()
	if len(data) == 0 {
		return
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// TestCasesAreWhole holds that the policies of the cases use every key that there is.
func TestCasesAreWhole(t *testing.T) {
	files, err := filepath.Glob(casesDir + "/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if f.Name == "policy.yaml" && len(Problems(f.Data)) == 0 {
				text.Write(f.Data)
			}
		}
	}
	eachKey(reflect.TypeFor[file](), "", func(section, key string) {
		if section+"."+key != "grace.malware" && !strings.HasPrefix(section, "functions[].") && !strings.Contains(text.String(), key+":") {
			t.Errorf("no case uses %s.%s", section, key)
		}
	})
}
