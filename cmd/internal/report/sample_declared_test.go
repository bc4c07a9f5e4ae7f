package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// declared is a function of a template: a runtime past its time, and a layer
// that is not here.
func declared() *finding.Report {
	table := time.Date(2026, 8, 22, 0, 0, 0, 0, time.UTC)
	r := finding.NewReport("OrdersFunction", "app/.aws-sam/build/OrdersFunction")
	r.Platform, r.Runtime, r.Handler, r.Architecture = "aws-lambda", "nodejs18.x", "index.handler", "arm64"
	r.Declared = &finding.Declared{
		Descriptor: "app/.aws-sam/build/template.yaml", Resource: "OrdersFunction", FunctionName: "orders", URLAuth: "NONE",
		Triggers: []finding.Trigger{{Name: "Post", Type: "Api", Detail: "POST /orders", Auth: "NONE"}},
		Role:     "${OrdersRole.Arn}", Policies: []string{"inline policy"}, Environment: []string{"TABLE", "TOKEN"}, Unresolved: []string{"Handler: ${Name}"},
	}
	r.Artifacts = []finding.Artifact{{Ref: "app/.aws-sam/build/OrdersFunction", Kind: "directory", Digest: digestA, Size: 1200, Mount: "/var/task"}}
	for _, s := range []string{"open", "catalog", "archive", "vulnerability", "runtime"} {
		r.Ran(s, nil)
	}
	r.Findings = []finding.Finding{{
		Kind: finding.KindRuntime, Rule: finding.RuleRuntimeDeprecated, ID: "runtime:nodejs18.x", Severity: finding.Medium, Certainty: finding.Certain, Origin: "runtime",
		Title: "runtime nodejs18.x: not patched since 2025-09-01, updates blocked from 2027-03-03", Fixed: []string{"nodejs24.x"}, Reach: finding.ReachUnknown,
		Fingerprint: strings.Repeat("ab", 32),
		Evidence: []finding.Evidence{
			{Source: "table", Locator: "https://example.test/runtimes", Detail: "deprecated 2025-09-01, no updates from 2027-03-03", At: &table},
			{Source: "declared", Locator: "nodejs18.x", Detail: "on aws-lambda"},
		},
	}}
	r.Unknowns = []finding.Unknown{{Path: "arn:aws:lambda:eu-west-1:123456789012:layer:otel:3", Kind: "unreadable", Reason: "a layer of another account is not here", Code: true}}
	r.Verdict = finding.Verdict{Decision: finding.Incomplete, Reasons: []string{"1 file could not be read"}, Warnings: []string{r.Findings[0].Title}, Next: "fetch the layer"}
	return r
}

func TestDeclaredGolden(t *testing.T) {
	doc := samples()["declared"]
	golden(t, "declared.table", write(t, "table", doc, report.Options{}))
	golden(t, "declared.json", write(t, "json", doc, report.Options{}))
	golden(t, "declared.sarif", write(t, "sarif", doc, report.Options{}))
	var b bytes.Buffer
	if err := report.Explain(&b, doc, "runtime:nodejs18.x", 0); err != nil {
		t.Fatal(err)
	}
	golden(t, "declared.explain", b.Bytes())
}
