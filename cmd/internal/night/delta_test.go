package night

import (
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

func at(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func atp(s string) *time.Time { t := at(s); return &t }

// deltaSide is a function with one package, judged on a day.
func deltaSide(day, db, policy, digest string, decision finding.Decision, fs ...finding.Finding) Side {
	r := finding.NewReport("fn", "fn.zip")
	r.Artifacts = []finding.Artifact{{Digest: digest}}
	r.Components = []finding.Component{{PURL: "pkg:npm/a@1", Version: "1", Ecosystem: "npm"}}
	r.Findings, r.Verdict = fs, finding.Verdict{Decision: decision, Reasons: []string{"because"}}
	return Side{Report: r, Policy: finding.PolicyRef{Name: policy}, At: at(day), Tool: finding.Tool{Version: "1"},
		Database: finding.Database{ID: db, Ecosystems: map[string]finding.Ecosystem{"npm": {AsOf: at("2026-11-01")}}}}
}

func flaw(id string, change func(*finding.Finding)) finding.Finding {
	f := finding.Finding{Kind: finding.KindVulnerability, Rule: "known-vulnerability", ID: id, Severity: finding.High, Component: "pkg:npm/a@1", Fingerprint: "fp-" + id, Counts: finding.Fail, Published: atp("2026-10-01"), Modified: atp("2026-10-01")}
	if change != nil {
		change(&f)
	}
	return f
}

// TestDeltaCauses: each change has the one cause that is its own.
func TestDeltaCauses(t *testing.T) {
	const pass, fail = finding.Pass, finding.Fail
	old := flaw("G-1", nil)
	stays := func(finding.Decision) Decide {
		return func(r *finding.Report, _ finding.Database, _ time.Time) finding.Verdict {
			return finding.Verdict{Decision: r.Verdict.Decision}
		}
	}
	becomes := func(d finding.Decision) Decide {
		return func(*finding.Report, finding.Database, time.Time) finding.Verdict {
			return finding.Verdict{Decision: d, Reasons: []string{"the policy"}}
		}
	}
	later := func(d finding.Decision) Decide {
		return func(r *finding.Report, _ finding.Database, now time.Time) finding.Verdict {
			if now.After(at("2026-11-02")) {
				return finding.Verdict{Decision: d, Reasons: []string{"too old"}}
			}
			return finding.Verdict{Decision: r.Verdict.Decision}
		}
	}
	runtime := func(rule string) finding.Finding {
		return finding.Finding{Kind: finding.KindRuntime, Rule: rule, ID: "runtime:nodejs18.x", Title: rule, Fingerprint: rule}
	}
	excused := flaw("G-1", func(f *finding.Finding) {
		f.Counts, f.VEX = "", &finding.VEX{Status: finding.VEXNotAffected}
	})
	for _, c := range []struct {
		name        string
		before, now Side
		decide      Decide
		want        []finding.Cause
		verdict     finding.Cause // of the change that has the verdict; "" for none
	}{
		{"nothing", deltaSide("2026-11-02", "1", "p", "d", fail, old), deltaSide("2026-11-03", "1", "p", "d", fail, old), stays(""), nil, ""},
		{"new advisory", deltaSide("2026-11-02", "1", "p", "d", pass), deltaSide("2026-11-03", "2", "p", "d", fail, flaw("G-2", func(f *finding.Finding) { f.Published = atp("2026-11-03") })), stays(""), []finding.Cause{finding.CauseNewAdvisory}, finding.CauseNewAdvisory},
		{"one that covers the version now", deltaSide("2026-11-02", "1", "p", "d", pass), deltaSide("2026-11-03", "2", "p", "d", fail, flaw("G-2", func(f *finding.Finding) { f.Modified = atp("2026-11-03") })), stays(""), []finding.Cause{finding.CauseChangedAdvisory}, finding.CauseChangedAdvisory},
		{"severity", deltaSide("2026-11-02", "1", "p", "d", fail, old), deltaSide("2026-11-03", "2", "p", "d", fail, flaw("G-1", func(f *finding.Finding) { f.Severity = finding.Critical })), stays(""), []finding.Cause{finding.CauseChangedAdvisory}, ""},
		{"exploited", deltaSide("2026-11-02", "1", "p", "d", fail, old), deltaSide("2026-11-03", "2", "p", "d", fail, flaw("G-1", func(f *finding.Finding) { f.KEV = true })), stays(""), []finding.Cause{finding.CauseChangedAdvisory}, ""},
		{"EPSS within a line", deltaSide("2026-11-02", "1", "p", "d", fail, old), deltaSide("2026-11-03", "2", "p", "d", fail, flaw("G-1", func(f *finding.Finding) { f.EPSS = 0.05 })), stays(""), nil, ""},
		{"EPSS over a line", deltaSide("2026-11-02", "1", "p", "d", fail, old), deltaSide("2026-11-03", "2", "p", "d", fail, flaw("G-1", func(f *finding.Finding) { f.EPSS = 0.5 })), stays(""), []finding.Cause{finding.CauseChangedAdvisory}, ""},
		{"another id for the same", deltaSide("2026-11-02", "1", "p", "d", fail, old), deltaSide("2026-11-03", "2", "p", "d", fail, flaw("G-9", func(f *finding.Finding) { f.Aliases = []string{"G-1"} })), stays(""), nil, ""},
		{"withdrawn", deltaSide("2026-11-02", "1", "p", "d", fail, old), deltaSide("2026-11-03", "2", "p", "d", pass), stays(""), []finding.Cause{finding.CauseWithdrawnAdvisory}, finding.CauseWithdrawnAdvisory},
		{"fixed", deltaSide("2026-11-02", "1", "p", "d", fail, flaw("G-1", func(f *finding.Finding) { f.Component = "pkg:npm/b@1" })), deltaSide("2026-11-03", "1", "p", "e", pass), stays(""), []finding.Cause{finding.CauseFixed}, finding.CauseFixed},
		{"other bytes have it", deltaSide("2026-11-02", "1", "p", "d", pass), deltaSide("2026-11-03", "1", "p", "e", fail, flaw("G-1", func(f *finding.Finding) { f.Component = "pkg:npm/b@1" })), stays(""), []finding.Cause{finding.CauseArtifact}, finding.CauseArtifact},
		{"policy", deltaSide("2026-11-02", "1", "p", "d", fail, old), deltaSide("2026-11-03", "1", "q", "d", pass, flaw("G-1", func(f *finding.Finding) { f.Counts = pass })), becomes(pass), []finding.Cause{finding.CausePolicy}, finding.CausePolicy},
		{"waiver", deltaSide("2026-11-02", "1", "p", "d", pass, flaw("G-1", func(f *finding.Finding) {
			f.Counts, f.Waived = "", &finding.Waived{Owner: "o", Expires: at("2026-11-03")}
		})), deltaSide("2026-11-03", "1", "p", "d", fail, old), later(fail), []finding.Cause{finding.CauseWaiver}, finding.CauseWaiver},
		{"a statement", deltaSide("2026-11-02", "1", "p", "d", fail, old), deltaSide("2026-11-02", "1", "p", "d", pass, excused), stays(""), []finding.Cause{finding.CausePolicy}, finding.CausePolicy},
		{"no statement any more", deltaSide("2026-11-02", "1", "p", "d", pass, excused), deltaSide("2026-11-02", "1", "p", "d", fail, old), stays(""), []finding.Cause{finding.CausePolicy}, finding.CausePolicy},
		{"grace", deltaSide("2026-11-02", "1", "p", "d", pass, flaw("G-1", func(f *finding.Finding) { f.Counts, f.GraceUntil = pass, atp("2026-11-03") })), deltaSide("2026-11-03", "1", "p", "d", fail, old), later(fail), []finding.Cause{finding.CauseTime}, finding.CauseTime},
		{"the store grew old", deltaSide("2026-11-02", "1", "p", "d", pass), deltaSide("2026-11-03", "1", "p", "d", finding.Incomplete), later(finding.Incomplete), []finding.Cause{finding.CauseTime}, finding.CauseTime},
		{"runtime", deltaSide("2026-11-02", "1", "p", "d", pass, runtime(finding.RuleRuntimeSoon)), deltaSide("2026-11-03", "1", "p", "d", pass, runtime(finding.RuleRuntimeDeprecated)), stays(""), []finding.Cause{finding.CauseRuntime}, ""},
		{"the same store finds more", deltaSide("2026-11-02", "1", "p", "d", pass), deltaSide("2026-11-03", "1", "p", "d", fail, old), stays(""), []finding.Cause{finding.CauseProgram}, finding.CauseProgram},
		{"new advisory and policy", deltaSide("2026-11-02", "1", "p", "d", pass, flaw("G-1", func(f *finding.Finding) { f.Counts = pass })),
			deltaSide("2026-11-03", "2", "q", "d", fail, old, flaw("G-2", func(f *finding.Finding) { f.Published = atp("2026-11-03") })), becomes(fail), []finding.Cause{finding.CausePolicy, finding.CauseNewAdvisory}, finding.CausePolicy},
		{"new advisory, and a policy that would not have changed it", deltaSide("2026-11-02", "1", "p", "d", pass), deltaSide("2026-11-03", "2", "q", "d", fail, flaw("G-2", func(f *finding.Finding) { f.Published = atp("2026-11-03") })), stays(""), []finding.Cause{finding.CauseNewAdvisory}, finding.CauseNewAdvisory},
	} {
		got := Compare(c.before, c.now, c.decide)
		var causes []finding.Cause
		verdict := finding.Cause("")
		for _, ch := range got {
			causes = append(causes, ch.Cause)
			if ch.Decision != nil {
				if verdict != "" {
					t.Errorf("%s: two changes have the verdict", c.name)
				}
				verdict = ch.Cause
			}
			if ch.Detail == "" || ch.Function != "fn" {
				t.Errorf("%s: %+v says too little", c.name, ch)
			}
		}
		if len(causes) != len(c.want) || verdict != c.verdict {
			t.Errorf("%s: %v, verdict by %q; want %v, %q", c.name, causes, verdict, c.want, c.verdict)
			continue
		}
		for i := range causes {
			if causes[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.name, causes, c.want)
			}
		}
	}
}

// TestDeltaWords: what a change says is so.
func TestDeltaWords(t *testing.T) {
	fixed := func(versions ...string) finding.Finding {
		return flaw("G-1", func(f *finding.Finding) { f.Fixed = versions })
	}
	stays := func(r *finding.Report, _ finding.Database, _ time.Time) finding.Verdict { return r.Verdict }
	const fail = finding.Fail
	other := deltaSide("2026-11-03", "1", "p", "d", fail, flaw("G-1", nil))
	other.Tool.Version = "2"
	for want, sides := range map[string][2]Side{
		"no version is known any more that fixes it; it was 1.0.2":                                                         {deltaSide("2026-11-02", "1", "p", "d", fail, fixed("1.0.2")), deltaSide("2026-11-03", "2", "p", "d", fail, fixed())},
		"a version that fixes it is known now: 1.0.2":                                                                      {deltaSide("2026-11-02", "1", "p", "d", fail, fixed()), deltaSide("2026-11-03", "2", "p", "d", fail, fixed("1.0.2"))},
		"the version that fixes it is another":                                                                             {deltaSide("2026-11-02", "1", "p", "d", fail, fixed("1.0.2")), deltaSide("2026-11-03", "2", "p", "d", fail, fixed("1.0.3"))},
		"this program finds it with the same store: the earlier report was edited, or is not all that was written":         {deltaSide("2026-11-02", "1", "p", "d", fail), deltaSide("2026-11-03", "1", "p", "d", fail, flaw("G-1", nil))},
		"this program does not find it with the same store: the earlier report was edited, or is not all that was written": {deltaSide("2026-11-02", "1", "p", "d", fail, flaw("G-1", nil)), deltaSide("2026-11-03", "1", "p", "d", fail)},
		"another version of the program finds it with the same store":                                                      {deltaSide("2026-11-02", "1", "p", "d", fail), other},
	} {
		got := Compare(sides[0], sides[1], stays)
		if len(got) != 1 || got[0].Detail != want {
			t.Errorf("%+v, want %q", got, want)
		}
	}
}
