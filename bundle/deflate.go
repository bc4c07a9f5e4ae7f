package bundle

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
)

const (
	windowBytes = 32 << 10              // as far as deflate looks back: RFC 1951, section 2
	outBytes    = windowBytes + 256<<10 // unpacked bytes in memory at once, but for the last match
	longest     = 258                   // bytes of one match
	litBits     = 10                    // of codes that one look-up decodes
	distBits    = 8                     // the same for distances
	maxCodeBits = 15                    // RFC 1951, section 3.2.7
	codeLink    = 0x80                  // kinds of a table entry: on to a second table,
	codeEnd     = 0x40                  // the end of the block,
	codeLiteral = 0x20                  // a byte; else the number of extra bits of a length or distance
	codeNone    = 0xff                  // no code has these bits
)

var errDeflate = errors.New("corrupt deflate data")

// code is a table entry: the bits that it takes, its kind, its value in the
// upper half.
type code uint32

func newCode(value int, kind, length uint8) code {
	return code(value)<<16 | code(kind)<<8 | code(length)
}

// inflater inflates raw deflate data (RFC 1951). It keeps its position exactly,
// which is what it is for.
type inflater struct {
	src   io.Reader
	buf   [64 << 10]byte // packed
	r, w  int            // what of buf is not yet in bits
	inOff int64          // packed bytes before buf
	eof   error          // of src
	bits  uint64         // above n: bits of buf[r:], or zeros
	n     uint           // of bits

	out    []byte // the window and what follows it
	rd, wr int    // unpacked and not yet read
	total  int64  // unpacked bytes up to wr

	inBlock bool
	stored  int  // bytes left of a stored block
	last    bool // the block is the last one
	done    bool // the last block has ended
	err     error

	lit  [1<<litBits + 288<<(maxCodeBits-litBits)]code
	dist [1<<distBits + 32<<(maxCodeBits-distBits)]code
}

// atBlock reports whether a block starts here.
func (z *inflater) atBlock() bool { return !z.inBlock && !z.done && z.err == nil }

// bitPos is the position in the packed stream.
func (z *inflater) bitPos() int64 { return (z.inOff+int64(z.r))*8 - int64(z.n) }

// slide makes room behind the window and returns where it starts.
func (z *inflater) slide() int {
	if z.out == nil {
		z.out = make([]byte, outBytes+longest)
	}
	if z.wr > outBytes-longest {
		copy(z.out, z.out[z.wr-windowBytes:z.wr])
		z.wr = windowBytes
		z.rd = windowBytes
	}
	return z.wr
}

// fill reads packed bytes.
func (z *inflater) fill() {
	if z.eof != nil {
		return
	}
	z.inOff += int64(z.r)
	z.w = copy(z.buf[:], z.buf[z.r:z.w])
	z.r = 0
	for z.w < len(z.buf) && z.eof == nil {
		var n int
		n, z.eof = z.src.Read(z.buf[z.w:])
		z.w += n
		if n > 0 && z.w >= 16 {
			break
		}
	}
}

// need sees to it that k bits are there, up to 56; a fault is in err.
func (z *inflater) need(k uint) bool {
	for z.n < k {
		if z.r == z.w {
			if z.fill(); z.r == z.w {
				if z.err = z.eof; z.err == io.EOF || z.err == nil {
					z.err = io.ErrUnexpectedEOF
				}
				return false
			}
		}
		z.bits = z.bits&(1<<z.n-1) | uint64(z.buf[z.r])<<z.n
		z.r++
		z.n += 8
	}
	return true
}

func (z *inflater) drop(k uint) {
	z.bits >>= k
	z.n -= k
}

// take returns the next k bits.
func (z *inflater) take(k uint) int {
	if !z.need(k) {
		return 0
	}
	v := int(z.bits & (1<<k - 1))
	z.drop(k)
	return v
}

// bytes reads whole bytes; the position must be at one.
func (z *inflater) bytes(p []byte) error {
	for i := range p {
		if !z.need(8) {
			err := z.err
			z.err = nil
			return err
		}
		p[i] = byte(z.take(8))
	}
	return nil
}

// inflate goes on until a block ends, the room is used up, or an error.
func (z *inflater) inflate() {
	from := z.wr
	if !z.inBlock {
		z.block()
	}
	switch {
	case z.err != nil || !z.inBlock:
	case z.stored > 0:
		z.copyStored()
	default:
		z.codes()
	}
	z.total += int64(z.wr - from)
	if !z.inBlock && z.last && z.err == nil {
		z.done, z.last = true, false
	}
}

