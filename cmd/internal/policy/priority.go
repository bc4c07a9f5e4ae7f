package policy

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Weights are the most points that each fact about a finding can add to its
// priority. They are shares: what they add up to stands for 100. The zero value
// stands for DefaultWeights.
type Weights struct {
	Severity  int // the CVSS base score as a part of 10; without one, the word
	KEV       int // it is known to be exploited
	EPSS      int // how likely it is exploited within 30 days
	Reach     int // its code is in the bytes, or called
	Certainty int // the bytes are of an affected version
	Exposure  int // who can call the function, as far as its descriptor says
	Fix       int // there is something to do about it
}

// DefaultWeights are those of every built-in policy. Severity weighs most, since
// nothing else is known of most findings. What is exploited weighs next, because
// few flaws ever are and those few do the harm: CISA's Binding Operational
// Directive 22-01 has its catalogue fixed first, whatever the score, and
// FIRST's guide to EPSS says to use it beside CVSS, which does not speak of
// threat. The rest decides between findings that are alike otherwise.
func DefaultWeights() Weights {
	return Weights{Severity: 40, KEV: 20, EPSS: 15, Reach: 10, Certainty: 5, Exposure: 5, Fix: 5}
}

// The most that a finding can have, however bad the flaw is, when what is
// affected cannot run, or may not be there.
const (
	mostAbsent    = 10 // none of its code is in the binary
	mostExploited = 60 // the same of a flaw that is known to be exploited, on which built-in policies fail even so
	mostUnloaded  = 20 // another copy is loaded, or the platform brings its own
	mostPossible  = 40 // the version is not known
)

// maxPriority is the highest priority, and that of all malware.
const maxPriority = 100

// part is what one fact adds.
type part struct {
	words  string
	points int
}

// Priority rates a finding about the report's function: a number from 0 to 100,
// and one sentence with what it is made of. Each weight is taken times a value
// from 0 to 1 and rounded, and these points are added up:
//
//	severity   score/10; critical 0.95, high 0.8, medium 0.55, low 0.25, none 0
//	kev        1 when it is known to be exploited
//	epss       square root of the probability (half of all flaws have less than
//	           0.01, and their order should still count); 1 when known to be exploited
//	reach      called 1, present 0.8, unknown 0.5, absent 0
//	certainty  certain 1, probable 0.6, possible 0
//	exposure   anybody may call it 1, whoever is authorized 0.6, not known 0.5,
//	           events of other services 0.4, a schedule or nothing 0.2
//	fix        1 when a fixed version is known
//
// No finding has more than 10 whose code is not in the binary (60 when it is
// known to be exploited), 20 in a copy that is not loaded, 40 of a package whose
// version is not known. Malware has 100.
//
// So a fact that makes a finding worse never lowers the number.
func (p *Policy) Priority(r *finding.Report, f finding.Finding) (int, string) {
	return p.priority(r, &f)
}

func (p *Policy) priority(r *finding.Report, f *finding.Finding) (int, string) {
	if f.Kind == finding.KindMalware {
		return maxPriority, "a malicious package comes before everything else"
	}
	sum := 0
	var words []byte
	for _, x := range p.parts(r, f) {
		sum += x.points
		if x.points > 0 {
			if len(words) > 0 {
				words = append(words, ", "...)
			}
			words = append(append(words, x.words...), " (+"...)
			words = append(strconv.AppendInt(words, int64(x.points), 10), ')')
		}
	}
	sum = min(max(sum, 0), maxPriority)
	why := string(words)
	if most, because := ceiling(f); sum > most {
		sum, why = most, fmt.Sprintf("%s; at most %d, because %s", why, most, because)
	}
	return sum, why
}

func (p *Policy) parts(r *finding.Report, f *finding.Finding) [7]part {
	w := p.Weights
	if w == (Weights{}) {
		w = DefaultWeights()
	}
	all := w.Severity + w.KEV + w.EPSS + w.Reach + w.Certainty + w.Exposure + w.Fix
	points := func(weight int, x float64) int {
		return int(math.Round(maxPriority * float64(weight) * unit(x) / float64(max(all, 1))))
	}
	severity, rating := p.severity(f)
	exploited, chance, epss := 0.0, unit(f.EPSS), "EPSS not known"
	if chance > 0 {
		epss = fmt.Sprintf("EPSS %.1f %%", 100*chance)
	}
	chance = math.Sqrt(chance)
	if f.KEV {
		exploited, chance = 1, 1
		if f.EPSS <= 0 {
			epss = "and so likely to be"
		} else {
			epss += ", counted in full"
		}
	}
	reach, reached := reachPart(f.Reach)
	sure, certainty := certaintyPart(f.Certainty)
	open, exposure := exposurePart(r)
	fix := 0.0
	if len(f.Fixed) > 0 {
		fix = 1
	}
	return [...]part{
		{rating, points(w.Severity, severity)},
		{"known to be exploited", points(w.KEV, exploited)},
		{epss, points(w.EPSS, chance)},
		{reached, points(w.Reach, reach)},
		{certainty, points(w.Certainty, sure)},
		{exposure, points(w.Exposure, open)},
		{"a fix is known", points(w.Fix, fix)},
	}
}

// unit brings a number into 0 to 1; what is no number is 0.
func unit(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return min(max(x, 0), 1)
}

// severity is the CVSS score as a part of 10, else what the word stands for.
func (p *Policy) severity(f *finding.Finding) (float64, string) {
	if f.Score > 0 {
		return f.Score / 10, fmt.Sprintf("%s, CVSS %.1f", f.Severity, f.Score)
	}
	words := string(f.Severity)
	switch f.Severity {
	case finding.Critical, finding.High, finding.Medium, finding.Low, finding.None:
	default:
		words = "severity unknown"
	}
	switch p.rank(f.Severity) {
	case finding.Critical.Rank():
		return 0.95, words
	case finding.High.Rank():
		return 0.8, words
	case finding.Medium.Rank():
		return 0.55, words
	case finding.Low.Rank():
		return 0.25, words
	}
	return 0, words
}

