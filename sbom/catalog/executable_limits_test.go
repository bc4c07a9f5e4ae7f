package catalog

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// le writes values one after the other, little-endian.
func le(values ...any) []byte {
	var b bytes.Buffer
	for _, v := range values {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	return b.Bytes()
}

// elfOf is a 64-bit ELF file of n sections that all have the first name of a
// name table; the last one has the given type and content.
func elfOf(n int, text []byte, typ uint32, content []byte) []byte {
	head := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	at := uint64(64)
	table := at + uint64(len(text)+len(content))
	head = append(head, le(uint16(2), uint16(62), uint32(1), uint64(0), uint64(0), table, uint32(0), uint16(64), uint16(0), uint16(0), uint16(64), uint16(n), uint16(1))...)
	out := append(append(head, text...), content...)
	for i := range n {
		kind, off, size := uint32(0), uint64(0), uint64(0)
		switch i {
		case 1:
			kind, off, size = 3, at, uint64(len(text))
		case n - 1:
			kind, off, size = typ, at+uint64(len(text)), uint64(len(content))
		}
		out = append(out, le(uint32(0), kind, uint64(0), uint64(0), off, size, uint32(1), uint32(0), uint64(1), uint64(0))...)
	}
	return out
}

// peOf is a PE file with symbols and sections that all have the first name of
// a string table.
func peOf(symbols, sections int, text []byte, relocations uint16) []byte {
	out := make([]byte, 128)
	copy(out, "MZ")
	out[60] = 128
	at := uint32(128 + 4 + 20 + 40*sections)
	out = append(out, "PE\x00\x00"...)
	out = append(out, le(uint16(0x8664), uint16(sections), uint32(0), at, uint32(symbols), uint16(0), uint16(0))...)
	for range sections {
		out = append(out, le([8]byte{'/', '4'}, [6]uint32{}, relocations, uint16(0), uint32(0))...)
	}
	for range symbols {
		out = append(out, le(uint32(0), uint32(4), [10]byte{})...)
	}
	return append(append(out, le(uint32(4+len(text)))...), text...)
}

// machoOf is a 64-bit Mach-O file with the given load commands.
func machoOf(commands ...[]byte) []byte {
	all := bytes.Join(commands, nil)
	return append(le(uint32(0xfeedfacf), uint32(0x01000007), uint32(3), uint32(2), uint32(len(commands)), uint32(len(all)), uint64(0)), all...)
}

// TestUnsafeFormat: what would take the parsers of the standard library
// gigabytes is refused, and files as tools write them are not.
func TestUnsafeFormat(t *testing.T) {
	endless := append(bytes.Repeat([]byte("n"), 1<<20), 0)
	short := []byte("\x00name\x00")
	symbols := machoOf(le(uint32(2), uint32(24), uint32(32+24), uint32(100), uint32(32+24+1600), uint32(len(endless))))
	symbols = append(append(symbols, make([]byte, 1600)...), endless...)
	table := le(uint32(2), uint32(24), [4]uint32{})
	segment := le(uint32(0x19), uint32(72+80), [16]byte{}, [8]uint32{}, uint32(0), uint32(0), uint32(1), uint32(0), [60]byte{}, uint32(maxRelocations+1), [16]byte{})
	fat := func(n uint32) []byte {
		head := binary.BigEndian.AppendUint32([]byte("\xca\xfe\xba\xbe"), n)
		for range n {
			for _, v := range []uint32{0x01000007, 3, 400, uint32(len(symbols)), 0} {
				head = binary.BigEndian.AppendUint32(head, v)
			}
		}
		return append(append(head, make([]byte, 400-len(head))...), symbols...)
	}
	nowhere := elfOf(3, short, 1, nil)
	copy(nowhere[64+len(short)+64+24:], le(uint64(0xffffff0000000043), uint64(43)))
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"ELF", elfOf(3, short, 1, short), ""},
		{"ELF, section names", elfOf(100, endless, 1, nil), "section name table of endless names"},
		{"ELF, names without an end", elfOf(100, endless[:1<<20], 1, nil), "section name table of endless names"},
		{"ELF, libraries", elfOf(3, endless, 6, le(uint64(1), uint64(0))), "dynamic section of endless names"},
		{"ELF, one library", elfOf(3, short, 6, le(uint64(1), uint64(1), uint64(0), uint64(0))), ""},
		{"ELF, many libraries", elfOf(3, short, 6, make([]byte, maxDynamic+1)), "dynamic section that is too large"},
		{"ELF without its sections", elfOf(0, nil, 0, nil), "out of range"},
		{"ELF, cut", elfOf(3, short, 1, short)[:130], "out of range"},
		{"ELF, a table at no place", nowhere, ""},
		{"PE", peOf(3, 3, short, 1), ""},
		{"PE, symbols", peOf(100, 0, endless, 0), "symbol table of endless names"},
		{"PE, sections", peOf(0, 100, endless, 0), "section table of endless names"},
		{"PE, relocations", peOf(0, 100, nil, 0xffff), "too many relocations"},
		{"Mach-O", machoOf(table), ""},
		{"Mach-O, symbols", symbols, "symbol table of endless names"},
		{"Mach-O, two symbol tables", machoOf(table, table), "more than one symbol table"},
		{"Mach-O, relocations", machoOf(segment), "too many relocations"},
		{"Mach-O, universal", fat(1), "symbol table of endless names"},
		{"Mach-O, many parts", fat(maxParts + 1), "too many parts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := catalogueFiles(t, "", []txtar.File{{Name: "function/bin/tool", Data: tt.data}})
			if len(s.Unknowns) != 1 || len(s.Components) != 0 {
				t.Fatalf("got %s", render(s))
			}
			got := s.Unknowns[0]
			if !got.Code || strings.Contains(got.Reason, "not safe to open") != (tt.want != "") || !strings.Contains(got.Reason, tt.want) {
				t.Errorf("got %+v, want %q", got, tt.want)
			}
		})
	}
}

