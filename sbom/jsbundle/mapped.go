package jsbundle

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"strings"
)

// Bounds of what a source map is believed. The maps of esbuild, webpack and
// terser agree with their script in every point, and have one for every 1,003
// tokens of code at least; the map of another build agrees in less than 15 of 100.
const (
	maxStretch = 512     // opening parentheses that one point may account for: code has many, tables of data none
	maxCoarse  = 8       // of them for each point of the whole map: even one with a point a line has fewer
	spareCalls = 128     // beside those: a bundler's helpers
	maxStray   = 1000    // points outside of the script after which a map is given up
	maxSpans   = 1 << 20 // stretches of one bundle
	maxHelpers = 8 << 10 // bytes of a bundler's helpers in front of the first module
)

// tokenStarts has a bit for each byte of a script at which a token starts that
// is no comment.
type tokenStarts []uint64

// stretch is a part of a script, [start, end) in bytes.
type stretch struct{ start, end int64 }

func newTokenStarts(size int) tokenStarts { return make(tokenStarts, size/64+1) }

func (s tokenStarts) set(at int64)      { s[at/64] |= 1 << (at % 64) }
func (s tokenStarts) has(at int64) bool { return s[at/64]&(1<<(at%64)) != 0 }

// count returns how many tokens start in [from, to).
func (s tokenStarts) count(from, to int64) int {
	if from >= to {
		return 0
	}
	first, last := from/64, to/64
	head := s[first] >> (from % 64) << (from % 64)
	tail := uint64(1)<<(to%64) - 1
	if first == last {
		return bits.OnesCount64(head & tail)
	}
	n := bits.OnesCount64(head) + bits.OnesCount64(s[last]&tail)
	for _, w := range s[first+1 : last] {
		n += bits.OnesCount64(w)
	}
	return n
}

// Why a map is not believed.
var (
	errForeignMap = errors.New("it does not belong to this script: its points are not where the tokens are")
	errCoarseMap  = errors.New("it has too few points for this script")
)

// fromMap says whose the bytes of a script are by its source map, as far as the
// two agree. end is where the code ends, m what was seen of its tokens. A source that no byte was made from is
// not inside.
func fromMap(src []byte, end int64, m *marker, data []byte) (*ownership, error) {
	sections, err := parseMap(data)
	if err != nil {
		return nil, err
	}
	j := &mapJoin{src: src[:end], tokens: m.tokens, calls: m.calls, comments: m.comments, places: newPlaces(src[:end])}
	j.out.typed, j.out.sections = map[string]bool{}, sections
	for i := range sections {
		if err := j.section(sections, i); err != nil {
			return nil, err
		}
	}
	if j.good+j.stray == 0 {
		return nil, errCoarseMap
	}
	if j.good == 0 || j.stray > j.good/100 || j.apart > j.good/20 {
		return nil, errForeignMap
	}
	if m.calls.count(0, end) > maxCoarse*j.good+spareCalls {
		return nil, errCoarseMap
	}
	j.upTo(end)
	return &j.out, nil
}

// mapJoin walks through a script and its map side by side.
type mapJoin struct {
	src    []byte
	tokens tokenStarts
	calls  tokenStarts
	places *places

	comments []stretch // those that are not behind the last point
	out      ownership

	at                 int64 // of the last point
	who                int   // whose what follows it is
	source             int   // of the last point, by index; of the section
	good, stray, apart int   // points in the script, outside of it, and those of good where no token starts
}

func (j *mapJoin) section(sections []mapSection, i int) error {
	s := &sections[i]
	const known = 4                       // so that every owner is more than 0
	owners := make([]int, len(s.sources)) // by source, 0 until a point names it
	err := decodeMappings(s.mappings, func(m mapping) bool {
		if m.line == 0 {
			m.column += s.column
		}
		m.line += s.line
		if i+1 < len(sections) && !m.before(&sections[i+1]) {
			return false // the next section holds from there on
		}
		at, ok := j.places.offsetOf(m.line, m.column)
		if !ok || m.source >= len(s.sources) {
			j.stray++
			return j.stray < maxStray
		}
		who := SpanBundler
		if m.source >= 0 {
			if owners[m.source] == 0 {
				name := s.source(m.source)
				from := parseModule(name)
				owners[m.source] = j.out.of(from, MethodSourceMap, int64(at)) + known
				if typed(name) && from.whose == packages {
					j.out.typed[from.install] = true
				}
			}
			who = owners[m.source] - known
		}
		j.upTo(int64(at))
		j.who = who
		if m.source != j.source {
			j.source = m.source
			j.out.cut(int64(at))
		}
		j.good++
		if !j.meets(at) {
			j.apart++
		}
		return len(j.out.list) <= maxSpans
	})
	if len(j.out.list) > maxSpans {
		return fmt.Errorf("more than %d stretches of code", maxSpans)
	}
	return err
}

// upTo says whose the bytes since the last point are.
func (j *mapJoin) upTo(at int64) {
	who := j.who
	if j.good == 0 {
		who = SpanBundler
		if at > maxHelpers {
			who = SpanUnknown
		}
	}
	if j.calls.count(j.at, at) > maxStretch {
		who = SpanUnknown
	}
	j.out.to(at, who)
	j.at = at
}

// meets reports whether a point is where a token starts, at the start or end of
// a line, or in a comment, where webpack has points too, or behind a name that
// is followed by a blank, where rollup has them.
func (j *mapJoin) meets(at int) bool {
	for len(j.comments) > 0 && j.comments[0].end <= int64(at) {
		j.comments = j.comments[1:]
	}
	if len(j.comments) > 0 && j.comments[0].start <= int64(at) {
		return true
	}
	return at >= len(j.src) || j.tokens.has(int64(at)) || at == 0 || j.src[at-1] == '\n' || j.src[at] == '\n' || j.src[at] == '\r' || j.src[at] == ' ' && identifier(j.src[at-1])
}

// typed reports whether a source is TypeScript. A package is published as
// JavaScript: the bundler has read it through the map that came with it.
func typed(source string) bool {
	return strings.HasSuffix(source, ".ts") || strings.HasSuffix(source, ".tsx") || strings.HasSuffix(source, ".mts")
}

// before reports whether a point lies before the start of a section.
func (m mapping) before(s *mapSection) bool {
	return m.line < s.line || m.line == s.line && m.column < s.column
}

// source returns the name of a source, with the root that goes in front of it.
func (s *mapSection) source(i int) string {
	if len(s.sources[i]) > maxModulePath || len(s.root) > maxModulePath {
		return ""
	}
	name := string(unquote(nil, s.sources[i]))
	if root := string(unquote(nil, s.root)); root != "" && !strings.Contains(name, "://") && !strings.HasPrefix(name, "/") {
		name = strings.TrimSuffix(root, "/") + "/" + name
	}
	return name
}

// codeEnd returns where the code of a script ends: the comment that names its
// map is left out, which may be several times as long as the rest.
func codeEnd(src []byte) int64 {
	i := bytes.LastIndex(src, []byte(mapComment))
	if i < 0 {
		return int64(len(src))
	}
	start := bytes.LastIndexByte(src[:i], '\n') + 1
	line, _, more := bytes.Cut(src[i:], []byte("\n"))
	if more && len(bytes.TrimSpace(src[i+len(line):])) > 0 || len(bytes.TrimLeft(src[start:i], " \t/@#*")) > 0 {
		return int64(len(src))
	}
	return int64(start)
}
