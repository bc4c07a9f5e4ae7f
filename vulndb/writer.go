package vulndb

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"io"
	"math"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
	"golang.org/x/sync/errgroup"
)

// spilled is one advisory that waits in the spill file to be written: what the
// indexes need is in memory, its encoding is on disk. So memory grows with the
// number of records (some 300 bytes each), not with their size.
type spilled struct {
	id       string
	names    []string // normalised package names of this ecosystem, sorted, no doubles
	keys     []uint64 // hashes of ids and aliases
	modified int64    // Unix seconds
	off      int64
	len      int
	at       ref // set when its block is laid out
}

// first is the name under which a record is stored; others refer to it.
func (s *spilled) first() string {
	if len(s.names) == 0 {
		return ""
	}
	return s.names[0]
}

// fdbWriter writes one .fdb file. The order of calls is: add (any order),
// write.
type fdbWriter struct {
	ecosystem string
	mu        sync.Mutex // guards all below
	spill     *bufio.Writer
	spillOff  int64
	spillFile interface {
		io.Writer
		io.ReaderAt
	}
	records  []spilled
	releases map[string]int
	interned map[string]string
}

func newFdbWriter(ecosystem string, spill interface {
	io.Writer
	io.ReaderAt
}) *fdbWriter {
	return &fdbWriter{ecosystem: ecosystem, spillFile: spill, spill: bufio.NewWriterSize(spill, 1<<20), releases: map[string]int{}, interned: map[string]string{}}
}

// prepared is an advisory with everything that can be computed without the
// writer's lock.
type prepared struct {
	rec      spilled
	data     []byte
	releases []string
}

// prepare encodes an advisory for a file of the ecosystem.
func prepare(ecosystem string, a *Advisory) prepared {
	p := prepared{data: encodeAdvisory(nil, a), rec: spilled{id: a.ID}}
	if !a.Modified.IsZero() {
		p.rec.modified = a.Modified.Unix()
	}
	for i := range a.Affected {
		e := &a.Affected[i]
		if !e.of(ecosystem) {
			continue // in the file of its own ecosystem; the export lists a record in each
		}
		if n := entryName(ecosystem, e); n != "" && !slices.Contains(p.rec.names, n) {
			p.rec.names = append(p.rec.names, n)
		}
		if r := release(e.Ecosystem); r != "" && !slices.Contains(p.releases, r) {
			p.releases = append(p.releases, r)
		}
	}
	slices.Sort(p.rec.names)
	for _, id := range a.Names() {
		if k := hash(idKey(id)); !slices.Contains(p.rec.keys, k) {
			p.rec.keys = append(p.rec.keys, k)
		}
	}
	return p
}

// add takes prepared advisories. It is safe for concurrent use.
func (w *fdbWriter) add(batch []prepared) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range batch {
		p := &batch[i]
		for j, n := range p.rec.names {
			if known, ok := w.interned[n]; ok {
				p.rec.names[j] = known
			} else {
				w.interned[n] = n
			}
		}
		p.rec.off, p.rec.len = w.spillOff, len(p.data)
		n, err := w.spill.Write(p.data)
		w.spillOff += int64(n)
		if err != nil {
			return fmt.Errorf("write temporary file: %w", err)
		}
		for _, r := range p.releases {
			w.releases[r]++
		}
		w.records = append(w.records, p.rec)
	}
	return nil
}

// dedupe sorts the records and keeps one of each id: the one modified last,
// then the longest, so that the result does not depend on the feed's order.
func (w *fdbWriter) dedupe() error {
	var err error
	content := func(r *spilled) []byte {
		b := make([]byte, r.len)
		if _, e := w.spillFile.ReadAt(b, r.off); e != nil {
			err = e
		}
		return b
	}
	slices.SortFunc(w.records, func(a, b spilled) int {
		if c := cmp.Compare(a.id, b.id); c != 0 {
			return c
		}
		if c := cmp.Or(cmp.Compare(b.modified, a.modified), cmp.Compare(b.len, a.len)); c != 0 {
			return c
		}
		return slices.Compare(content(&a), content(&b))
	})
	w.records = slices.CompactFunc(w.records, func(a, b spilled) bool { return a.id == b.id })
	slices.SortFunc(w.records, func(a, b spilled) int {
		return cmp.Or(cmp.Compare(a.first(), b.first()), cmp.Compare(a.id, b.id))
	})
	return err
}

