package bundle

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/s2"
)

const (
	tarBlock = 512

	// headBytes is how much of a file that is not kept whole stays in memory
	// for Peek.
	headBytes = 2048
)

// Names that mean something else than a file: OCI image specification 1.1,
// layer.md, "Whiteouts". What else starts with metaPrefix is bookkeeping of AUFS.
const (
	whiteoutPrefix = ".wh."
	metaPrefix     = ".wh..wh."
	opaqueName     = ".wh..wh..opq"
)

// layerKind is what an entry of a layer does.
type layerKind uint8

const (
	layerFile layerKind = iota
	layerSymlink
	layerHardlink
	layerDir
	layerWhiteout // removes a path of the layers below
	layerOpaque   // removes everything in a folder of the layers below
)

// layerEntry is one entry of a layer's tar.
type layerEntry struct {
	path   string // cleaned; of a whiteout: what it removes
	link   string // target as stored
	size   int64
	at     int64 // of the content in the tar; of a sparse file: of its header
	kept   int64 // place in the keeper
	held   int64 // bytes that are there: all of the file, or the first headBytes
	kind   layerKind
	odd    bool // the path was escaped or shortened
	sparse bool
}

// layer is one layer after it was read once.
type layer struct {
	entries []layerEntry
	keep    *keeper // nil when contents are read in place
	tar     io.ReaderAt
	blob    Digest    // of the bytes as shipped
	diff    Digest    // of the tar; of as much as came out if fault is set
	size    int64     // as shipped
	length  int64     // of the tar
	packed  bool      // compressed
	points  []restart // of a gzip stream, in order
	inPlace bool      // the tar lies in the artifact as it is
	fault   error     // why reading ended early
	badTar  bool      // the tar is at fault, not what it was packed in
	counted counted   // towards the limits of the image
	notices []Notice
}

// layerRead reads one layer.
type layerRead struct {
	layerOptions
	direct bool
	log    *noticeLog
	l      *layer
	in     *inflation
	tr     *tar.Reader
	head   []byte

	pointed int64 // bytes of the places that reachable keeps, as they are kept
}

// layerCount is what the layers of one image have used up together.
type layerCount struct {
	inflated atomic.Int64
	entries  atomic.Int64
	paths    atomic.Int64 // bytes of names and link targets
}

// counted is the part of one layer in a layerCount.
type counted struct{ inflated, entries, paths int64 }

// add counts a layer that is not read again.
func (c *layerCount) add(l *layer) {
	c.inflated.Add(l.counted.inflated)
	c.entries.Add(l.counted.entries)
	c.paths.Add(l.counted.paths)
}

// over is the error for layers that are too much together. Layers are read side
// by side, so that which of them meets such a limit is chance, and what was read
// until then is too: it cannot be a part of the result.
func (c *layerCount) over(lim *Limits) error {
	if c.inflated.Load() <= lim.MaxLayersBytes && c.entries.Load() <= int64(lim.MaxEntries) && c.paths.Load() <= lim.MaxPathBytes {
		return nil
	}
	return fmt.Errorf("the layers together are over MaxLayersBytes, MaxEntries or MaxPathBytes (%d bytes, %d entries, %d bytes of paths): %w",
		lim.MaxLayersBytes, lim.MaxEntries, lim.MaxPathBytes, ErrUnreadable)
}

// layerOptions say how layers are read.
type layerOptions struct {
	lim    Limits
	wanted func(path string, size int64, head []byte) bool
	keep   int64 // budget in bytes for contents
	count  *layerCount
}

// readLayer streams a layer once: digests, entries, and the contents that are
// kept when they cannot be read in place later. direct says that blob lies in
// the artifact as it is, so that an uncompressed layer needs nothing kept. size
// is that of the blob. What is wrong with the layer is in the result; the only
// error is that of ctx.
func readLayer(ctx context.Context, blob io.Reader, size int64, direct bool, o layerOptions) (*layer, error) {
	r := &layerRead{layerOptions: o, direct: direct, log: &noticeLog{max: o.lim.MaxNotices}, head: make([]byte, headBytes),
		l: &layer{size: size, keep: &keeper{most: max(o.keep, 1)}}}
	r.in = inflate(ctx, blob, size, o.lim, &o.count.inflated)
	r.tr = tar.NewReader(r.in)
	err := r.entries()
	blobSum, diff, extra, fault := r.in.finish()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	l := r.l
	l.blob, l.diff, l.packed, l.fault, l.length = blobSum, diff, r.in.packed, fault, r.in.pos
	l.counted.inflated = l.length
	l.points = mergePoints(l.points, r.in.points)
	if l.badTar = err != nil && (fault == nil || !errors.Is(err, fault)); l.badTar {
		l.fault = err
	}
	if extra && l.fault == nil {
		r.log.add(Notice{Kind: NoticeHidden, Unread: true, Detail: "data follows the end of the layer's tar"})
	}
	if l.inPlace = direct && !l.packed; l.inPlace {
		l.keep = nil
	} else {
		l.keep.seal()
	}
	r.dropCut()
	l.notices = r.log.list()
	return l, nil
}

