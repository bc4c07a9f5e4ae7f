package vulndb

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/fnaudit/fnaudit/vulndb/version"
)

// question is a package with everything that is worked out once per package.
type question struct {
	pkg      Package
	names    []string
	spelled  []string // the spellings under which a version may be listed one by one
	versions []version.Version
	err      error // why there is no version to compare
	events   map[string]parsedEvent
	lines    map[*Range]*line // nil: nothing is kept, for a question that comes once
}

type parsedEvent struct {
	v   version.Version
	err error
}

func ask(p Package) *question {
	q := &question{pkg: p, names: p.names()}
	if p.Version == "" {
		return q
	}
	name := q.names[0]
	q.spelled = append(q.spelled, p.Version)
	if c := version.Clean(p.Ecosystem, name, p.Version); c != p.Version {
		q.spelled = append(q.spelled, c)
	}
	v, err := version.Parse(p.Ecosystem, name, p.Version)
	if err != nil {
		q.err = err
		return q
	}
	q.versions = append(q.versions, v)
	if public, ok := version.Public(p.Ecosystem, v.String()); ok {
		if w, err := version.Parse(p.Ecosystem, name, public); err == nil {
			q.spelled = append(q.spelled, public)
			q.versions = append(q.versions, w)
		}
	}
	return q
}

// event parses the version of an event, once per package and spelling.
func (q *question) event(s string) (version.Version, error) {
	if e, ok := q.events[s]; ok {
		return e.v, e.err
	}
	v, err := version.ParseEvent(q.pkg.Ecosystem, s)
	if q.events == nil {
		q.events = map[string]parsedEvent{}
	}
	q.events[s] = parsedEvent{v, err}
	return v, err
}

// judge says what one advisory means for the package: affected, possibly
// affected (open is why), or neither (ok is false and open is nil).
func (q *question) judge(a *Advisory) (m Match, ok bool, open error) {
	if !a.Withdrawn.IsZero() {
		return Match{}, false, nil
	}
	m = Match{Advisory: a, Package: q.pkg, Affected: -1}
	for _, i := range a.entries(q.pkg, q.names) {
		e := &a.Affected[i]
		if len(e.Ranges) == 0 && len(e.Versions) == 0 {
			continue // says nothing about any version (OSV schema, "affected[].versions")
		}
		if q.pkg.Version == "" {
			m.Affected = i
			return m, false, errNoVersion
		}
		hit, err := q.ranges(e, &m)
		if !hit && slices.ContainsFunc(q.spelled, func(s string) bool { return slices.Contains(e.Versions, s) }) {
			if m.Affected < 0 {
				m.Exact = true
			}
			hit = true
		}
		if !hit && errors.Is(q.err, version.ErrInvalid) {
			err = q.err // what is no version can be any of those that are listed
		}
		if hit && m.Affected < 0 {
			m.Affected = i
		}
		ok = ok || hit
		if err != nil && !hit {
			open = err
			if !ok {
				m.Affected = i
			}
		}
	}
	if ok {
		m.Fixed = sortVersions(q.pkg.Ecosystem, m.Fixed)
		return m, true, nil
	}
	return m, false, open
}

var errNoVersion = errors.New("the version is not known")

// ranges looks for intervals of an entry that hold the version. An interval
// of the first range that holds becomes m.Because; every interval adds its fix.
func (q *question) ranges(e *Affected, m *Match) (hit bool, open error) {
	for i := range e.Ranges {
		r := &e.Ranges[i]
		if r.Type == Git || len(r.Events) == 0 {
			continue // commits cannot be placed without the repository; their versions are listed one by one
		}
		if q.err != nil {
			open = q.err
			continue
		}
		for _, v := range q.versions {
			from, end, in, err := q.interval(r, v)
			if err != nil {
				open = err
			}
			if err != nil || !in {
				continue
			}
			if !hit && m.Because.Type == "" && !m.Exact {
				m.Because = Range{Type: r.Type, Events: []Event{from}}
				if end.Kind != "" {
					m.Because.Events = append(m.Because.Events, end)
				}
			}
			if end.Kind == Fixed {
				m.Fixed = append(m.Fixed, end.Version)
			}
			hit = true
			break
		}
	}
	return hit, open
}

// placed is an event with its parsed version. first marks Introduced "0".
type placed struct {
	Event
	v     version.Version
	first bool
}

// line is a range whose events are parsed and in the order of their versions.
type line struct {
	events  []placed // without limits
	limits  []version.Version
	endless bool  // a limit "*"
	parse   error // why an event cannot be read
	order   error // why two of them cannot be compared
}

