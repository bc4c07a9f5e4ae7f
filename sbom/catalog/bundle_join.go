package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/jsbundle"
)

// Confidence in a version that a lockfile has.
const (
	placeConfidence = 0.97 // of the very place that the bundle names
	nameConfidence  = 0.85 // it is the only one of that name
)

// strong is the confidence from which what a package says about itself in the
// bytes counts more than a lockfile.
const strong = 0.9

// instance is one installed package of which a bundle holds code, as far as the
// evidence tells instances apart.
type instance struct {
	name     string
	version  string
	versions []string // candidates, when version is ""
	place    string   // where it was installed; "" when only its name is known
	fromLock bool     // the version is a lockfile's
	exact    bool     // and it is that of the very place
	bytes    int64    // of the bundle that are its
	evidence []sbom.Evidence
	resolved string
	hashes   map[string]string
}

// bundleJoin puts the claims about one bundle together.
type bundleJoin struct {
	bundle *bundled
	locks  []*lockIndex
	list   []*instance
	byName map[string][]*instance
	local  int64 // bytes of projects of the workspace, which are the function's own

	crowded bool // there were more than maxInstances
}

// maxInstances is how many places of one package a bundle may name.
const maxInstances = 500

// crowd says that places were left out, once.
func (j *bundleJoin) crowd() {
	if !j.crowded {
		j.crowded, j.bundle.told = true, false
		j.bundle.gaps = append(j.bundle.gaps, jsbundle.Gap{Offset: -1, Reason: fmt.Sprintf("it names more than %d places of one package", maxInstances)})
	}
}

