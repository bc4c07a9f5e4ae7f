package catalog

import (
	"bufio"
	"bytes"
	"net/url"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// yarnTaken is what an entry of yarn.lock says about where its package came
// from: resolved and integrity in version 1, resolution and checksum later.
type yarnTaken struct {
	descriptors, resolved, integrity string
	resolution, checksum             string
	conditional                      bool // installed on some platforms only: without a checksum until it was fetched
}

// origin puts it together. In version 1 a reference is only in the key of the
// entry, since resolved is an address either way; its fragment is a SHA-1. The
// checksum of later versions is that of Yarn's own archive, and so no digest of
// what was published (https://yarnpkg.com/configuration/yarnrc#checksumBehavior).
func (t *yarnTaken) origin(e *lockEntry) lockOrigin {
	o := lockOrigin{digest: t.integrity, lacks: true}
	for _, d := range yarnDescriptors(strings.TrimSuffix(t.descriptors, ":")) {
		name, rng, _ := npmDescriptor(d)
		if kind := referenceKind(rng); kind != "" && t.resolution == "" {
			o.reference = rng
		}
		if name != e.name {
			o.alias = name
		}
	}
	if t.resolution != "" {
		t.later(e, &o)
		return o
	}
	address, sum, _ := strings.Cut(t.resolved, "#")
	switch referenceKind(t.resolved) {
	case sbom.TraitGit:
		o.reference = t.resolved // with its commit
	case sbom.TraitURL:
		if o.reference == "" {
			o.address = address
		}
		if o.digest == "" && len(sum) == 40 {
			o.digest = "sha1:" + sum
		}
	}
	return o
}

// later reads "name@npm:1.0.0", "name@https://…#commit=…", "name@link:…",
// "name@patch:name@npm%3A1.0.0#./x.patch::…".
func (t *yarnTaken) later(e *lockEntry, o *lockOrigin) {
	o.lacks = t.checksum == "" && !t.conditional
	_, rng, _ := npmDescriptor(t.resolution)
	switch {
	case e.main:
		*o = lockOrigin{}
	case strings.HasPrefix(rng, "npm:"):
		if _, bindings, ok := strings.Cut(rng, "::"); ok {
			if values, err := url.ParseQuery(bindings); err == nil {
				o.address = values.Get("__archiveUrl")
			}
		}
	case strings.HasPrefix(rng, "patch:"):
		if _, what, _ := strings.Cut(rng, "#"); !strings.Contains(what, "builtin<") { // those are Yarn's own
			e.is(sbom.TraitModified, "patch: "+what)
		}
	case strings.Contains(rng, "#commit="):
		o.reference = rng
		if referenceKind(rng) != sbom.TraitGit {
			o.reference = "git+" + rng
		}
	default:
		o.reference = rng
	}
}

// goSums notes of the modules of a go.mod what go.sum, beside it, has of them
// (https://go.dev/ref/mod#go-sum-files). A module of which only the go.mod was
// needed has no digest of its content, and lacks none.
func (a *artifact) goSums(p string, entries []lockEntry) {
	if !a.has(p) {
		return
	}
	data, err := a.read(p, a.opts.MaxLockfile)
	if err != nil {
		a.unread(p, err)
		return
	}
	sums, named := map[string]string{}, map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			continue
		}
		version, only := strings.CutSuffix(fields[1], "/go.mod")
		named[fields[0]+"@"+version] = true
		if !only {
			sums[fields[0]+"@"+version] = fields[2]
		}
	}
	for i := range entries {
		e := &entries[i]
		if e.version == "" {
			continue
		}
		k := e.name + "@" + e.version
		e.is(sbom.TraitLocked, sums[k])
		if !named[k] {
			e.traits = append(e.traits, sbom.Trait{Kind: sbom.TraitNoIntegrity, Detail: clip(k + " is not in " + path.Base(p))})
		}
	}
}

// pythonDigests are those of the archives of one version. Of a version with
// many of them, one for each platform, it is not known which was installed, and
// none is kept.
func pythonDigests(e *lockEntry, digests []string) {
	const most = 2 // the source and a wheel for all platforms
	if len(digests) > most {
		return
	}
	for _, d := range digests {
		e.is(sbom.TraitLocked, d)
	}
}

// hashesOf returns the values of "hash" of a list of files.
func hashesOf(files []any) []string {
	var out []string
	for _, f := range files {
		t, _ := f.(tomlTable)
		if h := t.text("hash"); h != "" {
			out = append(out, h)
		}
	}
	return out
}

// fileReference spells a path as a reference.
func fileReference(p string) string {
	if p == "" || referenceKind(p) != "" {
		return p
	}
	return "./" + p
}

// gitReference spells a repository and a revision as a reference.
func gitReference(address, revision string) string {
	if address == "" {
		return ""
	}
	if !strings.HasPrefix(address, "git+") && referenceKind(address) != sbom.TraitGit {
		address = "git+" + address
	}
	if revision != "" && !strings.Contains(address, "#") {
		address += "#" + revision
	}
	return address
}
