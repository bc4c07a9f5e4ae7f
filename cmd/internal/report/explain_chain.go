package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// commandKey starts the line of a command.
const commandKey = "command"

// explanation is one finding while it is explained.
type explanation struct {
	b     strings.Builder
	doc   *finding.Document
	r     *finding.Report
	f     finding.Finding
	comp  finding.Component
	known bool // comp is in the report
}

func (x *explanation) line(key, format string, args ...any) {
	explainLine(&x.b, key, fmt.Sprintf(format, args...))
}

// lineIf writes a line unless the text is empty.
func (x *explanation) lineIf(key, text string) {
	if text != "" {
		x.line(key, "%s", text)
	}
}

// bytes says what was looked at, where the component lies in it, and by what it
// was recognised there.
func (x *explanation) bytes() {
	if !x.known {
		return
	}
	var seen []int
	for _, l := range x.comp.Locations {
		if l.Artifact < 0 || l.Artifact >= len(x.r.Artifacts) || slices.Contains(seen, l.Artifact) {
			continue
		}
		seen = append(seen, l.Artifact)
		if a := x.r.Artifacts[l.Artifact]; a.Digest != "" {
			x.line("artifact", "%s, %s%s", a.Ref, a.Digest, mounted(a))
		}
	}
	for _, l := range x.comp.Locations {
		x.line("bytes", "%s", lies(x.r, l))
	}
	for _, e := range x.comp.Evidence {
		detail := fmt.Sprintf("%s, %s, confidence %.2f", e.Path, e.Method, e.Confidence)
		if e.Detail != "" {
			detail += ": " + e.Detail
		}
		x.line("read from", "%s", detail)
	}
}

func mounted(a finding.Artifact) string {
	if a.Mount == "" || a.Mount == "/" {
		return ""
	}
	return ", at " + a.Mount
}

// component says which package it is, whose, and who brings it.
func (x *explanation) component() {
	f := x.f
	if f.Component != "" {
		x.line("component", "%s%s", f.Component, stateWords(f.State))
	}
	x.lineIf("origin", x.comp.Origin)
	if x.known && len(x.comp.Versions) > 0 {
		x.line("versions", "%s", candidates(x.comp))
	}
	if x.known && len(x.comp.BroughtBy) > 0 {
		x.line("brought by", "%s", strings.Join(x.comp.BroughtBy, ", "))
	}
	if f.Kind == finding.KindRuntime || f.OfTrust() || f.OfDependency() {
		x.line("certainty", "%s", f.Certainty)
	} else {
		x.line("certainty", "%s: %s", f.Certainty, certaintyWords(f.Certainty))
	}
}

// advisory says what is known against it: which range holds the version, under
// which names, since when, and how bad it is.
func (x *explanation) advisory() {
	f := x.f
	for _, e := range f.Evidence {
		if e.Source != "bytes" || !x.known || f.OfDependency() {
			x.line(e.Source, "%s: %s", e.Locator, e.Detail)
		}
	}
	if len(f.Aliases) > 0 {
		x.line("also", "%s", strings.Join(f.Aliases, ", "))
	}
	if f.Published != nil {
		x.line("published", "%s", f.Published.UTC().Format("2006-01-02"))
	}
	if f.Modified != nil {
		x.line("changed", "%s", f.Modified.UTC().Format("2006-01-02"))
	}
	rating := string(f.Severity)
	if f.Score > 0 {
		rating += fmt.Sprintf(", CVSS %.1f %s", f.Score, f.Vector)
	}
	x.line("severity", "%s", strings.TrimRight(rating, " "))
	x.lineIf("exploited", x.exploited())
	x.lineIf("likelihood", x.likelihood())
	if !f.OfTrust() && !f.OfDependency() {
		x.line("known as of", "%s", knownAsOf(x.doc, x.comp, f))
	}
}

// exploited is what the catalogue of known exploited vulnerabilities says.
func (x *explanation) exploited() string {
	if !x.f.KEV {
		return ""
	}
	text := "known to be exploited"
	if e := x.f.Exploited; e != nil {
		if e.Added != "" {
			text += ", listed " + e.Added
		}
		if e.Due != "" {
			text += ", to be fixed by " + e.Due
		}
		if e.Ransomware {
			text += ", used by ransomware"
		}
	}
	return text + x.feed("kev")
}

// likelihood is how likely it is exploited within 30 days.
func (x *explanation) likelihood() string {
	if x.f.EPSS <= 0 {
		return ""
	}
	text := fmt.Sprintf("EPSS %.2f %% within 30 days", 100*x.f.EPSS)
	if x.f.Percentile > 0 {
		text += fmt.Sprintf(", more than %.0f %% of all", 100*x.f.Percentile)
	}
	return text + x.feed("epss")
}

