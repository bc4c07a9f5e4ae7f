package vulndb

import (
	"context"
	"fmt"

	"github.com/fnaudit/fnaudit/vulndb/version"
)

// maxUpgrades is how many versions Steps tries, lowest first.
const maxUpgrades = 64

// Step is a move of a package to another version.
type Step struct {
	To     string   // "" for no move
	Clears []string // ids of the groups that do not affect it, in the order of the groups
	Major  bool     // it leaves the line of versions that are said to be compatible
}

// Steps are the moves of one package that are worth something. Each goes to a
// version that some record names as a fix, so that it was released; that is
// above every version which is there; that is no pre-release, unless one is
// there; and that no record calls affected but those that affect what is there.
type Steps struct {
	All   Step // lowest version that the store knows nothing against
	Minor Step // of those in the same line, the one that clears most, and the lowest of these; none where All is in it
	Most  Step // the same in any line; All, where there is one
}

// Steps looks for them among the versions that fix the groups and, where such a
// version is affected by something else, those that fix that; where none of them
// clears everything, as when a record only names the last version that it
// affects, also among those that any record of the package names as a fix. From
// are the versions that are there: one, or several candidates. A version that
// avoid holds for is passed over; nil avoids none.
func (db *DB) Steps(ctx context.Context, pkg Package, from []string, groups []Group, avoid func(version string) bool) (Steps, error) {
	start, ok := startOf(pkg, from)
	if !ok {
		return Steps{}, nil // nothing can be called higher than what is no version
	}
	list, problems, err := db.about(ctx, pkg) // read once for all versions
	if err != nil {
		return Steps{}, fmt.Errorf("match %s: %w", pkg.Name, err)
	}
	if len(problems) > 0 {
		return Steps{}, nil // no version can be called unaffected
	}
	w := walk{pkg: pkg, start: start, groups: groups, list: list, avoid: avoid, queued: map[string]bool{}, events: map[string]parsedEvent{}, lines: map[*Range]*line{}}
	for _, g := range groups {
		w.add(g.Fixed)
	}
	if done, err := w.along(ctx); done || err != nil {
		return w.steps, err
	}
	w.addAll()
	_, err = w.along(ctx)
	return w.steps, err
}

// walk is the search of Steps.
type walk struct {
	pkg    Package
	start  start
	groups []Group
	list   []*Advisory // of the package
	avoid  func(version string) bool

	queue  []string // lowest first, once it is sorted
	queued map[string]bool
	sorted bool
	events map[string]parsedEvent // laid out once for all versions
	lines  map[*Range]*line       // the same
	steps  Steps
}

// add puts versions into the queue that were not in it.
func (w *walk) add(versions []string) {
	for _, v := range versions {
		if !w.queued[v] {
			w.queued[v], w.sorted = true, false
			w.queue = append(w.queue, v)
		}
	}
}

// addAll adds every version that a record names as a fix and that may be moved
// to.
func (w *walk) addAll() {
	names := w.pkg.names()
	for _, a := range w.list {
		if !a.Withdrawn.IsZero() {
			continue
		}
		for _, i := range a.entries(w.pkg, names) {
			for _, r := range a.Affected[i].Ranges {
				for _, e := range r.Events {
					if r.Type != Git && e.Kind == Fixed && !w.queued[e.Version] && w.start.below(w.pkg, e.Version) {
						w.add([]string{e.Version})
					}
				}
			}
		}
	}
}

