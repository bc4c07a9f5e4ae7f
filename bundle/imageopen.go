package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"
)

// layersAtOnce is how many layers of an image are inflated side by side.
const layersAtOnce = 2

// wish says which image of an archive or a layout is meant, and what is known
// of it beforehand.
type wish struct {
	name     string // a tag, a reference name or a digest; "": the only one
	platform string // "linux/arm64"; "": any, linux/amd64 first
	base     string // Spec.Base
}

// ErrNoPlatform is wrapped by the error for an image that does not exist for the
// architecture that is wanted.
var ErrNoPlatform = errors.New("no image")

// wishOf reads the wish off a spec. Names of architectures are those of Go in
// images (config.md) and those of AWS in a Spec.
func wishOf(spec Spec, name string) wish {
	w := wish{name: name, base: spec.Base}
	switch spec.Arch {
	case "":
	case "x86_64":
		w.platform = "linux/amd64"
	default:
		w.platform = "linux/" + spec.Arch
	}
	return w
}

// imageRead is one image while it is opened.
type imageRead struct {
	o       *Opener
	lim     Limits
	log     *noticeLog
	want    wish
	ps      parts
	close   []io.Closer
	image   *Image
	config  *imageConfig
	layers  []layerSource
	packed  source // the archive, when it is compressed as a whole
	options layerOptions
}

// layerSource is a layer that the manifest names.
type layerSource struct {
	name   string // for messages
	digest Digest // of the blob; "" when the archive does not say
	part   *part
	err    error // why it is not there
	read   *layer
}

// openImage opens the image of an archive. It owns src, also when it fails.
func (o *Opener) openImage(ctx context.Context, src source, lim Limits, want wish) (*pack, error) {
	r := o.imageRead(lim, want)
	r.close = append(r.close, closer(src.close))
	err := r.archive(ctx, src)
	return r.pack(ctx, err)
}

// openLayout opens the image of a layout directory.
func (o *Opener) openLayout(ctx context.Context, dir string, lim Limits, want wish) (*pack, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, short(err)
	}
	r := o.imageRead(lim, want)
	l := &layout{root: root, files: map[string]*part{}}
	r.ps, r.close = l, append(r.close, l)
	return r.pack(ctx, nil)
}

func (o *Opener) imageRead(lim Limits, want wish) *imageRead {
	return &imageRead{o: o, lim: lim, log: &noticeLog{max: lim.MaxNotices}, want: want, image: &Image{},
		options: layerOptions{lim: lim, wanted: o.Wanted, keep: lim.MaxKeptBytes, count: &layerCount{}}}
}

// closer makes an io.Closer of a function.
type closer func() error

func (c closer) Close() error { return c() }

// pack goes through the steps; the files are closed when one fails.
func (r *imageRead) pack(ctx context.Context, err error) (*pack, error) {
	var p *pack
	if err == nil {
		err = r.choose()
	}
	if err == nil {
		p, err = r.read(ctx)
	}
	if err != nil {
		for _, c := range r.close {
			c.Close()
		}
		if errors.Is(err, fs.ErrNotExist) { // the image is there, and what it names is not
			err = fmt.Errorf("%v: %w", err, ErrUnreadable)
		}
		return nil, err
	}
	return p, nil
}

// archive lists the entries of an archive, compressed or not.
func (r *imageRead) archive(ctx context.Context, src source) error {
	if src.size() > r.lim.MaxImageBytes {
		return fmt.Errorf("%d bytes, over the limit MaxImageBytes of %d: %w", src.size(), r.lim.MaxImageBytes, ErrUnreadable)
	}
	head, err := src.view(0, min(src.size(), tarBlock))
	if err != nil {
		return err
	}
	var a *archive
	if isTar(head) {
		a, err = listArchive(ctx, src, r.lim, r.log)
	} else {
		r.packed = src
		a, err = readArchive(ctx, src, r.lim, r.log, r.options)
	}
	r.ps = a
	return err
}

// choose settles manifest, configuration and layers.
func (r *imageRead) choose() error {
	docker, err := saved(r.ps, r.lim)
	if err != nil {
		return err
	}
	_, err = r.ps.part("index.json")
	switch {
	case err == nil:
		return r.chooseLayout(docker)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read index.json: %w", err)
	case docker == nil:
		return fmt.Errorf("no container image: neither index.json (OCI) nor manifest.json (docker save) is in it: %w", ErrUnreadable)
	}
	return r.chooseDocker(docker)
}

