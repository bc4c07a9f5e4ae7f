package finding

import (
	"fmt"
	"reflect"
	"testing"
)

func TestGroupChanges(t *testing.T) {
	turned := &Decided{Before: Pass, After: Fail}
	axios := func(function, id string) Change {
		return Change{Function: function, Cause: CauseNewAdvisory, ID: id, Component: "pkg:npm/axios@0.21.0", Severity: High, Detail: "published 2026-11-20"}
	}
	with := func(c Change, d *Decided) Change { c.Decision = d; return c }
	tests := []struct {
		name    string
		changes []Change
		want    []string // count, id, also, functions, turned
	}{
		{"nothing", nil, nil},
		{"one", []Change{axios("a", "X-1")}, []string{"1 X-1 [] [a] []"}},
		{"one thing in many functions", []Change{axios("b", "X-1"), axios("a", "X-1"), axios("c", "X-1")}, []string{"3 X-1 [] [a b c] []"}},
		{"several of one package in the same functions", []Change{axios("a", "X-1"), axios("b", "X-1"), axios("a", "X-2"), axios("b", "X-2")}, []string{"4 X-1 [X-2] [a b] []"}},
		{"several of one package in other functions", []Change{axios("a", "X-1"), axios("b", "X-1"), axios("a", "X-2")}, []string{"2 X-1 [] [a b] []", "1 X-2 [] [a] []"}},
		{"what turned a verdict is told", []Change{axios("a", "X-1"), with(axios("a", "X-2"), turned)}, []string{"2 X-2 [X-1] [a] [pass>fail a]"}},
		{"a verdict turned in one of two", []Change{with(axios("a", "X-1"), turned), axios("b", "X-1")}, []string{"2 X-1 [] [a b] [pass>fail a]"}},
		{"verdicts that turned otherwise", []Change{with(axios("a", "X-1"), turned), with(axios("b", "X-1"), &Decided{Before: Incomplete, After: Fail})}, []string{"2 X-1 [] [a b] [pass>fail a incomplete>fail b]"}},
		{"of no package", []Change{{Function: "a", Cause: CauseGone, Detail: "no report"}, {Function: "b", Cause: CauseGone, Detail: "no report"}, {Function: "b", Cause: CauseGone, Detail: "renamed"}}, []string{"2  [] [a b] []", "1  [] [b] []"}},
		{"verdicts alone, from two to one", []Change{{Function: "a", Cause: CausePolicy, Detail: "axios high", Before: "pass", After: "fail", Decision: turned}, {Function: "b", Cause: CausePolicy, Detail: "axios high", Before: "incomplete", After: "fail", Decision: &Decided{Before: Incomplete, After: Fail}}}, []string{"2  [] [a b] [pass>fail a incomplete>fail b]"}},
		{"another cause", []Change{axios("a", "X-1"), {Function: "a", Cause: CauseFixed, ID: "X-1", Component: "pkg:npm/axios@0.21.0", Severity: High, Detail: "published 2026-11-20"}}, []string{"1 X-1 [] [a] []", "1 X-1 [] [a] []"}},
		{"one function twice", []Change{axios("a", "X-1"), axios("a", "X-1")}, []string{"2 X-1 [] [a] []"}},
	}
	for _, test := range tests {
		var got []string
		for _, g := range GroupChanges(test.changes) {
			var turned []string
			for _, t := range g.Turned {
				turned = append(turned, fmt.Sprintf("%s>%s", t.Before, t.After))
				turned = append(turned, t.Functions...)
			}
			got = append(got, fmt.Sprintf("%d %s %v %v %v", g.Count, g.ID, g.Also, g.Functions, turned))
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, test.want)
		}
	}
}

// What is grouped is the input's to keep.
func TestGroupChangesLeaves(t *testing.T) {
	changes := []Change{{Function: "b", ID: "1", Component: "c", Decision: &Decided{Pass, Fail}}, {Function: "a", ID: "1", Component: "c", Decision: &Decided{Pass, Fail}}, {Function: "b", ID: "2", Component: "c"}, {Function: "a", ID: "2", Component: "c"}}
	before := fmt.Sprintf("%+v", changes)
	GroupChanges(changes)
	if after := fmt.Sprintf("%+v", changes); after != before {
		t.Errorf("got %s, want %s", after, before)
	}
}

func BenchmarkGroupChanges(b *testing.B) {
	var changes []Change
	for f := range 2000 {
		for p := range 40 {
			changes = append(changes, Change{Function: fmt.Sprintf("fn-%04d", f), Cause: CauseChangedAdvisory, ID: fmt.Sprintf("GHSA-%d", p), Component: fmt.Sprintf("pkg:npm/p%d@1.0.0", p/4), Detail: "it covers this version now"})
		}
	}
	for b.Loop() {
		GroupChanges(changes)
	}
}

