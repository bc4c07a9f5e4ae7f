package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// maxAliases is how many packages of a lockfile are noted that are installed
// under another name.
const maxAliases = 10_000

// pnpmTaken is what a package of pnpm-lock.yaml says about where it came from
// (https://github.com/pnpm/spec/tree/master/lockfile).
type pnpmTaken struct {
	integrity, tarball, repo, commit, directory string
	named, build                                bool // named: version 6 and before, of what no registry answered for
}

// see takes in one line below the package's id.
func (t *pnpmTaken) see(keys []string, value string) {
	field := func(name, value string) {
		if to := map[string]*string{"integrity": &t.integrity, "tarball": &t.tarball, "repo": &t.repo, "commit": &t.commit, "directory": &t.directory}[name]; to != nil && value != "" {
			*to = value
		}
	}
	switch {
	case len(keys) == 3 && keys[2] == "name":
		t.named = true
	case len(keys) == 3 && keys[2] == "requiresBuild":
		t.build = value == "true"
	case len(keys) == 3 && keys[2] == "resolution":
		for _, name := range []string{"integrity", "tarball", "repo", "commit", "directory"} {
			field(name, flowField(value, name))
		}
	case len(keys) == 4 && keys[2] == "resolution":
		field(keys[3], value)
	}
}

// origin puts it together.
func (t *pnpmTaken) origin(e *lockEntry, alias string) lockOrigin {
	o := lockOrigin{address: t.tarball, digest: t.integrity, lacks: true, alias: alias}
	_, at, _ := npmDescriptor(e.keys[0])
	switch {
	case t.repo != "":
		o.reference = gitReference(t.repo, t.commit)
	case t.directory != "":
		o.reference = fileReference(t.directory)
	case referenceKind(t.tarball) == sbom.TraitGit, referenceKind(t.tarball) == sbom.TraitFolder:
		o.reference = t.tarball
	case referenceKind(at) != "": // its id is a reference
		o.reference = at
	case t.named:
		o.reference = t.tarball
	}
	return o
}

// parsePnpmLock reads pnpm-lock.yaml, versions 5 to 9
// (https://github.com/pnpm/spec/tree/master/lockfile), by the indentation that
// pnpm writes. A YAML decoder would also accept anchors, which pnpm never
// writes and which can make a small file endless.
func parsePnpmLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	version := ""
	entries := map[string]*lockEntry{}
	taken := map[string]*pnpmTaken{} // by id, of what is in "packages"
	aliases := map[string]string{}   // id -> the name that it is installed under
	alias := func(name, value string) {
		id, _, _ := strings.Cut(pnpmKey(name, value), "(")
		if !strings.HasPrefix(id, name+"@") && !strings.HasPrefix(id, name+"/") && len(aliases) < maxAliases {
			aliases[id] = name
		}
	}
	devFlags := false
	var roots []string
	depRoots := map[string]string{} // version 9 and 6: importer's dependency whose version is on its own line
	err := scanYAML(data, func(keys []string, value string) {
		switch {
		case len(keys) == 1 && keys[0] == "lockfileVersion":
			version = value
		case len(keys) >= 2 && (keys[0] == "packages" || keys[0] == "snapshots"):
			id := strings.TrimPrefix(keys[1], "/")
			e := entries[id]
			if e == nil {
				e = pnpmEntry(id)
				entries[id] = e
			}
			t := taken[id]
			if t == nil {
				t = &pnpmTaken{}
				taken[id] = t
			}
			t.see(keys, value)
			switch {
			case len(keys) == 3 && keys[2] == "dev":
				devFlags = true
				e.dev = value == "true"
			case len(keys) == 3 && keys[2] == "resolution":
				e.hashes = integrity(flowField(value, "integrity"))
				e.resolved = flowField(value, "tarball")
			case len(keys) == 4 && keys[2] == "resolution" && keys[3] == "integrity":
				e.hashes = integrity(value)
			case len(keys) == 3 && keys[2] == "name":
				e.name = value
			case len(keys) == 3 && keys[2] == "version":
				e.version = value
			case len(keys) == 4 && (keys[2] == "dependencies" || keys[2] == "optionalDependencies"):
				e.needs = append(e.needs, pnpmKey(keys[3], value))
				alias(keys[3], value)
			case len(keys) == 4 && keys[2] == "peerDependencies": // the only ranges of packages that pnpm writes
				e.take(keys[3], value)
			}
		case len(keys) == 5 && keys[0] == "importers" && (keys[2] == "dependencies" || keys[2] == "optionalDependencies") && keys[4] == "version":
			roots = append(roots, pnpmKey(keys[3], value))
			alias(keys[3], value)
		case len(keys) == 4 && keys[0] == "importers" && (keys[2] == "dependencies" || keys[2] == "optionalDependencies") && value != "":
			roots = append(roots, pnpmKey(keys[3], value))
			alias(keys[3], value)
		case len(keys) == 3 && (keys[0] == "dependencies" || keys[0] == "optionalDependencies") && keys[2] == "version":
			depRoots[keys[1]] = value
		case len(keys) == 2 && (keys[0] == "dependencies" || keys[0] == "optionalDependencies") && value != "":
			depRoots[keys[1]] = value
		}
	})
	if err != nil {
		return nil, err
	}
	if version == "" {
		return nil, errNotLockfile
	}
	for name, value := range depRoots {
		roots = append(roots, pnpmKey(name, value))
		alias(name, value)
	}
	out := make([]lockEntry, 0, len(entries))
	for _, id := range slices.Sorted(maps.Keys(entries)) {
		plain, _, _ := strings.Cut(id, "(") // what version 9 has in "packages", of a snapshot
		if t := taken[plain]; t != nil {
			entries[id].came(t.origin(entries[id], aliases[id]))
			if t.build {
				entries[id].is(sbom.TraitScript, sbom.NotTold)
			}
		}
		out = append(out, *entries[id])
	}
	production(out, roots)
	if devFlags { // pnpm's own word
		for i := range out {
			out[i].dev = entries[out[i].keys[0]].dev
		}
	} else {
		liftSnapshots(out)
	}
	return out, nil
}

