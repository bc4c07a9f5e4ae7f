package jsbundle

// owned is who a stretch of a bundle belongs to, as the collectors of evidence
// see it: an origin of theirs by index, or one of the values of Span.Claim that
// are no index.
type owned struct {
	start, end int64
	who        int
}

// ownership gathers stretches in the order of their bytes.
type ownership struct {
	origins []origin
	index   map[origin]int
	list    []owned
	methods []Method  // of each origin
	first   []int64   // of each origin: where it is seen first
	style   markStyle // of the last mark; noMark for a map, which tells of minified code as well

	cuts     []int64         // where modules start, in order, at most maxSpans
	typed    map[string]bool // packages, by place, of which a map has other sources than what was installed
	sections []mapSection    // of the map, nil without one
}

// of returns the index of an origin, and remembers where it was seen first.
func (o *ownership) of(from origin, how Method, at int64) int {
	switch from.whose {
	case own:
		return SpanOwn
	case bundlers:
		return SpanBundler
	case nobodys:
		return SpanUnknown
	}
	i, ok := o.index[from]
	if !ok {
		if o.index == nil {
			o.index = map[origin]int{}
		}
		i = len(o.origins)
		o.index[from] = i
		o.origins, o.methods, o.first = append(o.origins, from), append(o.methods, how), append(o.first, at)
	}
	return i
}

// to ends the last stretch at end and says whose it was. Stretches of one
// owner become one.
func (o *ownership) to(end int64, who int) {
	start := int64(0)
	if n := len(o.list); n > 0 {
		start = o.list[n-1].end
		if o.list[n-1].who == who && end > start {
			o.list[n-1].end = end
			return
		}
	}
	if end > start {
		o.list = append(o.list, owned{start, end, who})
	}
}

// unknown returns how many bytes are nobody's.
func (o *ownership) unknown() int64 {
	n := int64(0)
	for _, s := range o.list {
		if s.who == SpanUnknown {
			n += s.end - s.start
		}
	}
	return n
}

// cut remembers where a module starts, which may be that of the owner before.
func (o *ownership) cut(at int64) {
	if n := len(o.cuts); n < maxSpans && (n == 0 || o.cuts[n-1] < at) {
		o.cuts = append(o.cuts, at)
	}
}
