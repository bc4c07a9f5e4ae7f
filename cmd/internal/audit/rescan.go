package audit

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// Recorded is what an earlier report says of a function.
type Recorded struct {
	Report *finding.Report
	Policy finding.PolicyRef // that it was judged under
	At     time.Time         // when
	Joined bool              // what is deployed is said anew: what is recorded of that does not count

	known map[string]*finding.Facts // package URL -> what is recorded; nil before it was asked
}

// Again judges a function by an earlier report of it: the components that it
// records are matched and judged anew, by the store, the policy and the clock
// of the run. What needs the bytes is kept as it was recorded, with the time of
// that. The result shares memory with the earlier report and leaves it as it
// is. Only a cancelled ctx is an error.
func (a *Auditor) Again(ctx context.Context, old Recorded) (*finding.Report, error) {
	rep := old.start()
	if rep.Check("open").State == finding.Ran {
		a.check(ctx, rep, &Subject{
			Name: rep.Name, SBOM: old.bill(), GoBinaries: old.Report.GoBinaries, recorded: &old,
			Vetted: rep.Vetted != nil, Lockfile: rep.Vetted != nil && rep.Vetted.Lockfile != "",
		})
	}
	seal(rep)
	old.carry(rep)
	a.decide(rep)
	return rep, ctx.Err()
}

// Unread is the report of a stored report that could not be read. As of
// [Auditor.Function], only a cancelled ctx is an error.
func (a *Auditor) Unread(ctx context.Context, name, file string, err error) (*finding.Report, error) {
	rep := finding.NewReport(name, file)
	rep.Ran("open", err)
	err = a.finish(ctx, rep)
	if rep.Verdict.Next != "" {
		rep.Verdict.Next = "take " + file + " away, or write it again with fnaudit scan -o json=FILE"
	}
	return rep, err
}

// start is the earlier report without what is judged anew.
func (old *Recorded) start() *finding.Report {
	rep := *old.Report
	rep.Components = slices.Clone(rep.Components)
	for i := range rep.Components {
		c := &rep.Components[i]
		c.Upgrade, c.UpgradeMinor, c.BroughtBy = "", "", nil
	}
	rep.Absent = slices.Clone(rep.Absent)
	rep.Unknowns, rep.Findings = []finding.Unknown{}, []finding.Finding{}
	rep.GoBinaries, rep.Attestations, rep.Calendar, rep.Upgrades = nil, nil, nil, nil
	rep.Checks, rep.Verdict = []finding.Status{}, finding.Verdict{}
	for _, u := range old.Report.Unknowns {
		if !judgedAnew(u) {
			rep.Unknowns = append(rep.Unknowns, u)
		}
	}
	for _, f := range old.Report.Findings {
		if f.Rule == ruleArchiveChanged || f.Kind == finding.KindDrift && !old.Joined { // before any check, and after all of them
			rep.Findings = append(rep.Findings, f)
		}
	}
	if old.Joined {
		rep.Deployed = nil
	}
	for _, name := range []string{"open", "catalog"} {
		if i := slices.IndexFunc(old.Report.Checks, func(s finding.Status) bool { return s.Check == name }); i >= 0 {
			rep.Checks = append(rep.Checks, old.dated(old.Report.Checks[i]))
		}
	}
	return &rep
}

// judgedAnew says whether an unknown is of a check, which says it again or is
// kept with it. Reports of versions that did not say so are told by what they
// hold: only matching knows of packages without an advisory source.
func judgedAnew(u finding.Unknown) bool {
	return u.Check != "" || u.Kind == string(sbom.Unmatched) && u.PURL != ""
}

// dated is a recorded status with the time of its result.
func (old *Recorded) dated(s finding.Status) finding.Status {
	if s.At == nil && !old.At.IsZero() {
		at := old.At.UTC()
		s.At = &at
	}
	return s
}

// bill is the bill of materials that the report holds.
func (old *Recorded) bill() *sbom.SBOM {
	r := old.Report
	out := Bill(r)
	for _, a := range r.Absent {
		out.Absent = append(out.Absent, sbom.Absent{PURL: a.PURL, Name: a.Name, Version: a.Version, Ecosystem: a.Ecosystem, Lockfile: a.Lockfile, Bundles: a.Bundles})
	}
	for _, t := range r.Traits {
		out.Traits = append(out.Traits, sbom.Trait{Kind: sbom.TraitKind(t.Kind), Artifact: t.Artifact, Path: t.Path, Detail: t.Detail})
	}
	for _, u := range r.Unknowns {
		if !judgedAnew(u) {
			out.Unknowns = append(out.Unknowns, sbom.Unknown{Artifact: u.Artifact, Path: u.Path, Kind: sbom.UnknownKind(u.Kind), Reason: u.Reason, Origin: sbom.Origin(u.Origin), Code: u.Code})
		}
	}
	return out
}

