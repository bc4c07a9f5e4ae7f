package report_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// TestHTMLPages writes the pages that a browser is driven over:
//
//	FNAUDIT_HTML=DIR go test -run TestHTMLPages ./cmd/internal/report
//
// FNAUDIT_HTML_REPORTS names JSON reports, comma between, to write as pages too.
func TestHTMLPages(t *testing.T) {
	dir := os.Getenv("FNAUDIT_HTML")
	if dir == "" {
		t.Skip("FNAUDIT_HTML is not set: no folder to write pages to")
	}
	docs := samples()
	docs["rescanned"], docs["thousand"] = htmlRescanned(), htmlFleet(1000)
	for _, path := range strings.Split(os.Getenv("FNAUDIT_HTML_REPORTS"), ",") {
		if path == "" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc := new(finding.Document)
		if err := json.Unmarshal(text, doc); err != nil {
			t.Fatal(err)
		}
		docs[strings.TrimSuffix(filepath.Base(path), ".json")] = doc
	}
	for name, doc := range docs {
		start := time.Now()
		page := write(t, "html", doc, report.Options{})
		if err := os.WriteFile(filepath.Join(dir, name+".html"), page, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d functions, %d bytes, %v", name, len(doc.Functions), len(page), time.Since(start).Round(time.Millisecond))
	}
}

// htmlRescanned has what a rescan adds: feeds, priorities, upgrades, VEX, a
// baseline, grace, and a delta.
func htmlRescanned() *finding.Document {
	r := failing()
	day := judgedAt
	later := judgedAt.AddDate(0, 0, 14)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Priority, f.Why = max(5, 95-7*i), fmt.Sprintf("%s, a fix exists, and its package is loaded", f.Severity)
		f.EPSS, f.Percentile = 0.42/float64(i+1), 0.97-0.05*float64(i)
		f.FirstSeen = &day
		switch f.ID {
		case "GHSA-xvch-5gv4-984h":
			f.KEV, f.Exploited, f.Counts = true, &finding.Exploited{Added: "2026-10-01", Due: "2026-10-22", Ransomware: true}, finding.Fail
		case "GHSA-35jh-r3h4-6jhm":
			f.GraceUntil, f.Counts = &later, finding.Pass
		case "GHSA-29mw-wpgm-hmr9":
			f.Baseline, f.FirstSeen = true, nil
		case "GHSA-sdk1-sdk1-sdk1":
			f.VEX = &finding.VEX{Status: "not_affected", Justification: "vulnerable_code_not_in_execute_path", Statement: "debug logging is off", Author: "team-checkout", Source: "vex/orders.json", At: day}
		}
	}
	var clears []string
	for _, f := range r.Findings {
		if f.Component == "pkg:npm/lodash@4.17.15" {
			clears = append(clears, f.Fingerprint)
		}
	}
	r.Upgrades = []finding.Upgrade{
		{Component: "pkg:npm/minimist@1.2.0", Name: "minimist", From: "1.2.0", To: "1.2.6", Clears: []string{r.Findings[1].Fingerprint}, Manager: "npm", Command: "npm install minimist@1.2.6", Priority: 88},
		{Component: "pkg:npm/lodash@4.17.15", Name: "lodash", From: "4.17.15", To: "4.17.21", Clears: clears, Manager: "npm", Command: "npm install lodash@4.17.21", Priority: 81},
	}
	doc := wrapDocument(r, passing("hello"), incomplete("media"), unopened(), reached(), bundled(), declared())
	for i, f := range doc.Functions[4:] {
		f.Name = []string{"reach", "bundle", "declared"}[i]
	}
	doc.Database.Feeds = []finding.Feed{{Name: "kev", Records: 1400, AsOf: asOf, Source: "catalogue", Digest: digestA}, {Name: "epss", Records: 280000, AsOf: asOf.AddDate(0, 0, -10), Source: "scores", Digest: digestB}}
	doc.Policy = finding.PolicyRef{Name: "security/policy.yaml", Digest: digestB}
	doc.Warnings = []string{"waiver w-12 matches nothing: GHSA-old1-old1-old1", "vex/orders.json: the statement about CVE-2020-1 matches nothing"}
	doc.Delta = &finding.Delta{
		Before: finding.DeltaSide{Database: digestA, JudgedAt: judgedAt.AddDate(0, 0, -1)},
		Changes: []finding.Change{
			{Function: "orders", Cause: finding.CauseNewAdvisory, ID: "GHSA-xvch-5gv4-984h", Component: "pkg:npm/minimist@1.2.0", Severity: finding.Critical, After: "critical", Detail: "the store knows GHSA-xvch-5gv4-984h about minimist 1.2.0 now", Decision: &finding.Decided{Before: finding.Pass, After: finding.Fail}},
			{Function: "media", Cause: finding.CauseNewAdvisory, ID: "GHSA-xvch-5gv4-984h", Component: "pkg:npm/minimist@1.2.0", Severity: finding.Critical, After: "critical", Detail: "the store knows GHSA-xvch-5gv4-984h about minimist 1.2.0 now"},
			{Function: "orders", Cause: finding.CauseNewAdvisory, ID: "GHSA-vh95-rmgr-6w4m", Component: "pkg:npm/minimist@1.2.0", Severity: finding.Medium, After: "medium", Detail: "the store knows GHSA-vh95-rmgr-6w4m about minimist 1.2.0 now"},
			{Function: "media", Cause: finding.CauseNewAdvisory, ID: "GHSA-vh95-rmgr-6w4m", Component: "pkg:npm/minimist@1.2.0", Severity: finding.Medium, After: "medium", Detail: "the store knows GHSA-vh95-rmgr-6w4m about minimist 1.2.0 now"},
			{Function: "media", Cause: finding.CausePolicy, Detail: "the policy demands that every file is read", Decision: &finding.Decided{Before: finding.Pass, After: finding.Incomplete}},
			{Function: "hello", Cause: finding.CauseFixed, ID: "GHSA-fixd-fixd-fixd", Component: "pkg:npm/lodash@4.17.20", Severity: finding.High, Before: "high", Detail: "lodash is 4.17.21 now", Decision: &finding.Decided{Before: finding.Fail, After: finding.Pass}},
			{Function: "billing", Cause: finding.CauseGone, Detail: "there is no report of billing any more"},
		},
		Summary: []finding.Tally{{Cause: finding.CauseNewAdvisory, Count: 4}, {Cause: finding.CausePolicy, Count: 1}, {Cause: finding.CauseFixed, Count: 1}, {Cause: finding.CauseGone, Count: 1}},
	}
	return doc
}

