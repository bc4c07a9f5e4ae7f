package audit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
	"github.com/fnaudit/fnaudit/sbom/stale"
)

func staleDay(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// staleComponent is a package of the function, and what its registry says: the
// versions as "1.0.0 2020-01-01".
func staleComponent(name, version, versions string, change func(*registry.Facts)) (sbom.Component, *registry.Standing) {
	f := registry.Facts{Package: registry.Package{System: registry.NPM, Name: name}, Answer: registry.Known, Source: "registry.example", AsOf: staleDay("2026-11-20")}
	for _, v := range strings.Split(versions, ", ") {
		number, at, _ := strings.Cut(v, " ")
		f.Versions = append(f.Versions, registry.Version{Version: number, Published: staleDay(at)})
	}
	if change != nil {
		change(&f)
	}
	s := f.Standing(version)
	return sbom.Component{PURL: "pkg:npm/" + name + "@" + version, Name: name, Version: version, State: sbom.Live, Origin: sbom.OriginApp,
		Evidence: []sbom.Evidence{{Method: "installed-metadata", Confidence: 0.99}}}, &s
}

// TestStale plants one of each rule and finds it, and nothing else.
func TestStale(t *testing.T) {
	s := &Subject{Name: "orders", Platform: "aws-lambda", Runtime: "nodejs22.x", SBOM: &sbom.SBOM{}, Standings: map[string]*registry.Standing{}}
	plant := func(name, version, versions string, change func(*registry.Facts)) {
		c, st := staleComponent(name, version, versions, change)
		s.SBOM.Components = append(s.SBOM.Components, c)
		s.Standings[c.PURL] = st
	}
	plant("fresh", "2.0.0", "1.0.0 2025-01-01, 2.0.0 2026-06-01", nil)
	plant("behind", "1.0.0", "1.0.0 2023-01-01, 1.0.1 2023-02-01, 2.0.0 2026-06-01", nil)
	plant("oldish", "2.0.0", "2.0.0 2024-01-01, 2.0.1 2026-06-01", nil)
	plant("quiet", "1.0.0", "1.0.0 2019-01-01", nil)
	plant("deprecated", "1.0.0", "1.0.0 2026-01-01", func(f *registry.Facts) { f.Versions[0].Deprecated = "use fresh" })
	plant("yanked", "1.0.0", "1.0.0 2026-01-01", func(f *registry.Facts) { f.Versions[0].Yanked = "yanked" })
	plant("withdrawn", "1.0.1", "1.0.1 2026-01-01, 1.0.2 2026-01-02", func(f *registry.Facts) { f.Versions[0].Yanked = registry.Unpublished })
	plant("archived", "1.0.0", "1.0.0 2026-01-01", func(f *registry.Facts) { f.Archived = "code.example/a/archived" })
	plant("%40aws-sdk/client-s3", "3.1.0", "3.1.0 2021-01-14, 3.900.0 2026-11-01", nil)
	plant("unknown", "1.0.0", "1.0.0 2010-01-01, 2.0.0 2011-01-01", func(f *registry.Facts) { f.Answer, f.Reason = registry.Unknown, "nobody answered" })
	plant("gone", "1.0.0", "1.0.0 2010-01-01", func(f *registry.Facts) { f.Answer = registry.Absent })
	s.SBOM.Components = append(s.SBOM.Components,
		sbom.Component{PURL: "pkg:npm/spam@3.1.0", Name: "spam", Version: "3.1.0", State: sbom.Live, Origin: sbom.OriginApp},
		sbom.Component{PURL: "pkg:npm/eggs@1.0.0", Name: "eggs", Version: "1.0.0", State: sbom.Live, Origin: sbom.OriginApp},
		sbom.Component{PURL: "pkg:npm/bacon@1.0.0", Name: "bacon", Version: "1.0.0", State: sbom.Live, Origin: sbom.OriginApp},
		sbom.Component{PURL: "pkg:deb/hamix/tar@1?distro=hamix-11", Name: "tar", Version: "1", State: sbom.Live, Origin: sbom.OriginBase},
		sbom.Component{PURL: "pkg:deb/hamix/sed@1?distro=hamix-11", Name: "sed", Version: "1", State: sbom.Live, Origin: sbom.OriginBase})
	own, err := stale.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	table, err := stale.ParseRuntimes([]byte(`{"version":1,"products":[
		{"product":"spam","name":"Spam","kind":"framework","asOf":"2026-11-01","source":"https://ends.example","packages":["pkg:npm/spam"],"cycles":[{"cycle":"3","end":"2026-01-01"}]},
		{"product":"eggs","name":"Eggs","kind":"framework","asOf":"2026-11-01","source":"https://ends.example","packages":["pkg:npm/eggs"],"cycles":[{"cycle":"1","end":"2027-03-01","extended":"2027-06-01"}]},
		{"product":"bacon","name":"Bacon","kind":"framework","asOf":"2024-11-01","source":"https://ends.example","packages":["pkg:npm/bacon"],"cycles":[{"cycle":"1"}]},
		{"product":"hamix","name":"Hamix","kind":"distribution","asOf":"2026-11-01","source":"https://ends.example","distro":"hamix","cycles":[{"cycle":"11","end":"2024-01-01"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	a := &Auditor{Now: staleDay("2026-11-28"), Runtimes: table.Over(own), Policy: &policy.Policy{Stale: policy.Stale{Age: 700 * 24 * time.Hour}}}
	s.Policy = a.Policy
	res, err := checkStale(t.Context(), a, s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range res.Findings {
		got = append(got, fmt.Sprint(f.Severity, " ", f.ID, " ", f.Certainty))
		if distro := f.ID == "end-of-life:hamix 11"; distro != (f.Origin == "base") {
			t.Errorf("%s is of origin %q", f.ID, f.Origin)
		}
		if f.Kind != finding.KindStale || f.Title == "" || len(f.Evidence) != 1 || f.Evidence[0].Source == "" || f.Evidence[0].Locator == "" || f.Evidence[0].At == nil {
			t.Errorf("a claim without its source: %+v", f)
		}
	}
	want := []string{
		"low end-of-life-soon:eggs certain", "medium end-of-life:hamix 11 certain", "medium end-of-life:spam certain", "low table-old:products certain",
		"low sdk-behind-runtime:%40aws-sdk/client-s3 probable",
		"low old-version:behind certain", "low behind:behind certain", "low old-version:oldish certain", "none behind:oldish certain", "none unmaintained:quiet certain",
		"low deprecated:deprecated certain", "medium yanked:yanked certain", "medium withdrawn:withdrawn certain", "none behind:withdrawn certain", "low archived:archived certain",
		"low old-version:%40aws-sdk/client-s3 certain", "none behind:%40aws-sdk/client-s3 certain",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var days []string
	for _, e := range res.Calendar {
		days = append(days, fmt.Sprint(e.Date, " ", e.Days, " ", e.What, " ", e.Event, " ", e.Component))
	}
	if got, want := strings.Join(days, ", "), "2027-03-01 93 Eggs 1 end-of-life pkg:npm/eggs@1.0.0, 2027-06-01 185 Eggs 1 extended-end pkg:npm/eggs@1.0.0"; got != want {
		t.Errorf("calendar %s, want %s", got, want)
	}
}

// TestStaleWithoutFacts holds that the tables are asked where no registry was,
// as in a rescan.
func TestStaleWithoutFacts(t *testing.T) {
	s := &Subject{Policy: &policy.Policy{}, SBOM: &sbom.SBOM{Components: []sbom.Component{{PURL: "pkg:golang/stdlib@1.21.5", Name: "stdlib", Version: "1.21.5", State: sbom.Live, Origin: sbom.OriginApp}}}}
	res, err := checkStale(t.Context(), &Auditor{Now: staleDay("2026-11-28")}, s)
	if err != nil || len(res.Findings) != 1 || res.Findings[0].ID != "end-of-life:stdlib" {
		t.Errorf("%+v %v", res.Findings, err)
	}
}

// TestCalendar walks through the life of a runtime.
func TestCalendar(t *testing.T) {
	for _, c := range []struct{ runtime, at, want string }{
		{"nodejs24.x", "2026-11-28", ""},
		{"nodejs22.x", "2026-11-28", "2027-04-30 153 deprecated, 2027-07-01 215 block-update"},
		{"nodejs20.x", "2026-11-28", "2026-04-30 -212 deprecated, 2027-02-01 65 block-create, 2027-03-03 95 block-update"},
		{"nodejs20.x", "2027-03-03", "2026-04-30 -307 deprecated, 2027-02-01 -30 block-create, 2027-03-03 0 block-update"},
		{"nodejs20.x", "2027-03-04", ""}, // it is all over: the finding says so
		{"dotnet9", "2026-12-01", ""},    // no block is scheduled
		{"nodejs99.x", "2026-11-28", ""},
		{"provided.al2023", "2028-12-01", "2029-06-30 211 deprecated, 2029-08-31 273 block-update"},
	} {
		at := staleDay(c.at).Add(13 * time.Hour)
		res, err := checkRuntime(t.Context(), &Auditor{Now: at}, &Subject{Platform: "aws-lambda", Runtime: c.runtime})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range res.Calendar {
			got = append(got, fmt.Sprint(e.Date, " ", e.Days, " ", e.Event))
			if e.Consequence == "" || e.What != "runtime "+c.runtime || e.Source == "" || e.AsOf.IsZero() {
				t.Errorf("%+v", e)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s on %s: %s, want %s", c.runtime, c.at, strings.Join(got, ", "), c.want)
		}
	}
	res, err := checkRuntime(t.Context(), &Auditor{Now: staleDay("2026-11-28")}, &Subject{Platform: "google-cloud-functions", Runtime: "python310", RuntimeGuessed: true})
	if err != nil || len(res.Calendar) != 2 || res.Calendar[1].Event != finding.EventBlockUpdate || !res.Calendar[1].Guessed {
		t.Errorf("%+v %v", res.Calendar, err)
	}
}
