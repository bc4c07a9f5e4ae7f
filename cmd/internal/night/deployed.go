package night

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Placed is what one report says of where its function is deployed and of what is
// wrong there, in memory of its own. Nil is a report that says nothing of it.
type Placed struct {
	judged   time.Time // of two earlier ones about one place the later counts
	function string
	digest   string // of the deployed code; "" when that is not known
	opened   bool   // it is about bytes that were scanned
	decision finding.Decision
	cause    finding.Cause               // of the change of its verdict; "" without one
	drift    map[string]*finding.Finding // by rule: what a change repeats of it
	ends     map[string]*finding.Finding // of runtimes, by their id
	where    []deployedAt
}

// deployedAt is one version of a function in its account and region.
type deployedAt struct {
	key     string // what tells it from others
	label   string
	runtime string
	rules   []string
}

// ruleUnread stands for an export that does not say everything, as if it were one
// more rule of kind drift.
const ruleUnread = "export-unread"

// PlacedOf reads a report. judged is when it was, and zero for one of this run;
// changes are those of its findings and verdict.
func PlacedOf(r *finding.Report, judged time.Time, changes []finding.Change) *Placed {
	p := &Placed{judged: judged, function: strings.Clone(r.Name), opened: r.Check("open").State == finding.Ran, decision: word(r.Verdict.Decision), drift: map[string]*finding.Finding{}, ends: map[string]*finding.Finding{}}
	if s := r.Check(finding.CheckDeployed); s.State == finding.Failed && len(r.Deployed) == 0 {
		p.drift[ruleUnread] = &finding.Finding{Title: strings.Clone(s.Reason)}
		p.where = []deployedAt{{key: strings.Clone(r.Target), rules: []string{ruleUnread}}}
		return p
	}
	if len(r.Deployed) == 0 {
		return nil
	}
	p.digest = strings.Clone(r.Deployed[0].Digest)
	for _, c := range changes {
		if c.Decision != nil {
			p.cause = c.Cause
		}
	}
	for i := range r.Findings {
		switch f := &r.Findings[i]; f.Kind {
		case finding.KindDrift:
			p.drift[strings.Clone(f.Rule)] = said(f)
		case finding.KindRuntime:
			p.ends[strings.Clone(f.ID)] = said(f)
		}
	}
	for i := range r.Deployed {
		d := &r.Deployed[i]
		p.where = append(p.where, deployedAt{key: keyOf(d), label: labelOf(d), runtime: strings.Clone(d.Runtime), rules: own(d.Drift)})
	}
	return p
}

// said is what a change repeats of a finding.
func said(f *finding.Finding) *finding.Finding {
	return &finding.Finding{Kind: f.Kind, Rule: strings.Clone(f.Rule), ID: strings.Clone(f.ID), Fingerprint: strings.Clone(f.Fingerprint), Severity: finding.Severity(strings.Clone(string(f.Severity))), Title: strings.Clone(f.Title)}
}

// keyOf tells one deployed version from all others, on any day: by its ARN, which
// may end with the version, and by its name in its export where there is none.
func keyOf(d *finding.Deployed) string {
	if d.ARN == "" {
		return d.Source + "\n" + d.Name + "\n" + d.Version
	}
	return strings.TrimSuffix(d.ARN, ":"+d.Version) + "\n" + cmp.Or(d.Version, "$LATEST")
}

func labelOf(d *finding.Deployed) string {
	text := d.Name
	if d.Version != "" && d.Version != "$LATEST" {
		text += ":" + d.Version
	}
	if d.Account != "" {
		text += " in " + d.Account + " " + d.Region
	}
	return text
}

// earlier is what was known of a deployed version.
type earlier struct {
	by    *Placed
	at    *deployedAt
	rules []string // of all reports that are about it
}

// CompareDeployed says what of the deployed functions is not what it was: what is
// newly wrong, as often as a report has it, with the places where it is; what is
// not any more; and what ends by now of functions that nobody scanned, which are
// compared with nothing else. Both lists are in the order of a run. Where an export
// does not say everything, nothing is taken for gone. Reports that say nothing of
// it are nil, and no earlier one that does is no comparison.
func CompareDeployed(before, now []*Placed) []finding.Change {
	was, is, whole := placesOf(before), placesOf(now), true
	if len(was) == 0 {
		return nil
	}
	var out []finding.Change
	worse := map[string]bool{} // where something new is wrong
	for _, p := range now {
		if p == nil {
			continue
		}
		whole = whole && p.drift[ruleUnread] == nil
		for _, rule := range rulesOf(p) {
			if at := p.lacking(rule, was); len(at) > 0 {
				out = append(out, p.appeared(rule, at, was))
				for _, a := range at {
					worse[a.key] = true
				}
			}
		}
		if !p.opened {
			out = append(out, p.crossed(was)...)
		}
	}
	for _, p := range before {
		if p != nil {
			out = append(out, p.over(is, worse, whole)...)
		}
	}
	for i := range out {
		out[i] = ownChanges(out[i : i+1])[0]
	}
	slices.SortStableFunc(out, order)
	return out
}

func placesOf(list []*Placed) map[string]*earlier {
	out := map[string]*earlier{}
	for _, p := range list {
		if p == nil {
			continue
		}
		for i := range p.where {
			at := &p.where[i]
			switch e := out[at.key]; {
			case e == nil || p.judged.After(e.by.judged):
				out[at.key] = &earlier{by: p, at: at}
			case p.judged.Before(e.by.judged):
				continue
			}
			out[at.key].rules = append(out[at.key].rules, at.rules...)
		}
	}
	return out
}

