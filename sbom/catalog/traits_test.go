package catalog

import (
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
)

// originTexts are lockfiles with one package of each kind of origin, and what is
// noted of it: "name version: kind detail; kind detail".
var originTexts = []struct{ name, file, text, want string }{
	{"npm 3", "package-lock.json", `{"lockfileVersion": 3, "packages": {
		"": {"dependencies": {"tgz": "https://files.example/tgz.tgz", "a": "1"}},
		"node_modules/a": {"version": "1.0.0", "resolved": "https://reg.example/a/-/a-1.0.0.tgz", "integrity": "sha512-AAAA"},
		"node_modules/bare": {"version": "1.0.0", "integrity": "sha512-AAAA"},
		"node_modules/none": {"version": "1.0.0", "resolved": "http://reg.example/none/-/none-1.0.0.tgz"},
		"node_modules/tgz": {"version": "1.0.0", "resolved": "https://files.example/tgz.tgz", "integrity": "sha512-AAAA"},
		"node_modules/git": {"version": "1.0.0", "resolved": "git+ssh://git@host.example/o/git.git#0123456789"},
		"node_modules/file": {"version": "1.0.0", "resolved": "file:../file-1.0.0.tgz", "integrity": "sha512-AAAA"},
		"node_modules/as": {"name": "real", "version": "1.0.0", "integrity": "sha512-AAAA", "hasInstallScript": true},
		"node_modules/a/node_modules/in": {"version": "1.0.0", "inBundle": true},
		"node_modules/ws": {"resolved": "packages/ws", "link": true}, "packages/ws": {"version": "1.0.0"}}}`, `
a 1.0.0: resolved-from https://reg.example/a/-/a-1.0.0.tgz; lock-digest sha512-AAAA
real 1.0.0: lock-digest sha512-AAAA; alias as; script install: not told
bare 1.0.0: lock-digest sha512-AAAA
file 1.0.0: folder file:../file-1.0.0.tgz; lock-digest sha512-AAAA
git 1.0.0: git git+ssh://git@host.example/o/git.git#0123456789
none 1.0.0: resolved-from http://reg.example/none/-/none-1.0.0.tgz; no-integrity none 1.0.0
tgz 1.0.0: url https://files.example/tgz.tgz; lock-digest sha512-AAAA
ws: folder link:packages/ws`},
	{"npm 1", "package-lock.json", `{"lockfileVersion": 1, "dependencies": {
		"a": {"version": "1.0.0", "resolved": "https://u:secret@reg.example/a/-/a-1.0.0.tgz?token=secret", "integrity": "sha1-AAAA"},
		"as": {"version": "npm:real@2.0.0", "integrity": "sha512-AAAA"},
		"git": {"version": "github:o/git#0123456", "from": "github:o/git"},
		"tgz": {"version": "https://files.example/tgz.tgz", "integrity": "sha512-AAAA"},
		"in": {"version": "1.0.0", "bundled": true}}}`, `
a 1.0.0: resolved-from https://reg.example/a/-/a-1.0.0.tgz?token=…; lock-digest sha1-AAAA
real 2.0.0: lock-digest sha512-AAAA; alias as
git: git github:o/git#0123456
tgz: url https://files.example/tgz.tgz; lock-digest sha512-AAAA`},
	{"yarn 1", "yarn.lock", `# yarn lockfile v1

a@^1.0.0:
  version "1.0.0"
  resolved "https://reg.example/a/-/a-1.0.0.tgz#0123456789012345678901234567890123456789"
  integrity sha512-AAAA
old@^1.0.0:
  version "1.0.0"
  resolved "https://reg.example/old/-/old-1.0.0.tgz#0123456789012345678901234567890123456789"
bare@^1.0.0:
  version "1.0.0"
  resolved "https://reg.example/bare/-/bare-1.0.0.tgz"
"as@npm:real@^2":
  version "2.0.0"
  resolved "https://reg.example/real/-/real-2.0.0.tgz"
  integrity sha512-AAAA
"git@git+https://host.example/o/git.git":
  version "1.0.0"
  resolved "git+https://host.example/o/git.git#0123456789"
"hub@o/hub":
  version "1.0.0"
  resolved "https://codeload.github.com/o/hub/tar.gz/0123456789"
"tgz@https://files.example/tgz.tgz":
  version "1.0.0"
  resolved "https://files.example/tgz.tgz#0123456789012345678901234567890123456789"
"file@file:./file":
  version "1.0.0"
`, `
a 1.0.0: resolved-from https://reg.example/a/-/a-1.0.0.tgz; lock-digest sha512-AAAA
old 1.0.0: resolved-from https://reg.example/old/-/old-1.0.0.tgz; lock-digest sha1:0123456789012345678901234567890123456789
bare 1.0.0: resolved-from https://reg.example/bare/-/bare-1.0.0.tgz; no-integrity bare 1.0.0
real 2.0.0: resolved-from https://reg.example/real/-/real-2.0.0.tgz; lock-digest sha512-AAAA; alias as
git 1.0.0: git git+https://host.example/o/git.git#0123456789
hub 1.0.0: git https://codeload.github.com/o/hub/tar.gz/0123456789
tgz 1.0.0: url https://files.example/tgz.tgz; lock-digest sha1:0123456789012345678901234567890123456789
file 1.0.0: folder file:./file`},
	{"yarn 4", "yarn.lock", `__metadata:
  version: 8

"a@npm:^1.0.0":
  version: 1.0.0
  resolution: "a@npm:1.0.0"
  checksum: 10c0/00
"as@npm:real@^2":
  version: 2.0.0
  resolution: "real@npm:2.0.0"
  checksum: 10c0/00
"mine@npm:^1":
  version: 1.0.0
  resolution: "mine@npm:1.0.0::__archiveUrl=https%3A%2F%2Freg.example%2Fmine.tgz"
  checksum: 10c0/00
"bare@npm:^1":
  version: 1.0.0
  resolution: "bare@npm:1.0.0"
"linux@npm:^1":
  version: 1.0.0
  resolution: "linux@npm:1.0.0"
  conditions: os=linux
"git@https://host.example/o/git.git":
  version: 1.0.0
  resolution: "git@https://host.example/o/git.git#commit=0123456789"
"p@patch:p@npm%3A1.0.0#~/.yarn/patches/p.patch":
  version: 1.0.0
  resolution: "p@patch:p@npm%3A1.0.0#~/.yarn/patches/p.patch::version=1.0.0&hash=ab"
  checksum: 10c0/00
"fse@patch:fse@npm%3A1.0.0#optional!builtin<compat/fse>":
  version: 1.0.0
  resolution: "fse@patch:fse@npm%3A1.0.0#optional!builtin<compat/fse>::version=1.0.0&hash=ab"
  conditions: os=darwin
"ws@workspace:packages/ws":
  version: 0.0.0
  resolution: "ws@workspace:packages/ws"
`, `
real 2.0.0: alias as
mine 1.0.0: resolved-from https://reg.example/mine.tgz
bare 1.0.0: no-integrity bare 1.0.0
git 1.0.0: git https://host.example/o/git.git#commit=0123456789
p 1.0.0: modified patch: ~/.yarn/patches/p.patch::version=1.0.0&hash=ab`},
	{"pnpm 9", "pnpm-lock.yaml", `lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      as:
        specifier: npm:real@2
        version: real@2.0.0

packages:

  a@1.0.0:
    resolution: {integrity: sha512-AAAA}

  bare@1.0.0:
    resolution: {tarball: http://reg.example/bare.tgz}

  real@2.0.0:
    resolution: {integrity: sha512-AAAA}

  hub@https://codeload.github.com/o/hub/tar.gz/0123456789:
    resolution: {tarball: https://codeload.github.com/o/hub/tar.gz/0123456789}
    version: 1.0.0

  tgz@https://files.example/tgz.tgz:
    resolution: {integrity: sha512-AAAA, tarball: https://files.example/tgz.tgz}
    version: 1.0.0

  git@git+https://host.example/o/git.git#0123456789:
    resolution: {commit: 0123456789, repo: https://host.example/o/git.git, type: git}
    version: 1.0.0

  dir@file:dir:
    resolution: {directory: dir, type: directory}
`, `
a 1.0.0: lock-digest sha512-AAAA
bare 1.0.0: resolved-from http://reg.example/bare.tgz; no-integrity bare 1.0.0
dir: folder ./dir
git 1.0.0: git https://host.example/o/git.git#0123456789
hub 1.0.0: git https://codeload.github.com/o/hub/tar.gz/0123456789
real 2.0.0: lock-digest sha512-AAAA; alias as
tgz 1.0.0: url https://files.example/tgz.tgz; lock-digest sha512-AAAA`},
	{"bun", "bun.lock", `{"lockfileVersion": 1, "workspaces": {"": {}}, "packages": {
		"a": ["a@1.0.0", "", {}, "sha512-AAAA"],
		"mine": ["mine@1.0.0", "https://reg.example/mine.tgz", {}, "sha512-AAAA"],
		"bare": ["bare@1.0.0", "", {}],
		"as": ["real@2.0.0", "", {}, "sha512-AAAA"],
		"hub": ["hub@github:o/hub#0123456", {}, "o-hub-0123456"],
		"ws": ["ws@workspace:packages/ws"],
	}}`, `
a 1.0.0: lock-digest sha512-AAAA
real 2.0.0: lock-digest sha512-AAAA; alias as
bare 1.0.0: no-integrity bare 1.0.0
hub: git github:o/hub#0123456
mine 1.0.0: resolved-from https://reg.example/mine.tgz; lock-digest sha512-AAAA`},
	{"pipfile", "Pipfile.lock", `{"_meta": {"sources": [{"name": "main", "url": "https://index.example/simple"}, {"name": "other", "url": "http://mine.example/simple"}]}, "default": {
		"a": {"version": "==1.0", "hashes": ["sha256:00"], "index": "main"},
		"bare": {"version": "==1.0"},
		"b": {"version": "==1.0", "hashes": ["sha256:00", "sha256:01", "sha256:02"], "index": "other"},
		"git": {"git": "https://host.example/o/git.git", "ref": "main"},
		"dir": {"path": "libs/dir", "editable": true}}}`, `
a 1.0: resolved-from https://index.example/simple; lock-digest sha256:00
b 1.0: resolved-from http://mine.example/simple
bare 1.0: resolved-from https://index.example/simple; no-integrity bare 1.0
dir: folder ./libs/dir
git: git https://host.example/o/git.git#main`},
	{"poetry", "poetry.lock", `[[package]]
name = "a"
version = "1.0"
files = [{file = "a.whl", hash = "sha256:00"}]

[[package]]
name = "bare"
version = "1.0"
files = []

[[package]]
name = "git"
version = "1.0"
files = []
[package.source]
type = "git"
url = "https://host.example/o/git.git"
reference = "main"
resolved_reference = "0123456789"

[[package]]
name = "dir"
version = "1.0"
files = []
[package.source]
type = "directory"
url = "../dir"

[[package]]
name = "mine"
version = "1.0"
files = [{file = "m.whl", hash = "sha256:00"}]
[package.source]
type = "legacy"
url = "http://mine.example/simple"
reference = "mine"
`, `
a 1.0: lock-digest sha256:00
bare 1.0: no-integrity bare 1.0
git 1.0: git https://host.example/o/git.git#0123456789
dir 1.0: folder ../dir
mine 1.0: resolved-from http://mine.example/simple; lock-digest sha256:00`},
	{"uv", "uv.lock", `requires-python = ">=3.12"
[[package]]
name = "app"
version = "0"
source = { virtual = "." }
[[package]]
name = "a"
version = "1.0"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://files.example/a.tar.gz", hash = "sha256:00" }
wheels = [{ url = "https://files.example/a.whl", hash = "sha256:01" }]
[[package]]
name = "bare"
version = "1.0"
source = { registry = "https://index.example/simple" }
[[package]]
name = "git"
version = "1.0"
source = { git = "https://host.example/o/git?rev=main#0123456789" }
[[package]]
name = "tgz"
version = "1.0"
source = { url = "http://files.example/tgz.whl" }
wheels = [{ url = "http://files.example/tgz.whl", hash = "sha256:01" }]
`, `
a 1.0: resolved-from https://index.example/simple; lock-digest sha256:01; lock-digest sha256:00
bare 1.0: resolved-from https://index.example/simple; no-integrity bare 1.0
git 1.0: git git+https://host.example/o/git?rev=main#0123456789
tgz 1.0: url http://files.example/tgz.whl; lock-digest sha256:01`},
	{"pdm", "pdm.lock", `[metadata]
[[package]]
name = "a"
version = "1.0"
files = [{file = "a.whl", hash = "sha256:00"}]
[[package]]
name = "git"
version = "1.0"
git = "https://host.example/o/git.git"
revision = "0123456789"
[[package]]
name = "dir"
version = "1.0"
path = "./dir"
`, `
a 1.0: lock-digest sha256:00
git 1.0: git https://host.example/o/git.git#0123456789
dir 1.0: folder ./dir`},
	{"bundler", "Gemfile.lock", `GIT
  remote: https://host.example/o/git.git
  revision: 0123456789
  specs:
    git (1.0)

PATH
  remote: .
  specs:
    mine (1.0)

GEM
  remote: https://gems.example/
  specs:
    a (1.0)
    bare (1.0-x86_64-linux)

CHECKSUMS
  a (1.0) sha256=00
  bare (1.0-x86_64-linux)
`, `
git 1.0: git https://host.example/o/git.git#0123456789
mine 1.0: folder .
a 1.0: resolved-from https://gems.example/; lock-digest sha256:00
bare 1.0: resolved-from https://gems.example/; no-integrity bare 1.0`},
	{"composer", "composer.lock", `{"packages": [
		{"name": "o/a", "version": "1.0", "source": {"type": "git", "url": "https://host.example/o/a.git", "reference": "01"}, "dist": {"type": "zip", "url": "https://files.example/a.zip", "shasum": ""}},
		{"name": "o/summed", "version": "1.0", "dist": {"type": "zip", "url": "https://files.example/s.zip", "shasum": "00"}},
		{"name": "o/git", "version": "dev-main", "source": {"type": "git", "url": "https://host.example/o/git.git", "reference": "0123456789"}},
		{"name": "o/dir", "version": "1.0", "dist": {"type": "path", "url": "../dir", "reference": "01"}}]}`, `
o/a 1.0: resolved-from https://files.example/a.zip
o/summed 1.0: resolved-from https://files.example/s.zip; lock-digest sha1:00
o/git dev-main: git https://host.example/o/git.git#0123456789
o/dir 1.0: folder ../dir`},
	{"cargo", "Cargo.lock", `[[package]]
name = "app"
version = "0.1.0"
[[package]]
name = "a"
version = "1.0.0"
source = "registry+https://index.example/git"
checksum = "00"
[[package]]
name = "s"
version = "1.0.0"
source = "sparse+https://mine.example/index/"
[[package]]
name = "git"
version = "1.0.0"
source = "git+https://host.example/o/git?branch=main#0123456789"
`, `
a 1.0.0: resolved-from https://index.example/git; lock-digest sha256:00
s 1.0.0: resolved-from https://mine.example/index/; no-integrity s 1.0.0
git 1.0.0: git git+https://host.example/o/git?branch=main#0123456789`},
	{"go", "go.mod", `module app.example/m
require (
	a.example/a v1.0.0
	b.example/b v1.0.0
	c.example/c v1.0.0
)
replace b.example/b => d.example/d v1.1.0
replace c.example/c => ../c
`, `
d.example/d v1.1.0: replaced b.example/b v1.0.0
c.example/c: folder ../c; replaced c.example/c v1.0.0`},
}

