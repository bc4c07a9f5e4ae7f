package bundle

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"sync"
)

// memoryBytes is the size up to which an artifact is read into memory.
const memoryBytes = 128 << 20

// blockBytes is the unit in which a larger artifact is hashed and checked.
const blockBytes = 256 << 10

// errChanged says that a file is not what it was when its digest was taken.
var errChanged = errors.New("the file changed while it was read")

// source is the bytes of one artifact. ReadAt is safe for concurrent use and
// gives exactly the bytes that the digest was taken over.
type source interface {
	io.ReaderAt
	size() int64
	// view returns n bytes at off, which must lie inside; do not modify.
	view(off, n int64) ([]byte, error)
	// stream reads n bytes from off.
	stream(off, n int64) byteReader
	close() error
}

// byteReader is what a decoder reads from without buffering ahead on its own.
type byteReader interface {
	io.Reader
	io.ByteReader
}

// memory is an artifact held in memory.
type memory []byte

func (m memory) size() int64  { return int64(len(m)) }
func (m memory) close() error { return nil }

func (m memory) view(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > m.size() || n > m.size()-off {
		return nil, io.ErrUnexpectedEOF
	}
	return m[off : off+n : off+n], nil
}

func (m memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m).ReadAt(p, off)
}

func (m memory) stream(off, n int64) byteReader {
	b, err := m.view(off, n)
	if err != nil {
		b = nil
	}
	return bytes.NewReader(b)
}

// blocks is an artifact on disk of whose every block the digest is known, or is
// taken when the block is read for the first time. Each later read checks the
// blocks it touches against those digests.
type blocks struct {
	f      *os.File
	length int64

	mu    sync.Mutex
	sums  [][sha256.Size]byte // the zero value: not yet read
	cache [4]struct {         // least recently used last; most reads follow one another
		n    int64
		data []byte
	}
}

// newBlocks makes a source of an open file, none of whose blocks was read yet.
// It is for artifacts that are verified while they are streamed, so that one
// pass is enough. The source owns f.
func newBlocks(f *os.File, length int64) *blocks {
	return &blocks{f: f, length: length, sums: make([][sha256.Size]byte, (length+blockBytes-1)/blockBytes)}
}

func (b *blocks) size() int64  { return b.length }
func (b *blocks) close() error { return b.f.Close() }

func (b *blocks) view(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > b.length || n > b.length-off {
		return nil, io.ErrUnexpectedEOF
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(b, off, n), p); err != nil {
		return nil, err
	}
	return p, nil
}

func (b *blocks) stream(off, n int64) byteReader {
	return bufio.NewReaderSize(io.NewSectionReader(b, off, n), 32<<10)
}

func (b *blocks) ReadAt(p []byte, off int64) (int, error) {
	return readBlocks(p, off, b.length, blockBytes, b.block)
}

// readBlocks is the ReadAt of what comes in blocks of one size, of which the
// last may be shorter. One that is shorter than that is errChanged.
func readBlocks(p []byte, off, length, size int64, block func(n int64) ([]byte, error)) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	done := 0
	for done < len(p) {
		if off >= length {
			return done, io.EOF
		}
		data, err := block(off / size)
		if err != nil {
			return done, err
		}
		n := copy(p[done:], data[min(off%size, int64(len(data))):])
		if n == 0 {
			return done, errChanged
		}
		done += n
		off += int64(n)
	}
	return done, nil
}

func (b *blocks) block(n int64) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, c := range b.cache {
		if c.data != nil && c.n == n {
			copy(b.cache[1:i+1], b.cache[:i])
			b.cache[0] = c
			return c.data, nil
		}
	}
	data := make([]byte, min(blockBytes, b.length-n*blockBytes))
	if err := b.fill(data, n*blockBytes); err != nil {
		return nil, err
	}
	if err := b.check(n, sha256.Sum256(data)); err != nil {
		return nil, err
	}
	copy(b.cache[1:], b.cache[:])
	b.cache[0].n, b.cache[0].data = n, data
	return data, nil
}

// fill reads one block as it is on disk.
func (b *blocks) fill(data []byte, at int64) error {
	_, err := b.f.ReadAt(data, at)
	if errors.Is(err, io.EOF) {
		return errChanged
	}
	return err
}

// check compares the digest of block n with the one taken first. The caller
// holds mu.
func (b *blocks) check(n int64, sum [sha256.Size]byte) error {
	switch b.sums[n] {
	case [sha256.Size]byte{}:
		b.sums[n] = sum
	case sum:
	default:
		return errChanged
	}
	return nil
}

// sequential reads n bytes from off with a buffer of its own, so that readers
// of several places do not wait for one another.
func (b *blocks) sequential(off, n int64) io.Reader {
	return &blockReader{b: b, off: off, end: off + n}
}

type blockReader struct {
	b        *blocks
	off, end int64
	at       int64 // of buf
	buf      []byte
}