func (r *imageRead) chooseLayout(docker []savedImage) error {
	c := chooser{ps: r.ps, lim: r.lim}
	f, err := c.choose(r.want)
	if err != nil {
		return err
	}
	if r.config, err = readConfig(r.ps, f.m.Config, r.lim); err != nil {
		return err
	}
	img := r.image
	img.Manifest, img.Config, img.Index, img.Annotations = f.desc.Digest, f.m.Config.Digest, f.index, f.m.Annotations
	if len(docker) > 0 && !slices.ContainsFunc(docker, r.sameConfig) {
		r.log.add(Notice{Kind: NoticeImage, Unread: true, Detail: "manifest.json, which docker load reads, names another image than index.json"})
	}
	for i := range f.m.Layers {
		d := &f.m.Layers[i]
		s := layerSource{name: quoted(string(d.Digest)), digest: d.Digest}
		s.part, s.err = blob(r.ps, d)
		r.layers = append(r.layers, s)
		img.Layers = append(img.Layers, ImageLayer{Digest: d.Digest, Size: d.Size, MediaType: d.MediaType})
	}
	return r.describe()
}

// sameConfig reports whether an entry of manifest.json is the image that was chosen.
func (r *imageRead) sameConfig(s savedImage) bool {
	if s.claimed() == r.image.Config {
		return true
	}
	p, err := r.ps.part(s.Config)
	if err != nil {
		return false
	}
	data, err := p.bytes(r.lim.MaxConfigBytes, "MaxConfigBytes")
	return err == nil && digestOfBytes(data) == r.image.Config
}

func (r *imageRead) chooseDocker(list []savedImage) error {
	s, err := chooseSaved(list, r.want)
	if err != nil {
		return err
	}
	p, err := r.ps.part(s.Config)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	data, err := p.bytes(r.lim.MaxConfigBytes, "MaxConfigBytes")
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if r.config, err = parseConfig(data); err != nil {
		return err
	}
	r.image.Config = digestOfBytes(data)
	if d := s.claimed(); d != "" && d != r.image.Config {
		return fmt.Errorf("the configuration %s has the digest %s: %w", quoted(s.Config), r.image.Config, ErrUnreadable)
	}
	for _, name := range s.Layers {
		l := layerSource{name: quoted(name)}
		il := ImageLayer{}
		if l.part, l.err = r.ps.part(name); l.err == nil {
			il.Size = l.part.size
		}
		r.layers = append(r.layers, l)
		r.image.Layers = append(r.image.Layers, il)
	}
	return r.describe()
}

// describe takes over what the configuration says.
func (r *imageRead) describe() error {
	if n := len(r.layers); n > r.lim.MaxImageLayers {
		return fmt.Errorf("%d layers, over the limit MaxImageLayers of %d: %w", n, r.lim.MaxImageLayers, ErrUnreadable)
	}
	diffs := r.config.RootFS.DiffIDs
	if n, m := len(diffs), len(r.layers); n != m {
		why := fmt.Sprintf("the configuration lists %d layers, the manifest %d", n, m)
		if r.image.Manifest == "" { // nothing else says what the layers must be
			return fmt.Errorf("%s: %w", why, ErrUnreadable)
		}
		r.log.add(Notice{Kind: NoticeImage, Unread: true, Detail: why})
		diffs = make([]Digest, m)
	}
	img, c := r.image, r.config
	img.Platform = c.ImagePlatform.String()
	if w := r.want.platform; w != "" && img.Platform != "" && !runsOn(img.Platform, w) {
		return fmt.Errorf("%w for %s; there is %s: %w", ErrNoPlatform, w, quoted(img.Platform), ErrUnreadable)
	}
	if c.Created != nil {
		img.Created = c.Created.UTC()
	}
	img.Entrypoint, img.Cmd, img.Env = c.Config.Entrypoint, c.Config.Cmd, c.Config.Env
	img.WorkingDir, img.User, img.Labels = c.Config.WorkingDir, c.Config.User, c.Config.Labels
	for i := range img.Layers {
		img.Layers[i].DiffID = diffs[i]
	}
	i := 0
	for _, h := range c.History {
		if !h.EmptyLayer && i < len(img.Layers) {
			img.Layers[i].CreatedBy = h.CreatedBy
			if h.Created != nil {
				img.Layers[i].Created = h.Created.UTC()
			}
			i++
		}
	}
	return nil
}

// read reads the layers and merges them.
func (r *imageRead) read(ctx context.Context) (*pack, error) {
	if err := r.readLayers(ctx); err != nil {
		return nil, err
	}
	whole := !r.log.unread() // what is odd about the archive does not show in the digest
	list := make([]*layer, len(r.layers))
	out := 0
	for i := range r.layers {
		if r.judge(i) {
			list[i] = r.layers[i].read
			continue
		}
		out++
	}
	if out > 0 {
		whole = false
		if out == len(list) {
			n := r.log.list()
			return nil, fmt.Errorf("no layer can be read: %s: %w", n[len(n)-1].Detail, ErrUnreadable)
		}
	}
	ls := &layers{list: list, lim: r.lim, closers: r.close}
	for i, l := range list {
		if l == nil {
			ls.list[i] = &layer{}
			continue
		}
		r.place(ls, i)
		for _, n := range l.notices {
			r.log.add(n)
		}
	}
	p := &pack{kind: KindImage, length: r.shipped(), image: r.image, layers: ls, lim: r.lim, dec: &r.o.dec}
	if whole {
		if p.digest = r.image.Manifest; p.digest == "" {
			p.digest = r.image.Config
		}
	}
	m := &merger{ls: ls, lim: r.lim, log: r.log}
	p.arrange(m.merge(), r.log, m.same)
	if len(p.copies[0].files) == 0 {
		r.log.add(Notice{Kind: NoticeEmpty, Detail: "the image holds no file"})
	}
	p.checkLinks(r.log)
	if err := r.base(ctx, p); err != nil {
		return nil, err
	}
	p.notices = r.log.list()
	return p, nil
}

