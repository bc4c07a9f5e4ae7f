package catalog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/sbom"
)

// goELF is a Go binary as far as its build information goes: an ELF program
// with the section that the linker writes (debug/buildinfo of Go 1.18 and
// later), mapped by one writable segment, and with a symbol table of its own.
type goELF struct {
	version string // "go1.22.1"
	modules string // lines of "mod", "dep" and "=>"
	symbols []byte // entries of 24 bytes
	names   []byte // their strings
	mapped  uint64 // bytes that the segment claims to have; 0: as many as there are
	blanked bool   // the mark of the build information is overwritten
	mark    string // written into the gap behind the headers
}

func (g goELF) bytes() []byte {
	info := []byte("\xff Go buildinf:\x08\x02")
	if g.blanked {
		copy(info, make([]byte, 14))
	}
	info = append(info, make([]byte, 32-len(info))...)
	for _, s := range []string{g.version, strings.Repeat("0", 16) + g.modules + strings.Repeat("1", 16)} {
		info = append(binary.AppendUvarint(info, uint64(len(s))), s...)
	}
	const gap, base = 64 + 56, 0x400000
	shstr := []byte("\x00.shstrtab\x00.go.buildinfo\x00.symtab\x00.strtab\x00.note.go.buildid\x00")
	content := append(make([]byte, gap), g.mark...)
	content = append(content, make([]byte, 256-len(content))...)
	place := func(data []byte) uint64 {
		content = append(content, make([]byte, -len(content)&15)...)
		at := len(content)
		content = append(content, data...)
		return uint64(at)
	}
	infoAt, strAt, symAt, namesAt := place(info), place(shstr), place(g.symbols), place(g.names)
	table := place(nil)
	var sections bytes.Buffer
	section := func(name string, typ, link uint32, off, size, each uint64) {
		at := uint32(bytes.Index(shstr, []byte(name+"\x00")))
		for _, v := range []any{at, typ, uint64(0), base + off, off, size, link, uint32(0), uint64(16), each} {
			_ = binary.Write(&sections, binary.LittleEndian, v)
		}
	}
	section("", 0, 0, 0, 0, 0)
	section(".shstrtab", 3, 0, strAt, uint64(len(shstr)), 0)
	section(".go.buildinfo", 1, 0, infoAt, uint64(len(info)), 0)
	section(".symtab", 2, 4, symAt, uint64(len(g.symbols)), 24)
	section(".strtab", 3, 0, namesAt, uint64(len(g.names)), 0)
	section(".note.go.buildid", 7, 0, infoAt, 0, 0)
	content = append(content, sections.Bytes()...)

	var head bytes.Buffer
	head.WriteString("\x7fELF\x02\x01\x01")
	head.Write(make([]byte, 9))
	for _, v := range []any{uint16(2), uint16(62), uint32(1), uint64(base), uint64(64), table, uint32(0), uint16(64), uint16(56), uint16(1), uint16(64), uint16(6), uint16(1)} {
		_ = binary.Write(&head, binary.LittleEndian, v)
	}
	mapped := g.mapped
	if mapped == 0 {
		mapped = uint64(len(content))
	}
	for _, v := range []any{uint32(1), uint32(6), uint64(0), uint64(base), uint64(base), mapped, mapped, uint64(4096)} {
		_ = binary.Write(&head, binary.LittleEndian, v)
	}
	copy(content, head.Bytes())
	return content
}

func goLines(lines ...string) string {
	return "path\texample.com/app\n" + strings.ReplaceAll(strings.Join(lines, "\n"), " ", "\t") + "\n"
}

