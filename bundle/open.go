package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Opener opens functions. Its zero value works. It is safe for concurrent use
// and must not be copied. Functions that are open at the same time share what
// they have in common: an artifact with the same path or the same digest is
// held once. An image layer with the same digest is unpacked once, also for images
// that are opened one after another, as long as little else was between them.
type Opener struct {
	Limits Limits
	Stdin  io.Reader // what "-" reads; nil: os.Stdin is not touched and "-" is an error

	// Wanted says which files of compressed image layers are likely to be read,
	// by path, size and up to 2,048 first bytes: they are kept in memory as far
	// as Limits.MaxKeptBytes allows. The others can be read too, at the price of
	// inflating their layer again. nil: all of them.
	Wanted func(path string, size int64, head []byte) bool

	dec    decoders
	cache  cache
	layers sharedLayers
}

// Open opens the code and the layers of one function. The caller closes the
// result. The error wraps fs.ErrNotExist when the code or a layer is not there,
// and ErrUnreadable or ErrUnknownKind when the code is not what can be audited.
// A layer that is there and cannot be read is not an error: its volume is empty
// and carries a notice with Unread set, so that the rest is still judged.
func (o *Opener) Open(ctx context.Context, spec Spec) (*Function, error) {
	f, err := o.Begin(ctx, spec)
	if err == nil {
		f.Settle()
	}
	return f, err
}

// Begin is Open for a caller that can use the files before it knows their
// digest: every Artifact.Digest of the function may be empty until
// [Function.Settle] has been called. Hashing goes on beside the caller.
func (o *Opener) Begin(ctx context.Context, spec Spec) (_ *Function, err error) {
	lim := o.Limits.withDefaults()
	f := &Function{Name: spec.Name, Spec: spec, Handler: spec.Handler}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	code, err := o.code(ctx, spec, lim)
	if err != nil {
		if spec.Unread != "" {
			return nil, err // a whole sentence, and Ref is only where it was declared
		}
		return nil, fmt.Errorf("open %s: %w", spec.Ref, err)
	}
	f.add(code, spec.Ref, o)
	if code.image != nil && len(spec.Layers) > 0 {
		return nil, fmt.Errorf("open %s: %w", spec.Ref, ErrImageLayers)
	}
	if f.Name == "" {
		f.Name = nameOf(spec.Ref)
	}
	for _, ref := range spec.Layers {
		p, err := o.artifact(ctx, ref, Spec{}, lim)
		switch {
		case err == nil:
		case ctx.Err() != nil, errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("open layer %s: %w", ref, err)
		default:
			p = unreadLayer(err, lim)
		}
		if p.kind == KindBinary {
			p.release(o)
			p = unreadLayer(errors.New("a bare executable is not a layer"), lim)
		}
		if p.kind == KindImage {
			p.release(o)
			p = unreadLayer(errors.New("a container image is not a layer"), lim)
		}
		f.add(p, ref, o)
	}
	f.Code = f.Volumes[0].Artifact
	f.assemble()
	if len(f.Volumes) > 1 {
		f.Settle() // the digests were compared, so they are there
	}
	return f, nil
}

// ErrImageLayers is wrapped by the error for a container image that is opened
// with layers: no platform mounts any under an image.
var ErrImageLayers = errors.New("a container image takes no layers: what it needs is in it")

// add appends an artifact; assemble says later where it is mounted.
func (f *Function) add(p *pack, ref string, o *Opener) {
	v := newVolume(p, ref)
	f.Volumes = append(f.Volumes, v)
	f.Layers = append(f.Layers, Layer{Artifact: v.Artifact})
	f.closers = append(f.closers, func() error { return p.release(o) })
}

// unreadLayer stands for a layer whose content cannot be had.
func unreadLayer(err error, lim Limits) *pack {
	return &pack{lim: lim, src: memory(nil), copies: []listing{{}},
		notices: []Notice{{Kind: NoticeCorrupt, Unread: true, Detail: "the layer cannot be read: " + err.Error()}}}
}

