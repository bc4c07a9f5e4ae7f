package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// npmInstalled finds the packages that Node's resolver would load: a
// package.json right inside node_modules/NAME or node_modules/@SCOPE/NAME, at
// any depth (https://nodejs.org/api/modules.html#loading-from-node_modules-folders).
// Any other package.json (dist/esm/package.json and the like) only sets
// options for a folder. The one at the root is the function itself.
func npmInstalled(ctx context.Context, a *artifact) {
	var links []string
	var manifests []npmFile
	for i := range a.files {
		f := &a.files[i]
		if path.Base(f.Path) == "package.json" {
			if folder, ok := npmPackageDir(dirOf(f.Path)); ok && !a.leadsToPackage(f) {
				manifests = append(manifests, npmFile{path: f.Path, folder: folder})
			} else if dir := dirOf(f.Path); !ok && (dir == "" || dir == "nodejs") {
				manifests = append(manifests, npmFile{path: f.Path, main: true})
			} else if !ok && f.Link == "" && !inNodeModules(f.Path) {
				manifests = append(manifests, npmFile{path: f.Path, copied: true})
			}
			continue
		}
		if f.Link != "" && (path.Base(f.Path) == "node_modules" || inNodeModules(f.Path)) {
			links = append(links, f.Path)
		}
	}
	copies := a.npmManifests(ctx, manifests)
	a.npmLinks(ctx, links)
	for i := range copies {
		if c := &copies[i]; !a.owners.owns(c.path) { // else node_modules has a link to it
			a.npmCopied(c.path, &c.m, c.syft)
		}
	}
	a.npmWithoutManifest()
}

// npmFile is a package.json of a package, or that of the function itself.
type npmFile struct {
	path   string
	folder string // by which the package is loaded
	main   bool
	copied bool  // it lies in no node_modules: a published package that was copied, or only settings
	denied error // over a limit
	shown  int64 // bytes of it that syft may be given
}

// leadsToPackage reports whether f is a link to another package's manifest:
// that is that package, not a second one.
func (a *artifact) leadsToPackage(f *bundle.File) bool {
	if f.Link == "" {
		return false
	}
	t, err := a.tree.Resolve(f.Path)
	if err != nil || t.Path == f.Path {
		return false
	}
	_, ok := npmPackageDir(dirOf(t.Path))
	return ok
}

// npmCopy is the manifest of a package that was copied among the function's own
// files, unless a link makes it an installed one.
type npmCopy struct {
	path string
	m    npmManifest
	syft reading
}

// npmManifests reads manifests and records what they describe. It returns those
// of copies, which are not recorded yet.
func (a *artifact) npmManifests(ctx context.Context, list []npmFile) (copies []npmCopy) {
	for i := range list {
		size := a.size(list[i].path)
		if list[i].denied = a.promise(size, a.opts.MaxManifest); list[i].denied == nil {
			list[i].shown = a.npmShown(size)
		}
	}
	type parsed struct {
		m    npmManifest
		syft reading
		err  error
	}
	inOrder(ctx, a.helpers, len(list), func(i int, r *parsed, s *scratch) {
		if r.err = list[i].denied; r.err != nil {
			return
		}
		var data []byte
		if r.m, data, r.err = a.promisedNpmManifest(list[i].path, s); r.err == nil {
			r.syft = a.npmBySyft(ctx, list[i].path, &r.m, data, list[i].shown)
		}
	}, func(i int, r *parsed) {
		if r.err != nil && !list[i].copied {
			a.unread(list[i].path, r.err)
		}
		switch {
		case list[i].copied:
			if r.err == nil && a.isCopy(dirOf(list[i].path), &r.m) {
				copies = append(copies, npmCopy{list[i].path, r.m, r.syft})
			}
		case !list[i].main:
			a.npmPackage(list[i].path, list[i].folder, &r.m, r.syft, r.err)
		case r.err == nil:
			a.npmMain(list[i].path, &r.m, r.syft)
		}
	})
	return copies
}

