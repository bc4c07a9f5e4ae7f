package bundle

import (
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/s2"
)

// keepBlock is how many bytes a keeper packs together. Many small files share
// one block, which packs better than each alone; unpacking one takes some 30 µs.
const keepBlock = 64 << 10

// keeper holds contents in memory, packed with S2: written one after another
// while a layer streams by, and read at any place once it is sealed. Reading is
// safe for concurrent use.
type keeper struct {
	most   int64 // bytes that packed may take; 0: no limit
	used   int64
	size   int64
	packed [][]byte // each of keepBlock bytes unpacked, but the last
	raw    []byte   // the block that is being filled
	work   []byte   // where it is packed

	mu   sync.Mutex
	last [2]struct { // blocks unpacked last
		n    int64
		data []byte
	}
}

// room says whether a file of size bytes may be kept whole. Small files come
// first: they are many and what catalogers read, so a large one may take only a
// part of the budget. An eighth of it is for the first bytes of those that are
// not kept: every file is asked for them.
func (k *keeper) room(size int64) bool {
	share := k.most / 8 * 7
	switch {
	case size > 1<<20:
		share = k.most / 2
	case size > 128<<10:
		share = k.most / 4 * 3
	}
	return k.fits(size, share)
}

// roomForHead says whether the first size bytes of a file may be kept.
func (k *keeper) roomForHead(size int64) bool { return k.fits(size, k.most) }

func (k *keeper) fits(size, share int64) bool {
	return k.most == 0 || k.used+int64(len(k.raw))+size/2 <= share
}

// take appends size bytes of r. It stops when the budget is used up; then
// whole is false and what was taken does not count.
func (k *keeper) take(r io.Reader, size int64) (whole bool, err error) {
	for size > 0 {
		if k.raw == nil {
			k.raw = make([]byte, 0, keepBlock)
		}
		n, err := r.Read(k.raw[len(k.raw):min(int64(cap(k.raw)), int64(len(k.raw))+size)])
		k.raw = k.raw[:len(k.raw)+n]
		k.size += int64(n)
		size -= int64(n)
		if len(k.raw) == keepBlock {
			k.flush()
			k.raw = k.raw[:0]
			if k.most > 0 && k.used > k.most {
				return size == 0, nil
			}
		}
		if size > 0 && err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return false, err
		}
	}
	return true, nil
}

// write appends p.
func (k *keeper) write(p []byte) {
	for len(p) > 0 {
		if k.raw == nil {
			k.raw = make([]byte, 0, keepBlock)
		}
		n := min(len(p), keepBlock-len(k.raw))
		k.raw = append(k.raw, p[:n]...)
		k.size += int64(n)
		p = p[n:]
		if len(k.raw) == keepBlock {
			k.flush()
			k.raw = k.raw[:0]
		}
	}
}

func (k *keeper) flush() {
	k.work = s2.Encode(k.work[:cap(k.work)], k.raw) // room for the worst case
	b := append(make([]byte, 0, len(k.work)), k.work...)
	k.packed = append(k.packed, b)
	k.used += int64(len(b))
}

// seal ends writing.
func (k *keeper) seal() {
	if len(k.raw) > 0 {
		k.flush()
	}
	k.raw, k.work = nil, nil
}

// ReadAt reads what was kept. The keeper must be sealed.
func (k *keeper) ReadAt(p []byte, off int64) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return readBlocks(p, off, k.size, keepBlock, k.block)
}

func (k *keeper) block(n int64) ([]byte, error) {
	if k.last[0].data != nil && k.last[0].n == n {
		return k.last[0].data, nil
	}
	k.last[0], k.last[1] = k.last[1], k.last[0]
	if k.last[0].data != nil && k.last[0].n == n {
		return k.last[0].data, nil
	}
	b, err := s2.Decode(k.last[0].data[:cap(k.last[0].data)], k.packed[n])
	if err != nil {
		k.last[0].data = nil
		return nil, err
	}
	k.last[0].n, k.last[0].data = n, b
	return b, nil
}
