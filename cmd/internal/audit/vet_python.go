package audit

import (
	"strconv"
	"strings"

	"github.com/fnaudit/fnaudit/sbom/stale"
)

// newestPython is the newest Python 3 that some platform supports at the time of
// the judgement, by its second number; 0 when no table says.
func (a *Auditor) newestPython() int {
	table, err := a.ends()
	if err != nil {
		return 0
	}
	newest := 0
	for _, p := range table.Platforms {
		for _, r := range p.Runtimes {
			minor, err := strconv.Atoi(strings.TrimPrefix(r.ID, "python3."))
			if err != nil || !strings.HasPrefix(r.ID, "python3.") || r.Released.After(a.Now) {
				continue
			}
			if said, ok := table.Look(p.Name, r.ID, a.Now); ok && (said.Phase == stale.Supported || said.Phase == stale.Soon) {
				newest = max(newest, minor)
			}
		}
	}
	return newest
}