// write lays out the file. The header comes last because it says where things
// lie, so out must be able to seek.
func (w *fdbWriter) write(ctx context.Context, out io.WriteSeeker, jobs int) (*header, error) {
	if err := w.spill.Flush(); err != nil {
		return nil, fmt.Errorf("write temporary file: %w", err)
	}
	if err := w.dedupe(); err != nil {
		return nil, fmt.Errorf("read temporary file: %w", err)
	}
	if uint64(len(w.records)) > math.MaxUint32 {
		return nil, errors.New("write store: too many records")
	}
	if _, err := out.Seek(headerSize, io.SeekStart); err != nil {
		return nil, fmt.Errorf("write store: %w", err)
	}
	f := &fileWriter{w: bufio.NewWriterSize(out, 1<<20), off: headerSize}
	h := &header{ecosystem: w.ecosystem, records: uint32(len(w.records))}
	if err := w.writeBlocks(ctx, f, h, jobs); err != nil {
		return nil, err
	}
	w.writePackages(f, h)
	w.writeIDs(f, h)
	w.writeReleases(f, h)
	if err := f.flush(); err != nil {
		return nil, err
	}
	h.size = f.off
	b, err := h.encode()
	if err != nil {
		return nil, err
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("write store: %w", err)
	}
	if _, err := out.Write(b); err != nil {
		return nil, fmt.Errorf("write store: %w", err)
	}
	return h, nil
}

// fileWriter counts and keeps the first error.
type fileWriter struct {
	w   *bufio.Writer
	off uint64
	err error
}

func (f *fileWriter) write(b []byte) {
	if f.err != nil {
		return
	}
	n, err := f.w.Write(b)
	f.off += uint64(n)
	f.err = err
}

func (f *fileWriter) flush() error {
	if f.err == nil {
		f.err = f.w.Flush()
	}
	if f.err != nil {
		return fmt.Errorf("write store: %w", f.err)
	}
	return nil
}

// rawBlock is a block before compression: records first to last (exclusive).
type rawBlock struct{ first, last int }

// plan cuts the records into blocks.
func (w *fdbWriter) plan() []rawBlock {
	var blocks []rawBlock
	size := 0
	for i := range w.records {
		n := w.records[i].len + binary.MaxVarintLen32
		if len(blocks) == 0 || size+n > targetBlock && size > 0 {
			blocks = append(blocks, rawBlock{i, i})
			size = 0
		}
		b := &blocks[len(blocks)-1]
		w.records[i].at = ref{uint32(len(blocks) - 1), uint32(i - b.first)}
		b.last = i + 1
		size += n
	}
	return blocks
}