// block reads the header of a block.
func (z *inflater) block() {
	head := z.take(3)
	if z.err != nil {
		return
	}
	z.last = head&1 != 0
	switch head >> 1 {
	case 0:
		z.drop(z.n % 8)
		n, inverse := z.take(16), z.take(16)
		if z.err == nil && n != ^inverse&0xffff {
			z.err = errDeflate
		}
		z.stored, z.inBlock = n, n > 0
	case 1:
		var lens [320]uint8
		for i := range 288 {
			switch {
			case i < 144:
				lens[i] = 8
			case i < 256:
				lens[i] = 9
			case i < 280:
				lens[i] = 7
			default:
				lens[i] = 8
			}
		}
		for i := range 32 {
			lens[288+i] = 5
		}
		z.tables(lens[:288], lens[288:])
	case 2:
		z.dynamic()
	default:
		z.err = errDeflate
	}
}

// codeOrder is in which order lengths of code lengths come: section 3.2.7.
const codeOrder = "\x10\x11\x12\x00\x08\x07\x09\x06\x0a\x05\x0b\x04\x0c\x03\x0d\x02\x0e\x01\x0f"

// dynamic reads the codes of a block: section 3.2.7.
func (z *inflater) dynamic() {
	nlit, ndist, nlen := z.take(5)+257, z.take(5)+1, z.take(4)+4
	if z.err != nil {
		return
	}
	if nlit > 286 || ndist > 30 {
		z.err = errDeflate
		return
	}
	var order [19]uint8
	for i := range nlen {
		order[codeOrder[i]] = uint8(z.take(3))
	}
	if z.err != nil || !z.table(z.lit[:], order[:], litBits, func(sym int) (int, uint8) { return sym, codeLiteral }) {
		z.fail()
		return
	}
	var lens [286 + 30]uint8
	for i := 0; i < nlit+ndist; {
		sym, ok := z.symbol()
		switch {
		case !ok:
			return
		case sym < 16:
			lens[i] = uint8(sym)
			i++
			continue
		}
		n, what := 0, uint8(0)
		switch sym {
		case 16:
			if i == 0 {
				z.fail()
				return
			}
			n, what = 3+z.take(2), lens[i-1]
		case 17:
			n = 3 + z.take(3)
		default:
			n = 11 + z.take(7)
		}
		if z.err != nil || n > nlit+ndist-i {
			z.fail()
			return
		}
		for range n {
			lens[i] = what
			i++
		}
	}
	if lens[256] == 0 {
		z.fail()
		return
	}
	z.tables(lens[:nlit], lens[nlit:nlit+ndist])
}

func (z *inflater) fail() {
	if z.err == nil {
		z.err = errDeflate
	}
}

// symbol decodes one code length.
func (z *inflater) symbol() (int, bool) {
	for need := uint(1); ; need++ {
		if !z.need(need) {
			return 0, false
		}
		c := z.lit[z.bits&(1<<z.n-1)&(1<<litBits-1)]
		switch {
		case uint(c&0xff) <= z.n && uint8(c>>8) == codeLiteral:
			z.drop(uint(c & 0xff))
			return int(c >> 16), true
		case need > 7:
			z.fail()
			return 0, false
		}
	}
}

func (z *inflater) tables(lit, dist []uint8) {
	ok := z.table(z.lit[:], lit, litBits, func(sym int) (int, uint8) {
		switch {
		case sym < 256:
			return sym, codeLiteral
		case sym == 256:
			return 0, codeEnd
		case sym == 285:
			return longest, 0
		case sym > 285:
			return 0, codeNone
		case sym < 265:
			return sym - 254, 0
		}
		extra := uint8(sym-261) / 4
		return 3 + (4+(sym-261)%4)<<extra, extra
	})
	ok = ok && z.table(z.dist[:], dist, distBits, func(sym int) (int, uint8) {
		switch {
		case sym > 29:
			return 0, codeNone
		case sym < 4:
			return sym + 1, 0
		}
		extra := uint8(sym-2) / 2
		return 1 + (2+sym%2)<<extra, extra
	})
	if !ok {
		z.fail()
		return
	}
	z.inBlock = true
}

