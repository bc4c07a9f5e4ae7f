package audit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/reach"
)

// sourceReach is the source of evidence that is what a binary says.
const sourceReach = "reach"

// maxBinaries is how many Go binaries of one function are looked into. Each
// costs a process.
const maxBinaries = 256

// Reacher looks for the code of advisories in a Go binary; reach.Checker.Check is one.
type Reacher func(context.Context, reach.Source, []*vulndb.Advisory) (*reach.Result, error)

// checkReachability looks for the functions that the advisories about Go
// modules name in the binaries that hold the modules. It can only say more
// about findings, never add or drop one: what it does not get to, for whatever
// reason, stays "unknown", which a policy judges as if it were there.
//
// A finding is absent only if it is so in every file that brings the module.
//
// Binaries of which no finding speaks are looked into too: what is kept of them
// lets a later run judge advisories that are not written yet.
func checkReachability(ctx context.Context, a *Auditor, s *Subject) (Result, error) {
	if s.recorded != nil {
		return a.reachAgain(ctx, s)
	}
	asked, err := questions(ctx, a.DB, s, nil)
	if err != nil || len(asked) == 0 {
		return Result{}, err
	}
	return a.lookInto(ctx, s, asked)
}

// lookInto asks the binaries.
func (a *Auditor) lookInto(ctx context.Context, s *Subject, asked []*question) (Result, error) {
	if a.Reach == nil {
		return Result{GoBinaries: s.GoBinaries}, Skipped("this build cannot look into Go binaries")
	}
	looks, err := lookAll(ctx, a.Reach, s, asked[:min(len(asked), maxBinaries)])
	if err != nil {
		return Result{}, err
	}
	res := Result{Reach: map[int]Reached{}}
	answers := map[int][]placed{}
	var failed []error
	for i, l := range looks {
		q := asked[i]
		if l.err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", q.path, l.err))
			l.got = unanswered(q, "not known: "+l.err.Error())
		}
		if l.err == nil || s.Function == nil {
			res.GoBinaries = append(res.GoBinaries, l.kept)
		}
		for j, of := range q.findings {
			answers[of] = append(answers[of], placed{q.place, combine(l.got, q.advisories[j])})
		}
	}
	if len(asked) > len(looks) {
		failed = append(failed, fmt.Errorf("more than %d Go binaries: the others were not looked into", maxBinaries))
	}
	for of, list := range answers {
		res.Reach[of] = conclude(list, s.places[of])
	}
	return res, summary(failed)
}

// looked is what came of one question.
type looked struct {
	got  map[string]reach.Answer
	kept finding.GoBinary
	err  error
}

// lookAll asks as many binaries at once as there are processors, in the order
// in which they lie in their artifacts, and returns the results in that of
// asked.
func lookAll(ctx context.Context, ask Reacher, s *Subject, asked []*question) ([]looked, error) {
	out := make([]looked, len(asked))
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, i := range readingOrder(s.Function, asked) {
		g.Go(func() error {
			if err := inner.Err(); err != nil {
				return err
			}
			l := &out[i]
			l.got, l.kept, l.err = look(inner, ask, s, asked[i])
			return inner.Err()
		})
	}
	return out, g.Wait()
}

// readingOrder returns the indexes of asked as the binaries lie in their
// artifacts. What lies in none comes as it stands in asked.
func readingOrder(f *bundle.Function, asked []*question) []int {
	type spot struct{ index, artifact, file int }
	spots := make([]spot, len(asked))
	for i, q := range asked {
		spots[i] = spot{i, q.artifact, -1}
		if f != nil && q.artifact >= 0 && q.artifact < len(f.Volumes) {
			if at, ok := f.Volumes[q.artifact].Find(q.path); ok {
				spots[i].file = at
			}
		}
	}
	slices.SortStableFunc(spots, func(x, y spot) int {
		if c := cmp.Compare(x.artifact, y.artifact); c != 0 || x.file < 0 || y.file < 0 {
			return cmp.Or(c, cmp.Compare(min(x.file, 0), min(y.file, 0)))
		}
		return f.Volumes[x.artifact].Compare(x.file, y.file)
	})
	order := make([]int, len(spots))
	for i := range spots {
		order[i] = spots[i].index
	}
	return order
}

// summary is one error that names the first cause.
func summary(failed []error) error {
	switch len(failed) {
	case 0:
		return nil
	case 1:
		return failed[0]
	}
	return fmt.Errorf("%w; and %d more", failed[0], len(failed)-1)
}

