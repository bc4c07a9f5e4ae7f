package bundle

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxZstdWindow bounds the memory of a zstd decoder. RFC 8878 asks for 8 MiB;
	// zstd -20 and -21 write up to this.
	maxZstdWindow = 64 << 20

	chunkBytes = 256 << 10 // handed from the inflater to those who read
	chunkCount = 8         // on their way at once
)

// errPacking is wrapped by the error for a compression that is not read.
var errPacking = errors.New("unsupported compression")

// unpacker finds out by the first bytes how a stream is compressed, as
// container runtimes do whatever the media type says, and unpacks it. packed
// is false for what is not compressed.
func unpacker(r io.Reader) (out io.Reader, done func(), packed bool, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, false, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return newGunzip(in), func() {}, true, nil
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")), len(head) >= 4 && head[0]&0xf0 == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, nil, true, err
		}
		return z, z.Close, true, nil
	case unreadPacking(head):
		return nil, nil, true, fmt.Errorf("%w: bzip2 or xz", errPacking)
	}
	return in, func() {}, false, nil
}

// unpackFrom unpacks a stream again, from the last place before off that is
// known, and says which one that is. open opens the packed stream at a byte.
func unpackFrom(open func(off int64) (io.Reader, func(), error), points []restart, off int64) (out io.Reader, at int64, done func(), err error) {
	p := nearest(points, off)
	in, undo, err := open(p.bit / 8)
	if err != nil {
		return nil, 0, nil, err
	}
	if p.out > 0 {
		z, err := resumeGunzip(in, p)
		if err != nil {
			undo()
			return nil, 0, nil, err
		}
		return z, p.out, undo, nil
	}
	out, end, _, err := unpacker(in)
	if err != nil {
		undo()
		return nil, 0, nil, err
	}
	return out, 0, func() { end(); undo() }, nil
}

// nearest is the last place at or before off; the zero value is the start.
func nearest(points []restart, off int64) restart {
	n, _ := slices.BinarySearchFunc(points, off, func(p restart, off int64) int { return cmp.Compare(p.out, off+1) })
	if n == 0 {
		return restart{}
	}
	return points[n-1]
}

// unreadPacking recognises compressions that no layer may have.
func unreadPacking(head []byte) bool {
	return bytes.HasPrefix(head, []byte("BZh")) || bytes.HasPrefix(head, []byte("\xfd7zXZ\x00"))
}

// hashing counts and hashes what is read through it.
type hashing struct {
	r io.Reader
	h hash.Hash
	n int64
}

func (c *hashing) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.h.Write(p[:n])
	return n, err
}

// inflation unpacks one stream on a goroutine of its own and hashes what comes
// out on another, while the caller reads. Read, forward Seek, and then finish.
type inflation struct {
	in     *hashing // as packed
	size   int64    // of in, as far as known; 0: not known
	lim    Limits
	total  *atomic.Int64 // unpacked bytes of all layers
	packed bool          // the stream is compressed
	points []restart     // from where it can be read again; valid when read is closed
	recent               // more such places, near to where the stream is

	free  chan []byte
	read  chan []byte // to the reader
	sums  chan []byte // to the hasher
	diff  chan Digest
	fault error // why the stream ended early; valid when read is closed

	cur  []byte // what is left of the chunk
	back []byte // the whole chunk
	pos  int64  // of the next byte
	end  bool

	mark int64 // where the first whole block was read since it was -1; see sparse files
}

func inflate(ctx context.Context, blob io.Reader, size int64, lim Limits, total *atomic.Int64) *inflation {
	f := &inflation{in: &hashing{r: blob, h: sha256.New()}, size: size, lim: lim, total: total,
		free: make(chan []byte, chunkCount), read: make(chan []byte, chunkCount), sums: make(chan []byte, chunkCount), diff: make(chan Digest, 1)}
	for range chunkCount {
		f.free <- nil
	}
	go f.produce(ctx)
	go f.hash()
	return f
}

// produce fills chunks until the stream ends. Each goes to the hasher, which
// passes it on to the reader.
func (f *inflation) produce(ctx context.Context) {
	defer close(f.sums)
	out, done, packed, err := unpacker(f.in)
	f.packed = packed
	if err != nil {
		f.fault = err
		f.drain(ctx)
		return
	}
	defer done()
	if z, ok := out.(*gunzip); ok {
		z.passed = &f.recent
		defer func() { f.points = z.points }()
	}
	var n int64
	for {
		var chunk []byte
		select {
		case chunk = <-f.free:
		case <-ctx.Done():
			f.fault = ctx.Err()
			return
		}
		if chunk == nil {
			chunk = make([]byte, chunkBytes)
		}
		got, err := io.ReadFull(out, chunk[:chunkBytes])
		n += int64(got)
		if err == nil || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			if over := f.over(n, int64(got)); over != nil {
				f.fault = over
				f.drain(ctx)
				return
			}
		}
		f.sums <- chunk[:got]
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && f.ended(out):
		default:
			f.fault = err
		}
		f.drain(ctx)
		return
	}
}

