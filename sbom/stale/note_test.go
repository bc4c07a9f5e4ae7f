package stale

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// history is a made-up one: three majors, a pre-release, one version taken back.
func history(change func(*registry.Facts)) *registry.Facts {
	f := &registry.Facts{Package: registry.Package{System: registry.NPM, Name: "padding"}, Answer: registry.Known, Source: "registry.example", AsOf: on("2026-11-20")}
	for _, v := range []struct{ version, at string }{{"3.0.0", "2018-01-01"}, {"4.17.20", "2020-08-13"}, {"4.17.21", "2021-02-20"}, {"4.18.2", "2022-11-03"}, {"5.0.0-rc.1", "2025-01-01"}, {"5.0.0", "2026-01-01"}} {
		f.Versions = append(f.Versions, registry.Version{Version: v.version, Published: on(v.at)})
	}
	if change != nil {
		change(f)
	}
	return f
}

func component(purl, version string) *sbom.Component {
	return &sbom.Component{PURL: purl + "@" + version, Name: "padding", Version: version, Origin: sbom.OriginApp, State: sbom.Live,
		Evidence: []sbom.Evidence{{Method: "installed-metadata", Confidence: 0.99}}}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name, version string
		change        func(*registry.Facts)
		limits        Limits
		now           string
		want          []string // rule severity title [fixed]
	}{
		{"the newest", "5.0.0", nil, Limits{}, "2026-11-28", nil},
		{"behind a major and years", "4.17.20", nil, Limits{}, "2026-11-28",
			[]string{"behind low is 1 major version (3 releases) and 1967 days behind 5.0.0; 4.18.2 is the newest of its own major [4.18.2 5.0.0]"}},
		{"the newest of its major", "4.18.2", nil, Limits{}, "2026-11-28",
			[]string{"behind low is 1 major version (1 release) and 1155 days behind 5.0.0; it is the newest of its own major [5.0.0]"}},
		{"two majors", "3.0.0", nil, Limits{}, "2026-11-28", []string{"behind low is 2 major versions (4 releases) and 2922 days behind 5.0.0; it is the newest of its own major [5.0.0]"}},
		{"behind a patch", "4.17.20", func(f *registry.Facts) { f.Versions = f.Versions[:3] }, Limits{}, "2022-11-28",
			[]string{"behind none is 1 version and 191 days behind 4.17.21 [4.17.21]"}},
		{"dates that are not told", "4.17.20", func(f *registry.Facts) {
			for i := range f.Versions {
				f.Versions[i].Published = time.Time{}
			}
		}, Limits{}, "2036-11-28", []string{"behind none is 1 major version (3 releases) behind 5.0.0; 4.18.2 is the newest of its own major [4.18.2 5.0.0]"}},
		{"old, by the policy", "4.18.2", nil, Limits{Age: year * day}, "2026-11-28", []string{
			"old-version low was published 4 years ago, on 2022-11-03, and 5.0.0 is there; the policy allows 365 days [5.0.0]",
			"behind low is 1 major version (1 release) and 1155 days behind 5.0.0; it is the newest of its own major [5.0.0]"}},
		{"old, and nothing newer", "5.0.0", nil, Limits{Age: day}, "2026-11-28", nil},
		{"given up", "5.0.0", nil, Limits{}, "2029-11-28", []string{"unmaintained none comes from a project that has released nothing for 3 years: the last was 5.0.0 of 2026-01-01 []"}},
		{"given up and vulnerable", "5.0.0", nil, Limits{Unfixed: true}, "2029-11-28", []string{"unmaintained low comes from a project that has released nothing for 3 years: the last was 5.0.0 of 2026-01-01; a known vulnerability of it has no fix []"}},
		{"given up by the policy", "5.0.0", nil, Limits{Unmaintained: 30 * day}, "2026-11-28", []string{"unmaintained low comes from a project that has released nothing for 331 days: the last was 5.0.0 of 2026-01-01 []"}},
		{"deprecated", "5.0.0", func(f *registry.Facts) { f.Versions[5].Deprecated = "use\nspacing  instead" }, Limits{}, "2029-11-28",
			[]string{"deprecated low is deprecated by its publisher: use spacing instead []"}},
		{"taken back", "5.0.0", func(f *registry.Facts) { f.Versions[5].Yanked = "broken on Tuesdays" }, Limits{}, "2026-11-28",
			[]string{"yanked medium was yanked by its publisher: broken on Tuesdays []"}},
		{"removed", "5.0.0", func(f *registry.Facts) { f.Versions[5].Yanked = registry.Unpublished }, Limits{}, "2026-11-28",
			[]string{"withdrawn medium was taken off its registry after it was published []"}},
		{"taken back, and one above", "4.17.20", func(f *registry.Facts) { f.Versions[1].Yanked, f.Versions = "yanked", f.Versions[:3] }, Limits{}, "2022-11-28",
			[]string{"yanked medium was yanked by its publisher [4.17.21]", "behind none is 1 version and 191 days behind 4.17.21 [4.17.21]"}},
		{"archived", "5.0.0", func(f *registry.Facts) { f.Archived = "code.example/a/b" }, Limits{}, "2036-11-28",
			[]string{"archived low comes from an archived project (code.example/a/b): nothing will be fixed there []"}},
		{"not listed", "4.18.0", nil, Limits{}, "2026-11-28", []string{
			"behind none is 1 major version (2 releases) behind 5.0.0; 4.18.2 is the newest of its own major [4.18.2 5.0.0]"}},
		{"newer than what is listed", "6.0.0", nil, Limits{}, "2026-11-28", nil},
		{"somebody's own build", "4.18.0-acme.1", nil, Limits{}, "2026-11-28", []string{
			"behind none is 1 major version (2 releases) behind 5.0.0; 4.18.2 is the newest of its own major [4.18.2 5.0.0]"}},
		{"nobody answered", "4.17.20", func(f *registry.Facts) { f.Answer = registry.Unknown }, Limits{}, "2036-11-28", nil},
		{"no such package", "4.17.20", func(f *registry.Facts) { f.Answer = registry.Absent }, Limits{}, "2036-11-28", nil},
	} {
		s := history(c.change).Standing(c.version)
		var got []string
		for _, n := range Judge(component("pkg:npm/padding", c.version), &s, c.limits, on(c.now)) {
			got = append(got, fmt.Sprint(n.Rule, " ", n.Severity, " ", n.Title, " ", n.Fixed))
			if n.Source == "" || n.AsOf.IsZero() || n.From != "registry" || n.Component == "" || n.Detail == "" {
				t.Errorf("%s: a claim without its source: %+v", c.name, n)
			}
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n got %s\nwant %s", c.name, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
		}
	}
}

// TestRetracted uses Go's word.
func TestRetracted(t *testing.T) {
	f := history(func(f *registry.Facts) {
		f.Package.System = registry.Go
		f.Versions[5].Yanked = "published by accident"
	})
	s := f.Standing("5.0.0")
	notes := Judge(component("pkg:golang/code.example/padding", "5.0.0"), &s, Limits{}, on("2026-11-28"))
	if len(notes) != 1 || notes[0].Title != "was retracted by its author: published by accident" {
		t.Errorf("%+v", notes)
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine(strings.Repeat("ä", 300)); len(got) > maxWords+4 || strings.ContainsRune(got, '�') {
		t.Errorf("%q", got)
	}
}
