package vulndb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// One .fdb file holds the advisories of one ecosystem, and never changes:
//
//	header        256 bytes, ends with its own checksum
//	blocks        about 4 KB of encoded advisories each, ordered by package, then id, compressed as an S2 block
//	block table   24 bytes per block: where it lies, how long it is, its checksum
//	package index buckets of names, each bucket with its checksum; then a table of where each bucket begins
//	id index      the same for ids and aliases
//	releases      which releases of a distribution the entries name, and how often
//
// A lookup hashes the name, reads one bucket and then the blocks it names.
// Everything a lookup trusts is under a checksum that it verifies at that
// moment: damage is an error, never a missing advisory. That is why there is
// no search over unchecked sorted arrays here, and why a bucket that is empty
// still has a checksum. The digest over the whole file, which is also in the
// file's name, is for Check.
//
// The package index has two kinds of keys: normalised package names, and in
// Maven's file the artifact ids alone, behind a zero byte (partName).
//
// Numbers are little endian. All of it is deterministic: the same feed gives
// the same bytes.
const (
	magic         = "FNAUFDB\n"
	formatVersion = 3
	headerSize    = 256
	blockEntry    = 24
	bucketEntry   = 8

	targetBlock = 4 << 10   // bytes of encoded advisories after which a block is closed
	maxBlock    = 32 << 20  // bytes of one block before compression; above MaxRecord, since one record is never split
	maxBucket   = 256 << 20 // bytes of one index bucket
	bucketLoad  = 4         // names per bucket, on average
)

// section is a part of the file.
type section struct{ off, len uint64 }

// header is the fixed beginning of a file.
type header struct {
	ecosystem  string
	size       uint64 // of the whole file
	records    uint32
	packages   uint32
	blocks     uint32
	pkgBuckets uint32
	idBuckets  uint32
	sections   [sectionCount]section
}

const (
	secBlocks = iota
	secBlockTable
	secPkgs
	secPkgTable
	secIDs
	secIDTable
	secReleases
	sectionCount
)

// Offsets inside the header.
const (
	offVersion  = 8
	offSize     = 16
	offRecords  = 24
	offPackages = 28
	offBlocks   = 32
	offPkgB     = 36
	offIDB      = 40
	offSections = 48
	offName     = offSections + sectionCount*16
	offChecksum = headerSize - 4
	maxEcoName  = offChecksum - offName - 1
)

func (h *header) encode() ([]byte, error) {
	if len(h.ecosystem) > maxEcoName {
		return nil, fmt.Errorf("write store: ecosystem name %q is over %d bytes", h.ecosystem, maxEcoName)
	}
	b := make([]byte, headerSize)
	copy(b, magic)
	le := binary.LittleEndian
	le.PutUint32(b[offVersion:], formatVersion)
	le.PutUint32(b[offVersion+4:], headerSize)
	le.PutUint64(b[offSize:], h.size)
	le.PutUint32(b[offRecords:], h.records)
	le.PutUint32(b[offPackages:], h.packages)
	le.PutUint32(b[offBlocks:], h.blocks)
	le.PutUint32(b[offPkgB:], h.pkgBuckets)
	le.PutUint32(b[offIDB:], h.idBuckets)
	for i, s := range h.sections {
		le.PutUint64(b[offSections+16*i:], s.off)
		le.PutUint64(b[offSections+16*i+8:], s.len)
	}
	b[offName] = byte(len(h.ecosystem))
	copy(b[offName+1:], h.ecosystem)
	le.PutUint32(b[offChecksum:], checksum(b[:offChecksum]))
	return b, nil
}

// ErrDamaged is wrapped by every error that says that a store's bytes are not
// what was written. What to do about it is to build the store again.
var ErrDamaged = errors.New("the store is damaged")

// ErrFormat is wrapped by the error for a store of another format version.
var ErrFormat = errors.New("the store was written by another version of the program")

// damaged makes an error that says where.
func damaged(what string, args ...any) error {
	return fmt.Errorf("read store: %s: %w", fmt.Sprintf(what, args...), ErrDamaged)
}

func decodeHeader(b []byte, size int64) (*header, error) {
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return nil, damaged("no store file")
	}
	b = b[:headerSize]
	le := binary.LittleEndian
	if le.Uint32(b[offChecksum:]) != checksum(b[:offChecksum]) {
		return nil, damaged("checksum of the header")
	}
	if v := le.Uint32(b[offVersion:]); v != formatVersion {
		return nil, fmt.Errorf("read store: format version %d, want %d: %w", v, formatVersion, ErrFormat)
	}
	h := &header{
		size:       le.Uint64(b[offSize:]),
		records:    le.Uint32(b[offRecords:]),
		packages:   le.Uint32(b[offPackages:]),
		blocks:     le.Uint32(b[offBlocks:]),
		pkgBuckets: le.Uint32(b[offPkgB:]),
		idBuckets:  le.Uint32(b[offIDB:]),
	}
	if size < 0 || h.size != uint64(size) {
		return nil, damaged("the file has %d bytes, its header says %d", size, h.size)
	}
	for i := range h.sections {
		s := section{le.Uint64(b[offSections+16*i:]), le.Uint64(b[offSections+16*i+8:])}
		if s.off < headerSize || s.off > h.size || s.len > h.size-s.off {
			return nil, damaged("section %d lies outside the file", i)
		}
		h.sections[i] = s
	}
	if h.sections[secBlockTable].len != uint64(h.blocks)*blockEntry ||
		h.sections[secPkgTable].len != (uint64(h.pkgBuckets)+1)*bucketEntry ||
		h.sections[secIDTable].len != (uint64(h.idBuckets)+1)*bucketEntry || h.pkgBuckets == 0 || h.idBuckets == 0 {
		return nil, damaged("a table has another length than the header says")
	}
	n := int(b[offName])
	if n == 0 || n > maxEcoName {
		return nil, damaged("ecosystem name")
	}
	h.ecosystem = string(b[offName+1 : offName+1+n])
	return h, nil
}

// checksum is CRC-32C, which processors compute: 16 KB take about 1 µs.
func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// placedChecksum mixes the place into the checksum, so that intact bytes in
// the wrong place do not pass either.
func placedChecksum(b []byte, domain byte, index uint32) uint32 {
	seed := [5]byte{domain}
	binary.LittleEndian.PutUint32(seed[1:], index)
	return crc32.Update(checksum(seed[:]), crc32.MakeTable(crc32.Castagnoli), b)
}

// Domains of placedChecksum.
const (
	domainBlock    = 'b'
	domainPkg      = 'p'
	domainID       = 'i'
	domainReleases = 'r'
)

// hash is 64-bit FNV-1a with a final mix, since buckets use the low bits.
func hash[T string | []byte](s T) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h ^= h >> 32
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// idKey is the spelling under which an id is indexed: users type ids in any case.
func idKey(id string) string { return strings.ToUpper(id) }

// ref names one advisory of a file: a block and the place in it.
type ref struct{ block, slot uint32 }
