package bundle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Signatures and fixed lengths of zip records: APPNOTE.TXT 6.3.10, section 4.3.
const (
	sigLocal   = "PK\x03\x04"
	sigCentral = "PK\x01\x02"
	sigEnd     = "PK\x05\x06"
	sigEnd64   = "PK\x06\x06"
	sigLocator = "PK\x06\x07"
	sigDesc    = "PK\x07\x08"
	sigDigital = "PK\x05\x05"

	lenLocal   = 30
	lenCentral = 46
	lenEnd     = 22
	lenEnd64   = 56
	lenLocator = 20
	maxComment = 65535
)

// errNotZip says that there is no end record.
var errNotZip = errors.New("no zip end record")

// endRecord is an end of central directory record and what follows from it.
type endRecord struct {
	pos    int64 // of the record
	end    int64 // of the directory: here, or at the zip64 record
	start  int64 // of the directory, in the file
	base   int64 // add to every offset: length of a prefix that the offsets do not count
	count  int64 // entries as declared
	size   int64 // of the directory as declared
	after  int64 // bytes that follow the record and its comment; negative: the comment is cut off
	zip64  bool
	second bool // the declared offset, too, leads to a directory
	lies   []string
}

// findEnd finds the end record that readers agree on most: the last one whose
// comment reaches exactly to the end of the file, else the last one whose
// directory is there. The others that some reader could take come back too: any
// behind the chosen one, and any whose comment reaches to the end.
func findEnd(src source) (best *endRecord, others []*endRecord, err error) {
	n := min(src.size(), lenEnd+maxComment)
	tail, err := src.view(src.size()-n, n)
	if err != nil {
		return nil, nil, err
	}
	const most = 256 // candidates looked at: an honest file has one or two
	var found []*endRecord
	seen := 0
	for i := len(tail); seen < most; seen++ {
		if i = bytes.LastIndex(tail[:i], []byte(sigEnd)); i < 0 {
			break
		}
		if len(tail)-i < lenEnd {
			continue
		}
		e, err := readEnd(src, src.size()-n+int64(i), tail[i:])
		if err == nil {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		if seen > 0 {
			return nil, nil, fmt.Errorf("zip end record without its directory: the file is cut off or damaged: %w", ErrUnreadable)
		}
		return nil, nil, errNotZip
	}
	best = found[0] // the last in the file
	for _, e := range found {
		if e.after == 0 {
			best = e
			break
		}
	}
	for _, e := range found {
		if e != best && (e.pos > best.pos || e.after == 0) {
			others = append(others, e)
		}
	}
	return best, others, nil
}

// readEnd reads the record at pos; b begins with it.
func readEnd(src source, pos int64, b []byte) (*endRecord, error) {
	le := binary.LittleEndian
	e := &endRecord{pos: pos, end: pos, count: int64(le.Uint16(b[10:])), size: int64(le.Uint32(b[12:]))}
	offset := int64(le.Uint32(b[16:]))
	e.after = int64(len(b)) - lenEnd - int64(le.Uint16(b[20:]))
	disk, dirDisk, here := le.Uint16(b[4:]), le.Uint16(b[6:]), le.Uint16(b[8:])
	full := e.count == 0xffff || e.size == 0xffffffff || offset == 0xffffffff
	if z, at, ok := readEnd64(src, pos); ok {
		e.zip64, e.end = true, at
		zc, zs, zo := le.Uint64(z[32:]), le.Uint64(z[40:]), le.Uint64(z[48:])
		if zc > 1<<40 || zs > 1<<60 || zo > 1<<60 {
			return nil, errNotZip
		}
		if !full && (int64(zc) != e.count || int64(zs) != e.size || int64(zo) != offset) {
			e.lies = append(e.lies, "zip64 end record and end record differ though neither must")
		}
		e.count, e.size, offset = int64(zc), int64(zs), int64(zo)
	} else if disk != 0 && disk != 0xffff || dirDisk != 0 && dirDisk != 0xffff {
		return nil, errNotZip // a part of a split archive
	} else if here != le.Uint16(b[10:]) {
		e.lies = append(e.lies, "the end record gives two different numbers of entries")
	}
	isDir := func(at int64) bool {
		if e.size == 0 {
			return at == e.end
		}
		if e.size < lenCentral || at < 0 || at > e.end-e.size {
			return false
		}
		sig, err := src.view(at, 4)
		return err == nil && string(sig) == sigCentral
	}
	e.start = e.end - e.size
	e.base = e.start - offset
	switch {
	case e.base >= 0 && isDir(e.start):
		e.second = e.base > 0 && e.size > 0 && isDir(offset)
	case isDir(offset): // something lies between directory and end record
		e.start, e.base = offset, 0
	default:
		return nil, errNotZip
	}
	if e.count == 0 && e.size == 0 {
		e.base = 0
	}
	return e, nil
}

// readEnd64 returns the zip64 end record that belongs to the end record at pos,
// and where it lies.
func readEnd64(src source, pos int64) ([]byte, int64, bool) {
	if pos < lenLocator+lenEnd64 {
		return nil, 0, false
	}
	loc, err := src.view(pos-lenLocator, lenLocator)
	if err != nil || string(loc[:4]) != sigLocator {
		return nil, 0, false
	}
	// behind a prefix the stored offset is too small: look right before the locator too
	for _, at := range []int64{int64(binary.LittleEndian.Uint64(loc[8:])), pos - lenLocator - lenEnd64} {
		if at < 0 || at > pos-lenLocator-lenEnd64 {
			continue
		}
		z, err := src.view(at, lenEnd64)
		if err == nil && string(z[:4]) == sigEnd64 {
			return z, at, true
		}
	}
	return nil, 0, false
}