// join returns the packages of a bundle. Claims that know where a package was
// installed come first, since they tell instances of one name apart; what
// packages say about themselves is then compared with them.
func join(b *bundled, locks []*lockIndex) []found {
	j := &bundleJoin{bundle: b, locks: locks, byName: map[string][]*instance{}}
	claims := slices.Clone(b.claims)
	slices.SortStableFunc(claims, func(x, y jsbundle.Claim) int {
		return cmp.Or(cmp.Compare(b2i(x.Path == ""), b2i(y.Path == "")), cmp.Compare(b2i(x.Inside != ""), b2i(y.Inside != "")), cmp.Compare(b2i(x.Version == ""), b2i(y.Version == "")), cmp.Compare(y.Confidence, x.Confidence))
	})
	for i := range claims {
		switch c := &claims[i]; {
		case c.Inside != "" && !j.installed(c):
			j.inside(c)
		case c.Path != "":
			j.placed(c)
		default:
			j.said(c)
		}
	}
	out := make([]found, 0, len(j.list))
	for _, in := range j.list {
		f := in.found(b)
		if in.bytes > 0 {
			b.shares = append(b.shares, sbom.Share{Name: in.name, PURL: f.purl(), Bytes: in.bytes})
		}
		out = append(out, f)
	}
	b.inside = j.list
	b.packages -= j.local
	b.own += j.local
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// installed reports whether a lockfile has a package at the place of a claim.
func (j *bundleJoin) installed(c *jsbundle.Claim) bool {
	return slices.ContainsFunc(j.locks, func(x *lockIndex) bool {
		_, ok := x.place(c.Path)
		return ok
	})
}

// inside makes a copy that was published within another package evidence of
// that one, whose version tells what is in it. If that is not there, it is a
// package like others.
func (j *bundleJoin) inside(c *jsbundle.Claim) {
	around := j.byName[c.Inside]
	if len(around) == 0 {
		j.placed(c)
		return
	}
	around[0].bytes += c.Bytes
	for _, in := range around {
		if len(in.evidence) >= maxClaims {
			continue
		}
		in.evidence = append(in.evidence, sbom.Evidence{Method: string(c.Method), Confidence: c.Confidence, Path: cmp.Or(c.From, j.bundle.path),
			Detail: "it was published with a copy of " + clip(c.Name) + " in it"})
	}
}

// placed adds a claim that knows where its package was installed.
func (j *bundleJoin) placed(c *jsbundle.Claim) {
	place := c.Path[max(strings.Index(c.Path, "node_modules/"), 0):]
	for _, in := range j.byName[c.Name] {
		if in.place == place && (c.Version == "" || c.Version == in.version) {
			in.bytes += c.Bytes
			in.add(j.bundle, c)
			return
		}
	}
	if known := j.byName[c.Name]; len(known) >= maxInstances {
		j.crowd()
		known[0].bytes += c.Bytes
		return
	}
	in := &instance{name: c.Name, version: c.Version, place: place, bytes: c.Bytes}
	if !j.lockfile(in, c.Path) {
		j.local += c.Bytes
		return
	}
	in.add(j.bundle, c)
	j.keep(c.Name, in)
}

// said adds what a package says about itself. One instance without a version
// gets it; where a lockfile has another, the bytes count more when they are
// plain, and the lockfile stays as evidence.
func (j *bundleJoin) said(c *jsbundle.Claim) {
	known := j.byName[c.Name]
	if len(known) == 0 {
		in := &instance{name: c.Name, version: c.Version, bytes: c.Bytes}
		if !j.lockfile(in, "") {
			j.local += c.Bytes
			return
		}
		in.add(j.bundle, c)
		j.keep(c.Name, in)
		return
	}
	known[0].bytes += c.Bytes // whichever of them it is: they have one name
	if c.Version == "" {
		for _, in := range known {
			in.add(j.bundle, c)
		}
		return
	}
	var open []*instance
	for _, in := range known {
		if in.version == c.Version {
			in.add(j.bundle, c)
			return
		}
		if in.version == "" {
			open = append(open, in)
		}
	}
	switch {
	case len(open) == 1:
		open[0].version, open[0].versions = c.Version, nil
		open[0].add(j.bundle, c)
	case len(known) == 1 && known[0].fromLock && c.Confidence >= strong:
		known[0].version, known[0].fromLock = c.Version, false
		known[0].hashes, known[0].resolved = nil, ""
		known[0].add(j.bundle, c)
	case len(known) == 1 && known[0].fromLock && c.Method == jsbundle.MethodLiteral:
		known[0].doubt(c.Version)
		known[0].add(j.bundle, c)
	case len(known) == 1 || c.Confidence < strong:
		known[0].add(j.bundle, c) // another version: the disagreement is shown
	default:
		in := &instance{name: c.Name, version: c.Version}
		in.add(j.bundle, c)
		j.keep(c.Name, in)
	}
}

// doubt takes the version of a lockfile back that the code contradicts: neither
// may hide what is known about the other.
func (in *instance) doubt(version string) {
	in.versions = []string{in.version, version}
	slices.Sort(in.versions)
	for i := range in.evidence {
		if e := &in.evidence[i]; e.Method == sbom.MethodLockfile {
			e.Detail, e.Differs = e.Detail+"; it says version "+clip(in.version), true
		}
	}
	in.version, in.fromLock, in.exact = "", false, false
	in.hashes, in.resolved = nil, ""
}

func (j *bundleJoin) keep(name string, in *instance) {
	j.list = append(j.list, in)
	j.byName[name] = append(j.byName[name], in)
	if in.name != name {
		j.byName[in.name] = append(j.byName[in.name], in)
	}
}

// lockfile gives an instance the version that a lockfile has. It is false when
// the package is a project of the workspace.
func (j *bundleJoin) lockfile(in *instance, at string) bool {
	for _, x := range j.locks {
		if in.version != "" {
			if x.has(in.name, in.version) {
				in.evidence = append(in.evidence, sbom.Evidence{Method: sbom.MethodLockfile, Confidence: nameConfidence, Path: x.path, Detail: "it lists this version"})
				return true
			}
			continue
		}
		a, ok := x.ask(in.name, at)
		if !ok {
			continue
		}
		if a.local {
			return false
		}
		in.name = cmp.Or(a.name, in.name)
		in.version, in.fromLock, in.exact = a.version, a.version != "", a.exact
		e := sbom.Evidence{Method: sbom.MethodLockfile, Path: x.path, Confidence: nameConfidence}
		switch {
		case a.exact && a.version != "":
			e.Confidence, e.Detail = placeConfidence, "installed at "+clip(at)
		case a.version != "":
			e.Detail = "the version that it has of this name"
		default:
			in.versions = a.versions[:min(len(a.versions), maxCandidates)]
			e.Detail = "it has several versions of this name"
			if len(a.versions) > maxCandidates {
				in.versions = nil
			}
		}
		if a.version != "" {
			in.resolved, in.hashes = x.entries[a.entry].resolved, x.entries[a.entry].hashes
		}
		in.evidence = append(in.evidence, e)
		return true
	}
	return true
}

// maxClaims is how many claims are kept as evidence for one package of a bundle.
const maxClaims = 8

func (in *instance) add(b *bundled, c *jsbundle.Claim) {
	if len(in.evidence) >= maxClaims {
		return
	}
	e := sbom.Evidence{Method: string(c.Method), Confidence: c.Confidence, Path: cmp.Or(c.From, b.path), Detail: c.Detail}
	if c.Path != "" {
		e.Detail = strings.TrimPrefix(e.Detail+"; "+clip(c.Path), "; ")
	}
	if c.Version != "" && c.Version != in.version {
		e.Detail, e.Differs = strings.TrimPrefix(e.Detail+"; it says version "+clip(c.Version), "; "), true
	}
	in.evidence = append(in.evidence, e)
}

// found returns the package as the other catalogers do. The first evidence is
// what names it.
func (in *instance) found(b *bundled) found {
	f := found{typ: "npm", name: in.name, version: in.version, versions: in.versions, path: b.path, resolved: in.resolved, hashes: in.hashes, bundled: true}
	main := 0
	for i, e := range in.evidence {
		if e.Method != sbom.MethodLockfile {
			main = i
			break
		}
	}
	e := in.evidence[main]
	f.method, f.confidence, f.detail = e.Method, e.Confidence, e.Detail
	if e.Path != b.path {
		f.at = e.Path
	}
	for i, e := range in.evidence {
		if i != main {
			f.also = append(f.also, e)
		}
	}
	return f
}
