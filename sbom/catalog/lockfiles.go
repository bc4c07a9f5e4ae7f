package catalog

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// lockEntry is one package that a lockfile names.
type lockEntry struct {
	name, version string
	path          string // where the lockfile says it is installed, relative to the lockfile; "" when it doesn't
	hoisted       string // where bun installs it unless it isolates packages
	resolved      string
	hashes        map[string]string
	dev           bool              // only needed to develop
	main          bool              // a project of the workspace, not a dependency
	root          bool              // the project itself asks for it, to run
	direct        bool              // the same, where the lockfile only tells that and not what is needed to run
	keys          []string          // what other entries call it
	needs         []string          // keys of what it needs to run
	ranges        map[string]string // what it takes of others, where the lockfile says so in neither of the next two
	asks          []json.RawMessage // the same of package-lock.json: objects whose keys are names

	traits []sbom.Trait // where it came from; without their artifact and path
}

// folder returns the name under which it is installed, which an alias makes
// another than its own.
func (e *lockEntry) folder() string {
	if e.path == "" {
		return e.name
	}
	return e.path[max(lastNodeModules(e.path), 0):]
}

// lock is one lockfile that was read.
type lock struct {
	path, dir string
	typ       string // package URL type
	entries   []lockEntry
	names     map[string]bool // see named
	index     *lockIndex      // once a bundle has asked
	standing  *standing       // likewise
	graph     *lockGraph      // see needsOf
}

// present counts what the project asks for to run, which is all that it needs
// to run where the lockfile does not tell, and how much of that has finds.
func (l *lock) present(has func(e *lockEntry) bool) (there, all int) {
	roots := slices.ContainsFunc(l.entries, func(e lockEntry) bool { return e.root && !e.main && !e.dev })
	for i := range l.entries {
		e := &l.entries[i]
		if e.main || e.dev || e.name == "" || roots && !e.root {
			continue
		}
		all++
		if has(e) {
			there++
		}
	}
	return there, all
}

// named returns the names of the lockfile's npm packages, also those that they
// are installed under.
func (l *lock) named() map[string]bool {
	if l.names == nil {
		l.names = map[string]bool{}
		for i := range l.entries {
			e := &l.entries[i]
			l.names[e.name] = true
			if at := lastNodeModules(e.path); at >= 0 {
				l.names[e.path[at:]] = true
			}
			for _, k := range e.keys {
				name, _, _ := npmDescriptor(k)
				l.names[name] = true
			}
		}
	}
	return l.names
}

// lockParser reads one lockfile. The manifest beside it is nil unless the
// format needs one to tell production from development, and one is there.
type lockParser struct {
	typ   string
	json  bool
	parse func(data []byte, manifest *npmManifest) ([]lockEntry, error)
}

// lockParsers lists the formats by file name.
func lockParsers() map[string]lockParser {
	return map[string]lockParser{
		"package-lock.json":   {"npm", true, parsePackageLock},
		".package-lock.json":  {"npm", true, parsePackageLock}, // npm's own record, in node_modules
		"npm-shrinkwrap.json": {"npm", true, parsePackageLock},
		"yarn.lock":           {"npm", false, parseYarnLock},
		"pnpm-lock.yaml":      {"npm", false, parsePnpmLock},
		"bun.lock":            {"npm", true, parseBunLock},
		"Pipfile.lock":        {"pypi", true, parsePipfileLock},
		"poetry.lock":         {"pypi", false, parsePoetryLock},
		"uv.lock":             {"pypi", false, parseUVLock},
		"pdm.lock":            {"pypi", false, parsePDMLock},
		"Gemfile.lock":        {"gem", false, parseGemfileLock},
		"composer.lock":       {"composer", true, parseComposerLock},
		"Cargo.lock":          {"cargo", false, parseCargoLock},
		"go.mod":              {"golang", false, parseGoMod},
		"packages.lock.json":  {"nuget", true, parseNuGetLock},
	}
}

var errNotLockfile = errors.New("not a lockfile of a known version")

