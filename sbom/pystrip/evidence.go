package pystrip

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// versionModules are the modules in which packages keep their version, the
// likeliest first.
var versionModules = []string{
	"_version", "version", "__version__", "__about__", "_about", "about", "_meta", "__meta__", "meta", "package_info", "package_data", "__pkginfo__", "_pkginfo",
	"_dist_ver", "release", "_release", "_build_info", "_grpcio_metadata", "_generated_version", "_version_meson", "gapic_version", "_versions", "versioninfo", "_info", "info", "const", "constants", "_constants", "config", "core", "__init__",
}

// VersionModule reports whether a module of that name may hold the version of
// its package.
func VersionModule(name string) bool { return slices.Contains(versionModules, name) }

// literalNames are the names that hold a version: those that mean nothing else
// first.
var literalNames = []string{"__version__", "__VERSION__", "VERSION", "version", "__version_info__", "version_info", "VERSION_INFO", "version_tuple", "full_version", "version_string", "VERSION_STRING", "__versionstr__", "release"}

// innerFolders are the folders inside a package that may hold its version module.
var innerFolders = []string{"shared", "core", "_internal", "internal", "util", "utils", "lib", "common", "base", "_core"}

// version sets what the code says about its version, and returns where; "" when
// it says nothing.
func (s *scan) version(p *Package, g *group) (sign string) {
	if g.entry.other {
		return ""
	}
	if h := g.entry.hint; h.file != "" {
		for _, part := range g.parts {
			if v, file := s.hinted(part, h); v != "" {
				p.Version, p.Path, p.Method, p.Confidence = v, file, sbom.MethodVersion, 0.9
				return path.Base(file)
			}
		}
	}
	for _, part := range g.parts {
		r := s.reader(part)
		found, file, name := r.versions()
		s.unread(r.failed...)
		if len(found) == 0 {
			continue
		}
		p.Path, p.Method = file, sbom.MethodVersion
		sign = name + " in " + path.Base(file)
		if len(found) == 1 {
			p.Version, p.Confidence = found[0], 0.9
		} else {
			p.Versions, p.Confidence = found, 0.7
		}
		return sign
	}
	return ""
}

func (s *scan) unread(list ...Unread) {
	for _, u := range list {
		if !slices.ContainsFunc(s.res.Unread, func(v Unread) bool { return v.Path == u.Path }) {
			s.res.Unread = append(s.res.Unread, u)
		}
	}
}

// reader loads the modules of one package or module.
type reader struct {
	s      *scan
	part   part
	world  *world
	loaded map[string]*module
	paths  map[*module]string
	failed []Unread
}

func (s *scan) reader(p part) *reader {
	r := &reader{s: s, part: p, loaded: map[string]*module{}, paths: map[*module]string{}}
	r.world = &world{top: p.name, load: r.load}
	return r
}

// load returns the module at a path below the top, nil when there is none.
func (r *reader) load(parts []string) *module {
	key := strings.Join(parts, "/")
	if m, ok := r.loaded[key]; ok {
		return m
	}
	r.loaded[key] = nil
	if len(parts) > maxNames || len(r.loaded) > r.s.opts.MaxModules {
		return nil
	}
	f, pkg := r.find(parts)
	if f == nil {
		return nil
	}
	m := r.parse(f, pkg)
	r.loaded[key] = m
	return m
}

// find returns the files of a module, and the package that its relative imports
// start from.
func (r *reader) find(parts []string) (f *files, pkg []string) {
	if r.part.dir == "" {
		if len(parts) > 0 {
			return nil, nil
		}
		base, _, _ := strings.Cut(path.Base(r.part.file), ".")
		dir := dirOf(r.part.file)
		if path.Base(dir) == "__pycache__" {
			dir = dirOf(dir)
		}
		return r.s.folders[dir].modules[base], nil
	}
	dir := r.part.dir
	for _, p := range parts {
		dir = joinPath(dir, p)
	}
	if in := r.s.folders[dir]; in.isPackage() {
		return in.modules["__init__"], parts
	}
	if len(parts) == 0 {
		return nil, nil
	}
	if in := r.s.folders[dirOf(dir)]; in != nil {
		return in.modules[path.Base(dir)], parts[:len(parts)-1]
	}
	return nil, nil
}

