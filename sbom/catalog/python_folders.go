package catalog

import (
	"bytes"
	"path"
	"strings"

	"github.com/anchore/syft/syft/pkg"

	"github.com/fnaudit/fnaudit/sbom"
)

// pythonFolders finds distributions whose metadata file was left out, by the
// name of the folder that it would be in: NAME-VERSION.dist-info or
// NAME-VERSION[-pyX.Y].egg-info
// (https://packaging.python.org/specifications/recording-installed-packages/).
func (a *artifact) pythonFolders() {
	seen := map[string]bool{}
	for i := range a.files {
		p := a.files[i].Path
		dir := dirOf(p)
		if a.files[i].Link != "" && pythonMetadataDir(p) {
			dir = p // a link to the folder
		}
		if seen[dir] || !pythonMetadataDir(dir) || a.testOfPackage(dir) {
			continue
		}
		seen[dir] = true
		if a.has(path.Join(dir, "METADATA")) || a.has(path.Join(dir, "PKG-INFO")) {
			continue
		}
		name, version := pythonFolder(path.Base(dir))
		if name == "" {
			a.bareInfos = append(a.bareInfos, dir) // its name may help to name the code beside it
			continue
		}
		m := &pkg.PythonPackage{Name: name, Version: version}
		record := path.Join(dir, "RECORD")
		if a.has(record) {
			data, err := a.read(record, a.opts.MaxManifest)
			if err != nil {
				a.unread(record, err)
			}
			for line := range bytes.SplitSeq(a.pythonRecord(dirOf(dir), data), []byte("\n")) {
				file, _, _ := bytes.Cut(line, []byte(","))
				m.Files = append(m.Files, pkg.PythonFileRecord{Path: string(bytes.Trim(file, `"`))})
			}
		} else if top := path.Join(dir, "top_level.txt"); a.has(top) {
			if data, err := a.read(top, a.opts.MaxManifest); err == nil {
				m.TopLevelPackages = strings.Split(string(data), "\n")
			}
		}
		a.pythonOwns(dirOf(dir), p, m, a.has(record))
		a.add(found{
			typ: "pypi", name: name, version: version, path: p, dir: dirOf(dir), method: sbom.MethodInstalled, confidence: 0.6,
			detail: "the folder's name, since there is no metadata in it",
		})
	}
}

// pythonFolder takes apart the name of a metadata folder. The name of a
// distribution has no "-" there: it is written as "_".
func pythonFolder(folder string) (name, version string) {
	stem := folder[:len(folder)-len(path.Ext(folder))]
	name, version, ok := strings.Cut(stem, "-")
	if i := strings.LastIndex(version, "-py"); i > 0 {
		version = version[:i]
	}
	if !ok || name == "" || version == "" || version[0] < '0' || version[0] > '9' || strings.Contains(version, "-") {
		return "", ""
	}
	return name, version
}
