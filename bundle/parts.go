package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// maxParts bounds the entries of an image archive: blobs, and the folders and
// little files that docker save adds for each layer.
const maxParts = 20_000

// heldParts bounds in bytes the documents of a compressed archive that are held.
const heldParts = 32 << 20

// parts are the pieces of an image by name: the files of a layout directory or
// the entries of an archive.
type parts interface {
	// part returns a piece; the error wraps fs.ErrNotExist when it is not there.
	part(name string) (*part, error)
}

// part is one piece of an image.
type part struct {
	size   int64
	digest Digest // of the content, when it is known already
	read   *layer // when it was read as a layer already
	held   []byte // the content, when it is held
	src    source // where the content lies as it is; nil when it lies in a compressed archive
	off    int64  // in src
	skip   int64  // of a compressed archive, unpacked: where the content starts
	link   string // in an archive: another part has the content
	in     *packedArchive
}

// stream reads the part from a byte on.
func (p *part) stream(off int64) (io.Reader, func(), error) {
	off = min(off, p.size)
	switch {
	case p.held != nil:
		return bytes.NewReader(p.held[off:]), func() {}, nil
	case p.src != nil:
		return sequential(p.src, p.off+off, p.size-off), func() {}, nil
	}
	r, at, done, err := unpackFrom(p.in.open, p.in.points, p.skip+off)
	if err != nil {
		return nil, nil, err
	}
	if _, err := io.CopyN(io.Discard, r, p.skip+off-at); err != nil {
		done()
		return nil, nil, cutOff(err)
	}
	return io.LimitReader(r, p.size-off), done, nil
}

// packedArchive is an archive that is compressed as a whole.
type packedArchive struct {
	src    source
	points []restart
}

func (a *packedArchive) open(off int64) (io.Reader, func(), error) {
	return sequential(a.src, off, a.src.size()-off), func() {}, nil
}

// bytes returns the content, which may have up to most bytes.
func (p *part) bytes(most int64, limit string) ([]byte, error) {
	if p.size > most {
		return nil, fmt.Errorf("%d bytes, over the limit %s of %d: %w", p.size, limit, most, ErrUnreadable)
	}
	r, done, err := p.stream(0)
	if err != nil {
		return nil, err
	}
	defer done()
	b := make([]byte, p.size)
	if _, err := io.ReadFull(r, b); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errChanged
		}
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return b, nil
}

// blob returns a part of a layout that must have a digest.
func blob(ps parts, d *descriptor) (*part, error) {
	name, err := d.Digest.blobName()
	if err != nil {
		return nil, err
	}
	p, err := ps.part(name)
	if err != nil {
		return nil, err
	}
	if p.size != d.Size {
		return nil, fmt.Errorf("blob %s has %d bytes, its descriptor says %d: %w", d.Digest, p.size, d.Size, ErrUnreadable)
	}
	return p, nil
}

// document reads a JSON blob and checks its digest.
func document(ps parts, d *descriptor, most int64, limit string) ([]byte, error) {
	p, err := blob(ps, d)
	if err != nil {
		return nil, err
	}
	data, err := p.bytes(most, limit)
	if err != nil {
		return nil, err
	}
	if got := digestOfBytes(data); got != d.Digest {
		return nil, fmt.Errorf("blob %s has the digest %s: %w", d.Digest, got, ErrUnreadable)
	}
	return data, nil
}

func digestOfBytes(b []byte) Digest {
	h := sha256.New()
	h.Write(b)
	return digestOf(h)
}

// layout is an image layout on disk. Every access goes through os.Root, so that
// no link leads out of it. Each file is opened once, and what is read of it
// again must be what was read first.
type layout struct {
	root  *os.Root
	files map[string]*part
}

func (l *layout) part(name string) (*part, error) {
	if p := l.files[name]; p != nil {
		return p, nil
	}
	info, err := l.root.Stat(name)
	if err != nil {
		return nil, short(err)
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for ever
		return nil, fmt.Errorf("%s is no file: %w", name, ErrUnreadable)
	}
	f, err := l.root.Open(name)
	if err != nil {
		return nil, short(err)
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = errChanged
	}
	if err != nil {
		f.Close()
		return nil, short(err)
	}
	p := &part{size: info.Size(), src: newBlocks(f, info.Size())}
	l.files[name] = p
	return p, nil
}

func (l *layout) Close() error {
	errs := []error{l.root.Close()}
	for _, p := range l.files {
		errs = append(errs, p.src.close())
	}
	return errors.Join(errs...)
}

// archive is the entries of a tar by their clean names.
type archive struct {
	entries map[string]*part
	lim     Limits
	log     *noticeLog
}

// part follows the links by which docker save spares itself equal layers.
func (a *archive) part(name string) (*part, error) {
	asked := name
	for range a.lim.MaxLinkDepth {
		clean, odd := cleanPath(name, a.lim)
		p := a.entries[clean]
		switch {
		case odd != "":
			return nil, fmt.Errorf("the archive has no entry %s, and the name leads out of it: %w", quoted(asked), ErrUnreadable)
		case p == nil:
			return nil, fmt.Errorf("the archive has no entry %s: %w", quoted(asked), fs.ErrNotExist)
		case p.link == "":
			return p, nil
		}
		name = p.link
	}
	return nil, fmt.Errorf("links of entry %s lead to one another: %w", quoted(asked), ErrUnreadable)
}

