package audit

import (
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Lines says on which line a lockfile names each of its packages.
type Lines struct {
	File string         // as it was given, with "/"
	At   map[string]int // package URL without qualifiers -> line, from 1
}

// placeInLocks notes where the given lockfiles name the components: there a person
// changes them. The first lockfile that names one counts.
func placeInLocks(rep *finding.Report, lines []Lines) {
	for i := range rep.Components {
		c := &rep.Components[i]
		purl, _, _ := strings.Cut(c.PURL, "?")
		for _, l := range lines {
			if n := l.At[purl]; n > 0 {
				c.Listed = &finding.Listed{File: l.File, Line: n}
				break
			}
		}
	}
}
