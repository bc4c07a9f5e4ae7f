package policy

import (
	"slices"
	"strings"
	"testing"
)

// TestEmptyValues holds that a key without a value is no key that was left out:
// in both readers, with its place and what to write.
func TestEmptyValues(t *testing.T) {
	for text, want := range map[string]string{
		"fail: {fixable: }":                     "[2:16] fail.fixable: it has no value: write one (none or false switches a line off), or leave the key out",
		"fail: ~":                               "[2:7] fail: it has no keys below it: write some, or leave it out",
		"warn: {malware: null}":                 "warn.malware: it has no value",
		"fail: {origins: {base: {severity: }}}": "fail.origins.base.severity: it has no value",
		"extends:":                              "extends: it has no value: write one, or leave the key out",
		"require:":                              "require: it has no value: write a list ([] is an empty one)",
		"require:\n  - open\n  -":               "require[1]: it has no value",
		"waivers:\n  # - id: CVE-2021-1":        "waivers: it has no value",
		"waivers:\n  - ~":                       "[3:5] waivers[0]: it has no keys below it",
		"functions: [null]":                     "functions[0]: it has no keys below it",
		"functions: [{match: {tag: a, name: }, fail: {severity: low}}]":                           "functions[0].match.name: it has no value",
		"functions: [{match: {tag: a}, fail: {severity: }}]":                                      "functions[0].fail.severity: it has no value: write one (none",
		"database: {max_age: }":                                                                   "database.max_age: it has no value",
		"coverage: {minimum: ~}":                                                                  "coverage.minimum: it has no value",
		"trust_roots: {a: }":                                                                      "trust_roots.a: it has no keys below it",
		"dependencies: {registries: {npm: }}":                                                     "dependencies.registries.npm: it has no value",
		"artifacts: [{match: {kind: }, require: []}]":                                             "artifacts[0].match.kind: it has no value",
		"waivers: [{id: CVE-2021-1, component: '', reason: r, owner: o, expires: 2027-01-01}]":    "waivers[0].component: the text is empty",
		"waivers: [{id: CVE-2021-1, function: \"  \", reason: r, owner: o, expires: 2027-01-01}]": "waivers[0].function: the text is empty",
		"functions: [{match: {tag: a, name: \"\"}, fail: {severity: low}}]":                       "functions[0].match.name: the text is empty",
		"gate: {emit: {verifier_id: \"\"}}":                                                       "gate.emit.verifier_id: the text is empty",
	} {
		text = "version: 1\n" + text + "\n"
		_, err := Parse([]byte(text), "p.yaml")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if _, after, placed := strings.Cut(want, "] "); placed {
			want = after
		}
		found := Problems([]byte(text))
		if !slices.ContainsFunc(found, func(p Problem) bool { return p.Line > 1 && strings.Contains(p.Text, want) }) {
			t.Errorf("%s: problems %+v, want %q", text, found, want)
		}
	}
	for _, text := range []string{
		"waivers: []",
		"incomplete: {unknowns: [], unmatched: []}",
		"vex: {accept: []}",
		"artifacts: [{require: [{provenance: {signer: {key: {root: a}}, builders: [{id: https://b.example}], inputs: {debug: ''}}}]}]\ntrust_roots: {a: {public_key: k.pub}}",
	} {
		if _, err := Parse([]byte("version: 1\n"+text+"\n"), "p.yaml"); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestEmptyExpectation holds the same of cases: what is expected of one must be said.
func TestEmptyExpectation(t *testing.T) {
	for text, want := range map[string]string{
		"expect: {decision: pass, reasons: }":                           "cases[0].expect.reasons: it has no value",
		"expect: {decision: pass, reasons: [~]}":                        "cases[0].expect.reasons[0]: it has no value",
		"findings: [~]\n    expect: {decision: pass}":                   "cases[0].findings[0]: it has no keys below it",
		"findings: [{id: a, severity: }]\n    expect: {decision: pass}": "cases[0].findings[0].severity: it has no value",
	} {
		_, err := ParseCases([]byte("version: 1\nat: 2026-11-22\ncases:\n  - name: x\n    "+text+"\n"), "c.yaml")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