// dropCut takes off the last file when its content is not all there.
func (r *layerRead) dropCut() {
	l := r.l
	if l.fault == nil || len(l.entries) == 0 {
		return
	}
	last := &l.entries[len(l.entries)-1]
	if last.kind == layerFile && (last.sparse || last.size > l.length-last.at) {
		r.log.add(Notice{Path: last.path, Kind: NoticeTruncated, Unread: true, Detail: "the layer could not be read to its end"})
		l.entries = l.entries[:len(l.entries)-1]
	}
}

// entries reads the tar up to its end.
func (r *layerRead) entries() error {
	for {
		r.in.mark = -1
		h, err := r.tr.Next()
		if h == nil || err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		names := int64(len(h.Name) + len(h.Linkname))
		r.l.counted.entries++
		r.l.counted.paths += names
		n, paths := r.count.entries.Add(1), r.count.paths.Add(names)
		switch {
		case n > int64(r.lim.MaxEntries):
			return fmt.Errorf("the layers have more than MaxEntries, %d: %w", r.lim.MaxEntries, errLimit)
		case paths > r.lim.MaxPathBytes:
			return fmt.Errorf("the paths of the layers take more than MaxPathBytes, %d: %w", r.lim.MaxPathBytes, errLimit)
		}
		if err := r.entry(h); err != nil {
			return err
		}
	}
}

// entry takes in one header and keeps the content of a file.
func (r *layerRead) entry(h *tar.Header) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		r.global(h)
		return nil
	}
	name := strings.TrimLeft(h.Name, "/")
	if dropped := dropDots(name); dropped == "" && (h.Typeflag == tar.TypeDir || name == "") {
		return nil // the root itself
	}
	path, odd := cleanPath(name, r.lim)
	switch {
	case odd == NoticeName && harmlessOnLinux(name):
		// systemd names units with backslashes
	case odd != "":
		r.log.add(Notice{Path: path, Kind: odd, Unread: odd == NoticeTraversal || odd == NoticeLimit || strings.Contains(name, "\x00"), Detail: "named " + quoted(h.Name)})
	case len(name) < len(h.Name) && h.Typeflag != tar.TypeDir:
		r.log.add(Notice{Path: path, Kind: NoticeTraversal, Detail: "named " + quoted(h.Name) + ", taken from the root of the image"})
	}
	e := layerEntry{path: path, odd: odd != "", at: r.in.pos}
	if r.whiteout(&e) {
		return nil
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		e.size = h.Size
	case tar.TypeCont:
		e.size = h.Size
		r.log.add(Notice{Path: path, Kind: NoticeSpecial, Detail: "a contiguous file; read as a file"})
	case tar.TypeDir:
		e.kind = layerDir
	case tar.TypeSymlink, tar.TypeLink:
		e.kind, e.link = layerSymlink, h.Linkname
		if h.Typeflag == tar.TypeLink {
			e.kind = layerHardlink
		}
		if len(e.link) > maxLinkBytes {
			r.log.add(Notice{Path: path, Kind: NoticeLimit, Unread: true, Detail: fmt.Sprintf("a link whose target has %d bytes", len(e.link))})
			e.link = ""
		}
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		r.log.add(Notice{Path: path, Kind: NoticeSpecial, Detail: "a device or a pipe"})
		return nil
	default:
		r.log.add(Notice{Path: path, Kind: NoticeSpecial, Unread: true, Detail: fmt.Sprintf("an entry of type %q, which container runtimes refuse", h.Typeflag)})
		return nil
	}
	if e.kind == layerFile {
		if err := r.content(h, &e); err != nil {
			r.l.entries = append(r.l.entries, e) // for dropCut to name it
			return err
		}
	}
	r.l.entries = append(r.l.entries, e)
	return nil
}

