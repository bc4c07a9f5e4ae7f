package night

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Subject is a function that is judged again: its newest report, and the one
// that the result is compared with.
type Subject struct {
	Newest Stored
	Before *Stored // an older report of the function; nil: Newest is what it was
	New    bool    // there is a set of earlier reports, and the function is not in it
}

// Name is what the function is called.
func (s *Subject) Name() string {
	if s.Newest.Err != nil {
		return s.Newest.File
	}
	return s.Newest.Name
}

// Group puts the reports of one function together, in the order of the first of
// each. Each name that was given is a set, in which every report is of a
// function of its own, whatever it is called: "function" is the name of many. A
// function that is in several sets is judged by its newest report, of equally
// old ones by the one that was named last, and compared with the one before.
func Group(found []Stored) (subjects []Subject, notes []string) {
	by := map[string][]int{}
	for i := range found {
		if s := &found[i]; s.Err == nil {
			by[s.name()] = append(by[s.name()], i)
		}
	}
	for name, all := range by { // of one name in one set, each file is another function
		if slices.ContainsFunc(all, func(i int) bool { return found[i].set != found[all[0]].set }) && severalIn(found, all) {
			delete(by, name)
			for _, i := range all {
				key := name + "\x00" + found[i].below
				by[key] = append(by[key], i)
				found[i].apart = true
			}
		}
	}
	for i := range found {
		s := &found[i]
		all := by[s.key()]
		switch {
		case s.Err != nil, len(all) < 2, found[all[0]].set == found[all[len(all)-1]].set, severalIn(found, all):
			subjects = append(subjects, Subject{Newest: *s})
			if s.Err != nil {
				notes = append(notes, fmt.Sprintf("%s cannot be read: %v", s.File, s.Err))
			}
			continue
		case all[0] != i:
			continue
		}
		sorted := slices.Clone(all)
		slices.SortStableFunc(sorted, func(a, b int) int { return found[a].Head.JudgedAt.Compare(found[b].Head.JudgedAt) })
		newest, before := &found[sorted[len(sorted)-1]], &found[sorted[len(sorted)-2]]
		subjects = append(subjects, Subject{Newest: *newest, Before: before})
		notes = append(notes, fmt.Sprintf("%s: judged by %s, the newest of %s of it, and compared with %s", s.Name, newest.File, finding.Count(len(all), "report", "reports"), before.File))
	}
	return subjects, notes
}

// severalIn says whether a set has more than one of the reports.
func severalIn(found []Stored, list []int) bool {
	seen := map[int]bool{}
	for _, i := range list {
		if seen[found[i].set] {
			return true
		}
		seen[found[i].set] = true
	}
	return false
}

// Since compares subjects with a set of earlier reports instead of with what
// they were made from. It returns what is in that set and no subject any more.
func Since(subjects []Subject, earlier []Stored) (gone []Stored, notes []string) {
	by, count := map[string][]int{}, map[string]int{}
	for i := range earlier {
		if e := &earlier[i]; e.Err != nil {
			notes = append(notes, fmt.Sprintf("nothing was compared with %s, which cannot be read: %v", e.File, e.Err))
		} else {
			by[e.name()] = append(by[e.name()], i)
		}
	}
	for i := range subjects {
		if s := &subjects[i]; s.Newest.Err == nil {
			count[s.Newest.name()]++
		}
	}
	used := map[int]bool{}
	for i := range subjects {
		s := &subjects[i]
		if s.Newest.Err != nil {
			continue
		}
		list := by[s.Newest.name()]
		if len(list) > 1 || count[s.Newest.name()] > 1 { // the name is that of several functions
			list = alike(list, earlier, used, &s.Newest)
		}
		if len(list) == 0 {
			s.Before, s.New = nil, true
			continue
		}
		s.Before, s.New, used[list[0]] = &earlier[list[0]], false, true
	}
	for i := range earlier {
		if earlier[i].Err == nil && !used[i] {
			gone = append(gone, earlier[i])
		}
	}
	return gone, notes
}

