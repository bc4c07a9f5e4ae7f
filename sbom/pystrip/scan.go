package pystrip

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// Package is one Python project that was recognised without its metadata.
type Package struct {
	Project    string   // name in the package index, as the project spells it
	Others     []string // names under which the same modules are also published
	Version    string   // in the normal form of PEP 440; "" when it is not known
	Versions   []string // candidates, when several fit and Version is empty
	Path       string   // of the file that shows it
	Root       string   // folder that it is imported from; "" is the top
	Dirs       []string // folders that are its own
	Modules    []string // modules at the root that are its own, without an extension
	Method     string   // an sbom.Method
	Confidence float64
	Detail     string
	Vendored   bool // a copy inside another package
	NameOnly   bool // nothing but its name speaks for it: it may be a module of the function's own
}

// Gap is code that somebody released and nobody could name.
type Gap struct{ Path, Reason string }

// Result is what one artifact holds. Both lists are sorted by path.
type Result struct {
	Packages []Package
	Gaps     []Gap
	Unread   []Unread
	Stated   []Stated // what installed code says of itself against its metadata
	Dropped  int      // packages over the limit
}

// Unread is a file that had to be read for a version and could not be.
type Unread struct {
	Path string
	Err  error
}

// Scan finds the projects of an artifact's Python code that no metadata
// accounts for. A done ctx gives what was found so far: the caller asks it.
func Scan(ctx context.Context, in Input, opts Options) Result {
	s := &scan{opts: opts.withDefaults(), table: projects, weak: map[string][]Gap{}, vendorLists: map[string]vendorList{}, installed: map[string]map[string]Distribution{}}
	s.index = newIndex(ctx, in)
	if len(s.folders) == 0 {
		return Result{}
	}
	for _, d := range in.Installed {
		if s.installed[d.Root] == nil {
			s.installed[d.Root] = map[string]Distribution{}
		}
		s.installed[d.Root][normalName(d.Name)] = d
	}
	dirs := make([]string, 0, len(s.folders))
	for dir := range s.folders {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		if ctx.Err() != nil {
			break
		}
		if k := s.rootKind(dir); k != noRoot {
			s.root(ctx, dir, k)
		}
	}
	s.titles(ctx, dirs)
	s.severalVersioned()
	slices.SortFunc(s.res.Packages, func(a, b Package) int { return strings.Compare(a.Path+"\x00"+a.Project, b.Path+"\x00"+b.Project) })
	slices.SortFunc(s.res.Gaps, func(a, b Gap) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(s.res.Unread, func(a, b Unread) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(s.res.Stated, func(a, b Stated) int { return strings.Compare(a.Path, b.Path) })
	return s.res
}

// scan is the work on one artifact.
type scan struct {
	*index
	opts        Options
	table       func() *table
	res         Result
	weak        map[string][]Gap                   // root -> packages with a version and nothing else
	vendorLists map[string]vendorList              // root -> what a list beside it says
	installed   map[string]map[string]Distribution // root -> normal name -> what its metadata says
}

// rootKind says why a folder is searched for packages.
type rootKind uint8

const (
	noRoot    rootKind = iota
	searched           // Python looks for modules there
	collected          // people put packages there and add it to the path
	vendored           // a package keeps its copies of others there
)

// rootKind judges a folder by its name and by what is around it.
func (s *scan) rootKind(dir string) rootKind {
	base := path.Base(dir)
	switch base {
	case "site-packages", "dist-packages":
		return searched
	case "_vendor", "_vendored", "vendored", "vendored_packages", "_vendored_packages", "vendor", "extern", "externals", "_extern", "third_party", "thirdparty":
		if s.inPackage(dir) {
			return vendored
		}
		return collected
	case "packages": // as requests and urllib3 call it
		if up := path.Base(dirOf(dir)); up == "requests" || up == "urllib3" {
			return vendored
		}
		return noRoot
	}
	switch dir {
	case "", "python", "var/task", "opt/python", "home/site/wwwroot", "workspace", "usr/src/app", "app", "function":
		if s.folders[dir].isPackage() && dir != "" {
			return noRoot
		}
		return searched
	}
	switch base {
	case "lib", "libs", "deps", "dependencies", "package":
		if !s.inPackage(dir) && !s.folders[dir].isPackage() {
			return collected
		}
	}
	return noRoot
}

// inPackage reports whether a folder lies in a package.
func (s *scan) inPackage(dir string) bool { return s.folders[dirOf(dir)].isPackage() && dir != "" }

// part is a folder or a module that belongs to a project.
type part struct {
	name string // by which it is imported
	dir  string // of a package; "" for a module
	file string // that shows it

	claimed *Distribution // of another project, whose metadata accounts for it; nil: none does
}

// group is the parts of one project at one root.
type group struct {
	entry *entry
	parts []part
}

// root looks at what can be imported from one folder.
func (s *scan) root(ctx context.Context, dir string, kind rootKind) {
	groups := map[string]*group{}
	var order []string
	add := func(e *entry, p part) {
		key := strings.Join(e.projects, "|")
		g := groups[key]
		if g == nil {
			g = &group{entry: e}
			groups[key] = g
			order = append(order, key)
		}
		g.parts = append(g.parts, p)
		if !e.weak || e.hint.file != "" {
			g.entry = e
		}
	}
	var rest []part
	bare := s.bareNames(dir)
	s.visit(dir, "", 0, func(p part) {
		e := s.table().find(p.name)
		if d, ok := s.metadataOf(dir, e, p); ok {
			s.compare(d, e, p)
			return
		}
		if kind != vendored && s.in.Owned(p.file) {
			if p.claimed = s.strangeClaim(e, p); p.claimed == nil {
				return
			}
		}
		if e != nil {
			add(e, p)
		} else if listed := s.listed(dir, kind, p.name); listed != "" {
			add(&entry{projects: []string{listed}}, p)
		} else if project := cmp.Or(bare[p.name], bare[normalName(p.name)]); project != "" && kind == searched {
			add(&entry{projects: []string{project}, remains: true}, p)
		} else if !strings.Contains(p.name, ".") {
			rest = append(rest, p)
		}
	})
	for _, key := range order {
		if ctx.Err() != nil {
			return
		}
		s.project(dir, kind, groups[key])
	}
	if kind != searched {
		return
	}
	for _, p := range rest {
		if ctx.Err() != nil {
			return
		}
		s.stranger(dir, p)
	}
}

// maxNames is how many parts of an import name are looked at.
const maxNames = 6

// visit calls yield for each package and module below a root. A namespace's
// parts are visited instead of itself.
func (s *scan) visit(dir, prefix string, depth int, yield func(part)) {
	f := s.folders[dir]
	if f == nil || depth > maxNames {
		return
	}
	for _, sub := range f.subs {
		at := joinPath(dir, sub)
		name := prefix + sub
		in := s.folders[at]
		if s.table().namespace(name) && s.table().names[name] == nil {
			s.visit(at, name+".", depth+1, yield)
			continue
		}
		if file := s.shows(at, 0); file != "" {
			yield(part{name: name, dir: at, file: file})
		}
		if s.table().namespace(name) && in != nil {
			s.visit(at, name+".", depth+1, yield)
		}
	}
	names := make([]string, 0, len(f.modules))
	for name := range f.modules {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if name != "__init__" && !found(f.subs, name) {
			yield(part{name: prefix + name, file: f.modules[name].any()})
		}
	}
}

// found reports whether a sorted list holds a name.
func found(sorted []string, name string) bool {
	_, ok := slices.BinarySearch(sorted, name)
	return ok
}

// shows returns the file that stands for a package: its __init__, else the
// first of its modules.
func (s *scan) shows(dir string, depth int) string {
	f := s.folders[dir]
	if f == nil || depth > maxNames {
		return ""
	}
	if f.isPackage() {
		return f.modules["__init__"].any()
	}
	best := ""
	for _, m := range f.modules {
		if p := m.any(); best == "" || p < best {
			best = p
		}
	}
	for i := 0; best == "" && i < len(f.subs); i++ {
		best = s.shows(joinPath(dir, f.subs[i]), depth+1)
	}
	return best
}

// project reports one known project, unless its metadata is there or nothing
// but an ordinary word speaks for it.
func (s *scan) project(root string, kind rootKind, g *group) {
	for _, name := range g.entry.projects {
		if s.infos[root][normalName(name)] {
			return
		}
	}
	p := Package{Root: root, Vendored: kind == vendored, Path: g.parts[0].file, Method: sbom.MethodModule, Confidence: 0.8}
	p.Project = s.choose(root, g.entry.projects)
	for _, other := range g.entry.projects {
		if other != p.Project {
			p.Others = append(p.Others, other)
		}
	}
	sign := s.version(&p, g)
	if kind == vendored {
		if !s.vendoredVersion(root, &p, g) && sign == "" && !s.substantial(g) {
			return
		}
	} else if sign == "" && !s.licensed(g) {
		if g.entry.weak && !s.large(g) || s.loneBackend(g) || g.parts[0].claimed != nil {
			return
		}
		p.NameOnly = !g.entry.remains && s.lookalike(g)
	}
	if sign == "" && len(g.parts) == 1 && g.parts[0].dir == "" && s.onlyCached(g.parts[0]) {
		return // Python does not import it
	}
	for _, part := range g.parts {
		if part.dir != "" {
			p.Dirs = append(p.Dirs, part.dir)
		} else {
			p.Modules = append(p.Modules, joinPath(root, strings.ReplaceAll(part.name, ".", "/")))
		}
	}
	for _, name := range g.entry.projects {
		if lib := s.libs[root][normalName(name)]; lib != "" {
			p.Dirs = append(p.Dirs, lib)
		}
	}
	p.Detail = describe(&p, g, sign)
	s.rename(&p, g)
	s.add(p)
}

func (s *scan) add(p Package) {
	if len(s.res.Packages) >= s.opts.MaxPackages {
		s.res.Dropped++
		return
	}
	s.res.Packages = append(s.res.Packages, p)
}

// choose picks the project of several that publish the same modules: the one
// whose libraries lie beside them.
func (s *scan) choose(root string, names []string) string {
	for _, name := range names {
		if s.libs[root][normalName(name)] != "" {
			return name
		}
	}
	return names[0]
}

// describe says what the package was recognised by.
func describe(p *Package, g *group, sign string) string {
	d := "imported as " + g.parts[0].name
	if g.parts[0].dir == "" {
		d = "the module " + g.parts[0].name
	}
	switch {
	case p.Method == sbom.MethodVendorList:
		d += "; version from " + p.Detail
	case sign != "":
		d += "; version from " + sign
	}
	if len(p.Others) > 0 {
		d += "; also published as " + strings.Join(p.Others, ", ")
	}
	if by := g.parts[0].claimed; by != nil {
		d += by.claims()
	}
	return d
}

// substantial reports whether a copy without a version is more than the
// remains that some packages keep for compatibility (botocore's copy of
// requests has the exceptions only).
func (s *scan) substantial(g *group) bool {
	const modules = 4
	n := 0
	for _, p := range g.parts {
		if p.dir == "" {
			return false
		}
		n += len(s.folders[p.dir].modules)
	}
	return n >= modules && !g.entry.weak
}

// large reports whether a package has more modules than people put into one of
// their own that they call by a common word.
func (s *scan) large(g *group) bool {
	const modules = 12
	n := 0
	for _, p := range g.parts {
		if p.dir != "" {
			n += len(s.folders[p.dir].modules)
		}
	}
	return n >= modules
}

// lookalike reports whether all that is there of a project could be a module of
// the function's own that has its name by chance: it has no version and no
// licence, and is small. People write a jwt.py or a redis/__init__.py of some
// functions; hardly anybody a mypy_extensions.py. The bounds are in bytes: of
// 94 projects without their metadata, measured in November 2026, the smallest
// ones by which nothing else was to be told have 1.5 KB under a name of two
// words and 21 KB under one.
func (s *scan) lookalike(g *group) bool {
	const little, one, some, much = 1 << 10, 16 << 10, 8 << 10, 32 << 10
	for _, p := range g.parts {
		size, modules, compiled := s.bulk(p)
		switch {
		case compiled, p.dir != "" && s.released(p.dir) != "", size >= much:
			return false
		case strings.Contains(strings.Trim(p.name, "_"), "_") && size >= little:
			return false
		case p.dir == "" && size >= one, modules >= 3 && size >= some:
			return false
		}
	}
	return true
}

// bulk returns the bytes of a part's code, in how many files it is, and whether
// some was compiled from another language.
func (s *scan) bulk(p part) (size int64, modules int, compiled bool) {
	under := p.dir + "/"
	if p.dir == "" {
		under = p.file
	}
	at, _ := slices.BinarySearchFunc(s.in.Files, under, func(f bundle.File, p string) int { return cmp.Compare(f.Path, p) })
	for ; at < len(s.in.Files) && strings.HasPrefix(s.in.Files[at].Path, under); at++ {
		switch f := &s.in.Files[at]; path.Ext(f.Path) {
		case ".py", ".pyc":
			size += f.Size
			modules++
		case ".so", ".pyd":
			compiled = true
		}
	}
	return size, modules, compiled
}

// loneBackend reports whether all that is there of a project is an extension
// module with a leading underscore: distributions package such apart, under
// another project's name or none.
func (s *scan) loneBackend(g *group) bool {
	for _, p := range g.parts {
		if p.dir != "" || !strings.HasPrefix(p.name, "_") {
			return false
		}
	}
	return true
}

func (s *scan) onlyCached(p part) bool { return strings.Contains(p.file, "__pycache__/") }

// normalName is the normal form of a project's name (PEP 503).
func normalName(name string) string { return sbom.CanonicalName("pypi", name) }
