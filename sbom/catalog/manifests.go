package catalog

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// maxIncludes bounds how many requirements files one includes, directly or not.
const maxIncludes = 50

// manifests declares what manifests with ranges or pins ask for, where it is
// not installed and no lockfile says more. A range says which package, not
// which version; that gap is reported when the artifacts are put together,
// since a layer may bring the package.
//
// A lockfile speaks for the package.json around it and below as far as it
// names what that asks for; it may be older than the manifest. It never speaks
// for a requirements.txt, which is a list of its own and the one that
// platforms install from.
func (a *artifact) manifests(in *installed, npm []string, locks []lock) {
	locked := projects{}
	npmLocks := map[string][]*lock{} // folder -> its lockfiles
	for i := range locks {
		l := &locks[i]
		locked[project{l.typ, l.dir}] = true
		if l.typ == "npm" {
			npmLocks[l.dir] = append(npmLocks[l.dir], l)
		}
	}
	for _, p := range npm {
		if !in.done.cover("npm", dirOf(p)) {
			a.npmRanges(p, in, npmLocks)
		}
	}
	for i := range a.files {
		f := &a.files[i]
		if f.Link != "" || !a.appFile(f.Path) {
			continue
		}
		if path.Base(f.Path) == "requirements.txt" {
			a.requirements(f.Path, in)
			continue
		}
		a.withoutLock(f.Path, in, locked)
	}
}

// npmRanges declares what a package.json asks for and no lockfile names.
func (a *artifact) npmRanges(p string, in *installed, locks map[string][]*lock) {
	m, ok := a.npmManifestAt(p)
	if !ok {
		return
	}
	var around []*lock
	for dir := dirOf(p); ; dir = dirOf(dir) {
		around = append(around, locks[dir]...)
		if dir == "" {
			break
		}
	}
	named := func(name string) bool {
		return slices.ContainsFunc(around, func(l *lock) bool { return l.named()[name] })
	}
	ranges := maps.Clone(m.ranges)
	if len(around) == 0 { // npm installs optional ones like the others, if it can
		if ranges == nil {
			ranges = map[string]string{}
		}
		maps.Copy(ranges, m.optional)
	}
	for _, name := range slices.Sorted(maps.Keys(ranges)) {
		rng := ranges[name]
		if named(name) || in.has("npm", name, dirOf(p)) || localRange(rng) && a.hasBelow(path.Join(dirOf(p), rng[strings.IndexByte(rng, ':')+1:])) || strings.HasPrefix(rng, "workspace:") {
			continue // known, or the function's own code
		}
		f := found{typ: "npm", name: name, path: p, method: sbom.MethodManifest, confidence: 0.7, declared: true, detail: "asked for as " + clip(withoutSecrets(rng))}
		if real, r, ok := npmAlias(rng); ok {
			f.name, rng = real, r
		}
		switch {
		case exactVersion(rng):
			f.version = npmVersion(rng)
		default:
			f.ranged = true
			if strings.ContainsAny(rng, ":/") { // git, file or URL
				f.resolved = rng
			}
		}
		a.add(f)
	}
}

// hasBelow reports whether the artifact has a file at p or a folder p.
func (a *artifact) hasBelow(p string) bool {
	_, err := a.tree.Stat(p)
	return err == nil
}

// exactVersion reports whether a range allows one version only.
func exactVersion(rng string) bool {
	rng = npmVersion(rng)
	if rng == "" || rng[0] < '0' || rng[0] > '9' || strings.Count(rng, ".") < 2 {
		return false
	}
	core, _, _ := strings.Cut(rng, "-")
	core, _, _ = strings.Cut(core, "+")
	return strings.Trim(core, "0123456789.") == "" && !strings.ContainsAny(rng, " |<>^~*")
}

// requirements declares what a requirements file and those that it includes
// ask for, unless more than half of it is installed.
func (a *artifact) requirements(p string, in *installed) {
	all, there := 0, 0
	from := len(a.found)
	todo, seen := []string{p}, map[string]bool{p: true}
	declared := map[string]bool{}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		data, err := a.read(at, a.opts.MaxManifest)
		if err != nil {
			a.unread(at, err)
			continue
		}
		reqs, includes := parseRequirements(data)
		for _, r := range reqs {
			f := found{typ: "pypi", name: r.name, version: r.version, path: at, method: sbom.MethodManifest, confidence: 0.8, resolved: r.resolved, declared: true, ranged: r.version == ""}
			if !declared[f.purl()] {
				declared[f.purl()] = true
				all++
				if in.has("pypi", f.name, "") {
					there++
					continue
				}
				a.add(f)
			}
		}
		for _, inc := range includes {
			next := path.Join(dirOf(at), inc)
			if seen[next] || !a.has(next) || len(seen) > maxIncludes {
				if !seen[next] {
					a.unknown(at, sbom.Unreadable, "it includes "+clip(inc)+", which is not in the artifact", true)
				}
				continue
			}
			seen[next] = true
			todo = append(todo, next)
		}
	}
	if 2*there > all {
		a.found = a.found[:from] // an installed tree: what it lacks was left out on purpose
	}
}

// clip bounds text of the artifact that goes into a detail.
func clip(s string) string {
	const most = 100
	if len(s) > most {
		return fmt.Sprintf("%.100s…", s)
	}
	return s
}
