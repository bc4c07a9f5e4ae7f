package night

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Side is a function at one time.
type Side struct {
	Report   *finding.Report
	Database finding.Database
	Policy   finding.PolicyRef
	Tool     finding.Tool
	At       time.Time // the clock that judged
}

// Decide is what a policy makes of a report: policy.Policy.Decide of the run.
type Decide func(r *finding.Report, db finding.Database, now time.Time) finding.Verdict

// compared is the comparison of a function with what it was.
type compared struct {
	before, now Side
	moved       bool // the bytes are others
	out         []finding.Change

	packages [2]packages    // of now and of before
	by       map[string]int // fingerprint -> the first finding of today that has it; nil before it was asked
}

// Compare says what of a function is not what it was, and why: one change for
// each finding, and one more for the verdict where none of those explains it. It
// marks the findings of today with whether they are new (Finding.Rescanned).
func Compare(before, now Side, decide Decide) []finding.Change {
	c := &compared{before: before, now: now, moved: digestOf(before.Report) != digestOf(now.Report)}
	c.findings()
	c.verdict(decide)
	for i := range c.out {
		c.out[i].Function = now.Report.Name
	}
	sortChanges(c.out)
	return c.out
}

// digestOf is the digests of the artifacts of a function, in their order.
func digestOf(r *finding.Report) string {
	var b strings.Builder
	for _, a := range r.Artifacts {
		b.WriteString(a.Digest + "\n")
	}
	return b.String()
}

// findings compares the findings.
func (c *compared) findings() {
	old, list := c.before.Report.Findings, c.now.Report.Findings
	m := newMatcher(old)
	pair := make([]int, len(list))
	for i := range list { // those of the same version first, so that none takes another's
		pair[i] = m.same(&list[i])
	}
	for i := range list {
		if pair[i] < 0 {
			pair[i] = m.alike(&list[i])
		}
	}
	for i := range list {
		if list[i].Kind == finding.KindDrift {
			continue // CompareDeployed tells it by place
		}
		list[i].Rescanned = finding.ComparedUnchanged
		if pair[i] < 0 {
			list[i].Rescanned = finding.ComparedNew
			c.add(&list[i], c.appeared(&list[i]))
		} else if ch, ok := c.changed(&old[pair[i]], &list[i]); ok {
			list[i].Rescanned = finding.ComparedUpdated
			c.add(&list[i], ch)
		}
	}
	for j := range old {
		if !m.taken[j] && old[j].Kind != finding.KindDrift {
			c.add(&old[j], c.disappeared(&old[j]))
		}
	}
}

// add adds a change of a finding.
func (c *compared) add(f *finding.Finding, ch finding.Change) {
	ch.Fingerprint, ch.ID, ch.Component, ch.Severity = f.Fingerprint, f.ID, f.Component, f.Severity
	c.out = append(c.out, ch)
}

// otherStore says whether another store judges.
func (c *compared) otherStore() bool { return c.before.Database.ID != c.now.Database.ID }

// otherProgram says whether another program judges.
func (c *compared) otherProgram() bool { return c.before.Tool != c.now.Tool }

// program says why the same store gives another finding for the same bytes: what
// this program does with it is given, as "finds".
func (c *compared) program(does string) string {
	if c.otherProgram() {
		return "another version of the program " + does + " it with the same store"
	}
	return "this program " + does + " it with the same store: the earlier report was edited, or is not all that was written"
}

// otherPolicy says whether another policy judges.
func (c *compared) otherPolicy() bool { return c.before.Policy != c.now.Policy }

// ofAdvisory says whether a finding is what an advisory says.
func ofAdvisory(f *finding.Finding) bool {
	return f.Kind == finding.KindVulnerability || f.Kind == finding.KindMalware
}

// ecosystem is the OSV ecosystem of a finding's package, as a store calls it.
func (c *compared) ecosystem(f *finding.Finding) string {
	for side, r := range []*finding.Report{c.now.Report, c.before.Report} {
		if x := c.packages[side].of(r).first[f.Component]; x != nil {
			base, _, _ := strings.Cut(x.Ecosystem, ":")
			return base
		}
	}
	return ""
}

