package catalog

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fnaudit/fnaudit/sbom"
)

// parseGemfileLock reads Gemfile.lock. It does not say which gems are only for
// development, so all count.
func parseGemfileLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	var out []lockEntry
	section, remote, revision, specs := "", "", "", false
	known, summed := false, false
	sums := map[string]string{} // "name version" -> digest, as written
	direct := map[string]bool{}
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimRight(line, " \r")
		text := strings.TrimLeft(line, " ")
		switch indent := len(line) - len(text); {
		case text == "":
		case indent == 0:
			section, remote, revision, specs = text, "", "", false
			summed = summed || text == "CHECKSUMS"
			known = known || text == "GEM" || text == "DEPENDENCIES" || text == "PATH" || text == "GIT"
		case indent == 2:
			specs = text == "specs:"
			if r, ok := strings.CutPrefix(text, "remote: "); ok {
				remote = r
			}
			if r, ok := strings.CutPrefix(text, "revision: "); ok {
				revision = r
			}
			if section == "DEPENDENCIES" {
				name, _, _ := strings.Cut(strings.TrimSuffix(text, "!"), " (")
				direct[name] = true
			}
			if id, sum, ok := strings.Cut(text, ") "); ok && section == "CHECKSUMS" {
				sums[strings.Replace(id, " (", " ", 1)] = sum
			}
		case indent == 2+4 && specs && len(out) > 0:
			name, rng, _ := strings.Cut(strings.TrimSuffix(text, ")"), " (")
			out[len(out)-1].needs = append(out[len(out)-1].needs, name)
			out[len(out)-1].take(name, cmp.Or(rng, ">= 0"))
		case indent == 4 && specs:
			name, version, ok := strings.Cut(strings.TrimSuffix(text, ")"), " (")
			if !ok {
				continue
			}
			full := name + " " + version
			version, _, _ = strings.Cut(version, "-") // the platform: 1.13.10-x86_64-linux
			e := lockEntry{name: name, version: version, main: section == "PATH", keys: []string{full}}
			o := lockOrigin{}
			switch section {
			case "GEM":
				o.address = remote
			case "PATH":
				e.resolved, o.reference = remote, fileReference(remote)
			default:
				e.resolved, o.reference = remote, gitReference(remote, revision)
			}
			e.came(o)
			out = append(out, e)
		}
	}
	if !known {
		return nil, errNotLockfile
	}
	for i := range out {
		if e := &out[i]; summed && e.resolved == "" { // of a gem of a server; the section comes last, and only newer versions of Bundler write it
			e.came(lockOrigin{digest: gemDigest(sums[e.keys[0]]), lacks: true})
		}
		out[i].keys, out[i].direct = []string{out[i].name}, direct[out[i].name]
	}
	return out, nil
}

// gemDigest spells "sha256=HEX" as digests are.
func gemDigest(s string) string { return strings.Replace(s, "=", ":", 1) }