// feed is the date of a list beside the advisories.
func (x *explanation) feed(name string) string {
	for _, f := range x.doc.Database.Feeds {
		if f.Name == name && !f.AsOf.IsZero() {
			return " (as of " + f.AsOf.UTC().Format("2006-01-02") + ")"
		}
	}
	return ""
}

// said is what the code and other people say of it: whether it is called, is
// stated not to matter, was accepted, or was there before.
func (x *explanation) said() {
	f := x.f
	if words := reachWords(f.Reach); words != "" {
		x.line("reach", "%s: %s", f.Reach, words)
	}
	if v := f.VEX; v != nil {
		text := v.Status
		if v.Justification != "" {
			text += ", " + v.Justification
		}
		if v.Statement != "" {
			text += ": " + v.Statement
		}
		text += fmt.Sprintf(" (%s", cmp.Or(v.Author, "nobody named"))
		if !v.At.IsZero() {
			text += ", " + v.At.UTC().Format("2006-01-02")
		}
		text += ", " + v.Source + ")"
		if v.Refused != "" {
			text += "; it does not count: " + v.Refused
		}
		x.line("vex", "%s", text)
	}
	if f.Waived != nil {
		x.line("waived", "by %s until %s: %s", f.Waived.Owner, f.Waived.LastDay(), f.Waived.Reason)
	}
	if f.FirstSeen != nil {
		x.line("first seen", "%s", f.FirstSeen.UTC().Format("2006-01-02"))
	}
	if f.Baseline {
		x.line("baseline", "an earlier report has it: it does not count")
	}
	if f.GraceUntil != nil {
		x.line("grace", "the policy only warns until %s", f.GraceUntil.UTC().Format("2006-01-02"))
	}
}

// urgency is the priority and what it is made of.
func (x *explanation) urgency() {
	if x.f.Why != "" {
		x.line("priority", "%d of 100: %s", x.f.Priority, x.f.Why)
	}
}

// fix is what to do: the lowest version that clears this, the one that clears
// everything, the best without a new major version, and the command.
func (x *explanation) fix() {
	f := x.f
	switch {
	case f.OfTrust():
		x.line("fix", "%s", trustHelp(f.Rule))
	case f.OfDependency():
		x.line("fix", "%s", dependencyHelp(f))
	case f.Kind == finding.KindRuntime && len(f.Fixed) > 0:
		x.line("fix", "move the function to %s", strings.Join(f.Fixed, " or "))
	case f.Kind == finding.KindRuntime:
		x.line("fix", "give a newer table of runtimes with --runtimes FILE, or accept it with a waiver")
	case f.Kind == finding.KindMalware:
		x.line("fix", "remove it, and rotate every secret that the function could read")
	case len(f.Fixed) == 0 && x.comp.Upgrade == "" && !x.cleared():
		x.line("fix", "no fixed version is known; remove the package, or accept it with a waiver")
	default:
		x.versions()
	}
}

// cleared says whether a step of the report clears the finding: some of its
// component's flaws may have no fix, and this one a version that it does not affect.
func (x *explanation) cleared() bool {
	u, listed := x.upgrade()
	return listed && slices.Contains(u.Clears, x.f.Fingerprint)
}

func (x *explanation) versions() {
	key := "fix"
	line := func(format string, args ...any) {
		x.line(key, format, args...)
		key = ""
	}
	u, listed := x.upgrade()
	if len(x.f.Fixed) > 0 {
		line("%s %s or later clears this finding", x.comp.Name, x.f.Fixed[0])
	}
	if to := x.comp.Upgrade; to != "" && (len(x.f.Fixed) == 0 || to != x.f.Fixed[0]) {
		major := ""
		if listed && u.Major && u.For == "" && u.To == to {
			major = ", a new major version"
		}
		line("%s %s clears everything known against it%s", x.comp.Name, to, major)
	}
	if to := x.comp.UpgradeMinor; to != "" {
		line("%s %s clears the most without a new major version", x.comp.Name, to)
	}
	if !listed {
		return
	}
	if u.For != "" {
		line("%s %s, which brings it, in place of %s", u.Name, u.To, u.From)
	} else if u.To != "" && u.To != x.comp.Upgrade && u.To != x.comp.UpgradeMinor {
		line("%s %s clears the most: %d of %d", u.Name, u.To, len(u.Clears), len(u.Clears)+len(u.Remains))
	}
	if u.Layer != "" {
		line("it lies in the layer %s", u.Layer)
	}
	x.lineIf(commandKey, u.Command)
	if u.Note != "" {
		x.line("", "%s", u.Note)
	}
}

// upgrade is the step that is about the component; for what the platform
// brings, the one that clears the finding.
func (x *explanation) upgrade() (finding.Upgrade, bool) {
	for _, u := range x.r.Upgrades {
		if cmp.Or(u.For, u.Component) == x.f.Component || u.Component == "" && slices.Contains(u.Clears, x.f.Fingerprint) && platform(x.f.Origin) {
			return u, true
		}
	}
	return finding.Upgrade{}, false
}