// knewAt is when the store before was made, as far as it is about a finding;
// ok is false when it had nothing about its ecosystem.
func (c *compared) knewAt(f *finding.Finding) (at time.Time, ok bool) {
	e, ok := c.before.Database.Ecosystems[c.ecosystem(f)]
	return e.AsOf, ok
}

// hadBefore says whether the earlier report has a package in the version of a purl.
func (c *compared) hadBefore(purl string) bool {
	return c.packages[1].of(c.before.Report).first[purl] != nil
}

// hasNow says whether the report of today has a package in the version of a purl.
func (c *compared) hasNow(purl string) bool {
	return c.packages[0].of(c.now.Report).first[purl] != nil
}

// appeared says why a finding is new.
func (c *compared) appeared(f *finding.Finding) finding.Change {
	ch := finding.Change{After: string(f.Severity)}
	if c.moved && (f.Component == "" || !c.hadBefore(f.Component)) && f.Kind != finding.KindRuntime {
		ch.Cause, ch.Detail = finding.CauseArtifact, "the function's bytes are others, and these have it"
		return ch
	}
	switch {
	case ofAdvisory(f):
		ch.Cause, ch.Detail = c.advised(f)
	case f.Kind == finding.KindRuntime && runsOn(c.now.Report, f) && !runsOn(c.before.Report, f):
		ch.After = f.Rule
		ch.Cause, ch.Detail = finding.CauseDeployed, "it is deployed on it: "+f.Title
	case f.Kind == finding.KindRuntime:
		ch.After = f.Rule
		ch.Cause, ch.Detail = c.dated(), f.Title
	case f.OfTrust() && c.otherPolicy():
		ch.Cause, ch.Detail = finding.CausePolicy, "the policy demands it: "+f.Title
	case f.OfTrust() || f.Kind == finding.KindArchive:
		ch.Cause, ch.Detail = c.bytes(), f.Title
	default:
		ch.Cause, ch.Detail = c.dependency(f), f.Title
	}
	return ch
}

// runsOn says whether a function is deployed on the runtime that a finding is
// about, by what a list says, and was not judged for it.
func runsOn(r *finding.Report, f *finding.Finding) bool {
	return slices.ContainsFunc(r.Deployed, func(d finding.Deployed) bool { return d.Runtime != r.Runtime && "runtime:"+d.Runtime == f.ID })
}

// advised says why an advisory applies that did not.
func (c *compared) advised(f *finding.Finding) (finding.Cause, string) {
	at, known := c.knewAt(f)
	switch {
	case !c.otherStore() && c.moved:
		return finding.CauseArtifact, "the function's bytes are others, and these have it"
	case !c.otherStore():
		return finding.CauseProgram, c.program("finds")
	case !known:
		return finding.CauseNewAdvisory, "the store had no advisories of its ecosystem"
	case f.Published != nil && f.Published.After(at):
		return finding.CauseNewAdvisory, "published " + day(*f.Published) + ", after the store of the earlier report"
	case f.Modified != nil && f.Modified.After(at):
		return finding.CauseChangedAdvisory, "changed " + day(*f.Modified) + ": it covers this version now"
	}
	return finding.CauseNewAdvisory, "the store of the earlier report did not have it"
}

// dated is the cause of what depends on a dated table and the clock.
func (c *compared) dated() finding.Cause {
	switch {
	case c.now.At.After(c.before.At):
		return finding.CauseRuntime
	case c.moved:
		return finding.CauseArtifact
	}
	return finding.CauseProgram
}

// bytes is the cause of what was kept of the bytes.
func (c *compared) bytes() finding.Cause {
	if c.moved {
		return finding.CauseArtifact
	}
	return finding.CauseProgram
}

