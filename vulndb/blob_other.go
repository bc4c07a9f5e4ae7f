//go:build !unix

package vulndb

import (
	"fmt"
	"io"
	"os"
)

// storeFile reads at each lookup. On Windows a mapped file could not be replaced or
// removed while anything has it mapped.
type storeFile struct {
	f *os.File
	n int64
}

// openBlob opens a file for reading.
func openBlob(path string) (blob, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if st.Size() < headerSize || !st.Mode().IsRegular() {
		f.Close()
		return nil, damaged("%s has %d bytes", path, st.Size())
	}
	return &storeFile{f, st.Size()}, nil
}

func (f *storeFile) bytes(off uint64, n int) ([]byte, error) {
	if off > uint64(f.n) || uint64(n) > uint64(f.n)-off {
		return nil, damaged("read outside the file")
	}
	b := make([]byte, n)
	if _, err := f.f.ReadAt(b, int64(off)); err != nil && err != io.EOF {
		return nil, fmt.Errorf("read store: %w", err)
	} else if err == io.EOF {
		return nil, damaged("the file is shorter than it was")
	}
	return b, nil
}
func (f *storeFile) size() int64  { return f.n }
func (f *storeFile) close() error { return f.f.Close() }
