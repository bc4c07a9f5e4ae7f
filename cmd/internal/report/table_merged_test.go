package report

import (
	"reflect"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestMerged: a command is said once, with all that it clears.
func TestMerged(t *testing.T) {
	var got []finding.Upgrade
	for _, u := range []finding.Upgrade{
		{Name: "top", Command: "npm install top@2.0.0", Clears: []string{"a"}, Note: "for one"},
		{Name: "low", Clears: []string{"b"}},
		{Name: "low", Clears: []string{"c"}},
		{Name: "top", Command: "npm install top@2.0.0", Clears: []string{"d"}, Remains: []string{"e"}, Major: true, Note: "for two"},
		{Name: "top", Command: "npm install top@2.0.0", Clears: []string{"f"}, Note: "", Layer: "base.zip"},
		{Name: "top", Command: "npm install top@2.0.0", Clears: []string{"g"}},
	} {
		got = merged(got, u)
	}
	want := []finding.Upgrade{
		{Name: "top", Command: "npm install top@2.0.0", Clears: []string{"a", "d", "g"}, Remains: []string{"e"}, Major: true, Note: "for one; for two"},
		{Name: "low", Clears: []string{"b"}},
		{Name: "low", Clears: []string{"c"}},
		{Name: "top", Command: "npm install top@2.0.0", Clears: []string{"f"}, Layer: "base.zip"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
