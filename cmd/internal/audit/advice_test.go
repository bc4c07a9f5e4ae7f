package audit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/vulndb"
)

// TestAdvise: one step per component, one for all that the platform brings, one
// for a runtime at its end; in a layer it is said in which.
func TestAdvise(t *testing.T) {
	component := func(purl, name, version, origin string, artifact int) finding.Component {
		return finding.Component{PURL: purl, Name: name, Version: version, State: "live", Origin: origin, Locations: []finding.Location{{Artifact: artifact, Path: "x/" + name}}}
	}
	flaw := func(component, id string, fixed ...string) finding.Finding {
		return finding.Finding{Kind: finding.KindVulnerability, Component: component, ID: id, Fingerprint: "f-" + id, Severity: finding.High, Fixed: fixed}
	}
	evil := flaw("pkg:npm/evil@1.0.0", "MAL-1", "1.0.1")
	evil.Kind = finding.KindMalware
	rep := &finding.Report{
		Artifacts: []finding.Artifact{{Ref: "fn.zip"}, {Ref: "base.zip"}},
		Components: []finding.Component{
			component("pkg:npm/a@1.0.0", "a", "1.0.0", "app", 0), component("pkg:npm/b@1.0.0", "b", "1.0.0", "layer", 1), component("pkg:npm/evil@1.0.0", "evil", "1.0.0", "app", 0),
			component("pkg:npm/open@1.0.0", "open", "1.0.0", "app", 0), component("pkg:deb/debian/libc6@2.36", "libc6", "2.36", "base", 0), component("pkg:deb/debian/zlib@1", "zlib", "1", "base", 0),
			component("pkg:npm/some", "some", "", "app", 0), component("pkg:npm/clean@1.0.0", "clean", "1.0.0", "app", 0),
		},
		Findings: []finding.Finding{
			flaw("pkg:npm/a@1.0.0", "A1", "1.1.0"), flaw("pkg:npm/a@1.0.0", "A2"), flaw("pkg:npm/b@1.0.0", "B1", "2.0.0"), evil, flaw("pkg:npm/open@1.0.0", "O1"),
			flaw("pkg:deb/debian/libc6@2.36", "C1", "2.36-9"), flaw("pkg:deb/debian/zlib@1", "C2"), flaw("pkg:npm/some", "S1", "4.0.0"),
			{Kind: finding.KindRuntime, ID: "runtime:nodejs16.x", Fingerprint: "f-R", Fixed: []string{"nodejs22.x"}},
		},
	}
	s := &Subject{SBOM: &sbom.SBOM{}}
	about := map[string][]*finding.Finding{}
	for i := range rep.Findings {
		about[rep.Findings[i].Component] = append(about[rep.Findings[i].Component], &rep.Findings[i])
	}
	v := adviser{rep: rep, about: about, steps: map[string]vulndb.Steps{
		"pkg:npm/a@1.0.0":    {Most: vulndb.Step{To: "1.1.0", Clears: []string{"A1"}}},
		"pkg:npm/b@1.0.0":    {All: vulndb.Step{To: "2.0.0", Clears: []string{"B1"}, Major: true}, Most: vulndb.Step{To: "2.0.0", Clears: []string{"B1"}, Major: true}},
		"pkg:npm/evil@1.0.0": {All: vulndb.Step{To: "1.0.1", Clears: []string{"MAL-1"}}, Most: vulndb.Step{To: "1.0.1", Clears: []string{"MAL-1"}}},
	}}
	v.broughtBy(s.SBOM.Components)
	v.lockfiles()
	for i := range rep.Components {
		if c := &rep.Components[i]; len(about[c.PURL]) > 0 {
			v.component(c, flaws(about[c.PURL]))
		}
	}
	v.platform("base", imageStep)
	v.platform("runtime", runtimeStep)
	v.runtime()
	var got []string
	for _, u := range rep.Upgrades {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s>%s major=%v %v-%v %s [%s] %s", u.Name, u.From, u.To, u.Major, u.Clears, u.Remains, u.Command, u.Layer, u.Note)))
	}
	want := []string{
		"a 1.0.0>1.1.0 major=false [f-A1]-[f-A2] npm install a@1.1.0 []",
		"b 1.0.0>2.0.0 major=true [f-B1]-[] npm install b@2.0.0 [base.zip]",
		"evil 1.0.0> major=false [f-MAL-1]-[]  [] remove it, then rotate every secret that the function could read",
		"open 1.0.0> major=false []-[f-O1]  []",
		"some >4.0.0 major=false [f-S1]-[] npm install some@4.0.0 []",
		"base image fn.zip>newer major=false [f-C1]-[f-C2]  [] rebuild on a newer base image",
		"runtime nodejs16.x>nodejs22.x major=false [f-R]-[]  [] move the function to it",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestAdviseManager: the lockfile that names a package tells what installs it,
// else one that names another, else what is usual.
func TestAdviseManager(t *testing.T) {
	by := func(purl, lock string) finding.Component {
		c := finding.Component{PURL: purl}
		if lock != "" {
			c.Evidence = []finding.Proof{{Method: "lockfile", Path: lock}}
		}
		return c
	}
	rep := &finding.Report{Components: []finding.Component{
		by("pkg:npm/a@1", "app/yarn.lock"), by("pkg:npm/b@1", ""), by("pkg:pypi/c@1", "poetry.lock"), by("pkg:cargo/d@1", ""),
		by("pkg:npm/e@1", "node_modules/.package-lock.json"), by("pkg:generic/node@1", ""),
	}}
	v := adviser{rep: rep}
	v.lockfiles()
	for i, want := range []string{"yarn", "npm", "poetry", "cargo", "npm", ""} {
		if got := v.manager(&rep.Components[i]); got != want {
			t.Errorf("%s: %q, want %q", rep.Components[i].PURL, got, want)
		}
	}
}
