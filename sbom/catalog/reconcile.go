package catalog

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// disagree records that two accounts of what is inside contradict each other.
// It is no gap in what was read: the bytes decide.
func (a *artifact) disagree(p, reason string) {
	if len(a.unknowns) >= a.opts.MaxUnknowns {
		a.dropped++
		return
	}
	a.unknowns = append(a.unknowns, sbom.Unknown{Path: p, Kind: sbom.Unmatched, Reason: reason})
}

// maxNamed is how many packages a reason names.
const maxNamed = 5

// named lists at most maxNamed of the names, sorted, and how many more there are.
func named(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	shown := make([]string, 0, maxNamed)
	for _, n := range names[:min(len(names), maxNamed)] {
		shown = append(shown, clip(n))
	}
	text := strings.Join(shown, ", ")
	if n := len(names) - len(shown); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// phantoms reports what is in a bundle and not in the lockfiles that speak for
// it: a package that none of them names, or a version that none of them has. A
// copy that another package was published with is no phantom: lockfiles do not
// list those.
func (a *artifact) phantoms(b *bundled, locks []*lockIndex) {
	if len(locks) == 0 {
		return
	}
	var strangers, others []string
	for _, in := range b.inside {
		listed := slices.ContainsFunc(locks, func(x *lockIndex) bool { return x.byName[in.name] != nil })
		switch {
		case listed && in.version != "" && !slices.ContainsFunc(locks, func(x *lockIndex) bool { return x.has(in.name, in.version) }):
			others = append(others, in.name+" "+in.version)
		case !listed && !published(in, locks):
			strangers = append(strangers, strings.TrimSpace(in.name+" "+in.version))
		}
	}
	from := locks[0].path
	if len(strangers) > 0 {
		a.disagree(b.path, "phantom: in the bundle, not in the lockfile "+from+": "+named(strangers))
	}
	if len(others) > 0 {
		a.disagree(b.path, "the bundle has other versions than the lockfile "+from+": "+named(others))
	}
}

// disputes reports the packages of a bundle of which pieces of evidence say
// different versions.
func (a *artifact) disputes(b *bundled) {
	var names []string
	for _, in := range b.inside {
		switch {
		case in.contested && in.versions == nil:
			names = append(names, fmt.Sprintf("%s (more than %d)", in.name, maxCandidates))
		case in.contested:
			names = append(names, in.name+" ("+strings.Join(in.versions, " or ")+")")
		}
	}
	if len(names) > 0 {
		a.disagree(b.path, "the evidence says different versions, and each is judged: "+named(names))
	}
}

// published reports whether a copy lies in a package that a lockfile knows.
func published(in *instance, locks []*lockIndex) bool {
	for parent := nestedIn(in.place); parent != ""; parent = nestedIn(parent) {
		if slices.ContainsFunc(locks, func(x *lockIndex) bool { return x.byName[parent[max(lastNodeModules(parent), 0):]] != nil }) {
			return true
		}
	}
	return false
}

// reconcile finds the production packages of lockfiles that are proven not to
// be in the bytes: the bundles that a lockfile speaks for hold what the project
// asks for, tell of every byte whose it is, and none is of the package; and it
// is not installed either.
func (a *artifact) reconcile(locks []lock, here *installed) {
	all := make([]*lock, 0, len(locks)+len(a.opts.lockIndexes))
	for i := range locks {
		if path.Base(locks[i].path) != ".package-lock.json" {
			all = append(all, &locks[i])
		}
	}
	for _, x := range a.opts.lockIndexes {
		all = append(all, x.lock)
	}
	for _, l := range all {
		if !a.bundles.hold(l) || !a.bundles.tellAll(l.dir) {
			continue
		}
		in := a.bundles.inside(l.dir)
		if missing := in.lacks(l); len(missing) > 0 {
			a.disagree(in.paths[0], "loads packages when it runs that are not inside, so that nothing of the lockfile "+l.path+" is said to be left out: "+named(missing))
			continue
		}
		for i := range l.entries {
			e := &l.entries[i]
			if e.dev || e.main || e.name == "" || e.version == "" || in.may(e) || len(here.names["npm "+e.name]) > 0 {
				continue
			}
			a.absent = append(a.absent, sbom.Absent{PURL: sbom.PURL("npm", e.name, e.version), Name: e.name, Version: e.version, Lockfile: l.path, Bundles: in.paths})
		}
	}
}

// smallCode is the size in bytes under which a file holds no package that an
// advisory is about.
const smallCode = 512

// otherCode reports whether the artifact holds a file that may be code beside
// its bundles: Node loads whatever file it is given, under any name, and what
// lies in a package was not told by a bundle.
func (a *artifact) otherCode() bool {
	told := map[string]bool{}
	for i := range a.bundles {
		told[a.bundles[i].path] = true
	}
	for i := range a.files {
		f := &a.files[i]
		if f.Link == "" && f.Size >= smallCode && !told[f.Path] && !aboutCode(f.Path) {
			return true
		}
	}
	return false
}

// aboutCode reports whether a file is, by its name, one of those that go with
// code and are none: source maps, manifests and lockfiles, licences.
func aboutCode(p string) bool {
	base := strings.ToLower(path.Base(p))
	if path.Ext(base) == ".map" || base == "package.json" {
		return true
	}
	if _, ok := lockParsers()[path.Base(p)]; ok {
		return true
	}
	for _, word := range []string{"licen", "notice", "legal", "copying"} {
		if strings.HasPrefix(base, word) || strings.Contains(base, "."+word) {
			return true
		}
	}
	dir := strings.ToLower(path.Base(path.Dir(p)))
	return dir == "licenses" || dir == "licences"
}

// tellAll reports whether the bundles in dir tell of every byte whose it is, and
// may be believed.
func (s bundles) tellAll(dir string) bool {
	return !slices.ContainsFunc(s, func(b bundled) bool { return (!b.told || b.misnamed) && below(b.path, dir) })
}

// contents is what the bundles of a folder hold.
type contents struct {
	paths    []string
	versions map[string]map[string]bool // name -> versions
	unsure   map[string]bool            // names of which a version is not known, or only guessed
	asks     map[string]bool            // names of what the code loads when it runs
}

func (s bundles) inside(dir string) *contents {
	c := &contents{versions: map[string]map[string]bool{}, unsure: map[string]bool{}, asks: map[string]bool{}}
	for i := range s {
		b := &s[i]
		if !below(b.path, dir) {
			continue
		}
		c.paths = append(c.paths, b.path)
		maps.Copy(c.asks, b.asks)
		for _, in := range b.inside {
			if c.versions[in.name] == nil {
				c.versions[in.name] = map[string]bool{}
			}
			c.versions[in.name][in.version] = true
			if in.version == "" || in.fromLock && !in.exact {
				c.unsure[in.name] = true
			}
		}
	}
	slices.Sort(c.paths)
	return c
}

// lacks returns the packages of a lockfile that the bundles load when they run
// and do not hold. A layer or the runtime may bring them, and whatever those
// need, so that it is not known what of the lockfile is left out.
func (c *contents) lacks(l *lock) []string {
	var names []string
	for i := range l.entries {
		e := &l.entries[i]
		name := e.folder()
		if c.asks[name] && c.versions[name] == nil && c.versions[e.name] == nil && !e.dev && !e.main {
			names = append(names, name)
		}
	}
	return names
}

// may reports whether an entry of a lockfile may be inside.
func (c *contents) may(e *lockEntry) bool {
	for _, name := range []string{e.name, e.folder()} {
		if c.unsure[name] || c.versions[name][e.version] {
			return true
		}
	}
	return false
}

// contradict reports packages that are installed in another version than a
// lockfile says: at the very place, where it names places (npm), else where the
// project has one version only and the lockfile has none like it.
func (a *artifact) contradict(l *lock) {
	wanted := map[string]string{} // folder or name -> version; "" when there are several
	called := map[string]string{} // folder -> name, of npm
	for i := range l.entries {
		e := &l.entries[i]
		if e.version == "" || e.main || e.name == "" {
			continue
		}
		k := "=" + sbom.CanonicalName(l.typ, e.name)
		if l.typ == "npm" {
			if e.path == "" {
				continue
			}
			k = path.Join(l.dir, e.path)
			called[k] = e.name
		}
		if v, ok := wanted[k]; ok && v != e.version {
			wanted[k] = ""
		} else {
			wanted[k] = e.version
		}
	}
	var names []string
	for i := range a.found {
		f := &a.found[i]
		if f.typ != l.typ || f.declared || f.main || f.version == "" || !below(f.dir, l.dir) {
			continue
		}
		k := f.dir
		if l.typ != "npm" {
			k = "=" + sbom.CanonicalName(l.typ, f.name)
		}
		if want := wanted[k]; want != "" && want != f.version && !sameVersion(l.typ, want, f.version) {
			names = append(names, f.name+" "+f.version+" (not "+want+")")
			f.has(sbom.Trait{Kind: sbom.TraitDisagrees, Path: l.path, Detail: "version " + clip(f.version) + " is installed, the lockfile has " + clip(want)})
		}
		if name := called[k]; name != "" && name != f.name {
			f.has(sbom.Trait{Kind: sbom.TraitDisagrees, Path: l.path, Detail: clip(f.name) + " is installed, the lockfile has " + clip(name) + " there"})
		}
	}
	if len(names) > 0 {
		a.disagree(l.path, "other versions are installed than it lists: "+named(names))
	}
}

// sameVersion reports whether two spellings are one version: go.mod has "v" in
// front, gems of a platform have it behind, and Python's pads with zeros.
func sameVersion(typ, a, b string) bool {
	switch typ {
	case "golang":
		return true // a program is linked from what its own build information says, which is not go.mod's affair
	case "gem":
		short, long := min(a, b), max(a, b)
		return strings.HasPrefix(long, short+"-")
	case "pypi":
		return strings.TrimSuffix(strings.ToLower(a), ".0") == strings.TrimSuffix(strings.ToLower(b), ".0")
	}
	return strings.TrimPrefix(a, "v") == strings.TrimPrefix(b, "v")
}
