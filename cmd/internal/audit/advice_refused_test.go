package audit

import (
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// TestAdviceRefused: a version that its publisher took back, or says not to use,
// is no place to go; the next that is released is, when nothing is known against
// it. "pad" has its fix in 1.3.0.
func TestAdviceRefused(t *testing.T) {
	for _, c := range []struct {
		name     string
		versions []string
		want     string
	}{
		{"nothing is refused", []string{"1.1.0", "1.2.0", "1.3.0"}, "pad 1.3.0 npm install pad@1.3.0"},
		{"the next one", []string{"1.1.0", "1.3.0!", "1.3.1", "1.4.0"}, "pad 1.3.1 npm install pad@1.3.1"},
		{"the next that is not refused itself", []string{"1.3.0!", "1.3.1!", "1.3.2"}, "pad 1.3.2 npm install pad@1.3.2"},
		{"a pre-release does not do", []string{"1.3.0!", "1.4.0-rc.1"}, "pad "},
		{"a release behind a pre-release", []string{"1.3.0!", "1.4.0-rc.1", "1.4.0"}, "pad 1.4.0 npm install pad@1.4.0"},
		{"a higher line", []string{"1.3.0!", "2.0.0"}, "pad 2.0.0 major npm install pad@2.0.0"},
		{"none is left", []string{"1.1.0", "1.3.0!"}, "pad "},
		{"the registry does not know it", nil, "pad 1.3.0 npm install pad@1.3.0"},
	} {
		a := auditor(t)
		list := map[string]map[string]string{}
		for _, v := range c.versions {
			list[v] = nil
		}
		packages := map[string]map[string]map[string]string{"pad": list}
		if c.versions == nil {
			packages = nil
		}
		a.Registry = adviceRegistry(t, packages)
		rep, err := a.Components(t.Context(), bundle.Spec{Name: "fn"}, &sbom.SBOM{Components: []sbom.Component{npm("pad", "1.1.0")}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(rep.Upgrades) != 1 || adviceWords(rep.Upgrades[0]) != c.want {
			t.Errorf("%s: %+v, want %s", c.name, rep.Upgrades, c.want)
		}
	}
}
