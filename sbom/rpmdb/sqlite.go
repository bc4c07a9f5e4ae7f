package rpmdb

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// SQLite's file format (https://www.sqlite.org/fileformat2.html): pages, on
// which a table is a B-tree whose leaves hold rows. rpm has one row for each
// package in the table Packages: its number and its header. Numbers are
// big-endian.
const (
	sqliteMagic = "SQLite format 3\x00"

	sqliteInterior = 5
	sqliteLeaf     = 13

	sqliteMaxDepth  = 20      // of a B-tree: each level multiplies what it holds
	sqliteMaxSchema = 1 << 20 // bytes of the schema's rows
)

// sqlite is one open database.
type sqlite struct {
	main   *io.SectionReader
	wal    *wal
	size   int64 // bytes of a page
	usable int64 // of them, without the reserved end
	left   int64 // pages that may still be read: no page belongs to two places
}

func (r *reading) sqlite(d Database) error {
	log, err := openWAL(r.ctx, d.WAL)
	if err != nil {
		return err
	}
	s := &sqlite{main: d.Main, wal: log}
	if err := s.open(); err != nil {
		return err
	}
	var root int64
	budget := int64(sqliteMaxSchema)
	err = s.rows(1, 0, func(row cell) error {
		if budget -= row.size; budget < 0 {
			return fmt.Errorf("the schema is %w of %d bytes", ErrLimit, sqliteMaxSchema)
		}
		payload, err := s.payload(row)
		if err != nil {
			return err
		}
		if at, ok := tableRoot(payload, "packages"); ok {
			root = at
		}
		return nil
	})
	if err != nil {
		return err
	}
	if root == 0 {
		return fmt.Errorf("%w: it has no table of packages", ErrFormat)
	}
	return s.rows(root, 0, func(row cell) error {
		if err := r.claim(row.size); err != nil {
			return err
		}
		payload, err := s.payload(row)
		if err != nil {
			return err
		}
		columns, err := record(payload)
		if err != nil {
			return err
		}
		if len(columns) < 2 || columns[1].kind < 12 || columns[1].kind%2 != 0 {
			return fmt.Errorf("%w: a row without a header", ErrFormat)
		}
		return r.add(columns[1].data)
	})
}

// open reads the file's header from page 1, which may lie in the log.
func (s *sqlite) open() error {
	head := make([]byte, 100)
	if s.wal != nil && s.wal.frames[1] != 0 {
		if err := at(s.wal.f, head, s.wal.frames[1]); err != nil {
			return err
		}
	} else if err := at(s.main, head, 0); err != nil {
		return err
	}
	if string(head[:16]) != sqliteMagic {
		return fmt.Errorf("%w: no SQLite header", ErrFormat)
	}
	if s.size = int64(binary.BigEndian.Uint16(head[16:])); s.size == 1 {
		s.size = 64 << 10
	}
	s.usable = s.size - int64(head[20])
	if s.size < 512 || s.size&(s.size-1) != 0 || s.usable < 480 || s.wal != nil && s.wal.size != s.size {
		return fmt.Errorf("%w: pages of %d bytes", ErrFormat, s.size)
	}
	if head[56] == 0 && head[57] == 0 && head[58] == 0 && head[59] > 1 {
		return fmt.Errorf("%w: text that is not UTF-8", ErrFormat)
	}
	s.left = s.main.Size() / s.size
	if s.wal != nil {
		s.left += int64(len(s.wal.frames))
	}
	return nil
}

// page reads page n, counted from 1; what the log has is newer than the file.
func (s *sqlite) page(n int64) ([]byte, error) {
	if s.left--; s.left < 0 || n < 1 {
		return nil, fmt.Errorf("%w: pages that point to one another", ErrFormat)
	}
	buf := make([]byte, s.size)
	if s.wal != nil && n < 1<<32 {
		if from := s.wal.frames[uint32(n)]; from != 0 {
			return buf, at(s.wal.f, buf, from)
		}
	}
	return buf, at(s.main, buf, (n-1)*s.size)
}

// cell is one row where it lies on its page.
type cell struct {
	size     int64  // bytes of the row
	local    []byte // its beginning
	overflow int64  // page that goes on; 0 for none
}