// keep takes over the recorded result of a check that needs the bytes.
func (a *Auditor) keep(rep *finding.Report, s *Subject, check string) {
	old := s.recorded
	status := old.Report.Check(check)
	if !slices.ContainsFunc(old.Report.Checks, func(c finding.Status) bool { return c.Check == check }) {
		rep.Skip(check, "the earlier report does not have it: scan the function again")
		return
	}
	for _, f := range old.Report.Findings {
		if keptOf(f) == check {
			if f, ok := a.redemand(old, f); ok {
				rep.Findings = append(rep.Findings, f)
			}
		}
	}
	if check == "signature" {
		for _, one := range old.Report.Attestations {
			if one.Kind == string(attest.KindVulnerability) {
				one.Reason = scanned(one, a.Now)
			}
			rep.Attestations = append(rep.Attestations, one)
		}
	}
	if kind := finding.Kind(check); kind == finding.KindSignature || kind == finding.KindProvenance {
		rep.Findings = append(rep.Findings, a.undemanded(old, kind)...)
	}
	for _, u := range old.Report.Unknowns {
		if u.Check == check {
			rep.Unknowns = append(rep.Unknowns, u)
		}
	}
	rep.Checks = append(rep.Checks, old.dated(status))
}

// keptOf names the check that needs the bytes and that a finding is of; "" when
// it is of one that runs again.
func keptOf(f finding.Finding) string {
	switch {
	case f.Kind == finding.KindArchive, f.Kind == finding.KindSignature, f.Kind == finding.KindProvenance:
		return string(f.Kind)
	case f.Kind == finding.KindUntrusted && strings.HasPrefix(f.Rule, "integrity-"):
		return "integrity"
	}
	return ""
}

// redemand is a recorded finding under the policy of today: what that does not
// demand any more is not demanded. ok is false when nothing is left of it.
func (a *Auditor) redemand(old *Recorded, f finding.Finding) (finding.Finding, bool) {
	rule, required := strings.CutPrefix(f.Rule, finding.RequiredPrefix)
	if !required || !f.OfTrust() || old.Policy == a.Policy.Ref() || len(f.Evidence) == 0 {
		return f, true
	}
	if i := f.Evidence[0].Artifact; i < 0 || i >= len(old.Report.Artifacts) || a.demands(old, i, f.Kind) {
		return f, true
	}
	if strings.HasSuffix(rule, "-"+attest.Missing.String()) {
		return f, false // the record says so, and the policy answers to that
	}
	f.Rule, f.ID = rule, strings.TrimPrefix(f.ID, finding.RequiredPrefix)
	if strings.HasSuffix(rule, "-"+attest.Unverifiable.String()) {
		f.Severity = finding.Low
	}
	return f, true
}

// undemanded are findings about what the policy of today demands of artifacts,
// and what nobody asked when the bytes were there, because another policy did
// not. Nothing can tell it now.
func (a *Auditor) undemanded(old *Recorded, kind finding.Kind) []finding.Finding {
	if old.Policy == a.Policy.Ref() {
		return nil
	}
	var out []finding.Finding
	for i, art := range old.Report.Artifacts {
		asked := slices.ContainsFunc(old.Report.Findings, func(f finding.Finding) bool {
			return f.Kind == kind && strings.HasPrefix(f.Rule, finding.RequiredPrefix) && len(f.Evidence) > 0 && f.Evidence[0].Artifact == i
		})
		if asked || !a.demands(old, i, kind) {
			continue
		}
		why := attest.Result{Step: attest.StepFind, Reason: "the policy demands it, and the report was made under another policy: scan the function again"}
		out = append(out, signatureFinding(signed{artifact: i, ref: art.Ref}, answer{status: attest.Unverifiable, required: true, why: why}, kind))
	}
	return out
}

// demands says whether the policy of today demands something of an artifact.
func (a *Auditor) demands(old *Recorded, artifact int, kind finding.Kind) bool {
	art := old.Report.Artifacts[artifact]
	rule, _ := a.Policy.Trust.Rule(art.Ref, art.Kind, (&signed{artifact: artifact}).role())
	for _, r := range rule.Require {
		if (r.Provenance != nil) == (kind == finding.KindProvenance) {
			return true
		}
	}
	return false
}

// skipped is why a check could not ask its question: the recorded reason where
// it could not then either.
func (s *Subject) skipped(check, why string) string {
	if s.recorded != nil {
		if was := s.recorded.Report.Check(check); was.State == finding.Skipped && was.Reason != "" {
			return was.Reason
		}
	}
	return why
}

// carry says of findings since when they are known.
func (old *Recorded) carry(rep *finding.Report) { Seen(rep, old.Report, old.At) }

