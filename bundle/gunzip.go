package bundle

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
)

const (
	// restartBytes is how far apart the places are from which a gzip stream can be
	// read again, in unpacked bytes: one costs up to 32 KiB of memory, and reading
	// from between two some 15 ms.
	restartBytes = 4 << 20

	// passedBytes is how far apart the places are that recent holds.
	passedBytes = 256 << 10
)

// restart is a place in a gzip stream from which it can be inflated without all
// that comes before: the start of a deflate block, and the window before it.
type restart struct {
	out    int64  // unpacked bytes before it
	bit    int64  // where the block starts in the packed stream, in bits
	window []byte // the last unpacked bytes, packed with S2
}

// recent holds the last places that a stream came past, so that whoever reads
// what it gives, a little behind it, can keep one that turns out to be useful.
// It is safe for concurrent use.
type recent struct {
	mu   sync.Mutex
	ring [16]restart // windows as they are, reused
	n    int         // that were ever put
}

// put takes note of a place.
func (r *recent) put(out, bit int64, window []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.ring[r.n%len(r.ring)]
	p.out, p.bit, p.window = out, bit, append(p.window[:0], window...)
	r.n++
}

// before returns the last place at or before off, with a window of its own that
// is not packed. It reports whether it is still known.
func (r *recent) before(off int64) (restart, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := r.n - 1; i >= max(0, r.n-len(r.ring)); i-- {
		if p := r.ring[i%len(r.ring)]; p.out <= off {
			p.window = append([]byte(nil), p.window...)
			return p, true
		}
	}
	return restart{}, false
}

// mergePoints returns the places of both lists in their order.
func mergePoints(a, b []restart) []restart {
	if len(a) == 0 {
		return b
	}
	all := append(a, b...)
	slices.SortFunc(all, func(p, q restart) int { return cmp.Compare(p.out, q.out) })
	return slices.CompactFunc(all, func(p, q restart) bool { return p.out == q.out })
}

// gunzip inflates a gzip stream (RFC 1952) of one or more members, and takes
// note of the places from which it can be read again. The package of the
// standard library and its faster relatives do not tell where blocks start, so
// that a file at the end of a layer of a gigabyte would cost a gigabyte to read.
type gunzip struct {
	inflater
	sum     uint32 // CRC-32 of the member so far
	resumed bool   // the member was not read from its start, so that its sum is not known
	started bool
	member  int64 // unpacked bytes before the member
	points  []restart
	passed  *recent // is told of more places than points has; nil: nobody is
	told    int64   // the last of them
}

func newGunzip(r io.Reader) *gunzip { return &gunzip{inflater: inflater{src: r}} }

// resumeGunzip reads on at a place. src starts at the byte p.bit/8.
func resumeGunzip(src io.Reader, p restart) (*gunzip, error) {
	g := &gunzip{inflater: inflater{src: src, total: p.out, inOff: p.bit / 8}, resumed: true, started: true}
	window, err := s2.Decode(nil, p.window)
	if err != nil {
		return nil, err
	}
	g.out = make([]byte, outBytes+longest)
	g.wr = copy(g.out, window)
	g.rd = g.wr
	g.need(uint(p.bit % 8))
	g.drop(uint(p.bit % 8))
	return g, g.err
}

// Read gives unpacked bytes. At the end of a member its sum and length are
// compared, and the next one begins.
func (g *gunzip) Read(p []byte) (int, error) {
	for g.rd == g.wr {
		switch {
		case g.err != nil:
			return 0, g.err
		case !g.started:
			if g.err = g.header(true); g.err == nil {
				g.started = true
			}
			continue
		case g.done:
			g.err = g.next()
			continue
		}
		if g.atBlock() {
			g.pass()
		}
		from := g.slide()
		g.inflate()
		if !g.resumed {
			g.sum = crc32.Update(g.sum, crc32.IEEETable, g.out[from:g.wr])
		}
	}
	n := copy(p, g.out[g.rd:g.wr])
	g.rd += n
	return n, nil
}

func (g *gunzip) lastPoint() int64 {
	if n := len(g.points); n > 0 {
		return g.points[n-1].out
	}
	return 0
}

// pass takes note of the start of a block where the last place is far enough
// behind.
func (g *gunzip) pass() {
	window := g.out[max(0, g.wr-windowBytes):g.wr]
	if g.total >= g.lastPoint()+restartBytes {
		g.points = append(g.points, restart{out: g.total, bit: g.bitPos(), window: append([]byte(nil), s2.Encode(nil, window)...)})
	}
	if g.passed != nil && g.total >= g.told+passedBytes {
		g.passed.put(g.total, g.bitPos(), window)
		g.told = g.total
	}
}

// next reads the trailer of a member and the header of the one that follows.
func (g *gunzip) next() error {
	g.drop(g.n % 8)
	var trailer [8]byte
	if err := g.bytes(trailer[:]); err != nil {
		return err
	}
	le := binary.LittleEndian
	if !g.resumed && (le.Uint32(trailer[:]) != g.sum || le.Uint32(trailer[4:]) != uint32(g.total-g.member)) {
		return gzip.ErrChecksum
	}
	g.sum, g.resumed, g.member = 0, false, g.total
	g.done, g.wr, g.rd = false, 0, 0 // a member does not see the window of the one before
	return g.header(false)
}

// header reads the header of a member. io.EOF is the end between two members.
func (g *gunzip) header(first bool) error {
	var h [10]byte
	if err := g.bytes(h[:1]); err != nil {
		if !first && errors.Is(err, io.ErrUnexpectedEOF) {
			return io.EOF
		}
		return err
	}
	if err := g.bytes(h[1:]); err != nil {
		if !first { // whatever it is, it is no member
			return gzip.ErrHeader
		}
		return err
	}
	flags := h[3]
	if h[0] != 0x1f || h[1] != 0x8b || h[2] != 8 || flags&0xe0 != 0 {
		return gzip.ErrHeader
	}
	if flags&4 != 0 { // extra field
		if err := g.bytes(h[:2]); err != nil {
			return err
		}
		for range int(h[0]) | int(h[1])<<8 {
			if err := g.bytes(h[:1]); err != nil {
				return err
			}
		}
	}
	for _, flag := range []byte{8, 16} { // name, comment
		for h[0] = 1; flags&flag != 0 && h[0] != 0; {
			if err := g.bytes(h[:1]); err != nil {
				return err
			}
		}
	}
	if flags&2 != 0 { // sum of the header
		return g.bytes(h[:2])
	}
	return nil
}
