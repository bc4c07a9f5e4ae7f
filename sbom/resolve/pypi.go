package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"deps.dev/util/resolve"
	"deps.dev/util/resolve/pypi"
	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// pyIndexes answers what the configured indexes say, as [registry.Client] does.
type pyIndexes interface {
	Releases(ctx context.Context, p registry.Package) ([]registry.PythonRelease, error)
	Needs(ctx context.Context, p registry.Package, r registry.PythonRelease, wheels bool) (registry.PythonNeeds, error)
}

// Bounds on one tree of Python packages.
const (
	maxPyPackages = 1_000   // the resolver's memory grows with their square; the largest real trees have about 700
	maxPyRead     = 3_000   // releases of which it is asked what they need, those that are tried and dropped among them
	maxPyWheels   = 200     // wheels that are fetched for that
	maxPyVersions = 200_000 // of all projects together
	maxPyFiles    = 3       // of one release, whose metadata is the same mostly
	maxPyMatches  = 500_000 // versions in answers that are kept
	pyAsked       = 8       // indexes are asked about this many projects at a time
)

// ofPyPI works out what pip would install for a version, in an environment that
// is stated in the tree: the newest CPython that the version runs on, up to the
// newest of the platforms.
//
// The resolver of the deps.dev project chooses the versions, as pip's does. What
// it asks is answered here, with markers and specifiers evaluated, since its own
// are for one old environment and take 2.0rc1 for less than 2. What an extra
// needs is a package of its own to it, "requests[socks]", which needs the very
// version of "requests", as it is in pip.
func ofPyPI(ctx context.Context, from pyIndexes, name, of string, lim Limits) (tree Tree, err error) {
	defer func() {
		if r := recover(); r != nil { // by whatever an index says, one package must not stop the run
			err = fmt.Errorf("the resolver stopped: %v", r)
		}
	}()
	name, ok := pyName(name)
	if !ok {
		return Tree{}, errors.New("no Python project can have its name")
	}
	w := newPyWalk(from, lim)
	root, err := w.start(ctx, name, of)
	if err != nil {
		return Tree{}, err
	}
	g, err := pypi.NewResolver(w).Resolve(ctx, root)
	switch {
	case w.over != "":
		return Tree{}, errors.New(w.over)
	case err != nil:
		return Tree{}, err
	case g.Error != "":
		return Tree{}, fmt.Errorf("for %s no set of versions has all that is asked for: %s", w.env, plainConflict(g.Error))
	}
	return w.tree(g), nil
}

// plainConflict brings what the resolver says of a conflict into one line:
// the first reasons, each once.
func plainConflict(said string) string {
	var out []string
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		for from, to := range map[string]string{"requirements conflict: ": "", "no candidates at all for: ": ""} {
			line = strings.ReplaceAll(line, from, to)
		}
		if line == "" || line == "resolution impossible:" || slices.Contains(out, line) {
			continue
		}
		if out = append(out, line); len(out) == 3 {
			break
		}
	}
	return strings.NewReplacer("(", "", ")", "", `"`, "").Replace(strings.Join(out, "; "))
}

// pyWalk answers the resolver. It is used by one goroutine.
type pyWalk struct {
	from pyIndexes
	lim  Limits
	env  pyEnv

	projects map[string]*pyProject
	releases map[resolve.VersionKey]*pyRead
	matches  map[resolve.VersionKey][]resolve.Version
	matched  int // versions in them
	listed   int // versions of all projects
	wheels   int // releases for which a wheel was fetched
	root     resolve.VersionKey
	needed   int    // times that the resolver asked what a version needs
	over     string // the limit that was passed
}

// pyProject is what the indexes say of a project.
type pyProject struct {
	gap      string // why nothing is known of it
	versions []pyCandidate
	early    bool            // something asks for a version before a final release, or there is no other
	pinned   map[string]bool // versions that something asks for exactly, yanked or not
}

