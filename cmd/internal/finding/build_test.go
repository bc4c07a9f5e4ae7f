package finding

import (
	"slices"
	"testing"
)

func TestFingerprintIsStable(t *testing.T) {
	a := Fingerprint(KindVulnerability, "known-vulnerability", "orders", "pkg:npm/lodash@4.17.15", "GHSA-p6mc-m468-83gw", []string{"CVE-2020-8203"})
	same := Fingerprint(KindVulnerability, "known-vulnerability", "orders", "pkg:npm/lodash@4.17.16?x=y#z", "NSWG-ECO-516", []string{"CVE-2021-00001", "CVE-2020-8203"})
	if a != same {
		t.Errorf("another version and another preferred id of the same CVE: %s and %s differ", a, same)
	}
	for name, other := range map[string]string{
		"function":  Fingerprint(KindVulnerability, "known-vulnerability", "billing", "pkg:npm/lodash@4.17.15", "GHSA-p6mc-m468-83gw", []string{"CVE-2020-8203"}),
		"component": Fingerprint(KindVulnerability, "known-vulnerability", "orders", "pkg:npm/lodash.merge@4.17.15", "GHSA-p6mc-m468-83gw", []string{"CVE-2020-8203"}),
		"kind":      Fingerprint(KindMalware, "known-vulnerability", "orders", "pkg:npm/lodash@4.17.15", "GHSA-p6mc-m468-83gw", []string{"CVE-2020-8203"}),
		"id":        Fingerprint(KindVulnerability, "known-vulnerability", "orders", "pkg:npm/lodash@4.17.15", "GHSA-p6mc-m468-83gw", []string{"CVE-2020-8204"}),
	} {
		if a == other {
			t.Errorf("another %s gives the same fingerprint", name)
		}
	}
}

func TestVersionless(t *testing.T) {
	for in, want := range map[string]string{
		"pkg:npm/%40babel/core@7.0.0":              "pkg:npm/%40babel/core",
		"pkg:npm/@babel/core":                      "pkg:npm/@babel/core",
		"pkg:npm/@babel/core@7.0.0":                "pkg:npm/@babel/core",
		"pkg:deb/debian/curl@7.88?arch=amd64#x":    "pkg:deb/debian/curl",
		"pkg:golang/golang.org/x/net@v0.7.0":       "pkg:golang/golang.org/x/net",
		"pkg:golang/example.com/m@v1.0.0#sub/path": "pkg:golang/example.com/m",
		"": "",
	} {
		if got := Versionless(in); got != want {
			t.Errorf("Versionless(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSortPutsMalwareAndWorstFirst(t *testing.T) {
	r := NewReport("f", "f.zip")
	r.Findings = []Finding{
		{ID: "low", Severity: Low, Certainty: Certain},
		{ID: "possible-critical", Severity: Critical, Certainty: Possible},
		{ID: "unrated", Severity: UnknownSeverity, Certainty: Certain},
		{ID: "critical", Severity: Critical, Certainty: Certain},
		{ID: "MAL-1", Kind: KindMalware, Severity: Critical, Certainty: Certain},
	}
	r.Sort()
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.ID)
	}
	if want := []string{"MAL-1", "critical", "possible-critical", "unrated", "low"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestZeroVerdictIsNotAPass(t *testing.T) {
	s := Summarize([]*Report{{}, NewReport("a", "b"), {Verdict: Verdict{Decision: Pass}}})
	if s.Pass != 1 || s.Incomplete != 2 {
		t.Errorf("summary %+v: a report that nobody judged counts as incomplete", s)
	}
	if st := (&Report{}).Check("vulnerability"); st.State == Ran {
		t.Error("a check that nobody recorded counts as run")
	}
}
