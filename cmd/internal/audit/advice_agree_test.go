package audit

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/vulndb"
)

// adviceStore holds one advisory of npm for each package: it affects what is
// below the version.
func adviceStore(t *testing.T, fixed map[string]string) *vulndb.DB {
	t.Helper()
	list := map[string]string{}
	for name, v := range fixed {
		list["GHSA-"+name] = fmt.Sprintf(`{"id":"GHSA-%s","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"npm","name":%q},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`, name, name, v)
	}
	return storeOf(t, "npm", list)
}

// TestAdviceAgree: all steps that move "top" go to one version, where that helps
// all; its own step goes there, too.
func TestAdviceAgree(t *testing.T) {
	type needs = map[string]string
	for _, c := range []struct {
		name     string
		versions map[string]needs // of top
		want     []string         // name, version, command and whose the step is
	}{
		{"the highest helps all", map[string]needs{"1.0.5": {"one": "1.0.0", "two": "1.0.0"}, "1.1.0": {"one": "^1.1.0", "two": "1.0.0"}, "1.2.0": {"one": "^1.1.0", "two": "^1.1.0"}},
			[]string{"top 1.2.0 npm install top@1.2.0", "top 1.2.0 npm install top@1.2.0 for pkg:npm/one@1.0.0", "top 1.2.0 npm install top@1.2.0 for pkg:npm/two@1.0.0"}},
		{"a still higher one does", map[string]needs{"1.1.0": {"one": "^1.1.0", "two": "1.0.0"}, "1.2.0": {"one": "1.0.0", "two": "^1.1.0"}, "1.3.0": {"one": "^1.1.0", "two": "^1.1.0"}},
			[]string{"top 1.3.0 npm install top@1.3.0", "top 1.3.0 npm install top@1.3.0 for pkg:npm/one@1.0.0", "top 1.3.0 npm install top@1.3.0 for pkg:npm/two@1.0.0"}},
		{"none helps all", map[string]needs{"1.1.0": {"one": "^1.1.0", "two": "1.0.0"}, "1.2.0": {"one": "1.0.0", "two": "^1.1.0"}},
			[]string{"top 1.1.0 npm install top@1.1.0 for pkg:npm/one@1.0.0", "top 1.2.0 npm install top@1.2.0", "top 1.2.0 npm install top@1.2.0 for pkg:npm/two@1.0.0"}},
	} {
		pol, _ := policy.Builtin(policy.CI)
		a := &Auditor{DB: adviceStore(t, map[string]string{"top": "1.0.5", "one": "1.1.0", "two": "1.1.0"}), Policy: pol, Checks: All(), Now: now}
		other := map[string]needs{"1.0.0": nil, "1.1.0": nil}
		a.Registry = adviceRegistry(t, map[string]map[string]map[string]string{"top": c.versions, "one": other, "two": other})
		app, top := npm("app", "1.0.0"), npm("top", "1.0.0")
		app.Main, app.Requires = true, []string{"top"}
		top.Requires, top.Ranges = []string{"one", "two"}, map[string]string{"one": "1.0.0", "two": "1.0.0"}
		rep, err := a.Components(t.Context(), bundle.Spec{Name: "fn"}, &sbom.SBOM{Components: []sbom.Component{app, top, npm("one", "1.0.0"), npm("two", "1.0.0")}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, u := range rep.Upgrades {
			got = append(got, adviceWords(u))
			if len(u.Clears) != 1 || len(u.Remains) != 0 {
				t.Errorf("%s: %+v", c.name, u)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}
