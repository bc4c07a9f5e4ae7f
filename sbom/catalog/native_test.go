package catalog

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/sbom"
)

// elfWith returns a minimal 64-bit ELF program with one section of the given
// name. flags are those of the section name table.
func elfWith(name string, content []byte, flags uint64) []byte {
	names := "\x00.shstrtab\x00" + name + "\x00"
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01")
	b.Write(make([]byte, 9))
	contentAt := uint64(64 + len(names))
	table := contentAt + uint64(len(content))
	for _, v := range []any{uint16(2), uint16(62), uint32(1), uint64(0), uint64(0), table, uint32(0), uint16(64), uint16(0), uint16(0), uint16(64), uint16(3), uint16(1)} {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString(names)
	b.Write(content)
	section := func(name, typ uint32, flags, off, size uint64) {
		for _, v := range []any{name, typ, flags, uint64(0), off, size, uint32(0), uint32(0), uint64(1), uint64(0)} {
			_ = binary.Write(&b, binary.LittleEndian, v)
		}
	}
	section(0, 0, 0, 0, 0)
	section(1, 3, flags, 64, uint64(len(names)))
	section(11, 1, 0, contentAt, uint64(len(content)))
	return b.Bytes()
}

func deflated(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), 0, 0, 0, 0)
}

func TestRustBinary(t *testing.T) {
	list := deflated(t, `{"packages":[{"name":"app","version":"0.1.0","root":true,"dependencies":[1]},{"name":"serde","version":"1.0.152","source":"crates.io"},{"name":"cc","version":"1.0.0","kind":"build"}]}`)
	got := render(catalogueFiles(t, "", []txtar.File{{Name: "function/bootstrap", Data: elfWith(".dep-v0", list, 0)}}))
	want := "live app pkg:cargo/app@0.1.0 main requires=serde\n    live 0 bootstrap\nlive app pkg:cargo/serde@1.0.152\n    live 0 bootstrap\n"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestGoBinary(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if data[0] != 0x7f {
		t.Skip("needs an ELF test binary")
	}
	s := catalogueFiles(t, "", []txtar.File{{Name: "function/bootstrap", Data: data}})
	have := map[string]sbom.Component{}
	for _, c := range s.Components {
		have[c.Name] = c
	}
	if c := have["stdlib"]; c.Version != strings.TrimPrefix(runtime.Version(), "go") || c.Ecosystem != "Go" {
		t.Errorf("stdlib: %+v", c)
	}
	if len(s.Unknowns) != 0 {
		t.Errorf("unknowns: %+v", s.Unknowns)
	}
	for _, c := range s.Components {
		if c.Version == "(devel)" || c.Main != (c.Name == "github.com/fnaudit/fnaudit" && c.Version == "") {
			t.Errorf("%s: version %q, main %v", c.Name, c.Version, c.Main)
		}
	}
}

func TestGoVersion(t *testing.T) {
	for in, want := range map[string]string{
		"go1.26.8": "1.26.8", "go1.21": "1.21", "go1.25.0 X:nodwarf5": "1.25.0", "go1.22rc1": "1.22rc1", "go1.24.1-fips": "1.24.1",
		"devel go1.27-abc": "", "": "", "go": "", "unknown": "",
	} {
		if got := goVersion(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestOpaque holds one file per reason. Each must be an unknown that concerns
// code; the last group must not.
func TestOpaque(t *testing.T) {
	elf := elfWith(".text", []byte("code"), 0)
	upx := append(bytes.Clone(elf[:400:400]), []byte("....UPX!....")...)
	ustar := make([]byte, 512)
	copy(ustar[257:], "ustar\x0000")
	pe := make([]byte, 256)
	copy(pe, "MZ")
	pe[60] = 128
	copy(pe[128:], "PE\x00\x00")
	pyz := zipOf(t, "__main__.py")
	for _, tt := range []struct {
		name string
		data []byte
		kind sbom.UnknownKind
		want string // in the reason; "": nothing is reported
	}{
		{"bootstrap", elf, sbom.Opaque, "executable without package information"},
		{"bin/tool", upx, sbom.Opaque, "packed with UPX"},
		{"bin/gotool", elfWith(".text", []byte("Go build ID: \"x\""), 0), sbom.Opaque, "Go binary without build information"},
		{"LICENSE", elf, sbom.Opaque, "executable without package information"},
		{"data.json", elf, sbom.Opaque, "executable without package information"},
		{"node_modules/stripped/index.js", []byte("module.exports = 1"), sbom.Opaque, "without a package.json"},
		{"lib/libx.so.1", elf, sbom.Opaque, "shared library that no package accounts for"},
		{"addon.node", elf, sbom.Opaque, "executable"},
		{"bomb", elfWith(".text", nil, 0x800), sbom.Opaque, "compressed section name table"},
		{"short", []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00"), sbom.Opaque, "without a whole header"},
		{"x.dll", pe, sbom.Opaque, "executable"},
		{"mach", []byte("\xcf\xfa\xed\xfe\x07\x00\x00\x01\x03\x00\x00\x00\x02\x00\x00\x00"), sbom.Opaque, "executable"},
		{"lib/a.jar", []byte("PK\x03\x04............"), sbom.Unreadable, "open nested zip"},
		{"deps.zip", []byte("PK\x03\x04............"), sbom.Unreadable, "open nested zip"},
		{"code.zip", pyz, sbom.Opaque, "nested archive with 1 file of code that nothing catalogues: __main__.py"},
		{"texts.zip", zipOf(t, "a.txt", "b/c.json"), "", ""},
		{"x.whl", []byte("PK\x03\x04............"), sbom.Unreadable, "open nested zip"},
		{"x.tar.gz", []byte("\x1f\x8b\x08............."), sbom.Opaque, "gzip archive"},
		{"x.tgz", []byte("\x1f\x8b\x08............."), sbom.Opaque, "gzip archive"},
		{"blob", []byte("\x1f\x8b\x08............."), sbom.Opaque, "gzip archive"},
		{"x.gem", ustar, sbom.Opaque, "tar archive"},
		{"x.wasm", []byte("\x00asm\x01\x00\x00\x00........"), sbom.Opaque, "WebAssembly"},
		{"x.7z", []byte("7z\xbc\xaf\x27\x1c.........."), sbom.Opaque, "7z archive"},
		{"rustbomb", elfWith(".dep-v0", deflated(t, strings.Repeat("0", 20<<20)), 0), sbom.Limit, "crate list"},
		{"rustjunk", elfWith(".dep-v0", []byte("junk"), 0), sbom.Unreadable, "crate list"},
		{"tool", append(append([]byte("#!/bin/sh\n"), make([]byte, 100<<10)...), pyz...), sbom.Opaque, "__main__.py"},
		{"sfx", append(bytes.Clone(elf), pyz...), sbom.Unreadable, "executable (ELF)"},
		{"app.phar", []byte("<?php __HALT_COMPILER(); ?>\r\n\x00\x00\x00"), sbom.Opaque, "PHP archive"},
		{"stub.php", []byte("<?php __HALT_COMPILER(); ?>\r\n\x00\x00\x00"), sbom.Opaque, "PHP archive"},
		{"bootstrap", []byte("node index.js"), sbom.Opaque, "neither an executable nor a script"},
		{"bootstrap", []byte("\x01\x02\x03\x04 sixteen bytes and more"), sbom.Opaque, "neither an executable nor a script"},
		{"tool.bin.gz", gzipped(t, elf), sbom.Opaque, "gzip of an executable"},
		{"data.txt.gz", gzipped(t, elf), sbom.Opaque, "gzip of an executable"},
		{"bundle.jsx", []byte(esbuilt), sbom.Opaque, "bundled JavaScript"},
		{"bundle.ts", []byte(esbuilt), sbom.Opaque, "bundled JavaScript"},
		{"bundle", []byte("#!/usr/bin/env node\n" + esbuilt), sbom.Opaque, "bundled JavaScript"},
		{"node_modules/.prisma/client/libquery_engine-rhel.so.node", elf, sbom.Opaque, "shared library"}, // no client is installed
		{"com/acme/A.class", []byte("\xca\xfe\xba\xbe\x00\x00\x00\x34........"), "", ""},                 // nothing but the team's own
		{"guard.php", []byte("<?php echo 1; __HALT_COMPILER();\ntext\n"), "", ""},
		{"data.csv.gz", gzipped(t, []byte("a,b\n1,2\n")), "", ""},
		{"script", []byte("#!/bin/sh\necho PK\x05\x06"), "", ""},
		{"view.tsx", []byte("export const a = 1\n"), "", ""},
		{"bootstrap", []byte("#!/bin/sh\n:"), "", ""},
		{"data.json.gz", []byte("\x1f\x8b\x08............."), "", ""},
		{"report.docx", zipOf(t, "[Content_Types].xml", "word/document.xml"), "", ""},
		{"code.docx", pyz, sbom.Opaque, "__main__.py"},
		{"x.dat", gzipped(t, ustar), sbom.Opaque, "gzip of a tar archive"},
		{"x.json.gz", gzipped(t, pyz), sbom.Opaque, "gzip of a zip archive"},
		{"y.dat", []byte("\xfd7zXZ\x00.............."), sbom.Opaque, "xz data under the name of something else"},
		{"y.json.xz", []byte("\xfd7zXZ\x00.............."), "", ""},
		{"y.deb", []byte("!<arch>\ndebian-binary   17"), sbom.Opaque, "deb archive"},
		{"y.rpm", []byte("\xed\xab\xee\xdb\x03............."), sbom.Opaque, "rpm archive"},
		{"y.cpio", []byte("0707010000000000000000"), sbom.Opaque, "cpio archive"},
		{"y.tar.lzma", []byte("\x5d\x00\x00............."), sbom.Opaque, "compressed archive"},
		{"y.tar.br", []byte("................"), sbom.Opaque, "compressed archive"},
		{"notes.txt", []byte("\xca\xfe\xba\xbe\x00\x00\x00\x34........"), sbom.Opaque, "Java class under the name of something else"},
		{"bootstrap2", []byte("#!/bin/sh\nexec node index.js\n"), "", ""},
		{"readme.exe.txt", []byte("MZ is how a program starts"), "", ""},
		{"MZdoc", []byte("MZ is how a program starts, and this is not one at all: it is a text"), "", ""},
		{"BZhang", []byte("BZhang is a name, not an archive"), "", ""},
		{"node_modules/single.js", []byte("module.exports = 1"), "", ""},
		{"empty", nil, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := catalogueFiles(t, "", []txtar.File{{Name: "function/" + tt.name, Data: tt.data}})
			switch {
			case tt.want == "" && len(s.Unknowns) != 0:
				t.Errorf("got %+v", s.Unknowns)
			case tt.want == "":
			case len(s.Unknowns) != 1:
				t.Fatalf("got %+v", s.Unknowns)
			default:
				if u := s.Unknowns[0]; u.Kind != tt.kind || !u.Code || !strings.Contains(u.Reason, tt.want) {
					t.Errorf("got %+v, want %s %q", u, tt.kind, tt.want)
				}
			}
		})
	}
}

const esbuilt = "var __commonJS = (cb, mod) => function() {};\n"

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range names {
		if _, err := w.Create(n); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRecordOwns: a RECORD accounts for what lies among a distribution's
// modules, not for whatever it lists; nobody accounts for packed code.
func TestRecordOwns(t *testing.T) {
	elf := elfWith(".text", []byte("code"), 0)
	upx := append(bytes.Clone(elf[:400:400]), []byte("....UPX!....")...)
	golang := elfWith(".gopclntab", []byte("x"), 0)
	s := catalogueFiles(t, "", []txtar.File{
		{Name: "function/a-1.dist-info/METADATA", Data: []byte("Name: a\nVersion: 1\n")},
		{Name: "function/a-1.dist-info/RECORD", Data: []byte("bootstrap,,\nprogram,,\nbundle.js,,\ndist/bundle.js,,\ntools/x,,\nbin/tool,,\na/__init__.py,,\na/lib/helper,,\na/asset.js,,\na/packed,,\n_a.so,,\n")},
		{Name: "function/bootstrap", Data: elf},
		{Name: "function/program", Data: elf},
		{Name: "function/bundle.js", Data: []byte(esbuilt)},
		{Name: "function/dist/bundle.js", Data: []byte(esbuilt)},
		{Name: "function/tools/x", Data: elf},
		{Name: "function/bin/tool", Data: elf},
		{Name: "function/a/__init__.py", Data: []byte("x = 1")},
		{Name: "function/a/lib/helper", Data: elf},
		{Name: "function/a/asset.js", Data: []byte(esbuilt)},
		{Name: "function/a/packed", Data: upx},
		{Name: "function/_a.so", Data: elf},
		{Name: "function/node_modules/n/package.json", Data: []byte(`{"name":"n","version":"1.0.0"}`)},
		{Name: "function/node_modules/n/bin/n", Data: golang},
		{Name: "function/node_modules/n/bin/m", Data: elf},
	})
	want := []string{"a/packed", "bootstrap", "bundle.js", "dist/bundle.js", "node_modules/n/bin/n", "program", "tools/x"}
	var got []string
	for _, u := range s.Unknowns {
		if u.Kind != sbom.Opaque || !u.Code {
			t.Errorf("%+v", u)
		}
		got = append(got, u.Path)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestPrismaEngine: the query engine that @prisma/client generated is part of it.
func TestPrismaEngine(t *testing.T) {
	const engine = "node_modules/.prisma/client/libquery_engine-rhel.so.node"
	s := catalogueFiles(t, "", []txtar.File{
		{Name: "function/node_modules/@prisma/client/package.json", Data: []byte(`{"name":"@prisma/client","version":"5.0.0"}`)},
		{Name: "function/node_modules/.prisma/client/index.js", Data: []byte("module.exports = 1")},
		{Name: "function/" + engine, Data: elfWith(".text", []byte("code"), 0)},
	})
	if len(s.Unknowns) != 0 || len(s.Components) != 1 || !slices.ContainsFunc(s.Components[0].Evidence, func(e sbom.Evidence) bool { return e.Path == engine }) {
		t.Errorf("got %s%+v", render(s), s.Unknowns)
	}
}

// TestOwnedNativeCode: native code of a package is the package's.
func TestOwnedNativeCode(t *testing.T) {
	elf := elfWith(".text", []byte("code"), 0)
	s := catalogueFiles(t, "", []txtar.File{
		{Name: "function/node_modules/a/package.json", Data: []byte(`{"name":"a","version":"1"}`)},
		{Name: "function/node_modules/a/build/Release/a.node", Data: elf},
		{Name: "function/node_modules/a/data.tar.gz", Data: []byte("\x1f\x8b\x08.............")},
		{Name: "function/node_modules/a/a.jar", Data: []byte("PK\x03\x04............")},
		{Name: "function/b-1.dist-info/METADATA", Data: []byte("Name: b\nVersion: 1\n")},
		{Name: "function/b-1.dist-info/RECORD", Data: []byte("b/x.so,,\nb.libs/y.so.1,,\n../../bin/escape,,\n")},
		{Name: "function/b/x.so", Data: elf},
		{Name: "function/b.libs/y.so.1", Data: elf},
		{Name: "function/c-1.egg-info/PKG-INFO", Data: []byte("Name: c\nVersion: 1\n")},
		{Name: "function/c-1.egg-info/top_level.txt", Data: []byte("c\n_cext\n")},
		{Name: "function/_cext.cpython-311-x86_64-linux-gnu.so", Data: elf},
		{Name: "function/_other.cpython-311-x86_64-linux-gnu.so", Data: elf},
	})
	want := "? opaque code=true 0 _other.cpython-311-x86_64-linux-gnu.so: shared library that no package accounts for\n" +
		"? unreadable code=true 0 node_modules/a/a.jar: open nested zip: content cannot be read: no zip end record\n"
	got := render(s)
	if i := strings.Index(got, "?"); i < 0 || got[i:] != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestNodeBinary(t *testing.T) {
	data := elfWith(".text", []byte(strings.Repeat("x", 1<<20-200)+"node.js/v22.9.0\x00"), 0)
	s := catalogueFiles(t, "", []txtar.File{{Name: "function/bin/node", Data: data}})
	if len(s.Components) != 1 || s.Components[0].PURL != "pkg:generic/node@22.9.0" || s.Components[0].Ecosystem != "" || len(s.Unknowns) != 0 {
		t.Errorf("got %s", render(s))
	}
}

// TestKnownBinary runs syft's classifiers on a file that one of them knows.
func TestKnownBinary(t *testing.T) {
	data := elfWith(".rodata", []byte("\x00@(#)Bash version 5.2.15(1) release GNU\x00"), 0)
	s := catalogueFiles(t, "", []txtar.File{{Name: "function/bin/bash", Data: data}})
	if len(s.Components) != 1 || s.Components[0].PURL != "pkg:generic/bash@5.2.15" || len(s.Unknowns) != 0 {
		t.Errorf("got %s", render(s))
	}
}

// TestSourceMapBeside: a map whose sources are packages makes its script a
// bundle, at the root of the package and below, and says what is inside.
func TestSourceMapBeside(t *testing.T) {
	for _, dir := range []string{"", "dist/"} {
		s := catalogueFiles(t, "", []txtar.File{
			{Name: "function/" + dir + "index.js", Data: []byte("exports.handler = () => 1\n//# sourceMappingURL=index.js.map\n")},
			{Name: "function/" + dir + "index.js.map", Data: []byte(`{"version":3,"sources":["../node_modules/lodash/lodash.js","src/app.js"],"names":[],"mappings":"AAAA"}`)},
		})
		want := "live app pkg:npm/lodash\n    live 0 " + dir + "index.js\n    source-map 0 " + dir + "index.js.map node_modules/lodash\n"
		if got := render(s); got != want {
			t.Errorf("%q: got:\n%s\nwant:\n%s", dir, got, want)
		}
	}
}
