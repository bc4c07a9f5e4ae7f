package integrity

import (
	"cmp"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"slices"
)

// NuGet leaves .nupkg.metadata beside each archive in its folder of packages,
// and in it the digest of what the archive holds besides its signature; what that
// is stands in NuGet's source alone (NuGet.Packaging: PackageArchiveReader and
// SignedPackageArchiveUtility.GetPackageContentHash). Of an archive that is not
// signed that is the SHA-512 digest of the whole; of one that is, the digest that
// it has when the signature is taken out and what follows moves up.
const (
	nupkgMetadata  = ".nupkg.metadata"
	nupkgSignature = ".signature.p7s"
)

// Limits on what is read of them, in bytes.
const (
	maxNupkgMetadata = 64 << 10 // the address of a registry is in it
	maxNupkgTail     = 4 << 20  // of the directory at the end of an archive
)

// expectContent notes what .nupkg.metadata says of the one archive beside it. A
// file that cannot be read says something, and nobody knows what.
func (s *shipped) expectContent(a *shippedArchive) {
	dir := path.Dir(s.files.path(a.at))
	volume := s.files.volumes[a.at.volume]
	i, ok := volume.Find(path.Join(dir, nupkgMetadata))
	if !ok || s.nupkgs[infoKey{a.at.volume, dir}] != 1 {
		return
	}
	at := place{a.at.volume, i}
	e := expectation{alg: algSHA512, source: s.files.path(at), content: true}
	data, err := s.files.read(at, maxNupkgMetadata)
	if err == nil {
		var sum string
		sum, err = contentHash(data)
		e.values = []string{sum}
	}
	e.err = err
	a.expected = append(a.expected, e)
}