// parse reads a module: its source, else what it was compiled to.
func (r *reader) parse(f *files, pkg []string) *module {
	p := f.source
	if p == "" {
		p = f.compiled
	}
	if p == "" {
		p = f.cached
	}
	if p == "" {
		return nil
	}
	data, err := r.s.in.Read(p, r.s.opts.MaxSource)
	if err != nil {
		r.failed = append(r.failed, Unread{p, err})
		return nil
	}
	var m *module
	if p == f.source {
		m = parseModule(data, pkg)
	} else {
		c, err := readCompiled(data)
		if err != nil {
			r.failed = append(r.failed, Unread{p, err}) // without a source beside it, it is what Python would load
			return nil
		}
		m = c.module(pkg)
	}
	r.paths[m] = p
	return m
}

// versions returns the candidates for the package's version, the file that
// they come from and the name that holds them.
func (r *reader) versions() (found []string, file, name string) {
	top := r.load(nil)
	if top != nil {
		if found := r.candidates(top, "__version__"); len(found) > 0 {
			return found, r.paths[top], "__version__"
		}
	}
	if r.part.dir != "" {
		for _, folder := range append([]string{""}, innerFolders...) {
			if found, file, name := r.inModules(folder); len(found) > 0 {
				return found, file, name
			}
		}
	}
	if top != nil {
		for _, name := range literalNames {
			if found := r.candidates(top, name); len(found) > 0 {
				return found, r.paths[top], name
			}
		}
	}
	return r.textFile()
}

// inModules looks into the version modules of the package, or of a folder in it.
func (r *reader) inModules(folder string) (found []string, file, name string) {
	for i, base := range versionModules {
		parts := []string{base}
		if folder != "" {
			parts = []string{folder, base}
			if i > 3 {
				break
			}
		}
		if f, _ := r.find(parts); f == nil || base == "__init__" {
			continue
		}
		m := r.load(parts)
		if m == nil {
			continue
		}
		if len(m.bindings["version_json"]) > 0 {
			if v := r.world.one(m, "version_json"); v.form == text {
				if n := versionText(parseJSON(v.text).get("version")); n != "" {
					return []string{n}, r.paths[m], "version_json"
				}
			}
		}
		names := literalNames
		if i > 15 {
			names = names[:2] // a module about something else
		}
		for _, name := range names {
			if found := r.candidates(m, name); len(found) > 0 {
				return found, r.paths[m], name
			}
		}
	}
	return nil, "", ""
}

