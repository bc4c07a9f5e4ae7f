package audit

import (
	"fmt"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/stale"
)

// calendarDays is how far ahead the calendar looks: a year, in which a company
// plans.
const calendarDays = 365

// ends returns the tables of what ends when: those of the run, else those of
// the program.
func (a *Auditor) ends() (*stale.Runtimes, error) {
	if a.Runtimes != nil {
		return a.Runtimes, nil
	}
	table, err := stale.Embedded()
	if err != nil {
		return nil, fmt.Errorf("read the tables of what ends when: %w", err)
	}
	return table, nil
}

// step is one day in the life of something; zero: not scheduled.
type step struct {
	at          time.Time
	event       string
	consequence string
}

// runtimeEvents is the calendar of a runtime.
func runtimeEvents(s *Subject, a stale.Answer, now time.Time) []finding.Event {
	return calendar(runtimeSteps(a), finding.Event{What: "runtime " + s.Runtime, Guessed: s.RuntimeGuessed, Source: a.Source, AsOf: a.AsOf}, now)
}

// runtimeSteps are the days in the life of a runtime.
func runtimeSteps(a stale.Answer) []step {
	if a.Phase == stale.Unknown {
		return nil
	}
	steps := []step{{a.Deprecated, finding.EventDeprecated, "nobody patches the runtime any more"}}
	if !a.BlockCreate.Equal(a.BlockUpdate) {
		steps = append(steps, step{a.BlockCreate, finding.EventBlockCreate, "no function can be created with it any more"})
	}
	return append(steps, step{a.BlockUpdate, finding.EventBlockUpdate, "you can no longer update this function, not even to fix a vulnerability"})
}

// endEvents is the calendar of a release line.
func endEvents(e *stale.End, now time.Time) []finding.Event {
	return calendar([]step{
		{e.Cycle.End, finding.EventEnd, "no security fixes are made for it any more"},
		{e.Cycle.Extended, finding.EventExtended, "not even a long-term team, or whoever is paid for it, makes security fixes any more"},
	}, finding.Event{What: e.What(), Component: e.Component, Source: e.Product.Source, AsOf: e.Product.AsOf}, now)
}

// calendar makes events of the steps within a year, and of those that are past
// while a later one is within that year. steps are in the order of life.
func calendar(steps []step, like finding.Event, now time.Time) []finding.Event {
	ahead := false
	for _, s := range steps {
		ahead = ahead || !s.at.IsZero() && daysUntil(s.at, now) >= 0 && daysUntil(s.at, now) <= calendarDays
	}
	if !ahead {
		return nil
	}
	var out []finding.Event
	for _, s := range steps {
		if s.at.IsZero() || daysUntil(s.at, now) > calendarDays {
			continue
		}
		e := like
		e.Date, e.Days, e.Event, e.Consequence, e.AsOf = day(s.at), daysUntil(s.at, now), s.event, s.consequence, like.AsOf.UTC()
		out = append(out, e)
	}
	return out
}

// daysUntil counts days of the calendar in UTC; below 0: it is past.
func daysUntil(at, now time.Time) int {
	midnight := func(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
	return int(midnight(at).Sub(midnight(now)) / (24 * time.Hour))
}
