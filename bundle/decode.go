package bundle

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/flate"
)

// decoders holds idle inflaters: each keeps a window of 32 KiB and its tables.
type decoders struct{ flate sync.Pool }

func (d *decoders) inflate(r byteReader) io.ReadCloser {
	if x := d.flate.Get(); x != nil {
		fr := x.(io.ReadCloser)
		if fr.(flate.Resetter).Reset(r, nil) == nil {
			return fr
		}
	}
	return flate.NewReader(r)
}

func (d *decoders) put(r io.ReadCloser) { d.flate.Put(r) }

// unreadable is an error about one file's content. It wraps ErrUnreadable.
type unreadable struct {
	kind   NoticeKind
	detail string
	cause  error
}

func (u *unreadable) Error() string { return fmt.Sprintf("%s: %s", u.kind, u.detail) }

func (u *unreadable) Unwrap() []error {
	out := []error{ErrUnreadable}
	if u.kind == NoticeLimit {
		out = append(out, ErrLimit)
	}
	if u.cause != nil {
		out = append(out, u.cause)
	}
	return out
}

// verified streams one file and vouches for it: it counts what comes out,
// stops at the limits, and hands out the last bytes only when length and CRC
// are as declared. A mismatch is an error for the reader and a notice on the
// volume.
type verified struct {
	v       *Volume
	l       *listing
	i       int
	charge  *atomic.Int64 // how far this file was ever read; nil: not counted
	in      byteReader    // packed bytes
	out     io.Reader     // unpacked bytes
	pooled  io.ReadCloser // out, when it must go back to the pool
	disk    *folderReader // out, of an unpacked directory: it checks itself
	n       int64
	crc     uint32
	stopped error
}

func (v *Volume) verified(l *listing, i int, charge *atomic.Int64) *verified {
	e := &l.entries[i]
	r := &verified{v: v, l: l, i: i, charge: charge}
	if e.fault != faultNone {
		kind, detail := e.fault.describe()
		r.stopped = &unreadable{kind: kind, detail: detail}
		return r
	}
	if e.method == methodDisk {
		f, err := v.pack.root.open(e.offset)
		if err != nil {
			r.stopped = r.fail(NoticeCorrupt, cause(err), err)
			return r
		}
		r.disk, r.out = f, f
		return r
	}
	if e.method == methodLayer {
		out, err := v.pack.layers.open(e.offset)
		if err != nil {
			r.stopped = r.fail(NoticeCorrupt, cause(err), err)
			return r
		}
		r.out = out
		return r
	}
	r.in = v.pack.src.stream(e.offset, e.packed)
	switch e.method {
	case methodDeflate:
		r.pooled = v.pack.dec.inflate(r.in)
		r.out = r.pooled
	case methodBzip2:
		r.out = bzip2.NewReader(r.in)
	default:
		r.out = r.in
	}
	return r
}

