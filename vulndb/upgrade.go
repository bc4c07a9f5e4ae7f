package vulndb

import (
	"context"
	"fmt"
)

// maxUpgrades is how many versions Upgrade tries, lowest first.
const maxUpgrades = 64

// Upgrade returns the lowest version that the store knows nothing against,
// among the versions that fix the groups and, where such a version is affected
// by something else, those that fix that: one step clears everything. It is ""
// when a group has no fix, or when every candidate is affected itself.
func (db *DB) Upgrade(ctx context.Context, pkg Package, groups []Group) (string, error) {
	var queue []string // lowest first, once it is sorted
	queued, sorted := map[string]bool{}, false
	add := func(versions []string) {
		for _, v := range versions {
			if !queued[v] {
				queued[v], sorted = true, false
				queue = append(queue, v)
			}
		}
	}
	for _, g := range groups {
		if len(g.Fixed) == 0 {
			return "", nil
		}
		add(g.Fixed)
	}
	list, problems, err := db.about(ctx, pkg) // read once for all versions
	if err != nil {
		return "", fmt.Errorf("match %s: %w", pkg.Name, err)
	}
	if len(problems) > 0 {
		return "", nil // no version can be called unaffected
	}
	events, lines := map[string]parsedEvent{}, map[*Range]*line{} // laid out once for all versions
	for range maxUpgrades {
		if len(queue) == 0 {
			return "", nil
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if !sorted {
			queue, sorted = sortVersions(pkg.Ecosystem, queue), true
		}
		at := pkg
		at.Version, queue = queue[0], queue[1:]
		q := ask(at)
		q.events, q.lines = events, lines
		r := q.answer(list)
		if len(r.Matches) == 0 && len(r.Problems) == 0 {
			return at.Version, nil
		}
		for _, m := range r.Matches {
			add(m.Fixed)
		}
	}
	return "", nil
}

// Highest returns the highest of the versions in the order of the ecosystem;
// "" for none.
func Highest(ecosystem string, versions []string) string {
	sorted := sortVersions(ecosystem, append([]string(nil), versions...))
	if len(sorted) == 0 {
		return ""
	}
	return sorted[len(sorted)-1]
}

// LastFix returns the version from which on the record calls no version of
// the package affected; "" when a range stays open or ends without a fix. It
// is what is left to say when the version of the package is not known.
func (m Match) LastFix() string {
	if m.Affected < 0 || m.Affected >= len(m.Advisory.Affected) {
		return ""
	}
	var fixes []string
	for _, r := range m.Advisory.Affected[m.Affected].Ranges {
		if r.Type == Git || len(r.Events) == 0 {
			continue
		}
		kinds, versions := map[string]EventKind{}, []string{} // events come in any order (OSV schema, "affected[].ranges[].events")
		for _, e := range r.Events {
			if e.Kind == Limit || e.Kind == Introduced && e.Version == "0" {
				continue
			}
			kinds[e.Version], versions = e.Kind, append(versions, e.Version)
		}
		last := Highest(m.Package.Ecosystem, versions)
		if kinds[last] != Fixed {
			return ""
		}
		fixes = append(fixes, last)
	}
	return Highest(m.Package.Ecosystem, fixes)
}
