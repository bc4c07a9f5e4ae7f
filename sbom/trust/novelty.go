package trust

import (
	"fmt"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// The rules about what is new. Most packages that turn out to be malicious are
// found and taken back within days of their publication.
//
// RuleVersionYoung: the version was published within the policy's cool-down.
// Medium, for the policy asks for it; a note where the version is the fix of a
// vulnerability that is known to be exploited, which is not to wait for.
//
// RulePackageYoung: the package's first version is less than 30 days old: low,
// medium in its first week. Nobody has had time to look at it.
//
// RuleSoleMaintainer: the package has one maintainer, who published this version
// and not the one before, whose publisher may not publish any more: the package
// changed hands. Medium within a year, for whoever took it over may be anybody;
// low later. Probable: people also hand their packages on.
const (
	RuleVersionYoung   Rule = "version-young"
	RulePackageYoung   Rule = "package-young"
	RuleSoleMaintainer Rule = "sole-maintainer-changed"
)

const (
	day = 24 * time.Hour

	packageYoung  = 30 * day
	packageNewest = 7 * day
	handedOver    = 365 * day
)

// novelty judges how new a version is, its package, and who publishes it.
func novelty(of *Of, c *sbom.Component, s *registry.Standing) []Signal {
	if s == nil || s.Answer != registry.Known || c.Origin == sbom.OriginBase || c.Origin == sbom.OriginRuntime {
		return nil
	}
	var out []Signal
	say := func(rule Rule, w Weight, probable bool, title, detail string) {
		e := registryEvidence(s)
		e.Detail = detail
		out = append(out, Signal{Rule: rule, Weight: w, Component: c.PURL, Title: title, Probable: probable, Evidence: []Evidence{e}})
	}
	if of.CoolDown > 0 && s.Version && !s.Published.IsZero() && of.Now.Sub(s.Published) < of.CoolDown {
		w, title := Medium, fmt.Sprintf("was published %s, and the policy asks for %s", ago(s.Published, of.Now), days(of.CoolDown))
		if id := fixes(of, c, s); id != "" {
			w, title = Note, title+"; it fixes "+id+", which is known to be exploited"
		}
		say(RuleVersionYoung, w, false, title, "published "+s.Published.UTC().Format(time.RFC3339))
	}
	if age := of.Now.Sub(s.First); !s.First.IsZero() && age < packageYoung {
		w := Low
		if age < packageNewest {
			w = Medium
		}
		say(RulePackageYoung, w, false, "is a new package: its first version was published "+ago(s.First, of.Now), "first published "+s.First.UTC().Format(time.RFC3339))
	}
	if before := soleBefore(s); before != "" {
		w := Low
		if !s.Published.IsZero() && of.Now.Sub(s.Published) < handedOver {
			w = Medium
		}
		say(RuleSoleMaintainer, w, true, fmt.Sprintf("changed hands: its only maintainer %s published this version, and %s the one before", clean(s.Publisher), clean(before)), "version before: "+clean(s.Previous.Version))
	}
	return out
}

// fixes returns the id of the known-exploited vulnerability of the version
// before that this version is rid of; "" when there is none, or nobody knows.
func fixes(of *Of, c *sbom.Component, s *registry.Standing) string {
	if of.Fixes == nil || s.Previous == nil {
		return ""
	}
	return of.Fixes(c, s.Previous.Version)
}

// soleBefore returns who published the version before, when the only
// maintainer of today is another one; "" when nothing changed or it is not told.
func soleBefore(s *registry.Standing) string {
	if len(s.Maintainers) != 1 || s.Publisher != s.Maintainers[0] || s.Previous == nil {
		return ""
	}
	if before := s.Previous.Publisher; before != "" && !slices.Contains(s.Maintainers, before) {
		return before
	}
	return ""
}

// Undated counts the packages of which no registry says when their version was
// published, while the policy has a cool-down: they may be younger than that.
func Undated(of Of) int {
	if of.CoolDown <= 0 {
		return 0
	}
	n := 0
	for i := range of.Components {
		c := &of.Components[i]
		if _, _, ok := registry.ParsePURL(c.PURL); !ok || c.Main || c.Origin == sbom.OriginBase || c.Origin == sbom.OriginRuntime {
			continue
		}
		if s := of.Standings[c.PURL]; s == nil || s.Published.IsZero() {
			n++
		}
	}
	return n
}

// ago says when something was, seen from now: "3 days ago (2026-11-19)".
func ago(at, now time.Time) string {
	date := at.UTC().Format(time.DateOnly)
	switch n := int(now.Sub(at) / day); {
	case at.After(now):
		return "on " + date + ", which is still to come"
	case n == 0:
		return "today (" + date + ")"
	case n == 1:
		return "1 day ago (" + date + ")"
	default:
		return fmt.Sprintf("%d days ago (%s)", n, date)
	}
}

// days says a duration in days, or in hours where it is no whole number of them.
func days(d time.Duration) string {
	switch {
	case d%day != 0:
		return d.String()
	case d == day:
		return "1 day"
	}
	return fmt.Sprintf("%d days", d/day)
}

// maxName is how much of a text of a registry's a title repeats, in bytes.
const maxName = 100

// clean shortens a name that a registry tells.
func clean(s string) string {
	if len(s) > maxName {
		return s[:maxName] + "…"
	}
	return s
}
