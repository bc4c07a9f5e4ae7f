package vulndb

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Group is one flaw as all matched records of one package describe it.
type Group struct {
	ID            string    // the preferred one of IDs
	IDs           []string  // ids and aliases of the records, most preferred first
	Matches       []Match   // the records, sorted by preference of their own ids
	Summary       string    // of the first record that has one
	Severity      string    // WordCritical ... WordNone, or WordUnknown
	Score         float64   // CVSS base score, 0 to 10; 0 when there is none
	Vector        string    // the CVSS vector that gave Score; "" for a published score without its vector
	Fixed         []string  // versions that clear the flaw, lowest first; see Groups
	Malware       bool      // a MAL- record or alias: the package itself is the attack
	Informational string    // RustSec's "unmaintained", "unsound" or "notice" when every record says so; "" for a vulnerability
	Published     time.Time // the earliest of the records; zero when none has one
	Modified      time.Time // the latest of the records
}

// Groups forms alias groups among the matched records of one package: two
// records belong together if they share an id or alias, transitively, and
// never because of a record that did not match. The result is sorted by ID.
//
// Severity is critical for malware; else that of the highest CVSS score among
// the records; else the highest word; else none for a RustSec "unmaintained"
// or "notice", which reports no flaw; else unknown.
//
// Fixed is the union of what the records name, without the versions that
// another record of the group still calls affected. If that leaves nothing,
// the union stands: a version that some record calls fixed exists.
func Groups(pkg Package, ms []Match) []Group {
	var groups []Group
	for _, members := range partition(ms) {
		groups = append(groups, newGroup(pkg, members))
	}
	slices.SortFunc(groups, func(a, b Group) int { return comparePreference(a.ID, b.ID) })
	return groups
}

// partition splits matches into connected sets, in the order of their first member.
func partition(ms []Match) [][]Match {
	parent := make([]int, len(ms))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	owner := map[string]int{}
	for i := range ms {
		for _, id := range ms[i].Advisory.Names() {
			if j, ok := owner[id]; ok {
				parent[find(i)] = find(j)
			} else {
				owner[id] = i
			}
		}
	}
	index := map[int]int{}
	var sets [][]Match
	for i := range ms {
		root := find(i)
		k, ok := index[root]
		if !ok {
			k = len(sets)
			index[root] = k
			sets = append(sets, nil)
		}
		sets[k] = append(sets[k], ms[i])
	}
	return sets
}

// Names returns every id under which the flaw of a record is known: its own,
// its aliases, and the upstream id of a distribution's record about exactly
// one CVE (ALPINE-CVE-2020-1971 of CVE-2020-1971). Advisories of a
// distribution that collect several upstream flaws are no alias of any.
func (a *Advisory) Names() []string {
	names := append([]string{a.ID}, a.Aliases...)
	if len(a.Upstream) == 1 && strings.HasSuffix(a.ID, "-"+a.Upstream[0]) {
		names = append(names, a.Upstream[0])
	}
	return names
}

func newGroup(pkg Package, ms []Match) Group {
	slices.SortStableFunc(ms, func(a, b Match) int { return comparePreference(a.Advisory.ID, b.Advisory.ID) })
	g := Group{Matches: ms, Informational: informational(ms)}
	for i := range ms {
		a := ms[i].Advisory
		g.IDs = append(g.IDs, a.Names()...)
		if g.Summary == "" {
			g.Summary = a.Summary
		}
		if !a.Published.IsZero() && (g.Published.IsZero() || a.Published.Before(g.Published)) {
			g.Published = a.Published
		}
		if a.Modified.After(g.Modified) {
			g.Modified = a.Modified
		}
		g.Fixed = append(g.Fixed, ms[i].Fixed...)
	}
	slices.SortFunc(g.IDs, comparePreference)
	g.IDs = slices.Compact(g.IDs)
	g.ID = g.IDs[0]
	g.Malware = slices.ContainsFunc(g.IDs, func(id string) bool { return strings.HasPrefix(id, "MAL-") })
	g.Fixed = clearing(pkg, ms, sortVersions(pkg.Ecosystem, g.Fixed))
	g.rate()
	return g
}

func (g *Group) rate() {
	major, word := 0, ""
	for i := range g.Matches {
		r := g.Matches[i].rating()
		if r.major > 0 && (major == 0 || r.score > g.Score) {
			g.Score, g.Vector, major = r.score, r.vector, r.major
		}
		if wordRank(r.word) > wordRank(word) {
			word = r.word
		}
	}
	switch {
	case g.Malware:
		g.Severity = WordCritical
	case major > 0:
		g.Severity = WordOf(g.Score, major)
	case word != "":
		g.Severity = word
	case g.Informational == "unmaintained" || g.Informational == "notice":
		g.Severity = WordNone
	default:
		g.Severity = WordUnknown
	}
}

// informational returns the kind that all records agree on, else "".
func informational(ms []Match) string {
	kind := ""
	for i := range ms {
		m := &ms[i]
		k := ""
		if m.Affected >= 0 && m.Affected < len(m.Advisory.Affected) {
			k = m.Advisory.Affected[m.Affected].Informational
		}
		if k == "" || kind != "" && k != kind {
			return ""
		}
		kind = k
	}
	return kind
}

// clearing keeps the versions that no record of the group calls affected.
func clearing(pkg Package, ms []Match, fixed []string) []string {
	var clear []string
	for _, f := range fixed {
		at := pkg
		at.Version = f
		q := ask(at)
		if !slices.ContainsFunc(ms, func(m Match) bool {
			_, affected, _ := q.judge(m.Advisory)
			return affected
		}) {
			clear = append(clear, f)
		}
	}
	if len(clear) == 0 {
		return fixed
	}
	return clear
}

// idRank orders kinds of id: MAL, GHSA, GO/RUSTSEC/PYSEC, CVE, others.
func idRank(id string) int {
	kind, _, _ := strings.Cut(id, "-")
	switch kind {
	case "MAL":
		return 0
	case "GHSA":
		return 1
	case "GO", "RUSTSEC", "PYSEC":
		return 2
	case "CVE":
		return 3
	}
	return 4
}

// comparePreference orders ids, the one to show first.
func comparePreference(a, b string) int {
	return cmp.Or(cmp.Compare(idRank(a), idRank(b)), cmp.Compare(a, b))
}
