package codec

import (
	"slices"

	"github.com/fnaudit/fnaudit/sbom"
)

// needsOf returns for each component the references of those that it requires,
// sorted.
func needsOf(all []listed) [][]string {
	components := make([]sbom.Component, len(all))
	for i := range all {
		components[i] = all[i].Component
	}
	out := make([][]string, len(all))
	for i, needs := range sbom.Needs(components) {
		for _, j := range needs {
			out[i] = append(out[i], all[j].ref)
		}
		slices.Sort(out[i])
	}
	return out
}
