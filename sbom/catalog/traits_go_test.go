package catalog

import (
	"runtime/debug"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestOriginsOfGoModules holds what build information says about where modules
// came from: replaced by another and by a folder, of the workspace, without a
// digest, and a main module with changes that nobody committed.
func TestOriginsOfGoModules(t *testing.T) {
	info := &debug.BuildInfo{
		GoVersion: "go1.26.0", Main: debug.Module{Path: "app.example/m", Version: "(devel)"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789"}, {Key: "vcs.modified", Value: "true"}},
		Deps: []*debug.Module{
			{Path: "a.example/a", Version: "v1.0.0", Sum: "h1:A"},
			{Path: "b.example/b", Version: "v1.0.0", Replace: &debug.Module{Path: "d.example/d", Version: "v1.1.0", Sum: "h1:D"}},
			{Path: "c.example/c", Version: "v1.0.0", Replace: &debug.Module{Path: "../c"}},
			{Path: "w.example/w", Version: "(devel)"},
			{Path: "x.example/x", Version: "v1.0.0"},
			nil,
		},
	}
	want := map[string]string{
		"app.example/m": "devel main module; modified commit 0123456789",
		"a.example/a":   "sum h1:A",
		"d.example/d":   "replaced b.example/b v1.0.0; sum h1:D",
		"c.example/c":   "replaced c.example/c v1.0.0; folder ../c",
		"w.example/w":   "devel module of the workspace",
		"x.example/x":   "no-integrity x.example/x v1.0.0",
		"stdlib":        "",
	}
	for _, f := range (&artifact{}).goModules("bootstrap", info) {
		if got := kindsOf(f.traits); got != want[f.name] {
			t.Errorf("%s: got %q, want %q", f.name, got, want[f.name])
		}
		for _, x := range f.traits {
			if x.Path != "bootstrap" {
				t.Errorf("%s: path %q", f.name, x.Path)
			}
		}
		delete(want, f.name)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// TestGoVendored: from a vendor folder no module has a digest, which says
// nothing about each of them; 1.24 says in the version what is not committed.
func TestGoVendored(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Path: "app.example/m", Version: "v1.0.1-0.20260101000000-0123456789ab+dirty"}, Deps: []*debug.Module{{Path: "a.example/a", Version: "v1.0.0"}}}
	list := (&artifact{}).goModules("bootstrap", info)
	if got := kindsOf(list[1].traits); got != "modified commit" {
		t.Errorf("got %q", got)
	}
	if got := kindsOf(list[2].traits); got != "no-integrity built from a vendor folder" {
		t.Errorf("got %q", got)
	}
}

func TestGoSums(t *testing.T) {
	s := catalogueFiles(t, "", []txtar.File{
		{Name: "function/go.mod", Data: []byte("module app.example/m\nrequire (\na.example/a v1.0.0\nb.example/b v1.0.0\nc.example/c v1.0.0\n)\n")},
		{Name: "function/go.sum", Data: []byte("a.example/a v1.0.0 h1:A\na.example/a v1.0.0/go.mod h1:AM\nb.example/b v1.0.0/go.mod h1:BM\nodd\n")},
	})
	want := map[string]string{"pkg:golang/a.example/a@v1.0.0": "direct; lock-digest h1:A", "pkg:golang/b.example/b@v1.0.0": "direct", "pkg:golang/c.example/c@v1.0.0": "direct; no-integrity c.example/c@v1.0.0 is not in go.sum"}
	for _, c := range s.Components {
		if got := kindsOf(c.Traits); got != want[c.PURL] {
			t.Errorf("%s: got %q", c.PURL, got)
		}
		delete(want, c.PURL)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}
