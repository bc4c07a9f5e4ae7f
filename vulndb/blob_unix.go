//go:build unix

package vulndb

import (
	"fmt"
	"os"
	"syscall"
)

// mapped is a file in memory. The kernel reads the pages that are touched and
// may drop them again, so a store costs only what is looked up. The file may
// be unlinked while it is mapped.
type mapped []byte

// openBlob maps a file for reading.
func openBlob(path string) (blob, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() < headerSize || st.Size() != int64(int(st.Size())) || !st.Mode().IsRegular() {
		return nil, damaged("%s has %d bytes", path, st.Size())
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(st.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return mapped(b), nil
}

func (m mapped) bytes(off uint64, n int) ([]byte, error) { return memory(m).bytes(off, n) }
func (m mapped) size() int64                             { return int64(len(m)) }
func (m mapped) close() error                            { return syscall.Munmap(m) }
