// Package audit is the pipeline: it opens a function, catalogues it, runs the
// checks, and asks the policy for a verdict. The libraries below it know
// nothing of findings; each check here adapts one library's results.
package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/cmd/internal/vex"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
	"github.com/fnaudit/fnaudit/sbom/stale"
	"github.com/fnaudit/fnaudit/vulndb"
)

// Auditor audits functions. Its fields are set once; it is then safe for
// concurrent use, so that one store, one opener and one cataloger serve all
// functions of a run. It must not be copied.
type Auditor struct {
	Open    func(context.Context, bundle.Spec) (*bundle.Function, error) // digests may come late: [bundle.Opener.Begin]
	Catalog func(context.Context, *bundle.Function) (*sbom.SBOM, error)
	DB      *vulndb.DB
	Policy  *policy.Policy
	Checks  []Check // in order; All() is the usual list
	Reach   Reacher // nil: Go binaries are not looked into
	Now     time.Time
	Trust   *Trust // who is trusted, and where evidence lies; nil: nobody by name, and only what is inside an artifact

	Runtimes *stale.Runtimes  // when runtimes end; nil: the table of the program
	Registry *registry.Client // what registries say of packages; nil: nobody knows
	Deep     bool             // checks that read every byte run too
	DeepTree bool             // the published archives of all that a vetted package needs, and of all that a lockfile pins, are looked into

	Lines     []Lines           // of lockfiles that were given
	VEX       *vex.Set          // what others say of findings; nil: nothing
	Published *attest.Published // who may vouch for published packages; nil: whom the embedded roots know

	once     sync.Once
	database finding.Database
	learnt   sync.Map // registry.Package -> time.Time, see learned
	memo     memo
}

// Database describes the store, as every report of the run does. Do not modify
// the result.
func (a *Auditor) Database() finding.Database {
	a.once.Do(func() { a.database = Database(a.DB) })
	return a.database
}

// With returns an auditor like this one that judges with another store, and
// with a cataloger that belongs to it.
func (a *Auditor) With(db *vulndb.DB, catalog func(context.Context, *bundle.Function) (*sbom.SBOM, error)) *Auditor {
	return &Auditor{Open: a.Open, Catalog: catalog, DB: db, Policy: a.Policy, Checks: a.Checks, Reach: a.Reach, Now: a.Now, Trust: a.Trust, Runtimes: a.Runtimes, Registry: a.Registry, Deep: a.Deep, DeepTree: a.DeepTree, Published: a.Published, Lines: a.Lines, VEX: a.VEX}
}

// Refused wraps an error of Open that is about how the program was called and
// not about the function: it is no verdict.
type Refused struct{ Err error }

func (r Refused) Error() string { return r.Err.Error() }

func (r Refused) Unwrap() error { return r.Err }

// Function audits one function. Only a cancelled ctx is an error, and what Open
// calls Refused: whatever else goes wrong is part of the report, where the
// policy sees it, so that a broken input can never pass.
func (a *Auditor) Function(ctx context.Context, spec bundle.Spec) (*finding.Report, error) {
	rep := newReport(spec)
	f, err := a.Open(ctx, spec)
	if refused := (Refused{}); errors.As(err, &refused) {
		return nil, err
	}
	if rep.Ran("open", err) {
		defer f.Close()
		bom, err := a.catalog(ctx, f)
		f.Settle() // a catalog that failed may not have done it
		describe(rep, f)
		if rep.Ran("catalog", err) {
			addSBOM(rep, bom)
			placeInLocks(rep, a.Lines)
			addNoCode(rep, f, bom)
		} else {
			rep.Unknowns = append(rep.Unknowns, finding.Unknown{Kind: string(sbom.Unreadable), Reason: "no bill of materials: " + err.Error(), Code: true})
			bom = &sbom.SBOM{}
		}
		a.check(ctx, rep, &Subject{Name: rep.Name, Function: f, SBOM: bom})
	}
	return rep, a.finish(ctx, rep)
}

// Components audits a bill of materials that another tool or an earlier run
// made: checks that need the bytes are skipped, and say so.
func (a *Auditor) Components(ctx context.Context, spec bundle.Spec, bom *sbom.SBOM, err error) (*finding.Report, error) {
	if err == nil && len(bom.Components) == 0 { // of bytes that hold no package nothing is to be said; that a document names none proves nothing
		empty := *bom
		empty.Unknowns = append(empty.Unknowns, sbom.Unknown{Kind: sbom.Opaque, Reason: "the bill of materials names no package, so there was nothing to judge: give the function's own package", Code: true})
		bom = &empty
	}
	return a.Rescan(ctx, spec, bom, nil, err)
}

// Rescan is Components with what an earlier report keeps of the Go binaries, so
// that they can be asked about the advisories of today.
func (a *Auditor) Rescan(ctx context.Context, spec bundle.Spec, bom *sbom.SBOM, kept []finding.GoBinary, err error) (*finding.Report, error) {
	rep := newReport(spec)
	if rep.Ran("open", err) {
		rep.Ran("catalog", nil)
		rep.Platform, rep.Runtime, rep.Handler, rep.Architecture = string(spec.Platform), spec.Runtime, spec.Handler, spec.Arch
		rep.Artifacts = append(rep.Artifacts, finding.Artifact{Ref: spec.Ref, Kind: string(bundle.KindSBOM), Digest: string(bom.Subject)})
		addSBOM(rep, bom)
		placeInLocks(rep, a.Lines)
		a.check(ctx, rep, &Subject{Name: rep.Name, SBOM: bom, GoBinaries: kept})
	}
	return rep, a.finish(ctx, rep)
}

