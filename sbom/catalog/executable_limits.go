package catalog

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strconv"

	"github.com/fnaudit/fnaudit/bundle"
)

// What the parsers of debug/elf, debug/pe and debug/macho may be given. They
// copy the name of every section and symbol up to the next zero byte, and the
// relocations of every section, although a hostile file may name the same bytes
// over and over: 40 KB of a zip become terabytes in memory. So what they would
// take is counted first. Real files stay far below each limit.
const (
	maxSymbolBytes = 16 << 20 // of a symbol table or section table
	maxStringBytes = 64 << 20 // of a table of names
	maxNameBytes   = 64 << 20 // of all names, as often as they are named
	maxRelocations = 1 << 20
	maxDynamic     = 64 << 10 // of a dynamic section
	maxDynamicName = 4 << 10  // of one name in it
	maxLoadBytes   = 1 << 20  // of the load commands of a Mach-O file
	maxParts       = 16       // of a universal Mach-O file
)

// unsafeFormat says why those parsers must not be given a file, "" when they
// may. Files that they refuse to open are not looked at further.
func (a *artifact) unsafeFormat(f *bundle.File, mime string) string {
	c, err := a.native(f.Path)
	if err != nil {
		return "content that cannot be read"
	}
	defer c.Close()
	switch mime {
	case mimePE:
		return unsafePE(c)
	case mimeMach:
		return unsafeMachO(c)
	}
	return unsafeELF(c)
}

// part returns up to n bytes at off, fewer where the file ends, none for places
// that no file has.
func part(r io.ReaderAt, off, n int64) []byte {
	if off < 0 || n < 0 || off > math.MaxInt64-n {
		return nil
	}
	data, _ := io.ReadAll(io.NewSectionReader(r, off, n))
	return data
}

// nameTable counts the bytes of names in a table of strings that end with a zero.
type nameTable struct {
	text  []byte
	total int
}

// add counts the name at a place and reports whether there are too many bytes.
func (n *nameTable) add(at int64) (tooMany bool) {
	if at < 0 || at >= int64(len(n.text)) {
		return false
	}
	length := bytes.IndexByte(n.text[at:], 0)
	if length < 0 {
		length = len(n.text) - int(at)
	}
	n.total += length
	return n.total > maxNameBytes
}

// addTable counts the names of a table whose entries begin with their places.
func (n *nameTable) addTable(table []byte, each int, order binary.ByteOrder) (tooMany bool) {
	for ; len(table) >= each; table = table[each:] {
		if n.add(int64(order.Uint32(table))) {
			return true
		}
	}
	return false
}

// unsafeELF: System V ABI, chapter 4, ELF header and section header. debug/elf
// inflates a compressed section name table, whose size is a claim, while it
// opens the file.
func unsafeELF(r io.ReaderAt) string {
	var head [64]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return "ELF file without a whole header"
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if head[5] == 2 {
		order = binary.BigEndian
	}
	wide := head[4] == 2
	// places of the fields in a section's header, bytes of a dynamic entry and of the header
	offset, size, link, entry, each := 16, 20, 24, 8, int64(40)
	word := func(b []byte) int64 { return int64(order.Uint32(b)) }
	table, counts := word(head[32:]), head[46:]
	if wide {
		offset, size, link, entry, each = 24, 32, 40, 16, 64
		word = func(b []byte) int64 { return int64(order.Uint64(b)) }
		table, counts = word(head[40:]), head[58:]
	}
	stride, count, index := int64(order.Uint16(counts)), int64(order.Uint16(counts[2:])), int64(order.Uint16(counts[4:]))
	if table <= 0 {
		return ""
	}
	if count == 0 || index == 0xffff { // SHN_XINDEX: section 0 holds the numbers
		first := part(r, table, each)
		if int64(len(first)) < each {
			return "ELF section table out of range"
		}
		if count == 0 {
			count = word(first[size:])
		}
		if index == 0xffff {
			index = int64(order.Uint32(first[link:]))
		}
	}
	if stride < each || count < 0 || index >= count {
		return "" // debug/elf refuses it
	}
	if count > maxSymbolBytes/stride {
		return "ELF section table that is too large"
	}
	sections := part(r, table, count*stride)
	if int64(len(sections)) < index*stride+each {
		return "ELF section table out of range"
	}
	own := sections[index*stride:]
	flags := int64(order.Uint32(own[8:]))
	if wide {
		flags = word(own[8:])
	}
	if flags&0x800 != 0 { // SHF_COMPRESSED
		return "compressed section name table"
	}
	if word(own[size:]) < 0 || word(own[size:]) > maxStringBytes {
		return "section name table that is too large"
	}
	n := nameTable{text: part(r, word(own[offset:]), word(own[size:]))}
	if n.addTable(sections, int(stride), order) {
		return "section name table of endless names"
	}
	for at := int64(0); at+each <= int64(len(sections)); at += stride {
		s := sections[at:]
		text := int64(order.Uint32(s[link:])) * stride
		if order.Uint32(s[4:]) != 6 || text+each > int64(len(sections)) { // SHT_DYNAMIC; debug/elf refuses the other
			continue
		}
		if word(s[size:]) > maxDynamic {
			return "dynamic section that is too large"
		}
		if unsafeDynamic(r, part(r, word(s[offset:]), word(s[size:])), word(sections[text+int64(offset):]), entry, order) {
			return "dynamic section of endless names"
		}
	}
	return ""
}