// npmWithoutManifest finds packages whose package.json was left out to save
// space. Node loads node_modules/NAME/index.js without one.
func (a *artifact) npmWithoutManifest() {
	seen := map[string]bool{}
	for i := range a.files {
		p := a.files[i].Path
		at := lastNodeModules(p)
		if at < 0 || !script(p) || a.files[i].Link != "" {
			continue
		}
		name, rest, _ := strings.Cut(p[at:], "/")
		if strings.HasPrefix(name, "@") {
			base, _, _ := strings.Cut(rest, "/")
			name += "/" + base
		}
		dir := p[:at] + name
		if seen[dir] || dir == p || a.owners.owns(p) {
			continue
		}
		seen[dir] = true
		if name, ok := npmPackageDir(dir); ok {
			a.unknown(dir, sbom.Opaque, "package without a package.json: its version is not known", true)
			a.add(found{typ: "npm", name: name, path: dir, dir: dir, method: sbom.MethodInstalled, confidence: 0.5, detail: "the folder's name"})
		}
	}
	for dir := range seen {
		a.owners.addDir(dir)
	}
}

// npmPackageDir reports whether dir is a place from which Node loads a package
// by name, and returns that name.
func npmPackageDir(dir string) (name string, ok bool) {
	i := lastNodeModules(dir)
	if i < 0 {
		return "", false
	}
	name = dir[i:]
	scope, base, scoped := strings.Cut(name, "/")
	switch {
	case name == "" || name[0] == '.':
		return "", false
	case scoped && (scope[0] != '@' || base == "" || strings.Contains(base, "/")):
		return "", false
	case !scoped && name[0] == '@':
		return "", false
	}
	return name, !betweenPackagesIsTest(dir[:i])
}

// lastNodeModules returns the index after the last "node_modules/" element, or -1.
func lastNodeModules(p string) int {
	for end := len(p); ; {
		i := strings.LastIndex(p[:end], "node_modules/")
		if i < 0 {
			return -1
		}
		if i == 0 || p[i-1] == '/' {
			return i + len("node_modules/")
		}
		end = i
	}
}

// betweenPackagesIsTest reports whether the node_modules folder that prefix
// ends with is a package's test material: node_modules/a/test/x/node_modules/.
// A package manager nests node_modules right below a package, never deeper.
// The package's own name says nothing: there are packages called benchmark.
func betweenPackagesIsTest(prefix string) bool {
	for {
		prefix = strings.TrimSuffix(prefix, "node_modules/")
		i := lastNodeModules(prefix)
		if i < 0 {
			return false
		}
		name, inside, _ := strings.Cut(prefix[i:], "/")
		if strings.HasPrefix(name, "@") {
			_, inside, _ = strings.Cut(inside, "/")
		}
		if underTestFolder(inside) {
			return true
		}
		prefix = prefix[:i]
	}
}

func inNodeModules(p string) bool { return lastNodeModules(p) >= 0 }

// npmManifest is what matters of a package.json. Fields of the wrong type
// count as absent, as they do for Node.
type npmManifest struct {
	name, version string
	licenses      []string
	ranges        map[string]string // production dependencies -> range
	optional      map[string]string // optional dependencies -> range
	peer          map[string]string // peer dependencies -> range
	resolutions   map[string]string // name -> range that Yarn takes instead
	workspaces    bool
	main          string
	private       bool
	published     bool     // it has what a package of the registry has: a version, a licence and a repository, and it is not private
	members       []string // patterns of the workspaces' folders

	scripts []string // what npm runs when it installs it: "postinstall: node setup.js"
	prepare string   // what it runs besides where it takes it from a repository
	gyp     bool     // npm builds a binding.gyp unasked
	taken   string   // where npm up to version 6 says that it took it from, when that is no registry
}

// npmField decodes one field and reports whether it has that type.
func npmField[T any](fields map[string]json.RawMessage, name string) (v T) {
	if raw, ok := fields[name]; ok {
		if json.Unmarshal(raw, &v) != nil {
			var zero T
			return zero
		}
	}
	return v
}

func parseNpmManifest(data []byte) (npmManifest, error) {
	// a map, since decoding into a struct would take "Name" for "name"
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return npmManifest{}, fmt.Errorf("parse package.json: %w", err)
	}
	m := npmManifest{
		name:     strings.TrimSpace(npmField[string](fields, "name")),
		version:  npmVersion(npmField[string](fields, "version")),
		ranges:   npmRanges(fields, "dependencies"),
		optional: npmRanges(fields, "optionalDependencies"),
		peer:     npmRanges(fields, "peerDependencies"),
	}
	_, m.workspaces = fields["workspaces"]
	m.main, m.private = npmField[string](fields, "main"), npmField[bool](fields, "private")
	m.published = m.version != "" && fields["license"] != nil && fields["repository"] != nil && !m.private
	for pattern, r := range npmRanges(fields, "resolutions") {
		// "a/**/b", "b@npm:^1.0.0": the last name is the package
		name := bunName(pattern)
		if n, _, ok := npmDescriptor(name); ok {
			name = n
		}
		if m.resolutions == nil {
			m.resolutions = map[string]string{}
		}
		m.resolutions[name] = r
	}
	m.scripts, m.prepare = npmScripts(fields)
	m.gyp = string(fields["gypfile"]) != "false"
	m.taken = npmTaken(fields, &m)
	type workspaces struct {
		Packages []string `json:"packages"`
	}
	m.members = append(npmField[[]string](fields, "workspaces"), npmField[workspaces](fields, "workspaces").Packages...)
	type license struct {
		Type string `json:"type"`
	}
	if l := npmField[string](fields, "license"); l != "" {
		m.licenses = append(m.licenses, l)
	} else if l := npmField[license](fields, "license"); l.Type != "" {
		m.licenses = append(m.licenses, l.Type)
	}
	for _, l := range npmField[[]license](fields, "licenses") {
		if l.Type != "" {
			m.licenses = append(m.licenses, l.Type)
		}
	}
	return m, nil
}

