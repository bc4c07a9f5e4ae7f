package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// FactsHint ends the reason why no package is known: what would change that.
const FactsHint = " (scan --online asks them, db update --facts REPORT too)"

// nobodyAsked is that reason where nothing is kept and nobody may be asked.
const nobodyAsked = "no registry was asked" + FactsHint

// checkFacts asks what registries say of the components. The answers are
// recorded in the report, and the checks after it judge by them.
func checkFacts(ctx context.Context, a *Auditor, s *Subject) (Result, error) {
	var res Result
	s.Standings = map[string]*registry.Standing{}
	if s.unasked(a, "facts") {
		return Result{}, Skipped(nobodyAsked)
	}
	var questions []registry.Question
	asked := make(map[string]int, len(s.SBOM.Components)) // package URL -> index of its question
	questions = make([]registry.Question, 0, len(s.SBOM.Components))
	for i := range s.SBOM.Components {
		c := &s.SBOM.Components[i]
		p, _, ok := registry.ParsePURL(c.PURL)
		if _, twice := asked[c.PURL]; c.Main || !ok || twice {
			continue
		}
		asked[c.PURL] = len(questions)
		questions = append(questions, registry.Question{Package: p, Version: c.Version})
	}
	if len(questions) == 0 {
		res.Note = "it holds no package of a registry"
		return res, nil
	}
	standings, err := a.standings(ctx, s, questions)
	if err != nil {
		return res, err
	}
	known, private, why := 0, 0, ""
	s.Standings = make(map[string]*registry.Standing, len(asked))
	for i := range s.SBOM.Components {
		c := &s.SBOM.Components[i]
		i, ok := asked[c.PURL]
		if s.Standings[c.PURL] != nil || !ok {
			continue
		}
		st := standings[i]
		s.Standings[c.PURL] = st
		if st.Answer == registry.Unknown {
			if st.Reason == registry.ReasonPrivate {
				private++
			}
			if why == "" || why == registry.ReasonPrivate { // a registry that does not answer must not hide behind a private name
				why = st.Reason
			}
			continue
		}
		known++
	}
	switch {
	case private == len(asked): // all that may be known is known
		res.Note = registry.ReasonPrivate
	case known == 0:
		// nobody was asked: nothing is to be recorded
		switch {
		case a.Registry != nil && a.Registry.Online:
		case why == registry.ErrOffline.Error():
			why = nobodyAsked
		default:
			why += FactsHint
		}
		return Result{}, Skipped(why)
	case known < len(asked):
		res.Note = fmt.Sprintf("known for %d of %s; %s", known, finding.Count(len(asked), "package", "packages"), why)
	}
	res.Facts = make(map[string]*finding.Facts, len(s.Standings))
	for purl, st := range s.Standings {
		res.Facts[purl] = factsOf(st)
	}
	return res, nil
}

// standings asks how versions stand, or looks it up in what an earlier report
// records.
func (a *Auditor) standings(ctx context.Context, s *Subject, questions []registry.Question) ([]*registry.Standing, error) {
	switch {
	case s.recorded != nil:
		return a.standingsAgain(ctx, s, questions)
	case a.Registry == nil:
		return nil, Skipped(nobodyAsked)
	}
	list, err := a.Registry.Standings(ctx, questions)
	if err != nil {
		return nil, err
	}
	out := make([]*registry.Standing, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out, nil
}

// factsOf is a standing as the report holds it.
func factsOf(s *registry.Standing) *finding.Facts {
	f := &finding.Facts{
		Source: s.Source, AsOf: s.AsOf.UTC(), State: "known", Reason: s.Reason, Published: utc(s.Published), First: utc(s.First),
		Last: releaseOf(s.Last), Newest: releaseOf(s.Newest), Major: releaseOf(s.Major), Minor: releaseOf(s.Minor),
		Behind: s.Behind, MajorsBack: s.MajorsBack, MinorBack: s.MinorBack, Unordered: s.Unordered,
		Deprecated: s.Deprecated, Yanked: s.Yanked, Archived: s.Archived, Licenses: s.Licenses, Integrity: s.Integrity, Scripts: s.Scripts,
		Repository: s.Repository, Publisher: s.Publisher, Attested: attestedWord(s.Attested),
	}
	switch {
	case s.Answer == registry.Unknown:
		f.State, f.Private = "unknown", s.Reason == registry.ReasonPrivate
	case s.Answer == registry.Absent:
		f.State = "no-package"
	case !s.Version:
		f.State = "no-version"
	}
	if len(s.Maintainers) == 1 {
		f.Maintainer = s.Maintainers[0]
	}
	if p := s.Past; p != (registry.Past{}) {
		f.Past = &finding.Past{Attested: releaseOf(p.Attested), Run: p.Run, Publishers: p.Publishers, Known: p.Known}
	}
	if p := s.Previous; p != nil {
		f.Previous = &finding.Earlier{Version: p.Version, Published: utc(p.Published), Repository: p.Repository, Publisher: p.Publisher, Attested: attestedWord(p.Attested)}
	}
	return f
}

func attestedWord(a registry.Answer) string {
	return map[registry.Answer]string{registry.Known: "yes", registry.Absent: "no"}[a]
}

func releaseOf(r registry.Release) *finding.Release {
	if r.Version == "" {
		return nil
	}
	return &finding.Release{Version: r.Version, Published: utc(r.Published)}
}

// utc is a time as the report holds it; zero stays zero.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}