// nameOf is the default name of a function: the base name without extension.
func nameOf(ref string) string {
	_, path, image := SplitRef(ref)
	if path == "-" {
		return "stdin"
	}
	if image != "" {
		return base(image)
	}
	abs, err := filepath.Abs(path)
	if err == nil {
		path = abs
	}
	name := filepath.Base(path)
	for _, ext := range []string{".zip", ".jar", ".war", ".ear", ".tar.gz", ".tar.zst", ".tgz", ".tar"} {
		if len(name) > len(ext) && strings.EqualFold(name[len(name)-len(ext):], ext) {
			return name[:len(name)-len(ext)]
		}
	}
	return name
}

// SplitRef takes a prefix that forces the kind off a reference. Other words
// before a colon belong to the path; one letter is a Windows drive. Behind a
// "#" stands which image of an archive or a layout is meant, by tag, reference
// name or digest, unless a file of the whole name is there.
func SplitRef(ref string) (prefix, path, image string) {
	path = ref
	for _, p := range []string{"zip", "jar", "dir", "binary", "sbom", "oci", "archive", "image", "sam"} {
		if rest, ok := strings.CutPrefix(ref, p+":"); ok {
			prefix, path = p, rest
			break
		}
	}
	if i := strings.LastIndexByte(path, '#'); i > 0 {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			path, image = path[:i], path[i+1:]
		}
	}
	return prefix, path, image
}

// artifact opens what a reference names, or shares what is open already.
func (o *Opener) artifact(ctx context.Context, ref string, spec Spec, lim Limits) (*pack, error) {
	prefix, path, image := SplitRef(ref)
	want := wishOf(spec, image)
	switch prefix {
	case "image":
		return nil, errRegistry
	case "sbom":
		return nil, errSBOM
	case "sam":
		return nil, fmt.Errorf("%w: a template names functions and is not one", ErrUnknownKind)
	}
	if path == "" {
		return nil, fmt.Errorf("no path given: %w", fs.ErrNotExist)
	}
	if path == "-" {
		if o.Stdin == nil {
			return nil, errors.New("standard input is not available here: name a file")
		}
		src, sum, err := loadStream(ctx, o.Stdin, min(lim.MaxStdinBytes, lim.MaxArtifactBytes))
		if err != nil {
			return nil, err
		}
		return o.parse(ctx, src, sum, prefix, "stdin", lim, want)
	}
	key := fmt.Sprintf("%s\x00%q", prefix, want) // the same path may hold several images
	return o.cache.path(ctx, key, path, func() (*pack, error) { return o.open(ctx, prefix, path, lim, want) })
}

var (
	errRegistry = fmt.Errorf("%w: an image of a registry is not opened here: save it with docker save or skopeo copy", ErrUnreadable)
	errNoImage  = fmt.Errorf("%w: there is no image behind \"#\" here", ErrUnknownKind)
	errSBOM     = fmt.Errorf("%w: an SBOM has no bytes to open: name it with the prefix \"sbom:\" to audit it", ErrUnknownKind)
)

// open reads an artifact from disk.
func (o *Opener) open(ctx context.Context, prefix, path string, lim Limits, want wish) (*pack, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, short(err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, short(err)
	}
	if info.IsDir() {
		file.Close()
		kind, err := sniffFolder(path)
		switch {
		case err != nil:
			return nil, short(err)
		case prefix == "" && kind == KindLayout:
			if other, err := besideLayout(path); err != nil || other != "" {
				return nil, cmp.Or(short(err), fmt.Errorf("%w: an OCI layout that also holds %q: say which is meant with a prefix, oci: or dir: before its name", ErrUnreadable, other))
			}
			fallthrough
		case prefix == "oci":
			return o.openLayout(ctx, path, lim, want)
		case prefix != "" && prefix != "dir":
			return nil, fmt.Errorf("%w: a folder, though the prefix says %s", ErrUnknownKind, prefix)
		case want.name != "":
			return nil, errNoImage
		}
		p, err := openFolder(ctx, path, lim, &o.dec)
		return p, short(err)
	}
	if prefix == "dir" {
		file.Close()
		return nil, fmt.Errorf("%w: not a folder, though the prefix says dir", ErrUnknownKind)
	}
	var src source
	var sum *digester
	if info.Mode().IsRegular() && lookAt(file, info.Size(), prefix) == KindImage {
		return o.openImage(ctx, newBlocks(file, info.Size()), lim, want)
	}
	if info.Mode().IsRegular() {
		src, sum, err = load(ctx, file, info, lim)
	} else { // a pipe, as <(command) makes one
		src, sum, err = loadStream(ctx, file, min(lim.MaxStdinBytes, lim.MaxArtifactBytes))
		file.Close()
	}
	if err != nil {
		return nil, err
	}
	return o.parse(ctx, src, sum, prefix, base(filepath.ToSlash(path)), lim, want)
}

