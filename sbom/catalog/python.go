package catalog

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/python"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/pystrip"
)

// pythonInstalled finds distributions by the metadata that installers leave:
// NAME.dist-info/METADATA, NAME.egg-info/PKG-INFO, EGG-INFO/PKG-INFO and the
// single file NAME.egg-info
// (https://packaging.python.org/specifications/recording-installed-packages/).
// Vendored ones (setuptools/_vendor) are real code and count.
func pythonInstalled(ctx context.Context, a *artifact) {
	shown := map[string]bool{}
	v := a.newView(a.opts.MaxManifest, func(p string) bool {
		if a.pythonMetadata(p) {
			shown[p] = false
			return true
		}
		switch path.Base(p) {
		case "RECORD", "installed-files.txt", "top_level.txt", "direct_url.json":
			return pythonMetadataDir(dirOf(p))
		}
		return false
	})
	v.reduce = a.pythonReduce
	for p := range shown {
		if !v.set[p] {
			delete(shown, p)
		}
	}
	defer a.pythonFolders()
	defer a.pythonStart()
	if len(shown) == 0 {
		return
	}
	for _, p := range a.syft(ctx, python.NewInstalledPackageCataloger(), v) {
		at := primary(&p)
		shown[at] = true
		m, _ := p.Metadata.(pkg.PythonPackage)
		f := found{
			typ: "pypi", name: p.Name, version: p.Version, path: at, dir: pythonDir(at), method: sbom.MethodInstalled, confidence: 0.99,
			licenses: a.syftLicences(&p),
		}
		if data, err := a.read(at, a.opts.MaxManifest); err == nil {
			_, requires := pythonHeader(data)
			f.requires, f.ranges = pythonRequires(requires), pythonTakes(requires)
		}
		if m.DirectURLOrigin != nil {
			f.resolved = m.DirectURLOrigin.URL
		}
		a.pythonDirect(&f, at)
		m.Name, m.Version = p.Name, p.Version
		a.pythonOwns(f.dir, at, &m, v.set[path.Join(dirOf(at), "RECORD")])
		a.add(f)
	}
	for p, ok := range shown {
		if !ok && !a.failed[p] && !pythonItself(a, p) {
			a.unknown(p, sbom.Unreadable, "no package name in the metadata", true)
		}
	}
}

// pythonReduce leaves of the files what is needed of them. syft joins
// continuation lines in quadratic time (a licence text has thousands of them)
// and relates every requirement to every package; a RECORD may list millions.
func (a *artifact) pythonReduce(p string, data []byte) []byte {
	switch {
	case a.pythonMetadata(p):
		head, _ := pythonHeader(data)
		return head
	case path.Base(p) == "RECORD":
		return a.pythonRecord(dirOf(dirOf(p)), data)
	}
	return data
}

// maxRequires is how many requirements of one distribution are kept. The
// longest real list has a few hundred.
const maxRequires = 2000

// pythonHeader returns the fields of a metadata file that syft reads, one line
// each, and the values of Requires-Dist. The format is that of mail headers
// (https://packaging.python.org/specifications/core-metadata/). Of a repeated
// field the first counts, as it does for importlib.metadata.
func pythonHeader(data []byte) (head []byte, requires []string) {
	seen := map[string]bool{}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			if len(head) > 0 {
				break // the description follows
			}
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch field := strings.ToLower(string(name)); field {
		case "requires-dist":
			if len(requires) == maxRequires {
				continue
			}
			requires = append(requires, string(bytes.TrimSpace(value)))
		case "name", "version", "license", "license-expression":
			if !seen[field] {
				seen[field] = true
				head = append(append(head, line...), '\n')
			}
		}
	}
	return head, requires
}

// pythonRecord leaves the lines of files that could be reported if they had no
// owner: they are in the artifact and are not plain text.
//
// A RECORD is only a claim: of what is not in a folder with the distribution's
// modules it accounts for extension modules and for scripts in bin.
func (a *artifact) pythonRecord(root string, data []byte) []byte {
	modules := map[string]bool{} // folders at root that hold modules of the distribution
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		name, _ := recordName(line)
		top, rest, ok := bytes.Cut(name, []byte("/"))
		if ok && (bytes.HasSuffix(rest, []byte(".py")) || bytes.HasSuffix(rest, []byte(".pyc")) || bytes.HasSuffix(rest, []byte(".so")) || bytes.HasSuffix(rest, []byte(".pyd"))) && !modules[string(top)] {
			modules[string(top)] = true
		}
	}
	var out, at []byte
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		name, ok := recordName(line)
		if !ok || !recordOwns(name, modules) {
			continue
		}
		at = at[:0]
		if root != "" {
			at = append(append(at, root...), '/')
		}
		at = append(at, name...)
		i, ok := a.byPath[string(at)]
		if !ok && bytes.HasSuffix(at, []byte(".py")) {
			i, ok = a.byPath[string(append(at, 'c'))] // the source was compiled and removed
		}
		if !ok {
			continue // outside, or written when it was installed (__pycache__)
		}
		if a.recorded == nil {
			a.recorded = make([]bool, len(a.files))
		}
		a.recorded[i] = true
		if p := a.files[i].Path; !isText(p) || script(p) || path.Base(p) == "__init__.py" || strings.HasSuffix(p, ".pyc") && path.Base(dirOf(p)) != "__pycache__" {
			out = append(append(out, line...), '\n')
		}
	}
	return out
}

