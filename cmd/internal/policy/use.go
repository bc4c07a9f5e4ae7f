package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Use is what one function used of a policy. What a whole run used says which
// parts of the policy nothing needs.
type Use struct {
	judged    bool  // it was opened and catalogued: what is not found is not there
	needed    []int // waivers that are about something in it, whatever the date
	named     []int // waivers for functions of its name
	overrides []int
	baseline  bool // an earlier report has the function
}

// Use says what a function used.
func (p *Policy) Use(r *finding.Report) Use {
	u := Use{judged: r.Check("open").State == finding.Ran && r.Check("catalog").State == finding.Ran && r.Check("vulnerability").State == finding.Ran}
	found, refused := p.hits(r)
	for i, w := range p.Waivers {
		if found[i] != nil || slices.Contains(refused, i) {
			u.needed = append(u.needed, i)
		}
		if w.Function != "" && w.of(r) {
			u.named = append(u.named, i)
		}
	}
	for i, o := range p.Functions {
		if _, somewhere := o.Match.fits(r); somewhere {
			u.overrides = append(u.overrides, i)
		}
	}
	u.baseline = p.Baseline.has(r)
	return u
}

// Remarks says what a run as a whole shows about its policy: waivers that
// nothing needs, what is said of functions that are not there, and what the
// policy asks of a store that does not know it. The order of the uses does not
// matter.
func (p *Policy) Remarks(uses []Use, db finding.Database) []string {
	var out []string
	if p.KnownExploited && !db.Starter && feedAge(db, "kev", db.BuiltAt) == forever {
		out = append(out, "the policy speaks of what is known to be exploited, and the store has no list of that: fnaudit db update --feeds gets it")
	}
	idle, elsewhere := p.idleWaivers(uses)
	for _, i := range idle {
		out = append(out, "nothing in this run needs "+p.Waivers[i].describe()+": remove it")
	}
	if n := len(elsewhere); n > 0 {
		var names []string
		for _, i := range elsewhere {
			names = append(names, p.Waivers[i].ID+" ("+p.Waivers[i].Function+")")
		}
		out = append(out, fmt.Sprintf("%s for functions that are no part of this run: %s", finding.Count(n, "waiver is", "waivers are"), listed(names, 5)))
	}
	var names []string
	for i, o := range p.Functions {
		if !slices.ContainsFunc(uses, func(u Use) bool { return slices.Contains(u.overrides, i) }) {
			names = append(names, fmt.Sprintf("functions[%d] (%s)", i, o.Match))
		}
	}
	if len(names) > 0 {
		out = append(out, "no function of this run is meant by "+listed(names, 5)+" of the policy")
	}
	if p.Baseline != nil && !slices.ContainsFunc(uses, func(u Use) bool { return u.baseline }) {
		out = append(out, "the baseline has no finding of any function of this run: they go by other names there, or nothing was found")
	}
	return out
}

// idleWaivers are the waivers that nothing in the run needs, and those for
// functions that are no part of it. Of a waiver for a function that could not be
// judged nothing is said.
func (p *Policy) idleWaivers(uses []Use) (idle, elsewhere []int) {
	needed, named, unsure := make([]bool, len(p.Waivers)), make([]bool, len(p.Waivers)), make([]bool, len(p.Waivers))
	unjudged := false
	for _, u := range uses {
		unjudged = unjudged || !u.judged
		for _, i := range u.needed {
			needed[i] = true
		}
		for _, i := range u.named {
			named[i] = true
			unsure[i] = unsure[i] || !u.judged
		}
	}
	for i, w := range p.Waivers {
		switch {
		case needed[i]:
		case w.Function != "" && !named[i]:
			elsewhere = append(elsewhere, i)
		case w.Function != "" && !unsure[i], w.Function == "" && !unjudged:
			idle = append(idle, i)
		}
	}
	return idle, elsewhere
}

// describe names a waiver with what it is limited to.
func (w Waiver) describe() string {
	text := w.String()
	for _, limit := range []string{strings.TrimSpace(w.Component + " " + w.Range.String()), w.Path} {
		if limit != "" {
			text += " for " + limit
		}
	}
	if w.Function != "" {
		text += " in functions named " + w.Function
	}
	return text
}
