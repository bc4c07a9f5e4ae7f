package integrity

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"path"
	"slices"
)

// listingForm names how a listing is kept. It has another number after any
// change of what readArchive puts into one.
const listingForm = "files of an npm archive 1"

// maxListedPath bounds a path in a kept listing, in bytes: archive/tar reads none
// that is longer.
const maxListedPath = 1 << 20

// encode writes a listing: what it took to unpack it, package.json, and a line
// for each file, in the order of their paths. Numbers are unsigned varints.
//
//	unpacked  0, or 1+length and package.json  count  (length path size SHA-256)*
func (l *listing) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(l.unpacked))
	if l.manifest == nil {
		b = append(b, 0)
	} else {
		b = binary.AppendUvarint(b, uint64(len(l.manifest))+1)
		b = append(b, l.manifest...)
	}
	b = binary.AppendUvarint(b, uint64(len(l.files)))
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		f := l.files[name]
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
		b = binary.AppendUvarint(b, uint64(f.size))
		b = append(b, f.sha256...)
	}
	return b
}

var errListing = errors.New("the list of its published files is not one")

// parseListing reads what encode wrote, and nothing else.
func parseListing(b []byte) (*listing, error) {
	r := &listingReader{rest: string(b)} // every path is a part of it
	l := &listing{unpacked: int64(r.number(maxUnpacked + 1))}
	if n := r.number(maxManifest + 1); n > 0 {
		l.manifest = []byte(r.text(n - 1))
	}
	count := r.number(maxArchiveFiles)
	l.files = make(map[string]published, min(count, len(r.rest)/minListed))
	last := ""
	for i := 0; i < count && !r.bad; i++ {
		name := r.text(r.number(maxListedPath))
		f := published{size: int64(r.number(maxUnpacked)), sha256: r.text(sha256.Size)}
		if i > 0 && name <= last || name != path.Clean(name) || !inside(name) {
			r.bad = true
		}
		l.files[name], last = f, name
	}
	if r.bad || r.rest != "" {
		return nil, errListing
	}
	return l, nil
}

// minListed is the fewest bytes that a file takes in a listing.
const minListed = 1 + 1 + 1 + sha256.Size

// listingReader takes one value after the other. Once one was bad all others are
// empty.
type listingReader struct {
	rest string
	bad  bool
}

func (r *listingReader) number(most int) int {
	var n uint64
	for i := 0; ; i++ {
		if r.bad || i == len(r.rest) || i == binary.MaxVarintLen32 {
			r.bad = true
			return 0
		}
		n |= uint64(r.rest[i]&0x7f) << (7 * i)
		if r.rest[i] < 0x80 {
			r.rest = r.rest[i+1:]
			break
		}
	}
	if n > uint64(most) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *listingReader) text(length int) string {
	if r.bad || length > len(r.rest) {
		r.bad = true
		return ""
	}
	s := r.rest[:length]
	r.rest = r.rest[length:]
	return s
}
