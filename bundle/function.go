package bundle

import "errors"

// Function is one opened function: its code and the layers under it, as one
// read-only tree. Close releases every file that the tree reads from.
type Function struct {
	Name     string
	Platform Platform
	Runtime  string // as declared, else guessed from the content, else ""
	Handler  string // as declared, else what an image's command says, else ""
	Arch     string
	Guessed  []string // which of "platform", "runtime", "architecture" were guessed, sorted
	Code     Artifact
	Layers   []Layer   // code first, then the layers in merge order; File.Layer and Notice.Layer index this slice
	Volumes  []*Volume // the opened artifacts, same indexes as Layers
	Tree     *Tree     // all of them merged, each at its mount
	Spec     Spec

	closers []func() error
	notices []Notice // about the function as a whole
}

// Settle waits until everything is hashed and sets each Artifact.Digest of the
// function. It is for functions that [Opener.Begin] opened, changes nothing
// when called again, and must not run while another goroutine reads the fields.
func (f *Function) Settle() {
	for i, v := range f.Volumes {
		d := v.pack.settled()
		for ; v != nil; v = v.Older {
			setDigest(&v.Artifact, d)
		}
		setDigest(&f.Layers[i].Artifact, d)
		if i == 0 {
			setDigest(&f.Code, d)
		}
	}
}

func setDigest(a *Artifact, d Digest) {
	if a.Digest == "" {
		a.Digest = d
	}
}

// Notices returns what was odd about the artifacts and about the function as a
// whole, sorted and without repeats. Notice.Layer indexes Layers. It grows while
// files are read; see [Volume.Notices].
func (f *Function) Notices() []Notice {
	out := append([]Notice(nil), f.notices...)
	for i, v := range f.Volumes {
		for _, n := range v.Notices() {
			n.Layer = i
			out = append(out, n)
		}
	}
	return mergeNotices(out)
}

// Close releases the artifacts. The tree must not be used afterwards.
func (f *Function) Close() error {
	var errs []error
	for i := len(f.closers) - 1; i >= 0; i-- {
		errs = append(errs, f.closers[i]())
	}
	f.closers = nil
	return errors.Join(errs...)
}
