package bundle

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	rereadChunk   = 1 << 20 // unit in which layers are inflated again
	rereadChunks  = 16      // kept of all layers of one image
	rereadCursors = 3       // streams that stay open

	heldBytes = 16 << 20 // of one file, packed; see apart
)

// layers gives the contents of an image's files after it was opened. Its
// methods are safe for concurrent use.
//
// What was kept is unpacked from memory, and what lies uncompressed in the
// artifact is read there. The rest is inflated again: in chunks, by a stream
// that goes forward, and begins anew at the last place before what is wanted
// when that is nearer; with zstd, which has no such places, at the start. The
// chunks inflated last stay for a while, because catalogers read in the order
// of paths, which goes back and forth a little in that of a tar. The work is
// bounded by MaxRereadBytes.
type layers struct {
	list    []*layer
	lim     Limits
	closers []io.Closer

	mu      sync.Mutex
	reread  int64
	chunks  []*rereadBytes // least recently used first
	cursors []*cursor      // the same

	holding sync.Mutex
	held    *keeper // see apart
	heldRef int64
}

type rereadBytes struct {
	layer *packedTar
	n     int64
	data  []byte
}

// cursor is an open stream of a layer's tar.
type cursor struct {
	layer *packedTar
	r     io.Reader
	close func()
	pos   int64
}

// packedTar is the tar of a compressed layer, readable at any place.
type packedTar struct {
	all    *layers
	length int64
	points []restart
	outer  *packedArchive // that it lies in, else nil
	skip   int64          // where it lies in outer, unpacked
	plain  bool           // in outer it is not packed itself
	open   func(off int64) (r io.Reader, at int64, done func(), err error)
}

// starts is the place at or before off from which reading can begin; below zero
// when that is in the archive in front of the tar.
func (t *packedTar) starts(off int64) int64 {
	if t.plain {
		return nearest(t.outer.points, t.skip+off).out - t.skip
	}
	return nearest(t.points, off).out
}

// cost is how many bytes must be inflated to begin at off.
func (t *packedTar) cost(off int64) int64 {
	n := off - t.starts(off)
	if t.outer != nil && !t.plain {
		at := t.skip + nearest(t.points, off).bit/8
		n += at - nearest(t.outer.points, at).out
	}
	return n
}

// seeks reports whether reading in the middle is cheap.
func (t *packedTar) seeks() bool {
	near := func(points []restart, length int64) bool { return len(points) > 0 || length < 2*restartBytes }
	return (t.plain || near(t.points, t.length)) && (t.outer == nil || near(t.outer.points, t.skip+t.length))
}

// ref is the entry.offset of a file of a layer.
func layerRef(layer, entry int) int64 { return int64(layer)<<32 | int64(entry) }

func (ls *layers) entry(ref int64) (*layer, *layerEntry) {
	l := ls.list[ref>>32]
	return l, &l.entries[ref&0xffffffff]
}

// open streams the file at ref.
func (ls *layers) open(ref int64) (io.Reader, error) {
	l, e := ls.entry(ref)
	if r := ls.random(ref); r != nil {
		return io.NewSectionReader(r, 0, e.size), nil
	}
	if !e.sparse {
		return io.NewSectionReader(l.tar, e.at, e.size), nil
	}
	t := tar.NewReader(io.NewSectionReader(l.tar, e.at, l.length-e.at))
	if h, err := t.Next(); h == nil || err != nil && !errors.Is(err, tar.ErrInsecurePath) {
		return nil, fmt.Errorf("read header again: %w", err)
	}
	return t, nil
}

// random returns a file that can be read at any place without inflating
// anything again; nil for others.
func (ls *layers) random(ref int64) io.ReaderAt {
	l, e := ls.entry(ref)
	switch {
	case e.held == e.size && l.keep != nil:
		return io.NewSectionReader(l.keep, e.kept, e.size)
	case l.inPlace && !e.sparse:
		return io.NewSectionReader(l.tar, e.at, e.size)
	}
	return nil
}

// apart returns a large file that was not kept, readable at any place. Where a
// layer can be read from the middle that is done. Else the file is held, packed,
// until the next such file is asked for: several catalogers look into one after
// another. One that takes too much memory even so is inflated from the start of
// its layer at each step back, which is slow.
func (ls *layers) apart(ref int64, stream func() io.ReadCloser) (io.ReaderAt, error) {
	l, e := ls.entry(ref)
	t, ok := l.tar.(*packedTar)
	if ok && !e.sparse && t.seeks() {
		return io.NewSectionReader(t, e.at, e.size), nil
	}
	ls.holding.Lock()
	defer ls.holding.Unlock()
	if ls.held != nil && ls.heldRef == ref {
		return ls.held, nil
	}
	if ok && !e.sparse && e.size > 4*heldBytes { // it would not fit; executables pack to the half
		return io.NewSectionReader(t, e.at, e.size), nil
	}
	ls.held = nil
	k := &keeper{most: heldBytes}
	r := stream()
	defer r.Close()
	whole, err := k.take(r, e.size)
	switch {
	case err != nil:
		return nil, err
	case !whole && (!ok || e.sparse):
		return nil, &unreadable{kind: NoticeLimit, detail: fmt.Sprintf("a sparse file that takes more than %d bytes packed", heldBytes)}
	case !whole:
		return io.NewSectionReader(t, e.at, e.size), nil
	}
	k.seal()
	ls.held, ls.heldRef = k, ref
	return k, nil
}

