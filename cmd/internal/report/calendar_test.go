package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// sampleCalendar is what a function of a deprecated runtime has ahead.
func sampleCalendar(runtime string) []finding.Event {
	at := time.Date(2026, 8, 22, 0, 0, 0, 0, time.UTC)
	event := func(date string, days int, what, event, consequence string) finding.Event {
		return finding.Event{Date: date, Days: days, What: what, Event: event, Consequence: consequence, Source: "https://example.com/ends", AsOf: at}
	}
	return []finding.Event{
		event("2026-04-30", -206, "runtime "+runtime, finding.EventDeprecated, "nobody patches the runtime any more"),
		event("2027-02-01", 71, "runtime "+runtime, finding.EventBlockCreate, "no function can be created with it any more"),
		event("2027-03-03", 101, "runtime "+runtime, finding.EventBlockUpdate, "you can no longer update this function, not even to fix a vulnerability"),
		event("2027-04-30", 159, "Spam 4.2", finding.EventEnd, "no security fixes are made for it any more"),
		event("2027-06-30", 220, "Eggs 12", finding.EventExtended, "not even a long-term team, or whoever is paid for it, makes security fixes any more"),
	}
}

// checkICS holds a calendar against the rules of RFC 5545 that calendars care
// about, and what it says against what acts where it is shown.
func checkICS(text []byte) error {
	if !bytes.HasSuffix(text, []byte("END:VCALENDAR\r\n")) {
		return fmt.Errorf("it does not end as a calendar does: %q", text[max(0, len(text)-40):])
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\r\n"), "\r\n")
	for i, l := range lines {
		if len(l) > 75 || !utf8.ValidString(l) || strings.ContainsAny(l, "\r\n") {
			return fmt.Errorf("line %d is not one: %q", i+1, l)
		}
	}
	var open []string
	have, uids := map[string]int{}, map[string]bool{}
	for _, l := range strings.Split(strings.ReplaceAll(strings.Join(lines, "\n"), "\n ", ""), "\n") {
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			return fmt.Errorf("no property: %q", l)
		}
		name, _, _ = strings.Cut(name, ";")
		switch name {
		case "BEGIN":
			open = append(open, value)
			have = map[string]int{}
			continue
		case "END":
			if len(open) == 0 || open[len(open)-1] != value {
				return fmt.Errorf("END:%s without its BEGIN", value)
			}
			open = open[:len(open)-1]
			for _, must := range []string{"UID", "DTSTAMP", "DTSTART", "SUMMARY"} {
				if value == "VEVENT" && have[must] != 1 {
					return fmt.Errorf("an event has %d times %s", have[must], must)
				}
			}
			continue
		}
		have[name]++
		if name == "UID" {
			if uids[value] {
				return fmt.Errorf("two events have the UID %s", value)
			}
			uids[value] = true
		}
		plain := strings.NewReplacer(`\\`, "", `\;`, "", `\,`, "", `\n`, "").Replace(value)
		if (name == "SUMMARY" || name == "DESCRIPTION" || name == "PRODID") && strings.ContainsAny(plain, `;,\`) {
			return fmt.Errorf("%s is not escaped: %q", name, value)
		}
		if err := inert([]byte(l)); err != nil {
			return err
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("%s is not ended", open[len(open)-1])
	}
	return inert(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
}

// TestICSKeepsUIDs holds that a day that is postponed stays the same event.
func TestICSKeepsUIDs(t *testing.T) {
	uids := func(days int) []string {
		a, b := failing(), failing()
		for i := range a.Calendar {
			at, _ := time.Parse(time.DateOnly, a.Calendar[i].Date)
			a.Calendar[i].Date, b.Calendar[i].Date = at.AddDate(0, 0, days).Format(time.DateOnly), at.AddDate(0, 0, days).Format(time.DateOnly)
		}
		var out []string
		for _, l := range strings.Split(string(write(t, "ics", wrapDocument(a, b), report.Options{})), "\r\n") {
			if strings.HasPrefix(l, "UID:") {
				out = append(out, l)
			}
		}
		return out
	}
	now, later := uids(0), uids(90)
	if len(now) != 5 || fmt.Sprint(now) != fmt.Sprint(later) {
		t.Errorf("%v\n%v", now, later)
	}
}

// TestCalendarFolds shows the next two days and counts the others.
func TestCalendarFolds(t *testing.T) {
	r := passing("orders")
	r.Calendar = sampleCalendar("nodejs22.x")
	for i := range r.Calendar {
		r.Calendar[i].Guessed = true
	}
	text := string(write(t, "table", wrapDocument(r), report.Options{Width: 140}))
	for _, want := range []string{"nothing is known against its packages", "in 71 days (2027-02-01): no function can be created with it any more (runtime nodejs22.x, guessed)", "and 2 more until 2027-06-30"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "206 days ago") {
		t.Errorf("what is past is listed:\n%s", text)
	}
	if text := string(write(t, "table", wrapDocument(r), report.Options{Width: 140, Verbose: true})); !strings.Contains(text, "206 days ago (2026-04-30)") {
		t.Errorf("what is past is not listed with -v:\n%s", text)
	}
}

// TestICSTogether holds that a day on which something ends is one event, however
// many functions need it, and that it says which and whose they are.
func TestICSTogether(t *testing.T) {
	var all []*finding.Report
	for i := range 60 {
		r := passing(fmt.Sprintf("f-%02d", i))
		r.Owner, r.Calendar = fmt.Sprintf("team-%d", i%2), sampleCalendar("nodejs20.x")[2:3]
		r.Calendar[0].Guessed = i == 7
		r.Calendar = append(r.Calendar, r.Calendar[0]) // as of two copies
		all = append(all, r)
	}
	alone := passing("alone")
	alone.Calendar = sampleCalendar("nodejs22.x")[2:3]
	text := write(t, "ics", wrapDocument(append(all, alone)...), report.Options{})
	if err := checkICS(text); err != nil {
		t.Error(err)
	}
	got := strings.ReplaceAll(string(text), "\r\n ", "")
	for _, want := range []string{
		`SUMMARY:60 functions: you can no longer update`, `Of 1 function the runtime was read off`, `\nFunctions: f-00\, f-01\, `, `f-49 and 10 more\nOwners: team-0\, team-1\nSource`, `SUMMARY:alone: you can no longer update`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "BEGIN:VEVENT"); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}
