package rpmdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// The tags that are read (rpm, include/rpm/rpmtag.h, 4.20).
const (
	tagName        = 1000
	tagVersion     = 1001
	tagRelease     = 1002
	tagEpoch       = 1003
	tagVendor      = 1011
	tagLicense     = 1014
	tagArch        = 1022
	tagOldNames    = 1027 // file names, before they were split
	tagFileDigests = 1035
	tagFileFlags   = 1037
	tagSourceRPM   = 1044
	tagDirIndexes  = 1116
	tagBaseNames   = 1117
	tagDirNames    = 1118
)

// The types of a header's values.
const (
	typeInt32       = 4
	typeString      = 6
	typeStringArray = 8
	typeI18N        = 9
)

// fileGhost marks a file that the package reserves and does not bring
// (rpm, include/rpm/rpmfiles.h, RPMFILE_GHOST).
const fileGhost = 1 << 6

// maxText is how many bytes of one text value are kept.
const maxText = 4096

// header is a package's header as rpm stores it: two counts, an index of
// 16 bytes for each value, and the data that the index points into
// (https://rpm-software-management.github.io/rpm/manual/hdr_regions.html).
type header struct {
	data    []byte
	entries map[uint32]entry
}

type entry struct {
	typ, offset, count uint32
}

// room is what the limits leave for what is returned. A header gives a folder
// once and the names in it without it, so that a small one can describe paths
// of any length together.
type room struct {
	files int
	text  int64
}

// take makes room for n bytes of text.
func (r *room) take(n int) error {
	if r.text -= int64(n); r.text < 0 {
		return fmt.Errorf("the texts of the packages are %w", ErrLimit)
	}
	return nil
}

// parse reads one header as far as there is room.
func parse(blob []byte, left *room) (Package, error) {
	h, err := open(blob)
	if err != nil {
		return Package{}, err
	}
	p := Package{
		Name: h.text(tagName), Version: h.text(tagVersion), Release: h.text(tagRelease), Arch: h.text(tagArch),
		SourceRPM: h.text(tagSourceRPM), Vendor: h.text(tagVendor), License: h.text(tagLicense),
	}
	if epoch, err := h.numbers(tagEpoch, 1); err == nil && len(epoch) > 0 {
		p.Epoch, p.HasEpoch = int(epoch[0]), true
	}
	if p.Name == "" || p.Version == "" {
		return Package{}, fmt.Errorf("%w: a package without a name or a version", ErrFormat)
	}
	if err := left.take(len(p.Name) + len(p.Version) + len(p.Release) + len(p.Arch) + len(p.SourceRPM) + len(p.Vendor) + len(p.License)); err != nil {
		return Package{}, err
	}
	if p.SourceRPM == "(none)" {
		p.SourceRPM = ""
	}
	if p.Files, err = h.files(left); err != nil {
		return Package{}, fmt.Errorf("package %q: %w", p.Name, err)
	}
	return p, nil
}

func open(blob []byte) (*header, error) {
	if len(blob) < 8 {
		return nil, fmt.Errorf("%w: a header of %d bytes", ErrFormat, len(blob))
	}
	index, size := int64(binary.BigEndian.Uint32(blob)), int64(binary.BigEndian.Uint32(blob[4:]))
	if index == 0 || 8+16*index+size > int64(len(blob)) {
		return nil, fmt.Errorf("%w: a header that is longer than its bytes", ErrFormat)
	}
	h := &header{data: blob[8+16*index:][:size], entries: make(map[uint32]entry, 16)}
	for i := range index {
		e := blob[8+16*i:]
		switch tag := binary.BigEndian.Uint32(e); tag {
		case tagName, tagVersion, tagRelease, tagEpoch, tagVendor, tagLicense, tagArch, tagOldNames, tagFileDigests, tagFileFlags, tagSourceRPM, tagDirIndexes, tagBaseNames, tagDirNames:
			h.entries[tag] = entry{binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:]), binary.BigEndian.Uint32(e[12:])}
		}
	}
	return h, nil
}

