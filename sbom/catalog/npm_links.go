package catalog

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// maxLinked is how many files and folders of one artifact are looked at behind
// links in node_modules.
const maxLinked = 200_000

// linker follows links in node_modules: to a package, to a scope's folder, and
// in place of node_modules itself.
type linker struct {
	a       *artifact
	steps   int
	told    map[string]int // path -> unknown of the artifact's notices
	members []string       // patterns of the workspaces' folders, from the root of the artifact
}

func (a *artifact) npmLinks(ctx context.Context, links []string) {
	if len(links) == 0 {
		return
	}
	l := &linker{a: a, told: make(map[string]int, len(a.unknowns))}
	for i := range a.unknowns {
		l.told[a.unknowns[i].Path] = i
	}
	for _, root := range []string{"", "nodejs"} {
		at := path.Join(root, "package.json")
		if !a.has(at) {
			continue
		}
		m, ok := a.npmManifestAt(at)
		if !ok {
			continue
		}
		for _, pattern := range m.members {
			l.members = append(l.members, path.Join(root, pattern))
		}
	}
	for _, p := range links {
		if ctx.Err() != nil {
			return
		}
		at := max(lastNodeModules(p), 0)
		switch name := p[at:]; {
		case path.Base(p) == "node_modules":
			l.folder(ctx, p, true)
		case name != "" && name[0] == '@' && !strings.Contains(name, "/"):
			l.folder(ctx, p, false)
		default:
			l.pkg(ctx, p)
		}
	}
}

// folder looks at the packages of a linked node_modules or scope folder.
func (l *linker) folder(ctx context.Context, p string, scopes bool) {
	if l.over(1) {
		return
	}
	list, err := l.a.tree.ReadDir(p)
	if errors.Is(err, bundle.ErrUnreadable) {
		l.leaves(p)
		return
	}
	for _, e := range list {
		if l.over(1) {
			return
		}
		at := path.Join(p, e.Name())
		if scopes && strings.HasPrefix(e.Name(), "@") {
			l.folder(ctx, at, false)
			continue
		}
		l.pkg(ctx, at)
	}
}

// leaves reports a link that cannot be followed. The archive's notice may have
// named it already, without knowing that it stands for code.
func (l *linker) leaves(p string) {
	if i, ok := l.told[p]; ok {
		l.a.unknowns[i].Code = true
		return
	}
	l.a.unknown(p, sbom.Unreadable, "a link of node_modules leads out of the artifact or in circles: which package is loaded is not known", true)
}

// over counts n steps and reports whether there were too many of them.
func (l *linker) over(n int) bool {
	before := l.steps
	if l.steps += n; l.steps <= maxLinked {
		return false
	}
	if before <= maxLinked {
		l.a.unknown("", sbom.Limit, fmt.Sprintf("more than %d files behind links in node_modules", maxLinked), true)
	}
	return true
}

// pkg records what Node loads through a link: npm installs a dependency on a
// folder ("file:vendor/x") as a link to it, so that is a package like any
// other, unless the folder is a workspace of the root package.json and thus
// the function's own code
// (https://docs.npmjs.com/cli/v11/using-npm/workspaces). A link to another
// package's place (pnpm's store) is that package, which is found there.
func (l *linker) pkg(ctx context.Context, dir string) {
	a := l.a
	name, ok := npmPackageDir(dir)
	if !ok {
		return
	}
	if l.over(1) {
		return
	}
	manifest := path.Join(dir, "package.json")
	t, err := a.tree.Resolve(manifest)
	if err != nil {
		if errors.Is(err, bundle.ErrUnreadable) {
			l.leaves(dir)
			return
		}
		l.withoutManifest(dir, name)
		return
	}
	target := dirOf(t.Path)
	if _, ok := npmPackageDir(target); ok || target == "" || target == "nodejs" {
		return
	}
	if l.member(target) {
		if m, data, ok := a.readNpmManifest(t.Path); ok {
			a.npmMain(t.Path, &m, a.npmBySyft(ctx, t.Path, &m, data, a.npmShown(int64(len(data)))))
		}
		return
	}
	a.owners.addDir(target)
	if a.failed[t.Path] {
		return
	}
	m, data, ok := a.readNpmManifest(t.Path)
	if !ok {
		return
	}
	f := a.npmFound(manifest, &m, a.npmBySyft(ctx, manifest, &m, data, a.npmShown(int64(len(data)))))
	f.dir = dir
	f.note("a link to " + clip(target))
	if f.name == "" {
		f.name, f.confidence = name, 0.8
	}
	a.add(f)
}

// withoutManifest records a linked folder that has scripts and no package.json.
func (l *linker) withoutManifest(dir, name string) {
	list, err := l.a.tree.ReadDir(dir)
	if err != nil {
		return // leads nowhere: nothing can be loaded
	}
	if l.over(len(list)) {
		return
	}
	for _, e := range list {
		if !e.IsDir() && script(e.Name()) {
			l.a.unknown(dir, sbom.Opaque, "package without a package.json: its version is not known", true)
			l.a.add(found{typ: "npm", name: name, path: dir, dir: dir, method: sbom.MethodInstalled, confidence: 0.5, detail: "the folder's name"})
			return
		}
	}
}

// member reports whether a folder is a workspace. A pattern with "!" in front
// takes folders out again.
func (l *linker) member(dir string) bool {
	in := false
	for _, pattern := range l.members {
		pattern, not := strings.CutPrefix(pattern, "!")
		if ok, err := doublestar.Match(pattern, dir); err == nil && ok {
			in = !not
		}
	}
	return in
}
