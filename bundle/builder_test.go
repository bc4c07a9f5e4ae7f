package bundle

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
)

// ent is one entry of a zip made for a test. Zero fields come out right; the
// others are how it lies.
type ent struct {
	name  string
	body  string
	store bool   // not deflated
	mode  uint32 // Unix mode; 0: 0100644
	host  byte   // 0: Unix

	localName   string // what the local header says instead
	localMethod uint16
	method      uint16 // in both headers; 0: as packed
	flags       uint16
	packed      []byte // the packed bytes as given, not made from body
	crc         *uint32
	size        *uint32
	packedSize  *uint32
	descriptor  string // "", "sig32", "bare32", "sig64", "wrong"
	zip64       bool
	unlisted    bool // no directory entry
	sameAs      int  // 1-based: shares the local header of that entry
	offset      *uint32
	extra       []byte // of the directory entry
}

// zipOf is a zip to be written.
type zipOf struct {
	prefix   string
	adjusted bool // offsets count the prefix
	entries  []ent
	between  map[int]string // bytes in front of entry i
	beforeCD string
	afterCD  string
	comment  string
	count    *uint16
	cdSize   *uint32
	cdOffset *uint32
	after    string
	zip64    bool
}

func u16(v uint16) *uint16 { return &v }
func u32(v uint32) *uint32 { return &v }

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 9)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// bytes writes the zip.
func (z zipOf) bytes() []byte {
	le := binary.LittleEndian
	out := []byte(z.prefix)
	base := uint32(len(out))
	if z.adjusted {
		base = 0
	}
	var dir []byte
	offsets := make([]uint32, len(z.entries))
	listed := uint16(0)
	for i, e := range z.entries {
		out = append(out, z.between[i]...)
		body := []byte(e.body)
		packed, method := deflated(body), uint16(8)
		if e.store {
			packed, method = body, 0
		}
		if e.packed != nil {
			packed = e.packed
		}
		if e.method != 0 {
			method = e.method
		}
		crc, size, psize := crc32.ChecksumIEEE(body), uint32(len(body)), uint32(len(packed))
		if e.crc != nil {
			crc = *e.crc
		}
		if e.size != nil {
			size = *e.size
		}
		if e.packedSize != nil {
			psize = *e.packedSize
		}
		flags := e.flags
		if e.descriptor != "" {
			flags |= flagDescriptor
		}
		offsets[i] = uint32(len(out)) - base
		if e.sameAs > 0 {
			offsets[i] = offsets[e.sameAs-1]
		} else {
			name, lm := e.name, method
			if e.localName != "" {
				name = e.localName
			}
			if e.localMethod != 0 {
				lm = e.localMethod
			}
			lcrc, lsize, lpsize := crc, size, psize
			if e.descriptor != "" {
				lcrc, lsize, lpsize = 0, 0, 0
			}
			var extra []byte
			if e.zip64 {
				extra = le.AppendUint16(extra, 1)
				extra = le.AppendUint16(extra, 16)
				extra = le.AppendUint64(extra, uint64(size))
				extra = le.AppendUint64(extra, uint64(psize))
				lsize, lpsize = 0xffffffff, 0xffffffff
			}
			out = append(out, sigLocal...)
			out = le.AppendUint16(out, 20)
			out = le.AppendUint16(out, flags)
			out = le.AppendUint16(out, lm)
			out = le.AppendUint32(out, 0)
			out = le.AppendUint32(out, lcrc)
			out = le.AppendUint32(out, lpsize)
			out = le.AppendUint32(out, lsize)
			out = le.AppendUint16(out, uint16(len(name)))
			out = le.AppendUint16(out, uint16(len(extra)))
			out = append(out, name...)
			out = append(out, extra...)
			out = append(out, packed...)
			dcrc := crc
			switch e.descriptor {
			case "wrong":
				dcrc ^= 1
				fallthrough
			case "sig32":
				out = append(out, sigDesc...)
				fallthrough
			case "bare32":
				out = le.AppendUint32(out, dcrc)
				out = le.AppendUint32(out, psize)
				out = le.AppendUint32(out, size)
			case "sig64":
				out = append(out, sigDesc...)
				out = le.AppendUint32(out, dcrc)
				out = le.AppendUint64(out, uint64(psize))
				out = le.AppendUint64(out, uint64(size))
			}
		}
		if e.unlisted {
			continue
		}
		listed++
		mode, host := e.mode, e.host
		if mode == 0 {
			mode = 0o100644
		}
		if host == 0 {
			host = 3
		}
		offset := offsets[i]
		if e.offset != nil {
			offset = *e.offset
		}
		extra := e.extra
		if e.zip64 {
			extra = le.AppendUint16(nil, 1)
			extra = le.AppendUint16(extra, 24)
			extra = le.AppendUint64(extra, uint64(size))
			extra = le.AppendUint64(extra, uint64(psize))
			extra = le.AppendUint64(extra, uint64(offset))
			size, psize, offset = 0xffffffff, 0xffffffff, 0xffffffff
		}
		dir = append(dir, sigCentral...)
		dir = append(dir, 20, host)
		dir = le.AppendUint16(dir, 20)
		dir = le.AppendUint16(dir, flags)
		dir = le.AppendUint16(dir, method)
		dir = le.AppendUint32(dir, 0)
		dir = le.AppendUint32(dir, crc)
		dir = le.AppendUint32(dir, psize)
		dir = le.AppendUint32(dir, size)
		dir = le.AppendUint16(dir, uint16(len(e.name)))
		dir = le.AppendUint16(dir, uint16(len(extra)))
		dir = le.AppendUint16(dir, 0)
		dir = le.AppendUint16(dir, 0)
		dir = le.AppendUint16(dir, 0)
		dir = le.AppendUint32(dir, mode<<16)
		dir = le.AppendUint32(dir, offset)
		dir = append(dir, e.name...)
		dir = append(dir, extra...)
	}
	out = append(out, z.beforeCD...)
	cdOffset, cdSize, count := uint32(len(out))-base, uint32(len(dir)), listed
	out = append(out, dir...)
	out = append(out, z.afterCD...)
	if z.zip64 {
		at := uint64(len(out)) - uint64(base)
		out = append(out, sigEnd64...)
		out = le.AppendUint64(out, 44)
		out = append(out, 45, 3, 45, 0)
		out = le.AppendUint64(out, 0) // both disk numbers
		out = le.AppendUint64(out, uint64(count))
		out = le.AppendUint64(out, uint64(count))
		out = le.AppendUint64(out, uint64(cdSize))
		out = le.AppendUint64(out, uint64(cdOffset))
		out = append(out, sigLocator...)
		out = le.AppendUint32(out, 0)
		out = le.AppendUint64(out, at)
		out = le.AppendUint32(out, 1)
		cdOffset, cdSize, count = 0xffffffff, 0xffffffff, 0xffff
	}
	if z.count != nil {
		count = *z.count
	}
	if z.cdSize != nil {
		cdSize = *z.cdSize
	}
	if z.cdOffset != nil {
		cdOffset = *z.cdOffset
	}
	out = append(out, sigEnd...)
	out = le.AppendUint32(out, 0)
	out = le.AppendUint16(out, count)
	out = le.AppendUint16(out, count)
	out = le.AppendUint32(out, cdSize)
	out = le.AppendUint32(out, cdOffset)
	out = le.AppendUint16(out, uint16(len(z.comment)))
	out = append(out, z.comment...)
	return append(out, z.after...)
}

// plain is a zip of honest files: name, content, name, content, ...
func plain(nameBody ...string) []byte {
	var z zipOf
	for i := 0; i < len(nameBody); i += 2 {
		z.entries = append(z.entries, ent{name: nameBody[i], body: nameBody[i+1]})
	}
	return z.bytes()
}

// openBytes opens a zip held in memory.
func openBytes(t testing.TB, b []byte, lim Limits) (*Volume, error) {
	t.Helper()
	p, err := openZip(context.Background(), memory(b), lim.withDefaults(), &decoders{})
	if err != nil {
		return nil, err
	}
	return newVolume(p, "test"), nil
}

func mustOpen(t testing.TB, b []byte) *Volume {
	t.Helper()
	v, err := openBytes(t, b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// save writes files below a new folder and returns it.
func save(t testing.TB, nameBody ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(nameBody); i += 2 {
		p := filepath.Join(dir, filepath.FromSlash(nameBody[i]))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(nameBody[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
