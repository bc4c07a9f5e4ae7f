package reach

import (
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// extract reads a binary. It runs in the child: the parsers of the standard
// library are not made for hostile files.
func extract(r io.ReaderAt, size int64) (*program, error) {
	info, err := buildinfo.Read(r)
	if err != nil {
		return nil, fmt.Errorf("read build information: %w", err)
	}
	b := &program{}
	b.describe(info)
	b.Table.Stripped = true
	n := newNames()
	formats, functions, err := readTables(r, size, n.add)
	if err != nil {
		b.Table.Partial = err.Error()
		return b, nil
	}
	b.Table.Format, b.Table.Functions = strings.Join(formats, ", "), functions
	n.settle()
	b.Table.Partial = cmp.Or(wrongFormat(info.GoVersion, formats), b.doubt(info, n))
	b.fill(n)
	b.data(r, n)
	return b, nil
}

// newest is the last Go 1 minor release whose linker was seen to write the
// table that is read here (1.27.1, on 2026-11-24), and whose standard library
// standardRoots knows.
const newest = 27

// wrongFormat says why the tables that were found are not the one that the
// toolchain of the build information writes; "" when one is. A binary may
// carry others, of programs that it embeds: they are read too, because that
// can only make more symbols present, but they do not stand for its own.
func wrongFormat(version string, found []string) string {
	minor, ok := minorOf(version)
	want := formatOf(minor)
	switch {
	case !ok:
		return fmt.Sprintf("built with %q, which is no release of Go: its function table may be another", clip(version))
	case minor > newest:
		return fmt.Sprintf("built with %s, which is newer than this version of fnaudit knows", clip(version))
	case !slices.Contains(found, want):
		return fmt.Sprintf("built with %s, but its function table is that of %s", clip(version), strings.Join(found, ", "))
	}
	return ""
}

// minorOf returns 26 for "go1.26.8", "go1.26rc1" and "go1.26.8 X:experiment".
// A
// development version ("devel go1.20-abc", "go1.27-devel_abc") is none.
func minorOf(version string) (int, bool) {
	rest, ok := strings.CutPrefix(version, "go1.")
	if !ok || strings.Contains(rest, "devel") {
		return 0, false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.Atoi(rest[:end])
	return n, err == nil && n >= 0
}

// formatOf names the table that a minor release of Go 1 writes.
func formatOf(minor int) string {
	switch {
	case minor >= 20:
		return "go1.20"
	case minor >= 18:
		return "go1.18"
	case minor >= 16:
		return "go1.16"
	}
	return "go1.2"
}

// minRuntime is how many functions of package runtime the table of a real
// program has at least: an empty one has over 1,000.
const minRuntime = 100

// maxBare is how many functions of assembly without a package there can be:
// those of the standard library are about 80.
const maxBare = 2000

// doubt says why the names of a table may not be all that is there, or not be
// the real ones; "" when they are. Whoever renames functions can make any
// symbol disappear, so names that nobody in the build information could have
// given mean that none is trusted.
func (b *program) doubt(info *debug.BuildInfo, n *names) string {
	switch {
	case n.broken != "":
		return fmt.Sprintf("the function table holds a name that no toolchain writes: %q", clip(n.broken))
	case n.bare > maxBare:
		return fmt.Sprintf("%d functions without a package", n.bare)
	case strings.Contains(setting(info, "-compiler"), "gccgo"):
		return "compiled by gccgo"
	case setting(info, "-linkshared") == "true" || setting(info, "-buildmode") == "shared":
		return "linked against shared Go libraries: code of its packages is in other files"
	}
	runtime := 0
	foreign := map[string]bool{}
	for s := range n.symbols {
		if s.Pkg == "runtime" {
			runtime++
		}
		if !b.knows(s.Pkg) {
			foreign[s.Pkg] = true
		}
	}
	if runtime < minRuntime {
		return "the function table does not name the runtime's functions: renamed or not a program's"
	}
	if len(foreign) > 0 {
		list := make([]string, 0, len(foreign))
		for p := range foreign {
			list = append(list, p)
		}
		return fmt.Sprintf("functions of package %q, which belongs to no module of the build information: renamed, or built in another way", clip(slices.Min(list)))
	}
	return ""
}

// knows says whether a package can be in the binary by its build information.
func (b *program) knows(pkg string) bool {
	if pkg == "main" || pkg == b.Path || b.owner(pkg) != "" {
		return true
	}
	if strings.HasPrefix(pkg, "plugin/unnamed-") { // -buildmode=plugin of files (cmd/link, -pluginpath)
		return true
	}
	first, _, _ := strings.Cut(pkg, "/")
	return slices.Contains(standardRoots, first)
}

// standardRoots are the first elements of the standard library's import paths,
// and what the toolchain itself uses as one. Go 1.27's tree and all before,
// as of 2026-11-22. A new one makes symbols unknown, never absent.
var standardRoots = []string{
	"archive", "arena", "bufio", "builtin", "bytes", "cmd", "cmp", "compress", "container", "context", "crypto", "database", "debug", "embed",
	"encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal", "io", "iter", "log", "maps", "math", "mime",
	"net", "os", "path", "plugin", "reflect", "regexp", "runtime", "simd", "slices", "sort", "strconv", "strings", "structs", "sync", "syscall",
	"testing", "text", "time", "unicode", "unique", "unsafe", "uuid", "vendor", "weak",
}

// minData is how many symbols of package runtime, which a whole symbol table
// of a program has hundreds of, must be there to call it one.
const minData = 100

// data reads the symbol table, where there is one, for packages that have data
// and no function: files that are embedded, tables. Only with it can a package
// be absent.
func (b *program) data(r io.ReaderAt, n *names) {
	symbols := symbolTable(r)
	only, runtime := map[string]bool{}, 0
	for _, s := range symbols {
		f, k := parseName(strings.TrimPrefix(s, "_")) // Mach-O, when linked by the system's linker
		if k != kindFunction {
			continue
		}
		if f.pkg == "runtime" {
			runtime++
		}
		if !n.packages[f.pkg] && b.knows(f.pkg) {
			only[f.pkg] = true
		}
	}
	if runtime < minData {
		return
	}
	b.Table.Stripped = false
	for p := range only {
		b.Table.Data = append(b.Table.Data, p)
	}
	slices.Sort(b.Table.Data)
}

// maxSymbols bounds the symbols of one binary that are looked at.
const maxSymbols = 8 << 20

func symbolTable(r io.ReaderAt) (out []string) {
	if f, err := elf.NewFile(r); err == nil {
		list, err := f.Symbols()
		if err != nil || len(list) > maxSymbols {
			return nil
		}
		for _, s := range list {
			out = append(out, s.Name)
		}
		return out
	}
	if f, err := pe.NewFile(r); err == nil && len(f.Symbols) <= maxSymbols {
		for _, s := range f.Symbols {
			out = append(out, s.Name)
		}
		return out
	}
	if f, err := macho.NewFile(r); err == nil && f.Symtab != nil && len(f.Symtab.Syms) <= maxSymbols {
		for _, s := range f.Symtab.Syms {
			out = append(out, s.Name)
		}
	}
	return out
}

// clip cuts text of a binary that goes into a message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}
