package report

import (
	"fmt"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// maxEvents is how many of the days ahead are shown when nothing says -v.
const maxEvents = 2

// calendar says what ends within a year, the next days first. What is past
// already is said by the findings; -v lists it too.
func (p *printer) calendar(r *finding.Report) {
	if len(r.Calendar) == 0 {
		return
	}
	var ahead []finding.Event
	for _, e := range r.Calendar {
		if e.Days >= 0 || p.opt.Verbose {
			ahead = append(ahead, e)
		}
	}
	p.line("  Calendar")
	most := p.most(len(ahead), maxEvents)
	for _, e := range ahead[:most] {
		p.wrapped("    ", 4, 6, eventText(e))
	}
	if more := ahead[most:]; len(more) > 0 {
		p.line("    and %d more until %s (-v lists them)", len(more), esc(more[len(more)-1].Date))
	}
	p.line("")
}

// eventText is an event in one line: "in 95 days (2027-03-03): you can no
// longer update this function, not even to fix a vulnerability (runtime nodejs20.x)".
func eventText(e finding.Event) string {
	when := "today"
	switch {
	case e.Days > 0:
		when = "in " + finding.Count(e.Days, "day", "days")
	case e.Days < 0:
		when = finding.Count(-e.Days, "day", "days") + " ago"
	}
	what := e.What
	if e.Guessed {
		what += ", guessed"
	}
	return esc(fmt.Sprintf("%s (%s): %s (%s)", when, e.Date, e.Consequence, what))
}