func (r *blockReader) Read(p []byte) (int, error) {
	if r.off >= min(r.end, r.b.length) {
		return 0, io.EOF
	}
	if r.buf == nil || r.off >= r.at+int64(len(r.buf)) {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.buf[r.off-r.at:min(int64(len(r.buf)), r.end-r.at)])
	r.off += int64(n)
	return n, nil
}

func (r *blockReader) next() error {
	n := r.off / blockBytes
	r.at = n * blockBytes
	r.buf = slices.Grow(r.buf[:0], blockBytes)[:min(blockBytes, r.b.length-r.at)]
	err := r.b.fill(r.buf, r.at)
	if err == nil {
		sum := sha256.Sum256(r.buf)
		r.b.mu.Lock()
		err = r.b.check(n, sum)
		r.b.mu.Unlock()
	}
	if err != nil {
		r.buf = nil
	}
	return err
}

// sequential reads a range of a source from its start to its end.
func sequential(src source, off, n int64) io.Reader {
	if b, ok := src.(*blocks); ok {
		return b.sequential(off, n)
	}
	return src.stream(off, n)
}

// load reads an open file whole, of which info was known before. Its digest is
// computed beside what the caller does next. load owns f.
func load(ctx context.Context, f *os.File, info os.FileInfo, lim Limits) (source, *digester, error) {
	length := info.Size()
	if length > lim.MaxArtifactBytes {
		f.Close()
		return nil, nil, fmt.Errorf("%d bytes, over the limit MaxArtifactBytes of %d: %w", length, lim.MaxArtifactBytes, ErrUnreadable)
	}
	if length > memoryBytes {
		src, sum, err := loadBlocks(ctx, f, length)
		if err == nil {
			if err = unchanged(f, info); err != nil {
				f.Close()
			}
		}
		return src, sum, err
	}
	defer f.Close()
	data := make([]byte, length)
	sum := startDigest()
	defer sum.end()
	for at := 0; at < len(data); {
		end := min(at+1<<20, len(data))
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if _, err := io.ReadFull(f, data[at:end]); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errChanged, err)
		}
		sum.add(data[at:end])
		at = end
	}
	if err := unchanged(f, info); err != nil {
		return nil, nil, err
	}
	return memory(data), sum, nil
}

// unchanged returns an error when a file is not what it was before it was read.
// What was read then may be half of one file and half of another: the digest is
// that of the bytes that are judged, but nobody has deployed them.
func unchanged(f *os.File, before os.FileInfo) error {
	after, err := f.Stat()
	if err != nil {
		return err
	}
	if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return errChanged
	}
	return nil
}

// loadStream reads an input of unknown length into memory.
func loadStream(ctx context.Context, r io.Reader, most int64) (source, *digester, error) {
	var buf bytes.Buffer
	for {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		n, err := io.CopyN(&buf, r, 1<<20)
		if int64(buf.Len()) > most {
			return nil, nil, fmt.Errorf("more than %d bytes, over the limit MaxStdinBytes: save it as a file and name that: %w", most, ErrUnreadable)
		}
		if errors.Is(err, io.EOF) || (err == nil && n == 0) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
	}
	sum := startDigest()
	defer sum.end()
	sum.add(buf.Bytes())
	return memory(buf.Bytes()), sum, nil
}

func loadBlocks(ctx context.Context, f *os.File, length int64) (source, *digester, error) {
	b := newBlocks(f, length)
	whole := sha256.New()
	data := make([]byte, blockBytes)
	for at := int64(0); at < length; at += blockBytes {
		if err := ctx.Err(); err != nil {
			f.Close()
			return nil, nil, err
		}
		p := data[:min(blockBytes, length-at)]
		if _, err := f.ReadAt(p, at); err != nil {
			f.Close()
			return nil, nil, fmt.Errorf("%w: %w", errChanged, err)
		}
		whole.Write(p)
		b.sums[at/blockBytes] = sha256.Sum256(p)
	}
	done := &digester{sum: digestOf(whole), done: make(chan struct{})}
	close(done.done)
	return b, done, nil
}

// digester hashes in a goroutine of its own, in the order of add.
type digester struct {
	parts chan []byte
	done  chan struct{}
	sum   Digest // when done is closed
}

func startDigest() *digester {
	d := &digester{parts: make(chan []byte, 128), done: make(chan struct{})}
	go func() {
		h := sha256.New()
		for p := range d.parts {
			h.Write(p)
		}
		d.sum = digestOf(h)
		close(d.done)
	}()
	return d
}

func (d *digester) add(p []byte) { d.parts <- p }

// end says that nothing will be added; without it, wait never returns.
func (d *digester) end() { close(d.parts) }

func (d *digester) wait() Digest {
	<-d.done
	return d.sum
}

func (d *digester) ended() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

func digestOf(h hash.Hash) Digest { return Digest("sha256:" + hex.EncodeToString(h.Sum(nil))) }
