package fleet

import (
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// drift gathers what is wrong with the deployed functions of one report: one
// finding per rule, with one piece of evidence for each of them.
type drift struct {
	name  string
	mark  string // what tells these bytes of the function from others
	rules map[string]*finding.Finding
	by    map[string][]string // rules by ARN, or what stands for it
}

func newDrift(name, digest string) *drift {
	return &drift{name: name, mark: digest, rules: map[string]*finding.Finding{}, by: map[string][]string{}}
}

// maxEvidence is how many deployed functions a finding names; the report lists all.
const maxEvidence = 100

// add notes that a deployed function breaks a rule.
func (x *drift) add(rule string, d *finding.Deployed, why string) {
	f := x.rules[rule]
	if f == nil {
		f = &finding.Finding{Kind: finding.KindDrift, Rule: rule, ID: rule + ":" + x.name + "@" + x.short(), Severity: severity(rule), Certainty: finding.Certain,
			Title: says(rule, why)}
		x.rules[rule] = f
	}
	if x.by[where(d)] = append(x.by[where(d)], rule); len(f.Evidence) < maxEvidence {
		f.Evidence = append(f.Evidence, finding.Evidence{Source: "export", Locator: where(d), Detail: why})
	}
}

// short is enough of the digest to tell two apart, so that a waiver of these
// bytes is none of the next ones.
func (x *drift) short() string {
	if value, ok := strings.CutPrefix(x.mark, "sha256:"); ok && len(value) >= 12 {
		return value[:12]
	}
	return x.mark
}

// of lists the rules that a deployed function breaks.
func (x *drift) of(d *finding.Deployed) []string { return x.by[where(d)] }

// findings lists what was gathered, in the order of the rules.
func (x *drift) findings() []finding.Finding {
	var out []finding.Finding
	for _, rule := range finding.DriftRules() {
		if f := x.rules[rule]; f != nil {
			out = append(out, *f)
		}
	}
	return out
}

// severity rates a rule: high where nobody knows what runs, or it is known to be
// bad; medium where nobody vouches for it; low where something is not shown; none
// for a note.
func severity(rule string) finding.Severity {
	switch rule {
	case finding.RuleDriftFailsNow, finding.RuleDriftUnscanned, finding.RuleDriftChanged, finding.RuleDriftLayers, finding.RuleDriftNoDigest:
		return finding.High
	case finding.RuleDriftUnjudged, finding.RuleDriftUngated:
		return finding.Medium
	case finding.RuleDriftRuntime, finding.RuleDriftUnproven:
		return finding.Low
	}
	return finding.None
}

// says is the sentence of a rule.
func says(rule, why string) string {
	switch rule {
	case finding.RuleDriftUnscanned:
		return "nobody scanned the bytes that are deployed: " + why
	case finding.RuleDriftChanged:
		return "other bytes are deployed than were judged: " + why
	case finding.RuleDriftLayers:
		return "it is deployed with other layers than it was judged with: " + why
	case finding.RuleDriftNoDigest:
		return "which bytes are deployed is not known: " + why
	}
	return why
}

// urgency is the place of a report's worst rule.
func urgency(rep *finding.Report) int {
	rules := finding.DriftRules()
	least := len(rules)
	for _, f := range rep.Findings {
		if i := slices.Index(rules, f.Rule); i >= 0 {
			least = min(least, i)
		}
	}
	return least
}

// platform adds what is to be said of where a deployed function runs: its
// runtime, its layers' owners, and whether it runs at all.
func (j *Join) platform(rep *finding.Report, x *drift, d *finding.Deployed) {
	if !runs(d.State) {
		x.add(finding.RuleDriftNotActive, d, "its state is "+d.State)
	}
	j.around(rep, d)
}

// around adds what is to be said of the runtime and the layers of a deployed function.
func (j *Join) around(rep *finding.Report, d *finding.Deployed) {
	known := j.runtime(d.Runtime)
	for _, f := range known.findings {
		addOnce(rep, f, d)
	}
	addEvents(rep, known.calendar)
	if j.opt.LayerAccount == nil {
		return
	}
	for _, l := range d.Layers {
		for _, f := range j.opt.LayerAccount(d.ARN, l.ARN) {
			addOnce(rep, f, d)
			if used := j.layers[l.ARN]; used != nil && f.Severity.Rank() > 0 {
				used.foreign = true
			}
		}
	}
}

// Recall says again of a report what a list of another day says of where its function
// is deployed: on which runtimes, by what is known of them now, and over whose layers.
// What that list said of the bytes stays as it is. decide gives the report its verdict.
func Recall(rep *finding.Report, opt Options, decide func(*finding.Report)) {
	if len(rep.Deployed) == 0 {
		return
	}
	j := New(Inventory{}, opt)
	for i := range rep.Deployed {
		j.around(rep, &rep.Deployed[i])
	}
	seal(rep)
	decide(rep)
}

// runs says whether a function in a state runs when it is called, now or after a
// wait: one that is inactive was idle, and comes back
// (https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html, read
// 2026-11-28). Lists of functions do not say a state. One that is not known is none
// that runs.
func runs(state string) bool {
	return slices.Contains([]string{"", "Active", "Inactive", "Pending"}, state)
}

// runtime is what is to be said of a runtime. Images have none.
func (j *Join) runtime(id string) runtime {
	if id == "" {
		return runtime{}
	}
	known, ok := j.runtimes[id]
	if !ok {
		if j.opt.Runtime != nil {
			known.findings = j.opt.Runtime(id)
		}
		if j.opt.Ends != nil {
			known.ends = j.opt.Ends(id)
		}
		if j.opt.Calendar != nil {
			known.calendar = j.opt.Calendar(id)
		}
		j.runtimes[id] = known
	}
	return known
}

// addEvents adds to a calendar what ends of a runtime that a function is deployed on.
// What the function's own checks guessed is certain then.
func addEvents(rep *finding.Report, events []finding.Event) {
	if len(events) == 0 {
		return
	}
	rep.Calendar = slices.Clone(rep.Calendar)
	for _, e := range events {
		i := slices.IndexFunc(rep.Calendar, func(have finding.Event) bool { return have.What == e.What && have.Event == e.Event })
		if i >= 0 {
			rep.Calendar[i].Guessed = false
		} else {
			rep.Calendar = append(rep.Calendar, e)
		}
	}
	finding.SortEvents(rep.Calendar)
}

// addOnce adds a finding that the function's own checks may have, too. One that they
// guessed becomes certain: the platform says so.
func addOnce(rep *finding.Report, f finding.Finding, d *finding.Deployed) {
	said := finding.Evidence{Source: "export", Locator: where(d)}
	for i := range rep.Findings {
		have := &rep.Findings[i]
		if have.Kind != f.Kind || have.ID != f.ID || have.Rule != f.Rule {
			continue
		}
		have.Certainty = f.Certainty
		if n := len(have.Evidence); n < maxEvidence && !slices.ContainsFunc(have.Evidence, func(e finding.Evidence) bool { return e.Source == said.Source && e.Locator == said.Locator }) {
			have.Evidence = append(slices.Clip(have.Evidence), said)
		}
		return
	}
	f.Evidence = append(slices.Clip(f.Evidence), said)
	rep.Findings = append(slices.Clip(rep.Findings), f)
}

// seal gives added findings what every finding has, and their place.
func seal(rep *finding.Report) {
	for i := range rep.Findings {
		f := &rep.Findings[i]
		if f.Fingerprint == "" {
			f.Fingerprint = finding.Fingerprint(f.Kind, f.Rule, rep.Name, f.Component, f.ID, f.Aliases)
		}
		if f.Reach == "" {
			f.Reach = finding.ReachUnknown
		}
		if f.Aliases == nil {
			f.Aliases = []string{}
		}
		if f.Fixed == nil {
			f.Fixed = []string{}
		}
		if f.Evidence == nil {
			f.Evidence = []finding.Evidence{}
		}
	}
	rep.Sort()
}
