package reach

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// tableOf makes a function table of format go1.20 (or of an other magic
// number) for a 64-bit little-endian processor, as the linker writes it:
// header, names, and then for this test one byte for each of the other parts.
func tableOf(magic uint32, functions, inlined []string) []byte {
	var names, index, records []byte
	offsets := []uint32{}
	for _, n := range slices.Concat(functions, inlined) {
		offsets = append(offsets, uint32(len(names)))
		names = append(append(names, n...), 0)
	}
	for i := range functions {
		index = binary.LittleEndian.AppendUint32(index, uint32(i*16))
		index = binary.LittleEndian.AppendUint32(index, uint32(len(functions)*8+4+len(records)))
		records = binary.LittleEndian.AppendUint32(records, uint32(i*16))
		records = binary.LittleEndian.AppendUint32(records, offsets[i])
	}
	index = binary.LittleEndian.AppendUint32(index, uint32(len(functions)*16))
	head := binary.LittleEndian.AppendUint32(nil, magic)
	head = append(head, 0, 0, 1, 8)
	gap := 0
	if magic == 0xfffffff0 {
		gap = 24 // as Go 1.18 aligns the names
	}
	units := 72 + gap + len(names)
	for _, v := range []int{len(functions), 1, 0, 72 + gap, units, units + 1, units + 2, units + 3} {
		head = binary.LittleEndian.AppendUint64(head, uint64(v))
	}
	return slices.Concat(head, make([]byte, gap), names, []byte{1, 1, 1}, index, records, make([]byte, 64))
}

func namesIn(b []byte) (names, formats []string, functions int, err error) {
	formats, functions, err = readTables(bytes.NewReader(b), int64(len(b)), func(s string) { names = append(names, s) })
	return names, formats, functions, err
}

func TestTables(t *testing.T) {
	good := tableOf(0xfffffff1, []string{"main.main", "runtime.main"}, []string{"a/b.Inlined"})
	other := tableOf(0xfffffff0, []string{"c.F"}, nil)
	names, formats, n, err := namesIn(slices.Concat(make([]byte, window-3), good, make([]byte, 1000), other))
	if err != nil || n != 3 || strings.Join(formats, " ") != "go1.18 go1.20" || strings.Join(names, " ") != "main.main runtime.main a/b.Inlined c.F" {
		t.Errorf("%v %v %d %v", names, formats, n, err)
	}
	old := bytes.Clone(good)
	binary.LittleEndian.PutUint32(old, 0xfffffffb)
	if _, _, _, err := namesIn(old); !errors.Is(err, errOldTable) {
		t.Errorf("old: %v", err)
	}
}

// TestHostileTables holds that a table which lies is an error, before anything
// is allocated by its numbers.
func TestHostileTables(t *testing.T) {
	good := tableOf(0xfffffff1, []string{"main.main", "runtime.main"}, []string{"a/b.Inlined"})
	put := func(at int, v uint64) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint64(b[at:], v)
		return b
	}
	index := bytes.Index(good, []byte{1, 1, 1}) + 3
	for _, tt := range []struct {
		name string
		b    []byte
	}{
		{"no functions", put(8, 0)},
		{"2^62 functions", put(8, 1<<62)},
		{"2^64-1 functions", put(8, 1<<64-1)},
		{"more functions than bytes", put(8, maxFunctions)},
		{"names elsewhere", put(32, 72+maxGap+1)},
		{"names backwards", put(40, 10)},
		{"names beyond the file", put(40, 1<<40)},
		{"records beyond the file", put(64, 1<<40)},
		{"a record beyond the file", func() []byte {
			b := bytes.Clone(good)
			binary.LittleEndian.PutUint32(b[index+4:], 1<<31)
			return b
		}()},
		{"a name from the middle", func() []byte {
			b := bytes.Clone(good)
			binary.LittleEndian.PutUint32(b[index+20+4:], 3)
			return b
		}()},
		{"a name beyond the names", func() []byte {
			b := bytes.Clone(good)
			binary.LittleEndian.PutUint32(b[index+20+4:], 1<<30)
			return b
		}()},
		{"truncated", good[:index+6]},
		{"header only", good[:20]},
		{"17 tables", bytes.Repeat(good, maxTables+1)},
		{"empty", nil},
	} {
		if names, _, _, err := namesIn(tt.b); err == nil {
			t.Errorf("%s: %v", tt.name, names)
		}
	}
}

func FuzzTables(f *testing.F) {
	f.Add(tableOf(0xfffffff1, []string{"main.main", "runtime.main"}, []string{"a/b.Inlined"}))
	f.Add(tableOf(0xfffffffa, []string{"main.main"}, nil))
	f.Add([]byte{0xff, 0xff, 0xff, 0xf0, 0, 0, 4, 8})
	f.Fuzz(func(t *testing.T, b []byte) {
		names, _, functions, err := namesIn(b)
		if err == nil && (functions == 0 || len(names) == 0) {
			t.Errorf("%d functions, %d names, no error", functions, len(names))
		}
	})
}

// FuzzExtract reads whole files, as the child does with foreign ones.
func FuzzExtract(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Add([]byte("MZ"))
	f.Add([]byte("\xcf\xfa\xed\xfe"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := extract(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if p.Table.Partial == "" && p.Table.Functions < minRuntime {
			t.Errorf("%d functions pass for a whole program", p.Table.Functions)
		}
	})
}