// rulesOf lists the rules that are broken somewhere, the most urgent first.
func rulesOf(p *Placed) []string {
	var out []string
	for _, rule := range append(finding.DriftRules(), ruleUnread) {
		if p.drift[rule] != nil {
			out = append(out, rule)
		}
	}
	return out
}

// lacking lists the places where a rule is broken and was not.
func (p *Placed) lacking(rule string, was map[string]*earlier) []*deployedAt {
	var out []*deployedAt
	for i := range p.where {
		at := &p.where[i]
		if e := was[at.key]; slices.Contains(at.rules, rule) && (e == nil || !slices.Contains(e.rules, rule) || moved(rule, e.by, p)) {
			out = append(out, at)
		}
	}
	return out
}

// moved says whether a rule about unknown bytes is broken by other bytes than before.
func moved(rule string, was, is *Placed) bool {
	return (rule == finding.RuleDriftUnscanned || rule == finding.RuleDriftChanged) && was.digest != is.digest
}

// appeared is the change of a rule that is newly broken at some places.
func (p *Placed) appeared(rule string, at []*deployedAt, was map[string]*earlier) finding.Change {
	f := p.drift[rule]
	c := finding.Change{Function: p.function, Cause: finding.CauseDeployed, Fingerprint: f.Fingerprint, ID: f.ID, Severity: f.Severity, Detail: f.Title + places(at)}
	if rule == finding.RuleDriftFailsNow && p.cause != "" {
		c.Cause = p.cause
	}
	e := was[at[0].key]
	switch {
	case e == nil:
		if rule != ruleUnread {
			c.Detail += ", which the earlier reports do not have"
		}
	case e.by.digest != p.digest && rule != ruleUnread:
		c.Before, c.After = e.by.digest, p.digest
	}
	if e != nil && !p.opened && e.by.decision != p.decision {
		c.Decision = &finding.Decided{Before: e.by.decision, After: p.decision}
	}
	return c
}

// crossed lists the dates that the runtimes of functions have crossed.
func (p *Placed) crossed(was map[string]*earlier) []finding.Change {
	var out []finding.Change
	for id, f := range p.ends {
		var at []*deployedAt
		before := ""
		for i := range p.where {
			a := &p.where[i]
			e := was[a.key]
			if e == nil || e.at.runtime != a.runtime || a.runtime == "" {
				continue
			}
			rule := ""
			if had := e.by.ends[id]; had != nil {
				rule = had.Rule
			}
			if rule != f.Rule {
				at, before = append(at, a), rule
			}
		}
		if len(at) > 0 {
			out = append(out, finding.Change{Function: p.function, Cause: finding.CauseRuntime, Fingerprint: f.Fingerprint, ID: f.ID, Severity: f.Severity, Before: before, After: f.Rule, Detail: f.Title + places(at)})
		}
	}
	slices.SortFunc(out, order)
	return out
}

// over lists what is wrong no more. worse are the places where something else is.
func (p *Placed) over(is map[string]*earlier, worse map[string]bool, whole bool) []finding.Change {
	var out []finding.Change
	for _, rule := range rulesOf(p) {
		var right, gone []*deployedAt
		for i := range p.where {
			at := &p.where[i]
			e := is[at.key]
			switch {
			case !slices.Contains(at.rules, rule) || worse[at.key]:
			case e == nil && (rule == ruleUnread || whole):
				gone = append(gone, at)
			case e != nil && !slices.Contains(e.rules, rule):
				right = append(right, at)
			}
		}
		f := p.drift[rule]
		if rule == ruleUnread {
			right, gone = gone, nil
		}
		c := finding.Change{Function: p.function, Fingerprint: f.Fingerprint, ID: f.ID, Severity: f.Severity}
		if len(right) > 0 {
			c.Cause, c.Detail = finding.CauseFixed, "not so any more: "+f.Title+places(right)
			out = append(out, c)
		}
		if len(gone) > 0 {
			c.Cause, c.Detail = finding.CauseGone, "it is deployed no more"+places(gone)
			out = append(out, c)
			break // of the other rules the same is true
		}
	}
	return out
}

// maxPlaces is how many places a change names.
const maxPlaces = 3

// places names places; "" for what has no name.
func places(at []*deployedAt) string {
	var names []string
	for _, a := range at {
		if a.label != "" {
			names = append(names, a.label)
		}
	}
	if len(names) == 0 {
		return ""
	}
	text := strings.Join(names[:min(len(names), maxPlaces)], ", ")
	if more := len(names) - maxPlaces; more > 0 {
		text += fmt.Sprintf(", and %s", finding.Count(more, "more place", "more places"))
	}
	return " (" + text + ")"
}

// WithDeployed puts the changes of what is deployed to those of reports. What
// turned a verdict because of it is said once, at the change that did.
func WithDeployed(changes, deployed []finding.Change) []finding.Change {
	first := map[string]*finding.Change{}
	for i := range deployed {
		if c := &deployed[i]; c.Cause == finding.CauseDeployed && first[c.Function] == nil {
			first[c.Function] = c
		}
	}
	out := make([]finding.Change, 0, len(changes)+len(deployed))
	for _, c := range changes {
		d := first[c.Function]
		if c.Cause != finding.CauseDeployed || c.Fingerprint != "" || d == nil || d.Decision != nil {
			out = append(out, c)
			continue
		}
		d.Decision = c.Decision
	}
	return append(out, deployed...)
}