// lockfiles reads the lockfiles of the function itself; those inside installed
// packages describe how somebody else develops. Where a lockfile's packages
// are installed it is only evidence about them; where they are not (the
// platform installs them, or a bundle holds them) its production packages are
// declared. See [installed] for how that is told apart.
func lockfiles(ctx context.Context, a *artifact) {
	parsers := lockParsers()
	var locks []lock
	for i := range a.files {
		if ctx.Err() != nil {
			return
		}
		f := &a.files[i]
		p, ok := parsers[path.Base(f.Path)]
		if !ok || f.Link != "" || !a.appFile(f.Path) {
			continue
		}
		if l, ok := a.readLock(f.Path, p); ok {
			locks = append(locks, l)
		}
	}
	a.confirm(locks)
	here := a.whatIsInstalled()
	for i := range locks {
		a.contradict(&locks[i])
	}
	a.bundledPackages(locks)
	a.origins(locks)
	have := map[string]bool{}
	for i := range a.found {
		if f := &a.found[i]; !f.main {
			have[f.purl()] = true
		}
	}
	for i := range locks {
		if l := &locks[i]; here.holds(l) {
			here.done[project{l.typ, l.dir}] = true
		}
	}
	manifests := a.npmProjects(here)
	for i := range locks {
		l := &locks[i]
		if path.Base(l.path) != ".package-lock.json" && (!here.done.cover(l.typ, l.dir) && !a.bundles.hold(l) || l.typ == "npm" && a.bundles.untold(l.dir)) {
			a.declare(l, have)
		}
	}
	a.declareGiven(have)
	a.bind()
	a.reconcile(locks, here)
	a.manifests(here, manifests, locks)
}

// appFile reports whether a manifest or lockfile belongs to the function.
func (a *artifact) appFile(p string) bool {
	if path.Base(p) == ".package-lock.json" {
		return path.Base(dirOf(p)) == "node_modules" && !inNodeModules(strings.TrimSuffix(dirOf(p), "node_modules"))
	}
	return !inNodeModules(p) && !a.owners.owns(p) && !underTestFolder(dirOf(p)) && !strings.Contains("/"+p, "/site-packages/")
}

func (a *artifact) readLock(p string, parser lockParser) (lock, bool) {
	data, err := a.read(p, a.opts.MaxLockfile)
	if err == nil && parser.json {
		err = a.checkJSON(data)
	}
	var entries []lockEntry
	if err == nil {
		entries, err = parser.parse(data, a.manifestBeside(p))
	}
	if err == nil && len(entries) > a.opts.MaxKeys {
		err = &limitError{fmt.Sprintf("%d packages", len(entries)), int64(a.opts.MaxKeys)}
	}
	if err != nil {
		a.unread(p, fmt.Errorf("read lockfile: %w", err))
		return lock{}, false
	}
	marked(entries)
	if path.Base(p) == "go.mod" {
		a.goSums(path.Join(dirOf(p), "go.sum"), entries)
	}
	dir := dirOf(p)
	if path.Base(p) == ".package-lock.json" {
		dir = dirOf(dir)
	}
	return lock{path: p, dir: dir, typ: parser.typ, entries: entries}, true
}

// manifestBeside returns the package.json in the folder of p, nil when there
// is none that can be read.
func (a *artifact) manifestBeside(p string) *npmManifest {
	switch path.Base(p) {
	case "yarn.lock", "bun.lock", "package-lock.json", "npm-shrinkwrap.json":
	default:
		return nil
	}
	at := path.Join(dirOf(p), "package.json")
	if !a.has(at) {
		return nil
	}
	data, err := a.readJSON(at, a.opts.MaxManifest)
	if err != nil {
		return nil
	}
	m, err := parseNpmManifest(data)
	if err != nil {
		return nil
	}
	return &m
}

// confirm adds what the lockfiles know to the installed packages that they name.
func (a *artifact) confirm(locks []lock) {
	type key struct{ typ, name, version, dir string }
	byKey := map[key][]int{} // with the folder and without
	for i := range a.found {
		if f := &a.found[i]; !f.declared && !f.main {
			k := key{f.typ, sbom.CanonicalName(f.typ, f.name), f.version, ""}
			byKey[k] = append(byKey[k], i)
			if k.dir = f.dir; k.dir != "" {
				byKey[k] = append(byKey[k], i)
			}
		}
	}
	for n := range locks {
		l := &locks[n]
		asked := map[key]bool{}
		for i := range l.entries {
			e := &l.entries[i]
			if e.version == "" {
				continue
			}
			k := key{l.typ, sbom.CanonicalName(l.typ, e.name), e.version, ""}
			if e.path != "" {
				k.dir = path.Join(l.dir, e.path)
			}
			if asked[k] {
				continue
			}
			asked[k] = true
			for _, at := range byKey[k] {
				a.found[at].confirmed(e, l.path)
			}
		}
	}
}