// TestGoRepaired: what syft says of a Go binary, and where our own reading of
// the build information is what counts.
func TestGoRepaired(t *testing.T) {
	const mod = "mod example.com/app (devel)"
	names := append(bytes.Repeat([]byte("n"), 1<<20), 0)
	many := []string{mod}
	for i := range maxShownList {
		many = append(many, fmt.Sprintf("dep example.com/m%d v1.0.0", i))
	}
	for _, tt := range []struct {
		name string
		elf  goELF
		want string // of the render
		not  string
	}{
		{"both agree", goELF{version: "go1.22.1", modules: goLines(mod, "dep golang.org/x/net v0.17.0")},
			"live app pkg:golang/golang.org/x/net@v0.17.0\n    live 0 bootstrap\n", "syft"},
		{"the toolchain", goELF{version: "go1.22.1 X:nodwarf5", modules: goLines(mod)},
			"live app pkg:golang/stdlib@1.22.1 licenses=BSD-3-Clause\n    live 0 bootstrap\n    build-info 0 bootstrap compiled with go1.22.1 X:nodwarf5\n", "syft"},
		{"the main module", goELF{version: "go1.22.1", modules: goLines(mod)},
			"live app pkg:golang/example.com/app main\n    live 0 bootstrap\n    build-info 0 bootstrap main module\n", "syft"},
		{"a replaced module", goELF{version: "go1.22.1", modules: goLines(mod, "dep github.com/old/m v1.0.0", "=> github.com/new/m v1.2.0 h1:abc=")},
			"live app pkg:golang/github.com/new/m@v1.2.0\n    live 0 bootstrap\n    build-info 0 bootstrap replaces github.com/old/m v1.0.0\n", "syft"},
		{"replaced by a folder", goELF{version: "go1.22.1", modules: goLines(mod, "dep github.com/old/m v1.0.0", "=> ./m (devel) ")},
			"live app pkg:golang/github.com/old/m\n    live 0 bootstrap\n    build-info 0 bootstrap replaced by the folder ./m\n", "syft"},
		{"replaced by a folder of Windows", goELF{version: "go1.22.1", modules: goLines(mod, "dep github.com/old/m v1.0.0", `=> C:\m (devel) `)},
			"live app pkg:golang/github.com/old/m\n    live 0 bootstrap\n    build-info 0 bootstrap replaced by the folder C:\\m; syft drops it; taken from our own reading\n", "C:@"},
		{"a toolchain of nobody's", goELF{version: "devel go1.23-abc", modules: goLines(mod)},
			"live app pkg:golang/stdlib\n", ""},
		{"no main module", goELF{version: "go1.22.1", modules: "path\tcommand-line-arguments\ndep\tgolang.org/x/net\tv0.17.0\n"},
			"live app pkg:golang/golang.org/x/net@v0.17.0\n", "command-line"},
		{"a module that is a pattern", goELF{version: "go1.22.1", modules: goLines("mod example.com/(app (devel)", "dep x.org/{{{{* v1.0.0", "build -ldflags=-X=main.version=1.2.3")},
			"live app pkg:golang/x.org/%7B%7B%7B%7B%2A@v1.0.0\n", "syft"},
		{"packed", goELF{version: "go1.22.1", modules: goLines(mod, "dep golang.org/x/net v0.17.0"), mark: "UPX!"},
			"build-info 0 bootstrap not given to syft: it carries the mark of UPX\n", "BSD"},
		{"too many modules", goELF{version: "go1.22.1", modules: goLines(many...)},
			"live app pkg:golang/example.com/m4999@v1.0.0\n    live 0 bootstrap\n    build-info 0 bootstrap not given to syft: it lists too many packages\n", "BSD"},
		{"more mapped than there is", goELF{version: "go1.22.1", modules: goLines(mod), mapped: 1 << 50},
			"compiled with go1.22.1; not given to syft: it maps more than it holds\n", "BSD"},
		{"endless names", goELF{version: "go1.22.1", modules: goLines(mod), symbols: make([]byte, 100*24), names: names},
			"compiled with go1.22.1; not given to syft: its symbol table is of endless names\n", "BSD"},
		{"symbols in order", goELF{version: "go1.22.1", modules: goLines(mod), symbols: make([]byte, 100*24), names: []byte("runtime.main\x00")},
			"compiled with go1.22.1\n", "syft"},
		{"blanked", goELF{version: "go1.22.1", modules: goLines(mod), blanked: true},
			"? opaque code=true 0 bootstrap: Go binary without build information\n", "golang"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := render(catalogueFiles(t, "", []txtar.File{{Name: "function/bootstrap", Data: tt.elf.bytes()}}))
			if !strings.Contains(got, tt.want) || tt.not != "" && strings.Contains(got, tt.not) {
				t.Errorf("got:\n%.3000s\nwant:\n%s\nnot: %s", got, tt.want, tt.not)
			}
		})
	}
}

