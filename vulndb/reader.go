package vulndb

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"unsafe"

	"github.com/klauspost/compress/s2"
)

// blob is the bytes of a store file. A mapped file returns a view, valid until
// close; otherwise the bytes are read each time.
type blob interface {
	// bytes returns n bytes from off, which the caller knows to lie inside the
	// file. The result must not be changed.
	bytes(off uint64, n int) ([]byte, error)
	size() int64
	close() error
}

// memory is a blob that is already in memory.
type memory []byte

func (m memory) bytes(off uint64, n int) ([]byte, error) {
	if off > uint64(len(m)) || uint64(n) > uint64(len(m))-off {
		return nil, damaged("read outside the file")
	}
	return m[off : off+uint64(n) : off+uint64(n)], nil
}
func (m memory) size() int64  { return int64(len(m)) }
func (m memory) close() error { return nil }

// fdb is an open .fdb file. It is safe for concurrent use until close.
type fdb struct {
	blob blob
	h    *header

	once     sync.Once // guards the two below, parsed when first asked for
	releases map[string]int
	relErr   error
}

// openFdb reads the header and checks that every section lies inside the file.
// It reads nothing else, so that opening takes the same time for every size.
func openFdb(b blob) (*fdb, error) {
	if b.size() < headerSize {
		return nil, damaged("the file has %d bytes", b.size())
	}
	head, err := b.bytes(0, headerSize)
	if err != nil {
		return nil, err
	}
	h, err := decodeHeader(head, b.size())
	if err != nil {
		return nil, err
	}
	return &fdb{blob: b, h: h}, nil
}

// bucket returns the checked content of one index bucket.
func (f *fdb) bucket(sec int, domain byte, k uint32) ([]byte, error) {
	t, err := f.blob.bytes(f.h.sections[sec+1].off+uint64(k)*bucketEntry, 2*bucketEntry)
	if err != nil {
		return nil, err
	}
	from, to := binary.LittleEndian.Uint64(t), binary.LittleEndian.Uint64(t[bucketEntry:])
	if from > to || to > f.h.sections[sec].len || to-from < 4 || to-from > maxBucket {
		return nil, damaged("index bucket %d of %s lies outside its section", k, f.h.ecosystem)
	}
	b, err := f.blob.bytes(f.h.sections[sec].off+from, int(to-from))
	if err != nil {
		return nil, err
	}
	body := b[:len(b)-4]
	if binary.LittleEndian.Uint32(b[len(body):]) != placedChecksum(body, domain, k) {
		return nil, damaged("checksum of index bucket %d of %s", k, f.h.ecosystem)
	}
	return body, nil
}

// packageRefs returns where the advisories of a package are. name is normalised.
func (f *fdb) packageRefs(name string) ([]ref, error) {
	k := uint32(hash(name) % uint64(f.h.pkgBuckets))
	b, err := f.bucket(secPkgs, domainPkg, k)
	if err != nil {
		return nil, err
	}
	for r := (bytesReader{b: b}); len(r.b) > 0; {
		found := string(r.take(r.uint())) == name // does not allocate: the compiler compares in place
		n := r.uint()
		if n > uint64(len(r.b)) {
			r.bad = true
		}
		if r.bad {
			return nil, damaged("index bucket %d of %s", k, f.h.ecosystem)
		}
		if !found {
			for range n {
				r.uint()
				r.uint()
			}
			continue
		}
		refs := make([]ref, 0, n)
		for range n {
			refs = append(refs, ref{r.uint32(), r.uint32()})
		}
		if r.bad {
			return nil, damaged("index bucket %d of %s", k, f.h.ecosystem)
		}
		return refs, nil
	}
	return nil, nil
}

// idRefs returns where the advisories are that have the id as id or alias, and
// perhaps others whose ids have the same hash.
func (f *fdb) idRefs(id string) ([]ref, error) {
	key := hash(idKey(id))
	k := uint32(key % uint64(f.h.idBuckets))
	b, err := f.bucket(secIDs, domainID, k)
	if err != nil {
		return nil, err
	}
	var refs []ref
	for r := (bytesReader{b: b}); len(r.b) > 0; {
		at := r.take(8)
		if r.bad {
			return nil, damaged("index bucket %d of %s", k, f.h.ecosystem)
		}
		found := ref{r.uint32(), r.uint32()}
		if r.bad {
			return nil, damaged("index bucket %d of %s", k, f.h.ecosystem)
		}
		if binary.LittleEndian.Uint64(at) == key {
			refs = append(refs, found)
		}
	}
	return refs, nil
}

