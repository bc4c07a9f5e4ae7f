package audit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// TestLicence: what packages say is judged by what the policy says, what a
// registry says only where they say nothing, and what nobody says is said.
func TestLicence(t *testing.T) {
	p, err := policy.Parse([]byte(`version: 1
licences:
  allow: [MIT, Apache-2.0, BSD-*]
  deny: [GPL-*, AGPL-*]
  packages: [{component: pkg:npm/stated, licence: MIT, reason: asked its author}]
`), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := &Subject{Policy: p, SBOM: &sbom.SBOM{}, Standings: map[string]*registry.Standing{}}
	add := func(name string, origin sbom.Origin, state sbom.State, licences ...string) string {
		purl := "pkg:npm/" + name + "@1.0.0"
		s.SBOM.Components = append(s.SBOM.Components, sbom.Component{PURL: purl, Name: name, Version: "1.0.0", Origin: origin, State: state, Licenses: licences})
		return purl
	}
	add("fine", sbom.OriginApp, sbom.Live, "MIT")
	add("choice", sbom.OriginApp, sbom.Live, "(GPL-3.0-only OR MIT)")
	add("words", sbom.OriginLayer, sbom.Live, "Apache License, Version 2.0", "NOASSERTION")
	add("denied", sbom.OriginApp, sbom.Shadowed, "MIT", "GPL-2.0+")
	add("words-denied", sbom.OriginApp, sbom.Live, "GPL")
	add("other", "", sbom.Live, "ISC")
	add("odd", sbom.OriginApp, sbom.Live, "SEE LICENSE IN \x1b[2J"+strings.Repeat("x", 200))
	add("none", sbom.OriginApp, sbom.Live, " ")
	add("stated", sbom.OriginApp, sbom.Live, "GPL-2.0")
	add("base", sbom.OriginBase, sbom.Live, "GPL-2.0")
	add("provided", sbom.OriginApp, sbom.Provided, "GPL-2.0")
	s.Standings[add("told", sbom.OriginApp, sbom.Live)] = &registry.Standing{Licenses: []string{"AGPL-3.0"}, Source: "registry.example"}
	s.Standings[add("contradicted", sbom.OriginApp, sbom.Live, "MIT")] = &registry.Standing{Licenses: []string{"AGPL-3.0"}}
	res, err := checkLicence(t.Context(), nil, s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range res.Findings {
		if f.Kind != finding.KindLicence || len(f.Title) > 250 || strings.Contains(f.Title, "\x1b") || f.Component == "" {
			t.Errorf("%+v", f)
		}
		got = append(got, fmt.Sprintf("%s %s %s", f.ID, f.Severity, f.Certainty))
	}
	want := `licence-denied:denied high certain
licence-denied:words-denied high probable
licence-not-allowed:other medium certain
licence-unknown:odd medium certain
licence-unknown:none medium certain
licence-denied:told high probable`
	if strings.Join(got, "\n") != want {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}
