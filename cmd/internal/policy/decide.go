package policy

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Decide judges a report against the policy at the time now. It is a pure
// function but for its marks on the findings and unknowns of r: what a waiver
// accepts, what the baseline has, what has time until when, what each makes of
// the verdict, its priority, and the order of the upgrades.
//
// What fails outweighs what is incomplete. Whatever the policy says, a target
// that could not be opened and the starter set are incomplete, because nobody
// can have judged them.
func (p *Policy) Decide(r *finding.Report, db finding.Database, now time.Time) finding.Verdict {
	of, ignored := p.For(r)
	v := of.decide(r, db, now)
	for _, m := range ignored {
		v.Warnings = append(v.Warnings, fmt.Sprintf("what the policy says of functions with %s does not count: it demands less, and only what is audited says that this is one", m))
	}
	return v
}

func (p *Policy) decide(r *finding.Report, db finding.Database, now time.Time) finding.Verdict {
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Waived, f.Counts, f.Baseline, f.GraceUntil, f.Compared = nil, "", false, nil, ""
	}
	for i := range r.Unknowns {
		r.Unknowns[i].Waived = nil
	}
	v := finding.Verdict{Decision: finding.Pass, Reasons: []string{}}
	warnings, ended := p.waive(r, now)
	old := 0
	if p.Baseline.has(r) && p.Wary && r.NameClaimed() {
		warnings = append(warnings, "the baseline does not count: it has a function named "+r.Name+", and only what is audited says that this is it")
	} else {
		old = p.Baseline.mark(r, p.rank, now)
	}
	warnings = append(warnings, p.vexed(r)...)
	p.prioritize(r)

	lines := p.lines(r, now)
	unsignedFail, unsignedGaps, unsignedWarn := p.unsigned(r)
	endedFail, endedWarn := p.endedWaivers(r, ended)
	lines.fail.say(classUnsigned, unsignedFail...)
	lines.fail.say(classWaiver, endedFail...)
	failing := lines.fail.inOrder()
	gaps := slices.Concat(p.gaps(r, db, now), lines.gap.sentences(), unsignedGaps)
	v.Reasons = append(failing, gaps...)
	v.Warnings = slices.Concat(warnings, endedWarn, lines.grace.inGrace(), lines.warn.sentences(), unsignedWarn, finding.Unjudged(unjudged(r, p.Unmatched)), unread(db))
	if old > 0 {
		v.Warnings = append(v.Warnings, fmt.Sprintf("%s in the baseline, which %s", finding.Count(old, "finding is", "findings are"), doNotCount(old)))
	}
	switch {
	case len(failing) > 0:
		v.Decision = finding.Fail
	case len(gaps) > 0:
		v.Decision = finding.Incomplete
	}
	v.Next = p.next(r, v, db, gaps)
	return v
}

func doNotCount(n int) string {
	if n == 1 {
		return "does not count"
	}
	return "do not count"
}

// unread says of which ecosystems the store could not read everything.
func unread(db finding.Database) (out []string) {
	for _, name := range slices.Sorted(maps.Keys(db.Ecosystems)) {
		if n := db.Ecosystems[name].Unread; n > 0 {
			out = append(out, fmt.Sprintf("%s of %s could not be read when the store was built: what they say is not known", finding.Count(n, "advisory", "advisories"), name))
		}
	}
	return out
}

// counts says whether a finding is at or over a line.
func (p *Policy) counts(l Line, f finding.Finding) bool {
	if f.Waived != nil || f.Baseline || f.Cleared() {
		return false
	}
	if f.Kind == finding.KindMalware && l.Malware {
		return true // a malicious package fails even where another copy is loaded: its bytes are shipped
	}
	l = l.of(f.Origin)
	if f.Certainty.Rank() < l.Certainty.Rank() || (l.Certainty == "" && !l.Any) {
		return false
	}
	if f.Kind == finding.KindRuntime {
		return l.Runtime.counts(f.Rule)
	}
	if least, ok := l.byKind(f.Kind); ok {
		return least != "" && p.rank(f.Severity) >= least.Rank()
	}
	if f.KEV && l.KnownExploit {
		return true
	}
	if l.Any {
		return true
	}
	if f.Reach == finding.ReachAbsent && !l.Absent {
		return false
	}
	rank := p.rank(f.Severity)
	return (l.Severity != "" && rank >= l.Severity.Rank()) ||
		(l.Fixable != "" && rank >= l.Fixable.Rank() && len(f.Fixed) > 0)
}

