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

// strong is the confidence from which what a package says about itself makes a
// second copy of it, where several are known already.
const strong = 0.9

// instance is one installed package of which a bundle holds code, as far as the
// evidence tells instances apart.
type instance struct {
	name      string
	version   string
	versions  []string // candidates, when version is ""
	contested bool     // the evidence says different versions: all of them are candidates
	place     string   // where it was installed; "" when only its name is known
	fromLock  bool     // the version is a lockfile's
	exact     bool     // and it is that of the very place
	copies    bool     // its version is from its own manifest alone, of which each copy has one
	bytes     int64    // of the bundle that are its
	evidence  []testimony
	resolved  string
	hashes    map[string]string
}

// testimony is a piece of evidence with the version that it says, "" for none.
type testimony struct {
	sbom.Evidence
	version string
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
		in.evidence = append(in.evidence, testimony{Evidence: sbom.Evidence{Method: string(c.Method), Confidence: c.Confidence, Path: cmp.Or(c.From, j.bundle.path),
			Detail: "it was published with a copy of " + clip(c.Name) + " in it"}})
	}
}

// placed adds a claim that knows where its package was installed. One place
// holds one version.
func (j *bundleJoin) placed(c *jsbundle.Claim) {
	place := c.Path[max(strings.Index(c.Path, "node_modules/"), 0):]
	for _, in := range j.byName[c.Name] {
		if in.place == place {
			in.bytes += c.Bytes
			in.tell(c.Version)
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
// gets it. Where other evidence (a path, a lockfile) has another one, neither
// hides the other: whoever forges one of them must not be believed.
func (j *bundleJoin) said(c *jsbundle.Claim) {
	known := j.byName[c.Name]
	if len(known) == 0 {
		in := itself(c)
		in.bytes = c.Bytes
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
		if in.says(c.Version) {
			in.add(j.bundle, c)
			return
		}
		if in.version == "" && !in.contested {
			open = append(open, in)
		}
	}
	of := known[0]
	switch {
	case len(open) == 1:
		of = open[0]
		of.tell(c.Version)
	case len(open) > 1 && c.Confidence < strong:
		of = open[0] // of which it is is not known, and so their versions are not
	case len(open) > 1, c.Method == jsbundle.MethodManifest && known[0].copies, len(known) > 1 && c.Confidence >= strong:
		of = itself(c) // one more copy
		j.keep(c.Name, of)
	default:
		of.tell(c.Version)
	}
	of.add(j.bundle, c)
}

// itself makes an instance of what a package says about itself.
func itself(c *jsbundle.Claim) *instance {
	return &instance{name: c.Name, version: c.Version, copies: c.Method == jsbundle.MethodManifest}
}

// says reports whether a version is already the instance's, or is one of those
// that its evidence disagrees about.
func (in *instance) says(version string) bool {
	return in.version == version || in.contested && slices.Contains(in.versions, version)
}

// tell gives an instance a version that evidence says. One that other evidence
// contradicts becomes a candidate beside theirs; so many of them that nobody can
// have meant them leave the version unknown.
func (in *instance) tell(version string) {
	switch {
	case version == "" || in.says(version):
		return
	case in.contested && in.versions == nil: // too many already
		return
	case in.version == "" && !in.contested && (len(in.versions) == 0 || slices.Contains(in.versions, version)):
		in.version, in.versions = version, nil
		return
	}
	if in.version != "" {
		in.versions = []string{in.version}
	}
	in.versions = append(in.versions, version)
	slices.Sort(in.versions)
	if len(in.versions) > maxCandidates {
		in.versions = nil
	}
	in.version, in.contested, in.fromLock, in.exact, in.copies = "", true, false, false, false
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
	if in.version != "" {
		j.compare(in, at)
		return true
	}
	for _, x := range j.locks {
		a, ok := x.ask(in.name, at)
		if !ok {
			continue
		}
		if a.local {
			return false
		}
		in.name = cmp.Or(a.name, in.name)
		in.version, in.fromLock, in.exact = a.version, a.version != "", a.exact
		if a.version != "" {
			in.resolved, in.hashes = x.entries[a.entry].resolved, x.entries[a.entry].hashes
		} else if len(a.versions) <= maxCandidates {
			in.versions = slices.Clone(a.versions)
		}
		in.evidence = append(in.evidence, x.testify(&a, at))
		return true
	}
	j.unlisted(in)
	return true
}

// unlisted notes that a lockfile that was given does not know a package.
func (j *bundleJoin) unlisted(in *instance) {
	if len(j.locks) > 0 && j.locks[0].given {
		in.evidence = append(in.evidence, testimony{Evidence: sbom.Evidence{Method: sbom.MethodLockfile, Path: j.locks[0].path, Detail: "it does not list this package", Differs: true}})
	}
}

// compare holds the version that the bytes say against the lockfiles. One that
// was given and has another is not outvoted by one that came with the bundle.
func (j *bundleJoin) compare(in *instance, at string) {
	var other *lockIndex
	var its answer
	for _, x := range j.locks {
		if other != nil && other.given && !x.given {
			break
		}
		if x.has(in.name, in.version) {
			in.evidence = append(in.evidence, testimony{sbom.Evidence{Method: sbom.MethodLockfile, Confidence: nameConfidence, Path: x.path, Detail: "it lists this version"}, in.version})
			return
		}
		if a, ok := x.ask(in.name, at); ok && !a.local && other == nil {
			other, its = x, a
		}
	}
	if other == nil {
		return
	}
	in.evidence = append(in.evidence, other.testify(&its, at))
	if its.version != "" {
		in.tell(its.version)
		return
	}
	for _, v := range its.versions {
		in.tell(v)
	}
}

// testify returns what a lockfile says about a package as evidence.
func (x *lockIndex) testify(a *answer, at string) testimony {
	e := sbom.Evidence{Method: sbom.MethodLockfile, Path: x.path, Confidence: nameConfidence}
	switch {
	case a.exact && a.version != "":
		e.Confidence, e.Detail = placeConfidence, "installed at "+clip(at)
	case a.version != "":
		e.Detail = "the version that it has of this name"
	default:
		e.Detail = "it has several versions of this name"
	}
	return testimony{e, a.version}
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
	in.evidence = append(in.evidence, testimony{e, c.Version})
}

// shown returns the evidence with the versions that are not the instance's.
func (in *instance) shown() []sbom.Evidence {
	out := make([]sbom.Evidence, 0, len(in.evidence))
	for _, t := range in.evidence {
		e := t.Evidence
		if t.version != "" && t.version != in.version {
			e.Detail, e.Differs = strings.TrimPrefix(e.Detail+"; it says version "+clip(t.version), "; "), true
		}
		out = append(out, e)
	}
	return out
}

// found returns the package as the other catalogers do. The first evidence is
// what names it.
func (in *instance) found(b *bundled) found {
	f := found{typ: "npm", name: in.name, version: in.version, versions: in.versions, disputed: in.contested, path: b.path, resolved: in.resolved, hashes: in.hashes, bundled: true}
	evidence, main := in.shown(), 0
	for i, e := range evidence {
		if e.Method != sbom.MethodLockfile {
			main = i
			break
		}
	}
	e := evidence[main]
	f.method, f.confidence, f.detail, f.differs = e.Method, e.Confidence, e.Detail, e.Differs
	if e.Path != b.path {
		f.at = e.Path
	}
	for i, e := range evidence {
		if i != main {
			f.also = append(f.also, e)
		}
	}
	return f
}