// ended tells the end of the stream, which io.ReadFull reports in the same way
// as a compressed stream that is cut off.
func (f *inflation) ended(out io.Reader) bool {
	var one [1]byte
	n, err := io.ReadFull(out, one[:])
	return n == 0 && err == io.EOF
}

// over names the limit that the unpacked bytes went over.
func (f *inflation) over(n, got int64) error {
	switch {
	case n > f.lim.MaxLayerBytes:
		return fmt.Errorf("inflates to more than MaxLayerBytes, %d: %w", f.lim.MaxLayerBytes, errLimit)
	case n > f.lim.RatioGrace && f.size > 0 && n/f.lim.MaxRatio > f.size:
		return fmt.Errorf("inflates to more than %d times its %d bytes, MaxRatio: %w", f.lim.MaxRatio, f.size, errLimit)
	case f.total.Add(got) > f.lim.MaxLayersBytes:
		return fmt.Errorf("the layers inflate to more than MaxLayersBytes, %d: %w", f.lim.MaxLayersBytes, errLimit)
	}
	return nil
}

// drain reads the rest of the packed bytes, so that their digest is known even
// when they cannot be unpacked to the end.
func (f *inflation) drain(ctx context.Context) {
	buf := make([]byte, 64<<10)
	for ctx.Err() == nil {
		if _, err := f.in.Read(buf); err != nil {
			if err != io.EOF && f.fault == nil {
				f.fault = err
			}
			return
		}
	}
	f.fault = ctx.Err()
}

func (f *inflation) hash() {
	defer close(f.read)
	var h hash.Hash
	for chunk := range f.sums {
		if f.packed { // else the digest of the blob is the same
			if h == nil {
				h = sha256.New()
			}
			h.Write(chunk)
		}
		f.read <- chunk
	}
	switch {
	case h != nil:
		f.diff <- digestOf(h)
	case f.packed:
		f.diff <- digestOf(sha256.New())
	default:
		f.diff <- ""
	}
}

// next gets the next chunk. It reports whether there is one.
func (f *inflation) next() bool {
	if f.back != nil {
		f.free <- f.back[:0:cap(f.back)]
		f.back = nil
	}
	for !f.end {
		chunk, ok := <-f.read
		if !ok {
			f.end = true
			break
		}
		if len(chunk) > 0 {
			f.cur, f.back = chunk, chunk
			return true
		}
		f.free <- chunk[:0:cap(chunk)]
	}
	return false
}

func (f *inflation) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(f.cur) == 0 && !f.next() {
		if f.fault != nil {
			return 0, f.fault
		}
		return 0, io.EOF
	}
	if f.mark < 0 && len(p) == tarBlock {
		f.mark = f.pos
	}
	n := copy(p, f.cur)
	f.cur = f.cur[n:]
	f.pos += int64(n)
	return n, nil
}

// Seek goes forward, which is all that archive/tar asks for: it skips contents
// that way without copying them.
func (f *inflation) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || offset < 0 {
		return 0, errors.New("the stream goes forward only")
	}
	for offset > 0 {
		if len(f.cur) == 0 && !f.next() {
			if f.fault != nil {
				return f.pos, f.fault
			}
			return f.pos, io.ErrUnexpectedEOF
		}
		n := min(offset, int64(len(f.cur)))
		f.cur = f.cur[n:]
		f.pos += n
		offset -= n
	}
	return f.pos, nil
}

// finish reads the stream to its end. extra says whether anything but zeros
// came. It must be called once.
func (f *inflation) finish() (blob, diff Digest, extra bool, fault error) {
	for len(f.cur) > 0 || f.next() {
		extra = extra || !zeros(f.cur)
		f.pos += int64(len(f.cur))
		f.cur = nil
	}
	diff = <-f.diff
	blob = digestOf(f.in.h)
	if diff == "" {
		diff = blob
	}
	return blob, diff, extra, f.fault
}

func zeros(p []byte) bool {
	var none [512]byte
	for len(p) > len(none) {
		if !bytes.Equal(p[:len(none)], none[:]) {
			return false
		}
		p = p[len(none):]
	}
	return bytes.Equal(p, none[:len(p)])
}