// TestGoBroken cuts a Go binary at every place and changes it at many: whatever
// is left of it, it is a component or an unknown, and nothing panics.
func TestGoBroken(t *testing.T) {
	whole := goELF{version: "go1.22.1", modules: goLines("mod example.com/app (devel)", "dep golang.org/x/net v0.17.0"), names: []byte("\x00")}.bytes()
	var files []txtar.File
	for i := range len(whole) {
		cut := whole[:i]
		changed := bytes.Clone(whole)
		changed[i] ^= 0xff
		files = append(files, txtar.File{Name: fmt.Sprintf("function/cut%d", i), Data: cut}, txtar.File{Name: fmt.Sprintf("function/changed%d", i), Data: changed})
	}
	known := map[string]bool{}
	s := catalogueFiles(t, "", files)
	for _, c := range s.Components {
		for _, o := range c.Occurrences {
			known[o.Path] = true
		}
	}
	for _, u := range s.Unknowns {
		known[u.Path] = known[u.Path] || u.Code
		if u.Path == "" {
			t.Errorf("%+v", u)
		}
	}
	for _, f := range files {
		if p := strings.TrimPrefix(f.Name, "function/"); len(f.Data) >= 18 && bytes.HasPrefix(f.Data, []byte("\x7fELF")) && !known[p] {
			t.Errorf("nothing is said of %s", p)
		}
	}
}

