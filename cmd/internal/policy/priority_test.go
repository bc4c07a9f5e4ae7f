package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

func TestPriority(t *testing.T) {
	open := &finding.Declared{Triggers: []finding.Trigger{{Type: "HttpApi"}}}
	for _, c := range []struct {
		name     string
		f        finding.Finding
		declared *finding.Declared
		want     int
		why      string
	}{
		{"nothing known", finding.Finding{}, nil, 32 + 5 + 5 + 3, "severity unknown (+32), whether its code runs is not known (+5), the version is certain (+5), who can call it is not known (+3)"},
		{"the worst", finding.Finding{Severity: finding.Critical, Score: 10, KEV: true, EPSS: 0.94, Reach: finding.ReachCalled, Fixed: []string{"2"}}, open, 100,
			"critical, CVSS 10.0 (+40), known to be exploited (+20), EPSS 94.0 %, counted in full (+15), its code is called (+10), the version is certain (+5), anybody can call it by HttpApi (+5), a fix is known (+5)"},
		{"word", finding.Finding{Severity: finding.Low, Certainty: finding.Probable}, nil, 10 + 5 + 3 + 3, "low (+10), whether its code runs is not known (+5), the version is probable (+3), who can call it is not known (+3)"},
		{"malware", finding.Finding{Kind: finding.KindMalware, State: "shadowed", Certainty: finding.Possible}, nil, 100, "a malicious package comes before everything else"},
		{"absent", finding.Finding{Severity: finding.Critical, Score: 9.8, Reach: finding.ReachAbsent, Fixed: []string{"2"}}, nil, 10, "at most 10, because none of its code is in the binary"},
		{"absent and exploited", finding.Finding{Severity: finding.Critical, Score: 9.8, Reach: finding.ReachAbsent, KEV: true}, nil, 60, "at most 60"},
		{"not loaded", finding.Finding{Severity: finding.Critical, Score: 9.8, State: "shadowed"}, nil, 20, "at most 20, because this copy is not loaded"},
		{"possible", finding.Finding{Severity: finding.Critical, Score: 9.8, Certainty: finding.Possible}, nil, 40, "at most 40, because it only may apply"},
		{"half likely", finding.Finding{Severity: finding.High, Score: 7.5, EPSS: 0.25}, nil, 30 + 8 + 5 + 5 + 3, "EPSS 25.0 % (+8)"},
		{"no number", finding.Finding{Severity: finding.High, Score: 7.5, EPSS: math.NaN()}, nil, 30 + 5 + 5 + 3, "high, CVSS 7.5 (+30)"},
		{"out of range", finding.Finding{Severity: finding.High, Score: 1e9, EPSS: -3}, nil, 40 + 5 + 5 + 3, "(+40)"},
	} {
		p, _ := Builtin(CI)
		got, why := p.Priority(&finding.Report{Declared: c.declared}, c.f)
		if got != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%s: %d %q, want %d %q", c.name, got, why, c.want, c.why)
		}
	}
}

// TestPriorityExposure: who can call a function, by what is declared.
func TestPriorityExposure(t *testing.T) {
	for _, c := range []struct {
		d    *finding.Declared
		want float64
	}{
		{nil, 0.5},
		{&finding.Declared{}, 0.2},
		{&finding.Declared{URLAuth: "NONE"}, 1},
		{&finding.Declared{URLAuth: "AWS_IAM"}, 0.6},
		{&finding.Declared{Triggers: []finding.Trigger{{Type: "Schedule"}}}, 0.2},
		{&finding.Declared{Triggers: []finding.Trigger{{Type: "Schedule"}, {Type: "SQS"}}}, 0.4},
		{&finding.Declared{Triggers: []finding.Trigger{{Type: "Api", Auth: "AWS_IAM"}, {Type: "SQS"}}}, 0.6},
		{&finding.Declared{Triggers: []finding.Trigger{{Type: "Api"}}}, 1},
		{&finding.Declared{Triggers: []finding.Trigger{{Type: "HttpApi", Auth: "NONE"}}}, 1},
		{&finding.Declared{Triggers: []finding.Trigger{{Type: "Permission", Detail: "apigateway.amazonaws.com arn:x"}}}, 1},
		{&finding.Declared{Triggers: []finding.Trigger{{Type: "Permission", Auth: "AWS_IAM"}}}, 0.6},
	} {
		if got, why := exposurePart(&finding.Report{Declared: c.d}); got != c.want {
			t.Errorf("%+v: %v %q, want %v", c.d, got, why, c.want)
		}
	}
}