// TestOriginsOfLockfiles holds, format by format, what is noted about where
// packages came from.
func TestOriginsOfLockfiles(t *testing.T) {
	for _, tt := range originTexts {
		t.Run(tt.name, func(t *testing.T) {
			entries, err := lockParsers()[tt.file].parse([]byte(tt.text), nil)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, e := range entries {
				if len(e.traits) > 0 {
					got += "\n" + strings.TrimSpace(e.name+" "+e.version) + ": " + kindsOf(e.traits)
				}
			}
			if got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// kindsOf writes traits as "kind detail; kind detail".
func kindsOf(traits []sbom.Trait) string {
	var parts []string
	for _, x := range traits {
		parts = append(parts, strings.TrimSpace(string(x.Kind)+" "+x.Detail))
	}
	return strings.Join(parts, "; ")
}

func TestWithoutSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"1.0.0":                                                        "1.0.0",
		"https://reg.example/a.tgz#01":                                 "https://reg.example/a.tgz#01",
		"https://u:p@reg.example/a.tgz":                                "https://reg.example/a.tgz",
		"https://token@reg.example/a":                                  "https://reg.example/a",
		"git+ssh://git@host.example/o/r.git#01":                        "git+ssh://git@host.example/o/r.git#01",
		"git+ssh://u:p@host.example/o/r":                               "git+ssh://host.example/o/r",
		"git+https://git:p@host.example/o/r":                           "git+https://host.example/o/r",
		"https://h.example/a?X-Sig=s&ref=main&t=x#01":                  "https://h.example/a?X-Sig=…&ref=main&t=…#01",
		"curl https://u:p@a.example/x?k=v | sh; wget http://q@b/y":     "curl https://a.example/x?k=… | sh; wget http://b/y",
		`node -e "require('https').get('https://u:p@a.example/?k=v')"`: `node -e "require('https').get('https://a.example/?k=…')"`,
		"https://a@b@c/":                                               "https://c/",
		"://":                                                          "://",
		"http://":                                                      "http://",
	} {
		if got := withoutSecrets(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzWithoutSecrets(f *testing.F) {
	f.Add("https://u:p@reg.example/a?b=c#d https://x")
	f.Fuzz(func(t *testing.T, s string) {
		out := withoutSecrets(s)
		if withoutSecrets(out) != out {
			t.Errorf("%q became %q and then %q", s, out, withoutSecrets(out))
		}
		_ = referenceKind(s)
	})
}

// TestDoings: one mention of a place of credentials is what an installer's
// message about mirrors says too; several are none by accident.
func TestDoings(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"// set electron_mirror in .npmrc\nrequire('https').get(u)": "network",
		"read('.npmrc'); read('.ssh/id'); fetch(u)":                 "network, secrets",
		"require('child_process')":                                  "programs",
		"eval(atob(x))":                                             "runs what it decodes",
		strings.Repeat("_0x1a2b=", obfuscated):                      "hides its names",
		strings.Repeat("_0x1a2b=", obfuscated-1) + strings.Repeat("process.env.HOME;.npmrc", 9): "",
	} {
		if got := strings.Join(doings([]byte(text)), ", "); got != want {
			t.Errorf("%.40q: got %q, want %q", text, got, want)
		}
	}
}
