package catalog

import (
	"debug/elf"
	"debug/macho"
	"errors"
	"io"
	"runtime/debug"
)

// maxMapped is how many times its size a file may map in all.
const maxMapped = 4

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
		return errors.New("its headers are broken")
	}
	mapped := uint64(0)
	for _, p := range f.Progs {
		if mapped += min(p.Filesz, uint64(size)+1); p.Filesz > uint64(size) || mapped > maxMapped*uint64(size) {
			return errors.New("it maps more than it holds")
		}
	}
	table := f.SectionByType(elf.SHT_SYMTAB)
	if table == nil {
		return nil
	}
	if int(table.Link) >= len(f.Sections) {
		return errors.New("its headers are broken")
	}
	text := f.Sections[table.Link]
	if table.Size > maxSymbolBytes || text.Size > maxStringBytes {
		return errors.New("its symbol table is too large")
	}
	symbols, err := table.Data()
	if err != nil {
		return errors.New("its symbols cannot be read")
	}
	n := nameTable{}
	if n.text, err = text.Data(); err != nil {
		return errors.New("its symbols cannot be read")
	}
	each := elf.Sym64Size
	if f.Class == elf.ELFCLASS32 {
		each = elf.Sym32Size
	}
	if n.addTable(symbols, each, f.ByteOrder) {
		return errors.New("its symbol table is of endless names")
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
			return errors.New("it maps more than it holds")
		}
	}
	return nil
}
