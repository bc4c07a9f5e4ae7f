package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// writeICS writes what ends, and when, of all functions as an iCalendar object
// (RFC 5545): one event of a whole day each. An event keeps its UID from run to
// run, so that a calendar that is read again moves a day that was postponed
// instead of showing it twice.
func writeICS(w io.Writer, doc *finding.Document, opt Options) error {
	c := newICS(w, opt)
	c.begin(doc)
	for _, r := range doc.Functions {
		c.function(r)
	}
	return c.end()
}

// icsWriter writes the lines of an iCalendar object.
type icsWriter struct {
	w     *bufio.Writer
	seen  map[string]int // UID -> how often
	stamp string         // of every event: the time of the judgement
}

func newICS(w io.Writer, opt Options) *icsWriter {
	return &icsWriter{w: bufio.NewWriter(w), seen: map[string]int{}, stamp: opt.Now.UTC().Format("20060102T150405Z")}
}

func (c *icsWriter) begin(doc *finding.Document) {
	c.line("BEGIN:VCALENDAR")
	c.line("VERSION:2.0")
	c.text("PRODID", "-//fnaudit//fnaudit "+doc.Tool.Version+"//EN")
	c.line("CALSCALE:GREGORIAN")
	c.line("METHOD:PUBLISH")
}

func (c *icsWriter) function(r *finding.Report) {
	for _, e := range r.Calendar {
		c.event(r, e)
	}
}

func (c *icsWriter) end() error {
	c.line("END:VCALENDAR")
	return c.w.Flush()
}

func (c *icsWriter) event(r *finding.Report, e finding.Event) {
	at, err := time.Parse(time.DateOnly, e.Date)
	if err != nil {
		return // a report of another program: a day that is none has no place in a calendar
	}
	c.line("BEGIN:VEVENT")
	c.line("UID:" + c.uid(r, e))
	c.line("DTSTAMP:" + c.stamp)
	c.line("DTSTART;VALUE=DATE:" + at.Format("20060102"))
	c.line("DTEND;VALUE=DATE:" + at.AddDate(0, 0, 1).Format("20060102")) // the first day after it (section 3.6.1)
	c.text("SUMMARY", fmt.Sprintf("%s: %s (%s)", r.Name, e.Consequence, e.What))
	about := fmt.Sprintf("%s: %s on %s.", e.What, strings.ReplaceAll(e.Event, "-", " "), e.Date)
	if e.Guessed {
		about += " The runtime was read off the content, nobody declared it."
	}
	if r.Owner != "" {
		about += "\nOwner: " + r.Owner
	}
	c.text("DESCRIPTION", about+"\nSource: "+e.Source+", as of "+e.AsOf.UTC().Format(time.DateOnly))
	c.text("CATEGORIES", e.Event)
	c.line("TRANSP:TRANSPARENT") // nobody is busy on that day
	c.line("END:VEVENT")
}

// uid names an event by function, thing and kind, not by its day.
func (c *icsWriter) uid(r *finding.Report, e finding.Event) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{r.Name, e.What, e.Event, e.Component}, "\x00")))
	id := hex.EncodeToString(sum[:16])
	c.seen[id]++
	if n := c.seen[id]; n > 1 { // functions of one name
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
