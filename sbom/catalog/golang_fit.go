package catalog

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"encoding/binary"
	"fmt"
	"io"
	"runtime/debug"
)

// What syft reads of a Go binary beyond the build information, for fields that
// are not used here, is bounded by these.
const (
	maxSymbolBytes = 64 << 20 // of a symbol table, and of its strings
	maxSymbolNames = 64 << 20 // bytes of the names of all symbols, as often as they are named
	maxMapped      = 4        // times the file that the program headers map in all
)

// goWithheld says why syft is not given a Go binary whose build information our
// own reader has read, "" when it is. It would unpack UPX into a temporary
// folder, which it can do in its own pipeline only. And beside the build
// information it reads the symbols and searches all that is mapped, where a
// hostile file can make kilobytes count as terabytes.
func (a *artifact) goWithheld(e *executable, info *debug.BuildInfo) (withheld string) {
	defer func() {
		if p := recover(); p != nil {
			withheld = "its headers are broken"
		}
	}()
	if e.packed {
		return "it carries the mark of UPX"
	}
	c, err := a.native(e.path)
	if err != nil {
		return "it cannot be read"
	}
	defer c.Close()
	switch e.mime {
	case mimeExecutable, mimeShared:
		err = elfFits(c, c.Size())
	case mimeMach:
		err = machoFits(c, c.Size())
	}
	if err != nil {
		return err.Error()
	}
	return a.takes(len(info.Deps) + 2) // the main module and the toolchain
}

// elfFits returns an error for an ELF file of size bytes that maps or names
// more than it holds.
func elfFits(r io.ReaderAt, size int64) error {
	f, err := elf.NewFile(r)
	if err != nil {
		return fmt.Errorf("its headers are broken")
	}
	mapped := uint64(0)
	for _, p := range f.Progs {
		if mapped += min(p.Filesz, uint64(size)+1); p.Filesz > uint64(size) || mapped > maxMapped*uint64(size) {
			return fmt.Errorf("it maps more than it holds")
		}
	}
	table := f.SectionByType(elf.SHT_SYMTAB)
	if table == nil {
		return nil
	}
	if int(table.Link) >= len(f.Sections) {
		return fmt.Errorf("its headers are broken")
	}
	names := f.Sections[table.Link]
	if table.Size > maxSymbolBytes || names.Size > maxSymbolBytes {
		return fmt.Errorf("its symbol table is too large")
	}
	symbols, err := table.Data()
	if err != nil {
		return fmt.Errorf("its symbols cannot be read")
	}
	text, err := names.Data()
	if err != nil {
		return fmt.Errorf("its symbols cannot be read")
	}
	each := elf.Sym64Size
	if f.Class == elf.ELFCLASS32 {
		each = elf.Sym32Size
	}
	return namesFit(symbols, each, f.ByteOrder, text)
}

// namesFit returns an error when the names of a symbol table are too long in
// all. Each entry begins with the place of its name, which ends with a zero
// byte: without any, every name is what is left of the strings.
func namesFit(symbols []byte, each int, order binary.ByteOrder, text []byte) error {
	total := 0
	for ; len(symbols) >= each; symbols = symbols[each:] {
		at := int64(order.Uint32(symbols))
		if at >= int64(len(text)) {
			continue
		}
		n := bytes.IndexByte(text[at:], 0)
		if n < 0 {
			n = len(text) - int(at)
		}
		if total += n; total > maxSymbolNames {
			return fmt.Errorf("its symbols have too long names")
		}
	}
	return nil
}

// machoFits is elfFits for Mach-O. One that has no symbols makes syft panic,
// which loses it nothing but this file.
func machoFits(r io.ReaderAt, size int64) error {
	f, err := macho.NewFile(r)
	if err != nil {
		return nil // universal: syft opens each of its parts
	}
	mapped := uint64(0)
	for _, l := range f.Loads {
		s, ok := l.(*macho.Segment)
		if !ok {
			continue
		}
		if mapped += min(s.Filesz, uint64(size)+1); s.Filesz > uint64(size) || mapped > maxMapped*uint64(size) {
			return fmt.Errorf("it maps more than it holds")
		}
	}
	return nil
}
