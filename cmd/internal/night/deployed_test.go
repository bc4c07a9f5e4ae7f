package night

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// placedReport is a report of a function that is deployed under an account, with the rules
// that it breaks there: "orders 111122223333 drift-ungated,drift-runtime". Two or
// more places are separated by "|".
func placedReport(name, content, state string, decision finding.Decision, places string) *finding.Report {
	r := finding.NewReport(name, name)
	r.Checks = append(r.Checks, finding.Status{Check: "open", State: finding.CheckState(state)})
	r.Verdict.Decision = decision
	rules := map[string]bool{}
	for _, p := range strings.Split(places, "|") {
		account, list, _ := strings.Cut(p, " ")
		d := finding.Deployed{Name: name, ARN: "arn:aws:lambda:eu-west-1:" + account + ":function:" + name, Account: account, Region: "eu-west-1", Version: "$LATEST", Digest: content, Runtime: "nodejs20.x", Source: "prod.json"}
		for _, rule := range strings.FieldsFunc(list, func(c rune) bool { return c == ',' }) {
			if end, ok := strings.CutPrefix(rule, "runtime="); ok {
				r.Findings = append(r.Findings, finding.Finding{Kind: finding.KindRuntime, Rule: end, ID: "runtime:nodejs20.x", Severity: finding.High, Title: end})
				continue
			}
			d.Drift = append(d.Drift, rule)
			if !rules[rule] {
				rules[rule] = true
				r.Findings = append(r.Findings, finding.Finding{Kind: finding.KindDrift, Rule: rule, ID: rule + ":" + name, Fingerprint: "f-" + rule, Severity: finding.High, Title: "says " + rule})
			}
		}
		r.Deployed = append(r.Deployed, d)
	}
	return r
}

