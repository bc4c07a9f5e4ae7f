package vulndb

import (
	"context"
	"fmt"
	"slices"
)

// MavenNames returns every "group:artifact" of Maven that an advisory names
// and that has the artifact id, sorted. It is for a jar whose bytes do not say
// its group. It costs a lookup and the reading of those advisories: some 10 µs
// for a usual artifact id. An empty list means that no advisory names such an
// artifact, or that the store does not cover Maven (Covers tells which).
func (db *DB) MavenNames(ctx context.Context, artifact string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	const ecosystem = "Maven"
	key := partMark + artifact
	list, err := db.byNames(ecosystem, []string{key})
	if err != nil {
		return nil, advise(fmt.Errorf("look up the groups of %s: %w", clip(artifact, 120), err))
	}
	var names []string
	for _, a := range list {
		for i := range a.Affected {
			if e := &a.Affected[i]; e.of(ecosystem) && partName(ecosystem, entryName(ecosystem, e)) == key {
				names = append(names, entryName(ecosystem, e))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
