package catalog

import (
	"bytes"
	"context"
	"encoding/binary"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// sniffArchive reports archives inside the artifact, by their first bytes: what
// is in them is not catalogued. Into zips javaArchives looks, also into those
// that are documents by their names: only their content shows it.
func (a *artifact) sniffArchive(f *bundle.File, head []byte) {
	ext := strings.ToLower(path.Ext(f.Path))
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		a.zips = append(a.zips, nestedZip{f})
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		if inner := insideGzip(head); inner != "" {
			a.nested(f, "gzip of "+inner)
		} else if packedTar(f.Path, ".gz", ".tgz") {
			a.nested(f, "gzip archive")
		}
	case len(head) >= 262 && bytes.Equal(head[257:262], []byte("ustar")):
		a.nested(f, "tar archive")
	case bytes.HasPrefix(head, []byte("\x00asm")):
		if !a.owners.owns(f.Path) {
			a.unknown(f.Path, sbom.Opaque, "WebAssembly that no package accounts for", true)
		}
	case javaClass(head) && ext != ".class" && ext != ".classdata" && ext != ".esclazz":
		if !a.owners.owns(f.Path) {
			a.unknown(f.Path, sbom.Opaque, "Java class under the name of something else", true)
		}
	case ext == ".asar" && len(head) >= 8 && binary.LittleEndian.Uint32(head) == 4:
		a.nested(f, "asar archive")
	default:
		a.otherArchive(f, ext, head)
	}
}

// archiveForm is a form of archive or of compressed data that is not read.
type archiveForm struct {
	what, magic string
	ext         string   // of compressed data, ".xz"; "" for an archive, whatever it is called
	short       []string // extensions of an archive so compressed
}

// archiveForms are told by their first bytes. Compressed data is taken for data
// under its own extension (x.json.xz), unless the name says that it is an archive.
var archiveForms = [...]archiveForm{
	{"bzip2", "BZh", ".bz2", []string{".tbz", ".tbz2"}},
	{"xz", "\xfd7zXZ\x00", ".xz", []string{".txz"}},
	{"zstd", "\x28\xb5\x2f\xfd", ".zst", []string{".tzst"}},
	{"lz4", "\x04\x22\x4d\x18", ".lz4", nil},
	{"compress", "\x1f\x9d\x90", ".Z", nil},
	{"7z", "7z\xbc\xaf\x27\x1c", "", nil},
	{"rar", "Rar!\x1a\x07", "", nil},
	{"deb", "!<arch>\ndebian-binary", "", nil},
	{"rpm", "\xed\xab\xee\xdb", "", nil},
	{"cpio", "070701", "", nil},
	{"cpio", "070707", "", nil},
	{"squashfs", "hsqs", "", nil},
	{"cab", "MSCF\x00\x00\x00\x00", "", nil},
	{"xar", "xar!\x00", "", nil},
}

func (a *artifact) otherArchive(f *bundle.File, ext string, head []byte) {
	for i := range archiveForms {
		form := &archiveForms[i]
		if !bytes.HasPrefix(head, []byte(form.magic)) || form.what == "bzip2" && !bytes.HasPrefix(head[4:], []byte("1AY&SY")) {
			continue
		}
		own := strings.EqualFold(ext, form.ext) || slices.Contains(form.short, ext)
		switch {
		case form.ext == "", own && packedTar(f.Path, strings.ToLower(form.ext), form.short...), !strings.Contains(path.Base(f.Path), "."):
			a.nested(f, form.what+" archive")
		case !own:
			a.nested(f, form.what+" data under the name of something else")
		}
		return
	}
	if base := strings.ToLower(path.Base(f.Path)); ext == ".lzma" && packedTar(base, ".lzma") || ext == ".tlz" || ext == ".br" && strings.HasSuffix(base, ".tar.br") {
		a.nested(f, "compressed archive") // they have no mark
	}
}

// javaClass reports whether bytes begin a class file: a universal Mach-O file
// has the same mark, and a number of parts where the version stands.
func javaClass(head []byte) bool {
	return len(head) >= 8 && binary.BigEndian.Uint32(head) == 0xcafebabe && binary.BigEndian.Uint16(head[6:]) >= 45
}

// nested reports an archive that no package owns. A package's own archives
// (time zones, test data) are part of the package.
func (a *artifact) nested(f *bundle.File, what string) {
	if a.owners.owns(f.Path) {
		return
	}
	a.unknown(f.Path, sbom.Opaque, "nested "+what+" whose content is not catalogued", true)
}

// packedTar reports whether a compressed file is an archive by its name:
// x.tar.gz, x.tgz, or just x.gz. Names such as x.json.gz are data.
func packedTar(p, ext string, short ...string) bool {
	base := strings.ToLower(path.Base(p))
	for _, s := range short {
		if strings.HasSuffix(base, s) {
			return true
		}
	}
	stem, ok := strings.CutSuffix(base, ext)
	if !ok {
		return !strings.Contains(base, ".")
	}
	switch inner := path.Ext(stem); inner {
	case "", ".tar", ".cpio":
		return true
	default:
		return !textExtensions[inner] && len(inner) > 5
	}
}

// opaqueFiles reports what nothing accounts for: native code of nobody, and
// bundles that no lockfile bounds. It runs last.
func opaqueFiles(_ context.Context, a *artifact) {
	for i := range a.executables {
		e := &a.executables[i]
		if e.evident {
			continue
		}
		if e.unsafe == "" && a.owners.owns(e.path) {
			if client, ok := a.prismaEngine(e.path); ok {
				a.attach(client, e.path, "its query engine")
				continue
			}
			if !prismaGenerated(e.path) && !e.packed && !a.goWithoutInfo(e.path) {
				continue
			}
		}
		a.unknown(e.path, sbom.Opaque, a.opaqueExecutable(e), true)
	}
	a.opaqueBundles()
}
