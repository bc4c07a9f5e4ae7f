package catalog

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// The same lockfile in every form that TOML has for it, and what is none.
func TestTOMLPackages(t *testing.T) {
	const want = `[map[dependencies:[map[extra:[x y] name:b]] groups:[main] name:a source:map[git:g] version:1.0]]`
	for name, tt := range map[string]struct{ text, want, err string }{
		"as generated": {text: `
version = 1
[[package]]
name = "a"
version = "1.0"
source = { git = "g", rev = "r" }
groups = ["main"]
files = [
    {file = "a.whl", hash = "sha256:00"},
]
dependencies = [
    { name = "b", extra = ["x", "y"] },
]
[package.extras]
all = ["c"]
[metadata]
name = "none of this"
`, want: `[map[dependencies:[map[extra:[x y] name:b]] groups:[main] name:a source:map[git:g rev:r] version:1.0]]`},
		"spaces, quotes, dots": {text: "[[ 'package' ]] # [[package]]\r\n\"name\"='a'\r\nversion=\"\"\"1.0\"\"\"\r\nsource.git = \"g\"\r\ngroups = [\"main\",\r\n]\r\n" +
			"dependencies=[{name=\"b\",extra=[\"x\",\n#]\n\"y\"]}]", want: want},
		"tables":              {text: "[[package]]\nname = 'a'\nversion = '1.0'\ngroups = ['main']\n[package.source]\ngit = 'g'\n[[package.dependencies]]\nname = 'b'\nextra = ['x', 'y']\n", want: want},
		"one list":            {text: "package = [{name='a',version='1.0',source={git='g'},groups=['main'],dependencies=[{name='b',extra=['x','y']}]}]", want: want},
		"plain values":        {text: "[[package]]\nname = 1\nversion = 1.0\ngroups = [true]", want: `[map[groups:[true] name:1 version:1.0]]`},
		"text that looks":     {text: "[[package]]\nname = 'a'\ndescription = \"\"\"\n[[package]]\nname = 'b'\n\"\"\"\n", want: `[map[name:a]]`},
		"none":                {text: "[metadata]\nx = 1\n", want: `[]`},
		"twice":               {text: "[[package]]\nname = 'a'\nname = 'b'\n", err: `"name" is set twice`},
		"a table":             {text: "[package]\nname = 'a'\n", err: `"package" is no list of tables`},
		"a string":            {text: "package = 'a'", err: `"package" is no list of tables`},
		"a list of others":    {text: "package = ['a']", err: `"package" is no list of tables`},
		"no table":            {text: "[[package]]\nsource = 'a'\n[package.source]\ngit = 'g'", err: `"source" is no table`},
		"no TOML":             {text: "{\"package\": []}", err: "parse TOML"},
		"cut":                 {text: "[[package]]\nname = \"a", err: "parse TOML"},
		"no table in a list":  {text: "[[package]]\ngroups = ['a']\n[package.groups]\nx = 1", err: `"groups" is no table`},
		"dotted without end":  {text: "[[package]]\nsource" + strings.Repeat(".a", 100) + " = 1", err: "over the limit of 32"},
		"lists without end":   {text: "[[package]]\nname = " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), err: "over the limit of 32"},
		"tables without end":  {text: "[[package]]\nname = " + strings.Repeat("{a=", 5000) + "1" + strings.Repeat("}", 5000), err: "over the limit of 32"},
		"brackets for ever":   {text: "x = " + strings.Repeat("[", 500_000), err: "parse TOML"},
		"a long line":         {text: "x" + strings.Repeat(".a", maxTOMLLine/2) + " = 1", err: "over the limit of 1048576"},
		"elements for ever":   {text: "x = [" + strings.Repeat("1,\n", maxTOMLElements/2+1) + "]", err: "over the limit of 500000"},
		"a long header twice": {text: "[x" + strings.Repeat(".a", 40) + "]\n", err: "over the limit of 32"},
	} {
		got, err := tomlPackages([]byte(tt.text), "name", "version", "source", "groups", "dependencies")
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || got != nil {
				t.Errorf("%s: %.200v, %v; want the error %q", name, got, err, tt.err)
			}
			continue
		}
		if fmt.Sprint(got) != tt.want || err != nil {
			t.Errorf("%s:\n got %v, %v\nwant %v", name, got, err, tt.want)
		}
	}
}

func TestManifestAsks(t *testing.T) {
	for text, want := range map[string]bool{
		"[project]\ndependencies = []\n":                                          false,
		"[project]\nname = 'x'\n":                                                 false,
		"[project]\ndependencies = [ # none\n]\n":                                 false,
		"[project]\ndependencies = [\n  'a', ]\n":                                 true,
		"project.dependencies = ['a']":                                            true,
		"project = { dependencies = ['a'] }":                                      true,
		"[ project ]\n'dependencies' = [ 'a' ]":                                   true,
		"[project.optional-dependencies]\ndev = ['a']":                            false,
		"[tool.poetry.dependencies]\npython = '^3.11'\n":                          false,
		"[tool.poetry.dependencies]\npython = '^3.11'\nrequests = '*'\n":          true,
		"[tool.poetry.dependencies.requests]\nversion = '*'\n":                    true,
		"[tool.poetry.dependencies.python]\nversion = '*'\n":                      false,
		"[tool]\npoetry = { dependencies = { python = '^3', requests = '*' } }\n": true,
		"[tool.poetry.group.dev.dependencies]\npytest = '*'\n":                    false,
		"# [tool.poetry.dependencies]\n# requests = '*'\n":                        false,
	} {
		if got, err := pyprojectAsks([]byte(text)); got != want || err != nil {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]bool{
		"[packages]\n": false, "[packages]\na = '*'\n": true, "[packages.a]\nversion = '*'": true, "packages = { a = '*' }": true,
		"[dev-packages]\na = '*'\n": false, "[[source]]\nurl = 'u'\n": false, "packages = {}": false,
	} {
		if got, err := pipfileAsks([]byte(text)); got != want || err != nil {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	if _, err := pyprojectAsks([]byte("[project\n")); err == nil {
		t.Error("half a header is read")
	}
	var limit *limitError
	if _, err := pipfileAsks([]byte("a" + strings.Repeat(".a", 99) + "=1")); !errors.As(err, &limit) {
		t.Errorf("%v", err)
	}
}

func FuzzTOML(f *testing.F) {
	f.Add([]byte("[[package]]\nname = 'a'\nsource = { git = 'g' }\n[package.optional-dependencies]\nx = [{ name = 'b' }]\n"))
	f.Add([]byte("package = [{ name = 'a' }]\nproject.dependencies = ['x']\n[tool.poetry.dependencies]\na = 1979-05-27T07:32:00Z"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := tomlPackages(data, "name", "source", optionalDependencies)
		if err != nil && got != nil {
			t.Error("an error with packages")
		}
		for _, p := range got {
			for key := range p {
				if p.text(key) == "" && p.list(key) == nil && p.table(key) == nil && p[key] != "" {
					t.Errorf("%q is a %T", key, p[key])
				}
			}
		}
		pyprojectAsks(data)
		pipfileAsks(data)
	})
}
