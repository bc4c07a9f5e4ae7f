package audit

import (
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/sbom/stale"
)

func TestNewestPython(t *testing.T) {
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	table := &stale.Runtimes{Platforms: []stale.Platform{
		{Name: "a", Runtimes: []stale.Runtime{{ID: "nodejs20.x"}, {ID: "python3.12"}, {ID: "python3.14", Released: day("2026-01-01")}, {ID: "python3.9", Deprecated: day("2025-01-01")}}},
		{Name: "b", Runtimes: []stale.Runtime{{ID: "python3.13", Released: day("2025-01-01")}, {ID: "python3.x"}}},
	}}
	for at, want := range map[string]int{"2024-06-01": 12, "2025-06-01": 13, "2026-06-01": 14} {
		if got := (&Auditor{Runtimes: table, Now: day(at)}).newestPython(); got != want {
			t.Errorf("%s: 3.%d, want 3.%d", at, got, want)
		}
	}
	if got := (&Auditor{Runtimes: &stale.Runtimes{}}).newestPython(); got != 0 {
		t.Errorf("3.%d of no table", got)
	}
}
