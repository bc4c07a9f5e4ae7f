package finding

import (
	"slices"
	"strings"
)

// Together is one thing that changed, in all the functions where it changed
// alike. A fleet shares most of its packages, so that a night has thousands of
// changes and few of these.
type Together struct {
	Change             // the one that is told; of Function, Fingerprint and Decision those of the first
	Also      []string // ids of what else changed about the same component, for the same cause, in the same functions
	Functions []string // where it changed, sorted; not empty
	Turned    []Turned // the verdicts that turned with it, in the order of the changes
	Count     int      // how many changes it is

	general string // the rule of drift, where ID is that and not the id of one function
}

// Turned is a verdict that turned alike in some functions.
type Turned struct {
	Decided
	Functions []string // sorted; not empty
}

// ChangedFunctions counts the functions that changes are about.
func ChangedFunctions(changes []Change) int {
	names := map[string]bool{}
	for i := range changes {
		names[changes[i].Function] = true
	}
	return len(names)
}

// GroupChanges puts changes together: first those that differ only in their
// function and in what names it, then those of one component and one cause that are about the same
// functions. The order is that of the first change of each; the one that is told
// is one that turned a verdict where there is one, else the first.
func GroupChanges(changes []Change) []Together {
	var events []*Together
	at := map[alike]*Together{}
	for i := range changes {
		c := &changes[i]
		key := alikeOf(c)
		e := at[key]
		if e == nil {
			e = &Together{Change: *c}
			at[key] = e
			events = append(events, e)
		} else {
			e.generalize(c)
		}
		e.Functions = append(e.Functions, c.Function)
		e.Count++
		if c.Decision != nil {
			e.turn(*c.Decision, c.Function)
		}
	}
	type about struct {
		cause                Cause
		component, functions string
	}
	var out []Together
	row := map[about]int{}
	for _, e := range events {
		slices.Sort(e.Functions)
		e.Functions = slices.Compact(e.Functions)
		key := about{e.Cause, e.Component, strings.Join(e.Functions, "\x00")}
		i, ok := row[key]
		if !ok || e.Component == "" {
			row[key] = len(out)
			out = append(out, *e)
			continue
		}
		out[i].join(e)
	}
	for i := range out {
		for j := range out[i].Turned {
			t := &out[i].Turned[j]
			slices.Sort(t.Functions)
			t.Functions = slices.Compact(t.Functions)
		}
	}
	return out
}

// join adds what is about the same component in the same functions.
func (t *Together) join(e *Together) {
	if len(t.Turned) == 0 && len(e.Turned) > 0 {
		t.Also = append([]string{t.ID}, t.Also...)
		t.Change = e.Change
	} else {
		t.Also = append(t.Also, e.ID)
	}
	t.Count += e.Count
	for _, turned := range e.Turned {
		t.turn(turned.Decided, turned.Functions...)
	}
}

func (t *Together) turn(d Decided, functions ...string) {
	for i := range t.Turned {
		if t.Turned[i].Decided == d {
			t.Turned[i].Functions = append(t.Turned[i].Functions, functions...)
			return
		}
	}
	t.Turned = append(t.Turned, Turned{Decided: d, Functions: slices.Clone(functions)})
}