// global reports a pax header that is for all entries. Container runtimes
// ignore it; other readers of tar would rename and resize by it. One with a
// comment alone is what git archive writes.
func (r *layerRead) global(h *tar.Header) {
	for key := range h.PAXRecords {
		if key != "comment" {
			r.log.add(Notice{Kind: NoticeHeader, Unread: true, Detail: "a global header sets " + quoted(key) + " of every entry; readers differ in whether they obey"})
		}
	}
}

// whiteout takes in an entry whose name is an instruction, whatever its type:
// runtimes go by the name.
func (r *layerRead) whiteout(e *layerEntry) bool {
	name := base(e.path)
	hides, ok := strings.CutPrefix(name, whiteoutPrefix)
	if !ok || e.odd {
		return false
	}
	switch {
	case name == opaqueName:
		e.kind, e.path = layerOpaque, parent(e.path)
	case strings.HasPrefix(name, metaPrefix):
		r.log.add(Notice{Path: e.path, Kind: NoticeSpecial, Detail: "bookkeeping of AUFS, no file"})
		return true
	case hides == "" || hides == "." || hides == "..":
		r.log.add(Notice{Path: e.path, Kind: NoticeName, Unread: true, Detail: "a whiteout of nothing"})
		return true
	default:
		e.kind = layerWhiteout
		if dir := parent(e.path); dir != "" {
			hides = dir + "/" + hides
		}
		e.path = hides
	}
	r.l.entries = append(r.l.entries, *e)
	return true
}

// content keeps what is wanted of a file in a compressed layer.
func (r *layerRead) content(h *tar.Header, e *layerEntry) error {
	e.sparse = h.Typeflag == tar.TypeGNUSparse
	for key := range h.PAXRecords {
		e.sparse = e.sparse || strings.HasPrefix(key, "GNU.sparse.")
	}
	if e.sparse {
		e.at = r.in.mark
	}
	if r.direct && !r.in.packed || e.size == 0 {
		return nil
	}
	head := r.head[:min(e.size, headBytes)]
	if _, err := io.ReadFull(r.tr, head); err != nil {
		return cutOff(err)
	}
	k := r.l.keep
	wanted := r.wanted == nil || r.wanted(e.path, e.size, head)
	if wanted = wanted && e.size > int64(len(head)); wanted && !k.room(e.size) {
		r.reachable(e.at / rereadChunk * rereadChunk) // layers are inflated again in chunks
		wanted = false
	}
	if !k.roomForHead(int64(len(head))) {
		return nil
	}
	e.kept = k.size
	k.write(head)
	e.held = int64(len(head))
	if !wanted {
		return nil
	}
	whole, err := k.take(r.tr, e.size-e.held)
	if err != nil {
		return cutOff(err)
	}
	if whole {
		e.held = e.size
	}
	return nil
}

// reachable keeps the last place before a file from which the layer can be read
// again, so that the file costs little more than its own bytes.
func (r *layerRead) reachable(at int64) {
	p, ok := r.in.before(at)
	n := len(r.l.points)
	if !ok || n > 0 && r.l.points[n-1].out == p.out || r.pointed > r.keep/4 {
		return
	}
	p.window = s2.Encode(nil, p.window)
	p.window = append([]byte(nil), p.window...)
	r.pointed += int64(len(p.window))
	r.l.points = append(r.l.points, p)
}

// cutOff makes the end of the tar within a file an error of its own.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// dropDots is dropEmpty for any name.
func dropDots(name string) string {
	if name == "" {
		return ""
	}
	return dropEmpty(name)
}

// harmlessOnLinux reports whether only backslashes made a name odd. On Linux,
// where images run, they are letters like any other.
func harmlessOnLinux(name string) bool {
	plain := strings.ReplaceAll(name, `\`, "_")
	return plain != "" && nameFault(plain) == ""
}

// faultNotice says why a layer could not be read to its end.
func faultNotice(err error) Notice {
	n := Notice{Kind: NoticeCorrupt, Unread: true, Detail: err.Error()}
	switch {
	case errors.Is(err, errLimit):
		n.Kind = NoticeLimit
	case errors.Is(err, io.ErrUnexpectedEOF):
		n.Kind, n.Detail = NoticeTruncated, "it ends too early"
	case errors.Is(err, errPacking):
		n.Kind = NoticeMethod
	}
	return n
}
