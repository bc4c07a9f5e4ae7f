package catalog

import (
	"context"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/jar"
)

// nestedZip is a file that is a zip or ends with one.
type nestedZip struct{ file *bundle.File }

// javaNamed reports whether Java would load a file by its name. It looks for a
// zip from the end, so that the first bytes say nothing: a script or anything
// else may stand before it.
func javaNamed(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".jar", ".war", ".ear", ".aar":
		return true
	}
	return false
}

// javaArchives finds the Java packages of the artifact itself and of the zips
// in it. Other code in those zips stays opaque. What a package of another ecosystem brings
// along is that package's, unless its own metadata names it.
func javaArchives(ctx context.Context, a *artifact) {
	s := jar.NewScanner(jar.Options{MaxPackages: max(a.opts.MaxComponents-len(a.found), 1), Groups: a.opts.MavenGroups})
	if err := s.Root(ctx, a.vol, a.tree, a.vol.Artifact.Ref); err != nil {
		return // cancelled, which the caller sees
	}
	for _, z := range a.zips {
		if ctx.Err() != nil {
			return
		}
		a.javaArchive(ctx, s, z)
	}
	res := s.Result()
	for _, u := range res.Unknowns {
		if u.Kind == sbom.Opaque && a.pythonZips[u.Path] {
			continue // the zip is Python's, and was catalogued as an artifact of its own; a zip in it that is nobody's stays unknown
		}
		if a.owners.owns(outermostFile(u.Path)) && u.Kind != sbom.Unreadable && u.Kind != sbom.Limit {
			continue
		}
		a.unknown(u.Path, u.Kind, u.Reason, u.Code)
	}
	for i := range res.Packages {
		p := &res.Packages[i]
		if a.owners.owns(outermostFile(p.Path)) && p.Method != sbom.MethodInstalled {
			continue
		}
		a.add(a.javaPackage(p))
	}
}

func (a *artifact) javaArchive(ctx context.Context, s *jar.Scanner, z nestedZip) {
	c, err := a.tree.Content(z.file.Path)
	if err != nil {
		a.unread(z.file.Path, err)
		return
	}
	defer c.Close()
	_ = s.Archive(ctx, z.file.Path, c) // cancelled, which the caller sees
}

func (a *artifact) javaPackage(p *jar.Package) found {
	f := found{
		typ: "maven", name: p.Name(), version: p.Version, path: p.Path, method: p.Method, confidence: p.Confidence, detail: p.Detail,
		source: p.Source, requires: p.Requires, main: p.Main, older: p.Older, classifier: p.Classifier,
	}
	if p.Own {
		f.archive = p.Archive
	}
	f.licenses = a.spdx(p.Licences...)
	return f
}