// lookAt tells an image archive from everything else before it is read: such
// an archive is not read into memory and has no digest as a whole.
func lookAt(file *os.File, length int64, prefix string) Kind {
	switch prefix {
	case "oci", "archive":
		return KindImage
	case "":
		head := make([]byte, tarBlock)
		if n, _ := file.ReadAt(head, 0); !packedOrTar(head[:n]) {
			return ""
		}
		if k, err := quickKind(section{file, length}); err == nil {
			return k
		}
	}
	return ""
}

// short takes the path off an error: Open says it already.
func short(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// parse makes a pack of loaded bytes.
func (o *Opener) parse(ctx context.Context, src source, sum *digester, prefix, name string, lim Limits, want wish) (*pack, error) {
	p, err := o.read(ctx, src, prefix, name, lim, want)
	if err != nil {
		src.close()
		return nil, err
	}
	if p.image != nil {
		return p, nil
	}
	if p.digest == "" {
		p.late = sum
	}
	return o.cache.sameBytes(p), nil
}

func (o *Opener) read(ctx context.Context, src source, prefix, name string, lim Limits, want wish) (*pack, error) {
	switch prefix {
	case "oci", "archive":
		return o.openImage(ctx, src, lim, want)
	case "zip", "jar":
		p, err := openZip(ctx, src, lim, &o.dec)
		if errors.Is(err, errNotZip) {
			return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		if err == nil && prefix == "jar" {
			p.kind = KindJar
		}
		return p, err
	case "binary":
		return openBinary(src, name, lim, &o.dec)
	}
	kind, err := quickKind(src)
	switch {
	case err != nil:
		return nil, err
	case want.name != "" && kind != KindImage:
		return nil, errNoImage
	}
	switch kind {
	case KindZip:
		p, err := openZip(ctx, src, lim, &o.dec)
		if errors.Is(err, errNotZip) {
			return nil, fmt.Errorf("a zip without an end record: it is cut off; build or fetch it again: %w", ErrUnreadable)
		}
		return p, err
	case KindBinary:
		return openBinary(src, name, lim, &o.dec)
	case KindSBOM:
		return nil, errSBOM
	}
	return o.openImage(ctx, src, lim, want)
}

// openBinary makes a volume of one file. The prefix "binary:" can be put
// before anything, so the content is looked at here too.
func openBinary(src source, name string, lim Limits, dec *decoders) (*pack, error) {
	head, err := src.view(0, min(src.size(), 64))
	if err != nil {
		return nil, err
	}
	if executable(head) == "" {
		return nil, fmt.Errorf("not an ELF, PE or Mach-O executable: %w", ErrUnknownKind)
	}
	p := &pack{kind: KindBinary, length: src.size(), src: src, lim: lim, dec: dec}
	log := &noticeLog{max: lim.MaxNotices}
	path, odd := cleanPath(name, lim)
	if odd != "" {
		log.add(Notice{Path: path, Kind: odd, Detail: "named " + quoted(name)})
	}
	p.copies = []listing{{
		files:   []File{{Path: path, Size: src.size()}},
		entries: []entry{{packed: src.size(), method: methodPlain}},
	}}
	p.notices = log.list()
	return p, nil
}