// catalog makes the bill of materials. A panic in a parser of outside bytes
// is that artifact's failure, not the run's.
func (a *Auditor) catalog(ctx context.Context, f *bundle.Function) (bom *sbom.SBOM, err error) {
	defer func() {
		if r := recover(); r != nil {
			bom, err = nil, fmt.Errorf("catalog %s: internal error: %v", f.Code.Ref, r)
		}
	}()
	return a.Catalog(ctx, f)
}

// check runs the checks in order and records what became of each.
func (a *Auditor) check(ctx context.Context, rep *finding.Report, s *Subject) {
	s.runtimeOf(rep)
	s.Declared = rep.Declared
	s.Policy, _ = a.Policy.For(rep)
	for _, c := range a.Checks {
		if s.Vetted && finding.OfShipped(c.Name) || c.Asked != nil && !c.Asked(s) && !slices.Contains(s.Policy.Require, c.Name) {
			continue
		}
		if s.recorded != nil && c.Kept {
			a.keep(rep, s, c.Name)
			continue
		}
		if lacks := s.Lacks(c.Need); lacks != "" && s.recorded == nil {
			rep.Skip(c.Name, lacks)
			continue
		}
		s.Findings = rep.Findings
		res, err := run(ctx, c, a, s)
		for i, r := range res.Reach {
			rep.Findings[i].Reach = r.State
			rep.Findings[i].Evidence = append(rep.Findings[i].Evidence, r.Evidence...)
		}
		rep.GoBinaries = append(rep.GoBinaries, res.GoBinaries...)
		if len(rep.Findings) == 0 && len(res.Findings) > 0 {
			rep.Findings = res.Findings
		} else {
			rep.Findings = append(rep.Findings, res.Findings...)
		}
		for _, u := range res.Unknowns {
			u.Check = c.Name
			rep.Unknowns = append(rep.Unknowns, u)
		}
		rep.Attestations = append(rep.Attestations, res.Attestations...)
		rep.Calendar = append(rep.Calendar, res.Calendar...)
		for i := range rep.Absent {
			if found, ok := res.Absent[rep.Absent[i].PURL]; ok {
				rep.Absent[i].Advisories = found
			}
		}
		if res.Affected != nil {
			s.affected = res.Affected
		}
		for i := range rep.Components {
			if facts, ok := res.Facts[rep.Components[i].PURL]; ok {
				rep.Components[i].Facts = facts
			}
		}
		if why := Skipped(""); errors.As(err, &why) {
			rep.Skip(c.Name, s.skipped(c.Name, string(why)))
			continue
		}
		if rep.Ran(c.Name, err) && res.Note != "" { // an error is recorded: failed is not clean
			rep.Checks[len(rep.Checks)-1].Reason = res.Note
		}
	}
	a.conclude(ctx, rep, s)
}

// adviceCheck marks unknowns of what is no check of its own.
const adviceCheck = "advice"

// conclude names the findings, and says what is to be done about them. Advice
// that cannot be given takes nothing away: the findings stand without it.
func (a *Auditor) conclude(ctx context.Context, rep *finding.Report, s *Subject) {
	defer func() {
		if r := recover(); r != nil {
			rep.Upgrades = nil
			rep.Unknowns = append(rep.Unknowns, finding.Unknown{Kind: string(sbom.Unreadable), Check: adviceCheck, Reason: fmt.Sprintf("what to upgrade to is not known: internal error: %v", r)})
		}
	}()
	identify(rep)
	if err := a.advise(ctx, rep, s); err != nil && ctx.Err() == nil {
		rep.Unknowns = append(rep.Unknowns, finding.Unknown{Kind: string(sbom.Unreadable), Check: adviceCheck, Reason: "what to upgrade to is not known: " + err.Error()})
	}
}

func run(ctx context.Context, c Check, a *Auditor, s *Subject) (res Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("check %s: internal error: %v", c.Name, r)
		}
	}()
	return c.Run(ctx, a, s)
}

// identify gives each finding its fingerprint.
func identify(rep *finding.Report) {
	for i := range rep.Findings {
		f := &rep.Findings[i]
		f.Fingerprint = finding.Fingerprint(f.Kind, f.Rule, rep.Name, f.Component, f.ID, f.Aliases)
	}
}

func (a *Auditor) finish(ctx context.Context, rep *finding.Report) error {
	seal(rep)
	a.decide(rep)
	return ctx.Err()
}

// seal completes what the checks found.
func seal(rep *finding.Report) {
	identify(rep)
	for i := range rep.Findings {
		f := &rep.Findings[i]
		if f.Reach == "" {
			f.Reach = finding.ReachUnknown
		}
		f.Aliases, f.Fixed, f.Evidence = notNil(f.Aliases), notNil(f.Fixed), notNil(f.Evidence)
	}
	finding.SortEvents(rep.Calendar)
	rep.Sort()
}

// decide marks the findings with what others say of them, and judges.
func (a *Auditor) decide(rep *finding.Report) {
	a.VEX.Mark(rep)
	rep.Verdict = a.Policy.Decide(rep, a.Database(), a.Now)
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