func reachPart(reach string) (float64, string) {
	switch reach {
	case finding.ReachCalled:
		return 1, "its code is called"
	case finding.ReachPresent:
		return 0.8, "its code is there"
	case finding.ReachAbsent:
		return 0, "its code is not there"
	}
	return 0.5, "whether its code runs is not known"
}

func certaintyPart(c finding.Certainty) (float64, string) {
	switch c.Rank() {
	case finding.Possible.Rank():
		return 0, "it only may apply"
	case finding.Probable.Rank():
		return 0.6, "the version is probable"
	}
	return 1, "the version is certain"
}

// exposurePart says who can call the function, by what its descriptor declares
// (the event sources of AWS SAM). What it does not declare is not known.
func exposurePart(r *finding.Report) (float64, string) {
	d := r.Declared
	if d == nil {
		return 0.5, "who can call it is not known"
	}
	if d.URLAuth == "NONE" {
		return 1, "anybody can call its URL"
	}
	x, words := 0.2, "nothing but a schedule calls it"
	if d.URLAuth != "" {
		x, words = 0.6, "its URL can be called by who is authorized"
	}
	if len(d.Triggers) == 0 && d.URLAuth == "" {
		words = "nothing is declared to call it"
	}
	for _, t := range d.Triggers {
		y, say := triggerPart(t)
		if y > x {
			x, words = y, say
		}
	}
	return x, words
}

func triggerPart(t finding.Trigger) (float64, string) {
	web := slices.Contains([]string{"Api", "HttpApi", "ALB", "Function URL"}, t.Type) || strings.HasPrefix(t.Detail, "apigateway.amazonaws.com") || strings.HasPrefix(t.Detail, "elasticloadbalancing.amazonaws.com")
	switch {
	case t.Auth == "NONE", web && t.Auth == "":
		return 1, "anybody can call it by " + t.Type
	case web, t.Auth != "":
		return 0.6, "who is authorized can call it by " + t.Type
	case strings.HasPrefix(t.Type, "Schedule"):
		return 0.2, "nothing but a schedule calls it"
	}
	return 0.4, "events of other services call it"
}

// ceiling is the most that a finding can have, and why.
func ceiling(f *finding.Finding) (int, string) {
	most, why := maxPriority, ""
	lower := func(to int, because string) {
		if to < most {
			most, why = to, because
		}
	}
	if f.Certainty.Rank() <= finding.Possible.Rank() {
		lower(mostPossible, "it only may apply")
	}
	if !loaded(*f) {
		lower(mostUnloaded, "this copy is not loaded")
	}
	if f.Reach == finding.ReachAbsent {
		if f.KEV {
			lower(mostExploited, "none of its code is in the binary")
		} else {
			lower(mostAbsent, "none of its code is in the binary")
		}
	}
	return most, why
}

// facts are all of a finding that its priority looks at: of hundreds in a
// function many have the same.
type facts struct {
	kind        finding.Kind
	severity    finding.Severity
	certainty   finding.Certainty
	reach       string
	state       string
	score, epss float64
	kev, fixed  bool
}

func factsOf(f *finding.Finding) facts {
	return facts{f.Kind, f.Severity, f.Certainty, f.Reach, f.State, f.Score, f.EPSS, f.KEV, len(f.Fixed) > 0}
}

// rating is a priority and what it is made of.
type rating struct {
	points int
	why    string
}

// prioritize rates all findings, and puts the upgrades in the order in which
// they are worth the work: by the worst finding that one clears and nobody has
// accepted, then by how many it clears. What clears nothing comes last.
func (p *Policy) prioritize(r *finding.Report) {
	at := make(map[string]int, len(r.Findings))   // fingerprint -> its place by severity
	rate := make(map[string]int, len(r.Findings)) // fingerprint -> priority of what is open
	type copied struct{ component, fingerprint string }
	own := make(map[copied]int, len(r.Findings)) // the same of one of several versions, which share a fingerprint
	rated := map[facts]rating{}
	for i := range r.Findings {
		f := &r.Findings[i]
		like := factsOf(f)
		one, ok := rated[like]
		if !ok {
			one.points, one.why = p.priority(r, f)
			rated[like] = one
		}
		f.Priority, f.Why = one.points, one.why
		if _, ok := at[f.Fingerprint]; !ok {
			at[f.Fingerprint] = i
		}
		if !f.Accepted() {
			rate[f.Fingerprint] = max(rate[f.Fingerprint], f.Priority)
			one := copied{f.Component, f.Fingerprint}
			own[one] = max(own[one], f.Priority)
		}
	}
	for i := range r.Upgrades {
		u := &r.Upgrades[i]
		rated := func(fingerprint string) int {
			if n, ok := own[copied{cmp.Or(u.For, u.Component), fingerprint}]; ok {
				return n
			}
			return rate[fingerprint] // a step for several packages
		}
		worst := func(a, b string) int { return cmp.Or(cmp.Compare(rated(b), rated(a)), cmp.Compare(at[a], at[b])) }
		slices.SortStableFunc(u.Clears, worst)
		slices.SortStableFunc(u.Remains, worst)
		u.Priority = 0
		if len(u.Clears) > 0 {
			u.Priority = rated(u.Clears[0])
		}
	}
	slices.SortStableFunc(r.Upgrades, func(a, b finding.Upgrade) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(len(b.Clears), len(a.Clears)), cmp.Compare(a.Component, b.Component), cmp.Compare(a.Name, b.Name))
	})
}
