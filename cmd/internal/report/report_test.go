package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func write(t testing.TB, format string, doc *finding.Document, opt report.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, format, doc, opt); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "testdata", "golden", "report", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the golden; go test -update rewrites it\n%s", name, firstDifference(string(got), string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got:  " + g[i] + "\nwant: " + w[i]
		}
	}
	return "one is a prefix of the other"
}

// Every sample in every format: valid, without anything that acts where it is
// shown, and the same bytes twice.
func TestFormats(t *testing.T) {
	for name, doc := range samples() {
		for _, format := range report.Formats() {
			t.Run(format+"/"+name, func(t *testing.T) {
				before, _ := json.Marshal(doc)
				got := write(t, format, doc, report.Options{})
				if err := inert(got); err != nil && format != "ics" && format != "github" { // whose lines end in CRLF; its check does the same, and that of the commands
					t.Error(err)
				}
				if format == "osv-json" && name == "hostile" {
					t.Setenv("FNAUDIT_OSV_SCHEMA", "") // its patterns know the ids that there are
				}
				if err := validate(format, got); err != nil {
					t.Error(err)
				}
				if !bytes.Equal(got, write(t, format, doc, report.Options{})) {
					t.Error("two runs wrote different bytes")
				}
				if after, _ := json.Marshal(doc); !bytes.Equal(before, after) {
					t.Error("Write changed the document")
				}
			})
		}
	}
}

func TestGolden(t *testing.T) {
	docs := samples()
	for _, format := range report.Formats() {
		if format == "html" {
			continue // TestHTMLGolden compares what is in it
		}
		golden(t, "fail."+format, write(t, format, docs["fail"], report.Options{}))
	}
	for name, opt := range map[string]report.Options{
		"table": {}, "wide.table": {Width: 140}, "verbose.table": {Verbose: true}, "quiet.table": {Quiet: true}, "colour.table": {Color: true},
	} {
		golden(t, "fail."+name, write(t, "table", docs["fail"], opt))
	}
	for _, name := range []string{"pass", "incomplete", "unopened", "starter", "several", "many", "hostile", "empty", "fleet"} {
		golden(t, name+".table", write(t, "table", docs[name], report.Options{}))
	}
	for _, format := range []string{"table", "json", "openvex", "cyclonedx-json"} {
		golden(t, "bundled."+format, write(t, format, docs["bundled"], report.Options{}))
	}
	for _, format := range []string{"markdown", "junit", "github", "sarif"} {
		golden(t, "fleet."+format, write(t, format, docs["fleet"], report.Options{}))
	}
	golden(t, "fleet.verbose.table", write(t, "table", docs["fleet"], report.Options{Verbose: true}))
	golden(t, "bundled.verbose.table", write(t, "table", docs["bundled"], report.Options{Verbose: true}))
	golden(t, "reach.openvex", write(t, "openvex", docs["reach"], report.Options{}))
	golden(t, "several.cyclonedx-json", write(t, "cyclonedx-json", docs["several"], report.Options{}))
	golden(t, "several.spdx-json", write(t, "spdx-json", docs["several"], report.Options{}))
}

// What was written as json can be read back and is the same document.
func TestJSONRoundTrip(t *testing.T) {
	doc := samples()["fail"]
	var back finding.Document
	if err := json.Unmarshal(write(t, "json", doc, report.Options{}), &back); err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(doc)
	got, _ := json.Marshal(back)
	want = bytes.ReplaceAll(want, []byte(`"fixed":null`), []byte(`"fixed":[]`))
	if !bytes.Equal(got, want) {
		t.Error(firstDifference(strings.ReplaceAll(string(got), ",", ",\n"), strings.ReplaceAll(string(want), ",", ",\n")))
	}
}