// byKind is the severity from which on findings of a kind count; ok is false
// for kinds that count by the severity of the line itself.
func (l Line) byKind(k finding.Kind) (least finding.Severity, ok bool) {
	switch k {
	case finding.KindArchive:
		return l.Archive, true
	case finding.KindStale:
		return l.Stale, true
	case finding.KindUntrusted:
		return l.Untrusted, true
	case finding.KindLicence:
		return l.Licence, true
	case finding.KindExposure:
		return l.Exposure, true
	case finding.KindDrift:
		return l.Drift, true
	}
	return "", false
}

func (p *Policy) rank(s finding.Severity) int {
	switch s {
	case finding.Critical, finding.High, finding.Medium, finding.Low, finding.None:
		return s.Rank()
	}
	if p.UnknownSeverity != "" {
		return p.UnknownSeverity.Rank()
	}
	return finding.High.Rank()
}

// loaded says whether a finding is about something that the platform loads or
// installs. What another copy shadows warns and never fails by severity.
func loaded(f finding.Finding) bool {
	return f.State != "shadowed" && f.State != "provided"
}

// guessedRuntime says whether a finding is about a runtime that nobody declared:
// it warns and never fails.
func guessedRuntime(f finding.Finding) bool {
	return f.Kind == finding.KindRuntime && f.Certainty != finding.Certain
}

// tallies are the findings that count, by what they make of the verdict.
type tallies struct{ fail, gap, grace, warn *tally }

// lines gathers what fails, what is incomplete by a finding, what has time and what warns.
func (p *Policy) lines(r *finding.Report, now time.Time) tallies {
	out := tallies{newTally(), newTally(), newTally(), newTally()}
	for i := range r.Findings {
		f := &r.Findings[i]
		switch f.Counts = p.judge(*f); f.Counts {
		case finding.Fail:
			if end := p.Grace.until(*f, p.rank(f.Severity), now); !end.IsZero() {
				f.Counts, f.GraceUntil = finding.Pass, &end
				out.grace.add(*f)
				continue
			}
			out.fail.add(*f)
		case finding.Incomplete:
			out.gap.add(*f)
		case finding.Pass:
			out.warn.add(*f)
		}
	}
	return out
}

// judge says what one finding makes of the verdict; finding.Pass is a warning,
// and "" that it does not count.
func (p *Policy) judge(f finding.Finding) finding.Decision {
	switch {
	case f.OfTrust():
		return p.respond(f).decision()
	case f.Kind == finding.KindLicence && f.Rule == RuleLicenceUnknown && f.Waived == nil && !f.Baseline:
		return p.Licences.unknown().decision()
	case p.counts(p.Fail, f) && (loaded(f) || f.Kind == finding.KindMalware) && !guessedRuntime(f):
		return finding.Fail
	case p.counts(p.Warn, f), p.counts(p.Fail, f):
		return finding.Pass
	}
	return ""
}

// decision is what a response makes of the verdict; "" for nothing.
func (r Response) decision() finding.Decision {
	return map[Response]finding.Decision{RespondFail: finding.Fail, RespondIncomplete: finding.Incomplete, RespondWarn: finding.Pass}[r]
}

