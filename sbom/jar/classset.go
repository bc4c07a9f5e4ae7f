package jar

import (
	"cmp"
	"fmt"
	"math/bits"
	"path"
	"slices"
	"strings"
)

// classSet is one library that was recognised by its classes.
type classSet struct {
	lib     *library
	prefix  string // what stands before the library's own root: "" or "com/acme/shaded/"
	moved   bool   // the root itself was replaced: prefix is the new one, with a slash at the end
	hits    int    // markers that are there
	version string
	source  string // path of the file that carries the version
	show    string // path of one of its classes
}

// spot is a place where classes of a library were seen.
type spot struct {
	lib    int
	prefix string
	moved  bool
}

type sighting struct {
	bits uint32
	show string
}

// setFinder recognises libraries while it is shown the paths of an archive.
type setFinder struct {
	t    *table
	seen map[spot]*sighting
	bad  map[string]bool // prefix and path of forbidden classes
	over bool            // there were more than maxSpots
}

// maxSpots bounds the places where one archive's classes are looked for. A real
// fat jar of 40,000 classes has a few hundred.
const maxSpots = 100_000

func newSetFinder(t *table) *setFinder {
	return &setFinder{t: t, seen: map[spot]*sighting{}, bad: map[string]bool{}}
}

// class notes the class at p, which has no ".class" any more.
func (f *setFinder) class(p, file string) {
	name := simple(p)
	for _, m := range f.t.markers[name] {
		switch {
		case endsIn(p, m.full):
			f.note(spot{m.lib, p[:len(p)-len(m.full)], false}, m.bit, file)
		case strings.IndexByte(m.rest, '/') > 0 && endsIn(p, m.rest):
			f.note(spot{m.lib, p[:len(p)-len(m.rest)], true}, m.bit, file)
		}
	}
	for _, full := range f.t.absent[name] {
		if endsIn(p, full) {
			if f.over = f.over || len(f.bad) >= maxSpots; !f.over {
				f.bad[p] = true
			}
		}
	}
}

func (f *setFinder) note(s spot, bit uint32, file string) {
	at := f.seen[s]
	if at == nil {
		if len(f.seen) >= maxSpots {
			f.over = true
			return
		}
		at = &sighting{show: file}
		f.seen[s] = at
	}
	at.bits |= bit
	at.show = min(at.show, file)
}

// endsIn reports whether p is full or ends in "/full".
func endsIn(p, full string) bool {
	return strings.HasSuffix(p, full) && (len(p) == len(full) || p[len(p)-len(full)-1] == '/')
}

// sets returns the libraries that are there, sorted by name, then by prefix.
func (f *setFinder) sets() []classSet {
	var out []classSet
	for s, at := range f.seen {
		lib := &f.t.libraries[s.lib]
		hits := bits.OnesCount32(at.bits)
		if at.bits&lib.required != lib.required || f.forbidden(lib, s.prefix, s.moved) {
			continue
		}
		if s.moved {
			if !movedEnough(lib, hits) || strings.HasSuffix(s.prefix, lib.root+"/") {
				continue
			}
		} else if hits < needed(len(lib.markers)) {
			continue
		}
		out = append(out, classSet{lib: lib, prefix: s.prefix, moved: s.moved, hits: hits, show: at.show})
	}
	slices.SortFunc(out, func(a, b classSet) int {
		return cmp.Or(cmp.Compare(a.lib.name, b.lib.name), cmp.Compare(boolInt(a.moved), boolInt(b.moved)), cmp.Compare(a.prefix, b.prefix))
	})
	return out
}

// needed is how many of n classes make a set: half of them, since releases
// differ in the classes that they have and shading tools drop unused ones, but
// two at least where there are two.
func needed(n int) int { return max((n+1)/2, min(n, 2)) }

// movedEnough asks for more where the library's root was replaced, since only
// the ends of the paths are left to go by: three quarters of the classes that
// lie in folders below the root, and four of them.
func movedEnough(lib *library, hits int) bool {
	deep := 0
	for _, m := range lib.markers {
		if strings.IndexByte(m, '/') > 0 {
			deep++
		}
	}
	return hits >= 4 && hits*4 >= deep*3
}

func (f *setFinder) forbidden(lib *library, prefix string, moved bool) bool {
	if len(f.bad) == 0 {
		return false
	}
	for _, full := range lib.absent {
		if moved {
			full = strings.TrimPrefix(full, lib.root+"/")
		}
		if f.bad[prefix+full] {
			return true
		}
	}
	return false
}

// folder returns where the set's classes lie.
func (c *classSet) folder() string {
	if c.moved {
		return strings.TrimSuffix(c.prefix, "/")
	}
	return c.prefix + c.lib.root
}

// relocated reports whether a shading tool moved the classes. A prefix such as
// "BOOT-INF/classes/" is the archive's layout and moves nothing.
func (c *classSet) relocated() bool { return c.moved || packagePrefix(c.prefix) != "" }

// packagePrefix returns the part of a prefix that is Java packages: what
// follows the last folder that no package can be called.
func packagePrefix(prefix string) string {
	for _, layout := range []string{"BOOT-INF/classes/", "WEB-INF/classes/"} {
		prefix = strings.TrimPrefix(prefix, layout)
	}
	return prefix
}

func (c *classSet) detail() string {
	d := fmt.Sprintf("%d of %d classes of its set in %s", c.hits, len(c.lib.markers), clipped(c.folder()))
	if c.relocated() {
		d += ", moved there by a shading tool"
	}
	if c.source != "" {
		d += "; version from " + clipped(c.source)
	}
	return d
}

func (c *classSet) confidence() float64 {
	switch {
	case c.moved:
		return 0.6
	case c.relocated():
		return 0.75
	}
	return 0.8
}

// clipped bounds a path that is shown in a detail.
func clipped(s string) string {
	const most = 160
	if len(s) <= most {
		return s
	}
	return path.Join(s[:most/2]) + "…" + s[len(s)-most/2:]
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
