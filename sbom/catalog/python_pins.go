package catalog

import (
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/pystrip"
)

// pins are the versions that lockfiles and requirements files of the function
// name, by the project's normal name.
type pins map[string][]pin

type pin struct {
	version string // in the normal form of PEP 440
	spelled string // the project's name there
	path    string
	lock    bool
}

// maxPins is how many versions of one project are kept: more than can be
// candidates.
const maxPins = 6

// pythonPins reads the lockfiles and requirements files. What cannot be read is
// reported by the steps that are for it.
func (a *artifact) pythonPins() pins {
	out := pins{}
	parsers := lockParsers()
	for i := range a.files {
		p := a.files[i].Path
		base := path.Base(p)
		parser, lock := parsers[base]
		requirements := strings.HasPrefix(base, "requirements") && strings.HasSuffix(base, ".txt")
		if !(lock && parser.typ == "pypi") && !requirements || a.files[i].Link != "" || !a.appFile(p) {
			continue
		}
		data, err := a.read(p, a.opts.MaxLockfile)
		if err != nil {
			continue
		}
		if requirements {
			reqs, _ := parseRequirements(data)
			for _, r := range reqs {
				out.add(pin{pystrip.Normal(r.version), r.name, p, false})
			}
			continue
		}
		if parser.json && a.checkJSON(data) != nil {
			continue
		}
		entries, err := parser.parse(data, nil)
		if err != nil || len(entries) > a.opts.MaxKeys {
			continue
		}
		for _, e := range entries {
			out.add(pin{pystrip.Normal(e.version), e.name, p, true})
		}
	}
	return out
}

func (s pins) add(p pin) {
	key := sbom.CanonicalName("pypi", p.spelled)
	list := s[key]
	if p.version == "" || len(list) >= maxPins || slices.ContainsFunc(list, func(q pin) bool { return q.version == p.version }) {
		return
	}
	s[key] = append(list, p)
}

// rename picks the name that the package was installed under, of several that
// publish the same modules.
func (s pins) rename(f *found, others []string) {
	for _, name := range others {
		if slices.ContainsFunc(s[sbom.CanonicalName("pypi", name)], func(p pin) bool { return p.version == f.version }) {
			f.name = name
			return
		}
	}
}

// complete gives a package that was recognised without its version the one that
// it is pinned to. others are the names under which the same modules are also
// published: the one that is pinned is the one that was installed.
func (s pins) complete(f *found, others []string) {
	for _, name := range append([]string{f.name}, others...) {
		list := s[sbom.CanonicalName("pypi", name)]
		if len(f.versions) > 0 {
			list = slices.DeleteFunc(slices.Clone(list), func(p pin) bool { return !slices.Contains(f.versions, p.version) })
		}
		switch {
		case len(list) == 0:
			continue
		case len(list) == 1:
			f.version, f.versions = list[0].version, nil
		case len(list) < maxPins:
			f.versions = nil
			for _, p := range list {
				f.versions = append(f.versions, p.version)
			}
		}
		f.name = name
		for _, p := range list {
			f.also = append(f.also, sbom.Evidence{Method: p.method(), Confidence: 0.8, Path: p.path, Detail: "version " + p.version})
		}
		return
	}
}

// name reports whether one of the projects is pinned.
func (s pins) name(projects ...string) bool {
	return slices.ContainsFunc(projects, func(p string) bool { return len(s[sbom.CanonicalName("pypi", p)]) > 0 })
}

// compare adds the pins to the packages that are there in another version, as
// evidence that differs: the bytes decide. A project of which one copy is what
// is pinned agrees; copies inside other packages are nobody's pins.
func (s pins) compare(all []found) {
	if len(s) == 0 {
		return
	}
	agreed := map[string]bool{}
	each := func(yield func(f *found, name string, list []pin)) {
		for i := range all {
			f := &all[i]
			if f.typ != "pypi" || f.declared || f.vendored || f.version == "" && len(f.versions) == 0 {
				continue
			}
			name := sbom.CanonicalName("pypi", f.name)
			if list := s[name]; len(list) > 0 && !agreed[name] {
				yield(f, name, list)
			}
		}
	}
	each(func(f *found, name string, list []pin) {
		agreed[name] = slices.ContainsFunc(list, func(p pin) bool {
			return p.version == pystrip.Normal(f.version) || sameVersion("pypi", p.version, f.version) || slices.Contains(f.versions, p.version)
		})
	})
	each(func(f *found, _ string, list []pin) {
		for _, p := range list {
			f.also = append(f.also, sbom.Evidence{Method: p.method(), Confidence: 0.8, Path: p.path, Detail: "it says version " + p.version, Differs: true})
		}
	})
}

// method returns what evidence a pin is.
func (p *pin) method() string {
	if p.lock {
		return sbom.MethodLockfile
	}
	return sbom.MethodManifest
}
