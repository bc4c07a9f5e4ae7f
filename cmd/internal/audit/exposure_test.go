package audit

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestExposure: what a descriptor says of who may call a function, and of what
// it may do, one finding for each.
func TestExposure(t *testing.T) {
	res, err := checkExposure(t.Context(), nil, &Subject{Declared: &finding.Declared{
		Descriptor: "template.yaml", Resource: "Orders", URLAuth: "NONE",
		Triggers: []finding.Trigger{{Name: "a", Type: "Api", Detail: "POST /orders", Auth: "NONE"}, {Name: "b", Type: "HttpApi"}, {Name: "c", Type: "Api", Auth: "Cognito"},
			{Name: "d", Type: "SQS", Detail: "queue"}, {Name: "e", Type: "Api", Detail: "GET\x1b[2J\n/" + strings.Repeat("x", 500), Auth: "NONE"}},
		Policies: []string{"arn:aws:iam::aws:policy/AdministratorAccess", "AmazonS3FullAccess", "inline policy", "inline policy (* on *)", "inline policy (s3:* on *)", "AWSLambdaBasicExecutionRole"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range res.Findings {
		if f.Kind != finding.KindExposure || f.Evidence[0].Locator != "template.yaml" || strings.Contains(f.Title, "\n") || len(f.Title) > 250 {
			t.Errorf("%+v", f)
		}
		got = append(got, fmt.Sprintf("%s %s %s", f.Rule, f.Severity, f.Certainty))
	}
	want := `url-public medium certain
trigger-public medium certain
trigger-auth-unsaid low possible
trigger-public medium certain
role-administrator high certain
role-broad medium certain
role-administrator high certain
role-policy-wildcard medium certain`
	if strings.Join(got, "\n") != want {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	for auth, want := range map[string]int{"": 0, "AWS_IAM": 0, "unknown": 1, "${Auth}": 1} {
		res, err := checkExposure(t.Context(), nil, &Subject{Declared: &finding.Declared{URLAuth: auth}})
		if err != nil || len(res.Findings) != want {
			t.Errorf("%q: %+v, %v", auth, res.Findings, err)
		}
	}
	if _, err := checkExposure(t.Context(), nil, &Subject{}); !errors.As(err, new(Skipped)) {
		t.Errorf("without a descriptor: %v", err)
	}
}
