package catalog

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// parseGemfileLock reads Gemfile.lock. It does not say which gems are only for
// development, so all count.
func parseGemfileLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	var out []lockEntry
	section, remote, specs := "", "", false
	known := false
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimRight(line, " \r")
		text := strings.TrimLeft(line, " ")
		switch indent := len(line) - len(text); {
		case text == "":
		case indent == 0:
			section, remote, specs = text, "", false
			known = known || text == "GEM" || text == "DEPENDENCIES" || text == "PATH" || text == "GIT"
		case indent == 2:
			specs = text == "specs:"
			if r, ok := strings.CutPrefix(text, "remote: "); ok && section != "GEM" {
				remote = r
			}
		case indent == 4 && specs:
			name, version, ok := strings.Cut(strings.TrimSuffix(text, ")"), " (")
			if !ok {
				continue
			}
			version, _, _ = strings.Cut(version, "-") // the platform: 1.13.10-x86_64-linux
			out = append(out, lockEntry{name: name, version: version, resolved: remote, main: section == "PATH"})
		}
	}
	if !known {
		return nil, errNotLockfile
	}
	return out, nil
}

// parseComposerLock reads composer.lock.
func parseComposerLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	type pkg struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Source  struct {
			URL string `json:"url"`
		} `json:"source"`
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
	for _, p := range doc.Packages {
		out = append(out, lockEntry{name: p.Name, version: p.Version, resolved: p.Source.URL})
	}
	for _, p := range doc.Dev {
		out = append(out, lockEntry{name: p.Name, version: p.Version, resolved: p.Source.URL, dev: true})
	}
	return out, nil
}

// parseCargoLock reads Cargo.lock. Packages without a source are the
// workspace's own. It does not tell build and test dependencies apart, so all
// count.
func parseCargoLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	tables, err := tomlPackages(data, "name", "version", "source", "checksum")
	if err != nil {
		return nil, err
	}
	if len(tables) == 0 {
		return nil, errNotLockfile
	}
	var out []lockEntry
	for _, t := range tables {
		e := lockEntry{name: t.text("name"), version: t.text("version"), main: t.text("source") == ""}
		if s := t.text("source"); !strings.HasPrefix(s, "registry+") {
			e.resolved = s
		}
		if sum := t.text("checksum"); len(sum) == 64 {
			if _, err := hex.DecodeString(sum); err == nil {
				e.hashes = map[string]string{"sha256": strings.ToLower(sum)}
			}
		}
		out = append(out, e)
	}
	return out, nil
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
		e := lockEntry{name: r.Mod.Path, version: r.Mod.Version}
		for _, x := range f.Replace {
			if x.Old.Path != r.Mod.Path || x.Old.Version != "" && x.Old.Version != r.Mod.Version {
				continue
			}
			if x.New.Version == "" {
				e.version, e.resolved = "", x.New.Path // a folder: whatever lies there
			} else {
				e.name, e.version = x.New.Path, x.New.Version
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// parseNuGetLock reads packages.lock.json.
func parseNuGetLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	type dependency struct {
		Type     string `json:"type"`
		Resolved string `json:"resolved"`
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
			out = append(out, lockEntry{name: name, version: d.Resolved, main: d.Type == "Project"})
		}
	}
	return out, nil
}
