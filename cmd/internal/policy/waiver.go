package policy

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Waiver accepts one finding or one unknown, for a reason, in somebody's
// name, until a day. It is the only way to accept malware, and then only by its id.
type Waiver struct {
	ID        string // an advisory id or alias, a rule, or a kind of unknown ("opaque", "unmatched", ...)
	Component string // purl, with or without a version; "" matches any component
	Range     Range  // of the component's version
	Function  string // glob over the function's name; "" matches any
	Path      string // glob over the path of an unknown, as path.Match reads it; "" matches any
	Reason    string
	Owner     string
	Expires   time.Time // the first moment at which it no longer holds
}

func (w fileWaiver) parse() (Waiver, error) {
	w.ID, w.Component = strings.TrimSpace(w.ID), component(w.Component)
	for _, f := range []struct{ key, value string }{{"id", w.ID}, {"reason", w.Reason}, {"owner", w.Owner}, {"expires", w.Expires}} {
		if strings.TrimSpace(f.value) == "" {
			return Waiver{}, fmt.Errorf("%s is missing: a waiver needs id, reason, owner and expires", f.key)
		}
	}
	if w.ID == "*" {
		return Waiver{}, fmt.Errorf("id: %q would accept everything; name the finding", w.ID)
	}
	if w.ID == RuleVersionUnknown && w.Component == "" {
		return Waiver{}, fmt.Errorf("component: a waiver of %s is for all that is known against one package: name it", w.ID)
	}
	if w.Component != "" && !strings.HasPrefix(w.Component, "pkg:") {
		return Waiver{}, fmt.Errorf("component: %q is not a package URL such as pkg:npm/lodash or pkg:npm/lodash@4.17.15", clip(w.Component))
	}
	var within Range
	if w.Range != "" {
		var err error
		if within, err = parseRange(w.Range); err != nil {
			return Waiver{}, err
		}
		if w.Component == "" || finding.Versionless(w.Component) != w.Component {
			return Waiver{}, fmt.Errorf("range: it is over the versions of a component: name that, without a version")
		}
	}
	if len(w.Function) > maxGlob {
		return Waiver{}, fmt.Errorf("function: %d bytes is over the limit of %d", len(w.Function), maxGlob)
	}
	if _, err := path.Match(w.Path, ""); err != nil {
		return Waiver{}, fmt.Errorf("path: %q is not a valid pattern: %w", clip(w.Path), err)
	}
	expires, err := time.Parse(time.DateOnly, w.Expires)
	if err == nil {
		expires = expires.AddDate(0, 0, 1) // the named day is the last one on which it holds, in UTC
	} else if expires, err = time.Parse(time.RFC3339, w.Expires); err != nil {
		return Waiver{}, fmt.Errorf("expires: %q is not a date: write it as 2027-01-31", clip(w.Expires))
	}
	return Waiver{ID: w.ID, Component: w.Component, Range: within, Function: w.Function, Path: w.Path, Reason: w.Reason, Owner: w.Owner, Expires: expires}, nil
}

// matchesFinding says whether the waiver is about f, whatever the date and the
// function. c is f's component, nil when the report lists none.
func (w Waiver) matchesFinding(f *finding.Finding, c *finding.Component) bool {
	if w.Path != "" || !w.matchesComponent(f.Component) || !w.names(f) {
		return false
	}
	return w.Range.holds(c)
}

// names says whether the waiver's id is one of the finding's.
func (w Waiver) names(f *finding.Finding) bool {
	if f.Rule == RuleVersionUnknown && w.ID == f.Rule {
		return true
	}
	if f.Rule == RuleVersionUnknown && folded(f) != 1 {
		return false // accepting one of many advisories must not accept the rest
	}
	if strings.EqualFold(w.ID, f.ID) || byRule(f) && w.ID == f.Rule {
		return true
	}
	for _, a := range f.Aliases {
		if strings.EqualFold(w.ID, a) {
			return true
		}
	}
	return false
}

// byRule says whether a finding can be accepted by its rule.
func byRule(f *finding.Finding) bool {
	return f.Kind == finding.KindArchive || f.Kind == finding.KindRuntime || f.OfTrust() || f.OfDependency()
}

// folded is how many advisories a finding is about, as far as its evidence says so.
func folded(f *finding.Finding) int {
	ids := map[string]bool{}
	for _, e := range f.Evidence {
		if e.Source == "advisory" {
			ids[e.Locator] = true
		}
	}
	return len(ids)
}

// RuleVersionUnknown is the rule of the finding that folds the advisories of
// a package whose version is not known.
const RuleVersionUnknown = finding.RuleVersionUnknown

// matchesUnknown says whether the waiver is about u, whatever the date and the function.
func (w Waiver) matchesUnknown(u *finding.Unknown, c *finding.Component) bool {
	if w.ID != u.Kind || !w.matchesComponent(u.PURL) || !w.Range.holds(c) {
		return false
	}
	if w.Path == "" {
		return w.Component != "" // "accept everything opaque" must at least name a component or a path
	}
	ok, err := path.Match(w.Path, u.Path)
	return err == nil && ok
}

func (w Waiver) matchesComponent(purl string) bool {
	return w.Component == "" || matchesPackage(w.Component, purl)
}

func (w Waiver) as() *finding.Waived {
	return &finding.Waived{Reason: w.Reason, Owner: w.Owner, Expires: w.Expires}
}

// String names the waiver: "the waiver of CVE-2021-1 by the platform team".
func (w Waiver) String() string { return "the waiver of " + w.ID + " by " + w.Owner }

// lastDay is the last day on which the waiver holds, in UTC.
func (w Waiver) lastDay() string {
	return w.as().LastDay()
}

// WaiverNotice is how long before its end a waiver warns where the policy does
// not say.
const WaiverNotice = 14 * 24 * time.Hour