// gaps lists what makes a verdict incomplete.
func (p *Policy) gaps(r *finding.Report, db finding.Database, now time.Time) []string {
	var out []string
	if gaps, ok := deployedGaps(r); ok {
		return gaps
	}
	if s := r.Check("open"); s.State != finding.Ran {
		return append(out, reason("could not be opened", s.Reason)) // nothing else can be said
	}
	out = append(out, p.storeGaps(r, db, now)...)
	for _, name := range p.Require {
		if r.Vetted != nil && finding.OfShipped(name) {
			continue
		}
		if s := r.Check(name); s.State != finding.Ran {
			out = append(out, reason(fmt.Sprintf("required check %q %s", name, s.State), s.Reason))
		}
	}
	for _, s := range r.Checks {
		if s.State == finding.Failed && len(p.Require) > 0 && !slices.Contains(p.Require, s.Check) {
			out = append(out, reason(fmt.Sprintf("check %q failed", s.Check), s.Reason)) // not required, but it was to run: failed is not clean
		}
	}
	byKind, said := map[string][]finding.Unknown{}, map[place]bool{}
	for _, u := range r.Unknowns {
		if !p.isGap(&u) {
			continue
		}
		byKind[u.Kind] = append(byKind[u.Kind], u)
		if u.Kind != "unmatched" {
			said[place{u.Artifact, u.Path}] = true
		}
	}
	for _, kind := range unknownKinds {
		if us := byKind[kind]; len(us) > 0 {
			out = append(out, unknownSentence(kind, us))
			delete(byKind, kind)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		out = append(out, unknownSentence(kind, byKind[kind]))
	}
	out = append(out, p.coverageGaps(r, said)...)
	if gap := p.factsGap(r, now); gap != "" {
		out = append(out, gap)
	}
	return out
}

// unknownKinds are the kinds of unknown, in the order in which they are said.
var unknownKinds = []string{"unreadable", "limit", "opaque", "unattributed", "unmatched"}

// isGap says whether the policy is not content with an unknown.
func (p *Policy) isGap(u *finding.Unknown) bool {
	switch {
	case u.Waived != nil || !u.Code:
		return false
	case u.Kind == "unmatched":
		return slices.Contains(p.Unmatched, u.Origin)
	case !slices.Contains(unknownKinds, u.Kind):
		return len(p.Unknowns) > 0 // a report of a later version: nobody decided that it does not matter
	}
	return slices.Contains(p.Unknowns, u.Kind)
}

// storeGaps says what the store does not know. It comes first: a newer store
// can change everything below.
func (p *Policy) storeGaps(r *finding.Report, db finding.Database, now time.Time) (out []string) {
	if db.Starter {
		return append(out, "judged with the embedded starter set of advisories only, which knows a few well-known ones")
	}
	if r.Check("vulnerability").State != finding.Ran {
		return nil // nothing was asked of it
	}
	switch age := Age(db, now); {
	case p.MaxAge == 0 || age <= p.MaxAge:
	case age == forever:
		out = append(out, "the advisory store does not say how old it is")
	default:
		out = append(out, "the advisory store is "+overAge(age, p.MaxAge))
	}
	if p.KEVMaxAge == 0 {
		return out
	}
	switch age := feedAge(db, "kev", now); {
	case age <= p.KEVMaxAge:
	case age == forever:
		out = append(out, "which vulnerabilities are known to be exploited is not known (db update --feeds gets the list)")
	default:
		out = append(out, fmt.Sprintf("the list of known exploited vulnerabilities is %s (db update --feeds gets a newer one)", overAge(age, p.KEVMaxAge)))
	}
	return out
}

// feedAge is how old a list beside the advisories is; forever when the store has
// none, or it does not say.
func feedAge(db finding.Database, name string, now time.Time) time.Duration {
	for _, f := range db.Feeds {
		if f.Name == name && !f.AsOf.IsZero() {
			return max(now.Sub(f.AsOf), 0)
		}
	}
	return forever
}

// forever is the age of a store that does not say how old it is.
const forever = time.Duration(1<<63 - 1)

// Age is how old a store is at the time now: now minus the oldest asOf of its
// ecosystems. A store without a date is infinitely old; one from the future is 0 old.
func Age(db finding.Database, now time.Time) time.Duration {
	age := time.Duration(0)
	if len(db.Ecosystems) == 0 {
		return forever
	}
	for _, e := range db.Ecosystems {
		if e.AsOf.IsZero() {
			return forever
		}
		age = max(age, now.Sub(e.AsOf))
	}
	return age
}

func unjudged(r *finding.Report, judged []string) (out []finding.Unknown) {
	for _, u := range r.Unknowns {
		if u.Kind == "unmatched" && u.Code && (u.Waived != nil || !slices.Contains(judged, u.Origin)) {
			out = append(out, u)
		}
	}
	return out
}

func (p *Policy) next(r *finding.Report, v finding.Verdict, db finding.Database, gaps []string) string {
	switch {
	case v.Decision == finding.Pass:
		return ""
	case r.Check("open").State != finding.Ran && nextDeployed(r) != "":
		return nextDeployed(r)
	case v.Decision == finding.Incomplete && r.Check("open").State != finding.Ran && r.Declared != nil &&
		(r.Declared.Resource == "" || strings.Contains(r.Check("open").Reason, "correct the template")):
		return "correct the template " + r.Declared.Descriptor + ", then scan again"
	case v.Decision == finding.Incomplete && r.Check("open").State != finding.Ran && r.Declared != nil:
		return "bring what " + r.Declared.Descriptor + " names here (sam build, a download, docker save), then scan again"
	case v.Decision == finding.Incomplete && r.Check("open").State != finding.Ran:
		return "give a deployment zip, an unpacked function folder, a container image or an SBOM that can be read"
	case v.Decision == finding.Incomplete && db.Starter:
		return "fnaudit db update   # gets the full advisory set, then scan again"
	case v.Decision == finding.Fail:
		if step := p.nextFailing(r, v); step != "" {
			return step
		}
		return "read the findings above; accept one with a waiver in the policy file"
	}
	if r.Vetted != nil {
		if step := nextVetted(r, gaps); step != "" {
			return step
		}
	}
	if slices.ContainsFunc(gaps, func(g string) bool {
		return strings.HasPrefix(g, "what registries say") || strings.HasPrefix(g, `required check "facts"`)
	}) {
		return "fnaudit db update --facts REPORT   # with this report as JSON; or scan again with --online"
	}
	for _, g := range gaps {
		if strings.Contains(g, "db update --feeds") {
			return "fnaudit db update --feeds   # then scan again"
		}
		if strings.Contains(g, "advisory store ") || strings.Contains(g, "db update") {
			return "fnaudit db update   # then scan again"
		}
	}
	if bundles := p.untold(r); len(bundles) > 0 {
		return nameBundle(bundles[0])
	}
	if slices.ContainsFunc(gaps, func(g string) bool {
		return strings.HasPrefix(g, "no signature of") || strings.HasPrefix(g, "no provenance of")
	}) {
		return "sign the artifact when it is built and put the bundle beside it, or name the folder: --attestations DIR"
	}
	if slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.OfTrust() && p.respond(f) == RespondIncomplete }) {
		return "fnaudit verify " + shellWord(r.Target) + "   # says what is lacking; name who may sign in the policy's artifacts section"
	}
	if slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Kind == finding.KindLicence && f.Counts == finding.Incomplete }) {
		return "state the licence, and how it is known, in the policy's licences section (packages)"
	}
	return "make the parts above readable, or accept them with a waiver in the policy file"
}

