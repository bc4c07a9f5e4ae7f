package catalog

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/fnaudit/fnaudit/sbom"
)

// parsePipfileLock reads Pipfile.lock (https://github.com/pypa/pipfile).
func parsePipfileLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	type pin struct {
		Version string   `json:"version"`
		Git     string   `json:"git"`
		Ref     string   `json:"ref"`
		File    string   `json:"file"`
		Path    string   `json:"path"`
		Index   string   `json:"index"` // name of the source
		Hashes  []string `json:"hashes"`
	}
	var doc struct {
		Meta    json.RawMessage            `json:"_meta"`
		Default map[string]json.RawMessage `json:"default"`
		Develop map[string]json.RawMessage `json:"develop"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("parse Pipfile.lock: %w", err)
	}
	if doc.Default == nil && doc.Meta == nil {
		return nil, errNotLockfile
	}
	var meta struct {
		Sources []struct {
			Name string `json:"name"`
			URL  string `json:"url"`
		} `json:"sources"`
	}
	_ = json.Unmarshal(doc.Meta, &meta)
	sources := map[string]string{}
	for i := len(meta.Sources) - 1; i >= 0; i-- {
		sources[meta.Sources[i].Name] = meta.Sources[i].URL
		sources[""] = meta.Sources[i].URL // the first is the default
	}
	var out []lockEntry
	add := func(pins map[string]json.RawMessage, dev bool) {
		for _, name := range slices.Sorted(maps.Keys(pins)) {
			var p pin
			if json.Unmarshal(pins[name], &p) != nil {
				continue
			}
			e := lockEntry{name: name, version: strings.TrimLeft(p.Version, "= "), resolved: p.Git + p.File + p.Path, dev: dev}
			o := lockOrigin{address: sources[p.Index], lacks: len(p.Hashes) == 0, reference: cmp.Or(gitReference(p.Git, p.Ref), fileReference(p.File), fileReference(p.Path))}
			e.came(o)
			pythonDigests(&e, p.Hashes)
			out = append(out, e)
		}
	}
	add(doc.Default, false)
	add(doc.Develop, true)
	return out, nil
}

// parsePoetryLock reads poetry.lock. Up to version 1.4 and from 2.0 on it says
// which packages are for development (category, groups); in between it doesn't,
// and all count.
func parsePoetryLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	tables, err := tomlPackages(data, "name", "version", "category", "groups", "source", "files", "dependencies")
	if err != nil {
		return nil, err
	}
	if len(tables) == 0 && !strings.Contains(string(data), "[metadata]") {
		return nil, errNotLockfile
	}
	var out []lockEntry
	summed := slices.ContainsFunc(tables, func(t tomlTable) bool { return len(t.list("files")) > 0 }) // older ones have them elsewhere
	for _, t := range tables {
		e := lockEntry{name: t.text("name"), version: t.text("version"), needs: poetryNeeds(t.table("dependencies"))}
		e.keys = []string{sbom.CanonicalName("pypi", e.name)}
		for name, rng := range t.table("dependencies") {
			if text, ok := rng.(string); ok {
				e.take(name, poetryRange(text))
			} else {
				e.take(name, poetryRange(t.table("dependencies").table(name).text("version")))
			}
		}
		e.came(poetryOrigin(t, summed))
		pythonDigests(&e, hashesOf(t.list("files")))
		if c := t.text("category"); c != "" && c != "main" {
			e.dev = true
		}
		if len(t.list("groups")) > 0 {
			e.dev = !t.holds("groups", "main")
		}
		out = append(out, e)
	}
	return out, nil
}

// poetryNeeds returns what a package needs without its extras.
func poetryNeeds(dependencies tomlTable) []string {
	var out []string
	for name := range dependencies {
		if optional, _ := dependencies.table(name)["optional"].(bool); !optional {
			out = append(out, sbom.CanonicalName("pypi", name))
		}
	}
	slices.Sort(out)
	return out
}

// poetryRange is a constraint of poetry.lock, where "*" takes every version.
func poetryRange(s string) string {
	if s == "*" {
		return ">=0"
	}
	return s
}

// poetryOrigin reads [package.source]; without one the package is of the default
// index. summed says that the lockfile has digests beside its packages.
func poetryOrigin(t tomlTable, summed bool) lockOrigin {
	source := t.table("source")
	o := lockOrigin{lacks: summed && len(t.list("files")) == 0}
	switch at := source.text("url"); source.text("type") {
	case "git":
		o.reference = gitReference(at, cmp.Or(source.text("resolved_reference"), source.text("reference")))
	case "url":
		o.reference = at
	case "file", "directory":
		o.reference = fileReference(at)
	default:
		o.address = at
	}
	return o
}

// parseUVLock reads uv.lock. The project is the package whose source is a
// folder; what it needs to run is its list "dependencies".
func parseUVLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	tables, err := tomlPackages(data, "name", "version", "source", "sdist", "wheels", "dependencies", optionalDependencies)
	if err != nil {
		return nil, err
	}
	if len(tables) == 0 && !strings.Contains(string(data), "requires-python") {
		return nil, errNotLockfile
	}
	var out []lockEntry
	var roots []string
	for _, t := range tables {
		e := lockEntry{name: t.text("name"), version: t.text("version")}
		e.keys = []string{sbom.CanonicalName("pypi", e.name)}
		for _, d := range t.list("dependencies") {
			e.needs = append(e.needs, uvNeeds(d)...)
		}
		source := t.table("source")
		for _, local := range []string{"virtual", "editable", "directory"} {
			if source.text(local) != "" {
				e.main = true
			}
		}
		e.resolved = source.text("git")
		if !e.main {
			digests := hashesOf(append(t.list("wheels"), any(t.table("sdist"))))
			e.came(lockOrigin{
				reference: cmp.Or(gitReference(source.text("git"), ""), source.text("url"), fileReference(source.text("path"))),
				address:   source.text("registry"), lacks: len(digests) == 0,
			})
			pythonDigests(&e, digests)
		}
		if e.main {
			roots = append(roots, e.keys...)
		}
		out = append(out, e)
	}
	if len(roots) > 0 {
		uvExtras(tables, out)
		production(out, roots)
	}
	return out, nil
}

// optionalDependencies is where uv writes the dependencies that a package has
// for its extras.
const optionalDependencies = "optional-dependencies"

// uvNeeds returns the keys of one element of uv's lists of dependencies:
// { name = "x", extra = ["a", "b"] } needs "x", "x[a]" and "x[b]".
func uvNeeds(element any) []string {
	d, _ := element.(tomlTable)
	n := d.text("name")
	if n == "" {
		return nil
	}
	n = sbom.CanonicalName("pypi", n)
	keys := []string{n}
	for _, extra := range d.list("extra") {
		if s, ok := extra.(string); ok {
			keys = append(keys, n+"["+s+"]")
		}
	}
	return keys
}

// uvExtras adds the optional dependencies that some dependency asks for by an
// extra to what the package with the extra needs. An optional dependency may
// ask for more, so it goes on until nothing is new.
func uvExtras(tables []tomlTable, entries []lockEntry) {
	type extra struct {
		entry int
		needs []string
	}
	extras := map[string][]extra{}
	for i, t := range tables {
		optional := t.table(optionalDependencies)
		for name := range optional {
			e := extra{entry: i}
			for _, d := range optional.list(name) {
				e.needs = append(e.needs, uvNeeds(d)...)
			}
			key := entries[i].keys[0] + "[" + name + "]"
			extras[key] = append(extras[key], e)
		}
	}
	var todo []string
	for i := range entries {
		todo = append(todo, entries[i].needs...)
	}
	for len(todo) > 0 {
		key := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		asked := extras[key]
		delete(extras, key)
		for _, e := range asked {
			entries[e.entry].needs = append(entries[e.entry].needs, e.needs...)
			todo = append(todo, e.needs...)
		}
	}
}

// parsePDMLock reads pdm.lock.
func parsePDMLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	tables, err := tomlPackages(data, "name", "version", "groups", "git", "ref", "revision", "url", "path", "files")
	if err != nil {
		return nil, err
	}
	if len(tables) == 0 && !strings.Contains(string(data), "[metadata]") {
		return nil, errNotLockfile
	}
	var out []lockEntry
	for _, t := range tables {
		e := lockEntry{name: t.text("name"), version: t.text("version")}
		if len(t.list("groups")) > 0 {
			e.dev = !t.holds("groups", "default")
		}
		digests := hashesOf(t.list("files"))
		e.came(lockOrigin{
			reference: cmp.Or(gitReference(t.text("git"), cmp.Or(t.text("revision"), t.text("ref"))), t.text("url"), fileReference(t.text("path"))),
			lacks:     len(digests) == 0,
		})
		pythonDigests(&e, digests)
		out = append(out, e)
	}
	return out, nil
}

// requirement is one line of a requirements file.
type requirement struct {
	name, version string // version is set when the line pins one
	resolved      string
}

// parseRequirements reads a pip requirements file
// (https://pip.pypa.io/en/stable/reference/requirements-file-format/). It also
// returns the files that it includes.
func parseRequirements(data []byte) (reqs []requirement, includes []string) {
	reqs, includes, _ = scanRequirements(data)
	return reqs, includes
}

// scanRequirements also returns the number of lines that it can't tell what
// they ask for.
func scanRequirements(data []byte) (reqs []requirement, includes []string, strange int) {
	data, whole := decodeUTF16(data)
	if !whole {
		strange++
	}
	text := strings.ReplaceAll(string(data), "\\\r\n", " ")
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if i := strings.Index(line, " #"); i >= 0 {
			line = strings.TrimSpace(line[:i])
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '-' {
			for _, option := range []string{"-r", "--requirement"} {
				if rest, ok := strings.CutPrefix(line, option); ok && rest != "" && (rest[0] == ' ' || rest[0] == '=') {
					includes = append(includes, strings.TrimSpace(strings.TrimLeft(rest, "= ")))
				}
			}
			continue
		}
		line, _, _ = strings.Cut(line, " --") // --hash and other options of the line
		line, _, _ = strings.Cut(line, ";")
		if r, ok := parseRequirement(strings.TrimSpace(line)); ok {
			reqs = append(reqs, r)
		} else {
			strange++
		}
	}
	return reqs, includes, strange
}

// decodeUTF16 decodes a text that starts with the byte order mark of UTF-16,
// as pip does. Windows tools write such files. whole is false when the text
// ends in the middle of a character.
func decodeUTF16(data []byte) (text []byte, whole bool) {
	order := binary.ByteOrder(binary.LittleEndian)
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return data, true
	}
	data = data[2:]
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	return []byte(string(utf16.Decode(units))), len(data) == 0
}

func parseRequirement(line string) (requirement, bool) {
	if name, url, ok := strings.Cut(line, " @ "); ok {
		name = pythonName(name)
		return requirement{name: name, resolved: strings.TrimSpace(url)}, name != ""
	}
	if strings.Contains(line, "://") || strings.HasPrefix(line, ".") || strings.HasPrefix(line, "/") || strings.HasSuffix(line, ".whl") {
		if r, ok := wheelRequirement(line); ok {
			return r, true
		}
		_, name, _ := strings.Cut(line, "#egg=")
		name = pythonName(name)
		return requirement{name: name, resolved: line}, name != ""
	}
	r := requirement{name: pythonName(line)}
	if r.name == "" {
		return r, false
	}
	rest := strings.TrimSpace(line[strings.Index(line, r.name)+len(r.name):])
	if strings.HasPrefix(rest, "[") {
		if _, after, ok := strings.Cut(rest, "]"); ok {
			rest = strings.TrimSpace(after)
		}
	}
	if rest != "" && !strings.ContainsRune("=<>!~(@", rune(rest[0])) {
		return r, false // words, not a requirement
	}
	for _, op := range []string{"===", "=="} {
		if v, ok := strings.CutPrefix(rest, op); ok {
			if v = strings.TrimSpace(v); v != "" && !strings.ContainsAny(v, ",*<>!~ ") {
				r.version = v
			}
			break
		}
	}
	return r, true
}

// wheelRequirement takes name and version from the file name of a wheel,
// NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl
// (https://packaging.python.org/specifications/binary-distribution-format/).
func wheelRequirement(line string) (requirement, bool) {
	at, _, _ := strings.Cut(line, "#")
	stem, ok := strings.CutSuffix(path.Base(at), ".whl")
	parts := strings.Split(stem, "-")
	if !ok || len(parts) < 5 || parts[0] == "" || parts[1] == "" {
		return requirement{}, false
	}
	return requirement{name: parts[0], version: parts[1], resolved: line}, true
}