// advisories reads the advisories at the references, sorted by id.
func (f *fdb) advisories(refs []ref) ([]*Advisory, error) {
	slices.SortFunc(refs, func(a, b ref) int { return cmp.Or(cmp.Compare(a.block, b.block), cmp.Compare(a.slot, b.slot)) })
	out := make([]*Advisory, 0, len(refs))
	for i := 0; i < len(refs); {
		j := i
		for j < len(refs) && refs[j].block == refs[i].block {
			j++
		}
		recs, err := f.block(refs[i].block)
		if err != nil {
			return nil, err
		}
		for ; i < j; i++ {
			if uint64(refs[i].slot) >= uint64(len(recs)) {
				return nil, damaged("block %d of %s has no record %d", refs[i].block, f.h.ecosystem, refs[i].slot)
			}
			a, err := decodeAdvisory(recs[refs[i].slot])
			if err != nil {
				return nil, damaged("record %d of block %d of %s", refs[i].slot, refs[i].block, f.h.ecosystem)
			}
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *Advisory) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// block returns the encoded records of one block.
func (f *fdb) block(n uint32) ([]string, error) {
	if n >= f.h.blocks {
		return nil, damaged("%s has no block %d", f.h.ecosystem, n)
	}
	t, err := f.blob.bytes(f.h.sections[secBlockTable].off+uint64(n)*blockEntry, blockEntry)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	off, size, raw, count, sum := le.Uint64(t), le.Uint32(t[8:]), le.Uint32(t[12:]), le.Uint32(t[16:]), le.Uint32(t[20:])
	s := f.h.sections[secBlocks]
	if off < s.off || off > s.off+s.len || uint64(size) > s.off+s.len-off || raw > maxBlock {
		return nil, damaged("block %d of %s lies outside its section", n, f.h.ecosystem)
	}
	packed, err := f.blob.bytes(off, int(size))
	if err != nil {
		return nil, err
	}
	if placedChecksum(packed, domainBlock, n) != sum {
		return nil, damaged("checksum of block %d of %s", n, f.h.ecosystem)
	}
	if n, err := s2.DecodedLen(packed); err != nil || n != int(raw) {
		return nil, damaged("size of block %d of %s", n, f.h.ecosystem)
	}
	plain, err := s2.Decode(make([]byte, raw), packed)
	if err != nil {
		return nil, damaged("block %d of %s cannot be decompressed", n, f.h.ecosystem)
	}
	d := decoder{s: unsafe.String(unsafe.SliceData(plain), len(plain))} // plain is not used after this
	if count > raw {
		return nil, damaged("block %d of %s", n, f.h.ecosystem)
	}
	// The lengths come first: one decoder reads them, another stands where the
	// records begin.
	recs, body := make([]string, count), d
	for range recs {
		body.uint()
	}
	for i := range recs {
		l := d.uint()
		if body.bad || l > uint64(len(body.s)) {
			return nil, damaged("block %d of %s", n, f.h.ecosystem)
		}
		recs[i], body.s = body.s[:l], body.s[l:]
	}
	if body.bad || body.s != "" {
		return nil, damaged("block %d of %s", n, f.h.ecosystem)
	}
	return recs, nil
}

// releaseCounts returns how many entries each release has; empty for an
// ecosystem without releases.
func (f *fdb) releaseCounts() (map[string]int, error) {
	f.once.Do(func() { f.releases, f.relErr = f.readReleases() })
	return f.releases, f.relErr
}

func (f *fdb) readReleases() (map[string]int, error) {
	s := f.h.sections[secReleases]
	bad := damaged("list of releases of %s", f.h.ecosystem)
	if s.len < 4 || s.len > maxBucket {
		return nil, bad
	}
	b, err := f.blob.bytes(s.off, int(s.len))
	if err != nil {
		return nil, err
	}
	body := b[:len(b)-4]
	if binary.LittleEndian.Uint32(b[len(body):]) != placedChecksum(body, domainReleases, 0) {
		return nil, bad
	}
	r := bytesReader{b: body}
	n := r.uint()
	if n > uint64(len(body)) {
		return nil, bad
	}
	m := make(map[string]int, n)
	for range n {
		name := string(r.take(r.uint()))
		m[name] = int(min(r.uint(), math.MaxInt32))
	}
	if r.bad || len(r.b) > 0 {
		return nil, bad
	}
	return m, nil
}

// bytesReader reads numbers and byte strings off a slice; bad is set once
// something does not fit.
type bytesReader struct {
	b   []byte
	bad bool
}

func (r *bytesReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *bytesReader) uint32() uint32 {
	v := r.uint()
	if v > math.MaxUint32 {
		r.b, r.bad = nil, true
		return 0
	}
	return uint32(v)
}

func (r *bytesReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}