// What runs is told once for all functions, though the id and the words of each
// change name one.
func TestGroupChangesOfDeployed(t *testing.T) {
	turned := &Decided{Before: Fail, After: Incomplete}
	drift := func(cause Cause, rule, function, detail string) Change {
		return Change{Function: function, Cause: cause, ID: rule + ":" + function + "@1234", Severity: High, Before: "sha256:1" + function, After: "sha256:2" + function, Detail: detail + " (" + function + " in 111122223333 eu-west-1)"}
	}
	ends := func(function, detail string) Change {
		return Change{Function: function, Cause: CauseRuntime, ID: "runtime:nodejs18.x", Severity: High, Before: "runtime-ends", After: "runtime-ended", Detail: detail}
	}
	other := "other bytes are deployed than were judged: what is known of "
	first, second, third := drift(CauseDeployed, RuleDriftChanged, "a", other+"the function is about other bytes"), drift(CauseDeployed, RuleDriftChanged, "b", other+"the function is about other bytes"), drift(CauseDeployed, RuleDriftChanged, "c", other+"C, from which its name seems to be made, is about other bytes")
	second.Decision = turned
	type want struct{ id, before, detail, functions string }
	for name, c := range map[string]struct {
		changes []Change
		want    []want
	}{
		"one is as it was":             {[]Change{first}, []want{{first.ID, first.Before, first.Detail, "[a]"}}},
		"two say the same":             {[]Change{first, second}, []want{{RuleDriftChanged, "", other + "the function is about other bytes", "[a b]"}}},
		"a third says it otherwise":    {[]Change{first, second, third}, []want{{RuleDriftChanged, "", "other bytes are deployed than were judged", "[a b c]"}}},
		"nothing is said alike":        {[]Change{drift(CauseDeployed, RuleDriftRuntime, "a", "it runs on nodejs20.x"), drift(CauseDeployed, RuleDriftRuntime, "b", "it runs on python3.12")}, []want{{RuleDriftRuntime, "", DriftTitle(RuleDriftRuntime), "[a b]"}}},
		"not so any more":              {[]Change{drift(CauseFixed, RuleDriftRuntime, "a", "not so any more: it runs on nodejs20.x"), drift(CauseFixed, RuleDriftRuntime, "b", "not so any more: it runs on python3.12")}, []want{{RuleDriftRuntime, "", "not so any more: " + DriftTitle(RuleDriftRuntime), "[a b]"}}},
		"two rules are two":            {[]Change{first, drift(CauseDeployed, RuleDriftUngated, "a", "no valid summary")}, []want{{first.ID, first.Before, first.Detail, "[a]"}, {RuleDriftUngated + ":a@1234", "sha256:1a", "no valid summary (a in 111122223333 eu-west-1)", "[a]"}}},
		"two causes are two":           {[]Change{first, drift(CauseGone, RuleDriftChanged, "a", "it is deployed no more")}, []want{{first.ID, first.Before, first.Detail, "[a]"}, {first.ID, first.Before, "it is deployed no more (a in 111122223333 eu-west-1)", "[a]"}}},
		"runtimes with their places":   {[]Change{ends("a", "node: ended, say (who)"), ends("b", "node: ended, say (who) (b in 1)"), ends("c", "node: ended, say (who) (c in 1)")}, []want{{"runtime:nodejs18.x", "runtime-ends", "node: ended, say (who)", "[a b c]"}}},
		"reports that are gone":        {[]Change{{Function: "a", Cause: CauseGone, Detail: "no report is there: a.json"}, {Function: "b", Cause: CauseGone, Detail: "no report is there: b.json"}}, []want{{"", "", "no report is there", "[a b]"}}},
		"an id that looks like a rule": {[]Change{{Function: "a", Cause: CauseNewAdvisory, ID: "drift-changed:x", Component: "pkg:npm/x", Detail: "1"}, {Function: "b", Cause: CauseNewAdvisory, ID: "drift-changed:y", Component: "pkg:npm/x", Detail: "1"}}, []want{{"drift-changed:x", "", "1", "[a]"}, {"drift-changed:y", "", "1", "[b]"}}},
		"empty words of an edited one": {[]Change{ends("a", ": "), ends("b", " (")}, []want{{"runtime:nodejs18.x", "runtime-ends", ": ", "[a b]"}}},
	} {
		var got []want
		for _, g := range GroupChanges(c.changes) {
			got = append(got, want{g.ID, g.Before, g.Detail, fmt.Sprint(g.Functions)})
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
	if g := GroupChanges([]Change{first, second}); len(g) != 1 || g[0].Count != 2 || len(g[0].Turned) != 1 || g[0].Turned[0].Functions[0] != "b" {
		t.Errorf("got %+v, want two changes with the verdict of one", g)
	}
	for _, rule := range DriftRules() {
		if DriftTitle(rule) == "" {
			t.Errorf("rule %s has no title", rule)
		}
	}
}