// TestRustRepaired is TestGoRepaired for crate lists.
func TestRustRepaired(t *testing.T) {
	crate := func(rest string) string { return `{"name":"serde","version":"1.0.152"` + rest + `}` }
	many := strings.Repeat(`{"name":"a","version":"1"},`, maxShownList)
	edges := strings.Repeat("0,", maxShownEdges)
	for _, tt := range []struct {
		name    string
		section string
		list    string
		want    string
	}{
		{"both agree", ".dep-v0", crate(`,"source":"crates.io"`), "live app pkg:cargo/serde@1.0.152\n    live 0 bootstrap\n"},
		{"the predecessor", ".rust-deps-v0", crate(`,"features":["std"]`), "live app pkg:cargo/serde@1.0.152\n    live 0 bootstrap\n"},
		{"twice", ".dep-v0", crate("") + "," + crate(`,"source":"git"`), "live app pkg:cargo/serde@1.0.152\n    live 0 bootstrap\n    build-info 0 bootstrap from git\n"},
		{"a new kind", ".dep-v0", crate(`,"kind":"dylib"`), "live app pkg:cargo/serde@1.0.152\n    live 0 bootstrap\n    build-info 0 bootstrap syft drops it; taken from our own reading\n"},
		{"an odd index", ".dep-v0", crate(`,"dependencies":[-1]`), "live app pkg:cargo/serde@1.0.152\n    live 0 bootstrap\n    build-info 0 bootstrap syft drops it; taken from our own reading\n"},
		{"too many crates", ".dep-v0", many + crate(""), "live app pkg:cargo/serde@1.0.152\n    live 0 bootstrap\n    build-info 0 bootstrap not given to syft: it lists too many packages\n"},
		{"too many edges", ".dep-v0", crate(`,"dependencies":[` + edges + `0]`), "build-info 0 bootstrap not given to syft: it lists too many packages\n"},
		{"a bomb", ".dep-v0", crate(`,"source":"` + strings.Repeat("x", 20<<20) + `"`), "? limit code=true 0 bootstrap: inflated crate list of more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := elfWith(tt.section, deflated(t, `{"packages":[`+tt.list+`]}`), 0)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := render(catalogueFiles(t, "", []txtar.File{{Name: "function/bootstrap", Data: data}}))
			runtime.ReadMemStats(&after)
			if !strings.Contains(got, tt.want) {
				t.Errorf("got:\n%.3000s\nwant:\n%s", got, tt.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 300<<20 {
				t.Errorf("%d MB allocated", used>>20)
			}
		})
	}
}

// TestNpmRepaired: manifests that syft drops or reads in another way.
func TestNpmRepaired(t *testing.T) {
	const dropped = "syft drops it; taken from our own reading"
	for _, tt := range []struct {
		name, text string
		purl       string // "": no component
		detail     string
	}{
		{"both agree", `{"name":"p","version":"1.2.3","author":"A <a@b> (c)","license":"MIT"}`, "pkg:npm/p@1.2.3", ""},
		{"a mark before the text", "\xef\xbb\xbf" + `{"name":"p","version":"1.2.3"}`, "pkg:npm/p@1.2.3", ""},
		{"a version as people write it", `{"name":"p","version":" v1.2.3"}`, "pkg:npm/p@1.2.3", ""},
		{"no version", `{"name":"p"}`, "pkg:npm/p", ""},
		{"an odd author", `{"name":"p","version":"1.2.3","author":{"name":["a"]}}`, "pkg:npm/p@1.2.3", dropped},
		{"an odd repository", `{"name":"p","version":"1.2.3","repository":["a"]}`, "pkg:npm/p@1.2.3", dropped},
		{"an odd dependency", `{"name":"p","version":"1.2.3","dependencies":{"a":{}}}`, "pkg:npm/p@1.2.3", dropped},
		{"an odd private", `{"name":"p","version":"1.2.3","private":"yes"}`, "pkg:npm/p@1.2.3", dropped},
		{"a version that is no text", `{"name":"p","version":1}`, "pkg:npm/p", dropped},
		{"a key in capitals", `{"name":"p","version":"1.2.3","Version":"6.6.6"}`, "pkg:npm/p@1.2.3", `syft reads its version as "6.6.6"`},
		{"a name in capitals", `{"name":"p","version":"1.2.3","NAME":"q"}`, "pkg:npm/p@1.2.3", dropped},
		{"an alias", `{"name":"real","version":"1.2.3"}`, "pkg:npm/real@1.2.3", "installed under the name p"},
		{"no name", `{"version":"1.2.3"}`, "pkg:npm/p@1.2.3", "the manifest has no name; the folder's is used"},
		{"too large for syft", `{"name":"p","version":"1.2.3","x":"` + strings.Repeat("x", maxShownManifest) + `"}`, "pkg:npm/p@1.2.3", "not given to syft: too much text"},
		{"a licence too long for syft", `{"name":"p","version":"1.2.3","license":"` + strings.Repeat("(", 1<<16) + `"}`, "pkg:npm/p@1.2.3", "not given to syft: its licences are too long"},
		{"50 MB", `{"name":"p","version":"1.2.3","x":"` + strings.Repeat("x", 50<<20) + `"}`, "", ""},
		{"two documents", `{"name":"p","version":"1.2.3"}{"name":"q","version":"1"}`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := catalogueFiles(t, "", []txtar.File{{Name: "function/node_modules/p/package.json", Data: []byte(tt.text)}})
			if tt.purl == "" {
				if len(s.Components) != 0 || len(s.Unknowns) != 1 || !s.Unknowns[0].Code {
					t.Errorf("got %s", render(s))
				}
				return
			}
			if len(s.Components) != 1 || len(s.Unknowns) != 0 || len(s.Components[0].Evidence) != 1 {
				t.Fatalf("got %s", render(s))
			}
			c := s.Components[0]
			if c.PURL != tt.purl || c.Evidence[0].Detail != tt.detail || c.Evidence[0].Method != sbom.MethodInstalled {
				t.Errorf("got %s %+v", c.PURL, c.Evidence)
			}
		})
	}
}

// TestNpmShown: of very many manifests syft gets the first, whatever the
// number of helpers; all are read.
func TestNpmShown(t *testing.T) {
	a := &artifact{}
	given := 0
	for range 1000 {
		if a.npmShown(maxShownManifest) > 0 {
			given++
		}
	}
	if given != maxShownText/maxShownManifest || a.npmShown(maxShownManifest+1) != 0 {
		t.Errorf("%d manifests given", given)
	}
}
