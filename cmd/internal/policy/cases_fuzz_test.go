package policy

import "testing"

// FuzzCases holds that no file of cases makes the program panic, and that what
// is read can be run.
func FuzzCases(f *testing.F) {
	f.Add([]byte("version: 1\ncases:\n  - {name: a, at: 2026-11-22, findings: [{id: x, severity: high}], expect: {decision: fail, counts: {x: fail}}}\n"))
	f.Add([]byte("version: 1\ncases:\n  - {name: a, at: 2026-11-22, coverage: {code: -1, unknown: 9}, database: {age: 0}, expect: {decision: pass}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cases, err := ParseCases(data, "c.yaml")
		if err != nil {
			return
		}
		p, _ := Builtin(CI)
		for _, c := range cases.List {
			c.Run(p, nil)
		}
	})
}

// FuzzProblems holds that a file has problems exactly when it cannot be read.
func FuzzProblems(f *testing.F) {
	f.Add([]byte("version: 1\nfail: {severty: high}\nwaivers: [{id: a}]\n"))
	f.Add([]byte("version: 1\nfunctions:\n- match: {name: a}\n  fail: [x]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Parse(data, "p")
		found := Problems(data)
		if (err != nil) != (len(found) > 0) {
			t.Errorf("error %v, problems %v", err, found)
		}
	})
}
