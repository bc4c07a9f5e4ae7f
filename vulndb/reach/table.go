package reach

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// The function table of a Go binary (.gopclntab; cmd/link/internal/ld/pcln.go,
// runtime.pcHeader) is what the runtime prints stack traces from. The linker
// keeps it whatever is stripped. Since Go 1.16 it begins with a header of
// offsets and holds, as a table of its own, the name of every function and of
// every function that was inlined somewhere: generateFuncnametab walks the
// functions and their inline trees. So a name that is not in that table is
// neither a function of the binary nor inlined into one.
//
// debug/gosym knows the table but only its functions; what was inlined it
// cannot read without the symbol go:func.*, which stripping removes. That is
// why x/vuln calls every symbol of a stripped binary present.

// Limits on the table. The largest real binaries (about 300,000 functions)
// stay under a tenth.
const (
	maxTables    = 16        // tables in one file: a fat Mach-O file has one for each architecture
	maxFunctions = 4 << 20   // functions of one table
	maxNameTable = 256 << 20 // bytes of names
	maxFuncData  = 512 << 20 // bytes of function records
	window       = 1 << 20   // bytes read at once
	maxGap       = 64        // bytes between header and names: Go 1.18 to 1.25 align the names to 32
)

// The magic numbers of the formats (debug/gosym, internal/abi).
var formats = map[uint32]string{0xfffffffb: "go1.2", 0xfffffffa: "go1.16", 0xfffffff0: "go1.18", 0xfffffff1: "go1.20"}

// errOldTable is returned for the table of Go before 1.16, whose names do not
// stand together.
var errOldTable = errors.New("built before Go 1.16: its function table does not list what was inlined")

// readTables finds every function table in a file and passes each of its names
// to add. It returns their formats, sorted, and the number of functions. It does not trust
// section tables: where the runtime finds the table is the address in its
// module data, so any place in the file may be it, and several tables count
// together.
func readTables(r io.ReaderAt, size int64, add func(string)) (found []string, functions int, err error) {
	tables := 0
	buf := make([]byte, window+16)
	for at := int64(0); at < size; at += window {
		n, rerr := r.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if rerr != nil && !errors.Is(rerr, io.EOF) {
			return nil, 0, fmt.Errorf("read binary: %w", rerr)
		}
		for _, i := range headers(buf[:n]) {
			if i >= window {
				continue // the next window has it whole
			}
			t, terr := openTable(r, size, at+int64(i), buf[i:n])
			if errors.Is(terr, errOldTable) {
				err = terr
				continue
			}
			if terr != nil {
				continue // four bytes that look like a header
			}
			if tables++; tables > maxTables {
				return nil, 0, fmt.Errorf("more than %d function tables", maxTables)
			}
			names, terr := t.names()
			if terr != nil {
				return nil, 0, fmt.Errorf("function table at offset %d: %w", t.at, terr)
			}
			for _, name := range names {
				add(string(name))
			}
			found = append(found, t.format)
			functions += t.functions
		}
	}
	if tables == 0 {
		if err == nil {
			err = errors.New("no function table that this version can read")
		}
		return nil, 0, err
	}
	slices.Sort(found)
	return slices.Compact(found), functions, nil
}

// headers returns the offsets in b of what looks like a header: magic, two
// zero bytes, instruction size, pointer size.
func headers(b []byte) []int {
	var out []int
	for _, pattern := range [][]byte{{0xff, 0xff, 0xff, 0, 0}, {0xff, 0xff, 0xff}} {
		little := len(pattern) == 5
		for at := 0; ; {
			i := bytes.Index(b[at:], pattern)
			if i < 0 {
				break
			}
			i += at
			at = i + 1
			start := i
			if little {
				start--
			}
			if start < 0 || start+8 > len(b) || b[start+4] != 0 || b[start+5] != 0 {
				continue
			}
			magic := binary.BigEndian.Uint32(b[start:])
			if little {
				magic = binary.LittleEndian.Uint32(b[start:])
			}
			quantum, pointer := b[start+6], b[start+7]
			if formats[magic] == "" || quantum != 1 && quantum != 2 && quantum != 4 || pointer != 4 && pointer != 8 {
				continue
			}
			out = append(out, start)
		}
	}
	return out
}

