package pystrip

import (
	"bytes"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// severalVersions is how many versioned packages side by side are too many to
// be one function's own.
const severalVersions = 3

// stranger looks at a package whose name is not in the table. The function's
// own packages must not be taken for somebody else's, and may well have a
// version. So a name is given only to what has a version and an open licence,
// or a version, another sign of a release and a name that the advisory store
// knows. What looks released and gets no name is a gap.
func (s *scan) stranger(root string, p part) {
	if p.dir == "" || !s.folders[p.dir].isPackage() || s.infos[root][normalName(p.name)] {
		return
	}
	g := &group{entry: &entry{projects: []string{p.name}, weak: true}, parts: []part{p}}
	out := Package{Root: root, Path: p.file, Dirs: []string{p.dir}, Method: sbom.MethodModule}
	sign := s.version(&out, g)
	if sign == "" {
		sign = s.versionFile(p.dir)
		if sign == "" {
			return
		}
	}
	licensed := s.licensed(g)
	released := s.released(p.dir)
	out.Project = s.projectName(p)
	known := s.opts.Known(normalName(out.Project))
	switch {
	case p.claimed != nil && (!known || out.Version == "" || sameRelease(out.Version, p.claimed.Version)):
		return
	case out.Version != "" && licensed:
		out.Confidence = 0.5
	case p.claimed != nil:
		out.Confidence = 0.4
	case out.Version != "" && known && released != "":
		out.Confidence = 0.6
	case licensed:
		s.gap(p.dir, sign+" and a licence")
		return
	case released != "":
		s.gap(p.dir, sign+", and "+released)
		return
	default:
		s.weak[root] = append(s.weak[root], Gap{Path: p.dir})
		return
	}
	if known {
		out.Confidence += 0.2
	}
	out.Detail = "imported as " + p.name + ", which was taken for the project's name; version from " + sign
	if normalName(out.Project) != normalName(p.name) {
		out.Detail = "imported as " + p.name + "; it calls itself " + out.Project + "; version from " + sign
	}
	if p.claimed != nil {
		out.Detail += p.claimed.claims()
	}
	s.add(out)
}

// projectName is what the package says its project is called, else its import
// name.
func (s *scan) projectName(p part) string {
	r := s.reader(p)
	top := r.load(nil)
	if top == nil {
		return p.name
	}
	r.world.lookup(top, "__version__")
	for _, name := range r.world.asked {
		if projectLike(name) {
			return name
		}
	}
	for _, at := range []*module{top, r.load([]string{"__about__"}), r.load([]string{"__version__"})} {
		if at == nil {
			continue
		}
		if v := r.world.one(at, "__title__"); v.form == text && projectLike(v.text) {
			return v.text
		}
	}
	return p.name
}

// projectLike reports whether a text is a valid name of a project
// (https://packaging.python.org/specifications/name-normalization/).
func projectLike(s string) bool {
	if s == "" || len(s) > 100 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || digit(c) || (c == '-' || c == '_' || c == '.') && i > 0 && i < len(s)-1) {
			return false
		}
	}
	return true
}

// versionFile names a version module whose content says nothing.
func (s *scan) versionFile(dir string) string {
	for _, name := range []string{"_version", "version", "__version__", "__about__"} {
		if s.folders[dir].modules[name] != nil {
			return "it has a " + path.Base(s.folders[dir].modules[name].any())
		}
	}
	if m := s.folders[dir].modules["__init__"]; m.source != "" {
		data, err := s.in.Read(m.source, s.opts.MaxSource)
		if err == nil && (bytes.Contains(data, []byte("\n__version__")) || bytes.HasPrefix(data, []byte("__version__"))) {
			return "__init__.py has a __version__"
		}
	}
	return ""
}

// released says what else shows that a package was released by somebody.
func (s *scan) released(dir string) string {
	if s.has(joinPath(dir, "py.typed")) {
		return "there is a py.typed"
	}
	return s.builtParts(dir, 0)
}

// builtParts looks for compiled extensions and vendored packages inside.
func (s *scan) builtParts(dir string, depth int) string {
	f := s.folders[dir]
	if f == nil || depth > maxNames {
		return ""
	}
	for _, m := range f.modules {
		if m.native != "" {
			return "there are compiled extensions"
		}
	}
	for _, sub := range f.subs {
		if sub == "_vendor" {
			return "there are vendored packages"
		}
		if what := s.builtParts(joinPath(dir, sub), depth+1); what != "" {
			return what
		}
	}
	return ""
}

func (s *scan) gap(dir, why string) {
	s.res.Gaps = append(s.res.Gaps, Gap{dir, why})
}

// severalVersioned reports the packages with nothing but a version where there
// are several side by side.
func (s *scan) severalVersioned() {
	for _, list := range s.weak {
		if len(list) < severalVersions {
			continue
		}
		for _, g := range list {
			s.gap(g.Path, "one of several with a version of their own")
		}
	}
}

// vendorList is what a list of vendored packages says.
type vendorList struct {
	path     string
	versions map[string]string // normal name -> version; "" when it is not pinned
	names    map[string]string // normal name -> as it is spelt
}

// listOf returns the list of a folder with vendored packages; pip calls it
// vendor.txt.
func (s *scan) listOf(root string) vendorList {
	if l, ok := s.vendorLists[root]; ok {
		return l
	}
	var l vendorList
	for _, name := range []string{"vendor.txt", "vendored.txt", "requirements.txt", "versions.txt"} {
		p := joinPath(root, name)
		if !s.has(p) {
			continue
		}
		data, err := s.in.Read(p, s.opts.MaxSource)
		if err != nil {
			s.res.Unread = append(s.res.Unread, Unread{p, err})
			continue
		}
		l = parseVendorList(string(data))
		l.path = p
		break
	}
	s.vendorLists[root] = l
	return l
}

// parseVendorList reads lines "NAME==VERSION", with comments and markers.
func parseVendorList(data string) vendorList {
	l := vendorList{versions: map[string]string{}, names: map[string]string{}}
	for line := range strings.SplitSeq(data, "\n") {
		line, _, _ = strings.Cut(line, "#")
		line, _, _ = strings.Cut(line, ";")
		name, version, _ := strings.Cut(strings.TrimSpace(line), "==")
		name, _, _ = strings.Cut(strings.TrimSpace(name), "[")
		if !projectLike(name) {
			continue
		}
		version, _, _ = strings.Cut(strings.TrimSpace(version), " ")
		l.names[normalName(name)] = name
		l.versions[normalName(name)] = Normal(version)
	}
	return l
}

// listed returns the project that a vendored package of an unknown name is, by
// the list beside it; "" when it is not there.
func (s *scan) listed(root string, kind rootKind, name string) string {
	if kind != vendored || strings.Contains(name, ".") {
		return ""
	}
	return s.listOf(root).names[normalName(name)]
}

// vendoredVersion takes the version of a copy from the list beside it, and
// reports whether it is there.
func (s *scan) vendoredVersion(root string, p *Package, g *group) bool {
	l := s.listOf(root)
	for _, name := range g.entry.projects {
		v, ok := l.versions[normalName(name)]
		if !ok {
			continue
		}
		p.Project = name
		if v != "" && v != p.Version {
			p.Version, p.Versions, p.Method, p.Confidence = v, nil, sbom.MethodVendorList, 0.9
		}
		p.Detail = path.Base(l.path)
		return true
	}
	return false
}
