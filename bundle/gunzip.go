package bundle

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
)

// restartBytes is how far apart the places are from which a gzip stream can be
// read again, in unpacked bytes: one costs up to 32 KiB of memory, and reading
// from between two some 15 ms.
const restartBytes = 4 << 20

// restart is a place in a gzip stream from which it can be inflated without all
// that comes before: the start of a deflate block, and the window before it.
type restart struct {
	out    int64  // unpacked bytes before it
	bit    int64  // where the block starts in the packed stream, in bits
	window []byte // the last unpacked bytes, packed with S2
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
		if g.atBlock() && g.total >= g.lastPoint()+restartBytes {
			g.point()
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

func (g *gunzip) point() {
	window := g.out[max(0, g.wr-windowBytes):g.wr]
	g.points = append(g.points, restart{out: g.total, bit: g.bitPos(), window: append([]byte(nil), s2.Encode(nil, window)...)})
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
