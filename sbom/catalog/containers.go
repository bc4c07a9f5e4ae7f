package catalog

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// zipTail is how many bytes at the end of a file can hold the end record of a
// zip archive: its 22 bytes and a comment (APPNOTE.TXT 6.3.10, section 4.3.16).
const zipTail = 22 + 64<<10

// container reports a file that carries an archive behind something else: a
// zip behind a "#!" line or an executable (pex, pyz, self-extracting files).
func (a *artifact) container(f *bundle.File, head []byte) {
	switch {
	case bytes.HasPrefix(head, []byte("#!")), bytes.HasPrefix(head, []byte("\x7fELF")), bytes.HasPrefix(head, []byte("MZ")):
	default:
		return
	}
	if f.Size < 22 || a.owners.owns(f.Path) {
		return
	}
	if f.Size > a.opts.MaxExecutable {
		a.unread(f.Path, &limitError{fmt.Sprintf("%d bytes", f.Size), a.opts.MaxExecutable})
		return
	}
	if head[0] == '#' && f.Size <= int64(len(head)) {
		if zipEnd(head) {
			a.zips = append(a.zips, nestedZip{f})
		}
		return
	}
	c, err := a.opened(f.Path, head[0] != '#')
	if err != nil {
		a.unread(f.Path, fmt.Errorf("open file: %w", err))
		return
	}
	defer c.Close()
	tail := make([]byte, min(c.Size(), zipTail))
	if _, err := c.ReadAt(tail, c.Size()-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		a.unread(f.Path, fmt.Errorf("read end of file: %w", err))
		return
	}
	if zipEnd(tail) {
		a.zips = append(a.zips, nestedZip{f})
	}
}

// opened opens a file at random. Executables stay inflated for those who read
// them later.
func (a *artifact) opened(p string, executable bool) (*native, error) {
	if executable {
		return a.native(p)
	}
	c, err := a.tree.Content(p)
	if err != nil {
		return nil, err
	}
	return section(c, c.Close)
}

// zipEnd reports whether tail, the last bytes of a file, ends with the end
// record of a zip that has entries and whose comment reaches the file's end.
func zipEnd(tail []byte) bool {
	for at := len(tail); ; {
		at = bytes.LastIndex(tail[:at], []byte("PK\x05\x06"))
		if at < 0 {
			return false
		}
		if r := tail[at:]; len(r) >= 22 && binary.LittleEndian.Uint16(r[10:]) > 0 && 22+int(binary.LittleEndian.Uint16(r[20:])) <= len(r) {
			return true
		}
	}
}

// phar reports a PHP archive: a PHP file whose code ends with
// __HALT_COMPILER(), behind which the files lie
// (https://www.php.net/manual/en/phar.fileformat.stub.php).
func (a *artifact) phar(f *bundle.File, head []byte) {
	named := strings.EqualFold(path.Ext(f.Path), ".phar")
	if !named && !bytes.HasPrefix(head, []byte("<?php")) && !(bytes.HasPrefix(head, []byte("#!")) && bytes.Contains(head, []byte("<?php"))) {
		return
	}
	if a.owners.owns(f.Path) {
		return
	}
	if !named {
		data, err := a.read(f.Path, a.opts.MaxScript)
		if err != nil {
			a.unread(f.Path, err)
			return
		}
		// a file that ends there has no archive behind it, only a guard
		_, behind, ok := bytes.Cut(data, []byte("__HALT_COMPILER"))
		if !ok || bytes.IndexByte(behind, 0) < 0 {
			return
		}
	}
	a.unknown(f.Path, sbom.Opaque, "PHP archive whose content is not catalogued", true)
}

// bootstrap reports an entry point of a custom runtime that is neither native
// code, which is looked at elsewhere, nor a script with a "#!" line.
func (a *artifact) bootstrap(f *bundle.File, head []byte) {
	if f.Path == "bootstrap" && !bytes.HasPrefix(head, []byte("#!")) {
		a.unknown(f.Path, sbom.Opaque, "bootstrap that is neither an executable nor a script", true)
	}
}

// insideGzip says what a gzip file holds, by what the start of it inflates to;
// "" when that is no code. Only what was sniffed is inflated.
func insideGzip(head []byte) string {
	z, err := gzip.NewReader(bytes.NewReader(head))
	if err != nil {
		return ""
	}
	var start [512]byte
	n, _ := io.ReadFull(z, start[:]) // the rest of the file is missing
	switch inner := start[:n]; {
	case bytes.HasPrefix(inner, []byte("\x7fELF")), isPE(inner) && bytes.HasPrefix(inner, []byte("MZ")), n >= 8 && machO(inner):
		return "an executable"
	case bytes.HasPrefix(inner, []byte("PK\x03\x04")):
		return "a zip archive"
	case n >= 262 && string(inner[257:262]) == "ustar":
		return "a tar archive"
	case bytes.HasPrefix(inner, []byte("\x00asm")):
		return "WebAssembly"
	case javaClass(inner):
		return "a Java class"
	}
	return ""
}