func npmRanges(fields map[string]json.RawMessage, name string) map[string]string {
	raw := npmField[map[string]json.RawMessage](fields, name)
	if len(raw) == 0 {
		return nil
	}
	out := make(map[string]string, len(raw))
	for k, v := range raw {
		var r string
		_ = json.Unmarshal(v, &r) // a range of another type is no range; the name still counts
		out[k] = r
	}
	return out
}

// npmVersion drops what npm drops when it publishes: blanks and a leading "="
// or "v" (https://github.com/npm/normalize-package-data, semver.clean).
func npmVersion(v string) string {
	v = strings.TrimSpace(v)
	trimmed := strings.TrimLeft(v, "=v ")
	if trimmed != "" && trimmed[0] >= '0' && trimmed[0] <= '9' {
		return trimmed
	}
	return v
}

func (m *npmManifest) requires() []string {
	names := slices.AppendSeq(slices.AppendSeq(slices.Collect(maps.Keys(m.ranges)), maps.Keys(m.optional)), maps.Keys(m.peer))
	slices.Sort(names)
	return slices.Compact(names)
}

// readNpmManifest reads a manifest and records it as unknown when it can't. It
// returns the text as well.
func (a *artifact) readNpmManifest(p string) (npmManifest, []byte, bool) {
	err := a.promise(a.size(p), a.opts.MaxManifest)
	if err == nil {
		var m npmManifest
		var data []byte
		if m, data, err = a.promisedNpmManifest(p, &scratch{}); err == nil {
			return m, data, true
		}
	}
	a.unread(p, err)
	return npmManifest{}, nil, false
}

// promisedNpmManifest reads a manifest that promise has counted. The text that
// it returns as well lies in the memory of s.
func (a *artifact) promisedNpmManifest(p string, s *scratch) (npmManifest, []byte, error) {
	data, err := a.readPromised(p, a.opts.MaxManifest, s)
	if err == nil {
		err = a.checkJSON(data)
	}
	if err != nil {
		return npmManifest{}, nil, err
	}
	m, err := parseNpmManifest(data)
	return m, data, err
}

// npmPackage records an installed package. With err it has no manifest that
// can be read, and the folder still says which package it is meant to be.
func (a *artifact) npmPackage(p, folder string, m *npmManifest, syft reading, err error) {
	dir := dirOf(p)
	a.owners.addDir(dir)
	if err != nil {
		return
	}
	f := a.npmFound(p, m, syft)
	f.dir = dir
	if f.name == "" {
		f.name, f.confidence = folder, 0.8
		f.note("the manifest has no name; the folder's is used")
	} else if f.name != folder {
		f.note("installed under the name " + folder)
	}
	a.npmTraits(&f, m)
	a.add(f)
}

// npmCopied records a published package that was copied among the function's
// own files. Its files stay the function's own, as far as they do not say
// themselves whose they are: they may have been changed.
func (a *artifact) npmCopied(p string, m *npmManifest, syft reading) {
	f := a.npmFound(p, m, syft)
	f.confidence, f.copied = copiedConfidence, true
	f.note("copied into the function's own files")
	if a.copiedDirs == nil {
		a.copiedDirs = map[string]*found{}
	}
	a.copiedDirs[dirOf(p)] = &f
	a.add(f)
}

// npmMain records the function's own manifest, or that of a layer.
func (a *artifact) npmMain(p string, m *npmManifest, syft reading) {
	if m.name == "" {
		return
	}
	f := a.npmFound(p, m, syft)
	f.method, f.main = sbom.MethodManifest, true
	a.add(f)
}
