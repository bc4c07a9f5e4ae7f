package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Sentence is one thing that a policy does, in plain words.
type Sentence struct {
	Section string `json:"section"` // key of the policy file
	Text    string `json:"text"`
}

// Describe says what a policy does, in the order in which a verdict is made.
// now tells which waivers still hold.
func (p *Policy) Describe(now time.Time) []Sentence {
	var out []Sentence
	if p.Extends != "" {
		out = append(out, Sentence{"extends", p.Extends + ": what the file does not say is as there"})
	}
	out = append(out, p.describeRules()...)
	out = append(out, p.describeStore()...)
	for i, o := range p.Functions {
		out = append(out, Sentence{"functions", p.describeOverride(i, o)})
	}
	for _, w := range p.Waivers {
		out = append(out, Sentence{"waivers", w.describe() + " " + w.held(now, cmp.Or(p.WaiversWarn, WaiverNotice)) + ": " + w.Reason})
	}
	return append(out, p.describeTrust()...)
}

// describeRules says what can be otherwise for some functions.
func (p *Policy) describeRules() []Sentence {
	var out []Sentence
	say := func(section, format string, args ...any) {
		out = append(out, Sentence{section, fmt.Sprintf(format, args...)})
	}
	say("fail", "%s", p.Fail.describe())
	say("warn", "%s", p.Warn.describe())
	for _, origin := range origins {
		for _, l := range []struct {
			section string
			line    Line
		}{{"fail", p.Fail}, {"warn", p.Warn}} {
			if _, ok := l.line.Origins[origin]; ok {
				say(l.section, "of packages from %s, %s", origin, l.line.of(origin).vulnerabilities())
			}
		}
	}
	if p.UnknownSeverity != "" {
		say("unknown_severity", "what nobody rated is judged as %s", p.UnknownSeverity)
	}
	if len(p.Require) > 0 {
		say("require", "incomplete unless these checks ran: %s", strings.Join(p.Require, ", "))
	}
	if len(p.Unknowns) > 0 {
		say("incomplete", "incomplete where code is %s", strings.Join(p.Unknowns, ", "))
	}
	if named := slices.DeleteFunc(slices.Clone(p.Unmatched), func(s string) bool { return s == "" }); len(named) > 0 {
		say("incomplete", "incomplete where no advisories cover a package from %s", strings.Join(named, ", "))
	}
	if c := p.Coverage; c.Minimum > 0 {
		say("coverage", "incomplete where less than %s of all code is accounted for", shareYAML(c.Minimum))
	}
	if c := p.Coverage; c.Bundle > 0 {
		say("coverage", "incomplete where less than %s of a bundle is accounted for", shareYAML(c.Bundle))
	}
	say("signature", "%s", p.Signature.describe())
	say("provenance", "%s", p.Provenance.describe())
	if g := p.Grace; g != (Grace{}) {
		say("grace", "%s", g.describe())
	}
	if p.Licences.Given() {
		say("licences", "%s", p.Licences.describe())
	}
	if v := p.VEX; v.Accept != nil || v.Authors != nil {
		say("vex", "%s", v.describe())
	}
	if s := p.Stale; s != (Stale{}) {
		say("stale", "past its time: no release for %s, or a version older than %s where a newer one is there", spell(s.Unmaintained, "a default time"), spell(s.Age, "any"))
	}
	if p.Facts.Minimum > 0 {
		say("facts", "incomplete unless registries tell of %s of the packages, no longer ago than %s", shareYAML(p.Facts.Minimum), spell(p.Facts.MaxAge, "any time"))
	}
	return out
}

func (p *Policy) describeStore() []Sentence {
	var out []Sentence
	if p.MaxAge > 0 {
		out = append(out, Sentence{"database", "incomplete when the advisory store is older than " + durationYAML(p.MaxAge)})
	} else {
		out = append(out, Sentence{"database", "the advisory store may be of any age"})
	}
	if p.KEVMaxAge > 0 {
		out = append(out, Sentence{"database", "incomplete when the list of known exploited vulnerabilities is older than " + durationYAML(p.KEVMaxAge) + ", or not there"})
	}
	return out
}

