package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// notKnown stands on the card where nobody said anything: not "none".
const notKnown = "not known"

// maxScripts is how many installation scripts the card names.
const maxScripts = 3

// card says of a package that is not in yet what a person wants to know first.
func (p *printer) card(r *finding.Report) {
	v := r.Vetted
	if v.Component == "" { // a lockfile: its packages are in the tables
		if text := cardTree(v); text != "" {
			p.wrapped("  "+p.paint(styleDim, pad("archives", 10))+"  ", 14, 14, text)
			p.line("")
		}
		return
	}
	c := vettedComponent(r)
	facts := c.Facts
	if facts == nil {
		facts = &finding.Facts{State: "unknown"}
	}
	scripts := cmp.Or(strings.Join(firstOf(cardScripts(c, facts), maxScripts), "; "), p.silent(r, facts, "none that the registry tells of", "none"))
	for _, row := range [][2]string{
		{"version", p.cardVersion(c, facts)},
		{"publisher", cmp.Or(facts.Publisher, notKnown)},
		{"repository", cmp.Or(facts.Repository, notKnown)},
		{"licence", cmp.Or(strings.Join(facts.Licenses, ", "), strings.Join(c.Licenses, ", "), notKnown)},
		{"provenance", cardProvenance(r, facts)},
		{"scripts", scripts},
		{"needs", cardNeeds(v)},
		{"archive", cardArchive(v)},
		{"archives", cardTree(v)},
	} {
		if row[1] == "" {
			continue
		}
		p.wrapped("  "+p.paint(styleDim, pad(row[0], 10))+"  ", 14, 14, esc(row[1]))
	}
	if facts.Source != "" && facts.State != "unknown" {
		p.wrapped("  "+p.paint(styleDim, pad("says", 10))+"  ", 14, 14, esc(facts.Source)+", asked "+facts.AsOf.UTC().Format(time.DateOnly))
	}
	p.line("")
}

// silent is what to say where a registry says nothing: a word for one that was
// asked, another where the archive was looked into.
func (p *printer) silent(r *finding.Report, f *finding.Facts, asked, looked string) string {
	switch {
	case r.Vetted.Archive != "":
		return looked
	case f.State == "known":
		return asked
	}
	return notKnown
}

func vettedComponent(r *finding.Report) finding.Component {
	for _, c := range r.Components {
		if c.PURL == r.Vetted.Component {
			return c
		}
	}
	return finding.Component{}
}

// cardVersion is the version, when it was published, and what is newer.
func (p *printer) cardVersion(c finding.Component, f *finding.Facts) string {
	text := cmp.Or(c.Version, notKnown)
	if !f.Published.IsZero() {
		text += ", published " + f.Published.UTC().Format(time.DateOnly)
		if age := p.opt.Now.Sub(f.Published); age >= 0 && !p.opt.Now.IsZero() {
			text += fmt.Sprintf(" (%s ago)", spanWords(age))
		}
	} else if c.Version != "" {
		text += ", published on a day that is " + notKnown
	}
	switch {
	case f.Behind > 0 && f.Newest != nil:
		text += fmt.Sprintf("; newest %s, %s further", f.Newest.Version, finding.Count(f.Behind, "version", "versions"))
	case f.Newest != nil && f.Newest.Version == c.Version:
		text += "; the newest"
	}
	return text
}

// spanWords is a span of time in days, from three months on in months, from two years on in years.
func spanWords(d time.Duration) string {
	const day = 24 * time.Hour
	switch days := int(d / day); {
	case days < 2:
		return finding.Count(int(d/time.Hour), "hour", "hours")
	case days < 90:
		return finding.Count(days, "day", "days")
	case days < 730:
		return finding.Count(days*12/365, "month", "months")
	default:
		return finding.Count(days/365, "year", "years")
	}
}

func cardProvenance(r *finding.Report, f *finding.Facts) string {
	for _, a := range r.Attestations {
		if a.Status == "verified" {
			return "verified: " + cmp.Or(a.Identity, a.Kind)
		}
	}
	if a := f.Attestation; a != nil && a.Status == "verified" {
		return "verified: " + cmp.Or(a.Identity, a.Repository, a.Kind)
	} else if a != nil && a.Status != "missing" {
		return a.Status + ": " + cmp.Or(a.Reason, notKnown)
	}
	switch f.Attested {
	case "yes":
		return "attested, and not verified here"
	case "no":
		return "none"
	}
	return notKnown
}

// cardScripts lists what it runs at installation, by its registry or its archive.
func cardScripts(c finding.Component, f *finding.Facts) []string {
	if len(f.Scripts) > 0 {
		return f.Scripts
	}
	var out []string
	for _, t := range c.Traits {
		if t.Kind == "script" {
			out = append(out, t.Detail)
		}
	}
	return out
}

func cardNeeds(v *finding.Vetted) string {
	more, by := "", v.Tree
	if v.Environment != "" {
		by += ", for " + v.Environment
	}
	if v.Unresolved > 0 {
		more = ", and " + finding.Count(v.Unresolved, "package", "packages") + " that could not be resolved"
	}
	switch {
	case v.Tree == "":
		return notKnown
	case v.Dependencies == 0 && more == "":
		return fmt.Sprintf("no other package (by %s)", by)
	}
	return fmt.Sprintf("%s, %s in all%s (by %s)", finding.Count(v.Direct, "package", "packages"), finding.Thousands(v.Dependencies), more, by)
}

func cardArchive(v *finding.Vetted) string {
	if v.Archive == "" {
		return "not looked into: " + cmp.Or(v.Lacks, notKnown)
	}
	return "looked into, " + shortDigest(v.Archive)
}

// shortDigest is a digest cut to what tells archives apart on a card; the JSON
// report has all of it.
func shortDigest(d string) string {
	alg, sum, _ := strings.Cut(d, ":")
	if len(sum) <= 16 {
		return d
	}
	return alg + ":" + sum[:16] + "…"
}

// cardTree says how many archives of a tree or lockfile were looked into; ""
// when nobody asked for it.
func cardTree(v *finding.Vetted) string {
	if v.Opened+v.Unopened == 0 {
		return ""
	}
	of := "of what it needs"
	if v.Lockfile != "" {
		of = "of what it pins"
	}
	return fmt.Sprintf("%s of %s %s looked into", finding.Thousands(v.Opened), finding.Thousands(v.Opened+v.Unopened), of)
}

// firstOf is the first n texts, and how many more there are.
func firstOf(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(list[:n:n], fmt.Sprintf("and %d more", len(list)-n))
}
