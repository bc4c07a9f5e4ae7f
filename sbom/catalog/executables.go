package catalog

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// executable is native code: ELF, PE or Mach-O.
type executable struct {
	path    string
	mime    string
	shared  bool // a library rather than a program
	packed  bool // carries the mark of UPX
	evident bool // some cataloger found what it is or what is in it
	probe
}

// The MIME types by which syft's catalogers ask for executables.
const (
	mimeExecutable = "application/x-executable"
	mimeShared     = "application/x-sharedlib"
	mimePE         = "application/vnd.microsoft.portable-executable"
	mimeMach       = "application/x-mach-binary"
)

// sniffed is how many leading bytes of a file are looked at. UPX writes its
// mark behind the program headers, which are at most a few hundred bytes in.
const sniffed = 2048

// textExtensions are the extensions of files that no loader executes as native
// code, so that their first bytes need no look. A file without an extension
// (bootstrap, bin/tool) is always looked at.
var textExtensions = map[string]bool{
	".js": true, ".mjs": true, ".cjs": true, ".jsx": true, ".ts": true, ".mts": true, ".cts": true, ".tsx": true, ".json": true, ".json5": true, ".map": true, ".flow": true,
	".md": true, ".markdown": true, ".mkd": true, ".txt": true, ".rst": true, ".html": true, ".htm": true, ".css": true, ".scss": true, ".less": true, ".svg": true, ".xml": true, ".xsd": true,
	".yml": true, ".yaml": true, ".toml": true, ".ini": true, ".cfg": true, ".conf": true, ".csv": true, ".lock": true, ".log": true,
	".py": true, ".pyi": true, ".pyx": true, ".pxd": true, ".pyc": true, ".rb": true, ".rake": true, ".gemspec": true, ".php": true, ".pl": true, ".pm": true,
	".h": true, ".hpp": true, ".c": true, ".cc": true, ".cpp": true, ".gyp": true, ".gypi": true, ".go": true, ".rs": true, ".java": true, ".coffee": true, ".ejs": true, ".hbs": true, ".proto": true,
	".po": true, ".pot": true, ".mo": true, ".tpl": true, ".tmpl": true, ".snap": true, ".pem": true, ".crt": true, ".key": true, ".png": true, ".jpg": true, ".gif": true, ".ico": true,
	".woff": true, ".woff2": true, ".ttf": true, ".otf": true, ".eot": true, ".npmignore": true, ".eslintrc": true, ".gitignore": true, ".editorconfig": true, ".typed": true, ".d": true, ".tcl": true,
}

// textNames are the usual names of texts without an extension.
var textNames = map[string]bool{
	"license": true, "licence": true, "readme": true, "changelog": true, "changes": true, "history": true, "authors": true, "notice": true, "copying": true,
	"contributors": true, "makefile": true, "security": true, "patents": true, "record": true, "metadata": true, "wheel": true, "installer": true, "requested": true,
	"pkg-info": true, "copyright": true, "gemfile": true, "rakefile": true, "unlicense": true, "codeowners": true, "owners": true, "todo": true, "version": true, "license-mit": true, "license-apache": true,
}

