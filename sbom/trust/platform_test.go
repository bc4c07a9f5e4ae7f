package trust

import (
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
)

func TestJudgePlatform(t *testing.T) {
	const layer, role = "arn:aws:lambda:eu-west-1:111122223333:layer:tools:4", "arn:aws:iam::444455556666:role/orders"
	old := func(days int) time.Time { return noveltyNow.AddDate(0, 0, -days) }
	tests := []struct {
		name   string
		of     Platform
		rule   Rule // "": nothing is said
		weight Weight
		title  string
	}{
		{"nothing", Platform{}, "", 0, ""},
		{"layer of another account than the role's", Platform{Layers: []string{layer}, Role: role}, RuleLayerAccount, Medium, "111122223333, which is neither the function's"},
		{"layer of the role's account", Platform{Layers: []string{layer}, Role: "arn:aws:iam::111122223333:role/orders"}, "", 0, ""},
		{"layer that the policy allows", Platform{Layers: []string{layer}, Role: role, Accounts: []string{"111122223333"}}, "", 0, ""},
		{"layer that the policy does not allow", Platform{Layers: []string{layer}, Role: "arn:aws:iam::111122223333:role/orders", Accounts: []string{"444455556666"}}, RuleLayerAccount, Medium, "none of the policy's"},
		{"layer where the policy allows none", Platform{Layers: []string{layer}, Accounts: []string{}}, RuleLayerAccount, Medium, "none of the policy's"},
		{"layer, and nobody says whose the function is", Platform{Layers: []string{layer}, Role: "OrdersRole"}, RuleLayerAccount, Note, "nothing says whether"},
		{"layer without an account", Platform{Layers: []string{"arn:aws:lambda:eu-west-1:me:layer:tools:4"}, Role: role}, RuleLayerAccount, Note, "does not say whose account"},
		{"wrapper", Platform{Environment: []string{"AWS_LAMBDA_EXEC_WRAPPER", "TABLE"}}, RuleWrapper, Note, "a program of its choice"},
		{"image by tag", Platform{Image: "registry.example/orders:v1"}, RuleImageTag, Low, "registry.example/orders:v1"},
		{"image without a tag", Platform{Image: "registry.example/orders"}, RuleImageTag, Low, ""},
		{"image by digest", Platform{Image: "registry.example/orders:v1@sha256:" + strings.Repeat("0", 64)}, "", 0, ""},
		{"new base", Platform{Base: &Base{Layers: 3, Created: old(89)}}, "", 0, ""},
		{"old base", Platform{Base: &Base{Layers: 3, Created: old(90)}}, RuleBaseAge, Low, "90 days ago"},
		{"very old base", Platform{Base: &Base{Layers: 3, Created: old(400)}}, RuleBaseAge, Medium, "400 days ago (2025-10-18)"},
		{"very old base, guessed", Platform{Base: &Base{Layers: 3, Created: old(400), Guessed: true}}, RuleBaseAge, Low, ""},
		{"base without a date", Platform{Base: &Base{Layers: 3}}, RuleBaseAge, Note, "not known"},
		{"base of 1970", Platform{Base: &Base{Layers: 3, Created: time.Unix(0, 0)}}, RuleBaseAge, Note, "not known"},
		{"base of the year 9999", Platform{Base: &Base{Layers: 3, Created: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}}, RuleBaseAge, Note, "not known"},
		{"no base told apart", Platform{Base: &Base{}}, RuleBaseAge, Note, "not known"},
	}
	for _, test := range tests {
		test.of.Now = noveltyNow
		got := JudgePlatform(test.of, nil)
		if test.rule == "" {
			if len(got) != 0 {
				t.Errorf("%s: %+v", test.name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Rule != test.rule || got[0].Weight != test.weight || !strings.Contains(got[0].Title, test.title) {
			t.Errorf("%s: %+v, want %s %d %q", test.name, got, test.rule, test.weight, test.title)
		}
	}
	extension := sbom.Component{PURL: "pkg:generic/agent", Evidence: []sbom.Evidence{{Method: sbom.MethodExtension, Path: "extensions/agent"}}}
	got := JudgePlatform(Platform{Now: noveltyNow}, []sbom.Component{{PURL: "pkg:npm/a@1.0.0"}, extension})
	if len(got) != 1 || got[0].Rule != RuleExtension || got[0].Weight != Note || got[0].Component != extension.PURL {
		t.Errorf("extension: %+v", got)
	}
}