// contentHash reads a .nupkg.metadata: raw bytes of the digest.
func contentHash(data []byte) (string, error) {
	var doc struct {
		ContentHash string `json:"contentHash"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return "", fmt.Errorf("it is not what NuGet writes: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(doc.ContentHash)
	if err != nil || len(raw) != sha512.Size {
		return "", errors.New("its contentHash is no SHA-512 digest")
	}
	return string(raw), nil
}

// hasContent reports whether an archive that as a whole has another digest holds
// what .nupkg.metadata says: only one that is signed can.
func (s *shipped) hasContent(at place, want string) (bool, error) {
	z, err := s.nupkg(at)
	if err != nil || z == nil {
		return false, err
	}
	r, err := s.files.trees[at.volume].Open(s.files.path(at))
	if err != nil {
		return false, err
	}
	defer r.Close()
	h := sha512.New()
	if err := z.hash(h, r); err != nil {
		return false, err
	}
	return string(h.Sum(nil)) == want, nil
}

// nupkg reads the directory of an archive; nil when that is not signed.
func (s *shipped) nupkg(at place) (*signedNupkg, error) {
	r, err := s.files.trees[at.volume].Open(s.files.path(at))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	tail, size, err := lastBytes(r, maxNupkgTail)
	if err != nil {
		return nil, err
	}
	return parseNupkg(tail, size)
}

// lastBytes reads to the end and returns the last bytes, at most limit, and how
// many there were in all.
func lastBytes(r io.Reader, limit int) (tail []byte, size int64, err error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		size += int64(n)
		if tail = append(tail, buf[:n]...); len(tail) > 2*limit {
			tail = append(tail[:0], tail[len(tail)-limit:]...)
		}
		switch {
		case err == io.EOF:
			return tail[max(0, len(tail)-limit):], size, nil
		case err != nil:
			return nil, 0, err
		}
	}
}

// signedNupkg is a signed archive: where its signature is, and its directory.
type signedNupkg struct {
	from, to int64    // the signature: its header and its bytes
	start    int64    // of the directory
	entries  [][]byte // of the directory, but for the signature's; with their places as they are without it
	end      []byte   // the record behind it, likewise
}

// Sizes of the parts of a zip, in bytes, and what they begin with
// (APPNOTE.TXT 4.3.12 and 4.3.16).
const (
	zipEntrySize = 46
	zipEndSize   = 22
	zipEntry     = 0x02014b50
	zipEnd       = 0x06054b50
)

var errNupkg = errors.New("its directory is not one that NuGet writes, so what it holds besides a signature has no digest")

// parseNupkg reads the directory at the end of an archive of that size; nil when
// that is not signed. What could be read in two ways is refused.
func parseNupkg(tail []byte, size int64) (*signedNupkg, error) {
	at := zipEndIn(tail)
	if at < 0 {
		return nil, errNupkg
	}
	le, end := binary.LittleEndian, slices.Clone(tail[at:])
	count, length, start := int(le.Uint16(end[10:])), int64(le.Uint32(end[12:])), int64(le.Uint32(end[16:]))
	begin := int64(at) - length // in tail
	if le.Uint16(end[8:]) != le.Uint16(end[10:]) || begin < 0 || start != size-int64(len(tail))+begin {
		return nil, errNupkg
	}
	z := &signedNupkg{start: start, end: end, from: -1}
	rest, places := tail[begin:at], []int64{start}
	var signature []byte
	for ; len(rest) > 0; count-- {
		entry, name := cutZipEntry(rest)
		if entry == nil {
			return nil, errNupkg
		}
		rest = rest[len(entry):]
		place := int64(le.Uint32(entry[42:]))
		places = append(places, place)
		switch {
		case name != nupkgSignature:
			z.entries = append(z.entries, slices.Clone(entry))
		case signature != nil:
			return nil, errNupkg
		default:
			signature, z.from = entry, place
		}
	}
	slices.Sort(places)
	if count != 0 || places[len(places)-1] != start || len(slices.Compact(slices.Clone(places))) != len(places) {
		return nil, errNupkg
	}
	if signature == nil {
		return nil, nil
	}
	z.to = places[slices.Index(places, z.from)+1]
	z.without(signature)
	return z, nil
}

// without writes the directory as it is without the signature.
func (z *signedNupkg) without(signature []byte) {
	le, moved := binary.LittleEndian, uint32(z.to-z.from)
	for _, e := range z.entries {
		if place := le.Uint32(e[42:]); int64(place) > z.from {
			le.PutUint32(e[42:], place-moved)
		}
	}
	count := le.Uint16(z.end[8:]) - 1
	le.PutUint16(z.end[8:], count)
	le.PutUint16(z.end[10:], count)
	le.PutUint32(z.end[12:], le.Uint32(z.end[12:])-uint32(len(signature)))
	le.PutUint32(z.end[16:], le.Uint32(z.end[16:])-moved)
}

// hash hashes the archive that r has without its signature.
func (z *signedNupkg) hash(h hash.Hash, r io.Reader) error {
	_, first := io.CopyN(h, r, z.from)
	_, skipped := io.CopyN(io.Discard, r, z.to-z.from)
	_, second := io.CopyN(h, r, z.start-z.to)
	for _, e := range z.entries {
		h.Write(e)
	}
	h.Write(z.end)
	return cmp.Or(first, skipped, second)
}

// zipEndIn is where the last record of an archive begins; -1 when there is none
// that reaches to the end, or one of an archive that needs larger numbers.
func zipEndIn(tail []byte) int {
	le := binary.LittleEndian
	for at := len(tail) - zipEndSize; at >= max(0, len(tail)-zipEndSize-0xffff); at-- {
		if le.Uint32(tail[at:]) != zipEnd {
			continue
		}
		if at+zipEndSize+int(le.Uint16(tail[at+20:])) != len(tail) || le.Uint16(tail[at+10:]) == 0xffff || le.Uint32(tail[at+16:]) == 0xffffffff {
			return -1
		}
		return at
	}
	return -1
}

// cutZipEntry is the first entry of a directory and its name; nil when it is none.
func cutZipEntry(b []byte) (entry []byte, name string) {
	le := binary.LittleEndian
	if len(b) < zipEntrySize || le.Uint32(b) != zipEntry || le.Uint32(b[42:]) == 0xffffffff {
		return nil, ""
	}
	named := zipEntrySize + int(le.Uint16(b[28:]))
	whole := named + int(le.Uint16(b[30:])) + int(le.Uint16(b[32:]))
	if whole > len(b) {
		return nil, ""
	}
	return b[:whole], string(b[zipEntrySize:named])
}
