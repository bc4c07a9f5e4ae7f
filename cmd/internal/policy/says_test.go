package policy

import (
	"strings"
	"testing"
	"time"
)

// TestSaysOfLicences holds that a line which lets licences through that the lists
// do not is told.
func TestSaysOfLicences(t *testing.T) {
	for text, want := range map[string]string{
		"licences: {allow: [MIT], deny: [AGPL-3.0-only]}":                          "",
		"fail: {licence: high}\nlicences: {allow: [MIT], deny: [AGPL-3.0-only]}":   "not among the allowed ones is of medium severity, and fail.licence is high",
		"fail: {licence: critical}\nlicences: {deny: [AGPL-3.0-only]}":             "denied is of high severity, and fail.licence is critical",
		"fail: {licence: high}\nlicences: {deny: [AGPL-3.0-only], unknown: warn}":  "",
		"fail: {licence: none}\nlicences: {allow: [MIT]}":                          "",
		"extends: builtin:report\nlicences: {allow: [MIT], deny: [AGPL-3.0-only]}": "",
	} {
		p, err := Parse([]byte("version: 1\n"+text+"\n"), "p.yaml")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, s := range p.Smells(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)) {
			if strings.Contains(s.Text, "a licence that is") {
				got += s.Text
			}
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestSaysOfStricterFunctions holds that of a stricter line what it was is not
// told as if it did not count any more, and that of a weaker one it is.
func TestSaysOfStricterFunctions(t *testing.T) {
	const top = "version: 1\nextends: builtin:release\ngrace: {high: 7d}\nfunctions:\n- match: {tag: x}\n  "
	for text, weaker := range map[string]bool{
		"fail: {severity: medium}":                    false,
		"grace: {high: 0d}":                           true, // nothing is left to say of it
		"grace: {high: 3d}":                           false,
		"fail: {severity: none}":                      true,
		"grace: {high: 9d}":                           true,
		"fail: {severity: medium, fixable: critical}": false,
	} {
		p, err := Parse([]byte(top+text+"\n"), "p.yaml")
		if err != nil {
			t.Fatal(err)
		}
		got := p.describeOverride(0, p.Functions[0])
		if strings.Contains(got, "no longer") != weaker || strings.Contains(got, "nothing differs") {
			t.Errorf("%s: %s", text, got)
		}
	}
}
