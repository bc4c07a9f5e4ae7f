package audit

import (
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// What a bundle left out has its advisories listed and no finding, unless it is
// malicious: whoever installs from the lockfile runs it.
func TestAbsentPackagesAreNoFindings(t *testing.T) {
	absent := func(name, version string) sbom.Absent {
		return sbom.Absent{PURL: sbom.PURL("npm", name, version), Name: name, Version: version, Ecosystem: "npm", Lockfile: "package-lock.json", Bundles: []string{"index.js"}}
	}
	strange := absent("pad", "1.0.0")
	strange.PURL, strange.Ecosystem = "pkg:generic/pad@1.0.0", ""
	bom := &sbom.SBOM{Components: []sbom.Component{npm("ok", "1.0.0")}, Absent: []sbom.Absent{absent("pad", "1.0.0"), absent("pad", "1.3.0"), absent("evil", "1.0.0"), strange}}
	rep, err := auditor(t).Components(t.Context(), bundle.Spec{Name: "f", Ref: "f.json"}, bom, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Findings) != 1 || rep.Findings[0].ID != "MAL-2026-1" || rep.Findings[0].State != "declared" || rep.Verdict.Decision != finding.Fail || len(rep.Absent) != 4 {
		t.Fatalf("findings %+v, absent %+v", rep.Findings, rep.Absent)
	}
	for i, want := range [][]string{{"GHSA-aaaa-aaaa-aaaa"}, nil, nil, nil} {
		var got []string
		for _, a := range rep.Absent[i].Advisories {
			got = append(got, a.ID)
		}
		if len(got) != len(want) || len(want) > 0 && got[0] != want[0] {
			t.Errorf("%s: advisories %v, want %v", rep.Absent[i].PURL, got, want)
		}
	}
	if a := rep.Absent[0].Advisories[0]; a.Severity != "critical" || a.Title != "one" || len(a.Aliases) != 2 {
		t.Errorf("advisory %+v", a)
	}
}