// TestFits: what maps more than it holds is not given to syft.
func TestFits(t *testing.T) {
	segment := func(size uint64) []byte {
		return le(uint32(0x19), uint32(72), [16]byte{}, uint64(0x1000), uint64(0x1000), uint64(0), size, [4]uint32{})
	}
	section := func(n int, size uint32) []byte {
		file := peOf(0, n, nil, 0)
		for i := range n {
			copy(file[152+40*i+16:], le(size, uint32(128)))
		}
		return file
	}
	for _, tt := range []struct {
		name string
		fits func(io.ReaderAt, int64) error
		data []byte
		want error
	}{
		{"Mach-O", machoFits, machoOf(segment(100)), nil},
		{"Mach-O, beyond its end", machoFits, machoOf(segment(1 << 40)), errMapped},
		{"Mach-O, over and over", machoFits, machoOf(slices.Repeat([][]byte{segment(200)}, 20)...), nil},
		{"Mach-O, too often", machoFits, machoOf(slices.Repeat([][]byte{segment(1400)}, 20)...), errMapped},
		{"Mach-O, cut", machoFits, machoOf(segment(1))[:40], errBroken},
		{"PE", peFits, section(2, 100), nil},
		{"PE, beyond its end", peFits, section(1, 1<<30), errMapped},
		{"PE, too often", peFits, section(20, 900), errMapped},
		{"PE, cut", peFits, section(2, 100)[:140], errBroken},
	} {
		if err := tt.fits(bytes.NewReader(tt.data), int64(len(tt.data))); err != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func FuzzUnsafeFormat(f *testing.F) {
	f.Add(elfOf(4, []byte("\x00a\x00"), 6, le(uint64(1), uint64(0))))
	f.Add(peOf(2, 2, []byte("a\x00"), 1))
	f.Add(machoOf(le(uint32(2), uint32(24), uint32(56), uint32(1), uint32(72), uint32(2)), le(uint32(0x19), uint32(72), [64]byte{})))
	f.Add([]byte("\xca\xfe\xba\xbe\x00\x00\x00\x01" + strings.Repeat("\x00\x00\x00\x08", 10)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		unsafeELF(r)
		unsafePE(r)
		unsafeMachO(r)
	})
}

// TestSafeFormat: this program is safe to open, and cheap to ask about.
func TestSafeFormat(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	r, why := bytes.NewReader(data), ""
	switch {
	case bytes.HasPrefix(data, []byte("\x7fELF")):
		why = unsafeELF(r)
	case bytes.HasPrefix(data, []byte("MZ")):
		why = unsafePE(r)
	default:
		why = unsafeMachO(r)
	}
	if why != "" {
		t.Error(why)
	}
}