// nextFailing is the step that the first reason of a fail asks for; "" when
// none of the reasons says one.
func (p *Policy) nextFailing(r *finding.Report, v finding.Verdict) string {
	for _, one := range failingInOrder(r) {
		f := *one
		switch {
		case f.Kind == finding.KindMalware && r.Vetted != nil:
			return "do not take in " + f.Component + "; where it was installed once, rotate every secret that is on that machine"
		case f.Kind == finding.KindMalware:
			return "remove " + f.Component + ", then rotate every secret that the function could read"
		case f.OfTrust():
			return "fnaudit verify " + shellWord(r.Target) + "   # says which step failed; build and sign again, or correct the policy"
		case f.Kind == finding.KindRuntime && len(f.Fixed) > 0:
			return "move the function to the runtime " + f.Fixed[len(f.Fixed)-1] + "; why: " + explaining(r, f)
		case f.OfDependency() && len(f.Fixed) == 0:
			return lookAt(r, f)
		case f.Kind != finding.KindRuntime && len(f.Fixed) > 0:
			return nextUpgrade(r, f)
		}
	}
	if failing, _, _ := p.unsigned(r); len(failing) > 0 {
		return "sign the artifact when it is built and put the bundle beside it, or name the folder: --attestations DIR"
	}
	if slices.ContainsFunc(v.Reasons, func(s string) bool { return strings.HasSuffix(s, stillNeeded) }) {
		return "put right what the waiver accepted, or renew the waiver in the policy file"
	}
	return ""
}

