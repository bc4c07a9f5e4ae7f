package archtest

import (
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"
)

// TestTree holds the rules over this very module.
func TestTree(t *testing.T) {
	found, err := Check(os.DirFS("../../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Error(v)
	}
}

// TestTableIsCurrent fails on a line of the table whose package is gone.
func TestTableIsCurrent(t *testing.T) {
	packages, err := load(os.DirFS("../../.."))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, p := range packages {
		there[p.dir] = true
	}
	table := arrows()
	for dir, targets := range table {
		if !there[dir] {
			t.Errorf("the import table lists %s, which has no Go file", dir)
		}
		for _, target := range targets {
			if _, ok := table[target]; !ok {
				t.Errorf("%s may import %s, which the table does not list", dir, target)
			}
		}
	}
}

// TestArrowsHaveNoCycle keeps the table itself honest: what it allows must be
// buildable in layers.
func TestArrowsHaveNoCycle(t *testing.T) {
	table := arrows()
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(dir string)
	visit = func(dir string) {
		switch state[dir] {
		case visiting:
			t.Fatalf("cycle through %s", dir)
		case done:
			return
		}
		state[dir] = visiting
		for _, next := range table[dir] {
			visit(next)
		}
		state[dir] = done
	}
	for dir := range table {
		visit(dir)
	}
}

// TestCheckFails feeds the checker wrong trees: each must break exactly the
// rule that it is about, and the right ones must break none.
func TestCheckFails(t *testing.T) {
	const (
		vulndb  = "// Package vulndb is a test.\npackage vulndb\n"
		finding = "// Package finding is a test.\npackage finding\n"
		bundle  = "// Package bundle is a test.\npackage bundle\n"
		cli     = "// Package cli is a test.\npackage cli\n"
	)
	own := `import _ "` + module + `/`
	registry := strings.Join(hosts()[0], "")
	cases := []struct {
		name, file, source string
		rule               string // "" : nothing is wrong
		says               string
	}{
		{"right", "vulndb/a.go", vulndb + own + `vulndb/version"` + "\n", "", ""},
		{"wrong arrow", "vulndb/a.go", vulndb + own + `bundle"` + "\n", "arrow", "vulndb must not import bundle"},
		{"library reaches up", "bundle/a.go", bundle + own + `cmd/internal/finding"` + "\n", "arrow", "must not reach up"},
		{"parent imports child", "bundle/a.go", bundle + own + `bundle/attest"` + "\n", "arrow", "bundle/attest"},
		{"unlisted package", "vulndb/extra/a.go", "// Package extra is a test.\npackage extra\n", "unlisted", "import table"},
		{"second door", "vulndb/a.go", vulndb + `import _ "github.com/anchore/syft/syft/pkg"` + "\n", "door", "sbom/catalog"},
		{"closed door", "vulndb/a.go", vulndb + `import _ "github.com/santhosh-tekuri/jsonschema/v6"` + "\n", "door", "closed"},
		{"other programs", "vulndb/a.go", vulndb + "import \"os/exec\"\n", "door", "vulndb/reach"},
		{"right door", "cmd/internal/cli/a.go", cli + `import _ "github.com/spf13/cobra"` + "\n", "", ""},
		{"standard library only", "cmd/internal/finding/a.go", finding + `import _ "golang.org/x/sync/errgroup"` + "\n", "standard-only", "vocabulary"},
		{"no package comment", "vulndb/a.go", "package vulndb\n", "doc", "newcomer"},
		{"comment of another package", "vulndb/a.go", "// Package other is a test.\npackage vulndb\n", "doc", "newcomer"},
		{"init", "vulndb/a.go", vulndb + "func init() {}\n", "init", "start-up"},
		{"a method named init is none", "vulndb/a.go", vulndb + "type t int\nfunc (t) init() {}\n", "", ""},
		{"global regexp", "vulndb/a.go", vulndb + "import \"regexp\"\nvar r = regexp.MustCompile(`a`)\n", "global", "start"},
		{"global regexp under another name", "vulndb/a.go", vulndb + "import re \"regexp\"\nvar r = []any{re.MustCompile(`a`)}\n", "global", "start"},
		{"global regexp in a called literal", "vulndb/a.go", vulndb + "import \"regexp\"\nvar r = func() *regexp.Regexp { return regexp.MustCompile(`a`) }()\n", "global", "start"},
		{"lazy regexp is right", "vulndb/a.go", vulndb + "import (\n\"regexp\"\n\"sync\"\n)\nvar r = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`a`) })\n", "", ""},
		{"exit in a library", "vulndb/a.go", vulndb + "import \"os\"\nfunc f() { os.Exit(1) }\n", "process", "os.Exit"},
		{"environment in a library", "vulndb/a.go", vulndb + "import sys \"os\"\nvar home = sys.Getenv(\"HOME\")\n", "process", "os.Getenv"},
		{"environment through a dot import", "vulndb/a.go", vulndb + "import . \"os\"\nfunc f() string { return Getenv(\"HOME\") }\n", "process", "os.Getenv"},
		{"exit in the program is right", "cmd/internal/cli/a.go", cli + "import \"os\"\nfunc f() { os.Exit(1) }\n", "", ""},
		{"registry host", "vulndb/a.go", vulndb + "const u = \"https://" + registry + "/x\"\n", "host", registry},
		{"registry host in any text file", "docs/a.md", "see " + strings.ToUpper(registry) + ".\n", "host", registry},
		{"ecosystem name is right", "vulndb/a.go", vulndb + "const e = \"crates" + ".io\"\n", "", ""},
		{"another host that ends alike is right", "vulndb/a.go", vulndb + "const u = \"https://guides.rubygems" + ".org/x\"\n", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{
				c.file:            {Data: []byte(c.source)},
				"sbom/sbom.go":    {Data: []byte("// Package sbom is right.\npackage sbom\n")},
				"sbom/my_test.go": {Data: []byte("package sbom\nfunc init() {}\n")},
				"testdata/x.go":   {Data: []byte("not Go at all")},
				"tool/go.mod":     {Data: []byte("module example.test/tool\n")},
				"tool/main.go":    {Data: []byte("package main\nfunc init() {}\n")},
			}
			found, err := Check(tree)
			if err != nil {
				t.Fatal(err)
			}
			if c.rule == "" {
				if len(found) != 0 {
					t.Fatalf("nothing is wrong, but: %v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Rule != c.rule || !strings.Contains(found[0].Detail, c.says) {
				t.Fatalf("got %v, want one violation of %q that says %q", found, c.rule, c.says)
			}
			if !strings.HasPrefix(found[0].Place, c.file) && found[0].Place != path.Dir(c.file) {
				t.Errorf("place %q does not name %s", found[0].Place, c.file)
			}
		})
	}
}

// TestCheckRefuses wants an error, not an empty list, where nothing was judged.
func TestCheckRefuses(t *testing.T) {
	for name, tree := range map[string]fstest.MapFS{
		"empty tree": {"README.md": {Data: []byte("x")}},
		"bad syntax": {"vulndb/a.go": {Data: []byte("package vulndb\nfunc {")}},
	} {
		if _, err := Check(tree); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
