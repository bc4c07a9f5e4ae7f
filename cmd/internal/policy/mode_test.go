package policy

import (
	"strings"
	"testing"
)

// TestSigningMode: what a template must say of unsigned code is demanded of AWS
// Signer alone, in one of two words.
func TestSigningMode(t *testing.T) {
	for rule, want := range map[string]string{
		`aws_signer: {root: aws, profiles: [x], mode: enforce}`: "",
		`aws_signer: {root: aws, profiles: [x], mode: warn}`:    "",
		`aws_signer: {root: aws, profiles: [x], mode: Enforce}`: "not one of enforce, warn",
		`key: {root: key, mode: enforce}`:                       "only aws_signer has one",
	} {
		p, err := Parse([]byte("version: 1\ntrust_roots: {aws: {x509: aws.pem}, key: {public_key: k.pub}}\nartifacts: [{require: [{"+rule+"}]}]\n"), "p.yaml")
		switch {
		case want == "" && (err != nil || p.Trust.Artifacts[0].Require[0].AnyOf[0].Mode == ""):
			t.Errorf("%s: %v", rule, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", rule, err, want)
		}
	}
}