// A document of zero values is not a pass, and its lists are not null.
func TestZeroValues(t *testing.T) {
	doc := &finding.Document{Functions: []*finding.Report{{Findings: []finding.Finding{{}}, Components: []finding.Component{{}}}, nil}}
	text := string(write(t, "json", doc, report.Options{}))
	for _, want := range []string{`"decision": "incomplete"`, `"severity": "unknown"`, `"reasons": []`, `"aliases": []`, `"hashes": {}`, `"ecosystems": {}`, `"incomplete": 1`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(strings.ReplaceAll(text, `"waived": null`, ""), "null") {
		t.Errorf("null in\n%s", text)
	}
	for _, format := range report.Formats() {
		write(t, format, doc, report.Options{}) // no panic
	}
}

// The schema is strict: what is misspelt or missing is refused.
func TestSchemaRefuses(t *testing.T) {
	good := string(write(t, "json", samples()["fail"], report.Options{}))
	if err := validate("json", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{`"decision": "fail"`, `"decision": "ok"`},
		{`"decision": "fail"`, `"desicion": "fail"`},
		{`"severity": "critical"`, `"severity": "severe"`},
		{`"state": "ran"`, `"state": ""`},
		{`"kind": "opaque"`, `"kind": "odd"`},
		{`"fingerprint": "`, `"fingerprint": "x`},
		{`"schemaVersion": "1"`, `"schemaVersion": "2"`},
		{`"confidence": 0.99`, `"confidence": 1.5`},
	} {
		bad := strings.Replace(good, edit[0], edit[1], 1)
		if bad == good {
			t.Fatalf("no %s in the sample", edit[0])
		}
		if err := validate("json", []byte(bad)); err == nil {
			t.Errorf("accepted with %s", edit[1])
		}
	}
}

func TestLine(t *testing.T) {
	doc := samples()["several"]
	var b bytes.Buffer
	for _, r := range doc.Functions {
		if err := report.Line(&b, doc, r); err != nil {
			t.Fatal(err)
		}
	}
	if want := write(t, "jsonl", doc, report.Options{}); !bytes.Equal(b.Bytes(), want) {
		t.Errorf("Line and jsonl differ: %s", firstDifference(b.String(), string(want)))
	}
	if n := bytes.Count(b.Bytes(), []byte("\n")); n != len(doc.Functions) {
		t.Errorf("%d lines for %d functions", n, len(doc.Functions))
	}
}

func TestFormatError(t *testing.T) {
	for typed, nearest := range map[string]string{
		"jsn": "json", "SARIF": "sarif", "cyclonedx": "cyclonedx-json", "spdx": "spdx-json", "osv": "osv-json", "tabel": "table", "xml": "", "": "",
	} {
		err := report.Check(typed)
		var fe *report.FormatError
		if !errors.As(err, &fe) || fe.Nearest != nearest {
			t.Errorf("%q: %v, want nearest %q", typed, err, nearest)
		}
	}
	for _, name := range report.Formats() {
		if err := report.Check(name); err != nil {
			t.Error(err)
		}
	}
	if err := report.Write(io.Discard, "xml", samples()["pass"], report.Options{}); err == nil {
		t.Error("wrote an unknown format")
	}
	if len(report.About()) != len(report.Formats()) {
		t.Error("a format without a description")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// An output that could not be written must not look written.
func TestWriteError(t *testing.T) {
	for _, format := range report.Formats() {
		if err := report.Write(brokenWriter{}, format, samples()["fail"], report.Options{}); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%s: error %v", format, err)
		}
	}
}

func TestTable(t *testing.T) {
	docs := samples()
	has := func(text []byte, wants ...string) {
		t.Helper()
		for _, w := range wants {
			if !strings.Contains(string(text), w) {
				t.Errorf("no %q in\n%s", w, text)
			}
		}
	}
	fail := write(t, "table", docs["fail"], report.Options{})
	has(fail, "FAIL  orders", "MALWARE", "MAL-2026-1234", "(guessed)", "EXPLOITED", "+2", "4.17.21", "no fix", "May apply", "version unknown"[:7],
		"Could not be judged", "lib/native.node", "packed by UPX", "1 generic package: no advisory source", "Base image: 1 package, 1 finding", "Not loaded",
		"node-fetch", "check reachability failed", "out of time", "check provenance skipped", "Waived: 1 finding", "3 days old", "Next: ", "same path is in the archive")
	if strings.Index(string(fail), "MALWARE") > strings.Index(string(fail), "SEVERITY") {
		t.Error("malware is not first")
	}
	has(write(t, "table", docs["starter"], report.Options{}), "STARTER SET", "fnaudit db update", "INCOMPLETE")
	has(write(t, "table", docs["fail"], report.Options{Verbose: true}), "CVE-", "fixed in 4.17.19", "CVSS 7.4", "nodejs/node_modules/minimist", "accepted by alice@example.com", "CVE-2024-0727", "-> 4.17.21")
	if got := write(t, "table", docs["pass"], report.Options{Quiet: true}); len(got) != 0 {
		t.Errorf("quiet pass printed %q", got)
	}
	has(write(t, "table", docs["several"], report.Options{Quiet: true}), "orders: FAIL", "media: INCOMPLETE", "broken: INCOMPLETE", "could not be opened")
	many := write(t, "table", docs["many"], report.Options{})
	has(many, "fn-04", "fn-07", "25 functions: 3 fail, 2 incomplete, 20 pass")
	if strings.Contains(string(many), "fn-00") {
		t.Error("a pass is listed among many")
	}
	if bytes.Contains(fail, []byte("\x1b")) {
		t.Error("colour without Color")
	}
}

// One function, however it is shown, names one next step.
func TestOneNextStep(t *testing.T) {
	for name, doc := range samples() {
		text := string(write(t, "table", doc, report.Options{}))
		want := 0
		for _, r := range doc.Functions {
			if r.Verdict.Decision != finding.Pass {
				want = 1
			}
		}
		if n := strings.Count(text, "Next: "); n != want {
			t.Errorf("%s: %d next steps", name, n)
		}
	}
}

// Lines stay within the width unless a single word is longer than it.
func TestTableWidth(t *testing.T) {
	for name, doc := range samples() {
		if name == "hostile" {
			continue // one word of 300 characters
		}
		for _, width := range []int{80, 100, 120} {
			for _, verbose := range []bool{false, true} {
				for _, line := range strings.Split(string(write(t, "table", doc, report.Options{Width: width, Verbose: verbose})), "\n") {
					words := strings.Fields(line)
					longest := 0
					for _, w := range words {
						longest = max(longest, len([]rune(w)))
					}
					if n := len([]rune(line)); n > width && longest < width-20 && !strings.Contains(line, "fnaudit ") {
						t.Errorf("%s at %d columns: %d in %q", name, width, n, line)
					}
				}
			}
		}
	}
}

// Colour adds escapes and changes no other byte.
func TestColourOnlyAdds(t *testing.T) {
	for name, doc := range samples() {
		for _, verbose := range []bool{false, true} {
			plain := string(write(t, "table", doc, report.Options{Verbose: verbose}))
			colour := string(write(t, "table", doc, report.Options{Verbose: verbose, Color: true}))
			if stripped := stripSGR(colour); stripped != plain {
				t.Errorf("%s: %s", name, firstDifference(stripped, plain))
			}
		}
	}
}

func stripSGR(s string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, s, _ = strings.Cut(after, "m")
	}
}

func TestSARIFSuppressions(t *testing.T) {
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID       string            `json:"ruleId"`
				Level        string            `json:"level"`
				Fingerprints map[string]string `json:"partialFingerprints"`
				Suppressions *[]any            `json:"suppressions"`
			} `json:"results"`
			Invocations []struct {
				ExecutionSuccessful bool  `json:"executionSuccessful"`
				Notifications       []any `json:"toolExecutionNotifications"`
			} `json:"invocations"`
		} `json:"runs"`
	}
	doc := samples()["fail"]
	if err := json.Unmarshal(write(t, "sarif", doc, report.Options{}), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != len(doc.Functions[0].Findings) {
		t.Errorf("%d results for %d findings", len(run.Results), len(doc.Functions[0].Findings))
	}
	suppressed := 0
	for i, r := range run.Results {
		if r.Suppressions == nil {
			t.Fatalf("%s does not say whether it is suppressed, although another one is", r.RuleID)
		}
		suppressed += len(*r.Suppressions)
		if r.Fingerprints["fnaudit/v1"] != doc.Functions[0].Findings[i].Fingerprint {
			t.Errorf("%s: fingerprint %q", r.RuleID, r.Fingerprints)
		}
	}
	if suppressed != 1 {
		t.Errorf("%d suppressions, want 1", suppressed)
	}
	if inv := run.Invocations[0]; inv.ExecutionSuccessful || len(inv.Notifications) != 6 {
		t.Errorf("a failed check, a skipped one and four unknowns give %+v", inv)
	}
}

func TestAgeUsesClock(t *testing.T) {
	text := string(write(t, "table", samples()["pass"], report.Options{Now: judgedAt.Add(30 * 24 * time.Hour)}))
	if !strings.Contains(text, "33 days old (npm)") {
		t.Error(text)
	}
}

func TestDocumentOrderIsFixed(t *testing.T) {
	doc := samples()["fail"]
	a := write(t, "cyclonedx-json", doc, report.Options{})
	slices.Reverse(doc.Functions[0].Components)
	if b := write(t, "cyclonedx-json", doc, report.Options{}); !bytes.Equal(a, b) {
		t.Error("the order of components changes the document: " + firstDifference(string(b), string(a)))
	}
}
