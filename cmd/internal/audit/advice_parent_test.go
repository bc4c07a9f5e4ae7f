package audit

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// adviceRegistry is a registry of npm packages: name -> version -> what it needs.
// A version that ends in "!" is deprecated.
func adviceRegistry(t *testing.T, packages map[string]map[string]map[string]string) *registry.Client {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		list, ok := packages[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		versions := map[string]any{}
		for v, needs := range list {
			v, deprecated := strings.CutSuffix(v, "!")
			m := map[string]any{"name": name, "version": v, "dependencies": needs, "dist": map[string]string{}}
			if deprecated {
				m["deprecated"] = "do not use it"
			}
			versions[v] = m
		}
		text, err := json.Marshal(map[string]any{"name": name, "versions": versions, "dist-tags": map[string]string{}})
		if err != nil {
			t.Error(err)
		}
		w.Write(text)
	}))
	t.Cleanup(server.Close)
	return &registry.Client{Dir: t.TempDir(), Online: true, HTTP: server.Client(), Config: registry.ReadConfig(registry.Environment{Getenv: func(name string) string {
		return map[string]string{"npm_config_registry": server.URL}[name]
	}})}
}

// TestAdviceParent: "pad" 1.1.0 is affected, 1.3.0 is the first that is not, and
// "top" brings it.
func TestAdviceParent(t *testing.T) {
	type needs = map[string]string
	for _, c := range []struct {
		name     string
		takes    string // of pad, by the top that is there
		versions map[string]needs
		more     func(*[]sbom.Component)
		want     string // name, version and command of the step, and whose it is
		note     string
	}{
		{"the lowest that takes it", "~1.1.0", map[string]needs{"1.0.0": {"pad": "~1.1.0"}, "1.0.1": {"pad": "~1.2.0"}, "1.1.0": {"pad": "^1.2.0"}, "1.2.0": {"pad": "^1.3.0"}}, nil,
			"top 1.1.0 npm install top@1.1.0 for pkg:npm/pad@1.1.0", "for pad 1.1.0, of which top 1.1.0 takes ^1.2.0"},
		{"a new major version is said to be one", "~1.1.0", map[string]needs{"2.0.0": {"pad": "^1.3.0"}}, nil,
			"top 2.0.0 major npm install top@2.0.0 for pkg:npm/pad@1.1.0", "for pad 1.1.0, of which top 2.0.0 takes ^1.3.0"},
		{"it needs it no more", "~1.1.0", map[string]needs{"1.0.1": {"other": "1"}}, nil,
			"top 1.0.1 npm install top@1.0.1 for pkg:npm/pad@1.1.0", "for pad 1.1.0, which top 1.0.1 needs no more"},
		{"it pins another fixed version", "1.1.0", map[string]needs{"1.0.1": {"pad": "1.2.0"}, "1.0.2": {"pad": "1.4.0"}}, nil,
			"top 1.0.2 npm install top@1.0.2 for pkg:npm/pad@1.1.0", "for pad 1.1.0, of which top 1.0.2 takes 1.4.0"},
		{"no pre-release, no deprecated one", "~1.1.0", map[string]needs{"1.0.1-beta.1": {"pad": "^1.3.0"}, "1.0.2!": {"pad": "^1.3.0"}, "1.0.3": {"pad": "^1.3.0"}}, nil,
			"top 1.0.3 npm install top@1.0.3 for pkg:npm/pad@1.1.0", "for pad 1.1.0, of which top 1.0.3 takes ^1.3.0"},
		{"none takes it", "~1.1.0", map[string]needs{"1.0.1": {"pad": "~1.1.5"}}, nil,
			"pad 1.3.0", `top 1.0.0 takes ~1.1.0 of it: move top, or set it to 1.3.0 for top under "overrides" in package.json`},
		{"what it needs is not told", "~1.1.0", map[string]needs{"1.0.1": nil}, nil,
			"pad 1.3.0", `top 1.0.0 takes ~1.1.0 of it: move top, or set it to 1.3.0 for top under "overrides" in package.json`},
		{"it takes it already", "^1.1.0", map[string]needs{"1.0.1": {"pad": "^1.3.0"}}, nil,
			"pad 1.3.0 npm update pad", "whoever needs it takes 1.3.0: only the lockfile changes"},
		{"who does not take it is not direct", "^1.1.0", map[string]needs{"1.0.1": {"pad": "^1.3.0"}}, func(cs *[]sbom.Component) {
			mid := npm("mid", "1.0.0")
			mid.Requires, mid.Ranges = []string{"pad"}, map[string]string{"pad": "1.1.0"}
			*cs = append(*cs, mid)
			(*cs)[1].Requires = []string{"mid", "pad"}
		}, "pad 1.3.0", `mid 1.0.0 takes 1.1.0 of it: move top, or set it to 1.3.0 for mid under "overrides" in package.json`},
		{"two do not take it", "~1.1.0", map[string]needs{"1.0.1": {"pad": "^1.3.0"}}, func(cs *[]sbom.Component) {
			also := npm("also", "1.0.0")
			also.Requires, also.Ranges = []string{"pad"}, map[string]string{"pad": "1.1.0"}
			*cs = append(*cs, also)
			(*cs)[0].Requires = []string{"also", "top"}
		}, "pad 1.3.0", `top 1.0.0 takes ~1.1.0 of it and also 1.0.0 takes 1.1.0 of it: move also and top, or set it to 1.3.0 under "overrides" in package.json`},
		{"a range with an odd text is not shown", "~1.1.0 \u202e", nil, nil,
			"pad 1.3.0 npm update pad", `top must accept 1.3.0: else move that, or set it to 1.3.0 under "overrides" in package.json`},
	} {
		a := auditor(t)
		a.Registry = adviceRegistry(t, map[string]map[string]map[string]string{"top": c.versions, "pad": {"1.1.0": nil, "1.2.0": nil, "1.3.0": nil, "1.4.0": nil}})
		app, top, pad := npm("app", "1.0.0"), npm("top", "1.0.0"), npm("pad", "1.1.0")
		app.Main, app.Requires = true, []string{"top"}
		top.Requires, top.Ranges = []string{"pad"}, map[string]string{"pad": c.takes}
		bom := &sbom.SBOM{Components: []sbom.Component{app, top, pad}}
		if c.more != nil {
			c.more(&bom.Components)
		}
		rep, err := a.Components(t.Context(), bundle.Spec{Name: "fn"}, bom, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, note := adviceTold(rep)
		if got != c.want || note != c.note {
			t.Errorf("%s:\n got %q, %q\nwant %q, %q", c.name, got, note, c.want, c.note)
		}
	}
}

// adviceTold is what the steps of a report say, one after another, and their notes.
func adviceTold(rep *finding.Report) (words, notes string) {
	for _, u := range rep.Upgrades {
		words += adviceWords(u)
		notes += u.Note
	}
	return words, notes
}

func adviceWords(u finding.Upgrade) string {
	words := []string{u.Name, u.To}
	if u.Major {
		words = append(words, "major")
	}
	if u.Command != "" {
		words = append(words, u.Command)
	}
	if u.For != "" {
		words = append(words, "for", u.For)
	}
	return strings.Join(words, " ")
}
