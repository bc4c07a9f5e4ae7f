package audit

import (
	"context"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/registry"
	"github.com/fnaudit/fnaudit/sbom/trust"
)

// facts are the recorded facts about a component; nil when there are none.
func (old *Recorded) facts(purl string) *finding.Facts {
	if old.known == nil {
		old.known = make(map[string]*finding.Facts, len(old.Report.Components))
		for i := range old.Report.Components {
			if c := &old.Report.Components[i]; c.Facts != nil {
				old.known[c.PURL] = c.Facts
			}
		}
	}
	return old.known[purl]
}

// unasked says that no registry was asked when the earlier report was made, and
// that none can be now, so that a check that could not ask then cannot either.
// The packages need not be gone through for that.
func (s *Subject) unasked(a *Auditor, check string) bool {
	return s.recorded != nil && a.Registry == nil && s.recorded.Report.Check(check).State == finding.Skipped && s.recorded.facts("") == nil && len(s.recorded.known) == 0
}

// standingsAgain is how versions stand by what an earlier report records. Where
// the registries' answers that are kept here are newer, those count; with a
// client that may ask, all are asked.
func (a *Auditor) standingsAgain(ctx context.Context, s *Subject, questions []registry.Question) ([]*registry.Standing, error) {
	out := make([]*registry.Standing, len(questions))
	unasked := &registry.Standing{Reason: registry.ErrOffline.Error()}
	for i := range out {
		out[i] = unasked
	}
	if s.recorded.facts(""); len(s.recorded.known) > 0 {
		s.standingsRecorded(questions, out)
	}
	if a.Registry == nil {
		return out, nil
	}
	var ask []registry.Question
	var to []int
	for i, q := range questions {
		if a.Registry.Online || a.learned(q.Package).After(out[i].AsOf) {
			ask, to = append(ask, q), append(to, i)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	fresh, err := a.Registry.Standings(ctx, ask)
	if err != nil {
		return nil, err
	}
	for i := range fresh {
		f, was := &fresh[i], out[to[i]]
		if f.Answer != registry.Unknown && f.AsOf.After(was.AsOf) || was.Answer == registry.Unknown && was.AsOf.IsZero() {
			out[to[i]] = f
		}
	}
	return out, nil
}

// standingsRecorded takes over the standings that the report records.
func (s *Subject) standingsRecorded(questions []registry.Question, out []*registry.Standing) {
	at := make(map[registry.Question]int, len(questions))
	for i, q := range questions {
		at[q] = i
	}
	for i := range s.SBOM.Components {
		c := &s.SBOM.Components[i]
		p, _, ok := registry.ParsePURL(c.PURL)
		if j, asked := at[registry.Question{Package: p, Version: c.Version}]; ok && asked && !c.Main {
			if f := s.recorded.facts(c.PURL); f != nil {
				st := standingOf(f)
				out[j] = &st
			}
		}
	}
}

// learned is when the cache last took in what a registry says of a package.
func (a *Auditor) learned(p registry.Package) time.Time {
	if at, ok := a.learnt.Load(p); ok {
		return at.(time.Time)
	}
	at := a.Registry.Learned(p)
	p.Name = strings.Clone(p.Name) // it may be a part of a whole stored report
	a.learnt.Store(p, at)
	return at
}

// standingOf is the standing that facts were made from, as far as any check
// asks: factsOf turned around.
func standingOf(f *finding.Facts) registry.Standing {
	s := registry.Standing{
		Source: f.Source, AsOf: f.AsOf, Reason: f.Reason, Published: f.Published, First: f.First,
		Last: releaseAgain(f.Last), Newest: releaseAgain(f.Newest), Major: releaseAgain(f.Major), Minor: releaseAgain(f.Minor),
		Behind: f.Behind, MajorsBack: f.MajorsBack, MinorBack: f.MinorBack, Unordered: f.Unordered,
		Deprecated: f.Deprecated, Yanked: f.Yanked, Archived: f.Archived, Licenses: f.Licenses, Integrity: f.Integrity, Scripts: f.Scripts,
		Repository: f.Repository, Publisher: f.Publisher, Attested: attestedAgain(f.Attested),
	}
	switch f.State {
	case "known":
		s.Answer, s.Version = registry.Known, true
	case "no-version":
		s.Answer = registry.Known
	case "no-package":
		s.Answer = registry.Absent
	}
	if f.Maintainer != "" {
		s.Maintainers = []string{f.Maintainer}
	}
	if p := f.Past; p != nil {
		s.Past = registry.Past{Attested: releaseAgain(p.Attested), Run: p.Run, Publishers: p.Publishers, Known: p.Known}
	}
	if p := f.Previous; p != nil {
		s.Previous = &registry.Version{Version: p.Version, Published: p.Published, Repository: p.Repository, Publisher: p.Publisher, Attested: attestedAgain(p.Attested)}
	}
	return s
}

func attestedAgain(word string) registry.Answer {
	return map[string]registry.Answer{"yes": registry.Known, "no": registry.Absent}[word]
}

func releaseAgain(r *finding.Release) registry.Release {
	if r == nil {
		return registry.Release{}
	}
	return registry.Release{Version: r.Version, Published: r.Published}
}

// recall takes over what was verified when the earlier report was made: it is
// about a published version, which does not change.
func (o *attested) recall(f *finding.Facts) {
	if f == nil {
		return
	}
	if p := f.Attestation; p != nil {
		claimed := o.Provenance.Status == trust.ProofClaimed
		o.asked, o.provenance = true, p
		o.Provenance = trust.Proof{Status: proofAgain(p.Status), Repository: p.Repository, Signer: p.Identity, Reason: p.Reason, Locator: p.Source, At: p.At}
		if o.Provenance.Status == trust.ProofUnknown && claimed && !o.Required {
			o.Provenance.Status = trust.ProofClaimed
		}
	}
	if p := f.Signature; p != nil {
		o.signature = p
		o.Signature.Status, o.Signature.Reason = proofAgain(p.Status), p.Reason
	}
}

func proofAgain(status string) trust.ProofStatus {
	for _, s := range []attest.Status{attest.Missing, attest.Rejected, attest.Verified} {
		if s.String() == status {
			return proofStatus(s)
		}
	}
	return trust.ProofUnknown
}
