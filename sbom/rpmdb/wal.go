package rpmdb

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// wal is SQLite's write-ahead log: pages newer than the file's, as a process
// leaves them that ended without a checkpoint. An image is such a moment.
// Format: https://www.sqlite.org/fileformat2.html, section 4.
type wal struct {
	f      *io.SectionReader
	size   int64            // bytes of a page
	frames map[uint32]int64 // page -> where its last committed copy lies
}

const (
	walMagic     = 0x377f0682 // and its last bit for big-endian sums
	walHead      = 32
	walFrameHead = 24
)

// openWAL returns nil for a log with nothing in it. As SQLite does, it takes
// the frames up to the last commit before the first sum that is wrong: those
// behind are left over from an earlier turn, or were never written to the end.
func openWAL(ctx context.Context, f *io.SectionReader) (*wal, error) {
	if f == nil || f.Size() < walHead {
		return nil, nil
	}
	head := make([]byte, walHead)
	if err := at(f, head, 0); err != nil {
		return nil, err
	}
	magic := binary.BigEndian.Uint32(head)
	if magic&^1 != walMagic {
		return nil, nil // SQLite ignores such a log, too
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if magic&1 != 0 {
		order = binary.BigEndian
	}
	w := &wal{f: f, size: int64(binary.BigEndian.Uint32(head[8:])), frames: map[uint32]int64{}}
	if w.size < 512 || w.size > 64<<10 || w.size&(w.size-1) != 0 {
		return nil, fmt.Errorf("%w: a log with pages of %d bytes", ErrFormat, w.size)
	}
	sum := walSum{order: order}
	sum.add(head[:24])
	if !sum.is(head[24:]) {
		return nil, nil
	}
	pending := map[uint32]int64{}
	frame := make([]byte, walFrameHead+w.size)
	for from := int64(walHead); from+int64(len(frame)) <= f.Size(); from += int64(len(frame)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := at(f, frame, from); err != nil {
			return nil, err
		}
		if string(frame[8:16]) != string(head[16:24]) { // the salts of another turn
			break
		}
		sum.add(frame[:8])
		sum.add(frame[walFrameHead:])
		if !sum.is(frame[16:24]) {
			break
		}
		pending[binary.BigEndian.Uint32(frame)] = from + walFrameHead
		if binary.BigEndian.Uint32(frame[4:]) != 0 { // a commit
			for page, at := range pending {
				w.frames[page] = at
			}
			clear(pending)
		}
	}
	if len(w.frames) == 0 {
		return nil, nil
	}
	return w, nil
}

// walSum is the running checksum of a log.
type walSum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

func (s *walSum) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		s.s0 += s.order.Uint32(b) + s.s1
		s.s1 += s.order.Uint32(b[4:]) + s.s0
	}
}

func (s *walSum) is(b []byte) bool {
	return binary.BigEndian.Uint32(b) == s.s0 && binary.BigEndian.Uint32(b[4:]) == s.s1
}