// pyCandidate is a version that pip could install.
type pyCandidate struct {
	version pyVersion
	release registry.PythonRelease
	yanked  bool
}

// pyRead is what a release needs.
type pyRead struct {
	python string
	needs  []pyNeed
	gaps   []Gap // what of it is not known
}

func newPyWalk(from pyIndexes, lim Limits) *pyWalk {
	lim.Packages = min(lim.Packages, maxPyPackages)
	return &pyWalk{from: from, lim: lim, env: pyEnv{lim.Python}, projects: map[string]*pyProject{},
		releases: map[resolve.VersionKey]*pyRead{}, matches: map[resolve.VersionKey][]resolve.Version{}}
}

// start finds the version that is asked about and the environment that it runs in.
func (w *pyWalk) start(ctx context.Context, name, of string) (resolve.VersionKey, error) {
	p := registry.Package{System: registry.PyPI, Name: name}
	list, err := w.from.Releases(ctx, p)
	if err != nil {
		return resolve.VersionKey{}, err
	}
	all := candidates(list, func(registry.PythonFile) bool { return true })
	asked, ok := parsePyVersion(of)
	i := slices.IndexFunc(all, func(c pyCandidate) bool { return c.release.Version == of || ok && c.version.compare(asked) == 0 })
	if i < 0 {
		return resolve.VersionKey{}, errors.New("no index lists a file of its version " + of)
	}
	root := all[i]
	root.release.Version = of
	root.release.Files = w.preferred(root.release.Files)
	key := pyKey(name, of)
	w.root = key
	read, err := w.read(ctx, key, root)
	if err != nil {
		return resolve.VersionKey{}, err
	}
	if len(read.gaps) > 0 && read.needs == nil {
		return resolve.VersionKey{}, errors.New(read.gaps[0].Reason)
	}
	requires := []string{read.python}
	for _, f := range root.release.Files {
		requires = append(requires, f.Python)
	}
	runs := func() bool {
		return !slices.ContainsFunc(requires, func(r string) bool { return !w.env.runs(r) })
	}
	newest := w.env
	for !runs() {
		if w.env.minor--; w.env.minor < oldestPython {
			return resolve.VersionKey{}, fmt.Errorf("it runs on no CPython from 3.%d to 3.%d, says its index", oldestPython, newest.minor)
		}
	}
	one := &pyProject{versions: []pyCandidate{root}, early: true, pinned: map[string]bool{of: true}} // it is there already: nothing else of it can be
	w.projects[name] = one
	return key, nil
}

func pyKey(name, version string) resolve.VersionKey {
	return resolve.VersionKey{PackageKey: resolve.PackageKey{System: resolve.PyPI, Name: name}, VersionType: resolve.Concrete, Version: version}
}

// candidates are the versions of which there are files that are wanted, in their
// order, each in one spelling. What is no version pip does not install either.
func candidates(list []registry.PythonRelease, wanted func(registry.PythonFile) bool) []pyCandidate {
	var out []pyCandidate
	for _, r := range list {
		v, ok := parsePyVersion(r.Version)
		if !ok {
			continue
		}
		r.Files = slices.DeleteFunc(slices.Clone(r.Files), func(f registry.PythonFile) bool { return !wanted(f) })
		if len(r.Files) > 0 {
			out = append(out, pyCandidate{version: v, release: r})
		}
	}
	slices.SortStableFunc(out, func(a, b pyCandidate) int { return a.version.compare(b.version) })
	merged := out[:0]
	for _, c := range out {
		if k := len(merged) - 1; k >= 0 && merged[k].version.compare(c.version) == 0 {
			merged[k].release.Files = append(merged[k].release.Files, c.release.Files...)
			continue
		}
		merged = append(merged, c)
	}
	for i := range merged {
		merged[i].yanked = !slices.ContainsFunc(merged[i].release.Files, func(f registry.PythonFile) bool { return !f.Yanked })
	}
	return merged
}

