package bundle

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	rereadChunk   = 256 << 10 // unit in which layers are inflated again
	rereadChunks  = 32        // kept of all layers of one image
	rereadCursors = 3         // streams that stay open

	heldBytes = 48 << 20 // of one file, packed; see apart
)

// layers gives the contents of an image's files after it was opened. Its
// methods are safe for concurrent use.
//
// What was kept is unpacked from memory, and what lies uncompressed in the
// artifact is read there. The rest is inflated again: in chunks, by a stream
// that goes forward, and begins anew at the last place before what is wanted
// when that is nearer; with zstd, which has no such places, at the start. The
// chunks inflated last stay for a while, because not everything is read in the
// order of the tar. Readers of a layer inflate side by side where it can be read
// from the middle; else one after another, so that none makes the stream begin
// anew under the other. The work is bounded by MaxRereadBytes.
type layers struct {
	list    []*layer
	lim     Limits
	closers []io.Closer

	mu      sync.Mutex
	reread  int64
	chunks  []*rereadBytes // least recently used first
	cursors []*cursor      // the same; without those that somebody inflates with
	closed  bool

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
	turn   sync.Mutex     // held by who inflates, if it does not seek
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
	ls.cursors, ls.chunks, ls.closed = nil, nil, true
	var errs []error
	for _, c := range ls.closers {
		errs = append(errs, c.Close())
	}
	ls.closers = nil
	return errors.Join(errs...)
}

// ReadAt inflates what is not at hand.
func (t *packedTar) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	done := 0
	for done < len(p) {
		if off >= t.length {
			return done, io.EOF
		}
		n, err := t.all.copyChunk(t, p[done:], off)
		if done += n; err != nil {
			return done, err
		}
		off += int64(n)
	}
	return done, nil
}

// copyChunk reads from one chunk of a tar, off lying inside the tar.
func (ls *layers) copyChunk(t *packedTar, p []byte, off int64) (int, error) {
	if n := ls.cached(t, p, off); n > 0 {
		return n, nil
	}
	if !t.seeks() {
		t.turn.Lock()
		defer t.turn.Unlock()
		if n := ls.cached(t, p, off); n > 0 { // who was before came past it
			return n, nil
		}
	}
	return ls.inflate(t, p, off)
}

// cached reads from a chunk that is at hand; 0 when it is not.
func (ls *layers) cached(t *packedTar, p []byte, off int64) int {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for i, c := range ls.chunks {
		if c.layer == t && c.n == off/rereadChunk {
			ls.chunks = append(append(ls.chunks[:i], ls.chunks[i+1:]...), c)
			return copy(p, c.data[min(off%rereadChunk, int64(len(c.data))):])
		}
	}
	return 0
}

// inflate goes on to the chunk that holds off, keeps what it comes past, and
// reads from there.
func (ls *layers) inflate(t *packedTar, p []byte, off int64) (int, error) {
	c, err := ls.cursorFor(t, off/rereadChunk*rereadChunk)
	if err != nil {
		return 0, err
	}
	for {
		b, err := ls.spare()
		if err != nil {
			c.close()
			return 0, err
		}
		b.n = c.pos / rereadChunk
		got, err := io.ReadFull(c.r, b.data[:min(rereadChunk, t.length-c.pos)])
		c.pos += int64(got)
		if err != nil { // the layer was read to here before
			c.close()
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errChanged
			}
			return 0, err
		}
		b.layer, b.data = t, b.data[:got]
		n := 0
		if b.n == off/rereadChunk {
			n = copy(p, b.data[off%rereadChunk:])
		}
		ls.keep(b)
		if n > 0 {
			ls.park(c)
			return n, nil
		}
	}
}

// charge counts bytes that are about to be inflated. The caller holds mu.
func (ls *layers) charge(n int64) error {
	if ls.reread += n; ls.reread > ls.lim.MaxRereadBytes {
		return &unreadable{kind: NoticeLimit, detail: fmt.Sprintf("inflating layers again went over MaxRereadBytes, %d", ls.lim.MaxRereadBytes)}
	}
	return nil
}

// spare gives room for a chunk, taking that of the oldest, and charges for it.
func (ls *layers) spare() (*rereadBytes, error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if err := ls.charge(rereadChunk); err != nil {
		return nil, err
	}
	if len(ls.chunks) < rereadChunks {
		return &rereadBytes{data: make([]byte, rereadChunk)}, nil
	}
	b := ls.chunks[0]
	ls.chunks = append(ls.chunks[:0], ls.chunks[1:]...)
	b.layer, b.data = nil, b.data[:rereadChunk]
	return b, nil
}

// keep puts a chunk with those at hand.
func (ls *layers) keep(b *rereadBytes) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if !ls.closed {
		ls.chunks = append(ls.chunks, b)
	}
}

// cursorFor takes out a stream that stands at or before off: the open one that
// is nearest, or a new one. It is the caller's until it is parked or closed.
func (ls *layers) cursorFor(t *packedTar, off int64) (*cursor, error) {
	c, err := ls.parked(t, off)
	if c != nil || err != nil {
		return c, err
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
	return &cursor{layer: t, r: r, close: done, pos: off}, nil
}

// parked takes out an open stream; nil when a new one is nearer, for which it
// charges.
func (ls *layers) parked(t *packedTar, off int64) (*cursor, error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.closed {
		return nil, errClosed
	}
	best := -1
	for i, c := range ls.cursors {
		if c.layer == t && c.pos <= off && (best < 0 || c.pos > ls.cursors[best].pos) {
			best = i
		}
	}
	if best >= 0 && (ls.cursors[best].pos+rereadChunk >= off || ls.cursors[best].pos >= t.starts(off)) {
		c := ls.cursors[best]
		ls.cursors = append(ls.cursors[:best], ls.cursors[best+1:]...)
		return c, nil
	}
	return nil, ls.charge(t.cost(off))
}

// park puts a stream with the open ones, unless it is at its end.
func (ls *layers) park(c *cursor) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.closed || c.pos >= c.layer.length {
		c.close()
		return
	}
	if len(ls.cursors) >= rereadCursors {
		ls.cursors[0].close()
		ls.cursors = append(ls.cursors[:0], ls.cursors[1:]...)
	}
	ls.cursors = append(ls.cursors, c)
}
