package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// farWaiver is how far off the end of a waiver may be before it looks like one
// that was meant never to end.
const farWaiver = 366 * 24 * time.Hour

// Smells lists what is valid in a policy file and seldom meant, or worth a
// second look: what is weaker than the policy that it extends, overrides that
// weaken it or never count, and waivers that are wide, far or over. now is the
// clock. It is empty for a built-in policy.
func (p *Policy) Smells(now time.Time) []Sentence {
	base, ok := Builtin(p.Extends)
	if !ok {
		return nil
	}
	var out []Sentence
	say := func(section, format string, args ...any) {
		out = append(out, Sentence{section, fmt.Sprintf(format, args...)})
	}
	for _, what := range looserParts(base, p) {
		say(what, "weaker than %s", p.Extends)
	}
	if base.MaxAge > 0 && (p.MaxAge == 0 || p.MaxAge > base.MaxAge) {
		say("database", "the advisory store may be %s old, in %s %s", durationYAML(p.MaxAge), p.Extends, durationYAML(base.MaxAge))
	}
	if p.fails() && p.Coverage == (Coverage{}) {
		say("coverage", "nothing demands that code is accounted for: a bundle of which nothing is known would pass")
	}
	for _, l := range []struct {
		given    bool
		what     string
		severity finding.Severity
	}{{p.Licences.Allow != nil, "not among the allowed ones", finding.Medium}, {len(p.Licences.Deny) > 0, "denied", finding.High}} {
		if l.given && p.Fail.Licence != "" && p.Fail.Licence.Rank() > l.severity.Rank() {
			say("licences", "a licence that is %s is of %s severity, and fail.licence is %s: it does not fail", l.what, l.severity, p.Fail.Licence)
		}
	}
	for i, o := range p.Functions {
		key := fmt.Sprintf("functions[%d]", i)
		next := p.copied()
		if o.rules.apply(next) == nil {
			for _, what := range looserParts(p, next) {
				say(key, "for functions with %s, %s is weaker than for the rest", o.Match, what)
			}
		}
		for j, later := range p.Functions[i+1:] {
			if later.Match.covers(o.Match) && !o.rules.adds() && within(leaves(reflect.ValueOf(o.rules), ""), leaves(reflect.ValueOf(later.rules), "")) {
				say(key, "it never counts: functions[%d] (%s) says all of it again", i+1+j, later.Match)
				break
			}
		}
	}
	for i, w := range p.Waivers {
		if before := slices.IndexFunc(p.Waivers[:i], w.same); before >= 0 {
			say(fmt.Sprintf("waivers[%d]", i), "%s is about the same as waivers[%d]: reports name the later one that holds", w, before)
		}
		for _, text := range w.smells(now) {
			say(fmt.Sprintf("waivers[%d]", i), "%s %s", w, text)
		}
	}
	return out
}

func (w Waiver) smells(now time.Time) []string {
	var out []string
	if !now.Before(w.Expires) {
		out = append(out, "ended on "+w.lastDay()+": where it is still needed, that fails")
	} else if w.Expires.Sub(now) > farWaiver {
		out = append(out, "ends in more than a year, on "+w.lastDay()+": nobody will look at it again until then")
	}
	unknown := slices.Contains(unknownKinds, w.ID)
	switch {
	case w.ID == "known-vulnerability", w.ID == "known-malware":
		out = append(out, "names what each of them goes by, so it accepts nothing: name the advisory")
	case unknown && w.Component == "" && w.Path == "":
		out = append(out, "names neither a component nor a path, so it accepts nothing")
	case !unknown && w.Path != "":
		out = append(out, "has a path, which only what is unknown has ("+strings.Join(unknownKinds, ", ")+"), so it accepts nothing")
	case w.Component == "" && w.Path == "":
		out = append(out, "names no component: it holds for every package")
	}
	if why := w.matchesNone(); why != "" {
		out = append(out, why)
	}
	if strings.Contains(w.Path, "**") {
		out = append(out, "has ** in its path, which is no more than *: neither crosses a slash")
	}
	if strings.ContainsFunc(w.ID+w.Component+w.Function, func(r rune) bool { return r > unicode.MaxASCII }) {
		out = append(out, "has a letter beyond ASCII, which may only look like the one that was meant")
	}
	return out
}

// same says whether another waiver is about the same things.
func (w Waiver) same(o Waiver) bool {
	return strings.EqualFold(w.ID, o.ID) && w.Component == o.Component && slices.Equal(w.Range, o.Range) && w.Function == o.Function && w.Path == o.Path
}

// looserParts names the sections by which a policy passes something that another
// one does not.
func looserParts(before, after *Policy) []string {
	var out []string
	for _, part := range []struct {
		section string
		looser  bool
	}{
		{"fail", looserLine(before, after)},
		{"unknown_severity", before.UnknownSeverity.Rank() > after.UnknownSeverity.Rank()},
		{"require", !within(before.Require, after.Require)},
		{"incomplete", !within(before.Unknowns, after.Unknowns) || !within(before.Unmatched, after.Unmatched)},
		{"coverage", after.Coverage.Minimum < before.Coverage.Minimum || after.Coverage.Bundle < before.Coverage.Bundle},
		{"facts", looserFacts(before.Facts, after.Facts)},
		{"signature", looserResponses(before.Signature, after.Signature)},
		{"provenance", looserResponses(before.Provenance, after.Provenance)},
		{"grace", looserGrace(before.Grace, after.Grace)},
		{"licences", looserLicences(before.Licences, after.Licences)},
		{"vex", looserVEX(before.VEX, after.VEX)},
	} {
		if part.looser {
			out = append(out, part.section)
		}
	}
	return out
}

// covers says whether every function that o means is meant by m too. Of patterns
// over names only the same one, and the one that fits all, are told.
func (m Match) covers(o Match) bool {
	return (m.Name == "" || strings.Trim(m.Name, "*") == "" || m.Name == o.Name) && (m.Tag == "" || m.Tag == o.Tag) &&
		(m.Owner == "" || m.Owner == o.Owner) && (m.Platform == "" || m.Platform == o.Platform)
}

// adds says whether rules hold something that later ones add to and do not replace.
func (f fileRules) adds() bool {
	return f.Require != nil || f.Licences != nil && len(f.Licences.Packages) > 0
}

// leaves are the keys that a part of a file sets, with their way.
func leaves(v reflect.Value, path string) []string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return leaves(v.Elem(), path)
	case reflect.Struct:
		var out []string
		for i := range v.NumField() {
			out = append(out, leaves(v.Field(i), path+"."+v.Type().Field(i).Name)...)
		}
		return out
	case reflect.Map:
		var out []string
		for _, key := range v.MapKeys() {
			out = append(out, leaves(v.MapIndex(key), path+"."+key.String())...)
		}
		return out
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
	case reflect.String:
		if v.String() == "" {
			return nil
		}
	}
	return []string{path}
}
