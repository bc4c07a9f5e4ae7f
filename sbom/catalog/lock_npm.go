package catalog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// parsePackageLock reads package-lock.json and npm-shrinkwrap.json, versions 1
// to 3 (https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json).
//
// "devOptional" packages are needed to develop and by an optional dependency:
// npm install --omit=dev installs them.
func parsePackageLock(data []byte, manifest *npmManifest) ([]lockEntry, error) {
	type version1 struct {
		Version      string                     `json:"version"`
		Resolved     string                     `json:"resolved"`
		Integrity    string                     `json:"integrity"`
		Dev          bool                       `json:"dev"`
		Requires     json.RawMessage            `json:"requires"`
		Bundled      bool                       `json:"bundled"`
		Dependencies map[string]json.RawMessage `json:"dependencies"`
	}
	type version3 struct {
		Name         string          `json:"name"`
		Version      string          `json:"version"`
		Resolved     string          `json:"resolved"`
		Integrity    string          `json:"integrity"`
		Link         bool            `json:"link"`
		InBundle     bool            `json:"inBundle"` // another package was published with it inside
		Script       bool            `json:"hasInstallScript"`
		Dev          bool            `json:"dev"`
		Dependencies json.RawMessage `json:"dependencies"`
		Optional     json.RawMessage `json:"optionalDependencies"`
		Develop      json.RawMessage `json:"devDependencies"`
	}
	var doc struct {
		LockfileVersion int                        `json:"lockfileVersion"`
		Packages        map[string]json.RawMessage `json:"packages"`
		Dependencies    map[string]json.RawMessage `json:"dependencies"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("parse package lock: %w", err)
	}
	var out []lockEntry
	roots := map[string]bool{} // paths of what the projects ask for
	ask := func(at, name, rng string) {
		if !localRange(rng) {
			roots[path.Join(at, "node_modules", name)], roots["node_modules/"+name] = true, true
		}
	}
	if manifest != nil {
		for name, rng := range manifest.ranges {
			ask("", name, rng)
		}
	}
	defer func() {
		for i := range out {
			out[i].root = roots[out[i].path] && !out[i].main
		}
	}()
	if doc.Packages != nil {
		addresses := map[string]bool{} // that somebody asks for; any other is that of a registry
		defer func() {
			for i := range out {
				if e := &out[i]; addresses[e.resolved] {
					e.byAddress()
				}
			}
		}()
		for _, at := range slices.Sorted(maps.Keys(doc.Packages)) {
			var p version3
			if json.Unmarshal(doc.Packages[at], &p) != nil {
				continue
			}
			for _, deps := range []json.RawMessage{p.Dependencies, p.Optional, p.Develop} {
				addAddresses(addresses, deps)
			}
			i := lastNodeModules(at)
			if i < 0 { // the project itself and its workspaces
				var deps map[string]string
				_ = json.Unmarshal(p.Dependencies, &deps)
				for name, rng := range deps {
					ask(at, name, rng)
				}
				continue
			}
			name := at[i:]
			if p.Name != "" {
				name = p.Name
			}
			e := lockEntry{name: name, version: npmVersion(p.Version), path: at, resolved: p.Resolved, hashes: integrity(p.Integrity), dev: p.Dev, main: p.Link, asks: []json.RawMessage{p.Dependencies, p.Optional}}
			o := lockOrigin{address: p.Resolved, digest: p.Integrity, lacks: !p.InBundle && !p.Link, alias: at[i:]}
			if p.Link || referenceKind(p.Resolved) != sbom.TraitURL {
				o.reference = p.Resolved
			}
			if p.Link && referenceKind(p.Resolved) == "" {
				o.reference = "link:" + p.Resolved // the folder is written as it is
			}
			e.came(o)
			if p.Script {
				e.is(sbom.TraitScript, sbom.NotTold)
			}
			out = append(out, e)
		}
		return out, nil
	}
	if doc.Dependencies == nil && doc.LockfileVersion == 0 {
		return nil, errNotLockfile
	}
	var walk func(prefix string, deps map[string]json.RawMessage)
	walk = func(prefix string, deps map[string]json.RawMessage) {
		for _, name := range slices.Sorted(maps.Keys(deps)) {
			var d version1
			if json.Unmarshal(deps[name], &d) != nil {
				continue
			}
			at := prefix + "node_modules/" + name
			e := lockEntry{name: name, version: d.Version, path: at, resolved: d.Resolved, hashes: integrity(d.Integrity), dev: d.Dev, asks: []json.RawMessage{d.Requires}}
			o := lockOrigin{address: d.Resolved, digest: d.Integrity, lacks: !d.Bundled, alias: name}
			if real, version, ok := npmAlias(d.Version); ok {
				e.name, e.version = real, version
			} else if strings.ContainsAny(d.Version, ":/") {
				e.version, e.resolved = "", d.Version // git, file or URL
				o.reference = d.Version
			}
			e.came(o)
			out = append(out, e)
			walk(at+"/", d.Dependencies)
		}
	}
	walk("", doc.Dependencies)
	return out, nil
}

// addAddresses adds the addresses among the ranges of dependencies.
func addAddresses(to map[string]bool, deps json.RawMessage) {
	if !bytes.Contains(deps, []byte("http")) {
		return
	}
	var ranges map[string]string
	_ = json.Unmarshal(deps, &ranges)
	for _, rng := range ranges {
		if strings.HasPrefix(rng, "http") {
			to[rng] = true
		}
	}
}

// byAddress says that a package was asked for by its address: no registry
// answered for it.
func (e *lockEntry) byAddress() {
	for i := range e.traits {
		if e.traits[i].Kind == sbom.TraitResolved {
			e.traits[i].Kind = cmp.Or(referenceKind(e.resolved), sbom.TraitURL)
		}
	}
}

// npmAlias splits "npm:name@version".
func npmAlias(s string) (name, version string, ok bool) {
	s, ok = strings.CutPrefix(s, "npm:")
	if !ok {
		return "", "", false
	}
	return npmDescriptor(s)
}

// npmDescriptor splits "name@range"; the name may start with "@".
func npmDescriptor(s string) (name, rng string, ok bool) {
	if len(s) < 2 {
		return s, "", false
	}
	i := strings.IndexByte(s[1:], '@')
	if i < 0 {
		return s, "", false
	}
	return s[:i+1], s[i+2:], true
}

// parseYarnLock reads yarn.lock, version 1 and the YAML of later ones, by the
// indentation that both write.
func parseYarnLock(data []byte, manifest *npmManifest) ([]lockEntry, error) {
	if !strings.Contains(string(data[:min(len(data), 4096)]), "yarn lockfile v1") && !strings.Contains(string(data[:min(len(data), 4096)]), "__metadata:") {
		return nil, errNotLockfile
	}
	var out []lockEntry
	var e *lockEntry
	var taken yarnTaken
	finish := func() {
		if e != nil {
			e.came(taken.origin(e))
		}
		e, taken = nil, yarnTaken{}
	}
	section := ""
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimRight(line, " \r")
		text := strings.TrimLeft(line, " ")
		if text == "" || text[0] == '#' {
			continue
		}
		switch indent := len(line) - len(text); {
		case indent == 0:
			finish()
			if section = ""; strings.HasPrefix(text, "__metadata") {
				continue
			}
			out = append(out, yarnEntry(text))
			e = &out[len(out)-1]
			taken.descriptors = text
		case e == nil:
		case indent == 2:
			name, value := yarnField(text)
			section = ""
			switch name {
			case "version":
				e.version = value
			case "resolved":
				e.resolved = value
				taken.resolved = value
			case "integrity":
				e.hashes = integrity(value)
				taken.integrity = value
			case "resolution":
				yarnResolution(e, value)
				taken.resolution = value
			case "checksum":
				taken.checksum = value
			case "conditions":
				taken.conditional = true
			case "dependencies", "optionalDependencies":
				section = name
			}
		case indent == 4 && section != "":
			name, value := yarnField(text)
			e.needs = append(e.needs, yarnKey(name, value))
			e.take(name, strings.TrimPrefix(value, "npm:"))
		}
	}
	finish()
	if manifest != nil && !manifest.workspaces {
		var roots, more []string
		for name, rng := range manifest.ranges {
			roots = append(roots, yarnKey(name, rng))
		}
		for _, deps := range []map[string]string{manifest.optional, manifest.peer, manifest.resolutions} {
			for name, rng := range deps {
				more = append(more, yarnKey(name, rng))
			}
		}
		production(out, roots, more...)
	}
	return out, nil
}

func yarnEntry(text string) lockEntry {
	text = strings.TrimSuffix(text, ":")
	var e lockEntry
	for _, d := range yarnDescriptors(text) {
		name, rng, _ := npmDescriptor(d)
		if real, _, ok := npmAlias(rng); ok {
			e.name = real
		} else if e.name == "" {
			e.name = name
		}
		e.keys = append(e.keys, yarnKey(name, rng))
	}
	return e
}

// yarnDescriptors splits the key of an entry, which is one or more of
// "name@range" with commas between them. A range may hold commas itself
// (">=4.0.0, <5"): what is no descriptor belongs to the one before it.
func yarnDescriptors(text string) []string {
	var out []string
	start := 0
	cut := func(end int) { out = append(out, strings.Trim(strings.TrimSpace(text[start:end]), `"`)) }
	for i := 0; i < len(text); i++ {
		if text[i] != ',' {
			continue
		}
		next, _, _ := strings.Cut(text[i+1:], ",")
		name, _, ok := npmDescriptor(strings.Trim(strings.TrimSpace(next), `"`))
		if ok && !strings.ContainsAny(name, " <>=~^|*") {
			cut(i)
			start = i + 1
		}
	}
	cut(len(text))
	return out
}

// yarnKey is how one entry calls another. Later versions put "npm:" in front
// of ranges, in some places.
func yarnKey(name, rng string) string {
	return name + "@" + strings.TrimSpace(strings.TrimPrefix(rng, "npm:"))
}

// yarnField splits `name value`, `name "value"` and `name: value`.
func yarnField(text string) (name, value string) {
	if strings.HasPrefix(text, `"`) {
		end := strings.IndexByte(text[1:], '"')
		if end < 0 {
			return text, ""
		}
		name, value = text[1:end+1], text[end+2:]
	} else {
		i := strings.IndexAny(text, " :")
		if i < 0 {
			return text, ""
		}
		name, value = text[:i], text[i:]
	}
	value = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(value), ":"))
	return name, strings.Trim(value, `"`)
}

