package jsbundle

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed fewversions.txt
var fewVersionsText string

// fewVersions is the table by name.
var fewVersions = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	for line := range strings.SplitSeq(fewVersionsText, "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && line[0] != '#' {
			all[fields[0]] = fields[1:]
		}
	}
	return all
})

// FewVersions returns every version that a package was published in, as far as
// these are at most five and the package is finished; nil for all others. A
// package that is in a bundle without a version is one of them: what to look
// for is then known, and which one it is stays open. The table has a date, so
// this is no proof of a version, only of what could not be.
func FewVersions(name string) []string { return fewVersions()[name] }