// Seen says of findings that an earlier report, of the time at, has since when
// they are known. What is known for longer stays so.
func Seen(rep, earlier *finding.Report, at time.Time) {
	seen := newSeen(earlier.Findings, at)
	for i := range rep.Findings {
		f := &rep.Findings[i]
		if first := seen.of(f); first != nil && (f.FirstSeen == nil || first.Before(*f.FirstSeen)) {
			f.FirstSeen = first
		}
	}
}

// seen is since when the findings of a function are known.
type seen struct {
	by map[seenKey]time.Time
	at time.Time
}

// seenKey is what a finding is recognised by: its fingerprint, as the id of no
// kind, or one of its names about the same package.
type seenKey struct {
	kind                finding.Kind
	rule, component, id string
}

func newSeen(findings []finding.Finding, at time.Time) seen {
	s := seen{by: make(map[seenKey]time.Time, 4*len(findings)), at: at}
	for i := range findings {
		f := &findings[i]
		first := at
		if f.FirstSeen != nil {
			first = *f.FirstSeen
		}
		for key := range seenKeys(f) {
			if was, ok := s.by[key]; !ok || first.Before(was) {
				s.by[key] = first
			}
		}
	}
	return s
}

// seenKeys are what a finding is recognised by: its fingerprint, and each of
// its names about the same package.
func seenKeys(f *finding.Finding) iter.Seq[seenKey] {
	return func(yield func(seenKey) bool) {
		key := seenKey{f.Kind, f.Rule, finding.Versionless(f.Component), f.ID}
		if !yield(seenKey{id: f.Fingerprint}) || !yield(key) {
			return
		}
		for _, key.id = range f.Aliases {
			if !yield(key) {
				return
			}
		}
	}
}

// of is since when a finding is known; nil when it is new.
func (s *seen) of(f *finding.Finding) *time.Time {
	var first time.Time
	for key := range seenKeys(f) {
		if at, ok := s.by[key]; ok && !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		return nil
	}
	first = first.UTC()
	return &first
}

// reachAgain is checkReachability of a stored report. What it says of a finding
// stands as long as that is about the same records as they were; of the others
// the kept symbols are asked.
func (a *Auditor) reachAgain(ctx context.Context, s *Subject) (Result, error) {
	old := s.recorded.Report
	was := old.Check("reachability")
	res := Result{Reach: s.reached()}
	asked, err := questions(ctx, a.DB, s, res.Reach)
	if err != nil {
		return Result{}, err
	}
	asked = slices.DeleteFunc(asked, func(q *question) bool { return len(q.findings) == 0 })
	if len(asked) > 0 {
		if a.Reach == nil {
			return Result{Reach: res.Reach, GoBinaries: old.GoBinaries}, Skipped("this build cannot look into Go binaries")
		}
		var more Result
		if more, err = a.lookInto(ctx, s, asked); ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		maps.Copy(res.Reach, more.Reach)
	}
	res.GoBinaries = old.GoBinaries
	switch {
	case err != nil:
		return res, err
	case was.State == finding.Failed:
		return res, errors.New(was.Reason)
	case was.State == finding.Skipped && len(old.GoBinaries) == 0:
		return res, Skipped(was.Reason)
	}
	return res, nil
}

// reached is what the earlier report says of findings about the same records.
func (s *Subject) reached() map[int]Reached {
	known := map[int]Reached{}
	type key struct{ component, id string }
	was := map[key]*finding.Finding{}
	for i := range s.recorded.Report.Findings {
		f := &s.recorded.Report.Findings[i]
		if f.Kind == finding.KindVulnerability && slices.ContainsFunc(f.Evidence, func(e finding.Evidence) bool { return e.Source == sourceReach }) {
			was[key{f.Component, f.ID}] = f
		}
	}
	if len(was) == 0 {
		return known
	}
	for i := range s.Findings {
		f := &s.Findings[i]
		old := was[key{f.Component, f.ID}]
		if old == nil || f.Kind != finding.KindVulnerability || !sameRecords(f, old) {
			continue
		}
		r := Reached{State: cmp.Or(old.Reach, finding.ReachUnknown)}
		for _, e := range old.Evidence {
			if e.Source == sourceReach {
				r.Evidence = append(r.Evidence, e)
			}
		}
		known[i] = r
	}
	return known
}

// sameRecords says whether two findings are about the same advisories, as they
// were last modified.
func sameRecords(a, b *finding.Finding) bool {
	return a.Rule == b.Rule && slices.EqualFunc(recordsIn(a), recordsIn(b), func(x, y finding.Evidence) bool {
		return x.Locator == y.Locator && x.Detail == y.Detail && x.At != nil && y.At != nil && x.At.Equal(*y.At)
	})
}

func recordsIn(f *finding.Finding) []finding.Evidence {
	var out []finding.Evidence
	for _, e := range f.Evidence {
		if e.Source == sourceAdvisory {
			out = append(out, e)
		}
	}
	return out
}