// candidates returns the versions that a name may stand for.
func (r *reader) candidates(m *module, name string) []string {
	if len(m.bindings[name]) == 0 && len(m.stars) == 0 {
		return nil
	}
	var out []string
	for _, v := range r.world.lookup(m, name) {
		if n := versionText(v); n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// textFile looks for a file that holds the version and nothing else.
func (r *reader) textFile() (found []string, file, name string) {
	if r.part.dir == "" {
		return nil, "", ""
	}
	for _, base := range []string{"VERSION", "version.txt", "VERSION.txt", "_version.txt", "version", ".version"} {
		p := joinPath(r.part.dir, base)
		if !r.s.has(p) {
			continue
		}
		data, err := r.s.in.Read(p, 1<<10)
		if err != nil {
			continue // too long for a version
		}
		if v := Normal(strings.TrimSpace(string(data))); v != "" && len(bytes.Fields(data)) == 1 {
			return []string{v}, p, base
		}
	}
	return nil, "", ""
}

// hinted reads a version that the table says where to find.
func (s *scan) hinted(p part, h hint) (version, file string) {
	file, limit := s.hintFile(p, h)
	if file == "" {
		return "", ""
	}
	data, err := s.in.Read(file, limit)
	if err != nil {
		s.res.Unread = append(s.res.Unread, Unread{file, err})
		return "", ""
	}
	found := between(data, h.before, h.after)
	if strings.IndexByte(found, '.') < 0 {
		return "", "" // a compiler may cut a text into pieces
	}
	return Normal(found), file
}

// hintFile returns the file that a hint means, and how much of it is read:
// NAME*.so is the extension module of that name. "" is a file that is not there.
func (s *scan) hintFile(p part, h hint) (file string, limit int64) {
	name, native := strings.CutSuffix(h.file, "*.so")
	switch {
	case p.dir == "":
	case native:
		if m := s.folders[p.dir].modules[name]; m != nil {
			return m.native, s.opts.MaxBinary
		}
	case s.has(joinPath(p.dir, h.file)):
		return joinPath(p.dir, h.file), s.opts.MaxSource
	}
	return "", 0
}

// between returns the version that stands behind one text or in front of
// another.
func between(data []byte, before, after string) string {
	const longest = 40
	if before != "" {
		i := bytes.Index(data, []byte(before))
		if i < 0 {
			return ""
		}
		data = data[i+len(before):]
		n := 0
		for n < len(data) && n < longest && versionByte(data[n]) {
			n++
		}
		return string(data[:n])
	}
	i := bytes.Index(data, []byte(after))
	if i < 0 {
		return ""
	}
	from := i
	for from > 0 && i-from < longest && versionByte(data[from-1]) {
		from--
	}
	return string(data[from:i])
}

func versionByte(c byte) bool {
	return digit(c) || c == '.' || 'a' <= c && c <= 'z' || c == '+' || c == '-' || c == '!'
}

// licenceWords are what a released file says of itself and people's own code
// does not.
var licenceWords = []string{
	"SPDX-License-Identifier", "Licensed under", "licensed under", "__license__", "__licence__", "MIT License", "BSD License", "BSD license", "Apache License", "GNU General Public", "GNU Lesser General",
	"Mozilla Public License", "3-clause BSD", "BSD 3-Clause", ":license:", "Released under", "released under", "Permission is hereby granted", "Redistribution and use", "Python Software Foundation",
}

// licenceFiles are the names of licence texts.
var licenceFiles = []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENSE.rst", "LICENCE", "COPYING", "COPYING.txt", "LICENSE.APACHE", "COPYRIGHT"}

// licensed reports whether a part of a project shows that somebody released it.
func (s *scan) licensed(g *group) bool {
	for _, p := range g.parts {
		if p.dir != "" {
			for _, name := range licenceFiles {
				if s.has(joinPath(p.dir, name)) {
					return true
				}
			}
		}
		if s.licenceText(p.file) {
			return true
		}
		if p.dir == "" {
			continue
		}
		read := 0
		for _, name := range sortedModules(s.folders[p.dir]) {
			if read++; read > maxLicenceReads {
				break
			}
			if f := s.folders[p.dir].modules[name]; f.source != p.file && s.licenceText(f.source) {
				return true
			}
		}
	}
	return false
}

// maxLicenceReads is how many modules of a package are searched for a licence.
const maxLicenceReads = 8

func sortedModules(f *folder) []string {
	names := make([]string, 0, len(f.modules))
	for name := range f.modules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *scan) licenceText(p string) bool {
	if !strings.HasSuffix(p, ".py") {
		return false
	}
	data, err := s.in.Read(p, s.opts.MaxSource)
	if err != nil {
		return false
	}
	const head = 64 << 10
	data = data[:min(len(data), head)]
	return slices.ContainsFunc(licenceWords, func(w string) bool { return bytes.Contains(data, []byte(w)) })
}
