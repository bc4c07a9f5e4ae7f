package audit

import (
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/vulndb"
)

// TestFoldedSince holds that the time which a policy gives to a package of
// unknown version is counted from the first of the advisories, and that there is none
// where one has no date.
func TestFoldedSince(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		published []time.Time
		want      time.Time
	}{
		{[]time.Time{day(20), day(1), day(10)}, day(1)},
		{[]time.Time{day(20)}, day(20)},
		{[]time.Time{day(20), {}}, time.Time{}},
	} {
		var groups []vulndb.Group
		for i, at := range c.published {
			groups = append(groups, vulndb.Group{ID: string(rune('a' + i)), IDs: []string{string(rune('a' + i))}, Severity: []string{"critical", "low", "medium"}[i], Published: at})
		}
		found := foldUnversioned(groups, sbom.Component{Name: "a", PURL: "pkg:npm/a", Ecosystem: "npm"})
		if len(found) != 1 || found[0].ID != "a" {
			t.Fatalf("%v: %+v", c.published, found)
		}
		got := found[0].Published
		if c.want.IsZero() != (got == nil) || got != nil && !got.Equal(c.want) {
			t.Errorf("%v: known since %v, want %v", c.published, got, c.want)
		}
	}
}
