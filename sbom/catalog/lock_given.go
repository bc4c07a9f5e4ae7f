package catalog

import (
	"bytes"
	"fmt"
	"path"

	"github.com/fnaudit/fnaudit/sbom"
)

// Lockfile is a lockfile that does not lie in what is catalogued: a bundler
// leaves it behind. It is safe for concurrent use.
type Lockfile struct{ index *lockIndex }

// ReadLockfile reads a lockfile of npm, Yarn, pnpm or bun. The name decides the
// format, or else the content does. The manifest is the package.json beside it,
// nil when there is none: Yarn needs it to tell production from development.
func ReadLockfile(name string, data, manifest []byte) (*Lockfile, error) {
	opts := Options{}.withDefaults()
	if int64(len(data)) > opts.MaxLockfile {
		return nil, &limitError{fmt.Sprintf("%d bytes", len(data)), opts.MaxLockfile}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	parser, ok := lockParsers()[path.Base(name)]
	if !ok {
		parser, ok = sniffLock(data)
	}
	if !ok || parser.typ != "npm" {
		return nil, errNotLockfile
	}
	a := &artifact{opts: opts}
	if parser.json {
		if err := a.checkJSON(data); err != nil {
			return nil, err
		}
	}
	var m *npmManifest
	if manifest != nil && a.checkJSON(manifest) == nil {
		if parsed, err := parseNpmManifest(manifest); err == nil {
			m = &parsed
		}
	}
	entries, err := parser.parse(data, m)
	if err != nil {
		return nil, err
	}
	if len(entries) > opts.MaxKeys {
		return nil, &limitError{fmt.Sprintf("%d packages", len(entries)), int64(opts.MaxKeys)}
	}
	marked(entries)
	l := &lock{path: name, typ: "npm", entries: entries}
	l.graph = newLockGraph(l) // now: it is shared
	x := newLockIndex(l)
	x.given = true
	return &Lockfile{x}, nil
}

// sniffLock finds the format of a lockfile that was renamed.
func sniffLock(data []byte) (lockParser, bool) {
	head := data[:min(len(data), 4096)]
	name := ""
	switch {
	case bytes.Contains(head, []byte("yarn lockfile v1")), bytes.Contains(head, []byte("\n__metadata:")):
		name = "yarn.lock"
	case bytes.HasPrefix(head, []byte("lockfileVersion:")):
		name = "pnpm-lock.yaml"
	case bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) && bytes.Contains(head, []byte(`"lockfileVersion"`)):
		name = "package-lock.json"
		if bytes.Contains(head, []byte(`"workspaces"`)) && !bytes.Contains(head, []byte(`"requires"`)) {
			name = "bun.lock"
		}
	}
	p, ok := lockParsers()[name]
	return p, ok
}

// declareGiven declares the production packages of the lockfiles that were
// given, as far as the bundles that do not tell what is inside may hold them.
func (a *artifact) declareGiven(have map[string]bool) {
	for i := range a.bundles {
		b := &a.bundles[i]
		if b.telling() || len(a.opts.lockIndexes) == 0 {
			continue
		}
		for _, x := range a.opts.lockIndexes {
			for k := range x.entries {
				e := &x.entries[k]
				if e.dev || e.main || e.name == "" {
					continue
				}
				f := found{
					typ: "npm", name: e.name, version: e.version, path: b.path, at: x.path, method: sbom.MethodLockfile, confidence: 0.5,
					resolved: e.resolved, hashes: e.hashes, traits: e.noted(x.path), declared: true, detail: "a production package, and the bytes of " + clip(b.path) + " do not tell whether it is inside",
				}
				if p := f.purl(); !have[p] {
					have[p] = true
					f.requires, f.ranges = x.needsOf(k), e.takes(x.typ)
					a.add(f)
				}
			}
		}
		return // one bundle stands for all: which one holds a package is not known
	}
}
