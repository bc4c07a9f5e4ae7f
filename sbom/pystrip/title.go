package pystrip

import (
	"bytes"
	"context"
	"path"
	"slices"
)

// titleModules are the modules in which a package says what it is called.
var titleModules = []string{"__version__", "__about__", "version", "_version", "__pkginfo__", "__init__"}

// titleOf returns what a package says that its project is called, "" when that
// is not said or is no project that anybody knows: people title their own
// packages, too.
func (s *scan) titleOf(r *reader) string {
	for _, base := range titleModules {
		parts := []string{base}
		if base == "__init__" {
			parts = nil
		}
		f, _ := r.find(parts)
		if f == nil || f.source != "" && !s.mentions(f.source) {
			continue
		}
		m := r.load(parts)
		if m == nil {
			continue
		}
		if v := r.world.one(m, "__title__"); v.form == text && projectLike(v.text) {
			if name := s.table().projects[normalName(v.text)]; name != "" {
				return name
			}
			if s.opts.Known(normalName(v.text)) {
				return v.text
			}
		}
	}
	return ""
}

// mentions reports whether a module has a title at all, before it is parsed.
func (s *scan) mentions(p string) bool {
	data, err := s.in.Read(p, s.opts.MaxSource)
	return err == nil && bytes.Contains(data, []byte("__title__"))
}

// rename gives a package that lies under the import name of another project
// the name that it gives itself.
func (s *scan) rename(p *Package, g *group) {
	if p.Version == "" && len(p.Versions) == 0 || g.parts[0].dir == "" || g.entry.other {
		return
	}
	title := s.titleOf(s.reader(g.parts[0]))
	if title == "" {
		return
	}
	name := normalName(title)
	for _, own := range append([]string{g.parts[0].name}, g.entry.projects...) {
		if normalName(own) == name {
			return
		}
	}
	p.Detail += "; it calls itself " + title
	p.Project, p.Others = title, nil
}

// titles finds the copies that lie under a folder of any other name, anywhere:
// their own modules say what they are called and which version they are. It
// runs behind the roots. dirs are all folders, sorted.
func (s *scan) titles(ctx context.Context, dirs []string) {
	said := map[string][]string{} // folder of a package that was reported -> normal names
	note := func(p *Package) {
		for _, dir := range p.Dirs {
			said[dir] = append(said[dir], normalName(p.Project))
		}
	}
	for i := range s.res.Packages {
		note(&s.res.Packages[i])
	}
	for _, dir := range dirs {
		if ctx.Err() != nil {
			return
		}
		if dir == "" || said[dir] != nil || !s.folders[dir].isPackage() {
			continue
		}
		p := part{name: path.Base(dir), dir: dir, file: s.folders[dir].modules["__init__"].any()}
		owned := s.in.Owned(p.file)
		if owned && !s.versioned(dir) {
			continue // hundreds of folders of an installed package
		}
		if out := s.titled(p, owned, said); out != nil {
			s.add(*out)
			note(out)
		}
	}
}

// versioned reports whether a folder has a module that is there to say the
// version.
func (s *scan) versioned(dir string) bool {
	for _, base := range titleModules {
		if base != "__init__" && s.folders[dir].modules[base] != nil {
			return true
		}
	}
	return false
}

// titled returns what a package is by its title, nil when that is not said or
// is the title of what it lies in.
func (s *scan) titled(p part, owned bool, said map[string][]string) *Package {
	title := s.titleOf(s.reader(p))
	if title == "" || s.within(p, normalName(title), said) {
		return nil
	}
	out := &Package{Project: title, Root: dirOf(p.dir), Dirs: []string{p.dir}, Vendored: owned || s.inPackage(p.dir)}
	sign := s.version(out, &group{entry: &entry{projects: []string{title}}, parts: []part{p}})
	if sign == "" {
		return nil
	}
	out.Confidence -= 0.2
	out.Detail = "in the folder " + p.name + "; it calls itself " + title + "; version from " + sign
	return out
}

// within reports whether a package lies in the project of that normal name,
// installed or reported.
func (s *scan) within(p part, name string, said map[string][]string) bool {
	for at := p.dir; at != ""; at = dirOf(at) {
		if slices.Contains(said[at], name) {
			return true
		}
		if !s.infos[dirOf(at)][name] {
			continue
		}
		own := []string{path.Base(at)}
		if e := s.table().names[own[0]]; e != nil {
			own = append(own, e.projects...)
		}
		if slices.ContainsFunc(own, func(o string) bool { return normalName(o) == name }) {
			return true
		}
	}
	return s.in.Claims != nil && slices.ContainsFunc(s.in.Claims(p.file), func(d Distribution) bool { return normalName(d.Name) == name })
}
