package rpmdb

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Berkeley DB's hash format (db-5.3, src/dbinc/db_page.h). A page starts with
// 26 bytes: log position 8, page number 4, previous 4, next 4, entries 2, free
// offset 2, level 1, type 1; then come the offsets of its items, keys and
// values in turn, which fill the page from its end. Values over a quarter of a
// page lie in a chain of overflow pages. The byte order is that of the machine
// that wrote the file; the magic number tells it.
const (
	bdbHashMagic = 0x061561
	bdbPageHead  = 26

	bdbHashMeta     = 8
	bdbHashUnsorted = 2
	bdbHash         = 13
	bdbOverflow     = 7

	bdbInline  = 1 // H_KEYDATA
	bdbOffPage = 3 // H_OFFPAGE
)

// bdbOrder returns the byte order of a hash file, nil when it is none.
func bdbOrder(head []byte) binary.ByteOrder {
	switch {
	case binary.LittleEndian.Uint32(head[12:]) == bdbHashMagic:
		return binary.LittleEndian
	case binary.BigEndian.Uint32(head[12:]) == bdbHashMagic:
		return binary.BigEndian
	}
	return nil
}

// bdb is one open hash file.
type bdb struct {
	f     *io.SectionReader
	order binary.ByteOrder
	size  int64 // bytes of a page
	last  int64 // number of the last page
	left  int64 // overflow pages that may still be read: none belongs to two values
	page  []byte
}

func (r *reading) bdb(f *io.SectionReader) error {
	head := make([]byte, 72)
	if err := at(f, head, 0); err != nil {
		return err
	}
	b := &bdb{f: f, order: bdbOrder(head)}
	b.size, b.last = int64(b.order.Uint32(head[20:])), int64(b.order.Uint32(head[32:]))
	switch {
	case head[25] != bdbHashMeta:
		return fmt.Errorf("%w: page type %d", ErrFormat, head[25])
	case head[24] != 0:
		return fmt.Errorf("%w: it is encrypted", ErrFormat)
	case b.size < 512 || b.size > 64<<10 || b.size&(b.size-1) != 0:
		return fmt.Errorf("%w: pages of %d bytes", ErrFormat, b.size)
	case (b.last+1)*b.size > f.Size():
		return fmt.Errorf("%w: %d pages of %d bytes in a file of %d", ErrFormat, b.last+1, b.size, f.Size())
	}
	b.left = b.last + 1
	b.page = make([]byte, b.size)
	page := make([]byte, b.size)
	for i := int64(1); i <= b.last; i++ {
		if i%256 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if err := at(f, page, i*b.size); err != nil {
			return err
		}
		if t := page[25]; t != bdbHash && t != bdbHashUnsorted {
			continue // free, overflow, or preallocated
		}
		if err := r.bdbPage(b, page); err != nil {
			return err
		}
	}
	return nil
}

// bdbPage reads the values of one page of a hash bucket.
func (r *reading) bdbPage(b *bdb, page []byte) error {
	entries := int64(b.order.Uint16(page[20:]))
	if entries%2 != 0 || bdbPageHead+2*entries > b.size {
		return fmt.Errorf("%w: %d items on one page", ErrFormat, entries)
	}
	item := func(i int64) int64 { return int64(b.order.Uint16(page[bdbPageHead+2*i:])) }
	for i := int64(1); i < entries; i += 2 {
		from, to := item(i), item(i-1)
		if from < bdbPageHead+2*entries || to > b.size || from >= to {
			return fmt.Errorf("%w: an item out of its page", ErrFormat)
		}
		switch value := page[from:to]; {
		case value[0] == bdbOffPage && len(value) >= 12:
			if err := r.bdbChain(b, int64(b.order.Uint32(value[4:])), int64(b.order.Uint32(value[8:]))); err != nil {
				return err
			}
		case value[0] == bdbInline:
			if len(value) <= 1+8 {
				continue // key 0 holds the number of the last package
			}
			if err := r.claim(int64(len(value) - 1)); err != nil {
				return err
			}
			if err := r.add(value[1:]); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: item type %d", ErrFormat, value[0])
		}
	}
	return nil
}

// bdbChain reads a value from its chain of overflow pages.
func (r *reading) bdbChain(b *bdb, page, size int64) error {
	if err := r.claim(size); err != nil {
		return err
	}
	if size > b.left*b.size {
		return fmt.Errorf("%w: a value of %d bytes in %d pages", ErrFormat, size, b.left)
	}
	blob := make([]byte, 0, size)
	for int64(len(blob)) < size {
		if b.left--; b.left < 0 || page == 0 || page > b.last {
			return fmt.Errorf("%w: a broken chain of pages", ErrFormat)
		}
		if err := at(b.f, b.page, page*b.size); err != nil {
			return err
		}
		n := int64(b.order.Uint16(b.page[22:]))
		if b.page[25] != bdbOverflow || n == 0 || bdbPageHead+n > b.size || int64(len(blob))+n > size {
			return fmt.Errorf("%w: a broken overflow page", ErrFormat)
		}
		blob = append(blob, b.page[bdbPageHead:bdbPageHead+n]...)
		page = int64(b.order.Uint32(b.page[16:]))
	}
	return r.add(blob)
}
