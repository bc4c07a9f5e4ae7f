package gate

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File is one file to write.
type File struct {
	Path string
	Data []byte
}

// Files are the attestations of one function as files: BASE and the suffix.
func Files(base string, list []Attestation) []File {
	var out []File
	for _, a := range list {
		out = append(out, File{base + a.Suffix, a.Bundle})
	}
	return out
}

// Write writes files all or none. Each is written beside its final name and is
// on the disk before the first gets its name. Summaries get theirs last, when
// everything else is in place. When that fails half-way, what already has its
// name is removed again; a kill in between leaves no summary of this run, or
// one whose other files are there.
func Write(files []File) error { return write(files, os.Rename) }

func write(files []File, rename func(from, to string) error) (err error) {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b File) int { return boolOrder(isSummary(a.Path), isSummary(b.Path)) })
	temps := make([]string, len(files))
	placed := 0
	defer func() {
		if err == nil {
			return
		}
		for _, t := range temps[placed:] {
			if t != "" {
				os.Remove(t)
			}
		}
		for _, f := range files[:placed] {
			os.Remove(f.Path)
		}
	}()
	for i, f := range files {
		if temps[i], err = stage(f); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, plain(err))
		}
	}
	for i, f := range files {
		if err := rename(temps[i], f.Path); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, plain(err))
		}
		placed = i + 1
	}
	syncFolders(files)
	return nil
}

func isSummary(path string) bool { return strings.HasSuffix(path, SummarySuffix) }

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// stage writes a file under a name of its own and returns it.
func stage(file File) (_ string, err error) {
	if st, err := os.Lstat(file.Path); err == nil && !st.Mode().IsRegular() {
		return "", errors.New("a link, or something else that is no regular file, has this name: remove it")
	}
	f, err := os.CreateTemp(filepath.Dir(file.Path), "."+filepath.Base(file.Path)+".*.tmp")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	if _, err := w.Write(file.Data); err != nil {
		return "", err
	}
	if err := errors.Join(w.Flush(), f.Chmod(0o644), f.Sync()); err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// syncFolders brings the new names to the disk. A file system that cannot do
// that has its own order.
func syncFolders(files []File) {
	done := map[string]bool{}
	for _, f := range files {
		dir := filepath.Dir(f.Path)
		if done[dir] {
			continue
		}
		done[dir] = true
		if d, err := os.Open(dir); err == nil {
			_ = d.Sync()
			d.Close()
		}
	}
}

// plain takes the temporary name out of an error.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}
