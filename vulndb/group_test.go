package vulndb

import (
	"slices"
	"testing"
)

const (
	v2high     = "AV:N/AC:L/Au:N/C:C/I:C/A:C"                                      // 10.0
	v30medium  = "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"                    // 6.1
	v31crit    = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"                    // 9.8
	v31high    = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"                    // 7.5
	v31none    = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"                    // 0.0
	v40low     = "CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N" // 1.0 by the specification's calculator
	v40damaged = "CVSS:4.0/AV:N"
)

func TestRate(t *testing.T) {
	for _, tt := range []struct {
		vector string
		score  float64
		major  int
		ok     bool
	}{
		{v2high, 10, 2, true}, {"(" + v2high + ")", 10, 2, true}, {v30medium, 6.1, 3, true}, {v31crit, 9.8, 3, true}, {v31none, 0, 3, true},
		{v40low, 1.0, 4, true}, {v40damaged, 0, 0, false}, {"", 0, 0, false}, {"7.5", 0, 0, false}, {"CVSS:5.0/AV:N", 0, 0, false},
	} {
		score, major, ok := Rate(tt.vector)
		if score != tt.score || major != tt.major || ok != tt.ok {
			t.Errorf("Rate(%q) = %v, %d, %v", tt.vector, score, major, ok)
		}
	}
}

// TestSeverity has one line per rule of a group's severity.
func TestSeverity(t *testing.T) {
	vec := func(list ...string) (s []Severity) {
		for _, v := range list {
			s = append(s, Severity{"CVSS_V3", v})
		}
		return s
	}
	match := func(a Advisory) Match {
		if a.ID == "" {
			a.ID = "GHSA-1"
		}
		a.Aliases = append(a.Aliases, "CVE-1")
		if len(a.Affected) == 0 {
			a.Affected = []Affected{{}}
		}
		return Match{Advisory: &a}
	}
	for name, tt := range map[string]struct {
		records []Match
		word    string
		score   float64
	}{
		"nothing known":                     {[]Match{match(Advisory{})}, WordUnknown, 0},
		"vector":                            {[]Match{match(Advisory{Severities: vec(v31crit)})}, WordCritical, 9.8},
		"v4 before v3 in one record":        {[]Match{match(Advisory{Severities: vec(v31crit, v40low)})}, WordLow, 1.0},
		"v3 before v2 in one record":        {[]Match{match(Advisory{Severities: vec(v2high, v30medium)})}, WordMedium, 6.1},
		"highest of one version":            {[]Match{match(Advisory{Severities: vec(v30medium, v31high)})}, WordHigh, 7.5},
		"v2 has no critical":                {[]Match{match(Advisory{Severities: vec(v2high)})}, WordHigh, 10},
		"highest of the records":            {[]Match{match(Advisory{Severities: vec(v40low)}), match(Advisory{ID: "PYSEC-1", Severities: vec(v31high)})}, WordHigh, 7.5},
		"vector before word":                {[]Match{match(Advisory{Severities: vec(v30medium), Word: "CRITICAL"})}, WordMedium, 6.1},
		"vector of another record":          {[]Match{match(Advisory{Word: "CRITICAL"}), match(Advisory{ID: "PYSEC-1", Severities: vec(v30medium)})}, WordMedium, 6.1},
		"word":                              {[]Match{match(Advisory{Word: "MODERATE"})}, WordMedium, 0},
		"highest word":                      {[]Match{match(Advisory{Word: "LOW"}), match(Advisory{ID: "PYSEC-1", Word: "high"})}, WordHigh, 0},
		"a distribution's word":             {[]Match{match(Advisory{Severities: []Severity{{"Ubuntu", "negligible"}}})}, WordLow, 0},
		"a word that says nothing":          {[]Match{match(Advisory{Word: "not yet assigned"})}, WordUnknown, 0},
		"damaged vector, word":              {[]Match{match(Advisory{Severities: vec(v40damaged), Word: "HIGH"})}, WordHigh, 0},
		"damaged vector":                    {[]Match{match(Advisory{Severities: vec(v40damaged)})}, WordUnknown, 0},
		"no impact":                         {[]Match{match(Advisory{Severities: vec(v31none)})}, WordNone, 0},
		"score without its vector":          {[]Match{match(Advisory{Score: 9.3, ScoreType: "CVSS_V3"})}, WordCritical, 9.3},
		"v2 score without its vector":       {[]Match{match(Advisory{Score: 9.3, ScoreType: "CVSS_V2"})}, WordHigh, 9.3},
		"vector before such a score":        {[]Match{match(Advisory{Severities: vec(v30medium), Score: 9.3, ScoreType: "CVSS_V4"})}, WordMedium, 6.1},
		"of the entry that matched":         {[]Match{match(Advisory{Affected: []Affected{{Severities: vec(v31high)}}})}, WordHigh, 7.5},
		"of the record before of the entry": {[]Match{match(Advisory{Severities: vec(v30medium), Affected: []Affected{{Severities: vec(v31high)}}})}, WordMedium, 6.1},
		"word of the entry":                 {[]Match{match(Advisory{Affected: []Affected{{Word: "high**"}}})}, WordHigh, 0},
		"malware":                           {[]Match{match(Advisory{ID: "MAL-1", Severities: vec(v40low)})}, WordCritical, 1.0},
		"malware by alias":                  {[]Match{match(Advisory{Aliases: []string{"MAL-1"}})}, WordCritical, 0},
		"unmaintained":                      {[]Match{match(Advisory{ID: "RUSTSEC-1", Affected: []Affected{{Informational: "unmaintained"}}})}, WordNone, 0},
		"notice":                            {[]Match{match(Advisory{ID: "RUSTSEC-1", Affected: []Affected{{Informational: "notice"}}})}, WordNone, 0},
		"unsound":                           {[]Match{match(Advisory{ID: "RUSTSEC-1", Affected: []Affected{{Informational: "unsound"}}})}, WordUnknown, 0},
		"unmaintained, rated by another":    {[]Match{match(Advisory{ID: "RUSTSEC-1", Affected: []Affected{{Informational: "unmaintained"}}}), match(Advisory{Word: "LOW"})}, WordLow, 0},
		"unmaintained to one record only":   {[]Match{match(Advisory{ID: "RUSTSEC-1", Affected: []Affected{{Informational: "unmaintained"}}}), match(Advisory{})}, WordUnknown, 0},
	} {
		g := Groups(Package{Ecosystem: "npm", Name: "p"}, tt.records)
		if len(g) != 1 || g[0].Severity != tt.word || g[0].Score != tt.score {
			t.Errorf("%s: %+v, want %s %v", name, g, tt.word, tt.score)
		}
	}
}