// table is a function table with a plausible header.
type table struct {
	r         io.ReaderAt
	order     binary.ByteOrder
	at, left  int64 // where it begins, and how many bytes the file has from there
	format    string
	functions int
	pointer   int
	offsets   struct{ names, units, files, pcs, records int64 }
}

func openTable(r io.ReaderAt, size, at int64, head []byte) (*table, error) {
	t := &table{r: r, at: at, left: size - at, order: binary.LittleEndian, pointer: int(head[7])}
	magic := t.order.Uint32(head)
	if formats[magic] == "" {
		t.order = binary.BigEndian
		magic = t.order.Uint32(head)
	}
	t.format = formats[magic]
	if t.format == "go1.2" {
		return nil, errOldTable
	}
	fields := make([]byte, 8*t.pointer)
	if _, err := r.ReadAt(fields, at+8); err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	next := func() int64 {
		var v uint64
		if t.pointer == 8 {
			v = t.order.Uint64(fields)
		} else {
			v = uint64(t.order.Uint32(fields))
		}
		fields = fields[t.pointer:]
		return int64(min(v, 1<<62))
	}
	n := next()
	next() // files
	if t.format != "go1.16" {
		next() // address of the first function; 0 since Go 1.26
	}
	o := &t.offsets
	o.names, o.units, o.files, o.pcs, o.records = next(), next(), next(), next(), next()
	header := int64(8 + 8*t.pointer)
	if t.format == "go1.16" {
		header -= int64(t.pointer)
	}
	switch {
	case n < 1 || n > maxFunctions:
		return nil, fmt.Errorf("%d functions", n)
	case o.names < header || o.names > header+maxGap || o.units <= o.names || o.files < o.units || o.pcs < o.files || o.records < o.pcs || o.records >= t.left:
		return nil, errors.New("offsets out of order")
	}
	t.functions = int(n)
	return t, nil
}

// names returns every name, and checks that the records of the functions point
// at beginnings of names, so that a table that was damaged or edited carelessly
// is an error.
func (t *table) names() ([][]byte, error) {
	size := t.offsets.units - t.offsets.names
	if size > maxNameTable {
		return nil, fmt.Errorf("%d bytes of names, over the limit of %d", size, maxNameTable)
	}
	b := make([]byte, size)
	if _, err := t.r.ReadAt(b, t.at+t.offsets.names); err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	if err := t.checkRecords(b); err != nil {
		return nil, err
	}
	names := bytes.Split(bytes.TrimRight(b, "\x00"), []byte{0})
	if len(names) > 2*maxFunctions {
		return nil, fmt.Errorf("%d names", len(names))
	}
	return names, nil
}

func (t *table) checkRecords(names []byte) error {
	width, first := 4, int64(4) // of a field of the index; of the entry address in a record
	if t.format == "go1.16" {
		width, first = t.pointer, int64(t.pointer)
	}
	index := make([]byte, t.functions*2*width)
	if _, err := t.r.ReadAt(index, t.at+t.offsets.records); err != nil {
		return fmt.Errorf("read index: %w", err)
	}
	field := func(i int) int64 {
		if width == 8 {
			return int64(min(t.order.Uint64(index[i*8:]), 1<<62))
		}
		return int64(t.order.Uint32(index[i*4:]))
	}
	end := int64(0)
	for i := range t.functions {
		end = max(end, field(2*i+1)+first+4)
	}
	if end > maxFuncData || t.offsets.records+end > t.left {
		return errors.New("function records out of range")
	}
	records := make([]byte, end)
	if _, err := t.r.ReadAt(records, t.at+t.offsets.records); err != nil {
		return fmt.Errorf("read function records: %w", err)
	}
	for i := range t.functions {
		at := field(2*i+1) + first
		name := int64(t.order.Uint32(records[at:]))
		if name >= int64(len(names)) || name > 0 && names[name-1] != 0 || names[name] == 0 {
			return fmt.Errorf("function %d has no name", i)
		}
	}
	return nil
}
