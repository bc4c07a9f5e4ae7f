package registry

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDirectory bounds the list of files at the end of a wheel, in bytes: read,
// it takes ten times as much. The longest real ones have about one million.
const maxDirectory = 8 << 20

// wheelMetadata takes the METADATA out of a wheel
// (https://packaging.python.org/en/latest/specifications/binary-distribution-format/):
// the one in the folder of its own name, of which there must be one.
func wheelMetadata(a *Archive, p Package) ([]byte, error) {
	if err := shortDirectory(a.Bytes, a.Size); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(a.Bytes, a.Size)
	if err != nil {
		return nil, errors.New("it is not a zip archive that can be read")
	}
	name, _ := pypiName(p.Name)
	var found *zip.File
	for _, f := range z.File {
		folder, file, ok := strings.Cut(f.Name, "/")
		stem, of := strings.CutSuffix(folder, ".dist-info")
		if !ok || !of || file != "METADATA" {
			continue
		}
		project, _, _ := strings.Cut(stem, "-")
		if said, _ := pypiName(project); said != name {
			continue
		}
		if found != nil {
			return nil, errors.New("it has two of them")
		}
		found = f
	}
	if found == nil {
		return nil, errors.New("it has none")
	}
	r, err := found.Open()
	if err != nil {
		return nil, fmt.Errorf("it cannot be unpacked: %w", err)
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, maxMetadata+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("it cannot be unpacked: %w", err)
	case len(body) > maxMetadata:
		return nil, fmt.Errorf("it has more than %d bytes", maxMetadata)
	}
	return body, nil
}

// shortDirectory says what is wrong with the end of a zip archive: its list of
// files is read from where that says, up to the end, whatever its length. The
// long form (Zip64), which no wheel needs that is read here, is refused.
func shortDirectory(r io.ReaderAt, size int64) error {
	const record = 22 // bytes of the end record without its comment
	tail := make([]byte, min(size, record+0xffff))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return fmt.Errorf("read its end: %w", err)
	}
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || len(tail)-i < record {
		return errors.New("it is not a zip archive that can be read")
	}
	end := tail[i:]
	length, offset := int64(binary.LittleEndian.Uint32(end[12:])), int64(binary.LittleEndian.Uint32(end[16:]))
	if length == 0xffffffff || offset == 0xffffffff || binary.LittleEndian.Uint16(end[10:]) == 0xffff {
		return errors.New("its list of files is too long")
	}
	start := size - int64(len(tail)) + int64(i) - length
	if min(start, offset) < size-maxDirectory {
		return errors.New("its list of files is too long")
	}
	return nil
}