// dependency is the cause of what registries and dated tables say of a package.
func (c *compared) dependency(f *finding.Finding) finding.Cause {
	switch {
	case strings.HasPrefix(f.Rule, "integrity-"):
		return c.bytes()
	case c.learned(f.Component) || !c.otherPolicy() && c.now.At.After(c.before.At):
		return finding.CauseTime
	case c.otherPolicy():
		return finding.CausePolicy
	}
	return finding.CauseProgram
}

// learned says whether registries were asked about a package since.
func (c *compared) learned(purl string) bool {
	return c.packages[0].of(c.now.Report).asOf[purl].After(c.packages[1].of(c.before.Report).asOf[purl])
}

// disappeared says why a finding is no more.
func (c *compared) disappeared(f *finding.Finding) finding.Change {
	ch := finding.Change{Before: string(f.Severity)}
	if f.Kind == finding.KindRuntime {
		ch.Before = f.Rule
	}
	switch {
	case c.moved && (f.Component == "" || !c.hasNow(f.Component)):
		ch.Cause, ch.Detail = finding.CauseFixed, "the function's bytes are others, and these do not have it"
		if f.Component != "" {
			ch.After = c.packages[0].of(c.now.Report).versions(f.Component)
		}
	case ofAdvisory(f) && c.otherStore():
		ch.Cause, ch.Detail = finding.CauseWithdrawnAdvisory, "the store does not say so any more: withdrawn, or it does not cover this version"
	case ofAdvisory(f):
		ch.Cause, ch.Detail = finding.CauseProgram, c.program("does not find")
	case f.Kind == finding.KindRuntime:
		ch.Cause, ch.Detail = c.dated(), "not so any more: "+f.Title
	case f.OfTrust() && c.otherPolicy():
		ch.Cause, ch.Detail = finding.CausePolicy, "the policy does not demand it any more: "+f.Title
	case f.OfTrust() || f.Kind == finding.KindArchive:
		ch.Cause, ch.Detail = c.bytes(), "not so any more: "+f.Title
	default:
		ch.Cause, ch.Detail = c.dependency(f), "not so any more: "+f.Title
	}
	return ch
}

// likely is the share from which on a vulnerability is likely to be used within
// a month: EPSS moves a little every day, and only crossing it is a change.
const likely = 0.1

// changed says what of a finding is not what it was, and why; ok is false when
// nothing is.
func (c *compared) changed(was, is *finding.Finding) (ch finding.Change, ok bool) {
	if was.Kind == finding.KindRuntime && was.Rule != is.Rule {
		return finding.Change{Cause: c.dated(), Before: was.Rule, After: is.Rule, Detail: is.Title}, true
	}
	if was.Waived != nil && is.Waived == nil {
		ch = finding.Change{Cause: finding.CausePolicy, Before: "waived", After: "not waived", Detail: "the policy has no waiver of it any more"}
		if !c.now.At.Before(was.Waived.Expires) {
			ch.Cause, ch.Detail = finding.CauseWaiver, "its waiver by "+was.Waived.Owner+" ended on "+was.Waived.LastDay()
		}
		return ch, true
	}
	if ch, ok := c.advisory(was, is); ok {
		return ch, true
	}
	if was.Counts != is.Counts || (was.Waived == nil) != (is.Waived == nil) {
		return c.judged(was, is)
	}
	return ch, false
}

