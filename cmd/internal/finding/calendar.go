package finding

import (
	"cmp"
	"slices"
	"time"
)

// Event is a day on which something that the function needs ends, by a dated
// table: one that comes, or one that is past while a later one is still ahead.
type Event struct {
	Date        string    `json:"date"`        // "2027-03-03", a day in UTC
	Days        int       `json:"days"`        // from the time of the judgement; below 0: past
	What        string    `json:"what"`        // "runtime nodejs20.x", "Django 4.2"
	Event       string    `json:"event"`       // one of the words below
	Consequence string    `json:"consequence"` // one sentence for a person
	Component   string    `json:"component,omitempty"`
	Guessed     bool      `json:"guessed,omitempty"` // the runtime was read off the content, not declared
	Source      string    `json:"source"`
	AsOf        time.Time `json:"asOf"`
}

// The events.
const (
	EventDeprecated  = "deprecated"   // nobody patches the runtime any more
	EventBlockCreate = "block-create" // no function can be created with it
	EventBlockUpdate = "block-update" // no function that has it can be updated
	EventEnd         = "end-of-life"  // no security fixes for everybody
	EventExtended    = "extended-end" // nor for those who pay, or from a long-term team
)

// SortEvents puts events in the order of their days.
func SortEvents(events []Event) {
	slices.SortFunc(events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.What, b.What), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Component, b.Component))
	})
}