// TestPriorityMonotonic: whatever else is known, a fact that makes a finding
// worse never lowers its priority, one that makes it better never raises it, and
// the number stays within 0 and 100 and is the sum that its sentence says.
func TestPriorityMonotonic(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	severities := []string{"none", "low", "medium", "high", "critical"}
	for range 3_000 {
		p := &Policy{}
		if rnd.IntN(2) == 0 {
			p.Weights = Weights{rnd.IntN(90) + 1, rnd.IntN(90), rnd.IntN(90), rnd.IntN(90), rnd.IntN(90), rnd.IntN(90), rnd.IntN(90)}
		}
		r := &finding.Report{}
		if rnd.IntN(2) == 0 {
			r.Declared = &finding.Declared{URLAuth: pick("", "NONE", "AWS_IAM")}
		}
		f := finding.Finding{
			Severity: finding.Severity(pick("none", "low", "medium", "high", "critical", "unknown", "odd")), Certainty: finding.Certainty(pick("certain", "probable", "possible")),
			State: pick("", "live", "shadowed", "declared", "provided"), Reach: pick("unknown", "present", "called", "absent"),
			KEV: rnd.IntN(2) == 0, EPSS: rnd.Float64(),
		}
		if rnd.IntN(2) == 0 {
			f.Score = 10 * rnd.Float64()
		}
		if rnd.IntN(2) == 0 {
			f.Fixed = []string{"1"}
		}
		at := func(change func(*finding.Finding)) int {
			g := f
			change(&g)
			n, why := p.Priority(r, g)
			if n < 0 || n > 100 {
				t.Fatalf("%+v: %d", g, n)
			}
			if sum := summed(why); sum < n || sum > n && !strings.Contains(why, "at most") && n != 100 {
				t.Fatalf("%+v: %d is not what %q adds up to", g, n, why)
			}
			return n
		}
		rises := func(what string, steps ...func(*finding.Finding)) {
			last := -1
			for i, step := range steps {
				if n := at(step); n < last {
					t.Fatalf("%s, step %d: %d after %d for %+v, weights %+v", what, i, n, last, f, p.Weights)
				} else {
					last = n
				}
			}
		}
		rises("kev", func(g *finding.Finding) { g.KEV = false }, func(g *finding.Finding) { g.KEV = true })
		low := rnd.Float64()
		rises("epss", func(g *finding.Finding) { g.EPSS = 0 }, func(g *finding.Finding) { g.EPSS = low }, func(g *finding.Finding) { g.EPSS = low + (1-low)*rnd.Float64() })
		rises("reach", func(g *finding.Finding) { g.Reach = "absent" }, func(g *finding.Finding) { g.Reach = "unknown" }, func(g *finding.Finding) { g.Reach = "present" }, func(g *finding.Finding) { g.Reach = "called" })
		rises("certainty", func(g *finding.Finding) { g.Certainty = "possible" }, func(g *finding.Finding) { g.Certainty = "probable" }, func(g *finding.Finding) { g.Certainty = "certain" })
		rises("fix", func(g *finding.Finding) { g.Fixed = nil }, func(g *finding.Finding) { g.Fixed = []string{"1"} })
		rises("state", func(g *finding.Finding) { g.State = "shadowed" }, func(g *finding.Finding) { g.State = "live" })
		rises("malware", func(*finding.Finding) {}, func(g *finding.Finding) { g.Kind = finding.KindMalware })
		score := 9 * rnd.Float64()
		rises("score", func(g *finding.Finding) { g.Score = score + 0.1 }, func(g *finding.Finding) { g.Score = score + 1 })
		var words []func(*finding.Finding)
		for _, s := range severities {
			words = append(words, func(g *finding.Finding) { g.Severity, g.Score = finding.Severity(s), 0 })
		}
		rises("severity", words...)
	}
}

// summed adds up the points that a sentence names; 100 for one without any.
func summed(why string) int {
	sum, found := 0, false
	for rest := why; ; {
		_, after, ok := strings.Cut(rest, "(+")
		if !ok {
			break
		}
		n := 0
		fmt.Sscanf(after, "%d", &n)
		sum, found, rest = sum+n, true, after
	}
	if !found && why != "" {
		return 100
	}
	return sum
}

func TestPriorityWeights(t *testing.T) {
	parse := func(section string) (*Policy, error) {
		return Parse([]byte("version: 1\n"+section), "p.yaml")
	}
	p, err := parse("priority:\n  weights: {kev: 100, epss: 0}\n")
	if err != nil || p.Weights != (Weights{40, 100, 0, 10, 5, 5, 5}) {
		t.Errorf("%+v, %v", p, err)
	}
	if n, _ := p.Priority(&finding.Report{}, finding.Finding{KEV: true, Severity: finding.None}); n != 61+3+3+2 {
		t.Errorf("shares of 165: %d", n)
	}
	for _, c := range []struct{ section, want string }{
		{"priority:\n  weights: {kev: -1}\n", "priority.weights.kev: -1 is not a whole number from 0 to 1000"},
		{"priority:\n  weights: {kev: 1001}\n", "from 0 to 1000"},
		{"priority:\n  weights: {severity: 0, kev: 0, epss: 0, reach: 0, certainty: 0, exposure: 0, fix: 0}\n", "all of them are 0"},
		{"priority:\n  weights: {kew: 1}\n", "unknown field"},
		{"priority:\n  weights: {kev: 1.5}\n", "whole number"},
		{"priority:\n  weights: {kev: .nan}\n", "whole number"},
		{"priority:\n  weight: {kev: 1}\n", "weights"},
	} {
		if _, err := parse(c.section); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.section, err, c.want)
		}
	}
}