// hits is what one waiver is about in one function, by index.
type hits struct{ findings, unknowns []int }

// hits finds what each waiver is about, whatever the date; refused are those
// that would be about something, and that name the function by what it says of
// itself. The order of both is that of the waivers.
func (p *Policy) hits(r *finding.Report) (found map[int]*hits, refused []int) {
	found = map[int]*hits{}
	if len(p.Waivers) == 0 {
		return found, nil
	}
	by := p.waiversFor(r)
	components := make(map[string]*finding.Component, len(r.Components))
	for i := range r.Components {
		components[r.Components[i].PURL] = &r.Components[i]
	}
	at := func(i int) *hits {
		if found[i] == nil {
			found[i] = &hits{}
		}
		return found[i]
	}
	for n := range r.Findings {
		f := &r.Findings[n]
		for _, i := range by.about(f.Component, append([]string{f.ID, f.Rule}, f.Aliases...)...) {
			if p.Waivers[i].matchesFinding(f, components[f.Component]) {
				at(i).findings = append(at(i).findings, n)
			}
		}
	}
	for n := range r.Unknowns {
		u := &r.Unknowns[n]
		for _, i := range by.about(u.PURL, u.Kind) {
			if p.Waivers[i].matchesUnknown(u, components[u.PURL]) {
				at(i).unknowns = append(at(i).unknowns, n)
			}
		}
	}
	for _, i := range slices.Sorted(maps.Keys(found)) {
		if p.Wary && p.Waivers[i].Function != "" && r.NameClaimed() {
			delete(found, i)
			refused = append(refused, i)
		}
	}
	return found, refused
}

// of says whether the waiver is for a function.
func (w Waiver) of(r *finding.Report) bool { return w.Function == "" || glob(w.Function, r.Name) }

// waiverIndex has the waivers of one function by what they name, so that
// thousands of them are not tried on each finding.
type waiverIndex map[waiverKey][]int

// waiverKey is an id in lower case, and a component as the policy spells it; ""
// for any.
type waiverKey struct{ id, component string }

// waiversFor are the waivers for a function that name something that it has,
// whatever the date.
func (p *Policy) waiversFor(r *finding.Report) waiverIndex {
	ids := map[string]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		ids[strings.ToLower(f.ID)], ids[strings.ToLower(f.Rule)] = true, true
		for _, a := range f.Aliases {
			ids[strings.ToLower(a)] = true
		}
	}
	for i := range r.Unknowns {
		ids[strings.ToLower(r.Unknowns[i].Kind)] = true
	}
	out := waiverIndex{}
	for i := range p.Waivers {
		w := &p.Waivers[i]
		if id := strings.ToLower(w.ID); ids[id] && w.of(r) {
			key := waiverKey{id, w.Component}
			out[key] = append(out[key], i)
		}
	}
	return out
}

// about are the waivers that name one of some ids, and a package or none: in
// order and each once.
func (x waiverIndex) about(purl string, ids ...string) []int {
	var out []int
	names := append([]string{""}, packageNames(purl)...)
	for _, id := range ids {
		id = strings.ToLower(id)
		for _, name := range names {
			out = append(out, x[waiverKey{id, name}]...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// waive marks what the policy's waivers accept at the time now. Of several
// waivers of one thing the last one is named. ended are the waivers that are
// about something and have ended.
func (p *Policy) waive(r *finding.Report, now time.Time) (warnings []string, ended map[int]*hits) {
	found, refused := p.hits(r)
	ended = map[int]*hits{}
	for _, i := range slices.Sorted(maps.Keys(found)) {
		w, h := p.Waivers[i], found[i]
		if !now.Before(w.Expires) {
			ended[i] = h
			continue
		}
		for _, n := range h.findings {
			r.Findings[n].Waived = w.as()
		}
		for _, n := range h.unknowns {
			r.Unknowns[n].Waived = w.as()
		}
		if now.Add(cmp.Or(p.WaiversWarn, WaiverNotice)).After(w.Expires) {
			warnings = append(warnings, fmt.Sprintf("%s ends on %s: renew it, or put right what it accepts", w, w.lastDay()))
		}
	}
	for _, i := range refused {
		warnings = append(warnings, fmt.Sprintf("%s does not count: it is for functions named %s, and only what is audited says that this is one", p.Waivers[i], p.Waivers[i].Function))
	}
	return warnings, ended
}

// stillNeeded ends the reason of a waiver that has ended.
const stillNeeded = ", and is still needed"

// endedWaivers says which of the waivers that have ended are still needed: without
// them something counts, and no other one accepts it. Each such waiver fails, even
// where what it accepted only warns: it was accepted until a day, and that day
// is over. A policy that fails nothing only warns of it. Where nothing counts on
// the waiver any more, that is a warning, too.
func (p *Policy) endedWaivers(r *finding.Report, ended map[int]*hits) (failing, warnings []string) {
	for _, i := range slices.Sorted(maps.Keys(ended)) {
		w, h := p.Waivers[i], ended[i]
		needed := slices.ContainsFunc(h.findings, func(n int) bool { return r.Findings[n].Counts != "" }) ||
			slices.ContainsFunc(h.unknowns, func(n int) bool { return p.isGap(&r.Unknowns[n]) })
		switch {
		case !needed:
			warnings = append(warnings, fmt.Sprintf("%s ended on %s, and nothing needs it any more: remove it", w, w.lastDay()))
		case p.fails():
			failing = append(failing, fmt.Sprintf("%s ended on %s"+stillNeeded, w, w.lastDay()))
		default:
			warnings = append(warnings, fmt.Sprintf("%s ended on %s"+stillNeeded, w, w.lastDay()))
		}
	}
	return failing, warnings
}
