package audit

import (
	"context"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/stale"
)

// TestRuntime asks about runtimes with nothing but their names: what a stored
// report knows is enough.
func TestRuntime(t *testing.T) {
	for _, c := range []struct {
		platform, runtime, at string
		guessed               bool
		rule                  string // "" : nothing is said
		severity              finding.Severity
		certainty             finding.Certainty
	}{
		{"aws-lambda", "nodejs12.x", "2026-11-22", false, finding.RuleRuntimeBlocked, finding.High, finding.Certain},
		{"aws-lambda", "nodejs20.x", "2026-11-22", false, finding.RuleRuntimeDeprecated, finding.Medium, finding.Certain},
		{"aws-lambda", "nodejs22.x", "2026-11-22", false, finding.RuleRuntimeSoon, finding.Low, finding.Certain},
		{"aws-lambda", "nodejs24.x", "2026-11-22", false, "", "", ""},
		{"aws-lambda", "nodejs24.x", "2027-10-22", false, finding.RuleRuntimeTableOld, finding.Low, finding.Certain},
		{"aws-lambda", "nodejs26.x", "2026-11-22", false, finding.RuleRuntimeUnknown, finding.Low, finding.Certain},
		{"aws-lambda", "nodejs26.x", "2026-11-22", true, "", "", ""}, // a guess may be wrong
		{"aws-lambda", "python3.9", "2026-11-22", true, finding.RuleRuntimeDeprecated, finding.Medium, finding.Probable},
		{"aws-lambda", "nodejs", "2026-11-22", true, "", "", ""}, // a guessed language, and not Node.js 0.10
		{"aws-lambda", "nodejs", "2026-11-22", false, finding.RuleRuntimeBlocked, finding.High, finding.Certain},
		{"azure-functions", "python3.11", "2026-11-22", false, "", "", ""}, // its table is not complete
		{"google-cloud-functions", "nodejs20", "2026-11-22", false, finding.RuleRuntimeBlocked, finding.High, finding.Certain},
		{"knative", "nodejs20.x", "2026-11-22", false, "", "", ""},
		{"", "nodejs20.x", "2026-11-22", false, "", "", ""},
		{"aws-lambda", "", "2026-11-22", false, "", "", ""},
	} {
		at, err := time.Parse(time.DateOnly, c.at)
		if err != nil {
			t.Fatal(err)
		}
		res, err := checkRuntime(t.Context(), &Auditor{Now: at}, &Subject{Platform: c.platform, Runtime: c.runtime, RuntimeGuessed: c.guessed})
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Findings) == 0 {
			if c.rule != "" {
				t.Errorf("%+v: nothing is said", c)
			}
			continue
		}
		f := res.Findings[0]
		if f.Rule != c.rule || f.Severity != c.severity || f.Certainty != c.certainty || len(res.Findings) != 1 {
			t.Errorf("%+v: %+v", c, res.Findings)
		}
		if len(f.Evidence) != 2 || f.Evidence[0].At == nil || f.Evidence[0].Locator == "" {
			t.Errorf("%+v: a claim without source and date: %+v", c, f.Evidence)
		}
	}
}

// TestRuntimeOfSBOM: a bill of materials has no bytes, and its runtime still
// has an end. A table that was given is the one that counts.
func TestRuntimeOfSBOM(t *testing.T) {
	a := auditor(t)
	var err error
	if a.Runtimes, err = stale.ParseRuntimes([]byte(`{"version":1,"platforms":[{"platform":"aws-lambda","asOf":"2026-11-01","source":"mine",
		"runtimes":[{"id":"nodejs24.x","deprecated":"2026-11-02","blockUpdate":"2026-11-03"}]}]}`)); err != nil {
		t.Fatal(err)
	}
	spec := bundle.Spec{Name: "f", Ref: "f.json", Runtime: "nodejs24.x", Platform: bundle.PlatformAWS}
	rep, err := a.Rescan(t.Context(), spec, &sbom.SBOM{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Findings) != 1 || rep.Findings[0].Rule != finding.RuleRuntimeBlocked || rep.Findings[0].Fingerprint == "" {
		t.Errorf("findings %+v", rep.Findings)
	}
	if rep.Verdict.Decision != finding.Pass || len(rep.Verdict.Warnings) != 1 {
		t.Errorf("builtin:ci warns of a runtime and does not fail: %+v", rep.Verdict)
	}
}

// TestEmptySBOM: a document that names no package proves nothing.
func TestEmptySBOM(t *testing.T) {
	rep, err := auditor(t).Components(t.Context(), bundle.Spec{Name: "f", Ref: "f.json"}, &sbom.SBOM{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Verdict.Decision != finding.Incomplete || len(rep.Unknowns) != 1 || !rep.Unknowns[0].Code {
		t.Errorf("verdict %+v, unknowns %+v", rep.Verdict, rep.Unknowns)
	}
}

// TestDeclared: what a descriptor states is in the report, also of a function
// that cannot be opened, and what it names and nobody has is incomplete.
func TestDeclared(t *testing.T) {
	a := auditor(t)
	a.Open = new(bundle.Opener).Open
	spec := bundle.Spec{Name: "F", Ref: "template.yaml", Runtime: "python3.13", Platform: bundle.PlatformAWS, Unread: "the code lies elsewhere",
		Declared: bundle.Declared{Descriptor: "template.yaml", Resource: "F", Environment: []string{"TOKEN"},
			Triggers: []bundle.Trigger{{Name: "Post", Type: "Api", Detail: "POST /", Auth: "NONE"}},
			Gaps:     []bundle.Gap{{What: "arn:x", Reason: "not here", Layer: true}}}}
	rep, err := a.Function(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Verdict.Decision != finding.Incomplete || rep.Runtime != "python3.13" || rep.Declared == nil || len(rep.Declared.Triggers) != 1 || len(rep.Unknowns) != 1 {
		t.Errorf("report %+v, declared %+v", rep, rep.Declared)
	}
	if got := rep.Check("open").Reason; got != "the code lies elsewhere" {
		t.Errorf("reason %q: the descriptor's words alone are wanted", got)
	}
	spec.Unread, spec.Inline = "", &bundle.Inline{Name: "index.py", Text: "def handler(e, c): return 1\n"}
	a.Catalog = func(context.Context, *bundle.Function) (*sbom.SBOM, error) { return &sbom.SBOM{}, nil }
	if rep, err = a.Function(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if rep.Verdict.Decision != finding.Incomplete || len(rep.Artifacts) != 1 || rep.Artifacts[0].Kind != "inline" || rep.Artifacts[0].Size != 28 {
		t.Errorf("a function in the template with a layer that is not here: %+v %+v", rep.Verdict, rep.Artifacts)
	}
	spec.Declared.Gaps = nil
	if rep, err = a.Function(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if rep.Verdict.Decision != finding.Pass {
		t.Errorf("a function that stands in the template: %+v", rep.Verdict)
	}
}
