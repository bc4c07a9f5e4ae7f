package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// labelBuildpacks is the label in which buildpacks tell which layer of an image
// is the last one of the run image: buildpacks.io, platform specification,
// "io.buildpacks.lifecycle.metadata (JSON)".
const labelBuildpacks = "io.buildpacks.lifecycle.metadata"

// ErrBase is wrapped by every error about Spec.Base: the image itself is
// another matter.
var ErrBase = errors.New("base image")

// ErrNotBase is wrapped by the error for a Spec.Base that is not the base of
// the image, so that a wrong one does not put the function's own packages down
// as another's.
var ErrNotBase = errors.New("not the base of this image")

// base marks the layers that belong to the base image. In order of trust: what
// Spec.Base says; what buildpacks wrote down; the digest that an annotation
// names, where it is that of a layer; and then guesses, which are marked as
// such. A Dockerfile's image has the history of its base in its own. Base
// images nearly always end with a CMD or an ENTRYPOINT, so the last of these
// that layers follow is taken for the end of the base. Without one, the first
// layer is the base if it brings an operating system and is not all there is.
func (r *imageRead) base(ctx context.Context, p *pack) error {
	if r.want.base != "" {
		n, guessed, err := r.baseSaid(ctx, r.want.base)
		if err != nil {
			return fmt.Errorf("%w %s: %w", ErrBase, r.want.base, err)
		}
		r.mark(n, guessed)
		return nil
	}
	if n := r.baseBuildpacks(); n > 0 {
		r.mark(n, false)
		return nil
	}
	if n := r.baseDigest(Digest(r.image.Annotations[annotationBaseDigest])); n > 0 {
		r.mark(n, false)
		return nil
	}
	n := baseHistory(r.config.History, len(r.image.Layers))
	if n == 0 && len(r.image.Layers) > 1 && p.bringsSystem(0) {
		n = 1
	}
	r.mark(n, true)
	return nil
}

func (r *imageRead) mark(n int, guessed bool) {
	for i := range n {
		r.image.Layers[i].Base, r.image.Layers[i].BaseGuessed = true, guessed
	}
}

// baseSaid counts the layers that Spec.Base names: a digest, of a layer packed
// or unpacked or of the base's manifest as annotated, or the path of the base
// image itself. An annotated digest says that there is a base and not where it
// ends, so that the history decides.
func (r *imageRead) baseSaid(ctx context.Context, said string) (n int, guessed bool, err error) {
	if d := Digest(said); d.valid() {
		if n := r.baseDigest(d); n > 0 {
			return n, false, nil
		}
		if d != Digest(r.image.Annotations[annotationBaseDigest]) {
			return 0, false, fmt.Errorf("no layer has this digest: %w", ErrNotBase)
		}
		if n := baseHistory(r.config.History, len(r.image.Layers)); n > 0 {
			return n, true, nil
		}
		return 0, false, fmt.Errorf("the image names it, and nothing shows which layers it has: give the base image itself: %w", ErrNotBase)
	}
	diffs, err := r.o.diffIDs(ctx, said, r.lim, wish{platform: r.want.platform})
	if err != nil {
		return 0, false, err
	}
	for i, d := range diffs {
		if i >= len(r.image.Layers) || r.image.Layers[i].DiffID != d {
			return 0, false, fmt.Errorf("its layer %d of %d is not in the image at this place: %w", i+1, len(diffs), ErrNotBase)
		}
	}
	return len(diffs), false, nil
}

// diffIDs reads the layers of an image off its configuration.
func (o *Opener) diffIDs(ctx context.Context, ref string, lim Limits, want wish) ([]Digest, error) {
	var path string
	_, path, want.name = SplitRef(ref)
	info, err := os.Stat(path)
	if err != nil {
		return nil, short(err)
	}
	r := o.imageRead(lim, want)
	defer func() {
		for _, c := range r.close {
			c.Close()
		}
	}()
	if info.IsDir() {
		root, err := os.OpenRoot(path)
		if err != nil {
			return nil, short(err)
		}
		l := &layout{root: root, files: map[string]*part{}}
		r.ps, r.close = l, append(r.close, l)
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, short(err)
		}
		r.close = append(r.close, f)
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("neither a file nor a folder: %w", ErrUnknownKind)
		}
		if err := r.archive(ctx, newBlocks(f, info.Size())); err != nil {
			return nil, err
		}
	}
	if err := r.choose(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return r.config.RootFS.DiffIDs, nil
}

// baseDigest counts the layers up to the one with this digest.
func (r *imageRead) baseDigest(d Digest) int {
	for i, l := range r.image.Layers {
		if d != "" && (l.Digest == d || l.DiffID == d) {
			return i + 1
		}
	}
	return 0
}

func (r *imageRead) baseBuildpacks() int {
	var meta struct {
		RunImage struct {
			TopLayer Digest `json:"topLayer"`
		} `json:"runImage"`
	}
	if s := r.image.Labels[labelBuildpacks]; s == "" || json.Unmarshal([]byte(s), &meta) != nil {
		return 0
	}
	return r.baseDigest(meta.RunImage.TopLayer)
}

// baseHistory counts the layers before the last CMD or ENTRYPOINT that others
// follow.
func baseHistory(history []historyEntry, layers int) int {
	made := 0
	for _, h := range history {
		made += boolRank(!h.EmptyLayer)
	}
	if made != layers {
		return 0 // the history is not that of these layers
	}
	n, end := 0, 0
	for _, h := range history {
		if !h.EmptyLayer {
			n++
			continue
		}
		if starts(h.CreatedBy) && n > 0 && n < layers {
			end = n
		}
	}
	return end
}

// starts reports whether a build step says what an image runs. Docker's builder
// writes "/bin/sh -c #(nop)  CMD [...]", BuildKit "CMD [...]".
func starts(step string) bool {
	if _, rest, ok := strings.Cut(step, "#(nop)"); ok {
		step = rest
	}
	step = strings.TrimSpace(step)
	return strings.HasPrefix(step, "CMD ") || strings.HasPrefix(step, "ENTRYPOINT ")
}

// bringsSystem reports whether a layer has the files that name a Linux system.
func (p *pack) bringsSystem(layer int) bool {
	for _, e := range p.layers.list[layer].entries {
		switch e.path {
		case "etc/os-release", "usr/lib/os-release", "etc/debian_version", "etc/alpine-release", "etc/system-release":
			return true
		}
	}
	return false
}
