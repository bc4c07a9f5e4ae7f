package policy

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Waiver accepts one finding or one unknown, for a reason, in somebody's
// name, until a day. It is the only way to accept malware, and then only by its id.
type Waiver struct {
	ID        string // an advisory id or alias, a rule of kind archive or runtime, or a kind of unknown ("opaque", "unmatched", ...)
	Component string // purl, with or without a version; "" matches any component
	Path      string // glob over the path of an unknown, as path.Match reads it; "" matches any
	Reason    string
	Owner     string
	Expires   time.Time // the first moment at which it no longer holds
}

func (w fileWaiver) parse() (Waiver, error) {
	for _, f := range []struct{ key, value string }{{"id", w.ID}, {"reason", w.Reason}, {"owner", w.Owner}, {"expires", w.Expires}} {
		if strings.TrimSpace(f.value) == "" {
			return Waiver{}, fmt.Errorf("%s is missing: a waiver needs id, reason, owner and expires", f.key)
		}
	}
	if w.ID == "*" {
		return Waiver{}, fmt.Errorf("id: %q would accept everything; name the finding", w.ID)
	}
	if w.Component != "" && !strings.HasPrefix(w.Component, "pkg:") {
		return Waiver{}, fmt.Errorf("component: %q is not a package URL such as pkg:npm/lodash or pkg:npm/lodash@4.17.15", w.Component)
	}
	if _, err := path.Match(w.Path, ""); err != nil {
		return Waiver{}, fmt.Errorf("path: %q is not a valid pattern: %w", w.Path, err)
	}
	expires, err := time.Parse(time.DateOnly, w.Expires)
	if err == nil {
		expires = expires.AddDate(0, 0, 1) // the named day is the last one on which it holds, in UTC
	} else if expires, err = time.Parse(time.RFC3339, w.Expires); err != nil {
		return Waiver{}, fmt.Errorf("expires: %q is not a date: write it as 2027-01-31", w.Expires)
	}
	return Waiver{ID: w.ID, Component: w.Component, Path: w.Path, Reason: w.Reason, Owner: w.Owner, Expires: expires}, nil
}

// matchesFinding says whether the waiver is about f, whatever the date.
func (w Waiver) matchesFinding(f finding.Finding) bool {
	if !w.matchesComponent(f.Component) || w.Path != "" {
		return false
	}
	if strings.EqualFold(w.ID, f.ID) || ((f.Kind == finding.KindArchive || f.Kind == finding.KindRuntime || f.OfTrust() || f.OfDependency()) && w.ID == f.Rule) {
		return true
	}
	if f.Rule == RuleVersionUnknown {
		return false // the finding folds many advisories: accepting one of them must not accept the rest
	}
	for _, a := range f.Aliases {
		if strings.EqualFold(w.ID, a) {
			return true
		}
	}
	return false
}

// RuleVersionUnknown is the rule of the finding that folds the advisories of
// a package whose version is not known.
const RuleVersionUnknown = "version-unknown"

// matchesUnknown says whether the waiver is about u, whatever the date.
func (w Waiver) matchesUnknown(u finding.Unknown) bool {
	if w.ID != u.Kind || !w.matchesComponent(u.PURL) {
		return false
	}
	if w.Path == "" {
		return w.Component != "" // "accept everything opaque" must at least name a component or a path
	}
	ok, err := path.Match(w.Path, u.Path)
	return err == nil && ok
}

func (w Waiver) matchesComponent(purl string) bool {
	return w.Component == "" || w.Component == purl || w.Component == finding.Versionless(purl)
}

func (w Waiver) as() *finding.Waived {
	return &finding.Waived{Reason: w.Reason, Owner: w.Owner, Expires: w.Expires}
}

// apply marks what the policy's waivers accept at the time now, and returns a
// warning for each waiver that has expired although something still needs it.
func (p *Policy) apply(r *finding.Report, now time.Time) (warnings []string) {
	for _, w := range p.Waivers {
		expired, needed := !now.Before(w.Expires), false
		for i := range r.Findings {
			if f := &r.Findings[i]; w.matchesFinding(*f) {
				needed = true
				if !expired {
					f.Waived = w.as()
				}
			}
		}
		for i := range r.Unknowns {
			if u := &r.Unknowns[i]; w.matchesUnknown(*u) {
				needed = true
				if !expired {
					u.Waived = w.as()
				}
			}
		}
		if expired && needed {
			warnings = append(warnings, fmt.Sprintf("the waiver of %s by %s ended on %s and no longer counts",
				w.ID, w.Owner, w.Expires.Add(-time.Nanosecond).UTC().Format(time.DateOnly)))
		}
	}
	return warnings
}
