package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/night"
)

// apart parts reports of scans from what a list of deployed functions said on
// another day of what nobody scanned: that is nothing to judge again, and what
// today's list is compared with.
func apart(found []night.Stored) (scans, said []night.Stored) {
	for _, s := range found {
		if isExport(s.Target) {
			said = append(said, s)
		} else {
			scans = append(scans, s)
		}
	}
	return scans, said
}

// storeDeployed writes what is deployed and nobody scanned into the new set, so that
// the next night knows it.
func (n *nightly) storeDeployed(a *audit.Auditor, rest []*finding.Report) error {
	if n.set == nil {
		return nil
	}
	for _, r := range rest {
		if err := n.store(a, n.set.Name(r.Name), r); err != nil {
			return err
		}
	}
	return nil
}

// keepDeployed takes over into the new set what a list said on another day, when
// this run has none: the next one that has would take all of it for new. Only
// files that hold nothing else are kept: of the others the functions are written.
func (n *nightly) keepDeployed(found []night.Stored, kept map[string]bool) error {
	if n.fleet != nil {
		return nil
	}
	for _, s := range n.said {
		if s.Err != nil || kept[s.File] || !inFolder(n.o.set, s.File) || slices.ContainsFunc(found, func(f night.Stored) bool { return f.File == s.File && !isExport(f.Target) }) {
			continue
		}
		kept[s.File] = true
		n.set.Reserve(s.File)
		if err := n.set.Keep(s.File); err != nil {
			return usage("", "write reports: keep %s: %w", s.File, err)
		}
	}
	return nil
}

// deployed says what of the deployed functions is not what it was, and what the
// earlier reports of those that nobody scanned were judged with.
func (n *nightly) deployed(rest []*finding.Report) ([]finding.Change, []*night.Head) {
	var was, is []*night.Placed
	var heads []*night.Head
	take := func(s night.Stored) *finding.Report {
		r, err := s.Load()
		if err != nil {
			n.notes = append(n.notes, fmt.Sprintf("what is deployed was not compared with %s, which cannot be read: %v", s.File, err))
			return nil
		}
		return r
	}
	for _, r := range n.results {
		was, is = append(was, r.Was), append(is, r.Is)
	}
	for _, s := range n.gone {
		if r := take(s); r != nil {
			was = append(was, night.PlacedOf(r, s.Head.JudgedAt, nil))
		}
	}
	for _, s := range n.said {
		if s.Err != nil {
			continue
		}
		if r := take(s); r != nil {
			was = append(was, night.PlacedOf(r, s.Head.JudgedAt, nil))
			if len(heads) == 0 || heads[len(heads)-1] != s.Head {
				heads = append(heads, s.Head)
			}
		}
	}
	for _, r := range rest {
		is = append(is, night.PlacedOf(r, time.Time{}, nil))
	}
	if n.o.told.webhook+n.o.told.slack != "" && n.set == nil && !slices.ContainsFunc(was, func(p *night.Placed) bool { return p != nil }) {
		n.notes = append(n.notes, "no earlier report says what was deployed, so nobody is told what of that changed: --write DIR keeps it for the next night")
	}
	return night.CompareDeployed(was, is), heads
}
