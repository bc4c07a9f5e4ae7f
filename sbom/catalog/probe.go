package catalog

import (
	"context"
	"path"
	"runtime/debug"

	"golang.org/x/sync/semaphore"
)

// probedBytes bounds the executables that are probed at the same time, by their
// unpacked size; a larger one is probed alone.
const probedBytes = 256 << 20

// probe is what one look into an executable found. Everything that needs a
// place in its middle is asked at once, so that a file of a compressed image
// layer is inflated once and not for every question.
type probe struct {
	unsafe   string           // why its headers must not be parsed; "": they may
	info     *debug.BuildInfo // of a Go binary, until goBinaries took it in; else nil
	crates   bool             // there is a section with a list of Rust crates
	golang   bool             // it has the marks of Go's linker; of a file that a package owns, those that are found fast
	searched bool             // golang false means that it has none
}

// probed is a probe and what else comes of it.
type probed struct {
	probe
	zip    bool    // a zip stands behind the program
	failed []error // in the order in which it was tried
}

// probeAll looks into the executables in the order in which they lie in the
// artifact. A zip that stands behind one is left to javaArchives.
func (a *artifact) probeAll(ctx context.Context) {
	memory := semaphore.NewWeighted(probedBytes)
	inOrder(ctx, a.helpers, len(a.executables), func(i int, r *probed, _ *scratch) {
		e := &a.executables[i]
		size := min(max(a.files[a.byPath[e.path]].Size, 1), probedBytes)
		if memory.Acquire(ctx, size) != nil {
			return
		}
		defer memory.Release(size)
		a.probe(e, r)
	}, func(i int, r *probed) {
		e := &a.executables[i]
		e.probe = r.probe
		if r.zip {
			a.zips = append(a.zips, nestedZip{&a.files[a.byPath[e.path]]})
		}
		for _, err := range r.failed {
			a.unread(e.path, err)
		}
	})
}

// probe looks into one executable. It reads what sniff found, and changes
// nothing but r.
func (a *artifact) probe(e *executable, r *probed) {
	c, err := a.opened(e.path)
	if err != nil {
		r.unsafe = "content that cannot be read"
		r.failed = append(r.failed, err)
		return
	}
	defer c.Close()
	r.unsafe = unsafeFormat(c, e.mime)
	owned := a.owners.owns(e.path)
	if e.mime != mimeMach && !owned {
		if r.zip, err = endsLikeZip(c); err != nil {
			r.failed = append(r.failed, err)
		}
	}
	if r.unsafe != "" {
		return
	}
	if r.info, err = buildInfo(c); err == nil && r.info != nil {
		return
	}
	if r.crates, err = hasRustSection(c, e.mime); err != nil {
		r.failed = append(r.failed, err)
	}
	switch {
	case r.crates || e.packed || path.Base(e.path) == "node": // known by other marks, as a rule
	case owned:
		r.golang = goWithoutInfo(c)
	default:
		r.searched, r.golang = true, goWithoutInfo(c) || hasGoMarks(c)
	}
}
