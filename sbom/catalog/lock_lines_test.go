package catalog

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Each form names each package on the line on which a person would look for it.
func TestLockLines(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"package-lock.json", "{\n\"name\": \"app\", \"version\": \"1.0.0\",\n\"lockfileVersion\": 3,\n\"packages\": {\n\"\": {\"version\": \"1.0.0\"},\n\"node_modules/@a/b\": {\n  \"version\": \"1.2.3\"\n},\n\"node_modules/@a/b/node_modules/c\": {\"version\": \"2.0.0\"},\n\"node_modules/alias\": {\n\"name\": \"real\", \"version\": \"3.0.0\"}}}", "npm/%40a/b@1.2.3=6 npm/c@2.0.0=9 npm/real@3.0.0=10"},
		{"package-lock.json", "{\"lockfileVersion\": 1, \"dependencies\": {\n\"a\": {\n\"version\": \"1.0.0\", \"dependencies\": {\n\"b\": {\"version\": \"npm:c@2.0.0\"}}}}}", "npm/a@1.0.0=2 npm/c@2.0.0=4"},
		{"yarn.lock", "# yarn lockfile v1\n\n\"@a/b@^1.0.0\", \"@a/b@^1.2.0\":\n  version \"1.2.3\"\n  dependencies:\n    version \"9\"\n\nc@^2.0.0:\n  version \"2.0.1\"\n", "npm/%40a/b@1.2.3=3 npm/c@2.0.1=8"},
		{"yarn.lock", "__metadata:\n  version: 8\n\n\"c@npm:^2.0.0\":\n  version: 2.0.1\n", "npm/c@2.0.1=4"},
		{"pnpm-lock.yaml", "lockfileVersion: '9.0'\n\npackages:\n\n  '@a/b@1.2.3':\n    resolution: {}\n\n  c@2.0.0:\n    resolution: {}\n\nsnapshots:\n\n  c@2.0.0(x@1.0.0): {}\n", "npm/%40a/b@1.2.3=5 npm/c@2.0.0=8"},
		{"pnpm-lock.yaml", "lockfileVersion: 5.4\n\npackages:\n\n  /@a/b/1.2.3:\n    resolution: {}\n  /c/2.0.0_x@1:\n    resolution: {}\n", "npm/%40a/b@1.2.3=5 npm/c@2.0.0=7"},
		{"bun.lock", "{\n  \"lockfileVersion\": 1,\n  \"packages\": {\n    \"c\": [\"c@2.0.0\", \"\", {}, \"sha512-x\"],\n    \"@a/b\": [\"@a/b@1.2.3\", \"\", {\n }, \"sha512-x\"],\n  }\n}", "npm/%40a/b@1.2.3=5 npm/c@2.0.0=4"},
		{"Pipfile.lock", "{\"_meta\": {},\n\"default\": {\n\"Flask_X\": {\"hashes\": [],\n\"version\": \"==1.0\"}}}", "pypi/flask-x@1.0=3"},
		{"poetry.lock", "[[package]]\nname = \"Jinja2\"\nversion = \"3.1.0\"\n\n[[package]]\nname = \"six\"\nversion = \"1.16\"\n", "pypi/jinja2@3.1.0=2 pypi/six@1.16=6"},
		{"requirements.txt", "# pinned\nflask==2.0.0 \\\n    --hash=sha256:00\nsix>=1\n", "pypi/flask@2.0.0=2"},
		{"Cargo.lock", "version = 3\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\n", "cargo/serde@1.0.1=4"},
		{"Gemfile.lock", "GEM\n  specs:\n    rack (2.2.3)\n      x (>= 1)\n", "gem/rack@2.2.3=3"},
		{"composer.lock", "{\"packages\": [\n{\n\"name\": \"a/b\",\n\"version\": \"v1.2.3\"}]}", "composer/a/b@1.2.3=3"},
		{"packages.lock.json", "{\"version\": 1, \"dependencies\": {\"net8.0\": {\n\"A.B\": {\"type\": \"Direct\",\n\"resolved\": \"1.0.0\"}}}}", "nuget/A.B@1.0.0=2"},
		{"go.mod", "module x\n\nrequire a.example/b v1.2.3\nrequire (\n\tc.example/d v0.1.0 // indirect\n)\n", "golang/a.example/b@v1.2.3=3 golang/c.example/d@v0.1.0=5"},
	} {
		got := LockLines(test.name, []byte(test.text))
		for want := range strings.FieldsSeq(test.want) {
			i := strings.LastIndexByte(want, '=')
			if line := got["pkg:"+want[:i]]; want[i+1:] != strconv.Itoa(line) {
				t.Errorf("%s: %s is on line %d, want %s (%v)", test.name, want[:i], line, want[i+1:], got)
			}
		}
		for key := range got {
			if strings.Contains(key, "app@") || strings.Contains(key, "metadata") || strings.Contains(key, "@9") {
				t.Errorf("%s: %s is no package", test.name, key)
			}
		}
	}
}

// What is no lockfile, and what is a broken one, has no lines and does no harm.
func TestLockLinesHostile(t *testing.T) {
	for name := range lockParsers() {
		for _, text := range []string{"", "{", "[", `{"packages":`, strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 50_000), "\x00\xff", strings.Repeat("x", 1<<20), "name = \"\nversion = \n", "@:\n  version \"\"\n"} {
			LockLines(name, []byte(text))
		}
	}
	if got := LockLines("README.md", []byte("flask==1.0\n")); got != nil {
		t.Errorf("a file of no known form has lines: %v", got)
	}
}

// The lockfiles of the tests' own data name on each line what is said to be there.
func TestLockLinesOwnData(t *testing.T) {
	files, _ := filepath.Glob("testdata/*lock*")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		lines := strings.Split(string(data), "\n")
		for purl, n := range LockLines(filepath.Base(file), data) {
			name := purl[strings.LastIndexByte(purl, '/')+1 : strings.LastIndexByte(purl, '@')]
			if !strings.Contains(strings.ToLower(lines[n-1]), strings.ToLower(name)) {
				t.Errorf("%s: line %d does not name %s: %q", file, n, purl, lines[n-1])
			}
		}
	}
}