// TestPrioritize: upgrades come in the order of the worst that each clears and
// nobody accepted, and deciding twice changes nothing.
func TestPrioritize(t *testing.T) {
	r := &finding.Report{
		Findings: []finding.Finding{
			{Fingerprint: "a", ID: "A", Kind: finding.KindVulnerability, Severity: finding.Critical, Score: 9.8, Certainty: finding.Certain, Component: "pkg:npm/a@1"},
			{Fingerprint: "b", ID: "B", Kind: finding.KindVulnerability, Severity: finding.High, Score: 7.5, Certainty: finding.Certain, KEV: true, Component: "pkg:npm/b@1"},
			{Fingerprint: "c", ID: "C", Kind: finding.KindVulnerability, Severity: finding.Critical, Score: 10, Certainty: finding.Certain, KEV: true, Component: "pkg:npm/c@1"},
			{Fingerprint: "d", ID: "D", Kind: finding.KindVulnerability, Severity: finding.Low, Certainty: finding.Certain, Component: "pkg:npm/a@1"},
		},
		Upgrades: []finding.Upgrade{
			{Component: "pkg:npm/a@1", Clears: []string{"d", "a"}}, {Component: "pkg:npm/b@1", Clears: []string{"b"}},
			{Component: "pkg:npm/c@1", Clears: []string{"c"}}, {Component: "pkg:npm/e@1", Clears: []string{}},
		},
	}
	p := &Policy{Waivers: []Waiver{{ID: "C", Reason: "r", Owner: "o", Expires: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}}}
	for range 2 {
		p.Decide(r, finding.Database{}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		var got []string
		for _, u := range r.Upgrades {
			got = append(got, fmt.Sprintf("%s%v%d", u.Component, u.Clears, u.Priority))
		}
		if want := "pkg:npm/b@1[b]78 pkg:npm/a@1[a d]52 pkg:npm/c@1[c]0 pkg:npm/e@1[]0"; strings.Join(got, " ") != want {
			t.Errorf("%s\nwant %s", strings.Join(got, " "), want)
		}
	}
	if r.Findings[2].Priority != 88 || r.Findings[2].Why == "" {
		t.Errorf("what is waived keeps its number: %+v", r.Findings[2])
	}
}

// Two versions of a package share a fingerprint: that the platform loads only
// one of them makes the step for the other less urgent.
func TestUpgradeOfAnotherCopy(t *testing.T) {
	p, _ := Builtin(CI)
	r := finding.NewReport("f", "f.zip")
	for _, f := range []struct{ component, state string }{{"pkg:npm/a@2.0.0", "live"}, {"pkg:npm/a@1.0.0", "shadowed"}} {
		r.Findings = append(r.Findings, finding.Finding{Fingerprint: "x", Kind: finding.KindVulnerability, ID: "CVE-2026-1", Component: f.component, State: f.state, Severity: finding.High, Certainty: finding.Certain, Fixed: []string{"3.0.0"}})
		r.Upgrades = append([]finding.Upgrade{{Component: f.component, Name: "a", To: "3.0.0", Clears: []string{"x"}}}, r.Upgrades...)
	}
	p.prioritize(r)
	if r.Upgrades[0].Component != "pkg:npm/a@2.0.0" || r.Upgrades[1].Priority >= r.Upgrades[0].Priority {
		t.Errorf("upgrades %+v", r.Upgrades)
	}
}

// TestPriorityFacts: findings that are rated together are rated as each alone,
// whichever of their fields differs.
func TestPriorityFacts(t *testing.T) {
	p, like := &Policy{}, finding.Finding{Kind: finding.KindVulnerability, Severity: finding.High, Certainty: finding.Certain, Score: 5, EPSS: 0.2, Reach: finding.ReachPresent, State: "live", Fixed: []string{"1"}, Fingerprint: "like"}
	list := []finding.Finding{like}
	for i := range reflect.TypeFor[finding.Finding]().NumField() {
		for _, word := range []string{"malware", "low", "possible", "absent", "called", "shadowed", "fail"} {
			f := like
			switch v := reflect.ValueOf(&f).Elem().Field(i); v.Kind() {
			case reflect.String:
				v.SetString(word)
			case reflect.Bool:
				v.SetBool(!v.Bool())
			case reflect.Float64:
				v.SetFloat(v.Float() + float64(len(word))/100)
			case reflect.Int:
				v.SetInt(int64(len(word)))
			case reflect.Slice:
				v.SetZero()
			case reflect.Pointer:
				v.Set(reflect.New(v.Type().Elem()))
			}
			list = append(list, f)
		}
	}
	r := &finding.Report{Findings: slices.Clone(list)}
	p.Decide(r, finding.Database{}, time.Time{})
	for i, f := range r.Findings {
		if n, why := p.Priority(r, list[i]); n != f.Priority || why != f.Why {
			t.Errorf("%d, %s; alone %d, %s: %+v", f.Priority, f.Why, n, why, list[i])
		}
	}
}
