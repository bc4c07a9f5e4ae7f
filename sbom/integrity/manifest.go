package integrity

import (
	"encoding/json"
	"path"
	"reflect"
	"slices"
	"strings"
)

// manifest is a package.json.
type manifest map[string]any

func parseManifest(data []byte) (manifest, error) {
	var m manifest
	err := json.Unmarshal(trimMark(data), &m)
	return m, err
}

func trimMark(data []byte) []byte { return []byte(strings.TrimPrefix(string(data), "\ufeff")) }

// scripts returns the scripts that are texts.
func (m manifest) scripts() map[string]string {
	out := map[string]string{}
	all, _ := m["scripts"].(map[string]any)
	for name, v := range all {
		if s, ok := v.(string); ok {
			out[name] = s
		}
	}
	return out
}

// entries returns the files that the package runs when it is required or
// started, as far as it names them one by one.
func (m manifest) entries() []string {
	var out []string
	add := func(v any) {
		if s, ok := v.(string); ok {
			out = append(out, path.Clean(strings.TrimPrefix(s, "./")))
		}
	}
	add(m["main"])
	add(m["module"])
	add(m["bin"])
	bins, _ := m["bin"].(map[string]any)
	for _, v := range bins {
		add(v)
	}
	return out
}

// steering are the fields that decide which code runs.
var steering = []string{"name", "version", "main", "module", "exports", "imports", "type", "browser"}

// manifestWeight compares a package.json with the published one. Old versions of
// npm wrote it anew: with fields of their own, whose names begin with "_", and
// with others in their long form. What decides which code runs they left alone.
func manifestWeight(want, got []byte) (Weight, string) {
	w, err := parseManifest(want)
	if err != nil {
		return High, "the published one cannot be parsed"
	}
	g, err := parseManifest(got)
	if err != nil {
		return High, "it cannot be parsed"
	}
	for _, field := range steering {
		if !reflect.DeepEqual(w[field], g[field]) {
			return High, "its field " + field + " was changed, which decides what runs"
		}
	}
	we, ge := w.entries(), g.entries()
	slices.Sort(we)
	slices.Sort(ge)
	if !slices.Equal(we, ge) {
		return High, "its field bin was changed, which decides what runs"
	}
	for name, s := range g.scripts() {
		if w.scripts()[name] != s {
			return Medium, "its script " + clip(name) + " was changed"
		}
	}
	if added := addedDependency(w, g); added != "" {
		return Medium, "it needs " + clip(added) + ", which the published one does not"
	}
	return Low, "it was written anew; nothing that decides what runs was changed"
}

// addedDependency returns a dependency that got has and want has not.
func addedDependency(want, got manifest) string {
	known := map[string]bool{}
	for _, field := range []string{"dependencies", "optionalDependencies", "peerDependencies", "bundleDependencies", "bundledDependencies"} {
		deps, _ := want[field].(map[string]any)
		for name := range deps {
			known[name] = true
		}
	}
	var added []string
	for _, field := range []string{"dependencies", "optionalDependencies"} {
		deps, _ := got[field].(map[string]any)
		for name := range deps {
			if !known[name] {
				added = append(added, name)
			}
		}
	}
	if len(added) == 0 {
		return ""
	}
	return slices.Min(added)
}