// readLayers streams each layer once. How much memory a layer gets for contents
// follows from its size, so that the outcome does not depend on timing.
func (r *imageRead) readLayers(ctx context.Context) error {
	var sum int64
	for _, s := range r.layers {
		if s.part != nil {
			sum += s.part.size
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(layersAtOnce)
	for i := range r.layers {
		s := &r.layers[i]
		if s.err != nil {
			continue
		}
		if s.read = s.part.read; s.read != nil || r.packed != nil {
			if s.read == nil {
				s.err = fmt.Errorf("it is no tar: %w", ErrUnreadable)
			}
			continue
		}
		o := r.options
		o.keep = o.keep/int64(2*len(r.layers)) + int64(float64(o.keep/2)*float64(s.part.size)/float64(max(sum, 1)))
		g.Go(func() error {
			open := func() (io.Reader, func(), error) { return s.part.stream(0) }
			var err error
			s.read, err = r.o.layers.read(ctx, cmp.Or(s.digest, r.image.Layers[i].DiffID), o, open, func() (*layer, error) {
				blob, done, err := open()
				if err != nil {
					s.err = err
					return nil, ctx.Err()
				}
				defer done()
				return readLayer(ctx, blob, s.part.size, true, o)
			})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return r.options.count.over(&r.lim)
}

// judge compares a layer with what manifest and configuration promise. One that
// is not what they promise is left out: no runtime would take it. Of one that
// is and cannot be unpacked to the end, what came out is listed.
func (r *imageRead) judge(i int) bool {
	s, il := &r.layers[i], &r.image.Layers[i]
	out := func(kind NoticeKind, why string) bool {
		r.log.add(Notice{Kind: kind, Unread: true, Detail: fmt.Sprintf("layer %d of %d, %s, is left out: %s", i+1, len(r.layers), s.name, why)})
		return false
	}
	l := s.read
	whole := l != nil && (l.fault == nil || l.badTar) // the digest of the tar is that of all of it
	switch {
	case s.err != nil:
		return out(NoticeImage, strings.TrimSuffix(s.err.Error(), ": "+ErrUnreadable.Error()))
	case s.digest != "" && l.blob != s.digest:
		return out(NoticeImage, "its digest is "+string(l.blob))
	case whole && l.diff != il.DiffID && il.DiffID != "":
		return out(NoticeImage, "unpacked its digest is "+string(l.diff)+", the configuration says "+quoted(string(il.DiffID)))
	case !whole && s.digest == "" && l.diff != il.DiffID && !errors.Is(l.fault, errLimit):
		return out(faultNotice(l.fault).Kind, faultNotice(l.fault).Detail)
	}
	il.Digest = l.blob
	if l.fault != nil {
		n := faultNotice(l.fault)
		if !whole && l.diff == il.DiffID { // all of the tar is there
			n.Unread = false
			if !errors.Is(l.fault, gzip.ErrChecksum) && !errors.Is(l.fault, zstd.ErrCRCMismatch) {
				n.Kind = NoticeHidden // something follows the compressed data, or its sum is cut off
			}
		}
		n.Detail = fmt.Sprintf("layer %d of %d, %s: %s", i+1, len(r.layers), s.name, n.Detail)
		r.log.add(n)
	}
	return true
}

// place says where the tar of layer i is read from later.
func (r *imageRead) place(ls *layers, i int) {
	l, p := ls.list[i], r.layers[i].part
	if l.inPlace {
		l.tar = io.NewSectionReader(p.src, p.off, p.size)
		return
	}
	t := &packedTar{all: ls, length: l.length, points: l.points}
	if p.in != nil {
		t.outer, t.skip, t.plain = p.in, p.skip, !l.packed
	}
	t.open = func(off int64) (io.Reader, int64, func(), error) {
		if !l.packed { // a plain layer of a compressed archive
			r, done, err := p.stream(off)
			return r, off, done, err
		}
		return unpackFrom(p.stream, l.points, off)
	}
	l.tar = t
}

// shipped is the size of the image as its manifest has it: it does not depend on
// how the image is packed.
func (r *imageRead) shipped() int64 {
	var sum int64
	for _, l := range r.image.Layers {
		if sum += max(l.Size, 0); sum < 0 {
			return 1<<63 - 1
		}
	}
	return sum
}
