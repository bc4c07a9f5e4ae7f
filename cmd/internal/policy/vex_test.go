package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

func TestVEXDecides(t *testing.T) {
	not := func(why string) finding.VEX {
		return finding.VEX{Status: finding.VEXNotAffected, Justification: why, Author: "Acme", Source: "vendor.json"}
	}
	fixed := finding.VEX{Status: finding.VEXFixed, Author: "Acme", Source: "vendor.json"}
	for _, c := range []struct {
		name, policy string
		vex          finding.VEX
		change       func(*finding.Finding)
		want         finding.Decision
		warning      string
	}{
		{"not affected", "", not(finding.VEXMitigated), nil, finding.Pass, ""},
		{"fixed", "", fixed, nil, finding.Pass, ""},
		{"affected", "", finding.VEX{Status: finding.VEXAffected, Source: "vendor.json"}, nil, finding.Fail, ""},
		{"under investigation", "", finding.VEX{Status: finding.VEXInvestigated, Source: "vendor.json"}, nil, finding.Fail, ""},
		{"known to be exploited", "", not(finding.VEXNotExecuted), func(f *finding.Finding) { f.KEV = true }, finding.Pass, "known to be exploited, and does not count because of what vendor.json says: GHSA-1 in pkg:npm/a@1"},
		{"malware", "", not(finding.VEXMitigated), func(f *finding.Finding) { f.Kind, f.Rule = finding.KindMalware, "known-malware" }, finding.Fail, "malware is accepted by a waiver only"},
		{"the code is there", "", not(finding.VEXCodeNotPresent), func(f *finding.Finding) { f.Reach = finding.ReachPresent }, finding.Fail, "the bytes show that the code is there: GHSA-1 in pkg:npm/a@1"},
		{"the code is there, and another claim", "", not(finding.VEXNotControlled), func(f *finding.Finding) { f.Reach = finding.ReachPresent }, finding.Pass, ""},
		{"the code is called", "", not(finding.VEXNotExecuted), func(f *finding.Finding) { f.Reach = finding.ReachCalled }, finding.Fail, "the code is called"},
		{"the package is there", "", not(finding.VEXComponentNotPresent), nil, finding.Fail, "the package is there"},
		{"the package is only declared", "", not(finding.VEXComponentNotPresent), func(f *finding.Finding) { f.State = "declared" }, finding.Pass, ""},
		{"accepted", "vex: {accept: [inline_mitigations_already_exist]}", not(finding.VEXMitigated), nil, finding.Pass, ""},
		{"not accepted", "vex: {accept: [fixed]}", not(finding.VEXMitigated), nil, finding.Fail, "does not accept inline_mitigations_already_exist"},
		{"nothing accepted", "vex: {accept: []}", fixed, nil, finding.Fail, "does not accept fixed"},
		{"words alone", "vex: {accept: [fixed]}", finding.VEX{Status: finding.VEXNotAffected, Statement: "no", Source: "vendor.json"}, nil, finding.Fail, "does not accept statement"},
		{"author", "vex: {authors: [Acme]}", fixed, nil, finding.Pass, ""},
		{"another author", "vex: {authors: [Example]}", fixed, nil, finding.Fail, "does not follow Acme"},
		{"for some functions only", "functions: [{match: {name: f}, vex: {accept: []}}]", fixed, nil, finding.Fail, "does not accept"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse([]byte("version: 1\n"+c.policy+"\n"), "p.yaml")
			if err != nil {
				t.Fatal(err)
			}
			r := finding.NewReport("f", "f.zip")
			for _, name := range p.Require {
				r.Ran(name, nil)
			}
			f := finding.Finding{Kind: finding.KindVulnerability, Rule: "known-vulnerability", ID: "GHSA-1", Severity: finding.High, Certainty: finding.Certain, Component: "pkg:npm/a@1", State: "live", Origin: "app", Fixed: []string{"2"}, VEX: &c.vex}
			if c.change != nil {
				c.change(&f)
			}
			r.Findings = []finding.Finding{f}
			now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
			db := finding.Database{Ecosystems: map[string]finding.Ecosystem{"npm": {AsOf: now}}}
			for range 2 { // what was decided once is decided anew
				v := p.Decide(r, db, now)
				if v.Decision != c.want {
					t.Errorf("the verdict is %s (%q), want %s", v.Decision, v.Reasons, c.want)
				}
				if warnings := strings.Join(v.Warnings, "\n"); !strings.Contains(warnings, c.warning) || c.warning == "" && strings.Contains(warnings, "vendor.json") {
					t.Errorf("the warnings are %q, want %q", warnings, c.warning)
				}
			}
		})
	}
}

func TestVEXSection(t *testing.T) {
	for text, want := range map[string]string{
		"vex: {accept: [because]}": `vex.accept: "because" is not one of component_not_present`,
		"vex: {authors: [\"\"]}":   "the text is empty",
		"vex: {autors: [a]}":       `did you mean "authors"`,
	} {
		if _, err := Parse([]byte("version: 1\n"+text+"\n"), "p.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want %q", text, err, want)
		}
	}
	none, some := VEX{Accept: []string{}}, VEX{Accept: []string{"fixed"}}
	if looserVEX(some, none) || !looserVEX(none, some) || !looserVEX(some, VEX{}) || looserVEX(VEX{}, some) || looserVEX(some, some) {
		t.Error("which of two sections clears more is wrong")
	}
}