// advisory says what an advisory, or a list beside it, says otherwise.
func (c *compared) advisory(was, is *finding.Finding) (ch finding.Change, ok bool) {
	ch.Cause = finding.CauseChangedAdvisory
	switch {
	case !was.KEV && is.KEV:
		ch.Before, ch.After, ch.Detail = "", "known to be exploited", "the catalogue of known exploited vulnerabilities lists it now"
	case was.KEV && !is.KEV:
		ch.Before, ch.After, ch.Detail = "known to be exploited", "", "the catalogue of known exploited vulnerabilities does not list it any more"
	case was.Severity != is.Severity:
		ch.Before, ch.After, ch.Detail = string(was.Severity), string(is.Severity), "its severity is another"
	case (len(was.Fixed) == 0) != (len(is.Fixed) == 0) || len(is.Fixed) > 0 && was.Fixed[0] != is.Fixed[0]:
		ch.Before, ch.After, ch.Detail = first(was.Fixed), first(is.Fixed), fixed(first(was.Fixed), first(is.Fixed))
	case was.Reach != is.Reach && ofAdvisory(is):
		ch.Before, ch.After, ch.Detail = was.Reach, is.Reach, "whether its code is there is judged otherwise"
	case (was.EPSS >= likely) != (is.EPSS >= likely):
		ch.Before, ch.After, ch.Detail = fmt.Sprint(was.EPSS), fmt.Sprint(is.EPSS), "how likely it is to be used crossed a line"
	case was.Certainty != is.Certainty:
		ch.Before, ch.After, ch.Detail = string(was.Certainty), string(is.Certainty), "how certain it is, is another"
	default:
		return ch, false
	}
	switch {
	case ofAdvisory(is) && (c.otherStore() || c.otherFeeds()):
	case c.moved:
		ch.Cause = finding.CauseArtifact
	case ofAdvisory(is):
		ch.Cause = finding.CauseProgram
		if !c.otherProgram() {
			ch.Detail += "; " + c.program("says")
		}
	default:
		ch.Cause = c.dependency(is)
	}
	return ch, true
}