// yarnResolution reads "name@npm:version" or "name@workspace:path".
func yarnResolution(e *lockEntry, value string) {
	name, rng, ok := npmDescriptor(value)
	if !ok {
		return
	}
	e.name = name
	e.main = strings.HasPrefix(rng, "workspace:")
	if !strings.HasPrefix(rng, "npm:") {
		e.resolved = rng
	}
}

// parseBunLock reads bun.lock: JSON with trailing commas
// (https://bun.com/docs/pm/lockfile).
func parseBunLock(data []byte, _ *npmManifest) ([]lockEntry, error) {
	var doc struct {
		Workspaces map[string]struct {
			Dependencies         map[string]string `json:"dependencies"`
			OptionalDependencies map[string]string `json:"optionalDependencies"`
		} `json:"workspaces"`
		Packages map[string][]json.RawMessage `json:"packages"`
	}
	if err := json.Unmarshal(withoutTrailingCommas(data), &doc); err != nil {
		return nil, fmt.Errorf("parse bun lock: %w", err)
	}
	if doc.Workspaces == nil {
		return nil, errNotLockfile
	}
	var out []lockEntry
	for _, at := range slices.Sorted(maps.Keys(doc.Packages)) {
		p := doc.Packages[at]
		var id string
		if len(p) == 0 || json.Unmarshal(p[0], &id) != nil {
			continue
		}
		name, version, _ := npmDescriptor(id)
		e := lockEntry{name: name, version: version, keys: []string{name, bunName(at)}, hoisted: bunPlace(at)}
		o := lockOrigin{lacks: true, alias: bunName(at)}
		if strings.HasPrefix(version, "workspace:") {
			e.main = true
		} else if strings.ContainsAny(version, ":/") {
			e.version, e.resolved = "", version
			o.reference = version
		}
		for n, field := range p[1:] {
			var s string
			if json.Unmarshal(field, &s) == nil && strings.HasPrefix(s, "sha") {
				e.hashes = integrity(s)
				o.digest = s
			} else if n == 0 {
				o.address = s // "" is the default registry
			}
			var meta struct {
				Dependencies         map[string]string `json:"dependencies"`
				OptionalDependencies map[string]string `json:"optionalDependencies"`
				PeerDependencies     map[string]string `json:"peerDependencies"`
			}
			if json.Unmarshal(field, &meta) == nil {
				for _, deps := range []map[string]string{meta.Dependencies, meta.OptionalDependencies, meta.PeerDependencies} {
					e.needs = slices.AppendSeq(e.needs, maps.Keys(deps))
					for name, rng := range deps {
						e.take(name, rng)
					}
				}
			}
		}
		if !e.main {
			e.came(o)
		}
		out = append(out, e)
	}
	var roots []string
	for _, w := range doc.Workspaces {
		roots = slices.AppendSeq(slices.AppendSeq(roots, maps.Keys(w.Dependencies)), maps.Keys(w.OptionalDependencies))
	}
	production(out, roots)
	return out, nil
}