// place is a file of a function.
type place struct {
	artifact int
	path     string
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.artifact, b.artifact), cmp.Compare(a.path, b.path))
}

// question is what is asked of one binary.
type question struct {
	place
	findings   []int                // indexes into Subject.Findings
	advisories [][]*vulndb.Advisory // for each of findings, its records
}

// all returns the records, each once, sorted by id.
func (q *question) all() []*vulndb.Advisory {
	var list []*vulndb.Advisory
	for _, l := range q.advisories {
		list = append(list, l...)
	}
	slices.SortFunc(list, func(a, b *vulndb.Advisory) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(list, func(a, b *vulndb.Advisory) bool { return a.ID == b.ID })
}

// questions gathers the Go binaries of the subject and the findings about the
// modules that they are built of, but for those that are known, sorted by place.
// It fills s.places.
func questions(ctx context.Context, db *vulndb.DB, s *Subject, answered map[int]Reached) ([]*question, error) {
	components := map[string]*sbom.Component{}
	by := map[place]*question{}
	for i := range s.SBOM.Components {
		c := &s.SBOM.Components[i]
		if c.Ecosystem != "Go" {
			continue
		}
		components[c.PURL] = c
		for _, at := range s.binariesOf(c) {
			if by[at] == nil {
				by[at] = &question{place: at}
			}
		}
	}
	s.places = map[int][]place{}
	known := map[string][]*vulndb.Advisory{}
	for i := range s.Findings {
		f := &s.Findings[i]
		c := components[f.Component]
		if _, known := answered[i]; known || c == nil || f.Kind != finding.KindVulnerability || f.Rule != ruleVulnerable {
			continue
		}
		list, ok := known[c.Name]
		if !ok {
			var err error
			if list, err = db.LookupName(ctx, c.Ecosystem, c.Name); err != nil {
				return nil, err
			}
			known[c.Name] = list
		}
		records := recordsOf(f, list)
		if len(records) == 0 {
			continue
		}
		for _, o := range c.Occurrences {
			s.places[i] = append(s.places[i], place{o.Artifact, o.Path})
		}
		for _, at := range s.binariesOf(c) {
			by[at].findings = append(by[at].findings, i)
			by[at].advisories = append(by[at].advisories, records)
		}
	}
	out := make([]*question, 0, len(by))
	for _, q := range by {
		out = append(out, q)
	}
	slices.SortFunc(out, func(a, b *question) int { return comparePlaces(a.place, b.place) })
	return out, nil
}

// recordsOf returns the records that a finding stands for.
func recordsOf(f *finding.Finding, of []*vulndb.Advisory) []*vulndb.Advisory {
	var out []*vulndb.Advisory
	for _, a := range of {
		if slices.ContainsFunc(f.Evidence, func(e finding.Evidence) bool { return e.Source == "advisory" && e.Locator == a.ID }) {
			out = append(out, a)
		}
	}
	return out
}

// binariesOf returns the files whose build information names a component: by
// its evidence, or without the bytes by what an earlier report keeps.
func (s *Subject) binariesOf(c *sbom.Component) []place {
	var out []place
	if s.Function == nil {
		for _, o := range c.Occurrences {
			if s.kept(place{o.Artifact, o.Path}) != nil {
				out = append(out, place{o.Artifact, o.Path})
			}
		}
	} else {
		for _, e := range c.Evidence {
			if e.Method == sbom.MethodBuildInfo && !strings.Contains(e.Path, "!/") { // inside a nested archive: not looked into
				out = append(out, place{e.Artifact, e.Path})
			}
		}
	}
	slices.SortFunc(out, comparePlaces)
	return slices.Compact(out)
}

// kept returns what an earlier report keeps of a binary, nil if nothing.
func (s *Subject) kept(at place) *finding.GoBinary {
	for i := range s.GoBinaries {
		if b := &s.GoBinaries[i]; b.Artifact == at.artifact && b.Path == at.path {
			return b
		}
	}
	return nil
}

// look asks one binary, or what is kept of it.
func look(ctx context.Context, ask Reacher, s *Subject, q *question) (map[string]reach.Answer, finding.GoBinary, error) {
	var src reach.Source
	kept := finding.GoBinary{Artifact: q.artifact, Path: q.path}
	if s.Function == nil {
		kept = *s.kept(q.place)
		if len(kept.Blob) == 0 {
			return unanswered(q, "module level, symbols unknown: the earlier report does not keep them"), kept, nil
		}
		src.Blob = kept.Blob
	} else {
		c, err := openBinary(s.Function, q.place)
		if err != nil {
			return nil, kept, err
		}
		defer c.Close()
		src.Binary = c
	}
	res, err := ask(ctx, src, q.all())
	if err != nil {
		return nil, kept, err
	}
	kept.Go, kept.Stripped, kept.Functions, kept.Partial, kept.Blob = res.Go, res.Stripped, res.Functions, res.Partial, res.Blob
	if res.Digest != "" {
		kept.Digest = res.Digest
	}
	out := map[string]reach.Answer{}
	for _, ans := range res.Answers {
		out[ans.ID] = ans
	}
	return out, kept, nil
}

// unanswered leaves every question to a binary open.
func unanswered(q *question, why string) map[string]reach.Answer {
	out := map[string]reach.Answer{}
	for _, a := range q.all() {
		out[a.ID] = reach.Answer{ID: a.ID, State: reach.Unknown, Detail: why}
	}
	return out
}

// openBinary opens the file that a component was read from. Of a path that an
// archive lists twice it is not said which copy that was, so none is opened.
func openBinary(f *bundle.Function, at place) (io.ReadCloser, error) {
	if at.artifact < 0 || at.artifact >= len(f.Volumes) {
		return nil, errors.New("it lies in no artifact of the function")
	}
	v := f.Volumes[at.artifact]
	if v.Older != nil {
		if _, err := v.Older.Tree().Lstat(at.path); err == nil {
			return nil, errors.New("the archive lists it twice")
		}
	}
	return v.Tree().Open(at.path)
}

// placed is what one binary says about one finding.
type placed struct {
	place
	answer reach.Answer
}

// combine makes one answer of those to the records of a group. A record of
// the Go database names symbols; where one does, the others, which are about
// the same flaw and name none, do not decide.
func combine(got map[string]reach.Answer, records []*vulndb.Advisory) reach.Answer {
	var best *reach.Answer
	curated := slices.ContainsFunc(records, namesImports)
	for _, r := range records {
		ans, ok := got[r.ID]
		if !ok {
			ans = reach.Answer{ID: r.ID, State: reach.Unknown, Detail: "not asked"}
		}
		if ans.State != reach.Present && curated && !namesImports(r) {
			continue
		}
		if best == nil || weight(ans.State) > weight(best.State) {
			best = &ans
		}
	}
	return *best
}

func namesImports(a *vulndb.Advisory) bool {
	return slices.ContainsFunc(a.Affected, func(e vulndb.Affected) bool { return len(e.Imports) > 0 })
}

// weight orders states by what they mean for a verdict: one that is present
// outweighs, and nothing is absent because of one of several answers.
func weight(s reach.State) int {
	switch s {
	case reach.Present:
		return 2
	case reach.Absent:
		return 0
	}
	return 1
}

// conclude makes the finding's state of what the binaries say. Absent needs
// the word of every place that the component is in.
func conclude(list []placed, places []place) Reached {
	out := Reached{State: finding.ReachUnknown}
	asked := map[place]bool{}
	worst := reach.Absent
	slices.SortFunc(list, func(a, b placed) int { return comparePlaces(a.place, b.place) })
	for _, p := range list {
		asked[p.place] = true
		if weight(p.answer.State) > weight(worst) {
			worst = p.answer.State
		}
		if len(out.Evidence) < maxPlaces {
			out.Evidence = append(out.Evidence, finding.Evidence{Source: sourceReach, Locator: p.path, Artifact: p.artifact, Detail: describeAnswer(p.answer)})
		}
	}
	for _, p := range places {
		if !asked[p] && worst == reach.Absent {
			worst = reach.Unknown
		}
	}
	switch worst {
	case reach.Present:
		out.State = finding.ReachPresent
	case reach.Absent:
		out.State = finding.ReachAbsent
	}
	return out
}

// maxNamed is how many symbols the evidence spells out.
const maxNamed = 8

// describeAnswer says what was looked for, and what came of it.
func describeAnswer(ans reach.Answer) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: ", ans.State)
	if ans.Total > 0 {
		b.WriteString("looked for " + list(ans.Looked, ans.Total) + "; ")
	}
	if len(ans.Found) > 0 {
		b.WriteString("found " + list(ans.Found, len(ans.Found)) + "; ")
	}
	b.WriteString(ans.Detail + " (" + ans.ID + ")")
	return b.String()
}

func list(names []string, total int) string {
	shown := names[:min(len(names), maxNamed)]
	text := strings.Join(shown, ", ")
	if more := total - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
