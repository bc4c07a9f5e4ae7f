package audit

import (
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// TestAdviceChain: "pad" 1.1.0 is affected and 1.3.0 is not; "mid" 1.0.0, which
// "top" brings, does not take that.
func TestAdviceChain(t *testing.T) {
	type needs = map[string]string
	for _, c := range []struct {
		name     string
		of       string // what top takes of mid
		also     string // what another one takes of mid; "" for no other one
		versions map[string]needs
		want     string
		note     string
	}{
		{"one that top takes helps", "^1.0.0", "", map[string]needs{"1.0.0": {"pad": "1.1.0"}, "1.0.1": {"pad": "1.1.0"}, "1.1.0": {"pad": "^1.2.0"}, "2.0.0": {"pad": "^2.0.0"}},
			"mid 1.1.0 npm update mid for pkg:npm/pad@1.1.0", "for pad 1.1.0, of which mid 1.1.0 takes ^1.2.0; whoever needs it takes 1.1.0: only the lockfile changes"},
		{"it takes the version that is there, too", "^1.0.0", "", map[string]needs{"1.1.0": {"pad": "^1.1.0"}},
			"mid 1.1.0 npm update mid for pkg:npm/pad@1.1.0", "for pad 1.1.0, of which mid 1.1.0 takes ^1.1.0; then move pad, at which the lockfile stays: npm update pad; whoever needs it takes 1.1.0: only the lockfile changes"},
		{"top does not take it", "~1.0.0", "", map[string]needs{"1.0.1": {"pad": "1.1.0"}, "1.1.0": {"pad": "^1.2.0"}},
			"pad 1.3.0", `mid 1.0.0 takes 1.1.0 of it: move top, or set it to 1.3.0 for mid under "overrides" in package.json`},
		{"another one does not take it", "^1.0.0", "1.0.0", map[string]needs{"1.1.0": {"pad": "^1.2.0"}},
			"pad 1.3.0", `mid 1.0.0 takes 1.1.0 of it: move also and top, or set it to 1.3.0 for mid under "overrides" in package.json`},
		{"another one takes it", "^1.0.0", ">=1", map[string]needs{"1.1.0": {"pad": "^1.2.0"}},
			"mid 1.1.0 npm update mid for pkg:npm/pad@1.1.0", "for pad 1.1.0, of which mid 1.1.0 takes ^1.2.0; whoever needs it takes 1.1.0: only the lockfile changes"},
		{"what top takes is not known", "latest", "", map[string]needs{"1.1.0": {"pad": "^1.2.0"}},
			"pad 1.3.0", `mid 1.0.0 takes 1.1.0 of it: move top, or set it to 1.3.0 for mid under "overrides" in package.json`},
		{"the highest does not help", "^1.0.0", "", map[string]needs{"1.1.0": {"pad": "^1.2.0"}, "1.2.0": {"pad": "1.1.0"}},
			"pad 1.3.0", `mid 1.0.0 takes 1.1.0 of it: move top, or set it to 1.3.0 for mid under "overrides" in package.json`},
	} {
		a := auditor(t)
		a.Registry = adviceRegistry(t, map[string]map[string]map[string]string{"mid": c.versions, "pad": {"1.1.0": nil, "1.2.0": nil, "1.3.0": nil, "1.4.0": nil}})
		app, top, mid, pad := npm("app", "1.0.0"), npm("top", "1.0.0"), npm("mid", "1.0.0"), npm("pad", "1.1.0")
		app.Main, app.Requires = true, []string{"top"}
		top.Requires, top.Ranges = []string{"mid"}, map[string]string{"mid": c.of}
		mid.Requires, mid.Ranges = []string{"pad"}, map[string]string{"pad": "1.1.0"}
		bom := &sbom.SBOM{Components: []sbom.Component{app, top, mid, pad}}
		if c.also != "" {
			also := npm("also", "1.0.0")
			also.Requires, also.Ranges = []string{"mid"}, map[string]string{"mid": c.also}
			bom.Components[0].Requires = []string{"also", "top"}
			bom.Components = append(bom.Components, also)
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

// TestAdviceStated: what a registry says that "top" takes counts where no file
// does, and not when top came from elsewhere.
func TestAdviceStated(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes string // of pad, by the top that is there and as the registry says; "" when it does not have it
		trait sbom.TraitKind
		want  string
		note  string
	}{
		{"it refuses", "1.1.0", "", "top 1.2.0 npm install top@1.2.0 for pkg:npm/pad@1.1.0", "for pad 1.1.0, of which top 1.2.0 takes ^1.3.0"},
		{"it takes it", "^1.1.0", "", "pad 1.3.0 npm update pad", "whoever needs it takes 1.3.0: only the lockfile changes"},
		{"not known", "", "", "pad 1.3.0 npm update pad", `top must accept 1.3.0: else move that, or set it to 1.3.0 under "overrides" in package.json`},
		{"from a repository", "1.1.0", sbom.TraitGit, "pad 1.3.0 npm update pad", `top must accept 1.3.0: else move that, or set it to 1.3.0 under "overrides" in package.json`},
	} {
		versions := map[string]map[string]string{"1.2.0": {"pad": "^1.3.0"}}
		if c.takes != "" {
			versions["1.0.0"] = map[string]string{"pad": c.takes}
		}
		a := auditor(t)
		a.Registry = adviceRegistry(t, map[string]map[string]map[string]string{"top": versions, "pad": {"1.1.0": nil, "1.3.0": nil}})
		app, top, pad := npm("app", "1.0.0"), npm("top", "1.0.0"), npm("pad", "1.1.0")
		app.Main, app.Requires, top.Requires = true, []string{"top"}, []string{"pad"}
		if c.trait != "" {
			top.Traits = []sbom.Trait{{Kind: c.trait, Path: "pnpm-lock.yaml"}}
		}
		rep, err := a.Components(t.Context(), bundle.Spec{Name: "fn"}, &sbom.SBOM{Components: []sbom.Component{app, top, pad}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, note := adviceTold(rep)
		if c.trait != "" { // the lockfile of that trait says that pnpm installs
			got, note = strings.ReplaceAll(got, "pnpm update --depth Infinity pad", "npm update pad"), strings.ReplaceAll(note, `pnpm-workspace.yaml (pnpm 9 and before: "pnpm" in package.json)`, "package.json")
		}
		if got != c.want || note != c.note {
			t.Errorf("%s:\n got %q, %q\nwant %q, %q", c.name, got, note, c.want, c.note)
		}
	}
}
