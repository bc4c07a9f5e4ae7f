package catalog

import (
	"path"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/fnaudit/fnaudit/sbom"
)

// askedBeside marks what the project asks for itself, of lockfiles that do not
// tell: it stands in the manifest beside them. Without one nothing is marked. A
// manifest that cannot be read is no loss to the list of packages, so that it is
// passed over here; withoutLock reports it where it counts.
func (a *artifact) askedBeside(lock string, entries []lockEntry) {
	names := map[string]func([]byte) (map[string]bool, error){
		"poetry.lock": pyprojectNames, "pdm.lock": pyprojectNames, "Pipfile.lock": pipfileNames, "composer.lock": composerNames,
	}[path.Base(lock)]
	if names == nil {
		return
	}
	manifest := map[string]string{"Pipfile.lock": "Pipfile", "composer.lock": "composer.json"}[path.Base(lock)]
	if manifest == "" {
		manifest = "pyproject.toml"
	}
	at := path.Join(dirOf(lock), manifest)
	if !a.has(at) {
		return
	}
	data, err := a.read(at, a.opts.MaxManifest)
	if err == nil && manifest == "composer.json" {
		err = a.checkJSON(data)
	}
	if err != nil {
		return
	}
	asked, err := names(data)
	if err != nil {
		return
	}
	typ := "pypi"
	if manifest == "composer.json" {
		typ = "composer"
	}
	for i := range entries {
		e := &entries[i]
		e.direct = e.direct || asked[sbom.CanonicalName(typ, e.name)]
	}
}

// pyprojectNames are the packages that pyproject.toml names to run with, as
// pyprojectAsks reads it: extras and groups are for whoever asks for them.
func pyprojectNames(data []byte) (map[string]bool, error) {
	out := map[string]bool{}
	return out, scanTOML(data, tomlVisitor{
		header: func(path []string, _ bool) error {
			if len(path) == 4 && strings.Join(path[:3], ".") == "tool.poetry.dependencies" {
				out[sbom.CanonicalName("pypi", path[3])] = true
			}
			return nil
		},
		value: func(path []string, n *unstable.Node) error {
			switch {
			case len(path) == 2 && path[0] == "project" && path[1] == "dependencies":
				list, err := tomlValue(n, 0)
				if err != nil {
					return err
				}
				elements, _ := list.([]any)
				for _, s := range textsOf(elements) {
					out[sbom.CanonicalName("pypi", pythonName(s))] = true
				}
			case len(path) > 3 && strings.Join(path[:3], ".") == "tool.poetry.dependencies":
				out[sbom.CanonicalName("pypi", path[3])] = true
			}
			return nil
		},
	})
}

// pipfileNames are the packages that a Pipfile names to run with.
func pipfileNames(data []byte) (map[string]bool, error) {
	out := map[string]bool{}
	note := func(path []string) {
		if len(path) > 1 && path[0] == "packages" {
			out[sbom.CanonicalName("pypi", path[1])] = true
		}
	}
	return out, scanTOML(data, tomlVisitor{
		header: func(path []string, _ bool) error { note(path); return nil },
		value:  func(path []string, _ *unstable.Node) error { note(path); return nil },
	})
}

// composerNames are the packages that composer.json names to run with.
func composerNames(data []byte) (map[string]bool, error) {
	names, err := composerRequires(data)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for name := range names {
		out[sbom.CanonicalName("composer", name)] = true
	}
	return out, nil
}
