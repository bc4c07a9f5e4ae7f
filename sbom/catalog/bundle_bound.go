package catalog

import (
	"fmt"
	"slices"

	"github.com/fnaudit/fnaudit/sbom/jsbundle"
)

// A bundle that does not tell all that is inside can be bounded by a lockfile:
// whatever the bytes hide is then one of its packages, and all of those are
// judged. A lockfile that whoever scans gives bounds a bundle by their word,
// unless it has none of the packages that the bytes name: then it is another
// project's.
//
// One that came with the bundle is as trustworthy as the bundle. A decoy that
// lists one harmless package must not make a bundle clean that nobody can read,
// so that it bounds a bundle only as far as the bytes stand in for it:
//
//   - the bundle names a package, and none that is not in the lockfile, nor one
//     in another version;
//   - the bundles around which it lies name at least half of what the project
//     asks for to run, as [lock.present] counts;
//   - what is not told fits into its packages, at [packageBytes] each.
//
// Real bundles that tell little (minified, without comments and map) name over
// half of what their project asks for, by licences, manifests and texts.

// packageBytes is how much untold code one package of a lockfile can stand for.
// Bundles that come to some 40 packages and more have 5 to 43 KB for each.
const packageBytes = jsbundle.MinifiedBytes

// bind says which lockfile bounds each bundle that does not tell all, and why
// those do not that are there. It runs when the packages are declared.
func (a *artifact) bind() {
	for i := range a.bundles {
		b := &a.bundles[i]
		if a.boundByGiven(b) {
			continue
		}
		var around []*lock
		for _, l := range a.bounds {
			if l.typ == "npm" && below(b.path, l.dir) {
				around = append(around, l)
			}
		}
		slices.SortStableFunc(around, func(x, y *lock) int { return len(y.dir) - len(x.dir) })
		for n, l := range around {
			why := a.standsFor(b, l)
			if why == "" {
				b.bound = l.path
				break
			}
			if n == 0 {
				b.unbound = l.path + ", which came with it, does not bound what is inside: " + why + "; give the lockfile that it was built with (--lockfile)"
			}
		}
	}
}

// boundByGiven binds a bundle to the first lockfile that was given and lists a
// package that the bytes name, or to the first of all if they name none.
func (a *artifact) boundByGiven(b *bundled) bool {
	for _, x := range a.opts.lockIndexes {
		if len(b.inside) == 0 || slices.ContainsFunc(b.inside, func(in *instance) bool { return x.byName[in.name] != nil }) {
			b.bound = x.path
			return true
		}
	}
	if len(a.opts.lockIndexes) > 0 {
		var names []string
		for _, in := range b.inside {
			names = append(names, in.name)
		}
		b.refused = a.opts.lockIndexes[0].path + ", which was given, lists none of the packages that the bytes name: " + named(names)
	}
	return false
}

// standsFor says why a lockfile that came with a bundle does not bound it; ""
// if it does.
func (a *artifact) standsFor(b *bundled, l *lock) string {
	if l.index == nil {
		l.index = newLockIndex(l)
	}
	var strangers, others []string
	listed := 0
	for _, in := range b.inside {
		switch {
		case l.index.byName[in.name] == nil:
			if !published(in, []*lockIndex{l.index}) {
				strangers = append(strangers, in.name)
			}
		case in.contested, in.version != "" && !l.index.has(in.name, in.version):
			others = append(others, in.name)
		default:
			listed++
		}
	}
	switch {
	case listed+len(strangers)+len(others) == 0:
		return "the bytes name no package, so that nothing shows that the two belong together"
	case len(strangers) > 0:
		return "it lacks what the bytes name: " + named(strangers)
	case len(others) > 0:
		return "the evidence says other versions than it has of " + named(others)
	}
	if l.standing == nil {
		l.standing = a.bundles.standing(l)
	}
	s := l.standing
	if 2*s.named < s.asked {
		return fmt.Sprintf("the bytes name %d of the %d packages that its project asks for", s.named, s.asked)
	}
	untold := b.unknown
	if b.packages+b.own+b.glue+b.unknown == 0 {
		untold = a.size(b.path)
	}
	if untold > s.packages*packageBytes {
		return fmt.Sprintf("its packages, %d in all, hardly come to the %d bytes that nobody could name", s.packages, untold)
	}
	return ""
}

// standing counts the packages of a lockfile.
type standing struct {
	named, asked int   // by the bytes of bundles, of those that its project asks for
	packages     int64 // that run
}

func (s bundles) standing(l *lock) *standing {
	inside := s.inside(l.dir).versions
	out := &standing{}
	out.named, out.asked = l.present(func(e *lockEntry) bool { return inside[e.name] != nil || inside[e.folder()] != nil })
	for i := range l.entries {
		if e := &l.entries[i]; !e.dev && !e.main && e.name != "" {
			out.packages++
		}
	}
	return out
}
