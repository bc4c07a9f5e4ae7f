package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/sbom"
)

// edgeCases are projects in which "top" is asked for and brings "low", and the
// function asks for "both" itself although "top" needs it as well.
var edgeCases = map[string]struct {
	typ   string
	files map[string]string
	rng   string // that top states of low; "" when the lockfile does not say it
	loose bool   // the lockfile does not say what is direct, and no manifest is beside it: what others need counts as brought
	flat  bool   // it does not say who needs whom
}{
	"package-lock.json": {typ: "npm", rng: "~2.0.0", files: map[string]string{
		"package.json": `{"name":"fn","version":"1.0.0","dependencies":{"top":"^1.0.0","both":"^3.0.0"}}`,
		"package-lock.json": `{"name":"fn","lockfileVersion":3,"packages":{"":{"dependencies":{"top":"^1.0.0","both":"^3.0.0"}},
			"node_modules/top":{"version":"1.0.0","dependencies":{"low":"~2.0.0","both":"3.x"}},"node_modules/low":{"version":"2.0.0"},"node_modules/both":{"version":"3.0.0"}}}`}},
	"package-lock.json, version 1": {typ: "npm", rng: "~2.0.0", files: map[string]string{
		"package.json":      `{"name":"fn","version":"1.0.0","dependencies":{"top":"^1.0.0","both":"^3.0.0"}}`,
		"package-lock.json": `{"name":"fn","lockfileVersion":1,"dependencies":{"top":{"version":"1.0.0","requires":{"low":"~2.0.0","both":"3.x"}},"low":{"version":"2.0.0"},"both":{"version":"3.0.0"}}}`}},
	"yarn.lock, version 1": {typ: "npm", rng: "~2.0.0", files: map[string]string{
		"package.json": `{"name":"fn","version":"1.0.0","dependencies":{"top":"^1.0.0","both":"^3.0.0"}}`,
		"yarn.lock":    "# yarn lockfile v1\n\ntop@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    low \"~2.0.0\"\n    both \"3.x\"\n\nlow@~2.0.0:\n  version \"2.0.0\"\n\nboth@^3.0.0, both@3.x:\n  version \"3.0.0\"\n"}},
	"yarn.lock of later ones": {typ: "npm", rng: "~2.0.0", files: map[string]string{
		"package.json": `{"name":"fn","version":"1.0.0","dependencies":{"top":"^1.0.0","both":"^3.0.0"}}`,
		"yarn.lock":    "__metadata:\n  version: 8\n\n\"top@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"top@npm:1.0.0\"\n  dependencies:\n    low: \"npm:~2.0.0\"\n    both: \"npm:3.x\"\n\n\"low@npm:~2.0.0\":\n  version: 2.0.0\n  resolution: \"low@npm:2.0.0\"\n\n\"both@npm:^3.0.0, both@npm:3.x\":\n  version: 3.0.0\n  resolution: \"both@npm:3.0.0\"\n"}},
	"pnpm-lock.yaml": {typ: "npm", files: map[string]string{
		"pnpm-lock.yaml": "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      top:\n        specifier: ^1.0.0\n        version: 1.0.0\n      both:\n        specifier: ^3.0.0\n        version: 3.0.0\npackages:\n  top@1.0.0:\n    resolution: {integrity: sha512-x}\n  low@2.0.0:\n    resolution: {integrity: sha512-x}\n  both@3.0.0:\n    resolution: {integrity: sha512-x}\nsnapshots:\n  top@1.0.0:\n    dependencies:\n      low: 2.0.0\n      both: 3.0.0\n  low@2.0.0: {}\n  both@3.0.0: {}\n"}},
	"pnpm-lock.yaml, by a peer": {typ: "npm", rng: ">=2 <2.1", files: map[string]string{
		"pnpm-lock.yaml": "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      top:\n        specifier: ^1.0.0\n        version: 1.0.0(low@2.0.0)\n      both:\n        specifier: ^3.0.0\n        version: 3.0.0\npackages:\n  top@1.0.0:\n    resolution: {integrity: sha512-x}\n    peerDependencies:\n      low: '>=2 <2.1'\n  low@2.0.0:\n    resolution: {integrity: sha512-x}\n  both@3.0.0:\n    resolution: {integrity: sha512-x}\nsnapshots:\n  top@1.0.0(low@2.0.0):\n    dependencies:\n      low: 2.0.0\n      both: 3.0.0\n  low@2.0.0: {}\n  both@3.0.0: {}\n"}},
	"pnpm-lock.yaml of version 6, by a peer": {typ: "npm", rng: ">=2 <2.1", files: map[string]string{
		"pnpm-lock.yaml": "lockfileVersion: '6.0'\ndependencies:\n  top:\n    specifier: ^1.0.0\n    version: 1.0.0(low@2.0.0)\n  both:\n    specifier: ^3.0.0\n    version: 3.0.0\npackages:\n  /top@1.0.0(low@2.0.0):\n    resolution: {integrity: sha512-x}\n    peerDependencies:\n      low: '>=2 <2.1'\n    dependencies:\n      low: 2.0.0\n      both: 3.0.0\n    dev: false\n  /low@2.0.0:\n    resolution: {integrity: sha512-x}\n    dev: false\n  /both@3.0.0:\n    resolution: {integrity: sha512-x}\n    dev: false\n"}},
	"bun.lock": {typ: "npm", rng: "~2.0.0", files: map[string]string{
		"bun.lock": `{"lockfileVersion":1,"workspaces":{"":{"name":"fn","dependencies":{"top":"^1.0.0","both":"^3.0.0"}}},"packages":{
			"top":["top@1.0.0","",{"dependencies":{"low":"~2.0.0","both":"3.x"}},"sha512-x"],"low":["low@2.0.0","",{},"sha512-x"],"both":["both@3.0.0","",{},"sha512-x"]}}`}},
	"poetry.lock": {typ: "pypi", rng: ">=2.0,<2.1", files: map[string]string{
		"pyproject.toml": "[tool.poetry.dependencies]\npython = \"^3.11\"\nTop = \"^1.0\"\nboth = {version = \"^3.0\"}\n",
		"poetry.lock":    poetryEdges}},
	"poetry.lock, by the standard's table": {typ: "pypi", rng: ">=2.0,<2.1", files: map[string]string{
		"pyproject.toml": "[project]\nname = \"fn\"\ndependencies = [\"top (>=1.0)\", \"both[extra]>=3; python_version > '3'\"]\n",
		"poetry.lock":    poetryEdges}},
	"poetry.lock alone": {typ: "pypi", rng: ">=2.0,<2.1", loose: true, files: map[string]string{"poetry.lock": poetryEdges}},
	"pdm.lock": {typ: "pypi", rng: ">=2.0,<2.1", files: map[string]string{
		"pyproject.toml": "[project]\nname = \"fn\"\ndependencies = [\"top\", \"both\"]\n",
		"pdm.lock":       "[metadata]\ngroups = [\"default\"]\n\n[[package]]\nname = \"top\"\nversion = \"1.0.0\"\ngroups = [\"default\"]\ndependencies = [\n    \"both\",\n]\n\n[[package]]\nname = \"top\"\nversion = \"1.0.0\"\nextras = [\"x\"]\ngroups = [\"default\"]\ndependencies = [\n    \"low<2.1,>=2.0\",\n    \"top==1.0.0\",\n]\n\n[[package]]\nname = \"low\"\nversion = \"2.0.0\"\ngroups = [\"default\"]\n\n[[package]]\nname = \"both\"\nversion = \"3.0.0\"\ngroups = [\"default\"]\n"}},
	"uv.lock": {typ: "pypi", files: map[string]string{
		"uv.lock": "version = 1\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"fn\"\nversion = \"1.0.0\"\nsource = { virtual = \".\" }\ndependencies = [{ name = \"top\" }, { name = \"both\" }]\n\n[[package]]\nname = \"top\"\nversion = \"1.0.0\"\nsource = { registry = \"x\" }\ndependencies = [{ name = \"low\" }, { name = \"both\" }]\n\n[[package]]\nname = \"low\"\nversion = \"2.0.0\"\nsource = { registry = \"x\" }\n\n[[package]]\nname = \"both\"\nversion = \"3.0.0\"\nsource = { registry = \"x\" }\n"}},
	"Pipfile.lock": {typ: "pypi", flat: true, files: map[string]string{
		"Pipfile":      "[packages]\ntop = \"*\"\nboth = {version = \">=3\"}\n[dev-packages]\nlow = \"*\"\n",
		"Pipfile.lock": `{"_meta":{"sources":[]},"default":{"top":{"version":"==1.0.0"},"low":{"version":"==2.0.0"},"both":{"version":"==3.0.0"}},"develop":{}}`}},
	"Gemfile.lock": {typ: "gem", rng: "~> 2.0, >= 2.0.0", files: map[string]string{
		"Gemfile.lock": "GEM\n  remote: x\n  specs:\n    both (3.0.0)\n    low (2.0.0)\n    top (1.0.0)\n      both\n      low (~> 2.0, >= 2.0.0)\n\nDEPENDENCIES\n  both (~> 3.0)\n  top\n"}},
	"composer.lock": {typ: "composer", rng: "^2.0", files: map[string]string{
		"composer.json": `{"require":{"php":">=8","v/Top":"^1.0","v/both":"^3.0"}}`,
		"composer.lock": composerEdges}},
	"composer.lock alone": {typ: "composer", rng: "^2.0", loose: true, files: map[string]string{"composer.lock": composerEdges}},
	"installed.json of Composer": {typ: "composer", rng: "^2.0", loose: true, files: map[string]string{
		"vendor/composer/installed.json": composerEdges, "vendor/v/top/a.php": "<?php", "vendor/v/low/a.php": "<?php", "vendor/v/both/a.php": "<?php"}},
	"Cargo.lock": {typ: "cargo", files: map[string]string{
		"Cargo.lock": "version = 4\n\n[[package]]\nname = \"both\"\nversion = \"3.0.0\"\nsource = \"registry+x\"\n\n[[package]]\nname = \"fn\"\nversion = \"1.0.0\"\ndependencies = [\"both\", \"top\"]\n\n[[package]]\nname = \"low\"\nversion = \"2.0.0\"\nsource = \"registry+x\"\n\n[[package]]\nname = \"top\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\ndependencies = [\"both\", \"low\"]\n"}},
	"packages.lock.json": {typ: "nuget", rng: "2.0.0", files: map[string]string{
		"packages.lock.json": `{"version":1,"dependencies":{"net8.0":{"top":{"type":"Direct","resolved":"1.0.0","dependencies":{"low":"2.0.0","both":"3.0.0"}},"low":{"type":"Transitive","resolved":"2.0.0"},"both":{"type":"Direct","resolved":"3.0.0"}}}}`}},
	"go.mod": {typ: "golang", flat: true, files: map[string]string{
		"go.mod": "module x.example/fn\n\ngo 1.24\n\nrequire (\n\tx.example/top v1.0.0\n\tx.example/low v2.0.0+incompatible // indirect\n\tx.example/both v1.3.0\n)\n"}},
}