func TestPreference(t *testing.T) {
	got := []string{"OSV-1", "CVE-2", "PYSEC-1", "GHSA-b", "MAL-1", "CVE-1", "GHSA-a", "GO-1", "RUSTSEC-1", "DSA-1"}
	slices.SortFunc(got, comparePreference)
	want := []string{"MAL-1", "GHSA-a", "GHSA-b", "GO-1", "PYSEC-1", "RUSTSEC-1", "CVE-1", "CVE-2", "DSA-1", "OSV-1"}
	if !slices.Equal(got, want) {
		t.Error(got)
	}
}

// TestGroupsKeepsItsInput says that the order of the matches neither matters
// nor is changed.
func TestGroupsKeepsItsInput(t *testing.T) {
	a := Match{Advisory: &Advisory{ID: "PYSEC-1", Aliases: []string{"CVE-1"}, Summary: "second"}, Affected: -1}
	b := Match{Advisory: &Advisory{ID: "GHSA-1", Aliases: []string{"CVE-1"}, Summary: "first"}, Affected: -1}
	c := Match{Advisory: &Advisory{ID: "CVE-2"}, Affected: -1}
	for _, in := range [][]Match{{a, b, c}, {c, b, a}} {
		before := slices.Clone(in)
		g := Groups(Package{}, in)
		if len(g) != 2 || g[0].ID != "GHSA-1" || g[0].Summary != "first" || g[1].ID != "CVE-2" || !slices.Equal(g[0].IDs, []string{"GHSA-1", "PYSEC-1", "CVE-1"}) {
			t.Errorf("%+v", g)
		}
		for i := range in {
			if in[i].Advisory != before[i].Advisory {
				t.Error("the input was sorted")
			}
		}
	}
}