// describe says what a line is about.
func (l Line) describe() string {
	var parts []string
	if l.Malware {
		parts = append(parts, "malware")
	}
	if v := l.vulnerabilities(); v != "no vulnerability" {
		parts = append(parts, v)
	}
	for _, k := range []struct {
		what  string
		least finding.Severity
	}{{"archive oddities", l.Archive}, {"stale dependencies", l.Stale}, {"untrusted dependencies", l.Untrusted}, {"licences that are not allowed", l.Licence}, {"exposure", l.Exposure}, {"drift", l.Drift}} {
		if k.least != "" {
			parts = append(parts, k.what+atLeast(k.least))
		}
	}
	switch l.Runtime {
	case "":
	case RuntimeAny:
		parts = append(parts, "a runtime that is not fully supported or not known")
	case RuntimeSoon:
		parts = append(parts, "a runtime that is deprecated or soon will be")
	default:
		parts = append(parts, "a runtime that is "+string(l.Runtime))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}

// vulnerabilities says which of them are at or over the line.
func (l Line) vulnerabilities() string {
	var parts []string
	switch {
	case l.Any:
		parts = append(parts, "every vulnerability")
	case l.Severity != "":
		parts = append(parts, "vulnerabilities"+atLeast(l.Severity))
	}
	if l.Fixable != "" && !l.Any && (l.Severity == "" || l.Fixable.Rank() < l.Severity.Rank()) {
		parts = append(parts, "vulnerabilities"+atLeast(l.Fixable)+" with a known fix")
	}
	if l.KnownExploit && !l.Any {
		parts = append(parts, "what is known to be exploited")
	}
	if len(parts) == 0 {
		return "no vulnerability"
	}
	text := strings.Join(parts, "; ")
	if l.Certainty != finding.Possible && l.Certainty != "" {
		text += " (where at least " + string(l.Certainty) + ")"
	}
	if l.Absent && !l.Any {
		text += ", linked in or not"
	}
	return text
}

func atLeast(s finding.Severity) string {
	switch s {
	case finding.None:
		return " of any severity"
	case finding.Critical:
		return " of critical severity"
	}
	return " of " + string(s) + " severity or worse"
}

func (r Responses) describe() string {
	return fmt.Sprintf("rejected: %s; missing: %s; cannot be verified here: %s", r.Of("rejected"), r.Of("missing"), r.Of("unverifiable"))
}

func (g Grace) describe() string {
	var parts []string
	for _, x := range []struct {
		what string
		d    time.Duration
	}{{"critical", g.Critical}, {"high", g.High}, {"medium", g.Medium}, {"low", g.Low}, {"known exploited", g.KnownExploited}} {
		parts = append(parts, x.what+" "+durationYAML(x.d))
	}
	from := "published"
	if g.From == "seen" {
		from = "first seen in a report"
	}
	return "what would fail only warns for so long after it was " + from + ": " + strings.Join(parts, ", ") + "; malware never waits"
}

func (l Licences) describe() string {
	var parts []string
	if l.Allow != nil {
		parts = append(parts, "allowed: "+listed(l.Allow, 12))
	}
	if len(l.Deny) > 0 {
		parts = append(parts, "denied: "+listed(l.Deny, 12))
	}
	parts = append(parts, "one that nobody can tell: "+string(l.unknown()))
	if n := len(l.Packages); n > 0 {
		parts = append(parts, finding.Count(n, "package has", "packages have")+" a licence stated here")
	}
	return strings.Join(parts, "; ")
}

// describeOverride says what differs for the functions of an override.
func (p *Policy) describeOverride(i int, o Override) string {
	after := p.copied()
	if o.rules.apply(after) != nil {
		return o.Match.String() + ": " // it was tried when it was read
	}
	before, now := pieces(p.describeRules()), pieces(after.describeRules())
	looser := append(looserParts(p, after), "warn", "stale") // those are not compared
	var parts []string
	for _, s := range now {
		if !slices.Contains(before, s) {
			parts = append(parts, s.Section+": "+s.Text)
		}
	}
	for _, s := range before {
		stricter := !slices.Contains(looser, s.Section) && slices.ContainsFunc(now, func(n Sentence) bool { return n.Section == s.Section })
		if !slices.Contains(now, s) && !stricter { // of what is stricter, what it was says nothing more
			parts = append(parts, "no longer "+s.Section+": "+s.Text)
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("with %s: nothing differs from the rules above", o.Match)
	}
	return fmt.Sprintf("with %s: %s", o.Match, strings.Join(parts, "; "))
}

// pieces are the parts of sentences.
func pieces(list []Sentence) []Sentence {
	var out []Sentence
	for _, s := range list {
		for text := range strings.SplitSeq(s.Text, "; ") {
			out = append(out, Sentence{s.Section, text})
		}
	}
	return out
}

// held says whether a waiver holds at the time now.
func (w Waiver) held(now time.Time, notice time.Duration) string {
	switch {
	case !now.Before(w.Expires):
		return "ended on " + w.lastDay()
	case now.Add(notice).After(w.Expires):
		return "ends soon, on " + w.lastDay()
	}
	return "holds until " + w.lastDay()
}

func (p *Policy) describeTrust() []Sentence {
	var out []Sentence
	say := func(section, format string, args ...any) {
		out = append(out, Sentence{section, fmt.Sprintf(format, args...)})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Trust.Roots)) {
		say("trust_roots", "%s: %s", name, p.Trust.Roots[name].describe())
	}
	for _, a := range p.Trust.Artifacts {
		say("artifacts", "%s must have %s", a.subject(), a.demand())
	}
	d := p.Dependencies
	if len(d.Private) > 0 {
		say("dependencies", "private names: %s", listed(d.Private, 5))
	}
	for _, typ := range slices.Sorted(maps.Keys(d.Registries)) {
		say("dependencies", "%s packages may come from %s", typ, listed(d.Registries[typ], 5))
	}
	if d.LayerAccounts != nil {
		say("dependencies", "layers may be of the accounts %s", listed(d.LayerAccounts, 5))
	}
	if d.CoolDown > 0 {
		say("dependencies", "a version must be published for %s", durationYAML(d.CoolDown))
	}
	if r := d.Attestations.Require; len(r) > 0 {
		say("dependencies", "%s must come with an attestation of the build", listed(r, 5))
	}
	if p.Weights != (Weights{}) {
		say("priority", "weights: %s", strings.Trim(weightsYAML(p.Weights), "{}"))
	}
	if p.Gate.MaxAge > 0 {
		say("gate", "a summary counts for %s at deploy time", durationYAML(p.Gate.MaxAge))
	}
	if p.Gate.Key != "" {
		say("gate", "what passes is signed with %s", p.Gate.Key)
	}
	return out
}

func (r TrustRoot) describe() string {
	text := ""
	for _, x := range []struct{ what, value string }{{"Sigstore trusted root", r.File}, {"brought by the program:", r.Embedded}, {"public key", r.PublicKey}, {"certificates", r.X509}, {"Notation policy", r.NotationPolicy}} {
		if x.value != "" {
			text = x.what + " " + x.value
		}
	}
	if r.SHA256 != "" {
		text += ", pinned by its digest"
	}
	if !r.NotBefore.IsZero() {
		text += ", from " + r.NotBefore.UTC().Format(time.DateOnly)
	}
	if !r.NotAfter.IsZero() {
		text += ", until " + r.NotAfter.UTC().Format(time.DateOnly)
	}
	return text
}

func (a ArtifactRule) subject() string {
	text := "every artifact"
	if len(a.Kinds) > 0 {
		text = strings.Join(a.Kinds, ", ")
	}
	if len(a.Paths) > 0 {
		text += " named " + listed(a.Paths, 3)
	}
	return text
}

func (a ArtifactRule) demand() string {
	var parts []string
	for _, r := range a.Require {
		if r.Provenance != nil {
			parts = append(parts, "a provenance signed by "+r.Provenance.Signer.describe())
			continue
		}
		var signers []string
		for _, s := range r.AnyOf {
			signers = append(signers, s.describe())
		}
		parts = append(parts, "a signature by "+strings.Join(signers, " or "))
	}
	return strings.Join(parts, ", and ")
}

func (s Signer) describe() string {
	text := s.Format
	if s.Identity != "" {
		text += " " + s.Identity
	}
	if s.Root != "" {
		text += " (" + s.Root + ")"
	}
	return text
}

// spell is a duration in words of a policy; otherwise where there is none.
func spell(d time.Duration, otherwise string) string {
	if d == 0 {
		return otherwise
	}
	return durationYAML(d)
}