// rest is the data from a value on; nil when there is no such value.
func (h *header) rest(tag uint32) (entry, []byte) {
	e, ok := h.entries[tag]
	if !ok || int64(e.offset) >= int64(len(h.data)) {
		return entry{}, nil
	}
	return e, h.data[e.offset:]
}

// text returns a string, or the first of several.
func (h *header) text(tag uint32) string {
	e, data := h.rest(tag)
	switch e.typ {
	case typeString, typeStringArray, typeI18N:
	default:
		return ""
	}
	end := bytes.IndexByte(data[:min(len(data), maxText)], 0)
	if end < 0 {
		return ""
	}
	return strings.ToValidUTF8(string(data[:end]), "\uFFFD")
}

// numbers returns at most limit 32-bit values; more are an error.
func (h *header) numbers(tag uint32, limit int) ([]uint32, error) {
	e, data := h.rest(tag)
	if data == nil || e.typ != typeInt32 {
		return nil, nil
	}
	if int64(e.count) > int64(limit) {
		return nil, fmt.Errorf("%d values are %w of %d", e.count, ErrLimit, limit)
	}
	if 4*int64(e.count) > int64(len(data)) {
		return nil, fmt.Errorf("%w: a list that is longer than its header", ErrFormat)
	}
	out := make([]uint32, e.count)
	for i := range out {
		out[i] = binary.BigEndian.Uint32(data[4*i:])
	}
	return out, nil
}

// texts returns at most limit strings; more are an error.
func (h *header) texts(tag uint32, limit int) ([]string, error) {
	e, data := h.rest(tag)
	if data == nil || e.typ != typeStringArray {
		return nil, nil
	}
	if int64(e.count) > int64(limit) {
		return nil, fmt.Errorf("%d files are %w of %d", e.count, ErrLimit, limit)
	}
	if int64(e.count) > int64(len(data)) {
		return nil, fmt.Errorf("%w: a list that is longer than its header", ErrFormat)
	}
	out := make([]string, e.count)
	for i := range out {
		end := bytes.IndexByte(data, 0)
		if end < 0 {
			return nil, fmt.Errorf("%w: a list that is longer than its header", ErrFormat)
		}
		out[i], data = string(data[:min(end, maxText)]), data[end+1:]
	}
	return out, nil
}

// files joins folders and names, and leaves out what the package only reserves.
func (h *header) files(left *room) ([]File, error) {
	limit := left.files
	names, err := h.texts(tagBaseNames, limit)
	if err != nil {
		return nil, err
	}
	folders, err := h.texts(tagDirNames, limit)
	if err != nil {
		return nil, err
	}
	of, err := h.numbers(tagDirIndexes, limit)
	if err != nil {
		return nil, err
	}
	if names == nil {
		if names, err = h.texts(tagOldNames, limit); err != nil {
			return nil, err
		}
		folders, of = []string{""}, make([]uint32, len(names))
	}
	if len(of) != len(names) {
		return nil, fmt.Errorf("%w: %d file names in %d folders", ErrFormat, len(names), len(of))
	}
	digests, err := h.texts(tagFileDigests, limit)
	if err != nil {
		return nil, err
	}
	flags, err := h.numbers(tagFileFlags, limit)
	if err != nil {
		return nil, err
	}
	out := make([]File, 0, len(names))
	for i, name := range names {
		if int64(of[i]) >= int64(len(folders)) {
			return nil, fmt.Errorf("%w: a file in folder %d of %d", ErrFormat, of[i], len(folders))
		}
		if i < len(flags) && flags[i]&fileGhost != 0 {
			continue
		}
		var f File
		if i < len(digests) {
			f.Digest = digests[i]
		}
		if err := left.take(len(folders[of[i]]) + len(name) + len(f.Digest)); err != nil {
			return nil, err
		}
		f.Path = folders[of[i]] + name
		out = append(out, f)
	}
	return out, nil
}
