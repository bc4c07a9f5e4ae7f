package integrity

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// shelf is a registry of a test: "npm:demo@1.0.0", with the file's name behind
// where a version has several -> archive.
type shelf map[string][]byte

func (s shelf) Extract(_ context.Context, p registry.Package, version, file string, t registry.Taking) (*registry.Extract, error) {
	data, ok := s[strings.TrimSpace(p.String()+"@"+version+" "+file)]
	if !ok {
		return nil, registry.ErrOffline
	}
	if data == nil {
		return nil, errors.New("500 from the registry")
	}
	s256, s512 := sha256.Sum256(data), sha512.Sum512(data)
	e := &registry.Extract{Size: int64(len(data)), SHA256: hex.EncodeToString(s256[:]), SHA512: hex.EncodeToString(s512[:])}
	body, err := t.Make(&registry.Archive{Bytes: bytes.NewReader(data), Size: e.Size, SHA256: e.SHA256, SHA512: e.SHA512})
	if err != nil {
		return e, err
	}
	return e, t.Read(body)
}

// packed is a published archive of files.
func packed(tb testing.TB, files tree) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	names := []string{}
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if err := w.WriteHeader(&tar.Header{Name: "package/" + n, Size: int64(len(files[n])), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(files[n])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// under puts files into a folder.
func (t tree) under(dir string) tree {
	out := tree{}
	for n, c := range t {
		out[dir+n] = c
	}
	return out
}

func (t tree) and(other tree) tree {
	out := tree{}
	for _, m := range []tree{t, other} {
		for n, c := range m {
			out[n] = c
		}
	}
	return out
}

func npmComponent(name, version string, dirs ...string) sbom.Component {
	m := sbom.Component{PURL: "pkg:npm/" + strings.Replace(name, "@", "%40", 1) + "@" + version, Name: name, Version: version, State: sbom.Live}
	for _, d := range dirs {
		m.Occurrences = append(m.Occurrences, sbom.Occurrence{Path: d + "package.json"})
	}
	return m
}

// TestNPM plants what may happen to an installed package.
func TestNPM(t *testing.T) {
	const manifest = `{"name":"demo","version":"1.0.0","main":"lib/a.js","bin":"cli","scripts":{"test":"t"},"dependencies":{"ms":"1"}}`
	files := tree{"package.json": manifest, "lib/a.js": "a\nb\n", "lib/a.js.map": "{}", "lib/a.d.ts": "x", "data.json": "{}", "README.md": "words", "cli": "#!/usr/bin/env node\n", "test/t.js": "t"}
	native := files.and(tree{"package.json": `{"name":"demo","version":"1.0.0","scripts":{"install":"node-gyp rebuild"}}`, "binding.gyp": "{}", "bin/tool": "#!/bin/sh\n"})
	const dir, purl, elf = "node_modules/demo/", "pkg:npm/demo@1.0.0", "\x7fELF and so on"
	base, app := files.under(dir), tree{"index.js": "require('demo')"}
	const differs = "left " + purl + ": files of it differ from what was published\n"
	const built = "left " + purl + ": what it built at installation has no digest\n"
	for name, tt := range map[string]struct {
		published tree
		code      tree
		want      string
	}{
		"untouched":        {files, base, ""},
		"changed code":     {files, base.with(dir+"lib/a.js", "evil"), "high integrity-changed " + purl + " " + dir + "lib/a.js\n" + differs},
		"changed start":    {files, base.with(dir+"cli", "evil"), "high integrity-changed " + purl + " " + dir + "cli\n" + differs},
		"changed data":     {files, base.with(dir+"data.json", "[]"), "medium integrity-changed " + purl + " " + dir + "data.json\n" + differs},
		"changed types":    {files, base.with(dir+"lib/a.d.ts", "y"), "low integrity-changed " + purl + " " + dir + "lib/a.d.ts\n"},
		"line ends":        {files, base.with(dir+"lib/a.js", "a\r\nb\r\n"), "low integrity-changed " + purl + " " + dir + "lib/a.js\n"},
		"added code":       {files, base.with(dir+"lib/telemetry.js", "x"), "high integrity-unlisted " + purl + " " + dir + "lib/telemetry.js\n" + differs},
		"added module":     {files, base.with(dir+"lib/m.cjs", "x").with(dir+"lib/n.node", "x"), "high integrity-unlisted " + purl + " " + dir + "lib/m.cjs\nhigh integrity-unlisted " + purl + " " + dir + "lib/n.node\n" + differs},
		"added below":      {files, base.with(dir+"node_modules/ms", "x"), "high integrity-unlisted " + purl + " " + dir + "node_modules/ms\n" + differs},
		"added folder":     {files, base.with(dir+"node_modules/ms/index.js", "x"), "high integrity-unlisted " + purl + " " + dir + "node_modules/ms/index.js\n" + differs},
		"added data":       {files, base.with(dir+"cache.json", "x").with(dir+"node_modules/.bin/x", "y").with(dir+".yarn-metadata.json", "{}"), ""},
		"thinned out":      {files, base.without(dir+"README.md", dir+"test/t.js", dir+"lib/a.js.map", dir+"lib/a.d.ts"), ""},
		"old npm":          {files, base.with(dir+"package.json", `{"_resolved":"x","_id":"y","name":"demo","version":"1.0.0","main":"lib/a.js","bin":{"demo":"./cli"},"scripts":{"test":"t"},"dependencies":{"ms":"1"},"readme":"z"}`), "low integrity-changed " + purl + " " + dir + "package.json\n"},
		"other main":       {files, base.with(dir+"package.json", strings.Replace(manifest, "lib/a.js", "test/t.js", 1)), "high integrity-changed " + purl + " " + dir + "package.json\n" + differs},
		"exports":          {files, base.with(dir+"package.json", strings.Replace(manifest, `"main"`, `"exports":"./x.js","main"`, 1)), "high integrity-changed " + purl + " " + dir + "package.json\n" + differs},
		"other script":     {files, base.with(dir+"package.json", strings.Replace(manifest, `"test":"t"`, `"postinstall":"x"`, 1)), "medium integrity-changed " + purl + " " + dir + "package.json\n" + differs},
		"other dependency": {files, base.with(dir+"package.json", strings.Replace(manifest, `"ms"`, `"mz"`, 1)), "medium integrity-changed " + purl + " " + dir + "package.json\n" + differs},
		"not JSON":         {files, base.with(dir+"package.json", "{"), "high integrity-changed " + purl + " " + dir + "package.json\n" + differs},
		"built":            {native, native.under(dir).with(dir+"build/Release/x.node", elf), "low integrity-built " + purl + " " + dir + "build/Release/x.node\n" + built},
		"built over":       {native, native.under(dir).with(dir+"bin/tool", elf), "low integrity-built " + purl + " " + dir + "bin/tool\n" + built},
		"built script":     {native, native.under(dir).with(dir+"build/x.js", "x"), "high integrity-unlisted " + purl + " " + dir + "build/x.js\n" + differs},
		"not at hand":      {nil, base, "left " + purl + ": its published archive is not at hand (--online fetches it)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			reg := shelf{}
			if tt.published != nil {
				reg["npm:demo@1.0.0"] = packed(t, tt.published)
			}
			res, got := run(t, open(t, tt.code.and(app)), reg, npmComponent("demo", "1.0.0", dir))
			if got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
			if whole := !strings.Contains(tt.want, "left "); (res.Compared == 1) != whole {
				t.Errorf("compared %d packages, whole: %v", res.Compared, whole)
			}
		})
	}
}

// TestNPMFolders: packages in packages, scopes, several copies, archives that
// cannot be had.
func TestNPMFolders(t *testing.T) {
	outer := tree{"package.json": `{"name":"outer","version":"1.0.0"}`, "a.js": "a", "node_modules/inner/package.json": `{"name":"inner","version":"2.0.0"}`, "node_modules/inner/i.js": "as bundled"}
	inner := tree{"package.json": `{"name":"inner","version":"2.0.0"}`, "i.js": "as published"}
	scoped := tree{"package.json": `{"name":"@s/p","version":"3.0.0"}`, "p.js": "p"}
	code := outer.under("node_modules/outer/").and(scoped.under("node_modules/@s/p/")).and(scoped.under("lib/node_modules/@s/p/"))
	components := []sbom.Component{npmComponent("outer", "1.0.0", "node_modules/outer/"), npmComponent("inner", "2.0.0", "node_modules/outer/node_modules/inner/"), npmComponent("@s/p", "3.0.0", "lib/node_modules/@s/p/", "node_modules/@s/p/")}
	reg := shelf{"npm:outer@1.0.0": packed(t, outer), "npm:inner@2.0.0": packed(t, inner), "npm:@s/p@3.0.0": packed(t, scoped)}
	if res, got := run(t, open(t, code), reg, components...); got != "" || res.Compared != 3 {
		t.Errorf("untouched: %d compared\n%s", res.Compared, got)
	}
	evil := code.with("lib/node_modules/@s/p/p.js", "evil").with("node_modules/outer/node_modules/inner/i.js", "evil")
	want := "high integrity-changed pkg:npm/%40s/p@3.0.0 lib/node_modules/@s/p/p.js\nhigh integrity-changed pkg:npm/inner@2.0.0 node_modules/outer/node_modules/inner/i.js\n" +
		"left pkg:npm/%40s/p@3.0.0: files of it differ from what was published\nleft pkg:npm/inner@2.0.0: files of it differ from what was published\n"
	if _, got := run(t, open(t, evil), reg, components...); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	git := npmComponent("outer", "1.0.0", "node_modules/outer/")
	git.Traits = []sbom.Trait{{Kind: sbom.TraitGit, Detail: "git+ssh://x"}}
	for name, tt := range map[string]struct {
		reg  Registry
		m    sbom.Component
		want string
	}{
		"nobody":     {nil, components[0], "no registry was asked"},
		"an error":   {shelf{"npm:outer@1.0.0": nil}, components[0], "its published archive cannot be had: 500 from the registry"},
		"from git":   {reg, git, "it came from version control, not from a registry"},
		"no gzip":    {shelf{"npm:outer@1.0.0": []byte("no")}, components[0], "its published archive cannot be unpacked: unexpected EOF"},
		"cut off":    {shelf{"npm:outer@1.0.0": packed(t, outer)[:60]}, components[0], "its published archive cannot be unpacked: unexpected EOF"},
		"something":  {nil, sbom.Component{PURL: "pkg:maven/a/b@1", State: sbom.Live}, "nothing at hand says how its files should be"},
		"no version": {reg, npmComponent("outer", "", "node_modules/outer/"), "its version is not known"},
	} {
		m := tt.m
		m.PURL = strings.TrimSuffix(m.PURL, "@")
		code := outer.under("node_modules/outer/")
		if len(m.Occurrences) == 0 {
			code = tree{"app.jar": "x"}
		}
		if _, got := run(t, open(t, code), tt.reg, m); got != "left "+m.PURL+": "+tt.want+"\n" {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
}

// TestSwapped: the lockfile names another archive than the registry has.
func TestSwapped(t *testing.T) {
	files := tree{"package.json": `{"name":"demo","version":"1.0.0"}`, "a.js": "a"}
	archive := packed(t, files)
	sum, other := sha512.Sum512(archive), sha512.Sum512([]byte("another"))
	sri := func(b [64]byte) string { return "sha512-" + base64.StdEncoding.EncodeToString(b[:]) }
	const purl = "pkg:npm/demo@1.0.0"
	const swapped = "high integrity-swapped " + purl + " package-lock.json\n"
	for name, tt := range map[string]struct {
		locked  string
		hashes  map[string]string
		told    map[string]string
		archive bool
		want    string
	}{
		"agrees":            {sri(sum), nil, map[string]string{"sha512": hex.EncodeToString(sum[:])}, true, ""},
		"told another":      {sri(other), nil, map[string]string{"sha512": hex.EncodeToString(sum[:])}, false, swapped},
		"archive":           {sri(other), nil, nil, true, swapped},
		"both, once":        {sri(other), nil, map[string]string{"sha512": hex.EncodeToString(sum[:])}, true, swapped},
		"of the component":  {"", map[string]string{"sha512": hex.EncodeToString(other[:])}, map[string]string{"sha512": hex.EncodeToString(sum[:])}, false, swapped},
		"one of two":        {sri(other) + " " + sri(sum), nil, nil, true, ""},
		"other algorithms":  {"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", nil, nil, true, ""},
		"weak and agreeing": {"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= " + sri(sum), nil, map[string]string{"sha1": "00", "sha512": hex.EncodeToString(sum[:])}, false, ""},
		"unreadable":        {"sha512-?", nil, nil, true, ""},
	} {
		m := npmComponent("demo", "1.0.0", "node_modules/demo/")
		m.Hashes = tt.hashes
		m.Evidence = []sbom.Evidence{{Method: sbom.MethodLockfile, Path: "package-lock.json"}}
		if tt.locked != "" {
			m.Traits = []sbom.Trait{{Kind: sbom.TraitLocked, Detail: tt.locked}}
		}
		c := newCheck(Of{Function: open(t, files.under("node_modules/demo/")), SBOM: &sbom.SBOM{Components: []sbom.Component{m}}})
		if tt.told != nil {
			c.standings = map[string]*registry.Standing{purl: {Answer: registry.Known, Version: true, Integrity: tt.told}}
		}
		c.reg = shelf{}
		if tt.archive {
			c.reg = shelf{"npm:demo@1.0.0": archive}
		}
		res, err := c.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, d := range res.Differences {
			got += "high " + d.Rule + " " + d.Component + " " + d.Path + "\n"
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestArchiveLimits: a published archive may be as hostile as any.
func TestArchiveLimits(t *testing.T) {
	read := func(data []byte, budget int64) (*listing, error) {
		a := &registry.Archive{Bytes: bytes.NewReader(data), Size: int64(len(data))}
		l, _, err := readArchive(t.Context(), a, budget)
		return l, err
	}
	if _, err := read(packed(t, tree{"big": strings.Repeat("x", 1<<20)}), 1<<16); err == nil || !strings.Contains(err.Error(), "more than is read") {
		t.Errorf("over the budget: %v", err)
	}
	l, err := read(packed(t, tree{"../../etc/passwd": "x", "a/../b.js": "x", "/abs.js": "x", ".": "x"}), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for name := range l.files {
		if strings.HasPrefix(name, "../") || strings.HasPrefix(name, "/") || name == "." {
			t.Errorf("kept %q", name)
		}
	}
	if _, err := read(nil, 1<<20); err == nil {
		t.Error("nothing was read as an archive")
	}
	huge := &registry.Archive{Bytes: bytes.NewReader(nil), Size: maxArchive + 1}
	if _, _, err := readArchive(t.Context(), huge, 1<<20); err == nil {
		t.Error("an archive over the limit was read")
	}
}

// TestLoose: code in node_modules that is part of no package.
func TestLoose(t *testing.T) {
	main := npmComponent("linked", "1.0.0", "node_modules/linked/")
	main.Main = true
	code := tree{"node_modules/evil.js": "x", "node_modules/evil2/index.js": "x", "node_modules/.prisma/client/index.js": "x", "node_modules/linked/index.js": "x", "node_modules/linked/package.json": "{}", "node_modules/note.txt": "x", "lib/a.js": "x"}
	want := "medium integrity-unlisted  node_modules/evil.js\nmedium integrity-unlisted  node_modules/evil2/index.js\n"
	if _, got := run(t, open(t, code), nil, main); got != want {
		t.Errorf("got\n%s", got)
	}
}
