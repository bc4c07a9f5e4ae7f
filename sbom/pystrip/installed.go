package pystrip

import (
	"errors"
	"slices"
	"strings"
)

// Stated is an installed package whose code says another version than its
// metadata.
type Stated struct {
	Distribution
	Says  string   // in the normal form of PEP 440
	Path  string   // of the module that says it
	Files []string // that were read for it
	// Known reports whether the table has the package: what its code calls its
	// version is then the release's. Of others that is likely and no more.
	Known bool
}

// metadataOf returns the distribution at a root whose package p is.
func (s *scan) metadataOf(root string, e *entry, p part) (Distribution, bool) {
	there := s.installed[root]
	if len(there) == 0 {
		return Distribution{}, false
	}
	if e != nil {
		for _, name := range e.projects {
			if d, ok := there[normalName(name)]; ok {
				return d, true
			}
		}
	}
	d, ok := there[normalName(p.name)]
	return d, ok
}

// compare notes what an installed package says about its version where that is
// another release than the metadata's. Of a project with several packages the
// one that has its name counts: others (pkg_resources) may count for themselves.
func (s *scan) compare(d Distribution, e *entry, p part) {
	name := normalName(d.Name)
	if e != nil && e.other || Normal(d.Version) == "" || normalName(p.name) != name && s.table().imports[name] != 1 {
		return
	}
	r := s.reader(p)
	says, file := r.stated()
	for _, u := range r.failed {
		if !errors.Is(u.Err, errCompiled) { // the metadata names what nobody can read
			s.unread(u)
		}
	}
	if says == "" || slices.ContainsFunc(s.in.Installed, func(o Distribution) bool {
		return o.Root == d.Root && normalName(o.Name) == name && sameRelease(says, o.Version) // or that of metadata that an update left
	}) {
		return
	}
	out := Stated{Distribution: d, Says: says, Path: file, Known: e != nil && s.table().names[p.name] == e}
	for _, at := range r.paths {
		out.Files = append(out.Files, at)
	}
	slices.Sort(out.Files)
	s.res.Stated = append(s.res.Stated, out)
}

// statedModules is in how many of the version modules the version of an
// installed package is looked for.
const statedModules = 12

// stated returns the one version that a package says under the name that means
// nothing else, and the module that was asked for it.
func (r *reader) stated() (version, file string) {
	at := [][]string{nil}
	if r.part.dir != "" {
		for _, base := range versionModules[:statedModules] {
			at = append(at, []string{base})
		}
	}
	for _, parts := range at {
		if f, _ := r.find(parts); f == nil {
			continue
		}
		m := r.load(parts)
		if m == nil {
			continue
		}
		switch found := r.candidates(m, "__version__"); len(found) {
		case 0:
		case 1:
			return found[0], r.paths[m]
		default:
			return "", ""
		}
	}
	return "", ""
}

// sameRelease reports whether two versions have one release, the numbers in
// front (https://peps.python.org/pep-0440/#version-scheme): zeros at the end do
// not count, and what is behind does not, since code is often released under the
// name of its release candidate. One with three numbers stands for one with more
// of them: those count how often the same code was packaged.
func sameRelease(code, metadata string) bool {
	a, b := release(code), release(metadata)
	if len(a) >= 3 && len(b) > len(a) {
		b = b[:len(a)]
	}
	return slices.Equal(trimRelease(a), trimRelease(b))
}

// release returns the numbers of a version, without those of an epoch.
func release(v string) []string {
	v = Normal(v)
	if _, rest, ok := strings.Cut(v, "!"); ok {
		v = rest
	}
	numbers, _ := numbers(v)
	return strings.Split(numbers, ".")
}

func trimRelease(parts []string) []string {
	for len(parts) > 1 && parts[len(parts)-1] == "0" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// strangeClaim returns the distribution that accounts for a package of another
// project, nil when it fits or nothing speaks against it. A RECORD or
// top_level.txt is a claim of whoever wrote it: one line of it would hide a
// package. A distribution fits what has its name, what the table says that it
// publishes, and, where advisories are about it under its own name, what its
// name has a part of (tensorflow-cpu).
func (s *scan) strangeClaim(e *entry, p part) *Distribution {
	if s.in.Claims == nil {
		return nil
	}
	if e != nil && s.table().names[p.name] != e || e == nil && strings.Contains(p.name, ".") {
		return nil // of a namespace no more is known than its pattern
	}
	claims := s.in.Claims(p.file)
	for _, d := range claims {
		if s.fits(d.Name, e, p) {
			return nil
		}
	}
	if len(claims) == 0 {
		return nil
	}
	return &claims[0]
}

// claims is the words behind what a package was recognised by.
func (d *Distribution) claims() string {
	return "; the metadata of " + strings.TrimSpace(d.Name+" "+d.Version) + " accounts for it"
}

func (s *scan) fits(distribution string, e *entry, p part) bool {
	name := normalName(distribution)
	own := []string{p.name}
	if e != nil {
		own = append(own, e.projects...)
	}
	known := s.opts.Known(name)
	for _, o := range own {
		o = normalName(o)
		if name == o || known && strings.Contains("-"+name+"-", "-"+o+"-") {
			return true
		}
	}
	return false
}
