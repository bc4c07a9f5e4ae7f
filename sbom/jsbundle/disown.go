package jsbundle

import (
	"cmp"
	"slices"
)

// Paths tell whose code is, and can be made up: src/lodash.js, in a comment or a
// map, for what came out of node_modules. Where code says itself that it is a
// package's, or where two accounts of the bundle contradict each other, it is
// not the function's own.

// saying is a place in a bundle where a known package names itself.
type saying struct {
	name  string
	at    int64
	texts [][]int64 // where texts are of which one of each must be in the same module; nil for a title
}

// sayings returns where known packages name themselves in the bundle, in order:
// their titles, and the texts that only one package has.
func (e *embedded) sayings() []saying {
	out := slices.Clone(e.banners.titles)
	if l := &e.literals; l.table != nil {
		for i := range l.table.rules {
			rule := &l.table.rules[i]
			if !l.holds(rule.all, rule.none) {
				continue
			}
			var texts [][]int64
			for _, n := range rule.all[1:] {
				texts = append(texts, l.hits[n])
			}
			for _, at := range l.hits[rule.all[0]] {
				out = append(out, saying{rule.name, at, texts})
			}
		}
	}
	slices.SortFunc(out, func(x, y saying) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.name, y.name)) })
	return out
}

// within reports whether all that makes the saying one is in [start, end).
func (s *saying) within(start, end int64) bool {
	return !slices.ContainsFunc(s.texts, func(hits []int64) bool {
		i, _ := slices.BinarySearch(hits, start)
		return i == len(hits) || hits[i] >= end
	})
}

// disowned splits a stretch that passes for the function's own into its modules,
// and gives those in which a package names itself to that one; to nobody when
// there are several.
func (r *Result) disowned(s owned, cuts []int64, said []saying) []Span {
	first, _ := slices.BinarySearchFunc(said, s.start, func(x saying, at int64) int { return cmp.Compare(x.at, at) })
	if first == len(said) || said[first].at >= s.end {
		return []Span{{s.start, s.end, SpanOwn}}
	}
	said = said[first:]
	next, _ := slices.BinarySearch(cuts, s.start+1)
	var out []Span
	for at := s.start; at < s.end; {
		end := s.end
		if next < len(cuts) {
			end = min(end, cuts[next])
			next++
		}
		who := SpanOwn
		for ; len(said) > 0 && said[0].at < end; said = said[1:] {
			claim := r.about(said[0].name)
			if !said[0].within(at, end) {
				continue
			}
			if who == SpanOwn || who == claim {
				who = claim
			} else {
				who = SpanUnknown
			}
		}
		if who != SpanOwn {
			r.Misnamed = true
		}
		if n := len(out); n > 0 && out[n-1].Claim == who {
			out[n-1].End = end
		} else {
			out = append(out, Span{at, end, who})
		}
		at = end
	}
	return out
}

// about returns the first claim about a package, one that knows the version if
// there is one; SpanUnknown for none.
func (r *Result) about(name string) int {
	if i := slices.IndexFunc(r.Claims, func(c Claim) bool { return c.Name == name && c.Version != "" }); i >= 0 {
		return i
	}
	return slices.IndexFunc(r.Claims, func(c Claim) bool { return c.Name == name })
}

// contradict takes what passes for the function's own by one account, a map, and
// is a package's by another: comments with which each module starts. It reports
// whether there was any.
func (o *ownership) contradict(by *ownership) bool {
	if by.style != rowStyle && by.style != regionStyle {
		return false
	}
	var list []owned
	changed := false
	add := func(start, end int64, who int) {
		if n := len(list); n > 0 && list[n-1].who == who {
			list[n-1].end = end
		} else if end > start {
			list = append(list, owned{start, end, who})
		}
	}
	next := 0
	for _, s := range o.list {
		if s.who != SpanOwn {
			add(s.start, s.end, s.who)
			continue
		}
		at := s.start
		for next < len(by.list) && by.list[next].end <= at {
			next++
		}
		for n := next; n < len(by.list) && by.list[n].start < s.end; n++ {
			b := by.list[n]
			if b.who < 0 {
				continue
			}
			from, to := max(b.start, at), min(b.end, s.end)
			if to-from <= maxGlue { // comments and points lie a few bytes apart
				continue
			}
			add(at, from, SpanOwn)
			add(from, to, o.of(by.origins[b.who], by.methods[b.who], by.first[b.who]))
			at, changed = to, true
		}
		add(at, s.end, SpanOwn)
	}
	o.list = list
	return changed
}