// table makes the look-up table of a Huffman code: section 3.2.2. Codes longer
// than primary bits go on in second tables, all of one size. A code that is not
// complete is refused, but for one of a single bit and for none at all.
func (z *inflater) table(t []code, lens []uint8, primary int, mean func(sym int) (value int, kind uint8)) bool {
	var count, next [maxCodeBits + 1]int
	most := 0
	for _, n := range lens {
		count[n]++
		most = max(most, int(n))
	}
	none := newCode(0, codeNone, 1)
	for i := range 1 << primary {
		t[i] = none
	}
	if most == 0 {
		return true
	}
	at := 0
	for n := 1; n <= most; n++ {
		at <<= 1
		next[n] = at
		at += count[n]
	}
	if at != 1<<most && !(at == 1 && most == 1) {
		return false
	}
	second, free := max(most-primary, 0), 1<<primary
	for sym, n := range lens {
		if n == 0 {
			continue
		}
		value, kind := mean(sym)
		c := newCode(value, kind, n)
		rev := int(bits.Reverse16(uint16(next[n]))) >> (16 - n)
		next[n]++
		if int(n) <= primary {
			for i := rev; i < 1<<primary; i += 1 << n {
				t[i] = c
			}
			continue
		}
		link := &t[rev&(1<<primary-1)]
		if uint8(*link>>8) != codeLink {
			*link = newCode(free, codeLink, uint8(second))
			for i := range 1 << second {
				t[free+i] = none
			}
			free += 1 << second
		}
		sub := t[int(*link>>16):][:1<<second]
		for i := rev >> primary; i < 1<<second; i += 1 << (int(n) - primary) {
			sub[i] = c
		}
	}
	return true
}

func (z *inflater) copyStored() {
	for z.stored > 0 && z.wr < len(z.out) {
		if z.n > 0 { // whole bytes are left in bits
			z.out[z.wr] = byte(z.take(8))
			z.wr++
			z.stored--
			continue
		}
		z.bits = 0
		if z.r == z.w {
			if z.fill(); z.r == z.w {
				z.need(8)
				return
			}
		}
		n := copy(z.out[z.wr:min(len(z.out), z.wr+z.stored)], z.buf[z.r:z.w])
		z.r += n
		z.wr += n
		z.stored -= n
	}
	z.inBlock = z.stored > 0
}

// codes decodes literals and matches. The packed bytes are read eight at a time
// while so many are there, else one by one.
func (z *inflater) codes() {
	b, n, out, wr := z.bits, z.n, z.out, z.wr
	defer func() { z.bits, z.n, z.wr = b, n, wr }()
	for wr <= outBytes-longest {
		if z.w-z.r < 8 && z.eof == nil {
			z.fill()
		}
		if z.w-z.r >= 8 {
			b |= binary.LittleEndian.Uint64(z.buf[z.r:]) << n
			z.r += int(63-n) >> 3
			n |= 56
		} else {
			b &= 1<<n - 1
			for n < 56 && z.r < z.w {
				b |= uint64(z.buf[z.r]) << n
				z.r++
				n += 8
			}
		}
		c := z.lit[b&(1<<litBits-1)]
		if c>>8&0xff == codeLiteral && n >= 48 { // often more than one in a row
			b >>= c & 0xff
			n -= uint(c & 0xff)
			out[wr] = byte(c >> 16)
			wr++
			if c = z.lit[b&(1<<litBits-1)]; c>>8&0xff == codeLiteral {
				b >>= c & 0xff
				n -= uint(c & 0xff)
				out[wr] = byte(c >> 16)
				wr++
				continue
			}
			if n < 48 {
				continue
			}
		}
		if c>>8&0xff == codeLink {
			c = z.lit[int(c>>16)+int(b>>litBits&(1<<(c&0xff)-1))]
		}
		if uint(c&0xff) > n {
			z.short()
			return
		}
		b >>= c & 0xff
		n -= uint(c & 0xff)
		kind := uint(c >> 8 & 0xff)
		switch {
		case kind == codeLiteral:
			out[wr] = byte(c >> 16)
			wr++
			continue
		case kind == codeEnd:
			z.inBlock = false
			return
		case kind == codeNone:
			z.fail()
			return
		}
		length := int(c>>16) + int(b&(1<<kind-1))
		have := n >= kind
		b >>= kind
		n -= kind
		d := z.dist[b&(1<<distBits-1)]
		if d>>8&0xff == codeLink {
			d = z.dist[int(d>>16)+int(b>>distBits&(1<<(d&0xff)-1))]
		}
		more := uint(d >> 8 & 0xff)
		switch {
		case !have:
			n = 0
			z.short()
			return
		case more == codeNone:
			z.fail()
			return
		case uint(d&0xff)+more > n:
			z.short()
			return
		}
		b >>= d & 0xff
		dist := int(d>>16) + int(b&(1<<more-1))
		b >>= more
		n -= uint(d&0xff) + more
		if dist > wr {
			z.fail()
			return
		}
		switch from := wr - dist; {
		case dist >= length:
			copy(out[wr:wr+length], out[from:])
		default: // it repeats itself
			for i := range length {
				out[wr+i] = out[from+i]
			}
		}
		wr += length
	}
}

// short is the fault of a stream that ends within a code.
func (z *inflater) short() {
	if z.err = z.eof; z.err == io.EOF || z.err == nil {
		z.err = io.ErrUnexpectedEOF
	}
}
