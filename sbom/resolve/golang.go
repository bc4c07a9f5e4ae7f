package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// moduleFiles returns the go.mod of a module at a version, as
// [registry.Client.ModuleFile].
type moduleFiles func(ctx context.Context, path, version string) (registry.Document, error)

// goAsked is how many go.mod files are asked for at a time.
const goAsked = 8

// ofGo works out which modules a version of a module is built with, by minimal
// version selection (https://go.dev/ref/mod#minimal-version-selection): of each
// module the highest version that anything in the graph requires.
//
// The go.mod of a module at Go 1.17 or later lists every module that its
// packages need, with "// indirect" behind those that it does not import itself
// (https://go.dev/ref/mod#graph-pruning), so nothing else is in the tree; the
// go.mod files of those are read too, for one may require a higher version. Of an
// older module the whole graph is walked, and every module in it is in the tree:
// more than its packages need, since what they import is not looked at. What a
// module replaces or excludes counts only while it is built itself, and what
// requires another version of the module that is asked about changes nothing.
func ofGo(ctx context.Context, read moduleFiles, path, of string, lim Limits) (Tree, error) {
	w := &goWalk{read: read, lim: lim, root: path, selected: map[string]string{}, next: map[module.Version]bool{}, files: map[module.Version]*goFile{}}
	start := module.Version{Path: path, Version: of}
	if err := w.load(ctx, []module.Version{start}); err != nil {
		return Tree{}, err
	}
	root := w.files[start]
	if root.gap != "" {
		return Tree{}, errors.New(root.gap)
	}
	w.pruned = semver.Compare("v"+root.version, "v1.17") >= 0
	direct := map[string]bool{}
	for _, r := range root.require {
		direct[r.Path] = !r.indirect
		w.raise(r.Version)
	}
	for {
		next := w.unread()
		if len(next) == 0 {
			return w.tree(direct), nil
		}
		if err := w.load(ctx, next); err != nil {
			return Tree{}, err
		}
		for _, m := range next {
			for _, r := range w.files[m].require {
				if _, listed := w.selected[r.Path]; listed || !w.pruned {
					w.raise(r.Version)
				}
			}
		}
	}
}

// goFile is what is used of a go.mod.
type goFile struct {
	version string // of Go: "1.21"; "" when it does not say
	require []goRequire
	gap     string // why it is not known; "" it is
}

type goRequire struct {
	module.Version
	indirect bool
}

// goWalk is one walk over a module graph.
type goWalk struct {
	read     moduleFiles
	lim      Limits
	root     string
	pruned   bool              // only what the root lists is in the tree
	selected map[string]string // path -> the highest version that was required so far
	next     map[module.Version]bool
	files    map[module.Version]*goFile
	lines    int // requirements in them

	mu sync.Mutex // parsed, a go.mod takes a hundred times its size: one at a time
}

// raise notes that a version of a module is required. In a whole graph lower
// versions are walked, too: what they require counts, as it does for Go.
func (w *goWalk) raise(m module.Version) {
	if m.Path == w.root {
		return
	}
	have, ok := w.selected[m.Path]
	higher := !ok || compareGo(m.Version, have) > 0
	if higher {
		w.selected[m.Path] = m.Version
	}
	if (higher || !w.pruned) && w.files[m] == nil {
		w.next[m] = true
	}
}

func compareGo(a, b string) int { return cmp.Or(semver.Compare(a, b), cmp.Compare(a, b)) }

// unread takes the go.mod files to be read next, sorted.
func (w *goWalk) unread() []module.Version {
	out := slices.SortedFunc(maps.Keys(w.next), func(a, b module.Version) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
	})
	clear(w.next)
	return out
}

// load reads go.mod files, within the limits.
func (w *goWalk) load(ctx context.Context, list []module.Version) error {
	if len(w.files)+len(list) > w.lim.Packages {
		return fmt.Errorf("it needs over %d packages", w.lim.Packages)
	}
	read := make([]*goFile, len(list))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(goAsked)
	for i, m := range list {
		g.Go(func() (err error) {
			read[i], err = w.file(ctx, m)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, m := range list {
		w.files[m] = read[i]
		if w.lines += len(read[i].require); w.lines > maxNeeded {
			return fmt.Errorf("its go.mod files require over %d modules", maxNeeded)
		}
	}
	return nil
}

// file reads one go.mod. Only a cancelled ctx is an error.
func (w *goWalk) file(ctx context.Context, m module.Version) (*goFile, error) {
	doc, err := w.read(ctx, m.Path, m.Version)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return &goFile{gap: "its go.mod is not known: " + err.Error()}, nil
	case doc.Absent:
		return &goFile{gap: "no proxy has its version " + m.Version}, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return parseGoMod(doc.Body, m), nil
}

// parseGoMod reads a go.mod as Go reads those of dependencies: what it does not
// know is passed over.
func parseGoMod(body []byte, m module.Version) *goFile {
	parsed, err := modfile.ParseLax("go.mod", body, nil)
	if err != nil {
		return &goFile{gap: "the go.mod of its version " + m.Version + " is not of the form that was expected"}
	}
	if parsed.Module == nil || parsed.Module.Mod.Path != m.Path { // a login page has no line that is wrong
		return &goFile{gap: "the go.mod of its version " + m.Version + " is of no module or of another"}
	}
	f := &goFile{}
	if parsed.Go != nil {
		f.version = parsed.Go.Version
	}
	for _, r := range parsed.Require {
		if module.CheckPath(r.Mod.Path) != nil || !semver.IsValid(r.Mod.Version) {
			return &goFile{gap: "the go.mod of its version " + m.Version + " requires what can be no module"}
		}
		f.require = append(f.require, goRequire{r.Mod, r.Indirect})
	}
	return f
}

// tree is what was selected.
func (w *goWalk) tree(direct map[string]bool) Tree {
	t := Tree{Source: "registry"}
	for path, version := range w.selected {
		p := registry.Package{System: registry.Go, Name: path}
		n := Node{Package: p, Version: version, Direct: direct[path]}
		f := w.files[module.Version{Path: path, Version: version}]
		if f.gap != "" {
			t.Gaps = append(t.Gaps, Gap{p, f.gap})
		}
		for _, r := range f.require {
			if _, in := w.selected[r.Path]; in {
				n.Needs = append(n.Needs, r.Path)
			}
		}
		t.Nodes = append(t.Nodes, n)
	}
	return t
}
