package catalog

import (
	"slices"
	"strings"

	"github.com/anchore/syft/syft/license"
)

// maxLicence is how many bytes of a declared licence are tried as an SPDX
// expression or kept; beyond it somebody put the licence's text there.
const maxLicence = 256

// spdx returns declared licences as SPDX expressions where they parse, else as
// they were declared, sorted. Results are kept, since one tree names the same
// few licences over and over and parsing is slow.
func (a *artifact) spdx(declared ...string) []string {
	var out []string
	for _, d := range declared {
		d = strings.TrimSpace(d)
		if first, _, more := strings.Cut(d, "\n"); more {
			d = strings.TrimSpace(first)
		}
		if d == "" || d == "UNKNOWN" || len(d) > maxLicence {
			continue
		}
		parsed, ok := a.licences[d]
		if !ok {
			parsed = d
			if e, err := license.ParseExpression(d); err == nil && e != "" {
				parsed = e
			}
			a.licences[d] = parsed
		}
		out = append(out, parsed)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
