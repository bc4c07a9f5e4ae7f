package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// writeICS writes what ends, and when, of all functions as an iCalendar object
// (RFC 5545): one event of a whole day for what ends on it, whatever the number of
// functions. An event keeps its UID from run to run, so that a calendar that is read
// again moves a day that was postponed instead of showing it twice.
func writeICS(w io.Writer, doc *finding.Document, opt Options) error {
	return writeShown(w, doc, newICS(opt))
}

// icsWriter gathers what ends, and writes the lines of an iCalendar object. In memory
// is what ends, with some of the names of who needs it.
type icsWriter struct {
	w      *bufio.Writer  // set while it writes
	seen   map[string]int // UID -> how often
	stamp  string         // of every event: the time of the judgement
	count  int            // of functions so far
	groups []*icsGroup    // in the order of the first function of each
	at     map[icsKey]*icsGroup
}

// icsKey is what functions have in common that need what ends on a day.
type icsKey struct{ date, what, event, consequence, source string }

// icsGroup is what ends on a day, and who needs it.
type icsGroup struct {
	finding.Event          // that of the first function
	names         []string // of the first maxICSNames functions
	owners        []string // distinct, of all of them, as many
	functions     int
	guessed       int // of how many functions the runtime was guessed
	last          int // the number of the function that was added last
}

// maxICSNames is how many functions, and how many owners, one event names.
const maxICSNames = 50

func newICS(opt Options) *icsWriter {
	return &icsWriter{seen: map[string]int{}, at: map[icsKey]*icsGroup{}, stamp: opt.Now.UTC().Format("20060102T150405Z")}
}

func (c *icsWriter) function(r *finding.Report) {
	c.count++
	for _, e := range r.Calendar {
		c.gather(r, e)
	}
}

// gather adds a function to those that need what ends on a day.
func (c *icsWriter) gather(r *finding.Report, e finding.Event) {
	key := icsKey{e.Date, e.What, e.Event, e.Consequence, e.Source}
	g := c.at[key]
	if g == nil {
		key = icsKey{strings.Clone(e.Date), strings.Clone(e.What), strings.Clone(e.Event), strings.Clone(e.Consequence), strings.Clone(e.Source)}
		g = &icsGroup{Event: finding.Event{Date: key.date, What: key.what, Event: key.event, Consequence: key.consequence, Source: key.source, Component: strings.Clone(e.Component), AsOf: e.AsOf}}
		c.at[key], c.groups = g, append(c.groups, g)
	}
	if g.last == c.count {
		return // two copies of one package
	}
	g.last = c.count
	g.functions++
	if e.Guessed {
		g.guessed++
	}
	if len(g.names) < maxICSNames {
		g.names = append(g.names, strings.Clone(r.Name))
	}
	if r.Owner != "" && len(g.owners) < maxICSNames && !slices.Contains(g.owners, r.Owner) {
		g.owners = append(g.owners, strings.Clone(r.Owner))
	}
}

func (c *icsWriter) write(w io.Writer, doc *finding.Document) error {
	c.w = bufio.NewWriter(w)
	c.line("BEGIN:VCALENDAR")
	c.line("VERSION:2.0")
	c.text("PRODID", "-//fnaudit//fnaudit "+doc.Tool.Version+"//EN")
	c.line("CALSCALE:GREGORIAN")
	c.line("METHOD:PUBLISH")
	for _, g := range c.groups {
		c.event(g)
	}
	c.line("END:VCALENDAR")
	return c.w.Flush()
}

func (c *icsWriter) event(g *icsGroup) {
	at, err := time.Parse(time.DateOnly, g.Date)
	if err != nil {
		return // a report of another program: a day that is none has no place in a calendar
	}
	who := g.names[0]
	if g.functions > 1 {
		who = finding.Count(g.functions, "function", "functions")
	}
	c.line("BEGIN:VEVENT")
	c.line("UID:" + c.uid(g))
	c.line("DTSTAMP:" + c.stamp)
	c.line("DTSTART;VALUE=DATE:" + at.Format("20060102"))
	c.line("DTEND;VALUE=DATE:" + at.AddDate(0, 0, 1).Format("20060102")) // the first day after it (section 3.6.1)
	c.text("SUMMARY", fmt.Sprintf("%s: %s (%s)", who, g.Consequence, g.What))
	c.text("DESCRIPTION", g.about()+"\nSource: "+g.Source+", as of "+g.AsOf.UTC().Format(time.DateOnly))
	c.text("CATEGORIES", g.Event.Event)
	c.line("TRANSP:TRANSPARENT") // nobody is busy on that day
	c.line("END:VEVENT")
}

// about says what ends, and who needs it.
func (g *icsGroup) about() string {
	text := fmt.Sprintf("%s: %s on %s.", g.What, strings.ReplaceAll(g.Event.Event, "-", " "), g.Date)
	switch {
	case g.guessed > 0 && g.functions == 1:
		text += " The runtime was read off the content, nobody declared it."
	case g.guessed > 0:
		text += fmt.Sprintf(" Of %s the runtime was read off the content, nobody declared it.", finding.Count(g.guessed, "function", "functions"))
	}
	if g.functions > 1 {
		text += "\nFunctions: " + strings.Join(g.names, ", ")
		if more := g.functions - len(g.names); more > 0 {
			text += " and " + finding.Thousands(more) + " more"
		}
	}
	if len(g.owners) == 1 {
		text += "\nOwner: " + g.owners[0]
	} else if len(g.owners) > 1 {
		text += "\nOwners: " + strings.Join(g.owners, ", ")
	}
	return text
}

// uid names an event by thing and kind, and by the function where it is one alone;
// not by its day.
func (c *icsWriter) uid(g *icsGroup) string {
	name, component := g.names[0], g.Component
	if g.functions > 1 {
		name, component = "", ""
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{name, g.What, g.Event.Event, component}, "\x00")))
	id := hex.EncodeToString(sum[:16])
	c.seen[id]++
	if n := c.seen[id]; n > 1 { // of two platforms, or two packages of one name
		id = fmt.Sprintf("%s-%d", id, n)
	}
	return id + "@fnaudit"
}

// text writes a property whose value is text (section 3.3.11). What a terminal
// must not see, a calendar need not see either.
func (c *icsWriter) text(name, value string) {
	lines := strings.Split(value, "\n")
	for i, l := range lines {
		lines[i] = icsEscaper.Replace(esc(l))
	}
	c.line(name + ":" + strings.Join(lines, `\n`))
}

var icsEscaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`)

// line writes a content line: folded to 75 octets, no character cut in two
// (section 3.1), and ended by CRLF.
func (c *icsWriter) line(s string) {
	const most = 75
	for room := most; len(s) > room; room = most - 1 { // a blank begins what goes on
		cut := room
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		c.w.WriteString(s[:cut] + "\r\n ")
		s = s[cut:]
	}
	c.w.WriteString(s + "\r\n")
}
