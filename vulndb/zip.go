package vulndb

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The parts of a zip that an export uses, read with a memory that does not
// depend on how many members there are: archive/zip keeps some 250 bytes of
// each, which for 500,000 advisories is more than everything else of a build
// (PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3).
const (
	zipLocal        = 0x04034b50
	zipCentral      = 0x02014b50
	zipEnd          = 0x06054b50
	zipEnd64        = 0x06064b50
	zipLocator64    = 0x07064b50
	zipLocalSize    = 30
	zipCentralSize  = 46
	zipEndSize      = 22
	zipEnd64Size    = 56
	zipLocator64Len = 20
	zipMaxComment   = 1<<16 - 1

	zipStored   = 0
	zipDeflated = 8
	zipFlagEnc  = 1
)

var errZip = errors.New("not a valid zip file")

func zipError(what string) error { return fmt.Errorf("%w: %s", errZip, what) }

// zipMember is one member as the zip's directory describes it.
type zipMember struct {
	name   string
	method uint16
	flags  uint16
	crc    uint32
	packed uint64 // bytes in the zip
	size   uint64 // bytes when inflated
	offset uint64 // of the local header
}

// zipReader reads the directory of a zip from front to back.
type zipReader struct {
	r       io.ReaderAt
	size    int64
	members uint64 // as the zip says, and as next verifies
	seen    uint64
	dir     *bufio.Reader
	left    uint64 // bytes of the directory that are left
	buf     []byte
}

// newZipReader finds the directory. The number of members is a claim until
// next has returned io.EOF, but one that the directory has the room for.
func newZipReader(r io.ReaderAt, size int64) (*zipReader, error) {
	tail := make([]byte, min(size, zipEndSize+zipMaxComment))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	le := binary.LittleEndian
	at := -1
	for i := len(tail) - zipEndSize; i >= 0; i-- {
		if le.Uint32(tail[i:]) == zipEnd && i+zipEndSize+int(le.Uint16(tail[i+20:])) == len(tail) {
			at = i
			break
		}
	}
	if at < 0 {
		return nil, zipError("its end is missing")
	}
	end := tail[at:]
	members, length, offset := uint64(le.Uint16(end[10:])), uint64(le.Uint32(end[12:])), uint64(le.Uint32(end[16:]))
	limit := uint64(size) - uint64(len(end)) // where the directory must have ended
	if members == 0xffff || length == 0xffffffff || offset == 0xffffffff {
		var err error
		if members, length, offset, limit, err = zip64End(r, limit, members, length, offset); err != nil {
			return nil, err
		}
	}
	if offset > limit || length > limit-offset {
		return nil, zipError("its directory lies outside")
	}
	if members > length/zipCentralSize {
		return nil, zipError("it claims more members than its directory can hold")
	}
	return &zipReader{
		r: r, size: size, members: members, left: length, buf: make([]byte, zipCentralSize),
		dir: bufio.NewReaderSize(io.NewSectionReader(r, int64(offset), int64(length)), 256<<10),
	}, nil
}

// zip64End follows the locator in front of the end record, if there is one.
func zip64End(r io.ReaderAt, end, members, length, offset uint64) (_, _, _, limit uint64, err error) {
	le := binary.LittleEndian
	var b [zipEnd64Size]byte
	if end < zipLocator64Len {
		return members, length, offset, end, nil
	}
	if _, err := r.ReadAt(b[:zipLocator64Len], int64(end-zipLocator64Len)); err != nil {
		return 0, 0, 0, 0, err
	}
	if le.Uint32(b[:]) != zipLocator64 {
		return members, length, offset, end, nil
	}
	at := le.Uint64(b[8:])
	if end-zipLocator64Len < zipEnd64Size || at > end-zipLocator64Len-zipEnd64Size {
		return 0, 0, 0, 0, zipError("its zip64 end lies outside")
	}
	if _, err := r.ReadAt(b[:], int64(at)); err != nil {
		return 0, 0, 0, 0, err
	}
	if le.Uint32(b[:]) != zipEnd64 {
		return 0, 0, 0, 0, zipError("its zip64 end is missing")
	}
	return le.Uint64(b[32:]), le.Uint64(b[40:]), le.Uint64(b[48:]), at, nil
}

