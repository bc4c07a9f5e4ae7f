package resolve

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// modules is what a proxy has: "path version" -> its go.mod without the module
// line, lines separated by ";". "!" is an error.
type modules map[string]string

func (m modules) read(ctx context.Context, path, version string) (registry.Document, error) {
	text, ok := m[path+" "+version]
	switch {
	case ctx.Err() != nil:
		return registry.Document{}, ctx.Err()
	case !ok:
		return registry.Document{Absent: true}, nil
	case text == "!":
		return registry.Document{}, errors.New("the proxy is on fire")
	case strings.HasPrefix(text, "<"):
		return registry.Document{Body: []byte(text)}, nil
	}
	return registry.Document{Body: []byte("module " + path + "\n" + strings.ReplaceAll(text, ";", "\n"))}, nil
}

func TestGo(t *testing.T) {
	for _, tt := range []struct {
		name string
		has  modules
		want string
	}{
		{"nothing", modules{"x.test/a v1.0.0": "go 1.21"}, ""},
		{"what it lists, and no more", modules{
			"x.test/a v1.0.0": "go 1.17;require x.test/b v1.1.0;require x.test/c v1.0.0 // indirect",
			"x.test/b v1.1.0": "go 1.17;require x.test/c v1.0.0;require x.test/tests v1.0.0",
			"x.test/c v1.0.0": "go 1.17"}, "x.test/b@v1.1.0! x.test/c@v1.0.0"},
		{"a higher version that one of those requires", modules{
			"x.test/a v1.0.0": "go 1.22.1;require x.test/b v1.1.0;require x.test/c v1.0.0 // indirect",
			"x.test/b v1.1.0": "go 1.17;require x.test/c v1.2.0",
			"x.test/c v1.0.0": "go 1.17", "x.test/c v1.2.0": "go 1.17"}, "x.test/b@v1.1.0! x.test/c@v1.2.0"},
		{"an old module: the whole graph, and what lower versions require", modules{
			"x.test/a v1.0.0": "require x.test/b v1.1.0;require x.test/c v1.0.0",
			"x.test/b v1.1.0": "go 1.20;require x.test/c v1.2.0",
			"x.test/c v1.0.0": "require x.test/d v1.0.0", "x.test/c v1.2.0": "",
			"x.test/d v1.0.0": ""}, "x.test/b@v1.1.0! x.test/c@v1.2.0! x.test/d@v1.0.0"},
		{"replace and exclude are the main module's", modules{
			"x.test/a v1.0.0": "go 1.17;require x.test/b v1.1.0;replace x.test/b => ../b;exclude x.test/b v1.1.0",
			"x.test/b v1.1.0": ""}, "x.test/b@v1.1.0!"},
		{"a circle, and a higher version of itself", modules{
			"x.test/a v1.0.0": "require x.test/b v1.0.0", "x.test/b v1.0.0": "require x.test/a v1.5.0"}, "x.test/b@v1.0.0!"},
		{"incompatible and pre-releases", modules{
			"x.test/a v1.0.0": "require x.test/b v2.0.0+incompatible;require x.test/c v1.0.0-rc.1", "x.test/c v1.0.0-rc.1": "require x.test/b v1.9.0",
			"x.test/b v2.0.0+incompatible": "", "x.test/b v1.9.0": ""}, "x.test/b@v2.0.0+incompatible! x.test/c@v1.0.0-rc.1!"},
		{"nobody has it", modules{"x.test/a v1.0.0": "require x.test/b v1.0.0"}, "x.test/b@v1.0.0! [x.test/b: no proxy has its version v1.0.0]"},
		{"nobody answers", modules{"x.test/a v1.0.0": "require x.test/b v1.0.0", "x.test/b v1.0.0": "!"},
			"x.test/b@v1.0.0! [x.test/b: its go.mod is not known: the proxy is on fire]"},
		{"no go.mod at all", modules{"x.test/a v1.0.0": "require x.test/b v1.0.0", "x.test/b v1.0.0": "<html>"},
			"x.test/b@v1.0.0! [x.test/b: the go.mod of its version v1.0.0 is of no module or of another]"},
		{"a path that is none", modules{"x.test/a v1.0.0": "require ../b v1.0.0"}, "the go.mod of its version v1.0.0 requires what can be no module"},
		{"a version that is none", modules{"x.test/a v1.0.0": "require x.test/b latest"}, "the go.mod of its version v1.0.0 is not of the form that was expected"},
		{"it is not there itself", modules{}, "no proxy has its version v1.0.0"},
		{"over the limit", modules{"x.test/a v1.0.0": "require x.test/b v1.0.0;require x.test/c v1.0.0;require x.test/d v1.0.0;require x.test/e v1.0.0;require x.test/f v1.0.0"}, "it needs over 5 packages"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree, err := ofGo(t.Context(), tt.has.read, "x.test/a", "v1.0.0", Limits{Packages: 5})
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				tree.sort()
				got = tree.String()
			}
			if got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A chain that a hostile proxy makes up as it is walked ends at a limit.
func TestGoEndless(t *testing.T) {
	asked := 0
	read := func(_ context.Context, path, version string) (registry.Document, error) {
		asked++
		return registry.Document{Body: fmt.Appendf(nil, "module %s\nrequire x.test/m%d v1.%d.0\nrequire x.test/a v1.%d.0\n", path, asked, asked, asked)}, nil
	}
	if _, err := ofGo(t.Context(), read, "x.test/a", "v1.0.0", Limits{}.withDefaults()); err == nil || asked > 3_000 {
		t.Errorf("%d go.mod files were read: %v", asked, err)
	}
}

func TestGoCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ofGo(ctx, modules{}.read, "x.test/a", "v1.0.0", Limits{}.withDefaults()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func FuzzParseGoMod(f *testing.F) {
	f.Add([]byte("module x.test/a\n\ngo 1.17\n\nrequire (\n\tx.test/b v1.0.0 // indirect\n)\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got := parseGoMod(body, module.Version{Path: "x.test/a", Version: "v1.0.0"})
		if got.gap != "" && len(got.require) > 0 {
			t.Error("a gap with requirements")
		}
	})
}