// bunName returns the package name that a key ends with: "a/b" is b below a,
// "a/@s/b" is @s/b below a.
func bunName(key string) string {
	parts := strings.Split(key, "/")
	n := len(parts)
	if n >= 2 && strings.HasPrefix(parts[n-2], "@") {
		return parts[n-2] + "/" + parts[n-1]
	}
	return parts[n-1]
}

// bunPlace returns where a key says that its package is installed.
func bunPlace(key string) string {
	parts := strings.Split(key, "/")
	var out strings.Builder
	for i, p := range parts {
		switch {
		case i > 0 && strings.HasPrefix(parts[i-1], "@"):
			out.WriteString("/" + p)
		case i > 0:
			out.WriteString("/node_modules/" + p)
		default:
			out.WriteString("node_modules/" + p)
		}
	}
	return out.String()
}

// withoutTrailingCommas turns JSON with trailing commas into JSON of the same
// length.
func withoutTrailingCommas(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '"':
			start := i
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
			out = append(out, data[start:min(i+1, len(data))]...)
		case '}', ']':
			n := len(out)
			for n > 0 && (out[n-1] == ' ' || out[n-1] == '\n' || out[n-1] == '\r' || out[n-1] == '\t') {
				n--
			}
			if n > 0 && out[n-1] == ',' {
				out[n-1] = ' ' // the lines stay as they are
			}
			out = append(out, c)
		default:
			out = append(out, c)
		}
	}
	return out
}