// confirmed adds what one entry of a lockfile says.
func (f *found) confirmed(e *lockEntry, lock string) {
	if f.resolved == "" {
		f.resolved = e.resolved
	}
	if f.hashes == nil {
		f.hashes = e.hashes
	}
	if n := len(f.also); n > 0 && f.also[n-1].Path == lock || n >= maxConfirmations {
		return
	}
	f.also = append(f.also, sbom.Evidence{Method: sbom.MethodLockfile, Confidence: 0.9, Path: lock})
}

// maxConfirmations is how many lockfiles are listed as evidence for one package.
const maxConfirmations = 10

// declare adds the production packages of a lockfile that are not there yet.
func (a *artifact) declare(l *lock, have map[string]bool) {
	if !slices.ContainsFunc(l.entries, func(e lockEntry) bool { return !e.main }) {
		return // it names nothing, so that it bounds nothing
	}
	detail := ""
	if l.typ == "npm" && a.bundles.untold(l.dir) {
		detail = "a production package, and the bytes of the bundle do not tell whether it is inside"
	}
	for i := range l.entries {
		e := &l.entries[i]
		if e.dev || e.main || e.name == "" {
			continue
		}
		f := found{
			typ: l.typ, name: e.name, version: e.version, path: l.path, method: sbom.MethodLockfile, confidence: 0.9,
			resolved: e.resolved, hashes: e.hashes, declared: true, detail: detail, traits: e.noted(l.path),
		}
		if p := f.purl(); !have[p] {
			have[p] = true
			f.requires, f.ranges = l.needsOf(i), e.takes(l.typ)
			a.add(f)
		}
	}
	a.bounds = append(a.bounds, l)
}

// production marks as dev what is not reached from the roots, and as root what
// they name. More are keys that also lead to production packages.
//
// A key that no entry has stands for every entry of its name: an override
// (Yarn's "resolutions") replaces what a package asks for, and the lockfile
// then has the replacement only.
func production(entries []lockEntry, roots []string, more ...string) {
	find := newKeyFinder(entries).find
	asked := map[string]bool{}
	todo := append([]string(nil), roots...)
	for len(todo) > 0 {
		k, at := find(todo[len(todo)-1])
		todo = todo[:len(todo)-1]
		if asked[k] {
			continue
		}
		asked[k] = true
		for _, i := range at {
			if entries[i].main && !entries[i].root {
				todo = append(todo, entries[i].needs...)
			}
			entries[i].root = true
		}
	}
	reached := make([]bool, len(entries))
	clear(asked)
	todo = append(append(todo, roots...), more...)
	for len(todo) > 0 {
		k, at := find(todo[len(todo)-1])
		todo = todo[:len(todo)-1]
		if asked[k] {
			continue
		}
		asked[k] = true
		for _, i := range at {
			if !reached[i] {
				reached[i] = true
				todo = append(todo, entries[i].needs...)
			}
		}
	}
	for i := range entries {
		entries[i].dev = !reached[i]
	}
}

// integrity decodes a Subresource Integrity string, "sha512-BASE64 ..."
// (https://www.w3.org/TR/SRI/#the-integrity-attribute).
func integrity(s string) map[string]string {
	var out map[string]string
	for part := range strings.FieldsSeq(s) {
		algorithm, value, ok := strings.Cut(part, "-")
		if !ok {
			continue
		}
		value, _, _ = strings.Cut(value, "?")
		sum, err := base64.StdEncoding.DecodeString(value)
		if err != nil || len(sum) < 16 || len(sum) > 64 {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[strings.ToLower(algorithm)] = hex.EncodeToString(sum)
	}
	return out
}
