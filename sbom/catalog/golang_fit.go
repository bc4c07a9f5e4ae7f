package catalog

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
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
	case mimePE:
		err = peFits(c, c.Size())
	case mimeMach:
		err = machoFits(c, c.Size())
	default:
		err = elfFits(c, c.Size())
	}
	if err != nil {
		return err.Error()
	}
	return a.takes(len(info.Deps) + 2) // the main module and the toolchain
}

var (
	errBroken = errors.New("its headers are broken")
	errMapped = errors.New("it maps more than it holds")
)

// segments counts what a file of size bytes maps.
type segments struct{ size, total uint64 }

// add counts one segment and reports whether that is too much.
func (m *segments) add(n uint64) (tooMuch bool) {
	if n > m.size {
		return true
	}
	m.total += n
	return m.total > maxMapped*m.size
}

// elfFits returns an error for an ELF file of size bytes that maps or names
// more than it holds.
func elfFits(r io.ReaderAt, size int64) error {
	f, err := elf.NewFile(r)
	if err != nil {
		return errBroken
	}
	m := segments{size: uint64(size)}
	for _, p := range f.Progs {
		if m.add(p.Filesz) {
			return errMapped
		}
	}
	table := f.SectionByType(elf.SHT_SYMTAB)
	if table == nil {
		return nil
	}
	if int(table.Link) >= len(f.Sections) {
		return errBroken
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

// peFits is elfFits for PE, whose symbols unsafePE has counted.
func peFits(r io.ReaderAt, size int64) error {
	f, err := pe.NewFile(r)
	if err != nil {
		return errBroken
	}
	m := segments{size: uint64(size)}
	for _, s := range f.Sections {
		if s.Offset > 0 && m.add(uint64(s.Size)) { // one at 0 is not in the file
			return errMapped
		}
	}
	return nil
}

// machoFits is elfFits for Mach-O and each part of a universal file, whose
// symbols unsafeMachO has counted. One without symbols makes syft panic, which
// loses it nothing but this file.
func machoFits(r io.ReaderAt, size int64) error {
	f, err := macho.NewFile(r)
	parts := []*macho.File{f}
	if err != nil {
		fat, err := macho.NewFatFile(r)
		if err != nil {
			return errBroken
		}
		parts = parts[:0]
		for _, p := range fat.Arches {
			parts = append(parts, p.File)
		}
	}
	m := segments{size: uint64(size)}
	for _, f := range parts {
		for _, l := range f.Loads {
			if s, ok := l.(*macho.Segment); ok && m.add(s.Filesz) {
				return errMapped
			}
		}
	}
	return nil
}
