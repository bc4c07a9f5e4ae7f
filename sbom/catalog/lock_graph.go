package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// lockGraph answers what an entry of a lockfile needs to run.
type lockGraph struct {
	entries []lockEntry
	typ     string
	byPath  map[string]int  // where the lockfile says that a package is installed
	keys    keyFinder       // what others call it, where there are no places
	several map[string]bool // names of which the lockfile has more than one version
}

func newLockGraph(l *lock) *lockGraph {
	g := &lockGraph{entries: l.entries, typ: l.typ, byPath: map[string]int{}, several: map[string]bool{}}
	versions := make(map[string]string, len(l.entries))
	for i := range l.entries {
		e := &l.entries[i]
		if at := e.place(); at != "" {
			g.byPath[at] = i
		}
		if e.main {
			continue
		}
		name := sbom.CanonicalName(l.typ, e.name)
		if v, ok := versions[name]; ok && v != e.version {
			g.several[name] = true
		}
		versions[name] = e.version
	}
	if len(g.byPath) == 0 {
		g.keys = newKeyFinder(l.entries)
	}
	return g
}

// place is where the lockfile says that a package is installed, "" when it
// does not.
func (e *lockEntry) place() string {
	if e.path != "" {
		return e.path
	}
	return e.hoisted
}

// requires lists what entry i needs by its names, and by package URLs where
// the name does not tell which version it is. What the lockfile does not tell
// is left out.
func (g *lockGraph) requires(i int) []string {
	e := &g.entries[i]
	var out []string
	for _, need := range e.wants() {
		j, ok := g.find(e.place(), need)
		if !ok || j == i || g.entries[j].main || g.entries[j].name == "" {
			continue
		}
		name, version := g.entries[j].name, g.entries[j].version
		if g.several[sbom.CanonicalName(g.typ, name)] {
			name = sbom.PURL(g.typ, name, version)
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wants are the names or keys of what an entry needs.
func (e *lockEntry) wants() []string {
	if len(e.asks) == 0 {
		return e.needs
	}
	var out []string
	for _, raw := range e.asks {
		var ranges map[string]json.RawMessage
		if !bytes.HasPrefix(raw, []byte("{")) || json.Unmarshal(raw, &ranges) != nil {
			continue
		}
		out = slices.AppendSeq(out, maps.Keys(ranges))
	}
	return out
}

// find returns the entry that is meant by a need of the package at a place.
func (g *lockGraph) find(at, need string) (int, bool) {
	if at == "" {
		_, found := g.keys.find(need)
		if len(found) != 1 {
			return 0, false
		}
		return found[0], true
	}
	// as Node.js looks for it: the nearest node_modules above
	for dir := at; ; {
		if j, ok := g.byPath[path.Join(dir, "node_modules", need)]; ok {
			return j, true
		}
		if dir == "" || len(dir) > maxLockPath {
			return 0, false
		}
		i := lastNodeModules(dir)
		if i < 0 {
			dir = ""
			continue
		}
		dir = strings.TrimSuffix(dir[:i-len("node_modules/")], "/")
	}
}

// maxLockPath is how long a place may be, in bytes, below which needs are
// looked for.
const maxLockPath = 4096

// marked notes which entries the project asks for itself, so far as the
// lockfile tells.
func marked(entries []lockEntry) {
	for i := range entries {
		if e := &entries[i]; (e.root || e.direct) && !e.main && len(e.traits) < maxTraits {
			e.traits = append(e.traits, sbom.Trait{Kind: sbom.TraitDirect})
		}
	}
}

// needsOf returns what the lockfile says that entry i needs.
func (l *lock) needsOf(i int) []string {
	if l.graph == nil {
		l.graph = newLockGraph(l)
	}
	return l.graph.requires(i)
}

// keyFinder finds the entries of a lockfile by what others call them.
type keyFinder struct {
	byKey, byName map[string][]int
}

func newKeyFinder(entries []lockEntry) keyFinder {
	f := keyFinder{map[string][]int{}, map[string][]int{}}
	for i := range entries {
		names := []string{entries[i].name}
		for _, k := range entries[i].keys {
			f.byKey[k] = append(f.byKey[k], i)
			name, _, _ := npmDescriptor(k)
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			f.byName[name] = append(f.byName[name], i)
		}
	}
	return f
}

// find returns what is asked for in the end, and the entries that are it. A key
// that no entry has stands for every entry of its name.
func (f keyFinder) find(k string) (asked string, at []int) {
	if at := f.byKey[k]; len(at) > 0 {
		return "=" + k, at
	}
	name, rng, _ := npmDescriptor(k)
	if at := f.byName[name]; len(at) > 0 {
		return name, at
	}
	real, _, _ := npmDescriptor(rng) // an alias
	return real, f.byName[real]
}

// completes adds to a package what entry i of the lockfile says that it needs.
// A package in a bundle says nothing of that itself, and of an installed one the
// names say it all where there is one version of each, or where the folders
// tell, as they do not in what pnpm and Yarn link.
func (l *lock) completes(f *found, i int) {
	if f.bundled && len(f.requires) == 0 {
		f.requires, f.ranges = l.needsOf(i), l.entries[i].takes(l.typ)
		return
	}
	if f.bundled || l.typ != "npm" || len(l.entries[i].needs) == 0 || l.entries[i].place() != "" {
		return
	}
	for _, need := range l.needsOf(i) {
		if strings.HasPrefix(need, "pkg:") && !slices.Contains(f.requires, need) {
			f.requires = append(f.requires, need)
		}
	}
}