func TestCompareDeployed(t *testing.T) {
	const a, b, ran, skipped = "111122223333", "444455556666", string(finding.Ran), string(finding.Skipped)
	unread := finding.NewReport("prod.json", "lambda-export:prod.json")
	unread.Checks = append(unread.Checks, finding.Status{Check: finding.CheckDeployed, State: finding.Failed, Reason: "it ends in the middle"})
	quiet := placedReport("orders", "sha256:a", ran, finding.Pass, a)
	type list = []*finding.Report
	for name, c := range map[string]struct {
		was, is list
		want    []string // function, cause, id, decision
	}{
		"nothing was known":       {list{finding.NewReport("orders", "x")}, list{placedReport("orders", "sha256:a", skipped, "incomplete", a+" drift-unscanned")}, nil},
		"nothing changed":         {list{placedReport("orders", "sha256:a", ran, "pass", a+" drift-ungated")}, list{placedReport("orders", "sha256:a", ran, "pass", a+" drift-ungated")}, nil},
		"newly ungated":           {list{quiet}, list{placedReport("orders", "sha256:a", ran, "pass", a+" drift-ungated")}, []string{"orders deployed drift-ungated:orders "}},
		"in one more account":     {list{placedReport("orders", "sha256:a", ran, "pass", a+" drift-ungated")}, list{placedReport("orders", "sha256:a", ran, "pass", a+" drift-ungated|"+b+" drift-ungated")}, []string{"orders deployed drift-ungated:orders "}},
		"it drifted":              {list{quiet}, list{placedReport("orders", "sha256:b", skipped, "incomplete", a+" drift-changed")}, []string{"orders deployed drift-changed:orders pass>incomplete"}},
		"it drifted again":        {list{placedReport("orders", "sha256:b", skipped, "incomplete", a+" drift-changed")}, list{placedReport("orders", "sha256:c", skipped, "incomplete", a+" drift-changed")}, []string{"orders deployed drift-changed:orders "}},
		"newly unscanned":         {list{quiet}, list{quiet, placedReport("new", "sha256:n", skipped, "incomplete", a+" drift-unscanned")}, []string{"new deployed drift-unscanned:new "}},
		"scanned since":           {list{placedReport("orders", "sha256:a", skipped, "incomplete", a+" drift-unscanned")}, list{quiet}, []string{"orders fixed drift-unscanned:orders "}},
		"deployed no more":        {list{quiet, placedReport("old", "sha256:o", skipped, "incomplete", a+" drift-ungated,drift-unscanned")}, list{quiet}, []string{"old gone drift-unscanned:old "}},
		"in a list that is cut":   {list{quiet, placedReport("old", "sha256:o", skipped, "incomplete", a+" drift-unscanned")}, list{quiet, unread}, []string{"prod.json deployed  "}},
		"the list is still cut":   {list{quiet, unread}, list{quiet, unread}, nil},
		"the list is whole again": {list{quiet, unread}, list{quiet}, []string{"prod.json fixed  "}},
		"one wrong for another":   {list{placedReport("orders", "sha256:a", skipped, "incomplete", a+" drift-unscanned")}, list{placedReport("orders", "sha256:a", ran, "pass", a+" drift-ungated")}, []string{"orders deployed drift-ungated:orders "}},
		"a runtime crossed a date": {list{placedReport("orders", "sha256:a", skipped, "incomplete", a+" drift-unscanned,runtime=runtime-ends")},
			list{placedReport("orders", "sha256:a", skipped, "incomplete", a+" drift-unscanned,runtime=runtime-blocked")}, []string{"orders runtime-date runtime:nodejs20.x "}},
		"a runtime of what was scanned": {list{quiet}, list{placedReport("orders", "sha256:a", ran, "pass", a+" runtime=runtime-blocked")}, nil}, // Compare tells that
	} {
		placed := func(reports list) (out []*Placed) {
			for _, r := range reports {
				out = append(out, PlacedOf(r, time.Time{}, nil))
			}
			return out
		}
		var got []string
		for _, ch := range CompareDeployed(placed(c.was), placed(c.is)) {
			decided := ""
			if ch.Decision != nil {
				decided = string(ch.Decision.Before) + ">" + string(ch.Decision.After)
			}
			got = append(got, fmt.Sprintf("%s %s %s %s", ch.Function, ch.Cause, ch.ID, decided))
			if ch.Detail == "" || strings.Contains(ch.Detail, "\n") || ch.Function != "prod.json" && !strings.Contains(ch.Detail, "111122223333 eu-west-1") && !strings.Contains(ch.Detail, "444455556666 eu-west-1") {
				t.Errorf("%s: detail %q", name, ch.Detail)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What made a gated function fail is why it is told, and the later of two earlier
// nights counts.
func TestCompareDeployedKnowsWhyAndWhen(t *testing.T) {
	now := PlacedOf(placedReport("orders", "sha256:a", "ran", "fail", "111122223333 drift-fails-now"), time.Time{}, []finding.Change{{Cause: finding.CauseNewAdvisory, Decision: &finding.Decided{Before: "pass", After: "fail"}}})
	monday, tuesday := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	old := PlacedOf(placedReport("orders", "sha256:a", "ran", "fail", "111122223333 drift-fails-now"), monday, nil)
	fine := PlacedOf(placedReport("orders", "sha256:a", "ran", "pass", "111122223333"), tuesday, nil)
	for _, was := range [][]*Placed{{old, nil, fine}, {fine, old}} {
		out := CompareDeployed(was, []*Placed{now})
		if len(out) != 1 || out[0].Cause != finding.CauseNewAdvisory || out[0].ID != "drift-fails-now:orders" {
			t.Errorf("%+v", out)
		}
	}
	if out := CompareDeployed([]*Placed{old}, []*Placed{now}); len(out) != 0 {
		t.Errorf("it failed before: %+v", out)
	}
}

func TestVerdictBecauseOfWhatIsDeployed(t *testing.T) {
	decided := &finding.Decided{Before: finding.Pass, After: finding.Fail}
	alone := finding.Change{Function: "orders", Cause: finding.CauseDeployed, Before: "pass", After: "fail", Decision: decided}
	other := finding.Change{Function: "billing", Cause: finding.CauseDeployed, Decision: decided}
	drift := finding.Change{Function: "orders", Cause: finding.CauseDeployed, Fingerprint: "f", ID: "drift-ungated:orders"}
	out := WithDeployed([]finding.Change{alone, other}, []finding.Change{drift})
	if len(out) != 2 || out[0].Function != "billing" || out[1].Fingerprint != "f" || out[1].Decision != decided {
		t.Errorf("%+v", out)
	}
	before, now := placedReport("orders", "sha256:a", "ran", finding.Pass, "111122223333"), placedReport("orders", "sha256:a", "ran", finding.Fail, "111122223333 drift-ungated")
	now.Findings[0].Counts = finding.Fail
	changes := Compare(Side{Report: before}, Side{Report: now}, func(r *finding.Report, _ finding.Database, _ time.Time) finding.Verdict { return r.Verdict })
	if len(changes) != 1 || changes[0].Cause != finding.CauseDeployed || changes[0].Decision == nil || changes[0].Fingerprint != "" {
		t.Errorf("%+v", changes)
	}
}
