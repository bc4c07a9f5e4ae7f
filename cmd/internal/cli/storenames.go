package cli

import (
	"context"
	"strings"

	"github.com/fnaudit/fnaudit/sbom/catalog"
	"github.com/fnaudit/fnaudit/vulndb"
)

// askStore lets a cataloger ask the store for names that the bytes do not tell.
func askStore(ctx context.Context, db *vulndb.DB, opts catalog.Options) catalog.Options {
	opts.MavenGroups, opts.PythonProject = mavenGroups(ctx, db), pythonProject(ctx, db)
	return opts
}

// pythonProject asks the store whether it knows a Python project, for a package
// without metadata whose project's name is guessed from its import name. A
// store that cannot answer knows none: the package then needs more evidence.
func pythonProject(ctx context.Context, db *vulndb.DB) func(name string) bool {
	if db == nil {
		return nil
	}
	return func(name string) bool {
		list, err := db.LookupName(ctx, "PyPI", name)
		return err == nil && len(list) > 0
	}
}

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
