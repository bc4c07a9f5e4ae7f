package cli

import (
	"context"
	"strings"

	"github.com/fnaudit/fnaudit/vulndb"
)

// mavenGroups asks the store for the group ids of a Maven artifact id, for a
// jar whose bytes do not say its group. A store that cannot answer knows none:
// what is known against the jar is then looked up again, and fails there.
func mavenGroups(ctx context.Context, db *vulndb.DB) func(artifact string) []string {
	if db == nil {
		return nil
	}
	return func(artifact string) []string {
		names, err := db.MavenNames(ctx, artifact)
		if err != nil {
			return nil
		}
		groups := make([]string, 0, len(names))
		for _, n := range names {
			group, _, _ := strings.Cut(n, ":")
			groups = append(groups, group)
		}
		return groups
	}
}