const poetryEdges = "[[package]]\nname = \"top\"\nversion = \"1.0.0\"\n\n[package.dependencies]\nlow = \">=2.0,<2.1\"\nboth = {version = \">=3\", markers = \"python_version > '3'\"}\n\n[[package]]\nname = \"low\"\nversion = \"2.0.0\"\n\n[[package]]\nname = \"both\"\nversion = \"3.0.0\"\n\n[metadata]\n"

const composerEdges = `{"packages":[{"name":"v/top","version":"1.0.0","require":{"php":">=8","v/low":"^2.0","v/both":"^3.0"}},{"name":"v/low","version":"2.0.0"},{"name":"v/both","version":"3.0.0"}],"packages-dev":[]}`

// TestEdgesOfLockfiles: of each format, who is direct, who brings whom, and the
// range of versions that is taken.
func TestEdgesOfLockfiles(t *testing.T) {
	for name, c := range edgeCases {
		var files []txtar.File
		for _, at := range slices.Sorted(maps.Keys(c.files)) {
			files = append(files, txtar.File{Name: at, Data: []byte(c.files[at])})
		}
		bom, err := New(Options{}).Run(t.Context(), openZip(t, files...))
		if err != nil {
			t.Fatal(err)
		}
		cs := slices.DeleteFunc(bom.Components, func(x sbom.Component) bool { return x.Main || sbom.TypeOf(x.PURL) != c.typ })
		g := sbom.NewGraph(cs)
		by := g.BroughtBy(5)
		got := map[string]string{}
		rng := ""
		for i, c := range cs {
			short := c.Name[strings.LastIndexByte(c.Name, '/')+1:]
			text := "unknown"
			if g.Direct(i) {
				text = "direct"
			}
			for _, j := range by[i] {
				text = "by " + cs[j].Name[strings.LastIndexByte(cs[j].Name, '/')+1:]
			}
			got[short] = text
			if short == "top" {
				for _, key := range slices.Sorted(maps.Keys(c.Ranges)) {
					if strings.HasSuffix(key, "low") {
						rng = c.Ranges[key]
					}
				}
			}
		}
		want := map[string]string{"top": "direct", "low": "by top", "both": "direct"}
		switch {
		case c.loose:
			want["both"] = "by top"
		case c.flat:
			want["low"] = "unknown"
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if rng != c.rng && !(c.typ == "pypi" && c.rng != "" && strings.Contains(rng, "<2.1")) {
			t.Errorf("%s: top takes %q of low, want %q", name, rng, c.rng)
		}
	}
}

func TestPythonTakes(t *testing.T) {
	got := pythonTakes([]string{"Low (>=2.0,<3)", "any", "zope.i[x]>=1 ; python_version > '3'", "opt>=1; extra == 'x'", "twice<2; python_version < '3'", "twice>=2; python_version >= '3'", "at @ https://x.example/y", " spaced  ~= 1.0 ", ""})
	want := map[string]string{"low": ">=2.0,<3", "any": ">=0", "zope-i": ">=1", "twice": "", "spaced": "~= 1.0"}
	if !maps.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestGemTakes(t *testing.T) {
	names, ranges := gemRequires([]byte("  s.add_runtime_dependency(%q<rack>.freeze, [\"~> 2.0\".freeze, \">= 2.0.8\".freeze])\n  s.add_dependency(%q<any>, [\">= 0\"])\n  s.add_development_dependency(%q<dev>, [\"> 1\"])\n  s.add_dependency(%q<twice>, [\"> 1\"])\n  s.add_dependency(%q<twice>, [\"> 2\"])\n  s.add_dependency(%q<\n"))
	if fmt.Sprint(names) != "[any rack twice]" || !maps.Equal(ranges, map[string]string{"rack": "~> 2.0, >= 2.0.8", "any": ">= 0", "twice": ""}) {
		t.Errorf("%q %q", names, ranges)
	}
}

// TestRangesHostile: what is too long, too many or said twice is not told.
func TestRangesHostile(t *testing.T) {
	f := found{typ: "pypi", ranges: map[string]string{"A.b": ">=1", "a-B": ">=2", "long": strings.Repeat("1", maxRange+1), "good": "<3", "empty": ""}}
	if got := f.rangesOf(); !maps.Equal(got, map[string]string{"good": "<3"}) {
		t.Errorf("%q", got)
	}
	f.ranges = map[string]string{}
	for i := range maxRanges + 1 {
		f.ranges[fmt.Sprint(i)] = "1"
	}
	if got := f.rangesOf(); got != nil {
		t.Errorf("%d ranges", len(got))
	}
}