// line lays out a range, once for all versions that are asked about.
func (q *question) line(r *Range) *line {
	if l, ok := q.lines[r]; ok {
		return l
	}
	l := &line{events: make([]placed, 0, len(r.Events))}
	for _, ev := range r.Events {
		if ev.Kind == Introduced && ev.Version == "0" {
			l.events = append(l.events, placed{Event: ev, first: true})
			continue
		}
		if ev.Kind == Limit && ev.Version == "*" {
			l.endless = true
			continue
		}
		p, err := q.event(ev.Version)
		switch {
		case err != nil:
			l.parse = fmt.Errorf("read %s event: %w", ev.Kind, err)
		case ev.Kind == Limit:
			l.limits = append(l.limits, p)
		default:
			l.events = append(l.events, placed{Event: ev, v: p})
		}
	}
	slices.SortStableFunc(l.events, func(a, b placed) int {
		if a.first || b.first {
			return cmp.Compare(b2i(b.first), b2i(a.first))
		}
		c, err := a.v.Compare(b.v)
		if err != nil {
			l.order = err
		}
		return c
	})
	if q.lines != nil {
		q.lines[r] = l
	}
	return l
}

// interval evaluates one range as the OSV schema says (section "Evaluation"):
// walk the events in version order, Introduced switches on, Fixed and the
// version after LastAffected switch off, and no version at or above the
// highest Limit is affected. from and end are the events around v. An event
// that cannot be read leaves the range undecided: then err is not nil.
func (q *question) interval(r *Range, v version.Version) (from, end Event, in bool, err error) {
	l := q.line(r)
	err = l.parse
	below := l.endless
	for _, limit := range l.limits {
		c, cerr := v.Compare(limit)
		if cerr != nil {
			err = cerr
		} else if c < 0 {
			below = true
		}
	}
	if len(l.limits) > 0 && !below {
		return from, end, false, err
	}
	err = cmp.Or(l.order, err)
	for _, ev := range l.events {
		c := 1
		if !ev.first {
			var cerr error
			if c, cerr = v.Compare(ev.v); cerr != nil {
				err = cerr
				continue
			}
		}
		switch {
		case ev.Kind == Introduced && c >= 0:
			if !in {
				from, end, in = ev.Event, Event{}, true
			}
		case ev.Kind == Fixed && c >= 0, ev.Kind == LastAffected && c > 0:
			in = false
		case in && end.Kind == "" && ev.Kind != Introduced:
			end = ev.Event // the first event above v that ends the interval
		}
	}
	if !in {
		return Event{}, Event{}, false, err
	}
	return from, end, true, err
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// answer judges every candidate. The result is sorted by id.
func (q *question) answer(candidates []*Advisory) Result {
	var res Result
	for _, a := range candidates {
		m, ok, open := q.judge(a)
		switch {
		case ok:
			res.Matches = append(res.Matches, m)
		case open != nil:
			res.Unversioned = append(res.Unversioned, m)
			if open != errNoVersion {
				res.Problems = append(res.Problems, a.ID+": "+open.Error())
			}
		}
	}
	if q.err != nil && len(res.Unversioned) > 0 {
		// One sentence for the package instead of one for each of its advisories.
		res.Problems = []string{q.err.Error()}
	}
	byID := func(a, b Match) int { return cmp.Compare(a.Advisory.ID, b.Advisory.ID) }
	slices.SortFunc(res.Matches, byID)
	slices.SortFunc(res.Unversioned, byID)
	slices.Sort(res.Problems)
	return res
}

// sortVersions sorts versions lowest first and drops doubles. What cannot be
// parsed goes last, in the order of its bytes.
func sortVersions(ecosystem string, list []string) []string {
	if len(list) < 2 {
		return list
	}
	type item struct {
		s  string
		v  version.Version
		ok bool
	}
	items := make([]item, len(list))
	for i, s := range list {
		v, err := version.ParseEvent(ecosystem, s)
		items[i] = item{s, v, err == nil}
	}
	slices.SortFunc(items, func(a, b item) int {
		if a.ok && b.ok {
			if c, err := a.v.Compare(b.v); err == nil && c != 0 {
				return c
			}
		} else if a.ok != b.ok {
			return b2i(b.ok) - b2i(a.ok)
		}
		return cmp.Compare(a.s, b.s)
	})
	out := make([]string, 0, len(items))
	for _, it := range items {
		if len(out) == 0 || out[len(out)-1] != it.s {
			out = append(out, it.s)
		}
	}
	return out
}
