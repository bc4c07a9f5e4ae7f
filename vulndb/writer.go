package vulndb

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/s2"
	"golang.org/x/sync/errgroup"
)

// write lays out the file. The header comes last because it says where things
// lie, so out must be able to seek.
func (w *fdbWriter) write(ctx context.Context, out io.WriteSeeker, jobs int) (*header, error) {
	if err := w.arrange(); err != nil {
		return nil, err
	}
	if _, err := out.Seek(headerSize, io.SeekStart); err != nil {
		return nil, fmt.Errorf("write store: %w", err)
	}
	f := &fileWriter{w: bufio.NewWriterSize(out, 1<<20), off: headerSize}
	h := &header{ecosystem: w.ecosystem, records: uint32(len(w.order))}
	if err := w.writeBlocks(ctx, f, h, jobs); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("write store: %w", err)
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

// rawBlock is a block before compression: places in the order, first to last (exclusive).
type rawBlock struct{ first, last uint32 }

// plan cuts the records into blocks.
func (w *fdbWriter) plan() []rawBlock {
	var blocks []rawBlock
	size := 0
	for i, k := range w.order {
		n := int(w.records[k].len) + binary.MaxVarintLen32
		if len(blocks) == 0 || size+n > targetBlock && size > 0 {
			blocks = append(blocks, rawBlock{uint32(i), uint32(i)})
			size = 0
		}
		b := &blocks[len(blocks)-1]
		w.records[k].at = ref{uint32(len(blocks) - 1), uint32(i) - b.first}
		b.last = uint32(i) + 1
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
	for _, k := range w.order[blk.first:blk.last] {
		b = binary.AppendUvarint(b, uint64(w.records[k].len))
	}
	for _, k := range w.order[blk.first:blk.last] {
		r := &w.records[k]
		n := len(b)
		b = slices.Grow(b, int(r.len))[:n+int(r.len)]
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
	w.names = slices.DeleteFunc(w.names, func(n nameRef) bool { return w.records[n.record].dropped })
	slices.SortFunc(w.names, func(a, b nameRef) int {
		x, y := w.records[a.record].at, w.records[b.record].at
		return cmp.Or(bytes.Compare(w.text.get(a.name), w.text.get(b.name)), cmp.Compare(x.block, y.block), cmp.Compare(x.slot, y.slot))
	})
	// One entry of each name: where its references are.
	type entry struct {
		hash        uint64
		first, last uint32
	}
	var entries []entry
	for i := 0; i < len(w.names); {
		name := w.text.get(w.names[i].name)
		j := i + 1
		for j < len(w.names) && bytes.Equal(w.text.get(w.names[j].name), name) {
			j++
		}
		entries = append(entries, entry{hash(name), uint32(i), uint32(j)})
		if !bytes.HasPrefix(name, []byte(partMark)) {
			h.packages++
		}
		i = j
	}
	h.pkgBuckets = buckets(len(entries))
	n := uint64(h.pkgBuckets)
	// Within a bucket by name, which is the order of first.
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.hash%n, b.hash%n), cmp.Compare(a.first, b.first)) })
	next := 0
	writeIndex(f, h, secPkgs, domainPkg, int(n), func(b []byte, k int) []byte {
		for ; next < len(entries) && entries[next].hash%n == uint64(k); next++ {
			refs := w.names[entries[next].first:entries[next].last]
			name := w.text.get(refs[0].name)
			b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
			b = binary.AppendUvarint(b, uint64(len(refs)))
			for _, r := range refs {
				b = putRef(b, w.records[r.record].at)
			}
		}
		return b
	})
}

// writeIDs writes the id index: in each bucket, sorted, the hash of an id and
// the references of the advisories that have it as id or alias.
func (w *fdbWriter) writeIDs(f *fileWriter, h *header) {
	w.ids = slices.DeleteFunc(w.ids, func(id idRef) bool { return w.records[id.record].dropped })
	h.idBuckets = buckets(len(w.ids))
	n := uint64(h.idBuckets)
	slices.SortFunc(w.ids, func(a, b idRef) int {
		x, y := w.records[a.record].at, w.records[b.record].at
		return cmp.Or(cmp.Compare(a.key%n, b.key%n), cmp.Compare(a.key, b.key), cmp.Compare(x.block, y.block), cmp.Compare(x.slot, y.slot))
	})
	next := 0
	writeIndex(f, h, secIDs, domainID, int(n), func(b []byte, k int) []byte {
		for ; next < len(w.ids) && w.ids[next].key%n == uint64(k); next++ {
			b = putRef(binary.LittleEndian.AppendUint64(b, w.ids[next].key), w.records[w.ids[next].record].at)
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
	for r, n := range w.releases {
		if *n > 0 {
			list = append(list, r)
		}
	}
	slices.Sort(list)
	b := binary.AppendUvarint(nil, uint64(len(list)))
	for _, r := range list {
		b = binary.AppendUvarint(putString(b, r), uint64(*w.releases[r]))
	}
	b = binary.LittleEndian.AppendUint32(b, placedChecksum(b, domainReleases, 0))
	h.sections[secReleases] = section{f.off, uint64(len(b))}
	f.write(b)
}

func putRef(b []byte, r ref) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(r.block)), uint64(r.slot))
}

// buckets chooses how many buckets hold n entries.
func buckets(n int) uint32 { return uint32(n/bucketLoad + 1) }
