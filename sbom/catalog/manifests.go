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

// manifests declares what manifests with ranges or pins ask for, where nothing
// of the ecosystem is installed and no lockfile says more. A range says which
// package, not which version; that gap is reported when the artifacts are put
// together, since a layer may bring the package.
func (a *artifact) manifests(installed map[string]bool, locks []lock) {
	locked := map[string]bool{} // type and folder
	for i := range locks {
		locked[locks[i].typ+" "+locks[i].dir] = true
	}
	if !installed["npm"] {
		for _, f := range slices.Clone(a.found) {
			if f.typ == "npm" && f.main && !locked["npm "+dirOf(f.path)] && !locked["npm "] {
				a.npmRanges(f.path)
			}
		}
		if a.has("package.json") && !a.hasMain("package.json") && !locked["npm "] {
			a.npmRanges("package.json") // a manifest without a name
		}
	}
	if installed["pypi"] {
		return
	}
	for i := range a.files {
		p := a.files[i].Path
		if path.Base(p) == "requirements.txt" && a.files[i].Link == "" && a.appFile(p) && !locked["pypi "+dirOf(p)] {
			a.requirements(p)
		}
	}
}

func (a *artifact) hasMain(p string) bool {
	return slices.ContainsFunc(a.found, func(f found) bool { return f.main && f.path == p })
}

func (a *artifact) npmRanges(p string) {
	if a.failed[p] {
		return
	}
	m, ok := a.readNpmManifest(p)
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(m.ranges)) {
		rng := m.ranges[name]
		f := found{typ: "npm", name: name, path: p, method: sbom.MethodManifest, confidence: 0.7, declared: true, detail: "asked for as " + clip(rng)}
		if real, r, ok := npmAlias(rng); ok {
			f.name, rng = real, r
		}
		switch {
		case exactVersion(rng):
			f.version = npmVersion(rng)
		case strings.HasPrefix(rng, "workspace:") || strings.HasPrefix(rng, "file:") || strings.HasPrefix(rng, "link:"):
			continue // the function's own code
		default:
			f.ranged = true
		}
		a.add(f)
	}
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

func (a *artifact) requirements(p string) {
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
}

// clip bounds text of the artifact that goes into a detail.
func clip(s string) string {
	const most = 100
	if len(s) > most {
		return fmt.Sprintf("%.100s…", s)
	}
	return s
}