// preferred puts the files first that tell what pip would install: wheels for
// this environment, one for every platform before others, then other wheels.
func (w *pyWalk) preferred(files []registry.PythonFile) []registry.PythonFile {
	rank := func(f registry.PythonFile) int {
		switch {
		case !strings.HasSuffix(f.Name, ".whl"):
			return 3
		case !w.env.installs(f.Name):
			return 2
		case !strings.HasSuffix(f.Name, "-none-any.whl"):
			return 1
		}
		return 0
	}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b registry.PythonFile) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Name, a.Name))
	})
	return files
}

// learn asks about those projects that are not known yet, all at once.
func (w *pyWalk) learn(ctx context.Context, names []string) error {
	var asked []string
	for _, n := range names {
		if w.projects[n] == nil {
			w.projects[n] = &pyProject{}
			asked = append(asked, n)
		}
	}
	if len(w.projects) > w.lim.Packages {
		w.over = fmt.Sprintf("it needs over %d packages", w.lim.Packages)
		return errLimit
	}
	found := make([]*pyProject, len(asked))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(pyAsked)
	for i, n := range asked {
		g.Go(func() error {
			found[i] = w.project(gctx, n)
			return gctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, n := range asked {
		w.projects[n] = found[i]
		w.listed += len(found[i].versions)
	}
	if w.listed > maxPyVersions {
		w.over = fmt.Sprintf("the packages that it may need have over %d versions", maxPyVersions)
		return errLimit
	}
	return ctx.Err()
}

// project asks the indexes about a project, and keeps the versions that pip
// could install here. It changes nothing of w.
func (w *pyWalk) project(ctx context.Context, name string) *pyProject {
	out := &pyProject{pinned: map[string]bool{}}
	list, err := w.from.Releases(ctx, registry.Package{System: registry.PyPI, Name: name})
	switch {
	case err != nil:
		out.gap = "nothing is known of it: " + err.Error()
	case list == nil:
		out.gap = "the registry knows no such package"
		if w.lim.public {
			out.gap = "no configured index has it, and pip's own is written nowhere"
		}
	}
	out.versions = candidates(list, func(f registry.PythonFile) bool { return w.env.installs(f.Name) && w.env.runs(f.Python) })
	for i := range out.versions {
		files := w.preferred(out.versions[i].release.Files)
		out.versions[i].release.Files = slices.Clone(files[:min(len(files), maxPyFiles)])
	}
	out.early = !slices.ContainsFunc(out.versions, func(c pyCandidate) bool { return !c.yanked && !c.version.early() })
	return out
}

// read reads what a release needs. Only a cancelled ctx and a limit are errors.
func (w *pyWalk) read(ctx context.Context, key resolve.VersionKey, c pyCandidate) (*pyRead, error) {
	if r := w.releases[key]; r != nil {
		return r, nil
	}
	if len(w.releases) >= maxPyRead {
		w.over = fmt.Sprintf("over %d versions were tried", maxPyRead)
		return nil, errLimit
	}
	p := registry.Package{System: registry.PyPI, Name: key.Name}
	said, err := w.from.Needs(ctx, p, c.release, w.wheels < maxPyWheels)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	out := &pyRead{python: said.Python}
	if err != nil {
		out.gaps = []Gap{{p, "what its version " + key.Version + " needs is not known: " + err.Error()}}
	} else {
		out.needs = []pyNeed{}
	}
	if said.Wheel {
		w.wheels++
	}
	for _, text := range said.Requires {
		n, err := parsePyNeed(text)
		switch {
		case err != nil && n.name == "":
			out.gaps = append(out.gaps, Gap{p, fmt.Sprintf("its version %s asks for what cannot be read: %.100q: %v", key.Version, text, err)})
		default:
			if err != nil {
				n.bad = fmt.Sprintf("%s %s asks for what cannot be read: %.100q: %v", key.Name, key.Version, text, err)
			}
			out.needs = append(out.needs, n)
		}
	}
	w.releases[key] = out
	return out, nil
}
