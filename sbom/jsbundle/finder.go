package jsbundle

import (
	"bytes"
	"encoding/binary"
)

// finder looks for many texts in one pass over a file. It is the algorithm of
// Wu and Manber ("A fast algorithm for multi-pattern searching", 1994) with
// blocks of three bytes: a window as long as the shortest text slides over the
// file, and the block at its end says how far it may go on without missing the
// end of a text, which is several bytes most of the time. (Their ends, since
// they start like any other code: "function ".) Searching for one text after
// the other took half of the time that a scan spent on a script.
type finder struct {
	texts  []string // at most 64
	window int      // length of the shortest text, at least blockBytes+1
	shift  [1 << blockBits]uint8
	ends   [1 << blockBits][]int8 // texts that end with this block, by index into texts
}

const (
	blockBytes = 3
	blockBits  = 12 // 4 KiB of shifts stay in the processor's nearest cache
)

// blockAt hashes the block that ends at i, which must be at least 3. Two blocks
// with one hash only make the window go on in smaller steps.
func blockAt(src []byte, i int) uint32 {
	b := binary.LittleEndian.Uint32(src[i-3:i+1]) >> 8
	return b * 0x9e3779b1 >> (32 - blockBits)
}

// newFinder prepares the search for texts.
func newFinder(texts []string) *finder {
	f := &finder{texts: texts, window: 255}
	for _, t := range texts {
		f.window = min(f.window, len(t))
	}
	for i := range f.shift {
		f.shift[i] = uint8(f.window - blockBytes + 1)
	}
	for n, t := range texts {
		end := []byte(" " + t[len(t)-f.window:]) // blockAt looks at four bytes
		for i := blockBytes; i <= f.window; i++ {
			h := blockAt(end, i)
			f.shift[h] = min(f.shift[h], uint8(f.window-i))
		}
		h := blockAt(end, f.window)
		f.ends[h] = append(f.ends[h], int8(n))
	}
	return f
}

// found is a set of texts, bit n for texts[n].
type found uint64

func (s found) has(n int) bool { return s&(1<<n) != 0 }

// find returns which texts src holds. Its time is linear in the length of src.
// Each step waits for a value out of the table, so two halves of the file are
// gone through in turn: one looks up while the other waits.
func (f *finder) find(src []byte) found {
	var set found
	i, middle := f.window-1, len(src)/2
	j := max(middle, i)
	for i < middle && j < len(src) {
		a, b := f.shift[blockAt(src, i)], f.shift[blockAt(src, j)]
		if a == 0 {
			set = f.ending(src, i, set)
			a = 1
		}
		if b == 0 {
			set = f.ending(src, j, set)
			b = 1
		}
		i += int(a)
		j += int(b)
	}
	set = f.rest(src, i, middle, set)
	return f.rest(src, j, len(src), set)
}

// rest looks for texts that end in src[i:end].
func (f *finder) rest(src []byte, i, end int, set found) found {
	for i < end {
		a := f.shift[blockAt(src, i)]
		if a == 0 {
			set = f.ending(src, i, set)
			a = 1
		}
		i += int(a)
	}
	return set
}

// ending adds the texts that end with src[i].
func (f *finder) ending(src []byte, i int, set found) found {
	for _, n := range f.ends[blockAt(src, i)] {
		if !set.has(int(n)) && bytes.HasSuffix(src[:i+1], []byte(f.texts[n])) {
			set |= 1 << n
		}
	}
	return set
}
