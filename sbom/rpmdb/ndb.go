package rpmdb

import (
	"encoding/binary"
	"fmt"
	"io"
)

// ndb (rpm, lib/backend/ndb/rpmpkg.c): pages of 4096 bytes with slots of 16
// bytes each, the first two of which are the file's header; a slot says where a
// package's header lies in blocks of 16 bytes. Numbers are little-endian.
const (
	ndbMagic     = "RpmP"
	ndbPage      = 4096
	ndbSlot      = 16
	ndbBlock     = 16
	ndbMaxPages  = 4096 // a million slots; each page holds 256
	ndbBlobHead  = 16   // magic, package, generation, length
	ndbSlotMagic = "Slot"
	ndbBlobMagic = "BlbS"
)

func (r *reading) ndb(f *io.SectionReader) error {
	head := make([]byte, 2*ndbSlot)
	if err := at(f, head, 0); err != nil {
		return err
	}
	if v := binary.LittleEndian.Uint32(head[4:]); v != 0 {
		return fmt.Errorf("%w: ndb version %d", ErrFormat, v)
	}
	pages := binary.LittleEndian.Uint32(head[12:])
	if pages == 0 || pages > ndbMaxPages {
		return fmt.Errorf("%d pages of slots are %w of %d", pages, ErrLimit, ndbMaxPages)
	}
	page := make([]byte, ndbPage)
	for i := range int64(pages) {
		if err := at(f, page, i*ndbPage); err != nil {
			return err
		}
		slots := page
		if i == 0 {
			slots = page[2*ndbSlot:]
		}
		for ; len(slots) >= ndbSlot; slots = slots[ndbSlot:] {
			if err := r.ndbPackage(f, slots[:ndbSlot]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reading) ndbPackage(f *io.SectionReader, slot []byte) error {
	if string(slot[:4]) != ndbSlotMagic {
		return fmt.Errorf("%w: a slot without its mark", ErrFormat)
	}
	number, block := binary.LittleEndian.Uint32(slot[4:]), int64(binary.LittleEndian.Uint32(slot[8:]))
	if block == 0 { // a free slot
		return nil
	}
	head := make([]byte, ndbBlobHead)
	if err := at(f, head, block*ndbBlock); err != nil {
		return err
	}
	if string(head[:4]) != ndbBlobMagic || binary.LittleEndian.Uint32(head[4:]) != number {
		return fmt.Errorf("%w: a slot that points to no package", ErrFormat)
	}
	size := int64(binary.LittleEndian.Uint32(head[12:]))
	if err := r.claim(size); err != nil {
		return err
	}
	if block*ndbBlock+ndbBlobHead+size > f.Size() {
		return fmt.Errorf("%w: it ends inside a package", ErrFormat)
	}
	blob := make([]byte, size)
	if err := at(f, blob, block*ndbBlock+ndbBlobHead); err != nil {
		return err
	}
	return r.add(blob)
}
