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
