// Command recipe packs the function packages of this folder.
//
//	recipe pack DIR OUT.zip   every file below DIR
//	recipe odd OUT.zip        a zip that breaks rules
//
// The same input gives the same bytes: entries are sorted, carry one fixed
// time and one of two modes, and are compressed by the Go release that the
// module names.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 4 && os.Args[1] == "pack":
		err = pack(os.Args[2], os.Args[3])
	case len(os.Args) == 3 && os.Args[1] == "odd":
		err = odd(os.Args[2])
	default:
		err = fmt.Errorf("usage: recipe pack DIR OUT.zip | recipe odd OUT.zip")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "recipe:", err)
		os.Exit(1)
	}
}

// dosDate is 1980-01-01, the earliest day that a zip can name; the time is 00:00.
const dosDate = 1<<5 | 1

// pack writes every regular file and symbolic link below dir to a zip.
func pack(dir, out string) error {
	var names []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(names)
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, name := range names {
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		info, err := os.Lstat(name)
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: filepath.ToSlash(rel), Method: zip.Deflate, ModifiedDate: dosDate}
		content := []byte(nil)
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			link, err := os.Readlink(name)
			if err != nil {
				return err
			}
			header.SetMode(fs.ModeSymlink | 0o777)
			content = []byte(link)
		case info.Mode().IsRegular():
			header.SetMode(0o644)
			if info.Mode()&0o111 != 0 {
				header.SetMode(0o755)
			}
			if content, err = os.ReadFile(name); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is neither a file nor a link", rel)
		}
		entry, err := w.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := entry.Write(content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(out, packed.Bytes(), 0o644)
}

// odd writes a zip with one of each rule broken that a central directory can
// break: what it names is harmless, and none of it should be followed.
func odd(out string) error {
	manifest := func(version string) string {
		return `{"name": "minimist", "version": "` + version + `", "license": "MIT"}` + "\n"
	}
	lie := func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 31 }
	entries := []struct {
		name, content string
		mode          fs.FileMode
		change        func(*zip.FileHeader)
	}{
		{"index.js", "'use strict';\nexports.handler = async () => require('minimist')([]);\n", 0o644, nil},
		{"node_modules/minimist/package.json", manifest("1.2.5"), 0o644, nil},
		{"node_modules/minimist/index.js", "module.exports = () => ({});\n", 0o644, nil},
		{"node_modules/minimist/package.json", manifest("1.2.8"), 0o644, nil},
		{"../../escape/package.json", manifest("0.0.8"), 0o644, nil},
		{"/absolute/package.json", manifest("0.0.9"), 0o644, nil},
		{`C:\drive\package.json`, manifest("0.0.10"), 0o644, nil},
		{`back\slash\package.json`, manifest("0.1.0"), 0o644, nil},
		{"passwd", "../../../../etc/passwd", fs.ModeSymlink | 0o777, nil},
		{"loop-a", "loop-b", fs.ModeSymlink | 0o777, nil},
		{"loop-b", "loop-a", fs.ModeSymlink | 0o777, nil},
		{"loop-a/through.js", "through a link\n", 0o644, nil},
		{"Index.js", "differs by case only\n", 0o644, nil},
		{"bell\x07\x1b[31m.js", "control characters in the name\n", 0o644, nil},
		{"setuid.sh", "#!/bin/sh\n", fs.ModeSetuid | 0o755, nil},
		{"crc.js", "the checksum is wrong\n", 0o644, func(h *zip.FileHeader) { h.CRC32 ^= 1 }},
		{"size.js", "the size is wrong\n", 0o644, lie},
		{"method.js", "nobody knows this method\n", 0o644, func(h *zip.FileHeader) { h.Method = 99 }},
		{"secret.js", "flagged as encrypted\n", 0o644, func(h *zip.FileHeader) { h.Flags |= 1 }},
	}
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Store, ModifiedDate: dosDate}
		header.NonUTF8 = strings.Contains(e.name, "\x07")
		header.SetMode(e.mode)
		header.CRC32 = crc32.ChecksumIEEE([]byte(e.content))
		header.CompressedSize64 = uint64(len(e.content))
		header.UncompressedSize64 = uint64(len(e.content))
		if e.change != nil {
			e.change(header)
		}
		entry, err := w.CreateRaw(header)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(entry, e.content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(out, packed.Bytes(), 0o644)
}