func (r *verified) Read(p []byte) (int, error) {
	if r.stopped != nil {
		return 0, r.stopped
	}
	left := r.l.files[r.i].Size - r.n
	if left <= 0 {
		return 0, r.finish()
	}
	if len(p) == 0 {
		return 0, nil
	}
	if int64(len(p)) > left {
		p = p[:left]
	}
	n, err := r.out.Read(p)
	r.n += int64(n)
	e := &r.l.entries[r.i]
	if e.method < methodPlain {
		r.crc = crc32.Update(r.crc, crc32.IEEETable, p[:n])
	}
	if over := r.overLimit(); over != "" {
		return 0, r.fail(NoticeLimit, over, nil)
	}
	if r.n == r.l.files[r.i].Size {
		if err := r.finish(); err != io.EOF {
			return 0, err
		}
		return n, nil
	}
	var u *unreadable
	switch {
	case err == nil:
		return n, nil
	case errors.As(err, &u):
		return 0, r.fail(u.kind, u.detail, err)
	case errors.Is(err, errChanged):
		return 0, r.fail(NoticeCorrupt, err.Error(), err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && e.method == methodStored:
		return n, r.fail(NoticeSize, fmt.Sprintf("declared %d bytes, has %d", r.l.files[r.i].Size, r.n), nil)
	}
	return n, r.fail(NoticeCorrupt, err.Error(), err)
}

// overLimit charges what was read and names the limit that it went over.
func (r *verified) overLimit() string {
	lim, packed := &r.v.pack.lim, r.l.entries[r.i].packed
	switch {
	case r.n > lim.MaxFileBytes:
		return fmt.Sprintf("inflates to more than MaxFileBytes, %d", lim.MaxFileBytes)
	case r.n > lim.RatioGrace && r.disk == nil && r.n/lim.MaxRatio > packed:
		return fmt.Sprintf("inflates to more than %d times its %d bytes, MaxRatio", lim.MaxRatio, packed)
	}
	if r.charge == nil {
		return ""
	}
	for {
		was := r.charge.Load()
		if r.n <= was {
			return ""
		}
		if r.charge.CompareAndSwap(was, r.n) {
			if r.v.total.Add(r.n-was) > lim.MaxTotalBytes {
				return fmt.Sprintf("the artifact inflates to more than MaxTotalBytes, %d", lim.MaxTotalBytes)
			}
			return ""
		}
	}
}

// finish checks that the file ends where it should. It returns io.EOF when all
// is well.
func (r *verified) finish() error {
	e, size := &r.l.entries[r.i], r.l.files[r.i].Size
	var one [1]byte
	n, err := io.ReadFull(r.out, one[:])
	switch {
	case n > 0:
		return r.fail(NoticeSize, fmt.Sprintf("declared %d bytes, has more", size), nil)
	case err != io.EOF:
		return r.fail(NoticeCorrupt, err.Error(), err)
	case e.method < methodPlain && r.crc != e.crc:
		return r.fail(NoticeCRC, fmt.Sprintf("CRC-32 is %08x, declared %08x", r.crc, e.crc), nil)
	}
	if r.in == nil { // an unpacked file ends where it ends
	} else if _, err := r.in.ReadByte(); err == nil {
		r.v.notice(Notice{Path: r.l.files[r.i].Path, Kind: NoticeHidden, Detail: "bytes follow the end of its compressed data"})
	}
	r.Close()
	r.stopped = io.EOF
	return io.EOF
}

func (r *verified) fail(kind NoticeKind, detail string, cause error) error {
	r.v.notice(Notice{Path: r.l.files[r.i].Path, Kind: kind, Detail: detail, Unread: true})
	r.Close()
	r.stopped = &unreadable{kind: kind, detail: detail, cause: cause}
	return r.stopped
}

// Close gives the decoder back. Reading further is an error.
func (r *verified) Close() error {
	if r.pooled != nil {
		r.v.pack.dec.put(r.pooled)
		r.pooled = nil
	}
	if r.disk != nil {
		r.disk.f.Close()
		r.disk = nil
	}
	if r.stopped == nil {
		r.stopped = errClosed
	}
	return nil
}

// peek returns up to len(buf) first bytes without checking them: the CRC covers
// the whole file only. Little is decoded: the decoder gets only so much input
// as the first bytes are likely to need, a table of codes and half of their
// number, and more when that was not enough.
func (v *Volume) peek(e *entry, size int64, buf []byte) (int, error) {
	if e.fault != faultNone {
		kind, detail := e.fault.describe()
		return 0, &unreadable{kind: kind, detail: detail}
	}
	if int64(len(buf)) > size {
		buf = buf[:size]
	}
	switch e.method {
	case methodDeflate:
	case methodBzip2:
		return fill(bzip2.NewReader(bufio.NewReader(v.pack.src.stream(e.offset, e.packed))), buf)
	case methodDisk:
		f, err := v.pack.root.open(e.offset)
		if err != nil {
			return 0, &unreadable{kind: NoticeCorrupt, detail: cause(err), cause: err}
		}
		defer f.f.Close()
		return fill(f.f, buf)
	case methodLayer:
		return v.pack.layers.peek(e.offset, buf)
	default:
		return fill(v.pack.src.stream(e.offset, min(e.packed, int64(len(buf)))), buf)
	}
	for in := min(e.packed, 512+int64(len(buf)/2)); ; in = min(e.packed, in*8) {
		d := v.pack.dec.inflate(v.pack.src.stream(e.offset, in))
		n, err := fill(d, buf)
		v.pack.dec.put(d)
		if n == len(buf) || in == e.packed {
			return n, err
		}
	}
}

// fill reads until buf is full. A file that ends before is not an error here,
// because a claimed size is what made buf so long; data that cannot be decoded is.
func fill(r io.Reader, buf []byte) (int, error) {
	n, err := io.ReadFull(r, buf)
	if err == nil || n > 0 || err == io.EOF {
		return n, nil
	}
	if u := (*unreadable)(nil); errors.As(err, &u) {
		return 0, u
	}
	return 0, &unreadable{kind: NoticeCorrupt, detail: err.Error(), cause: err}
}