// fixed says what became of the version that fixes a flaw; "" for none.
func fixed(was, is string) string {
	switch {
	case is == "":
		return "no version is known any more that fixes it; it was " + was
	case was == "":
		return "a version that fixes it is known now: " + is
	}
	return "the version that fixes it is another"
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// otherFeeds says whether the lists beside the advisories are others.
func (c *compared) otherFeeds() bool {
	return !slices.Equal(c.before.Database.Feeds, c.now.Database.Feeds)
}

// judged says why the policy makes something else of a finding that is what it
// was.
func (c *compared) judged(was, is *finding.Finding) (finding.Change, bool) {
	ch := finding.Change{Before: standing(was), After: standing(is), Cause: finding.CausePolicy, Detail: "the policy judges it otherwise"}
	switch {
	case ch.Before == ch.After:
		return ch, false
	case stated(was) != stated(is) && is.Waived == nil:
		if ch.Detail = "no statement (VEX) says so any more: " + stated(was); stated(is) != "" {
			ch.Detail = "a statement (VEX) says of it: " + stated(is)
		}
	case was.Counts == "" && !c.otherPolicy(): // the earlier program did not say so
		return ch, false
	case was.GraceUntil != nil && !was.GraceUntil.After(c.now.At) && is.Counts == finding.Fail:
		ch.Cause, ch.Detail = finding.CauseTime, "its time of grace ended on "+day(*was.GraceUntil)
	case is.Waived != nil:
		ch.Detail = "the policy has a waiver of it, by " + is.Waived.Owner
	case !c.otherPolicy() && c.moved:
		ch.Cause, ch.Detail = finding.CauseArtifact, "the function's bytes are others"
	case !c.otherPolicy() && c.otherProgram():
		ch.Cause, ch.Detail = finding.CauseProgram, "another version of the program judges it otherwise"
	}
	return ch, true
}

// stated is the status that a statement gives a finding; "" without one.
func stated(f *finding.Finding) string {
	if f.VEX == nil {
		return ""
	}
	return f.VEX.Status
}

// standing is what a policy makes of a finding, in a word.
func standing(f *finding.Finding) string {
	switch {
	case f.Waived != nil:
		return "waived"
	case f.Counts == finding.Pass:
		return "warns"
	case f.Counts == "":
		return "does not count"
	}
	return string(f.Counts)
}

// verdict says why the verdict is another. It goes from the earlier judgement
// to this one in steps, and the step that led here for good is the cause: the
// policy of today with everything else as it was; then the clock of today; then
// what is known today about the bytes of today.
func (c *compared) verdict(decide Decide) {
	was, is := word(c.before.Report.Verdict.Decision), word(c.now.Report.Verdict.Decision)
	if was == is {
		return
	}
	decided := &finding.Decided{Before: was, After: is}
	ruled := decide(copyOf(c.before.Report), c.before.Database, c.before.At)
	later := decide(copyOf(c.before.Report), c.before.Database, c.now.At)
	switch {
	case word(later.Decision) != is:
		c.known(decided)
	case word(ruled.Decision) != is:
		c.explain(decided, []finding.Cause{finding.CauseWaiver, finding.CauseTime}, finding.Change{Cause: finding.CauseTime, Detail: why(later, "time has passed")})
	default:
		cause := finding.CausePolicy
		if !c.otherPolicy() && c.otherProgram() {
			cause = finding.CauseProgram
		}
		c.explain(decided, []finding.Cause{cause}, finding.Change{Cause: cause, Detail: why(ruled, "the policy judges otherwise")})
	}
}

// known explains a verdict by what is known today.
func (c *compared) known(decided *finding.Decided) {
	ch := finding.Change{Detail: why(c.now.Report.Verdict, "nothing speaks against it any more")}
	switch {
	case c.drifted(decided):
		ch.Cause = finding.CauseDeployed
	case c.moved:
		ch.Cause = finding.CauseArtifact
	case c.otherStore() || c.otherFeeds():
		if ch.Cause = finding.CauseNewAdvisory; rank(decided.After) < rank(decided.Before) {
			ch.Cause = finding.CauseChangedAdvisory
		}
	case c.otherProgram():
		ch.Cause = finding.CauseProgram
	default:
		ch.Cause = finding.CauseTime
	}
	c.explain(decided, []finding.Cause{finding.CauseNewAdvisory, finding.CauseChangedAdvisory, finding.CauseWithdrawnAdvisory, finding.CauseArtifact, finding.CauseFixed, finding.CauseRuntime, finding.CauseTime, finding.CauseProgram, finding.CausePolicy}, ch)
}

// drifted says whether what is deployed can have led to another verdict: a finding
// about that which counts as the worse of the two is on its side alone.
func (c *compared) drifted(decided *finding.Decided) bool {
	with, without, counts := c.now.Report, c.before.Report, decided.After
	if rank(decided.After) < rank(decided.Before) {
		with, without, counts = without, with, decided.Before
	}
	return slices.ContainsFunc(with.Findings, func(f finding.Finding) bool {
		return f.Kind == finding.KindDrift && f.Counts == counts && f.Rule != finding.RuleDriftFailsNow && // which is so because of the verdict
			!slices.ContainsFunc(without.Findings, func(g finding.Finding) bool { return g.Kind == f.Kind && g.Rule == f.Rule && g.Counts == f.Counts })
	})
}

// explain hangs a verdict on the first change of a finding that can have led to
// it, else on a change of its own.
func (c *compared) explain(decided *finding.Decided, causes []finding.Cause, alone finding.Change) {
	worsened := rank(decided.After) > rank(decided.Before)
	sortChanges(c.out)
	for i := range c.out {
		ch := &c.out[i]
		if !slices.Contains(causes, ch.Cause) {
			continue
		}
		now := c.find(ch.Fingerprint)
		if worsened && now != nil && now.Counts != "" && now.Counts != decided.After {
			continue // it only warns
		}
		if worsened && now == nil || !worsened && now != nil && now.Counts == decided.Before {
			continue
		}
		ch.Decision = decided
		return
	}
	alone.Before, alone.After, alone.Decision = string(decided.Before), string(decided.After), decided
	c.out = append(c.out, alone)
}

// find returns the finding of today with a fingerprint; nil when it is no more.
func (c *compared) find(fingerprint string) *finding.Finding {
	list := c.now.Report.Findings
	if c.by == nil {
		c.by = make(map[string]int, len(list))
		for i := range list {
			if _, twice := c.by[list[i].Fingerprint]; !twice {
				c.by[list[i].Fingerprint] = i
			}
		}
	}
	if i, ok := c.by[fingerprint]; ok {
		return &list[i]
	}
	return nil
}

// word is a decision that counts: what is no pass and no fail is incomplete.
func word(d finding.Decision) finding.Decision {
	if d == finding.Pass || d == finding.Fail {
		return d
	}
	return finding.Incomplete
}

func rank(d finding.Decision) int {
	switch d {
	case finding.Pass:
		return 0
	case finding.Fail:
		return 2
	}
	return 1
}

// copyOf is a report that a policy may mark.
func copyOf(r *finding.Report) *finding.Report {
	out := *r
	out.Findings, out.Unknowns, out.Upgrades = slices.Clone(r.Findings), slices.Clone(r.Unknowns), slices.Clone(r.Upgrades)
	return &out
}

// why is the first reason of a verdict.
func why(v finding.Verdict, otherwise string) string {
	if len(v.Reasons) > 0 {
		return v.Reasons[0]
	}
	return otherwise
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// causes in the order in which a person reads them.
var causes = []finding.Cause{
	finding.CauseNewAdvisory, finding.CauseChangedAdvisory, finding.CauseWithdrawnAdvisory, finding.CauseArtifact, finding.CauseDeployed, finding.CausePolicy,
	finding.CauseRuntime, finding.CauseWaiver, finding.CauseTime, finding.CauseFixed, finding.CauseNew, finding.CauseGone, finding.CauseProgram,
}

// order puts changes worst first: what changed a verdict for the worse, then by
// cause and severity.
func order(a, b *finding.Change) int {
	if n := cmp.Compare(worse(b), worse(a)); n != 0 {
		return n
	}
	if a.Cause != b.Cause {
		if n := cmp.Compare(slices.Index(causes, a.Cause), slices.Index(causes, b.Cause)); n != 0 {
			return n
		}
	}
	if n := cmp.Compare(b.Severity.Rank(), a.Severity.Rank()); n != 0 {
		return n
	}
	if n := cmp.Compare(a.Function, b.Function); n != 0 {
		return n
	}
	if n := cmp.Compare(a.Component, b.Component); n != 0 {
		return n
	}
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Fingerprint, b.Fingerprint))
}

