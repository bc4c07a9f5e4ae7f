package policy

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestProblems holds that all problems of a file come at once, by line, each
// with its place and what was meant.
func TestProblems(t *testing.T) {
	text := `version: 2
extends: builtin:cy
fail:
  sevrity: high
  malware: "yes"
  archive: bad
warn: [high]
require: [open, opn]
functions:
  - match: {name: a}
  - match: {tags: x}
    fail: {severity: worst, stale: never}
waivers:
  - id: CVE-2021-1
    owner: o
    expires: soon
  - {id: "*", owner: o, reason: r, expires: 2027-01-01}
trust_roots:
  a.b: {embedded: nobody}
grace:
  malware: 3d
max_age: 7d
licences: {allow: MIT}
`
	want := `1:1 version: it is 2, this program knows version 1: write "version: 1"
2:1 extends: "builtin:cy" is not a built-in policy (builtin:ci, builtin:release, builtin:report)
4:3 fail.sevrity: there is no such key; did you mean "severity"?
5:12 fail.malware: want true or false
7:7 warn: want keys with values below it
8:1 require: "opn" is not a check
11:13 functions[1].match.tags: there is no such key; did you mean "tag"?
14:5 waivers[0]: reason is missing
17:6 waivers[1]: id: "*" would accept everything
19:9 trust_roots.a.b: embedded: "nobody" is not one of public-good, github
21:3 grace.malware: malware never waits
22:1 max_age: there is no such key; it is a key of 
23:19 licences.allow: want a list
`
	got := ""
	found := Problems([]byte(text))
	for _, p := range found {
		got += fmt.Sprintf("%d:%d %s\n", p.Line, p.Column, p.Text)
	}
	lines := strings.Split(strings.TrimSuffix(want, "\n"), "\n")
	for i, w := range lines {
		if i >= len(found) || !strings.Contains(got, "\n"+w) && !strings.HasPrefix(got, w) {
			t.Errorf("not found: %s", w)
		}
	}
	if t.Failed() {
		t.Logf("got:\n%s", got)
	}
}

// TestProblemsAgree holds that a file has problems exactly when it cannot be read.
func TestProblemsAgree(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(casesDir + "/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, more...) {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if !strings.HasPrefix(f.Name, "policy") || strings.HasPrefix(string(f.Data), "builtin:") {
				continue
			}
			_, err := Parse(f.Data, "p")
			found := Problems(f.Data)
			if (err != nil) != (len(found) > 0) {
				t.Errorf("%s: error %v, problems %v", file, err, found)
			}
			for _, p := range found {
				if p.Line < 1 || p.Column < 1 || p.Text == "" || len(p.Text) > 500 {
					t.Errorf("%s: %+v", file, p)
				}
				if p.Line == 1 && p.Column == 1 {
					t.Logf("%s: %s", filepath.Base(file), p.Text)
				}
			}
		}
	}
}

// TestProblemsCounted holds that of many problems the first are told and the
// rest are counted, unknown keys and wrong values alike.
func TestProblemsCounted(t *testing.T) {
	waiver := "- {id: CVE-1, owner: o, reason: r, expires: never}\n"
	for text, want := range map[string]string{
		manyKeys(maxKeys - 1):                       "102:1 and 899 more",
		"waivers:\n" + strings.Repeat(waiver, 1500): "103:36 and 1,400 more",
		manyKeys(400) + "waivers:\n" + strings.Repeat("- {id: [], owner: o, reason: r, expires: never}\n", 50): "102:1 and 350 more",
	} {
		found := Problems([]byte("version: 1\n" + text))
		last := found[len(found)-1]
		if got := fmt.Sprintf("%d:%d %s", last.Line, last.Column, last.Text); len(found) != maxProblems+1 || got != want {
			t.Errorf("%.40q: %d problems, %q, want %q", text, len(found), got, want)
		}
	}
}