// rows calls each for every row of a table, in order.
func (s *sqlite) rows(root int64, depth int, each func(cell) error) error {
	if depth > sqliteMaxDepth {
		return fmt.Errorf("%w: a tree of more than %d levels", ErrFormat, sqliteMaxDepth)
	}
	page, err := s.page(root)
	if err != nil {
		return err
	}
	head := page
	if root == 1 {
		head = page[100:]
	}
	kind, count := head[0], int64(binary.BigEndian.Uint16(head[3:]))
	pointers := head[8:]
	if kind == sqliteInterior {
		pointers = head[12:]
	} else if kind != sqliteLeaf {
		return fmt.Errorf("%w: page type %d", ErrFormat, kind)
	}
	if 2*count > int64(len(pointers)) {
		return fmt.Errorf("%w: %d rows on one page", ErrFormat, count)
	}
	for i := range count {
		from := int64(binary.BigEndian.Uint16(pointers[2*i:]))
		if from+4 > s.usable {
			return fmt.Errorf("%w: a row out of its page", ErrFormat)
		}
		if kind == sqliteInterior {
			if err := s.rows(int64(binary.BigEndian.Uint32(page[from:])), depth+1, each); err != nil {
				return err
			}
			continue
		}
		row, err := s.cell(page[from:s.usable])
		if err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if kind == sqliteInterior {
		return s.rows(int64(binary.BigEndian.Uint32(head[8:])), depth+1, each)
	}
	return nil
}

// cell takes apart what a leaf holds for one row: its size, its number, and as
// much of it as fits (file format, section 1.6).
func (s *sqlite) cell(b []byte) (cell, error) {
	size, n := varint(b)
	_, m := varint(b[n:])
	if n == 0 || m == 0 || size < 0 {
		return cell{}, fmt.Errorf("%w: a row without a size", ErrFormat)
	}
	b = b[n+m:]
	local := size
	if most := s.usable - 35; size > most {
		least := (s.usable-12)*32/255 - 23
		if local = least + (size-least)%(s.usable-4); local > most {
			local = least
		}
	}
	row := cell{size: size}
	if local > int64(len(b)) || local < size && local+4 > int64(len(b)) {
		return cell{}, fmt.Errorf("%w: a row out of its page", ErrFormat)
	}
	row.local = b[:local]
	if local < size {
		row.overflow = int64(binary.BigEndian.Uint32(b[local:]))
	}
	return row, nil
}

// payload returns a whole row. The caller has bounded row.size.
func (s *sqlite) payload(row cell) ([]byte, error) {
	if row.overflow == 0 {
		return row.local, nil
	}
	if row.size > (s.left+1)*s.size {
		return nil, fmt.Errorf("%w: a row of %d bytes in %d pages", ErrFormat, row.size, s.left)
	}
	out := append(make([]byte, 0, row.size), row.local...)
	for next := row.overflow; int64(len(out)) < row.size; {
		page, err := s.page(next)
		if err != nil {
			return nil, err
		}
		next = int64(binary.BigEndian.Uint32(page))
		out = append(out, page[4:min(s.usable, 4+row.size-int64(len(out)))]...)
	}
	return out, nil
}

// column is one value of a row.
type column struct {
	kind int64 // serial type: 0 to 9 NULL and numbers, even from 12 a blob, odd from 13 a text
	data []byte
}

// maxColumns is more than any table of rpm's has.
const maxColumns = 16

// record takes a row apart (file format, section 2.1).
func record(b []byte) ([]column, error) {
	size, n := varint(b)
	if n == 0 || size < int64(n) || size > int64(len(b)) {
		return nil, fmt.Errorf("%w: a row without a header", ErrFormat)
	}
	kinds, data := b[n:size], b[size:]
	var out []column
	for len(kinds) > 0 {
		kind, n := varint(kinds)
		if n == 0 || len(out) == maxColumns {
			return nil, fmt.Errorf("%w: a row with a broken header", ErrFormat)
		}
		kinds = kinds[n:]
		width := int64(0)
		switch {
		case kind >= 12:
			width = (kind - 12) / 2
		case kind >= 1 && kind <= 4:
			width = kind
		case kind == 5:
			width = 6
		case kind == 6 || kind == 7:
			width = 8
		case kind < 0:
			return nil, fmt.Errorf("%w: a row with a broken header", ErrFormat)
		}
		if width > int64(len(data)) {
			return nil, fmt.Errorf("%w: a row that is longer than its bytes", ErrFormat)
		}
		out = append(out, column{kind, data[:width]})
		data = data[width:]
	}
	return out, nil
}

// tableRoot returns the first page of a table when a row of the schema (type,
// name, table, page, SQL) describes it.
func tableRoot(row []byte, table string) (int64, bool) {
	c, err := record(row)
	if err != nil || len(c) < 4 || string(c[0].data) != "table" || !strings.EqualFold(string(c[1].data), table) {
		return 0, false
	}
	if c[3].kind == 9 {
		return 1, true
	}
	n := int64(0)
	for _, b := range c[3].data {
		n = n<<8 | int64(b)
	}
	return n, n > 0
}

// varint reads SQLite's variable-length integer: seven bits a byte, eight in
// the ninth. n is 0 when b ends before it does.
func varint(b []byte) (v int64, n int) {
	for n < 8 && n < len(b) {
		v = v<<7 | int64(b[n]&0x7f)
		n++
		if b[n-1] < 0x80 {
			return v, n
		}
	}
	if n < 8 || n >= len(b) {
		return 0, 0
	}
	return v<<8 | int64(b[8]), 9
}