// along tries the versions of the queue, the lowest first, until one has nothing
// known against it (done), none is left or maxUpgrades were tried.
func (w *walk) along(ctx context.Context) (done bool, err error) {
	for range maxUpgrades {
		if len(w.queue) == 0 {
			break
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if !w.sorted {
			w.queue, w.sorted = sortVersions(w.pkg.Ecosystem, w.queue), true
		}
		at := w.pkg
		at.Version, w.queue = w.queue[0], w.queue[1:]
		if w.try(at) {
			return true, nil
		}
	}
	return false, nil
}

// try takes a version into the steps, and adds what fixes what is known against
// it. It says whether that is nothing.
func (w *walk) try(at Package) (done bool) {
	q := ask(at)
	q.events, q.lines = w.events, w.lines
	r := q.answer(w.list)
	for _, m := range r.Matches {
		w.add(m.Fixed)
	}
	if len(r.Problems) > 0 || !w.start.below(w.pkg, at.Version) || w.avoid != nil && w.avoid(at.Version) {
		return false
	}
	clears, other := cleared(w.groups, r.Matches)
	if other {
		return false
	}
	step := Step{To: at.Version, Clears: clears, Major: w.start.leaves(w.pkg, at.Version)}
	if len(r.Matches) == 0 {
		w.steps.All, w.steps.Most = step, step
		if !step.Major {
			w.steps.Minor = Step{}
		}
		return true
	}
	if len(clears) > len(w.steps.Most.Clears) {
		w.steps.Most = step
	}
	if !step.Major && w.start.lined && len(clears) > len(w.steps.Minor.Clears) {
		w.steps.Minor = step
	}
	return false
}

// cleared returns the ids of the groups of which no record is among the
// matches, and whether a match is of none of the groups.
func cleared(groups []Group, matches []Match) (ids []string, other bool) {
	hit := make(map[string]bool, len(matches))
	for i := range matches {
		hit[matches[i].Advisory.ID] = true
	}
	known := 0
	for i := range groups {
		open := false
		for j := range groups[i].Matches {
			if hit[groups[i].Matches[j].Advisory.ID] {
				open = true
				known++
			}
		}
		if !open {
			ids = append(ids, groups[i].ID)
		}
	}
	return ids, known < len(hit)
}

// start is where a package moves from.
type start struct {
	versions   []version.Version
	line       string // that all of them share
	lined      bool   // there is one
	prerelease bool   // one of them is a pre-release
}

// startOf reads the versions that are there; ok is false when one is no version.
func startOf(pkg Package, from []string) (s start, ok bool) {
	for i, text := range from {
		v, err := version.Parse(pkg.Ecosystem, pkg.names()[0], text)
		if err != nil {
			return start{}, false
		}
		s.versions = append(s.versions, v)
		l, has := version.LineOf(pkg.Ecosystem, pkg.names()[0], text)
		s.lined = has && (i == 0 || s.lined && s.line == l.Compatible)
		s.line = l.Compatible
		s.prerelease = s.prerelease || l.Prerelease
	}
	return s, len(from) > 0
}

// below says whether a version may be moved to: it is above all of them, and no
// pre-release unless one of them is.
func (s start) below(pkg Package, to string) bool {
	v, err := version.ParseEvent(pkg.Ecosystem, to)
	if err != nil {
		return false
	}
	for _, from := range s.versions {
		if c, err := v.Compare(from); err != nil || c <= 0 {
			return false
		}
	}
	l, _ := version.LineOf(pkg.Ecosystem, pkg.names()[0], to)
	return s.prerelease || !l.Prerelease
}

// leaves says whether a version is of another line.
func (s start) leaves(pkg Package, to string) bool {
	l, ok := version.LineOf(pkg.Ecosystem, pkg.names()[0], to)
	return s.lined && ok && l.Compatible != s.line
}

// Highest returns the highest of the versions in the order of the ecosystem;
// "" for none.
func Highest(ecosystem string, versions []string) string {
	sorted := sortVersions(ecosystem, append([]string(nil), versions...))
	if len(sorted) == 0 {
		return ""
	}
	return sorted[len(sorted)-1]
}

// LastFix returns the version from which on the record calls no version of
// the package affected; "" when a range stays open or ends without a fix. It
// is what is left to say when the version of the package is not known.
func (m Match) LastFix() string {
	if m.Affected < 0 || m.Affected >= len(m.Advisory.Affected) {
		return ""
	}
	var fixes []string
	for _, r := range m.Advisory.Affected[m.Affected].Ranges {
		if r.Type == Git || len(r.Events) == 0 {
			continue
		}
		kinds, versions := map[string]EventKind{}, []string{} // events come in any order (OSV schema, "affected[].ranges[].events")
		for _, e := range r.Events {
			if e.Kind == Limit || e.Kind == Introduced && e.Version == "0" {
				continue
			}
			kinds[e.Version], versions = e.Kind, append(versions, e.Version)
		}
		last := Highest(m.Package.Ecosystem, versions)
		if kinds[last] != Fixed {
			return ""
		}
		fixes = append(fixes, last)
	}
	return Highest(m.Package.Ecosystem, fixes)
}
