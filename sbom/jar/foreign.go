package jar

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// foreign is what an archive holds besides Java and other archives that are
// looked into.
type foreign struct {
	code      int      // files of code that no cataloger sees inside an archive
	show      []string // the first of them, in the order of the archive
	disguised []string // native code under the name of something else, at most maxForeign
}

const (
	maxForeign = 100 // native files of one archive that are reported one by one
	shownCode  = 3
	headBytes  = 265 // the first bytes that are looked at: the mark of a tar ends there
)

// sniff sorts a file by its first bytes, whatever it is called: a class loader
// or an interpreter does not care for names either.
func (a *archive) sniff(f *bundle.File, ext string) {
	var buf [headBytes]byte
	n, err := a.tree.Peek(f.Path, buf[:])
	if err != nil {
		if !a.root { // of the artifact itself its caller says so
			a.s.unknown(a.at+f.Path, unreadKind(err), fmt.Sprintf("read first bytes: %v", err), codeLike(f.Path) || foreignName(f.Path, ext))
		}
		return
	}
	head := buf[:n]
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		a.nested = append(a.nested, nestedFile{f.Path, false})
	case a.root:
	case classFile(head):
		a.class(f.Path)
	case native(head):
		a.code(f.Path)
		if !nativeName(f.Path, ext) && len(a.foreign.disguised) < maxForeign {
			a.foreign.disguised = append(a.foreign.disguised, f.Path)
		}
	case packed(head) && !packedData(f.Path, ext), bytes.HasPrefix(head, []byte("#!")), bytes.HasPrefix(head, []byte("\x00asm")), bytes.HasPrefix(head, []byte("<?php")),
		foreignName(f.Path, ext) && !(javaName(a.path) && webAsset(f.Path, ext)):
		a.code(f.Path)
	}
}

func (a *archive) code(p string) {
	if a.foreign.code++; len(a.foreign.show) < shownCode {
		a.foreign.show = append(a.foreign.show, clipped(p))
	}
}

// uncatalogued reports the code of an archive that nothing names. What a
// library's own archive brings along is that library's, as long as it is called
// what it is.
func (a *archive) uncatalogued() {
	if a.named {
		for _, p := range a.foreign.disguised {
			a.s.unknown(a.at+p, sbom.Opaque, "native code under the name of something else", true)
		}
		return
	}
	n := a.foreign.code
	if n == 0 {
		return
	}
	files, more := "file", ""
	if n > 1 {
		files = "files"
	}
	if rest := n - len(a.foreign.show); rest > 0 {
		more = fmt.Sprintf(" and %d more", rest)
	}
	a.s.unknown(strings.TrimSuffix(a.at, "!/"), sbom.Opaque, fmt.Sprintf("nested archive with %d %s of code that nothing catalogues: %s%s", n, files, strings.Join(a.foreign.show, ", "), more), true)
}

// classFile reports whether bytes begin a class file of Java 1.1 (version 45)
// or later: a universal Mach-O file has the same magic number and few parts.
func classFile(head []byte) bool {
	return len(head) >= 8 && binary.BigEndian.Uint32(head) == classMagic && binary.BigEndian.Uint16(head[6:]) >= 45
}

// native reports whether bytes begin an ELF, PE or Mach-O file.
func native(head []byte) bool {
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return true
	case bytes.HasPrefix(head, []byte("MZ")) && len(head) >= 64:
		at := binary.LittleEndian.Uint32(head[60:])
		if int64(at)+4 <= int64(len(head)) {
			return bytes.HasPrefix(head[at:], []byte("PE\x00\x00"))
		}
		return at < 1<<20 // beyond what was read
	case len(head) < 8:
		return false
	}
	switch binary.BigEndian.Uint32(head) {
	case 0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe:
		return true
	case classMagic:
		return !classFile(head)
	}
	return false
}

// document reports whether a file is called as documents and data are that
// happen to be zips. Their content is looked at as that of any other; only if it
// cannot be read, code is not what is missing.
func document(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".npz", ".pptm", ".xlsm", ".xlsb", ".dotx":
		return true
	}
	return false
}

// nativeName reports whether a file is called as native code is.
func nativeName(p, ext string) bool {
	switch ext {
	case "", ".so", ".dll", ".dylib", ".jnilib", ".exe", ".node", ".a", ".o", ".bundle", ".nnx":
		return true
	}
	base := path.Base(p)
	return strings.Contains(base, ".so.") || !strings.Contains(base, ".") || len(ext) > 6 || digit(ext[len(ext)-1]) && ext != ".mp3" && ext != ".mp4"
}

// packed reports whether bytes begin a compressed stream or an archive of
// another kind than zip.
func packed(head []byte) bool {
	for _, magic := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "\xfd7zXZ\x00", "7z\xbc\xaf\x27\x1c", "Rar!\x1a\x07", "!<arch>\ndebian-binary", "\xed\xab\xee\xdb", "070701", "070707", "\x04\x22\x4d\x18"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return bytes.HasPrefix(head, []byte("BZh")) && len(head) > 10 && bytes.HasPrefix(head[4:], []byte("1AY&SY")) ||
		len(head) >= 262 && string(head[257:262]) == "ustar"
}

// packedData reports whether a compressed file is one text by its name:
// x.json.gz.
func packedData(p, ext string) bool {
	switch ext {
	case ".gz", ".zst", ".xz", ".bz2":
		inner := strings.ToLower(path.Ext(strings.TrimSuffix(strings.ToLower(path.Base(p)), ext)))
		return inner != "" && plainName("x"+inner, inner)
	case ".svgz":
		return true
	}
	return false
}

// foreignName reports whether a file is code of another language by its name.
func foreignName(p, ext string) bool {
	switch ext {
	case ".js", ".mjs", ".cjs", ".jsx", ".ts", ".node", ".wasm", ".py", ".pyc", ".pyd", ".rb", ".php", ".phar", ".pl", ".lua", ".sh", ".ps1",
		".so", ".dll", ".dylib", ".exe", ".tgz", ".tar", ".asar":
		return true
	}
	return strings.Contains(path.Base(p), ".so.")
}

// webAsset reports whether a script is one that a Java application serves to
// browsers, rather than one that Node runs.
func webAsset(p, ext string) bool {
	switch ext {
	case ".js", ".mjs", ".ts", ".jsx":
		return !strings.Contains("/"+p, "/node_modules/")
	}
	return false
}

// plainName reports whether the name of a file says that it is no archive.
func plainName(p, ext string) bool {
	switch ext {
	case ".so", ".dll", ".dylib", ".jnilib", ".exe", ".py", ".rb", ".php", ".node",
		".js", ".mjs", ".cjs", ".properties", ".xml", ".txt", ".html", ".htm", ".css", ".md", ".json", ".yml", ".yaml", ".mf", ".sf", ".rsa", ".dsa", ".java", ".kt", ".xsd", ".dtd",
		".kotlin_module", ".kotlin_builtins", ".proto", ".png", ".gif", ".jpg", ".svg", ".csv", ".sql", ".ftl", ".groovy", ".clj", ".scala", ".tasty", ".sjsir", ".idx", ".version", ".pro", ".handlers", ".schemas", ".factories", ".imports":
		return true
	}
	return strings.Contains(p, "META-INF/services/") || strings.HasPrefix(p, "META-INF/") && ext == ""
}
