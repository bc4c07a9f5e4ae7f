package attest

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// pkg is a package URL (package-url specification, "How to parse a purl
// string") with its parts decoded, so that "%40scope" and "@scope" are the
// same. It is compared as a value.
type pkg struct {
	typ        string // lower case
	name       string // namespace and name, joined by "/"
	version    string // "" any
	qualifiers string // as written
}

// parsePURL reads a package URL. The subpath is left out: it names a place
// within the package.
func parsePURL(text string) (pkg, error) {
	rest, ok := strings.CutPrefix(text, "pkg:")
	if !ok {
		return pkg{}, fmt.Errorf("%q is no package URL: want pkg:TYPE/NAME@VERSION", text)
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, qualifiers, _ := strings.Cut(rest, "?")
	typ, path, ok := strings.Cut(strings.TrimLeft(rest, "/"), "/")
	p := pkg{typ: strings.ToLower(typ), qualifiers: qualifiers}
	path = strings.Trim(path, "/")
	if i := strings.LastIndexByte(path, '@'); i > strings.LastIndexByte(path, '/')+1 || i > 0 && !strings.Contains(path, "/") {
		path, p.version = path[:i], path[i+1:]
	}
	var err error
	if p.version, err = url.PathUnescape(p.version); err != nil {
		return pkg{}, fmt.Errorf("%q: version: %w", text, err)
	}
	if p.name, err = url.PathUnescape(path); err != nil {
		return pkg{}, fmt.Errorf("%q: name: %w", text, err)
	}
	if !ok || p.typ == "" || p.name == "" {
		return pkg{}, fmt.Errorf("%q is no package URL: want pkg:TYPE/NAME@VERSION", text)
	}
	if p.typ == "pypi" {
		p.name = pythonName(p.name)
	}
	return p, nil
}

// is says whether a package is a demanded one. A demand without version takes
// every version, and one without qualifiers any of them.
func (p pkg) is(demand pkg) bool {
	return p.typ == demand.typ && p.name == demand.name &&
		(demand.version == "" || demand.version == p.version) &&
		(demand.qualifiers == "" || demand.qualifiers == p.qualifiers)
}

// String is the shortest package URL of it.
func (p pkg) String() string {
	parts := strings.Split(p.name, "/")
	for i, s := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(s), "@", "%40")
	}
	s := "pkg:" + p.typ + "/" + strings.Join(parts, "/")
	if p.version != "" {
		s += "@" + strings.ReplaceAll(url.PathEscape(p.version), "@", "%40")
	}
	return s
}

var pythonSeparators = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[-_.]+`) })

// pythonName is the normal form of a Python project's name (Python packaging
// specifications, "Names and normalization").
func pythonName(name string) string {
	return strings.ToLower(pythonSeparators().ReplaceAllString(name, "-"))
}

// pythonFile is the package of a distribution file: NAME-VERSION-…-….whl
// ("Binary distribution format", "File name convention") or NAME-VERSION.tar.gz ("Source
// distribution file name").
func pythonFile(file string) (pkg, bool) {
	if base, ok := strings.CutSuffix(file, ".whl"); ok {
		parts := strings.Split(base, "-")
		if len(parts) != 5 && len(parts) != 6 {
			return pkg{}, false
		}
		return pkg{typ: "pypi", name: pythonName(parts[0]), version: parts[1]}, true
	}
	for _, end := range []string{".tar.gz", ".zip"} {
		if base, ok := strings.CutSuffix(file, end); ok {
			i := strings.LastIndexByte(base, '-')
			if i <= 0 || i == len(base)-1 {
				return pkg{}, false
			}
			return pkg{typ: "pypi", name: pythonName(base[:i]), version: base[i+1:]}, true
		}
	}
	return pkg{}, false
}

// subjectPackage is the package that a subject names: by a package URL, or as a
// Python distribution file when that is what is asked for.
func subjectPackage(sub Descriptor, typ string) (pkg, bool) {
	if p, err := parsePURL(sub.Name); err == nil {
		return p, true
	}
	if typ == "pypi" {
		return pythonFile(sub.Name)
	}
	return pkg{}, false
}
