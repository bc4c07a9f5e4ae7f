package night

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// maxFunction bounds in bytes what a report says of one function, and any other
// part of a file that is looked at as a whole. Real ones have up to some
// megabytes: what is kept of Go binaries is most of those.
const maxFunction = 128 << 20

// splitter finds the parts of a JSON text that is too large to be held: it goes
// through the text once and holds one part at a time.
type splitter struct {
	r   io.Reader
	buf []byte
	pos int   // in buf
	off int64 // of buf[0] in the text
	end bool  // r has no more
}

func newSplitter(r io.Reader, buf []byte) *splitter { return &splitter{r: r, buf: buf[:0]} }

// fill reads more behind what is held; what is before pos is dropped when that
// makes room. It returns io.ErrUnexpectedEOF at the end of the text.
func (s *splitter) fill(from int) (moved int, err error) {
	if s.end {
		return 0, io.ErrUnexpectedEOF
	}
	if len(s.buf) == cap(s.buf) {
		if from > len(s.buf)/2 {
			moved = from
			n := copy(s.buf, s.buf[from:])
			s.buf, s.off, s.pos = s.buf[:n], s.off+int64(from), s.pos-from
		} else {
			grown := make([]byte, len(s.buf), max(2*cap(s.buf), 256<<10))
			copy(grown, s.buf)
			s.buf = grown
		}
	}
	n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	if errors.Is(err, io.EOF) {
		s.end, err = true, nil
	}
	return moved, err
}

// peek returns the next byte that is no blank.
func (s *splitter) peek() (byte, error) {
	for {
		for s.pos < len(s.buf) {
			switch c := s.buf[s.pos]; c {
			case ' ', '\n', '\t', '\r':
				s.pos++
			default:
				return c, nil
			}
		}
		if _, err := s.fill(s.pos); err != nil {
			return 0, err
		}
	}
}

// take takes a byte that must come now.
func (s *splitter) take(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return fmt.Errorf("at byte %d: %q is missing", s.off+int64(s.pos), string(want))
	}
	s.pos++
	return nil
}

// more goes to the next element of a list or object, or over its end.
func (s *splitter) more(end byte, first bool) (bool, error) {
	c, err := s.peek()
	if err != nil {
		return false, err
	}
	if c == end {
		s.pos++
		return false, nil
	}
	if !first {
		return true, s.take(',')
	}
	return true, nil
}

// value returns the next value and where it begins in the text. It is valid
// until the next call, and only its brackets and strings were looked at.
func (s *splitter) value() (at int64, raw []byte, err error) {
	c, err := s.peek()
	if err != nil {
		return 0, nil, err
	}
	start := s.pos
	need := func() error {
		if s.pos-start > maxFunction {
			return fmt.Errorf("at byte %d: a value of more than %d MB", s.off+int64(start), maxFunction>>20)
		}
		moved, err := s.fill(start)
		start -= moved
		return err
	}
	depth, quoted := 0, false
	if c != '{' && c != '[' && c != '"' {
		err = s.scalar(need)
		return s.off + int64(start), s.buf[start:s.pos], err
	}
	for {
		if s.pos >= len(s.buf) {
			if err := need(); err != nil {
				return 0, nil, err
			}
			continue
		}
		if quoted {
			i := closing(s.buf, s.pos)
			if i == len(s.buf) {
				s.pos = i
				continue
			}
			back := i
			for back > start && s.buf[back-1] == '\\' {
				back--
			}
			quoted = (i-back)%2 == 1
			s.pos = i + 1
		} else {
			i := telling(s.buf, s.pos)
			if i == len(s.buf) {
				s.pos = i
				continue
			}
			s.pos = i + 1
			switch s.buf[i] {
			case '"':
				quoted = true
			case '{', '[':
				if depth++; depth > maxDepth {
					return 0, nil, fmt.Errorf("at byte %d: more than %d levels", s.off+int64(s.pos), maxDepth)
				}
			default:
				depth--
			}
		}
		if depth == 0 && !quoted {
			return s.off + int64(start), s.buf[start:s.pos], nil
		}
	}
}

// Eight bytes at a time: the top bit of each that is zero, and maybe of one
// above such a one.
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// closing is where the first quote is from i on; len(buf) without one.
func closing(buf []byte, i int) int {
	for ; i+8 <= len(buf); i += 8 {
		x := binary.LittleEndian.Uint64(buf[i:]) ^ '"'*ones
		if found := (x - ones) & ^x & tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(buf) && buf[i] != '"' {
		i++
	}
	return i
}

// telling is where the first quote or bracket is from i on; len(buf) without one.
func telling(buf []byte, i int) int {
	for ; i+8 <= len(buf); i += 8 {
		word := binary.LittleEndian.Uint64(buf[i:])
		quote, open, end := word^'"'*ones, word|0x20*ones, word|0x20*ones // "[" and "{", "]" and "}" differ in that bit
		open, end = open^'{'*ones, end^'}'*ones
		if found := ((quote-ones)&^quote | (open-ones)&^open | (end-ones)&^end) & tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(buf); i++ {
		switch buf[i] {
		case '"', '{', '[', '}', ']':
			return i
		}
	}
	return i
}

// scalar goes over a number or a word.
func (s *splitter) scalar(need func() error) error {
	for {
		for s.pos < len(s.buf) {
			switch s.buf[s.pos] {
			case ',', '}', ']', ' ', '\n', '\t', '\r', ':':
				return nil
			}
			s.pos++
		}
		if err := need(); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return err
		}
	}
}
