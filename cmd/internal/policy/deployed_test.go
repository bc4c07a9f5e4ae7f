package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// unscanned is the report of a deployed function into which nobody looked.
func unscanned(rule string) *finding.Report {
	r := finding.NewReport("orders", "lambda:orders")
	r.Deployed = []finding.Deployed{{Name: "orders"}}
	r.Skip("open", "nobody scanned the bytes")
	r.Ran(finding.CheckDeployed, nil)
	r.Findings = append(r.Findings, finding.Finding{Kind: finding.KindDrift, Rule: rule, ID: rule + ":orders@0123456789ab", Severity: finding.High, Certainty: finding.Certain, Title: "orders: nobody scanned the bytes"})
	return r
}

func TestDeployedBytesThatNobodyScanned(t *testing.T) {
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	db := finding.Database{Ecosystems: map[string]finding.Ecosystem{"npm": {AsOf: now}}}
	waived := "waivers:\n  - {id: drift-unscanned, reason: a vendor's, owner: sec, expires: 2027-01-01}\n"
	for name, c := range map[string]struct {
		policy string
		report *finding.Report
		want   finding.Decision
		next   string
	}{
		"incomplete":         {"extends: builtin:ci\n", unscanned(finding.RuleDriftUnscanned), finding.Incomplete, "get-function"},
		"under any policy":   {"extends: builtin:report\n", unscanned(finding.RuleDriftUnscanned), finding.Incomplete, "get-function"},
		"fails by its line":  {"extends: builtin:ci\nfail: {drift: high}\n", unscanned(finding.RuleDriftChanged), finding.Fail, "get-function"},
		"accepted":           {"extends: builtin:ci\n" + waived, unscanned(finding.RuleDriftUnscanned), finding.Pass, ""},
		"another accepted":   {"extends: builtin:ci\n" + waived, unscanned(finding.RuleDriftLayers), finding.Incomplete, "--layer"},
		"gated, not judged":  {"extends: builtin:ci\n", unscanned(finding.RuleDriftUnjudged), finding.Incomplete, "that the gate judged by"},
		"bytes not known":    {"extends: builtin:ci\n", unscanned(finding.RuleDriftNoDigest), finding.Incomplete, "CodeSha256"},
		"says nothing of it": {"extends: builtin:ci\n", unscanned(finding.RuleDriftUngated), finding.Incomplete, "give a deployment zip"},
	} {
		p, err := Parse([]byte("version: 1\n"+c.policy), "test.yaml")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		v := p.Decide(c.report, db, now)
		if v.Decision != c.want || !strings.Contains(v.Next, c.next) || (v.Decision != finding.Pass) != (len(v.Reasons) > 0) {
			t.Errorf("%s: %+v", name, v)
		}
		if v.Decision == finding.Fail && len(v.Reasons) != 1 {
			t.Errorf("%s: said twice: %q", name, v.Reasons)
		}
	}
	broken := finding.NewReport("prod.json", "lambda-export:prod.json")
	broken.Checks = []finding.Status{{Check: "open", State: finding.Failed, Reason: "it is empty"}}
	p, _ := Builtin(CI)
	if v := p.Decide(broken, db, now); v.Decision != finding.Incomplete || !slices.Equal(v.Reasons, []string{"could not be opened: it is empty"}) || !strings.Contains(v.Next, "list-functions") {
		t.Errorf("an export that cannot be read: %+v", v)
	}
}

// A function that runs in two accounts and has a tag in one of them has to meet
// what the policy demands more of that tag, and may not be passed by what it
// demands less.
func TestOverrideByDeployedTag(t *testing.T) {
	less, more := finding.Critical, finding.Low
	base := func(line *finding.Severity) *Policy {
		p, err := Parse([]byte("version: 1\nextends: builtin:ci\nfail: {drift: high}\nfunctions:\n  - match: {tag: env=dev}\n    fail: {drift: "+string(*line)+"}\n"), "p.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	report := func(tags ...string) *finding.Report {
		r := finding.NewReport("orders", "orders.zip")
		for _, tag := range tags {
			r.Deployed = append(r.Deployed, finding.Deployed{Name: "orders", Tags: []string{tag}})
		}
		return r
	}
	for _, c := range []struct {
		line *finding.Severity
		tags []string
		want finding.Severity
	}{
		{&less, nil, finding.High}, {&less, []string{"env=prod"}, finding.High}, {&less, []string{"env=dev"}, finding.Critical},
		{&less, []string{"env=dev", "env=prod"}, finding.High}, {&more, []string{"env=dev", "env=prod"}, finding.Low}, {&more, []string{"env=prod"}, finding.High},
	} {
		if of, _ := base(c.line).For(report(c.tags...)); of.Fail.Drift != c.want {
			t.Errorf("drift: %s where %v: got %s, want %s", *c.line, c.tags, of.Fail.Drift, c.want)
		}
	}
}
