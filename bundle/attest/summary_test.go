package attest

import (
	"strings"
	"testing"
	"time"
)

// TestSummaryDemands asks the summary of testdata/statement/vsa.txtar, or another
// form, for one thing at a time.
func TestSummaryDemands(t *testing.T) {
	const verifier = "https://acme.example/verifier"
	policy := strings.Repeat("ab", 32)
	for _, c := range []struct {
		name   string
		form   string
		demand Demand
		step   Step // "" verified
	}{
		{name: "nothing"},
		{name: "verifier", demand: Demand{VerifierID: verifier}},
		{name: "verifier prefix", demand: Demand{VerifierID: "https://acme.example/verifie"}, step: StepVerifier},
		{name: "verifier suffix", demand: Demand{VerifierID: verifier + "/"}, step: StepVerifier},
		{name: "verifier in another case", demand: Demand{VerifierID: "https://acme.example/Verifier"}, step: StepVerifier},
		{name: "resource", demand: Demand{ResourceURI: "pkg:generic/orders@1.4.2"}},
		{name: "resource prefix", demand: Demand{ResourceURI: "pkg:generic/orders@1.4"}, step: StepResource},
		{name: "resource of a summary without", form: "vsa_v02", demand: Demand{ResourceURI: "pkg:generic/orders"}, step: StepResource},
		{name: "level", demand: Demand{Levels: []string{"SLSA_BUILD_LEVEL_3", "ACME_REVIEWED"}}},
		{name: "a level below", demand: Demand{Levels: []string{"SLSA_BUILD_LEVEL_1"}}},
		{name: "a level above", demand: Demand{Levels: []string{"SLSA_BUILD_LEVEL_4"}}, step: StepLevel},
		{name: "a level of another track", demand: Demand{Levels: []string{"SLSA_SOURCE_LEVEL_1"}}, step: StepLevel},
		{name: "a level of its own, prefix", demand: Demand{Levels: []string{"ACME_REVIEW"}}, step: StepLevel},
		{name: "one of two levels", demand: Demand{Levels: []string{"SLSA_BUILD_LEVEL_3", "ACME_TESTED"}}, step: StepLevel},
		{name: "level of a summary without", form: "vsa_no_levels", demand: Demand{Levels: []string{"SLSA_BUILD_LEVEL_0"}}, step: StepLevel},
		{name: "policy", demand: Demand{PolicyDigest: "sha256:" + policy}},
		{name: "policy in upper case", demand: Demand{PolicyDigest: "sha256:" + strings.ToUpper(policy)}},
		{name: "another policy", demand: Demand{PolicyDigest: "sha256:" + strings.Repeat("ac", 32)}, step: StepPolicy},
		{name: "another algorithm", demand: Demand{PolicyDigest: "sha512:" + policy + policy}, step: StepPolicy},
		{name: "policy that is no digest", demand: Demand{PolicyDigest: "https://acme.example/policy"}, step: StepPolicy},
		{name: "policy of a summary without", form: "vsa_no_levels", demand: Demand{PolicyDigest: "sha256:" + policy}, step: StepPolicy},
		{name: "young enough", demand: Demand{MaxAge: 9 * 24 * time.Hour}},
		{name: "too old", demand: Demand{MaxAge: 8 * 24 * time.Hour}, step: StepAge},
		{name: "age of a summary without", form: "vsa_no_levels", demand: Demand{MaxAge: time.Hour}, step: StepAge},
		{name: "failed, whatever is demanded", form: "vsa_failed", demand: Demand{Levels: []string{"FAILED"}}, step: StepResult},
		{name: "a scan that is young enough", form: "vulns_v02", demand: Demand{MaxAge: 9 * 24 * time.Hour}},
		{name: "a scan that is too old", form: "vulns_v02", demand: Demand{MaxAge: 8 * 24 * time.Hour}, step: StepAge},
		{name: "an older form of a scan", form: "vulns_cosign", demand: Demand{MaxAge: time.Hour}, step: StepAge},
		{name: "published as", form: "publish_npm", demand: Demand{Package: "pkg:npm/@acme/orders@1.4.2"}},
		{name: "published as another version", form: "publish_npm", demand: Demand{Package: "pkg:npm/@acme/orders@1.4"}, step: StepPackage},
		{name: "published in another ecosystem", form: "publish_npm", demand: Demand{Package: "pkg:pypi/@acme/orders@1.4.2"}, step: StepPackage},
		{name: "wheel", form: "publish_pypi_wheel", demand: Demand{Package: "pkg:pypi/acme.orders@1.4.2"}},
		{name: "wheel of another version", form: "publish_pypi_wheel", demand: Demand{Package: "pkg:pypi/acme-orders@1.4.20"}, step: StepPackage},
	} {
		t.Run(c.name, func(t *testing.T) {
			form := c.form
			if form == "" {
				form = "vsa"
			}
			r := predicate(&Request{Subject: statementSubject(), Now: now, Demand: c.demand}, formOf(t, form))[0]
			if (r.Status == Verified) != (c.step == "") || r.Step != c.step || r.Reason == "" {
				t.Errorf("%s at step %q: %s (expected %q, found %q); want step %q", r.Status, r.Step, r.Reason, r.Expected, r.Found, c.step)
			}
		})
	}
}

func TestImplies(t *testing.T) {
	for _, c := range []struct {
		have, want string
		holds      bool
	}{
		{"SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_2", true}, {"SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_3", false}, {"SLSA_LEVEL_3", "SLSA_LEVEL_2", true},
		{"SLSA_LEVEL_3", "SLSA_BUILD_LEVEL_2", false}, {"SLSA_BUILD_LEVEL_10", "SLSA_BUILD_LEVEL_9", true}, {"SLSA_BUILD_LEVEL_03", "SLSA_BUILD_LEVEL_2", false},
		{"SLSA_BUILD_LEVEL_UNEVALUATED", "SLSA_BUILD_LEVEL_0", false}, {"SLSA_BUILD_LEVEL_UNEVALUATED", "SLSA_BUILD_LEVEL_UNEVALUATED", true},
		{"BCID_L2", "BCID_L1", false}, {"ACME_LEVEL_3", "ACME_LEVEL_2", false}, {"slsa_build_level_3", "SLSA_BUILD_LEVEL_3", false}, {"", "SLSA_BUILD_LEVEL_0", false},
	} {
		if got := implies(c.have, c.want); got != c.holds {
			t.Errorf("%s for %s: %v", c.have, c.want, got)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", 90 * time.Minute: "1h30m0s", 24 * time.Hour: "1d", 36*time.Hour + time.Second: "1d12h", 768 * time.Hour: "32d"} {
		if got := span(d); got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
}
