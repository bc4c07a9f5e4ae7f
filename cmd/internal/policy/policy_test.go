package policy

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// now is the clock of every case.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// TestDecide runs testdata/*.txtar: "policy" (a built-in name or YAML; flags
// as comment lines "# fail-on: high", "# gate"), "report.json", optionally
// "database.json" and "baseline.json" (an earlier report of the same function,
// judged on 2026-11-01), and the golden verdict.
func TestDecide(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			part := map[string][]byte{}
			for _, f := range ar.Files {
				part[f.Name] = f.Data
			}
			got := decideCase(t, part)
			if *update {
				for i := range ar.Files {
					if ar.Files[i].Name == "golden" {
						ar.Files[i].Data = []byte(got)
					}
				}
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(part["golden"]); got != want {
				t.Errorf("verdict:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func decideCase(t *testing.T, part map[string][]byte) string {
	t.Helper()
	text := strings.TrimSpace(string(part["policy"]))
	var p *Policy
	if strings.HasPrefix(text, "builtin:") {
		name, rest, _ := strings.Cut(text, "\n")
		var ok bool
		if p, ok = Builtin(name); !ok {
			t.Fatalf("no policy %q", name)
		}
		if word, ok := strings.CutPrefix(rest, "# fail-on: "); ok && !p.FailOn(word) {
			t.Fatalf("fail-on %q is not a word", word)
		}
	} else {
		var err error
		if p, err = Parse(part["policy"], "team.yaml"); err != nil {
			return "error: " + err.Error() + "\n"
		}
	}
	p.Wary = strings.Contains(text, "\n# gate")
	if data := part["baseline.json"]; len(data) > 0 {
		old := finding.NewReport("orders", "orders.zip")
		if err := json.Unmarshal(data, old); err != nil {
			t.Fatal(err)
		}
		p.Baseline = &Baseline{}
		p.Baseline.Add(old.Name, old.Findings, now.AddDate(0, 0, -21))
	}
	r := finding.NewReport("orders", "orders.zip")
	r.Coverage = &finding.Coverage{CodeBytes: 100, OwnBytes: 100}
	for _, c := range []string{"open", "catalog", "archive", "vulnerability", "signature", "provenance"} {
		r.Ran(c, nil)
	}
	if data := part["report.json"]; len(data) > 0 {
		if err := json.Unmarshal(data, r); err != nil {
			t.Fatal(err)
		}
	}
	db := finding.Database{Ecosystems: map[string]finding.Ecosystem{"npm": {AsOf: now.Add(-24 * time.Hour)}}}
	if data := part["database.json"]; len(data) > 0 {
		if err := json.Unmarshal(data, &db); err != nil {
			t.Fatal(err)
		}
	}
	v := p.Decide(r, db, now)
	marks, _ := json.Marshal(r)
	again := p.Decide(r, db, now)
	if marksAgain, _ := json.Marshal(r); !reflect.DeepEqual(v, again) || string(marks) != string(marksAgain) {
		t.Errorf("deciding again decides otherwise:\n%+v\n%+v", v, again)
	}
	var b strings.Builder
	b.WriteString(string(v.Decision) + "\n")
	for _, s := range v.Reasons {
		b.WriteString("reason: " + s + "\n")
	}
	for _, s := range v.Warnings {
		b.WriteString("warning: " + s + "\n")
	}
	if v.Next != "" {
		b.WriteString("next: " + v.Next + "\n")
	}
	return b.String()
}

func TestDecideIsPure(t *testing.T) {
	p, _ := Builtin(CI)
	r := finding.NewReport("f", "f.zip")
	r.Ran("open", nil)
	r.Findings = []finding.Finding{{ID: "GHSA-1", Kind: finding.KindVulnerability, Severity: finding.High, Certainty: finding.Certain, Component: "pkg:npm/a@1", Fixed: []string{"2"}}}
	db := finding.Database{Ecosystems: map[string]finding.Ecosystem{"npm": {AsOf: now}}}
	a, b := p.Decide(r, db, now), p.Decide(r, db, now)
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if string(x) != string(y) {
		t.Errorf("two decisions differ:\n%s\n%s", x, y)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("version: 1\n"))
	f.Add([]byte("version: 1\nextends: builtin:release\nfail:\n  severity: high\nwaivers:\n  - {id: CVE-1, reason: r, owner: o, expires: 2027-01-01}\n"))
	f.Add([]byte("a: &a [x, x]\nb: [*a, *a]\n"))
	f.Add([]byte("version: 1\nfunctions: [{match: {name: 'a*', tag: b}, fail: {severity: low, origins: {base: {fixable: none}}}, grace: {high: 14d, known_exploited: 0d, from: seen}}]\n"))
	f.Add([]byte("version: 1\nlicences: {allow: [MIT, BSD-*], deny: [GPL-2.0 WITH Classpath-exception-2.0], packages: [{component: pkg:npm/a, licence: (MIT), reason: r}]}\nrequire: [licence]\n"))
	f.Add([]byte("version: 1\nwaivers_warn: 3d\nwaivers: [{id: a, component: pkg:npm/a, range: '>=1, <2', function: '*', reason: r, owner: o, expires: 2027-01-01}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data, "f.yaml")
		if err != nil {
			return
		}
		for _, o := range p.Functions {
			if o.Match == (Match{}) {
				t.Errorf("an override of every function was accepted: %+v", o)
			}
		}
		r := finding.NewReport("a", "a.zip")
		r.Findings = []finding.Finding{{ID: "MAL-1", Kind: finding.KindMalware, Component: "pkg:npm/a@1", Certainty: finding.Certain}}
		if v := p.Decide(r, finding.Database{}, now); v.Decision == "" || p.Fail.Malware && r.Findings[0].Waived == nil && v.Decision != finding.Fail {
			t.Errorf("malware does not fail: %+v", v)
		}
		for _, w := range p.Waivers {
			if w.Reason == "" || w.Owner == "" || w.Expires.IsZero() {
				t.Errorf("a waiver without reason, owner or expiry was accepted: %+v", w)
			}
		}
	})
}
