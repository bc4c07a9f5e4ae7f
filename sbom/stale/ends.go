package stale

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
)

// The rules about release lines, by dated tables.
const (
	// RuleEnd: nobody makes security fixes for the release line any more. Medium:
	// what is found in it from now on stays; low while a long-term team, or
	// whoever is paid for it, still does.
	RuleEnd Rule = "end-of-life"
	// RuleEndSoon: that day is at most SoonDays away. Low: there is time to move.
	RuleEndSoon Rule = "end-of-life-soon"
	// RuleTableOld: a table that says "supported" is more than OldDays old. Low:
	// what it says is not believed any more, and nothing is known in its place.
	RuleTableOld Rule = "table-old"
)

// Ends lists the release lines of products that components are of, each once,
// by product and line. What no table lists is left out: it is not known.
func (t *Runtimes) Ends(components []sbom.Component, now time.Time) []End {
	type key struct{ product, line string }
	seen := map[key]bool{}
	lastDistro := ""
	var out []End
	add := func(p *Product, version, purl string) {
		c, ok := p.line(version)
		if !ok || seen[key{p.ID, c.Name}] {
			return
		}
		seen[key{p.ID, c.Name}] = true
		out = append(out, End{Product: p, Cycle: c, Phase: c.phase(now), Component: purl, Version: version,
			Extended: now.Before(c.Extended), Old: now.Sub(p.AsOf) > OldDays*day, Successors: p.successors(c, now)})
	}
	for i := range components {
		c := &components[i]
		if distro := distroOf(c.PURL); distro != "" && distro != lastDistro {
			lastDistro = distro // a function has thousands of its packages, one after the other
			name, release := cutRelease(distro)
			if p := t.byDistro[name]; p != nil {
				add(p, release, "")
			}
		}
		if c.Version == "" || c.Main {
			continue
		}
		if p := t.byPackage[versionless(c.PURL)]; p != nil {
			add(p, strings.TrimPrefix(strings.TrimPrefix(c.Version, "go"), "v"), c.PURL)
		}
	}
	slices.SortFunc(out, func(a, b End) int {
		return cmp.Or(cmp.Compare(a.Product.ID, b.Product.ID), natural(a.Cycle.Name, b.Cycle.Name))
	})
	return out
}

// Note says what there is to say about a release line; ok is false for nothing.
func (e *End) Note() (n Note, ok bool) {
	n = Note{Component: e.Component, Fixed: e.Successors, From: "table", Source: e.Product.Source, AsOf: e.Product.AsOf, Detail: e.dates()}
	switch e.Phase {
	case Deprecated:
		n.Rule, n.Severity, n.Title = RuleEnd, "medium", "gets no security fixes any more"
		if !e.Cycle.End.IsZero() {
			n.Title += ": it ended on " + e.Cycle.End.Format(time.DateOnly)
		}
		if e.Extended {
			n.Severity = "low"
			n.Title = fmt.Sprintf("ended on %s; until %s only a long-term team, or whoever is paid for it, makes security fixes", e.Cycle.End.Format(time.DateOnly), e.Cycle.Extended.Format(time.DateOnly))
		}
	case Soon:
		n.Rule, n.Severity = RuleEndSoon, "low"
		n.Title = "gets no security fixes from " + e.Cycle.End.Format(time.DateOnly) + " on"
	default:
		return n, false
	}
	n.Title = "is of " + e.What() + ", which " + n.Title
	if e.Component == "" {
		n.About = e.Product.ID + " " + e.Cycle.Name
		n.Title = strings.TrimPrefix(n.Title, "is of ")
	}
	return n, true
}

// dates lists the dates of a line.
func (e *End) dates() string {
	var out []string
	if !e.Cycle.End.IsZero() {
		out = append(out, "end "+e.Cycle.End.Format(time.DateOnly))
	}
	if !e.Cycle.Extended.IsZero() {
		out = append(out, "extended to "+e.Cycle.Extended.Format(time.DateOnly))
	}
	if len(out) == 0 {
		return e.What() + " has ended"
	}
	return e.What() + ": " + strings.Join(out, ", ")
}

// OldTables says in one note which tables are too old to be believed where they
// say that something is supported; ok is false when all are good.
func OldTables(ends []End) (n Note, ok bool) {
	var names []string
	for i := range ends {
		if e := &ends[i]; e.Old && e.Phase == Supported {
			names = append(names, e.What())
			if n.AsOf.IsZero() || e.Product.AsOf.Before(n.AsOf) {
				n.AsOf, n.Source = e.Product.AsOf, e.Product.Source
			}
		}
	}
	if len(names) == 0 {
		return n, false
	}
	n.Rule, n.Severity, n.From, n.About = RuleTableOld, "low", "table", "products"
	n.Detail = strings.Join(names, ", ")
	n.Title = fmt.Sprintf("a table of %s, which is more than %d days old, is all that says these are supported: %s", n.AsOf.Format(time.DateOnly), OldDays, listed(names))
	return n, true
}

// listed joins names, the first few of many.
func listed(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}

// versionless is a package URL without its version and what follows it.
func versionless(purl string) string {
	if i := strings.IndexAny(purl, "?#"); i >= 0 {
		purl = purl[:i]
	}
	if i := strings.LastIndexByte(purl, '@'); i > strings.LastIndexByte(purl, '/') {
		purl = purl[:i]
	}
	if strings.HasPrefix(purl, "pkg:nuget/") { // whose names have no case
		return strings.ToLower(purl)
	}
	return strings.Replace(purl, "%40", "@", 1)
}

// distroOf is the distribution that a package URL names ("debian-12"), "" when
// it is not of one.
func distroOf(purl string) string {
	if !strings.HasPrefix(purl, "pkg:deb/") && !strings.HasPrefix(purl, "pkg:rpm/") && !strings.HasPrefix(purl, "pkg:apk/") {
		return ""
	}
	_, rest, ok := strings.Cut(purl, "distro=")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "&#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// cutRelease cuts "opensuse-leap-15.6" before its release.
func cutRelease(distro string) (name, release string) {
	if i := strings.LastIndexByte(distro, '-'); i > 0 {
		return distro[:i], distro[i+1:]
	}
	return distro, ""
}