// next returns the next member, or io.EOF after the last one if there were as
// many as the zip says: one that lost members is damaged, not shorter.
func (z *zipReader) next() (m zipMember, err error) {
	if z.left == 0 {
		if z.seen != z.members {
			return m, zipError(fmt.Sprintf("it has %d members and says %d", z.seen, z.members))
		}
		return m, io.EOF
	}
	if z.seen == z.members {
		return m, zipError("more in its directory than it says")
	}
	b := z.buf[:zipCentralSize]
	if err := z.take(b); err != nil {
		return m, err
	}
	le := binary.LittleEndian
	if le.Uint32(b) != zipCentral {
		return m, zipError("a directory entry is broken")
	}
	m = zipMember{
		flags: le.Uint16(b[8:]), method: le.Uint16(b[10:]), crc: le.Uint32(b[16:]),
		packed: uint64(le.Uint32(b[20:])), size: uint64(le.Uint32(b[24:])), offset: uint64(le.Uint32(b[42:])),
	}
	name, extra, comment := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	rest := make([]byte, name+extra+comment) // at most 192 KB, and not kept
	if err := z.take(rest); err != nil {
		return m, err
	}
	m.name = string(rest[:name])
	if err := m.zip64(rest[name : name+extra]); err != nil {
		return m, err
	}
	z.seen++
	return m, nil
}

func (z *zipReader) take(b []byte) error {
	if uint64(len(b)) > z.left {
		return zipError("its directory ends early")
	}
	z.left -= uint64(len(b))
	if _, err := io.ReadFull(z.dir, b); err != nil {
		return zipError("its directory ends early")
	}
	return nil
}

// zip64 replaces the sizes that did not fit in 32 bits.
func (m *zipMember) zip64(extra []byte) error {
	le := binary.LittleEndian
	for len(extra) >= 4 {
		tag, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		extra = extra[4:]
		if n > len(extra) {
			break
		}
		field := extra[:n]
		extra = extra[n:]
		if tag != 1 {
			continue
		}
		for _, v := range []*uint64{&m.size, &m.packed, &m.offset} {
			if *v == 0xffffffff {
				if len(field) < 8 {
					return zipError("a zip64 size is missing")
				}
				*v, field = le.Uint64(field), field[8:]
			}
		}
		return nil
	}
	return nil
}

// read returns the packed bytes of a member in buf, which grows as needed. The
// caller has checked that m.packed is within its limits.
func (z *zipReader) read(m *zipMember, buf []byte) (body, grown []byte, err error) {
	const slack = 64 // an exporter's extra fields fit in there, so that one read is enough
	head := zipLocalSize + len(m.name)
	need := head + slack + int(m.packed)
	if m.offset > uint64(z.size) {
		return nil, buf, zipError("a member lies outside")
	}
	need = int(min(int64(need), z.size-int64(m.offset)))
	if cap(buf) < need {
		buf = make([]byte, need+need/4)
	}
	b := buf[:need]
	if n, err := z.r.ReadAt(b, int64(m.offset)); n < need {
		return nil, buf, fmt.Errorf("read zip: %w", err)
	}
	le := binary.LittleEndian
	if len(b) < head || le.Uint32(b) != zipLocal || int(le.Uint16(b[26:])) != len(m.name) || string(b[zipLocalSize:head]) != m.name {
		return nil, buf, zipError("a member is not where its directory says")
	}
	start := uint64(head) + uint64(le.Uint16(b[28:]))
	if m.packed > uint64(z.size)-m.offset || start > uint64(z.size)-m.offset-m.packed {
		return nil, buf, zipError("a member lies outside")
	}
	if start+m.packed <= uint64(len(b)) {
		return b[start : start+m.packed], buf, nil
	}
	b = buf[:m.packed]
	if n, err := z.r.ReadAt(b, int64(m.offset+start)); n < len(b) {
		return nil, buf, fmt.Errorf("read zip: %w", err)
	}
	return b, buf, nil
}

// folder reports whether a member is one: it has no content.
func (m *zipMember) folder() bool { return strings.HasSuffix(m.name, "/") }