// unsafeDynamic reports whether the entries of a dynamic section, of each bytes,
// name libraries and folders beyond what is real. Their names lie at text.
func unsafeDynamic(r io.ReaderAt, entries []byte, text int64, each int, order binary.ByteOrder) bool {
	n := nameTable{}
	for ; len(entries) >= each; entries = entries[each:] {
		tag, value := uint64(order.Uint32(entries)), int64(order.Uint32(entries[4:]))
		if each == 16 {
			tag, value = order.Uint64(entries), int64(order.Uint64(entries[8:]))
		}
		switch tag {
		case 1, 14, 15, 29: // DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH
			if n.text = part(r, text+value, maxDynamicName+1); n.add(0) || bytes.IndexByte(n.text, 0) < 0 && len(n.text) > maxDynamicName {
				return true
			}
		}
	}
	return false
}

// unsafePE: Microsoft, PE Format, COFF file header, symbol table and string
// table, section table.
func unsafePE(r io.ReaderAt) string {
	le := binary.LittleEndian
	dos := part(r, 0, 96)
	if len(dos) < 96 {
		return ""
	}
	base := int64(le.Uint32(dos[60:])) + 4
	head := part(r, base, 20)
	if len(head) < 20 {
		return ""
	}
	var n nameTable
	if table, count := le.Uint32(head[8:]), le.Uint32(head[12:]); table > 0 {
		const each = 18
		if count > maxSymbolBytes/each {
			return "symbol table that is too large"
		}
		symbols := part(r, int64(table), int64(count)*each)
		at := int64(table + each*count) // as debug/pe counts, in 32 bits
		if length := part(r, at, 4); len(length) == 4 {
			if le.Uint32(length) > maxStringBytes {
				return "string table that is too large"
			}
			n.text = part(r, at, int64(le.Uint32(length))) // the length counts too
		}
		for ; len(symbols) >= each; symbols = symbols[each:] {
			if le.Uint32(symbols) == 0 && n.add(int64(le.Uint32(symbols[4:]))) {
				return "symbol table of endless names"
			}
		}
	}
	relocations := 0
	sections := part(r, base+20+int64(le.Uint16(head[16:])), 40*int64(le.Uint16(head[2:])))
	for ; len(sections) >= 40; sections = sections[40:] {
		if relocations += int(le.Uint16(sections[32:])); relocations > maxRelocations {
			return "section table with too many relocations"
		}
		if sections[0] != '/' {
			continue
		}
		digits, _, _ := bytes.Cut(sections[1:8], []byte{0})
		if at, err := strconv.Atoi(string(digits)); err == nil && n.add(int64(at)) {
			return "section table of endless names"
		}
	}
	return ""
}

// unsafeMachO looks at a Mach-O file or at each part of a universal one
// (Apple, mach-o/fat.h).
func unsafeMachO(r io.ReaderAt) string {
	head := part(r, 0, 8)
	if len(head) < 8 || binary.BigEndian.Uint32(head) != 0xcafebabe {
		return unsafeThin(r)
	}
	count := binary.BigEndian.Uint32(head[4:])
	if count > maxParts {
		return "too many parts of a universal file"
	}
	for each := part(r, 8, 20*int64(count)); len(each) >= 20; each = each[20:] {
		at, size := binary.BigEndian.Uint32(each[8:]), binary.BigEndian.Uint32(each[12:])
		if why := unsafeThin(io.NewSectionReader(r, int64(at), int64(size))); why != "" {
			return why
		}
	}
	return ""
}

// unsafeThin: Apple, mach-o/loader.h: mach_header, symtab_command,
// dysymtab_command, segment_command and section, each in 32 and 64 bits.
func unsafeThin(r io.ReaderAt) string {
	head := part(r, 0, 32)
	if len(head) < 32 {
		return ""
	}
	order, at := binary.ByteOrder(binary.LittleEndian), int64(28)
	if head[0] == 0xfe {
		order = binary.BigEndian
	}
	wide := order.Uint32(head)&1 == 1
	if wide {
		at = 32
	}
	length := order.Uint32(head[20:])
	if length > maxLoadBytes {
		return "too many load commands"
	}
	tables, counted := 0, uint64(0) // symbol tables; relocations and indirect symbols
	commands := part(r, at, int64(length))
	for len(commands) >= 8 {
		kind, size := order.Uint32(commands), order.Uint32(commands[4:])
		if size < 8 || uint64(size) > uint64(len(commands)) {
			break // debug/macho reads no further
		}
		command := commands[:size]
		commands = commands[size:]
		switch {
		case kind == 2 && size >= 24: // LC_SYMTAB
			if tables++; tables > 1 {
				return "more than one symbol table"
			}
			if why := unsafeSymbols(r, command, wide, order); why != "" {
				return why
			}
		case kind == 0xb && size >= 64: // LC_DYSYMTAB
			counted += uint64(order.Uint32(command[60:]))
		case kind == 1 && size >= 56: // LC_SEGMENT
			for s := command[56:]; len(s) >= 68; s = s[68:] {
				counted += uint64(order.Uint32(s[52:]))
			}
		case kind == 0x19 && size >= 72: // LC_SEGMENT_64
			for s := command[72:]; len(s) >= 80; s = s[80:] {
				counted += uint64(order.Uint32(s[60:]))
			}
		}
		if counted > maxRelocations {
			return "too many relocations or indirect symbols"
		}
	}
	return ""
}

func unsafeSymbols(r io.ReaderAt, command []byte, wide bool, order binary.ByteOrder) string {
	each := 12
	if wide {
		each = 16
	}
	at, count := order.Uint32(command[8:]), order.Uint32(command[12:])
	stringsAt, size := order.Uint32(command[16:]), order.Uint32(command[20:])
	if count > maxSymbolBytes/uint32(each) || size > maxStringBytes {
		return "symbol table that is too large"
	}
	n := nameTable{text: part(r, int64(stringsAt), int64(size))}
	if n.addTable(part(r, int64(at), int64(count)*int64(each)), each, order) {
		return "symbol table of endless names"
	}
	return ""
}
