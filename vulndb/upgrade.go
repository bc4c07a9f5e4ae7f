package vulndb

import (
	"context"
	"fmt"
)

// maxUpgrades is how many versions Upgrade tries, lowest first.
const maxUpgrades = 64

// Upgrade returns the lowest of the fixed versions of the groups that nothing
// in the store is known against, so that one step clears everything. It is ""
// when a group has no fix, or when every candidate is affected itself.
func (db *DB) Upgrade(ctx context.Context, pkg Package, groups []Group) (string, error) {
	var all []string
	for _, g := range groups {
		if len(g.Fixed) == 0 {
			return "", nil
		}
		all = append(all, g.Fixed...)
	}
	candidates := sortVersions(pkg.Ecosystem, all)
	for i, v := range candidates {
		if i == maxUpgrades {
			break
		}
		at := pkg
		at.Version = v
		r, err := db.Match(ctx, at)
		if err != nil {
			return "", fmt.Errorf("match %s %s: %w", pkg.Name, v, err)
		}
		if len(r.Matches) == 0 && len(r.Problems) == 0 {
			return v, nil
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
