package catalog

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// LockfileNames returns the names of the lockfiles that [Locked] reads, sorted.
func LockfileNames() []string {
	names := slices.DeleteFunc(slices.Collect(maps.Keys(lockParsers())), func(n string) bool { return strings.HasPrefix(n, ".") })
	names = append(names, "requirements.txt")
	slices.Sort(names)
	return names
}

// Locked lists what a lockfile pins to run, and with dev what it pins to
// develop, too: each package is declared, and nothing is there. The file's name
// says the format, or for the formats of npm, Yarn, pnpm and bun its content. The
// manifest is the package.json beside it, nil when there is none.
//
// The error says that it is no lockfile, or that it is over a limit; what a
// lockfile leaves open is an Unknown.
func Locked(name string, data, manifest []byte, dev bool) (*sbom.SBOM, error) {
	a := &artifact{opts: Options{}.withDefaults(), failed: map[string]bool{}}
	if int64(len(data)) > a.opts.MaxLockfile {
		return nil, &limitError{fmt.Sprintf("%d bytes", len(data)), a.opts.MaxLockfile}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	l := &lock{path: name}
	parser, ok := lockParsers()[path.Base(name)]
	if !ok {
		parser, ok = sniffLock(data)
	}
	var err error
	switch {
	case ok:
		l.typ = parser.typ
		if parser.json {
			if err := a.checkJSON(data); err != nil {
				return nil, err
			}
		}
		l.entries, err = parser.parse(data, a.manifestGiven(manifest))
	case strings.HasSuffix(name, ".txt"):
		l.typ = "pypi"
		l.entries, err = a.requirementsGiven(name, data)
	default:
		err = errNotLockfile
	}
	if err != nil {
		return nil, err
	}
	if len(l.entries) > a.opts.MaxKeys {
		return nil, &limitError{fmt.Sprintf("%d packages", len(l.entries)), int64(a.opts.MaxKeys)}
	}
	marked(l.entries)
	if dev {
		for i := range l.entries {
			l.entries[i].dev = false
		}
	}
	a.declare(l, map[string]bool{})
	return a.declaredOnly(), nil
}

// manifestGiven reads a package.json; nil when it is none.
func (a *artifact) manifestGiven(data []byte) *npmManifest {
	if data == nil || a.checkJSON(data) != nil {
		return nil
	}
	m, err := parseNpmManifest(data)
	if err != nil {
		return nil
	}
	return &m
}

// requirementsGiven reads a requirements file, in which a line may pin a version
// and need not.
func (a *artifact) requirementsGiven(name string, data []byte) ([]lockEntry, error) {
	reqs, includes, strange := scanRequirements(data)
	if len(reqs) == 0 {
		return nil, errNotLockfile
	}
	var out []lockEntry
	for _, r := range reqs {
		out = append(out, lockEntry{name: r.name, version: r.version, resolved: r.resolved})
	}
	if strange > 0 {
		a.unknown(name, sbom.Unreadable, fmt.Sprintf("%d of its lines cannot be read as requirements", strange), true)
	}
	for _, inc := range includes {
		a.unknown(inc, sbom.Unreadable, name+" includes it: name it with --lockfile, too", true)
	}
	return out, nil
}

// declaredOnly returns what was declared as a bill of materials.
func (a *artifact) declaredOnly() *sbom.SBOM {
	out := &sbom.SBOM{Unknowns: a.unknowns}
	if a.tooMany > 0 {
		out.Unknowns = append(out.Unknowns, sbom.Unknown{Kind: sbom.Limit, Reason: fmt.Sprintf("%d packages more than the limit of %d", a.tooMany, a.opts.MaxComponents), Code: true})
	}
	components := make([]sbom.Component, 0, len(a.found))
	for i := range a.found {
		f := &a.found[i]
		c := f.component()
		c.Ref, c.State, c.Origin = c.PURL, sbom.Declared, sbom.OriginApp
		c.Occurrences = []sbom.Occurrence{{Path: f.path, State: sbom.Declared}}
		c.Evidence = []sbom.Evidence{{Method: f.method, Confidence: f.confidence, Path: f.path, Detail: f.detail}}
		components = append(components, c)
	}
	out.Components = sbom.Merge(components)
	return out
}