// put enters one header; it returns nil for what has no content.
func (a *archive) put(h *tar.Header) (*part, error) {
	if len(a.entries) >= maxParts {
		return nil, fmt.Errorf("an image archive of more than %d entries: %w", maxParts, ErrUnreadable)
	}
	name, odd := cleanPath(strings.TrimLeft(h.Name, "/"), a.lim)
	p := &part{size: h.Size}
	switch h.Typeflag {
	case tar.TypeReg:
		for key := range h.PAXRecords {
			if strings.HasPrefix(key, "GNU.sparse.") {
				return nil, fmt.Errorf("entry %s of the image archive is sparse, which is not read: %w", quoted(h.Name), ErrUnreadable)
			}
		}
	case tar.TypeSymlink:
		p.link = path.Join(parent(name), h.Linkname)
	case tar.TypeLink:
		p.link = path.Clean(h.Linkname)
	case tar.TypeGNUSparse:
		return nil, fmt.Errorf("entry %s of the image archive is sparse, which is not read: %w", quoted(h.Name), ErrUnreadable)
	default:
		return nil, nil
	}
	if odd != "" { // nothing that an image is made of is named so
		a.log.add(Notice{Kind: odd, Unread: odd == NoticeTraversal, Detail: "entry of the image archive named " + quoted(h.Name)})
	}
	if before := a.entries[name]; before != nil && (before.link != p.link || p.link == "") {
		a.log.add(Notice{Kind: NoticeDuplicate, Unread: true, Detail: "the image archive has the entry " + quoted(h.Name) + " more than once; readers differ in which one they take"})
	}
	a.entries[name] = p
	return p, nil
}

// listArchive lists an uncompressed archive; what it holds is read in place.
func listArchive(ctx context.Context, src source, lim Limits, log *noticeLog) (*archive, error) {
	a := &archive{entries: map[string]*part{}, lim: lim, log: log}
	in := io.NewSectionReader(src, 0, src.size())
	tr := tar.NewReader(in)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := tr.Next()
		if h == nil || err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return a, a.ended(err)
		}
		p, err := a.put(h)
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		p.src = src
		if p.off, err = in.Seek(0, io.SeekCurrent); err != nil {
			return nil, err
		}
		if p.size > src.size()-p.off {
			p.size = src.size() - p.off // what there is; its digest will not match
			a.log.add(Notice{Kind: NoticeTruncated, Unread: true, Detail: "the image archive ends within its entry " + quoted(h.Name)})
			return a, nil
		}
	}
}

// ended says what the error at the end of an archive means.
func (a *archive) ended(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	if errors.Is(err, errChanged) || len(a.entries) == 0 {
		return fmt.Errorf("read image archive: %w: %w", ErrUnreadable, err)
	}
	n := faultNotice(err)
	n.Detail = "the image archive: " + n.Detail
	a.log.add(n)
	return nil
}

// readArchive reads an archive that is compressed as a whole, in one pass:
// documents are held, and whatever looks like a layer is read as one on the
// way, because it cannot be known before the end which entries are layers.
func readArchive(ctx context.Context, src source, lim Limits, log *noticeLog, o layerOptions) (*archive, error) {
	a := &archive{entries: map[string]*part{}, lim: lim, log: log}
	outer := lim
	outer.MaxLayerBytes, outer.MaxLayersBytes = lim.MaxImageBytes, lim.MaxImageBytes
	in := inflate(ctx, sequential(src, 0, src.size()), src.size(), outer, &new(layerCount).inflated)
	packed := &packedArchive{src: src}
	err := a.readAll(ctx, in, packed, o)
	_, _, extra, fault := in.finish()
	packed.points = in.points
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errPart):
		return nil, err
	case fault != nil:
		err = fault
	}
	if extra && err == nil {
		log.add(Notice{Kind: NoticeHidden, Unread: true, Detail: "data follows the end of the image archive"})
	}
	return a, a.ended(err)
}

// errPart is wrapped by errors that end the reading of an archive for good.
var errPart = errors.New("image archive refused")

func (a *archive) readAll(ctx context.Context, in *inflation, packed *packedArchive, o layerOptions) error {
	tr := tar.NewReader(in)
	held := int64(0)
	head := make([]byte, tarBlock)
	for {
		h, err := tr.Next()
		if h == nil || err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		p, err := a.put(h)
		if err != nil {
			return fmt.Errorf("%w: %w", errPart, err)
		}
		if p == nil || p.link != "" {
			continue
		}
		p.skip, p.in = in.pos, packed
		n, err := io.ReadFull(tr, head[:min(p.size, tarBlock)])
		if err != nil {
			delete(a.entries, h.Name)
			return cutOff(err)
		}
		body := io.MultiReader(bytes.NewReader(head[:n]), tr)
		switch {
		case layerLike(head[:n]):
			if p.read, err = readLayer(ctx, &limited{body, p.size}, p.size, false, o); err != nil {
				return err
			}
			o.keep -= p.read.keep.used
			p.digest = p.read.blob
		case p.size <= max(a.lim.MaxManifestBytes, a.lim.MaxConfigBytes) && held+p.size <= heldParts:
			if p.held, err = io.ReadAll(body); err != nil {
				return cutOff(err)
			}
			held += p.size
		}
	}
}

// layerLike reports whether an entry may be a layer by its first bytes.
func layerLike(head []byte) bool {
	return packedOrTar(head) || unreadPacking(head) ||
		len(head) == 0 || len(head) == tarBlock && zeros(head) // an empty tar
}

// limited ends after n bytes and says when there are fewer.
type limited struct {
	r io.Reader
	n int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.n <= 0 {
		return 0, io.EOF
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.n)])
	l.n -= int64(n)
	if l.n > 0 && errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if l.n == 0 {
		err = nil
	}
	return n, err
}
