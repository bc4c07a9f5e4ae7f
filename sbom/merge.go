package sbom

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Rank orders states: 4 for live down to 1 for declared, 0 for anything else.
func (s State) Rank() int {
	switch s {
	case Live:
		return 4
	case Shadowed:
		return 3
	case Provided:
		return 2
	case Declared:
		return 1
	}
	return 0
}

// Strongest returns the stronger of two states.
func Strongest(a, b State) State {
	if b.Rank() > a.Rank() {
		return b
	}
	return a
}

// Merge joins components that share a package URL into one each, with every
// place and every piece of evidence, and sorts all of it. The state is the
// strongest one; the origin is that of the strongest state, yours before the
// platform's. A component is Main only when every part of it is, since a
// dependency with the function's own name must not hide behind it. The input
// is not changed.
func Merge(components []Component) []Component {
	index := make(map[string]int, len(components))
	out := make([]Component, 0, len(components))
	open := map[int]bool{} // of which a part has neither a version nor candidates
	for i := range components {
		c := &components[i]
		at, ok := index[c.PURL]
		if !ok || c.PURL == "" {
			at = len(out)
			index[c.PURL] = at
			out = append(out, clone(c))
		} else {
			join(&out[at], c)
		}
		if c.State == Live && c.Version == "" && len(c.Versions) == 0 {
			open[at] = true
		}
	}
	for i := range out {
		if open[i] {
			out[i].Versions = nil // the candidates of one part say nothing about the other
		}
		tidy(&out[i])
	}
	slices.SortFunc(out, func(a, b Component) int {
		return cmp.Or(cmp.Compare(a.PURL, b.PURL), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func clone(c *Component) Component {
	d := *c
	d.Versions = slices.Clone(c.Versions)
	d.Occurrences = slices.Clone(c.Occurrences)
	d.Evidence = slices.Clone(c.Evidence)
	d.Hashes = maps.Clone(c.Hashes)
	d.Licenses = slices.Clone(c.Licenses)
	d.Requires = slices.Clone(c.Requires)
	d.Ranges = maps.Clone(c.Ranges)
	d.Traits = slices.Clone(c.Traits)
	return d
}

func join(to, from *Component) {
	if from.State.Rank() > to.State.Rank() || from.State == to.State && originRank(from.Origin) > originRank(to.Origin) {
		to.Origin = from.Origin
	}
	to.State = Strongest(to.State, from.State)
	to.Main = to.Main && from.Main
	to.Source = cmp.Or(to.Source, from.Source)
	to.SourceVersion = cmp.Or(to.SourceVersion, from.SourceVersion)
	to.Resolved = cmp.Or(to.Resolved, from.Resolved)
	to.Ecosystem = cmp.Or(to.Ecosystem, from.Ecosystem)
	to.Versions = append(to.Versions, from.Versions...)
	to.Disputed = to.Disputed || from.Disputed
	to.Occurrences = append(to.Occurrences, from.Occurrences...)
	to.Evidence = append(to.Evidence, from.Evidence...)
	to.Licenses = append(to.Licenses, from.Licenses...)
	to.Requires = append(to.Requires, from.Requires...)
	to.Traits = append(to.Traits, from.Traits...)
	joinRanges(to, from)
	for algorithm, value := range from.Hashes {
		if _, ok := to.Hashes[algorithm]; !ok {
			if to.Hashes == nil {
				to.Hashes = map[string]string{}
			}
			to.Hashes[algorithm] = value
		}
	}
}

// joinRanges drops what the parts of a component say differently: it is not
// known then which of them the package manager reads.
func joinRanges(to, from *Component) {
	for name, rng := range from.Ranges {
		if have, ok := to.Ranges[name]; ok && have != rng {
			rng = ""
		}
		if to.Ranges == nil {
			to.Ranges = map[string]string{}
		}
		to.Ranges[name] = rng
	}
}

func originRank(o Origin) int {
	switch o {
	case OriginApp:
		return 4
	case OriginLayer:
		return 3
	case OriginBase:
		return 2
	case OriginRuntime:
		return 1
	}
	return 0
}

func tidy(c *Component) {
	if c.Ref == "" {
		c.Ref = c.PURL
	}
	slices.Sort(c.Versions)
	c.Versions = slices.Compact(c.Versions)
	slices.Sort(c.Licenses)
	c.Licenses = slices.Compact(c.Licenses)
	slices.Sort(c.Requires)
	c.Requires = slices.Compact(c.Requires)
	c.Traits = sortTraits(c.Traits)
	slices.SortFunc(c.Occurrences, func(a, b Occurrence) int {
		return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Path, b.Path), cmp.Compare(b.State.Rank(), a.State.Rank()))
	})
	c.Occurrences = slices.CompactFunc(c.Occurrences, func(a, b Occurrence) bool { return a == b })
	slices.SortFunc(c.Evidence, func(a, b Evidence) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Method, b.Method),
			cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Detail, b.Detail))
	})
	c.Evidence = slices.Compact(c.Evidence)
	c.Confidence = Confidence(c.Evidence)
}

// mostConfident is what evidence of several kinds can come to. Only a single
// piece that is surer (build information, a distribution's database) says more.
const mostConfident = 0.99

// Confidence combines evidence as if its kinds were independent: the doubt that
// remains is the product of the doubts, so that two weak signs are one better
// sign. Of each method only the strongest piece counts, since ten lockfiles that
// repeat each other prove no more than one; what says another version does not
// count. The result has three decimals, and is never less than the strongest
// piece.
func Confidence(evidence []Evidence) float64 {
	best := map[string]float64{}
	for _, e := range evidence {
		if !e.Differs {
			best[e.Method] = max(best[e.Method], min(max(e.Confidence, 0), 1))
		}
	}
	most, doubt := 0.0, 1.0
	for _, method := range slices.Sorted(maps.Keys(best)) {
		most = max(most, best[method])
		doubt *= 1 - best[method]
	}
	return max(most, math.Round(1000*min(1-doubt, mostConfident))/1000)
}

// SortUnknowns sorts by artifact, path, kind and reason, and drops repeats. Of
// two that differ only in Code, the one that concerns code stays.
func SortUnknowns(unknowns []Unknown) []Unknown {
	slices.SortFunc(unknowns, func(a, b Unknown) int {
		byCode := 0
		if a.Code != b.Code {
			byCode = 1
			if a.Code {
				byCode = -1
			}
		}
		return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason), byCode)
	})
	return slices.CompactFunc(unknowns, func(a, b Unknown) bool {
		return a.Artifact == b.Artifact && a.Path == b.Path && a.Kind == b.Kind && a.Reason == b.Reason
	})
}
