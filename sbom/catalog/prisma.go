package catalog

import (
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// prismaGenerated reports whether p is a query engine in the folder that
// "prisma generate" writes, which no package manager accounts for
// (https://www.prisma.io/docs/orm/more/under-the-hood/engines).
func prismaGenerated(p string) bool {
	base := path.Base(p)
	return strings.HasSuffix(dirOf(p), "node_modules/.prisma/client") &&
		(strings.HasPrefix(base, "libquery_engine-") || strings.HasPrefix(base, "query-engine-") || strings.HasPrefix(base, "query_engine-"))
}

// prismaEngine returns the index in found of the package that generated the
// query engine p: the client beside it, or the package that brings engines.
func (a *artifact) prismaEngine(p string) (int, bool) {
	if !prismaGenerated(p) {
		return 0, false
	}
	modules := strings.TrimSuffix(dirOf(p), "/.prisma/client")
	for _, name := range []string{"@prisma/client", "@prisma/engines"} {
		for i := range a.found {
			if f := &a.found[i]; f.typ == "npm" && f.name == name && !f.declared && f.dir == modules+"/"+name {
				return i, true
			}
		}
	}
	return 0, false
}

// attach names a file as further evidence of a package.
func (a *artifact) attach(i int, p, detail string) {
	f := &a.found[i]
	f.also = append(f.also, sbom.Evidence{Method: sbom.MethodInstalled, Confidence: f.confidence, Path: p, Detail: detail})
}
