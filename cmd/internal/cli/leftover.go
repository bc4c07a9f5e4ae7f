package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// leftoverAge is how much older than a new temporary file one is that nothing
// writes to any more: a run takes minutes, and what it writes is as new as its last
// page. Both times are of the folder's own clock.
const leftoverAge = 24 * time.Hour

// tempPrefix and tempSuffix surround the digits that tell the temporary files of one
// output apart.
func tempPrefix(name string) string { return "." + filepath.Base(name) + "." }

const tempSuffix = ".tmp"

// removeLeftovers removes what earlier runs that were killed left beside an output.
// A run of the same output that goes on now keeps its own, and so does whatever has
// another name, or is no file. What cannot be removed stays.
func removeLeftovers(name string, begun os.FileInfo) {
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(1000)
		for _, n := range names {
			if isTemp(n, name) {
				removeOld(filepath.Join(filepath.Dir(name), n), begun.ModTime())
			}
		}
		if err != nil || len(names) == 0 {
			return
		}
	}
}

// removeOld removes a file that was last written long before a time.
func removeOld(path string, before time.Time) {
	st, err := os.Lstat(path)
	if err == nil && st.Mode().Type() == fs.FileMode(0) && before.Sub(st.ModTime()) > leftoverAge {
		os.Remove(path)
	}
}

// isTemp says whether a file name is that of a temporary file of an output.
func isTemp(file, name string) bool {
	digits, ok := strings.CutPrefix(file, tempPrefix(name))
	if !ok {
		return false
	}
	digits, ok = strings.CutSuffix(digits, tempSuffix)
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}
