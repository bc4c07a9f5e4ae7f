package registry

import (
	"bytes"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
)

// TestArriveFullDisk fetches an archive onto disks of every size from too small
// to large enough. It needs the right to mount one.
func TestArriveFullDisk(t *testing.T) {
	s := &slowArchive{data: bytes.Repeat([]byte("lamp "), 20_000)}
	failed, worked := 0, 0
	for kb := 16; kb <= 320; kb += 16 {
		dir := t.TempDir()
		if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kb)); err != nil {
			t.Skip("cannot mount a file system:", err)
		}
		func() {
			defer syscall.Unmount(dir, 0)
			c := slowClient(t, dir, s)
			c.Notice = nil
			a, err := c.Archive(t.Context(), lampPackage, "1.0.0", "")
			if a.Close(); err != nil {
				failed++
			} else {
				worked++
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "temp", "*")); len(left) > 0 {
				t.Errorf("%d KB: left behind: %q", kb, left)
			}
			c.Online = false
			wholeOrNone(t, c, s.data, false)
		}()
	}
	if failed < 3 || worked < 3 {
		t.Errorf("%d downloads failed, %d worked", failed, worked)
	}
}
