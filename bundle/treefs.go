package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// errFolder says that a file was asked for and a folder is there.
var errFolder = fmt.Errorf("is a folder: %w", fs.ErrInvalid)

var (
	_ fs.ReadLinkFS = (*Tree)(nil)
	_ fs.ReadDirFS  = (*Tree)(nil)
	_ fs.StatFS     = (*Tree)(nil)
	_ fs.ReadFileFS = (*Tree)(nil)
)

// Open opens a file or a folder and follows links. A file is a [Content].
func (t *Tree) Open(name string) (fs.File, error) {
	n, err := t.lookup("open", name, true)
	if err != nil {
		return nil, err
	}
	if n.file < 0 {
		return &folderFile{t: t, path: n.path, name: name}, nil
	}
	return t.content(n.file, name), nil
}

// Content opens a regular file and follows links inside the tree.
func (t *Tree) Content(name string) (Content, error) {
	n, err := t.lookup("open", name, true)
	if err != nil {
		return nil, err
	}
	if n.file < 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errFolder}
	}
	return t.content(n.file, name), nil
}

// ReadFile returns the content of a regular file. The error wraps
// ErrUnreadable when it cannot be had or is not what the artifact declares.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	n, err := t.lookup("read", name, true)
	if err != nil {
		return nil, err
	}
	if n.file < 0 {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errFolder}
	}
	v, i := t.at(n.file)
	b, err := v.readAll(i)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return b, nil
}

// Peek reads up to len(buf) first bytes of a regular file, cheaply: they are
// not checked against the CRC, and no notice comes of it. Fewer bytes without
// an error mean that the file is shorter.
func (t *Tree) Peek(name string, buf []byte) (int, error) {
	n, err := t.lookup("peek", name, true)
	if err != nil {
		return 0, err
	}
	if n.file < 0 {
		return 0, &fs.PathError{Op: "peek", Path: name, Err: errFolder}
	}
	v, i := t.at(n.file)
	l := v.listing()
	got, err := v.peek(&l.entries[i], l.files[i].Size, buf)
	if err != nil {
		return got, &fs.PathError{Op: "peek", Path: name, Err: err}
	}
	return got, nil
}

// Stat describes what name leads to.
func (t *Tree) Stat(name string) (fs.FileInfo, error) {
	n, err := t.lookup("stat", name, true)
	if err != nil {
		return nil, err
	}
	return t.info(n, base(name)), nil
}

// Lstat describes name itself, which may be a link.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	n, err := t.lookup("lstat", name, false)
	if err != nil {
		return nil, err
	}
	return t.info(n, base(name)), nil
}

// ReadLink returns the target of a link as the artifact stores it.
func (t *Tree) ReadLink(name string) (string, error) {
	n, err := t.lookup("readlink", name, false)
	if err != nil {
		return "", err
	}
	if n.file < 0 || t.files[n.file].Mode&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return t.files[n.file].Link, nil
}

// ReadDir lists a folder, sorted by name. Folders exist as far as something
// lies in them or is mounted there.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.lookup("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if n.file >= 0 {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a folder")}
	}
	return t.list(n.path), nil
}

func (t *Tree) list(dir string) []fs.DirEntry {
	prefix := ""
	if dir != "." {
		prefix = dir + "/"
	}
	var out []fs.DirEntry
	seek := func(from int, p string) int {
		j, _ := slices.BinarySearchFunc(t.files[from:], p, func(f File, p string) int { return strings.Compare(f.Path, p) })
		return from + j
	}
	for i := seek(0, prefix); i < len(t.files) && strings.HasPrefix(t.files[i].Path, prefix); {
		name, _, deeper := strings.Cut(t.files[i].Path[len(prefix):], "/")
		if !deeper {
			out = append(out, fs.FileInfoToDirEntry(t.info(node{t.files[i].Path, i}, name)))
			i++
			continue
		}
		out = append(out, fs.FileInfoToDirEntry(t.info(node{prefix + name, -1}, name)))
		i = seek(i, prefix+name+"0") // '0' follows '/': the first path outside
	}
	for _, m := range t.mounts {
		if m.Path != "" && strings.HasPrefix(m.Path, prefix) {
			name, _, _ := strings.Cut(m.Path[len(prefix):], "/")
			if name != "" {
				out = append(out, fs.FileInfoToDirEntry(t.info(node{prefix + name, -1}, name)))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return slices.CompactFunc(out, func(a, b fs.DirEntry) bool { return a.Name() == b.Name() })
}

func (t *Tree) info(n node, name string) fs.FileInfo {
	if n.file < 0 {
		return fileInfo{name: name, mode: fs.ModeDir | 0o555}
	}
	f := &t.files[n.file]
	size := f.Size
	return fileInfo{name: name, size: size, mode: f.Mode | 0o444}
}

func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// fileInfo describes a file or a folder. Times and permissions of an archive
// say nothing about what runs, so there are none.
type fileInfo struct {
	name string
	size int64
	mode fs.FileMode
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }

// folderFile is an open folder.
type folderFile struct {
	t      *Tree
	path   string
	name   string
	rest   []fs.DirEntry
	listed bool
}

func (d *folderFile) Stat() (fs.FileInfo, error) {
	return d.t.info(node{d.path, -1}, base(d.name)), nil
}
func (d *folderFile) Close() error { return nil }
func (d *folderFile) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errFolder}
}

// ReadDir follows the contract of fs.ReadDirFile.
func (d *folderFile) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.listed {
		d.rest, d.listed = d.t.list(d.path), true
	}
	if n <= 0 || n > len(d.rest) {
		if n > 0 && len(d.rest) == 0 {
			return nil, io.EOF
		}
		n = len(d.rest)
	}
	out := d.rest[:n:n]
	d.rest = d.rest[n:]
	return out, nil
}