// writeBlocks compresses blocks side by side and writes them in order, a
// window of them at a time.
func (w *fdbWriter) writeBlocks(ctx context.Context, f *fileWriter, h *header, jobs int) error {
	blocks := w.plan()
	h.blocks = uint32(len(blocks))
	h.sections[secBlocks].off = f.off
	table := make([]byte, 0, len(blocks)*blockEntry)
	const perJob = 32
	window := jobs * perJob
	packed, sizes := make([][]byte, window), make([]int, window)
	for start := 0; start < len(blocks); start += window {
		n := min(window, len(blocks)-start)
		g, gctx := errgroup.WithContext(ctx)
		for j := range jobs {
			g.Go(func() error {
				var raw []byte
				for i := j; i < n; i += jobs {
					if err := gctx.Err(); err != nil {
						return err
					}
					var err error
					if raw, err = w.raw(raw[:0], blocks[start+i]); err != nil {
						return err
					}
					packed[i], sizes[i] = s2.EncodeBetter(packed[i][:cap(packed[i])], raw), len(raw)
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return fmt.Errorf("write store: %w", err)
		}
		for i := range n {
			b := packed[i]
			table = binary.LittleEndian.AppendUint64(table, f.off)
			table = binary.LittleEndian.AppendUint32(table, uint32(len(b)))
			table = binary.LittleEndian.AppendUint32(table, uint32(sizes[i]))
			table = binary.LittleEndian.AppendUint32(table, uint32(blocks[start+i].last-blocks[start+i].first))
			table = binary.LittleEndian.AppendUint32(table, placedChecksum(b, domainBlock, uint32(start+i)))
			f.write(b)
		}
	}
	h.sections[secBlocks].len = f.off - h.sections[secBlocks].off
	h.sections[secBlockTable] = section{f.off, uint64(len(table))}
	f.write(table)
	return f.err
}

// raw assembles the content of a block: the length of each record, then the records.
func (w *fdbWriter) raw(b []byte, blk rawBlock) ([]byte, error) {
	total := 0
	for i := blk.first; i < blk.last; i++ {
		b = binary.AppendUvarint(b, uint64(w.records[i].len))
		total += w.records[i].len
	}
	for i := blk.first; i < blk.last; i++ {
		r := &w.records[i]
		b = slices.Grow(b, r.len)
		n := len(b)
		b = b[:n+r.len]
		if _, err := w.spillFile.ReadAt(b[n:], r.off); err != nil {
			return nil, fmt.Errorf("read temporary file: %w", err)
		}
	}
	if len(b) > maxBlock {
		return nil, fmt.Errorf("write block: %d bytes, over %d", len(b), maxBlock)
	}
	return b, nil
}

// writePackages writes the package index: in each bucket, sorted by name, the
// name and the references of its advisories.
func (w *fdbWriter) writePackages(f *fileWriter, h *header) {
	byName := make(map[string][]ref, len(w.interned))
	for i := range w.records {
		for _, n := range w.records[i].names {
			byName[n] = append(byName[n], w.records[i].at)
		}
	}
	h.packages = uint32(len(byName))
	h.pkgBuckets = buckets(len(byName))
	lists := make([][]string, h.pkgBuckets)
	for n := range byName {
		k := hash(n) % uint64(h.pkgBuckets)
		lists[k] = append(lists[k], n)
	}
	writeIndex(f, h, secPkgs, domainPkg, len(lists), func(b []byte, k int) []byte {
		slices.Sort(lists[k])
		for _, n := range lists[k] {
			b = putRefs(putString(b, n), byName[n])
		}
		return b
	})
}

// writeIDs writes the id index: in each bucket, sorted, the hash of an id and
// the references of the advisories that have it as id or alias.
func (w *fdbWriter) writeIDs(f *fileWriter, h *header) {
	type entry struct {
		key uint64
		at  ref
	}
	var entries []entry
	for i := range w.records {
		for _, k := range w.records[i].keys {
			entries = append(entries, entry{k, w.records[i].at})
		}
	}
	h.idBuckets = buckets(len(entries))
	n := uint64(h.idBuckets)
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.key%n, b.key%n), cmp.Compare(a.key, b.key), cmp.Compare(a.at.block, b.at.block), cmp.Compare(a.at.slot, b.at.slot))
	})
	next := 0
	writeIndex(f, h, secIDs, domainID, int(n), func(b []byte, k int) []byte {
		for next < len(entries) && entries[next].key%n == uint64(k) {
			b = binary.LittleEndian.AppendUint64(b, entries[next].key)
			b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(entries[next].at.block)), uint64(entries[next].at.slot))
			next++
		}
		return b
	})
}

// writeIndex writes buckets and then the table of where each begins, relative
// to the first. fill appends the content of bucket k.
func writeIndex(f *fileWriter, h *header, sec int, domain byte, n int, fill func(b []byte, k int) []byte) {
	start := f.off
	table := make([]byte, 0, (n+1)*bucketEntry)
	var b []byte
	for k := range n {
		table = binary.LittleEndian.AppendUint64(table, f.off-start)
		b = fill(b[:0], k)
		if len(b) > maxBucket && f.err == nil {
			f.err = fmt.Errorf("index bucket of %d bytes, over %d", len(b), maxBucket)
		}
		b = binary.LittleEndian.AppendUint32(b, placedChecksum(b, domain, uint32(k)))
		f.write(b)
	}
	table = binary.LittleEndian.AppendUint64(table, f.off-start)
	h.sections[sec] = section{start, f.off - start}
	h.sections[sec+1] = section{f.off, uint64(len(table))}
	f.write(table)
}

// writeReleases writes which releases the entries name and how often.
func (w *fdbWriter) writeReleases(f *fileWriter, h *header) {
	var list []string
	for r := range w.releases {
		list = append(list, r)
	}
	slices.Sort(list)
	b := binary.AppendUvarint(nil, uint64(len(list)))
	for _, r := range list {
		b = binary.AppendUvarint(putString(b, r), uint64(w.releases[r]))
	}
	b = binary.LittleEndian.AppendUint32(b, placedChecksum(b, domainReleases, 0))
	h.sections[secReleases] = section{f.off, uint64(len(b))}
	f.write(b)
}

func putRefs(b []byte, refs []ref) []byte {
	b = binary.AppendUvarint(b, uint64(len(refs)))
	for _, r := range refs {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(r.block)), uint64(r.slot))
	}
	return b
}

// buckets chooses how many buckets hold n entries.
func buckets(n int) uint32 { return uint32(n/bucketLoad + 1) }