// parseComposerLock reads composer.lock. Its digests are those of archives that
// hosts of repositories make: mostly there are none.
func parseComposerLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	type place struct {
		Type      string `json:"type"`
		URL       string `json:"url"`
		Reference string `json:"reference"`
		Sum       string `json:"shasum"`
	}
	type pkg struct {
		Name    string                     `json:"name"`
		Version string                     `json:"version"`
		Source  place                      `json:"source"`
		Dist    place                      `json:"dist"`
		Require map[string]json.RawMessage `json:"require"`
	}
	var doc struct {
		Packages []pkg `json:"packages"`
		Dev      []pkg `json:"packages-dev"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("parse composer.lock: %w", err)
	}
	if doc.Packages == nil && doc.Dev == nil {
		return nil, errNotLockfile
	}
	var out []lockEntry
	add := func(p pkg, dev bool) {
		e := lockEntry{name: p.Name, version: p.Version, resolved: p.Source.URL, dev: dev, keys: []string{strings.ToLower(p.Name)}}
		for name, text := range p.Require { // "php" and "ext-json", which are the platform, are no entries
			e.needs = append(e.needs, strings.ToLower(name))
			var rng string
			if strings.Contains(name, "/") && json.Unmarshal(text, &rng) == nil {
				e.take(name, rng)
			}
		}
		o := lockOrigin{address: p.Dist.URL}
		switch {
		case p.Dist.Type == "path":
			o.reference = fileReference(p.Dist.URL)
		case p.Dist.URL == "" && p.Source.URL != "":
			o.reference = gitReference(p.Source.URL, p.Source.Reference)
		case p.Dist.Sum != "":
			o.digest = "sha1:" + p.Dist.Sum
		}
		e.came(o)
		out = append(out, e)
	}
	for _, p := range doc.Packages {
		add(p, false)
	}
	for _, p := range doc.Dev {
		add(p, true)
	}
	return out, nil
}

// parseCargoLock reads Cargo.lock. Packages without a source are the
// workspace's own. It does not tell build and test dependencies apart, so all
// count.
func parseCargoLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	tables, err := tomlPackages(data, "name", "version", "source", "checksum", "dependencies")
	if err != nil {
		return nil, err
	}
	if len(tables) == 0 {
		return nil, errNotLockfile
	}
	var out []lockEntry
	var asked []string // by the workspace
	for _, t := range tables {
		e := lockEntry{name: t.text("name"), version: t.text("version"), main: t.text("source") == "", needs: cargoNeeds(t.list("dependencies"))}
		if e.keys = []string{e.name, e.name + " " + e.version}; e.main {
			asked = append(asked, e.needs...)
		}
		o := lockOrigin{lacks: true, digest: t.text("checksum")}
		switch kind, at, _ := strings.Cut(t.text("source"), "+"); kind {
		case "registry":
			o.address = at
		case "sparse":
			e.resolved, o.address = t.text("source"), at
		default:
			e.resolved, o.reference = t.text("source"), t.text("source")
		}
		if o.digest != "" {
			o.digest = "sha256:" + o.digest
		}
		if !e.main {
			e.came(o)
		}
		if sum := t.text("checksum"); len(sum) == 64 {
			if _, err := hex.DecodeString(sum); err == nil {
				e.hashes = map[string]string{"sha256": strings.ToLower(sum)}
			}
		}
		out = append(out, e)
	}
	find := newKeyFinder(out).find
	for _, need := range asked {
		if _, at := find(need); len(at) == 1 {
			out[at[0]].direct = true
		}
	}
	return out, nil
}

// cargoNeeds reads "name", "name 1.0.0" and "name 1.0.0 (registry+…)": Cargo
// writes as much as tells which one is meant.
func cargoNeeds(list []any) []string {
	var out []string
	for _, x := range list {
		s, _ := x.(string)
		s, _, _ = strings.Cut(s, " (")
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// parseGoMod reads the requirements of go.mod, with replacements applied
// (https://go.dev/ref/mod#go-mod-file). Since Go 1.17 they are complete for
// what the module builds.
func parseGoMod(data []byte, _ *npmManifest) ([]lockEntry, error) {
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		if f, err = modfile.ParseLax("go.mod", data, nil); err != nil {
			return nil, fmt.Errorf("parse go.mod: %w", err)
		}
	}
	if f.Module == nil {
		return nil, errNotLockfile
	}
	var out []lockEntry
	for _, r := range f.Require {
		e := lockEntry{name: r.Mod.Path, version: r.Mod.Version, direct: !r.Indirect}
		for _, x := range f.Replace {
			if x.Old.Path != r.Mod.Path || x.Old.Version != "" && x.Old.Version != r.Mod.Version {
				continue
			}
			if x.New.Version == "" {
				e.version, e.resolved = "", x.New.Path // a folder: whatever lies there
				e.is(sbom.TraitFolder, x.New.Path)
			} else {
				e.name, e.version = x.New.Path, x.New.Version
			}
			e.is(sbom.TraitReplaced, r.Mod.Path+" "+r.Mod.Version)
		}
		out = append(out, e)
	}
	return out, nil
}

// parseNuGetLock reads packages.lock.json.
func parseNuGetLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	type dependency struct {
		Type     string                     `json:"type"`
		Resolved string                     `json:"resolved"`
		Needs    map[string]json.RawMessage `json:"dependencies"`
	}
	var doc struct {
		Version      int                              `json:"version"`
		Dependencies map[string]map[string]dependency `json:"dependencies"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("parse packages.lock.json: %w", err)
	}
	if doc.Dependencies == nil || doc.Version == 0 {
		return nil, errNotLockfile
	}
	var out []lockEntry
	for _, framework := range slices.Sorted(maps.Keys(doc.Dependencies)) {
		deps := doc.Dependencies[framework]
		for _, name := range slices.Sorted(maps.Keys(deps)) {
			d := deps[name]
			e := lockEntry{name: name, version: d.Resolved, main: d.Type == "Project", direct: d.Type == "Direct", keys: []string{strings.ToLower(name)}}
			for need, text := range d.Needs {
				e.needs = append(e.needs, strings.ToLower(need))
				var rng string
				if json.Unmarshal(text, &rng) == nil {
					e.take(need, rng)
				}
			}
			out = append(out, e)
		}
	}
	return out, nil
}