// htmlFleet is n functions of 100 to 400 packages out of a few thousand, of
// which one in eight has findings: the same ones wherever it is, as in a fleet.
func htmlFleet(n int) *finding.Document {
	rng := rand.New(rand.NewPCG(7, 7))
	severities := []finding.Severity{finding.Critical, finding.High, finding.High, finding.Medium, finding.Medium, finding.Medium, finding.Low, finding.UnknownSeverity}
	runtimes := []string{"nodejs18.x", "nodejs20.x", "nodejs22.x", "python3.9", "python3.12", "java21", "provided.al2023"}
	events := []string{"created", "resized", "billed", "mailed", "archived", "searched", "imported", "exported"}
	doc := wrapDocument()
	for i := range n {
		name := fmt.Sprintf("%s-%s-%04d", []string{"orders", "media", "billing", "search", "users", "mail", "stock"}[i%7], events[i%8], i)
		r := finding.NewReport(name, "build/"+name+".zip")
		r.Platform, r.Runtime, r.Architecture, r.Handler = "aws-lambda", runtimes[rng.IntN(len(runtimes))], "arm64", "index.handler"
		r.Owner = fmt.Sprintf("team-%d", i%12)
		r.Artifacts = []finding.Artifact{{Ref: "build/" + name + ".zip", Kind: "zip", Digest: fmt.Sprintf("sha256:%064x", rng.Uint64()), Size: rng.Int64N(40 << 20), Mount: "/var/task"}}
		size := 100 + rng.IntN(300)
		code := int64(size) * 40_000
		r.Coverage = &finding.Coverage{CodeBytes: code, AttributedBytes: code * 8 / 10, OwnBytes: code * 2 / 10}
		have := map[int]bool{}
		for len(have) < size {
			k := int(rng.ExpFloat64()*600) % 4000
			if have[k] {
				continue
			}
			have[k] = true
			version := fmt.Sprintf("%d.%d.%d", k%4+1, k%9, rng.IntN(3))
			c := component("npm", fmt.Sprintf("package-%04d", k), version)
			c.Confidence = 0.99
			if k%8 == 0 {
				c.Upgrade = fmt.Sprintf("%d.%d.9", k%4+1, k%9)
				for j := range 1 + k%5 {
					f := vulnerability(c, fmt.Sprintf("GHSA-%04d-%04d-aaaa", k, j), severities[(k/8+j)%len(severities)], 7.5, fmt.Sprintf("Something is wrong in the way package-%04d reads its input", k), c.Upgrade)
					f.Fingerprint = finding.Fingerprint(f.Kind, f.Rule, name, c.PURL, f.ID, f.Aliases)
					f.KEV = k%160 == 0 && j == 0 && k > 300
					r.Findings = append(r.Findings, f)
				}
			}
			r.Components = append(r.Components, c)
		}
		for _, check := range []string{"open", "catalog", "archive", "vulnerability"} {
			r.Ran(check, nil)
		}
		r.Verdict.Decision = finding.Pass
		switch {
		case i%3 == 0:
			r.Verdict = finding.Verdict{Decision: finding.Fail, Reasons: []string{}, Next: "npm install package-0008@1.8.9"}
			for _, f := range r.Findings[:min(len(r.Findings), 8)] {
				r.Verdict.Reasons = append(r.Verdict.Reasons, fmt.Sprintf("%s %s: %s (fix available)", f.Component, f.Severity, f.ID))
			}
		case i%11 == 1:
			r.Unknowns = []finding.Unknown{{Path: "lib/native.node", Kind: "opaque", Reason: "packed: what is inside is not known", Code: true}}
			r.Verdict = finding.Verdict{Decision: finding.Incomplete, Reasons: []string{"1 file opaque: lib/native.node"}, Next: "make it readable"}
		}
		if i%9 == 2 {
			r.Calendar = sampleCalendar(r.Runtime)
		}
		r.Sort()
		doc.Functions = append(doc.Functions, r)
	}
	doc.Summary = finding.Summarize(doc.Functions)
	return doc
}
