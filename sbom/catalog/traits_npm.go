package catalog

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// npmScripts returns what npm runs when it installs a package, "name: command",
// in the order in which it does (https://docs.npmjs.com/cli/v11/using-npm/scripts).
// What it runs before it packs (prepare) it also runs when it takes a package
// from a repository; that comes back on its own.
func npmScripts(fields map[string]json.RawMessage) (scripts []string, prepare string) {
	raw := fields["scripts"]
	if !bytes.Contains(raw, []byte("install")) && !bytes.Contains(raw, []byte("prepare")) {
		return nil, ""
	}
	all := npmField[map[string]json.RawMessage](fields, "scripts")
	for _, name := range []string{"preinstall", "install", "postinstall"} {
		if s := strings.TrimSpace(npmField[string](all, name)); s != "" {
			scripts = append(scripts, name+": "+s)
		}
	}
	return scripts, strings.TrimSpace(npmField[string](all, "prepare"))
}

// npmTaken returns what npm up to version 6 wrote into the manifest of a package
// that it installed from elsewhere than by its name and version from a registry;
// "" for all others. Anybody can publish a manifest with such lines in it, so
// that they count only where they are complete.
func npmTaken(fields map[string]json.RawMessage, m *npmManifest) string {
	if fields["_resolved"] == nil || fields["_requested"] == nil || npmField[string](fields, "_id") != m.name+"@"+m.version {
		return ""
	}
	type requested struct {
		Type string `json:"type"`
	}
	from := npmField[string](fields, "_resolved")
	switch npmField[requested](fields, "_requested").Type {
	case "git", "hosted", "remote", "file", "directory":
		return from
	}
	return ""
}

// npmTraits notes of an installed package what its manifest says about how it
// came here and what it ran then.
func (a *artifact) npmTraits(f *found, m *npmManifest) {
	scripts := m.scripts
	if len(scripts) == 0 && m.gyp && a.has(path.Join(f.dir, "binding.gyp")) {
		scripts = []string{"install: node-gyp rebuild"} // as npm does it unasked
	}
	if m.taken != "" {
		if kind := referenceKind(m.taken); kind != "" {
			t := trait(kind, m.taken)
			t.Path = f.path
			f.has(t)
			if kind == sbom.TraitGit && m.prepare != "" {
				scripts = append(scripts, "prepare: "+m.prepare)
			}
		}
	}
	f.prepare = m.prepare
	a.scripts(f, scripts)
}

// scripts notes what is run at the installation of a package, and what those of
// its own files do that are run.
func (a *artifact) scripts(f *found, scripts []string) {
	for _, s := range scripts {
		t := trait(sbom.TraitScript, s)
		t.Path = f.path
		f.has(t)
		for _, at := range called(s) {
			a.calls(f, path.Join(f.dir, path.Clean("/"+at)))
		}
	}
}

// calls notes what a file does that is run at installation. A shell, a Node.js
// or a Python program tells; whatever else it is (native code) does not.
func (a *artifact) calls(f *found, p string) {
	for _, at := range []string{p, p + ".js", p + ".cjs", path.Join(p, "index.js")} {
		i, ok := a.byPath[at]
		if !ok || a.files[i].Link != "" {
			continue
		}
		text, err := a.read(at, maxCalled)
		does := "it could not be read"
		if err == nil {
			does = strings.Join(doings(text), ", ")
		}
		if does != "" {
			f.has(sbom.Trait{Kind: sbom.TraitCalls, Path: at, Detail: does})
		}
		return
	}
}