// explaining is the command that explains a finding.
func explaining(r *finding.Report, f finding.Finding) string {
	id := f.ID
	if strings.Trim(id, idLetters) != "" && f.Fingerprint != "" {
		id = f.Fingerprint // names of files and of what a descriptor holds are part of some: not to be copied into a shell
	}
	switch {
	case r.Vetted == nil && deep(f.Rule):
		return "fnaudit scan --deep --explain " + id + " " + again(r)
	case r.Vetted == nil:
		return "fnaudit scan --explain " + id + " " + again(r)
	}
	return "fnaudit vet --explain " + id + " " + vetting(r)
}

// idLetters are the characters of ids that mean nothing to a shell.
const idLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@+%"

// deep says whether only a run that reads every byte, and verifies what
// registries hand out, finds what a rule is about.
func deep(rule string) bool {
	return strings.HasPrefix(rule, "integrity-") || slices.Contains([]string{"attestation-rejected", "signature-rejected", "provenance-elsewhere"}, rule)
}

// again is how to name the function on the command line once more.
func again(r *finding.Report) string {
	if r.Declared == nil {
		return shellWord(r.Target)
	}
	if strings.Trim(r.Declared.Resource, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/") != "" {
		return shellWord(r.Declared.Descriptor) // no logical id has such characters: not to be copied into a shell
	}
	return "--function " + r.Declared.Resource + " " + shellWord(r.Declared.Descriptor)
}

// shellWord writes a name as one word of a command that somebody copies into a
// POSIX shell: names of files can hold what a shell acts upon.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, idLetters) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// nextUpgrade is the first of the upgrades that clear a finding on which the
// policy fails; that of f, where none is listed.
func nextUpgrade(r *finding.Report, f finding.Finding) string {
	fails := map[string]*finding.Finding{}
	for i := range r.Findings {
		x := &r.Findings[i]
		if _, ok := fails[x.Fingerprint]; !ok && x.Counts == finding.Fail {
			fails[x.Fingerprint] = x
		}
	}
	for _, u := range r.Upgrades {
		for _, id := range u.Clears {
			x, ok := fails[id]
			if !ok || u.To == "" || u.Component == "" {
				continue
			}
			step := fmt.Sprintf("upgrade %s to %s or later", u.Name, u.To)
			if u.Command != "" {
				step += ": " + u.Command
			}
			return step + "; why: " + explaining(r, *x)
		}
	}
	name, to := upgrade(r, f)
	return fmt.Sprintf("upgrade %s to %s or later; why: %s", name, to, explaining(r, f))
}

// upgrade names the package of a finding and the version to go to: the one
// that clears all that is known against the component, else the lowest that
// clears this finding.
func upgrade(r *finding.Report, f finding.Finding) (name, to string) {
	name, to = finding.Versionless(f.Component), f.Fixed[0]
	for _, c := range r.Components {
		if c.PURL == f.Component {
			name = c.Name
			if c.Upgrade != "" {
				to = c.Upgrade
			}
		}
	}
	return name, to
}

func reason(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

func unknownSentence(kind string, us []finding.Unknown) string {
	say := map[string]string{
		"unreadable": "could not be read", "limit": "reached a limit", "opaque": "opaque: what is inside is not known",
		"unattributed": "not attributed to any package", "unmatched": "without an advisory source",
	}[kind]
	if say == "" {
		say = "of a kind that this version does not know (" + clip(kind) + ")"
	}
	var names []string
	files := map[finding.Unknown]bool{} // one can be unknown for several reasons
	for _, u := range us {
		files[finding.Unknown{Artifact: u.Artifact, Path: u.Path, PURL: u.PURL}] = true
		name := u.Path
		if u.PURL != "" {
			name = u.PURL
		}
		if name == "" {
			name = "the artifact"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	noun := "file"
	if kind == "opaque" && !slices.ContainsFunc(us, func(u finding.Unknown) bool { return u.PURL == "" }) {
		say = "of which too little is known"
	}
	if kind == "unmatched" || !slices.ContainsFunc(us, func(u finding.Unknown) bool { return u.PURL == "" }) {
		noun = "package"
	}
	sentence := fmt.Sprintf("%s %s: %s", finding.Count(len(files), noun, noun+"s"), say, listed(names, 3))
	if len(us) == 1 && us[0].Reason != "" {
		sentence += " (" + us[0].Reason + ")"
	} else if kind == "unmatched" && strings.Contains(us[0].Reason, "db update") {
		sentence += " (" + us[0].Reason + ")"
	}
	return sentence
}

func listed(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
