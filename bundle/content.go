package bundle

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"sync"
)

// content is an open regular file. It streams until somebody seeks or reads at
// an offset. From then on a packed file is held in memory, as long as it really
// is, and a stored one is checked once and read in place. ReadAt is safe for
// concurrent use; Read and Seek share one position.
type content struct {
	v    *Volume
	i    int
	path string // as it was opened

	mu     sync.Mutex
	stream *verified         // while streaming
	random *io.SectionReader // afterwards
	at     int64             // bytes streamed
	closed bool
}

func (t *Tree) content(i int, name string) *content {
	v, j := t.at(i)
	return &content{v: v, i: j, path: name}
}

func (c *content) Stat() (fs.FileInfo, error) {
	f := &c.v.listing().files[c.i]
	return fileInfo{name: base(c.path), size: f.Size, mode: f.Mode | 0o444}, nil
}

// InPlace reports whether random access reads the file where it lies: it is
// stored, so that none of it is held in memory.
func (c *content) InPlace() bool {
	m := c.v.listing().entries[c.i].method
	return m == methodStored || m == methodPlain
}

func (c *content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, c.wrap("read", errClosed)
	}
	if c.random != nil {
		n, err := c.random.Read(p)
		return n, c.wrap("read", err)
	}
	if c.stream == nil {
		c.stream = c.v.reader(c.i)
	}
	n, err := c.stream.Read(p)
	c.at += int64(n)
	return n, c.wrap("read", err)
}

// Seek holds to io.Seeker. Going to where the stream already is costs nothing.
func (c *content) Seek(offset int64, whence int) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, c.wrap("seek", errClosed)
	}
	if c.random == nil {
		switch {
		case whence == io.SeekStart && offset == c.at, whence == io.SeekCurrent && offset == 0:
			return c.at, nil
		case whence == io.SeekStart && offset == 0:
			c.restart()
			return 0, nil
		}
		if err := c.settle(); err != nil {
			return 0, c.wrap("seek", err)
		}
	}
	n, err := c.random.Seek(offset, whence)
	return n, c.wrap("seek", err)
}

// ReadAt holds to io.ReaderAt and does not move the position.
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	c.mu.Lock()
	var err error
	switch {
	case c.closed:
		err = errClosed
	case c.random == nil:
		err = c.settle()
	}
	random := c.random
	c.mu.Unlock()
	if err != nil {
		return 0, c.wrap("read", err)
	}
	n, err := random.ReadAt(p, off)
	return n, c.wrap("read", err)
}

func (c *content) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.wrap("close", errClosed)
	}
	c.closed = true
	c.restart()
	c.random = nil
	return nil
}

// restart forgets the stream: the next read begins anew.
func (c *content) restart() {
	if c.stream != nil {
		c.stream.Close()
		c.stream = nil
	}
	c.at = 0
}

// settle makes the file readable at any offset and keeps the position.
func (c *content) settle() error {
	r, size, err := c.v.readerAt(c.i)
	if err != nil {
		return err
	}
	at := c.at
	c.restart()
	c.random = io.NewSectionReader(r, 0, size)
	_, err = c.random.Seek(at, io.SeekStart)
	return err
}

func (c *content) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return err
	}
	return &fs.PathError{Op: op, Path: c.path, Err: err}
}

// reader streams file i, checked.
func (v *Volume) reader(i int) *verified {
	return v.verified(v.listing(), i, &v.charged[i])
}

// readerAt gives file i for random access, checked whole before the first byte
// is handed out.
func (v *Volume) readerAt(i int) (io.ReaderAt, int64, error) {
	l := v.listing()
	e, size := &l.entries[i], l.files[i].Size
	if e.method == methodStored || e.method == methodPlain {
		r := v.reader(i)
		defer r.Close()
		if e.method == methodPlain && e.fault == faultNone && size == e.packed {
			return io.NewSectionReader(v.pack.src, e.offset, size), size, nil // checked by the artifact's digest
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return nil, 0, err
		}
		return io.NewSectionReader(v.pack.src, e.offset, size), size, nil
	}
	if e.method == methodLayer {
		if r := v.pack.layers.random(e.offset); r != nil {
			return r, size, nil // checked by the layer's digest
		}
		if size > 1<<20 { // a large executable, as a rule
			r, err := v.pack.layers.apart(e.offset, func() io.ReadCloser { return v.reader(i) })
			return r, size, err
		}
	}
	b, err := v.readAll(i)
	if err != nil {
		return nil, 0, err
	}
	return bytes.NewReader(b), int64(len(b)), nil
}

// readAll returns file i. The declared size is a hint that is believed as far
// as the packed bytes can carry it: deflate expands at most 1,032 times
// (zlib.net/zlib_tech.html, "Maximum Compression Factor").
func (v *Volume) readAll(i int) ([]byte, error) {
	const deflateMost, firstGuess = 1032, 1 << 20
	l := v.listing()
	e := &l.entries[i]
	can := int64(firstGuess)
	switch e.method {
	case methodDeflate:
		can = min(e.packed, 1<<40)*deflateMost + 64
	case methodStored, methodPlain:
		can = e.packed
	case methodDisk:
		can = l.files[i].Size // counted when the folder was opened
	case methodLayer:
		can = v.pack.layers.believed(e.offset)
	}
	can = min(can, v.pack.lim.MaxFileBytes)
	r := v.reader(i)
	defer r.Close()
	want := min(l.files[i].Size, can)
	buf := make([]byte, 0, min(max(want, 0), 64<<20)) // an honest larger file grows from here; a size may be a lie below zero
	for {
		if len(buf) == cap(buf) {
			if int64(len(buf)) == l.files[i].Size {
				var none [1]byte
				if _, err := r.Read(none[:]); err != nil && err != io.EOF {
					return nil, err
				}
				return buf, nil
			}
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