// executables looks at the first bytes of every file that might be native code:
// of a package's files those that are not text by their name, of the others
// all, since nothing keeps a program from being called README. The function's
// own scripts are read whole for bundledScripts at the same time.
func executables(ctx context.Context, a *artifact) {
	type candidate struct {
		file  int
		owned bool
		whole bool  // read to its end
		err   error // why not, for a script
	}
	var list []candidate
	for i := range a.files {
		f := &a.files[i]
		if f.Link != "" || a.owners.vouched(f.Path) {
			continue
		}
		c := candidate{file: i, owned: a.owners.owns(f.Path)}
		if c.owned && isText(f.Path) && path.Base(dirOf(f.Path)) != "__pycache__" {
			continue
		}
		if !c.owned && script(f.Path) {
			c.err = a.promise(f.Size, a.opts.MaxScript)
			c.whole = c.err == nil
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(x, y candidate) int { return a.vol.Compare(x.file, y.file) })
	type head struct {
		bytes [sniffed]byte
		n     int
		err   error
		look  scriptLook
	}
	inOrder(ctx, a.helpers, len(list), func(i int, h *head, s *scratch) {
		p := a.files[list[i].file].Path
		if list[i].whole {
			if h.look = a.lookAtScript(p, s); h.look.err == nil {
				h.n = copy(h.bytes[:], s.buf)
				return
			}
		}
		h.n, h.err = a.tree.Peek(p, h.bytes[:])
	}, func(i int, h *head) {
		c := &list[i]
		f := &a.files[c.file]
		a.sniff(f, h.bytes[:h.n], h.err)
		if c.err != nil {
			h.look.err = c.err
		}
		a.keepLook(c.file, h.look)
		if !c.owned && h.err == nil && !c.whole && c.err == nil && !a.failed[f.Path] && textual(h.bytes[:min(h.n, 512)]) && (loadable(f.Path) || a.mayHide(c.file, h.bytes[:h.n])) {
			a.texts[c.file] = true
		}
	})
	a.probeAll(ctx)
	slices.SortStableFunc(a.zips, func(x, y nestedZip) int { return a.vol.Compare(a.byPath[x.file.Path], a.byPath[y.file.Path]) })
}

func isText(p string) bool {
	base := strings.ToLower(path.Base(p))
	if strings.IndexByte(base, '.') < 0 {
		return textNames[base]
	}
	return textExtensions[path.Ext(base)]
}

// sniff says what a file is by its first bytes, or that they cannot be read.
func (a *artifact) sniff(f *bundle.File, head []byte, err error) {
	n := len(head)
	if bytes.HasPrefix(head, []byte("#!")) {
		a.contains[f.Path] = true
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && n < 16 {
		if codeLike(f.Path, f.Mode) {
			a.contains[f.Path] = !isText(f.Path)
			a.unread(f.Path, fmt.Errorf("read first bytes: %w", err))
		}
		return
	}
	e := executable{path: f.Path}
	switch {
	case n >= 16 && path.Ext(f.Path) == ".pyc":
		a.uncheckedCode(f.Path, head)
		return
	case javaNamed(f.Path) && !a.owners.owns(f.Path):
		a.zips = append(a.zips, nestedZip{f})
		return
	case n < 16:
		a.bootstrap(f, head)
		return
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		e.mime = mimeExecutable
		if elfShared(head) {
			e.mime = mimeShared
		}
		e.packed = bytes.Contains(head, []byte("UPX!"))
	case bytes.HasPrefix(head, []byte("MZ")) && isPE(head):
		e.mime = mimePE
		e.packed = bytes.Contains(head, []byte("UPX0\x00")) && bytes.Contains(head, []byte("UPX1\x00"))
	case machO(head):
		e.mime = mimeMach
		e.packed = bytes.Contains(head, []byte("UPX!"))
	default:
		a.sniffArchive(f, head)
		a.container(f, head)
		a.phar(f, head)
		a.bootstrap(f, head)
		return
	}
	a.contains[f.Path] = true
	e.shared = e.mime == mimeShared || strings.HasSuffix(f.Path, ".dll") || strings.HasSuffix(f.Path, ".node") || strings.Contains(path.Base(f.Path), ".so")
	if f.Size > a.opts.MaxExecutable {
		a.unread(f.Path, &limitError{fmt.Sprintf("executable of %d bytes", f.Size), a.opts.MaxExecutable})
		return
	}
	if a.nativeBytes += f.Size; a.nativeBytes > a.opts.MaxNative {
		a.unread(f.Path, &limitError{fmt.Sprintf("%d bytes of executables in one artifact", a.nativeBytes), a.opts.MaxNative})
		return
	}
	a.executables = append(a.executables, e)
}

func elfShared(head []byte) bool {
	order := binary.ByteOrder(binary.LittleEndian)
	if head[5] == 2 {
		order = binary.BigEndian
	}
	return len(head) >= 18 && order.Uint16(head[16:]) == 3 // ET_DYN; position-independent programs have it too
}

// isPE checks that the header that a DOS stub points to is there, since two
// letters alone are no magic number.
func isPE(head []byte) bool {
	if len(head) < 64 {
		return false
	}
	at := binary.LittleEndian.Uint32(head[60:])
	if int64(at) > int64(len(head))-4 {
		return at < 1<<20 // beyond what was sniffed
	}
	return bytes.HasPrefix(head[at:], []byte("PE\x00\x00"))
}

func machO(head []byte) bool {
	switch binary.BigEndian.Uint32(head) {
	case 0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe:
		return true
	case 0xcafebabe: // also the magic of Java classes, where a version above 44 follows
		return binary.BigEndian.Uint32(head[4:]) < 20
	}
	return false
}

// evident marks an executable as accounted for.
func (a *artifact) evident(p string) {
	for i := range a.executables {
		if a.executables[i].path == p {
			a.executables[i].evident = true
		}
	}
}

// opaqueExecutable says why nothing is known about an executable, in words
// that tell the user what it is.
func (a *artifact) opaqueExecutable(e *executable) string {
	switch {
	case e.packed:
		return "packed with UPX"
	case e.unsafe != "":
		return "executable that is not safe to open: " + e.unsafe
	case a.looksGo(e):
		return "Go binary without build information"
	case e.shared && strings.Contains(path.Base(e.path), ".so"):
		return "shared library that no package accounts for"
	}
	return "executable without package information"
}

// looksGo reports whether an executable without build information is one of Go.
func (a *artifact) looksGo(e *executable) bool {
	if e.searched || e.golang {
		return e.golang
	}
	c, err := a.native(e.path)
	if err != nil {
		return false
	}
	defer c.Close()
	return goWithoutInfo(c) || hasGoMarks(c)
}

// goWithoutInfo reports whether the marks of Go's linker are where it puts
// them, near the start or in the section table. It reads little, so that it can
// be asked about every native file of a package; the caller knows that the file
// has no build information.
func goWithoutInfo(c io.ReaderAt) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = false // debug/elf on hostile bytes
		}
	}()
	head := make([]byte, 64<<10)
	n, _ := c.ReadAt(head, 0)
	if bytes.Contains(head[:n], []byte("Go build ID: ")) {
		return true
	}
	f, err := elf.NewFile(c)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(f.Sections, func(s *elf.Section) bool {
		return s.Name == ".gopclntab" || s.Name == ".data.rel.ro.gopclntab" || s.Name == ".note.go.buildid"
	})
}

// hasGoMarks searches the start of a file for what Go's linker always leaves.
func hasGoMarks(c io.ReaderAt) bool {
	buf := make([]byte, 64<<10)
	for at := int64(0); at < 64<<20; {
		n, err := c.ReadAt(buf, at)
		if bytes.Contains(buf[:n], []byte(".gopclntab")) || bytes.Contains(buf[:n], []byte("Go build ID: ")) || bytes.Contains(buf[:n], []byte("runtime.goexit")) {
			return true
		}
		if err != nil {
			return false
		}
		at += int64(n)
	}
	return false
}
