package catalog

import (
	"bytes"
	"context"
	"encoding/binary"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// sniffArchive reports archives inside the artifact, by their first bytes: what
// is in them is not catalogued.
func (a *artifact) sniffArchive(f *bundle.File, head []byte) {
	ext := strings.ToLower(path.Ext(f.Path))
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		switch ext {
		case ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".npz", ".pptm", ".xlsm", ".xlsb", ".dotx", ".vsix":
			// documents and data that happen to be zips
		default:
			a.zips = append(a.zips, nestedZip{f, "zip archive"}) // javaArchives looks into it
		}
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		if packedTar(f.Path, ".gz", ".tgz") {
			a.nested(f, "gzip archive")
		} else if gzipOfCode(head) {
			a.nested(f, "gzip of an executable")
		}
	case bytes.HasPrefix(head, []byte("BZh")) && bytes.HasPrefix(head[4:], []byte("1AY&SY")):
		if packedTar(f.Path, ".bz2", ".tbz", ".tbz2") {
			a.nested(f, "bzip2 archive")
		}
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		if packedTar(f.Path, ".xz", ".txz") {
			a.nested(f, "xz archive")
		}
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		if packedTar(f.Path, ".zst", ".tzst") {
			a.nested(f, "zstd archive")
		}
	case bytes.HasPrefix(head, []byte("7z\xbc\xaf\x27\x1c")):
		a.nested(f, "7z archive")
	case bytes.HasPrefix(head, []byte("Rar!\x1a\x07")):
		a.nested(f, "rar archive")
	case len(head) >= 262 && bytes.Equal(head[257:262], []byte("ustar")):
		a.nested(f, "tar archive")
	case bytes.HasPrefix(head, []byte("\x00asm")):
		if !a.owners.owns(f.Path) {
			a.unknown(f.Path, sbom.Opaque, "WebAssembly that no package accounts for", true)
		}
	case ext == ".asar" && len(head) >= 8 && binary.LittleEndian.Uint32(head) == 4:
		a.nested(f, "asar archive")
	}
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
			if !prismaGenerated(e.path) && !e.packed && !e.golang {
				continue
			}
		}
		a.unknown(e.path, sbom.Opaque, a.opaqueExecutable(e), true)
	}
	for i := range a.bundles {
		b := &a.bundles[i]
		if lock := a.boundedBy(b.path); lock != "" {
			a.unknown(b.path, sbom.Unattributed, b.reason()+"; its packages are taken from "+lock, false)
			continue
		}
		a.unknown(b.path, sbom.Opaque, b.reason(), true)
	}
}