// recordName returns the path of one line of a RECORD, false when it is not
// the plain path that installers write.
func recordName(line []byte) (name []byte, ok bool) {
	name, _, _ = bytes.Cut(line, []byte(","))
	name = bytes.Trim(name, "\"\r")
	return name, len(name) > 0 && name[0] != '/' && !bytes.Contains(name, []byte("/../")) && !bytes.HasPrefix(name, []byte("./")) && !bytes.Contains(name, []byte("//"))
}

// recordOwns reports whether a RECORD can account for the file at name, which
// is relative to the folder of the distribution.
func recordOwns(name []byte, modules map[string]bool) bool {
	top, rest, ok := bytes.Cut(name, []byte("/"))
	if !ok {
		// a module at the root; never a program, a script or a bundle
		ext := path.Ext(string(name))
		return ext == ".so" || ext == ".pyd" || ext == ".py" || ext == ".pyc" || ext == ".pth"
	}
	if string(top) == "bin" {
		return bytes.IndexByte(rest, '/') < 0 && !script(string(rest)) && string(rest) != "bootstrap"
	}
	return modules[string(top)] || bytes.HasSuffix(top, []byte(".libs")) || pythonMetadataDir(string(top))
}

func (a *artifact) pythonMetadata(p string) bool {
	dir, base := path.Split(p)
	dir = strings.TrimSuffix(dir, "/")
	switch {
	case base == "METADATA" && strings.HasSuffix(strings.ToLower(dir), "dist-info"):
	case base == "PKG-INFO" && strings.HasSuffix(strings.ToLower(dir), "egg-info"):
	case strings.HasSuffix(base, ".egg-info"):
	default:
		return false
	}
	return !a.testOfPackage(dir)
}

// testOfPackage reports whether dir is the test material of an installed
// package: a test folder that lies in a Python package or in a package of
// Node. The function's own folder may have such a name as well, and what is
// installed there is loaded.
func (a *artifact) testOfPackage(dir string) bool {
	for at := dir; at != ""; at = dirOf(at) {
		if !testFolder(path.Base(at)) {
			continue
		}
		for in := dirOf(at); in != ""; in = dirOf(in) {
			if a.has(in+"/__init__.py") || a.has(in+"/__init__.pyc") || a.owners.dirs[in] {
				return true
			}
		}
	}
	return false
}

func pythonMetadataDir(dir string) bool {
	dir = strings.ToLower(dir)
	return strings.HasSuffix(dir, "dist-info") || strings.HasSuffix(dir, "egg-info")
}

// pythonDir returns the folder that the metadata lies in: site-packages, or
// the function's root.
func pythonDir(metadata string) string {
	if strings.HasSuffix(metadata, ".egg-info") {
		return dirOf(metadata)
	}
	return dirOf(dirOf(metadata))
}

// pythonItself reports whether the metadata is that of the interpreter, which
// Debian ships as an egg-info file and which is no package.
func pythonItself(a *artifact, p string) bool {
	data, err := a.read(p, a.opts.MaxManifest)
	return err == nil && strings.Contains(string(data), "\nName: Python\n")
}

// pythonRequires returns the names of Requires-Dist entries that need no extra
// (https://packaging.python.org/specifications/dependency-specifiers/).
func pythonRequires(specifiers []string) []string {
	var out []string
	for _, s := range specifiers {
		if _, marker, _ := strings.Cut(s, ";"); strings.Contains(marker, "extra") {
			continue
		}
		if name := pythonName(s); name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pythonName returns the name that a dependency specifier starts with.
func pythonName(specifier string) string {
	s := strings.TrimSpace(specifier)
	end := strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	})
	if end >= 0 {
		s = s[:end]
	}
	return strings.Trim(s, "-_.")
}

// pythonOwns records the files of a distribution: those that RECORD lists, and
// where there is no RECORD (Debian, eggs) the folders that it is imported by.
func (a *artifact) pythonOwns(root, metadata string, m *pkg.PythonPackage, recorded bool) {
	a.distributions = append(a.distributions, pystrip.Distribution{Name: m.Name, Version: m.Version, Root: root, Metadata: metadata})
	modules := map[string]bool{}
	for _, f := range m.Files {
		if top, rest, ok := strings.Cut(f.Path, "/"); ok && strings.HasSuffix(rest, ".py") {
			modules[top] = true
		}
	}
	for _, f := range m.Files {
		p := path.Join(root, f.Path)
		if p == root || strings.HasPrefix(p, "..") {
			continue
		}
		if !recorded && !recordOwns([]byte(f.Path), modules) {
			continue // pythonRecord has looked at those of a RECORD
		}
		a.owners.addFile(p)
		switch path.Ext(p) {
		case ".py", ".pyc", ".so", ".pyd", ".pth", ".dylib", ".dll", ".exe":
			a.claim(p)
		default:
			if strings.Contains(path.Base(p), ".so.") {
				a.claim(p)
			}
		}
	}
	if recorded {
		return
	}
	names := m.TopLevelPackages
	if len(names) == 0 {
		names = []string{strings.ReplaceAll(sbom.CanonicalName("pypi", m.Name), "-", "_"), m.Name, strings.ToLower(m.Name)}
	}
	for _, n := range names {
		n = strings.TrimSpace(n)
		if n == "" || strings.Contains(n, "..") || strings.HasPrefix(n, "/") || n == "bin" || n == "node_modules" {
			continue
		}
		a.owners.addDir(path.Join(root, n))
		a.claim(path.Join(root, n))
		a.owners.addModule(path.Join(root, n))
	}
}