// alike are those of several functions of one name that can be a given one: of
// the same bytes, else of the same file.
func alike(list []int, earlier []Stored, used map[int]bool, s *Stored) []int {
	keep := func(same func(*Stored) bool) (out []int) {
		for _, j := range list {
			if !used[j] && same(&earlier[j]) {
				out = append(out, j)
			}
		}
		return out
	}
	if out := keep(func(e *Stored) bool { return e.Digest != "" && e.Digest == s.Digest }); len(out) > 0 {
		return out
	}
	return keep(func(e *Stored) bool { return e.below != "" && e.below == s.below })
}

// Rescan judges subjects again. It is safe for concurrent use.
type Rescan struct {
	Tool finding.Tool // this program

	Add func(*finding.Report) // what else is known of a function that was judged; may be nil
}

// Result is a function that was judged again.
type Result struct {
	Report  *finding.Report
	Changes []finding.Change
	Before  *Head  // of what it was compared with; nil when there was nothing
	Note    string // what went wrong with the comparison; "" when nothing did

	Was, Is *Placed // where it was and is deployed; nil when nobody says
}

// One judges one function again. Only a cancelled ctx is an error: a report that
// cannot be read is a function that nobody can call judged.
func (r *Rescan) One(ctx context.Context, a *audit.Auditor, s Subject) (Result, error) {
	old, err := s.Newest.Load()
	if err != nil {
		rep, ctxErr := a.Unread(ctx, s.Name(), s.Newest.File, err)
		if r.Add != nil && ctxErr == nil {
			r.Add(rep)
		}
		return Result{Report: rep}, ctxErr
	}
	rep, err := a.Again(ctx, audit.Recorded{Report: old, Policy: s.Newest.Head.Policy, At: s.Newest.Head.JudgedAt, Joined: r.Add != nil})
	if err != nil {
		return Result{}, err
	}
	if r.Add != nil {
		r.Add(rep)
	}
	if s.New {
		for i := range rep.Findings {
			rep.Findings[i].Rescanned = finding.ComparedNew
		}
		return Result{Report: rep, Changes: []finding.Change{appeared(rep)}, Is: PlacedOf(rep, time.Time{}, nil)}, nil
	}
	before := s.Newest
	note := ""
	if s.Before != nil {
		if was, err := s.Before.Load(); err != nil {
			note = fmt.Sprintf("%s: not compared with %s, which cannot be read: %v", strings.Clone(s.Name()), s.Before.File, err)
		} else {
			before, old = *s.Before, was
			audit.Seen(rep, old, before.Head.JudgedAt)
		}
	}
	now := Side{Report: rep, Database: a.Database(), Policy: a.Policy.Ref(), Tool: r.Tool, At: a.Now}
	changes := ownChanges(Compare(before.side(old), now, a.Policy.Decide))
	return Result{Report: rep, Before: before.Head, Note: note, Changes: changes, Was: PlacedOf(old, before.Head.JudgedAt, nil), Is: PlacedOf(rep, time.Time{}, changes)}, nil
}

// side is a stored report as one side of a comparison.
func (s *Stored) side(r *finding.Report) Side {
	return Side{Report: r, Database: s.Head.Database, Policy: s.Head.Policy, Tool: s.Head.Tool, At: s.Head.JudgedAt}
}

// appeared is the change of a function that had no report.
func appeared(r *finding.Report) finding.Change {
	return finding.Change{Function: r.Name, Cause: finding.CauseNew, After: string(word(r.Verdict.Decision)), Detail: "it was in none of the earlier reports"}
}

// Gone is the change of a function that has no report any more.
func Gone(s Stored) finding.Change {
	return finding.Change{Function: strings.Clone(s.Name), Cause: finding.CauseGone, Detail: "no report of it is there any more: the last one is " + s.File}
}