// worse is how bad a verdict became by a change; 0 when it did not.
func worse(c *finding.Change) int {
	if c.Decision != nil && rank(c.Decision.After) > rank(c.Decision.Before) {
		return rank(c.Decision.After)
	}
	return 0
}

// sortChanges sorts changes, of which a night has a hundred thousand, by their
// places: to move them at each step takes longer than to compare them.
func sortChanges(list []finding.Change) {
	places := make([]int32, len(list))
	for i := range places {
		places[i] = int32(i)
	}
	slices.SortFunc(places, func(i, j int32) int { // stable: the same changes stay in their order
		return cmp.Or(order(&list[i], &list[j]), cmp.Compare(i, j))
	})
	out := make([]finding.Change, len(list))
	for i, at := range places {
		out[i] = list[at]
	}
	copy(list, out)
}

// Delta puts the changes of functions together. The sides are those before, of
// which it says what they agree in.
func Delta(changes []finding.Change, before []*Head) *finding.Delta {
	d := &finding.Delta{Changes: slices.Clone(changes), Summary: []finding.Tally{}}
	if d.Changes == nil {
		d.Changes = []finding.Change{}
	}
	sortChanges(d.Changes)
	count := map[finding.Cause]int{}
	for i := range d.Changes {
		count[d.Changes[i].Cause]++
	}
	for _, cause := range causes {
		if n := count[cause]; n > 0 {
			d.Summary = append(d.Summary, finding.Tally{Cause: cause, Count: n})
		}
	}
	for i, h := range before {
		policy := cmp.Or(h.Policy.Digest, h.Policy.Name)
		if i == 0 {
			d.Before = finding.DeltaSide{Database: h.Database.ID, Policy: policy, JudgedAt: h.JudgedAt}
			continue
		}
		if d.Before.Database != h.Database.ID {
			d.Before.Database = ""
		}
		if d.Before.Policy != policy {
			d.Before.Policy = ""
		}
		if h.JudgedAt.After(d.Before.JudgedAt) {
			d.Before.JudgedAt = h.JudgedAt
		}
	}
	return d
}