// pnpmEntry splits an id: "name@1.0.0", "name@1.0.0(peer@2.0.0)" or, up to
// version 5, "name/1.0.0_peer@2.0.0".
func pnpmEntry(id string) *lockEntry {
	e := &lockEntry{keys: []string{id}}
	plain, _, _ := strings.Cut(id, "(")
	name, version, ok := npmDescriptor(plain)
	if before, after, slash := cutName(plain); slash && (!ok || strings.Contains(name, "/") && !strings.HasPrefix(name, "@") || strings.Count(name, "/") > 1) {
		name, version = before, after
	}
	version, _, _ = strings.Cut(version, "_")
	e.name, e.version = name, version
	if strings.ContainsAny(version, ":/") {
		e.version, e.resolved = "", version
	}
	return e
}

// cutName splits "name/version" and "@scope/name/version".
func cutName(s string) (name, version string, ok bool) {
	parts := strings.SplitN(s, "/", 3)
	if strings.HasPrefix(s, "@") {
		if len(parts) < 3 {
			return s, "", false
		}
		return parts[0] + "/" + parts[1], parts[2], true
	}
	if len(parts) < 2 {
		return s, "", false
	}
	return parts[0], strings.Join(parts[1:], "/"), true
}

// pnpmKey is the id of the entry that a dependency resolves to.
func pnpmKey(name, value string) string {
	value = strings.TrimPrefix(value, "/")
	plain, _, _ := strings.Cut(value, "(")
	if _, _, ok := npmDescriptor(plain); ok {
		return value // an alias: the value is the whole id
	}
	return name + "@" + value
}

// liftSnapshots copies what version 9 says about "name@1.0.0" in "packages" to
// its snapshots "name@1.0.0(peer@2.0.0)".
func liftSnapshots(entries []lockEntry) {
	plain := map[string]int{}
	for i := range entries {
		if id := entries[i].keys[0]; !strings.Contains(id, "(") {
			plain[id] = i
		}
	}
	for i := range entries {
		id, _, peers := strings.Cut(entries[i].keys[0], "(")
		if at, ok := plain[id]; ok && peers {
			if entries[i].hashes == nil {
				entries[i].hashes, entries[i].resolved = entries[at].hashes, entries[at].resolved
			}
			if entries[i].ranges == nil {
				entries[i].ranges = entries[at].ranges
			}
		}
	}
}

// flowField returns a field of "{a: x, b: y}".
func flowField(flow, name string) string {
	flow = strings.TrimSuffix(strings.TrimPrefix(flow, "{"), "}")
	for part := range strings.SplitSeq(flow, ",") {
		k, v, ok := strings.Cut(strings.TrimSpace(part), ":")
		if ok && k == name {
			return strings.Trim(strings.TrimSpace(v), `'"`)
		}
	}
	return ""
}