// believed is how many bytes of the size of a file are backed by bytes of the
// layer. A sparse file claims holes of any size.
func (ls *layers) believed(ref int64) int64 {
	l, e := ls.entry(ref)
	if e.sparse {
		return min(e.size, l.length-e.at)
	}
	return e.size
}

// peek reads first bytes.
func (ls *layers) peek(ref int64, buf []byte) (int, error) {
	l, e := ls.entry(ref)
	if l.keep != nil && e.held >= int64(len(buf)) {
		return fill(io.NewSectionReader(l.keep, e.kept, e.held), buf)
	}
	r, err := ls.open(ref)
	if err != nil {
		return 0, &unreadable{kind: NoticeCorrupt, detail: cause(err), cause: err}
	}
	return fill(r, buf)
}

func (ls *layers) close() error {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, c := range ls.cursors {
		c.close()
	}
	ls.cursors, ls.chunks = nil, nil
	var errs []error
	for _, c := range ls.closers {
		errs = append(errs, c.Close())
	}
	ls.closers = nil
	return errors.Join(errs...)
}

// ReadAt inflates what is not at hand.
func (t *packedTar) ReadAt(p []byte, off int64) (int, error) {
	ls := t.all
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return readBlocks(p, off, t.length, rereadChunk, func(n int64) ([]byte, error) { return ls.chunk(t, n) })
}

// chunk returns chunk n of a tar. The caller holds mu and copies it.
func (ls *layers) chunk(t *packedTar, n int64) ([]byte, error) {
	for i, c := range ls.chunks {
		if c.layer == t && c.n == n {
			ls.chunks = append(append(ls.chunks[:i], ls.chunks[i+1:]...), c)
			return c.data, nil
		}
	}
	c, err := ls.cursorFor(t, n*rereadChunk)
	if err != nil {
		return nil, err
	}
	for {
		at := c.pos / rereadChunk
		b := ls.spare()
		if err := ls.charge(rereadChunk); err != nil {
			ls.drop(c)
			return nil, err
		}
		got, err := io.ReadFull(c.r, b.data[:min(rereadChunk, t.length-c.pos)])
		c.pos += int64(got)
		b.layer, b.n, b.data = t, at, b.data[:got]
		if err != nil { // the layer was read to here before
			ls.drop(c)
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errChanged
			}
			return nil, err
		}
		ls.chunks = append(ls.chunks, b)
		if c.pos >= t.length {
			ls.drop(c)
		}
		if at == n {
			return b.data, nil
		}
	}
}

func (ls *layers) charge(n int64) error {
	if ls.reread += n; ls.reread > ls.lim.MaxRereadBytes {
		return &unreadable{kind: NoticeLimit, detail: fmt.Sprintf("inflating layers again went over MaxRereadBytes, %d", ls.lim.MaxRereadBytes)}
	}
	return nil
}

// spare gives room for a chunk, taking that of the oldest.
func (ls *layers) spare() *rereadBytes {
	if len(ls.chunks) < rereadChunks {
		return &rereadBytes{data: make([]byte, rereadChunk)}
	}
	b := ls.chunks[0]
	ls.chunks = append(ls.chunks[:0], ls.chunks[1:]...)
	b.layer, b.data = nil, b.data[:rereadChunk]
	return b
}

// cursorFor returns a stream that stands at or before off: the open one that is
// nearest, or a new one.
func (ls *layers) cursorFor(t *packedTar, off int64) (*cursor, error) {
	best := -1
	for i, c := range ls.cursors {
		if c.layer == t && c.pos <= off && (best < 0 || c.pos > ls.cursors[best].pos) {
			best = i
		}
	}
	if best >= 0 && (ls.cursors[best].pos+rereadChunk >= off || ls.cursors[best].pos >= t.starts(off)) {
		c := ls.cursors[best]
		ls.cursors = append(append(ls.cursors[:best], ls.cursors[best+1:]...), c)
		return c, nil
	}
	if err := ls.charge(t.cost(off)); err != nil {
		return nil, err
	}
	r, at, done, err := t.open(off)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, off-at); err != nil {
		done()
		if errors.Is(err, io.EOF) {
			err = errChanged
		}
		return nil, err
	}
	if len(ls.cursors) >= rereadCursors {
		ls.drop(ls.cursors[0])
	}
	c := &cursor{layer: t, r: r, close: done, pos: off}
	ls.cursors = append(ls.cursors, c)
	return c, nil
}

func (ls *layers) drop(c *cursor) {
	for i, o := range ls.cursors {
		if o == c {
			ls.cursors = append(ls.cursors[:i], ls.cursors[i+1:]...)
			c.close()
			return
		}
	}
}
